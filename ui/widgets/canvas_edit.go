package widgets

import (
	"math"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// Order is where marks shall lie among the others of their photo.
type Order int

// The orders.
const (
	Raise Order = iota
	Lower
	ToFront
	ToBack
)

// modifiers returns the modifier keys that are held. The driver is asked, too:
// a key that went down before the canvas had the focus was not reported to it.
func (c *PhotoCanvas) modifiers() fyne.KeyModifier {
	mods := c.mods
	if d, ok := fyne.CurrentApp().Driver().(desktop.Driver); ok {
		mods |= d.CurrentKeyModifiers()
	}
	return mods
}

// square reports whether Shift is held.
func (c *PhotoCanvas) square() bool { return c.modifiers()&fyne.KeyModifierShift != 0 }

// outcome returns the points that the gesture gives the mark that it draws, if
// any.
func (c *PhotoCanvas) outcome() ([]qc.Point, bool) {
	g := c.gesture
	to := c.WidgetToImage(g.now)
	w, h := c.port.w, c.port.h
	tool := g.shape.Mark.Tool
	if placed(tool) && apartBy(g.now, c.ImageToWidget(g.from))*c.device < annotate.BadgeRadius(c.unit()) {
		to = g.from // a leader that ends under the number leads nowhere
	}
	switch {
	case tool == qc.Freehand:
		return annotate.Traced(g.way, traceTolerance/c.port.view.Scale, c.reach(), w, h)
	case tool == qc.Text && to != g.from:
		// The drag starts at the flaw and ends where the words go.
		if c.square() {
			to = annotate.Turned(g.from, to, w, h)
		}
		return annotate.Drawn(tool, to, g.from, false, w, h)
	case annotate.Cornered(tool) && c.modifiers()&fyne.KeyModifierAlt != 0:
		from, to := centred(g.from, to, c.square(), float64(w), float64(h))
		return annotate.Drawn(tool, from, to, false, w, h)
	default:
		return annotate.Drawn(tool, g.from, to, c.square(), w, h)
	}
}

// centred returns the corners of a box around a middle that reaches to a
// place, as far as it can on all sides without leaving a w×h image.
func centred(middle, to qc.Point, square bool, w, h float64) (a, b qc.Point) {
	middle.X, middle.Y = min(max(middle.X, 0), w), min(max(middle.Y, 0), h)
	roomX, roomY := min(middle.X, w-middle.X), min(middle.Y, h-middle.Y)
	dx, dy := min(math.Abs(to.X-middle.X), roomX), min(math.Abs(to.Y-middle.Y), roomY)
	if square {
		dx = min(max(dx, dy), roomX, roomY)
		dy = dx
	}
	return qc.Point{X: middle.X - dx, Y: middle.Y - dy}, qc.Point{X: middle.X + dx, Y: middle.Y + dy}
}

// inHand returns the marks that are edited as they would be now.
func (c *PhotoCanvas) inHand() []annotate.Shape {
	g := c.gesture
	to := c.WidgetToImage(g.now)
	w, h := c.port.w, c.port.h
	now := slices.Clone(g.shapes)
	if g.handle == annotate.Body {
		marks := make([]qc.Mark, len(now))
		for i, s := range now {
			marks[i] = s.Mark
		}
		for i, m := range annotate.MoveAll(marks, to.X-g.from.X, to.Y-g.from.Y, w, h) {
			now[i].Mark = m
		}
		return now
	}
	s := g.shapes[0]
	if g.bent != nil {
		s = *g.bent
	}
	if g.bent == nil || g.moved {
		s.Mark = c.pulled(s.Mark, to)
	}
	now[0] = s
	return now
}

// pulled returns a mark with the handle that is in hand at a place. The handle
// keeps its distance to the pointer that took it.
func (c *PhotoCanvas) pulled(m qc.Mark, to qc.Point) qc.Mark {
	g := c.gesture
	w, h := c.port.w, c.port.h
	if g.handle == annotate.InsetPlace {
		f, ok := c.frameOf(c.shapes, m.ID)
		if !ok {
			return m
		}
		at := qc.Point{X: float64(f.To.Min.X) + to.X - g.from.X, Y: float64(f.To.Min.Y) + to.Y - g.from.Y}
		at.X, at.Y = min(max(at.X, 0), float64(w-f.To.Dx())), min(max(at.Y, 0), float64(h-f.To.Dy()))
		return annotate.Drag(m, g.handle, at, false, w, h)
	}
	handles, places := annotate.Handles(m)
	if i := slices.Index(handles, g.handle); i >= 0 {
		to.X += places[i].X - g.from.X
		to.Y += places[i].Y - g.from.Y
	}
	// Shift has asked for a new corner and asks for no more.
	return annotate.Drag(m, g.handle, to, c.square() && g.bent == nil, w, h)
}

// changes returns what the gesture has changed.
func (c *PhotoCanvas) changes() map[qc.MarkID][]qc.Point {
	edits := map[qc.MarkID][]qc.Point{}
	for i, s := range c.inHand() {
		if !slices.Equal(s.Mark.Points, c.gesture.shapes[i].Mark.Points) {
			edits[s.Mark.ID] = s.Mark.Points
		}
	}
	return edits
}

// alter gives each selected mark what change makes of it and reports those
// that differ.
func (c *PhotoCanvas) alter(report func(map[qc.MarkID][]qc.Point), change func([]qc.Mark) []qc.Mark) {
	var marks []qc.Mark
	for _, s := range c.chosen() {
		marks = append(marks, s.Mark)
	}
	edits := map[qc.MarkID][]qc.Point{}
	for i, m := range change(slices.Clone(marks)) {
		if !slices.Equal(m.Points, marks[i].Points) {
			edits[m.ID] = m.Points
		}
	}
	if len(edits) > 0 && report != nil {
		report(edits)
	}
}

// nudge moves the selected marks by pixels of the screen, or with exactly of
// the image.
func (c *PhotoCanvas) nudge(dx, dy float64, exactly bool) bool {
	if len(c.selected) == 0 || c.marksHidden {
		return false
	}
	c.cancelGesture()
	step := c.device / c.port.view.Scale
	if exactly {
		step = 1
	}
	// The arrows are the screen's.
	way := annotate.View{Scale: 1, Turn: c.port.view.Turn}.ToImage(qc.Point{X: dx * step, Y: dy * step})
	c.alter(c.OnNudged, func(marks []qc.Mark) []qc.Mark {
		return annotate.MoveAll(marks, way.X, way.Y, c.port.w, c.port.h)
	})
	return true
}

// stretch makes the selected marks larger to the right and downwards by pixels
// of the screen.
func (c *PhotoCanvas) stretch(dx, dy float64) bool {
	if len(c.selected) == 0 || c.marksHidden {
		return false
	}
	c.cancelGesture()
	step := c.device / c.port.view.Scale
	end := annotate.View{Scale: 1, Turn: c.port.view.Turn}.ToImage(qc.Point{X: dx * step, Y: dy * step})
	wider, higher := dx*step, dy*step
	if c.port.view.Turn%2 == 1 {
		wider, higher = higher, wider
	}
	c.alter(c.OnNudged, func(marks []qc.Mark) []qc.Mark {
		for i, m := range marks {
			x, y := wider, higher
			if !annotate.Cornered(m.Tool) && m.Tool != qc.Freehand && m.Tool != qc.Polygon {
				x, y = end.X, end.Y // its end goes where the arrow points
			}
			marks[i] = annotate.Stretch(m, x, y, c.port.w, c.port.h)
		}
		return marks
	})
	return true
}

// deleteSelected deletes the corner that was taken last, or the selected marks.
func (c *PhotoCanvas) deleteSelected() bool {
	if len(c.selected) == 0 || c.marksHidden {
		return false
	}
	c.cancelGesture()
	if s, ok := c.sole(); ok && c.corner >= annotate.Vertex && c.dropCorner(s, c.corner) {
		return true
	}
	edits := map[qc.MarkID][]qc.Point{}
	for _, id := range c.selected {
		edits[id] = nil
	}
	c.edited(edits)
	return true
}

// handOn tells somebody of the selected marks; it reports whether there are
// any.
func (c *PhotoCanvas) handOn(to func([]qc.MarkID)) bool {
	if len(c.selected) == 0 || c.marksHidden {
		return false
	}
	c.cancelGesture()
	if to != nil {
		to(c.SelectedAll())
	}
	return true
}

func (c *PhotoCanvas) reorder(to Order) bool {
	return c.handOn(func(ids []qc.MarkID) {
		if c.OnReorder != nil {
			c.OnReorder(to, ids)
		}
	})
}

// zoomInset asks for the selected inset to enlarge more or less; it reports
// whether one is selected.
func (c *PhotoCanvas) zoomInset(by float64) bool {
	s, ok := c.sole()
	if !ok || s.Mark.Tool != qc.Inset || c.marksHidden {
		return false
	}
	zoom := s.Mark.Zoom
	if !(zoom > 0) {
		zoom = qc.DefaultZoom
	}
	zoom = min(max(math.Round((zoom+by)*2)/2, qc.MinZoom), qc.MaxZoom)
	if zoom != s.Mark.Zoom && c.OnInsetZoom != nil {
		c.OnInsetZoom(s.Mark.ID, zoom)
	}
	return true
}
