package refund

import (
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// Side is somebody whom a case waits for.
type Side string

// The sides.
const (
	CustomersTurn    Side = "customer"
	SellersTurn      Side = "seller"
	ClerksTurn       Side = "clerk"
	LeadsTurn        Side = "lead"
	BenchsTurn       Side = "bench"
	MarketplacesTurn Side = "marketplace"
)

// Sides lists all sides, ours first.
func Sides() []Side {
	return []Side{ClerksTurn, LeadsTurn, BenchsTurn, CustomersTurn, SellersTurn, MarketplacesTurn}
}

// What is ours to do and has no timer, because no clock can do it for us.
const (
	reviewWithin = 2 * time.Hour  // a lead looks at what waits
	deskWithin   = 24 * time.Hour // the desk answers what has gone wrong
)

// Turn is who must act next on a case, and until when.
type Turn struct {
	Side Side      `json:"side"`            // empty: nobody, the case has ended
	By   time.Time `json:"by,omitzero"`     // zero: no time is said
	Ends time.Time `json:"window,omitzero"` // the seller's window, while the claim is not filed
}

// First returns what of a turn runs out first; zero when nothing does.
func (t Turn) First() time.Time {
	if t.By.IsZero() || !t.Ends.IsZero() && t.Ends.Before(t.By) {
		return t.Ends
	}
	return t.By
}

// Turn returns whose turn it is.
func (c Case) Turn() Turn {
	timer, _, _ := c.Timer() // zero where none runs
	//exhaustive:enforce
	switch c.Status {
	case Flagged:
		if c.LeadWaits {
			return Turn{Side: LeadsTurn, By: c.ChangedAt.Add(reviewWithin), Ends: c.WindowEndsAt}
		}
		return Turn{Side: BenchsTurn, By: c.ChangedAt.Add(reviewWithin), Ends: c.WindowEndsAt}
	case AwaitingDecision:
		return Turn{Side: CustomersTurn, By: timer, Ends: c.WindowEndsAt}
	case PhotosRequested:
		return Turn{Side: BenchsTurn, By: timer, Ends: c.WindowEndsAt}
	case Negotiating, SellerRefunding, Exchanging, Returning:
		return Turn{Side: SellersTurn, By: timer}
	case OfferPending:
		return Turn{Side: CustomersTurn, By: timer}
	case SellerRefused:
		if timer.IsZero() {
			timer = c.ChangedAt.Add(deskWithin)
		}
		return Turn{Side: ClerksTurn, By: timer}
	case Escalated:
		return Turn{Side: MarketplacesTurn, By: c.ChangedAt.Add(c.policy().SellerWithin)}
	case ReturnApproved:
		return Turn{Side: BenchsTurn, By: c.ChangedAt.Add(c.policy().DispatchWithin)}
	case ReturnException, RefundShort, Disputed:
		return Turn{Side: ClerksTurn, By: c.ChangedAt.Add(deskWithin)}
	case Rechecking:
		return Turn{Side: BenchsTurn, By: c.ChangedAt.Add(deskWithin), Ends: c.WindowEndsAt}
	case Credited, CreditedKept, Exchanged, Kept, Withdrawn, Forfeited, Corrected:
	}
	return Turn{}
}

// ClaimResult is what came of asking the seller.
type ClaimResult string

// The results.
const (
	ClaimPending   ClaimResult = ""          // not asked yet, or not ended
	ClaimRefunded  ClaimResult = "refunded"  // the seller paid all that was owed
	ClaimShort     ClaimResult = "short"     // the seller paid a part
	ClaimRefused   ClaimResult = "refused"   // the seller said no and paid nothing
	ClaimExchanged ClaimResult = "exchanged" // another piece came and passed
	ClaimAside     ClaimResult = "aside"     // ended without the seller: kept, withdrawn, borne by us
)

// Claim is how a case went with its seller.
type Claim struct {
	DecidedAt  time.Time // when the choice that led to the seller was made; zero: never
	CreditedAt time.Time // when the seller's last money was credited; zero: never
	EndedAt    time.Time // zero: the case is open
	Result     ClaimResult
}

// Claim reads from the case's history how it went with the seller.
func (c Case) Claim() Claim {
	var claim Claim
	for _, e := range c.Timeline {
		if e.From == AwaitingDecision && e.To == Negotiating {
			claim.DecidedAt = e.At
		}
		if e.Event == SellerPaid {
			claim.CreditedAt = e.At
		}
	}
	if !c.Status.Terminal() {
		return claim
	}
	claim.EndedAt = c.ChangedAt
	owed, err := c.Owed()
	switch {
	case !c.Received.IsZero() && err == nil && c.Received == owed:
		claim.Result = ClaimRefunded
	case !c.Received.IsZero():
		claim.Result = ClaimShort
	case c.Status == Exchanged:
		claim.Result = ClaimExchanged
	case c.Refusals > 0:
		claim.Result = ClaimRefused
	default:
		claim.Result = ClaimAside
	}
	return claim
}

// Missing returns what the seller was to pay and has not; zero where that
// cannot be said.
func (c Case) Missing() money.Amount {
	missing, err := c.missing()
	if err != nil {
		return money.Fen(0)
	}
	return missing
}

// FlawedPieces returns how many pieces of an item a finding calls flawed by
// more than a remark.
func FlawedPieces(f qc.Finding, quantity int) int {
	if f.Verdict != qc.Flag {
		return 0
	}
	pieces := 0
	for _, flaw := range f.Flaws {
		if flaw.Severity != qc.Observation {
			pieces = max(pieces, flaw.Quantity)
		}
	}
	return min(max(pieces, 1), quantity)
}
