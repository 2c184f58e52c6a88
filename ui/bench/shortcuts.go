package bench

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// run does what a binding says if the person is signed in and on its screen.
func (w *Window) run(b binding) {
	if w.catching != nil { // a key is being chosen, not used
		return
	}
	if _, in := w.station.SignIn.Person(); !in && !b.whileOut() {
		return
	}
	if !b.on(w.screen) || w.popup != nil && b.ID != "go.close" {
		return
	}
	b.Do(w)
}

// whileOut reports whether b works without anybody signed in.
func (b binding) whileOut() bool {
	switch b.ID {
	case "go.settings", "go.inspect", "go.scan", "go.help", "go.close":
		return true
	}
	return false
}

func (w *Window) commandOf(id string) (binding, bool) {
	i := slices.IndexFunc(w.table, func(b binding) bool { return b.ID == id })
	if i < 0 {
		return binding{}, false
	}
	return w.table[i], true
}

// keyOf says the first key of a command, for the buttons that do the same.
func (w *Window) keyOf(id string) string {
	if b, ok := w.commandOf(id); ok && len(b.strokes) > 0 {
		return b.strokes[0].forPeople()
	}
	return ""
}

// labelled is a button's text with the key that does the same.
func (w *Window) labelled(text, id string) string {
	if key := w.keyOf(id); key != "" {
		return text + "   " + key
	}
	return text
}

// rebind takes the keys of the settings over. Keys that cannot be used leave
// those that are in use.
func (w *Window) rebind() error {
	table, err := bind(w.station.Settings.Values().Keys)
	if err != nil {
		return err
	}
	shortcuts := w.window.Canvas()
	for _, s := range w.spare {
		shortcuts.RemoveShortcut(s)
	}
	w.table, w.spare = table, nil
	w.window.SetMainMenu(w.menu())
	for _, b := range w.table {
		for n, s := range b.strokes {
			shortcut := s.shortcut()
			if shortcut == nil || n == b.inMenu() {
				continue
			}
			w.spare = append(w.spare, shortcut)
			shortcuts.AddShortcut(shortcut, func(fyne.Shortcut) { w.run(b) })
		}
	}
	return nil
}

// inMenu returns which stroke the command's menu item has, or -1. An item has
// one; entries need to be asked before a menu for what they do themselves.
func (b binding) inMenu() int {
	return slices.IndexFunc(b.strokes, func(s stroke) bool {
		_, own := s.shortcut().(*fyne.ShortcutSelectAll)
		return !s.plain() && !own
	})
}

func (w *Window) menu() *fyne.MainMenu {
	var menus []*fyne.Menu
	for _, name := range groups() {
		var items []*fyne.MenuItem
		for _, b := range w.table {
			if b.Group != name || b.Up != nil || b.Words == "station.do.preset" {
				continue
			}
			item := fyne.NewMenuItem(b.say(w), func() { w.run(b) })
			if n := b.inMenu(); n >= 0 {
				item.Shortcut = b.strokes[n].shortcut()
			}
			items = append(items, item)
		}
		menus = append(menus, fyne.NewMenu(w.say(name), items...))
	}
	return fyne.NewMainMenu(menus...)
}

// meant returns the command of a plain key on the screen in view. Shift with a
// sign that it changes means the sign's own command.
func (w *Window) meant(ev *fyne.KeyEvent) (binding, bool) {
	typed := w.keyboard.typed(ev, w.modifiers())
	if typed.key == "" {
		return binding{}, false
	}
	find := func(s stroke) int {
		return slices.IndexFunc(w.table, func(b binding) bool { return b.on(w.screen) && slices.Contains(b.strokes, s) })
	}
	i := find(typed)
	if i < 0 && typed.keypad { // a key of the keypad without a command is what stands on it
		i = find(stroke{key: typed.key})
	}
	if i < 0 && typed.shift && (len(typed.key) > 1 || !letterOrDigit(typed.key[0])) {
		typed.shift = false
		i = find(typed)
	}
	if i < 0 {
		return binding{}, false
	}
	return w.table[i], true
}

func letterOrDigit(c byte) bool { return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' }

// onKey takes a plain key that no entry wanted; it reports whether it was used.
func (w *Window) onKey(ev *fyne.KeyEvent) bool {
	if (ev.Name == fyne.KeyReturn || ev.Name == fyne.KeyEnter) && w.burst.submit() {
		return true
	}
	b, ok := w.meant(ev)
	switch {
	case !ok:
		return false
	case b.Up != nil: // it began when the key went down
	case len(ev.Name) > 1: // Enter, an arrow, a function key: none begins a scan
		w.run(b)
	default:
		w.burst.hold(func() { w.run(b) })
	}
	return true
}

// holding is a command that goes on while its key is down.
type holding struct {
	binding binding
	begun   bool // not merely a key that may be the first of a scan
	over    bool // the key is up already
}

// onHeld takes a key that went down or up.
func (w *Window) onHeld(ev *fyne.KeyEvent, down bool) {
	if !down {
		if h, ok := w.held[ev.Name]; ok {
			delete(w.held, ev.Name)
			h.over = true
			if h.begun {
				h.binding.Up(w)
			}
		}
		return
	}
	b, ok := w.meant(ev)
	if !ok || b.Up == nil || w.held[ev.Name] != nil {
		return
	}
	h := &holding{binding: b}
	w.held[ev.Name] = h
	w.burst.hold(func() {
		if !b.on(w.screen) || w.popup != nil || w.catching != nil {
			return
		}
		h.begun = true
		w.run(b)
		if h.over { // a tap
			b.Up(w)
		}
	})
}

// modifiersNow asks the driver which keys are held that change others.
func modifiersNow() fyne.KeyModifier {
	if d, ok := fyne.CurrentApp().Driver().(desktop.Driver); ok {
		return d.CurrentKeyModifiers()
	}
	return 0
}
