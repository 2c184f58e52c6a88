package refund

import "slices"

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

		{On: ChoseKeep, From: []Status{AwaitingDecision}, By: chooser, to: always(Kept), only: "the item is here", guard: here(nil), effect: intend(Keep)},
		{On: ChoseRefund, From: []Status{AwaitingDecision}, By: chooser, to: always(Negotiating), only: "the seller's window is open, for customers; costs nothing, for instructions", guard: costless(Refund, windowOpen), effect: intendAtCost(Refund)},
		{On: ChoseExchange, From: []Status{AwaitingDecision}, By: chooser, to: always(Negotiating), only: "not after the third round; the seller's window is open, for customers; costs nothing, for instructions", guard: costless(Exchange, mayExchange), effect: intendAtCost(Exchange)},
		{On: ChoseDiscount, From: []Status{AwaitingDecision}, By: chooser, to: always(Negotiating), only: "the item is here; the seller's window is open, for customers", guard: here(windowOpen), effect: intend(Discount)},
		{On: AskedPhotos, From: []Status{AwaitingDecision}, By: customer, Needs: []Field{NeedsReason}, to: always(PhotosRequested), only: "not more often than the rules allow", guard: mayAskPhotos, effect: countPhotos},
		{On: PhotosDeclined, From: []Status{PhotosRequested}, By: []Party{ByClerk, ByLead, BySystem}, to: always(AwaitingDecision), only: "by the clock only when it has run out", guard: due, effect: keepReason},
		{On: Reconsidered, From: []Status{Negotiating, OfferPending}, By: customer, to: always(AwaitingDecision), only: "the item is here, and the seller has paid nothing yet", guard: here(nothingPaid), effect: startAgain},
		{On: NoAnswer, From: []Status{AwaitingDecision}, By: []Party{BySystem}, to: always(Kept), only: "the item is here, and the time to choose is over", guard: here(timeIsUp), effect: keepUnanswered},

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
		{On: CounteredOffer, From: []Status{OfferPending}, By: customer, Needs: []Field{NeedsAmount}, to: always(Negotiating), only: "the offer has not lapsed; not more than the case is worth", guard: mayCounter, effect: counter},
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
		{On: ReturnCameBack, From: []Status{Returning, ReturnException}, By: []Party{ByLead, ByClerk}, to: always(PhotosRequested), effect: comeBack},
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
func Find(kind Kind) (Transition, bool) {
	i := slices.IndexFunc(lifecycle, func(t Transition) bool { return t.On == kind })
	if i < 0 {
		return Transition{}, false
	}
	return lifecycle[i], true
}

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
