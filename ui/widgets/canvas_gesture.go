package widgets

import (
	"math"
	"runtime"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// gestureKind is what the hand is doing.
type gestureKind int

const (
	drawing   gestureKind = iota
	waiting               // drawing by two clicks: the first was made
	cornering             // drawing a polygon, corner by corner
	editing
	panning
	idling // pressed on nothing: a release unselects
)

// gesture lasts from a press to its release, to the second click, or to the
// last corner.
type gesture struct {
	kind    gestureKind
	button  desktop.MouseButton // 0: a finger
	start   fyne.Position
	dragged bool // the toolkit saw it move
	moved   bool // it has gone far enough to be meant
	shape   annotate.Shape
	handle  annotate.Handle
	from    qc.Point      // image pixels: where it began
	view    annotate.View // when it began
	now     fyne.Position
	way     []qc.Point // of a trace, image pixels
	corners []qc.Point // of a polygon, image pixels
	resume  *gesture   // what panning interrupted
}

// reachUnits is the tolerance around outlines and handles in canvas units.
const reachUnits = 12

// traceTolerance is how far a trace may be from where the hand was, in device
// pixels: less than is seen.
const traceTolerance = 0.75

func (c *PhotoCanvas) reach() float64 { return reachUnits * c.device / c.port.view.Scale }

// MouseDown is called by Fyne.
func (c *PhotoCanvas) MouseDown(ev *desktop.MouseEvent) {
	c.takeFocus()
	if c.key == "" {
		return
	}
	c.shift = ev.Modifier&fyne.KeyModifierShift != 0
	c.pressed = true
	if ev.Button == desktop.MouseButtonPrimary && c.grab(ev.Position) {
		return
	}
	if g := c.gesture; g != nil && g.kind == waiting && ev.Button == desktop.MouseButtonPrimary {
		c.follow(ev.Position)
		c.finish()
		return
	}
	switch ev.Button {
	case desktop.MouseButtonPrimary:
		if g := c.gesture; g != nil && g.kind == cornering && !c.space && c.ours(ev.Position) {
			c.corner(ev.Position)
			return
		}
		c.begin(ev.Position, ev.Button, ev.Modifier&fyne.KeyModifierControl != 0)
	case desktop.MouseButtonTertiary:
		c.startPanning(ev.Position, ev.Button)
	default:
	}
}

func (c *PhotoCanvas) takeFocus() {
	if on := fyne.CurrentApp().Driver().CanvasForObject(c); on != nil {
		on.Focus(c)
	}
}

// begin starts what a press at a place means with the armed tool.
func (c *PhotoCanvas) begin(at fyne.Position, button desktop.MouseButton, pick bool) {
	if c.space || !c.ours(at) {
		c.startPanning(at, button)
		return
	}
	c.cancelGesture()
	g := &gesture{button: button, start: at, now: at, from: c.WidgetToImage(at), view: c.port.view}
	switch {
	case c.tool != "" && !pick:
		// Other marks do not react, so that one can be drawn over them; nor
		// does the inside of the selected one.
		if s, handle, ok := c.onSelected(g.from); ok {
			g.kind, g.shape, g.handle = editing, s, handle
		} else {
			g.kind = drawing
			g.shape = annotate.Shape{Mark: qc.Mark{Tool: c.tool}, Severity: c.Severity}
			g.way = []qc.Point{g.from}
		}
		if g.kind == drawing && c.tool == qc.Polygon {
			g.kind = cornering
			c.gesture = g
			c.corner(at)
			return
		}
	default:
		id, handle, ok := annotate.Hit(c.shapes, c.selected, g.from, c.reach())
		if !ok {
			g.kind = idling
			break
		}
		c.choose(id)
		if i := c.find(id); i >= 0 {
			g.kind, g.shape, g.handle = editing, c.shapes[i], handle
		}
	}
	c.gesture = g
}

// onSelected finds the selected mark's handle or outline at an image point.
func (c *PhotoCanvas) onSelected(at qc.Point) (annotate.Shape, annotate.Handle, bool) {
	i := c.find(c.selected)
	if i < 0 {
		return annotate.Shape{}, annotate.Body, false
	}
	one := c.shapes[i : i+1]
	_, handle, ok := annotate.Hit(one, c.selected, at, c.reach())
	if ok && handle == annotate.Body {
		ok = annotate.OnOutline(one[0].Mark, at, c.reach()/2)
	}
	return c.shapes[i], handle, ok
}

// Dragged is called by Fyne.
func (c *PhotoCanvas) Dragged(ev *fyne.DragEvent) {
	if c.gesture == nil && c.grip == nil && c.key != "" && !c.pressed {
		// Fingers press without a mouse button. With one, a gesture that has
		// ended before the button was released stays ended.
		if from := ev.Position.SubtractXY(ev.Dragged.DX, ev.Dragged.DY); !c.grab(from) {
			c.begin(from, 0, false)
		}
	}
	if c.grip != nil {
		c.grip(ev.Position)
		return
	}
	if c.gesture == nil || c.gesture.kind == cornering {
		return
	}
	c.gesture.dragged = true
	c.follow(ev.Position)
}

// follow takes the gesture to a place.
func (c *PhotoCanvas) follow(at fyne.Position) {
	g := c.gesture
	g.now = at
	if math.Hypot(float64(at.X-g.start.X), float64(at.Y-g.start.Y)) >= annotate.MinDrag {
		if !g.moved {
			g.moved = true
			if g.kind == editing {
				c.marksVersion++ // the mark leaves the others for the draft
			}
			if g.kind == idling && c.port.movable() {
				g.kind = panning
			}
		}
	}
	switch g.kind {
	case panning:
		c.port.panTo(g.view.OffsetX+float64(at.X-g.start.X)*c.device, g.view.OffsetY+float64(at.Y-g.start.Y)*c.device)
	case drawing, waiting, editing:
		if g.shape.Mark.Tool == qc.Freehand && g.kind != editing {
			g.way = append(g.way, c.WidgetToImage(at))
		}
		if g.moved {
			shape := g.shape
			shape.Mark.Points, _ = c.outcome()
			c.draft.shape = &shape
		}
	case cornering:
		c.showCorners()
		return
	case idling:
	}
	c.update()
}

// outcome returns the points that the gesture gives its mark, if any.
func (c *PhotoCanvas) outcome() ([]qc.Point, bool) {
	g := c.gesture
	to := c.WidgetToImage(g.now)
	w, h := c.port.w, c.port.h
	if g.kind != editing {
		switch g.shape.Mark.Tool {
		case qc.Freehand:
			return annotate.Traced(g.way, traceTolerance/c.port.view.Scale, c.reach(), w, h)
		case qc.Badge:
			// A leader that ends under the number leads nowhere.
			if math.Hypot(float64(g.now.X-g.start.X), float64(g.now.Y-g.start.Y))*c.device < annotate.BadgeRadius(c.unit()) {
				to = g.from
			}
		default:
		}
		return annotate.Drawn(g.shape.Mark.Tool, g.from, to, c.square(), w, h)
	}
	if g.handle == annotate.Body {
		return annotate.Move(g.shape.Mark, to.X-g.from.X, to.Y-g.from.Y, w, h).Points, true
	}
	// The handle keeps its distance to the pointer that took it.
	handles, places := annotate.Handles(g.shape.Mark)
	if i := slices.Index(handles, g.handle); i >= 0 {
		to.X += places[i].X - g.from.X
		to.Y += places[i].Y - g.from.Y
	}
	return annotate.Drag(g.shape.Mark, g.handle, to, c.square(), w, h).Points, true
}

// square reports whether Shift is held. The driver is asked too: a key that
// went down before the canvas had the focus was not reported to the canvas.
func (c *PhotoCanvas) square() bool {
	if d, ok := fyne.CurrentApp().Driver().(desktop.Driver); ok && d.CurrentKeyModifiers()&fyne.KeyModifierShift != 0 {
		return true
	}
	return c.shift
}

// MouseUp is called by Fyne.
func (c *PhotoCanvas) MouseUp(ev *desktop.MouseEvent) {
	c.pressed = false
	if c.grip != nil {
		c.grip = nil
		return
	}
	g := c.gesture
	if g == nil || g.kind == waiting || g.kind == cornering || g.button != ev.Button {
		return
	}
	if g.dragged || g.now != ev.Position {
		c.follow(ev.Position)
	}
	if g.kind == drawing && !g.dragged && !g.moved && g.shape.Mark.Tool != qc.Badge {
		g.kind = waiting // a plain click is the first of two
		return
	}
	c.finish()
}

// DragEnd is called by Fyne: after MouseUp, or instead of it when the button
// was released over something else.
func (c *PhotoCanvas) DragEnd() {
	c.pressed, c.grip = false, nil
	if g := c.gesture; g != nil && g.kind != waiting && g.kind != cornering {
		c.finish()
	}
}

// finish ends the gesture and reports what it did.
func (c *PhotoCanvas) finish() {
	g := c.gesture
	var points []qc.Point
	ok := false
	if g.kind == drawing || g.kind == waiting || g.kind == editing {
		points, ok = c.outcome()
	}
	// A trace may end where it began; a badge needs no way at all.
	far := g.moved || g.shape.Mark.Tool == qc.Badge
	if g.shape.Mark.Tool != qc.Freehand && g.shape.Mark.Tool != qc.Badge {
		far = math.Hypot(float64(g.now.X-g.start.X), float64(g.now.Y-g.start.Y)) >= annotate.MinDrag
	}
	c.gesture = g.resume
	version := c.marksVersion
	switch g.kind {
	case drawing, waiting:
		if ok && far && c.OnDrawn != nil {
			c.OnDrawn(g.shape.Mark.Tool, points)
		}
	case editing:
		if ok && g.moved && !slices.Equal(points, g.shape.Mark.Points) && c.OnEdited != nil {
			c.OnEdited(g.shape.Mark.ID, points)
		}
	case idling:
		if !g.moved {
			c.choose("")
		}
	case panning, cornering:
	}
	if c.marksVersion == version && c.draft.shape != nil && c.gesture == nil {
		c.marksVersion++ // nobody took the draft over: show what there is
	}
	c.update()
}

// cancelGesture forgets what the hand was doing.
func (c *PhotoCanvas) cancelGesture() {
	if c.gesture == nil {
		return
	}
	c.gesture = nil
	c.draft.shape = nil
	c.marksVersion++
	c.update()
}

// notch is how much the driver reports for one step of a wheel.
func notch() float64 {
	if runtime.GOOS == "darwin" {
		return 10
	}
	return 25
}

// Scrolled is called by Fyne.
func (c *PhotoCanvas) Scrolled(ev *fyne.ScrollEvent) {
	if ev.Scrolled.DY == 0 || c.key == "" {
		return
	}
	steps := min(max(float64(ev.Scrolled.DY)/notch(), -3), 3)
	c.zoomAt(math.Pow(1.2, steps), ev.Position)
}

// zoomAt multiplies the zoom about a place of the widget.
func (c *PhotoCanvas) zoomAt(f float64, at fyne.Position) {
	at = c.linked(at)
	c.port.zoomTo(c.port.view.Scale*f, float64(at.X)*c.device, float64(at.Y)*c.device)
	if c.gesture != nil {
		c.gesture.view = c.port.view
		c.gesture.start = c.gesture.now
	}
	c.update()
}

// MouseIn is called by Fyne.
func (c *PhotoCanvas) MouseIn(ev *desktop.MouseEvent) { c.MouseMoved(ev) }

// MouseOut is called by Fyne.
func (c *PhotoCanvas) MouseOut() { c.pointer = nil }

// MouseMoved is called by Fyne.
func (c *PhotoCanvas) MouseMoved(ev *desktop.MouseEvent) {
	at := ev.Position
	c.pointer = &at
	if g := c.gesture; g != nil && (g.kind == waiting || g.kind == cornering) {
		c.follow(ev.Position)
		return
	}
	c.cursor = c.cursorAt(ev.Position)
}

// Cursor is called by Fyne.
func (c *PhotoCanvas) Cursor() desktop.Cursor { return c.cursor }

func (c *PhotoCanvas) idleCursor() desktop.Cursor {
	if c.tool != "" && c.key != "" {
		return desktop.CrosshairCursor
	}
	return desktop.DefaultCursor
}

// cursorAt tells what a press would do, as far as the seven standard cursors
// can.
func (c *PhotoCanvas) cursorAt(at fyne.Position) desktop.Cursor {
	if cursor, ok := c.gripCursor(at); ok {
		return cursor
	}
	if c.key == "" || c.space || !c.ours(at) {
		return desktop.DefaultCursor
	}
	p := c.WidgetToImage(at)
	if _, handle, ok := c.onSelected(p); ok {
		across, down := desktop.HResizeCursor, desktop.VResizeCursor
		if c.port.view.Turn%2 == 1 {
			across, down = down, across
		}
		switch handle {
		case annotate.Left, annotate.Right:
			return across
		case annotate.Top, annotate.Bottom:
			return down
		default:
			return desktop.PointerCursor
		}
	}
	if c.tool != "" {
		return desktop.CrosshairCursor
	}
	if _, _, ok := annotate.Hit(c.shapes, c.selected, p, c.reach()); ok {
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}
