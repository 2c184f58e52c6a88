package central_test

import (
	"strings"
	"testing"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// credited is a world with a case whose money is on the balance.
func (open opener) credited(t *testing.T) (world, refund.Case) {
	t.Helper()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	owed, err := c.Owed()
	w.must(err)
	return w, w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: owed, SellerRef: "R-1"})
}

func (w world) balance() int64 {
	w.t.Helper()
	balance, err := w.Balance(w.t.Context(), "C-1001")
	w.must(err)
	return balance.Minor()
}

func (open opener) testCorrection(t *testing.T) {
	t.Parallel()
	w, c := open.credited(t)
	had := w.balance()
	took := refund.Event{Actor: clerk, Amount: money.Fen(20000), SellerRef: "V-1", Reason: "platform reversed it"}
	for name, bad := range map[string]refund.Event{
		"a customer": {Actor: customer, Amount: took.Amount, SellerRef: "V-1", Reason: "x"},
		"no number":  {Actor: clerk, Amount: took.Amount, Reason: "x"},
		"too much":   {Actor: clerk, Amount: money.Fen(had + 1), SellerRef: "V-1", Reason: "x"},
		"nothing":    {Actor: clerk, SellerRef: "V-1", Reason: "x"},
	} {
		if _, err := w.Correct(t.Context(), c.ID, bad); err == nil {
			t.Errorf("%s opened a correction", name)
		}
	}
	n, err := w.Correct(t.Context(), c.ID, took)
	w.must(err)
	again, err := w.Correct(t.Context(), c.ID, took) // the marketplace says so twice
	w.must(err)
	if again.ID != n.ID || n.Status != refund.Disputed || n.Parent != c.ID || n.Sort != refund.Correction {
		t.Fatalf("opened %+v, then %s", n, again.ID)
	}
	if w.balance() != had {
		t.Fatal("money moved before two people had decided")
	}
	if now := w.load(c.ID); now.Version != c.Version || now.Status != refund.Credited {
		t.Fatal("the ended case has changed")
	}
	_, err = w.Act(t.Context(), n.ID, 0, refund.Event{Kind: refund.TakenBack, Actor: clerk, Reason: "agreed"}, "")
	wantErr(t, err, refund.ErrMissing)
	_, err = w.Act(t.Context(), n.ID, 0, refund.Event{Kind: refund.TakenBack, Actor: clerk, Reason: "agreed", Approver: "clerk3"}, "")
	wantErr(t, err, refund.ErrSamePerson)
	done := w.act(n.ID, refund.Event{Kind: refund.TakenBack, Actor: clerk, Reason: "agreed", Approver: "boss1"})
	if done.Status != refund.Corrected || done.TakenBack != money.Fen(20000) || !done.Absorbed.IsZero() || w.balance() != had-20000 {
		t.Errorf("taken back %s, our loss %s, balance %d", done.TakenBack, done.Absorbed, w.balance())
	}
	view := w.seen()
	if len(view.Cases) != 2 || view.Statement[len(view.Statement)-1].Amount != money.Fen(-20000) {
		t.Errorf("the customer sees %d cases and %+v", len(view.Cases), view.Statement)
	}
	took.SellerRef, took.Amount = "V-2", money.Fen(had-20000+1)
	_, err = w.Correct(t.Context(), c.ID, took) // more than was left of it
	wantErr(t, err, refund.ErrAmount)
	w.sound()
}

// What the customer has spent meanwhile cannot be taken back: it is our loss,
// and no balance goes below nothing.
func (open opener) testCorrectionNeverOverdraws(t *testing.T) {
	t.Parallel()
	w, c := open.credited(t)
	had := w.balance()
	first, err := w.Correct(t.Context(), c.ID, refund.Event{Actor: clerk, Amount: money.Fen(had - 100), SellerRef: "V-1", Reason: "reversed"})
	w.must(err)
	w.act(first.ID, refund.Event{Kind: refund.TakenBack, Actor: clerk, Reason: "agreed", Approver: "boss1"})
	second, err := w.Correct(t.Context(), c.ID, refund.Event{Actor: clerk, Amount: money.Fen(100), SellerRef: "V-2", Reason: "reversed"})
	w.must(err)
	_, err = w.Reserve(t.Context(), reservation(70), noon) // set aside for a shop: not free to be taken
	w.must(err)
	done := w.act(second.ID, refund.Event{Kind: refund.TakenBack, Actor: clerk, Reason: "agreed", Approver: "boss1"})
	if done.TakenBack != money.Fen(30) || done.Absorbed != money.Fen(70) || w.balance() != 0 {
		t.Errorf("taken back %s, our loss %s, balance %d", done.TakenBack, done.Absorbed, w.balance())
	}
	w.sound()
}

func (open opener) testCorrectionBorneOrLifted(t *testing.T) {
	t.Parallel()
	w, c := open.credited(t)
	had := w.balance()
	for ref, end := range map[string]refund.Kind{"V-1": refund.LossBorne, "V-2": refund.ReversalLifted} {
		n, err := w.Correct(t.Context(), c.ID, refund.Event{Actor: clerk, Amount: money.Fen(5000), SellerRef: ref, Reason: "reversed"})
		w.must(err)
		w.act(n.ID, refund.Event{Kind: end, Actor: clerk, Reason: "decided", Approver: "boss1"})
		w.stands(n.ID, refund.Corrected)
	}
	if w.balance() != had {
		t.Errorf("balance %d, was %d", w.balance(), had)
	}
	w.sound()
}

func (open opener) testMissedFlaw(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	found := refund.Event{Actor: customer, Reason: "the sole is torn"}
	_, err := w.ClaimFlaw(t.Context(), "20481-1", found)
	wantErr(t, err, refund.ErrNotNow) // nobody has inspected it yet
	w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.pass("good", "20481-1"))
	n, err := w.ClaimFlaw(t.Context(), "20481-1", found)
	w.must(err)
	again, err := w.ClaimFlaw(t.Context(), "20481-1", found)
	w.must(err)
	if n.ID != again.ID || n.Status != refund.Disputed || n.Sort != refund.MissedFlaw || n.Liability != refund.ByAgentFault || n.Finding != "good" {
		t.Fatalf("claimed %+v, then %s", n, again.ID)
	}
	found.Reason = "and the laces"
	_, err = w.ClaimFlaw(t.Context(), "20481-1", found)
	wantErr(t, err, central.ErrClaimed)
	grant := refund.Event{Kind: refund.ClaimGranted, Actor: clerk, Reason: "it was to be seen", Approver: "boss1", Amount: money.Fen(45900 + 1200 + 1)}
	_, err = w.Act(t.Context(), n.ID, 0, grant, "")
	wantErr(t, err, refund.ErrAmount)
	grant.Amount = money.Fen(9000)
	if done := w.act(n.ID, grant); done.Status != refund.CreditedKept || w.balance() != 9000 {
		t.Errorf("ended as %s with %d on the balance", done.Status, w.balance())
	}
	w.bench.refused("error.case_moved_on", qc.FindingRecorded, "u12", w.bench.pass("good", "20481-1"))

	kept := w.act(w.visibleToo("20481-2").ID, refund.Event{Kind: refund.ChoseKeep, Actor: customer})
	n, err = w.ClaimFlaw(t.Context(), "20481-2", refund.Event{Actor: clerk, Reason: "glue gave way"})
	w.must(err)
	if n.Parent != kept.ID {
		t.Errorf("linked to %q", n.Parent)
	}
	w.act(n.ID, refund.Event{Kind: refund.ClaimDeclined, Actor: clerk, Reason: "worn"})
	w.stands(n.ID, refund.Withdrawn)
	if now := w.load(kept.ID); now.Version != kept.Version {
		t.Error("the ended case has changed")
	}
	if w.balance() != 9000 {
		t.Errorf("balance %d after a claim was declined", w.balance())
	}
	w.sound()
}

// testMissedFlawIsATicket: there is one way to report a flaw that we missed. It is
// a ticket, with photos, and opens the case where there can be one.
func (open opener) testMissedFlawIsATicket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	report := func(text, key string) refund.Ticket {
		t.Helper()
		wr := asks(text, key, noon)
		wr.Item, wr.Topic = "20481-1", refund.TopicMissedFlaw
		return w.write(wr)
	}
	if early := report("the box was wet", "k0"); early.Case != "" {
		t.Errorf("before anybody has looked, it is of case %s", early.Case)
	}
	w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.pass("good", "20481-1"))
	long := strings.Repeat("字", 600)
	first := report(long, "k1")
	c := w.load(first.Case)
	if c.Sort != refund.MissedFlaw || c.Status != refund.Disputed || len([]rune(c.Reason)) != 500 || first.Messages[0].Text != long {
		t.Fatalf("reported as %+v", c)
	}
	if again := report(long, "k1"); again.ID != first.ID || len(again.Messages) != 1 {
		t.Errorf("pressed twice: %+v", again)
	}
	if more := report("and the laces", "k2"); more.ID == first.ID || more.Case != c.ID {
		t.Errorf("what is found later is ticket %s of case %s", more.ID, more.Case)
	}
	nothing := asks("", "k3", noon)
	nothing.Item, nothing.Topic, nothing.Pictures = "20481-1", refund.TopicMissedFlaw, []refund.Picture{{Digest: qc.DigestOf([]byte("p"))}}
	_, err := w.WriteTicket(t.Context(), nothing)
	wantErr(t, err, refund.ErrTicketFlaw)
	w.sound()
}

// visibleToo is visible where there are other cases already.
func (w world) visibleToo(item qc.ItemID) refund.Case {
	w.t.Helper()
	f := w.bench.flag(qc.FindingID("f-"+item), item)
	w.store(f.Photos[0].Preview.Digest)
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	cases, err := w.Cases(w.t.Context(), central.CaseFilter{Query: string(item)})
	w.must(err)
	return cases[0]
}
