package outbox_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"flawmark/sync/outbox"
)

// TestOneRunner has a second caller meet an engine at work.
func TestOneRunner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		e := m.engine(direct{c.Centre})
		stop := run(t, e)
		time.Sleep(time.Second)
		if err := e.Run(t.Context()); !errors.Is(err, outbox.ErrRunning) {
			t.Errorf("a second Run: %v", err)
		}
		if err := e.Once(t.Context()); !errors.Is(err, outbox.ErrRunning) {
			t.Errorf("Once beside Run: %v", err)
		}
		if got := e.Status().Link; got != outbox.Online {
			t.Errorf("the second runner left the link %s", got)
		}
		stop()
		if err := e.Once(t.Context()); err != nil {
			t.Errorf("after the first has ended: %v", err)
		}
		stop = run(t, e)
		time.Sleep(time.Second)
		stop()
	})
}
