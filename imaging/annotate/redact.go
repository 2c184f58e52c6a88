package annotate

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"flawmark/app/qc"
)

// veil covers what is redacted where its surroundings are not known, such as
// on the screen, where the marks lie on a sheet of their own.
var veil = color.RGBA{0x60, 0x60, 0x60, 0xff}

// Redact paints the redactions among marks, and nothing else, over img: opaque,
// each in the average colour of what lies around it, never in anything made
// from what it hides. The view maps image pixels to those of img, whose colours
// are otherwise left alone.
//
// It is to be called wherever pixels of an original are made into anything that
// is shown or sent: on the original at its own size with View{Scale: 1} before
// it is scaled, or on a derivative with the derivative's scale. Rectangles grow
// outwards to whole pixels, and farther by as much as a filter carries into
// neighbours: one pixel where img has the original's size, four where it was
// made smaller (three for the widest filter, Lanczos, and one for a size that
// was rounded), and two of the original's where it was made larger. So
// afterwards no pixel in or beside a rectangle depends on what was within, and
// painting twice is painting once.
//
// A redaction that is no rectangle hides the whole picture: rather too much than
// too little.
func Redact(img *image.RGBA, marks []qc.Mark, view View) {
	seal(img, fringed(img, covers(marks, view)))
}

// cover is a rectangle of the output that is made opaque.
type cover struct {
	r      image.Rectangle
	colour color.RGBA
}

// spread returns how far, in pixels of an output of that scale, a filter
// carries what is at a place of the original.
func spread(scale float64) int {
	switch {
	case scale == 1:
		return 1
	case scale < 1:
		return 4
	default:
		return int(math.Ceil(2*min(scale, 1000))) + 1
	}
}

// everywhere is larger than any output.
var everywhere = image.Rect(-farthest, -farthest, farthest, farthest)

// covers returns where the redactions among marks are, in output pixels and
// veiled.
func covers(marks []qc.Mark, view View) []cover {
	var list []cover
	for _, m := range marks {
		if m.Tool != qc.Redaction {
			continue
		}
		r := everywhere
		if len(m.Points) == 2 && view.sound() {
			r = outwards(boundsAround(view.ToScreen(m.Points[0]), view.ToScreen(m.Points[1])), spread(view.Scale), everywhere)
		}
		if !r.Empty() {
			list = append(list, cover{r, veil})
		}
	}
	return list
}

// outwards returns the whole pixels of an area, by so many grown and within
// an output. What is no number reaches to the output's edge.
func outwards(area bounds, by int, output image.Rectangle) image.Rectangle {
	edge := func(v float64, low, high, none int) int {
		if math.IsNaN(v) {
			return none
		}
		return int(min(max(v, float64(low)), float64(high)))
	}
	if o := output; math.IsNaN(area.x0 + area.y0 + area.x1 + area.y1) {
		return o
	}
	grown, o := float64(by), output
	return image.Rectangle{
		Min: image.Pt(edge(math.Floor(area.x0)-grown, o.Min.X, o.Max.X, o.Min.X), edge(math.Floor(area.y0)-grown, o.Min.Y, o.Max.Y, o.Min.Y)),
		Max: image.Pt(edge(math.Ceil(area.x1)+grown, o.Min.X, o.Max.X, o.Max.X), edge(math.Ceil(area.y1)+grown, o.Min.Y, o.Max.Y, o.Max.Y)),
	}
}

// fringe is how wide the edge is whose colour a redaction takes.
const fringe = 4

// strips returns what is around a rectangle, as wide as the fringe.
func strips(r image.Rectangle) [4]image.Rectangle {
	around := r.Inset(-fringe)
	return [...]image.Rectangle{
		{Min: around.Min, Max: image.Pt(around.Max.X, r.Min.Y)},
		{Min: image.Pt(around.Min.X, r.Max.Y), Max: around.Max},
		{Min: image.Pt(around.Min.X, r.Min.Y), Max: image.Pt(r.Min.X, r.Max.Y)},
		{Min: image.Pt(r.Max.X, r.Min.Y), Max: image.Pt(around.Max.X, r.Max.Y)},
	}
}

// fringed gives each cover the average colour of the opaque pixels around it
// that no cover hides; where there are none the veil stays. All are looked at
// before any is painted.
func fringed(img *image.RGBA, list []cover) []cover {
	out := make([]cover, len(list))
	for i, c := range list {
		out[i] = c
		var sum colourSum
		for _, strip := range strips(c.r) {
			strip = strip.Intersect(img.Rect)
			var hidden []image.Rectangle
			for _, other := range list {
				if other.r.Overlaps(strip) {
					hidden = append(hidden, other.r)
				}
			}
			sum.add(img, strip, hidden)
		}
		if mean, ok := sum.mean(); ok {
			out[i].colour = mean
		}
	}
	return out
}

// colourSum averages opaque pixels.
type colourSum struct{ r, g, b, n uint64 }

func (s *colourSum) add(img *image.RGBA, area image.Rectangle, hidden []image.Rectangle) {
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if px := img.Pix[img.PixOffset(x, y):]; px[3] == 0xff && !inAny(hidden, x, y) {
				s.r, s.g, s.b, s.n = s.r+uint64(px[0]), s.g+uint64(px[1]), s.b+uint64(px[2]), s.n+1
			}
		}
	}
}

func (s colourSum) mean() (c color.RGBA, ok bool) {
	if s.n == 0 {
		return c, false
	}
	return color.RGBA{uint8((s.r + s.n/2) / s.n), uint8((s.g + s.n/2) / s.n), uint8((s.b + s.n/2) / s.n), 0xff}, true
}

func inAny(list []image.Rectangle, x, y int) bool {
	for _, r := range list {
		if image.Pt(x, y).In(r) {
			return true
		}
	}
	return false
}

func seal(img *image.RGBA, list []cover) {
	for _, c := range list {
		draw.Draw(img, c.r, image.NewUniform(c.colour), image.Point{}, draw.Src)
	}
}
