package central

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ErrClaimed says that a flaw of the item has been claimed before.
var ErrClaimed = errors.New("claimed_before")

// Correct opens the correction of an ended case whose money the marketplace has
// taken back, under its number e.SellerRef; see [refund.Case.Correct]. The same
// number again returns the correction that it opened.
func (s *Store) Correct(ctx context.Context, id qc.CaseID, e refund.Event) (refund.Case, error) {
	var opened refund.Case
	e.Kind, e.At = refund.Reversed, asStored(s.now())
	err := s.write(ctx, e.At, func(t *tx) error {
		var err error
		opened, err = t.correct(ctx, id, e)
		return err
	})
	if err != nil {
		return refund.Case{}, fmt.Errorf("correct case %.80q: %w", id, err)
	}
	return opened, nil
}

func (t *tx) correct(ctx context.Context, id qc.CaseID, e refund.Event) (refund.Case, error) {
	c, err := readCase(ctx, t, id)
	if err != nil {
		return refund.Case{}, err
	}
	all, err := t.slicesOf(ctx, c.Item)
	if err != nil {
		return refund.Case{}, err
	}
	corrected := money.Fen(0)
	for _, other := range all {
		if other.Sort != refund.Correction || other.Parent != id {
			continue
		}
		if other.SellerRef == e.SellerRef {
			if other.Paid != e.Amount {
				return refund.Case{}, ErrSellerRef
			}
			return other, nil
		}
		if !lifted(other) {
			if corrected, err = corrected.Add(other.Paid); err != nil {
				return refund.Case{}, err
			}
		}
	}
	name, err := newCaseID()
	if err != nil {
		return refund.Case{}, err
	}
	opened, err := c.Correct(name, corrected, e)
	if err != nil {
		return refund.Case{}, err
	}
	return opened, t.openLinked(ctx, opened, e)
}

// lifted reports whether the marketplace gave back what it had taken.
func lifted(c refund.Case) bool {
	return slices.ContainsFunc(c.Timeline, func(e refund.Entry) bool { return e.Event == refund.ReversalLifted })
}

// ClaimFlaw opens the case of a flaw that the customer found in an item that had
// passed, or was kept; see [refund.Missed]. There is one such case an item:
// it fails with [ErrClaimed] when there has been one, except that the same
// words open it once and return it ever after.
func (s *Store) ClaimFlaw(ctx context.Context, item qc.ItemID, e refund.Event) (refund.Case, error) {
	var opened refund.Case
	e.Kind, e.At = refund.ClaimedFlaw, asStored(s.now())
	err := s.write(ctx, e.At, func(t *tx) error {
		var err error
		opened, err = t.claimFlaw(ctx, item, e)
		return err
	})
	if err != nil {
		return refund.Case{}, fmt.Errorf("claim a flaw of item %.80q: %w", item, err)
	}
	return opened, nil
}

func (t *tx) claimFlaw(ctx context.Context, id qc.ItemID, e refund.Event) (refund.Case, error) {
	item, err := readItem(ctx, t, id)
	if err != nil {
		return refund.Case{}, err
	}
	all, err := t.slicesOf(ctx, id)
	if err != nil {
		return refund.Case{}, err
	}
	var after refund.Case
	for _, c := range all { // the one that changed last is last
		switch {
		case c.Sort == refund.MissedFlaw && c.Timeline[0].Note == e.Reason && c.Timeline[0].Actor == e.Actor:
			return c, nil
		case c.Sort == refund.MissedFlaw:
			return c, ErrClaimed
		case c.Sort == "" && !gone(c):
			after = c
		}
	}
	findings, err := findingsOf(ctx, t, id)
	if err != nil {
		return refund.Case{}, err
	}
	pieces := all.free(item)
	if len(findings) == 0 || pieces < 1 {
		return refund.Case{}, refund.ErrNotNow // not inspected yet, or not theirs any more
	}
	customer, err := customerOf(ctx, t, item.Order)
	if err != nil {
		return refund.Case{}, err
	}
	name, err := newCaseID()
	if err != nil {
		return refund.Case{}, err
	}
	terms := t.store.terms.At(t.at)
	opened, err := refund.Missed(refund.Opening{
		Terms: &terms, ID: name, Item: item, Pieces: pieces, Customer: customer.ID, Finding: findings[0],
	}, after, e)
	if err != nil {
		return refund.Case{}, err
	}
	return opened, t.openLinked(ctx, opened, e)
}

// mostReason is how many letters of a message a case repeats as its reason; the
// ticket has all of them.
const mostReason = 500

// claimByTicket opens the case of a flaw that w reports, and returns the case that
// the ticket is of: that one, the one of an earlier report, or, where no flaw can
// be claimed of the item now, the one it would have been of anyhow.
func (t *tx) claimByTicket(ctx context.Context, w refund.Writing) (qc.CaseID, error) {
	reason := []rune(w.Text)
	if len(reason) > mostReason {
		reason = append(reason[:mostReason-1], '…')
	}
	c, err := t.claimFlaw(ctx, w.Item, refund.Event{Kind: refund.ClaimedFlaw, Actor: w.Actor, At: t.at, Reason: string(reason)})
	switch {
	case err == nil, errors.Is(err, ErrClaimed):
		return c.ID, nil
	case errors.Is(err, refund.ErrNotNow):
		return w.Case, nil
	}
	return "", err
}

func (t *tx) openLinked(ctx context.Context, c refund.Case, e refund.Event) error {
	about, err := t.subjectOf(ctx, c)
	if err != nil {
		return err
	}
	if err := t.insertCase(ctx, c, about, e.Kind); err != nil {
		return err
	}
	return t.audit(ctx, actorName(e.Actor), "case."+string(e.Kind), "case:"+string(c.ID),
		map[string]any{"event": e, "parent": c.Parent, "item": c.Item})
}
