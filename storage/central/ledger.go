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

// alreadyBooked reports whether e, of somebody who saw the case at version, is
// money of the seller that this case has received before, so that booking it
// again must change nothing. The same number with another sum, in another case,
// or entered by somebody who saw it booked, is [ErrSellerRef]: they mean
// another payment.
func (t *tx) alreadyBooked(ctx context.Context, c refund.Case, version int, e refund.Event) (bool, error) {
	if e.Kind != refund.SellerPaid || e.SellerRef == "" {
		return false, nil
	}
	var in qc.CaseID
	var amount int64
	err := t.QueryRowContext(ctx, `SELECT case_id, amount FROM transfer WHERE ref = $1 LIMIT 1`, e.SellerRef).Scan(&in, &amount)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case in != c.ID || amount != e.Amount.Minor() || version == c.Version:
		return false, ErrSellerRef
	}
	return true, nil
}

// post books a transfer and moves both balances. The id is unique, so the same
// fact is never booked twice.
func (t *tx) post(ctx context.Context, p refund.Transfer) error {
	if p.Amount.Currency() != money.CNY {
		return fmt.Errorf("post transfer %s: %w", p.ID, money.ErrCurrency)
	}
	n, err := t.next(ctx, "transfer")
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO transfer (id, n, debit, credit, amount, currency, kind, case_id, ref, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, p.ID, n, string(p.Debit), string(p.Credit), p.Amount.Minor(),
		string(p.Amount.Currency()), p.Kind, string(p.Case), p.Ref, micros(p.At)); err != nil {
		return fmt.Errorf("post transfer %s: %w", p.ID, err)
	}
	for account, amount := range map[refund.Account]int64{p.Credit: p.Amount.Minor(), p.Debit: -p.Amount.Minor()} {
		if _, err := t.ExecContext(ctx, `INSERT INTO balance (account, posted) VALUES ($1, $2)
			ON CONFLICT (account) DO UPDATE SET posted = balance.posted + excluded.posted`, string(account), amount); err != nil {
			return fmt.Errorf("post transfer %s: %w", p.ID, err)
		}
	}
	return nil
}

// Balance returns what the customer may spend; nothing was ever posted is zero.
func (s *Store) Balance(ctx context.Context, id qc.CustomerID) (money.Amount, error) {
	return balance(ctx, s.reader, id)
}

func balance(ctx context.Context, q querier, id qc.CustomerID) (money.Amount, error) {
	var posted int64
	err := q.QueryRowContext(ctx, `SELECT posted FROM balance WHERE account = $1`, string(refund.CustomerAccount(id))).Scan(&posted)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return money.Amount{}, fmt.Errorf("read balance of %s: %w", id, err)
	}
	return money.Fen(posted), nil
}

// Line is one entry of a customer's statement.
type Line struct {
	At      time.Time
	Kind    string       // of the transfer, such as "credit"
	Amount  money.Amount // negative when money leaves the balance
	Case    qc.CaseID
	Item    qc.ItemID
	Running money.Amount // the balance after this line
}

// statement returns a customer's lines, oldest first.
func statement(ctx context.Context, q querier, id qc.CustomerID) ([]Line, error) {
	account := string(refund.CustomerAccount(id))
	var lines []Line
	var running int64
	rows, err := q.QueryContext(ctx, `SELECT t.at, t.kind, CASE WHEN t.credit = $1 THEN t.amount ELSE -t.amount END,
		t.case_id, c.item FROM transfer t JOIN refund_case c ON c.id = t.case_id
		WHERE t.credit = $1 OR t.debit = $1 ORDER BY t.n`, account)
	err = each(rows, err, func(rows *sql.Rows) error {
		var line Line
		var at, amount int64
		if err := rows.Scan(&at, &line.Kind, &amount, &line.Case, &line.Item); err != nil {
			return err
		}
		running += amount
		line.At, line.Amount, line.Running = timeOf(at), money.Fen(amount), money.Fen(running)
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read statement of %s: %w", id, err)
	}
	return lines, nil
}
