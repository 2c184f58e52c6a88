package outbox_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/outbox"
)

// TestPause holds an original back in the middle of its journey: the event of
// a new finding still goes, no photo does, and after Resume all of it arrives.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		original := m.photo(photo(1, 20_000_000), qc.LaneOriginals)
		e := m.engine(slow{direct{c.Centre}, 1_000_000})
		stop := run(t, e)
		time.Sleep(5 * time.Second)
		e.Pause()
		time.Sleep(time.Second)
		c.Lock()
		before := len(c.Files)
		c.Unlock()
		m.record(1)
		preview := m.photo(photo(2, 100_000), qc.LanePreview)
		time.Sleep(time.Hour)
		c.Lock()
		if len(c.Applied) != 1 || c.Stored[preview]+c.Stored[original] != 0 || len(c.Files) != before {
			t.Errorf("while paused: %d events, stored %v", len(c.Applied), c.Stored)
		}
		c.Unlock()
		if s := e.Status(); !s.Paused || s.Uploading != "" || s.Link != outbox.Online {
			t.Errorf("status %+v", s)
		}
		e.Resume()
		time.Sleep(30 * time.Second)
		if s := e.Status(); s.Paused {
			t.Error("still paused")
		}
		stop()
		wantAll(t, m, c.Centre)
	})
}

// TestLimit sends 10 MB at 200 kB/s of a much faster network, and a preview in
// the middle of it at once.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		m.photo(photo(1, 10_000_000), qc.LaneOriginals)
		limit := int64(200_000)
		e := m.engineWith(slow{direct{c.Centre}, 10_000_000}, func(cfg *outbox.Config) {
			cfg.Limit = func(time.Time) int64 { return limit }
		})
		stop := run(t, e)
		time.Sleep(20 * time.Second)
		preview := m.photo(photo(2, 100_000), qc.LanePreview)
		time.Sleep(2 * time.Second)
		c.Lock()
		if c.Stored[preview] != 1 {
			t.Error("the preview waits for the limit")
		}
		c.Unlock()
		time.Sleep(18 * time.Second)
		waiting := m.left()
		if waiting != 1 {
			t.Errorf("%d files wait after 40 s, want the original that takes 50", waiting)
		}
		time.Sleep(30 * time.Second)
		if waiting := m.left(); waiting != 0 {
			t.Errorf("%d files wait after 70 s", waiting)
		}
		limit = 0
		stop()
		wantAll(t, m, c.Centre)
	})
}

// TestVerify never sends a byte of a file that is no longer what was recorded,
// and sends it when it is whole again and somebody asks.
func TestVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		bad, good := m.photo(photo(1, 800_000), qc.LaneOriginals), m.photo(photo(2, 800), qc.LanePreview)
		damaged := true
		e := m.engineWith(refuseFile{direct{c.Centre}, t, bad, &damaged}, func(cfg *outbox.Config) {
			cfg.Verify = func(_ context.Context, d qc.Digest) error {
				if d == bad && damaged {
					return qc.ErrDigest
				}
				return nil
			}
		})
		stop := run(t, e)
		time.Sleep(time.Minute)
		c.Lock()
		if c.Stored[good] != 1 || c.Stored[bad] != 0 {
			t.Errorf("stored %v", c.Stored)
		}
		c.Unlock()
		if s := e.Status(); s.Attention != 1 || s.Problem != "error.blob_damaged" {
			t.Errorf("status %+v", s)
		}
		damaged = false
		e.Retry()
		time.Sleep(time.Minute)
		if s := e.Status(); s.Attention != 0 || s.Link != outbox.Online {
			t.Errorf("after it was repaired: %+v", s)
		}
		stop()
		wantAll(t, m, c.Centre)
	})
}

// refuseFile fails the test when a file is announced that must not be.
type refuseFile struct {
	outbox.Remote
	t       *testing.T
	file    qc.Digest
	refused *bool
}

func (r refuseFile) BeginUpload(ctx context.Context, s qc.Shipment) (string, int64, error) {
	if s.Digest == r.file && *r.refused {
		r.t.Error("a damaged file is announced")
		return "", 0, errors.New("refused")
	}
	return r.Remote.BeginUpload(ctx, s)
}
