package refund_test

import (
	"errors"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/refund"

	"pgregory.net/rapid"
)

// ended plays a case to its credited end.
func ended(t *testing.T) refund.Case {
	t.Helper()
	return play(t, open(t, opening()), refund.Event{Kind: refund.ChoseRefund, Actor: customer},
		refund.Event{Kind: refund.AgreedRefund, Actor: clerk},
		refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1"})
}

// TestLinked_AnyLife lets anything happen to corrections and reported flaws:
// the ledger adds up, no balance is overdrawn, and nothing moves on the word of
// one person.
func TestLinked_AnyLife(t *testing.T) {
	t.Parallel()
	parent := ended(t)
	reached := make(map[refund.Status]int)
	rapid.Check(t, func(t *rapid.T) {
		e := refund.Event{
			Kind: refund.Reversed, Actor: clerk, At: noon, Reason: "because", SellerRef: "V-1",
			Amount: money.Fen(rapid.Int64Range(1, 40100).Draw(t, "reversed")),
		}
		c, err := parent.Correct("N1", money.Fen(0), e)
		if rapid.Bool().Draw(t, "missed") {
			o := opening()
			o.ID = "M1"
			c, err = refund.Missed(o, refund.Case{}, refund.Event{Kind: refund.ClaimedFlaw, Actor: customer, At: noon, Reason: "torn"})
		}
		if err != nil {
			t.Fatal(err)
		}
		free := rapid.Int64Range(0, 50000).Draw(t, "balance")
		posted := map[refund.Account]int64{refund.CustomerAccount("C-1001"): free}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			e := drawEvent(t, noon.Add(time.Hour))
			if rapid.IntRange(0, 3).Draw(t, "guided") > 0 {
				e.Kind = rapid.SampledFrom([]refund.Kind{refund.TakenBack, refund.LossBorne, refund.ReversalLifted, refund.ClaimGranted, refund.ClaimDeclined}).Draw(t, "known")
				e.Actor, e.Reason = clerk, "because"
				e.Amount = money.Fen(rapid.SampledFrom([]int64{100, 20000, 40100, 40101}).Draw(t, "granted"))
			}
			e.Approver = "boss1"
			if rapid.IntRange(0, 4).Draw(t, "alone") == 0 {
				e.Approver = "clerk3"
			}
			e.Available = money.Fen(free)
			after, moved, err := c.Apply(e)
			if err != nil {
				continue
			}
			if len(moved) > 0 && e.Approver == "clerk3" {
				t.Fatalf("%s moved money on one person's word", e.Kind)
			}
			for _, m := range moved {
				posted[m.Credit] += m.Amount.Minor()
				posted[m.Debit] -= m.Amount.Minor()
			}
			c = after
			reached[c.Status]++
		}
		sum := -free
		for _, balance := range posted {
			sum += balance
		}
		if left := posted[refund.CustomerAccount("C-1001")]; sum != 0 || left < 0 || left != free+c.Credited.Minor()-c.TakenBack.Minor() {
			t.Fatalf("ledger %v, sum %d, given %s, taken back %s", posted, sum, c.Credited, c.TakenBack)
		}
		if posted["seller_receivable:店"] != 0 || -posted[refund.LossAccount] != c.Absorbed.Minor() {
			t.Fatalf("ledger %v, our loss %s", posted, c.Absorbed)
		}
	})
	for _, s := range []refund.Status{refund.Corrected, refund.CreditedKept, refund.Withdrawn} {
		if reached[s] == 0 {
			t.Errorf("no linked case came to %s", s)
		}
	}
}

// TestLinked_OnlyAfterTheEnd: nothing follows from what has not ended.
func TestLinked_OnlyAfterTheEnd(t *testing.T) {
	t.Parallel()
	parent := ended(t)
	took := refund.Event{Kind: refund.Reversed, Actor: clerk, At: noon, Reason: "because", SellerRef: "V-1", Amount: money.Fen(100)}
	n, err := parent.Correct("N1", money.Fen(0), took)
	if err != nil {
		t.Fatal(err)
	}
	done := play(t, n, refund.Event{Kind: refund.LossBorne, Actor: clerk, Reason: "ours", Approver: "boss1"})
	for name, test := range map[string]struct {
		of   refund.Case
		by   refund.Actor
		want error
	}{
		"an open case":     {open(t, opening()), clerk, refund.ErrNotNow},
		"a correction":     {done, clerk, refund.ErrNotNow},
		"an open one":      {n, clerk, refund.ErrNotNow},
		"by the customer":  {parent, customer, refund.ErrNotYours},
		"by a bench":       {parent, bench, refund.ErrNotYours},
		"of what was kept": {play(t, open(t, opening()), refund.Event{Kind: refund.ChoseKeep, Actor: customer}), clerk, refund.ErrNotNow},
	} {
		e := took
		e.Actor = test.by
		if _, err := test.of.Correct("N2", money.Fen(0), e); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if _, err := refund.Missed(opening(), parent, refund.Event{Kind: refund.ClaimedFlaw, Actor: customer, At: noon, Reason: "torn"}); !errors.Is(err, refund.ErrNotNow) {
		t.Errorf("a flaw of what was sent back: %v", err)
	}
}
