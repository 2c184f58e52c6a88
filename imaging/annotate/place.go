package annotate

import (
	"cmp"
	"image"
	"math"
	"slices"

	"flawmark/app/qc"
)

// badge is a number's place in output pixels.
type badge struct {
	number int
	at     qc.Point
	radius float64  // without its casing
	to     qc.Point // what it names: a place of the shape
	leader bool     // it stands off and needs a line to that
}

// BadgeRadius returns how large a number's badge is, in output pixels.
func BadgeRadius(unit float64) float64 { return max(17*unit, 7.5) }

// Place is where the number of a shape goes, in output pixels.
type Place struct {
	At     qc.Point // the middle of the badge
	To     qc.Point // the place of the shape that it belongs to
	Leader bool     // it stands off and needs a line to To
	Shown  bool     // the shape has a number
}

// Places returns where [Render] puts the numbers of shapes on a w×h image, for
// badges of that radius, in the order of shapes.
func Places(shapes []Shape, view View, radius float64, w, h int) []Place {
	area := imageArea(image.Rectangle{}, view, Options{Width: w, Height: h})
	places := make([]Place, len(shapes))
	for i, b := range placeBadges(shapes, view, radius/17, area) {
		places[i] = Place{At: b.at, To: b.to, Leader: b.leader, Shown: b.radius > 0}
	}
	return places
}

// placeBadges finds a place for each shape's number, in the order of shapes. A
// badge that a person has put somewhere stays there. For the others places around the shape are tried from the top clockwise, then a ring
// farther out with a leader, then corners within. Nothing leaves the image;
// hiding a flaw costs most, then other numbers, then other strokes. The
// gravest go first and ties go to the first place tried, so that the same
// marks always look the same.
func placeBadges(shapes []Shape, view View, unit float64, area bounds) []badge {
	radius := BadgeRadius(unit)
	_, dark := painter{unit: unit}.casing()
	reach := radius + dark/2
	areas := make([]outline, len(shapes))
	badges := make([]badge, len(shapes))
	order := make([]int, 0, len(shapes))
	var placed []bounds
	for i, s := range shapes {
		if !wellFormed(s.Mark) {
			continue
		}
		areas[i] = outlineOf(s, view, unit)
		switch points := areas[i].mark.Points; {
		case s.Mark.Tool == qc.Badge:
			at, to := kept(points[0], area, reach), points[len(points)-1]
			badges[i] = badge{number: s.Number, at: at, radius: radius, to: to, leader: len(points) == 2}
			placed = append(placed, bounds{at.X - reach, at.Y - reach, at.X + reach, at.Y + reach})
		case s.Number != 0:
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		severities := qc.Severities()
		return cmp.Or(
			cmp.Compare(slices.Index(severities, shapes[a].Severity), slices.Index(severities, shapes[b].Severity)),
			cmp.Compare(shapes[a].Number, shapes[b].Number))
	})
	for _, i := range order {
		best, bestCost := badge{}, math.Inf(1)
		for n, c := range areas[i].candidates(reach, unit) {
			cost := c.cost + float64(n)*0.01
			at := kept(c.at, area, reach)
			if off := distance(at, c.at); off > 0.5 {
				cost += 50 + off/reach // only when every place is outside
			}
			spot := bounds{at.X - reach, at.Y - reach, at.X + reach, at.Y + reach}
			for j := range areas {
				cost += areas[j].covered(spot) * 8
			}
			for _, other := range placed {
				cost += overlap(spot, other) * 6
			}
			if cost < bestCost-1e-6 {
				bestCost = cost
				best = badge{number: shapes[i].Number, at: at, radius: radius, leader: c.leader, to: c.to}
			}
		}
		badges[i] = best
		placed = append(placed, bounds{best.at.X - reach, best.at.Y - reach, best.at.X + reach, best.at.Y + reach})
	}
	return badges
}

// kept brings the middle of a badge so far in that all of it is in the area.
func kept(at qc.Point, area bounds, reach float64) qc.Point {
	return qc.Point{X: clampTo(at.X, area.x0+reach, area.x1-reach), Y: clampTo(at.Y, area.y0+reach, area.y1-reach)}
}

func clampTo(v, low, high float64) float64 {
	if low > high {
		return (low + high) / 2
	}
	return min(max(v, low), high)
}

// outline is what a shape covers in output pixels: the flaw itself, and the
// line that leads to it.
type outline struct {
	mark   qc.Mark    // in output pixels; no points: nothing
	course []qc.Point // of a mark that is neither a box nor an arrow
	region bounds     // where the flaw is; of an open line: nowhere in particular
	stroke float64
}

func outlineOf(s Shape, view View, unit float64) outline {
	o := outline{mark: toScreen(s.Mark, view), stroke: styleOf(s.Severity).stroke * unit}
	o.region = boundsOf(o.mark)
	switch s.Mark.Tool {
	case qc.Box, qc.Highlighter:
	case qc.Arrow, qc.Badge:
		end, near := o.mark.Points[len(o.mark.Points)-1], 14*unit
		o.region = bounds{end.X - near, end.Y - near, end.X + near, end.Y + near}
	default:
		o.course = Course(o.mark, 1)
	}
	return o
}

// covered tells how much of the flaw spot would hide, 1 for all that it can.
func (o outline) covered(spot bounds) float64 {
	if o.mark.Points == nil {
		return 0
	}
	c := qc.Point{X: (spot.x0 + spot.x1) / 2, Y: (spot.y0 + spot.y1) / 2}
	reach := (spot.x1 - spot.x0) / 2
	switch o.mark.Tool {
	case qc.Box, qc.Highlighter:
		return overlap(spot, o.region)
	case qc.Arrow, qc.Badge:
		hidden := overlap(spot, o.region)
		if tail, head := o.mark.Points[0], o.mark.Points[len(o.mark.Points)-1]; distance(c, onSegment(c, tail, head)) < reach {
			hidden += 0.5
		}
		return hidden
	default:
	}
	if o.region.x0 > spot.x1 || o.region.x1 < spot.x0 || o.region.y0 > spot.y1 || o.region.y1 < spot.y0 {
		return 0
	}
	if _, off := nearest(o.course, c); !Closed(o.mark) {
		return max(1-off/reach, 0)
	} else if off < reach*0.7 { // on the edge
		return max(1-off/reach, 0.5)
	}
	if contains(o.mark, c) {
		return 1
	}
	return 0
}

// overlap returns the share of a that b covers.
func overlap(a, b bounds) float64 {
	w := min(a.x1, b.x1) - max(a.x0, b.x0)
	h := min(a.y1, b.y1) - max(a.y0, b.y0)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / ((a.x1 - a.x0) * (a.y1 - a.y0))
}

type candidate struct {
	at     qc.Point
	cost   float64
	leader bool
	to     qc.Point
}

// compass are the eight directions from the top clockwise.
var compass = [...][2]float64{{0, -1}, {1, -1}, {1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}}

// candidates lists places for a badge that reaches so far, best first.
func (o outline) candidates(reach, unit float64) []candidate {
	gap := o.stroke/2 + 5*unit
	around := o.region
	var list []candidate
	if closed, n := Closed(o.mark), len(o.mark.Points); !closed {
		// A number at the tail reads as "1 → here"; other lines have two ends
		// that are as good.
		list = append(list, beyond(o.mark.Points[0], o.mark.Points[1], reach+gap/2, 0)...)
		if o.mark.Tool != qc.Arrow {
			list = append(list, beyond(o.mark.Points[n-1], o.mark.Points[n-2], reach+gap/2, 0.1)...)
		}
		around = boundsAround(o.mark.Points[0])
	}
	cx, cy := (around.x0+around.x1)/2, (around.y0+around.y1)/2
	for ring, off := range [...]float64{reach + gap, 3.6*reach + gap} {
		for _, d := range compass {
			step := off
			if d[0] != 0 && d[1] != 0 {
				step *= 0.8 // corners: as near as the sides, not on the diagonal's end
			}
			edge := qc.Point{X: cx + d[0]*(around.x1-around.x0)/2, Y: cy + d[1]*(around.y1-around.y0)/2}
			if Closed(o.mark) && o.course != nil {
				edge, _ = nearest(o.course, edge)
			}
			list = append(list, candidate{
				at:     qc.Point{X: edge.X + d[0]*step, Y: edge.Y + d[1]*step},
				cost:   0.3 + 1.7*float64(ring),
				leader: ring == 1, to: edge,
			})
		}
	}
	if Closed(o.mark) && o.course == nil {
		for _, d := range [...][2]float64{{1, -1}, {-1, -1}, {1, 1}, {-1, 1}} {
			corner := qc.Point{X: cx + d[0]*(around.x1-around.x0)/2, Y: cy + d[1]*(around.y1-around.y0)/2}
			list = append(list, candidate{
				at: qc.Point{X: corner.X - d[0]*(reach+gap), Y: corner.Y - d[1]*(reach+gap)}, to: corner, cost: 3,
			})
		}
	}
	return list
}

// beyond returns the place that prolongs a line over its end, if it has a
// direction.
func beyond(end, before qc.Point, by, cost float64) []candidate {
	length := distance(end, before)
	if length == 0 {
		return nil
	}
	far := by / length
	return []candidate{{at: qc.Point{X: end.X + (end.X-before.X)*far, Y: end.Y + (end.Y-before.Y)*far}, cost: cost, to: end}}
}
