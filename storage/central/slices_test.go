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

// triple is a world with an item of three pieces whose case awaits its
// customer's decision.
func (open opener) triple(t *testing.T) (world, refund.Case) {
	t.Helper()
	w := newWorld(t, open)
	order := sampleOrder()
	order.Items[1].Quantity, order.Items[1].UnitPrice, order.Items[1].FreightIn = 3, money.Fen(3333), money.Fen(1000)
	_, err := w.ImportOrders(t.Context(), []qc.Order{order}, noon)
	w.must(err)
	return w, w.visible("20481-2")
}

// load returns a case as it now is.
func (w world) load(id qc.CaseID) refund.Case {
	w.t.Helper()
	d, err := w.Dossier(w.t.Context(), id)
	w.must(err)
	return d.Case
}

// stands fails the test unless the case is in that status.
func (w world) stands(id qc.CaseID, want refund.Status) refund.Case {
	w.t.Helper()
	c := w.load(id)
	if c.Status != want {
		w.t.Fatalf("case %s is %s, want %s", id, c.Status, want)
	}
	return c
}

func (w world) split(c refund.Case, pieces int, by refund.Actor) central.Halves {
	w.t.Helper()
	halves, err := w.Split(w.t.Context(), c.ID, c.Version, pieces, by, "")
	w.must(err)
	return halves
}

func (open opener) testSplit(t *testing.T) {
	t.Parallel()
	w, c := open.triple(t)
	halves, err := w.Split(t.Context(), c.ID, c.Version, 1, customer, "k1")
	w.must(err)
	again, err := w.Split(t.Context(), c.ID, c.Version, 1, customer, "k1")
	w.must(err)
	if again.Part.ID != halves.Part.ID || again.Rest.Version != halves.Rest.Version {
		t.Fatalf("the same click made %s, then %s", halves.Part.ID, again.Part.ID)
	}
	_, err = w.Split(t.Context(), c.ID, c.Version, 2, customer, "k1")
	wantErr(t, err, central.ErrKeyReused)
	var conflict *central.Conflict
	if _, err = w.Split(t.Context(), c.ID, c.Version, 1, clerk, ""); !errors.As(err, &conflict) || conflict.Case.Quantity != 2 {
		t.Errorf("on the version before: %v", err)
	}
	_, err = w.Split(t.Context(), halves.Part.ID, 0, 1, customer, "")
	wantErr(t, err, refund.ErrNotNow) // a single piece
	_, err = w.Split(t.Context(), c.ID, 0, 2, customer, "")
	wantErr(t, err, refund.ErrPieces)

	rest, part := w.load(c.ID), w.load(halves.Part.ID)
	if rest.Quantity != 2 || part.Quantity != 1 || rest.Paid != money.Fen(6666) || part.Paid != money.Fen(3333) ||
		rest.FreightIn.Minor()+part.FreightIn.Minor() != 1000 || part.Parent != c.ID {
		t.Fatalf("rest %+v, part %+v", rest, part)
	}
	w.act(rest.ID, refund.Event{Kind: refund.ChoseKeep, Actor: customer})
	w.act(part.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(part.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	owed, err := part.Owed()
	w.must(err)
	w.act(part.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: owed, SellerRef: "R-1"})
	w.stands(rest.ID, refund.Kept)
	w.stands(part.ID, refund.Credited)
	if balance, err := w.Balance(t.Context(), "C-1001"); err != nil || balance != owed {
		t.Errorf("balance %s, %v, want %s", balance, err, owed)
	}
	if n := len(w.seen().Cases); n != 2 {
		t.Errorf("the customer sees %d cases of the item, want both", n)
	}
	if n := len(w.feed(qc.CaseChanged)); n != c.Version+2+4 {
		t.Errorf("the stations were told %d times", n)
	}
	w.sound()
}

// A finding that both halves stand on moves both; so does a lead's word on it.
func (open opener) testSlicesMoveTogether(t *testing.T) {
	t.Parallel()
	w, c := open.triple(t)
	part := w.split(c, 1, customer).Part.ID
	f := w.bench.flag("f-20481-2", "20481-2")
	f.Revision, f.Unsure = 2, true
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	w.stands(c.ID, refund.Flagged)
	w.stands(part, refund.Flagged)
	lead := refund.Actor{Party: refund.ByLead, ID: "lead7"}
	w.act(part, refund.Event{Kind: refund.LeadConfirmed, Actor: lead}) // at the desk, of one of them
	w.stands(c.ID, refund.AwaitingDecision)
	w.stands(part, refund.AwaitingDecision)

	w.act(part, refund.Event{Kind: refund.ChoseRefund, Actor: customer}) // too far for another judgement
	w.bench.applied(noon, qc.ReviewGiven, "lead7",
		qc.Review{Finding: "f-20481-2", Revision: 2, Outcome: qc.Dismissed, Reason: "normal", By: "lead7"})
	w.stands(c.ID, refund.Withdrawn)
	w.stands(part, refund.Negotiating)
	w.sound()
}

// Of several open cases, a new finding is for the one that waits for it.
func (open opener) testSlicesByWhoWaits(t *testing.T) {
	t.Parallel()
	w, c := open.triple(t)
	asks := w.split(c, 1, customer).Part.ID
	swaps := w.split(w.load(c.ID), 1, clerk).Part.ID
	w.act(asks, refund.Event{Kind: refund.AskedPhotos, Actor: customer, Reason: "the sole"})
	w.act(swaps, refund.Event{Kind: refund.ChoseExchange, Actor: customer})
	w.act(swaps, refund.Event{Kind: refund.AgreedReship, Actor: clerk})

	closer := w.bench.flag("closer", "20481-2")
	closer.RecordedAt = noon.Add(time.Minute)
	w.store(closer.Photos[0].Preview.Digest)
	w.bench.applied(noon.Add(time.Hour), qc.FindingRecorded, "u12", closer)
	if got := w.stands(asks, refund.AwaitingDecision); got.Finding != "closer" {
		t.Errorf("the photos asked for are %s", got.Finding)
	}
	if got := w.stands(c.ID, refund.AwaitingDecision); got.Finding == "closer" {
		t.Error("the case that asked for nothing has the photos as well")
	}
	w.bench.applied(noon, qc.ReplacementArrived, "u12", qc.Arrival{Case: swaps, Waybill: "YT1234567890", By: "u12"})
	swapped := w.bench.pass("swapped", "20481-2")
	swapped.Round, swapped.Case = 2, swaps
	w.bench.applied(noon, qc.FindingRecorded, "u12", swapped)
	w.stands(swaps, refund.Exchanged)
	// The others are still those of the first round, whatever came for their sibling.
	f := w.bench.flag("f-20481-2", "20481-2")
	f.Revision = 2
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	w.stands(c.ID, refund.AwaitingDecision)
	if got := w.load(c.ID); got.Round != 1 || got.Finding != "f-20481-2" {
		t.Errorf("the rest is in round %d on %s", got.Round, got.Finding)
	}
	w.sound()
}

// Pieces whose case has ended may be looked at again while others are with the
// seller; there is never a case for more than there are.
func (open opener) testSlicesThatAreLoose(t *testing.T) {
	t.Parallel()
	w, c := open.triple(t)
	part := w.split(c, 2, customer).Part.ID
	w.act(c.ID, refund.Event{Kind: refund.ChoseKeep, Actor: customer})
	w.act(part, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	again := w.bench.flag("again", "20481-2")
	again.RecordedAt = noon.Add(time.Minute)
	w.bench.applied(noon.Add(time.Hour), qc.FindingRecorded, "u12", again)
	cases, err := w.Cases(t.Context(), central.CaseFilter{Open: true})
	w.must(err)
	if len(cases) != 2 {
		t.Fatalf("%d open cases, want that with the seller and that of the kept piece", len(cases))
	}
	for _, one := range cases {
		if one.ID != part && (one.Quantity != 1 || one.Finding != "again") {
			t.Errorf("opened %+v", one)
		}
	}
	w.act(part, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	for _, one := range cases {
		if one.ID != part {
			w.store(w.bench.flag("again", "20481-2").Photos[0].Preview.Digest)
			w.act(one.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
		}
	}
	w.bench.refused("error.case_moved_on", qc.FindingRecorded, "u12", w.bench.flag("more", "20481-2")) // no piece is left
	w.sound()
}

// Both halves of a double click, and a clerk at the same moment: one split.
func (open opener) testSplitAtOnce(t *testing.T) {
	t.Parallel()
	w, c := open.triple(t)
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() {
			by := customer
			if i%2 == 1 {
				by = clerk
			}
			_, errs[i] = w.Split(t.Context(), c.ID, c.Version, 1, by, "")
		})
	}
	all.Wait()
	done := 0
	for _, err := range errs {
		if _, conflict := errors.AsType[*central.Conflict](err); err == nil {
			done++
		} else if !conflict {
			t.Errorf("refused: %v", err)
		}
	}
	cases, err := w.Cases(t.Context(), central.CaseFilter{})
	w.must(err)
	if done != 1 || len(cases) != 2 {
		t.Errorf("%d splits made %d cases", done, len(cases))
	}
	w.sound()
}
