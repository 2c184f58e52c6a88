package bench

import (
	"reflect"
	"strconv"

	"flawmark/assets"
	"flawmark/ui/model"
	"flawmark/ui/widgets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// settingsScreen changes what may be changed about the station, and enrols it.
type settingsScreen struct {
	w      *Window
	root   fyne.CanvasObject
	name   *field
	centre *field
	folder *field
	lang   *widget.RadioGroup
	size   *widget.RadioGroup
	dark   *widget.Check
	gloves *widget.Check
	parts  *widgets.Toggle // station or keys
	body   *fyne.Container
	form   fyne.CanvasObject
	keys   *keySettings
	enrol  *fyne.Container
	tags   map[string]string // name of a language → tag
	filled model.Settings
	done   bool
}

func newSettingsScreen(w *Window) *settingsScreen {
	s := &settingsScreen{w: w, tags: make(map[string]string), enrol: container.NewVBox()}
	s.name, s.centre, s.folder = w.entry(w.say("station.settings.name_hint")), w.entry("https://"), w.entry(w.say("station.settings.folder_hint"))
	var names, sizes []string
	for _, tag := range assets.Languages() {
		name := w.say("language." + tag)
		s.tags[name] = tag
		names = append(names, name)
	}
	for _, scale := range model.Scales() {
		sizes = append(sizes, percent(scale))
	}
	s.lang, s.size = widget.NewRadioGroup(names, nil), widget.NewRadioGroup(sizes, nil)
	s.lang.Horizontal, s.size.Horizontal = true, true
	s.dark = widget.NewCheck(w.say("station.settings.dark"), nil)
	s.gloves = widget.NewCheck(w.say("station.settings.gloves"), nil)
	s.keys = newKeySettings(w)
	browse := widget.NewButtonWithIcon("", theme.FolderOpenIcon(), s.browse)
	save := widget.NewButton(w.say("button.save"), s.save)
	save.Importance = widget.HighImportance
	s.form = container.NewVBox(
		s.row("station.settings.name", s.name), s.row("station.settings.centre", s.centre),
		s.row("station.settings.folder", container.NewBorder(nil, nil, nil, browse, s.folder)),
		s.row("language.heading", s.lang), quiet(w.say("station.settings.language_note")),
		s.row("station.settings.size", s.size), s.dark, s.gloves, save,
		widget.NewSeparator(), bold(w.say("station.settings.enrol_heading")), s.enrol,
	)
	s.parts = widgets.NewToggle(
		widgets.Option{Key: partStation, Label: w.say("station.settings.station")},
		widgets.Option{Key: partKeys, Label: w.say("station.settings.keys")})
	s.parts.OnChanged = s.show
	s.body = container.NewVBox()
	page := ofWidth(640, panel(container.NewPadded(container.NewVBox(container.NewHBox(s.parts), s.body))))
	s.root = container.NewVScroll(container.NewVBox(container.NewHBox(layout.NewSpacer(), page, layout.NewSpacer())))
	s.show(partStation)
	return s
}

// The parts of the screen.
const (
	partStation = "station"
	partKeys    = "keys"
)

// show brings a part of the settings into view.
func (s *settingsScreen) show(part string) {
	s.parts.Select(part)
	s.body.Objects = []fyne.CanvasObject{s.form}
	if part == partKeys {
		s.body.Objects[0] = s.keys.box
		s.keys.fill()
	}
	for range 2 { // wrapped texts know their height once they have their width
		s.root.Refresh()
	}
	s.root.(*container.Scroll).ScrollToTop()
	s.focus()
}

func (s *settingsScreen) row(key string, o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(tight{}, quiet(s.w.say(key)), o)
}

func percent(scale float64) string { return strconv.Itoa(int(scale*100+0.5)) + " %" }

func (s *settingsScreen) content() fyne.CanvasObject { return s.root }

func (s *settingsScreen) focus() {
	if s.parts.Selected() == partKeys {
		s.w.focusOn(s.keys.find)
		return
	}
	s.w.focusOn(s.name)
}

func (s *settingsScreen) refresh() {
	values := s.w.station.Settings.Values()
	if !s.done || !reflect.DeepEqual(values, s.filled) { // what is being typed stays
		s.filled, s.done = values, true
		s.name.set(values.Name)
		if identity, enrolled := s.w.station.Settings.Identity(); enrolled && values.Name == "" {
			s.name.set(identity.Name) // as the centre knows it
		}
		s.centre.set(values.Centre)
		s.folder.set(values.Folder)
		for name, tag := range s.tags {
			if tag == values.Language {
				s.lang.SetSelected(name)
			}
		}
		s.size.SetSelected(percent(values.Scale))
		s.dark.SetChecked(values.Dark)
		s.gloves.SetChecked(values.Gloves)
	}
	s.showEnrolment()
}

func (s *settingsScreen) showEnrolment() {
	settings := s.w.station.Settings
	identity, enrolled := settings.Identity()
	enrol := widget.NewButton(s.w.say("station.settings.enrol"), func() {
		if s.save(); settings.Values().Centre != "" {
			settings.Enrol()
		}
	})
	var objects []fyne.CanvasObject
	switch {
	case settings.Enrolling() && settings.Code() != "":
		objects = []fyne.CanvasObject{text(s.w.say("station.settings.code_about")), heading(settings.Code())}
	case settings.Enrolling():
		objects = []fyne.CanvasObject{text(s.w.say("station.settings.enrolling"))}
	case enrolled:
		objects = []fyne.CanvasObject{text(s.w.say("station.settings.enrolled_as", "name", identity.Name, "centre", identity.Centre))}
	default:
		objects = []fyne.CanvasObject{text(s.w.say("error.not_enrolled")), container.NewHBox(enrol)}
	}
	s.enrol.Objects = objects
	s.enrol.Refresh()
}

func (s *settingsScreen) browse() {
	open := dialog.NewFolderOpen(func(folder fyne.ListableURI, err error) {
		if err == nil && folder != nil {
			s.folder.SetText(folder.Path())
		}
	}, s.w.window)
	s.w.pop(open, 900, 600)
}

func (s *settingsScreen) save() {
	values := s.w.station.Settings.Values()
	values.Name, values.Centre, values.Folder = s.name.Text, s.centre.Text, s.folder.Text
	if tag, ok := s.tags[s.lang.Selected]; ok {
		values.Language = tag
	}
	for _, scale := range model.Scales() {
		if percent(scale) == s.size.Selected {
			values.Scale = scale
		}
	}
	values.Dark, values.Gloves = s.dark.Checked, s.gloves.Checked
	if s.w.station.Settings.Set(values) {
		s.w.restyle()
	}
}
