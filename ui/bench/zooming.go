package bench

import (
	"math"
	"time"

	"fyne.io/fyne/v2"

	"flawmark/ui/widgets"
)

// zooming goes nearer or further while a key is held. The toolkit's animations
// drive it, so that it ends with the window.
type zooming struct {
	run   *fyne.Animation // nil: none
	photo *widgets.PhotoCanvas
	last  time.Time
}

// In a second the photo becomes so many times larger or smaller; a tap is one
// step.
const (
	zoomRate = 3.0
	zoomTap  = 1.1
)

func (z *zooming) begin(w *Window, way float64) {
	z.end()
	z.photo, z.last = w.photoInView(), w.now()
	z.photo.ZoomAtPointer(math.Pow(zoomTap, way))
	z.run = &fyne.Animation{Duration: time.Second, RepeatCount: fyne.AnimationRepeatForever, Curve: fyne.AnimationLinear, Tick: func(float32) {
		now := w.now()
		z.photo.ZoomAtPointer(math.Pow(zoomRate, way*now.Sub(z.last).Seconds()))
		z.last = now
	}}
	z.run.Start()
}

func (z *zooming) end() {
	if z.run != nil {
		z.run.Stop()
		z.run = nil
	}
}
