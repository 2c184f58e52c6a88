// Package refundtest lets anything happen to cases, and says what must hold
// whatever happens. The lifecycle's own tests and those of the store draw from
// it, so that both are held to the same promises.
package refundtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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

// Sound reports what is wrong with a case as it stands, or nil.
func Sound(c refund.Case) error {
	var wrong []error
	bad := func(is bool, format string, args ...any) {
		if is {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	bad(c.Version != len(c.Timeline), "version %d with %d entries", c.Version, len(c.Timeline))
	bad(c.Quantity < 1, "%d pieces", c.Quantity)
	for n, e := range c.Timeline {
		bad(e.Actor.Party == "" || e.At.IsZero() || e.Event == "" || e.To == "", "entry %d has no actor, time, event or status: %+v", n, e)
		if n > 0 {
			bad(e.From != c.Timeline[n-1].To, "entry %d goes from %s, the one before went to %s", n, e.From, c.Timeline[n-1].To)
		}
		bad(e.Actor.Party == refund.ByInstruction && e.Rule == "" && e.Event != "", "entry %d was done by an instruction that it does not cite", n)
	}
	if len(c.Timeline) > 0 {
		bad(c.Timeline[len(c.Timeline)-1].To != c.Status, "it is %s, its history ends in %s", c.Status, c.Timeline[len(c.Timeline)-1].To)
	}
	bad(c.Status.Visible() && c.Status == refund.AwaitingDecision && (c.PhotosMissing > 0 || c.LeadWaits), "shown with %d photos missing, lead waits: %v", c.PhotosMissing, c.LeadWaits)
	bad(c.Status == refund.AwaitingDecision && c.DecideBy.IsZero(), "asked without an end")
	bad(c.Round > 3, "round %d", c.Round)
	wrong = append(wrong, paid(c), timed(c))
	return errors.Join(wrong...)
}

// paid: what went out came in, and no more than was owed.
func paid(c refund.Case) error {
	if c.Sort == refund.Correction {
		moved := c.TakenBack.Minor() + c.Absorbed.Minor()
		if moved != 0 && moved != c.Paid.Minor() || c.TakenBack.Minor() < 0 || c.Absorbed.Minor() < 0 || moved != 0 && c.Status != refund.Corrected {
			return fmt.Errorf("of %s reversed, %s was taken back and %s borne, in %s", c.Paid, c.TakenBack, c.Absorbed, c.Status)
		}
		return nil
	}
	in, out := c.Received.Minor()+c.Absorbed.Minor(), c.Credited.Minor()+c.Charged.Minor()
	whole := c.Paid.Minor() + c.FreightIn.Minor()
	switch {
	case in != out:
		return fmt.Errorf("%d came in and was borne, %d was credited and charged", in, out)
	case c.Received.Minor() < 0 || c.Received.Minor() > whole:
		return fmt.Errorf("received %s of %d", c.Received, whole)
	case c.Credited.Minor() < 0 || c.Charged.Minor() < 0:
		return fmt.Errorf("credited %s, charged %s", c.Credited, c.Charged)
	case c.Credited.Minor() > 0 && c.Received.IsZero() && c.Absorbed.IsZero():
		return errors.New("credited what neither the seller paid nor we bear")
	}
	return nil
}

// timed: nothing that waits for nobody of ours is forgotten.
func timed(c refund.Case) error {
	at, kind, running := c.Timer()
	waits := !c.Status.Terminal() && !c.Status.OursToDo()
	if c.Status == refund.Negotiating && c.Liability == refund.ByCustomerWish {
		waits = false // the marketplace does not take these: the desk goes on asking
	}
	if running != waits || running && (kind == "" || at.IsZero()) {
		return fmt.Errorf("in %s a clock runs: %v, to do %q at %s", c.Status, running, kind, at)
	}
	before := []refund.Status{refund.Flagged, refund.AwaitingDecision, refund.PhotosRequested, refund.Negotiating, refund.OfferPending, refund.SellerRefused, refund.Escalated}
	if task := c.Task(); slices.Contains(before, c.Status) && (task.Kind == qc.TaskRelease || task.Kind == qc.TaskNothing) {
		return fmt.Errorf("in %s the item is let go", c.Status)
	}
	return nil
}

// Step reports what is wrong with what became of a case, or nil: one or more
// events happened to it, or none.
func Step(before, after refund.Case) error {
	var wrong []error
	bad := func(is bool, format string, args ...any) {
		if is {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	if len(after.Timeline) < len(before.Timeline) || !slices.Equal(after.Timeline[:len(before.Timeline)], before.Timeline) {
		return fmt.Errorf("history was rewritten: %d entries, now %d", len(before.Timeline), len(after.Timeline))
	}
	fresh := after.Timeline[len(before.Timeline):]
	bad(before.Status.Terminal() && (len(fresh) > 0 || after.Version != before.Version), "it had ended as %s and went on", before.Status)
	bad(before.ID != after.ID || before.Item != after.Item || before.Customer != after.Customer || before.Sort != after.Sort || before.Parent != after.Parent, "it became another case")
	for _, e := range fresh {
		row, known := refund.Find(e.Event)
		switch {
		case e.Event == refund.SplitOff:
			bad(e.From != refund.AwaitingDecision || e.To != e.From, "split in %s", e.From)
		case !known:
			bad(true, "%s is in no row", e.Event)
		default:
			bad(!row.Leads(e.From, e.To), "%s leads from %s to %s", e.Event, e.From, e.To)
			bad(!slices.Contains(row.By, e.Actor.Party), "%s is not for a %s to do", e.Event, e.Actor.Party)
		}
	}
	return errors.Join(append(wrong, Sound(after))...)
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
