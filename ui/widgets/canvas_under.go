package widgets

import (
	"image"
	"math"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"

	"flawmark/imaging/annotate"
)

// turning follows the wheel. While it turns, the picture there is is stretched,
// which costs nothing; the sharp one is made after the last notch. A single
// step of the zoom does not wait.
type turning struct {
	on    bool    // notch follows notch
	since bool    // the last one is not long ago
	scale float64 // the last one's
	clock *fyne.Animation
}

const (
	// pause is how long after the last notch the wheel has come to rest.
	pause = 80 * time.Millisecond
	// farthest is how much a picture is stretched at most before another one is
	// made, whether the wheel turns or not.
	farthest = 3.0
	// underSide bounds the longer side of the picture under the others.
	underSide = 1024
)

// noteZoom sees whether the zoom has changed.
func (c *PhotoCanvas) noteZoom() {
	t := &c.turning
	if t.scale == c.port.view.Scale || fyne.CurrentApp() == nil {
		return
	}
	t.scale = c.port.view.Scale
	t.on, t.since = t.since, true
	if t.clock == nil {
		t.clock = &fyne.Animation{Duration: pause, Curve: fyne.AnimationLinear, Tick: func(done float32) {
			if done == 1 {
				c.rested()
			}
		}}
	}
	t.clock.Stop()
	t.clock.Start()
}

// rested ends the wheel's turning.
func (c *PhotoCanvas) rested() {
	turned := c.turning.on
	c.turning.on, c.turning.since = false, false
	if turned {
		c.update()
	}
}

// stop forgets the wheel.
func (t *turning) stop() {
	if t.clock != nil && t.since {
		t.clock.Stop()
	}
	t.on, t.since, t.scale = false, false, 0
}

// standsIn reports whether the picture, stretched, will do while the wheel
// turns.
func (p picture) standsIn(key string, view annotate.View) bool {
	return p.key == key && len(p.tiles) > 0 && p.view.Turn == view.Turn && view.Scale <= farthest*p.view.Scale
}

// updateUnder makes the small picture of the whole photo that is seen where the
// sharp one does not reach yet.
func (c *PhotoCanvas) updateUnder() {
	sh := &c.under
	w, h := c.port.frame()
	x, y := c.port.corner()
	s := min(underSide/max(w, h), 1)
	o := composition{w: c.port.w, h: c.port.h, light: c.light.table}
	o.view = annotate.View{Scale: s, Turn: c.port.view.Turn, OffsetX: math.Round(-x * s), OffsetY: math.Round(-y * s)}
	o.rect = image.Rect(0, 0, max(int(w*s), 1), max(int(h*s), 1))
	o, _, ok := c.supply(&c.subject, o)
	if !ok || sh.key == c.key && sh.version == c.photoVersion && sh.view == o.view && sh.from == o.origin() {
		return
	}
	o.rough = o.cost() > atOnce/2
	j := job{composition: o, key: c.key, by: o.view, version: c.photoVersion}
	if p, ok := j.make(new(atomic.Bool)); ok {
		sh.show(p)
	}
}

// placeUnder shows the small picture only where it is needed: each layer costs
// as much as the photo. It reports whether all of the photo that is in the
// window is covered.
func (c *PhotoCanvas) placeUnder() bool {
	need := c.port.seen(0)
	hidden := c.photo.hides(c.key, c.port.view, need)
	there := c.under.key == c.key && len(c.under.tiles) > 0 && c.under.view.Turn == c.port.view.Turn
	for i, img := range c.under.images {
		if shown := !hidden && there && i < len(c.under.tiles); shown != img.Visible() {
			if shown {
				img.Show()
			} else {
				img.Hide()
			}
		}
	}
	c.under.place(c.port.view, c.device)
	return hidden || there
}
