package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Option is one choice of a [Toggle].
type Option struct {
	Key    string
	Letter string        // a large sign, "CR" or "1"; used where there is no icon
	Icon   fyne.Resource // instead of a letter; may be nil
	Label  string        // below or beside; may be empty
	Hint   string        // the key that chooses it, small; may be empty
	Colour color.Color   // of the letter's ground; nil: the theme's
}

// Toggle is a group of large buttons of which at most one is chosen, at least
// 44 units high so that gloves hit them.
type Toggle struct {
	widget.BaseWidget

	// OnChanged receives the key that a person chose.
	OnChanged func(key string)
	// Vertical stacks the buttons instead of placing them side by side.
	Vertical bool
	// Optional lets a person unchoose by choosing again: OnChanged gets "".
	Optional bool
}

// NewToggle returns a group with nothing chosen.
func NewToggle(options ...Option) *Toggle {
	t := &Toggle{}
	t.ExtendBaseWidget(t)
	return t
}

// SetOptions replaces the choices; what is chosen stays where its key does.
func (t *Toggle) SetOptions(options ...Option) {}

// Select chooses without a callback; "" chooses none.
func (t *Toggle) Select(key string) {}

// Selected returns the chosen key, "" when none is.
func (t *Toggle) Selected() string { return "" }

// SetEnabled tells whether a person can choose.
func (t *Toggle) SetEnabled(on bool) {}

// CreateRenderer is called by Fyne.
func (t *Toggle) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(widget.NewLabel(""))
}
