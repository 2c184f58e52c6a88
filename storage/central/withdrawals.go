package central

import (
	"context"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// AskWithdrawal sets money of the balance aside for being paid out, once a
// second person agrees. Of w it takes the id, the customer, the amount, where
// the money is to go, and who asks. It fails as [Store.Reserve] does.
func (s *Store) AskWithdrawal(ctx context.Context, w refund.Withdrawal, at time.Time) (refund.Withdrawal, error) {
	asked := refund.Withdrawal{
		ID: w.ID, Customer: w.Customer, Amount: w.Amount, To: w.To, AskedBy: w.AskedBy,
		State: refund.WithdrawalAsked, AskedAt: asStored(at),
	}
	return s.withdraw(ctx, "ask for", w.ID, at, func(t *tx) (refund.Withdrawal, error) { return t.askWithdrawal(ctx, asked) })
}

func (t *tx) askWithdrawal(ctx context.Context, asked refund.Withdrawal) (refund.Withdrawal, error) {
	if err := asked.Check(); err != nil {
		return asked, err
	}
	h, err := t.reserve(ctx, asked.Hold())
	if err != nil {
		return asked, err
	}
	before, err := readWithdrawal(ctx, t, h.ID)
	if err == nil && before.To != asked.To {
		return before, refund.ErrHoldChanged
	}
	if !errors.Is(err, qc.ErrNotFound) {
		return before, err
	}
	text, err := jsonText(asked)
	if err != nil {
		return asked, err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO withdrawal (id, customer, state, asked_at, body) VALUES ($1, $2, $3, $4, $5)`,
		asked.ID, string(asked.Customer), string(asked.State), micros(asked.AskedAt), text)
	return asked, err
}

// ApproveWithdrawal is the word of a second person, who may approve and has not
// asked for it.
func (s *Store) ApproveWithdrawal(ctx context.Context, id string, by qc.StaffID, at time.Time) (refund.Withdrawal, error) {
	return s.decide(ctx, "approve", id, by, at, refund.ErrApprover, []qc.Role{qc.Approver}, func(_ *tx, w refund.Withdrawal) (refund.Withdrawal, error) {
		return w.Approve(by, asStored(at))
	})
}

// PayWithdrawal notes that the money has gone to the customer, under ref.
func (s *Store) PayWithdrawal(ctx context.Context, id, ref string, by qc.StaffID, at time.Time) (refund.Withdrawal, error) {
	return s.decide(ctx, "pay", id, by, at, refund.ErrNotYours, payers, func(t *tx, w refund.Withdrawal) (refund.Withdrawal, error) {
		paid, err := w.Pay(ref, by, t.at)
		if err != nil || w.State == paid.State {
			return paid, err
		}
		_, err = t.resolve(ctx, w.AskedBy, refund.ForPayout, w.ID, func(h refund.Hold) (refund.Hold, []refund.Transfer, error) {
			after, moved, err := h.PayOut(t.at)
			for i := range moved {
				moved[i].Ref = ref
			}
			return after, moved, err
		})
		return paid, err
	})
}

// RefuseWithdrawal ends a withdrawal with a reason; the money is free again.
func (s *Store) RefuseWithdrawal(ctx context.Context, id, reason string, by qc.StaffID, at time.Time) (refund.Withdrawal, error) {
	return s.decide(ctx, "refuse", id, by, at, refund.ErrNotYours, payers, func(t *tx, w refund.Withdrawal) (refund.Withdrawal, error) {
		refused, err := w.Refuse(reason, by, t.at)
		if err != nil || w.State == refused.State {
			return refused, err
		}
		_, err = t.resolve(ctx, w.AskedBy, refund.ForPayout, w.ID, func(h refund.Hold) (refund.Hold, []refund.Transfer, error) {
			return h.Release(t.at)
		})
		return refused, err
	})
}

// payers pay out what was approved, or refuse it.
var payers = []qc.Role{qc.Clerk, qc.Approver, qc.Administrator}

// decide does a step of a withdrawal for a person with one of the roles.
func (s *Store) decide(ctx context.Context, what, id string, by qc.StaffID, at time.Time, otherwise error, roles []qc.Role,
	step func(*tx, refund.Withdrawal) (refund.Withdrawal, error),
) (refund.Withdrawal, error) {
	return s.withdraw(ctx, what, id, at, func(t *tx) (refund.Withdrawal, error) {
		before, err := readWithdrawal(ctx, t, id)
		if err != nil {
			return before, err
		}
		if err := t.holds(ctx, by, otherwise, roles...); err != nil {
			return before, err
		}
		after, err := step(t, before)
		if err != nil || after == before {
			return after, err
		}
		text, err := jsonText(after)
		if err != nil {
			return before, err
		}
		if _, err := t.ExecContext(ctx, `UPDATE withdrawal SET state = $1, body = $2 WHERE id = $3`,
			string(after.State), text, after.ID); err != nil {
			return before, err
		}
		return after, t.audit(ctx, "staff:"+string(by), "withdrawal."+string(after.State), "hold:"+after.ID, after)
	})
}

func (s *Store) withdraw(ctx context.Context, what, id string, at time.Time,
	do func(*tx) (refund.Withdrawal, error),
) (refund.Withdrawal, error) {
	var w refund.Withdrawal
	err := s.write(ctx, at, func(t *tx) error {
		var err error
		w, err = do(t)
		return err
	})
	if err != nil {
		return refund.Withdrawal{}, fmt.Errorf("%s withdrawal %.80q: %w", what, id, err)
	}
	return w, nil
}

// Withdrawal returns one, or [qc.ErrNotFound].
func (s *Store) Withdrawal(ctx context.Context, id string) (refund.Withdrawal, error) {
	w, err := readWithdrawal(ctx, s.reader, id)
	if err != nil {
		return w, fmt.Errorf("read withdrawal %.80q: %w", id, err)
	}
	return w, nil
}

func readWithdrawal(ctx context.Context, q querier, id string) (refund.Withdrawal, error) {
	return body[refund.Withdrawal](q.QueryRowContext(ctx, `SELECT body FROM withdrawal WHERE id = $1`, id))
}

// WithdrawalFilter narrows a list of withdrawals; its zero value matches all.
type WithdrawalFilter struct {
	State    refund.WithdrawalState
	Customer qc.CustomerID
	Limit    int // 0: 500
}

// Withdrawals lists withdrawals, those that wait longest first.
func (s *Store) Withdrawals(ctx context.Context, f WithdrawalFilter) ([]refund.Withdrawal, error) {
	if f.Limit < 1 {
		f.Limit = 500
	}
	list, err := bodies[refund.Withdrawal](s.reader.QueryContext(ctx, `SELECT body FROM withdrawal
		WHERE ($1 = '' OR state = $1) AND ($2 = '' OR customer = $2) ORDER BY asked_at, id LIMIT $3`,
		string(f.State), string(f.Customer), f.Limit))
	if err != nil {
		return nil, fmt.Errorf("list withdrawals: %w", err)
	}
	return list, nil
}
