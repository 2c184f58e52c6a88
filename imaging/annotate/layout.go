package annotate

import (
	"image"
	"math"
	"slices"

	"flawmark/app/qc"
)

// Layout is where everything is that Render shows of shapes. Finding that out
// takes about as long as a thousand hits.
type Layout struct {
	shapes []Shape
	view   View
	opts   Options
	places layout
	laid   bool // false: nobody knows where things are shown

	unit  float64
	area  bounds          // the image, in output pixels
	image image.Rectangle // the same in its own
	order []int           // of the shapes that are well formed, the chosen one last
	inks  []inks          // by shape
}

// prepare lays shapes out for an output, which counts only where options do not
// say how large the image and the unit are.
func prepare(shapes []Shape, view View, opts Options, output image.Rectangle) Layout {
	l := Layout{shapes: shapes, view: view, opts: opts, unit: opts.Unit, laid: view.sound()}
	if !(l.unit > 0) {
		l.unit = UnitOf(output)
	}
	l.unit = min(l.unit, 1000)
	w, h := opts.Width, opts.Height
	if l.laid {
		l.area = imageArea(output, view, opts)
		if w <= 0 || h <= 0 {
			b := boundsAround(view.ToImage(corner(output.Min)), view.ToImage(corner(output.Max)))
			w, h = floor(b.x1+0.5, 0, farthest), floor(b.y1+0.5, 0, farthest)
		}
	}
	l.image = image.Rect(0, 0, w, h)
	if !l.laid {
		return l
	}
	for i, s := range shapes {
		if wellFormed(s.Mark) {
			l.order = append(l.order, i)
		}
	}
	slices.SortStableFunc(l.order, func(a, b int) int { return rank(l.chosen(a)) - rank(l.chosen(b)) })
	l.places = lay(shapes, view, l.unit, l.area, w, h)
	l.inks = make([]inks, len(shapes))
	for _, i := range l.order {
		l.inks[i] = l.inksOf(i)
	}
	return l
}

func (l Layout) chosen(i int) bool {
	return l.opts.Selected != "" && l.shapes[i].Mark.ID == l.opts.Selected
}

// painter draws what is laid out.
func (l Layout) painter(dst *image.RGBA) painter {
	return painter{
		dst: dst, view: l.view, unit: l.unit, area: l.area, image: l.image,
		source: l.opts.Source, photo: l.opts.Photo,
	}
}

// Draw is [Render] for what was laid out: many parts of a large output are drawn
// for the price of what touches each. Any number may draw at once on pictures of
// their own.
func (l Layout) Draw(dst *image.RGBA) {
	if dst.Rect.Empty() {
		return
	}
	if !l.laid && l.unit == 0 { // nothing said how large things are
		Render(dst, l.shapes, l.view, l.opts)
		return
	}
	p := l.painter(dst)
	p.redact(l.shapes)
	if !l.laid {
		return
	}
	pictures := make([]*picture, len(l.places.frames))
	for i, f := range l.places.frames {
		pictures[i] = p.take(f, l.places.framed[i])
	}
	p.spotlight(l.shapes)
	for _, i := range l.order {
		if l.shapes[i].Mark.Tool == qc.Highlighter && l.inks[i].stroke.meets(dst.Rect) {
			p.tint(styleOf(l.shapes[i].Severity), boundsOf(p.onScreen(l.shapes[i].Mark)))
		}
	}
	for i, f := range l.places.frames {
		p.inset(l.shapes[f.shape], f, l.places.framed[i], pictures[i])
	}
	for _, i := range l.order {
		if l.inks[i].stroke.meets(dst.Rect) {
			p.mark(l.shapes[i])
		}
	}
	for _, tool := range [...]qc.Tool{qc.Measure, qc.Text} {
		for _, i := range l.order {
			if words := l.places.plates[i]; l.shapes[i].Mark.Tool == tool && words.shown() && l.inks[i].plate.meets(dst.Rect) {
				words.pen = words.pen.another() // each drawing has its own
				p.plate(l.shapes[i], words)
			}
		}
	}
	for i, b := range l.places.badges {
		if b.radius > 0 && l.inks[i].badge.meets(dst.Rect) {
			p.badge(l.shapes[i], b)
		}
	}
	if !l.opts.Handles {
		return
	}
	for _, i := range l.order {
		if l.chosen(i) {
			p.handles(l.shapes[i], l.places, l.opts.Grip)
		}
	}
}

// Covers lists rectangles of output pixels outside of which Draw changes
// nothing: thin ones along strokes, and those of plates, badges, insets, tints
// and redactions. They may overlap and reach out of the image. What a handle
// covers is not listed. A layout that was made without a unit covers everything.
func (l Layout) Covers() []image.Rectangle {
	if !l.laid {
		return []image.Rectangle{everywhere}
	}
	var c coverage
	var marks []qc.Mark
	for _, s := range l.shapes {
		if s.Mark.Tool == qc.Redaction {
			marks = append(marks, s.Mark)
		}
	}
	for _, i := range l.order {
		if l.shapes[i].Mark.Tool == qc.Spotlight {
			c.box(l.area.grown(1))
		}
		c = append(append(append(c, l.inks[i].stroke...), l.inks[i].plate...), l.inks[i].badge...)
	}
	p := l.painter(nil)
	_, dark := p.casing()
	thick := 3*p.unit + dark + 2
	for i, f := range l.places.frames {
		from, to := boundsOf(p.onScreen(l.shapes[f.shape].Mark)), l.places.framed[i]
		c.box(to.grown(thick))
		c.course(thick, Course(qc.Mark{Tool: qc.Box, Points: []qc.Point{{X: from.x0, Y: from.y0}, {X: from.x1, Y: from.y1}}}, 1)...)
		for _, line := range tangents(from, to) {
			c.course(thick, line...)
		}
	}
	for _, r := range covers(marks, l.view) {
		c = append(c, r.r)
	}
	return c
}

// inks are where a shape's parts are drawn.
type inks struct{ stroke, plate, badge coverage }

func (l Layout) inksOf(i int) (out inks) {
	p := l.painter(nil)
	_, dark := p.casing()
	s := l.shapes[i]
	m := p.onScreen(s.Mark)
	width := p.strokeOf(styleOf(s.Severity))
	margin := width/2 + dark + 1
	switch m.Tool {
	case qc.Spotlight, qc.Badge, qc.Text, qc.Redaction, qc.Inset: // are no strokes
	case qc.Highlighter:
		out.stroke.box(boundsOf(m).grown(margin))
	case qc.Arrow:
		left, right, _ := ArrowHead(m.Points[0], m.Points[1], max(width, 2.4*p.unit))
		out.stroke.course(margin, m.Points...)
		out.stroke.box(boundsAround(left, right, m.Points[1]).grown(margin))
	case qc.Measure:
		out.stroke.course(margin, m.Points...)
		for _, end := range []qc.Point{m.Points[0], m.Points[len(m.Points)-1]} {
			out.stroke.box(square(end, 9*p.unit+margin))
		}
	default:
		out.stroke.course(margin, Course(m, 1)...)
	}
	line := 3*p.unit + dark + 2
	if words := l.places.plates[i]; words.shown() {
		out.plate.box(words.box.grown(dark + 1))
		if words.leader {
			out.plate.course(line, words.box.nearestIn(words.to), words.to)
		}
	}
	if b := l.places.badges[i]; b.radius > 0 {
		out.badge.box(square(b.at, b.radius*1.1).grown(dark + 1))
		if b.leader {
			out.badge.course(line, b.at, b.to)
		}
	}
	return out
}

// coverage is rectangles, which may overlap.
type coverage []image.Rectangle

// meets reports whether any of it is in r.
func (c coverage) meets(r image.Rectangle) bool { return slices.ContainsFunc(c, r.Overlaps) }

func (c *coverage) box(b bounds) {
	*c = append(*c, image.Rect(
		floor(b.x0, -farthest, farthest), floor(b.y0, -farthest, farthest),
		floor(math.Ceil(b.x1), -farthest, farthest), floor(math.Ceil(b.y1), -farthest, farthest)))
}

// course covers a line with boxes; a slanting one with many short ones.
func (c *coverage) course(margin float64, points ...qc.Point) {
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		n := 1.0
		if a.X != b.X && a.Y != b.Y {
			n = min(math.Ceil(min(math.Abs(b.X-a.X), math.Abs(b.Y-a.Y))/(8+margin/2)), 4096)
		}
		for k := range int(max(n, 1)) {
			at := func(t float64) qc.Point { return qc.Point{X: a.X + (b.X-a.X)*t, Y: a.Y + (b.Y-a.Y)*t} }
			c.box(boundsAround(at(float64(k)/n), at(float64(k+1)/n)).grown(margin))
		}
	}
}
