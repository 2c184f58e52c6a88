package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ErrHookChanged says that a webhook of that name is there with another address,
// or somebody else's.
var ErrHookChanged = errors.New("hook_changed")

// ErrHooksMany says that a shop has as many webhooks as it may have.
var ErrHooksMany = errors.New("hooks_many")

// mostHooks bounds the webhooks of a shop that its own keys make.
const mostHooks = 10

// ShopHook is a webhook of a shop with how it does.
type ShopHook struct {
	refund.Webhook
	Waiting int    // how many notices are still to be sent
	Failed  int    // how many were given up
	Problem string // the key of the sentence about the last that did not arrive; empty: all did
	Code    string // what the program answered then
}

// AddShopHook lets a program of the shop be told of the steps of its cases, under
// an id that the shop's system made: the same again is what there is already,
// without its secret. A key for all orders hears of all. It fails with
// [ErrShopKey], [ErrHookChanged] and [ErrHooksMany].
func (s *Store) AddShopHook(ctx context.Context, k ShopKey, id, url string, at time.Time) (refund.Webhook, error) {
	hook := refund.Webhook{ID: id, URL: url, Shop: k.Shop, AllOrders: k.AllOrders, MadeBy: k.ID}
	err := s.write(ctx, at, func(t *tx) error {
		if err := t.mayKeep(ctx, k); err != nil {
			return err
		}
		before, err := readWebhook(ctx, t, id)
		switch {
		case err == nil && before.Shop == hook.Shop && before.URL == url && before.AllOrders == hook.AllOrders:
			hook, hook.Secret = before, ""
			return nil
		case err == nil:
			return ErrHookChanged
		case !errors.Is(err, qc.ErrNotFound):
			return err
		}
		var many int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM webhook WHERE shop = $1`, k.Shop).Scan(&many); err != nil {
			return err
		}
		if many >= mostHooks {
			return ErrHooksMany
		}
		hook, err = t.addWebhook(ctx, hook)
		return err
	})
	if err != nil {
		return refund.Webhook{}, fmt.Errorf("add webhook of shop: %w", err)
	}
	return hook, nil
}

// ShopHooks lists the webhooks of the shop without their secrets, whoever made
// them. Those that are told of everybody's orders are for keys that are, too.
func (s *Store) ShopHooks(ctx context.Context, k ShopKey) ([]ShopHook, error) {
	var all []ShopHook
	err := s.read(ctx, func(q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT `+webhookColumns+` FROM webhook WHERE shop = $1 AND all_orders <= $2
			ORDER BY created_at, id`, k.Shop, flag(k.AllOrders))
		err = each(rows, err, func(rows *sql.Rows) error {
			hook, err := scanWebhook(rows.Scan)
			hook.Secret = ""
			all = append(all, ShopHook{Webhook: hook})
			return err
		})
		for i := 0; err == nil && i < len(all); i++ {
			err = all[i].count(ctx, q)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list webhooks of shop: %w", err)
	}
	return all, nil
}

// ShopHook returns one of them, or [qc.ErrNotFound].
func (s *Store) ShopHook(ctx context.Context, k ShopKey, id string) (ShopHook, error) {
	var hook ShopHook
	err := s.read(ctx, func(q querier) error {
		var err error
		if hook.Webhook, err = k.hook(ctx, q, id); err != nil {
			return err
		}
		hook.Secret = ""
		return hook.count(ctx, q)
	})
	if err != nil {
		return ShopHook{}, fmt.Errorf("read webhook %.80q of shop: %w", id, err)
	}
	return hook, nil
}

// hook returns a webhook of the shop, or [qc.ErrNotFound].
func (k ShopKey) hook(ctx context.Context, q querier, id string) (refund.Webhook, error) {
	hook, err := readWebhook(ctx, q, id)
	if err == nil && (hook.Shop != k.Shop || hook.AllOrders && !k.AllOrders) {
		return refund.Webhook{}, qc.ErrNotFound
	}
	return hook, err
}

// count says how a webhook does.
func (h *ShopHook) count(ctx context.Context, q querier) error {
	err := q.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0) FROM notice WHERE medium = 'hook' AND hook = $1`, h.ID).
		Scan(&h.Waiting, &h.Failed)
	if err != nil || h.Waiting+h.Failed == 0 {
		return err
	}
	err = q.QueryRowContext(ctx, `SELECT problem, code FROM notice WHERE medium = 'hook' AND hook = $1
		AND state IN ('waiting', 'failed') AND problem <> '' ORDER BY created_at DESC, id DESC LIMIT 1`, h.ID).Scan(&h.Problem, &h.Code)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// RemoveShopHook forgets a webhook of the shop; what waits for it is not sent any
// more. It fails with [qc.ErrNotFound].
func (s *Store) RemoveShopHook(ctx context.Context, k ShopKey, id string, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		if err := t.mayKeep(ctx, k); err != nil {
			return err
		}
		if _, err := k.hook(ctx, t, id); err != nil {
			return err
		}
		return t.endWebhook(ctx, id, "webhook.remove", k.actor(), forgetWebhook)
	})
	if err != nil {
		return fmt.Errorf("remove webhook %.80q of shop: %w", id, err)
	}
	return nil
}

// ReplayShopHook sends a webhook of the shop again what it was told since then,
// under the names that it had, and returns how many notices those are.
func (s *Store) ReplayShopHook(ctx context.Context, k ShopKey, id string, since, at time.Time) (int, error) {
	var n int
	err := s.write(ctx, at, func(t *tx) error {
		if err := t.mayKeep(ctx, k); err != nil {
			return err
		}
		hook, err := k.hook(ctx, t, id)
		if err != nil {
			return err
		}
		if !hook.DisabledAt.IsZero() {
			return ErrHookGone
		}
		n, err = t.retry(ctx, NoticeFilter{Hook: id, Since: since}, k.actor())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("replay webhook %.80q of shop: %w", id, err)
	}
	return n, nil
}

// ErrHookGone says that a webhook has answered that it is gone.
var ErrHookGone = errors.New("hook_gone")
