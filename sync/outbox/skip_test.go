package outbox_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/outbox"
)

// TestStuckFilesAreShown has one file that cannot be sent among others that can.
func TestStuckFilesAreShown(t *testing.T) {
	for name, test := range map[string]struct {
		spoil   func(m *memory, d qc.Digest)
		problem string
	}{
		"shorter than recorded": {func(m *memory, d qc.Digest) { m.photos[d] = m.photos[d][:700] }, "error.blob_damaged"},
		"not here":              {func(m *memory, d qc.Digest) { delete(m.photos, d) }, "error.blob_damaged"},
		"other content":         {func(m *memory, d qc.Digest) { m.photos[d] = photo(9, 800) }, "error.blob_damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, c := newMemory(), newCentre()
				bad, good := m.photo(photo(1, 800), qc.LanePreview), m.photo(photo(2, 800), qc.LanePreview)
				test.spoil(m, bad)
				e := m.engine(direct{c.Centre})
				stop := run(t, e)
				time.Sleep(10 * time.Minute)
				if got := e.Status(); got.Problem != test.problem || got.Attention != 1 || got.PhotosWaiting != 1 || got.Link != outbox.Degraded {
					t.Errorf("status %+v", got)
				}
				c.Lock()
				if c.Stored[good] != 1 || c.Stored[bad] != 0 {
					t.Errorf("stored %v", c.Stored)
				}
				c.Unlock()
				// Another station had the same file.
				if err := m.Shipped(t.Context(), bad); err != nil {
					t.Error(err)
				}
				time.Sleep(10 * time.Second)
				if got := e.Status(); got.Problem == test.problem || got.Attention != 0 || got.Link != outbox.Online {
					t.Errorf("status %+v after the file was no longer needed", got)
				}
				stop()
			})
		})
	}
}

// TestUnreadableFileIsTriedAgain has a disk that fails for a while.
func TestUnreadableFileIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		m.photo(photo(1, 800), qc.LanePreview)
		var fails atomic.Bool
		fails.Store(true)
		e := outbox.New(outbox.Config{
			Store: m, Counts: m.counts, Remote: direct{c.Centre}, Now: time.Now, Log: quiet(),
			Open: func(d qc.Digest) (outbox.File, error) {
				if fails.Load() {
					return nil, errors.New("input/output error")
				}
				return m.open(d)
			},
		})
		stop := run(t, e)
		time.Sleep(10 * time.Second)
		if got := e.Status(); got.Problem != "error.unexpected" || got.Attention != 1 {
			t.Errorf("status %+v", got)
		}
		fails.Store(false)
		time.Sleep(5 * time.Minute)
		if got := e.Status(); !m.drained() || got.Problem == "error.unexpected" || got.Attention != 0 {
			t.Errorf("status %+v", got)
		}
		stop()
		wantAll(t, m, c.Centre)
	})
}
