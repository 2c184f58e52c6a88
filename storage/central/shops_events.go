package central

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// keepShopEvents is how long a shop's system may be away without losing its
// place.
const keepShopEvents = 90 * 24 * time.Hour

// ShopEvent is one step of a case that its shop is told of.
type ShopEvent struct {
	N        int64             `json:"-"`
	Kind     refund.NoticeKind `json:"kind"`
	At       time.Time         `json:"at"`
	Snapshot refund.Snapshot   `json:"snapshot"`
}

// ShopEvents is a piece of what happened. Next is the place behind it.
type ShopEvents struct {
	Events   []ShopEvent
	Next     qc.Cursor
	UpToDate bool
}

func shopCounter(shop string) string { return "shop_event:" + shop }

// recordForShop keeps a step for the shop of the case's order, in the
// transaction of the step itself. Its numbers come from counter rows, so that
// they have no gaps and become visible in their order.
func (t *tx) recordForShop(ctx context.Context, shop string, n refund.Notice) error {
	text, err := jsonText(ShopEvent{Kind: n.Kind, At: t.at, Snapshot: n.Snapshot})
	if err != nil {
		return err
	}
	all, err := t.next(ctx, "shop_event")
	if err != nil {
		return err
	}
	var own int64
	if shop != "" {
		if own, err = t.next(ctx, shopCounter(shop)); err != nil {
			return err
		}
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO shop_event (n, shop, shop_n, body, at) VALUES ($1, $2, $3, $4, $5)`,
		all, shop, own, text, micros(t.at)); err != nil {
		return fmt.Errorf("keep event of case %s: %w", n.Snapshot.Case, err)
	}
	return nil
}

// stream is where a key's events are: the counter of the newest, and the
// question for those behind $1, at most $2.
func (k ShopKey) stream() (counter, query string, more []any) {
	if k.AllOrders {
		return "shop_event", `SELECT n, body FROM shop_event WHERE n > $1 ORDER BY n LIMIT $2`, nil
	}
	return shopCounter(k.Shop), `SELECT shop_n, body FROM shop_event WHERE shop_n > $1 AND shop = $3 AND shop <> ''
		ORDER BY shop_n LIMIT $2`, []any{k.Shop}
}

// epoch keeps the places of a shop's own numbers apart from those of all
// shops' numbers, which a key of the other kind must not go on from.
func (s *Store) epoch(k ShopKey) string {
	if k.AllOrders {
		return s.feedEpoch + "-all"
	}
	return s.feedEpoch
}

func (s *Store) eventsHead(ctx context.Context, q querier, k ShopKey) (qc.Cursor, error) {
	counter, _, _ := k.stream()
	head := qc.Cursor{Epoch: s.epoch(k)}
	err := q.QueryRowContext(ctx, `SELECT value FROM counter WHERE name = $1`, counter).Scan(&head.Seq)
	if err != nil {
		return head, fmt.Errorf("read head of shop's events: %w", err)
	}
	return head, nil
}

// ShopEvents returns up to limit events of the shop after the cursor, oldest
// first. The zero cursor is the oldest that is kept. It fails with
// [ErrCursorGone] for a place of another life of the centre, one that is beyond
// it, or one behind which something has been forgotten.
func (s *Store) ShopEvents(ctx context.Context, k ShopKey, after qc.Cursor, limit int) (ShopEvents, error) {
	var page ShopEvents
	err := s.read(ctx, func(q querier) error {
		head, err := s.eventsHead(ctx, q, k)
		if err != nil {
			return err
		}
		if after != (qc.Cursor{}) && (after.Epoch != head.Epoch || after.Seq > head.Seq) {
			return ErrCursorGone
		}
		page, err = readEvents(ctx, q, k, after.Seq, limit)
		if err != nil {
			return err
		}
		first := head.Seq + 1
		if len(page.Events) > 0 {
			first = page.Events[0].N
		}
		if after != (qc.Cursor{}) && first != after.Seq+1 {
			return ErrCursorGone
		}
		page.Next.Epoch = head.Epoch
		if len(page.Events) == 0 {
			page.Next.Seq = head.Seq
		}
		page.UpToDate = page.Next == head
		return nil
	})
	if err != nil {
		return ShopEvents{}, fmt.Errorf("read shop's events after %s: %w", after, err)
	}
	return page, nil
}

func readEvents(ctx context.Context, q querier, k ShopKey, after int64, limit int) (ShopEvents, error) {
	var page ShopEvents
	_, query, more := k.stream()
	rows, err := q.QueryContext(ctx, query, append([]any{after, limit}, more...)...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var e ShopEvent
		var text string
		if err := rows.Scan(&e.N, &text); err != nil {
			return err
		}
		page.Next.Seq = e.N
		err := json.Unmarshal([]byte(text), &e)
		page.Events = append(page.Events, e)
		return err
	})
	return page, err
}

// ForgetShops drops what shops' systems have had time enough to read: events,
// and the answers to requests with an idempotency key.
func (s *Store) ForgetShops(ctx context.Context, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		_, events := t.ExecContext(ctx, `DELETE FROM shop_event WHERE at < $1`, micros(at.Add(-keepShopEvents)))
		if events != nil {
			return events
		}
		_, err := t.ExecContext(ctx, `DELETE FROM shop_request WHERE at < $1`, micros(at.Add(-keepKeys)))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget what shops have read: %w", err)
	}
	return nil
}

// ErrRunning says that a request with the same key is being worked on.
var ErrRunning = errors.New("key_running")

// ShopAnswer is what a request with an idempotency key was answered.
type ShopAnswer struct {
	Status  int
	Headers string // as the door wrote them
	Body    string
}

// runsAtMost is how long a request is taken to be running: after that, whoever
// worked on it has died, and it may be tried again. Its effect has a key of its
// own and still happens once.
const runsAtMost = time.Minute

// BeginShopRequest takes a request with an idempotency key in hand. The zero
// answer means that it is to be carried out; any other is what it was answered.
// It fails with [ErrKeyReused] when the key was given with another content, and
// with [ErrRunning].
func (s *Store) BeginShopRequest(ctx context.Context, k ShopKey, key, fingerprint string, at time.Time) (ShopAnswer, error) {
	var before ShopAnswer
	err := s.write(ctx, at, func(t *tx) error {
		var print string
		var begun int64
		err := t.QueryRowContext(ctx, `SELECT fingerprint, status, headers, body, at FROM shop_request WHERE shop = $1 AND key = $2`,
			k.Shop, key).Scan(&print, &before.Status, &before.Headers, &before.Body, &begun)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			_, err = t.ExecContext(ctx, `INSERT INTO shop_request (shop, key, fingerprint, status, headers, body, at)
				VALUES ($1, $2, $3, 0, '', '', $4)`, k.Shop, key, fingerprint, micros(at))
			return err
		case err != nil:
			return err
		case print != fingerprint:
			return ErrKeyReused
		case before.Status != 0:
			return nil
		case t.at.Sub(timeOf(begun)) < runsAtMost:
			return ErrRunning
		}
		_, err = t.ExecContext(ctx, `UPDATE shop_request SET at = $1 WHERE shop = $2 AND key = $3`, micros(at), k.Shop, key)
		return err
	})
	if err != nil {
		return ShopAnswer{}, fmt.Errorf("begin shop's request: %w", err)
	}
	return before, nil
}

// EndShopRequest keeps what a request was answered. With the zero answer it was
// as if there had been no request, and the key is free again.
func (s *Store) EndShopRequest(ctx context.Context, k ShopKey, key string, answer ShopAnswer, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		if answer.Status == 0 {
			_, err := t.ExecContext(ctx, `DELETE FROM shop_request WHERE shop = $1 AND key = $2 AND status = 0`, k.Shop, key)
			return err
		}
		_, err := t.ExecContext(ctx, `UPDATE shop_request SET status = $1, headers = $2, body = $3 WHERE shop = $4 AND key = $5`,
			answer.Status, answer.Headers, answer.Body, k.Shop, key)
		return err
	})
	if err != nil {
		return fmt.Errorf("end shop's request: %w", err)
	}
	return nil
}
