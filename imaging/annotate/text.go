package annotate

import (
	"image"
	"image/color"
	"math"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"flawmark/assets"
)

// The fonts are parsed once; a parsed font is never written to.
var (
	boldFont    = sync.OnceValues(func() (*sfnt.Font, error) { return sfnt.Parse(assets.FontBold()) })
	regularFont = sync.OnceValues(func() (*sfnt.Font, error) { return sfnt.Parse(assets.FontRegular()) })
)

// capHeight and leading are the font's height of capitals and its line
// distance in ems; both weights share them.
const (
	capHeight = 0.714
	leading   = 1.25
)

// glyph is a letter's form at a size, its origin on the base line.
type glyph struct {
	segments sfnt.Segments
	bounds   bounds
	advance  float64
}

// pen sets words in one font and size. It remembers the forms of letters and
// belongs to one drawing.
type pen struct {
	font   *sfnt.Font
	size   float64 // of the em, in output pixels
	glyphs map[rune]glyph
	buffer sfnt.Buffer
	raster vector.Rasterizer
}

// newPen returns a pen; without a font, which the tests exclude, it draws a
// box for every letter.
func newPen(parsed func() (*sfnt.Font, error), size float64) *pen {
	f, err := parsed()
	if err != nil {
		f = nil
	}
	return &pen{font: f, size: min(max(size, 1), 4000), glyphs: make(map[rune]glyph)}
}

// another returns an equal pen for another drawing.
func (p *pen) another() *pen {
	return &pen{font: p.font, size: p.size, glyphs: make(map[rune]glyph)}
}

func (p *pen) glyph(r rune) glyph {
	g, ok := p.glyphs[r]
	if !ok {
		if g, ok = p.load(r); !ok {
			g = p.missing(r)
		}
		p.glyphs[r] = g
	}
	return g
}

func (p *pen) load(r rune) (glyph, bool) {
	if p.font == nil {
		return glyph{}, false
	}
	index, err := p.font.GlyphIndex(&p.buffer, r)
	if err != nil || index == 0 {
		return glyph{}, false
	}
	ppem := fixed.Int26_6(p.size * 64)
	segments, err := p.font.LoadGlyph(&p.buffer, index, ppem, nil)
	if err != nil {
		return glyph{}, false
	}
	advance, err := p.font.GlyphAdvance(&p.buffer, index, ppem, font.HintingNone)
	if err != nil {
		return glyph{}, false
	}
	segments = append(sfnt.Segments(nil), segments...) // the buffer's are overwritten by the next
	box := segments.Bounds()
	return glyph{segments, bounds{px(box.Min.X), px(box.Min.Y), px(box.Max.X), px(box.Max.Y)}, px(advance)}, true
}

// missing is the box that stands for a letter which the font lacks.
func (p *pen) missing(r rune) glyph {
	if unicode.IsControl(r) || unicode.IsSpace(r) {
		return glyph{advance: p.size * 0.26}
	}
	at := func(x, y float64) fixed.Point26_6 {
		return fixed.Point26_6{X: fixed.Int26_6(x * p.size * 64), Y: fixed.Int26_6(-y * p.size * 64)}
	}
	var segments sfnt.Segments
	ring := func(corners ...fixed.Point26_6) {
		for i, c := range corners {
			op := sfnt.SegmentOpLineTo
			if i == 0 {
				op = sfnt.SegmentOpMoveTo
			}
			segments = append(segments, sfnt.Segment{Op: op, Args: [3]fixed.Point26_6{c}})
		}
	}
	ring(at(0.08, 0), at(0.08, 0.72), at(0.62, 0.72), at(0.62, 0))
	ring(at(0.14, 0.06), at(0.56, 0.06), at(0.56, 0.66), at(0.14, 0.66)) // the other way round: a hole
	return glyph{segments, bounds{0.08 * p.size, -0.72 * p.size, 0.62 * p.size, 0}, 0.7 * p.size}
}

func (p *pen) width(text string) float64 {
	w := 0.0
	for _, r := range text {
		w += p.glyph(r).advance
	}
	return w
}

// set breaks words into lines no wider than limit: at spaces, between Chinese
// characters, and within a word that is wider by itself.
func (p *pen) set(text string, limit float64) (lines []string, width float64) {
	limit = max(limit, p.size)
	for paragraph := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		runes := []rune(paragraph)
		start, cut, along, atCut := 0, 0, 0.0, 0.0
		for i, r := range runes {
			if i > start && breakable(runes[i-1], r) {
				cut, atCut = i, along
			}
			step := p.glyph(r).advance
			if along+step > limit && i > start && !unicode.IsSpace(r) {
				if cut <= start {
					cut, atCut = i, along
				}
				lines = append(lines, strings.TrimRightFunc(string(runes[start:cut]), unicode.IsSpace))
				start, along = cut, along-atCut
			}
			along += step
		}
		lines = append(lines, strings.TrimRightFunc(string(runes[start:]), unicode.IsSpace))
	}
	for _, line := range lines {
		width = max(width, p.width(line))
	}
	return lines, width
}

// What may not begin a line, and what may not end one.
const (
	closers = "，。、；：？！）】》」』”’…％℃,.;:?!)]}%"
	openers = "（【《「『“‘([{"
)

func breakable(before, after rune) bool {
	if strings.ContainsRune(closers, after) || strings.ContainsRune(openers, before) {
		return false
	}
	return unicode.IsSpace(before) || before == '-' || wide(before) || wide(after)
}

// wide reports whether a character is one of those that are written without
// spaces between words.
func wide(r rune) bool {
	return r >= 0x2e80 && r <= 0x9fff || r >= 0xf900 && r <= 0xfaff || r >= 0xff00 && r <= 0xffef || r >= 0x20000 && r <= 0x3ffff
}

// write draws one line with its base line beginning at x, y.
func (p *pen) write(dst *image.RGBA, text string, x, y float64, colour color.Color) {
	ink := image.NewUniform(colour)
	for _, r := range text {
		g := p.glyph(r)
		p.draw(dst, g, x, y, ink)
		x += g.advance
	}
}

func (p *pen) draw(dst *image.RGBA, g glyph, x, y float64, ink *image.Uniform) {
	if len(g.segments) == 0 || !(math.Abs(x) < farthest && math.Abs(y) < farthest) {
		return
	}
	box := image.Rect(
		int(math.Floor(x+g.bounds.x0))-1, int(math.Floor(y+g.bounds.y0))-1,
		int(math.Ceil(x+g.bounds.x1))+1, int(math.Ceil(y+g.bounds.y1))+1,
	)
	if box.Intersect(dst.Rect).Empty() {
		return
	}
	dx, dy := x-float64(box.Min.X), y-float64(box.Min.Y)
	at := func(q fixed.Point26_6) (float32, float32) { return float32(px(q.X) + dx), float32(px(q.Y) + dy) }
	p.raster.Reset(box.Dx(), box.Dy())
	for _, s := range g.segments {
		x0, y0 := at(s.Args[0])
		x1, y1 := at(s.Args[1])
		x2, y2 := at(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			p.raster.ClosePath()
			p.raster.MoveTo(x0, y0)
		case sfnt.SegmentOpLineTo:
			p.raster.LineTo(x0, y0)
		case sfnt.SegmentOpQuadTo:
			p.raster.QuadTo(x0, y0, x1, y1)
		case sfnt.SegmentOpCubeTo:
			p.raster.CubeTo(x0, y0, x1, y1, x2, y2)
		}
	}
	p.raster.ClosePath()
	stamp(dst, &p.raster, box, ink)
}

// number writes digits centred by what is seen of them rather than by their
// metrics.
func (p *pen) number(dst *image.RGBA, text string, x, y float64, colour color.Color) {
	var seen *bounds
	along := 0.0
	for _, r := range text {
		g := p.glyph(r)
		b := bounds{g.bounds.x0 + along, g.bounds.y0, g.bounds.x1 + along, g.bounds.y1}
		if seen == nil {
			seen = &b
		} else {
			*seen = bounds{min(seen.x0, b.x0), min(seen.y0, b.y0), max(seen.x1, b.x1), max(seen.y1, b.y1)}
		}
		along += g.advance
	}
	if seen != nil {
		p.write(dst, text, x-(seen.x0+seen.x1)/2, y-(seen.y0+seen.y1)/2, colour)
	}
}

func px(v fixed.Int26_6) float64 { return float64(v) / 64 }
