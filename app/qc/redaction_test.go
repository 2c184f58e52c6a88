package qc_test

import (
	"errors"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flawmark/app/qc"
)

func at(x, y float64) qc.Point { return qc.Point{X: x, Y: y} }

func redaction(photo qc.PhotoID, a, b qc.Point) qc.Mark {
	return qc.Mark{ID: "m", Photo: photo, Tool: qc.Redaction, Points: []qc.Point{a, b}}
}

func TestRedactions_NameTheRectanglesAndNothingElse(t *testing.T) {
	one := redaction("p", at(10, 20), at(30, 40))
	turned := redaction("p", at(30, 20), at(10, 40))
	two := redaction("p", at(1, 1), at(2, 2))
	other := redaction("q", at(10, 20), at(30, 40))
	box := qc.Mark{ID: "b", Photo: "p", Tool: qc.Box, Points: []qc.Point{at(1, 1), at(2, 2)}}

	none := qc.Finding{Marks: []qc.Mark{other, box}}.Redactions("p")
	first := qc.Finding{Marks: []qc.Mark{one, box}}.Redactions("p")
	if none != "" || first == "" {
		t.Fatalf("without redactions %q, with one %q", none, first)
	}
	if got := (qc.Finding{Marks: []qc.Mark{turned}}).Redactions("p"); got != first {
		t.Error("the same rectangle from other corners has another digest")
	}
	both := qc.Finding{Marks: []qc.Mark{one, two}}.Redactions("p")
	if both == first {
		t.Error("a second redaction changes nothing")
	}
	if got := (qc.Finding{Marks: []qc.Mark{two, one}}).Redactions("p"); got != both {
		t.Error("the order of redactions changes their digest")
	}
}

func TestCheck_OfWhatIsOnPhotos(t *testing.T) {
	cases := map[string]struct {
		change func(*qc.Finding)
		want   error
	}{
		"sound": {func(*qc.Finding) {}, nil},
		"derivatives without the redaction": {func(f *qc.Finding) {
			f.Marks = append(f.Marks, redaction("p", at(1, 1), at(5, 5)))
		}, qc.ErrRedactions},
		"derivatives with the redaction": {func(f *qc.Finding) {
			f.Marks = append(f.Marks, redaction("p", at(1, 1), at(5, 5)))
			f.Photos[0].Redactions = f.Redactions("p")
		}, nil},
		"derivatives with a redaction that is gone": {func(f *qc.Finding) { f.Photos[0].Redactions = qc.DigestOf(nil) }, qc.ErrRedactions},
		"two spotlights": {func(f *qc.Finding) {
			for range 2 {
				f.Marks = append(f.Marks, qc.Mark{Photo: "p", Tool: qc.Spotlight, Points: []qc.Point{at(1, 1), at(5, 5)}})
			}
		}, qc.ErrSpotlights},
		"a text without words": {func(f *qc.Finding) {
			f.Marks = append(f.Marks, qc.Mark{Photo: "p", Tool: qc.Text, Points: []qc.Point{at(1, 1)}})
		}, qc.ErrMarkText},
		"a text": {func(f *qc.Finding) {
			f.Marks = append(f.Marks, qc.Mark{Photo: "p", Tool: qc.Text, Text: "掉色\n见左侧", Points: []qc.Point{at(1, 1)}})
		}, nil},
		"a text that is too long": {func(f *qc.Finding) {
			f.Marks = append(f.Marks, qc.Mark{Photo: "p", Tool: qc.Text, Text: strings.Repeat("字", qc.MaxText+1), Points: []qc.Point{at(1, 1)}})
		}, qc.ErrMarkText},
		"a text with a control character": {func(f *qc.Finding) {
			f.Marks = append(f.Marks, qc.Mark{Photo: "p", Tool: qc.Text, Text: "a\x1b[2J", Points: []qc.Point{at(1, 1)}})
		}, qc.ErrMarkText},
		"words on a box": {func(f *qc.Finding) {
			f.Marks = append(f.Marks, qc.Mark{Photo: "p", Tool: qc.Box, Text: "x", Points: []qc.Point{at(1, 1), at(2, 2)}})
		}, qc.ErrMarkText},
		"an inset that enlarges too much": {func(f *qc.Finding) {
			f.Marks = append(f.Marks, qc.Mark{Photo: "p", Tool: qc.Inset, Zoom: 80, Points: []qc.Point{at(1, 1), at(2, 2)}})
		}, qc.ErrMarkText},
		"a scale that is no number": {func(f *qc.Finding) { f.Photos[0].Scale.MMPerPixel = math.NaN() }, qc.ErrScale},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := qc.Finding{Verdict: qc.Pass, Photos: []qc.Photo{{ID: "p", Width: 100, Height: 100}}}
			tc.change(&f)
			if err := f.Check(qc.Item{Quantity: 1}, qc.Catalogue{}); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestScale_Measure(t *testing.T) {
	s := qc.Scale{MMPerPixel: 0.1, Error: 0.01, Source: qc.ScaleMat}
	got, ok := s.Measure([]qc.Point{at(0, 0), at(300, 400), at(300, 900)})
	if !ok || math.Abs(got.MM-100) > 1e-9 {
		t.Fatalf("got %v %v, want 100 mm", got, ok)
	}
	if got.Error < 1 || got.Error > 1.1 {
		t.Errorf("error %v mm, want a little over 1 %%", got.Error)
	}
	if _, ok := (qc.Scale{}).Measure([]qc.Point{at(0, 0), at(1, 1)}); ok {
		t.Error("measured without a scale")
	}
}

// TestRefusals_AreAll has Check refuse for every reason that this file and the
// others know, so that no new one is left out of the list.
func TestRefusals_AreAll(t *testing.T) {
	source, err := os.ReadFile("finding.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`errors\.New\("(finding_[a-z_]+)"\)`).FindAllSubmatch(source, -1) {
		if !slices.ContainsFunc(qc.Refusals(), func(err error) bool { return err.Error() == string(name[1]) }) {
			t.Errorf("%s is not among the refusals", name[1])
		}
	}
}
