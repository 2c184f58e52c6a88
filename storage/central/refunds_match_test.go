package central_test

import (
	"fmt"
	"testing"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// owing is a world in which three cases wait for a seller's money, two of them
// of one order at the marketplace, and one does not.
func owing(t *testing.T, open opener) (world, map[qc.ItemID]refund.Case) {
	t.Helper()
	w := newWorld(t, open)
	order := sampleOrder()
	for i, placed := range []string{"T-100", "T-200", "T-200"} {
		order.Items[i].PlatformOrder = placed
	}
	fourth := order.Items[0]
	fourth.ID, fourth.PlatformOrder, fourth.UnitPrice, fourth.Seller = "20481-4", "T-400", money.Fen(5000), "另一家"
	order.Items = append(order.Items, fourth)
	_, err := w.ImportOrders(t.Context(), []qc.Order{order}, noon)
	w.must(err)
	cases := make(map[qc.ItemID]refund.Case)
	for _, item := range order.Items {
		f := w.bench.flag(qc.FindingID("f-"+item.ID), item.ID)
		w.bench.applied(noon, qc.FindingRecorded, "u12", f)
		w.store(f.Photos[0].Preview.Digest)
	}
	all, err := w.Cases(t.Context(), central.CaseFilter{})
	w.must(err)
	for _, c := range all {
		if c.Status == refund.Flagged { // dear enough to wait for a lead
			c = w.act(c.ID, refund.Event{Kind: refund.LeadConfirmed, Actor: refund.Actor{Party: refund.ByLead, ID: "lead7"}})
		}
		c = w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
		if c.Item != "20481-4" {
			c = w.act(c.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
		}
		cases[c.Item] = c
	}
	return w, cases
}

func (open opener) testRefundsAreMatched(t *testing.T) {
	t.Parallel()
	w, cases := owing(t, open)
	rows, err := central.ParseRefunds([]byte("ref,order,amount,note\n" +
		"R-1,T-100,471.00,\n" + // in full
		"R-2,T-200,\"2,512.00\",\n" + // of two of the order, the one it fits
		"R-3,,401.00,\n" + // only the amount says so
		"R-4,,99.00,\n" +
		"R-5,T-999,62.00,\n" +
		"R-6,T-400,62.00,\n" + // its case still negotiates
		"R-1,T-100,471.00,\n" +
		"R-7,T-100,1.00,\n" + // nothing left to wait for
		"R-8,,5.00,again\n" + "R-8,,6.00,again\n" +
		"R-9,,nothing,\n"))
	w.must(err)
	matches, err := w.MatchRefunds(t.Context(), rows)
	w.must(err)
	got := func(matches []central.RefundMatch) string {
		var states []central.MatchState
		for _, m := range matches {
			states = append(states, m.State)
		}
		return fmt.Sprint(states)
	}
	if want := "[sure sure likely unknown unknown ended repeated ended differs differs broken]"; got(matches) != want {
		t.Fatalf("matched as %s, want %s", got(matches), want)
	}
	if m := matches[1]; m.Case != cases["20481-3"].ID || m.Item != "20481-3" || m.Waits != money.Fen(251200) || m.Short {
		t.Errorf("second row %+v", m)
	}
	if before, err := w.Balance(t.Context(), "C-1001"); err != nil || !before.IsZero() {
		t.Fatalf("matching booked %s, %v", before, err)
	}

	booked, err := w.BookRefunds(t.Context(), matches, clerk, noon)
	w.must(err)
	if want := "[done done likely unknown unknown ended repeated ended differs differs broken]"; got(booked) != want {
		t.Errorf("booked as %s, want %s", got(booked), want)
	}
	for range 2 { // the same preview, and the same file, once more
		again, err := w.BookRefunds(t.Context(), matches, clerk, noon)
		w.must(err)
		fresh, err := w.MatchRefunds(t.Context(), rows)
		w.must(err)
		if got(again) != got(booked) || got(fresh) != got(booked) {
			t.Errorf("again: booked as %s, matched as %s", got(again), got(fresh))
		}
	}
	matches[2].State = central.MatchSure // a clerk says so
	_, err = w.BookRefunds(t.Context(), matches, clerk, noon)
	w.must(err)
	balance, err := w.Balance(t.Context(), "C-1001")
	w.must(err)
	if balance != money.Fen(47100+251200+40100) {
		t.Errorf("credited %s", balance)
	}
	w.sound()
}

func (open opener) testRefundsInParts(t *testing.T) {
	t.Parallel()
	w, cases := owing(t, open)
	rows, err := central.ParseRefunds([]byte("ref,amount,note\n" +
		"R-1,100.00,20481-1 first\n" + "R-2,371.00,20481-1\n" + "R-3,0.01,20481-1\n" + "R-4,402.00,(20481-2)\n"))
	w.must(err)
	matches, err := w.MatchRefunds(t.Context(), rows)
	w.must(err)
	for i, want := range []struct {
		state central.MatchState
		short bool
	}{{central.MatchSure, true}, {central.MatchSure, false}, {central.MatchEnded, false}, {central.MatchOver, false}} {
		if matches[i].State != want.state || matches[i].Short != want.short {
			t.Errorf("row %d: %+v, want %+v", i, matches[i], want)
		}
	}
	together(t, 8, func(int) error {
		_, err := w.BookRefunds(t.Context(), matches, clerk, noon)
		return err
	})
	c, err := w.Case(t.Context(), cases["20481-1"].ID)
	w.must(err)
	if c.Status != refund.Credited || c.Received != money.Fen(47100) {
		t.Errorf("after both parts: %s, received %s", c.Status, c.Received)
	}
	for _, ref := range []string{"r-1", "R-2"} { // each of the refunds leads to the case
		if work, err := w.Worklist(t.Context(), central.WorkFilter{Search: refund.ReadSearch(ref)}); err != nil || work.Total != 1 || work.Rows[0].Case.ID != c.ID {
			t.Errorf("searching %s finds %d cases, %v", ref, work.Total, err)
		}
	}
	// What a person confirms against the rules is refused in words.
	matches[3].State = central.MatchSure
	booked, err := w.BookRefunds(t.Context(), matches, clerk, noon)
	w.must(err)
	if booked[3].State != central.MatchBroken || booked[3].Problem != "error."+refund.ErrAmount.Error() {
		t.Errorf("too much: %+v", booked[3])
	}
	w.sound()
}
