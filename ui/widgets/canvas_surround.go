package widgets

import (
	"image"
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// surround is what is around the photo, in strips, and the ring of the focus:
// the toolkit paints a rectangle's every pixel, also under what covers it and
// within what is only a stroke.
type surround struct {
	ground, ring [4]*canvas.Rectangle // above, left, right, below
}

// ringWidth is in canvas units.
const ringWidth = 2

func newSurround(first *canvas.Rectangle) surround {
	var s surround
	for i := range s.ground {
		s.ground[i], s.ring[i] = canvas.NewRectangle(neutral), canvas.NewRectangle(color.Transparent)
		s.ring[i].Hide()
	}
	s.ground[0] = first
	return s
}

// dress takes over colours.
func (s *surround) dress(ground, ring color.Color, focused bool) {
	for i := range s.ground {
		s.ground[i].FillColor, s.ring[i].FillColor = ground, ring
		s.ring[i].Hidden = !focused
	}
}

// put lays rectangles around an inner one, within all.
func put(list [4]*canvas.Rectangle, all fyne.Size, min, max fyne.Position) {
	at := func(r *canvas.Rectangle, x0, y0, x1, y1 float32) {
		r.Move(fyne.NewPos(x0, y0))
		r.Resize(fyne.NewSize(x1-x0, y1-y0))
	}
	at(list[0], 0, 0, all.Width, min.Y)
	at(list[1], 0, min.Y, min.X, max.Y)
	at(list[2], max.X, min.Y, all.Width, max.Y)
	at(list[3], 0, max.Y, all.Width, all.Height)
}

// placeSurround leaves out what the photo covers. An edge that is stretched may
// be off by a few pixels; so the strips reach under it.
func (c *PhotoCanvas) placeSurround(covered bool) {
	size := c.Size()
	put(c.around.ring, size, fyne.NewPos(ringWidth, ringWidth), fyne.NewPos(size.Width-ringWidth, size.Height-ringWidth))
	all := image.Rect(0, 0, int(math.Ceil(float64(size.Width)*c.device)), int(math.Ceil(float64(size.Height)*c.device)))
	hole := image.Rectangle{Min: image.Pt(0, all.Max.Y), Max: all.Max}
	if covered && c.key != "" {
		under := 1
		if !c.photo.covers(c.key, c.port.view, c.port.seen(0)) {
			under = 2 * edgeSlack(farthest)
		}
		seen := c.port.seen(0)
		if inner := seen.Inset(under); !inner.Empty() {
			if hole = inner; under == 1 {
				// What is exact needs nothing under it at the window's edges.
				if seen.Min.X <= 0 {
					hole.Min.X = 0
				}
				if seen.Min.Y <= 0 {
					hole.Min.Y = 0
				}
				if seen.Max.X >= c.port.width {
					hole.Max.X = max(all.Max.X, hole.Max.X)
				}
				if seen.Max.Y >= c.port.height {
					hole.Max.Y = all.Max.Y
				}
			}
		}
	}
	if c.sideBySide() && hole.Max.X > c.port.width {
		hole.Max.X = c.port.width
	}
	corner := func(p image.Point) fyne.Position {
		return fyne.NewPos(units(float64(p.X), c.device), units(float64(p.Y), c.device))
	}
	put(c.around.ground, size, corner(hole.Min), corner(hole.Max))
}
