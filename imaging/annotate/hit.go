package annotate

import (
	"math"
	"slices"

	"flawmark/app/qc"
)

// Hit finds what is at a place of the image. radius is the tolerance in image
// pixels. The selected shape's handles come first, then outlines, the topmost
// (last) shape first, then the inside of the selected box. The inside of any
// other box does not hit, so that a box can be drawn within a box.
func Hit(shapes []Shape, selected qc.MarkID, at qc.Point, radius float64) (id qc.MarkID, handle Handle, ok bool) {
	var chosen *qc.Mark
	for i := range shapes {
		if selected != "" && shapes[i].Mark.ID == selected && len(shapes[i].Mark.Points) == 2 {
			chosen = &shapes[i].Mark
		}
	}
	if chosen != nil {
		if handle, ok := hitHandle(*chosen, at, radius); ok {
			return chosen.ID, handle, true
		}
	}
	for _, shape := range slices.Backward(shapes) {
		if onOutline(shape.Mark, at, radius) {
			return shape.Mark.ID, Body, true
		}
	}
	if chosen != nil && chosen.Tool == qc.Box {
		b := boundsOf(*chosen)
		if at.X >= b.x0 && at.X <= b.x1 && at.Y >= b.y0 && at.Y <= b.y1 {
			return chosen.ID, Body, true
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
	if m.Tool == qc.Arrow {
		reach = min(radius, math.Hypot(b.x1-b.x0, b.y1-b.y0)/3)
		if d := distanceToSegment(at, m.Points[0], m.Points[1]); d > reach {
			reach = radius // beside the arrow nothing competes with its ends
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

func onOutline(m qc.Mark, at qc.Point, radius float64) bool {
	if len(m.Points) != 2 {
		return false
	}
	if m.Tool == qc.Arrow {
		return distanceToSegment(at, m.Points[0], m.Points[1]) <= radius
	}
	b := boundsOf(m)
	outX := max(b.x0-at.X, at.X-b.x1) // below 0: so far within
	outY := max(b.y0-at.Y, at.Y-b.y1)
	if outX > 0 || outY > 0 {
		return math.Hypot(max(outX, 0), max(outY, 0)) <= radius
	}
	return -max(outX, outY) <= radius
}

func distanceToSegment(p, a, b qc.Point) float64 {
	dx, dy := b.X-a.X, b.Y-a.Y
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = min(max(((p.X-a.X)*dx+(p.Y-a.Y)*dy)/l, 0), 1)
	}
	return math.Hypot(p.X-a.X-t*dx, p.Y-a.Y-t*dy)
}
