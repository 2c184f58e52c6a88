package annotate

import (
	"encoding/binary"
	"image"
	"math"

	"flawmark/app/qc"
)

// Dim is how dark a spotlight makes what it does not fall on: that much black,
// of 255, is laid over it. 0.45 of the light is left. Black laid over is the
// same as multiplying what is below, so that a transparent sheet of marks looks
// exactly like the file, and needs no photo in it.
const Dim = 140

// spotlight dims the image but for the last spotlight among shapes; there is
// one a photo. Its edge is soft outwards.
func (p painter) spotlight(shapes []Shape) {
	var lit *bounds
	for _, s := range shapes {
		if s.Mark.Tool == qc.Spotlight && wellFormed(s.Mark) {
			b := boundsOf(p.onScreen(s.Mark))
			lit = &b
		}
	}
	if lit == nil {
		return
	}
	feather := 8 * p.unit
	area := p.pixels(p.area)
	soft := p.pixels(bounds{lit.x0 - feather, lit.y0 - feather, lit.x1 + feather + 1, lit.y1 + feather + 1}).Intersect(area)
	inner := p.pixels(bounds{lit.x0 + 1, lit.y0 + 1, lit.x1 - 1, lit.y1 - 1}).Intersect(soft)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		if soft.Empty() || y < soft.Min.Y || y >= soft.Max.Y {
			dimmed(p.row(y, area.Min.X, area.Max.X))
			continue
		}
		dimmed(p.row(y, area.Min.X, soft.Min.X))
		dimmed(p.row(y, soft.Max.X, area.Max.X))
		far := max(lit.y0-float64(y)-0.5, float64(y)+0.5-lit.y1, 0)
		within := y >= inner.Min.Y && y < inner.Max.Y
		for x := soft.Min.X; x < soft.Max.X; x++ {
			if within && x == inner.Min.X {
				x = inner.Max.X
				if x == soft.Max.X {
					break
				}
			}
			off := math.Hypot(max(lit.x0-float64(x)-0.5, float64(x)+0.5-lit.x1, 0), far)
			t := min(off/feather, 1)
			alpha := int(Dim*t*t*(3-2*t) + 0.5)
			px := p.row(y, x, x+1)
			for c := range 3 {
				px[c] = uint8((int(px[c])*(255-alpha) + 127) / 255)
			}
			px[3] = uint8((int(px[3])*(255-alpha)+127)/255 + alpha)
		}
	}
}

// pixels returns the whole pixels of an area within the output.
func (p painter) pixels(area bounds) image.Rectangle {
	r := p.dst.Rect
	return image.Rectangle{
		Min: image.Pt(floor(area.x0+0.5, r.Min.X, r.Max.X), floor(area.y0+0.5, r.Min.Y, r.Max.Y)),
		Max: image.Pt(floor(area.x1+0.5, r.Min.X, r.Max.X), floor(area.y1+0.5, r.Min.Y, r.Max.Y)),
	}
}

func (p painter) row(y, x0, x1 int) []byte {
	if x0 >= x1 {
		return nil
	}
	from := p.dst.PixOffset(x0, y)
	return p.dst.Pix[from : from+4*(x1-x0)]
}

// dimmed lays [Dim] over pixels, two at a time: a photo of 50 megapixels has
// hardly anything else to be dimmed with in the time there is.
func dimmed(pix []byte) {
	const (
		even  = 0x00ff00ff00ff00ff
		keep  = 255 - Dim
		half  = 0x0080008000800080
		black = Dim<<24 | Dim<<56
	)
	for len(pix) >= 8 {
		v := binary.LittleEndian.Uint64(pix)
		low := ((v&even)*keep + half) >> 8 & even
		high := ((v>>8&even)*keep + half) & (even << 8)
		binary.LittleEndian.PutUint64(pix, low|high+black)
		pix = pix[8:]
	}
	if len(pix) == 4 {
		var last [8]byte
		copy(last[:], pix)
		dimmed(last[:])
		copy(pix, last[:])
	}
}
