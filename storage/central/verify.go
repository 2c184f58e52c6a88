package central

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Report is the outcome of [Store.Verify].
type Report struct {
	Events    int      // of stations, with their chains
	Audit     int      // entries of the audit trail
	Cases     int      // compared with their columns and the ledger
	Transfers int      // of the ledger
	Accounts  int      // balances derived again
	Holds     int      // compared with their transfers
	Memos     int      // compared with the money they tell of
	Changes   int      // of the feed
	Problems  []string // what is wrong, one sentence each; none is good
}

// OK reports whether nothing is wrong.
func (r Report) OK() bool { return len(r.Problems) == 0 }

func (r *Report) add(format string, args ...any) {
	const enough = 100 // one broken page can break everything that follows
	if len(r.Problems) < enough {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Verify derives everything again that can be derived: the ledger's sum, every
// balance, what each case was paid, the chains of stations and audit trail,
// and the order of the feed. Its error means that it could not look.
func (s *Store) Verify(ctx context.Context) (Report, error) {
	var report Report
	var complaints []string
	var err error
	if s.engine.integrity != nil {
		complaints, err = s.engine.integrity(ctx, s.reader)
	}
	if err != nil {
		return report, fmt.Errorf("verify pages: %w", err)
	}
	for _, line := range complaints {
		report.add("database: %s", line)
	}
	err = s.read(ctx, func(q querier) error {
		for _, check := range []func(context.Context, querier, *Report) error{
			verifyLedger, verifyCases, verifySlices, verifyHolds, verifyMemos, verifyLogs, verifyAudit, verifyFeed,
		} {
			if err := check(ctx, q, &report); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return report, fmt.Errorf("verify: %w", err)
	}
	return report, nil
}

func verifyLedger(ctx context.Context, q querier, report *Report) error {
	derived := make(map[string]int64)
	rows, err := q.QueryContext(ctx, `SELECT debit, credit, amount FROM transfer`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var debit, credit string
		var amount int64
		if err := rows.Scan(&debit, &credit, &amount); err != nil {
			return err
		}
		derived[credit] += amount
		derived[debit] -= amount
		report.Transfers++
		return nil
	})
	if err != nil {
		return err
	}
	var sum int64
	rows, err = q.QueryContext(ctx, `SELECT account, posted FROM balance`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var account string
		var posted int64
		if err := rows.Scan(&account, &posted); err != nil {
			return err
		}
		if derived[account] != posted {
			report.add("balance of %s is %d fen, its transfers make %d", account, posted, derived[account])
		}
		delete(derived, account)
		sum += posted
		report.Accounts++
		return nil
	})
	for account, posted := range derived {
		report.add("account %s has transfers of %d fen and no balance", account, posted)
	}
	if sum != 0 {
		report.add("the ledger's balances add up to %d fen, not to zero", sum)
	}
	return err
}

func verifyCases(ctx context.Context, q querier, report *Report) error {
	paid := make(map[qc.CaseID]map[string]int64)
	rows, err := q.QueryContext(ctx, `SELECT case_id, kind, SUM(amount) FROM transfer
		WHERE case_id IS NOT NULL GROUP BY case_id, kind`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var id qc.CaseID
		var kind string
		var amount int64
		if err := rows.Scan(&id, &kind, &amount); err != nil {
			return err
		}
		if paid[id] == nil {
			paid[id] = make(map[string]int64)
		}
		paid[id][kind] = amount
		return nil
	})
	if err != nil {
		return err
	}
	rows, err = q.QueryContext(ctx, `SELECT id, status, version, finding, is_open, body FROM refund_case`)
	return each(rows, err, func(rows *sql.Rows) error {
		var id qc.CaseID
		var status refund.Status
		var version, isOpen int
		var finding qc.FindingID
		var text string
		if err := rows.Scan(&id, &status, &version, &finding, &isOpen, &text); err != nil {
			return err
		}
		report.Cases++
		var c refund.Case
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			report.add("case %s cannot be read: %v", id, err)
			return nil
		}
		if c.ID != id || c.Status != status || c.Version != version || c.Finding != finding || openColumn(c) != isOpen {
			report.add("case %s does not agree with its row", id)
		}
		if c.Version != len(c.Timeline) {
			report.add("case %s is at version %d with %d entries in its history", id, c.Version, len(c.Timeline))
		}
		if c.Received.Minor() != paid[id]["received"] || c.Credited.Minor() != paid[id]["credit"] {
			report.add("case %s says received %d, credited %d fen; the ledger %d and %d", id,
				c.Received.Minor(), c.Credited.Minor(), paid[id]["received"], paid[id]["credit"])
		}
		return nil
	})
}

func verifyLogs(ctx context.Context, q querier, report *Report) error {
	type end struct {
		seq  uint64
		head qc.ChainHash
	}
	ends := make(map[stationLog]end)
	rows, err := q.QueryContext(ctx, `SELECT station, epoch, seq, body, hash FROM station_event ORDER BY station, epoch, seq`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var log stationLog
		var seq int64
		var text string
		var hash qc.ChainHash
		if err := rows.Scan(&log.station, &log.epoch, &seq, &text, &hash); err != nil {
			return err
		}
		report.Events++
		before, ok := ends[log]
		if !ok {
			before.head = qc.ChainStart
		}
		e, err := qc.OpenEvent([]byte(text), before.head)
		if err != nil || e.Hash != hash || e.Seq != uint64(seq) || e.Seq != before.seq+1 {
			report.add("event %d of station %s does not continue its log", seq, log.station)
		}
		ends[log] = end{seq: uint64(seq), head: hash}
		return nil
	})
	if err != nil {
		return err
	}
	rows, err = q.QueryContext(ctx, `SELECT station, epoch, acked_seq, head FROM station_log`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var log stationLog
		var acked int64
		var head qc.ChainHash
		if err := rows.Scan(&log.station, &log.epoch, &acked, &head); err != nil {
			return err
		}
		if ends[log] != (end{seq: uint64(acked), head: head}) {
			report.add("log of station %s ends at %d, it was acknowledged through %d", log.station, ends[log].seq, acked)
		}
		delete(ends, log)
		return nil
	})
	for log := range ends {
		report.add("log of station %s was never acknowledged", log.station)
	}
	return err
}

func verifyAudit(ctx context.Context, q querier, report *Report) error {
	var count int64
	var end string
	if err := q.QueryRowContext(ctx, `SELECT value, head FROM counter WHERE name = 'audit'`).Scan(&count, &end); err != nil {
		return err
	}
	head, last := string(qc.ChainStart), int64(0)
	rows, err := q.QueryContext(ctx, `SELECT seq, at, actor, action, object, body, hash FROM audit ORDER BY seq`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var e auditEntry
		var text, kept string
		if err := rows.Scan(&e.Seq, &e.At, &e.Actor, &e.Action, &e.Object, &text, &kept); err != nil {
			return err
		}
		e.Body = json.RawMessage(text)
		hash, err := e.hash(head)
		if err != nil || hash != kept || e.Seq != last+1 {
			report.add("audit entry %d does not continue the trail", e.Seq)
		}
		head, last = kept, e.Seq
		report.Audit++
		return nil
	})
	if last != count || head != end {
		report.add("the audit trail ends at %d, it was written through %d", last, count)
	}
	return err
}

func verifyFeed(ctx context.Context, q querier, report *Report) error {
	var last, head int64
	rows, err := q.QueryContext(ctx, `SELECT seq FROM change ORDER BY seq`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			return err
		}
		if seq != last+1 {
			report.add("the feed goes from %d to %d", last, seq)
		}
		last = seq
		report.Changes++
		return nil
	})
	err = errors.Join(err, q.QueryRowContext(ctx, `SELECT value FROM counter WHERE name = 'feed'`).Scan(&head))
	if err == nil && last != head {
		report.add("the feed ends at %d, it was written through %d", last, head)
	}
	return err
}

// Stats is a look at the store's size.
type Stats struct {
	Orders, Items, Stations, Staff int
	Findings, Events, Rejected     int
	OpenCases                      int
	CasesBy                        map[refund.Status]int
	Blobs                          int
	BlobBytes                      int64
	Uploads                        int // unfinished
	FeedSeq                        int64
}

// Stats counts what the store holds.
func (s *Store) Stats(ctx context.Context) (Stats, error) {
	stats := Stats{CasesBy: make(map[refund.Status]int)}
	err := s.read(ctx, func(q querier) error {
		for query, into := range map[string]any{
			`SELECT COUNT(*) FROM order_`:                                  &stats.Orders,
			`SELECT COUNT(*) FROM item`:                                    &stats.Items,
			`SELECT COUNT(*) FROM station WHERE revoked_at = 0`:            &stats.Stations,
			`SELECT COUNT(*) FROM staff`:                                   &stats.Staff,
			`SELECT COUNT(*) FROM finding`:                                 &stats.Findings,
			`SELECT COUNT(*) FROM station_event`:                           &stats.Events,
			`SELECT COUNT(*) FROM station_event WHERE status = 'rejected'`: &stats.Rejected,
			`SELECT COUNT(*) FROM refund_case WHERE is_open = 1`:           &stats.OpenCases,
			`SELECT COUNT(*) FROM blob`:                                    &stats.Blobs,
			`SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blob`:      &stats.BlobBytes,
			`SELECT COUNT(*) FROM upload`:                                  &stats.Uploads,
			`SELECT value FROM counter WHERE name = 'feed'`:                &stats.FeedSeq,
		} {
			if err := q.QueryRowContext(ctx, query).Scan(into); err != nil {
				return err
			}
		}
		rows, err := q.QueryContext(ctx, `SELECT status, COUNT(*) FROM refund_case GROUP BY status`)
		return each(rows, err, func(rows *sql.Rows) error {
			var status refund.Status
			var n int
			err := rows.Scan(&status, &n)
			stats.CasesBy[status] = n
			return err
		})
	})
	if err != nil {
		return Stats{}, fmt.Errorf("count what is stored: %w", err)
	}
	return stats, nil
}
