package exchange_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/exchange"
)

func TestFromFinding(t *testing.T) {
	t.Parallel()
	f := finding()
	s, err := exchange.FromFinding(f, "p-2")
	if err != nil {
		t.Fatal(err)
	}
	if s.Revision != 3 || s.Image.Height != 6000 || !s.Image.Applied || len(s.Flaws) != 3 || s.Flaws[2].Number != 3 {
		t.Errorf("sheet %+v", s)
	}
	flaws, marks := s.Contents()
	if !reflect.DeepEqual(flaws, f.Flaws) || !reflect.DeepEqual(marks, f.Marks[8:]) {
		t.Errorf("contents %+v, %+v", flaws, marks)
	}
	marks[0].Points[0].X, s.Marks[0].Points[0].Y = 7, 8
	if s.Marks[0].Points[0].X != 1 || f.Marks[8].Points[0].Y != 5999 || f.Marks[8].Points[0].X != 1 {
		t.Error("sheet, finding and contents share their points")
	}
	if _, err := exchange.FromFinding(f, "p-3"); !errors.Is(err, exchange.ErrNoPhoto) {
		t.Errorf("photo of nobody: %v", err)
	}
}

func TestSheet_Golden(t *testing.T) {
	t.Parallel()
	s := sheetOf(t, "p-1")
	s.Image.Orientation = 6
	data, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "sheet.json", data)
	again, err := exchange.ParseSheet(data, exchange.DefaultLimits())
	if err != nil || !reflect.DeepEqual(again, s) {
		t.Errorf("read again: %+v, %v", again, err)
	}
}

// plain is a sheet by hand, with a place for changes.
const plain = `{"schema":"flawmark.marks/1","coords":"pixel edges of the oriented image, origin top left, x right, y down","revision":1,
"image":{"id":"p-1","sha256":"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae","bytes":5,"name":"a.jpg","media_type":"image/jpeg","width":100,"height":50,"orientation_applied":true},
"flaws":[{"id":"fl-1","code":"H11","severity":"MIN","zone":"B","quantity":1,"number":1}],
"marks":[{"id":"m-1","photo":"p-1","flaw":"fl-1","type":"rect","points":[{"x":1,"y":2},{"x":100,"y":50}]}]}`

func TestSheet_KeepsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ old, new, kept string }{
		"top":                   {`"revision":1`, `"revision":1,"review":[{"by":"u7","n":1.50}]`, `"review":[{"by":"u7","n":1.50}]`},
		"top, by another case":  {`"revision":1`, `"revision":1,"Revision":"x"`, `"Revision":"x"`},
		"image":                 {`"bytes":5`, `"bytes":5,"icc": "sRGB"`, `"icc":"sRGB"`},
		"flaw":                  {`"code":"H11"`, `"code":"H11","by":{"a":null}`, `"by":{"a":null}`},
		"mark":                  {`"type":"rect"`, `"type":"rect","z":10000000000000000000001`, `"z":10000000000000000000001`},
		"point":                 {`{"x":1,"y":2}`, `{"x":1,"y":2,"force":0.5}`, `{"x":1,"y":2,"force":0.5}`},
		"tool of a newer one":   {`"type":"rect"`, `"type":"inset","scale":3`, `"type":"inset"`},
		"signs that are markup": {`"bytes":5`, `"bytes":5,"<b>&":"<&>"`, `"<b>&":"<&>"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := strings.Replace(plain, tt.old, tt.new, 1)
			s, err := exchange.ParseSheet([]byte(data), exchange.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			out, err := s.Marshal()
			if err != nil || !bytes.Contains(out, []byte(tt.kept)) {
				t.Errorf("%v, lost %s:\n%s", err, tt.kept, out)
			}
			var was, is any
			if json.Unmarshal([]byte(data), &was) != nil || json.Unmarshal(out, &is) != nil || !reflect.DeepEqual(was, is) {
				t.Errorf("was %s\nis %s", data, out)
			}
		})
	}
}

func TestSheet_MovedPointsLoseWhatWasSaidOfThem(t *testing.T) {
	t.Parallel()
	data := strings.Replace(plain, `{"x":1,"y":2}`, `{"x":1,"y":2,"force":0.5}`, 1)
	s, err := exchange.ParseSheet([]byte(data), exchange.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	s.Marks[0].Points[0].X = 3
	out, err := s.Marshal()
	if err != nil || bytes.Contains(out, []byte("force")) || !bytes.Contains(out, []byte(`[{"x":3,"y":2}`)) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestParseSheet_Refuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		old, new string
		want     error
	}{
		"newer":                    {"marks/1", "marks/2", exchange.ErrNewer},
		"newer in another form":    {`marks/1"`, `marks/12","marks":{},"revision":"x"`, exchange.ErrNewer},
		"another schema":           {"flawmark.marks/1", "qcphoto/1", exchange.ErrMalformed},
		"schema without number":    {"marks/1", "marks/", exchange.ErrMalformed},
		"other coordinates":        {"origin top left", "origin bottom left", exchange.ErrCoords},
		"not oriented":             {`"orientation_applied":true`, `"orientation_applied":false`, exchange.ErrCoords},
		"orientation not said":     {`,"orientation_applied":true`, ``, exchange.ErrCoords},
		"orientation 9":            {`"bytes":5`, `"bytes":5,"exif_orientation":9`, exchange.ErrMalformed},
		"no revision":              {`"revision":1`, `"revision":0`, exchange.ErrMalformed},
		"no image":                 {`"image"`, `"picture"`, exchange.ErrMalformed},
		"image null":               {`"image":{`, `"image":null,"x":{`, exchange.ErrMalformed},
		"digest":                   {`"sha256":"2c`, `"sha256":"2C`, exchange.ErrMalformed},
		"no width":                 {`"width":100`, `"width":0`, exchange.ErrMalformed},
		"huge image":               {`"width":100`, `"width":2000000`, exchange.ErrTooLarge},
		"right of the image":       {`"x":100`, `"x":100.01`, exchange.ErrOutside},
		"above the image":          {`"y":2`, `"y":-0.01`, exchange.ErrOutside},
		"beyond numbers":           {`"x":100`, `"x":1e999`, exchange.ErrMalformed},
		"half a point":             {`{"x":1,"y":2}`, `{"x":1}`, exchange.ErrMalformed},
		"a point of null":          {`{"x":1,"y":2}`, `null`, exchange.ErrMalformed},
		"one corner":               {`{"x":1,"y":2},`, ``, exchange.ErrMalformed},
		"no points":                {`"points"`, `"places"`, exchange.ErrMalformed},
		"no tool":                  {`"type":"rect",`, ``, exchange.ErrMalformed},
		"mark of another photo":    {`"photo":"p-1"`, `"photo":"p-2"`, exchange.ErrOtherPhoto},
		"mark of no flaw that is":  {`"flaw":"fl-1"`, `"flaw":"fl-9"`, exchange.ErrMalformed},
		"mark without id":          {`"id":"m-1"`, `"id":""`, exchange.ErrMalformed},
		"flaw twice":               {`"flaws":[`, `"flaws":[{"id":"fl-1","number":2},`, exchange.ErrMalformed},
		"number twice":             {`"flaws":[`, `"flaws":[{"id":"fl-2","number":1},`, exchange.ErrMalformed},
		"number of nobody":         {`"number":1`, `"number":0`, exchange.ErrMalformed},
		"number beyond the limit":  {`"number":1`, `"number":1001`, exchange.ErrMalformed},
		"long note":                {`"number":1`, `"number":1,"note":"` + strings.Repeat("x", 10_001) + `"`, exchange.ErrTooLarge},
		"many marks":               {`"marks":[`, `"marks":[` + strings.Repeat(`{},`, 5000), exchange.ErrTooLarge},
		"many flaws":               {`"flaws":[`, `"flaws":[` + strings.Repeat(`{},`, 1000), exchange.ErrTooLarge},
		"many points":              {`{"x":1,"y":2}`, strings.Repeat(`{"x":1,"y":2},`, 20_000) + `{"x":1,"y":2}`, exchange.ErrTooLarge},
		"a flaw that is no object": {`"flaws":[`, `"flaws":[7,`, exchange.ErrMalformed},
		"not JSON":                 {`{"schema"`, `{schema`, exchange.ErrMalformed},
		"not UTF-8":                {`a.jpg`, "a\xff.jpg", exchange.ErrMalformed},
	} {
		data := strings.Replace(plain, tt.old, tt.new, 1)
		if data == plain {
			t.Fatalf("%s changes nothing", name)
		}
		if s, err := exchange.ParseSheet([]byte(data), exchange.DefaultLimits()); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %+v, want %v", name, err, s, tt.want)
		}
	}
	for name, data := range map[string]string{"empty": "", "null": "null", "list": "[]", "number": "1", "object": "{}"} {
		if _, err := exchange.ParseSheet([]byte(data), exchange.DefaultLimits()); !errors.Is(err, exchange.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	limits := exchange.DefaultLimits()
	limits.Bytes = len(plain) - 1
	if _, err := exchange.ParseSheet([]byte(plain), limits); !errors.Is(err, exchange.ErrTooLarge) {
		t.Errorf("one byte more than allowed: %v", err)
	}
	limits.Bytes++
	if _, err := exchange.ParseSheet([]byte(plain), limits); err != nil {
		t.Errorf("as many bytes as allowed: %v", err)
	}
}

func TestSheet_MarshalRefusesWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spoil func(*exchange.Sheet)
		want  error
	}{
		"no number":   {func(s *exchange.Sheet) { s.Marks[0].Points[0].X = math.NaN() }, exchange.ErrOutside},
		"outside":     {func(s *exchange.Sheet) { s.Marks[0].Points[0].Y = 4001 }, exchange.ErrOutside},
		"endless":     {func(s *exchange.Sheet) { s.Flaws[0].SizeMM = math.Inf(1) }, exchange.ErrMalformed},
		"mark twice":  {func(s *exchange.Sheet) { s.Marks[1].ID = s.Marks[0].ID }, exchange.ErrMalformed},
		"no revision": {func(s *exchange.Sheet) { s.Revision = 0 }, exchange.ErrMalformed},
	} {
		s := sheetOf(t, "p-1")
		tt.spoil(&s)
		if _, err := s.Marshal(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := s.W3C("", ""); !errors.Is(err, tt.want) {
			t.Errorf("%s: as annotations: %v", name, err)
		}
		if _, _, err := s.Labelme(""); !errors.Is(err, tt.want) {
			t.Errorf("%s: for labelme: %v", name, err)
		}
		if _, _, err := exchange.COCO([]exchange.Sheet{s}, qc.Catalogue{}); !errors.Is(err, tt.want) {
			t.Errorf("%s: as coco: %v", name, err)
		}
	}
}

func TestSheet_RoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSheet(t)
		data, err := s.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := exchange.ParseSheet(data, exchange.DefaultLimits())
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("%v\nwrote %+v\nread  %+v", err, s, again)
		}
	})
}
