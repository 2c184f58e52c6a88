package widgets

import (
	"math"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// A polygon is drawn corner by corner, so that its gesture lasts over many
// clicks: each sets a corner, and the next side follows the pointer. A click
// on the last corner (so a double click), one on the first, or Enter ends it;
// Backspace takes the last corner back. Zooming and panning go on meanwhile.

// corner takes a press while a polygon is being drawn.
func (c *PhotoCanvas) corner(at fyne.Position) {
	g := c.gesture
	n := len(g.corners)
	if n > 0 && c.onCorner(n-1, at, annotate.MinDrag*2) || n > 2 && c.onCorner(0, at, reachUnits) {
		c.closePolygon()
		return
	}
	if n >= qc.MaxPoints {
		return
	}
	g.now = at
	g.corners = append(g.corners, c.nextCorner())
	c.showCorners()
}

// onCorner reports whether a place of the widget is that corner.
func (c *PhotoCanvas) onCorner(i int, at fyne.Position, within float64) bool {
	p := c.ImageToWidget(c.gesture.corners[i])
	return math.Hypot(float64(p.X-at.X), float64(p.Y-at.Y)) <= within
}

// nextCorner returns where a click would set one.
func (c *PhotoCanvas) nextCorner() qc.Point {
	g := c.gesture
	p := c.WidgetToImage(g.now)
	if n := len(g.corners); n > 0 && c.square() {
		return annotate.Turned(g.corners[n-1], p, c.port.w, c.port.h)
	}
	return p
}

// showCorners shows the sides that are set, and the one that follows the
// pointer.
func (c *PhotoCanvas) showCorners() {
	g := c.gesture
	shape := g.shape
	// An open line: nothing is enclosed yet.
	shape.Mark.Tool = qc.Freehand
	shape.Mark.Points, _ = annotate.Traced(append(slices.Clip(g.corners), c.nextCorner()), 0, 0, c.port.w, c.port.h)
	c.draft.shape = &shape
	c.update()
}

// closePolygon ends the gesture with what it has, or goes on when that
// encloses nothing; it reports whether it ended.
func (c *PhotoCanvas) closePolygon() bool {
	g := c.gesture
	points, ok := annotate.Enclosed(g.corners, c.port.w, c.port.h)
	if !ok {
		return false
	}
	g.shape.Mark.Points = points
	c.draft.shape = &g.shape
	c.gesture = nil
	version := c.marksVersion
	if c.OnDrawn != nil {
		c.OnDrawn(g.shape.Mark.Tool, points)
	}
	if c.marksVersion == version {
		c.marksVersion++ // nobody took the draft over
	}
	c.update()
	return true
}

// cornerKey takes a key while a polygon is being drawn; it reports whether it
// was used.
func (c *PhotoCanvas) cornerKey(key fyne.KeyName) bool {
	g := c.gesture
	if g == nil || g.kind != cornering {
		return false
	}
	switch key {
	case fyne.KeyReturn, fyne.KeyEnter:
		return c.closePolygon()
	case fyne.KeyBackspace, fyne.KeyDelete:
		if g.corners = g.corners[:len(g.corners)-1]; len(g.corners) == 0 {
			c.cancelGesture()
			return true
		}
		c.showCorners()
		return true
	default:
		return false
	}
}

// startPanning pans until the button is released, and then goes on with a
// polygon that was being drawn.
func (c *PhotoCanvas) startPanning(at fyne.Position, button desktop.MouseButton) {
	var resume *gesture
	if g := c.gesture; g != nil && g.kind == cornering {
		resume = g
	} else {
		c.cancelGesture()
	}
	c.gesture = &gesture{kind: panning, button: button, start: at, now: at, view: c.port.view, resume: resume}
}
