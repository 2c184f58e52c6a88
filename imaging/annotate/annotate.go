// Package annotate treats marks as geometry and holds the one renderer that
// draws them: what the inspector sees on the screen is what is burned into the
// file that the customer sees.
//
// Coordinates are those of [qc.Point]: pixel edges of the oriented image,
// origin at the top left, x right, y down. A [View] maps them to output pixels
// of a window or a file. A [Shape] is a mark ready to be shown. What has
// corners, and a trace, is held by eight [Handle]s, what has two ends by those,
// a polygon by its corners; a handle named by [Hit] is dragged by [Drag].
//
// A redaction hides for good: [Redact] paints it wherever pixels of an original
// go into anything that is shown or sent. An inset shows a part of the photo
// enlarged in a [Frame] on the photo itself; its pixels come from a [Source]. A
// spotlight dims the rest. Words stand on plates, which with the numbers and
// the measures' labels are placed so that they hide no flaw if they can.
//
// Sizes of what is drawn are multiples of a unit, a thousandth of the output's
// longer side, so that marks look the same on a photo of any size.
//
// Nothing here has state or does input and output; every function may be
// called from any goroutine.
package annotate

import (
	"math"
	"slices"

	"flawmark/app/qc"
)

// Shape is a mark ready to be shown: with its number and severity.
type Shape struct {
	Mark     qc.Mark
	Number   int // of the flaw on photos and lists; 0: none is shown
	Severity qc.Severity
	Label    string // what is written at a measure, such as "56 mm ± 1"; the words of a text are the mark's own
}

// View maps image pixels to output pixels.
type View struct {
	Scale            float64 // output pixels per image pixel, above 0
	OffsetX, OffsetY float64 // where the image's origin is, in output pixels
	Turn             int     // quarter turns clockwise, 0..3, for looking only
}

// sound reports whether anything can be drawn with the view.
func (v View) sound() bool {
	return v.Scale > 1e-6 && v.Scale < 1e6 && math.Abs(v.OffsetX) < 1e12 && math.Abs(v.OffsetY) < 1e12
}

// ToScreen returns the output pixel of an image point.
func (v View) ToScreen(p qc.Point) qc.Point {
	switch v.Turn {
	case 1:
		p.X, p.Y = -p.Y, p.X
	case 2:
		p.X, p.Y = -p.X, -p.Y
	case 3:
		p.X, p.Y = p.Y, -p.X
	}
	return qc.Point{X: p.X*v.Scale + v.OffsetX, Y: p.Y*v.Scale + v.OffsetY}
}

// ToImage returns the image point of an output pixel.
func (v View) ToImage(p qc.Point) qc.Point {
	p = qc.Point{X: (p.X - v.OffsetX) / v.Scale, Y: (p.Y - v.OffsetY) / v.Scale}
	switch v.Turn {
	case 1:
		p.X, p.Y = p.Y, -p.X
	case 2:
		p.X, p.Y = -p.X, -p.Y
	case 3:
		p.X, p.Y = -p.Y, p.X
	}
	return p
}

// MinDrag is the least way in screen pixels that is a gesture. A shorter one
// is a click that slipped and draws nothing.
const MinDrag = 4.0

// Handle is a part of a mark that can be dragged.
type Handle int

// The handles. Body moves the whole mark.
const (
	Body Handle = iota
	TopLeft
	Top
	TopRight
	Right
	BottomRight
	Bottom
	BottomLeft
	Left
	Tail
	Head
	InsetPlace // the top left corner of an inset, where it is shown; see [Insets]
	Vertex     // the first corner of a polygon or a bent tape; the others follow
)

// boxHandles go clockwise from the top left, so that opposite handles are four
// apart.
var boxHandles = [...]Handle{TopLeft, Top, TopRight, Right, BottomRight, Bottom, BottomLeft, Left}

// Handles returns the handles of a mark with their places, in a fixed order;
// nil for a mark that is not well formed and for a badge or words without a
// leader, which are moved only. An inset that a person has placed has one more
// for that; one that was placed by [Insets] gets it when it is dragged.
func Handles(m qc.Mark) ([]Handle, []qc.Point) {
	switch {
	case !wellFormed(m):
		return nil, nil
	case Cornered(m.Tool) || m.Tool == qc.Freehand:
		places := make([]qc.Point, 0, len(boxHandles)+1)
		b := boundsOf(m)
		for _, h := range boxHandles {
			dx, dy := h.side()
			places = append(places, qc.Point{
				X: (b.x0+b.x1)/2 + float64(dx)*(b.x1-b.x0)/2,
				Y: (b.y0+b.y1)/2 + float64(dy)*(b.y1-b.y0)/2,
			})
		}
		if m.Tool == qc.Inset && len(m.Points) == 3 {
			return append(boxHandles[:len(boxHandles):len(boxHandles)], InsetPlace), append(places, m.Points[2])
		}
		return boxHandles[:], places
	case m.Tool == qc.Polygon || m.Tool == qc.Measure && len(m.Points) > 2:
		handles := make([]Handle, len(m.Points))
		for i := range handles {
			handles[i] = Vertex + Handle(i)
		}
		return handles, slices.Clone(m.Points)
	case len(m.Points) == 2:
		return []Handle{Tail, Head}, slices.Clone(m.Points)
	default:
		return nil, nil
	}
}

// side tells which side of a box a handle pulls: -1 left or top, 1 right or
// bottom, 0 neither.
func (h Handle) side() (dx, dy int) {
	switch h {
	case TopLeft, Left, BottomLeft:
		dx = -1
	case TopRight, Right, BottomRight:
		dx = 1
	default:
	}
	switch h {
	case TopLeft, Top, TopRight:
		dy = -1
	case BottomLeft, Bottom, BottomRight:
		dy = 1
	default:
	}
	return dx, dy
}

// clamp brings v into [0, limit]; what is no number becomes 0.
func clamp(v, limit float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return min(max(v, 0), max(limit, 0))
}

func inside(p qc.Point, w, h int) qc.Point {
	return qc.Point{X: clamp(p.X, float64(w)), Y: clamp(p.Y, float64(h))}
}
