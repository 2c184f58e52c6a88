package annotate_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

var tools = []qc.Tool{qc.Box, qc.Arrow}

// anyPoint is often outside the image and sometimes no number at all.
func anyPoint(t *rapid.T, name string, w, h int) qc.Point {
	odd := rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), math.Inf(-1)})
	one := func(axis string, limit int) float64 {
		return rapid.OneOf(rapid.Float64Range(-2*float64(limit), 3*float64(limit)), odd).Draw(t, name+axis)
	}
	return qc.Point{X: one(".x", w), Y: one(".y", h)}
}

func pointIn(t *rapid.T, name string, w, h int) qc.Point {
	return qc.Point{
		X: rapid.Float64Range(0, float64(w)).Draw(t, name+".x"),
		Y: rapid.Float64Range(0, float64(h)).Draw(t, name+".y"),
	}
}

func sizes(t *rapid.T) (w, h int) {
	return rapid.IntRange(1, 12000).Draw(t, "w"), rapid.IntRange(1, 12000).Draw(t, "h")
}

func mustLieIn(t *rapid.T, points []qc.Point, w, h int) {
	t.Helper()
	for _, p := range points {
		if !(p.X >= 0 && p.X <= float64(w) && p.Y >= 0 && p.Y <= float64(h)) {
			t.Fatalf("%v is outside %d×%d", p, w, h)
		}
	}
}

func TestEditing_NeverLeavesTheImage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := sizes(t)
		tool := rapid.SampledFrom(tools).Draw(t, "tool")
		m := qc.Mark{Tool: tool, Points: []qc.Point{pointIn(t, "a", w, h), pointIn(t, "b", w, h)}}
		before := [2]qc.Point{m.Points[0], m.Points[1]}

		by := anyPoint(t, "by", w, h)
		moved := annotate.Move(m, by.X, by.Y, w, h)
		mustLieIn(t, moved.Points, w, h)
		if dx := math.Abs(m.Points[1].X - m.Points[0].X - moved.Points[1].X + moved.Points[0].X); dx > 1e-6 {
			t.Fatalf("moving changed the width by %g", dx)
		}

		handle := annotate.Handle(rapid.IntRange(0, int(annotate.Head)).Draw(t, "handle"))
		square := rapid.Bool().Draw(t, "square")
		mustLieIn(t, annotate.Drag(m, handle, anyPoint(t, "to", w, h), square, w, h).Points, w, h)

		points, ok := annotate.Drawn(tool, anyPoint(t, "from", w, h), anyPoint(t, "until", w, h), square, w, h)
		mustLieIn(t, points, w, h)
		if ok && points[0] == points[1] {
			t.Fatal("a mark without size is no mark")
		}
		if before != [2]qc.Point{m.Points[0], m.Points[1]} {
			t.Fatal("the mark that was given has changed")
		}
	})
}

func TestDrawn_SquareStaysSquareAndArrowsTurnInSteps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := sizes(t)
		from, to := pointIn(t, "from", w, h), pointIn(t, "to", w, h)
		if p, ok := annotate.Drawn(qc.Box, from, to, true, w, h); ok {
			if math.Abs((p[1].X-p[0].X)-(p[1].Y-p[0].Y)) > 1e-6 {
				t.Fatalf("%v is not square", p)
			}
		}
		if p, ok := annotate.Drawn(qc.Arrow, from, to, true, w, h); ok {
			length := math.Hypot(p[1].X-p[0].X, p[1].Y-p[0].Y)
			steps := math.Atan2(p[1].Y-p[0].Y, p[1].X-p[0].X) / (math.Pi / 12)
			if length > 1e-3 && math.Abs(steps-math.Round(steps)) > 1e-3 {
				t.Fatalf("%v points at %g°", p, steps*15)
			}
		}
	})
}

func TestView_IsInvertible(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := sizes(t)
		v := annotate.View{
			Scale:   rapid.Float64Range(0.01, 16).Draw(t, "scale"),
			OffsetX: rapid.Float64Range(-1e5, 1e5).Draw(t, "x"), OffsetY: rapid.Float64Range(-1e5, 1e5).Draw(t, "y"),
		}
		p := pointIn(t, "p", w, h)
		back := v.ToImage(v.ToScreen(p))
		if math.Hypot(back.X-p.X, back.Y-p.Y) > 1e-6 {
			t.Fatalf("%v came back as %v", p, back)
		}
	})
}

func TestHit_FindsWhatWasDrawn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(100, 9000).Draw(t, "w"), rapid.IntRange(100, 9000).Draw(t, "h")
		tool := rapid.SampledFrom(tools).Draw(t, "tool")
		points, ok := annotate.Drawn(tool, pointIn(t, "a", w, h), pointIn(t, "b", w, h), false, w, h)
		if !ok {
			t.Skip("nothing was drawn")
		}
		shapes := []annotate.Shape{{Mark: qc.Mark{ID: "m", Tool: tool, Points: points}}}
		for _, p := range points {
			if id, _, ok := annotate.Hit(shapes, "", p, 1); !ok || id != "m" {
				t.Fatalf("nothing at %v", p)
			}
		}
		handles, places := annotate.Handles(shapes[0].Mark)
		for i, p := range places {
			// Of a mark thinner than the reach, another handle may be as near.
			_, got, ok := annotate.Hit(shapes, "m", p, 1e-3)
			big := math.Abs(points[0].X-points[1].X) > 1 && math.Abs(points[0].Y-points[1].Y) > 1
			if !ok || big && got != handles[i] {
				t.Fatalf("handle %d at %v is not found but %d", handles[i], p, got)
			}
		}
	})
}

func TestHit_Order(t *testing.T) {
	t.Parallel()
	big := annotate.Shape{Mark: box("big", 100, 100, 400, 400)}
	small := annotate.Shape{Mark: box("small", 200, 200, 50, 50)}
	line := annotate.Shape{Mark: arrow("line", 100, 300, 600, 300)}
	shapes := []annotate.Shape{small, line, big}
	for _, tc := range []struct {
		name       string
		selected   qc.MarkID
		at         qc.Point
		wantID     qc.MarkID
		wantHandle annotate.Handle
	}{
		{"inside a box is nothing", "", qc.Point{X: 400, Y: 400}, "", annotate.Body},
		{"inside the selected box moves it", "big", qc.Point{X: 400, Y: 400}, "big", annotate.Body},
		{"an outline within the selected box wins", "big", qc.Point{X: 225, Y: 202}, "small", annotate.Body},
		{"the topmost outline wins", "", qc.Point{X: 100, Y: 300}, "big", annotate.Body},
		{"a handle of the selected wins over the topmost", "line", qc.Point{X: 101, Y: 301}, "line", annotate.Tail},
		{"corner", "big", qc.Point{X: 503, Y: 497}, "big", annotate.BottomRight},
		{"side", "big", qc.Point{X: 500, Y: 305}, "big", annotate.Right},
		{"arrow head", "line", qc.Point{X: 605, Y: 300}, "line", annotate.Head},
		{"arrow shaft", "line", qc.Point{X: 300, Y: 305}, "line", annotate.Body},
		{"the middle of a small selected box moves it", "small", qc.Point{X: 225, Y: 226}, "small", annotate.Body},
		{"far from everything", "big", qc.Point{X: 20, Y: 20}, "", annotate.Body},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			id, handle, ok := annotate.Hit(shapes, tc.selected, tc.at, 12)
			if id != tc.wantID || handle != tc.wantHandle || ok != (tc.wantID != "") {
				t.Errorf("Hit(%v) = %q, %d, %t; want %q, %d", tc.at, id, handle, ok, tc.wantID, tc.wantHandle)
			}
		})
	}
}

func TestDrag(t *testing.T) {
	t.Parallel()
	start := box("m", 100, 100, 100, 50)
	for _, tc := range []struct {
		name   string
		mark   qc.Mark
		handle annotate.Handle
		to     qc.Point
		square bool
		want   [4]float64
	}{
		{"right side", start, annotate.Right, qc.Point{X: 260, Y: 7}, false, [4]float64{100, 100, 260, 150}},
		{"corner", start, annotate.BottomRight, qc.Point{X: 220, Y: 190}, false, [4]float64{100, 100, 220, 190}},
		{"left through right flips", start, annotate.Left, qc.Point{X: 300, Y: 0}, false, [4]float64{200, 100, 300, 150}},
		{"top left through bottom right flips", start, annotate.TopLeft, qc.Point{X: 230, Y: 180}, false, [4]float64{200, 150, 230, 180}},
		{"square takes the longer side", start, annotate.BottomRight, qc.Point{X: 180, Y: 110}, true, [4]float64{100, 100, 180, 180}},
		{"square stops at the image", start, annotate.BottomRight, qc.Point{X: 390, Y: 110}, true, [4]float64{100, 100, 300, 300}},
		{"outside is the edge", start, annotate.Top, qc.Point{X: 0, Y: -50}, false, [4]float64{100, 0, 200, 150}},
		{"body is for Move", start, annotate.Body, qc.Point{X: 0, Y: 0}, false, [4]float64{100, 100, 200, 150}},
		{"arrow head", arrow("m", 10, 10, 50, 10), annotate.Head, qc.Point{X: 30, Y: 90}, false, [4]float64{10, 10, 30, 90}},
		{"arrow tail in steps", arrow("m", 10, 10, 100, 100), annotate.Tail, qc.Point{X: 99, Y: 50}, true, [4]float64{100, 100 - math.Hypot(1, 50), 100, 100}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := annotate.Drag(tc.mark, tc.handle, tc.to, tc.square, 400, 300).Points
			got := [4]float64{p[0].X, p[0].Y, p[1].X, p[1].Y}
			for i := range got {
				if math.Abs(got[i]-tc.want[i]) > 1e-9 {
					t.Fatalf("got %v, want %v", got, tc.want)
				}
			}
		})
	}
}
