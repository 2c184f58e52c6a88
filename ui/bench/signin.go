package bench

import (
	"flawmark/ui/look"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// signinScreen asks who is there: a badge, or a number and its PIN.
type signinScreen struct {
	w      *Window
	root   *fyne.Container
	badge  *field
	pin    *field
	prompt *widget.Label
	form   *fyne.Container
	people *fyne.Container
	shown  string
}

func newSigninScreen(w *Window) *signinScreen {
	s := &signinScreen{w: w, root: container.NewStack(), prompt: text("")}
	s.badge = w.entry(w.say("station.signin.badge_hint"))
	s.badge.OnSubmitted = func(scanned string) {
		s.badge.SetText("")
		w.station.SignIn.Enter(scanned)
	}
	s.pin = w.entry(w.say("station.signin.pin_hint"))
	s.pin.Password = true
	s.pin.OnSubmitted = func(pin string) {
		s.pin.SetText("")
		w.station.SignIn.PIN(pin)
	}
	s.pin.passKey = func(ev *fyne.KeyEvent) bool {
		if ev.Name == fyne.KeyEscape {
			w.station.SignIn.Ask("")
			return true
		}
		return w.onKey(ev)
	}
	s.people = container.NewVBox()
	s.form = container.NewVBox()
	return s
}

func (s *signinScreen) content() fyne.CanvasObject { return s.root }

func (s *signinScreen) refresh() {
	in := s.w.station.SignIn
	asked, pin := in.Asked()
	state := "badge"
	switch {
	case !in.Loaded():
		state = "loading"
	case len(in.People()) == 0:
		state = "nobody"
	case pin:
		state = "pin " + string(asked.ID)
	}
	switch {
	case state == "loading":
		s.root.Objects = []fyne.CanvasObject{emptyState(s.w.say("station.signin.loading"), "", nil)}
	case state == "nobody":
		s.root.Objects = []fyne.CanvasObject{emptyState(s.w.say("station.signin.nobody"), s.w.say("screen.settings"),
			func() { s.w.Show(screenSettings) })}
	case pin:
		s.prompt.SetText(s.w.say("station.signin.pin", "name", personName(asked, s.w.words.Language())))
		if in.Checking() {
			s.prompt.SetText(s.w.say("station.signin.checking"))
		}
		back := widget.NewButton(s.w.say("button.back"), func() { in.Ask("") })
		s.place(s.prompt, s.pin, back)
	default:
		s.people.Objects = nil
		for _, person := range in.People() {
			name := personName(person, s.w.words.Language()) + " · " + s.w.say("role."+string(person.Role))
			button := widget.NewButton(name, func() { in.Ask(person.ID) })
			button.Alignment = widget.ButtonAlignLeading
			s.people.Add(button)
		}
		scroll := container.NewVScroll(s.people)
		scroll.SetMinSize(fyne.NewSize(0, 220*scale()))
		s.place(s.badge, text(s.w.say("station.signin.or_choose")), scroll)
	}
	s.root.Refresh()
	if state != s.shown {
		s.shown = state
		s.focus()
	}
}

func (s *signinScreen) place(objects ...fyne.CanvasObject) {
	s.form.Objects = append([]fyne.CanvasObject{heading(s.w.say("station.signin.title"))}, objects...)
	card := container.NewStack(newGround(look.ColourPanel), container.NewPadded(container.NewPadded(s.form)))
	s.root.Objects = []fyne.CanvasObject{container.NewCenter(ofWidth(440, card))}
}

func (s *signinScreen) focus() {
	if s.w.screen != screenSignIn || len(s.form.Objects) == 0 || len(s.w.station.SignIn.People()) == 0 {
		return // there is no entry yet
	}
	if _, pin := s.w.station.SignIn.Asked(); pin {
		s.w.focusOn(s.pin)
		return
	}
	s.w.focusOn(s.badge)
}
