package annotate_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// anyMark is a mark of any tool that lies in the image and is well formed.
func anyMark(t *rapid.T, w, h int) qc.Mark {
	form := rapid.SampledFrom(qc.Forms()).Draw(t, "tool")
	m := qc.Mark{ID: "m", Tool: form.Tool}
	for range rapid.IntRange(form.Min, min(form.Max, 30)).Draw(t, "points") {
		m.Points = append(m.Points, pointIn(t, "p", w, h))
	}
	if form.Tool == qc.Freehand && len(m.Points) > 3 && rapid.Bool().Draw(t, "closed") {
		m.Points[len(m.Points)-1] = m.Points[0]
	}
	return m
}

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
		m := anyMark(t, w, h)
		before := slices.Clone(m.Points)

		by := anyPoint(t, "by", w, h)
		moved := annotate.Move(m, by.X, by.Y, w, h)
		mustLieIn(t, moved.Points, w, h)
		for i, p := range moved.Points {
			if m.Tool == qc.Inset && i == 2 {
				if p != m.Points[2] {
					t.Fatal("an inset left its place when what it enlarges was moved")
				}
				break
			}
			q := moved.Points[0]
			if math.Hypot(p.X-q.X-m.Points[i].X+m.Points[0].X, p.Y-q.Y-m.Points[i].Y+m.Points[0].Y) > 1e-6 {
				t.Fatalf("moving changed the form from %v to %v", m.Points, moved.Points)
			}
		}

		square := rapid.Bool().Draw(t, "square")
		handle := annotate.Handle(rapid.IntRange(0, int(annotate.Vertex)+3).Draw(t, "handle"))
		dragged := annotate.Drag(m, handle, anyPoint(t, "to", w, h), square, w, h)
		mustLieIn(t, dragged.Points, w, h)
		// The ends of an open trace may meet when it is dragged flat.
		// An inset that is dragged to a place has one from then on.
		want := len(m.Points)
		if m.Tool == qc.Inset && handle == annotate.InsetPlace {
			want = 3
		}
		if len(dragged.Points) != want || annotate.Closed(m) && !annotate.Closed(dragged) {
			t.Fatalf("dragging made %v of %v", dragged, m)
		}

		points, ok := annotate.Drawn(m.Tool, anyPoint(t, "from", w, h), anyPoint(t, "until", w, h), square, w, h)
		mustLieIn(t, points, w, h)
		if form, _ := m.Tool.Form(); ok && (!form.Fits(len(points)) || len(points) == 2 && points[0] == points[1]) {
			t.Fatal("a mark without size is no mark")
		}
		if !slices.Equal(before, m.Points) {
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
		m := anyMark(t, w, h)
		shapes := []annotate.Shape{{Mark: m}}
		course := annotate.Course(m, 1)
		if closed := course[0] == course[len(course)-1]; len(course) > 1 && annotate.Closed(m) && !closed {
			t.Fatalf("%s is closed and its line is not", m.Tool)
		}
		for i, p := range course {
			q := course[max(i-1, 0)]
			along := qc.Point{X: (p.X + q.X) / 2, Y: (p.Y + q.Y) / 2}
			if id, _, ok := annotate.Hit(shapes, "", along, 1); !ok || id != "m" {
				t.Fatalf("nothing at %v", along)
			}
		}
		handles, places := annotate.Handles(m)
		for i, p := range places {
			// Of a mark thinner than the reach, another handle may be as near.
			_, got, ok := annotate.Hit(shapes, "m", p, 1e-3)
			alone := true
			for j, other := range places {
				alone = alone && (i == j || math.Hypot(p.X-other.X, p.Y-other.Y) > 1)
			}
			if big := math.Abs(places[0].X-places[len(places)-1].X)+math.Abs(places[0].Y-places[len(places)-1].Y) > 1; !ok || alone && big && got != handles[i] {
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
	shapes = append(shapes,
		annotate.Shape{Mark: qc.Mark{ID: "round", Tool: qc.Ellipse, Points: []qc.Point{{X: 700, Y: 100}, {X: 900, Y: 200}}}},
		annotate.Shape{Mark: qc.Mark{ID: "tint", Tool: qc.Highlighter, Points: []qc.Point{{X: 700, Y: 300}, {X: 900, Y: 500}}}},
		annotate.Shape{Mark: qc.Mark{ID: "in tint", Tool: qc.Line, Points: []qc.Point{{X: 750, Y: 400}, {X: 850, Y: 400}}}},
		annotate.Shape{Mark: qc.Mark{ID: "corners", Tool: qc.Polygon, Points: []qc.Point{{X: 1000, Y: 100}, {X: 1200, Y: 100}, {X: 1100, Y: 300}}}},
		annotate.Shape{Mark: qc.Mark{ID: "badge", Tool: qc.Badge, Points: []qc.Point{{X: 1000, Y: 500}, {X: 1200, Y: 500}}}},
		annotate.Shape{Mark: qc.Mark{ID: "dot", Tool: qc.Badge, Points: []qc.Point{{X: 1000, Y: 600}}}},
		annotate.Shape{Mark: qc.Mark{ID: "trace", Tool: qc.Freehand, Points: []qc.Point{{X: 1300, Y: 100}, {X: 1400, Y: 200}, {X: 1300, Y: 300}}}},
	)
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
		{"the corner of an ellipse's box is nothing", "", qc.Point{X: 703, Y: 103}, "", annotate.Body},
		{"but its handle when it is selected", "round", qc.Point{X: 703, Y: 103}, "round", annotate.TopLeft},
		{"an ellipse's edge", "", qc.Point{X: 829, Y: 110}, "round", annotate.Body},
		{"inside the selected ellipse", "round", qc.Point{X: 800, Y: 150}, "round", annotate.Body},
		{"what is tinted hits inside", "", qc.Point{X: 720, Y: 470}, "tint", annotate.Body},
		{"a line within it wins", "", qc.Point{X: 800, Y: 405}, "in tint", annotate.Body},
		{"inside a polygon is nothing", "", qc.Point{X: 1100, Y: 150}, "", annotate.Body},
		{"a polygon's closing side", "", qc.Point{X: 1050, Y: 205}, "corners", annotate.Body},
		{"a polygon's third corner", "corners", qc.Point{X: 1102, Y: 298}, "corners", annotate.Vertex + 2},
		{"inside the selected polygon", "corners", qc.Point{X: 1100, Y: 160}, "corners", annotate.Body},
		{"a badge is larger than its place", "", qc.Point{X: 1000, Y: 617}, "dot", annotate.Body},
		{"a badge's leader", "", qc.Point{X: 1100, Y: 505}, "badge", annotate.Body},
		{"the end of a badge's leader", "badge", qc.Point{X: 1203, Y: 500}, "badge", annotate.Head},
		{"a trace's bend", "", qc.Point{X: 1400, Y: 205}, "trace", annotate.Body},
		{"between a trace's ends", "trace", qc.Point{X: 1330, Y: 200}, "", annotate.Body},
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
	round := qc.Mark{Tool: qc.Ellipse, Points: start.Points}
	trace := qc.Mark{Tool: qc.Freehand, Points: []qc.Point{{X: 100, Y: 100}, {X: 200, Y: 150}}}
	flat := qc.Mark{Tool: qc.Freehand, Points: []qc.Point{{X: 100, Y: 100}, {X: 200, Y: 100}}}
	corners := qc.Mark{Tool: qc.Polygon, Points: []qc.Point{{X: 100, Y: 100}, {X: 200, Y: 100}, {X: 150, Y: 200}}}
	badge := qc.Mark{Tool: qc.Badge, Points: []qc.Point{{X: 100, Y: 100}, {X: 200, Y: 100}}}
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
		{"an ellipse like its box", round, annotate.TopLeft, qc.Point{X: 230, Y: 180}, false, [4]float64{200, 150, 230, 180}},
		{"a trace is stretched", trace, annotate.BottomRight, qc.Point{X: 300, Y: 125}, false, [4]float64{100, 100, 300, 125}},
		{"a trace flips", trace, annotate.Left, qc.Point{X: 300, Y: 0}, false, [4]float64{300, 100, 200, 150}},
		{"a trace keeps its proportions", trace, annotate.BottomRight, qc.Point{X: 300, Y: 125}, true, [4]float64{100, 100, 300, 200}},
		{"a flat trace stays flat", flat, annotate.BottomRight, qc.Point{X: 150, Y: 250}, false, [4]float64{100, 100, 150, 100}},
		{"a corner of a polygon", corners, annotate.Vertex + 1, qc.Point{X: 250, Y: 110}, false, [4]float64{100, 100, 250, 110}},
		{"a corner in steps", corners, annotate.Vertex + 1, qc.Point{X: 250, Y: 101}, true, [4]float64{100, 100, 100 + math.Hypot(150, 1), 100}},
		{"a polygon has no fourth corner", corners, annotate.Vertex + 3, qc.Point{}, false, [4]float64{100, 100, 200, 100}},
		{"a badge, its leader's end stays", badge, annotate.Tail, qc.Point{X: 10, Y: 20}, false, [4]float64{10, 20, 200, 100}},
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
