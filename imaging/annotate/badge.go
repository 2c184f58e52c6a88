package annotate

import (
	"cmp"
	"image/color"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/fogleman/gg"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"flawmark/app/qc"
	"flawmark/assets"
)

// badge is a number's place in output pixels.
type badge struct {
	number int
	at     qc.Point
	radius float64  // without its casing
	leader bool     // it stands off and needs a line to what it names
	to     qc.Point // the leader's other end
}

func badgeRadius(unit float64) float64 { return max(17*unit, 7.5) }

// placeBadges finds a place for each shape's number, in the order of shapes.
// Places around the shape are tried from the top clockwise, then a ring
// farther out with a leader, then corners within. Nothing leaves the image;
// hiding a flaw costs most, then other numbers, then other strokes. The
// gravest go first and ties go to the first place tried, so that the same
// marks always look the same.
func placeBadges(shapes []Shape, view View, unit float64, area bounds) []badge {
	radius := badgeRadius(unit)
	_, dark := painter{unit: unit}.casing()
	reach := radius + dark/2
	areas := make([]outline, len(shapes))
	order := make([]int, 0, len(shapes))
	for i, s := range shapes {
		if !wellFormed(s.Mark) {
			continue
		}
		areas[i] = outlineOf(s, view, unit)
		if s.Number != 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		severities := qc.Severities()
		return cmp.Or(
			cmp.Compare(slices.Index(severities, shapes[a].Severity), slices.Index(severities, shapes[b].Severity)),
			cmp.Compare(shapes[a].Number, shapes[b].Number))
	})
	badges := make([]badge, len(shapes))
	var placed []bounds
	for _, i := range order {
		best, bestCost := badge{}, math.Inf(1)
		for n, c := range areas[i].candidates(reach, unit) {
			cost := c.cost + float64(n)*0.01
			at := qc.Point{X: clampTo(c.at.X, area.x0+reach, area.x1-reach), Y: clampTo(c.at.Y, area.y0+reach, area.y1-reach)}
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

func clampTo(v, low, high float64) float64 {
	if low > high {
		return (low + high) / 2
	}
	return min(max(v, low), high)
}

// outline is what a shape covers in output pixels: regions where the flaw
// itself is, and for an arrow its shaft.
type outline struct {
	mark   qc.Mark // in output pixels; no points: nothing
	region bounds
	stroke float64
}

func outlineOf(s Shape, view View, unit float64) outline {
	a, b := view.ToScreen(s.Mark.Points[0]), view.ToScreen(s.Mark.Points[1])
	o := outline{mark: qc.Mark{Tool: s.Mark.Tool, Points: []qc.Point{a, b}}, stroke: styleOf(s.Severity).stroke * unit}
	if s.Mark.Tool == qc.Box {
		o.region = boundsOf(o.mark)
		return o
	}
	near := 14 * unit
	o.region = bounds{b.X - near, b.Y - near, b.X + near, b.Y + near}
	return o
}

// covered tells how much of the flaw spot would hide, 1 for all that it can.
func (o outline) covered(spot bounds) float64 {
	if o.mark.Points == nil {
		return 0
	}
	hidden := overlap(spot, o.region)
	if o.mark.Tool == qc.Arrow {
		c := qc.Point{X: (spot.x0 + spot.x1) / 2, Y: (spot.y0 + spot.y1) / 2}
		if distanceToSegment(c, o.mark.Points[0], o.mark.Points[1]) < (spot.x1-spot.x0)/2 {
			hidden += 0.5
		}
	}
	return hidden
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

// candidates lists places for a badge that reaches so far, best first.
func (o outline) candidates(reach, unit float64) []candidate {
	gap := o.stroke/2 + 5*unit
	around := o.region
	var list []candidate
	if o.mark.Tool == qc.Arrow {
		tail, head := o.mark.Points[0], o.mark.Points[1]
		around = bounds{tail.X, tail.Y, tail.X, tail.Y}
		if length := distance(tail, head); length > 0 {
			// A number at the tail reads as "1 → here".
			far := (reach + gap/2) / length
			list = append(list, candidate{at: qc.Point{X: tail.X + (tail.X-head.X)*far, Y: tail.Y + (tail.Y-head.Y)*far}})
		}
	}
	cx, cy := (around.x0+around.x1)/2, (around.y0+around.y1)/2
	compass := [...][2]float64{{0, -1}, {1, -1}, {1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}}
	for ring, off := range [...]float64{reach + gap, 3.6*reach + gap} {
		for _, d := range compass {
			step := off
			if d[0] != 0 && d[1] != 0 {
				step *= 0.8 // corners: as near as the sides, not on the diagonal's end
			}
			edge := qc.Point{X: cx + d[0]*(around.x1-around.x0)/2, Y: cy + d[1]*(around.y1-around.y0)/2}
			list = append(list, candidate{
				at:     qc.Point{X: edge.X + d[0]*step, Y: edge.Y + d[1]*step},
				cost:   0.3 + 1.7*float64(ring),
				leader: ring == 1, to: edge,
			})
		}
	}
	if o.mark.Tool == qc.Box {
		for _, d := range [...][2]float64{{1, -1}, {-1, -1}, {1, 1}, {-1, 1}} {
			list = append(list, candidate{
				at:   qc.Point{X: cx + d[0]*((around.x1-around.x0)/2-reach-gap), Y: cy + d[1]*((around.y1-around.y0)/2-reach-gap)},
				cost: 3,
			})
		}
	}
	return list
}

func distance(a, b qc.Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

func (p painter) badge(s Shape, b badge) {
	st := styleOf(s.Severity)
	light, dark := p.casing()
	area := boundsOf(qc.Mark{Points: []qc.Point{b.at, b.at}})
	if b.leader {
		area = boundsOf(qc.Mark{Points: []qc.Point{b.at, b.to}})
	}
	p.within(area, b.radius+dark+2, func(dc *gg.Context, at func(qc.Point) (float64, float64)) {
		x, y := at(b.at)
		if b.leader {
			width := max(1.5*p.unit, 1)
			for _, pass := range p.passes(style{colour: st.colour}, width, light, dark) {
				lineTo(dc, at, b.at, b.to)
				pass.stroke(dc)
			}
		}
		ground := st.colour
		if st.badge == ring {
			ground = white
		}
		layers := []struct {
			grow   float64
			colour color.NRGBA
		}{{dark / 2, shadow}, {light / 2, white}, {0, st.colour}, {-3 * p.unit, ground}}
		for _, layer := range layers {
			badgePath(dc, st.badge, x, y, b.radius+layer.grow)
			dc.SetColor(layer.colour)
			dc.Fill()
		}
		dc.SetColor(st.ink)
		number(dc, strconv.Itoa(b.number), x, y, b.radius)
	})
}

func badgePath(dc *gg.Context, form badgeForm, x, y, r float64) {
	switch form {
	case octagon:
		dc.DrawRegularPolygon(8, x, y, r*1.06, 0)
	case roundedSquare:
		side := r * 0.92
		dc.DrawRoundedRectangle(x-side, y-side, 2*side, 2*side, side*0.3)
	default:
		dc.DrawCircle(x, y, r)
	}
}

// boldFont is parsed once; a parsed font is never written to.
var boldFont = sync.OnceValues(func() (*sfnt.Font, error) { return sfnt.Parse(assets.FontBold()) })

// number fills digits centred by what is seen of them rather than by their
// metrics. Without a font, which the tests exclude, the badge stays empty.
func number(dc *gg.Context, text string, x, y, radius float64) {
	f, err := boldFont()
	if err != nil {
		return
	}
	size := radius * 1.35
	if len(text) > 1 {
		size = radius * 2.3 / float64(len(text))
	}
	size = min(size, radius*1.35)
	ppem := fixed.Int26_6(size * 64)
	var buffer sfnt.Buffer
	var advance fixed.Int26_6
	var outline []sfnt.Segment
	for _, r := range text {
		glyph, err := f.GlyphIndex(&buffer, r)
		if err != nil {
			return
		}
		segments, err := f.LoadGlyph(&buffer, glyph, ppem, nil)
		if err != nil {
			return
		}
		for _, s := range segments {
			for i := range s.Args {
				s.Args[i].X += advance
			}
			outline = append(outline, s)
		}
		step, err := f.GlyphAdvance(&buffer, glyph, ppem, font.HintingNone)
		if err != nil {
			return
		}
		advance += step
	}
	box := sfnt.Segments(outline).Bounds()
	dx := x - px(box.Min.X+box.Max.X)/2
	dy := y - px(box.Min.Y+box.Max.Y)/2
	at := func(q fixed.Point26_6) (float64, float64) { return px(q.X) + dx, px(q.Y) + dy }
	for _, s := range outline {
		x0, y0 := at(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			dc.ClosePath()
			dc.MoveTo(x0, y0)
		case sfnt.SegmentOpLineTo:
			dc.LineTo(x0, y0)
		case sfnt.SegmentOpQuadTo:
			x1, y1 := at(s.Args[1])
			dc.QuadraticTo(x0, y0, x1, y1)
		case sfnt.SegmentOpCubeTo:
			x1, y1 := at(s.Args[1])
			x2, y2 := at(s.Args[2])
			dc.CubicTo(x0, y0, x1, y1, x2, y2)
		}
	}
	dc.ClosePath()
	dc.Fill()
}

func px(v fixed.Int26_6) float64 { return float64(v) / 64 }
