package model_test

import (
	"slices"
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/ui/model"
)

func pts(values ...float64) []qc.Point {
	var points []qc.Point
	for n := 0; n < len(values); n += 2 {
		points = append(points, qc.Point{X: values[n], Y: values[n+1]})
	}
	return points
}

// marked is a bench with an item, two photos and a flaw.
func marked(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.signIn("B0012")
	b.open("20481-2")
	b.photo(10)
	b.photo(200)
	b.Inspection.NextPhoto(1)
	b.Inspection.AddFlaw("H11")
	return b
}

func (b *bench) draw(tool qc.Tool, values ...float64) qc.MarkID {
	b.t.Helper()
	b.Inspection.Draw(tool, pts(values...))
	b.settle()
	id := b.Inspection.Mark()
	if id == "" {
		b.t.Fatalf("%s was not drawn", tool)
	}
	return id
}

func (b *bench) order() string {
	var ids []string
	for _, m := range b.Inspection.Marks() {
		ids = append(ids, string(m.Mark.ID))
	}
	return strings.Join(ids, " ")
}

func TestMarks_GroupIsOneStep(t *testing.T) {
	b := marked(t)
	one := b.draw(qc.Box, 1, 1, 5, 5)
	two := b.draw(qc.Arrow, 8, 8, 20, 20)
	b.Inspection.SelectMarks(one, two)
	b.Inspection.EditMarks(map[qc.MarkID][]qc.Point{one: pts(2, 2, 6, 6), two: pts(9, 9, 21, 21)})
	b.Inspection.DeleteMarks(one, two)
	if len(b.Inspection.Marks()) != 0 || len(b.Inspection.SelectedMarks()) != 0 {
		t.Fatalf("marks %v left, %v selected", b.order(), b.Inspection.SelectedMarks())
	}
	b.Inspection.Undo()
	if got := b.Inspection.Marks(); len(got) != 2 || got[0].Mark.Points[0] != (qc.Point{X: 2, Y: 2}) {
		t.Fatalf("after one undo: %v", got)
	}
	b.Inspection.Undo()
	if got := b.Inspection.Marks(); got[0].Mark.Points[0] != (qc.Point{X: 1, Y: 1}) || got[1].Mark.Points[0] != (qc.Point{X: 8, Y: 8}) {
		t.Fatalf("after two: %v", got)
	}
}

func TestMarks_EditThatDoesNotFitDoesNothing(t *testing.T) {
	b := marked(t)
	one := b.draw(qc.Box, 1, 1, 5, 5)
	before := b.Inspection.Marks()[0].Mark.Points
	b.Inspection.EditMarks(map[qc.MarkID][]qc.Point{one: pts(1, 1, 2, 2, 3, 3)})
	b.Inspection.EditMarks(map[qc.MarkID][]qc.Point{"nobody": pts(1, 1, 2, 2)})
	if got := b.Inspection.Marks()[0].Mark.Points; !slices.Equal(got, before) {
		t.Errorf("points became %v", got)
	}
}

func TestMarks_Reorder(t *testing.T) {
	b := marked(t)
	a, c, d := b.draw(qc.Box, 1, 1, 5, 5), b.draw(qc.Box, 2, 2, 6, 6), b.draw(qc.Box, 3, 3, 7, 7)
	name := func(ids ...qc.MarkID) string {
		var texts []string
		for _, id := range ids {
			texts = append(texts, string(id))
		}
		return strings.Join(texts, " ")
	}
	for _, step := range []struct {
		to   model.Order
		ids  []qc.MarkID
		want string
	}{
		{model.Raise, []qc.MarkID{a}, name(c, a, d)},
		{model.ToFront, []qc.MarkID{c}, name(a, d, c)},
		{model.Lower, []qc.MarkID{c}, name(a, c, d)},
		{model.ToBack, []qc.MarkID{d}, name(d, a, c)},
		{model.Raise, []qc.MarkID{d, a}, name(c, d, a)},
		{model.ToBack, []qc.MarkID{d, a}, name(d, a, c)},
		{model.Lower, []qc.MarkID{d}, name(d, a, c)},
	} {
		b.Inspection.ReorderMarks(step.to, step.ids...)
		if got := b.order(); got != step.want {
			t.Fatalf("%d of %v: %s, want %s", step.to, step.ids, got, step.want)
		}
	}
}

func TestMarks_CopyToNextPhoto(t *testing.T) {
	b := marked(t)
	first, _ := b.Inspection.Photo()
	one := b.draw(qc.Box, 1, 1, 5, 5)
	b.Inspection.DuplicateMarks(one)
	if copies := b.Inspection.SelectedMarks(); len(copies) != 1 || copies[0] == one || len(b.Inspection.Marks()) != 2 {
		t.Fatalf("duplicate: selected %v of %s", copies, b.order())
	}
	b.Inspection.CopyMarksToNextPhoto(one)
	now, _ := b.Inspection.Photo()
	if got := b.Inspection.Marks(); now.ID == first.ID || len(got) != 1 || got[0].Mark.Photo != now.ID {
		t.Fatalf("on %s: %v", now.ID, got)
	}
	if got := b.Inspection.SelectedMarks(); len(got) != 1 {
		t.Errorf("selected %v", got)
	}
}

func TestMarks_ThatShowNoFlaw(t *testing.T) {
	b := marked(t)
	b.draw(qc.Redaction, 1, 1, 9, 9)
	b.draw(qc.Spotlight, 1, 1, 9, 9)
	b.draw(qc.Spotlight, 2, 2, 9, 9)
	spotlights := 0
	for _, m := range b.Inspection.Marks() {
		if m.Mark.Flaw != "" {
			t.Errorf("%s belongs to a flaw", m.Mark.Tool)
		}
		if m.Mark.Tool == qc.Spotlight {
			spotlights++
		}
	}
	if spotlights != 1 || b.Inspection.Asking() {
		t.Errorf("%d spotlights, asking %v", spotlights, b.Inspection.Asking())
	}
}

func TestMarks_MeasureGivesTheFlawItsSize(t *testing.T) {
	b := marked(t)
	ruler := b.draw(qc.Measure, 0, 0, 50, 0)
	if label := b.Inspection.Marks()[0].Label; label != "50 px" {
		t.Errorf("without a scale it says %q", label)
	}
	b.Inspection.SetLength(ruler, 100)
	if label := b.Inspection.Marks()[0].Label; !strings.HasPrefix(label, "100 ± ") {
		t.Errorf("the ruler says %q", label)
	}
	b.draw(qc.Measure, 0, 10, 10, 10)
	if got := b.Inspection.Finding().Flaws[0].SizeMM; got != 20 {
		t.Errorf("the flaw is %v mm, want 20", got)
	}
	b.Inspection.SetLength(ruler, -3)
	if p, _ := b.Inspection.Photo(); p.Scale.MMPerPixel != 2 {
		t.Errorf("a senseless length changed the scale to %v", p.Scale)
	}
	b.Inspection.SetLength(ruler, 0)
	if p, _ := b.Inspection.Photo(); p.Scale != (qc.Scale{}) {
		t.Errorf("the scale stays %v", p.Scale)
	}
}

func TestMarks_TextWithoutWordsIsNotRecorded(t *testing.T) {
	b := marked(t)
	empty := b.draw(qc.Text, 3, 3)
	said := b.draw(qc.Text, 9, 9)
	for _, text := range []string{"线", "线头", "线头长"} {
		b.Inspection.SetText(said, text)
	}
	b.Inspection.Undo()
	if got := b.Inspection.Marks()[1].Mark.Text; got != "" {
		t.Errorf("one undo leaves %q of what was typed", got)
	}
	b.Inspection.Redo()
	b.Inspection.Flag()
	b.settle()
	f, ok := b.store.Events[len(b.store.Events)-1].(qc.Finding)
	if !ok || len(f.Marks) != 1 || f.Marks[0].ID != said || f.Marks[0].Text != "线头长" {
		t.Errorf("recorded %v without %s", f.Marks, empty)
	}
}

func TestUndo_GoesOnAfterARestart(t *testing.T) {
	b := marked(t)
	one := b.draw(qc.Box, 1, 1, 5, 5)
	b.Inspection.EditMark(one, pts(2, 2, 6, 6))
	b.draw(qc.Arrow, 8, 8, 20, 20)
	b.Inspection.Undo()
	b.settle()

	b.Inspection.Close()
	b.Inspection.Open("20481-2")
	b.settle()
	if !b.Inspection.CanRedo() || !b.Inspection.Redo() || len(b.Inspection.Marks()) != 2 {
		t.Fatalf("the redo is gone: %v", b.order())
	}
	b.Inspection.Undo()
	b.Inspection.Undo()
	if got := b.Inspection.Marks(); len(got) != 1 || got[0].Mark.Points[0] != (qc.Point{X: 1, Y: 1}) {
		t.Fatalf("after undoing the edit: %v", got)
	}
	for b.Inspection.Undo() {
	}
	if f := b.Inspection.Finding(); len(f.Photos)+len(f.Flaws)+len(f.Marks) != 0 || f.Item != "20481-2" {
		t.Errorf("at the beginning there is %v", f)
	}
}
