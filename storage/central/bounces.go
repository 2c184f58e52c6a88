package central

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrSending says that a mail is being sent this very moment, so that it is not
// known yet whether it came back.
var ErrSending = errors.New("mail is being sent")

// bouncedProblem is the sentence about a mail that came back.
const bouncedProblem = "notice.problem.bounced"

// Bounced notes that a mail came back, by the id of its consignment, with a
// status such as "5.1.1", and returns how many notices were in it. Said again, or
// of what is not known or was never sent, it changes nothing. It fails with
// [ErrSending] while that is too early to say.
func (s *Store) Bounced(ctx context.Context, mail, status string, at time.Time) (int, error) {
	var n int64
	err := s.write(ctx, at, func(t *tx) error {
		var sending int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM notice
			WHERE batch = $1 AND medium = 'mail' AND state = 'waiting' AND lease_until > $2`, mail, micros(t.at)).Scan(&sending); err != nil {
			return err
		}
		if sending > 0 {
			return ErrSending
		}
		result, err := t.ExecContext(ctx, `UPDATE notice SET state = 'failed', problem = $1, code = $2
			WHERE batch = $3 AND medium = 'mail' AND state = 'sent'`, bouncedProblem, status, mail)
		if err != nil {
			return err
		}
		if n, err = result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		t.told = true
		return t.audit(ctx, "system", "notices.bounce", "mail:"+mail, map[string]any{"notices": n, "status": status})
	})
	if err != nil {
		return 0, fmt.Errorf("note that mail %.80q came back: %w", mail, err)
	}
	return int(n), nil
}
