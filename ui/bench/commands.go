package bench

import (
	"fmt"
	"slices"
	"strconv"

	"flawmark/app/qc"
	"flawmark/ui/model"
)

// binding is one command: something that can be done by keys.
type binding struct {
	ID    string       // names it in the settings
	Group string       // key of the menu's name, and of the group's in the help
	Words string       // key of what it does
	Keys  string       // its strokes, as parseStrokes reads them
	Where []screenName // the screens it belongs to; none: every one
	Do    func(*Window)
	// Up ends what Do begins when the key goes down: a command while held.
	Up func(*Window)

	strokes []stroke // in use
}

const (
	menuGo   = "station.menu.go"
	menuItem = "station.menu.item"
	menuMark = "station.menu.mark"
	menuTool = "station.menu.tool"
	menuView = "station.menu.view"
	menuList = "station.menu.list"
)

func groups() []string { return []string{menuGo, menuItem, menuTool, menuMark, menuView, menuList} }

// presets is how many digits add a flaw.
const presets = 9

// commands is the one table of what keys do; menus, keys, the settings of keys
// and the help are made from it. A command with Ctrl works in entries, too; a
// plain key works when no entry has the focus.
func commands() []binding {
	inspect, review, photos := []screenName{screenInspect}, []screenName{screenReview}, []screenName{screenInspect, screenReview}
	lists := []screenName{screenReview, screenQueue, screenCases}
	table := []binding{
		{ID: "go.inspect", Group: menuGo, Words: "screen.inspect", Keys: "Ctrl+1", Do: goTo(screenInspect)},
		{ID: "go.review", Group: menuGo, Words: "screen.review", Keys: "Ctrl+2", Do: goTo(screenReview)},
		{ID: "go.queue", Group: menuGo, Words: "screen.queue", Keys: "Ctrl+3", Do: goTo(screenQueue)},
		{ID: "go.cases", Group: menuGo, Words: "screen.cases", Keys: "Ctrl+4", Do: goTo(screenCases)},
		{ID: "go.settings", Group: menuGo, Words: "screen.settings", Keys: "Ctrl+5", Do: goTo(screenSettings)},
		{ID: "go.scan", Group: menuGo, Words: "station.do.scan", Keys: "F3 Ctrl+L", Do: (*Window).FocusScan},
		{ID: "go.close", Group: menuGo, Words: "station.do.close_notice", Keys: "Escape Ctrl+E", Do: (*Window).escape},
		{ID: "go.help", Group: menuGo, Words: "station.do.help", Keys: "F1 Ctrl+H", Do: (*Window).showHelp},
		{ID: "go.sign_out", Group: menuGo, Words: "button.sign_out", Keys: "Ctrl+Shift+Q", Do: func(w *Window) { w.station.SignIn.Out() }},

		{ID: "photo.next", Group: menuItem, Words: "station.do.next_photo", Keys: "Return . Ctrl+PageDown", Where: photos, Do: func(w *Window) { w.nextPhoto(1) }},
		{ID: "photo.previous", Group: menuItem, Words: "station.do.previous_photo", Keys: "Shift+Return , Ctrl+PageUp", Where: photos, Do: func(w *Window) { w.nextPhoto(-1) }},
		{ID: "photo.add", Group: menuItem, Words: "station.do.add_photo", Keys: "Ctrl+O", Where: inspect, Do: (*Window).choosePhoto},
		{ID: "photo.remove", Group: menuItem, Words: "station.do.remove_photo", Keys: "Ctrl+Shift+X", Where: inspect, Do: (*Window).removePhoto},
		{ID: "item.find_flaw", Group: menuItem, Words: "station.do.find_flaw", Keys: "Ctrl+F", Where: inspect, Do: func(w *Window) { w.inspect.panel.focusSearch() }},
		{ID: "item.unsure", Group: menuItem, Words: "station.do.unsure", Keys: "Ctrl+U Ctrl+Space", Where: inspect, Do: func(w *Window) { w.station.Inspection.SetUnsure(!w.station.Inspection.Unsure()) }},
		{ID: "item.undo", Group: menuItem, Words: "button.undo", Keys: "Ctrl+Z", Where: inspect, Do: func(w *Window) { w.station.Inspection.Undo() }},
		{ID: "item.redo", Group: menuItem, Words: "button.redo", Keys: "Ctrl+Y Ctrl+Shift+Z", Where: inspect, Do: func(w *Window) { w.station.Inspection.Redo() }},
		{ID: "item.pass", Group: menuItem, Words: "button.pass", Keys: "Ctrl+P", Where: inspect, Do: func(w *Window) { w.station.Inspection.Pass() }},
		{ID: "item.flag", Group: menuItem, Words: "button.flag", Keys: "Ctrl+Return", Where: inspect, Do: (*Window).flag},
		{ID: "item.close", Group: menuItem, Words: "station.do.close_item", Keys: "Ctrl+W", Where: inspect, Do: func(w *Window) { w.station.Inspection.Close() }},

		{ID: "mark.delete", Group: menuMark, Words: "station.do.delete_mark", Keys: "Delete", Where: inspect, Do: onMarks((*model.Inspection).DeleteMarks)},
		{ID: "mark.duplicate", Group: menuMark, Words: "station.do.duplicate", Keys: "Ctrl+D", Where: inspect, Do: onMarks((*model.Inspection).DuplicateMarks)},
		{ID: "mark.copy_on", Group: menuMark, Words: "station.do.copy_on", Keys: "Ctrl+Shift+D", Where: inspect, Do: onMarks((*model.Inspection).CopyMarksToNextPhoto)},
		{ID: "mark.select_all", Group: menuMark, Words: "station.do.select_all", Keys: "Ctrl+A", Where: inspect, Do: func(w *Window) { w.inspect.selectAll() }},
		{ID: "mark.raise", Group: menuMark, Words: "station.do.raise", Keys: "PageUp", Where: inspect, Do: reorder(model.Raise)},
		{ID: "mark.lower", Group: menuMark, Words: "station.do.lower", Keys: "PageDown", Where: inspect, Do: reorder(model.Lower)},
		{ID: "mark.to_front", Group: menuMark, Words: "station.do.to_front", Keys: "Home", Where: inspect, Do: reorder(model.ToFront)},
		{ID: "mark.to_back", Group: menuMark, Words: "station.do.to_back", Keys: "End", Where: inspect, Do: reorder(model.ToBack)},
		{ID: "mark.larger", Group: menuMark, Words: "station.do.mark_larger", Keys: "]", Where: inspect, Do: func(w *Window) { w.inspect.resizeMarks(1) }},
		{ID: "mark.smaller", Group: menuMark, Words: "station.do.mark_smaller", Keys: "[", Where: inspect, Do: func(w *Window) { w.inspect.resizeMarks(-1) }},

		{ID: "view.fit", Group: menuView, Words: "station.do.fit", Keys: "0 Shift+1 Ctrl+0", Where: photos, Do: func(w *Window) { w.photoInView().Fit() }},
		{ID: "view.actual", Group: menuView, Words: "station.do.actual", Keys: "Shift+2 Ctrl+9", Where: photos, Do: func(w *Window) { w.photoInView().ActualSize() }},
		{ID: "view.double", Group: menuView, Words: "station.do.double", Keys: "Shift+4", Where: photos, Do: func(w *Window) { w.photoInView().DoubleSize() }},
		{ID: "view.toggle_fit", Group: menuView, Words: "station.do.toggle_fit", Keys: "`", Where: photos, Do: func(w *Window) { w.photoInView().ToggleFit() }},
		{ID: "view.larger", Group: menuView, Words: "station.do.larger", Keys: "+ = Ctrl+=", Where: photos, Do: func(w *Window) { w.photoInView().ZoomBy(1.25) }},
		{ID: "view.smaller", Group: menuView, Words: "station.do.smaller", Keys: "- Ctrl+-", Where: photos, Do: func(w *Window) { w.photoInView().ZoomBy(0.8) }},
		{ID: "view.zoom_in", Group: menuView, Words: "station.do.zoom_in", Keys: "W", Where: photos, Do: func(w *Window) { w.zooming.begin(w, 1) }, Up: func(w *Window) { w.zooming.end() }},
		{ID: "view.zoom_out", Group: menuView, Words: "station.do.zoom_out", Keys: "X", Where: photos, Do: func(w *Window) { w.zooming.begin(w, -1) }, Up: func(w *Window) { w.zooming.end() }},
		{ID: "view.keep_zoom", Group: menuView, Words: "station.do.keep_zoom", Keys: "K", Where: inspect, Do: func(w *Window) { w.inspect.looks.toggleKeep() }},
		{ID: "view.turn_right", Group: menuView, Words: "station.do.turn_right", Keys: "Ctrl+R", Where: photos, Do: func(w *Window) { w.photoInView().SetTurn(w.photoInView().Turn() + 1) }},
		{ID: "view.turn_left", Group: menuView, Words: "station.do.turn_left", Keys: "Ctrl+Shift+R", Where: photos, Do: func(w *Window) { w.photoInView().SetTurn(w.photoInView().Turn() - 1) }},
		{ID: "view.map", Group: menuView, Words: "station.do.map", Keys: "O", Where: photos, Do: func(w *Window) { w.photoInView().ShowMap(!w.photoInView().MapShown()) }},
		{ID: "view.light", Group: menuView, Words: "station.do.light", Keys: "I", Where: photos, Do: func(w *Window) { w.looksInView().showLight() }},
		{ID: "view.brighter", Group: menuView, Words: "station.do.brighter", Keys: "F5", Where: photos, Do: lighter(lightStep, 0)},
		{ID: "view.darker", Group: menuView, Words: "station.do.darker", Keys: "F4", Where: photos, Do: lighter(-lightStep, 0)},
		{ID: "view.more_contrast", Group: menuView, Words: "station.do.more_contrast", Keys: "F7", Where: photos, Do: lighter(0, lightStep)},
		{ID: "view.less_contrast", Group: menuView, Words: "station.do.less_contrast", Keys: "F6", Where: photos, Do: lighter(0, -lightStep)},
		{ID: "view.reset_light", Group: menuView, Words: "station.do.reset_light", Keys: "F9", Where: photos, Do: func(w *Window) { w.photoInView().SetLight(0, 0) }},
		{ID: "view.hide_marks", Group: menuView, Words: "station.do.hide_marks", Keys: `\`, Where: photos, Do: func(w *Window) { w.photoInView().HideMarks(true) }, Up: func(w *Window) { w.photoInView().HideMarks(false) }},
		{ID: "compare.blink", Group: menuView, Words: "station.do.blink", Keys: "Y", Where: photos, Do: func(w *Window) { w.looksInView().blink(true) }, Up: func(w *Window) { w.looksInView().blink(false) }},
		{ID: "compare.next", Group: menuView, Words: "station.do.compare", Keys: "Shift+C", Where: photos, Do: func(w *Window) { w.looksInView().nextMode() }},
		{ID: "compare.other", Group: menuView, Words: "station.do.compare_other", Keys: "Shift+Y", Where: photos, Do: func(w *Window) { w.looksInView().nextOther() }},

		{ID: "list.next", Group: menuList, Words: "station.do.next", Keys: "J Down Ctrl+J", Where: lists, Do: func(w *Window) { w.moveInList(1) }},
		{ID: "list.previous", Group: menuList, Words: "station.do.previous", Keys: "K Up Ctrl+K", Where: lists, Do: func(w *Window) { w.moveInList(-1) }},
		{ID: "review.confirm", Group: menuList, Words: "station.do.confirm", Keys: "C Ctrl+Shift+Return", Where: review, Do: func(w *Window) { w.station.Reviews.Confirm() }},
		{ID: "review.send_back", Group: menuList, Words: "button.send_back", Keys: "B Ctrl+B", Where: review, Do: func(w *Window) { w.review.askReason(qc.SentBack) }},
		{ID: "review.dismiss", Group: menuList, Words: "button.dismiss", Keys: "D", Where: review, Do: func(w *Window) { w.review.askReason(qc.Dismissed) }},
		{ID: "cases.step", Group: menuList, Words: "station.do.step", Keys: "Return Ctrl+G", Where: []screenName{screenCases}, Do: func(w *Window) { w.cases.act() }},
		{ID: "queue.send_now", Group: menuList, Words: "station.queue.send_now", Keys: "Ctrl+S", Where: []screenName{screenQueue}, Do: func(w *Window) { w.station.Queue.SendNow() }},
		{ID: "queue.pause", Group: menuList, Words: "station.queue.pause", Keys: "Ctrl+Shift+H", Where: []screenName{screenQueue}, Do: func(w *Window) {
			w.station.Queue.Pause(!w.station.Queue.Paused())
		}},
	}
	for _, t := range toolRail() {
		table = append(table, binding{
			ID: t.id, Group: menuTool, Words: t.words, Keys: t.keys, Where: inspect,
			Do: func(w *Window) { w.inspect.setTool(t.tool) },
		})
	}
	for n := 1; n <= presets; n++ {
		table = append(table, binding{
			ID: "flaw." + strconv.Itoa(n), Group: menuItem, Words: "station.do.preset", Keys: strconv.Itoa(n), Where: inspect,
			Do: func(w *Window) { w.inspect.preset(n) },
		})
	}
	return table
}

func goTo(name screenName) func(*Window) { return func(w *Window) { w.Show(name) } }

func onMarks(do func(*model.Inspection, ...qc.MarkID)) func(*Window) {
	return func(w *Window) {
		if ids := slices.Clone(w.station.Inspection.SelectedMarks()); len(ids) > 0 {
			do(w.station.Inspection, ids...)
		}
	}
}

func reorder(to model.Order) func(*Window) {
	return onMarks(func(i *model.Inspection, ids ...qc.MarkID) { i.ReorderMarks(to, ids...) })
}

func lighter(brightness, contrast float64) func(*Window) {
	return func(w *Window) {
		b, c := w.photoInView().Light()
		w.photoInView().SetLight(b+brightness, c+contrast)
	}
}

// say is what the command does.
func (b binding) say(w *Window) string {
	if b.Words == "station.do.preset" {
		return w.say(b.Words, "n", b.ID[len("flaw."):])
	}
	return w.say(b.Words)
}

func (b binding) on(screen screenName) bool {
	return len(b.Where) == 0 || slices.Contains(b.Where, screen)
}

// meets reports whether two commands can both be meant somewhere.
func (b binding) meets(o binding) bool {
	return len(b.Where) == 0 || len(o.Where) == 0 || slices.ContainsFunc(b.Where, o.on)
}

// bind returns the table with the keys of the settings: the command's name to
// its strokes. A command that is not named keeps its own. It fails with a
// *[KeyError].
func bind(chosen map[string]string) ([]binding, error) {
	table := commands()
	for name := range chosen {
		if !slices.ContainsFunc(table, func(b binding) bool { return b.ID == name }) {
			return nil, &KeyError{Command: name, Want: "tool.box, photo.next"}
		}
	}
	for n := range table {
		b := &table[n]
		own, err := parseStrokes(b.Keys)
		if err != nil {
			return nil, fmt.Errorf("bind %s: %w", b.ID, err)
		}
		b.strokes = own
		text, named := chosen[b.ID]
		if !named {
			continue
		}
		if b.strokes, err = parseStrokes(text); err != nil {
			return nil, &KeyError{Command: b.ID, Keys: text, Want: "R, Shift+1, Ctrl+D, PageUp, KP7"}
		}
		for _, s := range b.strokes {
			if !s.free() && !slices.Contains(own, s) || b.Up != nil && !s.plain() {
				return nil, &KeyError{Command: b.ID, Keys: text, Want: b.Keys}
			}
		}
	}
	for n, b := range table {
		for _, s := range b.strokes {
			if with, taken := clash(table[:n], b, s); taken {
				return nil, &KeyError{Command: b.ID, Keys: s.String(), With: with.ID, Want: b.Keys}
			}
		}
	}
	return table, nil
}

// clash returns the command of the table that a stroke means already, other
// than b itself. With Ctrl a stroke means one thing on every screen, because
// the menu that takes it is the same everywhere.
func clash(table []binding, b binding, s stroke) (binding, bool) {
	i := slices.IndexFunc(table, func(o binding) bool {
		return o.ID != b.ID && slices.Contains(o.strokes, s) && (!s.plain() || b.meets(o))
	})
	if i < 0 {
		return binding{}, false
	}
	return table[i], true
}

// KeyError says which of the chosen keys cannot be used.
type KeyError struct {
	Command string // as it stands in the settings
	Keys    string
	With    string // the command that has the key already
	Want    string // what would be right, in no language
}

func (e *KeyError) Error() string {
	text := fmt.Sprintf("key of %s: %q", e.Command, e.Keys)
	if e.With != "" {
		text += " is the key of " + e.With
	}
	return text
}

// CheckKeys reports whether the keys chosen in the settings can be used:
// strokes such as "R", "Shift+1" or "Ctrl+D", with a space between several, by
// the command's name. It fails with a *[KeyError].
func CheckKeys(chosen map[string]string) error {
	_, err := bind(chosen)
	return err
}
