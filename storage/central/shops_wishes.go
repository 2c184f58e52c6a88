package central

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// What a customer can say beside the steps of a case, said by the system of
// their shop: deciding for some pieces only, reporting what was not found, and
// standing instructions. All of it is as if the customer had said it, and the
// audit trail names the key.

// said is the key of what a shop's system said under one of its own.
func (k ShopKey) said(key string) string { return strconv.Quote(k.Shop) + " " + key }

// byCustomer is whom a shop's system speaks for.
func byCustomer(id qc.CustomerID) refund.Actor {
	return refund.Actor{Party: refund.ByCustomer, ID: string(id)}
}

// SplitForShop is [Store.Split] for the system of the case's shop. It fails with
// [ErrShopKey], too, and with [qc.ErrNotFound] for whatever the customer does
// not see.
func (s *Store) SplitForShop(ctx context.Context, k ShopKey, id qc.CaseID, version, pieces int, key string) (Halves, error) {
	var halves Halves
	err := s.write(ctx, asStored(s.now()), func(t *tx) error {
		c, seen, err := t.caseOfShop(ctx, k, id)
		if err != nil {
			return err
		}
		halves, err = t.split(ctx, id, version, pieces, byCustomer(c.Customer), k.said(key))
		if conflict, ok := errors.AsType[*Conflict](err); ok {
			conflict.Case = seen
		}
		if err != nil || !t.told { // what had happened before
			return err
		}
		return t.audit(ctx, k.actor(), "shop.split", "case:"+string(id), map[string]any{"part": halves.Part.ID, "pieces": pieces})
	})
	if err != nil {
		return Halves{}, fmt.Errorf("split case %.80q for shop: %w", id, err)
	}
	return halves, nil
}

// caseOfShop returns a case of the shop as it is, and as its customer sees it.
func (t *tx) caseOfShop(ctx context.Context, k ShopKey, id qc.CaseID) (c, seen refund.Case, err error) {
	if err := t.mayKeep(ctx, k); err != nil {
		return c, seen, err
	}
	if c, err = readCase(ctx, t, id); err != nil {
		return c, seen, err
	}
	if err := k.ownsOrder(ctx, t, c.Order); err != nil {
		return c, seen, err
	}
	seen, err = seenCase(ctx, t, c)
	return c, seen, err
}

// ClaimForShop is [Store.ClaimFlaw] for the system of the item's shop.
func (s *Store) ClaimForShop(ctx context.Context, k ShopKey, id qc.ItemID, reason string) (refund.Case, error) {
	var opened refund.Case
	err := s.write(ctx, asStored(s.now()), func(t *tx) error {
		if err := t.mayKeep(ctx, k); err != nil {
			return err
		}
		item, err := readItem(ctx, t, id)
		if err != nil {
			return err
		}
		if err := k.ownsOrder(ctx, t, item.Order); err != nil {
			return err
		}
		customer, err := customerOf(ctx, t, item.Order)
		if err != nil {
			return err
		}
		opened, err = t.claimFlaw(ctx, id, refund.Event{
			Kind: refund.ClaimedFlaw, Actor: byCustomer(customer.ID), At: t.at, Reason: reason,
		})
		if err != nil || !t.told {
			return err
		}
		return t.audit(ctx, k.actor(), "shop.claim", "case:"+string(opened.ID), struct{}{})
	})
	if err != nil {
		return refund.Case{}, fmt.Errorf("claim a flaw of item %.80q for shop: %w", id, err)
	}
	return opened, nil
}

// InstructionsMoved says that standing instructions have changed since the
// caller saw them.
type InstructionsMoved struct {
	Now qc.Instructions
}

func (m *InstructionsMoved) Error() string {
	return "instructions were changed at " + m.Now.SetAt.Format(time.RFC3339)
}

// ShopInstructions returns what a customer of the shop wants done without being
// asked, or [qc.ErrNotFound].
func (s *Store) ShopInstructions(ctx context.Context, k ShopKey, id qc.CustomerID) (qc.Instructions, error) {
	customer, err := shopCustomer(ctx, s.reader, k, id)
	if err != nil {
		return qc.Instructions{}, fmt.Errorf("read instructions of %.80q for shop: %w", id, err)
	}
	return customer.Instructions, nil
}

func shopCustomer(ctx context.Context, q querier, k ShopKey, id qc.CustomerID) (qc.Customer, error) {
	if err := k.ownsCustomer(ctx, q, id); err != nil {
		return qc.Customer{}, err
	}
	return body[qc.Customer](q.QueryRowContext(ctx, `SELECT body FROM customer WHERE id = $1`, string(id)))
}

// InstructForShop is [Store.Instruct] for the system of the customer's shop, who
// saw the instructions that were set at seen. It fails with *[InstructionsMoved],
// too; what is so already was said before.
func (s *Store) InstructForShop(ctx context.Context, k ShopKey, id qc.CustomerID, i qc.Instructions, seen time.Time) (qc.Instructions, error) {
	if err := i.Check(); err != nil {
		return qc.Instructions{}, fmt.Errorf("keep instructions: %w", err)
	}
	var now qc.Instructions
	err := s.write(ctx, asStored(s.now()), func(t *tx) error {
		if err := t.mayKeep(ctx, k); err != nil {
			return err
		}
		customer, err := shopCustomer(ctx, t, k, id)
		if err != nil {
			return err
		}
		now = customer.Instructions
		if i.SetAt = now.SetAt; i == now {
			return nil
		}
		if !now.SetAt.Equal(seen) {
			return &InstructionsMoved{Now: now}
		}
		if now, err = t.instruct(ctx, customer, i, byCustomer(id)); err != nil {
			return err
		}
		return t.audit(ctx, k.actor(), "shop.instruct", "customer:"+string(id), struct{}{})
	})
	if err != nil {
		return qc.Instructions{}, fmt.Errorf("keep instructions of %.80q for shop: %w", id, err)
	}
	return now, nil
}
