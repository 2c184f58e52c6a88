package central

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"

	"github.com/google/uuid"
)

// mostSubscriptions of one order are told; the oldest gives way.
const mostSubscriptions = 10

// Subscribe lets a browser be told of an order from now on. The same endpoint
// again replaces its keys; a page says so whenever it is opened, and what is known
// already changes nothing. It fails with [refund.ErrSubscription], or
// [qc.ErrNotFound] for an order that is not known.
func (s *Store) Subscribe(ctx context.Context, sub refund.Subscription, at time.Time) error {
	if err := sub.Check(); err != nil {
		return err
	}
	err := s.write(ctx, at, func(t *tx) error {
		if _, err := customerOf(ctx, t, sub.Order); err != nil {
			return err
		}
		known, err := subscriptionsOf(ctx, t, sub.Order)
		if err != nil {
			return err
		}
		for _, one := range known {
			if one.Endpoint == sub.Endpoint && one.P256dh == sub.P256dh && one.Auth == sub.Auth {
				return nil
			}
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO push_subscription (id, order_id, endpoint, p256dh, auth, created_at)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (order_id, endpoint) DO UPDATE SET p256dh = excluded.p256dh, auth = excluded.auth`,
			uuid.NewString(), string(sub.Order), sub.Endpoint, sub.P256dh, sub.Auth, micros(at)); err != nil {
			return err
		}
		if known, err = subscriptionsOf(ctx, t, sub.Order); err != nil {
			return err
		}
		for _, oldest := range known[:max(0, len(known)-mostSubscriptions)] {
			if err := t.unsubscribe(ctx, oldest.ID); err != nil {
				return err
			}
		}
		return t.audit(ctx, "customer", "push.subscribe", "order:"+string(sub.Order), struct{}{})
	})
	if err != nil {
		return fmt.Errorf("subscribe to order %.80q: %w", sub.Order, err)
	}
	return nil
}

// Unsubscribe tells a browser nothing more of an order. One that is not known
// is told nothing anyhow.
func (s *Store) Unsubscribe(ctx context.Context, order qc.OrderID, endpoint string, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		known, err := subscriptionsOf(ctx, t, order)
		if err != nil {
			return err
		}
		for _, sub := range known {
			if sub.Endpoint != endpoint {
				continue
			}
			if err := t.unsubscribe(ctx, sub.ID); err != nil {
				return err
			}
			return t.audit(ctx, "customer", "push.unsubscribe", "order:"+string(order), struct{}{})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("unsubscribe from order %.80q: %w", order, err)
	}
	return nil
}

// pushGone is the sentence about what a browser was to be told that is gone.
const pushGone = "notice.problem.push_gone"

// DropSubscription forgets a browser whose maker says that it is gone.
func (s *Store) DropSubscription(ctx context.Context, id string, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		if _, err := t.ExecContext(ctx, `UPDATE notice SET problem = $1 WHERE hook = $2 AND medium = 'push'
			AND state IN ('waiting', 'failed')`, pushGone, id); err != nil {
			return err
		}
		if err := t.unsubscribe(ctx, id); err != nil {
			return err
		}
		return t.audit(ctx, "system", "push.gone", "push:"+id, struct{}{})
	})
	if err != nil {
		return fmt.Errorf("drop subscription %.80q: %w", id, err)
	}
	return nil
}

// unsubscribe forgets a browser and what waits to be told to it.
func (t *tx) unsubscribe(ctx context.Context, id string) error {
	if _, err := t.ExecContext(ctx, `DELETE FROM push_subscription WHERE id = $1`, id); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `UPDATE notice SET state = 'moot', lease_until = 0
		WHERE hook = $1 AND medium = 'push' AND state IN ('waiting', 'failed')`, id)
	return err
}

// subscriptionsOf returns who is told of an order by Web Push, the oldest first.
func subscriptionsOf(ctx context.Context, q querier, order qc.OrderID) ([]refund.Subscription, error) {
	var all []refund.Subscription
	rows, err := q.QueryContext(ctx, `SELECT `+subscriptionColumns+` FROM push_subscription
		WHERE order_id = $1 ORDER BY created_at, id`, string(order))
	err = each(rows, err, func(rows *sql.Rows) error {
		sub, err := scanSubscription(rows.Scan)
		all = append(all, sub)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list subscriptions to order %s: %w", order, err)
	}
	return all, nil
}

func readSubscription(ctx context.Context, q querier, id string) (refund.Subscription, error) {
	sub, err := scanSubscription(q.QueryRowContext(ctx, `SELECT `+subscriptionColumns+` FROM push_subscription WHERE id = $1`, id).Scan)
	return sub, found(err)
}

const subscriptionColumns = `id, order_id, endpoint, p256dh, auth, created_at`

func scanSubscription(scan func(...any) error) (refund.Subscription, error) {
	var sub refund.Subscription
	var created int64
	err := scan(&sub.ID, &sub.Order, &sub.Endpoint, &sub.P256dh, &sub.Auth, &created)
	sub.CreatedAt = timeOf(created)
	return sub, err
}

// receivers returns by what ways an order's customer is told: each a notice
// that lacks what it is about.
func (t *tx) receivers(ctx context.Context, order qc.OrderID, customer qc.Customer) ([]refund.Notice, error) {
	var all []refund.Notice
	if customer.Email != "" {
		all = append(all, refund.Notice{Medium: refund.ByMail})
	}
	subscriptions, err := subscriptionsOf(ctx, t, order)
	for _, sub := range subscriptions {
		all = append(all, refund.Notice{Medium: refund.ByPush, Hook: sub.ID})
	}
	return all, err
}
