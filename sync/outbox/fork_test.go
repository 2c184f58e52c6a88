package outbox_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/outbox"
)

// forgetful acknowledges with the head of some other chain.
type forgetful struct{ outbox.Remote }

func (f forgetful) PushEvents(ctx context.Context, b qc.Batch) (qc.Ack, error) {
	ack, err := f.Remote.PushEvents(ctx, b)
	ack.Head = qc.ChainStart
	return ack, err
}

// TestForkWithoutEndIsShown has the station's own store notice the fork, and a
// new log forks as well: it must not begin one after the other.
func TestForkWithoutEndIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		m.record(2)
		e := m.engine(forgetful{direct{c.Centre}})
		stop := run(t, e)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := e.Status(); got.Link != outbox.Degraded || got.Problem != "error.log_forked" || m.acked != 0 || m.epochs != 1 {
			t.Errorf("%+v, acknowledged %d, %d new logs", got, m.acked, m.epochs)
		}
		stop()
	})
}
