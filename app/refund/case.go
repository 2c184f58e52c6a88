// Package refund holds the words and rules of a case: what may happen to an
// item that failed inspection, who may do it, and what it means in money. It
// is pure: no database, no network, no clock.
//
// A [Case] moves only by [Case.Apply], along the rows of one table
// ([Transitions]). What may happen next, and why the rest may not, is asked of
// the same table by [Case.Next]; pages and stations show exactly that.
package refund

import (
	"slices"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// Status is where a case stands, in the words of the trade.
type Status string

// The statuses of the main branch.
const (
	// Flagged: a station's finding that the customer does not see yet, because
	// a lead must look first or photos are still on their way.
	Flagged Status = "flagged"
	// AwaitingDecision: the customer sees the flaw and has not chosen.
	AwaitingDecision Status = "awaiting_decision"
	// Negotiating: the claim is with the seller.
	Negotiating Status = "negotiating"
	// ReturnApproved: the seller takes the item back; the warehouse packs it.
	ReturnApproved Status = "return_approved"
	// Returning: the item is on its way to the seller under a known waybill.
	Returning Status = "returning"
	// SellerRefunding: the seller owes the money and has not paid it.
	SellerRefunding Status = "seller_refunding"
	// Exchanging: the seller sends, or has agreed to send, a replacement.
	Exchanging Status = "exchanging"
	// Rechecking: the replacement is here and is being inspected.
	Rechecking Status = "rechecking"
	// SellerRefused: the seller said no; ask again or keep the item.
	SellerRefused Status = "seller_refused"
	// PhotosRequested: the customer asked for more photos before choosing.
	PhotosRequested Status = "photos_requested"
	// OfferPending: the seller offers a part of the price and the customer
	// keeps the item; the customer has not answered.
	OfferPending Status = "offer_pending"
	// Escalated: the marketplace decides between the seller and us.
	Escalated Status = "escalated"
	// ReturnException: the parcel to the seller is lost, refused or disputed.
	ReturnException Status = "return_exception"
	// RefundShort: the seller paid less than agreed; what came is credited.
	RefundShort Status = "refund_short"
	// Disputed: something became known after the end of another case; two people
	// of ours decide what follows from it.
	Disputed Status = "disputed"
	// Credited: the money is on the customer's balance. Terminal.
	Credited Status = "credited"
	// CreditedKept: a part of the price is on the balance, the item stays with
	// the customer. Terminal.
	CreditedKept Status = "credited_kept"
	// Forfeited: refused by the seller and not wanted by the customer. Terminal.
	Forfeited Status = "forfeited"
	// Exchanged: the replacement passed. Terminal.
	Exchanged Status = "exchanged"
	// Kept: the customer keeps the item as it is. Terminal.
	Kept Status = "kept"
	// Withdrawn: there was no defect. Terminal.
	Withdrawn Status = "withdrawn"
	// Corrected: it is decided who bears what a marketplace took back. Terminal.
	Corrected Status = "corrected"
)

// Statuses lists every status, in the order in which a case may meet them.
func Statuses() []Status {
	return []Status{
		Flagged, AwaitingDecision, PhotosRequested, Negotiating, OfferPending, SellerRefused, Escalated,
		ReturnApproved, Returning, ReturnException, SellerRefunding, RefundShort, Exchanging, Rechecking,
		Disputed, Credited, CreditedKept, Exchanged, Kept, Withdrawn, Forfeited, Corrected,
	}
}

// Terminal reports whether a case in s has ended and never changes again.
func (s Status) Terminal() bool {
	switch s {
	case Credited, CreditedKept, Exchanged, Kept, Withdrawn, Forfeited, Corrected:
		return true
	default:
		return false
	}
}

// Standing names where the case stands for those who work on it: its status, or
// what a flag really waits for when no lead has to look at it. Its words are
// under the key "status.desk." plus it.
func (c Case) Standing() string {
	if c.Status == Flagged && !c.LeadWaits && c.PhotosMissing > 0 {
		return string(Flagged) + ".photos"
	}
	return string(c.Status)
}

// Visible reports whether the customer sees a case in s.
func (s Status) Visible() bool { return s != Flagged && s != Withdrawn }

// Decision is what the customer chose.
type Decision string

// The decisions.
const (
	Undecided Decision = ""
	Keep      Decision = "keep"
	Refund    Decision = "refund"
	Exchange  Decision = "exchange"
	Discount  Decision = "discount" // a part of the price back, and keep the item
)

// Unanswered is the Reason of a case whose customer did not choose in time. It
// is said in words under the key "kept.reason." plus it.
const Unanswered = "no_answer"

// Case is an item that failed inspection, from the flag to its end.
type Case struct {
	ID       qc.CaseID     `json:"id"`
	Order    qc.OrderID    `json:"order"`
	Item     qc.ItemID     `json:"item"`
	Customer qc.CustomerID `json:"customer"`
	Finding  qc.FindingID  `json:"finding"` // of the current round
	// Inspector recorded the finding and therefore never reviews it.
	Inspector qc.StaffID `json:"inspector"`
	Round     int        `json:"round"`
	Quantity  int        `json:"quantity"`
	Seller    string     `json:"seller"`

	Status  Status   `json:"status"`
	Intent  Decision `json:"intent,omitempty"`
	Version int      `json:"version"` // grows by one with every event

	// LeadWaits: no lead has released the finding to the customer yet.
	LeadWaits bool `json:"lead_waits,omitempty"`
	// PhotosMissing: previews the centre lacks; the customer sees none before all.
	PhotosMissing int `json:"photos_missing,omitempty"`

	Paid      money.Amount `json:"paid"`              // what the customer paid for the goods
	FreightIn money.Amount `json:"freight_in"`        // seller-to-warehouse freight, credited with them
	Received  money.Amount `json:"received"`          // what the seller has paid back
	Credited  money.Amount `json:"credited"`          // what is on the balance from this case
	Absorbed  money.Amount `json:"absorbed,omitzero"` // of that, what the agent bore itself
	Charged   money.Amount `json:"charged,omitzero"`  // what was kept back for fees
	// Held is set aside on the balance for fees that the refund does not cover,
	// and Collected is what has been taken of that.
	Held      money.Amount `json:"held,omitzero"`
	Collected money.Amount `json:"collected,omitzero"`
	// TakenBack is what the customer gave back of a refund that the marketplace
	// took back.
	TakenBack money.Amount `json:"taken_back,omitzero"`

	Liability Liability `json:"liability,omitempty"` // who answers for the flaw; empty: the seller
	Policy    int       `json:"policy,omitempty"`    // version of the rules it was opened under; 0: before there were versions
	Terms     *Policy   `json:"terms,omitempty"`     // those rules
	Fees      []Fee     `json:"fees,omitempty"`      // that the customer accepted with the decision
	Offer     *Offer    `json:"offer,omitempty"`     // of the seller, while it is pending or once it was accepted

	OfferRounds int `json:"offer_rounds,omitempty"` // offers so far
	PhotoRounds int `json:"photo_rounds,omitempty"` // requests for more photos so far
	Refusals    int `json:"refusals,omitempty"`     // by the seller

	// Parent is the case this one came from: the other part of a split, or the
	// ended case that it corrects.
	Parent qc.CaseID `json:"parent,omitempty"`
	Sort   Sort      `json:"sort,omitempty"` // empty: an ordinary case

	Carrier            string     `json:"carrier,omitempty"`
	ReturnWaybill      qc.Waybill `json:"return_waybill,omitempty"`
	ReplacementWaybill qc.Waybill `json:"replacement_waybill,omitempty"`
	SellerRef          string     `json:"seller_ref,omitempty"` // the marketplace's refund number
	Reason             string     `json:"reason,omitempty"`     // of the last refusal, dismissal or keep

	OpenedAt     time.Time `json:"opened_at"`
	ChangedAt    time.Time `json:"changed_at"`
	WindowEndsAt time.Time `json:"window_ends_at,omitzero"` // the seller's return window
	DecideBy     time.Time `json:"decide_by,omitzero"`      // set when the customer is asked

	Timeline []Entry `json:"timeline"`
}

// Entry is one line of a case's history.
type Entry struct {
	At    time.Time `json:"at"`
	Actor Actor     `json:"actor"`
	Event Kind      `json:"event"`
	From  Status    `json:"from,omitempty"`
	To    Status    `json:"to"`
	Note  string    `json:"note,omitempty"` // waybill, amount or reason, as text
	// Approver is the second person, where one was needed.
	Approver qc.StaffID `json:"approver,omitempty"`
	Rule     Rule       `json:"rule,omitempty"` // that this was done by
}

// Party is the kind of somebody who acts on a case.
type Party string

// The parties.
const (
	ByCustomer Party = "customer"
	ByClerk    Party = "clerk"
	ByLead     Party = "lead"
	ByStation  Party = "station" // an inspector at a bench
	BySystem   Party = "system"  // policies and timers
	// ByInstruction is the customer's standing instructions; the actor's ID is
	// the customer's.
	ByInstruction Party = "instruction"
)

// Actor is who did something.
type Actor struct {
	Party Party  `json:"party"`
	ID    string `json:"id,omitempty"`
}

// Sort says what kind of case it is.
type Sort string

// The sorts beside the ordinary one.
const (
	Correction Sort = "correction"  // something became known after the end of another
	MissedFlaw Sort = "missed_flaw" // found by the customer in an item that had passed
)

// Offer is the seller's partial answer: a part of the price back, and the
// customer keeps the item.
type Offer struct {
	Amount    money.Amount `json:"amount"`
	ExpiresAt time.Time    `json:"expires_at"`
	Counter   money.Amount `json:"counter,omitzero"` // what the customer asked for instead
}

// Pieces returns how many pieces of its item the case is about. A correction is
// about money alone.
func (c Case) Pieces() int {
	if c.Sort == Correction {
		return 0
	}
	return c.Quantity
}

// Away reports whether the item has left for the seller, and neither it nor
// another one has come back.
func (c Case) Away() bool {
	for _, e := range slices.Backward(c.Timeline) {
		switch e.Event {
		case Dispatched:
			return true
		case ReplacementIn, ReturnCameBack:
			return false
		default:
		}
	}
	return false
}

// Owed returns what the case is to bring: the goods and the freight that
// brought them, or of an accepted offer its amount.
func (c Case) Owed() (money.Amount, error) {
	if c.Intent == Discount && c.Offer != nil {
		return c.Offer.Amount, nil
	}
	return c.Paid.Add(c.FreightIn)
}

// Task returns what the warehouse must do for the case as it stands.
func (c Case) Task() qc.Task {
	task := qc.Task{Item: c.Item, Case: c.ID, Reason: c.Reason}
	//exhaustive:enforce
	switch c.Status {
	case Flagged, AwaitingDecision, Negotiating, SellerRefused, OfferPending, Escalated:
		if !c.Away() {
			task.Kind, task.DueAt = qc.TaskHold, c.WindowEndsAt
		}
	case ReturnApproved:
		task.Kind, task.DueAt = qc.TaskSendBack, c.ChangedAt.Add(c.policy().DispatchWithin)
	case Exchanging:
		task.Kind = qc.TaskPutAside
	case Rechecking:
		task.Kind = qc.TaskReinspect
	case PhotosRequested:
		task.Kind, task.DueAt = qc.TaskReinspect, c.ChangedAt.Add(c.policy().PhotosWithin)
	case Kept, Exchanged, Withdrawn, CreditedKept:
		task.Kind = qc.TaskRelease
	case SellerRefunding, RefundShort:
		if !c.Away() {
			task.Kind = qc.TaskHold
		}
	case Forfeited:
		task.Kind = qc.TaskPutAside
	case Returning, ReturnException, Credited, Disputed, Corrected:
		task.Kind = qc.TaskNothing
	}
	return task
}

// decideBy returns when a customer who is told now must have chosen: in the
// policy's time, so long before the seller's window closes that the desk can
// still file, but never at once.
func (c Case) decideBy(told time.Time) time.Time {
	p := c.policy()
	by := told.Add(p.DecideWithin)
	late := c.Liability == ByAgentFault && !told.Before(c.WindowEndsAt) // our delay; nothing is left to hurry for
	if !c.WindowEndsAt.IsZero() && !late && c.WindowEndsAt.Add(-p.FileBefore).Before(by) {
		by = c.WindowEndsAt.Add(-p.FileBefore)
	}
	if least := told.Add(p.DecideAtLeast); by.Before(least) {
		by = least
	}
	return by
}
