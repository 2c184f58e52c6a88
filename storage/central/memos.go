package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Memo returns a credit memo, or [qc.ErrNotFound]. Whoever shows it to a
// customer compares its order with the one that the customer's link opens.
func (s *Store) Memo(ctx context.Context, number refund.MemoNumber) (refund.Memo, error) {
	m, err := body[refund.Memo](s.reader.QueryRowContext(ctx, `SELECT body FROM memo WHERE number = $1`, int64(number)))
	if err != nil {
		return m, fmt.Errorf("read memo %d: %w", number, err)
	}
	return m, nil
}

// memosOf lists the memos of a case, the first one first.
func memosOf(ctx context.Context, q querier, id qc.CaseID) ([]refund.Memo, error) {
	memos, err := bodies[refund.Memo](q.QueryContext(ctx, `SELECT body FROM memo WHERE case_id = $1 ORDER BY number`, string(id)))
	if err != nil {
		return nil, fmt.Errorf("list memos of case %s: %w", id, err)
	}
	return memos, nil
}

// writeMemo writes the memo of the step from before to after, where that
// brought money. Its number is taken in the same transaction: a step that does
// not happen leaves no gap.
func (t *tx) writeMemo(ctx context.Context, before, after refund.Case, e refund.Event, moved []refund.Transfer) error {
	m, ok, err := after.Memo(before, e)
	if err != nil || !ok {
		return err
	}
	item, err := readItem(ctx, t, m.Item)
	if err != nil {
		return err
	}
	customer, err := customerOf(ctx, t, m.Order)
	if err != nil {
		return err
	}
	n, err := t.next(ctx, "memo")
	if err != nil {
		return err
	}
	m.Number, m.Title, m.Name = refund.MemoNumber(n), item.Title, customer.Name
	text, err := jsonText(m)
	if err != nil {
		return err
	}
	var received, credit sql.NullString
	for _, transfer := range moved {
		switch transfer.Kind {
		case "received":
			received = sql.NullString{String: transfer.ID, Valid: true}
		case "credit":
			credit = sql.NullString{String: transfer.ID, Valid: true}
		}
	}
	_, err = t.ExecContext(ctx, `INSERT INTO memo (number, case_id, version, order_id, received, credit, net, body, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, n, string(m.Case), m.Version, string(m.Order), received, credit,
		m.Net.Minor(), text, micros(m.At))
	if err != nil {
		return fmt.Errorf("write memo %d of case %s: %w", n, m.Case, err)
	}
	return nil
}

// memoAt returns the number of the memo of a case's step; 0: there is none.
func (t *tx) memoAt(ctx context.Context, c refund.Case) (refund.MemoNumber, error) {
	var n int64
	err := t.QueryRowContext(ctx, `SELECT number FROM memo WHERE case_id = $1 AND version = $2`, string(c.ID), c.Version).Scan(&n)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	return refund.MemoNumber(n), nil
}
