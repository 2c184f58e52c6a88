package bench

import (
	"strconv"
	"strings"

	"flawmark/app/qc"
	"flawmark/ui/look"
	"flawmark/ui/widgets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// topBar names the screens, what waits on them, and who is signed in.
type topBar struct {
	w      *Window
	box    fyne.CanvasObject
	tabs   map[screenName]*widget.Button
	person *widget.Button
}

func newTopBar(w *Window) *topBar {
	b := &topBar{w: w, tabs: make(map[screenName]*widget.Button)}
	title := widget.NewLabel(w.say("app.name"))
	title.TextStyle.Bold = true
	row := container.NewHBox(title, widget.NewSeparator())
	for _, name := range []screenName{screenInspect, screenReview, screenQueue, screenCases, screenSettings} {
		tab := widget.NewButton(w.say("screen."+string(name)), func() { w.Show(name) })
		tab.IconPlacement = widget.ButtonIconTrailingText
		b.tabs[name] = tab
		row.Add(tab)
	}
	b.person = widget.NewButton("", b.personMenu)
	b.person.Importance = widget.LowImportance
	row.Add(layout.NewSpacer())
	row.Add(b.person)
	b.box = panel(row)
	return b
}

func (b *topBar) refresh() {
	s := b.w.station
	person, in := s.SignIn.Person()
	counts := map[screenName]int{screenReview: s.Reviews.Waiting(), screenCases: s.Cases.Due()}
	for name, tab := range b.tabs {
		tab.Importance = widget.LowImportance
		if name == b.w.screen || b.w.screen == screenSignIn && name == screenInspect {
			tab.Importance = widget.MediumImportance
		}
		label := b.w.say("screen." + string(name))
		tab.Icon = nil
		if n := counts[name]; n > 0 && in {
			label += " " + strconv.Itoa(n)
			tab.Icon = look.IconNews.Resource()
		}
		tab.Text = label
		// Review is for leads; the others do not see it.
		if name == screenReview && !s.Reviews.Allowed() || !in && name != screenSettings && name != screenInspect {
			tab.Hide()
		} else {
			tab.Show()
		}
		tab.Refresh()
	}
	b.person.Hide()
	if in {
		b.person.SetText(personName(person, b.w.words.Language()) + " ▾")
		b.person.Show()
	}
}

// personName says who somebody is so that both languages can read it.
func personName(p qc.Staff, language string) string {
	if language == "zh" || p.Latin == "" || p.Latin == p.Name {
		return p.Name
	}
	return p.Latin + " " + p.Name
}

func (b *topBar) personMenu() {
	person, _ := b.w.station.SignIn.Person()
	role := fyne.NewMenuItem(b.w.say("role."+string(person.Role)), nil)
	role.Disabled = true
	menu := fyne.NewMenu("", role, fyne.NewMenuItem(b.w.say("button.sign_out"), b.w.station.SignIn.Out))
	at := b.w.app.Driver().AbsolutePositionForObject(b.person)
	widget.ShowPopUpMenuAtPosition(menu, b.w.window.Canvas(), at.AddXY(0, b.person.Size().Height))
}

// statusBar says how the station stands with the centre.
type statusBar struct {
	w     *Window
	box   fyne.CanvasObject
	dot   *widgets.Dot
	label *widget.Label
}

func newStatusBar(w *Window) *statusBar {
	s := &statusBar{w: w, label: line("")}
	s.dot = widgets.NewDot(widgets.Ring, theme.Color(look.ColourQuiet), "")
	s.label.SizeName = theme.SizeNameCaptionText
	s.box = container.NewStack(newGround(look.ColourPanel), container.NewBorder(nil, nil, container.NewPadded(container.NewCenter(s.dot)), nil, s.label))
	s.refresh()
	return s
}

func (s *statusBar) refresh() {
	status := s.w.station.Status
	form, colour := widgets.Ring, theme.Color(look.ColourQuiet)
	switch {
	case status.Attention():
		form, colour = widgets.Triangle, theme.Color(look.ColourAccent)
	case status.Link().State == "degraded":
		form, colour = widgets.Half, theme.Color(theme.ColorNameWarning)
	case status.Good():
		form, colour = widgets.Disc, theme.Color(look.ColourGood)
	}
	s.dot.Set(form, colour, "")
	var texts []string
	for _, part := range status.Parts() {
		texts = append(texts, part.In(s.w.words))
	}
	s.label.SetText(strings.Join(texts, " · "))
}

// noticeStrip is the banner: one sentence, never in the way of work.
type noticeStrip struct {
	w     *Window
	box   *fyne.Container
	label *widget.Label
	edge  *ground
}

func newNoticeStrip(w *Window) *noticeStrip {
	n := &noticeStrip{w: w, label: text(""), edge: newGround(look.ColourGood)}
	closing := widget.NewButtonWithIcon("", theme.CancelIcon(), w.station.Notices.Clear)
	closing.Importance = widget.LowImportance
	n.box = container.NewStack(newGround(theme.ColorNameSeparator), container.NewPadded(container.NewStack(
		newGround(look.ColourPanel),
		container.NewBorder(nil, nil, ofWidth(6, n.edge), container.NewVBox(closing), n.label),
	)))
	n.box.Hide()
	return n
}

func (n *noticeStrip) refresh() {
	notice := n.w.station.Notices.Current()
	if notice.Sentence.IsZero() {
		n.box.Hide()
		return
	}
	n.edge.colour = look.ColourGood
	if notice.Bad {
		n.edge.colour = look.ColourAccent
	}
	n.edge.Refresh()
	n.label.SetText(notice.Sentence.In(n.w.words))
	n.box.Show()
	n.place()
}

// place lays the strip out anew: its text may take more lines than the last
// one did, and each screen has its own place for it.
func (n *noticeStrip) place() {
	if size := n.w.page.Size(); size.Width > 0 && n.box.Visible() {
		overTop{n.w}.Layout([]fyne.CanvasObject{n.box}, size)
	}
}
