package annotate_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

func TestTraced_IsNeverFarFromTheHand(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := sizes(t)
		way := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) qc.Point { return pointIn(t, "p", w, h) }), 0, 200).Draw(t, "way")
		tolerance := rapid.Float64Range(0, 50).Draw(t, "tolerance")
		points, ok := annotate.Traced(way, tolerance, 0, w, h)
		if !ok {
			if len(slices.Compact(slices.Clone(way))) > 1 {
				t.Fatalf("nothing came of %v", way)
			}
			return
		}
		mustLieIn(t, points, w, h)
		if points[0] != way[0] || points[len(points)-1] != way[len(way)-1] || len(points) > len(way) {
			t.Fatalf("%v became %v", way, points)
		}
		m := qc.Mark{ID: "m", Tool: qc.Freehand, Points: points}
		for _, p := range way {
			if !annotate.OnOutline(m, p, tolerance+1e-6) {
				t.Fatalf("%v is farther than %g from %v", p, tolerance, points)
			}
		}
	})
}

func TestTraced(t *testing.T) {
	t.Parallel()
	var circle, line, noise []qc.Point
	for i := range 300 {
		sin, cos := math.Sincos(float64(i) / 300 * 2 * math.Pi)
		circle = append(circle, qc.Point{X: 500 + 200*cos, Y: 500 + 200*sin})
		line = append(line, qc.Point{X: float64(i), Y: 2 * float64(i)})
	}
	for i := range 3 * qc.MaxPoints {
		noise = append(noise, qc.Point{X: float64(i), Y: float64(i % 2 * 900)})
	}
	for _, tc := range []struct {
		name        string
		way         []qc.Point
		closing     float64
		ok, closed  bool
		least, most int
	}{
		{"a circle closes", circle, 12, true, true, 20, 70},
		{"ends that are apart stay so", circle[:250], 12, true, false, 20, 60},
		{"a straight line has two points", line, 12, true, false, 2, 2},
		{"a short stroke is no loop", line[:8], 12, true, false, 2, 2},
		{"never more than may be", noise, 12, true, false, 2, qc.MaxPoints},
		{"one place is no trace", slices.Repeat(line[5:6], 9), 12, false, false, 0, 0},
		{"what is outside goes along the edge", []qc.Point{{X: -50, Y: 10}, {X: -90, Y: 500}, {X: math.NaN(), Y: 800}}, 1, true, false, 2, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			points, ok := annotate.Traced(tc.way, 0.75, tc.closing, 20_000, 1000)
			closed := annotate.Closed(qc.Mark{Tool: qc.Freehand, Points: points})
			if ok != tc.ok || closed != tc.closed || len(points) < tc.least || len(points) > tc.most {
				t.Errorf("%d points, ok %t, closed %t", len(points), ok, closed)
			}
		})
	}
}

func TestEnclosed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		corners []qc.Point
		want    int
		ok      bool
	}{
		{"a triangle", []qc.Point{{X: 1, Y: 1}, {X: 9, Y: 1}, {X: 5, Y: 9}}, 3, true},
		{"its first corner again", []qc.Point{{X: 1, Y: 1}, {X: 9, Y: 1}, {X: 5, Y: 9}, {X: 1, Y: 1}}, 3, true},
		{"a double click at its end", []qc.Point{{X: 1, Y: 1}, {X: 9, Y: 1}, {X: 5, Y: 9}, {X: 5, Y: 9}}, 3, true},
		{"two corners", []qc.Point{{X: 1, Y: 1}, {X: 9, Y: 1}}, 2, false},
		{"on one line", []qc.Point{{X: 1, Y: 1}, {X: 2, Y: 2}, {X: 7, Y: 7}}, 3, false},
		{"outside is the edge", []qc.Point{{X: -5, Y: 1}, {X: 99, Y: 1}, {X: 5, Y: 99}}, 3, true},
		{"nothing", nil, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			points, ok := annotate.Enclosed(tc.corners, 10, 10)
			if ok != tc.ok || len(points) != tc.want {
				t.Fatalf("%v, %t", points, ok)
			}
			for _, p := range points {
				if p.X < 0 || p.X > 10 || p.Y < 0 || p.Y > 10 {
					t.Errorf("%v is outside", p)
				}
			}
		})
	}
	if _, ok := annotate.Enclosed(make([]qc.Point, 3), 10, 10); ok {
		t.Error("one place is no polygon")
	}
}
