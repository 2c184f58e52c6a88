package bench

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// keyRow is a line of the help: what can be done, and its keys.
type keyRow struct{ what, keys string }

// matches reports whether the row is among what a person looks for.
func (k keyRow) matches(query string) bool {
	return query == "" || strings.Contains(strings.ToLower(k.what+" "+k.keys), query)
}

// keyRows returns the commands of a group with the keys in use. The digits of
// the usual flaws are one row while they are the digits.
func (w *Window) keyRows(group, query string) []keyRow {
	query = strings.ToLower(strings.TrimSpace(query))
	digits := true
	for n := range w.table {
		b := w.table[n]
		digits = digits && (b.Words != "station.do.preset" || sayStrokes(b.strokes) == b.ID[len("flaw."):])
	}
	var rows []keyRow
	for _, b := range w.table {
		row := keyRow{b.say(w), sayStrokes(b.strokes)}
		if b.Words == "station.do.preset" && digits {
			if b.ID != "flaw.1" {
				continue
			}
			row = keyRow{w.say(b.Words, "n", "1 – 9"), "1 – 9"}
		}
		if b.Group == group && row.matches(query) {
			rows = append(rows, row)
		}
	}
	return rows
}

// showHelp lists every key in use, and finds one.
func (w *Window) showHelp() {
	if w.popup != nil {
		return
	}
	size := w.helpSize()
	columns := max(1, min(3, int(size.Width/(390*scale()))))
	body := container.NewGridWithColumns(columns)
	scroll := container.NewVScroll(body)
	find := w.entry(w.say("station.keys.search"))
	find.passKey = func(ev *fyne.KeyEvent) bool {
		if ev.Name == fyne.KeyEscape {
			w.escape()
			return true
		}
		return false
	}
	fill := func(query string) {
		body.Objects = w.helpColumns(columns, query)
		if len(body.Objects) == 0 {
			body.Objects = []fyne.CanvasObject{quiet(w.say("station.keys.none"))}
		}
		for range 2 { // wrapped texts know their height once they have their width
			body.Refresh()
			scroll.Refresh()
		}
	}
	find.OnChanged = fill
	fill("")
	d := dialog.NewCustom(w.say("station.do.help"), w.say("button.close")+"   Esc", container.NewBorder(find, nil, nil, nil, scroll), w.window)
	w.pop(d, size.Width/scale(), size.Height/scale())
	fill("")
	w.focusOn(find)
}

func (w *Window) helpSize() fyne.Size {
	page := w.window.Canvas().Size()
	return fyne.NewSize(min(1280*scale(), page.Width-32), min(900*scale(), page.Height-32))
}

// helpColumns spreads the groups over columns of about the same height.
func (w *Window) helpColumns(columns int, query string) []fyne.CanvasObject {
	var lists [][]keyRow
	var names []string
	all := 0
	for _, group := range groups() {
		if rows := w.keyRows(group, query); len(rows) > 0 {
			lists, names = append(lists, rows), append(names, w.say(group))
			all += len(rows) + 2
		}
	}
	var out []fyne.CanvasObject
	column, high := container.New(tight{}), 0
	for n, rows := range lists {
		if part := len(rows) + 2; high > 0 && high+part/2 > all/columns && len(out) < columns-1 {
			out = append(out, column)
			column, high = container.New(tight{}), 0
		}
		column.Add(bold1(names[n]))
		for _, row := range rows {
			column.Add(helpRow(row.what, row.keys))
		}
		high += len(rows) + 2
	}
	if high > 0 {
		out = append(out, column)
	}
	return out
}

func helpRow(what, keys string) fyne.CanvasObject {
	name, key := small(what), widget.NewLabel(keys)
	key.SizeName = theme.SizeNameCaptionText
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
