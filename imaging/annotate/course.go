package annotate

import (
	"math"
	"slices"

	"flawmark/app/qc"
)

// Cornered reports whether the marks of a tool are given by two opposite
// corners. An inset may have a third point, which is no corner.
func Cornered(tool qc.Tool) bool {
	switch tool {
	case qc.Box, qc.Ellipse, qc.Highlighter, qc.Inset, qc.Spotlight, qc.Redaction:
		return true
	default:
		return false
	}
}

// Closed reports whether a mark encloses an area. A trace does when it ends
// where it began.
func Closed(m qc.Mark) bool {
	if n := len(m.Points); m.Tool == qc.Freehand {
		return n > 3 && m.Points[0] == m.Points[n-1]
	}
	form, _ := m.Tool.Form()
	return form.Closed
}

// farthest is how far from the image's origin a mark may be: far more than any
// photo is large, and little enough for sums and squares of it to be exact.
const farthest = 1e7

func wellFormed(m qc.Mark) bool {
	if form, ok := m.Tool.Form(); !ok || !form.Fits(len(m.Points)) {
		return false
	}
	for _, p := range m.Points {
		if !(math.Abs(p.X) <= farthest && math.Abs(p.Y) <= farthest) { // nor is NaN
			return false
		}
	}
	return true
}

// Course returns the line that a well-formed mark is drawn along, in the
// mark's own space; a closed one ends where it began. An ellipse becomes short
// straight pieces that are off by less than a tenth of a unit of an output
// with that many units a pixel. The points are not to be changed.
func Course(m qc.Mark, scale float64) []qc.Point {
	switch {
	case m.Tool == qc.Ellipse:
		return facets(boundsOf(m), scale)
	case Cornered(m.Tool):
		b := boundsOf(m)
		return []qc.Point{{X: b.x0, Y: b.y0}, {X: b.x1, Y: b.y0}, {X: b.x1, Y: b.y1}, {X: b.x0, Y: b.y1}, {X: b.x0, Y: b.y0}}
	case m.Tool == qc.Polygon:
		return append(slices.Clip(m.Points), m.Points[0])
	default:
		return m.Points
	}
}

func facets(b bounds, scale float64) []qc.Point {
	rx, ry := (b.x1-b.x0)/2, (b.y1-b.y0)/2
	// A piece that spans the angle 2π/n is off by r·(1-cos(π/n)) at most.
	n := int(min(max(math.Ceil(math.Pi*math.Sqrt(5*max(rx, ry)*scale)), 16), 4096))
	points := make([]qc.Point, n+1)
	for i := range points {
		sin, cos := math.Sincos(float64(i%n) * 2 * math.Pi / float64(n))
		points[i] = qc.Point{X: b.x0 + rx*(1+cos), Y: b.y0 + ry*(1+sin)}
	}
	return points
}

// contains reports whether a place is within a closed mark.
func contains(m qc.Mark, at qc.Point) bool {
	b := boundsOf(m)
	if !Closed(m) || at.X < b.x0 || at.X > b.x1 || at.Y < b.y0 || at.Y > b.y1 {
		return false
	}
	switch m.Tool {
	case qc.Box, qc.Highlighter, qc.Inset, qc.Spotlight, qc.Redaction:
		return true
	case qc.Ellipse:
		rx, ry := (b.x1-b.x0)/2, (b.y1-b.y0)/2
		if rx == 0 || ry == 0 {
			return true
		}
		return math.Hypot((at.X-b.x0-rx)/rx, (at.Y-b.y0-ry)/ry) <= 1
	default:
		within := false
		for i, p := range m.Points {
			q := m.Points[(i+len(m.Points)-1)%len(m.Points)]
			if (p.Y > at.Y) != (q.Y > at.Y) && at.X < p.X+(q.X-p.X)*(at.Y-p.Y)/(q.Y-p.Y) {
				within = !within
			}
		}
		return within
	}
}

// nearest returns the place on a course that is nearest to at, and how far it
// is.
func nearest(course []qc.Point, at qc.Point) (place qc.Point, off float64) {
	off = math.Inf(1)
	for i, b := range course {
		p := onSegment(at, course[max(i-1, 0)], b)
		if d := distance(p, at); d < off {
			place, off = p, d
		}
	}
	return place, off
}

// onSegment returns the place between a and b that is nearest to p.
func onSegment(p, a, b qc.Point) qc.Point {
	dx, dy := b.X-a.X, b.Y-a.Y
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = min(max(((p.X-a.X)*dx+(p.Y-a.Y)*dy)/l, 0), 1)
	}
	return qc.Point{X: a.X + t*dx, Y: a.Y + t*dy}
}

func distance(a, b qc.Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

// bounds are the sides of a rectangle in image pixels, x0 ≤ x1 and y0 ≤ y1.
type bounds struct{ x0, y0, x1, y1 float64 }

// boundsOf returns the box around a mark's points, of which there is at least
// one. Where an inset is shown does not count.
func boundsOf(m qc.Mark) bounds {
	if m.Tool == qc.Inset && len(m.Points) > 2 {
		return boundsAround(m.Points[:2]...)
	}
	return boundsAround(m.Points...)
}

func boundsAround(points ...qc.Point) bounds {
	b := bounds{points[0].X, points[0].Y, points[0].X, points[0].Y}
	for _, p := range points[1:] {
		b = bounds{min(b.x0, p.X), min(b.y0, p.Y), max(b.x1, p.X), max(b.y1, p.Y)}
	}
	return b
}
