package central

import (
	"context"
	"fmt"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// holder is whose the key's holds are: any key of the shop may go on with them.
func (k ShopKey) holder() string { return "shop:" + k.Shop }

// ShopFunds returns the money of a customer of the shop, or [qc.ErrNotFound].
func (s *Store) ShopFunds(ctx context.Context, k ShopKey, id qc.CustomerID) (Funds, error) {
	var f Funds
	err := s.read(ctx, func(q querier) error {
		err := k.ownsCustomer(ctx, q, id)
		if err == nil {
			f, err = funds(ctx, q, id)
		}
		return err
	})
	if err != nil {
		return Funds{}, fmt.Errorf("read funds of %.80q for shop: %w", id, err)
	}
	return f, nil
}

// ShopStatement returns up to limit lines of the statement of a customer of the
// shop behind a transfer, oldest first, and whether there are more. It fails with
// [qc.ErrNotFound].
func (s *Store) ShopStatement(ctx context.Context, k ShopKey, id qc.CustomerID, after int64, limit int) (lines []Line, more bool, err error) {
	err = s.read(ctx, func(q querier) error {
		err := k.ownsCustomer(ctx, q, id)
		if err == nil {
			lines, more, err = statement(ctx, q, id, after, limit)
		}
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("read statement of %.80q for shop: %w", id, err)
	}
	return lines, more, nil
}

// ShopMemo returns a credit memo of an order of the shop, or [qc.ErrNotFound].
func (s *Store) ShopMemo(ctx context.Context, k ShopKey, number refund.MemoNumber) (refund.Memo, error) {
	m, err := s.Memo(ctx, number)
	if err == nil {
		err = k.ownsOrder(ctx, s.reader, m.Order)
	}
	if err != nil {
		return refund.Memo{}, fmt.Errorf("read memo %d for shop: %w", number, err)
	}
	return m, nil
}

// ShopReserve is [Store.Reserve] for a shop, of a customer of its own; the audit
// trail says which key did it. It fails with [ErrShopKey], too.
func (s *Store) ShopReserve(ctx context.Context, k ShopKey, r Reservation, at time.Time) (refund.Hold, error) {
	at = asStored(at)
	return s.shopHold(ctx, k, "reserve", r.ID, at, func(t *tx) (refund.Hold, error) {
		if err := k.ownsCustomer(ctx, t, r.Customer); err != nil {
			return refund.Hold{}, err
		}
		return t.reserve(ctx, refund.Hold{
			ID: r.ID, Holder: k.holder(), Purpose: refund.ForShop, Customer: r.Customer, Amount: r.Amount, Ref: r.Ref,
			ExpiresAt: at.Add(r.Lasts.Truncate(time.Microsecond)),
		})
	})
}

// ShopSpend is [Store.Spend] for a shop.
func (s *Store) ShopSpend(ctx context.Context, k ShopKey, id string, amount money.Amount, at time.Time) (refund.Hold, error) {
	return s.shopHold(ctx, k, "spend", id, at, func(t *tx) (refund.Hold, error) {
		return t.resolve(ctx, k.holder(), refund.ForShop, id, func(h refund.Hold) (refund.Hold, []refund.Transfer, error) {
			return h.Spend(amount, t.at)
		})
	})
}

// ShopRelease is [Store.Release] for a shop.
func (s *Store) ShopRelease(ctx context.Context, k ShopKey, id string, at time.Time) (refund.Hold, error) {
	return s.shopHold(ctx, k, "release", id, at, func(t *tx) (refund.Hold, error) {
		return t.resolve(ctx, k.holder(), refund.ForShop, id, func(h refund.Hold) (refund.Hold, []refund.Transfer, error) {
			return h.Release(t.at)
		})
	})
}

func (s *Store) shopHold(ctx context.Context, k ShopKey, what, id string, at time.Time, do func(*tx) (refund.Hold, error)) (refund.Hold, error) {
	return s.hold(ctx, what, id, at, func(t *tx) (refund.Hold, error) {
		if err := t.mayKeep(ctx, k); err != nil {
			return refund.Hold{}, err
		}
		h, err := do(t)
		if err != nil || !t.told { // nothing has moved: it was said before
			return h, err
		}
		return h, t.audit(ctx, k.actor(), "shop."+what, "hold:"+id, struct{}{})
	})
}

// ShopHold returns a hold of the shop's, or [qc.ErrNotFound].
func (s *Store) ShopHold(ctx context.Context, k ShopKey, id string) (refund.Hold, error) {
	return s.Hold(ctx, k.holder(), id)
}

// ShopWithdraw is [Store.AskWithdrawal] for a shop, of a customer of its own.
func (s *Store) ShopWithdraw(ctx context.Context, k ShopKey, w refund.Withdrawal, at time.Time) (refund.Withdrawal, error) {
	asked := refund.Withdrawal{
		ID: w.ID, Customer: w.Customer, Amount: w.Amount, To: w.To, AskedBy: k.holder(),
		State: refund.WithdrawalAsked, AskedAt: asStored(at),
	}
	return s.withdraw(ctx, "ask for", w.ID, at, func(t *tx) (refund.Withdrawal, error) {
		if err := t.mayKeep(ctx, k); err != nil {
			return asked, err
		}
		if err := k.ownsCustomer(ctx, t, w.Customer); err != nil {
			return asked, err
		}
		after, err := t.askWithdrawal(ctx, asked)
		if err != nil || !t.told {
			return after, err
		}
		return after, t.audit(ctx, k.actor(), "shop.withdraw", "hold:"+w.ID, struct{}{})
	})
}

// ShopWithdrawal returns a withdrawal that the shop asked for, or
// [qc.ErrNotFound].
func (s *Store) ShopWithdrawal(ctx context.Context, k ShopKey, id string) (refund.Withdrawal, error) {
	w, err := s.Withdrawal(ctx, id)
	if err == nil && w.AskedBy != k.holder() {
		return refund.Withdrawal{}, fmt.Errorf("read withdrawal %.80q for shop: %w", id, qc.ErrNotFound)
	}
	return w, err
}
