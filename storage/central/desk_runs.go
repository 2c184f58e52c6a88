package central

import (
	"context"
	"fmt"
	"time"

	"flawmark/app/qc"
)

// Run is what somebody at the desk does in one go, such as one step with many
// cases: what was asked for, and what came of it.
type Run struct {
	ID      string
	Kind    string
	Staff   qc.StaffID
	At      time.Time
	Request string // as the desk wrote it
	Result  string // empty: not done
}

// keepRuns is how long runs can be looked at again.
const keepRuns = 90 * 24 * time.Hour

// KeepRun keeps a run. One that is known gets its result, if it had none, and
// is otherwise left as it is.
func (s *Store) KeepRun(ctx context.Context, run Run) error {
	err := s.write(ctx, run.At, func(t *tx) error {
		if _, err := t.ExecContext(ctx, `DELETE FROM desk_run WHERE at < $1`, micros(t.at.Add(-keepRuns))); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO desk_run (id, kind, staff, at, request, result) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET result = excluded.result WHERE desk_run.result = '' AND desk_run.staff = excluded.staff`,
			run.ID, run.Kind, string(run.Staff), micros(run.At), run.Request, run.Result)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep run %s: %w", run.ID, err)
	}
	return nil
}

// Run returns a person's run, or [qc.ErrNotFound], also where it is another's.
func (s *Store) Run(ctx context.Context, id string, of qc.StaffID) (Run, error) {
	run := Run{ID: id, Staff: of}
	var at int64
	err := s.reader.QueryRowContext(ctx, `SELECT kind, at, request, result FROM desk_run WHERE id = $1 AND staff = $2`,
		id, string(of)).Scan(&run.Kind, &at, &run.Request, &run.Result)
	if err != nil {
		return Run{}, fmt.Errorf("read run %.80q: %w", id, found(err))
	}
	run.At = timeOf(at)
	return run, nil
}
