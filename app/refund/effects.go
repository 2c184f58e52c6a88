package refund

import (
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// What a row of the lifecycle does to the facts of a case. Its status and its
// history are for [Case.Apply].

func intend(d Decision) func(*Case, Event) error {
	return func(c *Case, e Event) error {
		c.Intent = d
		return keepReason(c, e)
	}
}

func keepUnanswered(c *Case, _ Event) error {
	c.Intent, c.Reason = Keep, Unanswered
	return nil
}

func clearMissing(c *Case, e Event) error {
	c.PhotosMissing = 0
	c.blameDelay(e.At)
	return nil
}

func clearLead(c *Case, e Event) error {
	c.LeadWaits = false
	c.blameDelay(e.At)
	return nil
}

// blameDelay makes it our fault that the seller's window closed before the
// customer was asked at all.
func (c *Case) blameDelay(at time.Time) {
	if c.Status == Flagged && released(*c) == AwaitingDecision && !c.WindowEndsAt.IsZero() && !at.Before(c.WindowEndsAt) {
		c.Liability = ByAgentFault
	}
}

func keepReason(c *Case, e Event) error {
	c.Reason = e.Reason
	return nil
}

// keepReturn: what goes back is exchanged, or paid for whole, whatever part of
// the price was talked of before.
func keepReturn(c *Case, e Event) error {
	c.Carrier, c.ReturnWaybill = e.Carrier, e.Waybill
	if c.Intent != Exchange {
		c.Intent, c.Offer = Refund, nil
	}
	return nil
}

func nextRound(c *Case, e Event) error {
	c.Round++
	c.ReplacementWaybill = e.Waybill
	c.WindowEndsAt = qc.WindowEnd(c.Arrival(e))
	return nil
}

// Arrival returns when the replacement that e tells of counts as arrived in a
// case that waits for it: as said, but not before the case began to wait, nor
// after e. A station that was offline tells late, and its clock may be wrong.
func (c Case) Arrival(e Event) time.Time {
	arrived := e.ArrivedAt
	if arrived.Before(c.ChangedAt) {
		arrived = c.ChangedAt
	}
	if e.ArrivedAt.IsZero() || arrived.After(e.At) {
		return e.At
	}
	return arrived
}

func flagAgain(c *Case, e Event) error {
	c.Finding, c.Inspector = e.Finding, e.Inspector
	c.LeadWaits, c.PhotosMissing, c.Liability = e.LeadWaits, e.PhotosMissing, e.Liability
	c.Intent, c.Reason = Undecided, ""
	return nil
}

// receive books money of the seller: credited in the same step, part by part
// where the seller pays in parts.
func receive(c *Case, e Event) error {
	owed, err := c.Owed()
	if err != nil {
		return err
	}
	received, err := c.Received.Add(e.Amount)
	if err != nil {
		return err
	}
	over, err := received.Cmp(owed)
	if err != nil {
		return err
	}
	if e.Amount.Minor() <= 0 || over > 0 {
		return ErrAmount
	}
	credit, charge, err := c.share(e.Amount)
	if err != nil {
		return err
	}
	c.Received = received
	if c.Credited, err = c.Credited.Add(credit); err != nil {
		return err
	}
	if c.Charged, err = c.Charged.Add(charge); err != nil {
		return err
	}
	c.SellerRef = e.SellerRef
	return nil
}

// share divides money of the seller between the customer's balance and the
// fees that the customer accepted and has not paid yet.
func (c Case) share(amount money.Amount) (credit, charge money.Amount, err error) {
	due := money.Fen(0)
	for _, fee := range c.Fees {
		if due, err = due.Add(fee.Amount); err != nil {
			return credit, charge, err
		}
	}
	if due, err = due.Sub(c.Charged); err != nil {
		return credit, charge, err
	}
	charge = due
	if more, err := due.Cmp(amount); err != nil {
		return credit, charge, err
	} else if more > 0 {
		charge = amount
	}
	credit, err = amount.Sub(charge)
	return credit, charge, err
}

func countPhotos(c *Case, e Event) error {
	c.PhotoRounds++
	return keepReason(c, e)
}

func countRefusal(c *Case, e Event) error {
	c.Refusals++
	return keepReason(c, e)
}

func keepOffer(c *Case, e Event) error {
	c.OfferRounds++
	c.Offer = &Offer{Amount: e.Amount, ExpiresAt: e.At.Add(c.policy().OfferWithin)}
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
	return nil
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
