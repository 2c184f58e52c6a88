package annotate

import (
	"math"
	"slices"

	"flawmark/app/qc"
)

// Hit finds what is at a place of the image. radius is the tolerance in image
// pixels. The selected shape's handles come first, then outlines, the topmost
// (last) shape first, then the inside of the selected one, then what is
// tinted. The inside of any other mark does not hit, so that a box can be
// drawn within a box.
func Hit(shapes []Shape, selected qc.MarkID, at qc.Point, radius float64) (id qc.MarkID, handle Handle, ok bool) {
	var chosen *qc.Mark
	for i := range shapes {
		if selected != "" && shapes[i].Mark.ID == selected && wellFormed(shapes[i].Mark) {
			chosen = &shapes[i].Mark
		}
	}
	if chosen != nil {
		if handle, ok := hitHandle(*chosen, at, radius); ok {
			return chosen.ID, handle, true
		}
	}
	for _, shape := range slices.Backward(shapes) {
		if OnOutline(shape.Mark, at, radius) {
			return shape.Mark.ID, Body, true
		}
	}
	if chosen != nil && contains(*chosen, at) {
		return chosen.ID, Body, true
	}
	for _, shape := range slices.Backward(shapes) {
		if shape.Mark.Tool == qc.Highlighter && wellFormed(shape.Mark) && contains(shape.Mark, at) {
			return shape.Mark.ID, Body, true
		}
	}
	return "", Body, false
}

// hitHandle returns the nearest handle within reach. Towards the inside the
// reach is at most a quarter of the mark, so that a small mark can still be
// taken by its middle.
func hitHandle(m qc.Mark, at qc.Point, radius float64) (Handle, bool) {
	handles, places := Handles(m)
	if handles == nil {
		return Body, false
	}
	b := boundsOf(m)
	reach := radius
	if handles[0] == Tail {
		reach = min(radius, math.Hypot(b.x1-b.x0, b.y1-b.y0)/3)
		if d := distance(at, onSegment(at, m.Points[0], m.Points[1])); d > reach {
			reach = radius // beside the mark nothing competes with its ends
		}
	} else if at.X > b.x0 && at.X < b.x1 && at.Y > b.y0 && at.Y < b.y1 {
		reach = min(radius, min(b.x1-b.x0, b.y1-b.y0)/4)
	}
	nearest, best := Body, math.Inf(1)
	for i, p := range places {
		d := math.Hypot(at.X-p.X, at.Y-p.Y)
		// A corner wins over the middle of a side that is as near.
		if dx, dy := handles[i].side(); dx != 0 && dy != 0 {
			d -= 1e-9
		}
		if d < best {
			nearest, best = handles[i], d
		}
	}
	return nearest, best <= reach
}

// OnOutline reports whether a place is no farther than radius from the line
// that a mark is drawn along. A badge is larger than its place: half as far
// again is still on it.
func OnOutline(m qc.Mark, at qc.Point, radius float64) bool {
	if !wellFormed(m) {
		return false
	}
	if m.Tool == qc.Badge && distance(at, m.Points[0]) <= 1.5*radius {
		return true
	}
	b := boundsOf(m)
	if at.X < b.x0-radius || at.X > b.x1+radius || at.Y < b.y0-radius || at.Y > b.y1+radius {
		return false
	}
	_, off := nearest(Course(m, 1), at)
	return off <= radius
}
