package central

import (
	"context"
	"database/sql"

	"flawmark/app/refund"
)

// booked is what verifying compares of a transfer.
type booked struct {
	debit, credit refund.Account
	amount        int64
}

// verifyHolds compares what is set aside with the transfers that did it: each
// hold has made just those of its state, none else moved a customer's money
// without a case, and each customer's account of holds is what is pending.
func verifyHolds(ctx context.Context, q querier, report *Report) error {
	made := make(map[string]booked)
	rows, err := q.QueryContext(ctx, `SELECT id, debit, credit, amount FROM transfer WHERE case_id IS NULL`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var id string
		var b booked
		err := rows.Scan(&id, &b.debit, &b.credit, &b.amount)
		made[id] = b
		return err
	})
	if err != nil {
		return err
	}
	holds, err := scanHolds(q.QueryContext(ctx, `SELECT `+holdColumns+` FROM hold ORDER BY id`))
	if err != nil {
		return err
	}
	pending := make(map[refund.Account]int64)
	for _, h := range holds {
		report.Holds++
		for _, moved := range h.Moved() {
			if made[moved.ID] != (booked{moved.Debit, moved.Credit, moved.Amount.Minor()}) {
				report.add("hold %s is %s, and the ledger has no such %s of %d fen", h.ID, h.State, moved.Kind, moved.Amount.Minor())
			}
			delete(made, moved.ID)
		}
		if h.State == refund.HoldPending {
			pending[refund.HoldAccount(h.Customer)] += h.Amount.Minor()
		}
	}
	for id, b := range made {
		report.add("transfer %s moves %d fen from %s to %s for no hold", id, b.amount, b.debit, b.credit)
	}
	return verifyHeld(ctx, q, pending, report)
}

// verifyHeld compares what is pending with the accounts of holds.
func verifyHeld(ctx context.Context, q querier, pending map[refund.Account]int64, report *Report) error {
	rows, err := q.QueryContext(ctx, `SELECT account, posted FROM balance WHERE account LIKE 'hold:%'`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var account refund.Account
		var posted int64
		if err := rows.Scan(&account, &posted); err != nil {
			return err
		}
		if pending[account] != posted {
			report.add("account %s has %d fen, what is set aside makes %d", account, posted, pending[account])
		}
		delete(pending, account)
		return nil
	})
	for account, amount := range pending {
		report.add("%d fen are set aside, and there is no account %s", amount, account)
	}
	return err
}
