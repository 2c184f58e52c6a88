package exchange_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/exchange"
)

// photoTools is a sheet with the tools that say, hide or measure something about
// the photo itself.
func photoTools() exchange.Sheet {
	s := exchange.Sheet{Finding: "f-1", Item: "i-1", Revision: 1, Image: small()}
	s.Image.Scale = qc.Scale{MMPerPixel: 0.25, Error: 0.01, Source: qc.ScaleRuler}
	s.Flaws = []exchange.Flaw{{Number: 1, Flaw: qc.Flaw{ID: "fl-1", Code: "H11", Severity: qc.Minor, Zone: qc.ZoneB, Quantity: 1}}}
	for _, m := range []qc.Mark{
		{ID: "text", Tool: qc.Text, Text: "左鞋头 <\"left toe\">\nsee", Points: []qc.Point{{X: 3, Y: 4}}},
		{ID: "text-to", Tool: qc.Text, Text: "seam", Flaw: "fl-1", Points: []qc.Point{{X: 3, Y: 4}, {X: 50, Y: 40}}},
		{ID: "inset", Tool: qc.Inset, Flaw: "fl-1", Zoom: 2.5, Points: []qc.Point{{X: 10, Y: 10}, {X: 20, Y: 20}, {X: 60, Y: 5}}},
		{ID: "inset-auto", Tool: qc.Inset, Flaw: "fl-1", Points: []qc.Point{{X: 10, Y: 10}, {X: 20, Y: 20}}},
		{ID: "spotlight", Tool: qc.Spotlight, Points: []qc.Point{{X: 1, Y: 1}, {X: 90, Y: 40}}},
		{ID: "measure", Tool: qc.Measure, Points: []qc.Point{{X: 0, Y: 0}, {X: 30, Y: 40}, {X: 30, Y: 50}}},
		{ID: "redact", Tool: qc.Redaction, Points: []qc.Point{{X: 70, Y: 0}, {X: 100, Y: 25}}},
		{ID: "badge", Tool: qc.Badge, Flaw: "fl-1", Points: []qc.Point{{X: 5, Y: 6}}},
	} {
		m.Photo = s.Image.ID
		s.Marks = append(s.Marks, exchange.Mark{Mark: m})
	}
	return s
}

// Everything that a finding can hold comes back from each form that is read.
func TestTools_ComeBack(t *testing.T) {
	t.Parallel()
	s := photoTools()
	sheet, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := exchange.ParseSheet(sheet, exchange.DefaultLimits())
	if err != nil || !reflect.DeepEqual(again, s) {
		t.Errorf("from its own form: %v\n%+v\n%+v", err, again, s)
	}
	web, left, err := s.W3C("", s.Image.Address())
	if err != nil || len(left) > 0 {
		t.Fatal(err, left)
	}
	golden(t, "tools-w3c.json", web)
	labelled, left, err := s.Labelme("")
	if err != nil || len(left) > 0 {
		t.Fatal(err, left)
	}
	golden(t, "tools-labelme.json", labelled)
	for name, read := range map[string]func() (exchange.Sheet, error){
		"annotations": func() (exchange.Sheet, error) { return exchange.ParseW3C(web, s.Image, exchange.DefaultLimits()) },
		"labelme": func() (exchange.Sheet, error) {
			return exchange.ParseLabelme(labelled, s.Image, exchange.DefaultLimits())
		},
	} {
		back, err := read()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		flaws, marks := s.Contents()
		gotFlaws, gotMarks := back.Contents()
		if !reflect.DeepEqual(flaws, gotFlaws) || !reflect.DeepEqual(marks, gotMarks) {
			t.Errorf("%s:\n%+v\n%+v\nwant\n%+v\n%+v", name, gotFlaws, gotMarks, flaws, marks)
		}
	}
}

// Whoever shows the picture with another program is told what not to show.
func TestTools_ARedactionIsNamedAsSuch(t *testing.T) {
	t.Parallel()
	s := photoTools()
	web, _, err := s.W3C("", "")
	if err != nil || !strings.Contains(string(web), `"value": "redaction"`) {
		t.Errorf("%v\n%s", err, web)
	}
	labelled, _, err := s.Labelme("")
	if err != nil || !strings.Contains(string(labelled), `"label": "redaction"`) {
		t.Errorf("%v\n%s", err, labelled)
	}
	d, left := coco(t, s)
	class := 0
	for _, c := range d.Categories {
		if c.Name == "redaction" {
			class = c.ID
		}
	}
	found := false
	for _, a := range d.Annotations {
		found = found || a.Category == class && a.Box == [4]float64{70, 0, 30, 25}
	}
	if class == 0 || !found {
		t.Errorf("categories %v, annotations %v", d.Categories, d.Annotations)
	}
	why := make(map[qc.MarkID]error)
	for _, o := range left {
		why[o.Mark] = o.Why
	}
	for mark, want := range map[qc.MarkID]error{
		"text": exchange.ErrNoFlaw, "text-to": exchange.ErrNoRegion, "inset": nil, "spotlight": exchange.ErrNoFlaw,
		"measure": exchange.ErrNoFlaw, "redact": nil, "badge": exchange.ErrNoRegion,
	} {
		if !errors.Is(why[mark], want) {
			t.Errorf("%s left out: %v, want %v", mark, why[mark], want)
		}
	}
}

func TestTools_AnotherPhoto(t *testing.T) {
	t.Parallel()
	s := photoTools()
	other := s.Image
	other.Digest = qc.DigestOf([]byte("another of the same size"))
	web, _, err := s.W3C("", s.Image.Address())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exchange.ParseW3C(web, other, exchange.DefaultLimits()); !errors.Is(err, exchange.ErrOtherPhoto) {
		t.Errorf("annotations: %v", err)
	}
	labelled, _, err := s.Labelme("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exchange.ParseLabelme(labelled, other, exchange.DefaultLimits()); !errors.Is(err, exchange.ErrOtherPhoto) {
		t.Errorf("labelme: %v", err)
	}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		data         string
		line, column int
		ok           bool
	}{
		"in the third line": {"{\n\"schema\":1,\n \"划\": x}", 3, 7, true},
		"at once":           {"x", 1, 1, true},
		"cut off":           {"{\n", 2, 1, true},
		"not of JSON":       {"{}", 0, 0, false},
	} {
		_, err := exchange.ParseSheet([]byte(tt.data), exchange.DefaultLimits())
		line, column, ok := exchange.Position([]byte(tt.data), err)
		if err == nil || line != tt.line || column != tt.column || ok != tt.ok {
			t.Errorf("%s: %v is at %d:%d, %t", name, err, line, column, ok)
		}
	}
}

// A sheet of any marks comes back as it was, bit for bit.
func TestSheet_RoundTripOfAllTools(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSheet(t)
		s.Image.Scale = qc.Scale{MMPerPixel: rapid.Float64Range(0.001, 10).Draw(t, "scale"), Error: 0.5, Source: qc.ScaleMat}
		data, err := s.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := exchange.ParseSheet(data, exchange.DefaultLimits())
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("%v\n%+v\n%+v", err, again, s)
		}
	})
}
