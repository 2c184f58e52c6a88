package refund

import (
	"time"

	"flawmark/app/money"
)

// due keeps the clock from acting before its time: what the system does by
// itself happens when the case's timer has run out, and people are free.
func due(c Case, e Event) error {
	if e.Actor.Party != BySystem {
		return nil
	}
	at, kind, running := c.Timer()
	if !running || kind != e.Kind || e.At.Before(at) {
		return ErrNotNow
	}
	return nil
}

// mayEscalate: people only after the seller has had a say, or its time is over.
func mayEscalate(c Case, e Event) error {
	if c.Liability == ByCustomerWish {
		return ErrNotNow // nothing was wrong with it
	}
	return due(c, e)
}

func mayAskPhotos(c Case, _ Event) error {
	if c.PhotoRounds >= c.policy().FreePhotoRounds {
		return ErrPhotoRounds
	}
	return nil
}

func countPhotos(c *Case, e Event) error {
	c.PhotoRounds++
	return keepReason(c, e)
}

func countRefusal(c *Case, e Event) error {
	c.Refusals++
	return keepReason(c, e)
}

// nothingPaid keeps a case on its way once the seller has paid a part.
func nothingPaid(c Case, _ Event) error {
	if !c.Received.IsZero() {
		return ErrNotNow
	}
	return nil
}

// ours: our own mistake, before money has moved, seen by two people.
func ours(c Case, e Event) error {
	if err := nothingPaid(c, e); err != nil {
		return err
	}
	return second(c, e)
}

// mayOffer: no more than the case is worth, and not for ever.
func mayOffer(c Case, e Event) error {
	if c.OfferRounds >= c.policy().MaxOffers {
		return ErrOfferRounds
	}
	if err := nothingPaid(c, e); err != nil {
		return err
	}
	whole, err := c.Paid.Add(c.FreightIn)
	if err != nil {
		return err
	}
	if e.Amount.IsZero() {
		return nil // asked of what is possible, before there is an amount
	}
	if more, err := e.Amount.Cmp(whole); err != nil || more > 0 || e.Amount.Minor() < 0 {
		return ErrAmount
	}
	return nil
}

func keepOffer(c *Case, e Event) error {
	c.OfferRounds++
	c.Offer = &Offer{Amount: e.Amount, ExpiresAt: e.At.Add(c.policy().OfferWithin)}
	return nil
}

func offerStands(c Case, e Event) error {
	if c.Offer == nil || !e.At.Before(c.Offer.ExpiresAt) {
		return ErrOfferLate
	}
	return nil
}

// takeOffer: the item stays, so nothing goes back and no fee is due.
func takeOffer(c *Case, _ Event) error {
	c.Intent, c.Fees = Discount, nil
	return nil
}

func dropOffer(c *Case, e Event) error {
	c.Offer = nil
	return keepReason(c, e)
}

func counter(c *Case, e Event) error {
	offer := *c.Offer
	offer.Counter = e.Amount
	c.Offer = &offer
	return mayOffer(Case{Paid: c.Paid, FreightIn: c.FreightIn, Terms: c.Terms}, e)
}

// giveUpExchange: another piece never came.
func giveUpExchange(c *Case, e Event) error {
	if err := startAgain(c, e); err != nil || !c.Away() {
		return err
	}
	return wantMoney(c, e)
}

// comeBack lets the customer choose anew once the item has been looked at: the
// seller had agreed, so no window of theirs runs any more.
func comeBack(c *Case, e Event) error {
	c.WindowEndsAt = time.Time{}
	return startAgain(c, e)
}

func startAgain(c *Case, e Event) error {
	c.Intent, c.Offer, c.Fees = Undecided, nil, nil
	return keepReason(c, e)
}

func giveUp(c *Case, e Event) error {
	c.Intent, c.Fees = Keep, nil
	if e.Actor.Party == BySystem {
		c.Reason = Unanswered
		return nil
	}
	return keepReason(c, e)
}

// intendAtCost is intend with what the choice costs, as the customer saw it.
func intendAtCost(d Decision) func(*Case, Event) error {
	return func(c *Case, e Event) error {
		sheet, err := c.Sheet()
		if err != nil {
			return err
		}
		for _, choice := range sheet {
			if choice.Decision != d {
				continue
			}
			c.Fees = choice.Fees
			if err := c.setAside(choice, e); err != nil {
				return err
			}
		}
		return intend(d)(c, e)
	}
}

// blameUs: the parcel was ours to send.
func blameUs(c *Case, e Event) error {
	c.Liability, c.Fees = ByAgentFault, nil
	return keepReason(c, e)
}

// wantMoney: what was to come back in goods comes back in money.
func wantMoney(c *Case, e Event) error {
	c.Intent = Refund
	return keepReason(c, e)
}

// second asks for two different people.
func second(_ Case, e Event) error {
	if e.Approver != "" && string(e.Approver) == e.Actor.ID {
		return ErrSamePerson
	}
	return nil
}

// agentOwes: two people let us bear what a case lacks; of what was only refused,
// where the fault is ours or the seller has kept the item as well.
func agentOwes(c Case, e Event) error {
	if c.Status == SellerRefused && c.Liability != ByAgentFault && !c.Away() {
		return ErrNotOurFault
	}
	return second(c, e)
}

// here: the item is, so that it can be kept, or sent.
func here(also func(Case, Event) error) func(Case, Event) error {
	return func(c Case, e Event) error {
		if c.Away() {
			return ErrAway
		}
		if also != nil {
			return also(c, e)
		}
		return nil
	}
}

// approved asks for a second person above the policy's limit.
func approved(c Case, e Event) error {
	if e.Amount.Minor() < 0 {
		return ErrAmount
	}
	if over, err := e.Amount.Cmp(c.policy().ApprovalAbove); err != nil {
		return err
	} else if over > 0 && e.Approver == "" {
		return ErrApproval
	}
	return second(c, e)
}

// absorb credits what is missing from the agent's own money, so that the
// customer has the whole: what was kept for fees as well.
func absorb(c *Case, e Event) error {
	missing, err := c.missing()
	if err != nil {
		return err
	}
	if missing, err = missing.Add(c.Charged); err != nil {
		return err
	}
	c.Fees = nil
	if c.Intent != Discount { // a lost piece that was to be exchanged is paid for
		c.Intent = Refund
	}
	return c.bear(missing, e)
}

// give credits a gift.
func give(c *Case, e Event) error { return c.bear(e.Amount, e) }

func (c *Case) bear(amount money.Amount, e Event) (err error) {
	if c.Absorbed, err = c.Absorbed.Add(amount); err != nil {
		return err
	}
	if c.Credited, err = c.Credited.Add(amount); err != nil {
		return err
	}
	return keepReason(c, e)
}

// missing is what the seller was to pay and has not.
func (c Case) missing() (money.Amount, error) {
	owed, err := c.Owed()
	if err != nil {
		return money.Amount{}, err
	}
	return owed.Sub(c.Received)
}
