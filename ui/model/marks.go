package model

import (
	"slices"

	"flawmark/app/qc"
)

// MarkView is a mark as it is drawn: with the number and severity of its flaw,
// and what is written at it.
type MarkView struct {
	Mark     qc.Mark
	Number   int // 0 when it shows no particular flaw
	Severity qc.Severity
	Label    string
}

// Marks returns the marks on the photo in view, the topmost last.
func (i *Inspection) Marks() []MarkView { return marksOn(i.draft.Finding, i.photo) }

func marksOn(f qc.Finding, photo qc.PhotoID) []MarkView {
	var views []MarkView
	shown, _ := f.Photo(photo)
	for _, m := range f.Marks {
		if m.Photo != photo {
			continue
		}
		view := MarkView{Mark: m, Number: f.Number(m.Flaw), Severity: qc.Observation, Label: m.Label(shown.Scale)}
		if view.Number > 0 {
			view.Severity = f.Flaws[view.Number-1].Severity
		}
		views = append(views, view)
	}
	return views
}

// Mark returns the mark that was selected last, or "".
func (i *Inspection) Mark() qc.MarkID {
	if len(i.marks) == 0 {
		return ""
	}
	return i.marks[len(i.marks)-1]
}

// SelectedMarks returns the selected marks in the order of their selection. It
// is not to be changed.
func (i *Inspection) SelectedMarks() []qc.MarkID { return i.marks }

// SelectMark selects a mark, and with it its flaw; "" selects none.
func (i *Inspection) SelectMark(id qc.MarkID) {
	if id == "" {
		i.SelectMarks()
		return
	}
	i.SelectMarks(id)
}

// SelectMarks selects these marks of the photo in view and no others. The flaw
// of the last one becomes the active one.
func (i *Inspection) SelectMarks(ids ...qc.MarkID) {
	var known []qc.MarkID
	for _, id := range ids {
		if n := i.place(id); n >= 0 && i.draft.Finding.Marks[n].Photo == i.photo && !slices.Contains(known, id) {
			known = append(known, id)
		}
	}
	if slices.Equal(known, i.marks) {
		return
	}
	i.marks = known
	if n := i.place(i.Mark()); n >= 0 {
		switch m := i.draft.Finding.Marks[n]; {
		case m.Flaw != "":
			i.flaw = m.Flaw
		case m.Tool.Shows():
			i.ask = m.ID
		}
	}
	i.changed()
}

// place returns where a mark is among the finding's, or -1.
func (i *Inspection) place(id qc.MarkID) int {
	return slices.IndexFunc(i.draft.Finding.Marks, func(m qc.Mark) bool { return m.ID == id })
}

// Draw adds a mark to the photo in view. It belongs to the active flaw; with
// none, the panel asks for the flaw of what shows one. A second spotlight
// takes the place of the first. What is no mark of the tool is left out.
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
	if tool == qc.Redaction || tool == qc.Spotlight {
		m.Flaw = "" // it is about the photo
	}
	i.step("", func(f *qc.Finding) {
		if tool == qc.Spotlight {
			f.Marks = slices.DeleteFunc(f.Marks, func(old qc.Mark) bool { return old.Photo == p.ID && old.Tool == tool })
		}
		f.Marks = append(f.Marks, m)
		size(f, m, p)
	})
	i.marks = []qc.MarkID{m.ID}
	if m.Flaw == "" && tool.Shows() {
		i.ask = m.ID
	}
	i.changed()
}

// size gives a flaw that has none the size that was measured for it.
func size(f *qc.Finding, m qc.Mark, p qc.Photo) {
	n := f.Number(m.Flaw)
	length, ok := p.Scale.Measure(m.Points)
	if m.Tool == qc.Measure && n > 0 && ok && f.Flaws[n-1].SizeMM == 0 {
		f.Flaws[n-1].SizeMM = tenth(length.MM)
	}
}

// EditMark moves or reshapes a mark; no points remove it.
func (i *Inspection) EditMark(id qc.MarkID, points []qc.Point) {
	i.EditMarks(map[qc.MarkID][]qc.Point{id: points})
}

// EditMarks moves or reshapes marks in one step; no points remove one. Unless
// each fits its tool, nothing is done.
func (i *Inspection) EditMarks(edits map[qc.MarkID][]qc.Point) {
	for id, points := range edits {
		n := i.place(id)
		if n < 0 {
			return
		}
		form, known := i.draft.Finding.Marks[n].Tool.Form()
		if len(points) > 0 && (!known || !form.Fits(len(points))) {
			return
		}
	}
	if len(edits) == 0 {
		return
	}
	i.step("", func(f *qc.Finding) {
		f.Marks = slices.DeleteFunc(f.Marks, func(m qc.Mark) bool {
			points, named := edits[m.ID]
			return named && len(points) == 0
		})
		for n, m := range f.Marks {
			if p, ok := f.Photo(m.Photo); ok && len(edits[m.ID]) > 0 {
				f.Marks[n].Points = inside(edits[m.ID], p)
			}
		}
	})
}

// NudgeMarks is EditMarks for steps of the keyboard: those in a row are undone
// together.
func (i *Inspection) NudgeMarks(edits map[qc.MarkID][]qc.Point) {
	if len(edits) == 0 {
		return
	}
	i.step("nudge", func(f *qc.Finding) {
		for n, m := range f.Marks {
			form, _ := m.Tool.Form()
			if p, ok := f.Photo(m.Photo); ok && form.Fits(len(edits[m.ID])) && len(edits[m.ID]) > 0 {
				f.Marks[n].Points = inside(edits[m.ID], p)
			}
		}
	})
}

// DeleteMarks removes marks in one step.
func (i *Inspection) DeleteMarks(ids ...qc.MarkID) {
	edits := make(map[qc.MarkID][]qc.Point, len(ids))
	for _, id := range ids {
		edits[id] = nil
	}
	i.EditMarks(edits)
}

// DuplicateMarks adds a copy of each mark a little off its place, and selects
// the copies.
func (i *Inspection) DuplicateMarks(ids ...qc.MarkID) {
	p, ok := i.Photo()
	if !ok {
		return
	}
	off := float64(max(p.Width, p.Height)) / 50
	i.copyMarks(ids, p, func(q qc.Point) qc.Point { return qc.Point{X: q.X + off, Y: q.Y + off} })
}

// CopyMarksToNextPhoto adds a copy of each mark at the same relative place of
// the next photo, and goes there.
func (i *Inspection) CopyMarksToNextPhoto(ids ...qc.MarkID) {
	from, ok := i.Photo()
	photos := i.draft.Finding.Photos
	if !ok || len(photos) < 2 {
		return
	}
	at := slices.IndexFunc(photos, func(p qc.Photo) bool { return p.ID == from.ID })
	to := photos[(at+1)%len(photos)]
	if !i.copyMarks(ids, to, func(q qc.Point) qc.Point {
		return qc.Point{X: q.X / float64(from.Width) * float64(to.Width), Y: q.Y / float64(from.Height) * float64(to.Height)}
	}) {
		return
	}
	copies := i.marks
	i.ShowPhoto(to.ID)
	i.SelectMarks(copies...)
}

func (i *Inspection) copyMarks(ids []qc.MarkID, to qc.Photo, place func(qc.Point) qc.Point) bool {
	var copies []qc.Mark
	points := 0
	for _, m := range i.draft.Finding.Marks {
		if !slices.Contains(ids, m.ID) || m.Tool == qc.Spotlight && m.Photo == to.ID {
			continue
		}
		moved := make([]qc.Point, len(m.Points))
		for n, q := range m.Points {
			moved[n] = place(q)
		}
		points += len(moved)
		m.ID, m.Photo, m.Points = qc.MarkID(i.parts.NewID()), to.ID, inside(moved, to)
		copies = append(copies, m)
	}
	if len(copies) == 0 || i.recording {
		return false
	}
	if f := i.draft.Finding; len(f.Marks)+len(copies) > qc.MaxMarks || !f.RoomFor(points) {
		i.notices.Warn(Say("error." + qc.ErrMarkCount.Error()))
		return false
	}
	i.step("", func(f *qc.Finding) { f.Marks = append(f.Marks, copies...) })
	i.marks = nil
	for _, m := range copies {
		i.marks = append(i.marks, m.ID)
	}
	i.changed()
	return true
}

// Order is where marks go among the others of their photo.
type Order int

// The orders.
const (
	Raise Order = iota
	Lower
	ToFront
	ToBack
)

// ReorderMarks changes which marks lie over which. Those that are moved keep
// their order among themselves.
func (i *Inspection) ReorderMarks(to Order, ids ...qc.MarkID) {
	f := i.draft.Finding
	var places []int // of the marks of the photo in view, lowest first
	for n, m := range f.Marks {
		if m.Photo == i.photo {
			places = append(places, n)
		}
	}
	before := make([]qc.Mark, 0, len(places))
	for _, n := range places {
		before = append(before, f.Marks[n])
	}
	after := reordered(before, to, func(m qc.Mark) bool { return slices.Contains(ids, m.ID) })
	if slices.EqualFunc(before, after, func(a, b qc.Mark) bool { return a.ID == b.ID }) {
		return
	}
	i.step("", func(f *qc.Finding) {
		for k, n := range places {
			f.Marks[n] = after[k]
		}
	})
}

func reordered(marks []qc.Mark, to Order, moved func(qc.Mark) bool) []qc.Mark {
	list := slices.Clone(marks)
	rank := func(m qc.Mark) int {
		if moved(m) == (to == ToFront) {
			return 1
		}
		return 0
	}
	switch to {
	case ToFront, ToBack:
		slices.SortStableFunc(list, func(a, b qc.Mark) int { return rank(a) - rank(b) })
	case Raise:
		for n := len(list) - 2; n >= 0; n-- {
			if moved(list[n]) && !moved(list[n+1]) {
				list[n], list[n+1] = list[n+1], list[n]
			}
		}
	case Lower:
		for n := 1; n < len(list); n++ {
			if moved(list[n]) && !moved(list[n-1]) {
				list[n], list[n-1] = list[n-1], list[n]
			}
		}
	}
	return list
}

// SetText writes the words of a text. Typing is undone in one step.
func (i *Inspection) SetText(id qc.MarkID, text string) {
	n := i.place(id)
	if n < 0 || i.draft.Finding.Marks[n].Tool != qc.Text || i.draft.Finding.Marks[n].Text == text {
		return
	}
	i.step("text "+string(id), func(f *qc.Finding) { f.Marks[n].Text = text })
}

// SetZoom sets how much an inset enlarges.
func (i *Inspection) SetZoom(id qc.MarkID, zoom float64) {
	n := i.place(id)
	zoom = max(qc.MinZoom, min(zoom, qc.MaxZoom))
	if n < 0 || i.draft.Finding.Marks[n].Tool != qc.Inset || i.draft.Finding.Marks[n].Zoom == zoom {
		return
	}
	i.step("zoom "+string(id), func(f *qc.Finding) { f.Marks[n].Zoom = zoom })
}

// SetLength says how long a measure is, such as one along a ruler, and so
// gives its photo a scale. Zero takes the scale away.
func (i *Inspection) SetLength(id qc.MarkID, mm float64) {
	n := i.place(id)
	if n < 0 || i.draft.Finding.Marks[n].Tool != qc.Measure {
		return
	}
	m := i.draft.Finding.Marks[n]
	scale, ok := qc.ScaleOf(m.Points, mm, qc.ScaleRuler)
	if !ok && mm != 0 {
		i.notices.Warn(Say("error." + qc.ErrScale.Error()))
		return
	}
	i.step("", func(f *qc.Finding) {
		for k := range f.Photos {
			if f.Photos[k].ID == m.Photo {
				f.Photos[k].Scale = scale
			}
		}
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

func tenth(mm float64) float64 { return float64(int64(mm*10+0.5)) / 10 }
