package main

import (
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// A customer's silence counts only while the centre could be spoken to.
func TestPatience(t *testing.T) {
	t.Parallel()
	minutely := func(from time.Time, n int) []time.Time {
		var all []time.Time
		for i := range n {
			all = append(all, from.Add(time.Duration(i)*time.Minute))
		}
		return all
	}
	day := morning.Add(24 * time.Hour)
	for name, test := range map[string]struct {
		looks []time.Time
		want  bool // of the last
	}{
		"just started":          {minutely(morning, 1), false},
		"nearly there":          {minutely(morning, 360), false},
		"long enough":           {minutely(morning, 361), true},
		"slept for a day":       {append(minutely(morning, 400), day), false},
		"awake again":           {append(minutely(morning, 400), minutely(day, 361)...), true},
		"clock put back":        {append(minutely(morning, 400), morning), false},
		"clock put forward":     {append(minutely(morning, 400), minutely(day, 359)...), false},
		"a busy minute or two":  {append(minutely(morning, 400), morning.Add(403*time.Minute)), true},
		"clock put back and on": {append(minutely(morning, 400), minutely(morning, 361)...), true},
	} {
		var p patience
		var got bool
		for _, now := range test.looks {
			got = p.over(now)
		}
		if got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// After an outage customers get time to answer before anything is decided.
func TestHeedSilence_AfterAnOutage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	status := func() refund.Status {
		cases, err := h.c.store.Cases(t.Context(), central.CaseFilter{})
		h.must(err)
		return cases[0].Status
	}
	var p patience
	h.now = morning.Add(100 * time.Hour) // long after the time to decide
	for range 360 {
		h.c.heedSilence(t.Context(), &p)
		h.now = h.now.Add(time.Minute)
	}
	if got := status(); got != refund.AwaitingDecision {
		t.Fatalf("six hours after the start the case is %s", got)
	}
	h.c.heedSilence(t.Context(), &p)
	if got := status(); got != refund.Kept {
		t.Errorf("after six hours the case is %s", got)
	}
}
