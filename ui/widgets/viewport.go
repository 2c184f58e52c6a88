package widgets

import (
	"image"
	"math"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// viewport is how a w×h photo lies in a window of width×height device pixels.
// Offsets are whole device pixels, so that a picture that was composed once
// stays exact while it is panned.
type viewport struct {
	w, h          int // of the photo, image pixels
	width, height int // of the window, device pixels
	margin        int // kept free around a fitted photo, device pixels
	view          annotate.View
	fit           bool
}

// maxZoom is in device pixels per image pixel. More shows nothing more.
const maxZoom = 16.0

func (v *viewport) empty() bool { return v.w <= 0 || v.h <= 0 || v.width <= 0 || v.height <= 0 }

// frame returns the photo's size as it is turned, image pixels.
func (v *viewport) frame() (w, h float64) {
	if v.view.Turn%2 == 1 {
		return float64(v.h), float64(v.w)
	}
	return float64(v.w), float64(v.h)
}

// corner returns where the top left of the turned photo is from the image's
// origin, image pixels.
func (v *viewport) corner() (x, y float64) {
	switch v.view.Turn {
	case 1:
		return -float64(v.h), 0
	case 2:
		return -float64(v.w), -float64(v.h)
	case 3:
		return 0, -float64(v.w)
	default:
		return 0, 0
	}
}

func (v *viewport) fitScale() float64 {
	if v.empty() {
		return 1
	}
	w, h := v.frame()
	s := min(float64(max(v.width-2*v.margin, 1))/w, float64(max(v.height-2*v.margin, 1))/h)
	return min(s, maxZoom)
}

func (v *viewport) minScale() float64 { return min(v.fitScale(), 1) }

func (v *viewport) fitNow() {
	v.fit = true
	v.view = annotate.View{Scale: v.fitScale(), Turn: v.view.Turn}
	v.settle()
}

// look puts an image point at a device pixel, as far as the photo's edges
// allow.
func (v *viewport) look(scale float64, at qc.Point, x, y float64) {
	view := annotate.View{Scale: min(max(scale, v.minScale()), maxZoom), Turn: v.view.Turn}
	from := view.ToScreen(at)
	view.OffsetX, view.OffsetY = x-from.X, y-from.Y
	v.view = view
	v.settle()
}

// turnTo turns the photo about the middle of the window.
func (v *viewport) turnTo(quarter int) {
	if v.empty() || v.fit {
		v.view.Turn = quarter
		v.fitNow()
		return
	}
	x, y := float64(v.width)/2, float64(v.height)/2
	at := v.view.ToImage(qc.Point{X: x, Y: y})
	v.view.Turn = quarter
	v.look(v.view.Scale, at, x, y)
}

// zoomTo sets the scale and keeps the image point under a device pixel there,
// as far as the photo's edges allow.
func (v *viewport) zoomTo(scale float64, x, y float64) {
	if v.empty() {
		return
	}
	v.look(scale, v.view.ToImage(qc.Point{X: x, Y: y}), x, y)
	v.fit = math.Abs(v.view.Scale/v.fitScale()-1) < 1e-9
}

func (v *viewport) panTo(offsetX, offsetY float64) {
	v.view.OffsetX, v.view.OffsetY = offsetX, offsetY
	v.settle()
}

// movable reports whether the photo is larger than the window, so that there
// is something to pan to.
func (v *viewport) movable() bool {
	w, h := v.frame()
	return w*v.view.Scale > float64(v.width) || h*v.view.Scale > float64(v.height)
}

// settle keeps a large photo over the window, less a margin at which its edges
// and their handles can be reached, and centres a small one.
func (v *viewport) settle() {
	w, h := v.frame()
	x, y := v.corner()
	s := v.view.Scale
	v.view.OffsetX = math.Round(settleOne(v.view.OffsetX+x*s, w*s, v.width, v.margin) - x*s)
	v.view.OffsetY = math.Round(settleOne(v.view.OffsetY+y*s, h*s, v.height, v.margin) - y*s)
}

func settleOne(offset, size float64, window, margin int) float64 {
	if size <= float64(window-2*margin)+1 {
		return math.Round((float64(window) - size) / 2)
	}
	return math.Round(min(max(offset, float64(window-margin)-size), float64(margin)))
}

// resize keeps what is in the middle in the middle, or fitted what is fitted.
// zoom is by how much device pixels have become smaller, usually 1.
func (v *viewport) resize(width, height, margin int, zoom float64) {
	first := v.width == 0 || v.height == 0
	centre := v.view.ToImage(qc.Point{X: float64(v.width) / 2, Y: float64(v.height) / 2})
	v.width, v.height, v.margin = width, height, margin
	if v.fit || first || v.empty() {
		v.fitNow()
		return
	}
	v.look(v.view.Scale*zoom, centre, float64(width)/2, float64(height)/2)
}

// photoRect is where the photo is, in whole device pixels.
func (v *viewport) photoRect() image.Rectangle {
	from := v.view.ToScreen(qc.Point{})
	to := v.view.ToScreen(qc.Point{X: float64(v.w), Y: float64(v.h)})
	// Turned, the origin is not the top left; image.Rect sorts that out.
	r := image.Rect(int(math.Round(from.X)), int(math.Round(from.Y)), int(math.Round(to.X)), int(math.Round(to.Y)))
	r.Max.X, r.Max.Y = max(r.Max.X, r.Min.X+1), max(r.Max.Y, r.Min.Y+1)
	return r
}

// seen is the part of the window that the photo fills, grown by a share of
// the window's size on each side.
func (v *viewport) seen(grow float64) image.Rectangle {
	dx, dy := int(grow*float64(v.width)), int(grow*float64(v.height))
	return image.Rect(-dx, -dy, v.width+dx, v.height+dy).Intersect(v.photoRect())
}
