package annotate

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"

	"golang.org/x/image/vector"

	"flawmark/app/qc"
)

// badge draws a flaw's number on the form and in the colour of its severity,
// and the line to what it names if it stands off.
func (p painter) badge(s Shape, b badge) {
	st := styleOf(s.Severity)
	light, dark := p.casing()
	if b.leader {
		p.leader(st, b.at, b.to, s.Mark.Tool == qc.Badge)
	}
	ground := st.colour
	if st.badge == ring {
		ground = white
	}
	for _, layer := range [...]struct {
		grow   float64
		colour color.NRGBA
	}{{dark / 2, shadow}, {light / 2, white}, {0, st.colour}, {-3 * p.unit, ground}} {
		if layer.grow >= 0 || ground != st.colour {
			form(p.dst, st.badge, b.at, b.radius+layer.grow, layer.colour)
		}
	}
	if b.number != 0 {
		number(p.dst, strconv.Itoa(b.number), b.at.X, b.at.Y, b.radius, st.ink)
	}
}

// number writes a flaw's number in its badge.
func number(dst *image.RGBA, text string, x, y, radius float64, ink color.Color) {
	size := radius * 1.35
	if len(text) > 1 {
		size = min(size, radius*2.3/float64(len(text)))
	}
	newPen(boldFont, size).number(dst, text, x, y, ink)
}

// form fills the outline of a severity's badge.
func form(dst *image.RGBA, form badgeForm, at qc.Point, r float64, colour color.NRGBA) {
	switch form {
	case octagon:
		side := r * 1.06 * math.Cos(math.Pi/8)
		fillCut(dst, square(at, side), side*(2-math.Sqrt2), true, bounds{}, colour)
	case roundedSquare:
		side := r * 0.92
		fill(dst, square(at, side), side*0.3, bounds{}, colour)
	default:
		fill(dst, square(at, r), r, bounds{}, colour)
	}
}

// stamp draws what a rasteriser holds into a box, of which dst may have a part
// only.
func stamp(dst *image.RGBA, raster *vector.Rasterizer, box image.Rectangle, ink *image.Uniform) {
	raster.DrawOp = draw.Over
	clip := box.Intersect(dst.Rect)
	if clip == box {
		raster.Draw(dst, box, ink, image.Point{})
		return
	}
	// The rasteriser cannot begin in the middle of its box.
	part := image.NewAlpha(image.Rectangle{Max: box.Size()})
	raster.Draw(part, part.Rect, image.Opaque, image.Point{})
	draw.DrawMask(dst, clip, ink, image.Point{}, part, clip.Min.Sub(box.Min), draw.Over)
}
