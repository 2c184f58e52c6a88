package annotate

import (
	"image"
	"image/color"
	"strconv"

	"github.com/fogleman/gg"

	"flawmark/app/qc"
)

func (p painter) badge(s Shape, b badge) {
	st := styleOf(s.Severity)
	light, dark := p.casing()
	area := boundsAround(b.at)
	if b.leader {
		area = boundsAround(b.at, b.to)
	}
	p.within(area, b.radius+dark+2, func(dc *gg.Context, at func(qc.Point) (float64, float64)) {
		x, y := at(b.at)
		if b.leader {
			width := max(1.5*p.unit, 1)
			for _, pass := range p.passes(style{colour: st.colour}, width, light, dark) {
				lineTo(dc, at, b.at, b.to)
				pass.stroke(dc)
				if s.Mark.Tool == qc.Badge { // a dot where the flaw is
					toX, toY := at(b.to)
					dc.DrawCircle(toX, toY, 2.5*p.unit+pass.width/2)
					dc.SetColor(pass.colour)
					dc.Fill()
				}
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
	})
	if b.number != 0 {
		number(p.dst, strconv.Itoa(b.number), b.at.X, b.at.Y, b.radius, st.ink)
	}
}

// number writes a flaw's number in its badge.
func number(dst *image.RGBA, text string, x, y, radius float64, ink color.Color) {
	size := radius * 1.35
	if len(text) > 1 {
		size = min(size, radius*2.3/float64(len(text)))
	}
	newPen(boldFont, size).number(dst, text, x, y, ink)
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
