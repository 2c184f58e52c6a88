package refundtest

import (
	"errors"
	"fmt"
	"slices"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Invariant is one of the promises that hold whatever happens, as far as it
// can be seen on one case: before something happened to it and after. Before is
// zero for a case that was opened.
type Invariant struct {
	Number int // in the list of promises; 0: it goes without saying
	Says   string
	Broken func(before, after refund.Case) error
}

// Invariants lists them. Of the numbered ones, 3 and 8 are about more than a
// case ([PiecesOnce], [Balanced]), and 9 and 10 about a store: see the tests
// there.
func Invariants() []Invariant {
	return []Invariant{
		{0, "a case goes along the rows of the table, and its history is never rewritten", OffTheTable},
		{1, "no credit without money received, or a loss of ours that two people have approved", CreditWithoutMoney},
		{2, "what is credited is never more than was paid, and what we gave", CreditOverPaid},
		{4, "an item is on hold just as long as its case is open and it has not left for the seller", HoldOff},
		{5, "nobody reviews an own finding", OwnReview},
		{6, "every change of status has an actor, a time, a reason where one is asked for, before and after", ChangeUnsaid},
		{7, "every open status that waits for none of ours has a timer", Forgotten},
		{11, "a customer sees no case whose photos are not there", ShownHalf},
		{12, "a case that has ended never changes", EndChanged},
		{0, "who gets no money back keeps the item", LeftWithNeither},
	}
}

// Sound reports what is wrong with a case as it stands, or nil.
func Sound(c refund.Case) error { return Step(refund.Case{}, c) }

// Step reports what is wrong with what became of a case, or nil: one or more
// events happened to it, or none.
func Step(before, after refund.Case) error {
	var wrong []error
	for _, i := range Invariants() {
		if err := i.Broken(before, after); err != nil {
			wrong = append(wrong, fmt.Errorf("invariant %d (%s): %w", i.Number, i.Says, err))
		}
	}
	return errors.Join(wrong...)
}

// fresh returns what was added to a history; all of it where it was rewritten.
func fresh(before, after refund.Case) []refund.Entry {
	if len(after.Timeline) < len(before.Timeline) {
		return after.Timeline
	}
	return after.Timeline[len(before.Timeline):]
}

// OffTheTable: unnumbered.
func OffTheTable(before, after refund.Case) error {
	if n := len(before.Timeline); len(after.Timeline) < n || !slices.Equal(after.Timeline[:n], before.Timeline) {
		return fmt.Errorf("history was rewritten: %d entries, now %d", n, len(after.Timeline))
	}
	if before.ID != "" && (before.ID != after.ID || before.Item != after.Item || before.Customer != after.Customer || before.Sort != after.Sort || before.Parent != after.Parent) {
		return errors.New("it became another case")
	}
	if after.Quantity < 1 || after.Round > 3 {
		return fmt.Errorf("%d pieces in round %d", after.Quantity, after.Round)
	}
	if before.ID == "" {
		return nil
	}
	for _, e := range fresh(before, after) {
		row, known := refund.Find(e.Event)
		switch {
		case e.Event == refund.SplitOff:
			if e.From != refund.AwaitingDecision || e.To != e.From {
				return fmt.Errorf("split in %s", e.From)
			}
		case !known:
			return fmt.Errorf("%s is in no row", e.Event)
		case !row.Leads(e.From, e.To):
			return fmt.Errorf("%s leads from %s to %s", e.Event, e.From, e.To)
		case !slices.Contains(row.By, e.Actor.Party):
			return fmt.Errorf("%s is not for a %s to do", e.Event, e.Actor.Party)
		}
	}
	return nil
}

// CreditWithoutMoney: number 1.
func CreditWithoutMoney(before, after refund.Case) error {
	if after.Sort == refund.Correction {
		moved := after.TakenBack.Minor() + after.Absorbed.Minor()
		if moved != 0 && moved != after.Paid.Minor() || after.TakenBack.Minor() < 0 || after.Absorbed.Minor() < 0 || moved != 0 && after.Status != refund.Corrected {
			return fmt.Errorf("of %s reversed, %s was taken back and %s borne, in %s", after.Paid, after.TakenBack, after.Absorbed, after.Status)
		}
	} else if in, out := after.Received.Minor()+after.Absorbed.Minor(), after.Credited.Minor()+after.Charged.Minor(); in != out {
		return fmt.Errorf("%d came in and was borne, %d was credited and charged", in, out)
	}
	if after.Absorbed == before.Absorbed || before.ID == "" {
		return nil
	}
	borne := []refund.Kind{refund.AgentPaid, refund.Goodwill, refund.ClaimGranted, refund.LossBorne, refund.TakenBack}
	for _, e := range fresh(before, after) {
		if !slices.Contains(borne, e.Event) {
			continue
		}
		alone := string(e.Approver) == e.Actor.ID || e.Approver == ""
		small := e.Event == refund.Goodwill && e.Approver == "" && after.Absorbed.Minor()-before.Absorbed.Minor() <= mayGiveAlone(after)
		if alone && !small {
			return fmt.Errorf("%s let us bear %d fen on one person's word", e.Event, after.Absorbed.Minor()-before.Absorbed.Minor())
		}
		return nil
	}
	return fmt.Errorf("we bear %s, and nobody said so", after.Absorbed)
}

// mayGiveAlone is what one person may give under the rules of a case.
func mayGiveAlone(c refund.Case) int64 {
	if c.Terms != nil {
		return c.Terms.ApprovalAbove.Minor()
	}
	return 100_00
}

// CreditOverPaid: number 2.
func CreditOverPaid(_, c refund.Case) error {
	if c.Sort == refund.Correction {
		return nil
	}
	whole := c.Paid.Minor() + c.FreightIn.Minor()
	if c.Received.Minor() < 0 || c.Received.Minor() > whole {
		return fmt.Errorf("received %s of %d", c.Received, whole)
	}
	if c.Credited.Minor() < 0 || c.Charged.Minor() < 0 || c.Credited.Minor()+c.Charged.Minor() > whole+c.Absorbed.Minor() {
		return fmt.Errorf("credited %s, charged %s of %d", c.Credited, c.Charged, whole)
	}
	return nil
}

// PiecesOnce: number 3, each piece of an item is in one open case at most.
func PiecesOnce(cases []refund.Case, pieces map[qc.ItemID]int) error {
	held := make(map[qc.ItemID]int)
	for _, c := range cases {
		if !c.Status.Terminal() {
			held[c.Item] += c.Pieces()
		}
	}
	for item, n := range held {
		if n > pieces[item] {
			return fmt.Errorf("open cases hold %d pieces of %s, there are %d", n, item, pieces[item])
		}
	}
	return nil
}

// HoldOff: number 4.
func HoldOff(_, c refund.Case) error {
	if c.Sort != "" {
		return nil // about money, or about what the customer has
	}
	on := []qc.TaskKind{qc.TaskHold, qc.TaskSendBack, qc.TaskPutAside, qc.TaskReinspect}
	held, kept := slices.Contains(on, c.Task().Kind), !c.Status.Terminal() && !c.Away()
	switch c.Status {
	case refund.Exchanging: // the hold is for the one that is to come
		kept = true
	case refund.Forfeited: // put aside for disposal
		kept = held
	default:
	}
	if held != kept {
		return fmt.Errorf("in %s the item is on hold: %v, away: %v", c.Status, held, c.Away())
	}
	return nil
}

// OwnReview: number 5.
func OwnReview(before, after refund.Case) error {
	if before.ID == "" {
		return nil
	}
	for _, e := range fresh(before, after) {
		review := slices.Contains([]refund.Kind{refund.LeadConfirmed, refund.LeadSentBack, refund.LeadDismissed}, e.Event)
		if review && e.Actor.Party == refund.ByLead && e.Actor.ID == string(before.Inspector) {
			return fmt.Errorf("%s has reviewed an own finding", e.Actor.ID)
		}
	}
	return nil
}

// ChangeUnsaid: number 6.
func ChangeUnsaid(_, c refund.Case) error {
	if c.Version != len(c.Timeline) {
		return fmt.Errorf("version %d with %d entries", c.Version, len(c.Timeline))
	}
	for n, e := range c.Timeline {
		row, _ := refund.Find(e.Event)
		switch {
		case e.Actor.Party == "" || e.At.IsZero() || e.Event == "" || e.To == "":
			return fmt.Errorf("entry %d has no actor, time, event or status: %+v", n, e)
		case n > 0 && e.From != c.Timeline[n-1].To:
			return fmt.Errorf("entry %d goes from %s, the one before went to %s", n, e.From, c.Timeline[n-1].To)
		case len(row.Needs) > 0 && e.Note == "":
			return fmt.Errorf("entry %d, %s, does not say why", n, e.Event)
		case slices.Contains(row.Needs, refund.NeedsApprover) && e.Approver == "":
			return fmt.Errorf("entry %d, %s, does not say who approved", n, e.Event)
		case e.Actor.Party == refund.ByInstruction && e.Rule == "":
			return fmt.Errorf("entry %d was done by an instruction that it does not cite", n)
		}
	}
	if end := c.Timeline[len(c.Timeline)-1].To; end != c.Status {
		return fmt.Errorf("it is %s, its history ends in %s", c.Status, end)
	}
	return nil
}

// Forgotten: number 7.
func Forgotten(_, c refund.Case) error {
	if c.Status == refund.AwaitingDecision && c.DecideBy.IsZero() {
		return errors.New("asked without an end")
	}
	at, kind, running := c.Timer()
	waits := !c.Status.Terminal() && !c.Status.WaitsForUs()
	switch {
	case c.Status == refund.Negotiating && c.Liability == refund.ByCustomerWish:
		waits = false // the marketplace does not take these: the desk goes on asking
	case c.Status == refund.SellerRefused && c.Away():
		waits = false // the desk finds out who pays
	}
	if running != waits || running && (kind == "" || at.IsZero()) {
		return fmt.Errorf("in %s a clock runs: %v, to do %q at %s", c.Status, running, kind, at)
	}
	if turn := c.Turn(); !c.Status.Terminal() && turn.Side == "" {
		return fmt.Errorf("in %s it is nobody's turn", c.Status)
	}
	return nil
}

// ShownHalf: number 11.
func ShownHalf(_, c refund.Case) error {
	if c.Status.Visible() && c.PhotosMissing > 0 || c.Status == refund.AwaitingDecision && c.LeadWaits {
		return fmt.Errorf("shown in %s with %d photos missing, lead waits: %v", c.Status, c.PhotosMissing, c.LeadWaits)
	}
	return nil
}

// EndChanged: number 12.
func EndChanged(before, after refund.Case) error {
	if before.Status.Terminal() && (after.Version != before.Version || after.Status != before.Status || len(fresh(before, after)) > 0) {
		return fmt.Errorf("it had ended as %s and went on", before.Status)
	}
	return nil
}

// LeftWithNeither: unnumbered.
func LeftWithNeither(_, c refund.Case) error {
	switch c.Status {
	case refund.Kept, refund.CreditedKept, refund.Withdrawn, refund.Exchanged, refund.AwaitingDecision:
		if c.Away() {
			return fmt.Errorf("in %s the seller has the item", c.Status)
		}
	default:
	}
	return nil
}

// Balanced: number 8. The ledger of what happened to the cases of one customer
// with one seller adds up to nought, and each account says what the cases say.
func Balanced(cases []refund.Case, books Books, customer qc.CustomerID, seller string) error {
	var given, bearing int64
	for _, c := range cases {
		given += Given(c)
		bearing += c.Absorbed.Minor()
	}
	balance := books[refund.CustomerAccount(customer)]
	switch owes := books[refund.SellerAccount(seller)]; {
	case books.Sum() != 0:
		return fmt.Errorf("the ledger adds up to %d", books.Sum())
	case balance != given || balance < 0:
		return fmt.Errorf("the balance is %d, the cases gave %d", balance, given)
	case owes != 0:
		return fmt.Errorf("%d fen are neither the seller's nor the customer's", owes)
	case -books[refund.LossAccount]-books[refund.GoodwillAccount] != bearing:
		return fmt.Errorf("we bear %d, the cases say %d", -books[refund.LossAccount]-books[refund.GoodwillAccount], bearing)
	}
	return nil
}
