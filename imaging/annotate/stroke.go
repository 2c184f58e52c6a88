package annotate

import (
	"math"

	"github.com/fogleman/gg"

	"flawmark/app/qc"
)

// run is a part of a course that is seen.
type run struct {
	points []qc.Point
	offset float64 // how far along the course it begins, for its dashes
}

// runs cuts a course down to what lies in an area, so that deep zoom costs no
// more than what is seen of it.
func runs(course []qc.Point, area bounds) []run {
	var list []run
	along, open := 0.0, false
	for i := 1; i < len(course); i++ {
		a, b := course[i-1], course[i]
		length := distance(a, b)
		from, to, ok := clipped(a, b, area)
		if !ok {
			open = false
		} else {
			at := func(t float64) qc.Point { return qc.Point{X: a.X + (b.X-a.X)*t, Y: a.Y + (b.Y-a.Y)*t} }
			if !open || from > 0 {
				list = append(list, run{points: []qc.Point{at(from)}, offset: along + from*length})
			}
			last := &list[len(list)-1]
			last.points = append(last.points, at(to))
			open = to == 1
		}
		along += length
	}
	return list
}

// clipped returns which part of the way from a to b lies in an area, 0 to 1.
func clipped(a, b qc.Point, area bounds) (from, to float64, ok bool) {
	to = 1
	dx, dy := b.X-a.X, b.Y-a.Y
	for _, side := range [...][2]float64{{-dx, a.X - area.x0}, {dx, area.x1 - a.X}, {-dy, a.Y - area.y0}, {dy, area.y1 - a.Y}} {
		switch p, q := side[0], side[1]; {
		case p < 0:
			from = max(from, q/p)
		case p > 0:
			to = min(to, q/p)
		case q < 0:
			return 0, 0, false
		}
	}
	return from, to, from <= to
}

// course strokes a line of many pieces.
func (p painter) course(st style, course []qc.Point) {
	width := p.strokeOf(st)
	light, dark := p.casing()
	margin := width/2 + dark
	seen := p.visible(margin)
	parts := runs(course, seen)
	if len(parts) == 0 {
		return
	}
	area := boundsAround(parts[0].points...)
	for _, part := range parts[1:] {
		b := boundsAround(part.points...)
		area = bounds{min(area.x0, b.x0), min(area.y0, b.y0), max(area.x1, b.x1), max(area.y1, b.y1)}
	}
	p.within(area, margin+1, func(dc *gg.Context, at func(qc.Point) (float64, float64)) {
		for _, pass := range p.passes(st, width, light, dark) {
			if len(pass.dashes) == 0 {
				// All at once: where the dark edges of two parts lie over
				// each other they are no darker.
				for _, part := range parts {
					lineTo(dc, at, part.points...)
				}
				pass.stroke(dc)
				continue
			}
			period := 0.0
			for _, d := range pass.dashes {
				period += d
			}
			for _, part := range parts {
				lineTo(dc, at, part.points...)
				dc.SetDashOffset(math.Mod(part.offset, period))
				pass.stroke(dc)
			}
			dc.SetDashOffset(0)
		}
	})
}

// opacity is how much of a highlighter's colour is multiplied in, of 255.
const opacity = 102

// tint multiplies a colour into an area, and into what is transparent lays the
// colour itself.
func (p painter) tint(st style, area bounds) {
	limit := p.dst.Rect
	x0, x1 := floor(area.x0+0.5, limit.Min.X, limit.Max.X), floor(area.x1+0.5, limit.Min.X, limit.Max.X)
	y0, y1 := floor(area.y0+0.5, limit.Min.Y, limit.Max.Y), floor(area.y1+0.5, limit.Min.Y, limit.Max.Y)
	if x0 >= x1 {
		return
	}
	colour := [4]int{int(st.colour.R), int(st.colour.G), int(st.colour.B), 255}
	var onOpaque [4][256]uint8
	for c := range colour {
		for v := range 256 {
			onOpaque[c][v] = uint8((v*(255-opacity)*255 + v*opacity*colour[c] + 255*255/2) / (255 * 255))
		}
	}
	for y := y0; y < y1; y++ {
		row := p.dst.Pix[p.dst.PixOffset(x0, y):][:4*(x1-x0)]
		for i := 0; i < len(row); i += 4 {
			px := row[i : i+4 : i+4]
			if px[3] == 255 {
				px[0], px[1], px[2] = onOpaque[0][px[0]], onOpaque[1][px[1]], onOpaque[2][px[2]]
				continue
			}
			free := 255 - int(px[3])
			for c := range 3 {
				px[c] = uint8(int(onOpaque[c][px[c]]) + free*opacity*colour[c]/(255*255))
			}
			px[3] = uint8(int(px[3]) + free*opacity/255)
		}
	}
}
