package outbox_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/outbox"
	"flawmark/sync/wire"
)

// liar is a centre that answers one thing wrongly, as often as it is asked.
type liar struct {
	outbox.Remote
	asked   atomic.Int64
	changes func(after qc.Cursor) (qc.Page, error)
	push    func(qc.Batch) (qc.Ack, error)
	offset  func() (int64, error)
	chunk   func(offset, n int64) (int64, error)
}

func (l *liar) Changes(ctx context.Context, after qc.Cursor, limit int, wait time.Duration) (qc.Page, error) {
	if l.changes == nil {
		return l.Remote.Changes(ctx, after, limit, wait)
	}
	l.asked.Add(1)
	return l.changes(after)
}

func (l *liar) PushEvents(ctx context.Context, b qc.Batch) (qc.Ack, error) {
	if l.push == nil {
		return l.Remote.PushEvents(ctx, b)
	}
	l.asked.Add(1)
	return l.push(b)
}

func (l *liar) UploadOffset(ctx context.Context, upload string) (int64, error) {
	if l.offset == nil {
		return l.Remote.UploadOffset(ctx, upload)
	}
	l.asked.Add(1)
	return l.offset()
}

func (l *liar) UploadChunk(ctx context.Context, upload string, source io.ReaderAt, offset, n int64) (int64, error) {
	if l.chunk == nil {
		return l.Remote.UploadChunk(ctx, upload, source, offset, n)
	}
	l.asked.Add(1)
	return l.chunk(offset, n)
}

// TestHostileCentreCostsTimeOnly: whatever it answers, the station asks slowly,
// says so, keeps what it has, and does all else.
func TestHostileCentreCostsTimeOnly(t *testing.T) {
	conflict := func(offset int64) error {
		problem := wire.NewProblem(wire.OffsetConflict, "")
		problem.Offset = offset
		return &wire.Failure{Kind: wire.Conflict, Op: "upload", Problem: problem}
	}
	one := []qc.Change{{Seq: 1, Kind: "x"}}
	for name, lie := range map[string]*liar{
		"feed stands still": {changes: func(after qc.Cursor) (qc.Page, error) { return qc.Page{Changes: one, Next: after}, nil }},
		"feed goes backwards": {changes: func(after qc.Cursor) (qc.Page, error) {
			return qc.Page{Next: qc.Cursor{Epoch: after.Epoch, Seq: after.Seq - 1}}, nil
		}},
		"acknowledges too much": {push: func(b qc.Batch) (qc.Ack, error) { return qc.Ack{Through: b.First + 99}, nil }},
		"acknowledges nothing":  {push: func(b qc.Batch) (qc.Ack, error) { return qc.Ack{Through: b.First - 1}, nil }},
		"expects the future": {push: func(qc.Batch) (qc.Ack, error) {
			problem := wire.NewProblem(wire.SequenceGap, "")
			problem.Expected = 1 << 63
			return qc.Ack{}, &wire.Failure{Kind: wire.Conflict, Op: "push", Problem: problem}
		}},
		"part of no bytes":     {chunk: func(offset, _ int64) (int64, error) { return offset, nil }},
		"part behind the file": {chunk: func(_, _ int64) (int64, error) { return 1 << 40, nil }},
		"part before the file": {chunk: func(_, _ int64) (int64, error) { return -1, nil }},
		"leads on and on":      {chunk: func(offset, _ int64) (int64, error) { return 0, conflict(offset + 1) }},
		"offset behind the file": {
			chunk:  func(_, _ int64) (int64, error) { return 0, conflict(0) },
			offset: func() (int64, error) { return 1 << 40, nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, c := newMemory(), newCentre()
				m.cursor = qc.Cursor{Epoch: "f1", Seq: 0}
				m.record(3)
				m.photo(photo(1, 800), qc.LanePreview)
				lie.Remote = direct{c.Centre}
				e := m.engine(lie)
				stop := run(t, e)
				time.Sleep(10 * time.Minute)
				status := e.Status()
				stop()
				if asked := lie.asked.Load(); asked == 0 || asked > 2000 {
					t.Errorf("asked %d times in 10 minutes", asked)
				}
				if status.Problem == "" {
					t.Errorf("nobody is told: %+v", status)
				}
				m.Lock()
				defer m.Unlock()
				if lie.push != nil && m.acked != 0 || lie.chunk != nil && len(m.shipped) != 0 {
					t.Errorf("believed: %d events, %d files", m.acked, len(m.shipped))
				}
				if lie.push == nil && m.acked != 3 {
					t.Errorf("%d events are through", m.acked)
				}
				if lie.chunk == nil && len(m.shipped) != 1 {
					t.Errorf("%d files are through", len(m.shipped))
				}
			})
		})
	}
}

// TestCarriedBatchesGoTheirOwnWay: what cannot be brought for another station
// is never this one's trouble.
func TestCarriedBatchesGoTheirOwnWay(t *testing.T) {
	refusal := func(uri string, kind wire.Kind) error {
		return &wire.Failure{Kind: kind, Op: "push", Problem: wire.NewProblem(uri, "")}
	}
	for name, test := range map[string]struct {
		answer error
		kept   bool
		most   int64 // questions in an hour
	}{
		"taken":            {nil, false, 1},
		"something before": {refusal(wire.SequenceGap, wire.Conflict), true, 7},
		"not allowed here": {refusal(wire.NotAuthorised, wire.Unauthorised), true, 7},
		"forked":           {refusal(wire.SequenceFork, wire.Conflict), false, 1},
		"forged":           {refusal(wire.BadSignature, wire.Unauthorised), false, 1},
		"malformed":        {refusal(wire.Malformed, wire.Rejected), false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, c := newMemory(), newCentre()
				m.record(2)
				var asked atomic.Int64
				var gone atomic.Bool
				e := m.engineWith(direct{c.Centre}, func(cfg *outbox.Config) {
					cfg.Carriage = &outbox.Carriage{
						Next: func(context.Context, int) ([]qc.SignedBatch, error) {
							if gone.Load() {
								return nil, nil
							}
							return []qc.SignedBatch{{Station: "s2", Batch: qc.Batch{Epoch: "e", First: 1}}}, nil
						},
						Push:      func(context.Context, qc.SignedBatch) (qc.Ack, error) { asked.Add(1); return qc.Ack{}, test.answer },
						Delivered: func(context.Context, qc.SignedBatch) error { gone.Store(true); return nil },
					}
				})
				stop := run(t, e)
				time.Sleep(time.Hour)
				status := e.Status()
				stop()
				if gone.Load() == test.kept || asked.Load() > test.most || asked.Load() == 0 {
					t.Errorf("kept %v after %d questions", !gone.Load(), asked.Load())
				}
				if status.Link != outbox.Online || status.Problem != "" || m.acked != 2 {
					t.Errorf("%+v, %d events through", status, m.acked)
				}
			})
		})
	}
}

var errDisk = errors.New("disk")

// TestCarryingFailsWithTheDisk says so and goes on when it is well again.
func TestCarryingFailsWithTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		var fails atomic.Bool
		fails.Store(true)
		e := m.engineWith(direct{c.Centre}, func(cfg *outbox.Config) {
			cfg.Carriage = &outbox.Carriage{Next: func(context.Context, int) ([]qc.SignedBatch, error) {
				if fails.Load() {
					return nil, errDisk
				}
				return nil, nil
			}}
		})
		stop := run(t, e)
		time.Sleep(time.Minute)
		if e.Status().Problem == "" {
			t.Error("nobody is told")
		}
		fails.Store(false)
		time.Sleep(time.Minute)
		if status := e.Status(); status.Problem != "" {
			t.Errorf("%+v", status)
		}
		stop()
	})
}
