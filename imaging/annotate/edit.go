package annotate

import (
	"math"
	"slices"

	"flawmark/app/qc"
)

// Normalise returns m with corners as top left, then bottom right. What has a
// direction or an order keeps it.
func Normalise(m qc.Mark) qc.Mark {
	if Cornered(m.Tool) && len(m.Points) >= 2 {
		b := boundsOf(m)
		corners := []qc.Point{{X: b.x0, Y: b.y0}, {X: b.x1, Y: b.y1}}
		m.Points = append(corners, m.Points[2:]...)
	}
	return m
}

// Move returns m moved by (dx, dy) image pixels, or as far as it can go
// without leaving a w×h image. Its size is kept. Where a person has put an
// inset it stays: only what it enlarges moves.
func Move(m qc.Mark, dx, dy float64, w, h int) qc.Mark {
	return MoveAll([]qc.Mark{m}, dx, dy, w, h)[0]
}

// MoveAll moves marks together as [Move] moves one: none leaves the image, and
// all keep their places to each other.
func MoveAll(marks []qc.Mark, dx, dy float64, w, h int) []qc.Mark {
	moved := slices.Clone(marks)
	for _, m := range marks {
		if len(m.Points) > 0 {
			b := boundsOf(m)
			dx = within(dx, -b.x0, float64(w)-b.x1)
			dy = within(dy, -b.y0, float64(h)-b.y1)
		}
	}
	for i, m := range marks {
		moved[i].Points = slices.Clone(m.Points)
		for j, p := range m.Points {
			if m.Tool == qc.Inset && j == 2 {
				break
			}
			moved[i].Points[j] = inside(qc.Point{X: p.X + dx, Y: p.Y + dy}, w, h)
		}
	}
	return moved
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
// the box square and a trace its proportions, and what has an end or a corner
// of its own turns in steps of 15°. InsetPlace puts an inset where it is
// wanted, also one that has had no place of its own. Body changes nothing: see
// [Move].
func Drag(m qc.Mark, handle Handle, to qc.Point, square bool, w, h int) qc.Mark {
	to = inside(to, w, h)
	if handle == InsetPlace && m.Tool == qc.Inset && wellFormed(m) {
		m.Points = append(slices.Clone(m.Points[:2]), to)
		return m
	}
	if handles, _ := Handles(m); !slices.Contains(handles, handle) {
		return m
	}
	switch {
	case handle == Tail:
		m.Points = []qc.Point{turn(m.Points[1], to, square, w, h), m.Points[1]}
	case handle == Head:
		m.Points = []qc.Point{m.Points[0], turn(m.Points[0], to, square, w, h)}
	case handle >= Vertex:
		i, n := int(handle-Vertex), len(m.Points)
		pivot := m.Points[(i+n-1)%n]
		if i == 0 && !Closed(m) {
			pivot = m.Points[1]
		}
		m.Points = slices.Clone(m.Points)
		m.Points[i] = turn(pivot, to, square, w, h)
	case m.Tool == qc.Freehand:
		return stretched(m, handle, to, square, w, h)
	default:
		fixed, moved := pulled(boundsOf(m), handle, to)
		if dx, dy := handle.side(); square && dx != 0 && dy != 0 {
			moved = squared(fixed, moved, w, h)
		}
		m.Points = append([]qc.Point{fixed, moved}, m.Points[2:]...)
		return Normalise(m)
	}
	return m
}

// pulled returns two opposite corners of a box after a handle was pulled: the
// one opposite the handle, which stays where it is, and the one that goes.
func pulled(b bounds, handle Handle, to qc.Point) (fixed, moved qc.Point) {
	dx, dy := handle.side()
	fixed, moved = b.opposite(handle)
	if dx != 0 {
		moved.X = to.X
	}
	if dy != 0 {
		moved.Y = to.Y
	}
	return fixed, moved
}

// opposite returns the corner that stays when a handle is pulled, and the one
// across from it.
func (b bounds) opposite(handle Handle) (fixed, moved qc.Point) {
	dx, dy := handle.side()
	fixed, moved = qc.Point{X: b.x0, Y: b.y0}, qc.Point{X: b.x1, Y: b.y1}
	if dx < 0 {
		fixed.X, moved.X = b.x1, b.x0
	}
	if dy < 0 {
		fixed.Y, moved.Y = b.y1, b.y0
	}
	return fixed, moved
}

// stretched scales a trace as its box is pulled. A trace without width or
// height has nothing to stretch that way.
func stretched(m qc.Mark, handle Handle, to qc.Point, keep bool, w, h int) qc.Mark {
	b := boundsOf(m)
	fixed, was := b.opposite(handle)
	_, moved := pulled(b, handle, to)
	fx, fy := ratio(moved.X-fixed.X, was.X-fixed.X), ratio(moved.Y-fixed.Y, was.Y-fixed.Y)
	if dx, dy := handle.side(); keep && dx != 0 && dy != 0 {
		most := max(math.Abs(fx), math.Abs(fy))
		if wide := b.x1 - b.x0; wide > 0 {
			most = min(most, room(fixed.X, (was.X-fixed.X)*fx, w)/wide)
		}
		if high := b.y1 - b.y0; high > 0 {
			most = min(most, room(fixed.Y, (was.Y-fixed.Y)*fy, h)/high)
		}
		fx, fy = math.Copysign(most, fx), math.Copysign(most, fy)
	}
	points := make([]qc.Point, len(m.Points))
	for i, p := range m.Points {
		points[i] = inside(qc.Point{X: fixed.X + (p.X-fixed.X)*fx, Y: fixed.Y + (p.Y-fixed.Y)*fy}, w, h)
	}
	m.Points = points
	return m
}

func ratio(now, before float64) float64 {
	if before == 0 {
		return 1
	}
	return now / before
}

// Drawn returns the points of a new mark that was drawn from one place to
// another, clamped to a w×h image: corners in order, or tail and head, or a
// badge or words and what they name; of those that name their own place only
// that. With
// square what has corners is square and the rest turns in steps of 15°. It is
// not ok when there is nothing to see, and for the tools of [Traced] and
// [Enclosed]; whether the gesture was long enough on the screen is for the
// caller to compare with [MinDrag].
func Drawn(tool qc.Tool, from, to qc.Point, square bool, w, h int) (points []qc.Point, ok bool) {
	from, to = inside(from, w, h), inside(to, w, h)
	switch tool {
	case qc.Box, qc.Ellipse, qc.Highlighter, qc.Inset, qc.Spotlight, qc.Redaction:
		if square {
			to = squared(from, to, w, h)
		}
		m := Normalise(qc.Mark{Tool: tool, Points: []qc.Point{from, to}})
		return m.Points, from.X != to.X && from.Y != to.Y
	case qc.Arrow, qc.Line, qc.Measure, qc.Badge, qc.Text:
		to = turn(from, to, square, w, h)
		if from == to && (tool == qc.Badge || tool == qc.Text) {
			return []qc.Point{from}, true
		}
		return []qc.Point{from, to}, from != to
	default:
		return nil, false
	}
}

// Turned returns the place at the nearest multiple of 15° seen from pivot, no
// farther than a w×h image reaches.
func Turned(pivot, end qc.Point, w, h int) qc.Point {
	return turn(inside(pivot, w, h), inside(end, w, h), true, w, h)
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
