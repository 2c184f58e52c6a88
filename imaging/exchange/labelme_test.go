package exchange_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/exchange"
)

func TestLabelme_Golden(t *testing.T) {
	t.Parallel()
	s := sheetOf(t, "p-1")
	data, omitted, err := s.Labelme("")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "labelme.json", data)
	if len(omitted) != 1 || omitted[0].Mark != "m-8" || !errors.Is(omitted[0].Why, exchange.ErrNoForm) {
		t.Errorf("omitted %+v", omitted)
	}
	elsewhere, _, err := s.Labelme("../photos/DSC_0001.JPG")
	if err != nil || !bytes.Contains(elsewhere, []byte(`"imagePath": "../photos/DSC_0001.JPG"`)) {
		t.Errorf("%v\n%s", err, elsewhere)
	}
}

func TestLabelme_RoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSheet(t)
		data, omitted, err := s.Labelme("")
		if err != nil || len(omitted) > 0 {
			t.Fatal(err, omitted)
		}
		again, err := exchange.ParseLabelme(data, s.Image, exchange.DefaultLimits())
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		sameMarks(t, s, again, 0)
	})
}

// An ellipse is a polygon there. Moved as a whole it is still one; pulled at,
// it is the polygon that the person made of it.
func TestLabelme_EllipseThatWasEdited(t *testing.T) {
	t.Parallel()
	s := sheetOf(t, "p-1")
	s.Marks = s.Marks[2:3]
	data, _, err := s.Labelme("")
	if err != nil {
		t.Fatal(err)
	}
	rightmost := "          1400,\n          1100\n"
	if strings.Count(string(data), rightmost) != 1 {
		t.Fatalf("no rightmost corner in %s", data)
	}
	pulled := strings.Replace(string(data), rightmost, "          1450,\n          1100\n", 1)
	for name, tt := range map[string]struct {
		data   string
		tool   qc.Tool
		points int
	}{
		"untouched": {string(data), "ellipse", 2}, "pulled at": {pulled, "polygon", 64},
		"a polygon all along": {strings.Replace(string(data), `"type": "ellipse"`, `"type": "polygon"`, 1), "polygon", 64},
	} {
		got, err := exchange.ParseLabelme([]byte(tt.data), s.Image, exchange.DefaultLimits())
		if err != nil || got.Marks[0].Tool != tt.tool || len(got.Marks[0].Points) != tt.points {
			t.Errorf("%s: %v, %+v", name, err, got.Marks)
		}
	}
}

// labelled is a labelme file of a 100×50 photo.
func labelled(shapes string) string {
	return `{"version":"4.5.6","flags":{},"shapes":[` + shapes + `],"imagePath":"a.jpg","imageData":"/9j/4AAQ","imageHeight":50,"imageWidth":100}`
}

func TestParseLabelme_ShapesOfOthers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		shape  string
		tool   qc.Tool
		points []qc.Point
	}{
		"rectangle from below":     {`"points":[[4,6],[1,2]],"shape_type":"rectangle"`, qc.Box, []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 6}}},
		"rectangle of four":        {`"points":[[1,2],[4,2],[4,6],[1,6]],"shape_type":"rectangle"`, qc.Box, []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 6}}},
		"rectangle of four, askew": {`"points":[[1,2],[4,3],[3,6],[0,5]],"shape_type":"rectangle"`, "polygon", []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 3}, {X: 3, Y: 6}, {X: 0, Y: 5}}},
		"circle":                   {`"points":[[20,20],[23,24]],"shape_type":"circle"`, "ellipse", []qc.Point{{X: 15, Y: 15}, {X: 25, Y: 25}}},
		"line":                     {`"points":[[1,2],[3,4]],"shape_type":"line","flags":""`, "line", []qc.Point{{X: 1, Y: 2}, {X: 3, Y: 4}}},
		"linestrip":                {`"points":[[1,2],[3,4],[5,6]],"shape_type":"linestrip","description":null`, "freehand", []qc.Point{{X: 1, Y: 2}, {X: 3, Y: 4}, {X: 5, Y: 6}}},
		"polygon unsaid":           {`"points":[[1,2],[3,4],[5,2]]`, "polygon", []qc.Point{{X: 1, Y: 2}, {X: 3, Y: 4}, {X: 5, Y: 2}}},
		"rounded":                  {`"points":[[-0.3,2],[100.9,50.5]],"shape_type":"rectangle"`, qc.Box, []qc.Point{{X: 0, Y: 2}, {X: 100, Y: 50}}},
		"arrow that is a polygon":  {`"points":[[1,2],[3,4],[5,2]],"flawmark":{"type":"arrow"}`, "polygon", []qc.Point{{X: 1, Y: 2}, {X: 3, Y: 4}, {X: 5, Y: 2}}},
	} {
		s, err := exchange.ParseLabelme([]byte(labelled(`{"label":"scuff","group_id":null,`+tt.shape+`}`)), small(), exchange.DefaultLimits())
		if err != nil || len(s.Marks) != 1 {
			t.Errorf("%s: %v, %+v", name, err, s.Marks)
			continue
		}
		want := qc.Mark{ID: "m-1", Photo: "p-1", Flaw: "m-1", Tool: tt.tool, Points: tt.points}
		if !reflect.DeepEqual(s.Marks[0].Mark, want) || s.Flaws[0].Flaw != (qc.Flaw{ID: "m-1", Code: "scuff"}) {
			t.Errorf("%s: %+v of %+v, want %+v", name, s.Marks[0].Mark, s.Flaws, want)
		}
	}
}

func TestParseLabelme_Groups(t *testing.T) {
	t.Parallel()
	shape := func(label, group string) string {
		return `{"label":"` + label + `","group_id":` + group + `,"points":[[1,2],[3,4]],"shape_type":"line"}`
	}
	s, err := exchange.ParseLabelme([]byte(labelled(strings.Join([]string{
		shape("hole", "7"), shape("scuff", "null"), shape("hole", "7"), shape("scuff", "null"), shape("dirt", "7"), shape("dirt", "-1"),
	}, ","))), small(), exchange.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range s.Marks {
		for _, flaw := range s.Flaws {
			if flaw.ID == m.Flaw {
				got = append(got, string(flaw.Code)+" "+string(rune('0'+flaw.Number)))
			}
		}
	}
	if want := []string{"hole 7", "scuff 1", "hole 7", "scuff 2", "dirt 3", "dirt 4"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A shape that was copied there has the same mark's id.
func TestParseLabelme_CopiedShape(t *testing.T) {
	t.Parallel()
	shape := `{"label":"H11","group_id":1,"points":[[1,2],[3,4]],"shape_type":"line","flawmark":{"mark":"m","type":"arrow","flaw":"f"}}`
	s, err := exchange.ParseLabelme([]byte(labelled(shape+","+shape)), small(), exchange.DefaultLimits())
	if err != nil || len(s.Marks) != 2 || len(s.Flaws) != 1 || s.Marks[0].ID != "m" || s.Marks[1].ID == "m" || s.Marks[1].Tool != qc.Arrow {
		t.Errorf("%v, %+v", err, s)
	}
}

func TestParseLabelme_Refuses(t *testing.T) {
	t.Parallel()
	shape := func(text string) string { return labelled(`{"label":"x",` + text + `}`) }
	for name, tt := range map[string]struct {
		data string
		want error
	}{
		"two points in one":  {shape(`"points":[[1,2],[3,4]],"shape_type":"point"`), exchange.ErrShape},
		"mask":               {shape(`"points":[[1,2],[3,4]],"shape_type":"mask"`), exchange.ErrShape},
		"polygon of two":     {shape(`"points":[[1,2],[3,4]],"shape_type":"polygon"`), exchange.ErrShape},
		"no points":          {shape(`"shape_type":"polygon"`), exchange.ErrShape},
		"point in space":     {shape(`"points":[[1,2,3],[3,4,5]],"shape_type":"line"`), exchange.ErrMalformed},
		"point of nothing":   {shape(`"points":[null,[3,4]],"shape_type":"line"`), exchange.ErrMalformed},
		"outside":            {shape(`"points":[[1,2],[3,51.5]],"shape_type":"line"`), exchange.ErrOutside},
		"circle outside":     {shape(`"points":[[5,5],[50,5]],"shape_type":"circle"`), exchange.ErrOutside},
		"endless circle":     {shape(`"points":[[1e308,1],[-1e308,1]],"shape_type":"circle"`), exchange.ErrOutside},
		"another picture":    {strings.Replace(labelled(""), `"imageHeight":50`, `"imageHeight":100`, 1), exchange.ErrOtherPhoto},
		"no shapes":          {`{"version":"5"}`, exchange.ErrMalformed},
		"shapes by name":     {`{"shapes":{}}`, exchange.ErrMalformed},
		"shape of null":      {labelled("null"), exchange.ErrMalformed},
		"label that is none": {labelled(`{"label":7,"points":[[1,2],[3,4]],"shape_type":"line"}`), exchange.ErrMalformed},
		"not JSON":           {"shapes", exchange.ErrMalformed},
		"many marks":         {labelled(strings.Repeat(`{"points":[[1,2],[3,4]],"shape_type":"line"},`, 5000) + `{"points":[[1,2],[3,4]],"shape_type":"line"}`), exchange.ErrTooLarge},
		"many points":        {shape(`"points":[` + strings.Repeat(`[1,2],`, 20_000) + `[1,2]],"shape_type":"polygon"`), exchange.ErrTooLarge},
		"long label":         {labelled(`{"label":"` + strings.Repeat("x", 10_001) + `","points":[[1,2],[3,4]],"shape_type":"line"}`), exchange.ErrTooLarge},
	} {
		if s, err := exchange.ParseLabelme([]byte(tt.data), small(), exchange.DefaultLimits()); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %+v, want %v", name, err, s.Marks, tt.want)
		}
	}
}
