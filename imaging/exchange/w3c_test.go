package exchange_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/exchange"
)

// small is a photo of 100×50 pixels.
func small() exchange.Image {
	return exchange.Image{ID: "p-1", Digest: digest, Bytes: 5, Name: "a.jpg", MediaType: "image/jpeg", Width: 100, Height: 50, Applied: true}
}

func TestW3C_Golden(t *testing.T) {
	t.Parallel()
	s := sheetOf(t, "p-1")
	data, omitted, err := s.W3C("https://example.org/marks/p-1", "https://example.org/iiif/p-1/canvas")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "w3c.json", data)
	if len(omitted) != 1 || omitted[0].Mark != "m-8" || omitted[0].Photo != "p-1" || !errors.Is(omitted[0].Why, exchange.ErrNoForm) {
		t.Errorf("omitted %+v", omitted)
	}
	again, err := exchange.ParseW3C(data, s.Image, exchange.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Marks) != 8-1 || len(again.Flaws) != 2 || again.Flaws[0].Flaw != s.Flaws[0].Flaw || again.Flaws[1].Number != 2 {
		t.Errorf("read again: %+v", again)
	}
}

func TestW3C_RoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSheet(t)
		page := rapid.SampledFrom([]string{"", "https://example.org/p?x=1", "urn:x:y"}).Draw(t, "page")
		data, omitted, err := s.W3C(page, "https://example.org/a.jpg")
		if err != nil || len(omitted) > 0 {
			t.Fatal(err, omitted)
		}
		again, err := exchange.ParseW3C(data, s.Image, exchange.DefaultLimits())
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		sameMarks(t, s, again, 1e-9)
	})
}

func TestW3C_BadAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"here", "https://example.org/#x", "https://exa mple.org/"} {
		if _, _, err := sheetOf(t, "p-1").W3C(address, ""); !errors.Is(err, exchange.ErrMalformed) {
			t.Errorf("page %q: %v", address, err)
		}
		if _, _, err := sheetOf(t, "p-1").W3C("", address); !errors.Is(err, exchange.ErrMalformed) {
			t.Errorf("source %q: %v", address, err)
		}
	}
}

// annotated is an annotation with a target.
func annotated(target string) string {
	return `[{"id":"#a1","type":"Annotation","target":` + target + `}]`
}

func svg(body string) string {
	text, err := json.Marshal(`<svg xmlns="http://www.w3.org/2000/svg">` + body + `</svg>`)
	if err != nil {
		panic(err)
	}
	return `{"source":"x","selector":{"type":"SvgSelector","value":` + string(text) + `}}`
}

func fragment(value string) string {
	return `{"source":{"id":"x"},"selector":[{"type":"FragmentSelector","value":"` + value + `"}]}`
}

func TestParseW3C_ShapesOfOthers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		target string
		tool   qc.Tool
		points []qc.Point
	}{
		"pixels":                    {fragment("xywh=pixel:1,2,3.5,4"), qc.Box, []qc.Point{{X: 1, Y: 2}, {X: 4.5, Y: 6}}},
		"pixels unsaid":             {fragment("xywh=1,2,3,4"), qc.Box, []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 6}}},
		"percent":                   {fragment("xywh=percent:10,20,50,80"), qc.Box, []qc.Point{{X: 10, Y: 10}, {X: 60, Y: 50}}},
		"percent, the whole":        {fragment("xywh=percent:0,0,100,100"), qc.Box, []qc.Point{{X: 0, Y: 0}, {X: 100, Y: 50}}},
		"with a time":               {fragment("t=1,2&xywh=1,2,3,4"), qc.Box, []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 6}}},
		"the last one holds":        {fragment("xywh=9,9,9,9&xywh=1,2,3,4"), qc.Box, []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 6}}},
		"escaped":                   {fragment("xywh=pixel%3A1%2C2%2C3%2C4"), qc.Box, []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 6}}},
		"rounded beyond the edge":   {fragment("xywh=-0.5,2,101,48.9"), qc.Box, []qc.Point{{X: 0, Y: 2}, {X: 100, Y: 50}}},
		"address":                   {`"http://x/a.jpg#xywh=1,2,3,4"`, qc.Box, []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 6}}},
		"list of one":               {`["http://x/a.jpg#xywh=1,2,3,4"]`, qc.Box, []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 6}}},
		"rect":                      {svg(`<rect x="1" y="2" width="3" height="4" style="fill:red"/>`), qc.Box, []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 6}}},
		"circle":                    {svg(`<g><circle cx="10" cy="20" r="5px"/></g>`), "ellipse", []qc.Point{{X: 5, Y: 15}, {X: 15, Y: 25}}},
		"ellipse":                   {svg(`<ellipse cx="10" cy="20" rx="5" ry="2"/>`), "ellipse", []qc.Point{{X: 5, Y: 18}, {X: 15, Y: 22}}},
		"line":                      {svg(`<line x1="1" y1="2" x2="3"/>`), "line", []qc.Point{{X: 1, Y: 2}, {X: 3, Y: 0}}},
		"polyline":                  {svg(`<polyline points="1,2 3,4,5 6"/>`), "freehand", []qc.Point{{X: 1, Y: 2}, {X: 3, Y: 4}, {X: 5, Y: 6}}},
		"polygon":                   {svg(`<polygon points="1,2 3,4 5,1e1"/>`), "polygon", []qc.Point{{X: 1, Y: 2}, {X: 3, Y: 4}, {X: 5, Y: 10}}},
		"path":                      {svg(`<path d="M1 2 3 4L5-0.5.5.5"/>`), "freehand", []qc.Point{{X: 1, Y: 2}, {X: 3, Y: 4}, {X: 5, Y: 0}, {X: .5, Y: .5}}},
		"path, relative and closed": {svg(`<path d="m1,2h3v4l-3,0z"/>`), "polygon", []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 2}, {X: 4, Y: 6}, {X: 1, Y: 6}}},
		"path back to its start":    {svg(`<path d="M1 2L9 2L9 9L1 2Z"/>`), "polygon", []qc.Point{{X: 1, Y: 2}, {X: 9, Y: 2}, {X: 9, Y: 9}}},
		"title and style aside":     {svg(`<title>t</title><style>a{}</style><defs><rect width="1" height="1"/></defs><rect x="1" y="2" width="3" height="4"/>`), qc.Box, []qc.Point{{X: 1, Y: 2}, {X: 4, Y: 6}}},
	} {
		s, err := exchange.ParseW3C([]byte(annotated(tt.target)), small(), exchange.DefaultLimits())
		if err != nil || len(s.Marks) != 1 {
			t.Errorf("%s: %v, %+v", name, err, s.Marks)
			continue
		}
		want := qc.Mark{ID: "a1", Photo: "p-1", Tool: tt.tool, Points: tt.points}
		if !reflect.DeepEqual(s.Marks[0].Mark, want) {
			t.Errorf("%s: %+v, want %+v", name, s.Marks[0].Mark, want)
		}
	}
}

func TestParseW3C_Refuses(t *testing.T) {
	t.Parallel()
	box := fragment("xywh=1,2,3,4")
	for name, tt := range map[string]struct {
		data string
		want error
	}{
		"two shapes":            {annotated(svg(`<rect width="1" height="1"/><g><rect width="1" height="1"/></g>`)), exchange.ErrManyShapes},
		"path of two parts":     {annotated(svg(`<path d="M1 1L2 2 M3 3L4 4"/>`)), exchange.ErrManyShapes},
		"two targets":           {annotated("[" + box + "," + box + "]"), exchange.ErrManyShapes},
		"two selectors":         {annotated(`{"selector":[{"type":"FragmentSelector"},{"type":"SvgSelector"}]}`), exchange.ErrManyShapes},
		"no shape":              {annotated(svg(`<text>x</text>`)), exchange.ErrShape},
		"curve":                 {annotated(svg(`<path d="M1 1C2 2 3 3 4 4"/>`)), exchange.ErrShape},
		"turned":                {annotated(svg(`<g transform="rotate(5)"><rect width="1" height="1"/></g>`)), exchange.ErrShape},
		"one point":             {annotated(svg(`<polyline points="1,1"/>`)), exchange.ErrShape},
		"polygon of two":        {annotated(svg(`<polygon points="1,1 2,2"/>`)), exchange.ErrShape},
		"whole picture":         {annotated(`"http://x/a.jpg"`), exchange.ErrShape},
		"no selector":           {annotated(`{"source":"x"}`), exchange.ErrShape},
		"selector of text":      {annotated(`{"selector":{"type":"TextQuoteSelector"}}`), exchange.ErrShape},
		"units of its own":      {annotated(svg(`<svg viewBox="0 0 1 1"><rect width="1" height="1"/></svg>`)), exchange.ErrCoords},
		"half a point":          {annotated(svg(`<polyline points="1,1 2"/>`)), exchange.ErrMalformed},
		"path without begin":    {annotated(svg(`<path d="L1 1 2 2"/>`)), exchange.ErrMalformed},
		"path going on":         {annotated(svg(`<path d="M1 1L2 2 3 1Z L 2 2"/>`)), exchange.ErrMalformed},
		"path with half a step": {annotated(svg(`<path d="M1 1L2"/>`)), exchange.ErrMalformed},
		"negative radius":       {annotated(svg(`<circle cx="5" cy="5" r="-1"/>`)), exchange.ErrMalformed},
		"no number":             {annotated(svg(`<circle cx="5" cy="NaN" r="1"/>`)), exchange.ErrMalformed},
		"percent in svg":        {annotated(svg(`<rect width="10%" height="1"/>`)), exchange.ErrMalformed},
		"svg cut off":           {annotated(`{"selector":{"type":"SvgSelector","value":"<svg><rect"}}`), exchange.ErrMalformed},
		"three sides":           {annotated(fragment("xywh=1,2,3")), exchange.ErrMalformed},
		"unit of nobody":        {annotated(fragment("xywh=inch:1,2,3,4")), exchange.ErrMalformed},
		"negative width":        {annotated(fragment("xywh=1,2,-1,4")), exchange.ErrMalformed},
		"exponent":              {annotated(fragment("xywh=1,2,1e999999999,4")), exchange.ErrMalformed},
		"no fragment":           {annotated(fragment("t=1")), exchange.ErrMalformed},
		"no target":             {`[{"type":"Annotation"}]`, exchange.ErrMalformed},
		"no annotation":         {`[{"type":"Person","target":` + box + `}]`, exchange.ErrMalformed},
		"no page":               {`{"type":"Collection"}`, exchange.ErrMalformed},
		"id twice":              {`[{"id":"a","type":"Annotation","target":` + box + `},{"id":"a","type":"Annotation","target":` + box + `}]`, exchange.ErrMalformed},
		"outside":               {annotated(fragment("xywh=1,2,100.5,4")), exchange.ErrOutside},
		"circle outside":        {annotated(svg(`<circle cx="5" cy="5" r="6.5"/>`)), exchange.ErrOutside},
		"far outside":           {annotated(fragment("xywh=1,2," + strings.Repeat("9", 400) + ",4")), exchange.ErrOutside},
		"percent beyond":        {annotated(fragment("xywh=percent:50,0,60,100")), exchange.ErrOutside},
		"two pictures":          {`[{"id":"a","type":"Annotation","target":"http://x/a#xywh=1,1,1,1"},{"id":"b","type":"Annotation","target":"http://x/b#xywh=1,1,1,1"}]`, exchange.ErrOtherPhoto},
		"many points":           {annotated(svg(`<polyline points="` + strings.Repeat("1,1 ", 20_001) + `"/>`)), exchange.ErrTooLarge},
		"many points of a path": {annotated(svg(`<path d="M1 1` + strings.Repeat("H2", 20_001) + `"/>`)), exchange.ErrTooLarge},
		"many marks":            {"[" + strings.Repeat(`{"type":"Annotation","target":`+box+`},`, 5000) + `{"type":"Annotation","target":` + box + `}]`, exchange.ErrTooLarge},
		"a long note":           {`[{"type":"Annotation","bodyValue":"` + strings.Repeat("x", 10_001) + `","target":` + box + `}]`, exchange.ErrTooLarge},
		"flaw that is a number": {`[{"type":"Annotation","urn:flawmark:flaw":7,"target":` + box + `}]`, exchange.ErrMalformed},
	} {
		if s, err := exchange.ParseW3C([]byte(tt.data), small(), exchange.DefaultLimits()); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %+v, want %v", name, err, s.Marks, tt.want)
		}
	}
}

func TestParseW3C_Words(t *testing.T) {
	t.Parallel()
	text := func(purpose, value string) string {
		return `{"type":"TextualBody","purpose":` + purpose + `,"value":"` + value + `"}`
	}
	for name, tt := range map[string]struct {
		body string
		want qc.Flaw
	}{
		"as we write":           {"[" + text(`"tagging"`, "H11") + "," + text(`"assessing"`, "MIN") + "," + text(`"commenting"`, "n") + "]", qc.Flaw{ID: "a1", Code: "H11", Severity: "MIN", Note: "n"}},
		"one body":              {text(`null`, "dirty"), qc.Flaw{ID: "a1", Note: "dirty"}},
		"several purposes":      {text(`["linking","classifying"]`, "H11"), qc.Flaw{ID: "a1", Code: "H11"}},
		"more tags are words":   {"[" + text(`"tagging"`, "H11") + "," + text(`"tagging"`, "heel") + "]", qc.Flaw{ID: "a1", Code: "H11", Note: "heel"}},
		"a body that is a link": {`["http://x/y",` + text(`"replying"`, "r") + "]", qc.Flaw{ID: "a1", Note: "r"}},
		"a body of no text":     {`[{"type":"Image","value":"x"},` + text(`"replying"`, "r") + "]", qc.Flaw{ID: "a1", Note: "r"}},
	} {
		data := `[{"id":"#a1","type":"Annotation","body":` + tt.body + `,"target":"x#xywh=1,1,1,1"}]`
		s, err := exchange.ParseW3C([]byte(data), small(), exchange.DefaultLimits())
		if err != nil || len(s.Flaws) != 1 || s.Flaws[0].Flaw != tt.want || s.Marks[0].Flaw != "a1" || s.Flaws[0].Number != 1 {
			t.Errorf("%s: %v, %+v, want %+v", name, err, s.Flaws, tt.want)
		}
	}
}

// Two marks showed one flaw; in a viewer, one of them was given another code.
func TestParseW3C_AChangedWordMakesAnotherFlaw(t *testing.T) {
	t.Parallel()
	data, _, err := sheetOf(t, "p-1").W3C("", "https://example.org/a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), `"H11"`, `"H12"`, 1)
	s, err := exchange.ParseW3C([]byte(changed), sheetOf(t, "p-1").Image, exchange.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	codes := map[qc.MarkID]qc.FlawCode{}
	for _, m := range s.Marks {
		for _, flaw := range s.Flaws {
			if flaw.ID == m.Flaw {
				codes[m.ID] = flaw.Code
			}
		}
	}
	if len(s.Flaws) != 3 || codes["m-1"] != "H12" || codes["m-2"] != "H11" {
		t.Errorf("%v, %+v", codes, s.Flaws)
	}
}

func TestParseW3C_AnIDThatWeWouldGive(t *testing.T) {
	t.Parallel()
	data := `[{"type":"Annotation","target":"x#xywh=1,1,1,1"},{"id":"m-1","type":"Annotation","target":"x#xywh=2,2,2,2"}]`
	s, err := exchange.ParseW3C([]byte(data), small(), exchange.DefaultLimits())
	if err != nil || len(s.Marks) != 2 || s.Marks[0].ID == s.Marks[1].ID {
		t.Errorf("%v, %+v", err, s.Marks)
	}
}
