package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
	err := t.QueryRowContext(ctx, `SELECT case_id, amount FROM transfer WHERE ref = $1 AND kind = 'received' LIMIT 1`, e.SellerRef).Scan(&in, &amount)
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
	ofCase := sql.NullString{String: string(p.Case), Valid: p.Case != ""}
	if _, err := t.ExecContext(ctx, `INSERT INTO transfer (id, n, debit, credit, amount, currency, kind, case_id, ref, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, p.ID, n, string(p.Debit), string(p.Credit), p.Amount.Minor(),
		string(p.Amount.Currency()), p.Kind, ofCase, p.Ref, micros(p.At)); err != nil {
		return fmt.Errorf("post transfer %s: %w", p.ID, err)
	}
	for account, amount := range map[refund.Account]int64{p.Credit: p.Amount.Minor(), p.Debit: -p.Amount.Minor()} {
		var left int64
		if err := t.QueryRowContext(ctx, `INSERT INTO balance (account, posted) VALUES ($1, $2)
			ON CONFLICT (account) DO UPDATE SET posted = balance.posted + excluded.posted RETURNING posted`,
			string(account), amount).Scan(&left); err != nil {
			return fmt.Errorf("post transfer %s: %w", p.ID, err)
		}
		if left < 0 && account == p.Debit && p.NeedsCover() {
			return fmt.Errorf("post transfer %s: %w", p.ID, refund.ErrFunds)
		}
	}
	return nil
}

// Balance returns what the customer may spend; nothing was ever posted is zero.
func (s *Store) Balance(ctx context.Context, id qc.CustomerID) (money.Amount, error) {
	return balance(ctx, s.reader, id)
}

func balance(ctx context.Context, q querier, id qc.CustomerID) (money.Amount, error) {
	return posted(ctx, q, refund.CustomerAccount(id))
}

// posted returns what is on an account.
func posted(ctx context.Context, q querier, account refund.Account) (money.Amount, error) {
	var minor int64
	err := q.QueryRowContext(ctx, `SELECT posted FROM balance WHERE account = $1`, string(account)).Scan(&minor)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return money.Amount{}, fmt.Errorf("read balance of %s: %w", account, err)
	}
	return money.Fen(minor), nil
}
