package widgets

import (
	"image"
	"image/color"
	"math"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"flawmark/imaging/annotate"
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
	c.updateMarks()
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
	c.photo.place(c.port.view, c.device)
	c.marks.place(c.port.view, c.device)
	c.other.sheet.place(c.port.view, c.device)
}

// unit is the size that marks on the screen are multiples of: as in a file of
// the window's size, but neither too fine to see nor as large as a poster.
func (c *PhotoCanvas) unit() float64 {
	u := float64(max(c.port.width, c.port.height)) / 1000
	return min(max(u, 0.8*c.device), 1.2*c.device)
}

func (c *PhotoCanvas) updateMarks() {
	shown := c.resting()
	if c.port.empty() || c.key == "" || len(shown) == 0 || c.marksHidden {
		c.marksLane.reset()
		if len(c.marks.tiles) > 0 {
			c.marks.show(picture{})
		}
		c.marks.key = c.key
		c.marksShown()
		return
	}
	overhang := c.port.photoRect().Inset(-int(edge * c.device))
	whole := func(grow float64) image.Rectangle {
		dx, dy := int(grow*float64(c.port.width)), int(grow*float64(c.port.height))
		return image.Rect(-dx, -dy, c.port.width+dx, c.port.height+dy).Intersect(overhang)
	}
	under := c.underTints(shown)
	if c.marks.version == c.marksVersion && c.marks.from == under.origin() && c.marks.covers(c.key, c.port.view, whole(0)) {
		return
	}
	p := picture{key: c.key, view: c.port.view, rect: whole(spare), version: c.marksVersion, from: under.origin()}
	tint := under.level != nil || under.tiles != nil
	opts := c.options(shown)
	work := func(stop *atomic.Bool) (picture, bool) {
		for _, r := range split(p.rect) {
			img := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
			if tint {
				under.fill(img, r, shown, stop)
			}
			view := p.view
			view.OffsetX -= float64(r.Min.X)
			view.OffsetY -= float64(r.Min.Y)
			annotate.Render(img, shown, view, opts)
			p.tiles = append(p.tiles, tile{r, img})
			if stop.Load() {
				return picture{}, false
			}
		}
		return p, true
	}
	cost := float64(p.rect.Dx()*p.rect.Dy())*1.5e-6 + 0.2*float64(len(shown))
	if tint {
		cost += under.costOf(p.rect.Intersect(under.rect))
	}
	if opts.Source != nil {
		cost = max(cost, 2*atOnce) // it may read a file: not on the UI goroutine
	}
	c.order(&c.marksLane, cost, work, func(p picture) {
		c.marks.show(p)
		c.place()
		if p.version == c.marksVersion {
			c.marksShown()
		}
		c.ground.Refresh()
	}, c.updateMarks)
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

func (r *canvasRenderer) Layout(size fyne.Size) {
	r.c.ground.Resize(size)
	r.c.ring.Resize(size)
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
	list := []fyne.CanvasObject{c.ground, c.layers.ours, c.layers.theirs}
	list = append(list, c.divider.objects()...)
	list = append(list, c.overview.objects()...)
	for _, text := range c.words {
		list = append(list, text)
	}
	return append(list, c.ring)
}

func (r *canvasRenderer) Refresh() {
	r.dress()
	r.c.update()
	r.c.ring.Refresh()
}

// dress takes over colours.
func (r *canvasRenderer) dress() {
	c := r.c
	c.ground.FillColor = neutral
	if c.Surround != nil {
		c.ground.FillColor = c.Surround
	}
	c.layers.ground.FillColor = c.ground.FillColor
	c.ring.StrokeColor = themeColour(c, theme.ColorNameFocus)
	c.ring.StrokeWidth = 2
	c.ring.Hidden = !c.focused
}

// Destroy stops what is under way; it is asked for again when the canvas is
// shown again.
func (r *canvasRenderer) Destroy() {
	r.c.photoLane.reset()
	r.c.marksLane.reset()
	r.c.other.lane.reset()
	r.c.stopTiles()
}
