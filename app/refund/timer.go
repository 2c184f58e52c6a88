package refund

import "time"

// Timer returns when the clock acts on the case by itself, and what it then
// does. Every open status in which nobody of ours is at work has one, so that
// no case is forgotten; running is false for the others.
func (c Case) Timer() (at time.Time, kind Kind, running bool) {
	p := c.policy()
	after := func(d time.Duration, kind Kind) (time.Time, Kind, bool) { return c.ChangedAt.Add(d), kind, true }
	//exhaustive:enforce
	switch c.Status {
	case AwaitingDecision:
		return c.DecideBy, NoAnswer, !c.DecideBy.IsZero() && !c.Away() // silence keeps nothing that is not here
	case PhotosRequested:
		return after(p.PhotosWithin, PhotosDeclined)
	case Negotiating:
		if c.Liability == ByCustomerWish {
			return time.Time{}, "", false // the marketplace does not take these
		}
		return after(p.SellerWithin, Appealed)
	case OfferPending:
		if c.Offer == nil {
			return time.Time{}, "", false
		}
		return c.Offer.ExpiresAt, OfferLapsed, true
	case SellerRefused:
		if c.Away() {
			return time.Time{}, "", false // what the seller has kept, nobody can give up by saying nothing
		}
		return after(p.RefusedWithin, GaveUp)
	case ReturnApproved:
		return after(p.DispatchLapses, ReturnLapsed)
	case Returning:
		return after(p.SilentAfter, ReturnTroubled)
	case SellerRefunding:
		return after(p.PayWithin, Unpaid)
	case Exchanging:
		return after(p.ReplaceWithin, NoReplacement)
	case Flagged, Rechecking, Escalated, ReturnException, RefundShort, Disputed: // somebody of ours is at work
	case Credited, CreditedKept, Exchanged, Kept, Withdrawn, Forfeited, Corrected:
	}
	return time.Time{}, "", false
}
