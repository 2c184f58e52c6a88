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

// CloseUnanswered keeps every item for its customer whose time to decide was
// over at the time at, and returns how many those were. Each case is a
// transaction of its own: one that fails keeps no other from being closed, and
// a decision that comes at the same moment is either before it, and counts, or
// after it, and meets a [Conflict].
func (s *Store) CloseUnanswered(ctx context.Context, at time.Time) (int, error) {
	due, err := s.unanswered(ctx, at)
	if err != nil {
		return 0, fmt.Errorf("list unanswered cases: %w", err)
	}
	closed := 0
	var failed []error
	for _, id := range due {
		_, err := s.Act(ctx, id, 0, refund.Event{Kind: refund.NoAnswer, Actor: refund.Actor{Party: refund.BySystem}, At: at}, "")
		switch {
		case err == nil:
			closed++
		case ctx.Err() != nil:
			return closed, errors.Join(append(failed, err)...)
		case !errors.Is(err, refund.ErrNotNow): // else it was decided this very moment
			failed = append(failed, err)
		}
	}
	return closed, errors.Join(failed...)
}

func (s *Store) unanswered(ctx context.Context, at time.Time) ([]qc.CaseID, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT id FROM refund_case
		WHERE is_open = 1 AND status = $1 AND decide_by > 0 AND decide_by <= $2 ORDER BY decide_by`,
		string(refund.AwaitingDecision), micros(at))
	var due []qc.CaseID
	err = each(rows, err, func(rows *sql.Rows) error {
		var id qc.CaseID
		if err := rows.Scan(&id); err != nil {
			return err
		}
		due = append(due, id)
		return nil
	})
	return due, err
}
