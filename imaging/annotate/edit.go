package annotate

import (
	"math"

	"flawmark/app/qc"
)

// Normalise returns m with a box's points as top left, then bottom right. An
// arrow keeps its direction.
func Normalise(m qc.Mark) qc.Mark {
	if m.Tool == qc.Box && len(m.Points) == 2 {
		b := boundsOf(m)
		m.Points = []qc.Point{{X: b.x0, Y: b.y0}, {X: b.x1, Y: b.y1}}
	}
	return m
}

// Move returns m moved by (dx, dy) image pixels, or as far as it can go
// without leaving a w×h image. Its size is kept.
func Move(m qc.Mark, dx, dy float64, w, h int) qc.Mark {
	if len(m.Points) != 2 {
		return m
	}
	b := boundsOf(m)
	dx = within(dx, -b.x0, float64(w)-b.x1)
	dy = within(dy, -b.y0, float64(h)-b.y1)
	points := make([]qc.Point, len(m.Points))
	for i, p := range m.Points {
		points[i] = inside(qc.Point{X: p.X + dx, Y: p.Y + dy}, w, h)
	}
	m.Points = points
	return m
}

func within(v, low, high float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return max(min(v, high), low)
}

// Drag returns m with one handle pulled to a place, clamped to a w×h image.
// m is the mark as it was when the gesture began, so that a side which is
// dragged through the opposite one flips the mark. With square a corner keeps
// the box square and an arrow turns in steps of 15°. Body changes nothing:
// see [Move].
func Drag(m qc.Mark, handle Handle, to qc.Point, square bool, w, h int) qc.Mark {
	if len(m.Points) != 2 || handle == Body {
		return m
	}
	to = inside(to, w, h)
	if m.Tool == qc.Arrow {
		tail, head := m.Points[0], m.Points[1]
		switch handle {
		case Tail:
			tail = turn(head, to, square, w, h)
		case Head:
			head = turn(tail, to, square, w, h)
		default:
			return m
		}
		m.Points = []qc.Point{tail, head}
		return m
	}
	dx, dy := handle.side()
	b := boundsOf(m)
	// The side or corner opposite the handle stays where it is.
	fixed, moved := qc.Point{X: b.x0, Y: b.y0}, qc.Point{X: b.x1, Y: b.y1}
	if dx < 0 {
		fixed.X, moved.X = b.x1, b.x0
	}
	if dy < 0 {
		fixed.Y, moved.Y = b.y1, b.y0
	}
	if dx != 0 {
		moved.X = to.X
	}
	if dy != 0 {
		moved.Y = to.Y
	}
	if square && dx != 0 && dy != 0 {
		moved = squared(fixed, moved, w, h)
	}
	m.Points = []qc.Point{fixed, moved}
	return Normalise(m)
}

// Drawn returns the points of a new mark that was drawn from one place to
// another, clamped to a w×h image: a box's corners in order, or an arrow's
// tail and head. With square the box is square and the arrow turns in steps of
// 15°. It is not ok when there is nothing to see; whether the gesture was long
// enough on the screen is for the caller to compare with [MinDrag].
func Drawn(tool qc.Tool, from, to qc.Point, square bool, w, h int) (points []qc.Point, ok bool) {
	from, to = inside(from, w, h), inside(to, w, h)
	switch tool {
	case qc.Box:
		if square {
			to = squared(from, to, w, h)
		}
		m := Normalise(qc.Mark{Tool: qc.Box, Points: []qc.Point{from, to}})
		return m.Points, from.X != to.X && from.Y != to.Y
	case qc.Arrow:
		to = turn(from, to, square, w, h)
		return []qc.Point{from, to}, from != to
	default:
		return nil, false
	}
}

// squared moves corner so that it spans a square with fixed: as large as the
// longer side asks for, as small as the image demands.
func squared(fixed, corner qc.Point, w, h int) qc.Point {
	dx, dy := corner.X-fixed.X, corner.Y-fixed.Y
	side := max(math.Abs(dx), math.Abs(dy))
	signX, signY := math.Copysign(1, dx), math.Copysign(1, dy)
	side = min(side, room(fixed.X, signX, w), room(fixed.Y, signY, h))
	return inside(qc.Point{X: fixed.X + signX*side, Y: fixed.Y + signY*side}, w, h)
}

func room(from, sign float64, limit int) float64 {
	if sign > 0 {
		return float64(limit) - from
	}
	return from
}

// angleStep is 15°: 0, 30, 45, 60 and 90 are all among its multiples.
const angleStep = math.Pi / 12

// turn returns end, or with step the place at the nearest multiple of 15° seen
// from pivot, no farther than the image reaches.
func turn(pivot, end qc.Point, step bool, w, h int) qc.Point {
	if !step || pivot == end {
		return end
	}
	dx, dy := end.X-pivot.X, end.Y-pivot.Y
	angle := math.Round(math.Atan2(dy, dx)/angleStep) * angleStep
	sin, cos := math.Sincos(angle)
	length := math.Hypot(dx, dy)
	if math.Abs(cos) > 1e-9 {
		length = min(length, room(pivot.X, cos, w)/math.Abs(cos))
	}
	if math.Abs(sin) > 1e-9 {
		length = min(length, room(pivot.Y, sin, h)/math.Abs(sin))
	}
	return inside(qc.Point{X: pivot.X + cos*length, Y: pivot.Y + sin*length}, w, h)
}
