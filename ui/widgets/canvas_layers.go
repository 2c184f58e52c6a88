package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
)

// layers hold the two pictures, each cut off where the other begins. Moving
// the cut costs nothing: no picture is made again.
type layers struct {
	ours, theirs *container.Clip
	mine, yours  *fyne.Container // what they hold
	ground       *canvas.Rectangle
}

func newLayers() layers {
	l := layers{mine: container.NewWithoutLayout(), yours: container.NewWithoutLayout(), ground: canvas.NewRectangle(neutral)}
	l.ours, l.theirs = container.NewClip(l.mine), container.NewClip(l.yours)
	l.theirs.Hide()
	return l
}

// fill takes over which pictures there are.
func (l *layers) fill(c *PhotoCanvas) {
	l.mine.Objects = l.mine.Objects[:0]
	for _, s := range []*sheet{&c.under, &c.photo} {
		for _, img := range s.images {
			l.mine.Objects = append(l.mine.Objects, img)
		}
	}
	l.mine.Objects = append(l.mine.Objects, c.draft.objects()...)
	l.yours.Objects = append(l.yours.Objects[:0], l.ground)
	for _, img := range c.other.sheet.images {
		l.yours.Objects = append(l.yours.Objects, img)
	}
}

// divider lies between the pictures. In CompareSwipe it is dragged by its
// handle or by its line.
type divider struct {
	share              float64 // of the width
	dark, line, handle *canvas.Rectangle
	ridges             [2]*canvas.Rectangle
}

const (
	// handleUnits is what a glove hits.
	handleUnits = 48
	// lineReach is how far from its line the divider is taken.
	lineReach = 5
)

func (d *divider) objects() []fyne.CanvasObject {
	if d.line == nil {
		hidden := func(fill color.Color) *canvas.Rectangle {
			r := canvas.NewRectangle(fill)
			r.Hide()
			return r
		}
		shadow := color.NRGBA{0, 0, 0, 0x99}
		d.dark, d.line, d.handle = hidden(shadow), hidden(color.White), hidden(color.White)
		d.handle.CornerRadius = handleUnits / 2
		d.handle.StrokeColor, d.handle.StrokeWidth = shadow, 1
		for i := range d.ridges {
			d.ridges[i] = hidden(color.NRGBA{0x55, 0x55, 0x55, 0xff})
		}
	}
	return []fyne.CanvasObject{d.dark, d.line, d.handle, d.ridges[0], d.ridges[1]}
}

// updateDivider cuts the pictures off where the other one begins.
func (c *PhotoCanvas) updateDivider() {
	l, mode, size := &c.layers, c.comparing(), c.Size()
	from := float32(float64(c.otherFrom()) / c.device)
	cut := size
	if mode == CompareSide {
		cut.Width = from
	}
	if l.ours.Size() != cut {
		l.ours.Resize(cut)
	}
	l.theirs.Hidden = mode == CompareOff
	l.theirs.Move(fyne.NewPos(from, 0))
	l.theirs.Resize(fyne.NewSize(max(size.Width-from, 0), size.Height))
	// In its own half the other picture has the half's places; otherwise the
	// window's.
	shift := float32(0)
	if mode != CompareSide {
		shift = -from
	}
	l.yours.Move(fyne.NewPos(shift, 0))
	l.ground.Resize(size)

	d := &c.divider
	objects := d.objects()
	for i, o := range objects {
		if shown := mode == CompareSwipe || mode == CompareSide && i < 2; shown != o.Visible() {
			if shown {
				o.Show()
			} else {
				o.Hide()
			}
		}
	}
	put := func(r *canvas.Rectangle, x, y, w, h float32) {
		r.Move(fyne.NewPos(x-w/2, y-h/2))
		r.Resize(fyne.NewSize(w, h))
	}
	middle := size.Height / 2
	put(d.dark, from, middle, 4, size.Height)
	put(d.line, from, middle, 2, size.Height)
	put(d.handle, from, middle, handleUnits, handleUnits)
	for i, r := range d.ridges {
		put(r, from+float32(8*i-4), middle, 2, handleUnits/3)
	}
}

// grab takes what lies over the photo: the divider or the overview. It reports
// whether there was something to take.
func (c *PhotoCanvas) grab(at fyne.Position) bool {
	if c.overDivider(at) {
		from := float32(float64(c.otherFrom()) / c.device)
		apart := at.X - from
		c.grip = func(to fyne.Position) { c.SetDivider(float64(to.X-apart) / float64(max(c.Size().Width, 1))) }
		return true
	}
	if steer, ok := c.overMap(at); ok {
		c.grip = steer
		steer(at)
		return true
	}
	return false
}

// gripCursor tells what a press would take.
func (c *PhotoCanvas) gripCursor(at fyne.Position) (desktop.Cursor, bool) {
	if c.overDivider(at) {
		return desktop.HResizeCursor, true
	}
	if _, ok := c.overMap(at); ok {
		return desktop.PointerCursor, true
	}
	return nil, false
}

func (c *PhotoCanvas) overDivider(at fyne.Position) bool {
	if c.comparing() != CompareSwipe {
		return false
	}
	dx := at.X - float32(float64(c.otherFrom())/c.device)
	dy := at.Y - c.Size().Height/2
	return dx >= -lineReach && dx <= lineReach || dx*dx+dy*dy <= handleUnits*handleUnits/4
}
