package refund_test

import (
	"errors"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/refund"
)

// TestFees_SetAside: what a choice costs more than it brings is set aside only
// with the customer's word, taken when the case ends as chosen, and free again
// when it ends otherwise.
func TestFees_SetAside(t *testing.T) {
	t.Parallel()
	chose := refund.Event{Kind: refund.ChoseRefund, Actor: customer, Consent: true}
	swaps := refund.Event{Kind: refund.ChoseExchange, Actor: customer, Consent: true}
	does := func(kind refund.Kind, actor refund.Actor) refund.Event {
		return refund.Event{Kind: kind, Actor: actor, Reason: "because", Waybill: "SF1234567890", Approver: "boss1"}
	}
	pays := func(fen int64, ref string) refund.Event {
		return refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(fen), SellerRef: ref}
	}
	// Goods for ¥10.00 of a minor flaw: fees of ¥17.00.
	for name, life := range map[string]struct {
		events                            []refund.Event
		held, free, fees, credited, still int64 // held after the choice; still held at the end
	}{
		"refunded":             {[]refund.Event{chose, does(refund.AgreedRefund, clerk), pays(1000, "R-1")}, 700, -700, 1700, 0, 0},
		"in parts":             {[]refund.Event{chose, does(refund.AgreedRefund, clerk), pays(1, "R-1"), pays(999, "R-2")}, 700, -700, 1700, 0, 0},
		"short, settled":       {[]refund.Event{chose, does(refund.AgreedRefund, clerk), pays(400, "R-1"), does(refund.ShortSettled, clerk)}, 700, -700, 1100, 0, 0},
		"our mistake":          {[]refund.Event{chose, does(refund.AgreedReturn, clerk), {Kind: refund.ReturnLapsed, Actor: clerk}}, 700, 0, 0, 0, 0},
		"taken back":           {[]refund.Event{chose, does(refund.Reconsidered, customer)}, 700, 0, 0, 0, 0},
		"refused, kept":        {[]refund.Event{chose, does(refund.Refused, clerk), does(refund.GaveUp, customer)}, 700, 0, 0, 0, 0},
		"withdrawn":            {[]refund.Event{chose, does(refund.DeskWithdrew, clerk)}, 700, 0, 0, 0, 0},
		"exchanged":            {[]refund.Event{swaps, does(refund.AgreedReship, clerk), does(refund.ReplacementIn, bench), does(refund.RecheckPassed, bench)}, 1700, -1700, 1700, 0, 0},
		"exchange, none came":  {[]refund.Event{swaps, does(refund.AgreedReship, clerk), does(refund.NoReplacement, clerk)}, 1700, 0, 0, 0, 0},
		"still being refunded": {[]refund.Event{chose, does(refund.AgreedRefund, clerk)}, 700, -700, 0, 0, 700},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := opening()
			o.Liability, o.Item.Quantity, o.Item.UnitPrice, o.Item.FreightIn = refund.ByMinorFlaw, 1, money.Fen(1000), money.Fen(0)
			c := open(t, o)
			posted := make(map[refund.Account]int64)
			seen := make(map[string]bool)
			for i, e := range life.events {
				e.At = c.ChangedAt.Add(time.Minute)
				if i == 0 {
					silent := e
					silent.Consent = false
					if _, _, err := c.Apply(silent); !errors.Is(err, refund.ErrConsent) {
						t.Fatalf("without the customer's word: %v", err)
					}
				}
				after, moved, err := c.Apply(e)
				if err != nil {
					t.Fatalf("%s in %s: %v", e.Kind, c.Status, err)
				}
				c = after
				for _, transfer := range moved {
					if seen[transfer.ID] {
						t.Fatalf("%s moves money under an id that was used", e.Kind)
					}
					seen[transfer.ID] = true
					posted[transfer.Credit] += transfer.Amount.Minor()
					posted[transfer.Debit] -= transfer.Amount.Minor()
				}
				if posted[refund.HoldAccount("C-1001")] != c.Held.Minor() || i == 0 && c.Held.Minor() != life.held {
					t.Fatalf("after %s %s is held, the account has %d", e.Kind, c.Held, posted[refund.HoldAccount("C-1001")])
				}
			}
			if posted[refund.CustomerAccount("C-1001")] != life.free || posted[refund.FeeAccount] != life.fees ||
				c.Credited.Minor() != life.credited || c.Held.Minor() != life.still {
				t.Errorf("%s: posted %v, held %s, credited %s", c.Status, posted, c.Held, c.Credited)
			}
		})
	}
}
