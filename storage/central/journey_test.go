package central_test

import (
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

func (open opener) testRefundJourney(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	f := w.bench.flag("f1", "20481-2")
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	c := w.status(refund.Flagged)
	if c.PhotosMissing != 1 || c.LeadWaits || c.WindowEndsAt.IsZero() {
		t.Fatalf("opened as %+v", c)
	}
	w.store(f.Photos[0].Digest) // the original alone shows nothing
	w.status(refund.Flagged)
	w.store(f.Photos[0].Preview.Digest)
	c = w.status(refund.AwaitingDecision)

	c = w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	c = w.act(c.ID, refund.Event{Kind: refund.AgreedReturn, Actor: clerk})
	w.bench.applied(noon, qc.ReturnDispatched, "u12", qc.Dispatch{Case: c.ID, Carrier: "SF", Waybill: "sf9876543210123", By: "u12"})
	c = w.status(refund.Returning)
	if c.ReturnWaybill != "SF9876543210123" {
		t.Errorf("return waybill %q is not as printed", c.ReturnWaybill)
	}
	c = w.act(c.ID, refund.Event{Kind: refund.SellerReceived, Actor: clerk})
	c = w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1"})
	if c.Status != refund.Credited {
		t.Fatalf("case is %s", c.Status)
	}
	balance, err := w.Balance(t.Context(), "C-1001")
	w.must(err)
	if balance != money.Fen(38900+1200) {
		t.Errorf("balance %s, want item and freight to the fen", balance)
	}
	dossier, err := w.Dossier(t.Context(), c.ID)
	w.must(err)
	if dossier.Customer.ID != "C-1001" || dossier.Item.ID != "20481-2" || len(dossier.Findings) != 1 {
		t.Errorf("dossier %+v", dossier)
	}
	w.sound()
	if n := len(w.feed(qc.CaseChanged)); n != c.Version {
		t.Errorf("%d changes of the case, it is at version %d", n, c.Version)
	}
}

func (open opener) testExchangeJourney(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseExchange, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedReship, Actor: clerk})
	arrived, later := noon.Add(60*time.Hour), noon.Add(100*time.Hour) // the station was offline in between
	w.bench.applied(later, qc.ReplacementArrived, "u12", qc.Arrival{Case: c.ID, Waybill: "YT1234567890", By: "u12", At: arrived})
	c = w.status(refund.Rechecking)
	item, err := w.Item(t.Context(), "20481-2")
	w.must(err)
	if item.Round != 2 || !item.StockedInAt.Equal(arrived) || item.Waybill != "YT1234567890" {
		t.Fatalf("item after arrival: %+v", item)
	}
	if c.WindowEndsAt != qc.WindowEnd(arrived) || !c.ChangedAt.Equal(later) {
		t.Errorf("window ends %s, changed %s: the window runs from the arrival", c.WindowEndsAt, c.ChangedAt)
	}
	w.bench.refused("error.case_moved_on", qc.FindingRecorded, "u12", w.bench.pass("late", "20481-2")) // round 1

	again := w.bench.flag("f2", "20481-2")
	again.Round = 2
	w.bench.applied(later, qc.FindingRecorded, "u12", again)
	c = w.status(refund.Flagged)
	if c.Finding != "f2" || c.Round != 2 {
		t.Fatalf("after the second flag: %+v", c)
	}
	seen := w.seen()
	if len(seen.Cases) != 1 || seen.Cases[0].Status != refund.Rechecking || len(seen.Findings) != 1 || seen.Findings["f2"].ID != "" {
		t.Errorf("the customer sees of the second flag: %+v", seen)
	}
	w.store(again.Photos[0].Preview.Digest)
	if seen = w.seen(); seen.Cases[0].Status != refund.AwaitingDecision || seen.Findings["f2"].ID != "f2" || len(seen.Findings) != 2 {
		t.Errorf("with the photos here: %+v", seen)
	}
	w.act(c.ID, refund.Event{Kind: refund.ChoseExchange, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedReship, Actor: clerk})
	w.bench.applied(later, qc.ReplacementArrived, "u12", qc.Arrival{Case: c.ID, Waybill: "YT1234567891", By: "u12"})
	good := w.bench.pass("f3", "20481-2")
	good.Round = 3
	w.bench.applied(later, qc.FindingRecorded, "u12", good)
	c = w.status(refund.Exchanged)
	if seen = w.seen(); len(seen.Findings) != 3 || seen.Findings["f3"].Verdict != qc.Pass {
		t.Errorf("the customer sees of the good replacement: %+v", seen.Findings)
	}
	dossier, err := w.Dossier(t.Context(), c.ID)
	w.must(err)
	if len(dossier.Findings) != 3 || dossier.Findings[0].ID != "f3" || dossier.Findings[2].ID != "f-20481-2" {
		t.Errorf("findings of the rounds: %+v", dossier.Findings)
	}
	w.sound()
}

// A lead may take the replacement in at the desk: the item is then the same as
// when a bench does it.
func (open opener) testReplacementAtTheDesk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseExchange, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedReship, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.ReplacementIn, Actor: refund.Actor{Party: refund.ByLead, ID: "lead7"}, Waybill: "YT1234567890"})
	item, err := w.Item(t.Context(), "20481-2")
	w.must(err)
	if item.Round != 2 || !item.StockedInAt.Equal(noon) || item.Waybill != "YT1234567890" {
		t.Fatalf("item after arrival: %+v", item)
	}
	again := w.bench.pass("f2", "20481-2")
	again.Round = 2
	w.bench.applied(noon, qc.FindingRecorded, "u12", again)
	w.status(refund.Exchanged)
	w.sound()
}

func (open opener) testCustomersSeeWhatPassed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.pass("good", "20481-1"))
	if seen := w.seen(); len(seen.Cases) != 0 || len(seen.Findings) != 1 || seen.Findings["good"].Verdict != qc.Pass {
		t.Fatalf("after a pass: %+v", seen)
	}
	w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.flag("doubt", "20481-1"))
	if seen := w.seen(); len(seen.Cases)+len(seen.Findings) != 0 {
		t.Errorf("flagged after all, photos on their way, the customer sees %+v", seen)
	}
	again := w.bench.pass("doubt", "20481-1")
	again.Revision = 2
	w.bench.applied(noon, qc.FindingRecorded, "u12", again)
	if seen := w.seen(); len(seen.Findings) != 1 || seen.Findings["doubt"].Revision != 2 {
		t.Errorf("after the flag was taken back: %+v", seen)
	}
}

func (open opener) testCustomersHearOfWhatWasWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.LeadDismissed, Actor: refund.Actor{Party: refund.ByLead, ID: "lead7"}, Reason: "normal"})
	if seen := w.seen(); len(seen.Cases) != 1 || seen.Cases[0].Status != refund.Withdrawn || len(seen.Findings) != 0 {
		t.Errorf("the customer sees %+v", seen)
	}
}

// seen returns the sample order as its customer sees it.
func (w world) seen() central.OrderView {
	w.t.Helper()
	token, err := w.LinkOrder(w.t.Context(), "20481", "", noon)
	w.must(err)
	view, err := w.OrderByToken(w.t.Context(), "20481", token, noon)
	w.must(err)
	return view
}

func (open opener) testReviewDecidesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	f := w.bench.flag("f1", "20481-3") // dear enough to wait for a lead
	w.store(f.Photos[0].Preview.Digest)
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	c := w.status(refund.Flagged)
	if !c.LeadWaits {
		t.Fatal("a dear item does not wait for a lead")
	}
	review := qc.Review{Finding: "f1", Revision: 1, Outcome: qc.Confirmed, By: "u12"}
	w.bench.refused("error.not_allowed", qc.ReviewGiven, "u12", review)
	review.By = "lead7"
	review.Revision = 2
	w.bench.refused("error.case_moved_on", qc.ReviewGiven, "lead7", review)
	review.Revision, review.Outcome = 1, qc.SentBack
	w.bench.refused("error.field_missing", qc.ReviewGiven, "lead7", review)
	review.Reason = "closer, please"
	w.bench.applied(noon, qc.ReviewGiven, "lead7", review)
	w.status(refund.Flagged)
	review.Outcome = qc.Confirmed
	w.bench.applied(noon, qc.ReviewGiven, "lead7", review)
	w.status(refund.AwaitingDecision)
	standings := w.feed(qc.StandingChanged)
	if len(standings) != 3 {
		t.Fatalf("%d standings told, want opened, sent back, confirmed", len(standings))
	}
	w.sound()

	own := w.bench.flag("f9", "20481-1")
	own.Inspector = "lead7"
	w.bench.applied(noon, qc.FindingRecorded, "lead7", own)
	w.bench.refused("error.own_finding", qc.ReviewGiven, "lead7",
		qc.Review{Finding: "f9", Revision: 1, Outcome: qc.Dismissed, Reason: "mine", By: "lead7"})
}

func (open opener) testAmendAndRetract(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	f := w.bench.flag("f1", "20481-2")
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	w.store(f.Photos[0].Preview.Digest)
	before := w.status(refund.AwaitingDecision)

	f.Revision, f.Unsure = 2, true
	second := f.Photos[0]
	second.ID, second.Preview.Digest = "p2", qc.DigestOf([]byte("a closer look"))
	f.Photos = append(f.Photos, second)
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	c := w.status(refund.Flagged)
	if c.ID != before.ID || c.PhotosMissing != 1 || !c.LeadWaits {
		t.Fatalf("after the second revision: %+v", c)
	}
	w.store(second.Preview.Digest)
	w.status(refund.Flagged)
	w.bench.refused("error.case_moved_on", qc.FindingRecorded, "u12", f) // the same revision again
	good := w.bench.pass("f1", "20481-2")
	good.Revision = 3
	w.bench.applied(noon, qc.FindingRecorded, "u12", good)
	w.status(refund.Withdrawn)
	w.sound()
}

func (open opener) testNoFindingAfterTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseKeep, Actor: customer})
	f := w.bench.flag("f-20481-2", "20481-2")
	f.Revision = 2
	w.bench.refused("error.case_moved_on", qc.FindingRecorded, "u12", f)
	w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.flag("new", "20481-2")) // another inspection may
	w.bench.refused("error.case_moved_on", qc.ReviewGiven, "lead7",
		qc.Review{Finding: "f-20481-2", Revision: 1, Outcome: qc.Confirmed, By: "lead7"})
	w.sound()
}

func (open opener) testPhotosBeforeFinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	f := w.bench.flag("f1", "20481-2")
	w.store(f.Photos[0].Preview.Digest)
	w.store(f.Photos[0].Preview.Digest)
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	w.status(refund.AwaitingDecision)
	if n := len(w.feed(qc.PhotoStored)); n != 1 {
		t.Errorf("a photo stored twice was told %d times", n)
	}
}

func (open opener) testPartsOfPayment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	c = w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(10001), SellerRef: "R-1"})
	if c.Status != refund.RefundShort || c.Credited != money.Fen(10001) {
		t.Fatalf("after the first part: %s, credited %s", c.Status, c.Credited)
	}
	c = w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(30099), SellerRef: "R-2"})
	if c.Status != refund.Credited {
		t.Fatalf("after both parts: %s", c.Status)
	}
	view := w.seen()
	if len(view.Statement) != 2 || view.Statement[1].Running != money.Fen(40100) || view.Balance != money.Fen(40100) ||
		view.Statement[0].Item != "20481-2" || view.Statement[0].Kind != "credit" {
		t.Errorf("statement %+v, balance %s", view.Statement, view.Balance)
	}
	w.sound()
}
