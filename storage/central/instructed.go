package central

import (
	"context"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// instructed lets the customer's standing instructions act on a case to which
// on has just happened, in the same transaction, and returns the case as it
// then is. Where they may not act, the customer is asked as always.
func (t *tx) instructed(ctx context.Context, c refund.Case, on refund.Kind) (refund.Case, error) {
	switch c.Status {
	case refund.AwaitingDecision, refund.OfferPending, refund.SellerRefused:
	default:
		return c, nil
	}
	customer, err := customerOf(ctx, t, c.Order)
	if err != nil || customer.Instructions.Empty() {
		return c, err
	}
	f, err := readFinding(ctx, t, c.Finding)
	if err != nil {
		return c, err
	}
	e, acts := c.Instructed(customer.Instructions, f, on)
	if !acts {
		return c, nil
	}
	e.At = t.at
	after, err := t.move(ctx, c, e)
	if err != nil && refuseFor(err) != err { //nolint:errorlint // the rules say no, and nothing was written
		return c, nil
	}
	return after, err
}

// Instruct keeps what a customer wants done without being asked, from now on.
// Cases that the customer sees already are not touched. It fails with
// [qc.ErrInstructions] and [qc.ErrNotFound].
func (s *Store) Instruct(ctx context.Context, order qc.OrderID, i qc.Instructions, by refund.Actor) error {
	if err := i.Check(); err != nil {
		return fmt.Errorf("keep instructions: %w", err)
	}
	err := s.write(ctx, asStored(s.now()), func(t *tx) error {
		customer, err := customerOf(ctx, t, order)
		if err != nil {
			return err
		}
		_, err = t.instruct(ctx, customer, i, by)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep instructions for order %.80q: %w", order, err)
	}
	return nil
}

// instruct keeps what a customer wants from now on, and returns it as it then
// is; said again it changes nothing.
func (t *tx) instruct(ctx context.Context, customer qc.Customer, i qc.Instructions, by refund.Actor) (qc.Instructions, error) {
	was := customer.Instructions
	if i.SetAt = was.SetAt; was == i {
		return was, nil
	}
	if i.SetAt = t.at; !i.SetAt.After(was.SetAt) { // it tells versions apart, whatever the clock does
		i.SetAt = was.SetAt.Add(time.Microsecond)
	}
	customer.Instructions = i
	if err := t.keepCustomer(ctx, customer); err != nil {
		return was, err
	}
	t.told = true
	return i, t.audit(ctx, actorName(by), "customer.instruct", "customer:"+string(customer.ID), i)
}

func (t *tx) keepCustomer(ctx context.Context, customer qc.Customer) error {
	text, err := jsonText(customer)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `UPDATE customer SET body = $1 WHERE id = $2`, text, string(customer.ID))
	return err
}

// known keeps what a customer has said, whatever an import says, and what the
// desk has corrected by the rule of [qc.Customer.Imported].
func (t *tx) known(ctx context.Context, customer qc.Customer) (qc.Customer, error) {
	if err := customer.Instructions.Check(); err != nil {
		return customer, fmt.Errorf("%w: %w", ErrOrder, err)
	}
	before, err := body[qc.Customer](t.QueryRowContext(ctx, `SELECT body FROM customer WHERE id = $1`, string(customer.ID)))
	switch {
	case errors.Is(found(err), qc.ErrNotFound):
		customer.Correction = qc.Correction{}
		return customer, nil
	case err != nil:
		return customer, err
	case before.Instructions != (qc.Instructions{}):
		customer.Instructions = before.Instructions
	}
	return before.Imported(customer), nil
}
