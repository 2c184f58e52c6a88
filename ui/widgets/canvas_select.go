package widgets

import (
	"image"
	"math"
	"slices"

	"fyne.io/fyne/v2"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// How far from the pointer outlines and handles are taken, in canvas units,
// with a bare hand and with a glove.
const (
	reachUnits = 12
	gloveUnits = 24
)

// Select selects marks of those shown and no others, without a callback.
func (c *PhotoCanvas) Select(ids ...qc.MarkID) {
	if c.setSelected(ids) {
		c.marksVersion++
		c.update()
	}
}

// setSelected takes over what is selected; it reports whether that is new.
func (c *PhotoCanvas) setSelected(ids []qc.MarkID) bool {
	var known []qc.MarkID
	for _, id := range ids {
		if c.find(id) >= 0 && !slices.Contains(known, id) {
			known = append(known, id)
		}
	}
	same := slices.Equal(known, c.selected)
	c.selected = known
	if s, ok := c.sole(); !same || !ok || int(c.corner-annotate.Vertex) >= len(s.Mark.Points) {
		c.corner = annotate.Body
	}
	return !same
}

func (c *PhotoCanvas) choose(ids ...qc.MarkID) {
	if !c.setSelected(ids) {
		return
	}
	c.marksVersion++
	c.update()
	if c.OnSelected != nil {
		c.OnSelected(slices.Clone(c.selected)...)
	}
}

// Selected returns the mark that was selected last, "" none.
func (c *PhotoCanvas) Selected() qc.MarkID {
	if len(c.selected) == 0 {
		return ""
	}
	return c.selected[len(c.selected)-1]
}

// SelectedAll returns the selected marks in the order of their selection.
func (c *PhotoCanvas) SelectedAll() []qc.MarkID { return slices.Clone(c.selected) }

// sole returns the selected mark if there is exactly one.
func (c *PhotoCanvas) sole() (annotate.Shape, bool) {
	if len(c.selected) != 1 {
		return annotate.Shape{}, false
	}
	i := c.find(c.selected[0])
	if i < 0 {
		return annotate.Shape{}, false
	}
	return c.shapes[i], true
}

// chosen returns the selected shapes, the topmost last.
func (c *PhotoCanvas) chosen() []annotate.Shape {
	var list []annotate.Shape
	for _, s := range c.shapes {
		if slices.Contains(c.selected, s.Mark.ID) {
			list = append(list, s)
		}
	}
	return list
}

// SetGloves makes handles larger and lets a press take them from farther off.
func (c *PhotoCanvas) SetGloves(on bool) {
	if c.gloves != on {
		c.gloves = on
		c.marksVersion++
		c.update()
	}
}

// Gloves reports whether handles are as large as a glove needs them.
func (c *PhotoCanvas) Gloves() bool { return c.gloves }

// SetScale says how long what is in the photo is, so that a measure shows its
// length while it is drawn. The zero value is no scale.
func (c *PhotoCanvas) SetScale(s qc.Scale) { c.scale = s }

// InsetsChanged draws marks again, because InsetSource has other pixels now.
func (c *PhotoCanvas) InsetsChanged() {
	c.marksVersion++
	c.update()
}

func (c *PhotoCanvas) reachInUnits() float64 {
	if c.gloves {
		return gloveUnits
	}
	return reachUnits
}

// reach is the tolerance around outlines and handles in image pixels.
func (c *PhotoCanvas) reach() float64 { return c.reachInUnits() * c.device / c.port.view.Scale }

// resting returns the marks that are not in hand.
func (c *PhotoCanvas) resting() []annotate.Shape {
	g := c.gesture
	if g == nil || g.kind != editing || !g.live() {
		return c.shapes
	}
	return slices.DeleteFunc(slices.Clone(c.shapes), func(s annotate.Shape) bool {
		return slices.ContainsFunc(g.shapes, func(held annotate.Shape) bool { return held.Mark.ID == s.Mark.ID })
	})
}

// options are how marks are drawn, and how they are hit.
func (c *PhotoCanvas) options(shown []annotate.Shape) annotate.Options {
	opts := annotate.Options{Handles: true, Unit: c.unit(), Width: c.port.w, Height: c.port.h}
	if s, ok := c.sole(); ok {
		opts.Selected = s.Mark.ID
	}
	if c.gloves {
		opts.Grip = 11 * c.device
	}
	if slices.ContainsFunc(shown, func(s annotate.Shape) bool { return s.Mark.Tool == qc.Inset || s.Mark.Tool == qc.Redaction }) {
		opts.Source = c.InsetSource
	}
	return opts
}

// hit finds a mark at an image point as [annotate.HitOn] does. Where nothing is
// shown but at its own place, it need not know where everything is shown.
func (c *PhotoCanvas) hit(shapes []annotate.Shape, selected qc.MarkID, at qc.Point) (qc.MarkID, annotate.Handle, bool) {
	if !slices.ContainsFunc(shapes, standsOff) {
		return annotate.Hit(shapes, selected, at, c.reach())
	}
	return annotate.HitOn(shapes, selected, at, c.reach(), c.port.view, c.options(nil))
}

// hitAll is hit for all marks there are.
func (c *PhotoCanvas) hitAll(selected qc.MarkID, at qc.Point) (qc.MarkID, annotate.Handle, bool) {
	if !slices.ContainsFunc(c.shapes, standsOff) {
		return annotate.Hit(c.shapes, selected, at, c.reach())
	}
	if l := &c.laid; l.version != c.marksVersion || l.view != c.port.view || l.key != c.key {
		l.version, l.view, l.key = c.marksVersion, c.port.view, c.key
		l.out = annotate.Lay(c.shapes, c.port.view, c.options(nil))
	}
	return c.laid.out.Hit(selected, at, c.reach())
}

// laid is where all marks were shown when somebody last asked.
type laid struct {
	version int
	view    annotate.View
	key     string
	out     annotate.Layout
}

// standsOff reports whether a part of a shape is shown at a place that depends
// on the view or on other marks.
func standsOff(s annotate.Shape) bool {
	return s.Mark.Tool == qc.Text || s.Mark.Tool == qc.Inset || s.Mark.Tool == qc.Measure && s.Label != ""
}

// frameOf returns where an inset is shown.
func (c *PhotoCanvas) frameOf(shapes []annotate.Shape, id qc.MarkID) (annotate.Frame, bool) {
	for _, f := range annotate.Insets(shapes, c.port.w, c.port.h) {
		if f.Mark == id {
			return f, true
		}
	}
	return annotate.Frame{}, false
}

// touched tells what of a selected mark is at an image point: a handle if it
// is the only one, its words or its inset, its outline or, with within, its
// inside.
func (c *PhotoCanvas) touched(s annotate.Shape, at qc.Point, within bool) (annotate.Handle, bool) {
	id := s.Mark.ID
	alone := len(c.selected) == 1
	if s.Mark.Tool == qc.Inset {
		// Where it is shown depends on the others, unless it is told.
		if f, ok := c.frameOf(c.shapes, id); ok && len(s.Mark.Points) >= 2 {
			s.Mark.Points = append(slices.Clone(s.Mark.Points[:2]), qc.Point{X: float64(f.To.Min.X), Y: float64(f.To.Min.Y)})
		}
	}
	// So does where a tape's length is written.
	label := s.Label
	s.Label = ""
	_, handle, ok := c.hit([]annotate.Shape{s}, id, at)
	switch {
	case !ok && label != "":
		top, _, _ := c.hitAll("", at)
		return annotate.Body, top == id
	case !ok:
		return annotate.Body, false
	case handle == annotate.Body:
		onOutline := annotate.OnOutline(s.Mark, at, c.reach()/2)
		words := s.Mark.Tool == qc.Text // has no inside but its words
		return annotate.Body, within || onOutline || words
	case alone || handle == annotate.InsetPlace && within:
		return handle, true
	default:
		return annotate.Body, annotate.OnOutline(s.Mark, at, c.reach()/2)
	}
}

// onSelected finds what of the selected marks is at an image point, the
// topmost first.
func (c *PhotoCanvas) onSelected(at qc.Point, within bool) (annotate.Shape, annotate.Handle, bool) {
	if len(c.selected) == 0 {
		return annotate.Shape{}, annotate.Body, false
	}
	if len(c.selected) > 1 && !within {
		if _, _, ok := c.hitAll("", at); !ok {
			return annotate.Shape{}, annotate.Body, false
		}
	}
	for _, s := range slices.Backward(c.chosen()) {
		if handle, ok := c.touched(s, at, within); ok {
			return s, handle, true
		}
	}
	return annotate.Shape{}, annotate.Body, false
}

// stack returns the marks at an image point, the topmost first.
func (c *PhotoCanvas) stack(at qc.Point) []qc.MarkID {
	left := slices.Clone(c.shapes)
	var ids []qc.MarkID
	for len(left) > 0 {
		id, _, ok := c.hit(left, "", at)
		if !ok {
			break
		}
		ids = append(ids, id)
		left = slices.DeleteFunc(left, func(s annotate.Shape) bool { return s.Mark.ID == id })
	}
	return ids
}

// clickedMark ends a click on a mark that was selected before it. With several
// selected it alone stays; another click on the same place takes the next one
// of those that lie there.
func (c *PhotoCanvas) clickedMark(id qc.MarkID, at fyne.Position) {
	if len(c.selected) > 1 {
		c.choose(id)
		return
	}
	if c.clicked == nil || apartBy(*c.clicked, at) > annotate.MinDrag {
		return
	}
	if ids := c.stack(c.WidgetToImage(at)); len(ids) > 1 {
		c.choose(ids[(slices.Index(ids, id)+1)%len(ids)])
	}
}

// toggle adds a mark to what is selected, or takes it away.
func (c *PhotoCanvas) toggle(id qc.MarkID) {
	if slices.Contains(c.selected, id) {
		c.choose(slices.DeleteFunc(c.SelectedAll(), func(other qc.MarkID) bool { return other == id })...)
		return
	}
	c.choose(append(c.SelectedAll(), id)...)
}

// catch selects what lies in the frame that a gesture has drawn.
func (c *PhotoCanvas) catch(g *gesture) {
	ids := annotate.Within(c.shapes, g.from, c.WidgetToImage(g.now))
	if g.adding {
		ids = append(c.SelectedAll(), ids...)
	}
	c.choose(ids...)
}

func (c *PhotoCanvas) selectEverything() bool {
	if len(c.shapes) == 0 || c.marksHidden {
		return false
	}
	c.cancelGesture()
	ids := make([]qc.MarkID, len(c.shapes))
	for i, s := range c.shapes {
		ids[i] = s.Mark.ID
	}
	c.choose(ids...)
	return true
}

func (c *PhotoCanvas) selectNext(back bool) bool {
	n := len(c.shapes)
	if n == 0 || c.marksHidden {
		return false
	}
	c.cancelGesture()
	i := c.find(c.Selected())
	switch {
	case i < 0 && back:
		i = n - 1
	case i < 0:
		i = 0
	case back:
		i = (i + n - 1) % n
	default:
		i = (i + 1) % n
	}
	c.choose(c.shapes[i].Mark.ID)
	return true
}

// DoubleTapped is called by Fyne: the words of a text are to be written.
func (c *PhotoCanvas) DoubleTapped(ev *fyne.PointEvent) {
	if c.key == "" || c.gesture != nil || !c.twice || !c.ours(ev.Position) {
		return
	}
	at := c.WidgetToImage(ev.Position)
	if c.tool != "" {
		if s, _, ok := c.onSelected(at, true); ok {
			c.askForWords(s)
		}
		return
	}
	for _, id := range c.stack(at) {
		if s := c.shapes[c.find(id)]; s.Mark.Tool == qc.Text {
			c.choose(id)
			c.askForWords(s)
			return
		}
	}
}

// askForWords reports whether a mark has words that can be written.
func (c *PhotoCanvas) askForWords(s annotate.Shape) bool {
	if s.Mark.Tool != qc.Text || c.OnWords == nil {
		return false
	}
	c.OnWords(s.Mark.ID)
	return true
}

func apartBy(a, b fyne.Position) float64 { return math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)) }

// spanOf returns what a mark covers on the window, in device pixels, without
// what is shown elsewhere.
func (c *PhotoCanvas) spanOf(m qc.Mark) image.Rectangle {
	points := m.Points
	if m.Tool == qc.Inset && len(points) > 2 {
		points = points[:2]
	}
	box := image.Rectangle{Min: image.Pt(math.MaxInt32, math.MaxInt32), Max: image.Pt(math.MinInt32, math.MinInt32)}
	for _, p := range points {
		q := c.port.view.ToScreen(p)
		box.Min.X, box.Min.Y = min(box.Min.X, int(math.Floor(q.X))), min(box.Min.Y, int(math.Floor(q.Y)))
		box.Max.X, box.Max.Y = max(box.Max.X, int(math.Ceil(q.X))), max(box.Max.Y, int(math.Ceil(q.Y)))
	}
	margin := 6.0
	if m.Tool == qc.Badge || m.Tool == qc.Text {
		margin += annotate.BadgeRadius(c.unit())
	}
	return box.Inset(-int(margin * c.device))
}
