package central

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Line is one entry of a customer's statement: what moved onto the balance, off
// it, or between what is free and what is set aside.
type Line struct {
	N       int64 // of its transfer: it grows from line to line
	Number  int   // its place in the statement, from 1
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

// mostLines bounds a page of a statement.
const mostLines = 500

// linesBehind are the numbers of up to $4 transfers behind $3 that touch one of
// two accounts. Each account is walked along its own index: however long a
// statement is, a page costs as much as it has lines.
const linesBehind = `SELECT n FROM (SELECT n FROM transfer WHERE credit = $1 AND n > $3 ORDER BY n LIMIT $4) a
	UNION SELECT n FROM (SELECT n FROM transfer WHERE debit = $1 AND n > $3 ORDER BY n LIMIT $4) b
	UNION SELECT n FROM (SELECT n FROM transfer WHERE credit = $2 AND n > $3 ORDER BY n LIMIT $4) c
	UNION SELECT n FROM (SELECT n FROM transfer WHERE debit = $2 AND n > $3 ORDER BY n LIMIT $4) d
	ORDER BY n LIMIT $4`

// linesBefore are the same before $3, the last one first.
const linesBefore = `SELECT n FROM (SELECT n FROM transfer WHERE credit = $1 AND n < $3 ORDER BY n DESC LIMIT $4) a
	UNION SELECT n FROM (SELECT n FROM transfer WHERE debit = $1 AND n < $3 ORDER BY n DESC LIMIT $4) b
	UNION SELECT n FROM (SELECT n FROM transfer WHERE credit = $2 AND n < $3 ORDER BY n DESC LIMIT $4) c
	UNION SELECT n FROM (SELECT n FROM transfer WHERE debit = $2 AND n < $3 ORDER BY n DESC LIMIT $4) d
	ORDER BY n DESC LIMIT $4`

// statement returns up to limit lines of a customer behind a transfer, oldest
// first, and whether there are more. A line of what was set aside and is now
// spent has the amount that has left.
func statement(ctx context.Context, q querier, id qc.CustomerID, after int64, limit int) (lines []Line, more bool, err error) {
	limit = max(1, min(limit, mostLines))
	free, held := string(refund.CustomerAccount(id)), string(refund.HoldAccount(id))
	var running, aside int64
	var number int
	err = q.QueryRowContext(ctx, `SELECT COUNT(*),
		COALESCE(SUM(CASE WHEN credit = $1 THEN amount WHEN debit = $1 THEN -amount ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN credit = $2 THEN amount WHEN debit = $2 THEN -amount ELSE 0 END), 0)
		FROM transfer WHERE n <= $3 AND (credit = $1 OR debit = $1 OR credit = $2 OR debit = $2)`, free, held, after).
		Scan(&number, &running, &aside)
	if err != nil {
		return nil, false, fmt.Errorf("add up statement of %s: %w", id, err)
	}
	rows, err := q.QueryContext(ctx, `SELECT t.n, t.at, t.kind, t.debit, t.credit, t.amount, COALESCE(t.case_id, ''),
		COALESCE(c.item, ''), t.ref, COALESCE(m.number, 0) FROM (`+linesBehind+`) page JOIN transfer t ON t.n = page.n
		LEFT JOIN refund_case c ON c.id = t.case_id LEFT JOIN memo m ON m.credit = t.id ORDER BY t.n`, free, held, after, limit+1)
	err = each(rows, err, func(rows *sql.Rows) error {
		var line Line
		var at, amount int64
		var debit, credit string
		if err := rows.Scan(&line.N, &at, &line.Kind, &debit, &credit, &amount, &line.Case, &line.Item, &line.Ref, &line.Memo); err != nil {
			return err
		}
		if more = len(lines) == limit; more {
			return nil
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
		number++
		line.Number, line.At, line.Amount, line.Running, line.Held = number, timeOf(at), money.Fen(amount), money.Fen(running), money.Fen(aside)
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("read statement of %s: %w", id, err)
	}
	return lines, more, nil
}

// newest is before which number the last lines of a statement are.
const newest = int64(1) << 62

// statementBefore returns the last lines before a transfer, up to limit and
// oldest first, and whether there are older ones.
func statementBefore(ctx context.Context, q querier, id qc.CustomerID, before int64, limit int) (lines []Line, more bool, err error) {
	limit = max(1, min(limit, mostLines))
	var numbers []int64 // the last one first, and one more: what the page begins behind
	rows, err := q.QueryContext(ctx, linesBefore, string(refund.CustomerAccount(id)), string(refund.HoldAccount(id)), before, limit+1)
	err = each(rows, err, func(rows *sql.Rows) error {
		var n int64
		err := rows.Scan(&n)
		numbers = append(numbers, n)
		return err
	})
	if err != nil || len(numbers) == 0 {
		return nil, false, err
	}
	var after int64
	if more = len(numbers) > limit; more {
		after, numbers = numbers[limit], numbers[:limit]
	}
	lines, _, err = statement(ctx, q, id, after, len(numbers))
	return lines, more, err
}

// StatementBefore returns up to limit lines of a customer before a transfer, oldest
// first, and whether there are older ones.
func (s *Store) StatementBefore(ctx context.Context, id qc.CustomerID, before int64, limit int) (lines []Line, more bool, err error) {
	err = s.read(ctx, func(q querier) error {
		var err error
		lines, more, err = statementBefore(ctx, q, id, before, limit)
		return err
	})
	return lines, more, err
}
