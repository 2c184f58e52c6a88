package widgets

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Thumb is one picture of a strip.
type Thumb struct {
	Key   string      // identifies it; unique in a strip
	Image *image.RGBA // already small; nil while it is being made
	Badge string      // a number or a letter at its corner; empty: none
}

// Thumbs is a strip of pictures, one of them selected, with a button that adds
// another.
type Thumbs struct {
	widget.BaseWidget

	// OnSelected receives the key that a person chose.
	OnSelected func(key string)
	// OnAdd is called by the button at the end; nil hides the button.
	OnAdd func()
	// OnRemove is called with the selected key; nil hides the way to remove.
	OnRemove func(key string)
	// AddLabel is said under the plus sign.
	AddLabel string
	// Side is the height and width of a picture; 0 stands for 72.
	Side float32
}

// NewThumbs returns an empty strip.
func NewThumbs() *Thumbs {
	t := &Thumbs{}
	t.ExtendBaseWidget(t)
	return t
}

// SetThumbs replaces the pictures. The selection stays where its key does.
func (t *Thumbs) SetThumbs(thumbs []Thumb) {}

// Select selects a picture without a callback; "" selects none.
func (t *Thumbs) Select(key string) {}

// Selected returns the selected key, "" when none is.
func (t *Thumbs) Selected() string { return "" }

// CreateRenderer is called by Fyne.
func (t *Thumbs) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(widget.NewLabel(""))
}
