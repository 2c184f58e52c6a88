package central

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// auditEntry is one line of the audit trail. Its hash covers the one before,
// so that no line can be dropped or altered unnoticed.
type auditEntry struct {
	Seq    int64           `json:"seq"`
	At     int64           `json:"at"`
	Actor  string          `json:"actor"`
	Action string          `json:"action"`
	Object string          `json:"object"`
	Body   json.RawMessage `json:"body"`
}

// hash chains the entry to the one with hash prev.
func (e auditEntry) hash(prev string) (string, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("hash audit entry %d: %w", e.Seq, err)
	}
	sum := sha256.Sum256(append([]byte(prev), data...))
	return hex.EncodeToString(sum[:]), nil
}

// audit notes who did what to which object. Secrets never belong in detail.
func (t *tx) audit(ctx context.Context, actor, action, object string, detail any) error {
	body, err := jsonText(detail)
	if err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	e := auditEntry{At: micros(t.at), Actor: actor, Action: action, Object: object, Body: json.RawMessage(body)}
	var prev string
	err = t.QueryRowContext(ctx, `SELECT value + 1, head FROM counter WHERE name = 'audit'`).Scan(&e.Seq, &prev)
	if err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	hash, err := e.hash(prev)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO audit (seq, at, actor, action, object, body, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, e.Seq, e.At, actor, action, object, body, hash); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	if _, err := t.ExecContext(ctx, `UPDATE counter SET value = $1, head = $2 WHERE name = 'audit'`, e.Seq, hash); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}
