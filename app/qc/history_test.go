package qc_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"flawmark/app/qc"
	"pgregory.net/rapid"
)

func TestHistory_ComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mark := rapid.Custom(func(t *rapid.T) qc.Mark {
			id := rapid.SampledFrom([]qc.MarkID{"a", "b", "c"}).Draw(t, "id")
			x := rapid.Float64Range(0, 9).Draw(t, "x")
			return qc.Mark{ID: id, Photo: "p", Tool: qc.Arrow, Points: []qc.Point{{X: x}, {Y: x}}}
		})
		state := rapid.Custom(func(t *rapid.T) qc.Finding {
			f := qc.Finding{ID: "f", Revision: 3, Unsure: rapid.Bool().Draw(t, "unsure")}
			if marks := rapid.SliceOfN(mark, 0, 5).Draw(t, "marks"); len(marks) > 0 {
				f.Marks = marks
			}
			if rapid.Bool().Draw(t, "photo") {
				f.Photos = []qc.Photo{{ID: "p"}}
			}
			if rapid.Bool().Draw(t, "flaw") {
				f.Flaws = []qc.Flaw{{ID: "x", Note: "脏"}}
			}
			return f
		})
		past := rapid.SliceOfN(state, 0, 20).Draw(t, "past")
		future := rapid.SliceOfN(state, 0, 20).Draw(t, "future")
		text, err := json.Marshal(qc.FoldHistory(past, future))
		if err != nil {
			t.Fatal(err)
		}
		var kept qc.History
		if err := json.Unmarshal(text, &kept); err != nil {
			t.Fatal(err)
		}
		p, f := kept.Unfold(qc.Finding{ID: "f", Revision: 3})
		if len(p)+len(past) > 0 && !reflect.DeepEqual(p, past) || len(f)+len(future) > 0 && !reflect.DeepEqual(f, future) {
			t.Fatalf("past %v became %v, future %v became %v", past, p, future, f)
		}
	})
}

func TestHistory_Damaged(t *testing.T) {
	h := qc.FoldHistory([]qc.Finding{{Unsure: true}, {Photos: []qc.Photo{{ID: "p"}}}, {}}, nil)
	h.Past[1].Photos = []int{7}
	if past, _ := h.Unfold(qc.Finding{}); len(past) != 1 {
		t.Errorf("%d steps of a history that is broken two steps back, want 1", len(past))
	}
}

func TestHistory_IsSmall(t *testing.T) {
	var past []qc.Finding
	var f qc.Finding
	for range 2 * qc.MaxSteps {
		f.Marks = append(append([]qc.Mark(nil), f.Marks[:min(len(f.Marks), 49)]...), qc.Mark{ID: "m", Points: make([]qc.Point, 100)})
		past = append(past, f)
	}
	text, err := json.Marshal(qc.FoldHistory(past, nil))
	if err != nil || len(text) > 200<<10 {
		t.Errorf("%d bytes for %d steps with 50 marks, %v", len(text), qc.MaxSteps, err)
	}
}
