package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// The toolkit reports a key with Ctrl or Alt as a shortcut, and every other one
// as a key and, where it says something, as a rune.

// FocusGained is called by Fyne.
func (c *PhotoCanvas) FocusGained() {
	c.focused = true
	c.Refresh()
}

// FocusLost is called by Fyne. Keys that are held then are released elsewhere.
func (c *PhotoCanvas) FocusLost() {
	c.focused, c.space, c.mods = false, false, 0
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
	c.altUsed = false
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
	var mod fyne.KeyModifier
	switch key {
	case fyne.KeySpace:
		c.space = down
		c.turnCursor()
		return
	case desktop.KeyShiftLeft, desktop.KeyShiftRight:
		mod = fyne.KeyModifierShift
	case desktop.KeyAltLeft, desktop.KeyAltRight:
		mod = fyne.KeyModifierAlt
	default:
		return
	}
	c.mods &^= mod
	if down {
		c.mods |= mod
	}
	c.turnCursor()
	if g := c.gesture; g != nil && (g.moved && g.kind != panning || g.kind == cornering) {
		c.follow(g.now) // at once, not only with the next move
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
	if dx, dy, ok := arrow(key); ok {
		step := 1.0
		if c.square() {
			step = 10
		}
		return c.nudge(dx*step, dy*step, false)
	}
	switch key {
	case fyne.KeyDelete, fyne.KeyBackspace:
		return c.deleteSelected()
	case fyne.KeyReturn, fyne.KeyEnter:
		s, ok := c.sole()
		return ok && c.gesture == nil && !c.marksHidden && c.askForWords(s)
	case fyne.KeyTab:
		return c.selectNext(c.square())
	case fyne.KeyPageUp:
		return c.reorder(Raise)
	case fyne.KeyPageDown:
		return c.reorder(Lower)
	case fyne.KeyHome:
		return c.reorder(ToFront)
	case fyne.KeyEnd:
		return c.reorder(ToBack)
	case fyne.KeyEscape:
		return c.stepBack()
	case fyne.KeySpace:
		return true // used as held key
	case fyne.KeyPlus, fyne.KeyMinus, fyne.KeyEqual, fyne.KeyBackTick:
		return c.OnTypedKey == nil // used as rune
	default:
		return false
	}
}

// arrow returns the way of an arrow key on the screen.
func arrow(key fyne.KeyName) (dx, dy float64, ok bool) {
	switch key {
	case fyne.KeyLeft:
		return -1, 0, true
	case fyne.KeyRight:
		return 1, 0, true
	case fyne.KeyUp:
		return 0, -1, true
	case fyne.KeyDown:
		return 0, 1, true
	default:
		return 0, 0, false
	}
}

// TypedShortcut is called by Fyne for keys with Ctrl or Alt that no menu has.
func (c *PhotoCanvas) TypedShortcut(s fyne.Shortcut) {
	if c.useShortcut(s) {
		return
	}
	if c.OnShortcut != nil {
		c.OnShortcut(s)
		return
	}
	if on, ok := fyne.CurrentApp().Driver().CanvasForObject(c).(fyne.Shortcutable); ok {
		on.TypedShortcut(s)
	}
}

func (c *PhotoCanvas) useShortcut(s fyne.Shortcut) bool {
	if c.key == "" {
		return false
	}
	if _, all := s.(*fyne.ShortcutSelectAll); all {
		return c.selectEverything()
	}
	custom, ok := s.(*desktop.CustomShortcut)
	if !ok {
		return false
	}
	command := custom.Modifier&commandKeys != 0
	shift, alt := custom.Modifier&fyne.KeyModifierShift != 0, custom.Modifier&fyne.KeyModifierAlt != 0
	if dx, dy, ok := arrow(custom.KeyName); ok {
		if shift {
			dx, dy = dx*10, dy*10
		}
		if command && !alt {
			return c.stretch(dx, dy)
		}
		return alt && !command && c.nudge(dx, dy, true)
	}
	switch {
	case !command || alt:
		return false
	case custom.KeyName == fyne.KeyA && !shift:
		return c.selectEverything()
	case custom.KeyName == fyne.KeyD && shift:
		return c.handOn(c.OnCopyOn)
	case custom.KeyName == fyne.KeyD:
		return c.handOn(c.OnDuplicate)
	default:
		return false
	}
}

// stepBack undoes one level of intent: the gesture, the corner that was taken,
// the selection, the tool.
func (c *PhotoCanvas) stepBack() bool {
	switch {
	case c.gesture != nil:
		c.cancelGesture()
	case c.corner != annotate.Body:
		c.setCorner(annotate.Body)
	case len(c.selected) > 0:
		c.choose()
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
		// What zooms may also be part of what a scanner types, which only the
		// owner can tell.
		alone := c.OnTypedKey == nil
		switch {
		case alone && (r == '+' || r == '='):
			c.ZoomBy(1.2)
			return
		case alone && r == '-':
			c.ZoomBy(1 / 1.2)
			return
		case alone && r == '`':
			c.ToggleFit()
			return
		case r == ' ':
			return
		case r == '[':
			if c.zoomInset(-0.5) {
				return
			}
		case r == ']':
			if c.zoomInset(0.5) {
				return
			}
		}
	}
	if c.OnTypedRune != nil {
		c.OnTypedRune(r)
	}
}
