package annotate

import (
	"image/color"
	"strconv"
	"sync"

	"github.com/fogleman/gg"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"flawmark/app/qc"
	"flawmark/assets"
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
		if b.number == 0 {
			return
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
