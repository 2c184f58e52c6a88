package exchange_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"flawmark/imaging/exchange"
)

// seed adds a golden file as a start for the fuzzer.
func seed(f *testing.F, name string) {
	f.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
}

// tight are limits that a fuzzer reaches.
func tight() exchange.Limits {
	return exchange.Limits{Bytes: 1 << 16, Side: 1 << 20, Flaws: 9, Marks: 9, Points: 70, Text: 200}
}

// large is the photo of the golden files.
func large() exchange.Image {
	image := small()
	image.Width, image.Height = 6000, 4000
	return image
}

// What was read is written, and read again as the same.
func settles(t *testing.T, s exchange.Sheet) {
	t.Helper()
	data, err := s.Marshal()
	if err != nil {
		t.Fatalf("read, but not written: %v\n%+v", err, s)
	}
	limits := tight()
	limits.Bytes = len(data)
	again, err := exchange.ParseSheet(data, limits)
	if err != nil || !reflect.DeepEqual(s, again) {
		t.Fatalf("%v\nwrote %s\nread  %+v\nwas   %+v", err, data, again, s)
	}
	second, err := again.Marshal()
	if err != nil || string(second) != string(data) {
		t.Fatalf("%v\nfirst  %s\nsecond %s", err, data, second)
	}
}

func FuzzParseSheet(f *testing.F) {
	seed(f, "sheet.json")
	f.Add([]byte(plain))
	f.Add([]byte(strings.Replace(plain, `{"x":1,"y":2}`, `{"x":1,"y":2,"f":[{}]}`, 1)))
	f.Add([]byte(strings.Replace(plain, `"revision":1`, `"revision":1,"Revision":{"a":"\u2028"}`, 1)))
	f.Add([]byte(strings.Replace(plain, "marks/1", "marks/2", 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := exchange.ParseSheet(data, tight())
		if err != nil {
			return
		}
		settles(t, s)
		if _, _, err := s.W3C("", ""); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Labelme(""); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzParseW3C(f *testing.F) {
	seed(f, "w3c.json")
	for _, target := range []string{
		fragment("xywh=percent:10,20,50.5,80"), fragment("t=1&xywh=pixel%3A1,2,3,4"), `"x#xywh=1,2,3,4"`,
		svg(`<path d="M1 2 3 4L5-0.5.5.5z"/>`), svg(`<g><circle cx="10" cy="20" r="5px"/></g>`),
		svg(`<polygon points="1,2 3,4 5,1e1"/>`), svg(`<rect x="1" y="2" width="3" height="4"/>`), svg(`<line x2="9"/>`),
	} {
		f.Add([]byte(annotated(target)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := exchange.ParseW3C(data, large(), tight())
		if err != nil {
			return
		}
		settles(t, s)
		out, omitted, err := s.W3C("", "")
		if err != nil || len(omitted) > 0 {
			t.Fatalf("read, but not written: %v, %v", err, omitted)
		}
		limits := tight()
		limits.Bytes = len(out)
		again, err := exchange.ParseW3C(out, large(), limits)
		if err != nil || len(again.Marks) != len(s.Marks) || len(again.Flaws) != len(s.Flaws) {
			t.Fatalf("%v\nwrote %s\nread %+v\nwas  %+v", err, out, again, s)
		}
	})
}

func FuzzParseLabelme(f *testing.F) {
	seed(f, "labelme.json")
	for _, shape := range []string{
		`"points":[[4,6],[1,2]],"shape_type":"rectangle"`, `"points":[[1,2],[4,2],[4,6],[1,6]],"shape_type":"rectangle"`,
		`"points":[[20,20],[23,24]],"shape_type":"circle"`, `"points":[[1,2],[3,4],[5,6]],"shape_type":"linestrip"`,
		`"points":[[1,2],[3,4]],"shape_type":"line","group_id":3,"flawmark":{"mark":"m","type":"arrow","flaw":"f","size_mm":0.5}`,
	} {
		data := strings.Replace(labelled(`{"label":"H11",`+shape+`}`), `"imageHeight":50,"imageWidth":100`, `"imageHeight":4000,"imageWidth":6000`, 1)
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := exchange.ParseLabelme(data, large(), tight())
		if err != nil {
			return
		}
		settles(t, s)
		out, omitted, err := s.Labelme("")
		if err != nil || len(omitted) > 0 {
			t.Fatalf("read, but not written: %v, %v", err, omitted)
		}
		limits := tight()
		limits.Bytes = len(out)
		again, err := exchange.ParseLabelme(out, large(), limits)
		if err != nil || len(again.Marks) != len(s.Marks) || len(again.Flaws) != len(s.Flaws) {
			t.Fatalf("%v\nwrote %s\nread %+v\nwas  %+v", err, out, again, s)
		}
	})
}
