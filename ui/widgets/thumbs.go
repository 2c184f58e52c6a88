package widgets

import (
	"image"
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Thumb is one picture of a strip.
type Thumb struct {
	Key   string      // identifies it; unique in a strip, not empty
	Image *image.RGBA // already small; nil while it is being made
	Badge string      // a number or a letter at its corner; empty: none
}

// Thumbs is a strip of pictures, one of them selected, with a button that adds
// another. With the focus, arrow keys select and Delete removes.
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

	items    []*thumbItem
	add      *thumbItem
	selected string
	focused  bool
	row      *fyne.Container
	scroll   *container.Scroll
}

var _ fyne.Focusable = (*Thumbs)(nil)

// inset is the space around the pictures of a strip.
const inset = 3

// NewThumbs returns an empty strip.
func NewThumbs() *Thumbs {
	t := &Thumbs{row: container.New(layout.NewCustomPaddedHBoxLayout(between))}
	t.add = newThumbItem(t, Thumb{})
	// Frames keep clear of the strip's edge, which would cut them.
	t.scroll = container.NewHScroll(container.New(layout.NewCustomPaddedLayout(inset, inset, inset, inset), t.row))
	t.ExtendBaseWidget(t)
	return t
}

// SetThumbs replaces the pictures. The selection stays where its key does.
func (t *Thumbs) SetThumbs(thumbs []Thumb) {
	kept := make(map[string]*thumbItem, len(t.items))
	for _, item := range t.items {
		kept[item.thumb.Key] = item
	}
	t.items = t.items[:0:0]
	for _, thumb := range thumbs {
		item := kept[thumb.Key]
		if item == nil {
			item = newThumbItem(t, thumb)
		}
		item.thumb = thumb
		t.items = append(t.items, item)
	}
	if t.find(t.selected) < 0 {
		t.selected = ""
	}
	t.Refresh()
}

func (t *Thumbs) find(key string) int {
	return slices.IndexFunc(t.items, func(i *thumbItem) bool { return i.thumb.Key == key })
}

// Select selects a picture without a callback; "" selects none.
func (t *Thumbs) Select(key string) {
	if t.selected == key {
		return
	}
	t.selected = key
	t.Refresh()
	t.reveal()
}

// reveal scrolls the selected picture into sight.
func (t *Thumbs) reveal() {
	i := t.find(t.selected)
	if i < 0 || t.scroll.Size().Width == 0 {
		return
	}
	item := t.items[i]
	left, right := item.Position().X, item.Position().X+item.Size().Width+2*inset
	offset := t.scroll.Offset
	offset.X = min(max(offset.X, right-t.scroll.Size().Width), left)
	t.scroll.ScrollToOffset(offset)
}

// Selected returns the selected key, "" when none is.
func (t *Thumbs) Selected() string { return t.selected }

func (t *Thumbs) choose(key string) {
	t.Select(key)
	if t.OnSelected != nil {
		t.OnSelected(key)
	}
}

func (t *Thumbs) remove(key string) {
	if key != "" && t.OnRemove != nil {
		t.OnRemove(key)
	}
}

// FocusGained is called by Fyne.
func (t *Thumbs) FocusGained() {
	t.focused = true
	t.Refresh()
}

// FocusLost is called by Fyne.
func (t *Thumbs) FocusLost() {
	t.focused = false
	t.Refresh()
}

// TypedRune is called by Fyne.
func (t *Thumbs) TypedRune(rune) {}

// TypedKey is called by Fyne.
func (t *Thumbs) TypedKey(ev *fyne.KeyEvent) {
	i := t.find(t.selected)
	switch ev.Name {
	case fyne.KeyLeft:
		i = max(i-1, 0)
	case fyne.KeyRight:
		i = min(i+1, len(t.items)-1)
	case fyne.KeyHome:
		i = 0
	case fyne.KeyEnd:
		i = len(t.items) - 1
	case fyne.KeyDelete:
		t.remove(t.selected)
		return
	default:
		return
	}
	if i >= 0 && i < len(t.items) && t.items[i].thumb.Key != t.selected {
		t.choose(t.items[i].thumb.Key)
	}
}

func (t *Thumbs) side() float32 {
	if t.Side > 0 {
		return t.Side
	}
	return 72
}

// CreateRenderer is called by Fyne.
func (t *Thumbs) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	r := &thumbsRenderer{t}
	r.Refresh()
	return r
}

type thumbsRenderer struct{ t *Thumbs }

func (r *thumbsRenderer) MinSize() fyne.Size {
	return fyne.NewSize(2*r.t.side()+between+2*inset, r.t.side()+2*inset)
}

func (r *thumbsRenderer) Layout(size fyne.Size) { r.t.scroll.Resize(size) }

func (r *thumbsRenderer) Refresh() {
	t := r.t
	list := make([]fyne.CanvasObject, 0, len(t.items)+1)
	for _, item := range t.items {
		list = append(list, item)
	}
	if t.OnAdd != nil {
		list = append(list, t.add)
	}
	t.row.Objects = list
	t.row.Refresh()
	for _, o := range list {
		o.Refresh()
	}
	t.scroll.Refresh()
}

func (r *thumbsRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.t.scroll} }

func (r *thumbsRenderer) Destroy() {}

// thumbItem is one picture, or with an empty key the button that adds one.
type thumbItem struct {
	widget.BaseWidget
	strip *Thumbs
	thumb Thumb
	hover bool
}

var (
	_ fyne.Tappable     = (*thumbItem)(nil)
	_ desktop.Hoverable = (*thumbItem)(nil)
)

func newThumbItem(strip *Thumbs, thumb Thumb) *thumbItem {
	item := &thumbItem{strip: strip, thumb: thumb}
	item.ExtendBaseWidget(item)
	return item
}

func (i *thumbItem) MinSize() fyne.Size { return fyne.NewSquareSize(i.strip.side()) }

func (i *thumbItem) removable() bool {
	return i.thumb.Key != "" && i.strip.OnRemove != nil && (i.hover || i.thumb.Key == i.strip.selected)
}

// crossSide is the side of the corner that removes.
const crossSide = 24

func (i *thumbItem) Tapped(ev *fyne.PointEvent) {
	if i.thumb.Key == "" {
		if i.strip.OnAdd != nil {
			i.strip.OnAdd()
		}
		return
	}
	if i.removable() && ev.Position.X >= i.Size().Width-crossSide && ev.Position.Y <= crossSide {
		i.strip.remove(i.thumb.Key)
		return
	}
	if on := fyne.CurrentApp().Driver().CanvasForObject(i.strip); on != nil {
		on.Focus(i.strip)
	}
	i.strip.choose(i.thumb.Key)
}

func (i *thumbItem) MouseIn(*desktop.MouseEvent) {
	i.hover = true
	i.Refresh()
}

func (i *thumbItem) MouseMoved(*desktop.MouseEvent) {}

func (i *thumbItem) MouseOut() {
	i.hover = false
	i.Refresh()
}

func (i *thumbItem) CreateRenderer() fyne.WidgetRenderer {
	r := &thumbItemRenderer{
		item:   i,
		ground: canvas.NewRectangle(neutral),
		frame:  canvas.NewRectangle(color.Transparent),
		image:  &canvas.Image{FillMode: canvas.ImageFillContain},
		plate:  canvas.NewRectangle(color.NRGBA{0x1a, 0x1a, 0x1a, 0xd9}),
		badge:  canvas.NewText("", color.White),
		corner: canvas.NewRectangle(color.NRGBA{0x1a, 0x1a, 0x1a, 0xd9}),
		cross:  canvas.NewText("×", color.White),
		plus:   widget.NewIcon(theme.ContentAddIcon()),
		label:  canvas.NewText("", color.Black),
	}
	r.badge.TextStyle.Bold = true
	r.cross.TextStyle.Bold = true
	for _, text := range []*canvas.Text{r.badge, r.label, r.cross} {
		text.Alignment = fyne.TextAlignCenter
	}
	r.Refresh()
	return r
}

type thumbItemRenderer struct {
	item                         *thumbItem
	ground, frame, plate, corner *canvas.Rectangle
	image                        *canvas.Image
	badge, label, cross          *canvas.Text
	plus                         *widget.Icon
}

func (r *thumbItemRenderer) MinSize() fyne.Size { return r.item.MinSize() }

func (r *thumbItemRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	r.frame.Resize(size)
	r.image.Move(fyne.NewPos(2, 2))
	r.image.Resize(fyne.NewSize(max(size.Width-4, 0), max(size.Height-4, 0)))
	const high = 20
	wide := max(high, r.badge.MinSize().Width+8)
	r.plate.Resize(fyne.NewSize(wide, high))
	r.plate.Move(fyne.NewPos(5, size.Height-high-5))
	r.badge.Resize(r.plate.Size())
	r.badge.Move(r.plate.Position())
	r.corner.Resize(fyne.NewSquareSize(crossSide - 4))
	r.corner.Move(fyne.NewPos(size.Width-crossSide, 4))
	r.cross.Resize(r.corner.Size())
	r.cross.Move(r.corner.Position())
	const plus = 26
	shift := float32(0)
	if r.label.Text != "" {
		shift = 9
	}
	r.plus.Resize(fyne.NewSquareSize(plus))
	r.plus.Move(fyne.NewPos((size.Width-plus)/2, (size.Height-plus)/2-shift))
	r.label.Resize(fyne.NewSize(size.Width, r.label.MinSize().Height))
	r.label.Move(fyne.NewPos(0, size.Height/2+shift))
}

func (r *thumbItemRenderer) Refresh() {
	i := r.item
	adds := i.thumb.Key == ""
	r.ground.FillColor = neutral
	r.ground.CornerRadius, r.frame.CornerRadius, r.plate.CornerRadius, r.corner.CornerRadius = 4, 4, 4, 4
	r.frame.StrokeColor, r.frame.StrokeWidth = themeColour(i, theme.ColorNameInputBorder), 1
	if adds {
		r.ground.FillColor = themeColour(i, theme.ColorNameButton)
	} else if i.thumb.Key == i.strip.selected {
		r.frame.StrokeColor, r.frame.StrokeWidth = themeColour(i, theme.ColorNamePrimary), 3
		if i.strip.focused {
			r.frame.StrokeWidth = 5
		}
	}
	if i.hover && adds {
		r.ground.FillColor = themeColour(i, theme.ColorNameInputBackground)
	}
	// An image without a picture would be drawn again and again for nothing.
	r.image.Hidden = i.thumb.Image == nil
	if i.thumb.Image == nil {
		r.image.Image = nil
	} else if r.image.Image != image.Image(i.thumb.Image) {
		r.image.Image = i.thumb.Image
		r.image.Refresh()
	}
	r.badge.Text, r.badge.TextSize = i.thumb.Badge, i.Theme().Size(theme.SizeNameCaptionText)
	r.plate.Hidden, r.badge.Hidden = i.thumb.Badge == "", i.thumb.Badge == ""
	r.corner.Hidden, r.cross.Hidden = !i.removable(), !i.removable()
	r.plus.Hidden, r.label.Hidden = !adds, !adds
	r.label.Text, r.label.TextSize = "", i.Theme().Size(theme.SizeNameCaptionText)
	if adds {
		r.label.Text = i.strip.AddLabel
	}
	r.label.Color = themeColour(i, theme.ColorNameForeground)
	r.Layout(i.Size())
	for _, o := range r.Objects() {
		if o != r.image {
			o.Refresh()
		}
	}
}

func (r *thumbItemRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.image, r.frame, r.plate, r.badge, r.corner, r.cross, r.plus, r.label}
}

func (r *thumbItemRenderer) Destroy() {}
