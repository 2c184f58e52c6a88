package refund

import (
	"fmt"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// A case that has ended never changes. What becomes known afterwards opens a
// case of its own that is linked to it: a [Correction] where the marketplace
// takes a refund back, a [MissedFlaw] where the customer finds what we did not.

// Correct opens the correction, called id, of an ended case whose money the
// marketplace has taken back. Nothing moves yet: two people decide. corrected
// is what earlier corrections of the case were about.
func (c Case) Correct(id qc.CaseID, corrected money.Amount, e Event) (Case, error) {
	left, err := c.Received.Sub(corrected)
	if err != nil {
		return Case{}, err
	}
	over, err := e.Amount.Cmp(left)
	switch {
	case e.Actor.Party != ByClerk:
		err = ErrNotYours
	case !c.Correctable():
		err = ErrNotNow
	case e.Reason == "" || e.SellerRef == "":
		err = ErrMissing
	case err == nil && (over > 0 || e.Amount.Minor() <= 0):
		err = ErrAmount
	}
	if err != nil {
		return Case{}, fmt.Errorf("correct case %s in %s: %w", c.ID, c.Status, err)
	}
	n := linked(c, id, Correction, e)
	n.Paid, n.FreightIn = e.Amount, money.Amount{}
	n.Intent, n.SellerRef = Refund, e.SellerRef
	n.Timeline[0].Note = e.Amount.String() + " · " + e.SellerRef
	return n, nil
}

// Missed opens the case, called id, of a flaw that the customer found in pieces
// that had passed, or were kept: of those that were inspected in f. After is the
// case that had ended about them, or zero where there never was one.
func Missed(o Opening, after Case, e Event) (Case, error) {
	may := e.Actor.Party == ByCustomer || e.Actor.Party == ByClerk
	switch {
	case !may:
		return Case{}, fmt.Errorf("claim a flaw of item %s: %w", o.Item.ID, ErrNotYours)
	case after.ID != "" && !after.Claimable():
		return Case{}, fmt.Errorf("claim a flaw of item %s: %w", o.Item.ID, ErrNotNow)
	case e.Reason == "":
		return Case{}, fmt.Errorf("claim a flaw of item %s: %w", o.Item.ID, ErrMissing)
	}
	o.At = e.At
	whole, err := Open(o)
	if err != nil {
		return Case{}, err
	}
	n := linked(whole, o.ID, MissedFlaw, e)
	n.Parent, n.Liability = after.ID, ByAgentFault
	return n, nil
}

// linked returns a case of the same pieces that begins with e.
func linked(c Case, id qc.CaseID, sort Sort, e Event) Case {
	return Case{
		ID: id, Parent: c.ID, Sort: sort, Order: c.Order, Item: c.Item, Customer: c.Customer, Finding: c.Finding,
		Inspector: c.Inspector, Round: c.Round, Quantity: c.Quantity, Seller: c.Seller, Paid: c.Paid, FreightIn: c.FreightIn,
		Policy: c.Policy, Terms: c.Terms, Status: Disputed, Version: 1, Reason: e.Reason, OpenedAt: e.At, ChangedAt: e.At,
		Timeline: []Entry{{At: e.At, Actor: e.Actor, Event: e.Kind, To: Disputed, Note: e.Reason}},
	}
}

// of keeps an event to the cases of one sort.
func of(sort Sort, also func(Case, Event) error) func(Case, Event) error {
	return func(c Case, e Event) error {
		if c.Sort != sort {
			return ErrNotNow
		}
		if also != nil {
			return also(c, e)
		}
		return nil
	}
}

// takeBack lets the customer give back what the marketplace has taken, but no
// more than is free on the balance: the rest is our loss.
func takeBack(c *Case, e Event) error {
	back := c.Paid
	if more, err := back.Cmp(e.Available); err != nil {
		return err
	} else if more > 0 {
		back = e.Available
	}
	if back.Minor() < 0 {
		back = money.Fen(0)
	}
	loss, err := c.Paid.Sub(back)
	if err != nil {
		return err
	}
	c.TakenBack, c.Absorbed = back, loss
	return keepReason(c, e)
}

// bearReversal leaves the customer what was credited.
func bearReversal(c *Case, e Event) error {
	c.Absorbed = c.Paid
	return keepReason(c, e)
}

// grantable: not more than was paid for the pieces.
func grantable(c Case, e Event) error {
	whole, err := c.Owed()
	if err != nil {
		return err
	}
	if more, err := e.Amount.Cmp(whole); err != nil || more > 0 || e.Amount.Minor() < 0 {
		return ErrAmount
	}
	return second(c, e)
}

// reversed books what the marketplace took back: from the customer, as far as
// that is decided and possible, and else from us.
func reversed(after Case, post func(kind string, debit, credit Account, amount money.Amount)) {
	seller := SellerAccount(after.Seller)
	post("reversed", seller, CashAccount, after.Paid)
	post("taken_back", CustomerAccount(after.Customer), seller, after.TakenBack)
	post("loss", LossAccount, seller, after.Absorbed)
}

// Correctable reports whether money of the seller came in the case, which has
// ended, so that a marketplace could take it back.
func (c Case) Correctable() bool {
	return c.Status.Terminal() && c.Sort != Correction && !c.Received.IsZero()
}

// Claimable reports whether the customer may report a flaw that we missed after
// the case has ended.
func (c Case) Claimable() bool {
	if c.Sort != "" {
		return false
	}
	switch c.Status {
	case Kept, CreditedKept, Exchanged, Withdrawn:
		return true
	default:
		return false
	}
}
