package central

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// lateNotice is after how long past its time a notice that nobody has even tried
// to send counts as not told: no mail server is set, or the sender stands still.
const lateNotice = 15 * time.Minute

// mostTold bounds the notices that are shown of one case.
const mostTold = 100

// untoldCases asks for the open cases whose customer could not be told of the last
// that they had to know, and has not decided since. "{late}" stands for the time
// before which what is due is late, and "{of one}" for a condition on a case_id,
// which the search then begins with.
//
// A notice is no trouble when another of the same step, or of a later one, was
// sent or goes its usual way. Where the customer is asked something and there is no
// notice at all, there is no way to tell them.
const untoldCases = `SELECT n.case_id FROM (
		SELECT case_id, created_at FROM notice WHERE problem <> '' AND state <> 'sent' AND medium <> 'hook'{of one}
		UNION ALL SELECT case_id, created_at FROM notice WHERE state = 'waiting' AND medium IN ('mail', 'push') AND due_at <= {late}{of one}) n
	JOIN desk_case u ON u.case_id = n.case_id
	WHERE u.is_open = 1 AND n.created_at >= u.decided_at AND NOT EXISTS (SELECT 1 FROM notice s
		WHERE s.case_id = n.case_id AND s.medium <> 'hook' AND s.created_at >= n.created_at AND (s.state = 'sent'
			OR s.state = 'waiting' AND s.problem = '' AND s.due_at > {late} AND s.kind <> 'decision_reminder'))
	UNION SELECT case_id FROM desk_case u WHERE is_open = 1 AND (turn = 'customer' OR status = 'seller_refused'){of one} AND NOT EXISTS (
		SELECT 1 FROM notice s WHERE s.case_id = u.case_id AND s.medium <> 'hook' AND s.state NOT IN ('moot', 'unwanted'))`

// allUntold are the cases of untoldCases; late is the name of the parameter for
// [lateAt], such as "$2".
func allUntold(late string) string {
	return strings.NewReplacer("{late}", late, "{of one}", "").Replace(untoldCases)
}

// oneUntold is whether a case is one of them.
func oneUntold(late, id string) string {
	return "EXISTS (" + strings.NewReplacer("{late}", late, "{of one}", " AND case_id = "+id).Replace(untoldCases) + ")"
}

// lateAt is the parameter of untoldCases at a moment.
func lateAt(at time.Time) int64 { return micros(at.Add(-lateNotice)) }

// Telling is what is known of whether a case's customer has been told.
type Telling struct {
	Notices []refund.Notice // by mail and to browsers, the newest first
	Untold  bool            // the customer does not know of the last
}

// Telling returns what became of the notices to a case's customer.
func (s *Store) Telling(ctx context.Context, id qc.CaseID, at time.Time) (Telling, error) {
	var told Telling
	err := s.read(ctx, func(q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT `+noticeColumns+` FROM notice WHERE case_id = $1 AND medium <> 'hook'
			ORDER BY created_at DESC, due_at DESC, id DESC LIMIT $2`, string(id), mostTold)
		if err := each(rows, err, func(rows *sql.Rows) error {
			n, err := scanNotice(rows)
			told.Notices = append(told.Notices, n)
			return err
		}); err != nil {
			return err
		}
		told.Untold, err = untold(ctx, q, id, at)
		return err
	})
	if err != nil {
		return Telling{}, fmt.Errorf("read notices of case %.80q: %w", id, err)
	}
	return told, nil
}

func untold(ctx context.Context, q querier, id qc.CaseID, at time.Time) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM desk_case WHERE case_id = $1 AND `+oneUntold("$2", "$1"),
		string(id), lateAt(at)).Scan(&n)
	return n > 0, err
}

// Retell sends once more what a case's customer could not be told. Where nothing
// was ever written to them, it tells them now what they are to answer, if there
// is a way by now. It returns how many notices those are: asked for twice, the
// second time none, as what waits or was sent stays as it is.
func (s *Store) Retell(ctx context.Context, id qc.CaseID, by qc.StaffID, at time.Time) (int, error) {
	n := 0
	err := s.write(ctx, at, func(t *tx) error {
		if err := t.holds(ctx, by, refund.ErrNotYours, qc.Clerk, qc.Lead, qc.Administrator); err != nil {
			return err
		}
		c, err := readCase(ctx, t, id)
		if err != nil {
			return err
		}
		if n, err = t.retell(ctx, c); err != nil || n == 0 {
			return err
		}
		return t.audit(ctx, "staff:"+string(by), "notices.retell", "case:"+string(id), map[string]any{"notices": n})
	})
	if err != nil {
		return 0, fmt.Errorf("tell the customer of case %.80q again: %w", id, err)
	}
	return n, nil
}

func (t *tx) retell(ctx context.Context, c refund.Case) (int, error) {
	result, err := t.ExecContext(ctx, `UPDATE notice SET state = 'waiting', due_at = $1, attempts = 0, problem = '', code = ''
		WHERE case_id = $2 AND medium <> 'hook' AND lease_until <= $1 AND (state = 'failed' OR state = 'waiting' AND problem <> '')`,
		micros(t.at), string(c.ID))
	if err != nil {
		return 0, err
	}
	again, err := result.RowsAffected()
	if err != nil || again > 0 {
		t.announced = true
		return int(again), err
	}
	kind := c.Asks()
	missing, err := untold(ctx, t, c.ID, t.at)
	if err != nil || !missing || kind == "" {
		return 0, err
	}
	const count = `SELECT COUNT(*) FROM notice WHERE case_id = $1 AND medium <> 'hook'`
	var before, after int
	if err := t.QueryRowContext(ctx, count, string(c.ID)).Scan(&before); err != nil {
		return 0, err
	}
	first := refund.Notice{Kind: kind, Snapshot: c.Snapshot(), State: refund.NoticeWaiting, CreatedAt: t.at, DueAt: t.at}
	if err := t.announceToCustomer(ctx, first, c.Status == refund.AwaitingDecision); err != nil {
		return 0, err
	}
	err = t.QueryRowContext(ctx, count, string(c.ID)).Scan(&after)
	return after - before, err
}
