package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Funds is a customer's money with us.
type Funds struct {
	Posted    money.Amount `json:"posted"`    // all that is theirs
	Held      money.Amount `json:"held"`      // of that, set aside
	Available money.Amount `json:"available"` // of that, free to use
}

// Funds returns a customer's money, or [qc.ErrNotFound] for a customer who is
// not known.
func (s *Store) Funds(ctx context.Context, id qc.CustomerID) (Funds, error) {
	var f Funds
	err := s.read(ctx, func(q querier) error {
		if err := customerKnown(ctx, q, id); err != nil {
			return err
		}
		var err error
		f, err = funds(ctx, q, id)
		return err
	})
	if err != nil {
		return Funds{}, fmt.Errorf("read funds of %.80q: %w", id, err)
	}
	return f, nil
}

func customerKnown(ctx context.Context, q querier, id qc.CustomerID) error {
	return found(q.QueryRowContext(ctx, `SELECT id FROM customer WHERE id = $1`, string(id)).Scan(new(string)))
}

func funds(ctx context.Context, q querier, id qc.CustomerID) (f Funds, err error) {
	if f.Available, err = balance(ctx, q, id); err != nil {
		return f, err
	}
	if f.Held, err = posted(ctx, q, refund.HoldAccount(id)); err != nil {
		return f, err
	}
	f.Posted, err = f.Available.Add(f.Held)
	return f, err
}

// Reservation asks for money of a customer to be set aside.
type Reservation struct {
	ID       string // a UUID; the same one again is the same wish
	Holder   string // who asks: the shop
	Customer qc.CustomerID
	Amount   money.Amount
	Ref      string        // what for, such as the shop's order number
	Lasts    time.Duration // after which it is free again
}

// Reserve sets money aside until it is spent or released by the same holder, or
// its time is over. The same reservation again returns the hold as it is now,
// whatever has become of it; the same id with other content is
// [refund.ErrHoldChanged]. More than is free is [refund.ErrFunds].
func (s *Store) Reserve(ctx context.Context, r Reservation, at time.Time) (refund.Hold, error) {
	at = asStored(at)
	return s.hold(ctx, "reserve", r.ID, at, func(t *tx) (refund.Hold, error) {
		return t.reserve(ctx, refund.Hold{
			ID: r.ID, Holder: r.Holder, Purpose: refund.ForShop, Customer: r.Customer, Amount: r.Amount, Ref: r.Ref,
			ExpiresAt: at.Add(r.Lasts.Truncate(time.Microsecond)),
		})
	})
}

// Spend takes amount of a hold, once; what is left over of it is free again.
// The same again returns the same. A hold of somebody else is [qc.ErrNotFound],
// one that has ended otherwise [refund.ErrHoldOver].
func (s *Store) Spend(ctx context.Context, holder, id string, amount money.Amount, at time.Time) (refund.Hold, error) {
	return s.hold(ctx, "spend", id, at, func(t *tx) (refund.Hold, error) {
		return t.resolve(ctx, holder, refund.ForShop, id, func(h refund.Hold) (refund.Hold, []refund.Transfer, error) {
			return h.Spend(amount, t.at)
		})
	})
}

// Release frees all of a hold. Again, or after it has expired, changes nothing.
func (s *Store) Release(ctx context.Context, holder, id string, at time.Time) (refund.Hold, error) {
	return s.hold(ctx, "release", id, at, func(t *tx) (refund.Hold, error) {
		return t.resolve(ctx, holder, refund.ForShop, id, func(h refund.Hold) (refund.Hold, []refund.Transfer, error) {
			return h.Release(t.at)
		})
	})
}

func (s *Store) hold(ctx context.Context, what, id string, at time.Time, do func(*tx) (refund.Hold, error)) (refund.Hold, error) {
	var h refund.Hold
	err := s.write(ctx, at, func(t *tx) error {
		var err error
		h, err = do(t)
		return err
	})
	if err != nil {
		return refund.Hold{}, fmt.Errorf("%s hold %.80q: %w", what, id, err)
	}
	return h, nil
}

// Hold returns a hold of this holder for a shop, or [qc.ErrNotFound].
func (s *Store) Hold(ctx context.Context, holder, id string) (refund.Hold, error) {
	h, err := readHold(ctx, s.reader, id)
	if err == nil && (h.Holder != holder || h.Purpose != refund.ForShop) {
		err = qc.ErrNotFound
	}
	if err != nil {
		return refund.Hold{}, fmt.Errorf("read hold %.80q: %w", id, err)
	}
	return h, nil
}

// Holds lists what is set aside of a customer's money, the latest first.
func (s *Store) Holds(ctx context.Context, id qc.CustomerID) ([]refund.Hold, error) {
	holds, err := scanHolds(s.reader.QueryContext(ctx, `SELECT `+holdColumns+` FROM hold
		WHERE customer = $1 AND state = 'pending' ORDER BY created_at DESC, id`, string(id)))
	if err != nil {
		return nil, fmt.Errorf("list holds of %.80q: %w", id, err)
	}
	return holds, nil
}

// ExpireHolds frees what nobody has come for by the time at, and returns how
// many holds those were. Each is a transaction of its own: one that is spent at
// the same moment was either in time, or finds that it was not.
func (s *Store) ExpireHolds(ctx context.Context, at time.Time) (int, error) {
	due, err := scanHolds(s.reader.QueryContext(ctx, `SELECT `+holdColumns+` FROM hold
		WHERE state = 'pending' AND expires_at > 0 AND expires_at <= $1 ORDER BY expires_at LIMIT 1000`, micros(at)))
	if err != nil {
		return 0, fmt.Errorf("list holds that have expired: %w", err)
	}
	done := 0
	var failed []error
	for _, h := range due {
		_, err := s.hold(ctx, "expire", h.ID, at, func(t *tx) (refund.Hold, error) { return t.expire(ctx, h) })
		switch {
		case err == nil:
			done++
		case ctx.Err() != nil:
			return done, errors.Join(append(failed, err)...)
		case !errors.Is(err, refund.ErrHoldOver): // else it was resolved this very moment
			failed = append(failed, err)
		}
	}
	return done, errors.Join(failed...)
}

// reserve sets money aside, or finds that it was set aside before.
func (t *tx) reserve(ctx context.Context, asked refund.Hold) (refund.Hold, error) {
	asked.CreatedAt = t.at
	before, err := readHold(ctx, t, asked.ID)
	switch {
	case err == nil && before.Asks(asked):
		return before, nil
	case err == nil:
		return refund.Hold{}, refund.ErrHoldChanged
	case !errors.Is(err, qc.ErrNotFound):
		return refund.Hold{}, err
	}
	h, moved, err := asked.Set(t.at)
	if err != nil {
		return refund.Hold{}, err
	}
	if err := customerKnown(ctx, t, h.Customer); err != nil {
		return refund.Hold{}, err
	}
	if err := t.expireOf(ctx, h.Customer); err != nil {
		return refund.Hold{}, err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO hold (`+holdColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		h.ID, h.Holder, string(h.Purpose), string(h.Customer), h.Amount.Minor(), h.Ref, string(h.State), h.Spent.Minor(),
		micros(h.CreatedAt), micros(h.ExpiresAt), micros(h.ResolvedAt)); err != nil {
		return refund.Hold{}, err
	}
	return h, t.settle(ctx, h, moved, "hold.reserve")
}

// expireOf frees what of a customer's money is set aside in vain, so that
// nobody is refused because the clock has not come round yet.
func (t *tx) expireOf(ctx context.Context, id qc.CustomerID) error {
	due, err := scanHolds(t.QueryContext(ctx, `SELECT `+holdColumns+` FROM hold
		WHERE customer = $1 AND state = 'pending' AND expires_at > 0 AND expires_at <= $2`, string(id), micros(t.at)))
	for _, h := range due {
		if _, err := t.expire(ctx, h); err != nil {
			return err
		}
	}
	return err
}

func (t *tx) expire(ctx context.Context, h refund.Hold) (refund.Hold, error) {
	return t.resolve(ctx, h.Holder, h.Purpose, h.ID, func(h refund.Hold) (refund.Hold, []refund.Transfer, error) {
		return h.Expire(t.at)
	})
}

// resolve ends a hold of this holder as do says.
func (t *tx) resolve(ctx context.Context, holder string, purpose refund.Purpose, id string,
	do func(refund.Hold) (refund.Hold, []refund.Transfer, error),
) (refund.Hold, error) {
	h, err := readHold(ctx, t, id)
	if err == nil && (h.Holder != holder || h.Purpose != purpose) {
		err = qc.ErrNotFound
	}
	if err != nil {
		return refund.Hold{}, err
	}
	after, moved, err := do(h)
	if err != nil || len(moved) == 0 {
		return after, err
	}
	result, err := t.ExecContext(ctx, `UPDATE hold SET state = $1, spent = $2, resolved_at = $3 WHERE id = $4 AND state = 'pending'`,
		string(after.State), after.Spent.Minor(), micros(after.ResolvedAt), after.ID)
	if err != nil {
		return refund.Hold{}, err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return refund.Hold{}, errors.Join(refund.ErrHoldOver, err)
	}
	return after, t.settle(ctx, after, moved, "hold."+string(after.State))
}

// settle books what a hold moves, and notes who did it.
func (t *tx) settle(ctx context.Context, h refund.Hold, moved []refund.Transfer, action string) error {
	for _, transfer := range moved {
		if err := t.post(ctx, transfer); err != nil {
			return err
		}
	}
	t.told = true // the customer's page shows it
	actor := h.Holder
	if h.State == refund.HoldExpired {
		actor = "system"
	}
	return t.audit(ctx, actor, action, "hold:"+h.ID, h)
}

const holdColumns = `id, holder, purpose, customer, amount, ref, state, spent, created_at, expires_at, resolved_at`

func readHold(ctx context.Context, q querier, id string) (refund.Hold, error) {
	holds, err := scanHolds(q.QueryContext(ctx, `SELECT `+holdColumns+` FROM hold WHERE id = $1`, id))
	if err == nil && len(holds) == 0 {
		err = qc.ErrNotFound
	}
	if err != nil {
		return refund.Hold{}, err
	}
	return holds[0], nil
}

func scanHolds(rows *sql.Rows, err error) ([]refund.Hold, error) {
	var holds []refund.Hold
	err = each(rows, err, func(rows *sql.Rows) error {
		var h refund.Hold
		var amount, spent, created, expires, resolved int64
		if err := rows.Scan(&h.ID, &h.Holder, &h.Purpose, &h.Customer, &amount, &h.Ref, &h.State, &spent,
			&created, &expires, &resolved); err != nil {
			return err
		}
		h.Amount, h.Spent = money.Fen(amount), money.Fen(spent)
		h.CreatedAt, h.ExpiresAt, h.ResolvedAt = timeOf(created), timeOf(expires), timeOf(resolved)
		holds = append(holds, h)
		return nil
	})
	return holds, err
}
