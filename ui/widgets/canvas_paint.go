package widgets

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"

	"flawmark/app/qc"
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

// picture is what was made for one view: the tiles cover rect.
type picture struct {
	key     string
	view    annotate.View
	rect    image.Rectangle // device pixels
	tiles   []tile
	level   *image.RGBA // what a photo was made from
	version int         // which marks
	rough   bool
}

type tile struct {
	rect image.Rectangle // device pixels
	img  *image.RGBA     // its own size is rect's
}

// covers reports whether the picture shows need at the view exactly as it
// would be made now.
func (p picture) covers(key string, view annotate.View, need image.Rectangle) bool {
	if p.key != key || p.key == "" || p.view.Scale != view.Scale {
		return false
	}
	moved := image.Pt(int(math.Round(view.OffsetX-p.view.OffsetX)), int(math.Round(view.OffsetY-p.view.OffsetY)))
	return need.In(p.rect.Add(moved))
}

// split divides a rectangle into tiles that fit a texture.
func split(r image.Rectangle) []image.Rectangle {
	across := (r.Dx() + largestTexture - 1) / largestTexture
	down := (r.Dy() + largestTexture - 1) / largestTexture
	var list []image.Rectangle
	for j := range down {
		for i := range across {
			list = append(list, image.Rect(
				r.Min.X+r.Dx()*i/across, r.Min.Y+r.Dy()*j/down,
				r.Min.X+r.Dx()*(i+1)/across, r.Min.Y+r.Dy()*(j+1)/down))
		}
	}
	return list
}

// sheet shows a picture by canvas images, which it keeps for the next one.
type sheet struct {
	picture
	images []*canvas.Image
}

func (s *sheet) show(p picture) {
	s.picture = p
	for len(s.images) < len(p.tiles) {
		img := &canvas.Image{FillMode: canvas.ImageFillStretch, ScaleMode: canvas.ImageScaleFastest}
		s.images = append(s.images, img)
	}
	for i, img := range s.images {
		if i >= len(p.tiles) {
			img.Image = nil
			img.Hide()
			continue
		}
		img.Image = p.tiles[i].img
		img.Show()
		img.Refresh()
	}
}

// place moves the picture to where it belongs in a view, scaled when it was
// made for another zoom.
func (s *sheet) place(view annotate.View, device float64) {
	ratio := 1.0
	if s.view.Scale != view.Scale && s.view.Scale > 0 {
		ratio = view.Scale / s.view.Scale
	}
	for i, t := range s.tiles {
		x := (float64(t.rect.Min.X)-s.view.OffsetX)*ratio + view.OffsetX
		y := (float64(t.rect.Min.Y)-s.view.OffsetY)*ratio + view.OffsetY
		pos := fyne.NewPos(units(x, device), units(y, device))
		size := fyne.NewSize(units(float64(t.rect.Dx())*ratio, device), units(float64(t.rect.Dy())*ratio, device))
		// Resizing uploads the texture again; moving is free.
		if s.images[i].Size() != size {
			s.images[i].Resize(size)
		}
		if s.images[i].Position() != pos {
			s.images[i].Move(pos)
		}
	}
}

// units converts device pixels. A hair is taken off, because the toolkit
// rounds up what comes back a hair too large.
func units(pixels, device float64) float32 { return float32((pixels - 0.02) / device) }

// lane makes one picture at a time. What is asked for meanwhile is asked for
// again afterwards, with what is wanted then; an older answer never replaces a
// newer one.
type lane struct {
	asked, shown int
	running      bool
	again        bool
	stop         *atomic.Bool
}

// reset drops what is under way.
func (l *lane) reset() {
	if l.stop != nil {
		l.stop.Store(true)
	}
	l.again = false
	l.shown = l.asked
}

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
	c.updateMarks()
	c.place()
	c.updateDraft()
	c.updateWords()
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
	device := c.device
	if app := fyne.CurrentApp(); app != nil {
		if on := app.Driver().CanvasForObject(c); on != nil && on.Scale() > 0 {
			device = float64(on.Scale())
		}
	}
	size := c.Size()
	width, height := int(math.Round(float64(size.Width)*device)), int(math.Round(float64(size.Height)*device))
	if width == c.port.width && height == c.port.height && device == c.device {
		return
	}
	zoom := device / c.device
	c.device = device
	c.port.resize(width, height, int(edge*device), zoom)
	c.marksVersion++ // their size depends on the window's
}

func (c *PhotoCanvas) place() {
	c.photo.place(c.port.view, c.device)
	c.marks.place(c.port.view, c.device)
}

// level returns the smallest picture that is sharp enough, or the sharpest.
func (c *PhotoCanvas) level() *image.RGBA {
	need := float64(c.port.w) * c.port.view.Scale * 0.98
	for _, img := range c.levels {
		if float64(img.Rect.Dx()) >= need {
			return img
		}
	}
	return c.levels[len(c.levels)-1]
}

func (c *PhotoCanvas) updatePhoto() {
	if c.port.empty() || len(c.levels) == 0 {
		if c.photo.key != c.key || c.key == "" {
			c.photo.show(picture{})
		}
		return
	}
	need := c.port.seen(0)
	level := c.level()
	if need.Empty() || !c.photo.rough && c.photo.level == level && c.photo.covers(c.key, c.port.view, need) {
		return
	}
	order := composition{level: level, w: c.port.w, h: c.port.h, view: c.port.view, rect: c.port.seen(spare)}
	key := c.key
	work := func(stop *atomic.Bool) (picture, bool) { return composePicture(order, key, stop) }
	if order.cost() > atOnce && c.photo.key != key {
		// Something of a new photo is seen at once, if only roughly.
		quick := order
		quick.rough, quick.rect = true, need
		if p, ok := composePicture(quick, key, new(atomic.Bool)); ok {
			c.photo.show(p)
		}
	}
	c.order(&c.photoLane, order.cost(), work, func(p picture) {
		c.photo.show(p)
		c.place()
		c.ground.Refresh()
	}, c.updatePhoto)
}

func composePicture(order composition, key string, stop *atomic.Bool) (picture, bool) {
	p := picture{key: key, view: order.view, rect: order.rect, level: order.level, rough: order.rough}
	for _, r := range split(order.rect) {
		part := order
		part.rect = r
		img := part.compose(stop)
		if img == nil {
			return picture{}, false
		}
		p.tiles = append(p.tiles, tile{r, img})
	}
	return p, true
}

// unit is the size that marks on the screen are multiples of: as in a file of
// the window's size, but neither too fine to see nor as large as a poster.
func (c *PhotoCanvas) unit() float64 {
	u := float64(max(c.port.width, c.port.height)) / 1000
	return min(max(u, 0.8*c.device), 1.2*c.device)
}

func (c *PhotoCanvas) updateMarks() {
	shown := c.shapes
	if g := c.gesture; g != nil && g.kind == editing && g.moved {
		shown = slices.DeleteFunc(slices.Clone(shown), func(s annotate.Shape) bool { return s.Mark.ID == g.shape.Mark.ID })
	}
	if c.port.empty() || c.key == "" || len(shown) == 0 {
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
	if c.marks.version == c.marksVersion && c.marks.covers(c.key, c.port.view, whole(0)) {
		return
	}
	p := picture{key: c.key, view: c.port.view, rect: whole(spare), version: c.marksVersion}
	opts := annotate.Options{Selected: c.selected, Handles: true, Unit: c.unit(), Width: c.port.w, Height: c.port.h}
	work := func(stop *atomic.Bool) (picture, bool) {
		for _, r := range split(p.rect) {
			img := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
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
	if c.gesture == nil && c.draft.shape != nil {
		c.draft.shape = nil
		c.updateDraft()
	}
}

func (c *PhotoCanvas) updateWords() {
	lines := []string{}
	if c.key == "" && c.placeholder != "" {
		lines = strings.Split(c.placeholder, "\n")
	}
	for len(c.words) < len(lines) {
		text := canvas.NewText("", color.NRGBA{0x11, 0x11, 0x11, 0xff})
		text.Alignment = fyne.TextAlignCenter
		c.words = append(c.words, text)
	}
	size := c.Theme().Size(theme.SizeNameText)
	high := size * 1.6
	for i, text := range c.words {
		if i >= len(lines) {
			text.Hide()
			continue
		}
		text.Text, text.TextSize = lines[i], size
		text.Move(fyne.NewPos(0, c.Size().Height/2-high*float32(len(lines))/2+high*float32(i)))
		text.Resize(fyne.NewSize(c.Size().Width, high))
		text.Show()
		text.Refresh()
	}
}

// draft shows the mark under the hand by the toolkit's own lines, which cost
// nothing to change.
type draft struct {
	shape *annotate.Shape // nil: none
	rects [3]*canvas.Rectangle
	lines [9]*canvas.Line
}

func (d *draft) objects() []fyne.CanvasObject {
	list := make([]fyne.CanvasObject, 0, len(d.rects)+len(d.lines))
	for i := range d.rects {
		if d.rects[i] == nil {
			d.rects[i] = canvas.NewRectangle(color.Transparent)
			d.rects[i].Hide()
		}
		list = append(list, d.rects[i])
	}
	for i := range d.lines {
		if d.lines[i] == nil {
			d.lines[i] = canvas.NewLine(color.Transparent)
			d.lines[i].Hide()
		}
		list = append(list, d.lines[i])
	}
	return list
}

func (c *PhotoCanvas) updateDraft() {
	objects := c.draft.objects()
	s := c.draft.shape
	if s == nil || len(s.Mark.Points) != 2 {
		for _, o := range objects {
			if o.Visible() {
				o.Hide()
			}
		}
		return
	}
	unit := c.unit()
	stroke, _ := annotate.Stroke(s.Severity)
	stroke *= unit
	a, b := c.port.view.ToScreen(s.Mark.Points[0]), c.port.view.ToScreen(s.Mark.Points[1])
	at := func(p qc.Point) fyne.Position {
		return fyne.NewPos(float32(p.X/c.device), float32(p.Y/c.device))
	}
	for i, pass := range [...]struct {
		wider  float64
		colour color.Color
	}{{3 * unit, color.NRGBA{0, 0, 0, 0x73}}, {2 * unit, color.White}, {0, annotate.Colour(s.Severity)}} {
		width := float32((stroke + pass.wider) / c.device)
		rect, lines := c.draft.rects[i], c.draft.lines[3*i:3*i+3]
		if s.Mark.Tool == qc.Box {
			from, to := at(qc.Point{X: min(a.X, b.X), Y: min(a.Y, b.Y)}), at(qc.Point{X: max(a.X, b.X), Y: max(a.Y, b.Y)})
			rect.StrokeColor, rect.StrokeWidth = pass.colour, width
			rect.Move(from.SubtractXY(width/2, width/2))
			rect.Resize(fyne.NewSize(to.X-from.X+width, to.Y-from.Y+width))
			rect.Show()
			rect.Refresh()
			continue
		}
		left, right, _ := annotate.ArrowHead(a, b, stroke)
		for j, ends := range [3][2]qc.Point{{a, b}, {left, b}, {right, b}} {
			lines[j].StrokeColor, lines[j].StrokeWidth = pass.colour, width
			lines[j].Position1, lines[j].Position2 = at(ends[0]), at(ends[1])
			lines[j].Show()
			lines[j].Refresh()
		}
	}
}

// CreateRenderer is called by Fyne, also again after a time out of sight.
func (c *PhotoCanvas) CreateRenderer() fyne.WidgetRenderer {
	c.ExtendBaseWidget(c)
	return &canvasRenderer{c}
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
	list := []fyne.CanvasObject{c.ground}
	for _, s := range []*sheet{&c.photo, &c.marks} {
		for _, img := range s.images {
			list = append(list, img)
		}
	}
	list = append(list, c.draft.objects()...)
	for _, text := range c.words {
		list = append(list, text)
	}
	return append(list, c.ring)
}

func (r *canvasRenderer) Refresh() {
	c := r.c
	c.ground.FillColor = neutral
	if c.Surround != nil {
		c.ground.FillColor = c.Surround
	}
	c.ring.StrokeColor = c.Theme().Color(theme.ColorNameFocus, fyne.CurrentApp().Settings().ThemeVariant())
	c.ring.StrokeWidth = 2
	c.ring.Hidden = !c.focused
	c.update()
	c.ring.Refresh()
}

// Destroy stops what is under way; it is asked for again when the canvas is
// shown again.
func (r *canvasRenderer) Destroy() {
	r.c.photoLane.reset()
	r.c.marksLane.reset()
}
