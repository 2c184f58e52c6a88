package widgets

import (
	"image"
	"image/color"
	"math"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"flawmark/imaging/annotate"
)

// overview is a small picture of the whole photo in the lower right corner,
// with a frame around what is in the window. A click or a drag in it pans.
type overview struct {
	off    bool
	sheet  sheet
	ground *canvas.Rectangle
	dark   *canvas.Rectangle
	frame  *canvas.Rectangle
}

// In canvas units: large enough for a glove, small enough to leave the photo.
const (
	mapWidth  = 200
	mapHeight = 160
	mapMargin = 12
	// mapRoom is the least canvas that has room for it.
	mapRoom = 3 * mapHeight
)

// ShowMap switches the overview on or off; it is on from the start. It is only
// there while the photo is larger than the window, and when there is room.
func (c *PhotoCanvas) ShowMap(on bool) {
	if c.overview.off == on {
		c.overview.off = !on
		c.update()
		c.looked()
	}
}

// MapShown reports whether the overview is switched on.
func (c *PhotoCanvas) MapShown() bool { return !c.overview.off }

func (o *overview) objects() []fyne.CanvasObject {
	if o.frame == nil {
		o.ground = canvas.NewRectangle(color.NRGBA{0x1a, 0x1a, 0x1a, 0xff})
		o.dark = canvas.NewRectangle(color.Transparent)
		o.dark.StrokeColor, o.dark.StrokeWidth = color.NRGBA{0, 0, 0, 0xaa}, 4
		o.frame = canvas.NewRectangle(color.NRGBA{0xff, 0xff, 0xff, 0x22})
		o.frame.StrokeColor, o.frame.StrokeWidth = color.White, 2
		o.ground.Hide()
		o.dark.Hide()
		o.frame.Hide()
	}
	list := []fyne.CanvasObject{o.ground}
	for _, img := range o.sheet.images {
		list = append(list, img)
	}
	return append(list, o.dark, o.frame)
}

// mapPlace returns where on the widget the overview is, and whether it is.
func (c *PhotoCanvas) mapPlace() (at fyne.Position, size fyne.Size, ok bool) {
	all := c.Size()
	if c.overview.off || c.key == "" || c.port.empty() || c.port.fit || !c.port.movable() || all.Width < mapRoom || all.Height < mapRoom*3/4 {
		return at, size, false
	}
	w, h := c.port.frame()
	k := min(mapWidth/w, mapHeight/h)
	size = fyne.NewSize(float32(w*k), float32(h*k))
	return fyne.NewPos(all.Width-size.Width-mapMargin, all.Height-size.Height-mapMargin), size, true
}

// overMap returns what steers by the overview when a place is on it. Its frame
// keeps its distance to the pointer that takes it.
func (c *PhotoCanvas) overMap(at fyne.Position) (steer func(fyne.Position), ok bool) {
	corner, size, ok := c.mapPlace()
	// A finger beside its edge means it, too.
	low, high := corner.SubtractXY(mapMargin, mapMargin), corner.Add(size).AddXY(mapMargin, mapMargin)
	if !ok || at.X < low.X || at.Y < low.Y || at.X >= high.X || at.Y >= high.Y {
		return nil, false
	}
	var apart fyne.Position
	if from, to := c.mapFrame(corner, size); at.X >= from.X && at.Y >= from.Y && at.X < to.X && at.Y < to.Y {
		apart = fyne.NewPos(at.X-(from.X+to.X)/2, at.Y-(from.Y+to.Y)/2)
	}
	return func(to fyne.Position) {
		w, h := c.port.frame()
		x, y := c.port.corner()
		s := c.port.view.Scale
		across := float64((to.X - apart.X - corner.X) / size.Width)
		down := float64((to.Y - apart.Y - corner.Y) / size.Height)
		c.port.panTo(float64(c.port.width)/2-(across*w+x)*s, float64(c.port.height)/2-(down*h+y)*s)
		c.update()
	}, true
}

// mapFrame returns the corners of what is in the window.
func (c *PhotoCanvas) mapFrame(corner fyne.Position, size fyne.Size) (from, to fyne.Position) {
	w, h := c.port.frame()
	x, y := c.port.corner()
	s := c.port.view.Scale
	left, top := c.port.view.OffsetX+x*s, c.port.view.OffsetY+y*s
	place := func(device, origin, whole float64, start, long float32) float32 {
		return start + long*float32(min(max((device-origin)/(whole*s), 0), 1))
	}
	return fyne.NewPos(place(0, left, w, corner.X, size.Width), place(0, top, h, corner.Y, size.Height)),
		fyne.NewPos(place(float64(c.port.width), left, w, corner.X, size.Width), place(float64(c.port.height), top, h, corner.Y, size.Height))
}

func (c *PhotoCanvas) updateMap() {
	o := &c.overview
	corner, size, ok := c.mapPlace()
	if o.off || c.key == "" || o.sheet.key != c.key {
		o.sheet.show(picture{key: c.key})
	}
	for _, part := range o.objects() {
		if ok {
			part.Show()
		} else {
			part.Hide()
		}
	}
	if !ok {
		return
	}
	c.drawMap(size)
	o.ground.Move(corner.SubtractXY(2, 2))
	o.ground.Resize(size.AddWidthHeight(4, 4))
	for i, t := range o.sheet.tiles {
		o.sheet.images[i].Move(corner.AddXY(units(float64(t.rect.Min.X), c.device), units(float64(t.rect.Min.Y), c.device)))
		o.sheet.images[i].Resize(fyne.NewSize(units(float64(t.rect.Dx()), c.device), units(float64(t.rect.Dy()), c.device)))
	}
	from, to := c.mapFrame(corner, size)
	for _, r := range []*canvas.Rectangle{o.dark, o.frame} {
		r.Move(from)
		r.Resize(fyne.NewSize(max(to.X-from.X, 6), max(to.Y-from.Y, 6)))
	}
}

// drawMap makes the overview's picture when there is anything new.
func (c *PhotoCanvas) drawMap(size fyne.Size) {
	w, h := c.port.frame()
	wide, high := math.Round(float64(size.Width)*c.device), math.Round(float64(size.Height)*c.device)
	x, y := c.port.corner()
	s := min(wide/w, high/h)
	whole := composition{w: c.port.w, h: c.port.h, light: c.light.table}
	whole.view = annotate.View{Scale: s, Turn: c.port.view.Turn, OffsetX: math.Round((wide-w*s)/2 - x*s), OffsetY: math.Round((high-h*s)/2 - y*s)}
	left, top := int(math.Round((wide-w*s)/2)), int(math.Round((high-h*s)/2))
	whole.rect = image.Rect(left, top, left+max(int(w*s), 1), top+max(int(h*s), 1))
	whole, _, ok := c.supply(&c.subject, whole)
	sh := &c.overview.sheet
	if !ok || sh.version == c.photoVersion && sh.view == whole.view && sh.from == whole.origin() {
		return
	}
	whole.rough = whole.cost() > 2*atOnce
	j := job{composition: whole, key: c.key, by: whole.view, version: c.photoVersion}
	if p, ok := j.make(new(atomic.Bool)); ok {
		sh.show(p)
	}
}
