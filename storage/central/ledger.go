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

// Line is one entry of a customer's statement.
type Line struct {
	At      time.Time
	Kind    string       // of the transfer, such as "credit"
	Amount  money.Amount // negative when money leaves the balance or is set aside
	Case    qc.CaseID    // empty: of no case
	Item    qc.ItemID
	Ref     string            // of what is of no case: the holder's reference, or the payment's
	Running money.Amount      // what is free on the balance after this line
	Held    money.Amount      // what is set aside after this line
	Memo    refund.MemoNumber // that the line's sum is on; 0: none
}

// statement returns a customer's lines, oldest first: what moved onto the
// balance, off it, or between what is free and what is set aside. A line of
// what was set aside and is now spent has the amount that has left.
func statement(ctx context.Context, q querier, id qc.CustomerID) ([]Line, error) {
	free, held := string(refund.CustomerAccount(id)), string(refund.HoldAccount(id))
	var lines []Line
	var running, aside int64
	rows, err := q.QueryContext(ctx, `SELECT t.at, t.kind, t.debit, t.credit, t.amount, COALESCE(t.case_id, ''),
		COALESCE(c.item, ''), t.ref, COALESCE(m.number, 0) FROM transfer t
		LEFT JOIN refund_case c ON c.id = t.case_id LEFT JOIN memo m ON m.credit = t.id
		WHERE t.credit = $1 OR t.debit = $1 OR t.credit = $2 OR t.debit = $2 ORDER BY t.n`, free, held)
	err = each(rows, err, func(rows *sql.Rows) error {
		var line Line
		var at, amount int64
		var debit, credit string
		if err := rows.Scan(&at, &line.Kind, &debit, &credit, &amount, &line.Case, &line.Item, &line.Ref, &line.Memo); err != nil {
			return err
		}
		for account, moved := range map[string]int64{credit: amount, debit: -amount} {
			switch account {
			case free:
				running += moved
			case held:
				aside += moved
			}
		}
		if credit != free {
			amount = -amount
		}
		if line.Case != "" {
			line.Ref = ""
		}
		line.At, line.Amount, line.Running, line.Held = timeOf(at), money.Fen(amount), money.Fen(running), money.Fen(aside)
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read statement of %s: %w", id, err)
	}
	return lines, nil
}
