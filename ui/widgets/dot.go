package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Form is the form of a status sign. Each status has its own, because colour
// alone is not seen by everybody.
type Form int

// The forms.
const (
	Disc     Form = iota // full: all is well
	Ring                 // hollow: nothing, off
	Half                 // half full: under way
	Triangle             // look here
	Square               // stopped
	Diamond              // news
)

// Dot is a status: a coloured form and a text.
type Dot struct {
	widget.BaseWidget
}

// NewDot returns a status.
func NewDot(form Form, colour color.Color, text string) *Dot {
	d := &Dot{}
	d.ExtendBaseWidget(d)
	return d
}

// Set changes the status.
func (d *Dot) Set(form Form, colour color.Color, text string) {}

// CreateRenderer is called by Fyne.
func (d *Dot) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(widget.NewLabel(""))
}
