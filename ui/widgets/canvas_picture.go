package widgets

import (
	"image"
	"sync/atomic"

	"flawmark/imaging/annotate"
)

// whole is the order for all of our photo that is in the window and a little
// around it; it has no pixels yet.
func (c *PhotoCanvas) whole() composition {
	return composition{w: c.port.w, h: c.port.h, view: c.port.view, rect: c.port.seen(spare), light: c.light.table}
}

// steady is the rectangle that a sheet's picture fills now, as long as it is
// enough; otherwise the one to fill. Orders for the same rectangle can be
// compared.
func (c *PhotoCanvas) steady(s *sheet) image.Rectangle {
	if len(s.tiles) > 0 && s.covers(c.key, c.port.view, c.port.seen(0)) {
		return s.at(c.port.view).Intersect(c.port.photoRect())
	}
	return c.port.seen(spare)
}

// updatePictures takes over pixels that have come.
func (c *PhotoCanvas) updatePictures() {
	c.updatePhoto()
	c.updateOther()
	c.updateMarks() // tints hold the photo, too
	c.updateMap()
}

func (c *PhotoCanvas) updatePhoto() {
	if c.port.empty() || c.key == "" {
		if c.photo.key != c.key || c.key == "" {
			c.photo.show(picture{})
		}
		return
	}
	c.bring(&c.subject, &c.photo, &c.photoLane, c.whole(), c.port.seen(0), c.updatePhoto)
}

// bring makes a sheet show what an order asks for, at once or when it is
// ready. need is the part that must be there; retry asks anew.
func (c *PhotoCanvas) bring(s *subject, sh *sheet, l *lane, o composition, need image.Rectangle, retry func()) {
	if need.Empty() {
		c.want(s, nil)
		return
	}
	covered := !sh.rough && sh.version == c.photoVersion && sh.covers(s.key, c.port.view, need)
	if covered && sh.from.complete() {
		return
	}
	if covered {
		// The same rectangle as before tells whether there is anything new.
		same := o
		same.rect = sh.at(c.port.view)
		if p, ok := c.gather(s, same); !ok || p.origin() == sh.from {
			return
		}
	}
	o, ok := c.gather(s, o)
	if !ok {
		return
	}
	key, version, view := s.key, c.photoVersion, c.port.view
	work := func(stop *atomic.Bool) (picture, bool) { return composePicture(o, key, version, view, stop) }
	cost := o.cost()
	if o.tiles != nil && o.tiles.missing {
		cost = max(cost, 2*atOnce) // soon made again: not on the UI goroutine
	}
	if cost > atOnce && !sh.hides(key, view, need) {
		// Something is seen everywhere at once, if only roughly.
		quick := o
		quick.rough, quick.rect = true, need.Intersect(o.rect)
		if p, ok := composePicture(quick, key, version, view, new(atomic.Bool)); ok {
			sh.show(p)
		}
	}
	c.order(l, cost, work, func(p picture) {
		sh.show(p)
		c.place()
		c.ground.Refresh()
	}, retry)
}

// gather gives an order its pixels and asks for those that are missing. Some
// may be here at once.
func (c *PhotoCanvas) gather(s *subject, o composition) (composition, bool) {
	for {
		c.came = false
		p, wants, ok := c.supply(s, o)
		c.want(s, wants)
		if !c.came {
			return p, ok
		}
	}
}

// complete reports whether all tiles were there: nothing is sharper.
func (o origin) complete() bool { return o.tiles > 0 && !o.missing }

// composePicture makes the picture of an order; view is what it is placed by.
func composePicture(o composition, key string, version int, view annotate.View, stop *atomic.Bool) (picture, bool) {
	p := picture{key: key, view: view, rect: o.rect, from: o.origin(), version: version, rough: o.rough}
	for _, r := range split(o.rect) {
		part := o
		part.rect = r
		img := part.compose(stop)
		if img == nil {
			return picture{}, false
		}
		p.tiles = append(p.tiles, tile{r, img})
	}
	return p, true
}
