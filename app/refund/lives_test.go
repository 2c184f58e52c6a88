package refund_test

import (
	"errors"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/refund"
)

// TestLives plays a life to each end, with the money it brings.
func TestLives(t *testing.T) {
	t.Parallel()
	system := refund.Actor{Party: refund.BySystem}
	pays := func(fen int64, ref string) refund.Event {
		return refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(fen), SellerRef: ref}
	}
	does := func(kind refund.Kind, actor refund.Actor) refund.Event {
		return refund.Event{Kind: kind, Actor: actor, Reason: "because", Waybill: "SF1234567890", Approver: "boss1"}
	}
	offers := func(fen int64) refund.Event {
		return refund.Event{Kind: refund.Offered, Actor: clerk, Amount: money.Fen(fen)}
	}
	for name, life := range map[string]struct {
		events   []refund.Event
		end      refund.Status
		credited int64
		absorbed int64
	}{
		"offer accepted":                {[]refund.Event{does(refund.ChoseRefund, customer), offers(8000), does(refund.AcceptedOffer, customer), pays(8000, "R-1")}, refund.CreditedKept, 8000, 0},
		"offer bettered":                {[]refund.Event{does(refund.ChoseDiscount, customer), offers(3000), {Kind: refund.CounteredOffer, Actor: customer, Amount: money.Fen(9000)}, offers(6000), does(refund.AcceptedOffer, customer), pays(6000, "R-1")}, refund.CreditedKept, 6000, 0},
		"offer declined":                {[]refund.Event{does(refund.ChoseRefund, customer), offers(3000), does(refund.DeclinedOffer, customer), does(refund.AgreedRefund, clerk), pays(40100, "R-1")}, refund.Credited, 40100, 0},
		"photos first":                  {[]refund.Event{does(refund.AskedPhotos, customer), does(refund.PhotosDeclined, clerk), does(refund.ChoseKeep, customer)}, refund.Kept, 0, 0},
		"mediated, paid":                {[]refund.Event{does(refund.ChoseRefund, customer), does(refund.Refused, clerk), does(refund.Appealed, clerk), does(refund.RuledRefund, clerk), pays(40100, "R-1")}, refund.Credited, 40100, 0},
		"mediated, lost, unwanted":      {[]refund.Event{does(refund.ChoseRefund, customer), does(refund.Appealed, clerk), does(refund.RuledAgainst, clerk), does(refund.Abandoned, customer)}, refund.Forfeited, 0, 0},
		"parcel lost, we pay":           {[]refund.Event{does(refund.ChoseRefund, customer), does(refund.AgreedReturn, clerk), does(refund.Dispatched, bench), does(refund.ReturnTroubled, clerk), does(refund.AgentPaid, clerk)}, refund.Credited, 40100, 40100},
		"parcel lost and found":         {[]refund.Event{does(refund.ChoseRefund, customer), does(refund.AgreedReturn, clerk), does(refund.Dispatched, bench), does(refund.ReturnTroubled, clerk), does(refund.ReturnFound, clerk), does(refund.SellerReceived, clerk), pays(40100, "R-1")}, refund.Credited, 40100, 0},
		"paid in two parts":             {[]refund.Event{does(refund.ChoseRefund, customer), does(refund.AgreedRefund, clerk), pays(100, "R-1"), does(refund.ShortChased, clerk), pays(40000, "R-2")}, refund.Credited, 40100, 0},
		"short, settled":                {[]refund.Event{does(refund.ChoseRefund, customer), does(refund.AgreedRefund, clerk), pays(30000, "R-1"), does(refund.ShortSettled, clerk)}, refund.Credited, 30000, 0},
		"short, we bear the rest":       {[]refund.Event{does(refund.ChoseRefund, customer), does(refund.AgreedRefund, clerk), pays(30000, "R-1"), does(refund.AgentPaid, clerk)}, refund.Credited, 40100, 10100},
		"offer short, we bear the rest": {[]refund.Event{does(refund.ChoseDiscount, customer), offers(8000), does(refund.AcceptedOffer, customer), pays(3000, "R-1"), does(refund.AgentPaid, clerk)}, refund.CreditedKept, 8000, 5000},
		"a gift and kept":               {[]refund.Event{does(refund.ChoseRefund, customer), does(refund.Refused, clerk), {Kind: refund.Goodwill, Actor: clerk, Amount: money.Fen(2000), Reason: "sorry"}, does(refund.GaveUp, customer)}, refund.CreditedKept, 2000, 2000},
		"no replacement":                {[]refund.Event{does(refund.ChoseExchange, customer), does(refund.AgreedReship, clerk), does(refund.NoReplacement, clerk), does(refund.ChoseRefund, customer), does(refund.AgreedRefund, clerk), pays(40100, "R-1")}, refund.Credited, 40100, 0},
		"our mistake":                   {[]refund.Event{does(refund.ChoseRefund, customer), does(refund.DeskWithdrew, clerk)}, refund.Withdrawn, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, opening())
			for _, e := range life.events {
				e.At = c.ChangedAt.Add(time.Minute)
				after, _, err := c.Apply(e)
				if err != nil {
					t.Fatalf("%s in %s: %v", e.Kind, c.Status, err)
				}
				c = after
			}
			if c.Status != life.end || c.Credited.Minor() != life.credited || c.Absorbed.Minor() != life.absorbed {
				t.Errorf("ended as %s with %s credited and %s absorbed", c.Status, c.Credited, c.Absorbed)
			}
			if _, _, err := c.Apply(refund.Event{Kind: refund.LeadConfirmed, Actor: system, At: c.ChangedAt}); c.Status.Terminal() && err == nil {
				t.Error("it goes on after its end")
			}
		})
	}
}

// TestSecondPerson: what the agent bears needs two different people.
func TestSecondPerson(t *testing.T) {
	t.Parallel()
	c := open(t, opening())
	step := func(e refund.Event, want error) {
		t.Helper()
		e.At = c.ChangedAt
		after, _, err := c.Apply(e)
		if want == nil && err != nil || want != nil && !isError(err, want) {
			t.Fatalf("%s: %v, want %v", e.Kind, err, want)
		}
		if err == nil {
			c = after
		}
	}
	step(refund.Event{Kind: refund.ChoseRefund, Actor: customer}, nil)
	step(refund.Event{Kind: refund.DeskWithdrew, Actor: clerk, Reason: "ours"}, refund.ErrMissing)
	step(refund.Event{Kind: refund.DeskWithdrew, Actor: clerk, Reason: "ours", Approver: "clerk3"}, refund.ErrSamePerson)
	step(refund.Event{Kind: refund.Goodwill, Actor: clerk, Reason: "sorry", Amount: money.Fen(100_01)}, refund.ErrApproval)
	step(refund.Event{Kind: refund.Goodwill, Actor: clerk, Reason: "sorry", Amount: money.Fen(100_01), Approver: "clerk3"}, refund.ErrSamePerson)
	step(refund.Event{Kind: refund.Goodwill, Actor: clerk, Reason: "sorry", Amount: money.Fen(100_00)}, nil)
	step(refund.Event{Kind: refund.Goodwill, Actor: clerk, Reason: "sorry", Amount: money.Fen(100_01), Approver: "boss1"}, nil)
}

// TestSheet says what each choice brings, by who answers for the flaw.
func TestSheet(t *testing.T) {
	t.Parallel()
	for liability, want := range map[refund.Liability][3]int64{ // keep, refund, exchange
		"":                    {0, 40100, 0},
		refund.BySellerFault:  {0, 40100, 0},
		refund.ByAgentFault:   {0, 40100, 0},
		refund.ByMinorFlaw:    {0, 40100 - 1200 - 500, -1700},
		refund.ByCustomerWish: {0, 38900 - 1200 - 500, -1700},
	} {
		o := opening()
		o.Liability = liability
		c := open(t, o)
		sheet, err := c.Sheet()
		if err != nil || len(sheet) != 3 {
			t.Fatalf("%s: %v, %v", liability, sheet, err)
		}
		for i, choice := range sheet {
			if choice.Net.Minor() != want[i] {
				t.Errorf("%s, %s: %s, want %d", liability, choice.Decision, choice.Net, want[i])
			}
		}
		c, _, err = c.Apply(refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: noon})
		if err == nil {
			c, _, err = c.Apply(refund.Event{Kind: refund.AgreedRefund, Actor: clerk, At: noon})
		}
		if err == nil {
			c, _, err = c.Apply(refund.Event{Kind: refund.SellerPaid, Actor: clerk, At: noon, Amount: money.Fen(40100), SellerRef: "R-1"})
		}
		if err != nil || c.Status != refund.Credited || c.Credited.Minor() != want[1] {
			t.Errorf("%s: %s with %s credited, %v", liability, c.Status, c.Credited, err)
		}
	}
}

// TestSplit divides three pieces and their money without losing a fen.
func TestSplit(t *testing.T) {
	t.Parallel()
	o := opening()
	o.Item.Quantity = 3
	o.Item.UnitPrice, o.Item.FreightIn = money.Fen(3333), money.Fen(1000)
	c := open(t, o)
	rest, part, err := c.Split("other", 1, refund.Event{Actor: customer, At: noon})
	if err != nil {
		t.Fatal(err)
	}
	paid, _ := rest.Paid.Add(part.Paid)
	freight, _ := rest.FreightIn.Add(part.FreightIn)
	if rest.Quantity != 2 || part.Quantity != 1 || paid != c.Paid || freight != c.FreightIn || part.Parent != c.ID {
		t.Errorf("rest %+v, part %+v", rest, part)
	}
	for pieces, by := range map[int]refund.Actor{0: customer, -1: customer, 3: customer, 1: bench} {
		if _, _, err := c.Split("other", pieces, refund.Event{Actor: by, At: noon}); err == nil {
			t.Errorf("%s split %d of 3 pieces off", by.Party, pieces)
		}
	}
	if _, _, err := part.Split("third", 1, refund.Event{Actor: customer, At: noon}); !isError(err, refund.ErrNotNow) {
		t.Errorf("one piece was split: %v", err)
	}
}

// A gift that came before the choice was taken back is not given twice.
func TestSplit_MoneyStaysWithTheRest(t *testing.T) {
	t.Parallel()
	c := play(t, open(t, opening()), refund.Event{Kind: refund.ChoseRefund, Actor: customer},
		refund.Event{Kind: refund.Goodwill, Actor: clerk, Amount: money.Fen(1000), Reason: "sorry"},
		refund.Event{Kind: refund.Reconsidered, Actor: customer})
	rest, part, err := c.Split("other", 1, refund.Event{Actor: customer, At: noon})
	if err != nil {
		t.Fatal(err)
	}
	if rest.Credited != money.Fen(1000) || !part.Credited.IsZero() || !part.Absorbed.IsZero() {
		t.Errorf("of ¥10.00 the rest has %s and the part %s", rest.Credited, part.Credited)
	}
	if rest.Version != len(rest.Timeline) || part.Version != len(part.Timeline) {
		t.Errorf("versions %d and %d with %d and %d entries", rest.Version, part.Version, len(rest.Timeline), len(part.Timeline))
	}
}

func isError(err, want error) bool { return errors.Is(err, want) }
