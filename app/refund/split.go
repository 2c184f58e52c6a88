package refund

import (
	"fmt"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// MaySplit returns why actor may not decide for some of the pieces by
// themselves, or nil.
func (c Case) MaySplit(actor Actor) error {
	switch {
	case c.Status != AwaitingDecision || c.Quantity < 2:
		return ErrNotNow
	case actor.Party != ByCustomer && actor.Party != ByClerk:
		return ErrNotYours
	}
	return nil
}

// Split divides a case that awaits its customer's decision: so many pieces of
// it become a case of their own, called id, so that each part can be decided
// by itself. What was paid is divided so that the parts are the whole to the
// fen; money that has moved already stays with the rest. Both go on with the
// history that they share.
func (c Case) Split(id qc.CaseID, pieces int, e Event) (rest, part Case, err error) {
	if err := c.MaySplit(e.Actor); err != nil {
		return c, Case{}, fmt.Errorf("split case %s in %s: %w", c.ID, c.Status, err)
	}
	if pieces < 1 || pieces >= c.Quantity {
		return c, Case{}, fmt.Errorf("split %d of %d pieces off case %s: %w", pieces, c.Quantity, c.ID, ErrPieces)
	}
	weights := []int64{int64(c.Quantity - pieces), int64(pieces)}
	paid, err := money.Apportion(c.Paid, weights)
	if err != nil {
		return c, Case{}, err
	}
	freight, err := money.Apportion(c.FreightIn, weights)
	if err != nil {
		return c, Case{}, err
	}
	rest, part = c, c
	part.ID, part.Parent = id, c.ID
	nothing := money.Amount{}
	part.Received, part.Credited, part.Absorbed, part.Charged = nothing, nothing, nothing, nothing
	for n, half := range []*Case{&rest, &part} {
		half.Quantity, half.Paid, half.FreightIn = int(weights[n]), paid[n], freight[n]
		half.Version++
		half.ChangedAt = e.At
		half.Timeline = append(append([]Entry(nil), c.Timeline...), Entry{
			At: e.At, Actor: e.Actor, Event: SplitOff, From: c.Status, To: c.Status,
			Note: fmt.Sprintf("%d + %d", weights[0], weights[1]),
		})
	}
	return rest, part, nil
}

// worth returns what was paid for so many pieces of an item, and their share
// of the freight that brought it.
func worth(item qc.Item, pieces int) (paid, freight money.Amount, err error) {
	if pieces < 1 || pieces > item.Quantity {
		return paid, freight, ErrPieces
	}
	if paid, err = item.UnitPrice.Times(int64(pieces)); err != nil {
		return paid, freight, err
	}
	if pieces == item.Quantity {
		return paid, item.FreightIn, nil
	}
	shares, err := money.Apportion(item.FreightIn, []int64{int64(pieces), int64(item.Quantity - pieces)})
	if err != nil {
		return paid, freight, err
	}
	return paid, shares[0], nil
}
