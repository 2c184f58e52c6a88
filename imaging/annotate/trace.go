package annotate

import (
	"slices"

	"flawmark/app/qc"
)

// Traced returns the points of a freehand mark from the way of a hand, clamped
// to a w×h image and without what is seen by nobody: no place of the way is
// farther than tolerance from the trace (Douglas–Peucker), unless it would
// have more than [qc.MaxPoints]. A trace whose ends are no farther apart than
// closing ends where it began. Lengths are image pixels. It is not ok when
// there is nothing to see.
func Traced(way []qc.Point, tolerance, closing float64, w, h int) (points []qc.Point, ok bool) {
	trail := make([]qc.Point, 0, len(way)+1)
	for _, p := range way {
		if p = inside(p, w, h); len(trail) == 0 || trail[len(trail)-1] != p {
			trail = append(trail, p)
		}
	}
	if len(trail) < 2 {
		return nil, false
	}
	first := trail[0]
	if last := trail[len(trail)-1]; last != first && distance(first, last) <= closing && loops(trail, closing) {
		trail = append(trail, first)
	}
	for tolerance = max(tolerance, 0); ; tolerance = max(2*tolerance, 0.01) {
		if points = simplified(trail, tolerance); len(points) <= qc.MaxPoints {
			return points, len(points) >= 2
		}
	}
}

// loops reports whether a trail went away far enough for its ends to have met
// again: a short stroke is no loop.
func loops(trail []qc.Point, closing float64) bool {
	return slices.ContainsFunc(trail, func(p qc.Point) bool { return distance(p, trail[0]) > 2*closing })
}

// simplified keeps the ends of a trail and of what is between them as few as
// the tolerance allows.
func simplified(trail []qc.Point, tolerance float64) []qc.Point {
	keep := make([]bool, len(trail))
	keep[0], keep[len(trail)-1] = true, true
	parts := [][2]int{{0, len(trail) - 1}}
	for len(parts) > 0 {
		from, to := parts[len(parts)-1][0], parts[len(parts)-1][1]
		parts = parts[:len(parts)-1]
		far, most := from, tolerance
		for i := from + 1; i < to; i++ {
			if d := distance(trail[i], onSegment(trail[i], trail[from], trail[to])); d > most {
				far, most = i, d
			}
		}
		if far != from {
			keep[far] = true
			parts = append(parts, [2]int{from, far}, [2]int{far, to})
		}
	}
	var points []qc.Point
	for i, p := range trail {
		if keep[i] {
			points = append(points, p)
		}
	}
	return points
}

// Enclosed returns the points of a polygon from its corners in order, clamped
// to a w×h image, each corner once. It is not ok when they enclose nothing or
// are more than [qc.MaxPoints].
func Enclosed(corners []qc.Point, w, h int) (points []qc.Point, ok bool) {
	for _, p := range corners {
		if p = inside(p, w, h); len(points) == 0 || points[len(points)-1] != p {
			points = append(points, p)
		}
	}
	if n := len(points); n > 1 && points[0] == points[n-1] {
		points = points[:n-1]
	}
	form, _ := qc.Polygon.Form()
	if !form.Fits(len(points)) {
		return points, false
	}
	flat := true
	for _, p := range points[2:] {
		a, b := points[0], points[1]
		flat = flat && (b.X-a.X)*(p.Y-a.Y) == (b.Y-a.Y)*(p.X-a.X)
	}
	return points, !flat
}
