// Package refundtest lets anything happen to cases, and says what must hold
// whatever happens. The lifecycle's own tests and those of the store draw from
// it, so that both are held to the same promises.
package refundtest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Chance draws what happens. The same seed draws the same.
type Chance struct{ *rand.Rand }

// NewChance returns the draws of a seed.
func NewChance(seed uint64) Chance { return Chance{rand.New(rand.NewPCG(seed, 17))} } //nolint:gosec // to be repeated, not to be guessed

// One draws one of a list.
func One[T any](c Chance, list ...T) T { return list[c.IntN(len(list))] }

// Actors are those who act, with names of their own. The second lead is the
// inspector.
func Actors(customer qc.CustomerID) []refund.Actor {
	return []refund.Actor{
		{Party: refund.ByCustomer, ID: string(customer)},
		{Party: refund.ByClerk, ID: "clerk3"},
		{Party: refund.ByLead, ID: "lead7"},
		{Party: refund.ByLead, ID: "u12"},
		{Party: refund.ByStation, ID: "u12"},
		{Party: refund.BySystem},
		{Party: refund.ByInstruction, ID: string(customer)},
	}
}

// Event draws anything, legal or not, about a case at the time at.
func (c Chance) Event(of refund.Case, at time.Time) refund.Event {
	kinds := []refund.Kind{"unheard_of", refund.SplitOff, refund.Reversed}
	for _, row := range refund.Transitions() {
		kinds = append(kinds, row.On)
	}
	e := refund.Event{
		Kind: One(c, kinds...), Actor: One(c, Actors(of.Customer)...), At: at, Reason: One(c, "", "because"),
		Waybill: One[qc.Waybill](c, "", "SF1234567890"), SellerRef: One(c, "", fmt.Sprintf("R-%d", c.IntN(1000))),
		Amount: money.Fen(One(c, -1, 0, 1, 100, of.Paid.Minor()/2, of.Paid.Minor(), of.Paid.Minor()+of.FreightIn.Minor()+1)),
		// The store finds out what is free; a caller's word is not believed.
		Available: money.Fen(int64(c.IntN(3)) * 1_000_000), Approver: One[qc.StaffID](c, "", "boss1", "clerk3"),
		Consent: c.IntN(2) == 0, Finding: of.Finding, Inspector: One[qc.StaffID](c, "u12", "lead7"), LeadWaits: c.IntN(2) == 0, PhotosMissing: c.IntN(3),
		Liability: One(c, refund.BySellerFault, refund.ByMinorFlaw, refund.ByAgentFault, ""),
	}
	return e
}

// Likely draws an event that may happen to the case now, rather not its end:
// deep places are not found by chance alone. It is false where there is none.
func (c Chance) Likely(of refund.Case, at time.Time) (refund.Event, bool) {
	var legal, last []refund.Event
	for _, actor := range Actors(of.Customer) {
		for _, action := range of.Next(actor, at) {
			if !action.Allowed {
				continue
			}
			e := c.Full(of, action.Kind, actor, at)
			after, _, err := of.Apply(e)
			switch {
			case err != nil:
			case after.Status.Terminal():
				last = append(last, e)
			default:
				legal = append(legal, e)
			}
		}
	}
	if len(legal) == 0 || len(last) > 0 && c.IntN(8) == 0 {
		legal = last
	}
	if len(legal) == 0 {
		return refund.Event{}, false
	}
	return One(c, legal...), true
}

// Full returns an event with all that any row asks for.
func (c Chance) Full(of refund.Case, kind refund.Kind, actor refund.Actor, at time.Time) refund.Event {
	left := of.Paid.Minor() + of.FreightIn.Minor() - of.Received.Minor()
	if owed, err := of.Owed(); err == nil {
		left = owed.Minor() - of.Received.Minor()
	}
	if left > 1 && c.IntN(3) == 0 {
		left = 1 + c.Int64N(left)
	}
	if kind == refund.Goodwill || kind == refund.Offered || kind == refund.CounteredOffer {
		left = 1 + c.Int64N(max(1, of.Paid.Minor()/4))
	}
	return refund.Event{
		Kind: kind, Actor: actor, At: at, Reason: "because", Waybill: qc.Waybill(fmt.Sprintf("SF%010d", c.IntN(1_000_000_000))),
		Consent: true, SellerRef: fmt.Sprintf("R-%d-%d", c.Uint64(), of.Version), Amount: money.Fen(max(left, 1)), Approver: "boss1",
		Finding: of.Finding, Inspector: of.Inspector, Liability: of.Liability, Available: money.Fen(c.Int64N(50000)),
	}
}

// Given is what a case has left free on its customer's balance.
func Given(c refund.Case) int64 {
	return c.Credited.Minor() - c.TakenBack.Minor() - c.Held.Minor() - c.Collected.Minor()
}

// Books are the ledger of a model.
type Books map[refund.Account]int64

// Post books transfers.
func (b Books) Post(moved []refund.Transfer) {
	for _, m := range moved {
		b[m.Credit] += m.Amount.Minor()
		b[m.Debit] -= m.Amount.Minor()
	}
}

// Cover reports whether the accounts have what must be there to be moved.
func (b Books) Cover(moved []refund.Transfer) bool {
	for _, m := range moved {
		if m.NeedsCover() && b[m.Debit] < m.Amount.Minor() {
			return false
		}
	}
	return true
}

// Sum is nought, whatever happened.
func (b Books) Sum() int64 {
	var sum int64
	for _, posted := range b {
		sum += posted
	}
	return sum
}
