package annotate

import (
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
	places := make([]Place, len(shapes))
	if !view.sound() {
		return places
	}
	for i, b := range lay(shapes, view, radius/17, imageArea(image.Rectangle{}, view, Options{Width: w, Height: h}), w, h).badges {
		places[i] = Place{At: b.at, To: b.to, Leader: b.leader, Shown: b.radius > 0}
	}
	return places
}

// layout is where everything goes that is not drawn at its own place, in
// output pixels and in the order of shapes.
type layout struct {
	badges []badge
	plates []plate
	frames []Frame  // in image pixels
	framed []bounds // the same in output pixels
}

// What hiding costs, as a share of what is placed: of what shows a flaw, of
// other labels, of other marks. Leaving the image costs more than anything.
const (
	overFlaw  = 8
	overLabel = 6
	overMark  = 4
	outside   = 50
)

// lay finds a place for each label: first what a person has put somewhere stays
// there, then measures beside their tapes, then numbers. For these places
// around the shape are tried from the top clockwise, then a ring farther out
// with a leader, then corners within. Nothing leaves the image. The gravest go
// first and ties go to the first place tried, so that the same marks always
// look the same, wherever the output begins.
func lay(shapes []Shape, view View, unit float64, area bounds, w, h int) layout {
	l := layout{badges: make([]badge, len(shapes)), plates: make([]plate, len(shapes)), frames: Insets(shapes, w, h)}
	for _, f := range l.frames {
		l.framed = append(l.framed, boundsOf(toScreen(qc.Mark{Points: []qc.Point{
			{X: float64(f.To.Min.X), Y: float64(f.To.Min.Y)}, {X: float64(f.To.Max.X), Y: float64(f.To.Max.Y)},
		}}, view)))
	}
	radius := BadgeRadius(unit)
	_, dark := painter{unit: unit}.casing()
	g := &ground{area: area, areas: make([]outline, len(shapes)), labels: slices.Clone(l.framed)}
	text := newPen(boldFont, textSize(unit))
	wrap := textWidth * min(area.x1-area.x0, 1000*unit)
	reach := radius + dark/2
	var numbers, tapes []int
	for i, s := range shapes {
		if !wellFormed(s.Mark) {
			continue
		}
		o := outlineOf(s, view, unit)
		points := o.mark.Points
		switch {
		case s.Mark.Tool == qc.Badge:
			at, to := kept(points[0], area, reach), points[len(points)-1]
			l.badges[i] = badge{number: s.Number, at: at, radius: radius, to: to, leader: len(points) == 2}
			g.labels = append(g.labels, square(at, reach))
		case s.Mark.Tool == qc.Text:
			words := newPlate(text, s.Mark.Text, wrap)
			corner := words.corner(points[0], view.Turn)
			words = words.at(corner.X, corner.Y, area, 4*unit)
			if words.to = points[len(points)-1]; len(points) == 2 && distance(words.box.nearestIn(words.to), words.to) > 4*unit {
				words.leader = true
			}
			words.mark = s.Mark.ID
			l.plates[i] = words
			o.region, o.stroke = words.box, plateBorder*unit
			g.labels = append(g.labels, words.box)
		case s.Mark.Tool == qc.Measure && s.Label != "":
			tapes = append(tapes, i)
		}
		g.areas[i] = o
		if s.Number != 0 && s.Mark.Tool != qc.Badge && s.Mark.Tool != qc.Redaction {
			numbers = append(numbers, i)
		}
	}
	first := func(a, b int) int { return graver(shapes[a], shapes[b]) }
	slices.SortStableFunc(tapes, first)
	slices.SortStableFunc(numbers, first)
	for _, i := range tapes {
		tape := newPlate(text, shapes[i].Label, wrap)
		wide, high := tape.box.x1, tape.box.y1
		c := g.best(besideTape(g.areas[i].mark.Points, wide, high, 6*unit+dark/2), wide/2+dark/2, high/2+dark/2)
		tape = tape.at(c.at.X-wide/2, c.at.Y-high/2, area, dark/2)
		tape.to, tape.leader = c.to, c.leader
		l.plates[i] = tape
		g.labels = append(g.labels, tape.box)
	}
	for _, i := range numbers {
		c := g.best(g.areas[i].candidates(reach, unit), reach, reach)
		l.badges[i] = badge{number: shapes[i].Number, at: c.at, radius: radius, leader: c.leader, to: c.to}
		g.labels = append(g.labels, square(c.at, reach))
	}
	return l
}

func square(at qc.Point, reach float64) bounds {
	return bounds{at.X - reach, at.Y - reach, at.X + reach, at.Y + reach}
}

// ground is what labels are placed on.
type ground struct {
	area   bounds
	areas  []outline
	labels []bounds // that have a place
}

// best returns the candidate that costs least for a label that reaches so far
// from its middle, brought into the area.
func (g *ground) best(list []candidate, dx, dy float64) candidate {
	best, least := candidate{}, math.Inf(1)
	for n, c := range list {
		cost := c.cost + float64(n)*0.01
		at := qc.Point{X: clampTo(c.at.X, g.area.x0+dx, g.area.x1-dx), Y: clampTo(c.at.Y, g.area.y0+dy, g.area.y1-dy)}
		if off := distance(at, c.at); off > 0.5 {
			cost += outside + off/min(dx, dy) // only when every place is outside
		}
		spot := bounds{at.X - dx, at.Y - dy, at.X + dx, at.Y + dy}
		for _, o := range g.areas {
			if cost >= least {
				break
			}
			if o.mark.Points != nil {
				cost += o.hidden(spot) * o.weight
			}
		}
		for _, other := range g.labels {
			cost += overlap(spot, other) * overLabel
		}
		if cost < least-1e-6 {
			least, best = cost, c
			best.at = at
		}
	}
	return best
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
	weight float64 // what hiding all of it costs
}

func outlineOf(s Shape, view View, unit float64) outline {
	o := outline{mark: toScreen(s.Mark, view), stroke: styleOf(s.Severity).stroke * unit, weight: overMark}
	if showsFlaw(s) {
		o.weight = overFlaw
	}
	o.region = boundsOf(o.mark)
	switch s.Mark.Tool {
	case qc.Spotlight, qc.Redaction: // nothing of them can be hidden
		o.weight = 0
	case qc.Box, qc.Highlighter, qc.Inset, qc.Text:
	case qc.Arrow, qc.Badge:
		end, near := o.mark.Points[len(o.mark.Points)-1], 14*unit
		o.region = bounds{end.X - near, end.Y - near, end.X + near, end.Y + near}
	default:
		o.course = Course(o.mark, 1)
	}
	return o
}

// hidden tells how much of the flaw a label would hide, 1 for all that it can.
// A long label is looked at as squares side by side.
func (o outline) hidden(label bounds) float64 {
	w, h := label.x1-label.x0, label.y1-label.y0
	n := int(min(max(math.Ceil(w/h-0.01), 1), 16))
	sum := 0.0
	for i := range n {
		x := label.x0 + w*float64(i)/float64(n)
		sum += o.covered(bounds{x, label.y0, x + w/float64(n), label.y1})
	}
	return sum / math.Sqrt(float64(n))
}

// covered is hidden for a spot that is about square.
func (o outline) covered(spot bounds) float64 {
	c := qc.Point{X: (spot.x0 + spot.x1) / 2, Y: (spot.y0 + spot.y1) / 2}
	reach := (spot.x1 - spot.x0) / 2
	switch o.mark.Tool {
	case qc.Text:
		hidden, to := overlap(spot, o.region), o.mark.Points[len(o.mark.Points)-1]
		if from := o.region.nearestIn(to); distance(c, onSegment(c, from, to)) < reach {
			hidden += 0.5
		}
		return hidden
	case qc.Box, qc.Highlighter, qc.Inset, qc.Spotlight, qc.Redaction:
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
	switch closed, n := Closed(o.mark), len(o.mark.Points); {
	case o.mark.Tool == qc.Text: // around its plate
	case !closed:
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
	if o.mark.Tool == qc.Text {
		for i := range list {
			list[i].to = o.mark.Points[0]
			list[i].leader = false // words are near enough to be known by
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
