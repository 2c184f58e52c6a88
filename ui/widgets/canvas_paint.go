package widgets

import (
	"image/color"
	"math"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// neutral has no tint, because colours are judged beside it.
var neutral = color.NRGBA{0x80, 0x80, 0x80, 0xff}

const (
	// largestTexture is what every graphics card takes; a larger one is drawn
	// as nothing at all, without an error.
	largestTexture = 2048
	// atOnce is how many milliseconds may be spent on the UI goroutine.
	atOnce = 8.0
	// spare is the share of the window that pictures extend beyond it, so that
	// panning mostly moves what is there.
	spare = 0.125
	// edge is kept free around a fitted photo for handles, in canvas units.
	edge = 12
)

// order carries out work, at once when it is cheap, and shows what comes of
// it; retry asks anew.
func (c *PhotoCanvas) order(l *lane, cost float64, work func(stop *atomic.Bool) (picture, bool), show func(picture), retry func()) {
	if l.running && cost > atOnce {
		l.again = true
		return
	}
	l.asked++
	number := l.asked
	if cost <= atOnce {
		l.again = l.again || l.running // what is under way comes too late
		if p, ok := work(new(atomic.Bool)); ok {
			l.shown = number
			show(p)
		}
		return
	}
	stop := new(atomic.Bool)
	l.running, l.stop = true, stop
	c.background(func() {
		p, ok := work(stop)
		c.dispatch(func() {
			l.running = false
			if ok && !stop.Load() && number > l.shown {
				l.shown = number
				show(p)
			}
			if l.again {
				l.again = false
				retry()
			}
		})
	})
}

func (c *PhotoCanvas) dispatch(f func()) {
	if c.Dispatch != nil {
		c.Dispatch(f)
		return
	}
	fyne.Do(f)
}

func (c *PhotoCanvas) background(f func()) {
	if c.Background != nil {
		c.Background(f)
		return
	}
	go f()
}

// update brings what is shown into line with the state.
func (c *PhotoCanvas) update() {
	c.measure()
	c.updatePhoto()
	c.updateOther()
	c.place()
	c.updateDraft()
	c.updateWords()
	c.updateDivider()
	c.updateMap()
	if percent, fit := c.Zoom(); c.key != "" && !c.port.empty() && (percent != c.told.percent || fit != c.told.fit) {
		c.told.percent, c.told.fit = percent, fit
		if c.OnZoomed != nil {
			c.OnZoomed(percent, fit)
		}
	}
	c.ground.Refresh()
}

// measure takes over the widget's size in device pixels.
func (c *PhotoCanvas) measure() {
	device := c.deviceNow()
	size := c.Size()
	width, height := int(math.Round(float64(size.Width)*device)), int(math.Round(float64(size.Height)*device))
	if c.sideBySide() {
		width /= 2
	}
	if width == c.port.width && height == c.port.height && device == c.device {
		return
	}
	zoom := device / c.device
	c.device = device
	c.port.resize(width, height, int(edge*device), zoom)
	c.marksVersion++ // their size depends on the window's
}

// deviceNow returns the canvas's scale, or the last one known while the widget
// is on none.
func (c *PhotoCanvas) deviceNow() float64 {
	if app := fyne.CurrentApp(); app != nil {
		if on := app.Driver().CanvasForObject(c); on != nil && on.Scale() > 0 {
			return float64(on.Scale())
		}
	}
	return c.device
}

func (c *PhotoCanvas) place() {
	covered := c.placeUnder()
	c.photo.place(c.port.view, c.device)
	c.placeSurround(covered)
	c.other.sheet.place(c.port.view, c.device)
}

// unit is the size that marks on the screen are multiples of: as in a file of
// the window's size, but neither too fine to see nor as large as a poster.
func (c *PhotoCanvas) unit() float64 {
	u := float64(max(c.port.width, c.port.height)) / 1000
	return min(max(u, 0.8*c.device), 1.2*c.device)
}

// marksShown ends the time in which a finished draft stands in for its mark.
func (c *PhotoCanvas) marksShown() {
	if c.gesture == nil && !c.draft.empty() {
		c.draft.clear()
		c.updateDraft()
	}
}

// CreateRenderer is called by Fyne, also again after a time out of sight.
func (c *PhotoCanvas) CreateRenderer() fyne.WidgetRenderer {
	c.ExtendBaseWidget(c)
	r := &canvasRenderer{c}
	r.dress()
	return r
}

type canvasRenderer struct{ c *PhotoCanvas }

func (r *canvasRenderer) Layout(fyne.Size) {
	r.c.update()
}

func (r *canvasRenderer) MinSize() fyne.Size { return fyne.NewSize(200, 150) }

func (r *canvasRenderer) Objects() []fyne.CanvasObject {
	c := r.c
	// The toolkit says neither that a widget has come onto a canvas nor that
	// the window has moved to a screen of another scale; but it paints.
	if !c.scaled && c.deviceNow() != c.device {
		c.scaled = true
		c.dispatch(func() {
			c.scaled = false
			c.update()
		})
	}
	c.layers.fill(c)
	list := make([]fyne.CanvasObject, 0, 32)
	for _, strip := range c.around.ground {
		list = append(list, strip)
	}
	list = append(list, c.layers.ours, c.layers.theirs)
	list = append(list, c.divider.objects()...)
	list = append(list, c.overview.objects()...)
	for _, text := range c.words {
		list = append(list, text)
	}
	for _, strip := range c.around.ring {
		list = append(list, strip)
	}
	return list
}

func (r *canvasRenderer) Refresh() {
	r.dress()
	r.c.update()
}

// dress takes over colours.
func (r *canvasRenderer) dress() {
	c := r.c
	ground := c.Surround
	if ground == nil {
		ground = neutral
	}
	c.around.dress(ground, themeColour(c, theme.ColorNameFocus), c.focused)
	c.layers.ground.FillColor = ground
}

// Destroy stops what is under way; it is asked for again when the canvas is
// shown again.
func (r *canvasRenderer) Destroy() {
	r.c.photoLane.reset()
	r.c.other.lane.reset()
	r.c.stopTiles()
	r.c.turning.stop()
}
