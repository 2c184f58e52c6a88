package bench

import (
	"slices"

	"flawmark/app/qc"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// binding is one thing that can be done by keys. Commands are menu items,
// because an entry with the focus swallows every other shortcut; a plain key
// works when no entry has the focus.
type binding struct {
	Menu  string         // key of the menu's name
	Words string         // key of what it does
	Key   fyne.KeyName   // with Ctrl; empty: none
	Shift bool           // with Ctrl and Shift
	Plain []fyne.KeyName // without Ctrl
	Where screenName     // the screen it belongs to; empty: every screen
	Do    func(*Window)
}

const (
	menuGo   = "station.menu.go"
	menuItem = "station.menu.item"
	menuMark = "station.menu.mark"
	menuList = "station.menu.list"
)

// bindings is the one table of shortcuts; menus, keys and the help are made
// from it.
func bindings() []binding {
	table := []binding{
		{Menu: menuGo, Words: "screen.inspect", Key: fyne.Key1, Do: goTo(screenInspect)},
		{Menu: menuGo, Words: "screen.review", Key: fyne.Key2, Do: goTo(screenReview)},
		{Menu: menuGo, Words: "screen.queue", Key: fyne.Key3, Do: goTo(screenQueue)},
		{Menu: menuGo, Words: "screen.cases", Key: fyne.Key4, Do: goTo(screenCases)},
		{Menu: menuGo, Words: "screen.settings", Key: fyne.Key5, Do: goTo(screenSettings)},
		{Menu: menuGo, Words: "station.do.scan", Key: fyne.KeyL, Plain: []fyne.KeyName{fyne.KeyF3}, Do: (*Window).FocusScan},
		{Menu: menuGo, Words: "station.do.close_notice", Key: fyne.KeyE, Plain: []fyne.KeyName{fyne.KeyEscape}, Do: (*Window).escape},
		{Menu: menuGo, Words: "button.sign_out", Key: fyne.KeyQ, Shift: true, Do: func(w *Window) { w.station.SignIn.Out() }},
		{Menu: menuGo, Words: "station.do.help", Key: fyne.KeyH, Plain: []fyne.KeyName{fyne.KeyF1}, Do: (*Window).showHelp},

		{Menu: menuItem, Words: "station.do.add_photo", Key: fyne.KeyO, Where: screenInspect, Do: (*Window).choosePhoto},
		{Menu: menuItem, Words: "station.do.remove_photo", Key: fyne.KeyX, Shift: true, Where: screenInspect, Do: (*Window).removePhoto},
		{Menu: menuItem, Words: "station.do.next_photo", Key: fyne.KeyPageDown, Plain: []fyne.KeyName{fyne.KeyPeriod}, Do: func(w *Window) { w.nextPhoto(1) }},
		{Menu: menuItem, Words: "station.do.previous_photo", Key: fyne.KeyPageUp, Plain: []fyne.KeyName{fyne.KeyComma}, Do: func(w *Window) { w.nextPhoto(-1) }},
		{Menu: menuItem, Words: "station.do.find_flaw", Key: fyne.KeyF, Where: screenInspect, Do: func(w *Window) { w.inspect.panel.focusSearch() }},
		{Menu: menuItem, Words: "station.do.unsure", Key: fyne.KeyU, Where: screenInspect, Do: func(w *Window) { w.station.Inspection.SetUnsure(!w.station.Inspection.Unsure()) }},
		{Menu: menuItem, Words: "button.undo", Key: fyne.KeyZ, Where: screenInspect, Do: func(w *Window) { w.station.Inspection.Undo() }},
		{Menu: menuItem, Words: "button.redo", Key: fyne.KeyY, Where: screenInspect, Do: func(w *Window) { w.station.Inspection.Redo() }},
		{Menu: menuItem, Words: "button.pass", Key: fyne.KeyP, Where: screenInspect, Do: func(w *Window) { w.station.Inspection.Pass() }},
		{Menu: menuItem, Words: "button.flag", Key: fyne.KeyReturn, Where: screenInspect, Do: func(w *Window) { w.station.Inspection.Flag() }},
		{Menu: menuItem, Words: "station.do.close_item", Key: fyne.KeyW, Where: screenInspect, Do: func(w *Window) { w.station.Inspection.Close() }},

		{Menu: menuMark, Words: "station.do.fit", Key: fyne.Key0, Plain: []fyne.KeyName{fyne.Key0}, Do: func(w *Window) { w.photoInView().Fit() }},
		{Menu: menuMark, Words: "station.do.actual", Key: fyne.Key9, Plain: []fyne.KeyName{fyne.KeyBackTick}, Do: func(w *Window) { w.photoInView().ActualSize() }},
		{Menu: menuMark, Words: "station.do.larger", Key: fyne.KeyEqual, Plain: []fyne.KeyName{fyne.KeyEqual, fyne.KeyPlus}, Do: func(w *Window) { w.photoInView().ZoomBy(1.25) }},
		{Menu: menuMark, Words: "station.do.smaller", Key: fyne.KeyMinus, Plain: []fyne.KeyName{fyne.KeyMinus}, Do: func(w *Window) { w.photoInView().ZoomBy(0.8) }},

		{Menu: menuList, Words: "station.do.next", Key: fyne.KeyJ, Plain: []fyne.KeyName{fyne.KeyJ, fyne.KeyDown}, Do: func(w *Window) { w.moveInList(1) }},
		{Menu: menuList, Words: "station.do.previous", Key: fyne.KeyK, Plain: []fyne.KeyName{fyne.KeyK, fyne.KeyUp}, Do: func(w *Window) { w.moveInList(-1) }},
		{Menu: menuList, Words: "station.do.confirm", Key: fyne.KeyReturn, Shift: true, Plain: []fyne.KeyName{fyne.KeyC}, Where: screenReview, Do: func(w *Window) { w.station.Reviews.Confirm() }},
		{Menu: menuList, Words: "button.send_back", Key: fyne.KeyB, Plain: []fyne.KeyName{fyne.KeyB}, Where: screenReview, Do: func(w *Window) { w.review.askReason(qc.SentBack) }},
		{Menu: menuList, Words: "button.dismiss", Key: fyne.KeyD, Plain: []fyne.KeyName{fyne.KeyD}, Where: screenReview, Do: func(w *Window) { w.review.askReason(qc.Dismissed) }},
		{Menu: menuList, Words: "station.do.step", Key: fyne.KeyG, Plain: []fyne.KeyName{fyne.KeyReturn, fyne.KeyEnter}, Where: screenCases, Do: func(w *Window) { w.cases.act() }},
		{Menu: menuList, Words: "station.queue.send_now", Key: fyne.KeyS, Where: screenQueue, Do: func(w *Window) { w.station.Queue.SendNow() }},
		{Menu: menuList, Words: "station.queue.pause", Key: fyne.KeyH, Shift: true, Where: screenQueue, Do: func(w *Window) {
			w.station.Queue.Pause(!w.station.Queue.Paused())
		}},
	}
	table = append(table, toolBindings()...)
	for n := 1; n <= 9; n++ {
		table = append(table, binding{
			Words: "station.do.preset", Plain: []fyne.KeyName{fyne.KeyName('0' + rune(n))}, Where: screenInspect,
			Do: func(w *Window) { w.inspect.preset(n) },
		})
	}
	return table
}

func goTo(name screenName) func(*Window) { return func(w *Window) { w.Show(name) } }

// shortcut is what Fyne compares with what was typed. Undo and redo have types
// of their own, whatever was asked for.
func (b binding) shortcut() fyne.Shortcut {
	modifier := fyne.KeyModifierShortcutDefault
	if b.Shift {
		modifier |= fyne.KeyModifierShift
	}
	switch b.Key {
	case "":
		return nil
	case fyne.KeyZ:
		return &fyne.ShortcutUndo{}
	case fyne.KeyY:
		return &fyne.ShortcutRedo{}
	}
	return &desktop.CustomShortcut{KeyName: b.Key, Modifier: modifier}
}

// keys says the keys of a binding for people.
func (b binding) keys() string {
	said := ""
	if b.Key != "" {
		said = "Ctrl+"
		if b.Shift {
			said += "Shift+"
		}
		said += keyName(b.Key)
	}
	for _, plain := range b.Plain {
		if said != "" {
			said += ", "
		}
		said += keyName(plain)
	}
	return said
}

func keyName(key fyne.KeyName) string {
	switch key {
	case fyne.KeyReturn, fyne.KeyEnter:
		return "⏎"
	case fyne.KeyEscape:
		return "Esc"
	case fyne.KeyPageDown:
		return "PgDn"
	case fyne.KeyPageUp:
		return "PgUp"
	case fyne.KeyUp:
		return "↑"
	case fyne.KeyDown:
		return "↓"
	case fyne.KeyBackTick:
		return "`"
	}
	return string(key)
}

// run does what a binding says if the person is signed in and on its screen.
func (w *Window) run(b binding) {
	if _, in := w.station.SignIn.Person(); !in && !b.whileOut() {
		return
	}
	if b.Where != "" && b.Where != w.screen || w.popup != nil && b.Words != "station.do.close_notice" {
		return
	}
	b.Do(w)
}

// whileOut reports whether b works without anybody signed in.
func (b binding) whileOut() bool {
	switch b.Words {
	case "screen.settings", "screen.inspect", "station.do.scan", "station.do.help", "station.do.close_notice":
		return true
	}
	return false
}

func (w *Window) menu() *fyne.MainMenu {
	var menus []*fyne.Menu
	for _, name := range []string{menuGo, menuItem, menuMark, menuList} {
		var items []*fyne.MenuItem
		for _, b := range w.table {
			if b.Menu != name {
				continue
			}
			item := fyne.NewMenuItem(w.say(b.Words), func() { w.run(b) })
			item.Shortcut = b.shortcut()
			items = append(items, item)
		}
		menus = append(menus, fyne.NewMenu(w.say(name), items...))
	}
	return fyne.NewMainMenu(menus...)
}

// onKey takes a plain key that no entry wanted; it reports whether it was used.
func (w *Window) onKey(ev *fyne.KeyEvent) bool {
	if (ev.Name == fyne.KeyReturn || ev.Name == fyne.KeyEnter) && w.burst.submit() {
		return true
	}
	for _, b := range w.table {
		if b.Where != "" && b.Where != w.screen {
			continue
		}
		if slices.Contains(b.Plain, ev.Name) {
			if len(ev.Name) > 1 { // Enter, an arrow, a function key: none begins a scan
				w.run(b)
			} else {
				w.burst.hold(func() { w.run(b) })
			}
			return true
		}
	}
	return false
}

// showHelp lists every key, all of them in view at once.
func (w *Window) showHelp() {
	if w.popup != nil {
		return
	}
	column := func(names ...string) fyne.CanvasObject {
		rows := container.New(tight{})
		for _, name := range names {
			rows.Add(bold1(w.say(name)))
			for _, b := range w.table {
				if b.Menu == name {
					rows.Add(helpRow(w.say(b.Words), b.keys()))
				}
			}
			if name == menuItem {
				rows.Add(helpRow(w.say("station.do.preset"), "1 – 9"))
			}
		}
		return rows
	}
	w.pop(dialog.NewCustom(w.say("station.do.help"), w.say("button.close")+"   Esc",
		container.NewVScroll(container.NewGridWithColumns(3, column(menuGo, menuList), column(menuItem), column(menuMark))), w.window), 1240, 630)
}

func helpRow(what, keys string) fyne.CanvasObject {
	name, key := line(what), widget.NewLabel(keys)
	name.SizeName, key.SizeName = theme.SizeNameCaptionText, theme.SizeNameCaptionText
	return container.NewBorder(nil, nil, nil, key, name)
}

// pop shows a dialog that Esc closes, in a size before scaling.
func (w *Window) pop(d dialog.Dialog, width, height float32) {
	w.popup = d
	d.SetOnClosed(func() { w.popup = nil })
	page := w.window.Canvas().Size()
	d.Resize(fyne.NewSize(min(width*scale(), page.Width-32), min(height*scale(), page.Height-32)))
	d.Show()
}
