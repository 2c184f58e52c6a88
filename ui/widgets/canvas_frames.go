package widgets

import (
	"image"
	"image/color"
	"math"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// frames are rectangles of the toolkit that say something about marks: which
// ones are selected together, what is about to be caught, and which corner was
// taken last. Each is dark with a light line in it, so that it is seen on any
// photo.
type frames struct {
	dark, light []*canvas.Rectangle // as many as were ever needed
	used        int
}

func (f *frames) objects() []fyne.CanvasObject {
	list := make([]fyne.CanvasObject, 0, 2*len(f.dark))
	for i := range f.dark {
		list = append(list, f.dark[i], f.light[i])
	}
	return list
}

// add shows one more frame, in canvas units.
func (f *frames) add(from, to fyne.Position, fill color.Color, line float32) {
	if f.used == len(f.dark) {
		f.dark, f.light = append(f.dark, hiddenRect()), append(f.light, hiddenRect())
	}
	dark, light := f.dark[f.used], f.light[f.used]
	f.used++
	dark.StrokeColor, dark.StrokeWidth = color.NRGBA{0, 0, 0, 0xaa}, line+2
	light.FillColor, light.StrokeColor, light.StrokeWidth = fill, color.White, line
	low, high := fyne.NewPos(min(from.X, to.X), min(from.Y, to.Y)), fyne.NewPos(max(from.X, to.X), max(from.Y, to.Y))
	for i, r := range []*canvas.Rectangle{dark, light} {
		grow := line/2 + 1 - float32(i)
		r.Move(low.SubtractXY(grow, grow))
		r.Resize(fyne.NewSize(high.X-low.X+2*grow, high.Y-low.Y+2*grow))
		r.Show()
		r.Refresh()
	}
}

// end hides what was shown before and is not any more.
func (f *frames) end() {
	for i := f.used; i < len(f.dark) && f.dark[i].Visible(); i++ {
		f.dark[i].Hide()
		f.light[i].Hide()
	}
}

func (c *PhotoCanvas) updateFrames() {
	f := &c.draft.frames
	f.used = 0
	defer f.end()
	if c.key == "" || c.port.empty() || c.marksHidden {
		return
	}
	g := c.gesture
	if g != nil && g.kind == catching && g.moved {
		f.add(c.ImageToWidget(g.from), g.now, color.NRGBA{0xff, 0xff, 0xff, 0x22}, 1)
	}
	if s, ok := c.sole(); ok {
		if n := int(c.corner - annotate.Vertex); n >= 0 {
			if c.draft.shape != nil && c.draft.shape.Mark.ID == s.Mark.ID {
				s = *c.draft.shape
			}
			if n < len(s.Mark.Points) {
				at, r := c.ImageToWidget(s.Mark.Points[n]), float32(c.reachInUnits()*0.75)
				f.add(at.SubtractXY(r, r), at.AddXY(r, r), color.Transparent, 1.5)
			}
		}
		return
	}
	var all image.Rectangle
	for _, s := range c.chosen() {
		if i := slices.IndexFunc(c.draft.group, func(held annotate.Shape) bool { return held.Mark.ID == s.Mark.ID }); i >= 0 {
			s = c.draft.group[i]
		}
		r := c.spanOf(s.Mark)
		all = all.Union(r)
		f.add(c.unitsAt(r.Min), c.unitsAt(r.Max), color.Transparent, 1)
	}
	if f.used > 1 {
		all = all.Inset(-int(math.Round(6 * c.device)))
		f.add(c.unitsAt(all.Min), c.unitsAt(all.Max), color.Transparent, 2)
	}
}

func (c *PhotoCanvas) unitsAt(p image.Point) fyne.Position {
	return c.draftAt(qc.Point{X: float64(p.X), Y: float64(p.Y)})
}

// stamp is a picture of marks in hand, which is moved with them.
type stamp struct {
	img   *canvas.Image
	of    []annotate.Shape // as they are in the picture
	view  annotate.View
	rect  image.Rectangle // device pixels in that view
	ready bool
}

func (s *stamp) object() fyne.CanvasObject {
	if s.img == nil {
		s.img = &canvas.Image{FillMode: canvas.ImageFillStretch, ScaleMode: canvas.ImageScaleFastest}
		s.img.Hide()
	}
	return s.img
}

// updateStamp shows the group of marks in hand.
func (c *PhotoCanvas) updateStamp() {
	s, group := &c.draft.stamp, c.draft.group
	if len(group) == 0 {
		if s.ready {
			s.ready, s.of, s.img.Image = false, nil, nil
			s.img.Hide()
		}
		return
	}
	s.object()
	reshaped := c.gesture != nil && c.gesture.kind == editing && c.gesture.handle != annotate.Body
	if !s.ready || reshaped || !sameMarks(s.of, group) || s.view.Scale != c.port.view.Scale || s.view.Turn != c.port.view.Turn {
		c.makeStamp(group)
	}
	if s.rect.Empty() {
		s.img.Hide()
		return
	}
	was, is := s.view.ToScreen(s.of[0].Mark.Points[0]), c.port.view.ToScreen(group[0].Mark.Points[0])
	s.img.Move(c.draftAt(qc.Point{
		X: math.Round(float64(s.rect.Min.X)+is.X-was.X) - 0.02,
		Y: math.Round(float64(s.rect.Min.Y)+is.Y-was.Y) - 0.02,
	}))
	s.img.Show()
}

func sameMarks(a, b []annotate.Shape) bool {
	return slices.EqualFunc(a, b, func(a, b annotate.Shape) bool { return a.Mark.ID == b.Mark.ID })
}

// makeStamp makes the picture of a group: once for the way of the hand, but anew
// at each place where only the leader of words is moved.
func (c *PhotoCanvas) makeStamp(group []annotate.Shape) {
	s := &c.draft.stamp
	shown := slices.Clone(group)
	for i := range shown {
		// What they are shown by does not move with them.
		if tool := shown[i].Mark.Tool; tool == qc.Inset || tool == qc.Spotlight {
			shown[i].Mark.Tool, shown[i].Mark.Points = qc.Box, shown[i].Mark.Points[:2]
		}
	}
	var span image.Rectangle
	for _, one := range shown {
		span = span.Union(c.spanOf(one.Mark))
	}
	unit := c.unit()
	span = span.Inset(-int(60 * unit))
	if slices.ContainsFunc(shown, func(one annotate.Shape) bool { return one.Mark.Tool == qc.Text || one.Label != "" }) {
		span = span.Inset(-int(440 * unit)) // as wide as words get
	}
	s.of, s.view, s.ready = slices.Clone(group), c.port.view, true
	s.rect = span.Intersect(image.Rect(-c.port.width/2, -c.port.height/2, c.port.width*3/2, c.port.height*3/2))
	if s.rect.Empty() {
		return
	}
	if s.rect.Dx() > largestTexture || s.rect.Dy() > largestTexture {
		s.rect = s.rect.Intersect(image.Rect(0, 0, largestTexture, largestTexture).Add(image.Pt(max(s.rect.Min.X, 0), max(s.rect.Min.Y, 0))))
	}
	img := image.NewRGBA(image.Rectangle{Max: s.rect.Size()})
	view := c.port.view
	view.OffsetX -= float64(s.rect.Min.X)
	view.OffsetY -= float64(s.rect.Min.Y)
	opts := annotate.Options{Unit: unit, Width: c.port.w, Height: c.port.h}
	annotate.Render(img, shown, view, opts)
	s.img.Image = img
	s.img.Resize(fyne.NewSize(units(float64(s.rect.Dx()), c.device), units(float64(s.rect.Dy()), c.device)))
	s.img.Refresh()
}

// showInHand shows the marks that are edited as they would be now.
func (c *PhotoCanvas) showInHand() {
	now := c.inHand()
	if len(now) == 1 && now[0].Mark.Tool != qc.Text {
		c.draft.shape, c.draft.group = &now[0], nil
		return
	}
	c.draft.shape, c.draft.group = nil, now
}
