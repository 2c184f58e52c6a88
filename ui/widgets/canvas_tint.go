package widgets

import (
	"image"
	"image/draw"
	"math"
	"slices"
	"sync/atomic"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// The toolkit lays pictures over each other and cannot multiply them. So where
// something is highlighted, the picture of the marks holds the photo, too, and
// the renderer tints it there as it does in a file.

// underTints returns what the photo under highlighters is made from; it has no
// pixels when there are none.
func (c *PhotoCanvas) underTints(shown []annotate.Shape) composition {
	if !slices.ContainsFunc(shown, tinted) {
		return composition{}
	}
	o := c.whole()
	o.rect = c.steady(&c.marks)
	o, _, ok := c.supply(&c.subject, o)
	if !ok {
		return composition{}
	}
	return o
}

func tinted(s annotate.Shape) bool {
	return s.Mark.Tool == qc.Highlighter && len(s.Mark.Points) == 2
}

// fill puts the photo where shapes tint it into a tile, which is the rectangle
// at of the window.
func (o composition) fill(tile *image.RGBA, at image.Rectangle, shapes []annotate.Shape, stop *atomic.Bool) {
	for _, s := range shapes {
		if !tinted(s) {
			continue
		}
		a, b := o.view.ToScreen(s.Mark.Points[0]), o.view.ToScreen(s.Mark.Points[1])
		part := o
		part.rect = image.Rect(
			int(math.Round(a.X)), int(math.Round(a.Y)), int(math.Round(b.X)), int(math.Round(b.Y)),
		).Intersect(at).Intersect(o.rect)
		if part.rect.Empty() {
			continue
		}
		if img := part.compose(stop); img != nil {
			draw.Draw(tile, part.rect.Sub(at.Min), img, image.Point{}, draw.Src)
		}
	}
}
