package exchange_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/exchange"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const digest = qc.Digest("2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae")

// finding has a photo with every tool, a second photo, and a flaw that no mark
// shows.
func finding() qc.Finding {
	mark := func(id qc.MarkID, flaw qc.FlawID, tool qc.Tool, xy ...float64) qc.Mark {
		m := qc.Mark{ID: id, Photo: "p-1", Flaw: flaw, Tool: tool}
		for i := 0; i < len(xy); i += 2 {
			m.Points = append(m.Points, qc.Point{X: xy[i], Y: xy[i+1]})
		}
		return m
	}
	return qc.Finding{
		ID: "f-1", Revision: 3, Item: "20481-2", Order: "20481", Round: 1, Verdict: qc.Flag,
		Photos: []qc.Photo{
			{ID: "p-1", Digest: digest, Bytes: 12_582_912, MediaType: "image/jpeg", Width: 6000, Height: 4000, Name: "DSC_0001.JPG"},
			{ID: "p-2", Digest: qc.DigestOf([]byte("second")), Bytes: 9, MediaType: "image/jpeg", Width: 4000, Height: 6000, Name: "DSC_0002.JPG"},
		},
		Flaws: []qc.Flaw{
			{ID: "fl-1", Code: "H11", Severity: qc.Minor, Zone: qc.ZoneB, Quantity: 1, SizeMM: 6, Note: "鞋跟 <scuff> & \"dirt\""},
			{ID: "fl-2", Code: "F01", Severity: qc.Major, Zone: qc.ZoneA, Quantity: 2},
			{ID: "fl-3", Code: "Q01", Severity: qc.Critical, Zone: qc.ZoneC, Quantity: 1},
		},
		Marks: []qc.Mark{
			mark("m-1", "fl-1", qc.Box, 10.5, 20, 300, 400.25),
			mark("m-2", "fl-1", qc.Arrow, 900, 800, 310.125, 390),
			mark("m-3", "fl-2", "ellipse", 1000, 1000, 1400, 1200),
			mark("m-4", "fl-2", "line", 2000, 100, 2000.5, 700),
			mark("m-5", "fl-2", "freehand", 2100, 100, 2150, 130, 2160, 180),
			mark("m-6", "fl-2", "polygon", 3000, 3000, 3200, 3010, 3100, 3150),
			mark("m/7", "", qc.Box, 0, 0, 6000, 4000),
			mark("m-8", "fl-1", "spiral", 1, 2, 3, 4, 5, 6),
			{ID: "m-9", Photo: "p-2", Flaw: "fl-1", Tool: qc.Box, Points: []qc.Point{{X: 1, Y: 5999}, {X: 4000, Y: 6000}}},
		},
	}
}

func sheetOf(tb testing.TB, photo qc.PhotoID) exchange.Sheet {
	tb.Helper()
	s, err := exchange.FromFinding(finding(), photo)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from what was written before:\n%s", name, got)
	}
	if !json.Valid(got) {
		t.Errorf("%s is not JSON", name)
	}
}

// coordinate draws a place on a side: whole, fractional, at the ends, or of
// the sizes at which sums are rounded.
func coordinate(t *rapid.T, side int, label string) float64 {
	limit := float64(side)
	return rapid.OneOf(
		rapid.SampledFrom([]float64{0, limit, limit / 3, math.Nextafter(limit, 0), 5e-324, 1e-16, math.Copysign(0, -1)}),
		rapid.Map(rapid.IntRange(0, side), func(n int) float64 { return float64(n) }),
		rapid.Float64Range(0, limit),
	).Draw(t, label)
}

// tools are those with a form of others, by their number of points.
var tools = map[qc.Tool][2]int{
	qc.Box: {2, 2}, qc.Arrow: {2, 2}, qc.Ellipse: {2, 2}, qc.Line: {2, 2}, qc.Freehand: {2, 70}, qc.Polygon: {3, 70},
	qc.Highlighter: {2, 2}, qc.Badge: {1, 2}, qc.Text: {1, 2}, qc.Inset: {2, 3}, qc.Spotlight: {2, 2}, qc.Measure: {2, 70},
	qc.Redaction: {2, 2},
}

// drawSheet draws a sheet in which every flaw is shown by a mark, because that
// is what forms of others hold.
func drawSheet(t *rapid.T) exchange.Sheet {
	s := exchange.Sheet{Finding: "f-1", Item: "i-1", Revision: rapid.IntRange(1, 9).Draw(t, "revision")}
	s.Image = exchange.Image{
		ID: "p-1", Digest: digest, Bytes: 5, Name: "a.jpg", MediaType: "image/jpeg", Applied: true,
		Width: rapid.IntRange(1, 1<<20).Draw(t, "width"), Height: rapid.IntRange(1, 20_000).Draw(t, "height"),
	}
	names := slices.Sorted(maps.Keys(tools))
	for i := range rapid.IntRange(0, 6).Draw(t, "marks") {
		m := qc.Mark{ID: qc.MarkID(rapid.StringMatching(`[a-z/#%é ]{0,3}`).Draw(t, "id") + strconv.Itoa(i)), Photo: "p-1"}
		m.Tool = rapid.SampledFrom(names).Draw(t, "tool")
		for range rapid.IntRange(tools[m.Tool][0], tools[m.Tool][1]).Draw(t, "points") {
			m.Points = append(m.Points, qc.Point{X: coordinate(t, s.Image.Width, "x"), Y: coordinate(t, s.Image.Height, "y")})
		}
		switch m.Tool {
		case qc.Text:
			m.Text = rapid.String().Draw(t, "text")
		case qc.Inset:
			m.Zoom = rapid.SampledFrom([]float64{0, 1.5, 8, 1.0 / 3}).Draw(t, "zoom")
		default:
		}
		if n := rapid.IntRange(0, len(s.Flaws)+1).Draw(t, "flaw"); n > 0 {
			m.Flaw = qc.FlawID("fl-" + strconv.Itoa(n))
			if n > len(s.Flaws) {
				s.Flaws = append(s.Flaws, exchange.Flaw{Number: n, Flaw: qc.Flaw{
					ID: m.Flaw, Code: qc.FlawCode(rapid.StringMatching(`[A-Z][0-9]{2}|mark`).Draw(t, "code")),
					Severity: rapid.SampledFrom(qc.Severities()).Draw(t, "severity"), Zone: qc.ZoneB,
					Quantity: rapid.IntRange(1, 5).Draw(t, "quantity"), SizeMM: rapid.Float64Range(0, 90).Draw(t, "size"),
					Note: rapid.String().Draw(t, "note"),
				}})
			}
		}
		s.Marks = append(s.Marks, exchange.Mark{Mark: m})
	}
	return s
}

// corners are the points of a mark as forms of others hold them.
func corners(m qc.Mark) []qc.Point {
	switch m.Tool {
	case qc.Box, qc.Ellipse, qc.Highlighter, qc.Inset, qc.Spotlight, qc.Redaction:
	default:
		return m.Points
	}
	a, b := m.Points[0], m.Points[1]
	return append([]qc.Point{{X: min(a.X, b.X), Y: min(a.Y, b.Y)}, {X: max(a.X, b.X), Y: max(a.Y, b.Y)}}, m.Points[2:]...)
}

// sameMarks fails unless got holds the marks and shown flaws of want, with the
// points of an ellipse within rounding.
func sameMarks(t *rapid.T, want, got exchange.Sheet, rounding float64) {
	wantFlaws, wantMarks := want.Contents()
	gotFlaws, gotMarks := got.Contents()
	if len(wantMarks) != len(gotMarks) || len(wantFlaws) != len(gotFlaws) {
		t.Fatalf("%d marks and %d flaws of %d and %d", len(gotMarks), len(gotFlaws), len(wantMarks), len(wantFlaws))
	}
	for i, flaw := range wantFlaws {
		if gotFlaws[i] != flaw || got.Flaws[i].Number != want.Flaws[i].Number {
			t.Errorf("flaw %+v came back as %+v", flaw, gotFlaws[i])
		}
	}
	for i, m := range wantMarks {
		g := gotMarks[i]
		if g.ID != m.ID || g.Tool != m.Tool || g.Flaw != m.Flaw || g.Photo != m.Photo || g.Text != m.Text || g.Zoom != m.Zoom || len(g.Points) != len(m.Points) {
			t.Errorf("mark %+v came back as %+v", m, g)
		}
		allowed := 0.0
		if m.Tool == qc.Ellipse {
			allowed = rounding
		}
		for n, p := range corners(m) {
			if n >= len(g.Points) || math.Abs(g.Points[n].X-p.X) > allowed || math.Abs(g.Points[n].Y-p.Y) > allowed {
				t.Errorf("%s: point %v came back among %v", m.Tool, p, g.Points)
				break
			}
		}
	}
}

func TestForms_HaveARowForEveryTool(t *testing.T) {
	t.Parallel()
	for _, form := range qc.Forms() {
		s := sheetOf(t, "p-1")
		s.Marks, s.Flaws = s.Marks[:1], s.Flaws[:1]
		s.Marks[0].Flaw, s.Marks[0].Tool, s.Marks[0].Points = "", form.Tool, make([]qc.Point, form.Min)
		for i := range s.Marks[0].Points {
			s.Marks[0].Points[i] = qc.Point{X: float64(i), Y: float64(i * i)}
		}
		data, err := s.Marshal()
		if err != nil {
			t.Fatalf("%s: %v", form.Tool, err)
		}
		back, err := exchange.ParseSheet(data, exchange.DefaultLimits())
		if err != nil || len(back.Marks) != 1 || back.Marks[0].Tool != form.Tool {
			t.Errorf("%s came back as %+v, %v", form.Tool, back.Marks, err)
		}
		if _, omitted, err := s.Labelme(""); err != nil || len(omitted) != 0 {
			t.Errorf("%s for labelme: omitted %v, %v", form.Tool, omitted, err)
		}
		if _, omitted, err := s.W3C("", ""); err != nil || len(omitted) != 0 {
			t.Errorf("%s as annotations: omitted %v, %v", form.Tool, omitted, err)
		}
	}
}
