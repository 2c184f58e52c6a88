package annotate

import (
	"image"
	"math"
	"slices"

	"flawmark/app/qc"
)

// Hit finds what is at a place of the image. radius is the tolerance in image
// pixels. The selected shape's handles come first, then words, outlines, the
// topmost (last) shape first, then the inside of the selected one, then what is
// filled: a tint or a redaction. The inside of any other mark does not hit, so
// that a box can be drawn within a box.
//
// How large words are is taken from radius, which is 12 units then. [HitOn]
// knows it exactly, and where insets and measures' labels are shown.
func Hit(shapes []Shape, selected qc.MarkID, at qc.Point, radius float64) (id qc.MarkID, handle Handle, ok bool) {
	unit := radius / 12
	return hit(shapes, selected, at, radius, func(i int) bool {
		s := shapes[i]
		if s.Mark.Tool != qc.Text || !(unit > 0) {
			return false
		}
		words := newPlate(newPen(boldFont, textSize(unit)), s.Mark.Text, textWidth*1000*unit)
		p := s.Mark.Points[0]
		return at.X >= p.X && at.Y >= p.Y && at.X <= p.X+words.box.x1 && at.Y <= p.Y+words.box.y1
	})
}

// HitOn is [Hit] for what [Render] shows with a view and options on a w×h
// image, which options hold: words and measures' labels are hit where they are,
// and an inset where it is shown, as its [InsetPlace]. Of an inset that has not
// been placed by hand that handle is at the top left of its [Frame]. radius is
// in image pixels.
func HitOn(shapes []Shape, selected qc.MarkID, at qc.Point, radius float64, view View, opts Options) (id qc.MarkID, handle Handle, ok bool) {
	return Lay(shapes, view, opts).Hit(selected, at, radius)
}

// Lay returns where Render shows shapes with a view and options on a w×h
// image, which options hold. The shapes are not to be changed afterwards.
func Lay(shapes []Shape, view View, opts Options) Layout {
	if !(opts.Unit > 0) {
		return Layout{shapes: shapes, view: view, opts: opts}
	}
	return prepare(shapes, view, opts, image.Rectangle{})
}

// Hit is [HitOn] for what was laid out.
func (l Layout) Hit(selected qc.MarkID, at qc.Point, radius float64) (id qc.MarkID, handle Handle, ok bool) {
	if !l.laid {
		return Hit(l.shapes, selected, at, radius)
	}
	shown, reach := l.view.ToScreen(at), radius*l.view.Scale
	on := func(b bounds) bool {
		return shown.X >= b.x0 && shown.X <= b.x1 && shown.Y >= b.y0 && shown.Y <= b.y1
	}
	id, handle, ok = hit(l.shapes, selected, at, radius, func(i int) bool {
		return l.places.plates[i].shown() && on(l.places.plates[i].box)
	})
	if ok && handle != Body {
		return id, handle, ok
	}
	for i, f := range slices.Backward(l.places.frames) {
		b := l.places.framed[i]
		edge := on(b.grown(reach/2)) && !on(b.grown(-reach/2))
		if f.Mark != "" && (edge || !ok && on(b)) {
			return f.Mark, InsetPlace, true
		}
	}
	return id, handle, ok
}

// hit finds a mark by its handles, its outline or its inside; labelled tells
// whether words that belong to a mark are at the place.
func hit(shapes []Shape, selected qc.MarkID, at qc.Point, radius float64, labelled func(i int) bool) (id qc.MarkID, handle Handle, ok bool) {
	if math.IsNaN(at.X + at.Y) {
		return "", Body, false
	}
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
	for i, shape := range slices.Backward(shapes) {
		if OnOutline(shape.Mark, at, radius) || wellFormed(shape.Mark) && labelled(i) {
			return shape.Mark.ID, Body, true
		}
	}
	if chosen != nil && contains(*chosen, at) {
		return chosen.ID, Body, true
	}
	for _, shape := range slices.Backward(shapes) {
		filled := shape.Mark.Tool == qc.Highlighter || shape.Mark.Tool == qc.Redaction
		if filled && wellFormed(shape.Mark) && contains(shape.Mark, at) {
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
	if (m.Tool == qc.Badge || m.Tool == qc.Text) && distance(at, m.Points[0]) <= 1.5*radius {
		return true
	}
	b := boundsOf(m)
	if at.X < b.x0-radius || at.X > b.x1+radius || at.Y < b.y0-radius || at.Y > b.y1+radius {
		return false
	}
	_, off := nearest(Course(m, 1), at)
	return off <= radius
}
