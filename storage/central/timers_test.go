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

// silent is what happens to a case before nobody does anything any more, and
// what the clock then makes of it, after which time by the default rules.
type silent struct {
	events []refund.Event
	lasts  time.Duration
	then   refund.Status
}

// testTimers leaves a case alone in each status and lets the clock go on. That
// of a customer who does not choose is in testSilence.
func (open opener) testTimers(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	station := refund.Actor{Party: refund.ByStation, ID: "u12"}
	by := func(actor refund.Actor, kind refund.Kind) refund.Event {
		return refund.Event{Kind: kind, Actor: actor, Reason: "because", Waybill: "SF1234567890"}
	}
	offer := refund.Event{Kind: refund.Offered, Actor: clerk, Amount: money.Fen(5000)}
	for name, steps := range map[string][]silent{
		"kept after all": {
			{[]refund.Event{by(customer, refund.AskedPhotos)}, day, refund.AwaitingDecision},       // nobody takes them
			{[]refund.Event{by(customer, refund.ChoseExchange)}, 5 * day, refund.Escalated},        // the seller does not answer
			{[]refund.Event{by(clerk, refund.RuledReturn)}, 7 * day, refund.Negotiating},           // nobody sends the parcel
			{[]refund.Event{by(clerk, refund.AgreedReship)}, 10 * day, refund.AwaitingDecision},    // the seller sends none
			{[]refund.Event{by(customer, refund.ChoseRefund), offer}, 2 * day, refund.Negotiating}, // nobody answers the offer
			{[]refund.Event{by(clerk, refund.AgreedRefund)}, 10 * day, refund.Escalated},           // the seller does not pay
			{[]refund.Event{by(clerk, refund.RuledAgainst)}, 5 * day, refund.Kept},                 // nobody answers the refusal
		},
		"sent": {
			{[]refund.Event{by(customer, refund.ChoseExchange), by(clerk, refund.AgreedReturn), by(station, refund.Dispatched)}, 3 * day, refund.ReturnException}, // nobody scans it
			{[]refund.Event{by(clerk, refund.ReturnFound), by(clerk, refund.SellerReceived)}, 10 * day, refund.SellerRefunding},                                   // the seller has it and sends none
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open)
			c := w.visible("20481-2")
			for _, step := range steps {
				for _, e := range step.events {
					c = w.act(c.ID, e)
				}
				at, _, running := c.Timer()
				if !running || at.Sub(c.ChangedAt) != step.lasts {
					t.Fatalf("in %s a clock runs: %v, for %s", c.Status, running, at.Sub(c.ChangedAt))
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
		})
	}
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
