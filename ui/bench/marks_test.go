package bench

import (
	"strconv"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/ui/model"
)

// drawn draws a mark on the photo in view and selects it.
func (r *rig) drawn(tool qc.Tool, points ...qc.Point) qc.MarkID {
	r.t.Helper()
	r.station.Inspection.Draw(tool, points)
	r.settle()
	ids := r.station.Inspection.SelectedMarks()
	if len(ids) != 1 || r.mark(ids[0]).Tool != tool {
		r.t.Fatalf("after drawing a %s %v are selected", tool, ids)
	}
	return ids[0]
}

// mark is what the finding holds of a mark; nothing for one that is gone.
func (r *rig) mark(id qc.MarkID) qc.Mark {
	for _, m := range r.station.Inspection.Finding().Marks {
		if m.ID == id {
			return m
		}
	}
	return qc.Mark{}
}

// press taps the button of the mark panel that says so.
func (r *rig) press(words string) {
	r.t.Helper()
	panel := r.inspect.panel.marks.show()
	if panel == nil {
		r.t.Fatalf("there is no mark panel to press %q on", words)
	}
	var find func(o fyne.CanvasObject) *widget.Button
	find = func(o fyne.CanvasObject) *widget.Button {
		switch o := o.(type) {
		case *widget.Button:
			if o.Text == r.say(words) {
				return o
			}
		case *fyne.Container:
			for _, child := range o.Objects {
				if b := find(child); b != nil {
					return b
				}
			}
		}
		return nil
	}
	b := find(panel)
	if b == nil {
		r.t.Fatalf("the panel has no button %q", r.say(words))
	}
	test.Tap(b)
	r.settle()
}

func marking(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, "en", 1366, 740)
	r.signIn("B0012")
	r.flawed()
	return r
}

func TestMarkPanel_WordsOfAText(t *testing.T) {
	r := marking(t)
	id := r.drawn(qc.Text, qc.Point{X: 400, Y: 400})
	p := r.inspect.panel.marks
	p.write(id)
	if !p.typing() {
		t.Fatal("the words have no focus")
	}
	test.Type(p.words, "torn seam")
	r.settle()
	if got := r.mark(id).Text; got != "torn seam" {
		t.Errorf("the mark says %q", got)
	}
	p.words.SetText(strings.Repeat("缝", qc.MaxText+5))
	r.settle()
	if got := []rune(r.mark(id).Text); len(got) != qc.MaxText || len([]rune(p.words.Text)) != qc.MaxText {
		t.Errorf("the mark holds %d characters, the field %d", len(got), len([]rune(p.words.Text)))
	}
	p.words.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if p.typing() || r.focused() != fyne.Focusable(r.inspect.photo) {
		t.Error("Esc does not lead back to the photo")
	}
	// The phrases are in both languages, because the customer reads one of them.
	last := p.phrases.Objects[len(p.phrases.Objects)-1]
	test.Tap(last.(fyne.Tappable))
	r.settle()
	en, zh := p.languages["en"].Text("station.phrase.missing"), p.languages["zh"].Text("station.phrase.missing")
	if got := r.mark(id).Text; got != en+" "+zh || en == zh {
		t.Errorf("the phrase writes %q", got)
	}
	r.station.Inspection.Undo()
	r.settle()
	if r.mark(id).Text != "" || p.words.Text != "" {
		t.Errorf("after undo the mark says %q, the field %q", r.mark(id).Text, p.words.Text)
	}
}

func TestMarkPanel_ZoomOfAnInset(t *testing.T) {
	r := marking(t)
	id := r.drawn(qc.Inset, qc.Point{X: 400, Y: 400}, qc.Point{X: 700, Y: 600})
	p := r.inspect.panel.marks
	if got := p.zoom.Selected(); got != strconv.FormatFloat(qc.DefaultZoom, 'f', -1, 64) {
		t.Errorf("a new inset is shown with %q", got)
	}
	p.zoom.OnChanged("4")
	r.settle()
	if r.mark(id).Zoom != 4 || p.zoom.Selected() != "4" {
		t.Errorf("the mark has %g, the panel %q", r.mark(id).Zoom, p.zoom.Selected())
	}
	r.station.Inspection.Undo()
	r.settle()
	if r.mark(id).Zoom == 4 || p.zoom.Selected() == "4" {
		t.Errorf("after undo the mark has %g, the panel %q", r.mark(id).Zoom, p.zoom.Selected())
	}
}

func TestMarkPanel_LengthAlongARuler(t *testing.T) {
	r := marking(t)
	id := r.drawn(qc.Measure, qc.Point{X: 100, Y: 400}, qc.Point{X: 956, Y: 400})
	p := r.inspect.panel.marks
	if p.scaleAbout() != r.say("station.mark.no_scale") {
		t.Errorf("without a scale: %q", p.scaleAbout())
	}
	for _, typed := range []string{"nonsense", "-3", "0"} {
		p.known.OnSubmitted(typed)
		if photo, _ := r.station.Inspection.Photo(); photo.Scale != (qc.Scale{}) {
			t.Errorf("%q gives the scale %+v", typed, photo.Scale)
		}
		if notice := r.station.Notices.Current(); notice.Sentence.Key != "error."+qc.ErrScale.Error() {
			t.Errorf("%q is answered by %+v", typed, notice)
		}
		r.station.Notices.Clear()
	}
	p.known.OnSubmitted(" 85,6 ")
	r.settle()
	photo, _ := r.station.Inspection.Photo()
	if got := photo.Scale; got.Source != qc.ScaleRuler || got.MMPerPixel < 0.0999 || got.MMPerPixel > 0.1001 {
		t.Errorf("856 pixels are 85.6 mm, so the scale is %+v", got)
	}
	if view, _ := p.view(id); !strings.Contains(p.length.Text, view.Label) || !strings.Contains(view.Label, "mm") {
		t.Errorf("the panel says %q, the mark %q", p.length.Text, view.Label)
	}
	if p.scaleAbout() != r.say("station.mark.scale.ruler") || p.known.Text != "" || r.focused() != fyne.Focusable(r.inspect.photo) {
		t.Errorf("afterwards: %q, %q", p.scaleAbout(), p.known.Text)
	}
	p.known.OnSubmitted("")
	r.settle()
	if photo, _ := r.station.Inspection.Photo(); photo.Scale != (qc.Scale{}) {
		t.Errorf("nothing typed leaves the scale %+v", photo.Scale)
	}
}

func TestMarkPanel_ButtonsActOnAllSelected(t *testing.T) {
	r := marking(t)
	in := r.station.Inspection
	before := in.Finding().Marks // a box below an arrow
	in.SelectMarks(before[0].ID, before[1].ID)
	r.settle()
	p := r.inspect.panel.marks
	if p.several.Text != r.say("station.mark.several", "n", 2) {
		t.Errorf("the panel says %q", p.several.Text)
	}
	r.press("station.mark.duplicate")
	if got := in.Finding().Marks; len(got) != 4 || len(in.SelectedMarks()) != 2 || in.SelectedMarks()[0] == before[0].ID {
		t.Errorf("duplicated: %d marks, selected %v", len(got), in.SelectedMarks())
	}
	r.press("station.mark.lower")
	if got := in.Finding().Marks; got[0].ID != before[0].ID || got[3].ID != before[1].ID {
		t.Errorf("one down: %v", got)
	}
	r.press("station.mark.raise")
	if got := in.Finding().Marks; got[0].ID != before[0].ID || got[1].ID != before[1].ID {
		t.Errorf("one up again: %v", got)
	}
	r.press("button.delete")
	if got := in.Finding().Marks; len(got) != 2 || len(in.SelectedMarks()) != 0 || p.show() != nil {
		t.Errorf("deleted: %v, selected %v", got, in.SelectedMarks())
	}
}

// Ctrl+Shift+D on the photo lays the selected marks on the next photo, in the
// same relative place.
func TestMarks_AreCopiedOnToTheNextPhoto(t *testing.T) {
	r := marking(t)
	in := r.station.Inspection
	finding := in.Finding()
	from, to := finding.Photos[0], finding.Photos[1]
	box := finding.Marks[0]
	in.SelectMark(box.ID)
	r.settle()
	r.inspect.photo.OnCopyOn(in.SelectedMarks())
	r.settle()
	after := in.Finding().Marks
	if len(after) != len(finding.Marks)+1 {
		t.Fatalf("%d marks after copying one of %d", len(after), len(finding.Marks))
	}
	copied := after[len(after)-1]
	near := func(a, b float64) bool { return a-b < 1e-6 && b-a < 1e-6 }
	if copied.Photo != to.ID || copied.Flaw != box.Flaw || copied.Tool != box.Tool || copied.ID == box.ID ||
		!near(copied.Points[0].X/float64(to.Width), box.Points[0].X/float64(from.Width)) ||
		!near(copied.Points[1].Y/float64(to.Height), box.Points[1].Y/float64(from.Height)) {
		t.Errorf("%+v became %+v", box, copied)
	}
}

// The mark panel, the bar that compares and the settings' keys, in both
// languages and with texts of both sizes.
func TestScreens_PanelsAreNotCut(t *testing.T) {
	for _, language := range assets.Languages() {
		for _, scale := range []float64{1, 1.5} {
			size := fyne.NewSize(1366, 740)
			if scale > 1 {
				size = fyne.NewSize(1920, 1040)
			}
			r := newRig(t, language, size.Width, size.Height)
			r.station.Settings.Set(model.Settings{Name: "Bench 3", Centre: "https://centre.example", Language: language, Scale: scale})
			r.restyle()
			r.signIn("B0012")
			r.flawed()
			shoot := func(name string) {
				t.Helper()
				if scale > 1 {
					name = "large-" + name
				}
				r.settle()
				r.checkTexts(name + "-" + language)
				r.capture(name + "-" + language)
			}
			for tool, points := range map[qc.Tool][]qc.Point{
				qc.Text:      {{X: 300, Y: 300}},
				qc.Inset:     {{X: 300, Y: 300}, {X: 600, Y: 500}},
				qc.Measure:   {{X: 300, Y: 300}, {X: 600, Y: 500}},
				qc.Redaction: {{X: 300, Y: 300}, {X: 600, Y: 500}},
				qc.Spotlight: {{X: 300, Y: 300}, {X: 600, Y: 500}},
			} {
				r.drawn(tool, points...)
				shoot("panel-" + string(tool))
			}
			var all []qc.MarkID
			for _, v := range r.station.Inspection.Marks() {
				all = append(all, v.Mark.ID)
			}
			r.station.Inspection.SelectMarks(all...)
			shoot("panel-several")
			for n := range 3 {
				r.inspect.looks.nextMode()
				shoot("compare-" + string(rune('1'+n)))
			}
			r.Show(screenSettings)
			r.settings.parts.OnChanged(partKeys)
			shoot("settings-keys")
		}
	}
}
