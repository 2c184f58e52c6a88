package refund

import "flawmark/app/qc"

// What else must hold for a row of the lifecycle. A guard is also asked of an event
// that has nothing but its kind and actor, to say what is possible.

// lastRound is the round after which no further exchange is offered.
const lastRound = 3

func notOwn(c Case, e Event) error {
	if e.Actor.Party == ByLead && qc.StaffID(e.Actor.ID) == c.Inspector {
		return ErrOwnFinding
	}
	return nil
}

// windowOpen binds customers and their instructions: the desk may try a late
// claim, and where the fault is ours it is not the customer who was late.
func windowOpen(c Case, e Event) error {
	if e.Actor.Party != ByClerk && c.Liability != ByAgentFault && !c.WindowEndsAt.IsZero() && !e.At.Before(c.WindowEndsAt) {
		return ErrWindowClosed
	}
	return nil
}

// timeIsUp keeps silence from being one before the customer's time is over.
func timeIsUp(c Case, e Event) error {
	if c.DecideBy.IsZero() || e.At.Before(c.DecideBy) {
		return ErrNotNow
	}
	return nil
}

func mayExchange(c Case, e Event) error {
	if c.Round >= lastRound {
		return ErrRounds
	}
	return windowOpen(c, e)
}

func intends(d Decision) func(Case, Event) error {
	return func(c Case, _ Event) error {
		if c.Intent != d {
			return ErrNotNow
		}
		return nil
	}
}

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

// mayEscalate: a marketplace decides about flaws, and not about wishes.
func mayEscalate(c Case, e Event) error {
	if c.Liability == ByCustomerWish {
		return ErrNotNow
	}
	return due(c, e)
}

func mayAskPhotos(c Case, _ Event) error {
	if c.PhotoRounds >= c.policy().FreePhotoRounds {
		return ErrPhotoRounds
	}
	return nil
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
	return worthIt(c, e)
}

func mayCounter(c Case, e Event) error {
	if err := offerStands(c, e); err != nil {
		return err
	}
	return worthIt(c, e)
}

// worthIt: no part of the price is more than the whole.
func worthIt(c Case, e Event) error {
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

func offerStands(c Case, e Event) error {
	if c.Offer == nil || !e.At.Before(c.Offer.ExpiresAt) {
		return ErrOfferLate
	}
	return nil
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
