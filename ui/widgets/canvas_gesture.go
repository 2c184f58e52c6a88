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
	catching // pressed on nothing: a drag catches marks in a frame, a release unselects
	spent    // has done what it was for
)

// gesture lasts from a press to its release, to the second click, or to the
// last corner.
type gesture struct {
	kind    gestureKind
	button  desktop.MouseButton // 0: a finger
	start   fyne.Position
	dragged bool             // the toolkit saw it move
	moved   bool             // it has gone far enough to be meant
	shape   annotate.Shape   // that is drawn
	shapes  []annotate.Shape // in hand, as they were before
	bent    *annotate.Shape  // the one in hand with a corner more than before
	handle  annotate.Handle
	toggled qc.MarkID     // leaves the selection unless it is dragged
	clicks  qc.MarkID     // was selected before and is clicked unless it is dragged
	adding  bool          // what is caught is added to what is selected
	from    qc.Point      // image pixels: where it began
	view    annotate.View // when it began
	now     fyne.Position
	way     []qc.Point // of a trace, image pixels
	corners []qc.Point // of a polygon, image pixels
	resume  *gesture   // what panning interrupted
}

// live reports whether what is in hand is somewhere else than before.
func (g *gesture) live() bool { return g.moved || g.bent != nil }

// traceTolerance is how far a trace may be from where the hand was, in device
// pixels: less than is seen.
const traceTolerance = 0.75

// MouseDown is called by Fyne.
func (c *PhotoCanvas) MouseDown(ev *desktop.MouseEvent) {
	c.takeFocus()
	if c.OnPress != nil {
		c.OnPress()
	}
	if c.key == "" {
		return
	}
	c.mods = ev.Modifier
	c.altUsed = ev.Modifier&fyne.KeyModifierAlt != 0
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
			c.cornerAt(ev.Position)
			return
		}
		c.begin(ev.Position, ev.Button, ev.Modifier)
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

// commandKeys are what other systems have for Ctrl, too.
const commandKeys = fyne.KeyModifierControl | fyne.KeyModifierSuper

// begin starts what a press at a place means with the armed tool.
func (c *PhotoCanvas) begin(at fyne.Position, button desktop.MouseButton, mods fyne.KeyModifier) {
	if c.space || !c.ours(at) {
		c.startPanning(at, button)
		return
	}
	c.cancelGesture()
	g := &gesture{button: button, start: at, now: at, from: c.WidgetToImage(at), view: c.port.view}
	c.gesture = g
	drawn := c.tool != "" && mods&commandKeys == 0
	// With a tool armed other marks do not react, so that one can be drawn over
	// them; nor does the inside of the selected one.
	if s, handle, ok := c.onSelected(g.from, false); ok {
		c.take(s, handle, mods)
		return
	}
	if drawn && mods&fyne.KeyModifierShift != 0 && c.lengthen() {
		return
	}
	if !drawn {
		c.pick(mods)
		return
	}
	g.kind = drawing
	g.shape = annotate.Shape{Mark: qc.Mark{Tool: c.tool}, Severity: c.Severity}
	g.way = []qc.Point{g.from}
	if c.tool == qc.Polygon {
		g.kind = cornering
		c.cornerAt(at)
	}
}

// take takes a selected mark by a handle, and with its body all that are
// selected.
func (c *PhotoCanvas) take(s annotate.Shape, handle annotate.Handle, mods fyne.KeyModifier) {
	g := c.gesture
	g.kind, g.handle, g.shapes = editing, handle, []annotate.Shape{s}
	if len(c.selected) > 1 {
		g.handle = annotate.Body
	}
	switch {
	case c.bend(s, mods):
	case g.handle >= annotate.Vertex:
		c.setCorner(g.handle)
	case g.handle != annotate.Body:
		c.setCorner(annotate.Body)
	default:
		c.setCorner(annotate.Body)
		g.shapes = c.chosen()
		if mods&fyne.KeyModifierShift != 0 {
			g.toggled = s.Mark.ID
		} else {
			g.clicks = s.Mark.ID
		}
	}
}

// pick selects what lies at the place of a press, and takes it; on nothing
// something may be caught.
func (c *PhotoCanvas) pick(mods fyne.KeyModifier) {
	g := c.gesture
	one := qc.MarkID("")
	if s, ok := c.sole(); ok {
		one = s.Mark.ID
	}
	id, handle, ok := c.hitAll(one, g.from)
	adding := mods&fyne.KeyModifierShift != 0
	if !ok {
		g.kind, g.adding = catching, adding
		return
	}
	g.kind, g.handle = editing, handle
	held := slices.Contains(c.selected, id)
	switch {
	case held && adding:
		g.toggled = id
	case held:
		g.clicks = id
	case adding:
		c.toggle(id)
	default:
		c.choose(id)
	}
	if c.gesture != g {
		return // whoever was told has other plans
	}
	c.setCorner(annotate.Body)
	if g.shapes = c.chosen(); len(g.shapes) == 0 {
		g.kind = spent
	}
	if len(g.shapes) > 1 {
		g.handle = annotate.Body
	}
}

// Dragged is called by Fyne.
func (c *PhotoCanvas) Dragged(ev *fyne.DragEvent) {
	if c.gesture == nil && c.grip == nil && c.key != "" && !c.pressed {
		// Fingers press without a mouse button. With one, a gesture that has
		// ended before the button was released stays ended.
		if from := ev.Position.SubtractXY(ev.Dragged.DX, ev.Dragged.DY); !c.grab(from) {
			c.begin(from, 0, 0)
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
	c.altUsed = c.altUsed || c.modifiers()&fyne.KeyModifierAlt != 0
	if !g.moved && apartBy(at, g.start) >= annotate.MinDrag {
		g.moved = true
		c.clicked, c.twice = nil, false
		if g.kind == editing && g.bent == nil {
			c.marksVersion++ // the marks leave the others for the draft
		}
		if g.kind == catching && g.button == 0 && c.port.movable() {
			g.kind = panning // a finger has neither a middle button nor Space
		}
	}
	switch g.kind {
	case panning:
		c.port.panTo(g.view.OffsetX+float64(at.X-g.start.X)*c.device, g.view.OffsetY+float64(at.Y-g.start.Y)*c.device)
	case drawing, waiting:
		if g.shape.Mark.Tool == qc.Freehand {
			g.way = append(g.way, c.WidgetToImage(at))
		}
		if g.moved {
			shape := g.shape
			shape.Mark.Points, _ = c.outcome()
			c.draft.shape = &shape
		}
	case editing:
		if g.live() {
			c.showInHand()
		}
	case cornering:
		c.showCorners()
		return
	case catching, spent:
	}
	c.update()
}

// MouseUp is called by Fyne.
func (c *PhotoCanvas) MouseUp(ev *desktop.MouseEvent) {
	c.pressed = false
	defer func() { c.mods = ev.Modifier }()
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
	if g.kind == drawing && !g.dragged && !g.moved && !placed(g.shape.Mark.Tool) {
		g.kind = waiting // a plain click is the first of two
		return
	}
	c.finish()
}

// placed reports whether marks of a tool need no more than a place.
func placed(t qc.Tool) bool { return t == qc.Badge || t == qc.Text }

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
	var edits map[qc.MarkID][]qc.Point
	ok := false
	switch g.kind {
	case drawing, waiting:
		points, ok = c.outcome()
		// A trace may end where it began; a badge needs no way at all.
		far := g.moved || placed(g.shape.Mark.Tool)
		if tool := g.shape.Mark.Tool; tool != qc.Freehand && !placed(tool) {
			far = apartBy(c.ImageToWidget(g.from), g.now) >= annotate.MinDrag
		}
		ok = ok && far
	case editing:
		if g.live() {
			edits = c.changes()
		}
	default:
	}
	c.gesture = g.resume
	version := c.marksVersion
	switch g.kind {
	case drawing, waiting:
		if ok && c.OnDrawn != nil {
			c.OnDrawn(g.shape.Mark.Tool, points)
		}
	case editing:
		switch {
		case len(edits) > 0:
			c.edited(edits)
		case g.moved:
		case g.toggled != "":
			c.toggle(g.toggled)
		case g.clicks != "":
			c.clickedMark(g.clicks, g.start)
		}
	case catching:
		if g.moved {
			c.catch(g)
		} else if !g.adding {
			c.choose()
		}
	case panning, cornering, spent:
	}
	if !g.moved && (g.kind == editing || g.kind == catching) {
		c.twice = c.clicked != nil && apartBy(*c.clicked, g.start) <= annotate.MinDrag
		c.clicked = &g.start
	}
	if c.marksVersion == version && !c.draft.empty() && c.gesture == nil {
		c.marksVersion++ // nobody took the draft over: show what there is
	}
	c.update()
}

// edited reports what has become of marks.
func (c *PhotoCanvas) edited(edits map[qc.MarkID][]qc.Point) {
	if c.OnEditedAll != nil {
		c.OnEditedAll(edits)
	}
}

// cancelGesture forgets what the hand was doing.
func (c *PhotoCanvas) cancelGesture() {
	if c.gesture == nil {
		return
	}
	c.gesture = nil
	c.draft.clear()
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
	if c.modifiers()&fyne.KeyModifierAlt != 0 {
		c.altUsed = true
		if ev.Scrolled.DY > 0 {
			c.TypedRune(']')
		} else {
			c.TypedRune('[')
		}
		return
	}
	steps := min(max(float64(ev.Scrolled.DY)/notch(), -3), 3)
	c.zoomAt(math.Pow(1.2, steps), ev.Position)
}

// zoomAt multiplies the zoom about a place of the widget.
func (c *PhotoCanvas) zoomAt(f float64, at fyne.Position) {
	at = c.linked(at)
	c.port.zoomTo(c.port.view.Scale*f, float64(at.X)*c.device, float64(at.Y)*c.device)
	if g := c.gesture; g != nil && g.kind == panning {
		g.view = c.port.view
		g.start = g.now
	}
	c.update()
}

// MouseIn is called by Fyne.
func (c *PhotoCanvas) MouseIn(ev *desktop.MouseEvent) { c.MouseMoved(ev) }

// MouseOut is called by Fyne. Keys may be released elsewhere, without a word
// to the canvas.
func (c *PhotoCanvas) MouseOut() {
	c.pointer, c.mods = nil, 0
	if c.altUsed {
		c.altUsed = false
		c.closeMenu()
	}
}

// closeMenu puts the menu away again that the toolkit opens when Alt is
// released without another key in between: it was held for the mouse. The
// toolkit does not say so; but the pointer is over the menu then, which has
// the focus.
func (c *PhotoCanvas) closeMenu() {
	on := fyne.CurrentApp().Driver().CanvasForObject(c)
	if on == nil || !c.focused || on.Focused() == nil || on.Focused() == fyne.Focusable(c) {
		return
	}
	if bar, ok := on.(interface{ ToggleMenu() }); ok {
		bar.ToggleMenu()
	}
}

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
