package refund

import (
	"errors"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// Kind names what can happen to a case.
type Kind string

// The kinds of events.
const (
	PhotosArrived  Kind = "photos_arrived"  // the centre has all previews
	LeadConfirmed  Kind = "confirm"         // the flag is right
	LeadSentBack   Kind = "send_back"       // the finding lacks something
	LeadDismissed  Kind = "dismiss"         // there is no defect
	Amended        Kind = "amend"           // inspected again, flagged again, before any choice
	Retracted      Kind = "retract"         // inspected again and passed, before the customer saw it
	ChoseKeep      Kind = "choose_keep"     // the customer keeps the item
	ChoseRefund    Kind = "choose_refund"   // the customer wants the money
	ChoseExchange  Kind = "choose_exchange" // the customer wants another piece
	Reconsidered   Kind = "reconsider"      // the customer takes the choice back
	NoAnswer       Kind = "no_answer"       // the customer has not chosen in time
	AgreedReturn   Kind = "agree_return"    // the seller takes the item back
	AgreedReship   Kind = "agree_reship"    // the seller sends another without return
	AgreedRefund   Kind = "agree_refund"    // the seller pays without return
	Refused        Kind = "refuse"          // the seller says no
	Resubmitted    Kind = "resubmit"        // asked again
	GaveUp         Kind = "give_up"         // the customer keeps a refused item
	Dispatched     Kind = "dispatch"        // the parcel to the seller has left
	SellerReceived Kind = "seller_received" // the seller has the item
	SellerPaid     Kind = "seller_paid"     // money of the seller has arrived
	ReplacementIn  Kind = "replacement_in"  // the replacement is stocked in
	RecheckPassed  Kind = "recheck_pass"    // the replacement is good
	RecheckFlagged Kind = "recheck_flag"    // the replacement is flawed, too

	AskedPhotos    Kind = "ask_photos"      // the customer wants to see more first
	PhotosDeclined Kind = "decline_photos"  // there will be none; the customer is asked again
	ChoseDiscount  Kind = "choose_discount" // the customer keeps the item for a part of the price
	Offered        Kind = "offer"           // the seller offers a part of the price
	AcceptedOffer  Kind = "accept_offer"
	DeclinedOffer  Kind = "decline_offer"
	CounteredOffer Kind = "counter_offer"  // the customer asks for another sum
	OfferLapsed    Kind = "offer_lapsed"   // nobody answered in time
	Appealed       Kind = "escalate"       // the marketplace is asked to decide
	RuledReturn    Kind = "rule_return"    // it decides: send it back
	RuledRefund    Kind = "rule_refund"    // it decides: the seller pays
	RuledAgainst   Kind = "rule_against"   // it decides for the seller
	ReturnLapsed   Kind = "return_lapsed"  // not sent while the seller's word held
	ReturnTroubled Kind = "return_problem" // lost, refused, or called another item
	ReturnFound    Kind = "return_found"   // on its way again
	ReturnSettled  Kind = "return_settled" // the seller pays all the same
	ReturnCameBack Kind = "return_back"    // it is here again, to be looked at
	AgentPaid      Kind = "agent_pays"     // we bear what is missing
	Unpaid         Kind = "unpaid"         // the seller has not paid in time
	ShortChased    Kind = "chase_short"    // the rest is asked for again
	ShortSettled   Kind = "settle_short"   // what came is all there will be
	NoReplacement  Kind = "no_replacement" // the seller never sent one
	Goodwill       Kind = "goodwill"       // a gift of the agent
	DeskWithdrew   Kind = "withdraw"       // our own mistake
	Reversed       Kind = "reverse"        // the marketplace took a refund back: opens a [Correction]
	TakenBack      Kind = "take_back"      // … and the customer gives it back, as far as possible
	LossBorne      Kind = "bear_reversal"  // … and we bear it
	ReversalLifted Kind = "lift_reversal"  // … and gave it back again
	ClaimedFlaw    Kind = "claim_flaw"     // the customer found what we did not: opens a [MissedFlaw]
	ClaimGranted   Kind = "grant_claim"    // … and we pay
	ClaimDeclined  Kind = "decline_claim"  // … and we do not
	SplitOff       Kind = "split"          // some of the pieces go their own way: [Case.Split], no row
	Abandoned      Kind = "forfeit"        // the customer does not want it either
)

// Event is something that happened to a case. Which fields it needs is in its
// row of [Transitions].
type Event struct {
	Kind  Kind      `json:"kind"`
	Actor Actor     `json:"actor"`
	At    time.Time `json:"at"`

	Rule Rule `json:"rule,omitempty"` // of the customer's standing instructions, where those act

	Reason    string       `json:"reason,omitempty"`
	Carrier   string       `json:"carrier,omitempty"`
	Waybill   qc.Waybill   `json:"waybill,omitempty"`
	Amount    money.Amount `json:"amount,omitzero"`
	SellerRef string       `json:"seller_ref,omitempty"`
	Approver  qc.StaffID   `json:"approver,omitempty"` // the second person, where one is needed
	Consent   bool         `json:"consent,omitempty"`  // the customer agrees to pay what a choice costs more than it brings
	Available money.Amount `json:"available,omitzero"` // TakenBack: what is free on the balance, as the store says

	ArrivedAt time.Time `json:"arrived_at,omitzero"` // ReplacementIn: when, as whoever took it in says; see [Case.Arrival]

	Finding       qc.FindingID `json:"finding,omitempty"`   // Amended, RecheckFlagged: the one that now counts
	Inspector     qc.StaffID   `json:"inspector,omitempty"` // Amended, RecheckFlagged: who recorded it
	Liability     Liability    `json:"liability,omitempty"` // Amended, RecheckFlagged: who answers for its flaws
	LeadWaits     bool         `json:"lead_waits,omitempty"`
	PhotosMissing int          `json:"photos_missing,omitempty"`
}

// Field names what a person must give with an event.
type Field string

// The fields.
const (
	NeedsReason    Field = "reason"
	NeedsWaybill   Field = "waybill"
	NeedsAmount    Field = "amount"
	NeedsSellerRef Field = "seller_ref"
	NeedsApprover  Field = "approver"
)

// Why an event does not happen. Each is a sentence to the person under the key
// "error." plus its text.
var (
	ErrNotNow       = errors.New("case_moved_on")       // the case is not in a status that allows it
	ErrNotYours     = errors.New("not_allowed")         // somebody else's to do
	ErrOwnFinding   = errors.New("own_finding")         // a lead never reviews an own finding
	ErrWindowClosed = errors.New("decision_late")       // the seller's window has closed
	ErrMissing      = errors.New("field_missing")       // a needed field is empty
	ErrAmount       = errors.New("amount_not_owed")     // nothing, or more than the seller owes
	ErrUnknownEvent = errors.New("event_unknown")       // no row in the table
	ErrRounds       = errors.New("exchange_too_often")  // no exchange after the last round
	ErrOfferLate    = errors.New("offer_late")          // the offer has lapsed
	ErrOfferRounds  = errors.New("offer_rounds")        // no more offers
	ErrPhotoRounds  = errors.New("photo_rounds")        // no more requests for photos
	ErrSamePerson   = errors.New("same_person")         // the second person is the first
	ErrApproval     = errors.New("approval_needed")     // so much needs a second person
	ErrApprover     = errors.New("approver_lacks_role") // the second person may not approve
	ErrConsent      = errors.New("consent_needed")      // it costs more than it brings, and nobody has agreed
	ErrPieces       = errors.New("pieces_wrong")        // not some of the pieces, or none, or all
	ErrCosts        = errors.New("costs_money")         // instructions never cost what was not agreed to
	ErrNotOurFault  = errors.New("not_our_fault")       // we bear what was refused only where we answer for it
	ErrAway         = errors.New("item_away")           // the seller has the item: nobody can keep it, nor send it
)

// Refusals returns every reason for which an event does not happen.
func Refusals() []error {
	return []error{
		ErrNotNow, ErrNotYours, ErrOwnFinding, ErrWindowClosed, ErrMissing, ErrAmount, ErrUnknownEvent, ErrRounds,
		ErrOfferLate, ErrOfferRounds, ErrPhotoRounds, ErrSamePerson, ErrApproval, ErrApprover, ErrCosts, ErrPieces, ErrConsent, ErrFunds, ErrNotOurFault, ErrAway,
	}
}
