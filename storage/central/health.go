package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"flawmark/app/refund"
)

// Health is what tells whether the centre does its work.
type Health struct {
	Notices map[refund.NoticeState]int
	// OverdueNotices should have gone out long before; nobody sends them.
	OverdueNotices int
	// OldestNotice is since when the one that waits longest could have gone out;
	// zero: none waits.
	OldestNotice time.Time
	// OverdueTimers are cases that their clock should have moved long before.
	OverdueTimers int
	// StuckUploads have ended long before; nobody clears them up.
	StuckUploads int
	Newest       time.Time // what the audit trail ends with; zero: nothing
	LastBackup   time.Time // zero: none was ever made
}

// Health looks at the time at; what was due before overdue counts as left behind.
func (s *Store) Health(ctx context.Context, at, overdue time.Time) (Health, error) {
	h := Health{Notices: make(map[refund.NoticeState]int)}
	err := s.read(ctx, func(q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT state, COUNT(*) FROM notice GROUP BY state`)
		err = each(rows, err, func(rows *sql.Rows) error {
			var state refund.NoticeState
			var n int
			err := rows.Scan(&state, &n)
			h.Notices[state] = n
			return err
		})
		if err != nil {
			return err
		}
		var newest, backup, oldest int64
		for _, one := range []struct {
			into  any
			query string
			args  []any
		}{
			{&h.OverdueNotices, `SELECT COUNT(*) FROM notice WHERE state = $1 AND due_at < $2`, []any{string(refund.NoticeWaiting), micros(overdue)}},
			{&oldest, `SELECT COALESCE(MIN(due_at), 0) FROM notice WHERE state = $1 AND due_at <= $2`, []any{string(refund.NoticeWaiting), micros(at)}},
			{&h.OverdueTimers, `SELECT COUNT(*) FROM refund_case WHERE is_open = 1 AND due_at > 0 AND due_at < $1`, []any{micros(overdue)}},
			{&h.StuckUploads, `SELECT COUNT(*) FROM upload WHERE expires_at < $1`, []any{micros(overdue)}},
			{&newest, `SELECT COALESCE(MAX(at), 0) FROM audit`, nil},
			{&backup, `SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'last_backup'`, nil},
		} {
			err := q.QueryRowContext(ctx, one.query, one.args...).Scan(one.into)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		h.Newest, h.LastBackup, h.OldestNotice = timeOf(newest), timeOf(backup), timeOf(oldest)
		return nil
	})
	if err != nil {
		return Health{}, fmt.Errorf("look at the store's health: %w", err)
	}
	return h, nil
}

// NoteBackup notes that a backup was made and read back.
func (s *Store) NoteBackup(ctx context.Context, at time.Time) error {
	return s.setFact(ctx, "last_backup", fmt.Sprint(micros(at)))
}

// Free fails with [ErrInUse] while a centre has the folder.
func Free(dir string) error {
	lock, err := lockFolder(filepath.Join(dir, "central.lock"))
	if err != nil {
		return err
	}
	return unlockFolder(lock)
}

// Pools tells how the connections to the database are used.
func (s *Store) Pools() map[string]sql.DBStats {
	return map[string]sql.DBStats{"writer": s.writer.Stats(), "reader": s.reader.Stats()}
}
