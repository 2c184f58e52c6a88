package widgets

import (
	"math"

	"fyne.io/fyne/v2"
)

// What is here changes how the photo is looked at, and nothing else.

// Fit shows the whole photo and keeps doing so when the canvas is resized.
func (c *PhotoCanvas) Fit() {
	c.port.fitNow()
	c.update()
}

// ActualSize shows one image pixel a device pixel.
func (c *PhotoCanvas) ActualSize() { c.zoomTo(1) }

// DoubleSize shows one image pixel as two by two device pixels.
func (c *PhotoCanvas) DoubleSize() { c.zoomTo(2) }

// ToggleFit changes between the whole photo and one image pixel a device
// pixel, at the pointer when it is over the canvas.
func (c *PhotoCanvas) ToggleFit() {
	if c.port.fit {
		c.ZoomAtPointer(1 / c.port.view.Scale)
	} else {
		c.Fit()
	}
}

// ZoomBy multiplies the zoom about the middle of the canvas.
func (c *PhotoCanvas) ZoomBy(f float64) { c.zoomTo(c.port.view.Scale * f) }

// ZoomAtPointer multiplies the zoom about the pointer, or about the middle of
// the canvas when the pointer is elsewhere.
func (c *PhotoCanvas) ZoomAtPointer(f float64) {
	if c.pointer == nil || c.key == "" {
		c.ZoomBy(f)
		return
	}
	c.zoomAt(f, *c.pointer)
}

// ZoomTo sets the zoom about the middle of the canvas; 100 is one image pixel
// a device pixel. It stays between the whole photo and 1600 %.
func (c *PhotoCanvas) ZoomTo(percent float64) { c.zoomTo(percent / 100) }

func (c *PhotoCanvas) zoomTo(scale float64) {
	c.port.zoomTo(scale, float64(c.port.width)/2, float64(c.port.height)/2)
	c.update()
}

// Zoom returns the zoom; 100 is one image pixel a device pixel.
func (c *PhotoCanvas) Zoom() (percent float64, fit bool) { return c.port.view.Scale * 100, c.port.fit }

// SetTurn shows the photo turned clockwise by quarter turns; marks stay on
// their image pixels. It is for looking only.
func (c *PhotoCanvas) SetTurn(quarter int) {
	quarter = (quarter%4 + 4) % 4
	if quarter == c.port.view.Turn {
		return
	}
	c.cancelGesture()
	c.photoLane.reset()
	c.port.turnTo(quarter)
	c.forgetOther()
	c.marksVersion++
	c.update()
	c.looked()
}

// Turn returns by how many quarters the photo is turned clockwise, 0 to 3.
func (c *PhotoCanvas) Turn() int { return c.port.view.Turn }

// lighting is how bright photos are shown.
type lighting struct {
	brightness, contrast float64
	table                *light // nil: as they are
}

// SetLight changes brightness and contrast of what is shown, each from -1 to 1
// with 0 for the photo as it is. It is for looking only: no file ever has it.
func (c *PhotoCanvas) SetLight(brightness, contrast float64) {
	within := func(v float64) float64 {
		if math.IsNaN(v) {
			return 0
		}
		return min(max(v, -1), 1)
	}
	brightness, contrast = within(brightness), within(contrast)
	if brightness == c.light.brightness && contrast == c.light.contrast {
		return
	}
	c.setLight(brightness, contrast)
	c.update()
	c.looked()
}

func (c *PhotoCanvas) setLight(brightness, contrast float64) {
	c.light = lighting{brightness, contrast, newLight(brightness, contrast)}
	c.photoVersion++
}

// Light returns how brightness and contrast are changed; 0, 0 is not at all.
func (c *PhotoCanvas) Light() (brightness, contrast float64) {
	return c.light.brightness, c.light.contrast
}

// HideMarks hides all marks until they are shown again. Nothing can be drawn
// or changed meanwhile.
func (c *PhotoCanvas) HideMarks(hide bool) {
	if c.marksHidden == hide {
		return
	}
	c.cancelGesture()
	c.marksHidden = hide
	c.marksVersion++
	c.update()
	c.looked()
}

// MarksHidden reports whether marks are hidden.
func (c *PhotoCanvas) MarksHidden() bool { return c.marksHidden }

func (c *PhotoCanvas) looked() {
	if c.OnLook != nil {
		c.OnLook()
	}
}

// ours reports whether a place of the widget shows our photo with its marks,
// so that something can be drawn there.
func (c *PhotoCanvas) ours(at fyne.Position) bool { return !c.marksHidden && !c.onOther(at) }

// sameShapeWithin is by how much the proportions of photos of one camera may
// differ.
const sameShapeWithin = 0.005

// showAnother takes over a photo's size: fitted, or where the last one was.
func (c *PhotoCanvas) showAnother(w, h int) {
	before := c.port
	c.port.w, c.port.h = w, h
	if c.KeepZoom && before.w > 0 && w > 0 &&
		math.Abs(float64(before.w)*float64(h)/(float64(before.h)*float64(w))-1) <= sameShapeWithin {
		if c.port.fit || c.port.empty() {
			c.port.fitNow()
			return
		}
		// The same part of the photo in the same place of the window.
		c.port.view.Scale = min(max(c.port.view.Scale*float64(before.w)/float64(w), c.port.minScale()), maxZoom)
		c.port.settle()
		return
	}
	changed := c.port.view.Turn != 0 || c.light.table != nil
	c.port.view.Turn = 0
	c.setLight(0, 0)
	c.port.fitNow()
	if changed {
		c.looked()
	}
}
