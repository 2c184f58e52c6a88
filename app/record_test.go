package main

import (
	"slices"
	"testing"

	"flawmark/app/qc"
)

func TestAddMark(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		tool qc.Tool
		want []qc.Point // nil: refused
	}{
		{"1#rect:10,20,30,40", qc.Box, []qc.Point{{X: 10, Y: 20}, {X: 40, Y: 60}}},
		{"2#ellipse:10,20,30.5,40", qc.Ellipse, []qc.Point{{X: 10, Y: 20}, {X: 40.5, Y: 60}}},
		{"1#highlight:0,0,5,5", qc.Highlighter, []qc.Point{{}, {X: 5, Y: 5}}},
		{"1#arrow:10,20,30,40", qc.Arrow, []qc.Point{{X: 10, Y: 20}, {X: 30, Y: 40}}},
		{"1#line: 10, 20, 30, 40", qc.Line, []qc.Point{{X: 10, Y: 20}, {X: 30, Y: 40}}},
		{"1#polygon:1,2,3,4,5,0", qc.Polygon, []qc.Point{{X: 1, Y: 2}, {X: 3, Y: 4}, {X: 5, Y: 0}}},
		{"1#freehand:1,2,3,4", qc.Freehand, []qc.Point{{X: 1, Y: 2}, {X: 3, Y: 4}}},
		{"1#badge:1,2", qc.Badge, []qc.Point{{X: 1, Y: 2}}},
		{"1#badge:1,2,3,4", qc.Badge, []qc.Point{{X: 1, Y: 2}, {X: 3, Y: 4}}},
		{text: "1#polygon:1,2,3,4"},
		{text: "1#polygon:1,2,3,4,5"},
		{text: "1#rect:1,2,3"},
		{text: "1#rect:1,2,3,4,5,6"},
		{text: "1#spiral:1,2,3,4"},
		{text: "3#rect:1,2,3,4"},
		{text: "0#rect:1,2,3,4"},
		{text: "1#rect:1,2,x,4"},
		{text: "rect:1,2,3,4"},
		{text: "1#rect"},
		{text: ""},
	} {
		t.Run(tc.text, func(t *testing.T) {
			t.Parallel()
			f := qc.Finding{Photos: []qc.Photo{{ID: "p1"}, {ID: "p2"}}, Flaws: []qc.Flaw{{ID: "a"}, {ID: "b"}}}
			err := addMark(&f, tc.text)
			if tc.want == nil {
				if err == nil || len(f.Marks) != 0 {
					t.Fatalf("read as %+v", f.Marks)
				}
				return
			}
			if err != nil || len(f.Marks) != 1 {
				t.Fatal(err)
			}
			photo := qc.PhotoID("p" + tc.text[:1])
			if m := f.Marks[0]; m.Tool != tc.tool || m.Photo != photo || m.Flaw != "b" || !slices.Equal(m.Points, tc.want) {
				t.Errorf("read as %+v", m)
			}
		})
	}
}
