package central_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// eye looks past the store into its database.
type eye struct {
	db       *sql.DB
	snapshot sql.IsolationLevel
}

func newEye(at place) (eye, error) {
	var e eye
	var err error
	if at.URL != "" {
		e.snapshot = sql.LevelRepeatableRead
		e.db, err = sql.Open("pgx", at.URL)
	} else {
		e.db, err = sql.Open("sqlite", "file:"+filepath.Join(at.Dir, "central.db")+"?_pragma=busy_timeout(5000)")
	}
	return e, err
}

// sight is what a database holds at one moment.
type sight struct {
	Cases     map[qc.CaseID]string
	Items     map[qc.ItemID]string
	Balances  map[refund.Account]int64
	Transfers []posting // those after a number
	Booked    int64     // how many there are in all
	Logged    int64     // events of the station
	Photos    int64     // that are stored
}

// posting is a transfer as it is stored.
type posting struct {
	N             int64
	Kind, Of, Ref string
	Debit, Credit refund.Account
	Amount        int64
}

// look reads everything as of one moment, of the transfers those after a number.
func (e eye) look(ctx context.Context, after int64) (sight, error) {
	seen := sight{Cases: map[qc.CaseID]string{}, Items: map[qc.ItemID]string{}, Balances: map[refund.Account]int64{}}
	tx, err := e.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: e.snapshot})
	if err != nil {
		return seen, err
	}
	defer func() { _ = tx.Rollback() }()
	read := func(scan func(*sql.Rows) error, query string, args ...any) {
		if err != nil {
			return
		}
		var rows *sql.Rows
		if rows, err = tx.QueryContext(ctx, query, args...); err != nil {
			return
		}
		defer rows.Close()
		for err == nil && rows.Next() {
			err = scan(rows)
		}
		if err == nil {
			err = rows.Err()
		}
	}
	read(func(rows *sql.Rows) error {
		var id qc.CaseID
		var text string
		err := rows.Scan(&id, &text)
		seen.Cases[id] = text
		return err
	}, `SELECT id, body FROM refund_case`)
	read(func(rows *sql.Rows) error {
		var id qc.ItemID
		var text string
		err := rows.Scan(&id, &text)
		seen.Items[id] = text
		return err
	}, `SELECT id, body FROM item`)
	read(func(rows *sql.Rows) error {
		var account refund.Account
		var posted int64
		err := rows.Scan(&account, &posted)
		seen.Balances[account] = posted
		return err
	}, `SELECT account, posted FROM balance`)
	read(func(rows *sql.Rows) error {
		var p posting
		err := rows.Scan(&p.N, &p.Kind, &p.Of, &p.Ref, &p.Debit, &p.Credit, &p.Amount)
		seen.Transfers = append(seen.Transfers, p)
		return err
	}, `SELECT n, kind, COALESCE(case_id, ''), ref, debit, credit, amount FROM transfer WHERE n > $1 ORDER BY n`, after)
	read(func(rows *sql.Rows) error { return rows.Scan(&seen.Booked, &seen.Logged, &seen.Photos) },
		`SELECT (SELECT COUNT(*) FROM transfer), (SELECT COUNT(*) FROM station_event), (SELECT COUNT(*) FROM blob)`)
	return seen, err
}

// ledger is what was booked, added up apart from the store: each posting is
// taken over once, so that a look costs the same however much was booked before.
type ledger struct {
	last     int64
	accounts map[refund.Account]int64
	refunds  map[string]int64 // came in for a case under a number, and has not gone on
}

func newLedger() ledger {
	return ledger{accounts: map[refund.Account]int64{}, refunds: map[string]int64{}}
}

// take adds what is new and returns what is wrong with the books.
func (l *ledger) take(seen sight) []string {
	var wrong []string
	bad := func(is bool, format string, args ...any) {
		if is {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	touched := make(map[string]bool)
	for _, p := range seen.Transfers {
		bad(p.N != l.last+1, "lost: a posting between %d and %d", l.last, p.N)
		l.last = p.N
		l.accounts[p.Credit] += p.Amount
		l.accounts[p.Debit] -= p.Amount
		refunded := p.Of + " " + p.Ref
		touched[refunded] = true
		switch {
		case p.Kind == "received" || p.Kind == "fee_back":
			l.refunds[refunded] += p.Amount
		case p.Kind == "fee", p.Kind == "credit" && p.Debit != refund.LossAccount && p.Debit != refund.GoodwillAccount:
			l.refunds[refunded] -= p.Amount
		}
	}
	bad(seen.Booked != l.last, "lost: %d postings are there, %d were booked", seen.Booked, l.last)
	for refunded := range touched {
		bad(l.refunds[refunded] != 0, "of refund %s %d fen were not credited once", refunded, l.refunds[refunded])
	}
	var sum int64
	for account, posted := range seen.Balances {
		bad(posted != l.accounts[account], "%s has %d, its postings make %d", account, posted, l.accounts[account])
		sum += posted
	}
	bad(sum != 0, "the ledger adds up to %d", sum)
	return wrong
}
