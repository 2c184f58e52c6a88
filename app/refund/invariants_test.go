package refund_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/refund/refundtest"
)

// The promises that hold whatever happens, by their numbers: each has a test
// that lets anything happen and holds the cases to this promise alone, and then
// breaks it on purpose. Numbers 9 and 10 are promises of the store and are tested
// there, on each kind of database (storage/central, TestInvariant9 and
// TestInvariant10); 3, 8, 11 and 12 are tested there as well, with everything
// else, by the rig that lets anything happen to a store.

// fault changes what a step has made of a case and of the money.
type fault func(before refund.Case, after *refund.Case, moved *[]refund.Transfer, e refund.Event)

// lives lets anything happen to the cases of many items, and returns what
// broken first says of a step, or of all cases after it.
func lives(broken func(p *pure, before, after refund.Case) error, plant fault) error {
	for seed := range uint64(200) {
		p := newPure(seed)
		var first error
		p.apply = func(c refund.Case, e refund.Event) (refund.Case, []refund.Transfer, error) {
			after, moved, err := c.Apply(e)
			if err == nil && plant != nil {
				after.Timeline = slices.Clone(after.Timeline)
				plant(c, &after, &moved, e)
			}
			return after, moved, err
		}
		p.check = func(before, after refund.Case) error {
			if first == nil {
				first = broken(p, before, after)
			}
			return first
		}
		for range 80 {
			if err := p.step(); first != nil {
				return first
			} else if err != nil {
				break // another promise was broken: not what is asked here
			}
		}
	}
	return nil
}

// holds tests a promise, and that the planted fault breaks it.
func holds(t *testing.T, broken func(before, after refund.Case) error, plant fault, says string) {
	t.Helper()
	t.Parallel()
	ofOne := func(_ *pure, before, after refund.Case) error { return broken(before, after) }
	holdsFor(t, ofOne, plant, says)
}

func holdsFor(t *testing.T, broken func(p *pure, before, after refund.Case) error, plant fault, says string) {
	t.Helper()
	if err := lives(broken, nil); err != nil {
		t.Error(err)
	}
	if err := lives(broken, plant); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("the fault is found as %v, want %q", err, says)
	}
}

// No credit without received money or an approved loss of ours.
func TestInvariant1_NoCreditWithoutMoney(t *testing.T) {
	holds(t, refundtest.CreditWithoutMoney, func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, e refund.Event) {
		if e.Kind == refund.AgreedRefund { // the seller's word is not money
			c.Credited = money.Fen(c.Paid.Minor())
		}
	}, "came in")
}

// … and nobody approves alone.
func TestInvariant1_TwoPeopleApproveALoss(t *testing.T) {
	holds(t, refundtest.CreditWithoutMoney, func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, e refund.Event) {
		if e.Kind == refund.AgentPaid {
			c.Timeline[len(c.Timeline)-1].Approver = qc.StaffID(e.Actor.ID)
		}
	}, "one person's word")
}

// The sum of all credits is never more than was paid, and what we gave.
func TestInvariant2_NoMoreThanWasPaid(t *testing.T) {
	holds(t, refundtest.CreditOverPaid, func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, e refund.Event) {
		if e.Kind == refund.SellerPaid { // booked in full, part by part
			c.Received = money.Fen(c.Received.Minor() + c.Paid.Minor())
		}
	}, "received")
}

// Each piece is in one open case at most.
func TestInvariant3_OneOpenCaseAPiece(t *testing.T) {
	t.Parallel()
	once := func(p *pure, _, _ refund.Case) error {
		return refundtest.PiecesOnce(p.cases, map[qc.ItemID]int{p.cases[0].Item: p.pieces})
	}
	holdsFor(t, once, func(before refund.Case, c *refund.Case, _ *[]refund.Transfer, _ refund.Event) {
		c.Quantity = before.Quantity + 1
	}, "pieces of")
}

// An item is on hold exactly while its case is open and it has not left.
func TestInvariant4_HeldUntilReturning(t *testing.T) {
	holds(t, refundtest.HoldOff, func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, e refund.Event) {
		if e.Kind == refund.Dispatched { // it is not noted that it has left
			c.Timeline[len(c.Timeline)-1].Event = refund.ReplacementIn
		}
	}, "on hold")
}

// A lead never reviews an own finding.
func TestInvariant5_ReviewerIsNotInspector(t *testing.T) {
	holds(t, refundtest.OwnReview, func(before refund.Case, c *refund.Case, _ *[]refund.Transfer, e refund.Event) {
		if e.Kind == refund.LeadConfirmed && e.Actor.Party == refund.ByLead {
			c.Timeline[len(c.Timeline)-1].Actor.ID = string(before.Inspector)
		}
	}, "own finding")
}

// Every change of status says who, why, from where and to where.
func TestInvariant6_EveryChangeIsSaid(t *testing.T) {
	for name, plant := range map[string]func(*refund.Entry){
		"who":     func(e *refund.Entry) { e.Actor = refund.Actor{} },
		"when":    func(e *refund.Entry) { e.At = time.Time{} },
		"why":     func(e *refund.Entry) { e.Note = "" },
		"from":    func(e *refund.Entry) { e.From = refund.Corrected },
		"to":      func(e *refund.Entry) { e.To = "" },
		"by whom": func(e *refund.Entry) { e.Approver = "" },
	} {
		t.Run(name, func(t *testing.T) {
			holds(t, refundtest.ChangeUnsaid, func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, _ refund.Event) {
				plant(&c.Timeline[len(c.Timeline)-1])
			}, "entry")
		})
	}
	t.Run("that it changed", func(t *testing.T) {
		holds(t, refundtest.ChangeUnsaid, func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, _ refund.Event) {
			c.Timeline = c.Timeline[:len(c.Timeline)-1]
		}, "entries")
	})
}

// Every open status that waits for none of ours has a timer.
func TestInvariant7_NothingIsForgotten(t *testing.T) {
	holds(t, refundtest.Forgotten, func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, _ refund.Event) {
		if c.Status == refund.OfferPending {
			c.Offer = nil // and with it when it ends
		}
	}, "a clock runs")
}

// The ledger sums to nought, and no balance changes without a posting.
func TestInvariant8_LedgerSumsToNought(t *testing.T) {
	t.Parallel()
	balanced := func(p *pure, _, _ refund.Case) error { return refundtest.Balanced(p.cases, p.books, "C-1001", "店") }
	for says, plant := range map[string]fault{
		"are neither": func(_ refund.Case, _ *refund.Case, moved *[]refund.Transfer, e refund.Event) {
			if e.Kind == refund.SellerPaid && len(*moved) > 0 { // what came in is not booked
				*moved = (*moved)[1:]
			}
		},
		"the balance is": func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, e refund.Event) {
			if e.Kind == refund.Goodwill { // given, and not booked
				c.Credited, c.Absorbed = money.Fen(c.Credited.Minor()+1), money.Fen(c.Absorbed.Minor()+1)
			}
		},
	} {
		holdsFor(t, balanced, plant, says)
	}
}

// No customer sees a case whose photos are not there.
func TestInvariant11_NothingIsShownHalf(t *testing.T) {
	holds(t, refundtest.ShownHalf, func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, e refund.Event) {
		if e.Kind == refund.Amended {
			c.Status, c.PhotosMissing = refund.AwaitingDecision, 1
		}
	}, "photos missing")
}

// A case that has ended never changes.
func TestInvariant12_TheEndIsTheEnd(t *testing.T) {
	t.Parallel()
	ended := func(_ *pure, before, after refund.Case) error { return refundtest.EndChanged(before, after) }
	if err := lives(ended, nil); err != nil {
		t.Error(err)
	}
	kept := play(t, open(t, opening()), refund.Event{Kind: refund.ChoseKeep, Actor: customer})
	changed := kept
	changed.Version++
	if refundtest.EndChanged(kept, kept) != nil || refundtest.EndChanged(kept, changed) == nil {
		t.Error("a change after the end is not found")
	}
}

// Nobody is left with neither the money nor the item.
func TestInvariant_NobodyIsLeftWithNeither(t *testing.T) {
	holds(t, refundtest.LeftWithNeither, func(before refund.Case, c *refund.Case, _ *[]refund.Transfer, e refund.Event) {
		if e.Kind == refund.NoReplacement && before.Away() { // asked, and kept by saying nothing
			c.Status = refund.AwaitingDecision
		}
	}, "seller has the item")
}
