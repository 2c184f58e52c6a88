package widgets

import (
	"image"
	"math"

	"fyne.io/fyne/v2"

	"flawmark/imaging/annotate"
)

// CompareMode is how another picture is shown beside our photo.
type CompareMode int

// The ways to compare.
const (
	CompareOff   CompareMode = iota
	CompareBlink             // the other picture in place of ours
	CompareSwipe             // the other picture to the right of a divider that is dragged
	CompareSide              // ours in the left half, the other in the right one
)

// other is the picture that ours is compared with. It fills the same frame on
// the screen as our photo does, with its own proportions and upright, so that
// the same relative place is in the same place.
type other struct {
	subject
	w, h  int
	mode  CompareMode
	blink bool // is held
	sheet sheet
	lane  lane
}

// SetCompare sets the picture to compare with, of w×h pixels, as
// [PhotoCanvas.SetPhoto] does for ours. An empty key takes it away. It stays
// when another photo is set.
func (c *PhotoCanvas) SetCompare(key string, w, h int, levels ...*image.RGBA) {
	name := otherKey(key)
	if key == "" || w <= 0 || h <= 0 {
		name, w, h, levels = "", 0, 0, nil
	}
	if o := &c.other; name != o.key || w != o.w || h != o.h {
		o.clear(&c.cache)
		o.key, o.w, o.h = name, w, h
		c.forgetOther()
	}
	for _, img := range levels {
		c.other.addLevel(img)
	}
	c.update()
}

// otherKey keeps the tiles of the two pictures apart.
func otherKey(key string) string { return "compare " + key }

// AddCompareLevel adds a sharper picture of the one to compare with; it is
// ignored when key is not that.
func (c *PhotoCanvas) AddCompareLevel(key string, img *image.RGBA) {
	if c.other.key != "" && c.other.key == otherKey(key) {
		c.other.addLevel(img)
		c.update()
	}
}

// SetCompareTiles says where there are sharper pixels of the picture to compare
// with; see [PhotoCanvas.SetTiles].
func (c *PhotoCanvas) SetCompareTiles(key string, src TileSource) {
	if c.other.key != "" && c.other.key == otherKey(key) {
		c.setTiles(&c.other.subject, src)
		c.update()
	}
}

// SetCompareMode sets how the pictures are compared. Without another picture
// ours is shown alone, until there is one.
func (c *PhotoCanvas) SetCompareMode(mode CompareMode) {
	if c.other.mode != mode {
		c.cancelGesture()
		c.grip = nil
		c.other.mode = mode
		c.update()
		c.looked()
	}
}

// CompareMode returns how the pictures are compared.
func (c *PhotoCanvas) CompareMode() CompareMode { return c.other.mode }

// Blink, while on, shows the other picture in place of ours in every mode, and
// ours in CompareBlink, where the other one is shown already. It changes
// nothing where both are side by side.
func (c *PhotoCanvas) Blink(on bool) {
	if c.other.blink != on {
		c.other.blink = on
		c.update()
		c.looked()
	}
}

// SetDivider places the divider of CompareSwipe, as a share of the canvas's
// width from the left.
func (c *PhotoCanvas) SetDivider(share float64) {
	if share = min(max(share, 0), 1); share != c.divider.share && !math.IsNaN(share) {
		c.divider.share = share
		c.updateDivider()
		c.ground.Refresh()
	}
}

// Divider returns where the divider is.
func (c *PhotoCanvas) Divider() float64 { return c.divider.share }

// comparing returns the mode that is in effect: off while there is nothing to
// compare, and blinking when that is held.
func (c *PhotoCanvas) comparing() CompareMode {
	mode := c.other.mode
	switch {
	case c.other.key == "" || c.key == "":
		return CompareOff
	case !c.other.blink || mode == CompareSide:
		return mode
	case mode == CompareBlink:
		return CompareOff
	default:
		return CompareBlink
	}
}

func (c *PhotoCanvas) sideBySide() bool { return c.comparing() == CompareSide }

// otherFrom returns where on the widget the other picture begins, in whole
// device pixels from the left; it reaches to the right edge.
func (c *PhotoCanvas) otherFrom() int {
	width := int(math.Round(float64(c.Size().Width) * c.device))
	switch c.comparing() {
	case CompareBlink:
		return 0
	case CompareSwipe:
		return int(math.Round(c.divider.share * float64(width)))
	case CompareSide:
		return width - width/2
	default:
		return width
	}
}

func (c *PhotoCanvas) onOther(at fyne.Position) bool {
	return c.comparing() != CompareOff && float64(at.X)*c.device >= float64(c.otherFrom())
}

// linked returns the place over our photo that belongs to a place over the
// other picture.
func (c *PhotoCanvas) linked(at fyne.Position) fyne.Position {
	if c.sideBySide() && c.onOther(at) {
		at.X -= float32(float64(c.otherFrom()) / c.device)
	}
	return at
}

// forgetOther drops the picture that was made of the other photo, because its
// frame is another one.
func (c *PhotoCanvas) forgetOther() {
	c.other.lane.reset()
	c.other.sheet.show(picture{})
}

func (c *PhotoCanvas) updateOther() {
	if c.comparing() == CompareOff || c.port.empty() {
		// The last picture stays for the next blink, without its tiles' work.
		c.want(&c.other.subject, nil)
		return
	}
	view, frame := c.otherView()
	o := composition{w: c.other.w, h: c.other.h, view: view, rect: c.port.seen(spare).Intersect(frame), light: c.light.table}
	c.bring(display{
		subject: &c.other.subject, sheet: &c.other.sheet, lane: &c.other.lane, order: o,
		need: c.port.seen(0).Intersect(frame), ahead: c.port.seen(spare / 2).Intersect(frame), retry: c.updateOther,
	})
}

// otherView fits the other picture into our photo's frame.
func (c *PhotoCanvas) otherView() (annotate.View, image.Rectangle) {
	w, h := c.port.frame()
	x, y := c.port.corner()
	s := c.port.view.Scale
	scale := s * min(w/float64(c.other.w), h/float64(c.other.h))
	wide, high := float64(c.other.w)*scale, float64(c.other.h)*scale
	view := annotate.View{
		Scale:   scale,
		OffsetX: c.port.view.OffsetX + x*s + (w*s-wide)/2,
		OffsetY: c.port.view.OffsetY + y*s + (h*s-high)/2,
	}
	r := image.Rect(
		int(math.Round(view.OffsetX)), int(math.Round(view.OffsetY)),
		int(math.Round(view.OffsetX+wide)), int(math.Round(view.OffsetY+high)))
	r.Max.X, r.Max.Y = max(r.Max.X, r.Min.X+1), max(r.Max.Y, r.Min.Y+1)
	return view, r
}
