package model

import (
	"slices"

	"flawmark/app/qc"
)

// MarkView is a mark as it is drawn: with the number and severity of its flaw.
type MarkView struct {
	Mark     qc.Mark
	Number   int // 0 when it shows no particular flaw
	Severity qc.Severity
}

// Marks returns the marks on the photo in view.
func (i *Inspection) Marks() []MarkView { return marksOn(i.draft.Finding, i.photo) }

func marksOn(f qc.Finding, photo qc.PhotoID) []MarkView {
	var views []MarkView
	for _, m := range f.Marks {
		if m.Photo != photo {
			continue
		}
		view := MarkView{Mark: m, Number: f.Number(m.Flaw), Severity: qc.Observation}
		if view.Number > 0 {
			view.Severity = f.Flaws[view.Number-1].Severity
		}
		views = append(views, view)
	}
	return views
}

// Mark returns the selected mark, or "".
func (i *Inspection) Mark() qc.MarkID { return i.mark }

// SelectMark selects a mark, and with it its flaw; "" selects none.
func (i *Inspection) SelectMark(id qc.MarkID) {
	if id == i.mark {
		return
	}
	i.mark = ""
	for _, m := range i.draft.Finding.Marks {
		if m.ID == id {
			i.mark = id
			if m.Flaw != "" {
				i.flaw = m.Flaw
			} else {
				i.ask = id
			}
		}
	}
	i.changed()
}

// Draw adds a mark to the photo in view. It belongs to the active flaw; with
// none, the panel asks for the flaw. What is no mark of the tool is left out.
func (i *Inspection) Draw(tool qc.Tool, points []qc.Point) {
	p, ok := i.Photo()
	if form, known := tool.Form(); !ok || !known || !form.Fits(len(points)) || i.recording {
		return
	}
	if !i.draft.Finding.RoomFor(len(points)) {
		i.notices.Warn(Say("error." + qc.ErrMarkCount.Error()))
		i.changed() // the mark under the hand goes
		return
	}
	m := qc.Mark{ID: qc.MarkID(i.parts.NewID()), Photo: p.ID, Flaw: i.flaw, Tool: tool, Points: inside(points, p)}
	i.step("", func(f *qc.Finding) { f.Marks = append(f.Marks, m) })
	i.mark = m.ID
	if m.Flaw == "" {
		i.ask = m.ID
	}
	i.changed()
}

// EditMark moves or reshapes a mark; no points remove it.
func (i *Inspection) EditMark(id qc.MarkID, points []qc.Point) {
	n := slices.IndexFunc(i.draft.Finding.Marks, func(m qc.Mark) bool { return m.ID == id })
	if n < 0 {
		return
	}
	p, ok := i.draft.Finding.Photo(i.draft.Finding.Marks[n].Photo)
	form, known := i.draft.Finding.Marks[n].Tool.Form()
	if remove := len(points) == 0; !ok || !remove && (!known || !form.Fits(len(points))) {
		return
	}
	i.step("", func(f *qc.Finding) {
		if len(points) == 0 {
			f.Marks = slices.Delete(f.Marks, n, n+1)
			return
		}
		f.Marks[n].Points = inside(points, p)
	})
}

// inside keeps points on the photo.
func inside(points []qc.Point, p qc.Photo) []qc.Point {
	kept := make([]qc.Point, len(points))
	for n, point := range points {
		kept[n] = qc.Point{X: max(0, min(point.X, float64(p.Width))), Y: max(0, min(point.Y, float64(p.Height)))}
	}
	return kept
}
