package central

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"

	"github.com/google/uuid"
)

// AddWebhook lets a program be told of steps of cases from now on: of those of
// the orders of hook.Shop, of the centre's own where that is empty, or of all.
// URL, Local, Shop and AllOrders of hook say which it is. The secret is in what
// is returned, and in no list. It fails with [ErrShopName] for a shop that has
// no key.
func (s *Store) AddWebhook(ctx context.Context, hook refund.Webhook, at time.Time) (refund.Webhook, error) {
	hook.ID, hook.MadeBy = uuid.NewString()[:8], ""
	err := s.write(ctx, at, func(t *tx) error {
		if hook.Shop != "" {
			if err := t.shopKnown(ctx, hook.Shop); err != nil {
				return err
			}
		}
		var err error
		hook, err = t.addWebhook(ctx, hook)
		return err
	})
	if err != nil {
		return refund.Webhook{}, fmt.Errorf("add webhook: %w", err)
	}
	return hook, nil
}

// shopKnown fails with [ErrShopName] for a shop that has never had a key.
func (t *tx) shopKnown(ctx context.Context, shop string) error {
	var keys int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM shop_key WHERE shop = $1`, shop).Scan(&keys)
	if err == nil && keys == 0 {
		err = ErrShopName
	}
	return err
}

// addWebhook keeps a webhook and makes its secret.
func (t *tx) addWebhook(ctx context.Context, hook refund.Webhook) (refund.Webhook, error) {
	hook.CreatedAt, hook.Secret = t.at, "whsec_"+base64.StdEncoding.EncodeToString(randomBytes(32))
	if _, err := t.ExecContext(ctx, `INSERT INTO webhook (id, url, secret, local, created_at, shop, all_orders, made_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, hook.ID, hook.URL, hook.Secret, flag(hook.Local), micros(t.at),
		hook.Shop, flag(hook.AllOrders), hook.MadeBy); err != nil {
		return refund.Webhook{}, err
	}
	actor := "admin"
	if hook.MadeBy != "" {
		actor = "key:" + hook.MadeBy
	}
	return hook, t.audit(ctx, actor, "webhook.add", "webhook:"+hook.ID,
		map[string]any{"local": hook.Local, "shop": hook.Shop, "all_orders": hook.AllOrders})
}

// Webhooks lists where shops' programs listen, without their secrets.
func (s *Store) Webhooks(ctx context.Context) ([]refund.Webhook, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT `+webhookColumns+` FROM webhook ORDER BY created_at, id`)
	var all []refund.Webhook
	err = each(rows, err, func(rows *sql.Rows) error {
		hook, err := scanWebhook(rows.Scan)
		hook.Secret = ""
		all = append(all, hook)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return all, nil
}

// Webhook returns one webhook with its secret, or [qc.ErrNotFound].
func (s *Store) Webhook(ctx context.Context, id string) (refund.Webhook, error) {
	hook, err := readWebhook(ctx, s.reader, id)
	if err != nil {
		return hook, fmt.Errorf("read webhook %.80q: %w", id, err)
	}
	return hook, nil
}

// RemoveWebhook forgets a webhook; what waits for it is not sent any more. It
// fails with [qc.ErrNotFound].
func (s *Store) RemoveWebhook(ctx context.Context, id string, at time.Time) error {
	return s.endWebhook(ctx, id, "webhook.remove", "admin", forgetWebhook, at)
}

const forgetWebhook = `DELETE FROM webhook WHERE id = $1`

// DisableWebhook sends nothing to a webhook any more that has said that it is
// gone. It fails with [qc.ErrNotFound].
func (s *Store) DisableWebhook(ctx context.Context, id string, at time.Time) error {
	return s.endWebhook(ctx, id, "webhook.disable", "system", `UPDATE webhook SET disabled_at = $2 WHERE id = $1`, at, micros(at))
}

func (s *Store) endWebhook(ctx context.Context, id, action, actor, end string, at time.Time, more ...any) error {
	err := s.write(ctx, at, func(t *tx) error {
		return t.endWebhook(ctx, id, action, actor, end, more...)
	})
	if err != nil {
		return fmt.Errorf("%s %.80q: %w", action, id, err)
	}
	return nil
}

func (t *tx) endWebhook(ctx context.Context, id, action, actor, end string, more ...any) error {
	result, err := t.ExecContext(ctx, end, append([]any{id}, more...)...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errorsOr(err, qc.ErrNotFound)
	}
	if _, err := t.ExecContext(ctx, `UPDATE notice SET state = 'moot', lease_until = 0
		WHERE hook = $1 AND medium = 'hook' AND state IN ('waiting', 'failed')`, id); err != nil {
		return err
	}
	return t.audit(ctx, actor, action, "webhook:"+id, struct{}{})
}

func errorsOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

const webhookColumns = `id, url, secret, local, created_at, disabled_at, shop, all_orders, made_by`

func readWebhook(ctx context.Context, q querier, id string) (refund.Webhook, error) {
	hook, err := scanWebhook(q.QueryRowContext(ctx, `SELECT `+webhookColumns+` FROM webhook WHERE id = $1`, id).Scan)
	return hook, found(err)
}

func scanWebhook(scan func(...any) error) (refund.Webhook, error) {
	var hook refund.Webhook
	var local, created, disabled, all int64
	err := scan(&hook.ID, &hook.URL, &hook.Secret, &local, &created, &disabled, &hook.Shop, &all, &hook.MadeBy)
	hook.Local, hook.CreatedAt, hook.DisabledAt, hook.AllOrders = local == 1, timeOf(created), timeOf(disabled), all == 1
	return hook, err
}
