package qc

import (
	"encoding/json"
	"slices"
)

// MaxSteps bounds how many steps of an inspection are kept for undoing: more
// than people take in a day.
const MaxSteps = 500

// History is what undo and redo go back and forth through, as it is kept with
// a draft. Neighbouring states share nearly everything, so each photo, flaw
// and mark that differs is kept once and the states name them by place.
type History struct {
	Photos []Photo `json:"photos,omitempty"`
	Flaws  []Flaw  `json:"flaws,omitempty"`
	Marks  []Mark  `json:"marks,omitempty"`
	Past   []State `json:"past,omitempty"`   // oldest first
	Future []State `json:"future,omitempty"` // the next redo last
}

// State is one state of a finding: places in the lists of [History].
type State struct {
	Photos []int `json:"p,omitempty"`
	Flaws  []int `json:"f,omitempty"`
	Marks  []int `json:"m,omitempty"`
	Unsure bool  `json:"u,omitempty"`
}

// FoldHistory makes a history of the states before and after the present one.
// Only the last [MaxSteps] of each are kept.
func FoldHistory(past, future []Finding) History {
	var h History
	photos, flaws, marks := pool[Photo]{}, pool[Flaw]{}, pool[Mark]{}
	fold := func(list []Finding) []State {
		list = list[max(0, len(list)-MaxSteps):]
		states := make([]State, 0, len(list))
		for _, f := range list {
			states = append(states, State{
				Photos: photos.places(&h.Photos, f.Photos), Flaws: flaws.places(&h.Flaws, f.Flaws),
				Marks: marks.places(&h.Marks, f.Marks), Unsure: f.Unsure,
			})
		}
		return states
	}
	h.Past, h.Future = fold(past), fold(future)
	return h
}

// pool knows where each value is kept.
type pool[T any] map[string]int

// places returns the places of values, adding to kept what is not there yet.
func (p pool[T]) places(kept *[]T, values []T) []int {
	places := make([]int, 0, len(values))
	for _, v := range values {
		text, err := json.Marshal(v)
		if err != nil { // a number that JSON lacks: it could not be saved either
			continue
		}
		at, known := p[string(text)]
		if !known {
			at = len(*kept)
			p[string(text)] = at
			*kept = append(*kept, v)
		}
		places = append(places, at)
	}
	return places
}

// Unfold returns the states that h holds, each as a state of present. A state
// that names what is not there, as in a damaged draft, ends the history on
// its side.
func (h History) Unfold(present Finding) (past, future []Finding) {
	return h.unfold(h.Past, present), h.unfold(h.Future, present)
}

// unfold goes from the nearest state outwards.
func (h History) unfold(states []State, present Finding) []Finding {
	var list []Finding
	for _, s := range slices.Backward(states) {
		f := present
		var ok [3]bool
		f.Unsure = s.Unsure
		f.Photos, ok[0] = pick(h.Photos, s.Photos)
		f.Flaws, ok[1] = pick(h.Flaws, s.Flaws)
		f.Marks, ok[2] = pick(h.Marks, s.Marks)
		if ok != [3]bool{true, true, true} {
			break
		}
		list = append(list, f)
	}
	slices.Reverse(list)
	return list
}

func pick[T any](kept []T, places []int) ([]T, bool) {
	if len(places) == 0 {
		return nil, true
	}
	values := make([]T, 0, len(places))
	for _, at := range places {
		if at < 0 || at >= len(kept) {
			return nil, false
		}
		values = append(values, kept[at])
	}
	return values, true
}
