package annotate_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

func points(places ...float64) []qc.Point {
	var list []qc.Point
	for i := 0; i < len(places); i += 2 {
		list = append(list, qc.Point{X: places[i], Y: places[i+1]})
	}
	return list
}

func TestInsertCorner(t *testing.T) {
	t.Parallel()
	triangle := qc.Mark{Tool: qc.Polygon, Points: points(0, 0, 100, 0, 50, 100)}
	tape := qc.Mark{Tool: qc.Measure, Points: points(0, 0, 100, 0)}
	for _, tc := range []struct {
		name   string
		mark   qc.Mark
		at     qc.Point
		want   []qc.Point
		corner annotate.Handle
	}{
		{"on the first edge", triangle, qc.Point{X: 40, Y: -3}, points(0, 0, 40, -3, 100, 0, 50, 100), annotate.Vertex + 1},
		{"on the closing edge", triangle, qc.Point{X: 20, Y: 50}, points(0, 0, 100, 0, 50, 100, 20, 50), annotate.Vertex + 3},
		{"into a tape", tape, qc.Point{X: 40, Y: 10}, points(0, 0, 40, 10, 100, 0), annotate.Vertex + 1},
		{"into a box", box("b", 0, 0, 9, 9), qc.Point{}, points(0, 0, 9, 9), annotate.Body},
	} {
		got, corner, ok := annotate.InsertCorner(tc.mark, tc.at)
		if !slices.Equal(got.Points, tc.want) || corner != tc.corner || ok != (tc.corner != annotate.Body) {
			t.Errorf("%s: %v, %d, %t", tc.name, got.Points, corner, ok)
		}
		if !ok {
			continue
		}
		if back, ok := annotate.RemoveCorner(got, int(corner-annotate.Vertex)); !ok || !slices.Equal(back.Points, tc.mark.Points) {
			t.Errorf("%s: taken away again it is %v", tc.name, back.Points)
		}
	}
	if _, ok := annotate.RemoveCorner(triangle, 0); ok {
		t.Error("a triangle lost a corner")
	}
	full := qc.Mark{Tool: qc.Polygon, Points: make([]qc.Point, qc.MaxPoints)}
	if _, _, ok := annotate.InsertCorner(full, qc.Point{}); ok {
		t.Error("a polygon has more corners than it may")
	}
}

func TestStretch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		mark   qc.Mark
		dx, dy float64
		want   []qc.Point
	}{
		{"larger", box("b", 10, 10, 20, 20), 5, 1, points(10, 10, 35, 31)},
		{"never through itself", box("b", 10, 10, 20, 20), -50, 0, points(10, 10, 11, 30)},
		{"not over the edge", box("b", 10, 10, 80, 20), 50, 0, points(10, 10, 100, 30)},
		{"an arrow's head", arrow("a", 10, 10, 50, 50), 5, -5, points(10, 10, 55, 45)},
		{"a polygon", qc.Mark{Tool: qc.Polygon, Points: points(10, 10, 30, 10, 20, 30)}, 20, 0, points(10, 10, 50, 10, 30, 30)},
		{"a placed inset", inset("i", 10, 10, 20, 20, 50, 50).Mark, 5, 5, points(10, 10, 25, 25, 50, 50)},
		{"a badge", qc.Mark{Tool: qc.Badge, Points: points(10, 10)}, 5, 5, points(10, 10)},
	} {
		if got := annotate.Stretch(tc.mark, tc.dx, tc.dy, 100, 100).Points; !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestMoveAll_KeepsPlacesToEachOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := sizes(t)
		var marks []qc.Mark
		for range rapid.IntRange(1, 5).Draw(t, "marks") {
			if m := anyMark(t, w, h); m.Tool != qc.Inset {
				marks = append(marks, m)
			}
		}
		by := anyPoint(t, "by", w, h)
		moved := annotate.MoveAll(marks, by.X, by.Y, w, h)
		for i, m := range moved {
			mustLieIn(t, m.Points, w, h)
			for j, p := range m.Points {
				was, first, firstWas := marks[i].Points[j], moved[0].Points[0], marks[0].Points[0]
				if dx, dy := p.X-first.X-was.X+firstWas.X, p.Y-first.Y-was.Y+firstWas.Y; dx*dx+dy*dy > 1e-6 {
					t.Fatalf("mark %d has moved by itself: %v from %v", i, m.Points, marks[i].Points)
				}
			}
		}
	})
}

func TestWithin(t *testing.T) {
	t.Parallel()
	shapes := []annotate.Shape{
		{Mark: box("in", 20, 20, 30, 30)},
		{Mark: box("cut", 80, 80, 50, 10)},
		{Mark: arrow("edge", 10, 10, 100, 100)},
		inset("placed far", 30, 30, 40, 40, 500, 500),
		{Mark: qc.Mark{ID: "none", Tool: qc.Box}},
	}
	got := annotate.Within(shapes, qc.Point{X: 100, Y: 10}, qc.Point{X: 10, Y: 100})
	if want := []qc.MarkID{"in", "edge", "placed far"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
