package annotate

import (
	"math"
	"slices"

	"flawmark/app/qc"
)

// bendable reports whether a mark has corners of which there may be more or
// fewer.
func bendable(m qc.Mark) bool {
	return wellFormed(m) && (m.Tool == qc.Polygon || m.Tool == qc.Measure)
}

// InsertCorner returns m with one more corner, put at a place between those of
// the nearest edge, and the handle that drags it. It is not ok when m is
// neither a polygon nor a measure, or has as many corners as it may have.
func InsertCorner(m qc.Mark, at qc.Point) (bent qc.Mark, corner Handle, ok bool) {
	form, _ := m.Tool.Form()
	if !bendable(m) || !form.Fits(len(m.Points)+1) || math.IsNaN(at.X+at.Y) || math.IsInf(at.X+at.Y, 0) {
		return m, Body, false
	}
	course := Course(m, 1)
	edge, best := 1, math.Inf(1)
	for i := 1; i < len(course); i++ {
		if d := distance(at, onSegment(at, course[i-1], course[i])); d < best {
			edge, best = i, d
		}
	}
	m.Points = slices.Insert(slices.Clone(m.Points), edge, at)
	return m, Vertex + Handle(edge), true
}

// RemoveCorner returns m without its i-th corner. It is not ok when m is
// neither a polygon nor a measure, has no such corner, or needs it.
func RemoveCorner(m qc.Mark, i int) (straighter qc.Mark, ok bool) {
	form, _ := m.Tool.Form()
	if !bendable(m) || i < 0 || i >= len(m.Points) || !form.Fits(len(m.Points)-1) {
		return m, false
	}
	m.Points = slices.Delete(slices.Clone(m.Points), i, i+1)
	return m, true
}

// Stretch returns m made larger by (dx, dy) image pixels as by a drag of its
// bottom right corner, its top left corner staying, within a w×h image and
// never smaller than a pixel: sizing by keys. What has no box has its last
// place moved instead, and a badge or words without a leader do not change.
func Stretch(m qc.Mark, dx, dy float64, w, h int) qc.Mark {
	if !wellFormed(m) {
		return m
	}
	b := boundsOf(m)
	grown := func(from, to, by float64) float64 {
		if to-from+by < 1 || math.IsNaN(by) {
			return min(to, from+1)
		}
		return to + by
	}
	switch {
	case Cornered(m.Tool) || m.Tool == qc.Freehand:
		return Drag(m, BottomRight, qc.Point{X: grown(b.x0, b.x1, dx), Y: grown(b.y0, b.y1, dy)}, false, w, h)
	case m.Tool == qc.Polygon:
		return stretched(m, BottomRight, inside(qc.Point{X: grown(b.x0, b.x1, dx), Y: grown(b.y0, b.y1, dy)}, w, h), false, w, h)
	case len(m.Points) > 1:
		last := m.Points[len(m.Points)-1]
		m.Points = slices.Clone(m.Points)
		m.Points[len(m.Points)-1] = inside(qc.Point{X: last.X + dx, Y: last.Y + dy}, w, h)
	}
	return m
}

// Within returns the marks that lie wholly in the rectangle between two
// corners, in the order of shapes: those that are caught in a frame drawn
// around them. Where an inset is shown does not count, but what it enlarges.
func Within(shapes []Shape, corner, opposite qc.Point) []qc.MarkID {
	frame := boundsAround(corner, opposite)
	var caught []qc.MarkID
	for _, s := range shapes {
		if !wellFormed(s.Mark) {
			continue
		}
		if b := boundsOf(s.Mark); b.x0 >= frame.x0 && b.y0 >= frame.y0 && b.x1 <= frame.x1 && b.y1 <= frame.y1 {
			caught = append(caught, s.Mark.ID)
		}
	}
	return caught
}
