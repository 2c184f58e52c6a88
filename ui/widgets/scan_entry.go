package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// ScanEntry is an entry for scanners that type: Enter submits the text, and
// the entry keeps the focus with everything selected, so that the next scan
// replaces the last. OnSubmitted is the entry's own; it is not called for an
// empty text.
type ScanEntry struct {
	widget.Entry
}

// NewScanEntry returns an empty entry.
func NewScanEntry() *ScanEntry {
	e := &ScanEntry{}
	e.ExtendBaseWidget(e)
	return e
}

// TypedKey is called by Fyne.
func (e *ScanEntry) TypedKey(ev *fyne.KeyEvent) {
	if ev.Name != fyne.KeyReturn && ev.Name != fyne.KeyEnter {
		e.Entry.TypedKey(ev)
		return
	}
	if e.Text == "" || e.Disabled() {
		return
	}
	text := e.Text
	// Selected first: what OnSubmitted does to the entry has the last word.
	e.SelectAll()
	if e.OnSubmitted != nil {
		e.OnSubmitted(text)
	}
}

// FocusGained is called by Fyne.
func (e *ScanEntry) FocusGained() {
	e.Entry.FocusGained()
	e.SelectAll()
}

// SelectAll selects the whole text.
func (e *ScanEntry) SelectAll() {
	if e.Text != "" {
		e.TypedShortcut(&fyne.ShortcutSelectAll{})
	}
}
