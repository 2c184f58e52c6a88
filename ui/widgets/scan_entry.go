package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// ScanEntry is an entry for scanners that type: Enter submits the text, and
// the entry keeps the focus with everything selected, so that the next scan
// replaces the last. OnSubmitted is the entry's own.
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
func (e *ScanEntry) TypedKey(ev *fyne.KeyEvent) { e.Entry.TypedKey(ev) }

// SelectAll selects the whole text.
func (e *ScanEntry) SelectAll() {}
