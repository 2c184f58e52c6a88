package widgets

import (
	"image"
	"image/draw"
	"slices"
	"sync/atomic"

	"flawmark/imaging/annotate"
)

// display is what a sheet is to show of a photo.
type display struct {
	subject *subject
	sheet   *sheet
	lane    *lane
	order   composition     // for all that is in the window and a little around it
	need    image.Rectangle // what must be there
	ahead   image.Rectangle // what should be there before it is needed
	over    overlay
	under   bool   // something lies under it where it does not reach
	retry   func() // asks anew
}

// overlay is what lies over a photo: its marks.
type overlay struct {
	version int
	shapes  []annotate.Shape // none: nothing
	opts    annotate.Options
	photo   image.Rectangle // where the photo is, device pixels
	edge    int             // how far marks may hang over it
}

// over is what lies over our photo.
func (c *PhotoCanvas) over() overlay {
	o := overlay{version: c.marksVersion, photo: c.port.photoRect(), edge: int(edge * c.device)}
	if c.marksHidden {
		return o
	}
	o.shapes = c.resting()
	o.opts = c.options(o.shapes)
	return o
}

// hanging grows a part of the photo by what hangs over the photo's edges.
func (o overlay) hanging(r image.Rectangle) image.Rectangle {
	out := r
	if r.Min.X <= o.photo.Min.X {
		out.Min.X -= o.edge
	}
	if r.Min.Y <= o.photo.Min.Y {
		out.Min.Y -= o.edge
	}
	if r.Max.X >= o.photo.Max.X {
		out.Max.X += o.edge
	}
	if r.Max.Y >= o.photo.Max.Y {
		out.Max.Y += o.edge
	}
	return out
}

// draw returns a part of a picture with what lies over it.
func (o overlay) draw(r image.Rectangle, bare []tile, view annotate.View, pool *pool) *image.RGBA {
	img := pool.get(r.Size())
	inner := image.Rectangle{}
	for _, t := range bare {
		inner = inner.Union(t.rect)
	}
	if !r.In(inner) {
		clear(img.Pix)
	}
	lay(img, r, bare)
	view.OffsetX -= float64(r.Min.X)
	view.OffsetY -= float64(r.Min.Y)
	annotate.Render(img, o.shapes, view, o.opts)
	return img
}

// cost estimates the milliseconds that drawing a part takes.
func (o overlay) cost(part, whole image.Rectangle) float64 {
	if len(o.shapes) == 0 || whole.Empty() {
		return 0
	}
	share := float64(part.Dx()*part.Dy()) / float64(whole.Dx()*whole.Dy())
	return 0.02*float64(len(o.shapes)) + share*(0.2*float64(len(o.shapes))+float64(whole.Dx()*whole.Dy())*1e-6)
}

// lay copies pictures to their places in one that is the rectangle at.
func lay(img *image.RGBA, at image.Rectangle, list []tile) {
	for _, t := range list {
		if r := t.rect.Intersect(at); !r.Empty() {
			draw.Draw(img, r.Sub(at.Min), t.img, r.Min.Sub(t.rect.Min), draw.Src)
		}
	}
}

// job makes a picture on any goroutine.
type job struct {
	composition
	key     string
	by      annotate.View // what it is placed by
	version int
	over    overlay
	old     picture // what there is already
}

// kept returns what of the old picture can be kept, in its place now.
func (j job) kept() (bare, tiles []tile) {
	if !j.old.like(j.key, j.by, j.version, j.origin()) {
		return nil, nil
	}
	by := j.old.at(j.by).Min.Sub(j.old.rect.Min)
	moved := func(list []tile) []tile {
		out := make([]tile, len(list))
		for i, t := range list {
			out[i] = tile{t.rect.Add(by), t.img}
		}
		return out
	}
	bare = moved(j.old.bare)
	// Marks are drawn in one piece: the parts of one may round otherwise, which
	// would be seen where they meet.
	if j.old.marks == j.over.version && j.old.at(j.by) == j.rect {
		tiles = moved(j.old.tiles)
	}
	return bare, tiles
}

// cost estimates the milliseconds that the picture takes.
func (j job) cost() float64 {
	bare, tiles := j.kept()
	sum := 0.0
	for _, r := range rest(j.rect, bare) {
		sum += j.costOf(r)
	}
	if len(bare) > 0 {
		sum += float64(j.rect.Dx()*j.rect.Dy()) * 0.5e-6
	}
	whole := j.over.hanging(j.rect)
	for _, r := range rest(whole, tiles) {
		sum += j.over.cost(r, whole)
	}
	return sum
}

// make makes the picture; not ok when stop was set meanwhile.
func (j job) make(stop *atomic.Bool) (picture, bool) {
	p := picture{
		key: j.key, view: j.by, rect: j.rect, from: j.origin(), version: j.version,
		marks: j.over.version, rough: j.rough,
	}
	bare, tiles := j.kept()
	p.bare = j.fill(split(p.rect), bare, func(r image.Rectangle) *image.RGBA {
		part := j.composition
		part.rect = r
		return part.compose(stop)
	})
	if p.tiles = p.bare; len(j.over.shapes) > 0 && p.bare != nil {
		p.tiles = j.fill(split(j.over.hanging(p.rect)), tiles, func(r image.Rectangle) *image.RGBA {
			if stop.Load() {
				return nil
			}
			return j.over.draw(r, p.bare, p.view, j.pool)
		})
	}
	return p, p.tiles != nil
}

// fill returns pictures of rectangles, of what is kept and, for the rest, of
// what fresh makes; nil when that gives up.
func (j job) fill(rects []image.Rectangle, kept []tile, fresh func(image.Rectangle) *image.RGBA) []tile {
	list := make([]tile, 0, len(rects))
	for _, r := range rects {
		if same := slices.IndexFunc(kept, func(t tile) bool { return t.rect == r }); same >= 0 {
			list = append(list, kept[same]) // nobody changes it
			continue
		}
		parts := rest(r, kept)
		var img *image.RGBA
		if len(parts) == 1 && parts[0] == r {
			img = fresh(r)
		} else {
			img = j.pool.get(r.Size())
			lay(img, r, kept)
			for _, part := range parts {
				more := fresh(part)
				if more == nil {
					return nil
				}
				lay(img, r, []tile{{part, more}})
				j.pool.put(more)
			}
		}
		if img == nil {
			return nil
		}
		list = append(list, tile{r, img})
	}
	return list
}

// rest returns what of a rectangle is not in the rectangle that tiles fill.
func rest(r image.Rectangle, tiles []tile) []image.Rectangle {
	inner := image.Rectangle{}
	for _, t := range tiles {
		inner = inner.Union(t.rect)
	}
	inner = inner.Intersect(r)
	if inner.Empty() {
		return []image.Rectangle{r}
	}
	var list []image.Rectangle
	for _, part := range [...]image.Rectangle{
		{r.Min, image.Pt(r.Max.X, inner.Min.Y)},
		{image.Pt(r.Min.X, inner.Min.Y), image.Pt(inner.Min.X, inner.Max.Y)},
		{image.Pt(inner.Max.X, inner.Min.Y), image.Pt(r.Max.X, inner.Max.Y)},
		{image.Pt(r.Min.X, inner.Max.Y), r.Max},
	} {
		if !part.Empty() {
			list = append(list, part)
		}
	}
	return list
}

// whole is the order for all of our photo that is in the window and a little
// around it; it has no pixels yet.
func (c *PhotoCanvas) whole() composition {
	return composition{w: c.port.w, h: c.port.h, view: c.port.view, rect: c.port.seen(spare), light: c.light.table}
}

// updatePictures takes over pixels that have come.
func (c *PhotoCanvas) updatePictures() {
	c.updatePhoto()
	c.updateOther()
	c.updateMap()
}

func (c *PhotoCanvas) updatePhoto() {
	if c.port.empty() || c.key == "" {
		if c.photo.key != c.key || c.key == "" {
			c.photo.show(picture{})
			c.under.show(picture{})
		}
		c.marksShown()
		return
	}
	c.noteZoom()
	need := c.port.seen(0)
	if !need.Empty() && !c.photo.hides(c.key, c.port.view, need) {
		c.updateUnder()
	}
	over := c.over()
	c.bring(display{
		subject: &c.subject, sheet: &c.photo, lane: &c.photoLane, order: c.whole(),
		need: need, ahead: c.port.seen(spare / 2), over: over, under: true, retry: c.updatePhoto,
	})
	if len(over.shapes) == 0 {
		c.marksShown()
	}
}

// bring makes a sheet show what a display asks for, at once or when it is
// ready.
func (c *PhotoCanvas) bring(d display) {
	s, sh, key, view := d.subject, d.sheet, d.subject.key, c.port.view
	if d.need.Empty() {
		c.want(s, nil)
		return
	}
	if len(d.over.shapes) == 0 && len(sh.tiles) > 0 && sh.tiles[0].img == sh.bare[0].img {
		sh.marks = d.over.version // nothing lies on it, as before
	}
	fresh := !sh.rough && sh.version == c.photoVersion && sh.covers(key, view, d.need)
	enough := fresh && sh.marks == d.over.version && d.ahead.In(sh.at(view))
	if enough && sh.from.complete() {
		return
	}
	if !fresh && c.turning.on && sh.standsIn(key, view) && (d.under || sh.hides(key, view, d.need)) {
		return // the last notch brings it
	}
	if fresh {
		// The same rectangle as before tells whether there is anything new.
		same := d.order
		same.rect = sh.at(view)
		if p, ok := c.gather(s, same); !ok || enough && p.origin() == sh.from {
			return
		}
		if d.ahead.In(same.rect) {
			d.order = same
		}
	}
	o, ok := c.gather(s, d.order)
	if !ok {
		return
	}
	o.pool = &d.lane.pool
	j := job{composition: o, key: key, by: view, version: c.photoVersion, over: d.over, old: sh.picture}
	cost := j.cost()
	if o.tiles != nil && o.tiles.missing || fresh && sh.marks == d.over.version || d.over.opts.Source != nil {
		// Soon made again, not needed yet, or read from a file: not on the UI
		// goroutine.
		cost = max(cost, 2*atOnce)
	}
	if cost > atOnce && !d.under && !sh.hides(key, view, d.need) {
		// Something is seen everywhere at once, if only roughly.
		quick := j
		quick.rough, quick.rect, quick.pool = true, d.need.Intersect(o.rect), nil
		if p, ok := quick.make(new(atomic.Bool)); ok {
			sh.show(p)
		}
	}
	c.order(d.lane, cost, j.make, func(p picture) {
		was := sh.picture
		sh.show(p)
		if !d.lane.running {
			d.lane.pool.putOld(was, p)
		}
		c.place()
		if d.under && p.marks == c.marksVersion {
			c.marksShown()
		}
		c.ground.Refresh()
	}, d.retry)
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
