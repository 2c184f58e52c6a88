package annotate

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	"github.com/fogleman/gg"

	"flawmark/app/qc"
)

// Options say how shapes are shown.
type Options struct {
	Selected qc.MarkID // is drawn above the others
	Handles  bool      // of the selected shape
	Grip     float64   // how far a handle reaches from its middle, in output pixels; at least 5 units
	// Unit is the size in output pixels that strokes and badges are multiples
	// of. 0 stands for the longer side of the output divided by 1000, so that
	// marks look the same on a photo of any size.
	Unit float64
	// Width and Height of the image in image pixels keep badges within it.
	// 0 stands for the output's own bounds.
	Width, Height int
	// Photo says that dst holds the photo itself. Redactions take the colour
	// of what is around them, and insets their pixels from dst where there is
	// no Source.
	Photo bool
	// Source is where insets take their pixels from, and redactions on a
	// transparent dst their colour. nil: such insets show a frame only, and
	// such redactions are grey.
	Source Source
}

// Source returns the pixels of a rectangle of the image, in image pixels and
// not turned, made w×h pixels large: from the original, so that an inset shows
// what is there rather than what the screen has of it. They are already
// redacted; see [Redact]. nil: they are not to be had now.
type Source func(r image.Rectangle, w, h int) *image.RGBA

// Render draws shapes over dst, from the bottom up: redactions, the spotlight,
// tints, insets, strokes cased in white and dark, so that they are seen on any
// ground, measures, words, the flaw's number on a badge beside each, and the
// handles of the selected one. dst may be a photo or transparent; its pixels
// are premultiplied as usual, and the view maps to its coordinates. What is
// highlighted is tinted by multiplying, so that it looks right only where dst
// holds the photo; the rest looks the same on a sheet over it. A mark that is
// not well formed is not drawn, but for redactions: see [Redact].
//
// Nothing depends on where dst begins: a large output may be drawn in parts.
func Render(dst *image.RGBA, shapes []Shape, view View, opts Options) {
	if !dst.Rect.Empty() {
		prepare(shapes, view, opts, dst.Rect).Draw(dst)
	}
}

func corner(p image.Point) qc.Point { return qc.Point{X: float64(p.X), Y: float64(p.Y)} }

// BurnIn returns a copy of img with the shapes drawn on it at its own size, as
// the order page shows it.
func BurnIn(img *image.RGBA, shapes []Shape) *image.RGBA {
	size := img.Rect.Size()
	out := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(out, out.Rect, img, img.Rect.Min, draw.Src)
	Render(out, shapes, View{Scale: 1}, Options{Width: size.X, Height: size.Y, Photo: true})
	return out
}

// UnitOf returns the unit of an output of that size: a thousandth of its
// longer side.
func UnitOf(output image.Rectangle) float64 {
	return max(float64(max(output.Dx(), output.Dy()))/1000, 0.25)
}

func rank(last bool) int {
	if last {
		return 1
	}
	return 0
}

func imageArea(output image.Rectangle, view View, opts Options) bounds {
	if opts.Width <= 0 || opts.Height <= 0 {
		return bounds{float64(output.Min.X), float64(output.Min.Y), float64(output.Max.X), float64(output.Max.Y)}
	}
	from := view.ToScreen(qc.Point{})
	to := view.ToScreen(qc.Point{X: float64(opts.Width), Y: float64(opts.Height)})
	return boundsAround(from, to)
}

// painter draws in output pixels.
type painter struct {
	dst    *image.RGBA
	view   View
	unit   float64
	area   bounds          // the image, in output pixels
	image  image.Rectangle // the same in its own
	photo  bool            // dst holds it
	source Source
	covers []cover // the redactions
}

// casing returns how much wider than the stroke its white and its dark edge
// are, both sides together. They never get so thin that they vanish.
func (p painter) casing() (light, dark float64) {
	light = 2 * max(p.unit, 0.8)
	return light, light + 2*max(p.unit/2, 0.5)
}

func (p painter) strokeOf(st style) float64 { return max(st.stroke*p.unit, 1) }

// within calls paint with a context that covers only area, and with the
// context's origin: a rasteriser costs by its size, not by what is drawn, and
// a photo is far larger than a mark.
func (p painter) within(area bounds, margin float64, paint func(dc *gg.Context, at func(qc.Point) (x, y float64))) {
	limit := p.dst.Rect
	r := image.Rectangle{
		Min: image.Pt(floor(area.x0-margin, limit.Min.X, limit.Max.X), floor(area.y0-margin, limit.Min.Y, limit.Max.Y)),
		Max: image.Pt(floor(area.x1+margin+1, limit.Min.X, limit.Max.X), floor(area.y1+margin+1, limit.Min.Y, limit.Max.Y)),
	}
	if r.Empty() {
		return
	}
	part := &image.RGBA{
		Pix:    p.dst.Pix[p.dst.PixOffset(r.Min.X, r.Min.Y):],
		Stride: p.dst.Stride,
		Rect:   image.Rect(0, 0, r.Dx(), r.Dy()),
	}
	dc := gg.NewContextForRGBA(part)
	dc.SetLineJoinRound()
	dc.SetLineCapRound()
	paint(dc, func(q qc.Point) (float64, float64) { return q.X - float64(r.Min.X), q.Y - float64(r.Min.Y) })
}

// floor rounds down and stays within [low, high], also for values that no
// int holds.
func floor(v float64, low, high int) int {
	return int(math.Floor(min(max(v, float64(low)), float64(high))))
}

func (p painter) mark(s Shape) {
	st, m := styleOf(s.Severity), p.onScreen(s.Mark)
	switch m.Tool {
	case qc.Box:
		p.box(st, boundsOf(m))
	case qc.Highlighter:
		st.stroke = 1.2 // the tint alone is not seen on black
		p.box(st, boundsOf(m))
	case qc.Arrow:
		p.arrow(st, m.Points[0], m.Points[1])
	case qc.Measure:
		p.measure(s, m.Points)
	case qc.Badge, qc.Text, qc.Inset: // have their own turn
	case qc.Spotlight, qc.Redaction: // are no strokes
	default:
		p.course(st, Course(m, 1))
	}
}

// onScreen returns a mark in output pixels.
func (p painter) onScreen(m qc.Mark) qc.Mark { return toScreen(m, p.view) }

func toScreen(m qc.Mark, view View) qc.Mark {
	points := make([]qc.Point, len(m.Points))
	for i, q := range m.Points {
		points[i] = view.ToScreen(q)
	}
	m.Points = points
	return m
}

func (p painter) visible(margin float64) bounds {
	r := p.dst.Rect
	return bounds{float64(r.Min.X) - margin, float64(r.Min.Y) - margin, float64(r.Max.X) + margin, float64(r.Max.Y) + margin}
}

// pass is one of the strokes that lie over each other.
type pass struct {
	width  float64
	colour color.NRGBA
	dashes []float64
}

func (p painter) passes(st style, width, light, dark float64) []pass {
	dashes := make([]float64, len(st.dashes))
	for i, d := range st.dashes {
		dashes[i] = max(d*p.unit, 2)
	}
	return []pass{{width + dark, shadow, nil}, {width + light, white, nil}, {width, st.colour, dashes}}
}

func (s pass) stroke(dc *gg.Context) {
	dc.SetColor(s.colour)
	dc.SetLineWidth(s.width)
	dc.SetDash(s.dashes...)
	if len(s.dashes) > 0 {
		dc.SetLineCapButt()
	}
	dc.Stroke()
	dc.SetLineCapRound()
}

func (p painter) arrow(st style, tail, head qc.Point) {
	width := p.strokeOf(st)
	light, dark := p.casing()
	left, right, base := ArrowHead(tail, head, max(width, 2.4*p.unit))
	area := boundsAround(tail, head, left, right)
	p.within(area, width/2+dark+1, func(dc *gg.Context, at func(qc.Point) (float64, float64)) {
		for _, pass := range p.passes(st, width, light, dark) {
			// One path for both: casings of shaft and head do not cut each other.
			lineTo(dc, at, tail, base)
			pass.stroke(dc)
			lineTo(dc, at, left, head, right)
			dc.ClosePath()
			dc.SetDash()
			dc.SetColor(pass.colour)
			if pass.colour == st.colour {
				dc.Fill()
				continue
			}
			dc.SetLineWidth(pass.width - width)
			if pass.colour == white {
				dc.FillPreserve()
			}
			dc.Stroke()
		}
	})
}

func lineTo(dc *gg.Context, at func(qc.Point) (float64, float64), points ...qc.Point) {
	for i, q := range points {
		x, y := at(q)
		if i == 0 {
			dc.MoveTo(x, y)
		} else {
			dc.LineTo(x, y)
		}
	}
}

// handles are small white discs on what is held by places of its own, and
// squares around what is held by its box. A badge is its own handle, which
// must not hide the number, and gets a ring; so do words. What has no outline of
// its own shows one while it is held.
func (p painter) handles(s Shape, l layout, grip float64) {
	st := styleOf(s.Severity)
	handles, places := Handles(s.Mark)
	switch s.Mark.Tool {
	case qc.Text:
		for i := range l.plates {
			if b := l.plates[i].box; l.plates[i].shown() && l.plates[i].mark == s.Mark.ID {
				off := 6 * p.unit
				p.box(style{colour: st.colour, stroke: 1.5}, bounds{b.x0 - off, b.y0 - off, b.x1 + off, b.y1 + off})
			}
		}
		places = places[min(1, len(places)):]
	case qc.Spotlight, qc.Redaction:
		p.box(style{colour: st.colour, stroke: 1.5, dashes: []float64{8, 6}}, boundsOf(p.onScreen(s.Mark)))
	case qc.Inset:
		for _, f := range l.frames {
			if f.Mark == s.Mark.ID { // also of an inset that has no place of its own yet
				handles = append(slices.Clone(boxHandles[:]), InsetPlace)
				places = append(places[:len(boxHandles)], corner(f.To.Min))
			}
		}
	case qc.Badge:
		b := boundsAround(p.view.ToScreen(s.Mark.Points[0]))
		r := BadgeRadius(p.unit) + 6*p.unit
		p.course(style{colour: st.colour, stroke: 1.5}, facets(bounds{b.x0 - r, b.y0 - r, b.x1 + r, b.y1 + r}, 1))
		places = places[min(1, len(places)):]
	default:
	}
	r := max(5*p.unit, 4, grip)
	handles = handles[len(handles)-len(places):]
	for i, place := range places {
		c := p.view.ToScreen(place)
		for _, layer := range [...]struct {
			grow   float64
			colour color.NRGBA
		}{{1.2 * p.unit, shadow}, {0, black}, {-1.3 * p.unit, white}, {-3 * p.unit, st.colour}} {
			size, round := r+layer.grow, 0.0
			if handles[i] >= Tail {
				round = size
			}
			fill(p.dst, square(c, size), round, bounds{}, layer.colour)
		}
	}
}
