package central_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

func (open opener) testSilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	closing := func(at time.Time, want int) {
		t.Helper()
		if n, err := w.RunTimers(t.Context(), at); n != want || err != nil {
			t.Fatalf("closed %d, %v, want %d", n, err, want)
		}
	}
	closing(c.DecideBy.Add(-time.Microsecond), 0)
	w.status(refund.AwaitingDecision)
	told := len(w.feed(qc.CaseChanged))
	closing(c.DecideBy, 1)
	closing(c.DecideBy, 0)
	kept := w.status(refund.Kept)
	if kept.Reason != refund.Unanswered || kept.Version != c.Version+1 {
		t.Errorf("kept as %+v", kept)
	}
	if n := len(w.feed(qc.CaseChanged)); n != told+1 {
		t.Errorf("the stations were told %d times, want once", n-told)
	}
	late := refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: c.DecideBy}
	_, err := w.Act(t.Context(), c.ID, c.Version, late, "")
	var conflict *central.Conflict
	if !errors.As(err, &conflict) || conflict.Case.Status != refund.Kept {
		t.Errorf("a late decision: %v", err)
	}
	w.sound()
}

func (open opener) testSilenceLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.flag("f9", "20481-1")) // its photos are on their way
	if n, err := w.RunTimers(t.Context(), noon.Add(100*time.Hour)); n != 0 || err != nil {
		t.Errorf("the clock acted on %d, %v", n, err)
	}
}

// testTimers leaves a case alone in each status and lets the clock go on.
func (open opener) testTimers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	c = w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	for _, step := range []struct {
		event refund.Event
		then  refund.Status
	}{
		{refund.Event{}, refund.Escalated},                                                              // the seller does not answer
		{refund.Event{Kind: refund.RuledReturn, Actor: clerk}, refund.Negotiating},                      // nobody sends the parcel
		{refund.Event{Kind: refund.Offered, Actor: clerk, Amount: money.Fen(5000)}, refund.Negotiating}, // nobody answers the offer
		{refund.Event{Kind: refund.AgreedRefund, Actor: clerk}, refund.Escalated},                       // the seller does not pay
		{refund.Event{Kind: refund.RuledAgainst, Actor: clerk, Reason: "photos unclear"}, refund.Kept},  // nobody answers the refusal
	} {
		if step.event.Kind != "" {
			step.event.At = c.ChangedAt
			c = w.act(c.ID, step.event)
		}
		at, _, running := c.Timer()
		if !running {
			t.Fatalf("no clock runs in %s", c.Status)
		}
		if n, err := w.RunTimers(t.Context(), at.Add(-time.Microsecond)); n != 0 || err != nil {
			t.Fatalf("in %s the clock acts early: %d, %v", c.Status, n, err)
		}
		if n, err := w.RunTimers(t.Context(), at); n != 1 || err != nil {
			t.Fatalf("in %s the clock acts on %d, %v", c.Status, n, err)
		}
		c = w.status(step.then)
	}
	w.sound()
}

// testSilenceAgainstDecision lets the customer answer at the very moment the
// centre stops waiting: one of both counts, and the other is told so.
func (open opener) testSilenceAgainstDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	for range 12 {
		var both sync.WaitGroup
		var decided, closedErr error
		var closed int
		late := c.DecideBy
		both.Go(func() {
			_, decided = w.Act(t.Context(), c.ID, c.Version, refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: late}, "")
		})
		both.Go(func() { closed, closedErr = w.RunTimers(t.Context(), late) })
		both.Wait()
		w.must(closedErr)
		var conflict *central.Conflict
		switch {
		case decided == nil && closed == 0:
			w.status(refund.Negotiating)
			c = w.act(c.ID, refund.Event{Kind: refund.Reconsidered, Actor: customer}) // and once more
		case closed == 1 && errors.As(decided, &conflict) && conflict.Case.Status == refund.Kept:
			w.status(refund.Kept)
			w.sound()
			return
		default:
			t.Fatalf("closed %d, decision: %v", closed, decided)
		}
	}
}
