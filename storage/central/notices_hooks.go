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

// AddWebhook lets a shop's program be told of every step of a case from now on.
// The secret is in what is returned, and in no list. local says that the
// address may be in the centre's own network.
func (s *Store) AddWebhook(ctx context.Context, url string, local bool, at time.Time) (refund.Webhook, error) {
	hook := refund.Webhook{
		ID: uuid.NewString()[:8], URL: url, Local: local, CreatedAt: asStored(at),
		Secret: "whsec_" + base64.StdEncoding.EncodeToString(randomBytes(32)),
	}
	inside := 0
	if local {
		inside = 1
	}
	err := s.write(ctx, at, func(t *tx) error {
		if _, err := t.ExecContext(ctx, `INSERT INTO webhook (id, url, secret, local, created_at) VALUES ($1, $2, $3, $4, $5)`,
			hook.ID, hook.URL, hook.Secret, inside, micros(at)); err != nil {
			return err
		}
		return t.audit(ctx, "admin", "webhook.add", "webhook:"+hook.ID, map[string]any{"local": local})
	})
	if err != nil {
		return refund.Webhook{}, fmt.Errorf("add webhook: %w", err)
	}
	return hook, nil
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
	return s.endWebhook(ctx, id, "webhook.remove", "admin", `DELETE FROM webhook WHERE id = $1`, at)
}

// DisableWebhook sends nothing to a webhook any more that has said that it is
// gone. It fails with [qc.ErrNotFound].
func (s *Store) DisableWebhook(ctx context.Context, id string, at time.Time) error {
	return s.endWebhook(ctx, id, "webhook.disable", "system", `UPDATE webhook SET disabled_at = $2 WHERE id = $1`, at, micros(at))
}

func (s *Store) endWebhook(ctx context.Context, id, action, actor, end string, at time.Time, more ...any) error {
	err := s.write(ctx, at, func(t *tx) error {
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
	})
	if err != nil {
		return fmt.Errorf("%s %.80q: %w", action, id, err)
	}
	return nil
}

func errorsOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

const webhookColumns = `id, url, secret, local, created_at, disabled_at`

func readWebhook(ctx context.Context, q querier, id string) (refund.Webhook, error) {
	hook, err := scanWebhook(q.QueryRowContext(ctx, `SELECT `+webhookColumns+` FROM webhook WHERE id = $1`, id).Scan)
	return hook, found(err)
}

func scanWebhook(scan func(...any) error) (refund.Webhook, error) {
	var hook refund.Webhook
	var local, created, disabled int64
	err := scan(&hook.ID, &hook.URL, &hook.Secret, &local, &created, &disabled)
	hook.Local, hook.CreatedAt, hook.DisabledAt = local == 1, timeOf(created), timeOf(disabled)
	return hook, err
}
