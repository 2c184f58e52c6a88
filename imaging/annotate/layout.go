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
	reach []bounds        // by shape: what its stroke cannot leave
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
	l.reach = make([]bounds, len(shapes))
	most := l.strokeReach()
	for i, s := range shapes {
		if wellFormed(s.Mark) {
			l.order = append(l.order, i)
			l.reach[i] = boundsOf(toScreen(s.Mark, view)).grown(most)
		}
	}
	slices.SortStableFunc(l.order, func(a, b int) int { return rank(l.chosen(a)) - rank(l.chosen(b)) })
	l.places = lay(shapes, view, l.unit, l.area, w, h)
	return l
}

// strokeReach is how far from its course a stroke reaches at most: with its
// casing, an arrow's head, the ticks of a tape.
func (l Layout) strokeReach() float64 { return 20*l.unit + 8 }

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
	seen := pixelBounds(dst.Rect)
	pictures := make([]*picture, len(l.places.frames))
	for i, f := range l.places.frames {
		pictures[i] = p.take(f, l.places.framed[i])
	}
	p.spotlight(l.shapes)
	for _, i := range l.order {
		if l.shapes[i].Mark.Tool == qc.Highlighter && seen.meets(l.reach[i]) {
			p.tint(styleOf(l.shapes[i].Severity), boundsOf(p.onScreen(l.shapes[i].Mark)))
		}
	}
	for i, f := range l.places.frames {
		p.inset(l.shapes[f.shape], f, l.places.framed[i], pictures[i])
	}
	for _, i := range l.order {
		if seen.meets(l.reach[i]) {
			p.mark(l.shapes[i])
		}
	}
	for _, tool := range [...]qc.Tool{qc.Measure, qc.Text} {
		for _, i := range l.order {
			if words := l.places.plates[i]; l.shapes[i].Mark.Tool == tool && words.shown() && seen.meets(l.plateReach(words)) {
				words.pen = words.pen.another() // each drawing has its own
				p.plate(l.shapes[i], words)
			}
		}
	}
	for i, b := range l.places.badges {
		if b.radius > 0 && seen.meets(l.badgeReach(b)) {
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

// plateReach and badgeReach are what words and numbers with their leaders cannot
// leave.
func (l Layout) plateReach(words plate) bounds {
	b := words.box
	if words.leader {
		b = b.with(words.to)
	}
	return b.grown(l.strokeReach())
}

func (l Layout) badgeReach(b badge) bounds {
	r := square(b.at, b.radius)
	if b.leader {
		r = r.with(b.to)
	}
	return r.grown(l.strokeReach())
}

// meets reports whether two boxes have a place in common.
func (b bounds) meets(o bounds) bool {
	return b.x0 <= o.x1 && b.x1 >= o.x0 && b.y0 <= o.y1 && b.y1 >= o.y0
}

// with returns the box around b and a place.
func (b bounds) with(p qc.Point) bounds {
	return bounds{min(b.x0, p.X), min(b.y0, p.Y), max(b.x1, p.X), max(b.y1, p.Y)}
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
	p := l.painter(image.NewRGBA(image.Rectangle{}))
	_, dark := p.casing()
	var marks []qc.Mark
	for i, s := range l.shapes {
		if s.Mark.Tool == qc.Redaction {
			marks = append(marks, s.Mark)
		}
		if !wellFormed(s.Mark) {
			continue
		}
		m := p.onScreen(s.Mark)
		margin := p.strokeOf(styleOf(s.Severity))/2 + dark + 1
		switch m.Tool {
		case qc.Spotlight:
			c.box(l.area.grown(1))
		case qc.Highlighter:
			c.box(boundsOf(m).grown(margin))
		case qc.Badge, qc.Text, qc.Redaction, qc.Inset: // below
		case qc.Arrow:
			left, right, _ := ArrowHead(m.Points[0], m.Points[1], max(p.strokeOf(styleOf(s.Severity)), 2.4*p.unit))
			c.course(margin, m.Points[0], m.Points[1])
			c.box(boundsAround(left, right, m.Points[1]).grown(margin))
		case qc.Measure:
			c.course(margin, m.Points...)
			for _, end := range []qc.Point{m.Points[0], m.Points[len(m.Points)-1]} {
				c.box(square(end, 9*p.unit+margin))
			}
		default:
			c.course(margin, Course(m, 1)...)
		}
		if words := l.places.plates[i]; words.shown() {
			c.box(words.box.grown(dark + 1))
			if words.leader {
				c.course(3*p.unit+dark+2, words.box.nearestIn(words.to), words.to)
			}
		}
	}
	for _, b := range l.places.badges {
		if b.radius > 0 {
			c.box(square(b.at, b.radius*1.1).grown(dark + 1))
			if b.leader {
				c.course(3*p.unit+dark+2, b.at, b.to)
			}
		}
	}
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
		c.list = append(c.list, r.r)
	}
	return c.list
}

// coverage gathers rectangles.
type coverage struct{ list []image.Rectangle }

func (c *coverage) box(b bounds) {
	c.list = append(c.list, image.Rect(
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
