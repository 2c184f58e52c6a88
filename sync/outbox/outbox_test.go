package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/outbox"
	"flawmark/sync/wire"
)

// lossy loses requests and answers, each with its own chance.
type lossy struct {
	outbox.Remote
	mu     sync.Mutex
	random *rand.Rand
	loss   float64
	down   bool
}

func (l *lossy) lost() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down || l.random.Float64() < l.loss
}

func (l *lossy) setDown(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func (l *lossy) try(ctx context.Context, do func() error) error {
	for _, step := range []func() error{nil, do} {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if step != nil {
			if err := step(); err != nil {
				return err
			}
		}
		if l.lost() {
			return &wire.Failure{Kind: wire.Retry, Op: "lost"}
		}
	}
	return nil
}

func (l *lossy) Connect(ctx context.Context) error {
	return l.try(ctx, func() error { return l.Remote.Connect(ctx) })
}

func (l *lossy) PushEvents(ctx context.Context, b qc.Batch) (ack qc.Ack, err error) {
	err = l.try(ctx, func() (err error) { ack, err = l.Remote.PushEvents(ctx, b); return err })
	return ack, err
}

func (l *lossy) QueryBlobs(ctx context.Context, ds []qc.Digest) (have []qc.Digest, partial []qc.Shipment, err error) {
	err = l.try(ctx, func() (err error) { have, partial, err = l.Remote.QueryBlobs(ctx, ds); return err })
	return have, partial, err
}

func (l *lossy) BeginUpload(ctx context.Context, s qc.Shipment) (upload string, offset int64, err error) {
	err = l.try(ctx, func() (err error) { upload, offset, err = l.Remote.BeginUpload(ctx, s); return err })
	return upload, offset, err
}

func (l *lossy) UploadOffset(ctx context.Context, upload string) (offset int64, err error) {
	err = l.try(ctx, func() (err error) { offset, err = l.Remote.UploadOffset(ctx, upload); return err })
	return offset, err
}

func (l *lossy) UploadChunk(ctx context.Context, upload string, source io.ReaderAt, offset, n int64) (after int64, err error) {
	err = l.try(ctx, func() (err error) { after, err = l.Remote.UploadChunk(ctx, upload, source, offset, n); return err })
	return after, err
}

func (l *lossy) Changes(ctx context.Context, after qc.Cursor, limit int, wait time.Duration) (page qc.Page, err error) {
	err = l.try(ctx, func() (err error) { page, err = l.Remote.Changes(ctx, after, limit, wait); return err })
	return page, err
}

// run starts an engine; stop waits until all its goroutines are gone.
func run(t *testing.T, e *outbox.Engine) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func photo(i, size int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("%08d", i)), size/8) }

// TestSimulation runs stations over networks that lose three requests and
// three answers of ten, and are gone altogether for a while.
func TestSimulation(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, c := newMemory(), newCentre()
				link := &lossy{Remote: direct{c.Centre}, random: rand.New(rand.NewPCG(seed, 1)), loss: 0.3, down: seed%3 == 0}
				e := m.engine(link)
				stop := run(t, e)
				for i := range 12 {
					m.record(1 + i%3)
					m.photo(photo(i, 300_000), qc.LanePreview)
					m.photo(photo(100+i, 800_000), qc.LaneOriginals)
					time.Sleep(time.Duration(seed%7) * 10 * time.Second)
					link.setDown(i%4 == 1)
				}
				link.setDown(false)
				// R7: drained within a time after the network has healed, by itself.
				began := time.Now()
				for !m.drained() {
					if time.Sleep(time.Second); time.Since(began) > time.Hour {
						t.Fatalf("not drained after an hour: %+v", e.Status())
					}
				}
				// The feed too: nothing missing, nothing doubled, in order.
				for m.feedLength() < c.feedLength() {
					if time.Sleep(time.Second); time.Since(began) > 2*time.Hour {
						t.Fatal("the feed is not read to its end")
					}
				}
				stop()
				wantAll(t, m, c.Centre)
				for i, change := range m.changes {
					if change.Seq != int64(i+1) {
						t.Fatalf("change %d is number %d", i+1, change.Seq)
					}
				}
			})
		})
	}
}

// refusing refuses to read batches that hold one poison event.
type refusing struct {
	outbox.Remote
	poison uint64
	let    func()
}

func (r refusing) PushEvents(ctx context.Context, b qc.Batch) (qc.Ack, error) {
	if b.First <= r.poison && r.poison < b.First+uint64(len(b.Events)) {
		if len(b.Events) == 1 {
			r.let() // what follows is taken without it
		}
		return qc.Ack{}, &wire.Failure{Kind: wire.Rejected, Problem: wire.NewProblem(wire.Malformed, "")}
	}
	return r.Remote.PushEvents(ctx, b)
}

func TestPoisonEventBlocksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		m.record(40)
		let := func() {
			_, err := c.ApplyEvents(t.Context(), "s1", qc.Batch{First: 17, Prev: m.hashes[15], Events: m.sealed[16:17]}, time.Now())
			if err != nil {
				t.Error(err)
			}
		}
		stop := run(t, m.engine(refusing{direct{c.Centre}, 17, let}))
		time.Sleep(time.Second)
		synctest.Wait()
		if !m.drained() || m.receipts[17].Status != qc.Rejected || m.receipts[18].Status != qc.Applied {
			t.Errorf("acknowledged %d, receipt %+v", m.acked, m.receipts[17])
		}
		stop()
	})
}

func TestRejectionIsAnOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		c.Rejects[2] = true
		m.record(3)
		stop := run(t, m.engine(direct{c.Centre}))
		time.Sleep(time.Second)
		stop()
		if !m.drained() || m.receipts[2].Problem != "error.case_moved_on" || len(c.Applied) != 2 {
			t.Errorf("%d effects, receipt %+v", len(c.Applied), m.receipts[2])
		}
	})
}

func TestRestoredCentreAsksForWhatItLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		m.record(10)
		stop := run(t, m.engine(direct{c.Centre}))
		time.Sleep(time.Second)
		c.Forget(4)
		c.Lock()
		c.FeedEpoch, c.Feed = "f2", c.Feed[:2]
		c.Unlock()
		m.record(1)
		time.Sleep(5 * time.Minute)
		stop()
		wantAll(t, m, c.Centre)
		if m.cursor.Epoch != "f2" || m.cursor.Seq != int64(len(c.Feed)) {
			t.Errorf("cursor %v, the feed has %d", m.cursor, len(c.Feed))
		}
	})
}

// slow takes its time for every byte, unless it is told to stop.
type slow struct {
	outbox.Remote
	perSecond int64
}

func (s slow) UploadChunk(ctx context.Context, upload string, source io.ReaderAt, offset, n int64) (int64, error) {
	const piece = 64 << 10
	for sent := int64(0); sent < n; {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(time.Duration(float64(piece) / float64(s.perSecond) * float64(time.Second))):
		}
		part := min(piece, n-sent)
		if _, err := s.Remote.UploadChunk(ctx, upload, source, offset+sent, part); err != nil {
			return 0, err
		}
		sent += part
	}
	return offset + n, nil
}

// TestSmallThingsOvertake records a finding while a 40 MB original travels at
// 5 Mbit/s: its event and its preview must be there in seconds.
func TestSmallThingsOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		m.photo(photo(1, 40_000_000), qc.LaneOriginals)
		e := m.engine(slow{direct{c.Centre}, 5_000_000 / 8})
		stop := run(t, e)
		time.Sleep(20 * time.Second)
		if status := e.Status(); status.Uploading == "" || status.BytesPerSecond < 500_000 || status.BytesPerSecond > 700_000 || status.Link != outbox.Online {
			t.Errorf("status %+v", status)
		}
		m.record(1)
		preview := m.photo(photo(2, 200_000), qc.LanePreview)
		time.Sleep(2 * time.Second)
		c.Lock()
		if len(c.Applied) != 1 || c.Stored[preview] != 1 || len(c.Files) != 1 {
			t.Errorf("%d events, preview stored %d times", len(c.Applied), c.Stored[preview])
		}
		c.Unlock()
		time.Sleep(2 * time.Minute)
		stop()
		wantAll(t, m, c.Centre)
	})
}

type failing struct {
	outbox.Remote
	err error
}

func (f failing) Connect(context.Context) error { return f.err }

func TestLinkTellsWhy(t *testing.T) {
	for kind, want := range map[wire.Kind]outbox.Link{
		wire.Retry: outbox.Offline, wire.Unauthorised: outbox.NotAuthorised, wire.UpgradeNeeded: outbox.TooOld,
		wire.WrongServer: outbox.WrongNetwork, wire.WrongNetwork: outbox.WrongNetwork,
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory()
			m.record(2)
			e := m.engine(failing{err: &wire.Failure{Kind: kind}}) // anything but Connect would panic
			stop := run(t, e)
			time.Sleep(time.Second)
			synctest.Wait()
			if got := e.Status(); got.Link != want || got.Problem == "" || got.EventsWaiting != 2 {
				t.Errorf("%s: %+v", kind, got)
			}
			stop()
		})
	}
	if got := newMemory().engine(nil).Status().Link; got != outbox.NotEnrolled {
		t.Errorf("without a remote: %s", got)
	}
}

func TestForkedLogBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		event := qc.Event{Seq: 1, ID: "other", Kind: qc.ReviewGiven, Version: 1, Data: []byte(`{}`)}
		sealed, _ := qc.Seal(&event, qc.ChainStart)
		if _, err := c.ApplyEvents(t.Context(), "s1", qc.Batch{Epoch: "e1", First: 1, Prev: qc.ChainStart, Events: [][]byte{sealed}}, time.Now()); err != nil {
			t.Fatal(err)
		}
		m.record(2)
		e := m.engine(direct{c.Centre})
		stop := run(t, e)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := e.Status(); got.Link != outbox.Online || got.Problem != "" || !m.drained() || m.epochs != 1 {
			t.Errorf("%+v, acknowledged %d in epoch %d", got, m.acked, m.epochs)
		}
		stop()
		if len(c.Applied) != 3 || c.Effects["e1"] != 1 || c.Effects["e2"] != 1 || c.Effects["other"] != 1 {
			t.Errorf("effects %v", c.Effects)
		}
	})
}

func TestKickEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		link := &lossy{Remote: direct{c.Centre}, random: rand.New(rand.NewPCG(1, 1)), down: true}
		m.record(1)
		e := outbox.New(outbox.Config{
			Store: m, Open: m.open, Counts: m.counts, Remote: link, Now: time.Now, Log: quiet(),
			Jitter: func(most time.Duration) time.Duration { return most },
		})
		stop := run(t, e)
		time.Sleep(time.Minute) // waits are at their longest now
		link.setDown(false)
		e.Kick()
		time.Sleep(time.Second)
		if !m.drained() {
			t.Error("still waiting after Kick")
		}
		stop()
	})
}

func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		m.record(3)
		m.photo(photo(1, 1_000_000), qc.LaneFlagged)
		link := &lossy{Remote: direct{c.Centre}, random: rand.New(rand.NewPCG(3, 3)), loss: 0.2}
		if err := m.engine(link).Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantAll(t, m, c.Centre)
		if len(m.changes) != len(c.Feed) {
			t.Errorf("%d changes of %d", len(m.changes), len(c.Feed))
		}
		m.record(1)
		link.setDown(true)
		if err := m.engine(link).Once(t.Context()); !errors.Is(err, outbox.ErrRemains) {
			t.Errorf("offline: %v", err)
		}
	})
}

func TestDamagedFileBlocksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(), newCentre()
		bad, good := m.photo(photo(1, 800), qc.LanePreview), m.photo(photo(2, 800), qc.LanePreview)
		m.photos[bad] = m.photos[bad][:700]
		if err := m.engine(direct{c.Centre}).Once(t.Context()); !errors.Is(err, outbox.ErrRemains) {
			t.Errorf("damage is not reported: %v", err)
		}
		if c.Stored[good] != 1 || c.Stored[bad] != 0 {
			t.Errorf("stored %v", c.Stored)
		}
	})
}
