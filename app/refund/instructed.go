package refund

import (
	"slices"

	"flawmark/app/qc"
)

// Rule names the part of a customer's standing instructions that something was
// done by. It is said in words under the key "rule." plus it.
type Rule string

// The rules.
const (
	GraveRule Rule = "grave" // a major or critical flaw, and the choice costs nothing
	MinorRule Rule = "minor" // no flaw is major
	OfferRule Rule = "offer" // the seller offers enough
	ElseRule  Rule = "else"  // the seller gives nothing: keep it
)

// Instructed returns what a customer's standing instructions do now that on has
// happened to the case, which stands on the finding f: nothing is done that
// costs money the customer did not agree to, or goes against the customer's
// own word in this case.
func (c Case) Instructed(i qc.Instructions, f qc.Finding, on Kind) (Event, bool) {
	if i.Check() != nil || c.hasOwnWord() {
		return Event{}, false
	}
	e := Event{Actor: Actor{Party: ByInstruction, ID: string(c.Customer)}}
	switch {
	case c.Status == AwaitingDecision && slices.Contains([]Kind{"", PhotosArrived, LeadConfirmed, Amended, RecheckFlagged}, on):
		e.Kind, e.Rule = wished(i, f)
	case c.Status == OfferPending && on == Offered && c.Intent == Discount && c.enough(i.OfferFrom):
		e.Kind, e.Rule = AcceptedOffer, OfferRule
	case c.Status == SellerRefused && c.Intent == Discount && i.Minor == qc.WishDiscount:
		e.Kind, e.Rule = GaveUp, ElseRule
	}
	return e, e.Kind != ""
}

// hasOwnWord reports whether the customer has decided something in the case
// since it was last shown anew: then nothing is decided for them any more.
func (c Case) hasOwnWord() bool {
	for _, e := range slices.Backward(c.Timeline) {
		switch {
		case e.Event == RecheckFlagged || e.Event == "flag":
			return false
		case e.Actor.Party == ByCustomer, e.Actor.Party == ByClerk && e.From == AwaitingDecision, e.Event == Reconsidered:
			return true
		}
	}
	return false
}

// wished returns the choice for the flaws of a finding.
func wished(i qc.Instructions, f qc.Finding) (Kind, Rule) {
	wish, rule := i.Minor, MinorRule
	for _, flaw := range f.Flaws {
		if !qc.Minor.Worse(flaw.Severity) && flaw.Severity != qc.Minor {
			wish, rule = i.Grave, GraveRule
		}
	}
	switch wish {
	case qc.WishKeep:
		return ChoseKeep, rule
	case qc.WishRefund:
		return ChoseRefund, rule
	case qc.WishExchange:
		return ChoseExchange, rule
	case qc.WishDiscount:
		return ChoseDiscount, rule
	case qc.WishAsked:
	}
	return "", ""
}

// enough reports whether the offer is at least so many per cent of the price.
func (c Case) enough(percent int) bool {
	return percent > 0 && c.Offer != nil && c.Offer.Counter.IsZero() &&
		c.Offer.Amount.Minor()*100 >= c.Paid.Minor()*int64(percent)
}

// costless keeps instructions from costing money: what a choice costs, the
// customer must have seen.
func costless(d Decision, also func(Case, Event) error) func(Case, Event) error {
	return func(c Case, e Event) error {
		if e.Actor.Party == ByInstruction {
			sheet, err := c.Sheet()
			if err != nil {
				return err
			}
			if slices.ContainsFunc(sheet, func(choice Choice) bool { return choice.Decision == d && len(choice.Fees) > 0 }) {
				return ErrCosts
			}
		}
		return also(c, e)
	}
}
