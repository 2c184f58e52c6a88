package central

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"flawmark/app/refund"
)

// RunTimers does to every case what its clock does by itself and was due at the
// time at ([refund.Case.Timer]), such as keeping an item whose customer did not
// answer, and returns how many those were. Each case is a transaction of its
// own: one that fails keeps no other from being seen to, and what somebody does
// at the same moment is either before it, and counts, or after it, and meets a
// [Conflict].
func (s *Store) RunTimers(ctx context.Context, at time.Time) (int, error) {
	due, err := s.due(ctx, at)
	if err != nil {
		return 0, fmt.Errorf("list cases that are due: %w", err)
	}
	done := 0
	var failed []error
	for _, c := range due {
		_, kind, running := c.Timer()
		if !running {
			continue
		}
		_, err := s.Act(ctx, c.ID, c.Version, refund.Event{Kind: kind, Actor: refund.Actor{Party: refund.BySystem}, At: at}, "")
		_, overtaken := errors.AsType[*Conflict](err)
		switch {
		case err == nil:
			done++
		case ctx.Err() != nil:
			return done, errors.Join(append(failed, err)...)
		case !overtaken && !errors.Is(err, refund.ErrNotNow): // else somebody acted this very moment
			failed = append(failed, err)
		}
	}
	return done, errors.Join(failed...)
}

// due lists the open cases whose clock has run out.
func (s *Store) due(ctx context.Context, at time.Time) ([]refund.Case, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT body FROM refund_case
		WHERE is_open = 1 AND due_at > 0 AND due_at <= $1 ORDER BY due_at`, micros(at))
	var list []refund.Case
	err = each(rows, err, func(rows *sql.Rows) error {
		var text string
		var c refund.Case
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return fmt.Errorf("read case: %w", err)
		}
		list = append(list, c)
		return nil
	})
	return list, err
}

// dueColumn is when the case's clock acts; 0: never.
func dueColumn(c refund.Case) int64 {
	if at, _, running := c.Timer(); running {
		return micros(at)
	}
	return 0
}
