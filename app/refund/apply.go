package refund

import (
	"fmt"
	"slices"
	"time"

	"flawmark/app/qc"
)

// Opening is what a case is opened with.
type Opening struct {
	ID            qc.CaseID
	Item          qc.Item
	Pieces        int // of the item that the case is about; 0: all
	Customer      qc.CustomerID
	Finding       qc.Finding
	LeadWaits     bool
	PhotosMissing int
	Liability     Liability // empty: the seller's
	Terms         *Policy   // the rules it is opened under; nil: the original ones
	Parent        qc.CaseID
	Sort          Sort
	At            time.Time
}

// Open returns a new case for a flagged item, already shown to the customer
// when neither a lead nor a photo is waited for.
func Open(o Opening) (Case, error) {
	pieces := o.Pieces
	if pieces == 0 {
		pieces = o.Item.Quantity
	}
	paid, freight, err := worth(o.Item, pieces)
	if err != nil {
		return Case{}, fmt.Errorf("open case %s: %w", o.ID, err)
	}
	c := Case{
		ID: o.ID, Order: o.Item.Order, Item: o.Item.ID, Customer: o.Customer,
		Finding: o.Finding.ID, Inspector: o.Finding.Inspector,
		Round: o.Finding.Round, Quantity: pieces, Seller: o.Item.Seller,
		Version: 1, LeadWaits: o.LeadWaits, PhotosMissing: o.PhotosMissing,
		Paid: paid, FreightIn: freight,
		Liability: o.Liability, Terms: o.Terms, Parent: o.Parent, Sort: o.Sort,
		OpenedAt: o.At, ChangedAt: o.At, WindowEndsAt: o.Item.WindowEndsAt(),
	}
	if o.Terms != nil {
		c.Policy = o.Terms.Version
	}
	c.Status = released(c)
	if c.Status == AwaitingDecision {
		c.DecideBy = c.decideBy(o.At)
	}
	c.Timeline = []Entry{{
		At: o.At, Actor: Actor{Party: ByStation, ID: string(o.Finding.Inspector)},
		Event: "flag", To: c.Status,
	}}
	return c, nil
}

// Apply returns the case after e and the money that moves with it. It fails
// with one of the package's errors and then nothing has happened.
func (c Case) Apply(e Event) (Case, []Transfer, error) {
	t, ok := Find(e.Kind)
	if !ok {
		return c, nil, fmt.Errorf("%w: %q", ErrUnknownEvent, e.Kind)
	}
	if err := t.allows(c, e); err != nil {
		return c, nil, fmt.Errorf("case %s in %s, %s: %w", c.ID, c.Status, e.Kind, err)
	}
	for _, field := range t.Needs {
		if e.lacks(field) {
			return c, nil, fmt.Errorf("case %s, %s: %w: %s", c.ID, e.Kind, ErrMissing, field)
		}
	}
	after := c
	after.Timeline = slices.Clone(c.Timeline)
	if t.effect != nil {
		if err := t.effect(&after, e); err != nil {
			return c, nil, fmt.Errorf("case %s, %s: %w", c.ID, e.Kind, err)
		}
	}
	after.Status = t.to.of(after)
	if err := after.settleFees(); err != nil {
		return c, nil, fmt.Errorf("case %s, %s: %w", c.ID, e.Kind, err)
	}
	after.Version++
	after.ChangedAt = e.At
	if after.Status == AwaitingDecision && c.Status != AwaitingDecision {
		after.DecideBy = after.decideBy(e.At)
	}
	after.Timeline = append(after.Timeline, Entry{
		At: e.At, Actor: e.Actor, Event: e.Kind, From: c.Status, To: after.Status, Note: e.note(t.Needs), Rule: e.Rule,
		Approver: e.approver(t.Needs),
	})
	moved, err := transfers(c, after, e)
	if err != nil {
		return c, nil, fmt.Errorf("case %s, %s: %w", c.ID, e.Kind, err)
	}
	return after, moved, nil
}

func (t Transition) allows(c Case, e Event) error {
	if !slices.Contains(t.From, c.Status) {
		return ErrNotNow
	}
	if !slices.Contains(t.By, e.Actor.Party) {
		return ErrNotYours
	}
	if t.guard != nil {
		return t.guard(c, e)
	}
	return nil
}

func (e Event) lacks(field Field) bool {
	switch field {
	case NeedsReason:
		return e.Reason == ""
	case NeedsWaybill:
		return e.Waybill == ""
	case NeedsAmount:
		return e.Amount.IsZero()
	case NeedsSellerRef:
		return e.SellerRef == ""
	case NeedsApprover:
		return e.Approver == ""
	}
	return true
}

// approver is the second person, where the event asks for one.
func (e Event) approver(needs []Field) qc.StaffID {
	if slices.Contains(needs, NeedsApprover) || e.Kind == Goodwill {
		return e.Approver
	}
	return ""
}

func (e Event) note(needs []Field) string {
	switch {
	case e.Waybill != "":
		if e.Carrier != "" {
			return e.Carrier + " " + string(e.Waybill)
		}
		return string(e.Waybill)
	case !e.Amount.IsZero() && slices.Contains(needs, NeedsReason):
		return e.Amount.String() + " · " + e.Reason
	case !e.Amount.IsZero():
		return e.Amount.String()
	}
	return e.Reason
}

// Action is one thing that a party might do to a case now.
type Action struct {
	Kind    Kind    `json:"kind"`
	Needs   []Field `json:"needs,omitempty"`
	Allowed bool    `json:"allowed"`
	Why     string  `json:"why,omitempty"` // key of the sentence that says why not
}

// Next lists what actor may do to the case at the time at, and of the rest of
// what is ever theirs, why it is not possible now.
func (c Case) Next(actor Actor, at time.Time) []Action {
	var actions []Action
	for _, t := range lifecycle {
		if !slices.Contains(t.By, actor.Party) {
			continue
		}
		action := Action{Kind: t.On, Needs: t.Needs, Allowed: true}
		if err := t.allows(c, Event{Kind: t.On, Actor: actor, At: at}); err != nil {
			action.Allowed, action.Why = false, "error."+err.Error()
		}
		actions = append(actions, action)
	}
	return actions
}
