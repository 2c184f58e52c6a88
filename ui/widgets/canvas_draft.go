package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

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
