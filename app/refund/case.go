// Package refund holds the words and rules of a case: what may happen to an
// item that failed inspection, who may do it, and what it means in money. It
// is pure: no database, no network, no clock.
//
// A [Case] moves only by [Case.Apply], along the rows of one table
// ([Transitions]). What may happen next, and why the rest may not, is asked of
// the same table by [Case.Next]; pages and stations show exactly that.
package refund

import (
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
	// Credited: the money is on the customer's balance. Terminal.
	Credited Status = "credited"
	// Exchanged: the replacement passed. Terminal.
	Exchanged Status = "exchanged"
	// Kept: the customer keeps the item as it is. Terminal.
	Kept Status = "kept"
	// Withdrawn: there was no defect. Terminal.
	Withdrawn Status = "withdrawn"
)

// Statuses lists every status, in the order in which a case may meet them.
func Statuses() []Status {
	return []Status{
		Flagged, AwaitingDecision, Negotiating, ReturnApproved, Returning, SellerRefunding,
		Exchanging, Rechecking, SellerRefused, Credited, Exchanged, Kept, Withdrawn,
	}
}

// Terminal reports whether a case in s has ended and never changes again.
func (s Status) Terminal() bool {
	return s == Credited || s == Exchanged || s == Kept || s == Withdrawn
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

	Paid      money.Amount `json:"paid"`       // what the customer paid for the goods
	FreightIn money.Amount `json:"freight_in"` // seller-to-warehouse freight, credited with them
	Received  money.Amount `json:"received"`   // what the seller has paid back
	Credited  money.Amount `json:"credited"`   // what is on the balance from this case

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
)

// Actor is who did something.
type Actor struct {
	Party Party  `json:"party"`
	ID    string `json:"id,omitempty"`
}

// Owed returns what the case is to bring when the seller is at fault: the
// goods and the freight that brought them.
func (c Case) Owed() (money.Amount, error) { return c.Paid.Add(c.FreightIn) }

// Task returns what the warehouse must do for the case as it stands.
func (c Case) Task() qc.Task {
	task := qc.Task{Item: c.Item, Case: c.ID, Reason: c.Reason}
	//exhaustive:enforce
	switch c.Status {
	case Flagged, AwaitingDecision, Negotiating, SellerRefused:
		task.Kind, task.DueAt = qc.TaskHold, c.WindowEndsAt
	case ReturnApproved:
		task.Kind, task.DueAt = qc.TaskSendBack, c.ChangedAt.Add(dispatchWithin)
	case Exchanging:
		task.Kind = qc.TaskPutAside
	case Rechecking:
		task.Kind = qc.TaskReinspect
	case Kept, Exchanged, Withdrawn:
		task.Kind = qc.TaskRelease
	case Returning, SellerRefunding, Credited:
		task.Kind = qc.TaskNothing
	}
	return task
}

// Times of the default policy.
const (
	decideWithin   = 72 * time.Hour // after the customer was told
	fileBefore     = 24 * time.Hour // before the window closes, so that the desk can still file
	decideAtLeast  = 6 * time.Hour
	dispatchWithin = 24 * time.Hour
)

// decideBy returns when the customer must have chosen: 72 hours after being
// told, a day before the seller's window closes, but never within six hours.
func decideBy(told, windowEnds time.Time) time.Time {
	by := told.Add(decideWithin)
	if !windowEnds.IsZero() && windowEnds.Add(-fileBefore).Before(by) {
		by = windowEnds.Add(-fileBefore)
	}
	if least := told.Add(decideAtLeast); by.Before(least) {
		by = least
	}
	return by
}
