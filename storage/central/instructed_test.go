package central_test

import (
	"testing"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

func (w world) instruct(i qc.Instructions) {
	w.t.Helper()
	w.must(w.Instruct(w.t.Context(), "20481", i, customer))
}

// flawed flags an item with one flaw so that its customer would be asked.
func (w world) flawed(item qc.ItemID, severity qc.Severity) refund.Case {
	w.t.Helper()
	f := w.bench.flag(qc.FindingID("f-"+item), item)
	f.Flaws[0].Severity = severity
	w.store(f.Photos[0].Preview.Digest)
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	return w.only()
}

func (open opener) testInstructions(t *testing.T) {
	t.Parallel()
	usual := qc.Instructions{Grave: qc.WishRefund, Minor: qc.WishDiscount, OfferFrom: 10}
	t.Run("a grave flaw", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, open)
		order := sampleOrder()
		order.Customer.Email = "ana@example.com"
		_, err := w.ImportOrders(t.Context(), []qc.Order{order}, noon)
		w.must(err)
		w.instruct(usual)
		c := w.flawed("20481-2", qc.Major)
		last := c.Timeline[len(c.Timeline)-1]
		if c.Status != refund.Negotiating || c.Intent != refund.Refund || last.Rule != refund.GraveRule || last.Actor.Party != refund.ByInstruction {
			t.Fatalf("%s, %s by %+v", c.Status, c.Intent, last)
		}
		told := w.told(refund.ByMail)
		if told[len(told)-1] != refund.TellInstructed {
			t.Errorf("the customer is told of %v", told)
		}
		// The customer's own word counts from then on.
		c = w.act(c.ID, refund.Event{Kind: refund.Reconsidered, Actor: customer})
		c = w.act(c.ID, refund.Event{Kind: refund.ChoseDiscount, Actor: customer})
		c = w.act(c.ID, refund.Event{Kind: refund.Offered, Actor: clerk, Amount: money.Fen(30000)})
		if c.Status != refund.OfferPending {
			t.Errorf("against the customer's own word: %s", c.Status)
		}
		w.sound()
	})
	t.Run("a minor flaw", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, open)
		w.instruct(usual)
		c := w.flawed("20481-2", qc.Minor)
		if c.Status != refund.Negotiating || c.Intent != refund.Discount {
			t.Fatalf("%s, %s", c.Status, c.Intent)
		}
		c = w.act(c.ID, refund.Event{Kind: refund.Offered, Actor: clerk, Amount: money.Fen(3889)}) // a fen too little
		if c.Status != refund.OfferPending {
			t.Fatalf("too little was accepted: %s", c.Status)
		}
		c = w.act(c.ID, refund.Event{Kind: refund.Offered, Actor: clerk, Amount: money.Fen(3890)})
		if last := c.Timeline[len(c.Timeline)-1]; c.Status != refund.SellerRefunding || last.Rule != refund.OfferRule {
			t.Fatalf("%s by %+v", c.Status, last)
		}
		w.sound()
	})
	t.Run("else keep", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, open)
		w.instruct(usual)
		c := w.flawed("20481-2", qc.Minor)
		c = w.act(c.ID, refund.Event{Kind: refund.Refused, Actor: clerk, Reason: "no"})
		if last := c.Timeline[len(c.Timeline)-1]; c.Status != refund.Kept || last.Rule != refund.ElseRule {
			t.Errorf("%s by %+v", c.Status, last)
		}
		w.sound()
	})
	t.Run("after the photos, and not before", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, open)
		w.instruct(usual)
		f := w.bench.flag("f1", "20481-2")
		f.Flaws[0].Severity = qc.Critical
		w.bench.applied(noon, qc.FindingRecorded, "u12", f)
		c := w.status(refund.Flagged) // a critical flaw waits for a lead as well
		w.store(f.Photos[0].Preview.Digest)
		w.status(refund.Flagged)
		w.act(c.ID, refund.Event{Kind: refund.LeadConfirmed, Actor: refund.Actor{Party: refund.ByLead, ID: "lead7"}})
		w.status(refund.Negotiating)
	})
}

// Nothing is done that costs the customer money.
func TestInstructions_NeverCostMoney(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(testing.TB) *central.Store { return underTerms(t) })
	c := w.visible("20481-2") // minor: a return would cost the way back
	e, acts := c.Instructed(qc.Instructions{Grave: qc.WishRefund}, qc.Finding{Flaws: []qc.Flaw{{Severity: qc.Major}}}, "")
	if !acts {
		t.Fatal("the instructions say nothing")
	}
	e.At = noon
	_, err := w.Act(t.Context(), c.ID, 0, e, "")
	wantErr(t, err, refund.ErrCosts)
	w.status(refund.AwaitingDecision)
}

func (open opener) testInstructionsAreTheCustomers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	order := sampleOrder()
	order.Customer.Instructions = qc.Instructions{Minor: qc.WishKeep}
	_, err := w.ImportOrders(t.Context(), []qc.Order{order}, noon)
	w.must(err)
	read := func() qc.Instructions {
		t.Helper()
		got, err := w.Order(t.Context(), "20481")
		w.must(err)
		return got.Customer.Instructions
	}
	if got := read(); got.Minor != qc.WishKeep {
		t.Fatalf("imported %+v", got)
	}
	w.instruct(qc.Instructions{Grave: qc.WishExchange})
	_, err = w.ImportOrders(t.Context(), []qc.Order{order}, noon) // the shop does not know
	w.must(err)
	if got := read(); got.Grave != qc.WishExchange || got.Minor != qc.WishAsked || !got.SetAt.Equal(noon) {
		t.Errorf("the customer said exchange, kept is %+v", got)
	}
	for _, bad := range []qc.Instructions{{Grave: "burn"}, {Minor: qc.WishRefund}, {Minor: qc.WishDiscount}, {OfferFrom: 101}} {
		wantErr(t, w.Instruct(t.Context(), "20481", bad, customer), qc.ErrInstructions)
	}
	order.Customer.Instructions = qc.Instructions{OfferFrom: -1}
	if _, err = w.ImportOrders(t.Context(), []qc.Order{order}, noon); err == nil {
		t.Error("nonsense was imported")
	}
	w.sound()
}
