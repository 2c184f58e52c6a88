package refund

import (
	"errors"
	"slices"
	"time"

	"flawmark/app/qc"

	"flawmark/app/money"
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

// lastRound is the round after which no further exchange is offered.
const lastRound = 3

// Transition is one row of the lifecycle.
type Transition struct {
	On    Kind
	From  []Status
	By    []Party
	Needs []Field
	// to is where the case goes; it sees the case after effect has run.
	to way
	// only says in words what guard asks for.
	only string
	// guard keeps the event from happening; nil: nothing does.
	guard func(Case, Event) error
	// effect changes the case's facts; nil: only the status moves.
	effect func(*Case, Event) error
}

var (
	customer = []Party{ByCustomer, ByClerk}
	chooser  = []Party{ByCustomer, ByClerk, ByInstruction}
	clerk    = []Party{ByClerk}
	lead     = []Party{ByLead}
	station  = []Party{ByStation}
	bench    = []Party{ByStation, ByLead}
)

// Transitions returns the lifecycle, one row for each event. It is the only
// place that says what may happen to a case.
func Transitions() []Transition { return slices.Clone(lifecycle) }

// lifecycle is the table, made once: every step of every case looks into it.
var lifecycle = rows()

func rows() []Transition {
	return []Transition{
		{On: PhotosArrived, From: []Status{Flagged}, By: []Party{BySystem}, to: between(released, Flagged, AwaitingDecision), effect: clearMissing},
		{On: LeadConfirmed, From: open(), By: []Party{ByLead, BySystem}, to: between(looked, Flagged, AwaitingDecision).orStays(), only: "not the inspector's own finding", guard: notOwn, effect: clearLead},
		{On: LeadSentBack, From: []Status{Flagged, AwaitingDecision}, By: lead, Needs: []Field{NeedsReason}, to: between(same).orStays(), only: "not the inspector's own finding", guard: notOwn, effect: keepReason},
		{On: LeadDismissed, From: []Status{Flagged, AwaitingDecision}, By: lead, Needs: []Field{NeedsReason}, to: always(Withdrawn), only: "not the inspector's own finding", guard: notOwn, effect: keepReason},
		{On: Amended, From: []Status{Flagged, AwaitingDecision, PhotosRequested}, By: station, to: between(released, Flagged, AwaitingDecision), effect: flagAgain},
		{On: Retracted, From: []Status{Flagged}, By: station, to: always(Withdrawn)},

		{On: ChoseKeep, From: []Status{AwaitingDecision}, By: chooser, to: always(Kept), effect: intend(Keep)},
		{On: ChoseRefund, From: []Status{AwaitingDecision}, By: chooser, to: always(Negotiating), only: "the seller's window is open, for customers; costs nothing, for instructions", guard: costless(Refund, windowOpen), effect: intendAtCost(Refund)},
		{On: ChoseExchange, From: []Status{AwaitingDecision}, By: chooser, to: always(Negotiating), only: "not after the third round; the seller's window is open, for customers; costs nothing, for instructions", guard: costless(Exchange, mayExchange), effect: intendAtCost(Exchange)},
		{On: ChoseDiscount, From: []Status{AwaitingDecision}, By: chooser, to: always(Negotiating), only: "the seller's window is open, for customers", guard: windowOpen, effect: intend(Discount)},
		{On: AskedPhotos, From: []Status{AwaitingDecision}, By: customer, Needs: []Field{NeedsReason}, to: always(PhotosRequested), only: "not more often than the rules allow", guard: mayAskPhotos, effect: countPhotos},
		{On: PhotosDeclined, From: []Status{PhotosRequested}, By: []Party{ByClerk, ByLead, BySystem}, to: always(AwaitingDecision), only: "by the clock only when it has run out", guard: due, effect: keepReason},
		{On: Reconsidered, From: []Status{Negotiating, OfferPending}, By: customer, to: always(AwaitingDecision), only: "the item is here, and the seller has paid nothing yet", guard: here(nothingPaid), effect: startAgain},
		{On: NoAnswer, From: []Status{AwaitingDecision}, By: []Party{BySystem}, to: always(Kept), only: "the time to choose is over", guard: timeIsUp, effect: keepUnanswered},

		{On: AgreedReturn, From: []Status{Negotiating}, By: clerk, to: always(ReturnApproved), only: "the item is here", guard: here(nil)},
		{On: AgreedReship, From: []Status{Negotiating}, By: clerk, to: always(Exchanging), only: "an exchange was chosen", guard: intends(Exchange)},
		{On: AgreedRefund, From: []Status{Negotiating}, By: clerk, to: always(SellerRefunding), only: "a refund was chosen", guard: intends(Refund)},
		{On: Refused, From: []Status{Negotiating}, By: clerk, Needs: []Field{NeedsReason}, to: always(SellerRefused), effect: countRefusal},
		{On: Resubmitted, From: []Status{SellerRefused}, By: customer, to: always(Negotiating)},
		{On: GaveUp, From: []Status{SellerRefused}, By: []Party{ByCustomer, ByClerk, ByInstruction, BySystem}, to: between(keptAfterAll, Kept, CreditedKept), only: "the item is here; by the clock only when it has run out", guard: here(due), effect: giveUp},
		{On: Abandoned, From: []Status{SellerRefused}, By: customer, to: always(Forfeited), only: "the seller has paid nothing yet", guard: nothingPaid, effect: keepReason},

		{On: Offered, From: []Status{Negotiating, OfferPending}, By: clerk, Needs: []Field{NeedsAmount}, to: always(OfferPending), only: "the item is here; not more often than the rules allow, nor more than the case is worth", guard: here(mayOffer), effect: keepOffer},
		{On: AcceptedOffer, From: []Status{OfferPending}, By: chooser, to: always(SellerRefunding), only: "the offer has not lapsed", guard: offerStands, effect: takeOffer},
		{On: DeclinedOffer, From: []Status{OfferPending}, By: customer, to: always(Negotiating), effect: dropOffer},
		{On: CounteredOffer, From: []Status{OfferPending}, By: customer, Needs: []Field{NeedsAmount}, to: always(Negotiating), only: "the offer has not lapsed", guard: offerStands, effect: counter},
		{On: OfferLapsed, From: []Status{OfferPending}, By: []Party{BySystem}, to: always(Negotiating), only: "by the clock only when it has run out", guard: due, effect: dropOffer},

		{On: Appealed, From: []Status{Negotiating, SellerRefused}, By: []Party{ByClerk, BySystem}, to: always(Escalated), only: "not where nothing is wrong; by the clock only when it has run out", guard: mayEscalate, effect: keepReason},
		{On: RuledReturn, From: []Status{Escalated}, By: clerk, to: always(ReturnApproved), only: "the item is here", guard: here(nil)},
		{On: RuledRefund, From: []Status{Escalated}, By: clerk, to: always(SellerRefunding)},
		{On: RuledAgainst, From: []Status{Escalated}, By: clerk, Needs: []Field{NeedsReason}, to: always(SellerRefused), effect: countRefusal},

		{On: Dispatched, From: []Status{ReturnApproved}, By: bench, Needs: []Field{NeedsWaybill}, to: always(Returning), effect: keepReturn},
		{On: ReturnLapsed, From: []Status{ReturnApproved}, By: []Party{ByClerk, BySystem}, to: always(Negotiating), only: "by the clock only when it has run out", guard: due, effect: blameUs},
		{On: SellerReceived, From: []Status{Returning, ReturnException}, By: clerk, to: between(refundOrExchange, SellerRefunding, Exchanging)},
		{On: ReturnTroubled, From: []Status{Returning}, By: []Party{ByClerk, BySystem}, to: always(ReturnException), only: "by the clock only when it has run out", guard: due, effect: keepReason},
		{On: ReturnFound, From: []Status{ReturnException}, By: clerk, to: always(Returning), effect: keepReason},
		{On: ReturnSettled, From: []Status{ReturnException}, By: clerk, to: always(SellerRefunding), effect: wantMoney},
		{On: ReturnCameBack, From: []Status{Returning, ReturnException}, By: []Party{ByStation, ByLead, ByClerk}, to: always(PhotosRequested), effect: comeBack},
		{On: AgentPaid, From: []Status{SellerRefused, ReturnException, RefundShort}, By: clerk, Needs: []Field{NeedsReason, NeedsApprover}, to: between(ended, Credited, CreditedKept), only: "two different people; after a refusal only what was our fault, or what the seller has kept", guard: agentOwes, effect: absorb},
		{On: Unpaid, From: []Status{SellerRefunding}, By: []Party{ByClerk, BySystem}, to: always(Escalated), only: "by the clock only when it has run out", guard: due, effect: keepReason},
		{On: ShortChased, From: []Status{RefundShort}, By: clerk, to: always(SellerRefunding), effect: keepReason},
		{On: ShortSettled, From: []Status{RefundShort}, By: clerk, Needs: []Field{NeedsReason, NeedsApprover}, to: between(ended, Credited, CreditedKept), only: "two different people", guard: second, effect: keepReason},
		{On: Goodwill, From: []Status{SellerRefused, Negotiating, RefundShort}, By: clerk, Needs: []Field{NeedsAmount, NeedsReason}, to: between(same).orStays(), only: "two different people above the limit", guard: approved, effect: give},
		{On: DeskWithdrew, From: []Status{AwaitingDecision, PhotosRequested, Negotiating, OfferPending, SellerRefused, Escalated, ReturnApproved}, By: clerk, Needs: []Field{NeedsReason, NeedsApprover}, to: always(Withdrawn), only: "two different people, the item is here, and the seller has paid nothing yet", guard: here(ours), effect: keepReason},
		{On: SellerPaid, From: []Status{SellerRefunding, RefundShort}, By: clerk, Needs: []Field{NeedsAmount, NeedsSellerRef}, to: between(paidInFull, RefundShort, Credited, CreditedKept), effect: receive},
		{On: NoReplacement, From: []Status{Exchanging}, By: []Party{ByClerk, BySystem}, to: between(askOrRefund, AwaitingDecision, SellerRefunding), only: "by the clock only when it has run out", guard: due, effect: giveUpExchange},
		{On: ReplacementIn, From: []Status{Exchanging}, By: bench, Needs: []Field{NeedsWaybill}, to: always(Rechecking), effect: nextRound},
		{On: RecheckPassed, From: []Status{Rechecking}, By: bench, to: always(Exchanged)},
		{On: TakenBack, From: []Status{Disputed}, By: clerk, Needs: []Field{NeedsReason, NeedsApprover}, to: always(Corrected), only: "of a correction; two different people", guard: of(Correction, second), effect: takeBack},
		{On: LossBorne, From: []Status{Disputed}, By: clerk, Needs: []Field{NeedsReason, NeedsApprover}, to: always(Corrected), only: "of a correction; two different people", guard: of(Correction, second), effect: bearReversal},
		{On: ReversalLifted, From: []Status{Disputed}, By: clerk, Needs: []Field{NeedsReason}, to: always(Corrected), only: "of a correction", guard: of(Correction, nil), effect: keepReason},
		{On: ClaimGranted, From: []Status{Disputed}, By: clerk, Needs: []Field{NeedsAmount, NeedsReason, NeedsApprover}, to: always(CreditedKept), only: "of a missed flaw; two different people; not more than was paid", guard: of(MissedFlaw, grantable), effect: give},
		{On: ClaimDeclined, From: []Status{Disputed}, By: clerk, Needs: []Field{NeedsReason}, to: always(Withdrawn), only: "of a missed flaw", guard: of(MissedFlaw, nil), effect: keepReason},
		{On: RecheckFlagged, From: []Status{Rechecking}, By: bench, to: between(released, Flagged, AwaitingDecision), effect: flagAgain},
	}
}

// way is where a row leads, and where it ever may.
type way struct {
	of    func(Case) Status
	ends  []Status
	stays bool
}

func always(s Status) way { return way{of: func(Case) Status { return s }, ends: []Status{s}} }

func between(of func(Case) Status, ends ...Status) way { return way{of: of, ends: ends} }

func (w way) orStays() way {
	w.stays = true
	return w
}

// Leads reports whether the row may take a case from one status to the other.
func (t Transition) Leads(from, to Status) bool {
	return slices.Contains(t.From, from) && (slices.Contains(t.to.ends, to) || t.to.stays && from == to)
}

// Find returns the row of an event.
func Find(kind Kind) (Transition, bool) { return row(kind) }

func same(c Case) Status { return c.Status }

// released shows the case to the customer once no lead and no photo is waited
// for.
func released(c Case) Status {
	if c.LeadWaits || c.PhotosMissing > 0 {
		return Flagged
	}
	return AwaitingDecision
}

// looked releases what waited for the lead; a look at what the customer has
// seen already, perhaps decided, changes nothing but the record of it.
func looked(c Case) Status {
	if c.Status == Flagged {
		return released(c)
	}
	return c.Status
}

// open lists the statuses in which a flag can still be looked at.
func open() []Status {
	return slices.DeleteFunc(Statuses(), func(s Status) bool { return s.Terminal() || s == Disputed })
}

// askOrRefund is where a case goes on whose replacement never came: where the
// seller has the item, there is nothing left to choose but the money.
func askOrRefund(c Case) Status {
	if c.Away() {
		return SellerRefunding
	}
	return AwaitingDecision
}

func refundOrExchange(c Case) Status {
	if c.Intent == Exchange {
		return Exchanging
	}
	return SellerRefunding
}

func paidInFull(c Case) Status {
	if owed, err := c.Owed(); err == nil && c.Received == owed {
		return ended(c)
	}
	return RefundShort
}

// keptAfterAll is where a case ends whose customer gives up.
func keptAfterAll(c Case) Status {
	if !c.Credited.IsZero() {
		return CreditedKept
	}
	return Kept
}

// ended is where money leads: the item stays with the customer only where a
// part of the price was agreed.
func ended(c Case) Status {
	if c.Intent == Discount {
		return CreditedKept
	}
	return Credited
}

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

func intend(d Decision) func(*Case, Event) error {
	return func(c *Case, e Event) error {
		c.Intent = d
		return keepReason(c, e)
	}
}

func keepUnanswered(c *Case, _ Event) error {
	c.Intent, c.Reason = Keep, Unanswered
	return nil
}

func clearMissing(c *Case, e Event) error {
	c.PhotosMissing = 0
	c.blameDelay(e.At)
	return nil
}

func clearLead(c *Case, e Event) error {
	c.LeadWaits = false
	c.blameDelay(e.At)
	return nil
}

// blameDelay makes it our fault that the seller's window closed before the
// customer was asked at all.
func (c *Case) blameDelay(at time.Time) {
	if c.Status == Flagged && released(*c) == AwaitingDecision && !c.WindowEndsAt.IsZero() && !at.Before(c.WindowEndsAt) {
		c.Liability = ByAgentFault
	}
}

func keepReason(c *Case, e Event) error {
	c.Reason = e.Reason
	return nil
}

// keepReturn: what goes back is exchanged, or paid for whole, whatever part of
// the price was talked of before.
func keepReturn(c *Case, e Event) error {
	c.Carrier, c.ReturnWaybill = e.Carrier, e.Waybill
	if c.Intent != Exchange {
		c.Intent, c.Offer = Refund, nil
	}
	return nil
}

func nextRound(c *Case, e Event) error {
	c.Round++
	c.ReplacementWaybill = e.Waybill
	c.WindowEndsAt = qc.WindowEnd(c.Arrival(e))
	return nil
}

// Arrival returns when the replacement that e tells of counts as arrived in a
// case that waits for it: as said, but not before the case began to wait, nor
// after e. A station that was offline tells late, and its clock may be wrong.
func (c Case) Arrival(e Event) time.Time {
	arrived := e.ArrivedAt
	if arrived.Before(c.ChangedAt) {
		arrived = c.ChangedAt
	}
	if e.ArrivedAt.IsZero() || arrived.After(e.At) {
		return e.At
	}
	return arrived
}

func flagAgain(c *Case, e Event) error {
	c.Finding, c.Inspector = e.Finding, e.Inspector
	c.LeadWaits, c.PhotosMissing, c.Liability = e.LeadWaits, e.PhotosMissing, e.Liability
	c.Intent, c.Reason = Undecided, ""
	return nil
}

// receive books money of the seller: credited in the same step, part by part
// where the seller pays in parts.
func receive(c *Case, e Event) error {
	owed, err := c.Owed()
	if err != nil {
		return err
	}
	received, err := c.Received.Add(e.Amount)
	if err != nil {
		return err
	}
	over, err := received.Cmp(owed)
	if err != nil {
		return err
	}
	if e.Amount.Minor() <= 0 || over > 0 {
		return ErrAmount
	}
	credit, charge, err := c.share(e.Amount)
	if err != nil {
		return err
	}
	c.Received = received
	if c.Credited, err = c.Credited.Add(credit); err != nil {
		return err
	}
	if c.Charged, err = c.Charged.Add(charge); err != nil {
		return err
	}
	c.SellerRef = e.SellerRef
	return nil
}

// share divides money of the seller between the customer's balance and the
// fees that the customer accepted and has not paid yet.
func (c Case) share(amount money.Amount) (credit, charge money.Amount, err error) {
	due := money.Fen(0)
	for _, fee := range c.Fees {
		if due, err = due.Add(fee.Amount); err != nil {
			return credit, charge, err
		}
	}
	if due, err = due.Sub(c.Charged); err != nil {
		return credit, charge, err
	}
	charge = due
	if more, err := due.Cmp(amount); err != nil {
		return credit, charge, err
	} else if more > 0 {
		charge = amount
	}
	credit, err = amount.Sub(charge)
	return credit, charge, err
}

// row returns the table's row for kind.
func row(kind Kind) (Transition, bool) {
	i := slices.IndexFunc(lifecycle, func(t Transition) bool { return t.On == kind })
	if i < 0 {
		return Transition{}, false
	}
	return lifecycle[i], true
}
