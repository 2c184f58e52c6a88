package widgets

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// FocusGained is called by Fyne.
func (c *PhotoCanvas) FocusGained() {
	c.focused = true
	c.Refresh()
}

// FocusLost is called by Fyne. Keys that are held then are released elsewhere.
func (c *PhotoCanvas) FocusLost() {
	c.focused, c.space, c.shift = false, false, false
	for name, ev := range c.held {
		delete(c.held, name)
		if c.OnHeld != nil {
			c.OnHeld(ev, false)
		}
	}
	c.Refresh()
}

// AcceptsTab is called by Fyne: Tab goes from mark to mark while there are
// any, otherwise to the next widget.
func (c *PhotoCanvas) AcceptsTab() bool { return len(c.shapes) > 0 }

// KeyDown is called by Fyne.
func (c *PhotoCanvas) KeyDown(ev *fyne.KeyEvent) {
	c.hold(ev.Name, true)
	c.held[ev.Name] = ev
	if c.OnHeld != nil {
		c.OnHeld(ev, true)
	}
}

// KeyUp is called by Fyne.
func (c *PhotoCanvas) KeyUp(ev *fyne.KeyEvent) {
	c.hold(ev.Name, false)
	delete(c.held, ev.Name)
	if c.OnHeld != nil {
		c.OnHeld(ev, false)
	}
}

func (c *PhotoCanvas) hold(key fyne.KeyName, down bool) {
	switch key {
	case fyne.KeySpace:
		c.space = down
	case desktop.KeyShiftLeft, desktop.KeyShiftRight:
		c.shift = down
		if g := c.gesture; g != nil && (g.moved || g.kind == cornering) {
			c.follow(g.now) // squares at once, not only with the next move
		}
	}
}

// TypedKey is called by Fyne.
func (c *PhotoCanvas) TypedKey(ev *fyne.KeyEvent) {
	if c.useKey(ev.Name) {
		return
	}
	if c.OnTypedKey != nil {
		c.OnTypedKey(ev)
	}
}

func (c *PhotoCanvas) useKey(key fyne.KeyName) bool {
	if c.key == "" {
		return false
	}
	if c.cornerKey(key) {
		return true
	}
	switch key {
	case fyne.KeyLeft:
		return c.nudge(-1, 0)
	case fyne.KeyRight:
		return c.nudge(1, 0)
	case fyne.KeyUp:
		return c.nudge(0, -1)
	case fyne.KeyDown:
		return c.nudge(0, 1)
	case fyne.KeyDelete, fyne.KeyBackspace:
		id := c.selected
		if id == "" {
			return false
		}
		c.cancelGesture()
		if c.OnEdited != nil {
			c.OnEdited(id, nil)
		}
		return true
	case fyne.KeyTab:
		return c.selectNext(c.square())
	case fyne.KeyEscape:
		return c.stepBack()
	case fyne.KeySpace, fyne.KeyPlus, fyne.KeyMinus, fyne.KeyEqual, fyne.KeyBackTick:
		return true // used as held key or as rune
	default:
		return false
	}
}

// nudge moves the selected mark by a pixel of the image or of the screen,
// whichever is larger, so that it is seen to move; by ten with Shift.
func (c *PhotoCanvas) nudge(dx, dy float64) bool {
	i := c.find(c.selected)
	if i < 0 {
		return false
	}
	step := max(1, c.device/c.port.view.Scale)
	if c.square() {
		step *= 10
	}
	m := c.shapes[i].Mark
	// The arrows are the screen's.
	way := annotate.View{Scale: 1, Turn: c.port.view.Turn}.ToImage(qc.Point{X: dx * step, Y: dy * step})
	moved := annotate.Move(m, way.X, way.Y, c.port.w, c.port.h)
	if !slices.Equal(moved.Points, m.Points) && c.OnEdited != nil {
		c.OnEdited(m.ID, moved.Points)
	}
	return true
}

func (c *PhotoCanvas) selectNext(back bool) bool {
	n := len(c.shapes)
	if n == 0 {
		return false
	}
	i := c.find(c.selected)
	switch {
	case i < 0 && back:
		i = n - 1
	case i < 0:
		i = 0
	case back:
		i = (i + n - 1) % n
	default:
		i = (i + 1) % n
	}
	c.choose(c.shapes[i].Mark.ID)
	return true
}

// stepBack undoes one level of intent: the gesture, the selection, the tool.
func (c *PhotoCanvas) stepBack() bool {
	switch {
	case c.gesture != nil:
		c.cancelGesture()
	case c.selected != "":
		c.choose("")
	case c.tool != "":
		c.SetTool("")
		if c.OnTool != nil {
			c.OnTool(qc.Tool(""))
		}
	default:
		return false
	}
	return true
}

// TypedRune is called by Fyne.
func (c *PhotoCanvas) TypedRune(r rune) {
	if c.key != "" {
		switch r {
		case '+', '=':
			c.ZoomBy(1.2)
			return
		case '-':
			c.ZoomBy(1 / 1.2)
			return
		case '`':
			c.ToggleFit()
			return
		case ' ':
			return
		}
	}
	if c.OnTypedRune != nil {
		c.OnTypedRune(r)
	}
}
