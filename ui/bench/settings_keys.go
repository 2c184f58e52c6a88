package bench

import (
	"maps"
	"slices"
	"strings"

	"flawmark/ui/model"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// keySettings lists every command with its keys, and gives it another by
// pressing it.
type keySettings struct {
	w    *Window
	box  fyne.CanvasObject
	find *field
	rows *fyne.Container
}

func newKeySettings(w *Window) *keySettings {
	k := &keySettings{w: w, rows: container.NewVBox(), find: w.entry(w.say("station.keys.search"))}
	k.find.OnChanged = func(string) { k.fill() }
	all := widget.NewButton(w.say("station.keys.reset_all"), func() { k.keep(nil) })
	k.box = container.NewVBox(quiet(w.say("station.keys.about")), container.NewBorder(nil, nil, nil, all, k.find), k.rows)
	return k
}

func (k *keySettings) fill() {
	w := k.w
	query := strings.ToLower(strings.TrimSpace(k.find.Text))
	k.rows.Objects = nil
	for _, group := range groups() {
		var rows []fyne.CanvasObject
		for _, b := range w.table {
			row := keyRow{b.say(w), sayStrokes(b.strokes)}
			if b.Group == group && row.matches(query) {
				rows = append(rows, k.row(b))
			}
		}
		if len(rows) > 0 {
			k.rows.Objects = append(append(k.rows.Objects, bold1(w.say(group))), rows...)
		}
	}
	if len(k.rows.Objects) == 0 {
		k.rows.Objects = []fyne.CanvasObject{quiet(w.say("station.keys.none"))}
	}
	for range 2 { // wrapped texts know their height once they have their width
		k.rows.Refresh()
	}
}

func (k *keySettings) row(b binding) fyne.CanvasObject {
	reset := widget.NewButton(k.w.say("station.keys.reset"), func() { k.reset(b.ID) })
	reset.Importance = widget.LowImportance
	if _, chosen := k.w.station.Settings.Values().Keys[b.ID]; !chosen {
		reset.Disable()
	}
	return container.NewBorder(nil, nil, nil, container.NewHBox(ofWidth(190, newKeyButton(k, b)), reset), text(b.say(k.w)))
}

// choose gives a command the key that was pressed, in place of its keys of the
// same kind.
func (k *keySettings) choose(id string, s stroke) {
	w := k.w
	b, ok := w.commandOf(id)
	if !ok {
		return
	}
	warn := func(key string, pairs ...any) { w.station.Notices.Warn(model.Say(key, pairs...)) }
	with, taken := clash(w.table, b, s)
	switch {
	case taken:
		warn("station.keys.taken", "key", s.forPeople(), "command", with.say(w))
	case s.key == "" || !s.free() && !slices.Contains(b.strokes, s):
		warn("station.keys.not_free", "key", s.forPeople())
	case b.Up != nil && !s.plain():
		warn("station.keys.held", "command", b.say(w))
	default:
		strokes := []stroke{s}
		for _, old := range b.strokes {
			if !old.sameKind(s) {
				strokes = append(strokes, old)
			}
		}
		words := make([]string, len(strokes))
		for n, one := range strokes {
			words[n] = one.String()
		}
		keys := maps.Clone(w.station.Settings.Values().Keys)
		if keys == nil {
			keys = make(map[string]string)
		}
		keys[id] = strings.Join(words, " ")
		k.keep(keys)
	}
}

// reset gives a command its own keys again, unless another has one of them.
func (k *keySettings) reset(id string) {
	keys := maps.Clone(k.w.station.Settings.Values().Keys)
	delete(keys, id)
	if _, err := bind(keys); err != nil {
		k.warn(err)
		return
	}
	k.keep(keys)
}

func (k *keySettings) warn(err error) {
	problem, ok := err.(*KeyError) //nolint:errorlint // bind returns it bare
	if !ok {
		return
	}
	key := problem.Keys
	if s, err := parseStroke(key); err == nil {
		key = s.forPeople()
	}
	// The error is about whichever of the two stands later in the table.
	with, _ := k.w.commandOf(problem.With)
	k.w.station.Notices.Warn(model.Say("station.keys.taken", "key", key, "command", with.say(k.w)))
}

// keep takes keys into use and keeps them for the next start.
func (k *keySettings) keep(keys map[string]string) {
	values := k.w.station.Settings.Values()
	values.Keys = keys
	if !k.w.station.Settings.Set(values) {
		return
	}
	if err := k.w.rebind(); err != nil {
		k.warn(err)
		return
	}
	k.w.relabel()
	k.fill()
}

// keyButton shows the keys of a command; once pressed, it waits for another.
type keyButton struct {
	widget.Button
	keys    *keySettings
	command binding
	waiting bool
	taken   bool // a key went down, and has not gone up
}

var _ desktop.Keyable = (*keyButton)(nil)

func newKeyButton(keys *keySettings, b binding) *keyButton {
	k := &keyButton{keys: keys, command: b}
	k.Text = k.label()
	k.OnTapped = k.wait
	k.ExtendBaseWidget(k)
	return k
}

func (k *keyButton) label() string {
	if len(k.command.strokes) == 0 {
		return k.keys.w.say("station.keys.no_key")
	}
	return sayStrokes(k.command.strokes)
}

func (k *keyButton) wait() {
	k.keys.w.focusOn(k)
	k.waiting, k.keys.w.catching = true, k
	k.Importance = widget.HighImportance
	k.SetText(k.keys.w.say("station.keys.press"))
}

func (k *keyButton) rest() {
	k.waiting, k.taken = false, false
	if k.keys.w.catching == k {
		k.keys.w.catching = nil
	}
	k.Importance = widget.MediumImportance
	k.SetText(k.label())
}

// KeyDown is called by Fyne, before what the key would do is done.
func (k *keyButton) KeyDown(ev *fyne.KeyEvent) {
	if !k.waiting || isModifier(ev.Name) {
		return
	}
	k.waiting, k.taken = false, true
	if ev.Name != fyne.KeyEscape {
		w := k.keys.w
		k.keys.choose(k.command.ID, w.keyboard.typed(ev, w.modifiers()))
	}
	k.Importance = widget.MediumImportance
	k.SetText(k.label())
}

// KeyUp is called by Fyne: from now on keys act again.
func (k *keyButton) KeyUp(*fyne.KeyEvent) {
	if k.taken {
		k.rest()
	}
}

// FocusLost is called by Fyne.
func (k *keyButton) FocusLost() {
	k.Button.FocusLost()
	k.rest()
}

// TypedKey is called by Fyne.
func (k *keyButton) TypedKey(ev *fyne.KeyEvent) {
	if k.waiting || k.taken {
		return
	}
	switch ev.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		k.wait()
	default:
		k.keys.w.onKey(ev)
	}
}
