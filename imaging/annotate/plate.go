package annotate

import (
	"image/color"
	"math"

	"github.com/fogleman/gg"

	"flawmark/app/qc"
)

// The height of capitals of words on a photo, in units, and the least in
// output pixels that can be read.
const (
	textCap      = 28.0
	leastCap     = 9.0
	textWidth    = 0.4 // of the output, before words are broken
	plateBorder  = 2.2 // units
	platePadding = 0.34
)

// textSize returns the size of the em of words on a photo.
func textSize(unit float64) float64 { return max(textCap*unit, leastCap) / capHeight }

// plate is a block of words on a ground of its own, in output pixels.
type plate struct {
	mark  qc.MarkID
	box   bounds // without its casing
	lines []string
	pen   *pen
	to    qc.Point // the place that it belongs to
	// leader: a line leads there from the plate.
	leader bool
}

// shown reports whether there is a plate at all.
func (l plate) shown() bool { return l.pen != nil }

// newPlate sets words; its box has its size and lies at the origin.
func newPlate(p *pen, text string, limit float64) plate {
	lines, width := p.set(text, limit)
	pad := platePadding * p.size
	height := (float64(len(lines)-1)*leading + capHeight) * p.size
	return plate{box: bounds{0, 0, max(width, p.size) + 2*pad, height + 2*pad}, lines: lines, pen: p}
}

// at returns the plate with its top left corner at a place, or as near as an
// area allows.
func (l plate) at(x, y float64, area bounds, casing float64) plate {
	w, h := l.box.x1-l.box.x0, l.box.y1-l.box.y0
	x = clampTo(x+w/2, area.x0+casing+w/2, area.x1-casing-w/2) - w/2
	y = clampTo(y+h/2, area.y0+casing+h/2, area.y1-casing-h/2) - h/2
	l.box = bounds{x, y, x + w, y + h}
	return l
}

// corner returns where the top left corner goes of words that begin at a place
// of the image. Where the image is turned they are upright and cover about the
// same of it: their middle stays.
func (l plate) corner(at qc.Point, turn int) qc.Point {
	w, h := l.box.x1-l.box.x0, l.box.y1-l.box.y0
	middle := View{Scale: 1, OffsetX: at.X, OffsetY: at.Y, Turn: turn}.ToScreen(qc.Point{X: w / 2, Y: h / 2})
	return qc.Point{X: middle.X - w/2, Y: middle.Y - h/2}
}

// nearestIn returns the place in an area that is nearest to a point.
func (b bounds) nearestIn(p qc.Point) qc.Point {
	return qc.Point{X: min(max(p.X, b.x0), b.x1), Y: min(max(p.Y, b.y0), b.y1)}
}

// plate draws words: dark on white in a border of the severity's colour, or a
// measure in the severity's ink on its colour. Both have the casing of strokes
// around them.
func (p painter) plate(s Shape, l plate) {
	st := styleOf(s.Severity)
	light, dark := p.casing()
	if l.leader {
		p.leader(st, l.box.nearestIn(l.to), l.to, true)
	}
	border := max(plateBorder*p.unit, 1)
	ground, ink := white, black
	if s.Mark.Tool == qc.Measure {
		ground, ink = st.colour, Ink(s.Severity)
	}
	round := 0.22 * l.pen.size
	for _, layer := range []struct {
		grow   float64
		colour color.NRGBA
	}{{dark / 2, shadow}, {light / 2, white}, {0, st.colour}, {-border, ground}} {
		fill(p.dst, l.box.grown(layer.grow), round+layer.grow, bounds{}, layer.colour)
	}
	pad := platePadding * l.pen.size
	for i, line := range l.lines {
		x, y := l.box.x0+pad, l.box.y0+pad+(capHeight+float64(i)*leading)*l.pen.size
		if y < float64(p.dst.Rect.Min.Y)-l.pen.size || y > float64(p.dst.Rect.Max.Y)+l.pen.size {
			continue
		}
		l.pen.write(p.dst, line, x, y, ink)
	}
}

// leader draws a line from what stands off to the place that it belongs to,
// with a dot there if nothing else marks it.
func (p painter) leader(st style, from, to qc.Point, dot bool) {
	light, dark := p.casing()
	width := max(1.5*p.unit, 1)
	p.within(boundsAround(from, to), 3*p.unit+dark+2, func(dc *gg.Context, at func(qc.Point) (float64, float64)) {
		for _, pass := range p.passes(style{colour: st.colour}, width, light, dark) {
			lineTo(dc, at, from, to)
			pass.stroke(dc)
			if dot {
				x, y := at(to)
				dc.DrawCircle(x, y, 2.5*p.unit+pass.width/2)
				dc.SetColor(pass.colour)
				dc.Fill()
			}
		}
	})
}

// measure draws a tape: a thin solid line, so that it is read exactly, and
// across its ends short ticks.
func (p painter) measure(s Shape, points []qc.Point) {
	st := measured(s.Severity)
	p.course(st, points)
	n := len(points)
	for _, end := range [...][2]qc.Point{{points[0], points[1]}, {points[n-1], points[n-2]}} {
		if tick := ticked(end[0], end[1], 9*p.unit); tick != nil {
			p.course(st, tick)
		}
	}
}

func measured(severity qc.Severity) style {
	return style{colour: styleOf(severity).colour, stroke: 2.2}
}

// ticked returns the line across the end of a tape, half as long as given to
// each side.
func ticked(end, before qc.Point, half float64) []qc.Point {
	length := distance(end, before)
	if length == 0 {
		return nil
	}
	nx, ny := (before.Y-end.Y)/length*half, (end.X-before.X)/length*half
	return []qc.Point{{X: end.X - nx, Y: end.Y - ny}, {X: end.X + nx, Y: end.Y + ny}}
}

// midway returns the middle of a line along its length, and its direction
// there.
func midway(course []qc.Point) (middle, direction qc.Point) {
	whole := 0.0
	for i := 1; i < len(course); i++ {
		whole += distance(course[i-1], course[i])
	}
	along := 0.0
	for i := 1; i < len(course); i++ {
		a, b := course[i-1], course[i]
		length := distance(a, b)
		if length > 0 && along+length >= whole/2 {
			t := (whole/2 - along) / length
			return qc.Point{X: a.X + (b.X-a.X)*t, Y: a.Y + (b.Y-a.Y)*t}, qc.Point{X: (b.X - a.X) / length, Y: (b.Y - a.Y) / length}
		}
		along += length
	}
	return course[0], qc.Point{X: 1}
}

// besideTape lists places for the middle of a measure's plate of that size, the
// best first: over and under the middle of the tape, farther off, beyond its
// ends.
func besideTape(course []qc.Point, w, h, gap float64) []candidate {
	middle, along := midway(course)
	nx, ny := along.Y, -along.X
	if ny > 0 || ny == 0 && nx < 0 { // first upwards, of an upright tape to the right
		nx, ny = -nx, -ny
	}
	off := math.Abs(nx)*w/2 + math.Abs(ny)*h/2 + gap
	var list []candidate
	for ring, by := range [...]float64{off, off + 2*h} {
		for i, side := range [...]float64{1, -1} {
			at := qc.Point{X: middle.X + side*nx*by, Y: middle.Y + side*ny*by}
			list = append(list, candidate{at: at, to: middle, leader: ring > 0, cost: float64(i)*0.1 + 1.5*float64(ring)})
		}
	}
	n := len(course)
	for i, end := range [...][2]qc.Point{{course[n-1], course[n-2]}, {course[0], course[1]}} {
		length := distance(end[0], end[1])
		if length == 0 {
			continue
		}
		dx, dy := (end[0].X-end[1].X)/length, (end[0].Y-end[1].Y)/length
		by := math.Abs(dx)*w/2 + math.Abs(dy)*h/2 + 2*gap
		list = append(list, candidate{at: qc.Point{X: end[0].X + dx*by, Y: end[0].Y + dy*by}, to: end[0], cost: 0.4 + 0.1*float64(i)})
	}
	return list
}
