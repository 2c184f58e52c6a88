package widgets

import (
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// draft shows the marks in hand. One mark is shown by the toolkit's own lines,
// which cost nothing to change: it is drawn in three passes over each other, its
// dark and its white edge, and its colour. Several, and words, are shown by a
// picture that the renderer made of them.
type draft struct {
	shape  *annotate.Shape // nil: none
	group  []annotate.Shape
	seen   bool
	rects  [3]*canvas.Rectangle
	insets [3]*canvas.Rectangle // where an inset is shown
	dims   [4]*canvas.Rectangle // around a spotlight
	lines  [3][]*canvas.Line    // as many as were ever needed
	plate  *canvas.Rectangle
	label  *canvas.Text
	stamp  stamp
	frames frames
}

func (d *draft) empty() bool { return d.shape == nil && d.group == nil }

func (d *draft) clear() { d.shape, d.group = nil, nil }

func hiddenRect() *canvas.Rectangle {
	r := canvas.NewRectangle(color.Transparent)
	r.Hide()
	return r
}

// parts returns what one mark is drawn with, from the bottom up.
func (d *draft) parts() []fyne.CanvasObject {
	if d.label == nil {
		for i := range d.rects {
			d.rects[i], d.insets[i] = hiddenRect(), hiddenRect()
		}
		for i := range d.dims {
			d.dims[i] = hiddenRect()
		}
		d.plate, d.label = hiddenRect(), canvas.NewText("", color.Black)
		d.label.TextStyle.Bold = true
		d.label.Hide()
	}
	list := make([]fyne.CanvasObject, 0, 12+3*len(d.lines[0]))
	for _, r := range d.dims {
		list = append(list, r)
	}
	for i := range d.rects {
		for _, line := range d.lines[i] {
			list = append(list, line)
		}
	}
	for i := range d.rects {
		list = append(list, d.rects[i], d.insets[i])
	}
	return append(list, d.plate, d.label)
}

func (d *draft) objects() []fyne.CanvasObject {
	return append(append(d.parts(), d.stamp.object()), d.frames.objects()...)
}

// line returns the n-th line of a pass.
func (d *draft) line(pass, n int) *canvas.Line {
	for len(d.lines[pass]) <= n {
		line := canvas.NewLine(color.Transparent)
		line.Hide()
		d.lines[pass] = append(d.lines[pass], line)
	}
	return d.lines[pass][n]
}

func (c *PhotoCanvas) updateDraft() {
	d := &c.draft
	c.updateStamp()
	c.updateFrames()
	if d.shape == nil || len(d.shape.Mark.Points) == 0 {
		if d.seen {
			d.seen = false
			for _, o := range d.parts() {
				if o.Visible() {
					o.Hide()
				}
			}
		}
		return
	}
	d.seen = true
	d.parts()
	unit := c.unit()
	stroke := c.draftStroke()
	courses := c.draftCourses(stroke)
	c.draftDims()
	for i, pass := range [...]struct {
		wider  float64
		colour color.Color
	}{{3 * unit, color.NRGBA{0, 0, 0, 0x73}}, {2 * unit, color.White}, {0, annotate.Colour(d.shape.Severity)}} {
		width := float32((stroke + pass.wider) / c.device)
		c.draftRect(i, width, pass.colour, unit)
		c.draftInset(i, width, pass.colour)
		n := 0
		for _, course := range courses {
			for j := 1; j < len(course); j++ {
				line := d.line(i, n)
				line.StrokeColor, line.StrokeWidth = pass.colour, width
				line.Position1, line.Position2 = c.draftAt(course[j-1]), c.draftAt(course[j])
				line.Show()
				line.Refresh()
				n++
			}
		}
		for _, line := range d.lines[i][n:] {
			line.Hide()
		}
	}
	c.draftLabel(unit)
}

// draftStroke returns how wide the draft's lines are, in device pixels.
func (c *PhotoCanvas) draftStroke() float64 {
	stroke, _ := annotate.Stroke(c.draft.shape.Severity)
	switch c.draft.shape.Mark.Tool {
	case qc.Highlighter, qc.Badge, qc.Text, qc.Spotlight, qc.Redaction:
		stroke = 1.5
	case qc.Measure, qc.Inset:
		stroke = 2.2
	default:
	}
	return stroke * c.unit()
}

// draftAt returns where a device pixel is on the widget.
func (c *PhotoCanvas) draftAt(p qc.Point) fyne.Position {
	return fyne.NewPos(float32(p.X/c.device), float32(p.Y/c.device))
}

// draftCourses returns the lines of the draft in device pixels. What has a
// rectangle of the toolkit needs none.
func (c *PhotoCanvas) draftCourses(stroke float64) [][]qc.Point {
	m := c.draft.shape.Mark
	m.Points = append([]qc.Point(nil), m.Points...)
	for i, p := range m.Points {
		m.Points[i] = c.port.view.ToScreen(p)
	}
	n := len(m.Points)
	switch {
	case m.Tool == qc.Inset:
		return c.draftLeader()
	case m.Tool == qc.Text:
		return [][]qc.Point{m.Points}
	case annotate.Cornered(m.Tool) && m.Tool != qc.Ellipse:
		return nil
	case m.Tool == qc.Arrow && n == 2:
		left, right, _ := annotate.ArrowHead(m.Points[0], m.Points[1], stroke)
		return [][]qc.Point{m.Points, {left, m.Points[1], right}}
	case m.Tool == qc.Measure && n > 1:
		half := 9 * c.unit()
		return [][]qc.Point{m.Points, tick(m.Points[0], m.Points[1], half), tick(m.Points[n-1], m.Points[n-2], half)}
	default:
		// Coarser than on paper: it is seen for the time of a gesture.
		return [][]qc.Point{annotate.Course(m, 0.1)}
	}
}

// tick returns the line across the end of a tape.
func tick(end, before qc.Point, half float64) []qc.Point {
	length := math.Hypot(end.X-before.X, end.Y-before.Y)
	if length == 0 {
		return nil
	}
	nx, ny := (before.Y-end.Y)/length*half, (end.X-before.X)/length*half
	return []qc.Point{{X: end.X - nx, Y: end.Y - ny}, {X: end.X + nx, Y: end.Y + ny}}
}

// span puts a rectangle between two device pixels, grown by half of a width.
func (c *PhotoCanvas) span(r *canvas.Rectangle, a, b qc.Point, width float32) {
	from, to := c.draftAt(qc.Point{X: min(a.X, b.X), Y: min(a.Y, b.Y)}), c.draftAt(qc.Point{X: max(a.X, b.X), Y: max(a.Y, b.Y)})
	r.Move(from.SubtractXY(width/2, width/2))
	r.Resize(fyne.NewSize(to.X-from.X+width, to.Y-from.Y+width))
	r.Show()
	r.Refresh()
}

// redactedGround is opaque: what is redacted is not seen while it is drawn.
var redactedGround = color.NRGBA{0x60, 0x60, 0x60, 0xff}

// draftRect shows the rectangle of a pass: a box's, a tint's, what covers, as a
// disc a badge's, or the plate that words will have.
func (c *PhotoCanvas) draftRect(pass int, width float32, colour color.Color, unit float64) {
	rect, m := c.draft.rects[pass], c.draft.shape.Mark
	a := c.port.view.ToScreen(m.Points[0])
	b := a
	if len(m.Points) > 1 {
		b = c.port.view.ToScreen(m.Points[1])
	}
	rect.FillColor, rect.CornerRadius = color.Transparent, 0
	switch m.Tool {
	case qc.Box, qc.Inset, qc.Spotlight:
	case qc.Highlighter:
		if pass == 2 {
			tint := annotate.Colour(c.draft.shape.Severity)
			tint.A = 0x66
			rect.FillColor = tint
		}
	case qc.Redaction:
		if pass == 2 {
			rect.FillColor = redactedGround
		}
	case qc.Badge:
		r := annotate.BadgeRadius(unit)
		b = qc.Point{X: a.X + r, Y: a.Y + r}
		a = qc.Point{X: a.X - r, Y: a.Y - r}
		rect.CornerRadius = float32(r/c.device) + width/2
		if pass == 2 {
			rect.FillColor = colour
		}
	case qc.Text:
		b = qc.Point{X: a.X + 64*unit, Y: a.Y + 46*unit} // one character
		rect.CornerRadius = float32(8*unit/c.device) + width/2
		if pass == 2 {
			rect.FillColor = color.White
		}
	default:
		rect.Hide()
		return
	}
	rect.StrokeColor, rect.StrokeWidth = colour, width
	c.span(rect, a, b, width)
}

// draftFrame returns where the draft's inset would be shown.
func (c *PhotoCanvas) draftFrame() (from, to [2]qc.Point, ok bool) {
	s := *c.draft.shape
	if s.Mark.Tool != qc.Inset {
		return from, to, false
	}
	shapes := make([]annotate.Shape, 0, len(c.shapes)+1)
	placed := false
	for _, other := range c.shapes {
		if other.Mark.ID == s.Mark.ID {
			other, placed = s, true
		}
		shapes = append(shapes, other)
	}
	if !placed {
		shapes = append(shapes, s)
	}
	f, ok := c.frameOf(shapes, s.Mark.ID)
	corner := func(x, y int) qc.Point { return c.port.view.ToScreen(qc.Point{X: float64(x), Y: float64(y)}) }
	return [2]qc.Point{corner(f.From.Min.X, f.From.Min.Y), corner(f.From.Max.X, f.From.Max.Y)},
		[2]qc.Point{corner(f.To.Min.X, f.To.Min.Y), corner(f.To.Max.X, f.To.Max.Y)}, ok
}

// draftInset shows where an inset would be.
func (c *PhotoCanvas) draftInset(pass int, width float32, colour color.Color) {
	rect := c.draft.insets[pass]
	_, to, ok := c.draftFrame()
	if !ok {
		rect.Hide()
		return
	}
	rect.FillColor, rect.StrokeColor, rect.StrokeWidth = color.Transparent, colour, width
	c.span(rect, to[0], to[1], width)
}

// draftLeader returns the line from what is enlarged to where it is shown.
func (c *PhotoCanvas) draftLeader() [][]qc.Point {
	from, to, ok := c.draftFrame()
	if !ok {
		return nil
	}
	nearest := func(box [2]qc.Point, p qc.Point) qc.Point {
		return qc.Point{
			X: min(max(p.X, min(box[0].X, box[1].X)), max(box[0].X, box[1].X)),
			Y: min(max(p.Y, min(box[0].Y, box[1].Y)), max(box[0].Y, box[1].Y)),
		}
	}
	middle := qc.Point{X: (from[0].X + from[1].X) / 2, Y: (from[0].Y + from[1].Y) / 2}
	end := nearest(to, middle)
	return [][]qc.Point{{nearest(from, end), end}}
}

// draftDims darkens the photo around a spotlight.
func (c *PhotoCanvas) draftDims() {
	m, dims := c.draft.shape.Mark, &c.draft.dims
	if m.Tool != qc.Spotlight || len(m.Points) < 2 {
		for _, r := range dims {
			r.Hide()
		}
		return
	}
	photo := c.port.photoRect()
	a, b := c.port.view.ToScreen(m.Points[0]), c.port.view.ToScreen(m.Points[1])
	x0, x1, y0, y1 := min(a.X, b.X), max(a.X, b.X), min(a.Y, b.Y), max(a.Y, b.Y)
	left, right, top, bottom := float64(photo.Min.X), float64(photo.Max.X), float64(photo.Min.Y), float64(photo.Max.Y)
	for i, edge := range [...][4]float64{{left, top, right, y0}, {left, y1, right, bottom}, {left, y0, x0, y1}, {x1, y0, right, y1}} {
		dims[i].FillColor = color.NRGBA{A: annotate.Dim}
		c.span(dims[i], qc.Point{X: edge[0], Y: edge[1]}, qc.Point{X: edge[2], Y: edge[3]}, 0)
	}
}

// draftLabel shows the length of a measure.
func (c *PhotoCanvas) draftLabel(unit float64) {
	d := &c.draft
	said := d.shape.Mark.Label(c.scale)
	if said == "" {
		d.plate.Hide()
		d.label.Hide()
		return
	}
	d.label.Text, d.label.Color = said, annotate.Ink(d.shape.Severity)
	d.label.TextSize = float32(38 * unit / c.device)
	d.plate.FillColor, d.plate.StrokeColor, d.plate.StrokeWidth = annotate.Colour(d.shape.Severity), color.White, 1
	d.plate.CornerRadius = d.label.TextSize / 5
	points := d.shape.Mark.Points
	a, b := c.draftAt(c.port.view.ToScreen(points[0])), c.draftAt(c.port.view.ToScreen(points[len(points)-1]))
	size, pad := d.label.MinSize(), d.label.TextSize/4
	at := fyne.NewPos((a.X+b.X-size.Width)/2, max(a.Y, b.Y)+2*pad+float32(9*unit/c.device))
	d.plate.Move(at.SubtractXY(pad, 0))
	d.plate.Resize(size.AddWidthHeight(2*pad, 0))
	d.label.Move(at)
	d.label.Resize(size)
	for _, o := range []fyne.CanvasObject{d.plate, d.label} {
		o.Show()
		o.Refresh()
	}
}
