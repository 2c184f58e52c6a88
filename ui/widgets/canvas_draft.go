package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// draft shows the mark under the hand by the toolkit's own lines, which cost
// nothing to change. A mark is drawn in three passes over each other: its dark
// and its white edge, and its colour.
type draft struct {
	shape *annotate.Shape // nil: none
	rects [3]*canvas.Rectangle
	lines [3][]*canvas.Line // as many as were ever needed
}

func (d *draft) objects() []fyne.CanvasObject {
	list := make([]fyne.CanvasObject, 0, len(d.rects)+3*len(d.lines[0]))
	for i := range d.rects {
		for _, line := range d.lines[i] {
			list = append(list, line)
		}
	}
	for i := range d.rects {
		if d.rects[i] == nil {
			d.rects[i] = canvas.NewRectangle(color.Transparent)
			d.rects[i].Hide()
		}
		list = append(list, d.rects[i])
	}
	return list
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
	objects := d.objects()
	if d.shape == nil || len(d.shape.Mark.Points) == 0 {
		for _, o := range objects {
			if o.Visible() {
				o.Hide()
			}
		}
		return
	}
	unit := c.unit()
	stroke, _ := annotate.Stroke(d.shape.Severity)
	if tool := d.shape.Mark.Tool; tool == qc.Highlighter || tool == qc.Badge {
		stroke = 1.5
	}
	stroke *= unit
	courses := c.draftCourses(stroke)
	for i, pass := range [...]struct {
		wider  float64
		colour color.Color
	}{{3 * unit, color.NRGBA{0, 0, 0, 0x73}}, {2 * unit, color.White}, {0, annotate.Colour(d.shape.Severity)}} {
		c.draftRect(i, float32((stroke+pass.wider)/c.device), pass.colour, unit)
		n := 0
		for _, course := range courses {
			for j := 1; j < len(course); j++ {
				line := d.line(i, n)
				line.StrokeColor, line.StrokeWidth = pass.colour, float32((stroke+pass.wider)/c.device)
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
	switch {
	case m.Tool == qc.Box || m.Tool == qc.Highlighter:
		return nil
	case m.Tool == qc.Arrow && len(m.Points) == 2:
		left, right, _ := annotate.ArrowHead(m.Points[0], m.Points[1], stroke)
		return [][]qc.Point{m.Points, {left, m.Points[1], right}}
	default:
		// Coarser than on paper: it is seen for the time of a gesture.
		return [][]qc.Point{annotate.Course(m, 0.1)}
	}
}

// draftRect shows the rectangle of a pass: a box's, a tint's, or as a disc a
// badge's.
func (c *PhotoCanvas) draftRect(pass int, width float32, colour color.Color, unit float64) {
	rect, m := c.draft.rects[pass], c.draft.shape.Mark
	a := c.port.view.ToScreen(m.Points[0])
	b := c.port.view.ToScreen(m.Points[len(m.Points)-1])
	rect.FillColor, rect.CornerRadius = color.Transparent, 0
	switch m.Tool {
	case qc.Box, qc.Highlighter:
		if m.Tool == qc.Highlighter && pass == 2 {
			tint := annotate.Colour(c.draft.shape.Severity)
			tint.A = 0x66
			rect.FillColor = tint
		}
	case qc.Badge:
		r := annotate.BadgeRadius(unit)
		b = qc.Point{X: a.X + r, Y: a.Y + r}
		a = qc.Point{X: a.X - r, Y: a.Y - r}
		rect.CornerRadius = float32(r/c.device) + width/2
		if pass == 2 {
			rect.FillColor = colour
		}
	default:
		rect.Hide()
		return
	}
	from, to := c.draftAt(qc.Point{X: min(a.X, b.X), Y: min(a.Y, b.Y)}), c.draftAt(qc.Point{X: max(a.X, b.X), Y: max(a.Y, b.Y)})
	rect.StrokeColor, rect.StrokeWidth = colour, width
	rect.Move(from.SubtractXY(width/2, width/2))
	rect.Resize(fyne.NewSize(to.X-from.X+width, to.Y-from.Y+width))
	rect.Show()
	rect.Refresh()
}
