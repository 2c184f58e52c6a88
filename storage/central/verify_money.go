package central

import (
	"context"
	"database/sql"
	"encoding/json"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// booked is what verifying compares of a transfer.
type booked struct {
	debit, credit refund.Account
	amount        int64
}

// verifyHolds compares what is set aside with the transfers that did it: each
// hold has made just those of its state, none else moved a customer's money
// without a case, and each customer's account of holds is what is
// pending, there and for the fees of open cases.
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
	cases, err := bodies[refund.Case](q.QueryContext(ctx, `SELECT body FROM refund_case WHERE is_open = 1`))
	if err != nil {
		return nil //nolint:nilerr // verifyCases says which case cannot be read
	}
	for _, c := range cases {
		if !c.Held.IsZero() {
			pending[refund.HoldAccount(c.Customer)] += c.Held.Minor()
		}
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

// brought is money of a case, as it is booked.
type brought struct {
	in     qc.CaseID
	amount int64
}

// verifyMemos compares the memos with what is booked: every sum received or
// credited since there are memos is on just one, each memo adds up, and their
// numbers have no gaps.
func verifyMemos(ctx context.Context, q querier, report *Report) error {
	untold := make(map[string]brought)
	rows, err := q.QueryContext(ctx, `SELECT id, case_id, amount FROM transfer WHERE kind IN ('received', 'credit')
		AND n > (SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'memos_after')`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var id string
		var b brought
		err := rows.Scan(&id, &b.in, &b.amount)
		untold[id] = b
		return err
	})
	if err != nil {
		return err
	}
	last := int64(0)
	rows, err = q.QueryContext(ctx, `SELECT number, case_id, version, COALESCE(received, ''), COALESCE(credit, ''), net, body
		FROM memo ORDER BY number`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var number, net int64
		var row, m refund.Memo
		var received, credit, text string
		if err := rows.Scan(&number, &row.Case, &row.Version, &received, &credit, &net, &text); err != nil {
			return err
		}
		report.Memos++
		if number != last+1 {
			report.add("the memos go from %d to %d", last, number)
		}
		last = number
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			report.add("memo %d cannot be read: %v", number, err)
			return nil
		}
		came, sum := addUp(m)
		if int64(m.Number) != number || m.Case != row.Case || m.Version != row.Version || m.Net.Minor() != net || sum != net {
			report.add("memo %d does not agree with itself", number)
		}
		report.tells(untold, m, received, came)
		report.tells(untold, m, credit, net)
		return nil
	})
	if err != nil {
		return err
	}
	for id, b := range untold {
		report.add("%d fen of case %s are on no memo (transfer %s)", b.amount, b.in, id)
	}
	var count int64
	if err := q.QueryRowContext(ctx, `SELECT value FROM counter WHERE name = 'memo'`).Scan(&count); err != nil {
		return err
	}
	if count != last {
		report.add("the memos end at %d, they were numbered through %d", last, count)
	}
	return nil
}

// addUp returns what the lines of a memo say that the seller has paid, and what
// all of them come to.
func addUp(m refund.Memo) (came, sum int64) {
	for _, line := range m.Lines {
		sum += line.Amount.Minor()
		if line.By == refund.BySeller {
			came += line.Amount.Minor()
		}
	}
	return came, sum
}

// tells takes the transfer that a memo tells of out of those not told yet.
func (r *Report) tells(untold map[string]brought, m refund.Memo, transfer string, amount int64) {
	if transfer == "" && amount == 0 {
		return
	}
	if untold[transfer] != (brought{m.Case, amount}) {
		r.add("memo %d tells of %d fen of case %s, and the ledger does not", m.Number, amount, m.Case)
	}
	delete(untold, transfer)
}
