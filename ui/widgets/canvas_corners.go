package widgets

import (
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

// cornerAt takes a press while a polygon is being drawn.
func (c *PhotoCanvas) cornerAt(at fyne.Position) {
	g := c.gesture
	n := len(g.corners)
	if n > 0 && c.onCorner(n-1, at, annotate.MinDrag*2) || n > 2 && c.onCorner(0, at, c.reachInUnits()) {
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
	return apartBy(c.ImageToWidget(c.gesture.corners[i]), at) <= within
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

// What has corners can be bent when it is drawn: Shift and a press on the
// outline of the selected polygon or tape give it one more corner, which
// follows the hand; Alt and a press on a corner take that away. The corner that
// was taken last is ringed, and Delete means it. With the measure armed Shift
// and a press elsewhere go on with the selected tape.

// bend adds a corner to a mark that was pressed, or takes one away, if the
// modifiers ask for that; it reports whether they do.
func (c *PhotoCanvas) bend(s annotate.Shape, mods fyne.KeyModifier) bool {
	g := c.gesture
	if s.Mark.Tool != qc.Polygon && s.Mark.Tool != qc.Measure || len(c.selected) != 1 {
		return false
	}
	switch {
	case mods&fyne.KeyModifierAlt != 0 && g.handle >= annotate.Vertex:
		g.kind = spent
		c.dropCorner(s, g.handle)
		return true
	case mods&fyne.KeyModifierShift != 0 && g.handle == annotate.Body && annotate.OnOutline(s.Mark, g.from, c.reach()/2):
		bent, corner, ok := annotate.InsertCorner(s.Mark, c.inPhoto(g.from))
		if ok {
			c.bendAt(s, bent, corner)
		}
		return ok
	default:
		return false
	}
}

// lengthen goes on with the selected tape at the place of a press; it reports
// whether there is one.
func (c *PhotoCanvas) lengthen() bool {
	s, ok := c.sole()
	if !ok || c.tool != qc.Measure || s.Mark.Tool != qc.Measure {
		return false
	}
	form, _ := s.Mark.Tool.Form()
	n := len(s.Mark.Points)
	if !form.Fits(n + 1) {
		return false
	}
	bent := s.Mark
	bent.Points = append(slices.Clone(bent.Points), c.inPhoto(c.gesture.from))
	c.bendAt(s, bent, annotate.Vertex+annotate.Handle(n))
	return true
}

// bendAt takes the new corner of a mark.
func (c *PhotoCanvas) bendAt(s annotate.Shape, bent qc.Mark, corner annotate.Handle) {
	g := c.gesture
	now := s
	now.Mark = bent
	g.kind, g.handle, g.shapes, g.bent = editing, corner, []annotate.Shape{s}, &now
	c.corner = corner
	c.marksVersion++ // it leaves the others for the draft
	c.showInHand()
	c.update()
}

// dropCorner takes a corner of a mark away; it reports whether that can be
// spared.
func (c *PhotoCanvas) dropCorner(s annotate.Shape, corner annotate.Handle) bool {
	left, ok := annotate.RemoveCorner(s.Mark, int(corner-annotate.Vertex))
	if ok {
		c.setCorner(annotate.Body)
		c.edited(map[qc.MarkID][]qc.Point{left.ID: left.Points})
	}
	return ok
}

// setCorner makes a corner the one that Delete means.
func (c *PhotoCanvas) setCorner(h annotate.Handle) {
	if c.corner != h {
		c.corner = h
		c.updateDraft()
	}
}

// inPhoto returns the nearest place of the photo.
func (c *PhotoCanvas) inPhoto(p qc.Point) qc.Point {
	return qc.Point{X: min(max(p.X, 0), float64(c.port.w)), Y: min(max(p.Y, 0), float64(c.port.h))}
}
