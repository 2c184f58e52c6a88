package central

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"

	"github.com/google/uuid"
)

// keepNotices is how long it is remembered that something was sent.
const keepNotices = 90 * 24 * time.Hour

// announce writes down whom to tell of a step of a case, in the transaction of
// the step itself: what became durable is told, and nothing else.
func (t *tx) announce(ctx context.Context, before refund.Status, after refund.Case, on refund.Kind) error {
	if before == refund.AwaitingDecision && after.Status != before {
		if _, err := t.ExecContext(ctx, `UPDATE notice SET state = $1 WHERE case_id = $2 AND kind = $3 AND state = $4`,
			string(refund.NoticeMoot), string(after.ID), string(refund.TellReminder), string(refund.NoticeWaiting)); err != nil {
			return fmt.Errorf("call off reminders of case %s: %w", after.ID, err)
		}
	}
	kind := refund.Told(before, after, on)
	if kind == "" {
		return nil
	}
	n := refund.Notice{
		Kind: kind, Snapshot: after.Snapshot(), State: refund.NoticeWaiting, CreatedAt: t.at, DueAt: t.at,
	}
	if kind == refund.TellCredited {
		var err error
		if n.Snapshot.Memo, err = t.memoAt(ctx, after); err != nil {
			return fmt.Errorf("look for the memo of case %s: %w", after.ID, err)
		}
	}
	if err := t.announceToShop(ctx, n); err != nil {
		return err
	}
	return t.announceToCustomer(ctx, n, after.Status == refund.AwaitingDecision && before != after.Status)
}

// announceToShop tells the shop of the order: its events, and whatever program
// listens to them. No other shop hears of it.
func (t *tx) announceToShop(ctx context.Context, n refund.Notice) error {
	var shop string
	if err := t.QueryRowContext(ctx, `SELECT shop FROM order_ WHERE id = $1`, string(n.Snapshot.Order)).Scan(&shop); err != nil {
		return fmt.Errorf("find shop of order %s: %w", n.Snapshot.Order, err)
	}
	if err := t.recordForShop(ctx, shop, n); err != nil {
		return err
	}
	n.Medium = refund.ByHook
	var hooks []string
	rows, err := t.QueryContext(ctx, `SELECT id FROM webhook WHERE disabled_at = 0 AND (all_orders = 1 OR shop = $1) ORDER BY id`, shop)
	if err := each(rows, err, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		hooks = append(hooks, id)
		return err
	}); err != nil {
		return fmt.Errorf("list webhooks: %w", err)
	}
	for _, hook := range hooks {
		n.Hook = hook
		if err := t.insertNotice(ctx, n, false); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) announceToCustomer(ctx context.Context, n refund.Notice, asked bool) error {
	if n.Kind == refund.TellChanged && !asked {
		return nil
	}
	customer, err := customerOf(ctx, t, n.Snapshot.Order)
	if err != nil {
		return err
	}
	receivers, err := t.receivers(ctx, n.Snapshot.Order, customer)
	for _, to := range receivers {
		n.Medium, n.Hook = to.Medium, to.Hook
		if n.State, err = t.wished(ctx, n, customer.ID); err != nil {
			return err
		}
		if err := t.announceBy(ctx, n, asked, zoneOf(customer)); err != nil {
			return err
		}
	}
	return err
}

// announceBy writes down a customer's notice for one way of telling it.
func (t *tx) announceBy(ctx context.Context, n refund.Notice, asked bool, zone *time.Location) error {
	policy := t.store.notices
	if n.Kind != refund.TellChanged {
		n.DueAt = policy.Due(n.Kind, t.at, zone)
		held, err := t.holdForOthers(ctx, &n)
		if err != nil {
			return err
		}
		if err := t.insertNotice(ctx, n, held); err != nil {
			return err
		}
	}
	if !asked {
		return nil
	}
	for ahead, due := range policy.RemindersOf(n.Snapshot.DecideBy, t.at, zone) {
		n.Kind, n.Ahead, n.DueAt = refund.TellReminder, ahead, due
		if err := t.insertNotice(ctx, n, false); err != nil {
			return err
		}
	}
	return nil
}

// zoneOf returns where the customer lives; UTC where that is not known.
func zoneOf(c qc.Customer) *time.Location {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// holdForOthers lets a mail or a push wait when the customer was told of so many other
// cases just before that the next ones are better told together.
func (t *tx) holdForOthers(ctx context.Context, n *refund.Notice) (bool, error) {
	policy := t.store.notices
	if policy.DigestFrom < 2 || policy.DigestWithin <= 0 || n.State == refund.NoticeUnwanted {
		return false, nil
	}
	var cases int
	var first sql.NullInt64
	err := t.QueryRowContext(ctx, `SELECT COUNT(DISTINCT case_id), MIN(created_at) FROM notice
		WHERE customer = $1 AND medium = $2 AND created_at > $3 AND case_id <> $4 AND hook = $5 AND state <> 'unwanted'`,
		string(n.Snapshot.Customer), string(n.Medium), micros(t.at.Add(-policy.DigestWithin)),
		string(n.Snapshot.Case), n.Hook).Scan(&cases, &first)
	if err != nil {
		return false, fmt.Errorf("look for other notices: %w", err)
	}
	if cases+1 < policy.DigestFrom {
		return false, nil
	}
	if until := timeOf(first.Int64).Add(policy.DigestWithin); until.After(n.DueAt) {
		n.DueAt = until
	}
	return true, nil
}

func (t *tx) insertNotice(ctx context.Context, n refund.Notice, held bool) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	text, err := jsonText(n.Snapshot)
	if err != nil {
		return err
	}
	waits := 0
	if held {
		waits = 1
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO notice (id, dedupe, kind, medium, hook, case_id, customer, ahead, body,
		state, held, created_at, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (dedupe) DO NOTHING`,
		id.String(), n.DedupeKey(), string(n.Kind), string(n.Medium), n.Hook, string(n.Snapshot.Case),
		string(n.Snapshot.Customer), n.Ahead.Microseconds(), text, string(n.State), waits,
		micros(n.CreatedAt), micros(n.DueAt)); err != nil {
		return fmt.Errorf("announce %s of case %s: %w", n.Kind, n.Snapshot.Case, err)
	}
	t.announced = true
	return nil
}

// ClaimNotices takes what is due to be sent by a medium, for as long as lease:
// one notice, or as one what a customer is better told together. Other senders,
// of whatever centre on the same database, leave it alone until then; when
// nobody has settled it by then, it is taken again. It fails with
// [qc.ErrNotFound] when nothing is due.
func (s *Store) ClaimNotices(ctx context.Context, medium refund.Medium, lease time.Duration, at time.Time) (refund.Consignment, error) {
	var some string
	if err := s.reader.QueryRowContext(ctx, firstDue(medium), string(medium), micros(at)).Scan(&some, new(string), new(string), new(string)); err != nil {
		return refund.Consignment{}, claimed(err) // and nobody's writing has waited for it
	}
	var c refund.Consignment
	err := s.write(ctx, at, func(t *tx) error {
		var err error
		c, err = t.claim(ctx, medium, asStored(at.Add(lease)))
		return err
	})
	return c, claimed(err)
}

func claimed(err error) error {
	if err = found(err); err != nil {
		return fmt.Errorf("claim notices: %w", err)
	}
	return nil
}

// firstDue asks for the notice whose turn it is by a medium $1 at a time $2.
func firstDue(medium refund.Medium) string {
	if medium == refund.ByHook {
		return firstHookDue
	}
	return `SELECT id, batch, customer, hook FROM notice
		WHERE state = 'waiting' AND medium = $1 AND due_at <= $2 AND lease_until <= $2 ORDER BY due_at, id LIMIT 1`
}

// firstHookDue passes over the webhooks of whoever has two calls under way: a
// shop whose programs hang holds up itself and nobody else.
const firstHookDue = `SELECT n.id, n.batch, n.customer, n.hook FROM webhook w
	JOIN notice n ON n.id = (SELECT f.id FROM notice f WHERE f.hook = w.id AND f.medium = 'hook' AND f.state = 'waiting'
		AND f.due_at <= $2 AND f.lease_until <= $2 ORDER BY f.due_at, f.id LIMIT 1)
	WHERE n.medium = $1 AND (SELECT COUNT(*) FROM notice b JOIN webhook v ON v.id = b.hook
		WHERE b.state = 'waiting' AND b.medium = 'hook' AND b.lease_until > $2 AND v.shop = w.shop AND v.all_orders = w.all_orders) < 2
	ORDER BY n.due_at, n.id LIMIT 1`

func (t *tx) claim(ctx context.Context, medium refund.Medium, until time.Time) (refund.Consignment, error) {
	c := refund.Consignment{Until: until}
	var id, customer, hook string
	if err := t.QueryRowContext(ctx, firstDue(medium), string(medium), micros(t.at)).Scan(&id, &c.ID, &customer, &hook); err != nil {
		return c, err
	}
	if c.ID == "" {
		c.ID = id
		if err := t.bind(ctx, medium, id, customer, hook); err != nil {
			return c, err
		}
	}
	rows, err := t.QueryContext(ctx, `UPDATE notice SET lease_until = $1, attempts = attempts + 1
		WHERE batch = $2 AND state = 'waiting' RETURNING `+noticeColumns, micros(until), c.ID)
	if err := each(rows, err, func(rows *sql.Rows) error {
		n, err := scanNotice(rows)
		c.Notices = append(c.Notices, n)
		return err
	}); err != nil {
		return c, err
	}
	slices.SortFunc(c.Notices, func(a, b refund.Notice) int { return a.CreatedAt.Compare(b.CreatedAt) })
	switch medium {
	case refund.ByHook:
		c.Hook, err = readWebhook(ctx, t, c.Notices[0].Hook)
	case refund.ByPush:
		c.Push, err = readSubscription(ctx, t, c.Notices[0].Hook)
	}
	return c, err
}

// bind makes one consignment of a notice and, where they are of enough cases,
// of what else its customer is to be told by now. Once bound, it stays so: what
// is sent again is what was sent before.
func (t *tx) bind(ctx context.Context, medium refund.Medium, id, customer, hook string) error {
	policy := t.store.notices
	const together = ` state = 'waiting' AND medium = $1 AND customer = $2 AND batch = '' AND lease_until <= $3 AND hook = $5
		AND (due_at <= $3 OR held = 1 OR kind = 'decision_reminder' AND due_at <= $4)`
	now, soon := micros(t.at), micros(t.at.Add(policy.DigestWithin))
	if medium != refund.ByHook && policy.DigestFrom > 1 {
		var cases, held int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(DISTINCT case_id), COALESCE(MAX(held), 0) FROM notice WHERE`+together,
			string(medium), customer, now, soon, hook).Scan(&cases, &held); err != nil {
			return err
		}
		if cases >= policy.DigestFrom || held > 0 && cases > 1 { // what was held counted those that were sent
			_, err := t.ExecContext(ctx, `UPDATE notice SET batch = $6 WHERE`+together, string(medium), customer, now, soon, hook, id)
			return err
		}
	}
	_, err := t.ExecContext(ctx, `UPDATE notice SET batch = $1 WHERE id = $1`, id)
	return err
}

// SettleNotices notes what became of notices that were claimed until the given
// time. That they were sent counts in any case; anything else only while the
// claim still holds.
func (s *Store) SettleNotices(ctx context.Context, notices []refund.Notice, until time.Time, o refund.Outcome, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		for _, n := range notices {
			var err error
			switch o.State {
			case refund.NoticeSent:
				_, err = t.ExecContext(ctx, `UPDATE notice SET state = 'sent', sent_at = $1, lease_until = 0, problem = '', code = ''
					WHERE id = $2`, micros(t.at), n.ID)
			case refund.NoticeWaiting:
				_, err = t.ExecContext(ctx, `UPDATE notice SET due_at = $1, lease_until = 0, problem = $2, code = $3
					WHERE id = $4 AND lease_until = $5`, micros(o.Again), o.Problem, o.Code, n.ID, micros(until))
			default:
				_, err = t.ExecContext(ctx, `UPDATE notice SET state = $1, lease_until = 0, problem = $2, code = $3
					WHERE id = $4 AND lease_until = $5`, string(o.State), o.Problem, o.Code, n.ID, micros(until))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle notices: %w", err)
	}
	return nil
}

// NoticeFilter narrows a list of notices; its zero value matches all.
type NoticeFilter struct {
	ID    string
	State refund.NoticeState
	Hook  string
	Since time.Time // written then or later
	Limit int       // 0: 500, of EachNotice all
}

// Notices lists notices, the newest first.
func (s *Store) Notices(ctx context.Context, f NoticeFilter) ([]refund.Notice, error) {
	if f.Limit < 1 {
		f.Limit = 500
	}
	var all []refund.Notice
	err := s.EachNotice(ctx, f, func(n refund.Notice) error {
		all = append(all, n)
		return nil
	})
	return all, err
}

// EachNotice calls row for each of the notices in the order of [Store.Notices],
// of all that fit where the filter has no limit. It holds one at a time.
func (s *Store) EachNotice(ctx context.Context, f NoticeFilter, row func(refund.Notice) error) error {
	limit := int64(f.Limit)
	if limit < 1 {
		limit = math.MaxInt64
	}
	rows, err := s.reader.QueryContext(ctx, `SELECT `+noticeColumns+` FROM notice
		WHERE ($1 = '' OR id = $1) AND ($2 = '' OR state = $2) AND ($3 = '' OR hook = $3) AND created_at >= $4
		ORDER BY created_at DESC, id DESC LIMIT $5`, f.ID, string(f.State), f.Hook, micros(f.Since), limit)
	err = each(rows, err, func(rows *sql.Rows) error {
		n, err := scanNotice(rows)
		if err != nil {
			return err
		}
		return row(n)
	})
	if err != nil {
		return fmt.Errorf("list notices: %w", err)
	}
	return nil
}

// RetryNotices sends the notices of a filter once more, under the names that
// they have had, and returns how many those are. What waits anyhow goes at
// once; what was overtaken by events or is not wanted stays so.
func (s *Store) RetryNotices(ctx context.Context, f NoticeFilter, at time.Time) (int, error) {
	var n int
	err := s.write(ctx, at, func(t *tx) error {
		var err error
		n, err = t.retry(ctx, f, "admin")
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("retry notices: %w", err)
	}
	return n, nil
}

func (t *tx) retry(ctx context.Context, f NoticeFilter, actor string) (int, error) {
	result, err := t.ExecContext(ctx, `UPDATE notice SET state = 'waiting', due_at = $1, attempts = 0, problem = '', code = ''
		WHERE state NOT IN ('moot', 'unwanted') AND lease_until <= $1 AND ($2 = '' OR id = $2) AND ($3 = '' OR state = $3)
		AND ($4 = '' OR hook = $4) AND created_at >= $5 AND (state <> 'waiting' OR attempts > 0)`,
		micros(t.at), f.ID, string(f.State), f.Hook, micros(f.Since))
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	if err != nil || n == 0 {
		return 0, err
	}
	t.announced = true
	return int(n), t.audit(ctx, actor, "notices.retry", "notices", map[string]any{"notices": n, "hook": f.Hook})
}

// ForgetNotices forgets what was sent, called off or overtaken by events long
// ago, and links in mails that have expired.
func (s *Store) ForgetNotices(ctx context.Context, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM notice WHERE state IN ('sent', 'moot', 'unwanted') AND created_at < $1`,
			micros(at.Add(-keepNotices)))
		if err == nil {
			_, err = t.ExecContext(ctx, `DELETE FROM mail_link WHERE expires_at <= $1`, micros(at))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("forget notices: %w", err)
	}
	return nil
}

const noticeColumns = `id, kind, medium, hook, ahead, body, state, held, created_at, due_at, sent_at, attempts, problem, code`

func scanNotice(rows *sql.Rows) (refund.Notice, error) {
	var n refund.Notice
	var text string
	var ahead, held, created, due, sent int64
	err := rows.Scan(&n.ID, &n.Kind, &n.Medium, &n.Hook, &ahead, &text, &n.State, &held, &created, &due, &sent, &n.Attempts, &n.Problem, &n.Code)
	if err != nil {
		return n, err
	}
	n.Ahead = time.Duration(ahead) * time.Microsecond
	n.Held = held == 1
	n.CreatedAt, n.DueAt, n.SentAt = timeOf(created), timeOf(due), timeOf(sent)
	return n, errors.Join(json.Unmarshal([]byte(text), &n.Snapshot))
}
