package widgets

import (
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Option is one choice of a [Toggle].
type Option struct {
	Key    string
	Letter string        // a large sign, "CR" or "1"; used where there is no icon
	Icon   fyne.Resource // instead of a letter; may be nil
	Label  string        // beside it; may be empty
	Hint   string        // the key that chooses it, small; may be empty
	Colour color.Color   // of the letter's ground; nil: none
	Ink    color.Color   // of the letter on Colour; nil: white
}

// touch is the least height and width of what a gloved finger hits.
const touch = 44

// Toggle is a group of large buttons of which at most one is chosen, at least
// 44 units high so that gloves hit them.
type Toggle struct {
	widget.BaseWidget

	// OnChanged receives the key that a person chose.
	OnChanged func(key string)
	// Vertical stacks the buttons instead of placing them side by side.
	Vertical bool
	// Columns is how many buttons of a vertical group are beside each other; 0
	// stands for one.
	Columns int
	// Side is the least height and width of a button; 0 stands for 44.
	Side float32
	// Optional lets a person unchoose by choosing again: OnChanged gets "".
	Optional bool

	items    []*toggleItem
	selected string
	off      bool
}

// NewToggle returns a group with nothing chosen.
func NewToggle(options ...Option) *Toggle {
	t := &Toggle{}
	t.ExtendBaseWidget(t)
	t.SetOptions(options...)
	return t
}

// SetOptions replaces the choices; what is chosen stays where its key does.
func (t *Toggle) SetOptions(options ...Option) {
	t.items = make([]*toggleItem, len(options))
	for i, o := range options {
		t.items[i] = newToggleItem(t, o)
	}
	if !slices.ContainsFunc(options, func(o Option) bool { return o.Key == t.selected }) {
		t.selected = ""
	}
	t.Refresh()
}

// Select chooses without a callback; "" chooses none.
func (t *Toggle) Select(key string) {
	if t.selected != key {
		t.selected = key
		t.Refresh()
	}
}

// Selected returns the chosen key, "" when none is.
func (t *Toggle) Selected() string { return t.selected }

// SetEnabled tells whether a person can choose.
func (t *Toggle) SetEnabled(on bool) {
	if t.off == on {
		t.off = !on
		t.Refresh()
	}
}

func (t *Toggle) tapped(key string) {
	if t.off {
		return
	}
	switch {
	case t.selected != key:
		t.Select(key)
	case t.Optional:
		t.Select("")
	}
	if t.OnChanged != nil {
		t.OnChanged(t.selected)
	}
}

// CreateRenderer is called by Fyne.
func (t *Toggle) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	return &toggleRenderer{t}
}

type toggleRenderer struct{ t *Toggle }

// between is the gap between buttons.
const between = 4

func (r *toggleRenderer) MinSize() fyne.Size {
	var size fyne.Size
	if n := r.t.Columns; r.t.Vertical && n > 1 {
		for _, item := range r.t.items {
			size = size.Max(item.MinSize())
		}
		rows := float32((len(r.t.items) + n - 1) / n)
		return fyne.NewSize(size.Width*float32(n)+between*float32(n-1), size.Height*rows+between*max(rows-1, 0))
	}
	for i, item := range r.t.items {
		least := item.MinSize()
		if r.t.Vertical {
			size.Width = max(size.Width, least.Width)
			size.Height += least.Height
		} else {
			size.Width = max(size.Width, least.Width) // all are as wide as the widest
			size.Height = max(size.Height, least.Height)
		}
		if i > 0 && r.t.Vertical {
			size.Height += between
		}
	}
	if n := float32(len(r.t.items)); !r.t.Vertical && n > 0 {
		size.Width = size.Width*n + between*(n-1)
	}
	return size
}

func (r *toggleRenderer) Layout(size fyne.Size) {
	n := float32(len(r.t.items))
	if n == 0 {
		return
	}
	if columns := r.t.Columns; r.t.Vertical && columns > 1 {
		wide, high := (size.Width-between*float32(columns-1))/float32(columns), float32(0)
		for _, item := range r.t.items {
			high = max(high, item.MinSize().Height)
		}
		for i, item := range r.t.items {
			item.Resize(fyne.NewSize(wide, high))
			item.Move(fyne.NewPos(float32(i%columns)*(wide+between), float32(i/columns)*(high+between)))
		}
		return
	}
	y := float32(0)
	wide := (size.Width - between*(n-1)) / n
	for i, item := range r.t.items {
		if r.t.Vertical {
			high := item.MinSize().Height
			item.Resize(fyne.NewSize(size.Width, high))
			item.Move(fyne.NewPos(0, y))
			y += high + between
			continue
		}
		item.Resize(fyne.NewSize(wide, size.Height))
		item.Move(fyne.NewPos(float32(i)*(wide+between), 0))
	}
}

func (r *toggleRenderer) Refresh() {
	r.Layout(r.t.Size())
	for _, item := range r.t.items {
		item.Refresh()
	}
}

func (r *toggleRenderer) Objects() []fyne.CanvasObject {
	list := make([]fyne.CanvasObject, len(r.t.items))
	for i, item := range r.t.items {
		list[i] = item
	}
	return list
}

func (r *toggleRenderer) Destroy() {}

// toggleItem is one button.
type toggleItem struct {
	widget.BaseWidget
	group  *Toggle
	option Option
	hover  bool
}

var (
	_ fyne.Tappable     = (*toggleItem)(nil)
	_ desktop.Hoverable = (*toggleItem)(nil)
)

func newToggleItem(group *Toggle, option Option) *toggleItem {
	item := &toggleItem{group: group, option: option}
	item.ExtendBaseWidget(item)
	return item
}

func (i *toggleItem) Tapped(*fyne.PointEvent) { i.group.tapped(i.option.Key) }

func (i *toggleItem) MouseIn(*desktop.MouseEvent) {
	i.hover = true
	i.Refresh()
}

func (i *toggleItem) MouseMoved(*desktop.MouseEvent) {}

func (i *toggleItem) MouseOut() {
	i.hover = false
	i.Refresh()
}

func (i *toggleItem) CreateRenderer() fyne.WidgetRenderer {
	r := &toggleItemRenderer{
		item:   i,
		ground: canvas.NewRectangle(color.Transparent),
		plate:  canvas.NewRectangle(color.Transparent),
		letter: canvas.NewText(i.option.Letter, color.Black),
		label:  canvas.NewText(i.option.Label, color.Black),
		hint:   canvas.NewText(i.option.Hint, color.Black),
	}
	r.letter.TextStyle.Bold = true
	r.letter.Alignment = fyne.TextAlignCenter
	if i.option.Icon != nil {
		r.icon = widget.NewIcon(i.option.Icon)
	}
	r.Refresh()
	return r
}

type toggleItemRenderer struct {
	item                *toggleItem
	ground, plate       *canvas.Rectangle
	letter, label, hint *canvas.Text
	icon                *widget.Icon
}

// The sides, at the normal size of texts, of the square behind a letter and of
// an icon.
const (
	plateSide = 28
	iconSide  = 22
)

// side is how large a button is at least: no larger with large texts than a
// finger needs, because a screen holds only so many. grown is how much larger
// than normal texts are.
func (i *toggleItem) side() float32 { return max(touch*min(i.grown(), 1.15), i.group.Side) }

func (i *toggleItem) grown() float32 { return i.Theme().Size(theme.SizeNameText) / 14 }

func (r *toggleItemRenderer) plateSize() fyne.Size {
	if r.icon == nil && r.letter.Text == "" {
		return fyne.Size{}
	}
	side := plateSide * r.item.grown()
	return fyne.NewSize(max(side, r.letter.MinSize().Width+10), side)
}

func (r *toggleItemRenderer) MinSize() fyne.Size {
	width := float32(8)
	if plate := r.plateSize().Width; plate > 0 {
		width += plate + 8
	}
	if r.label.Text != "" {
		// As wide as when it is chosen, so that choosing moves nothing.
		width += fyne.MeasureText(r.label.Text, r.label.TextSize, fyne.TextStyle{Bold: true}).Width + 8
	}
	if r.hint.Text != "" && r.label.Text != "" {
		width += r.hint.MinSize().Width + 8
	}
	side := r.item.side()
	return fyne.NewSize(max(width, side), side)
}

func (r *toggleItemRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	plate := r.plateSize()
	at := fyne.NewPos((size.Width-plate.Width)/2, (size.Height-plate.Height)/2)
	if r.label.Text != "" {
		at.X = 8
	}
	r.plate.Resize(plate)
	r.plate.Move(at)
	r.letter.Resize(plate)
	r.letter.Move(at)
	if r.icon != nil {
		side := iconSide * r.item.side() / touch
		r.icon.Resize(fyne.NewSquareSize(side))
		r.icon.Move(at.AddXY((plate.Width-side)/2, (plate.Height-side)/2))
	}
	high := r.label.MinSize().Height
	r.label.Alignment = fyne.TextAlignLeading
	if plate.Width > 0 {
		r.label.Resize(fyne.NewSize(max(size.Width-plate.Width-24, 0), high))
		r.label.Move(fyne.NewPos(at.X+plate.Width+8, (size.Height-high)/2))
	} else {
		r.label.Alignment = fyne.TextAlignCenter
		r.label.Resize(fyne.NewSize(size.Width, high))
		r.label.Move(fyne.NewPos(0, (size.Height-high)/2))
	}
	hint := r.hint.MinSize()
	r.hint.Resize(hint)
	if r.label.Text == "" { // small in the corner
		r.hint.Move(fyne.NewPos(size.Width-hint.Width-3, size.Height-hint.Height-1))
		return
	}
	r.hint.Move(fyne.NewPos(size.Width-hint.Width-8, (size.Height-hint.Height)/2))
}

func (r *toggleItemRenderer) Refresh() {
	i := r.item
	chosen := i.group.selected == i.option.Key
	normal := themeColour(i, theme.ColorNameForeground)
	if i.group.off {
		normal = themeColour(i, theme.ColorNameDisabled)
	}
	r.ground.CornerRadius, r.plate.CornerRadius = 6, 4
	r.ground.FillColor = themeColour(i, theme.ColorNameButton)
	r.ground.StrokeColor, r.ground.StrokeWidth = themeColour(i, theme.ColorNameInputBorder), 1
	switch {
	case i.group.off:
		r.ground.FillColor = themeColour(i, theme.ColorNameDisabledButton)
	case chosen:
		// The frame tells the choice also without colours.
		r.ground.FillColor = themeColour(i, theme.ColorNameSelection)
		r.ground.StrokeColor, r.ground.StrokeWidth = themeColour(i, theme.ColorNamePrimary), 3
		if i.option.Colour != nil {
			r.ground.StrokeColor = i.option.Colour
		}
	case i.hover:
		r.ground.FillColor = themeColour(i, theme.ColorNameInputBackground)
	}
	r.plate.FillColor, r.letter.Color = color.Transparent, normal
	if i.option.Colour != nil && r.icon == nil && !i.group.off {
		r.plate.FillColor, r.letter.Color = i.option.Colour, color.White
		if i.option.Ink != nil {
			r.letter.Color = i.option.Ink
		}
	}
	text := i.Theme().Size(theme.SizeNameText)
	r.letter.TextSize, r.label.TextSize = text, text
	r.letter.Hidden = r.icon != nil
	r.label.Color = normal
	r.label.TextStyle.Bold = chosen
	r.hint.Color, r.hint.TextSize = themeColour(i, theme.ColorNamePlaceHolder), i.Theme().Size(theme.SizeNameCaptionText)
	r.Layout(i.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *toggleItemRenderer) Objects() []fyne.CanvasObject {
	list := []fyne.CanvasObject{r.ground, r.plate, r.letter, r.label, r.hint}
	if r.icon != nil {
		list = append(list, r.icon)
	}
	return list
}

func (r *toggleItemRenderer) Destroy() {}
