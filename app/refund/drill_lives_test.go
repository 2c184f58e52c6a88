package refund_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/refund/refundtest"
)

// pure is one random life of the pieces of an item, with every case that comes
// of them, against books of its own.
type pure struct {
	chance refundtest.Chance
	cases  []refund.Case
	books  refundtest.Books
	posted map[string]bool
	passed map[refund.Status]bool // statuses that were met
	events int
	pieces int
	at     time.Time
	// apply is [refund.Case.Apply]; planted faults change what it does.
	apply func(refund.Case, refund.Event) (refund.Case, []refund.Transfer, error)
	// check says what is wrong with what became of a case.
	check func(before, after refund.Case) error
}

func newPure(seed uint64) *pure {
	p := &pure{
		chance: refundtest.NewChance(seed), books: refundtest.Books{}, posted: map[string]bool{}, passed: map[refund.Status]bool{}, at: noon,
		apply: refund.Case.Apply,
	}
	p.check = func(before, after refund.Case) error {
		return errors.Join(refundtest.Step(before, after), p.balanced())
	}
	o := opening()
	o.Item.Quantity = 1 + p.chance.IntN(3)
	o.LeadWaits, o.PhotosMissing = p.chance.IntN(3) == 0, p.chance.IntN(2)
	o.Liability = refundtest.One(p.chance, "", refund.BySellerFault, refund.ByMinorFlaw, refund.ByAgentFault, refund.ByCustomerWish)
	p.pieces = o.Item.Quantity
	c, err := refund.Open(o)
	if err != nil {
		panic(err) // the opening is ours
	}
	p.cases, p.passed[c.Status] = []refund.Case{c}, true
	return p
}

// step lets one thing happen and says what is wrong with it, or nil.
func (p *pure) step() error {
	p.events++
	p.at = p.at.Add(time.Duration(p.chance.IntN(36*60)) * time.Minute)
	n := p.chance.IntN(len(p.cases))
	c := p.cases[n]
	if p.chance.IntN(12) == 0 && len(p.cases) < 6 {
		return p.branch(n)
	}
	e := p.chance.Event(c, p.at)
	if likely, ok := p.chance.Likely(c, p.at); ok && p.chance.IntN(3) > 0 {
		e = likely
	}
	if e.Actor.Party == refund.ByInstruction {
		e.Rule = refund.GraveRule
	}
	e.Available = money.Fen(max(0, p.books[refund.CustomerAccount(c.Customer)]))
	after, moved, err := p.apply(c, e)
	if err != nil {
		if after.Version != c.Version || len(moved) > 0 {
			return fmt.Errorf("%s failed and left something behind", e.Kind)
		}
		return nil
	}
	if !p.books.Cover(moved) {
		return nil // the store refuses it
	}
	for _, m := range moved {
		if p.posted[m.ID] {
			return fmt.Errorf("%s booked %s twice", e.Kind, m.ID)
		}
		p.posted[m.ID] = true
	}
	p.books.Post(moved)
	p.cases[n], p.passed[after.Status] = after, true
	if err := p.check(c, after); err != nil {
		return fmt.Errorf("%s in %s: %w", e.Kind, c.Status, err)
	}
	return nil
}

// branch splits a case, or opens what follows its end.
func (p *pure) branch(n int) error {
	c, id := p.cases[n], qc.CaseID("K"+strconv.Itoa(len(p.cases)+1))
	actor := refundtest.One(p.chance, refundtest.Actors(c.Customer)...)
	if c.Status.Terminal() {
		taken := money.Fen(0)
		for _, other := range p.cases {
			if other.Parent == c.ID && other.Sort == refund.Correction {
				taken, _ = taken.Add(other.Paid)
			}
		}
		e := refund.Event{
			Kind: refund.Reversed, Actor: actor, At: p.at, Reason: "because", SellerRef: "V-" + string(id),
			Amount: money.Fen(1 + p.chance.Int64N(max(1, c.Received.Minor()))),
		}
		if more, err := c.Correct(id, taken, e); err == nil {
			p.cases, p.passed[more.Status] = append(p.cases, more), true
			return p.check(refund.Case{}, more)
		}
		return nil
	}
	rest, part, err := c.Split(id, p.chance.IntN(4), refund.Event{Kind: refund.SplitOff, Actor: actor, At: p.at})
	if err != nil {
		return nil //nolint:nilerr // refused: nothing has happened
	}
	if rest.Paid.Minor()+part.Paid.Minor() != c.Paid.Minor() || rest.FreightIn.Minor()+part.FreightIn.Minor() != c.FreightIn.Minor() ||
		rest.Quantity+part.Quantity != c.Quantity {
		return fmt.Errorf("the parts of %s are %s and %s", c.Paid, rest.Paid, part.Paid)
	}
	p.cases[n] = rest
	p.cases = append(p.cases, part)
	return errors.Join(p.check(c, rest), p.check(refund.Case{}, part))
}

// balanced compares the cases with the books, and with the pieces there are.
func (p *pure) balanced() error {
	return errors.Join(
		refundtest.Balanced(p.cases, p.books, "C-1001", "店"),
		refundtest.PiecesOnce(p.cases, map[qc.ItemID]int{p.cases[0].Item: p.pieces}),
	)
}

// TestDrillLives_Pure lets so many events happen to so many lives.
func TestDrillLives_Pure(t *testing.T) {
	t.Parallel()
	rig := drill.Begin(t, "lives", drill.Sizes{Test: 20_000, Short: 100_000, Long: 1_000_000})
	reached, wrong, lives := make(map[refund.Status]int), 0, uint64(0)
	events := 0
	for events < rig.Tries {
		p := newPure(rig.Seed + lives)
		lives++
		for range 80 {
			if err := p.step(); err != nil {
				wrong++
				t.Errorf("life %d, event %d: %v", rig.Seed+lives-1, p.events, err)
				break
			}
		}
		for s := range p.passed {
			reached[s]++
		}
		events += p.events
	}
	for _, s := range refund.Statuses() {
		if reached[s] == 0 {
			t.Errorf("no life came to %s: the rig does not look there", s)
		}
	}
	rig.Done(drill.Outcome{Tries: events, Lost: wrong, Figures: []string{"pure_lives", strconv.FormatUint(lives, 10)}})
}

// TestDrillLives_SeesPlantedFaults breaks the lifecycle on purpose: each fault
// is found, and found for what it is.
func TestDrillLives_SeesPlantedFaults(t *testing.T) {
	t.Parallel()
	after := func(change func(before refund.Case, after *refund.Case, moved *[]refund.Transfer, e refund.Event)) func(refund.Case, refund.Event) (refund.Case, []refund.Transfer, error) {
		return func(c refund.Case, e refund.Event) (refund.Case, []refund.Transfer, error) {
			next, moved, err := c.Apply(e)
			if err == nil {
				next.Timeline = slices.Clone(next.Timeline)
				change(c, &next, &moved, e)
			}
			return next, moved, err
		}
	}
	for name, fault := range map[string]struct {
		apply func(refund.Case, refund.Event) (refund.Case, []refund.Transfer, error)
		says  string
	}{
		"a transfer is lost": {after(func(_ refund.Case, _ *refund.Case, moved *[]refund.Transfer, _ refund.Event) {
			if len(*moved) > 0 && (*moved)[0].Kind == "received" {
				*moved = (*moved)[1:]
			}
		}), "fen are neither"},
		"a transfer is booked twice": {after(func(_ refund.Case, _ *refund.Case, moved *[]refund.Transfer, _ refund.Event) {
			*moved = append(*moved, *moved...)
		}), "twice"},
		"the seller is not asked for all": {after(func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, e refund.Event) {
			if e.Kind == refund.SellerPaid {
				c.Received = money.Fen(c.Received.Minor() - 1)
			}
		}), "came in"},
		"history is rewritten": {after(func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, _ refund.Event) {
			c.Timeline[0].Note = "nothing happened"
		}), "rewritten"},
		"history is left out": {after(func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, e refund.Event) {
			if e.Kind == refund.Refused {
				c.Timeline = c.Timeline[:len(c.Timeline)-1]
			}
		}), "version"},
		"an ended case goes on": {func(c refund.Case, e refund.Event) (refund.Case, []refund.Transfer, error) {
			if c.Status == refund.Kept {
				c.Version++
				c.Timeline = append(slices.Clone(c.Timeline), refund.Entry{At: e.At, Actor: e.Actor, Event: refund.Reconsidered, From: refund.Kept, To: refund.AwaitingDecision})
				c.Status = refund.AwaitingDecision
				return c, nil, nil
			}
			return c.Apply(e)
		}, "had ended"},
		"a guard is dropped": {func(c refund.Case, e refund.Event) (refund.Case, []refund.Transfer, error) {
			if c.Status == refund.Negotiating && e.Kind == refund.Dispatched { // nobody has agreed
				c.Version++
				c.Timeline = append(slices.Clone(c.Timeline), refund.Entry{At: e.At, Actor: e.Actor, Event: e.Kind, From: c.Status, To: refund.Returning})
				c.Status, c.ChangedAt = refund.Returning, e.At
				return c, nil, nil
			}
			return c.Apply(e)
		}, "leads from"},
		"somebody else decides": {func(c refund.Case, e refund.Event) (refund.Case, []refund.Transfer, error) {
			if e.Actor.Party == refund.ByStation && e.Kind == refund.ChoseKeep {
				e.Actor.Party = refund.ByCustomer
				next, moved, err := c.Apply(e)
				if err == nil {
					next.Timeline[len(next.Timeline)-1].Actor.Party = refund.ByStation
				}
				return next, moved, err
			}
			return c.Apply(e)
		}, "not for a station"},
		"shown without its photos": {after(func(_ refund.Case, c *refund.Case, _ *[]refund.Transfer, _ refund.Event) {
			if c.Status == refund.AwaitingDecision {
				c.PhotosMissing = 1
			}
		}), "photos missing"},
		"a balance is overdrawn": {func(c refund.Case, e refund.Event) (refund.Case, []refund.Transfer, error) {
			e.Available = money.Fen(1 << 40)
			spent := c.Credited
			next, moved, err := c.Apply(e)
			if err == nil && e.Kind == refund.SellerPaid { // the customer spends it at once
				moved = append(moved, refund.Transfer{ID: "spent " + moved[0].ID, Debit: refund.CustomerAccount(c.Customer), Credit: "shop", Amount: money.Fen(1)})
			}
			_ = spent
			return next, moved, err
		}, "the balance is"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(3000) {
				p := newPure(seed)
				p.apply = fault.apply
				for range 80 {
					err := p.step()
					if err == nil {
						continue
					}
					if !strings.Contains(err.Error(), fault.says) {
						t.Errorf("found as %v, want %q", err, fault.says)
					}
					return
				}
			}
			t.Error("nobody has found it")
		})
	}
}
