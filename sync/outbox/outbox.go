// Package outbox brings what a station recorded to the centre and the centre's
// answers back, over networks that come and go.
//
// An [Engine] runs three kinds of work side by side, none waiting for another:
// events in order, photo files lane by lane, and the centre's feed. Events
// never wait behind photos, and a small photo overtakes a large one in the
// middle of its journey. Nothing leaves the store before the centre has
// acknowledged it, so a crash, a lost answer or a pulled plug at any moment
// costs time only.
//
// The engine itself keeps nothing on disk: what there is to do is always asked
// of the [Store]. It is either connected or finding out why not ([Link]); what
// its [Status] says is what it does.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"flawmark/app/qc"
)

// Store is the station's own memory.
type Store interface {
	// PendingBatch returns the oldest events that are not acknowledged; no
	// events when there are none. A single event may exceed maxBytes.
	PendingBatch(ctx context.Context, maxEvents, maxBytes int) (qc.Batch, error)
	// Acknowledge and Rewind fail with [qc.ErrFork] when the centre remembers
	// another log than the one here.
	Acknowledge(ctx context.Context, ack qc.Ack, at time.Time) error
	// Rewind makes the event with that number the next one to be sent.
	Rewind(ctx context.Context, expected uint64) error
	// BeginEpoch numbers and chains the events that are kept anew, under a new
	// epoch and with their ids; all of them are to be sent.
	BeginEpoch(ctx context.Context) error
	// PendingShipments returns files to be sent, most urgent first.
	PendingShipments(ctx context.Context, limit int) ([]qc.Shipment, error)
	UploadProgress(ctx context.Context, d qc.Digest, upload string, offset int64) error
	Shipped(ctx context.Context, ds ...qc.Digest) error
	Cursor(ctx context.Context) (qc.Cursor, error)
	// ApplyPage applies changes and stores their cursor in one step.
	ApplyPage(ctx context.Context, page qc.Page) error
	// Watch returns a channel that ticks after every change, and its end.
	Watch() (<-chan struct{}, func())
}

// Remote is the centre. All its failures are [*wire.Failure] but those of ctx.
type Remote interface {
	// Connect asks whether the centre is there and admits this station.
	Connect(ctx context.Context) error
	PushEvents(ctx context.Context, batch qc.Batch) (qc.Ack, error)
	// QueryBlobs returns the files that the centre has, and those it has in
	// part (Digest, Upload, Offset).
	QueryBlobs(ctx context.Context, ds []qc.Digest) (have []qc.Digest, partial []qc.Shipment, err error)
	// BeginUpload announces a file, or continues what was announced before.
	BeginUpload(ctx context.Context, s qc.Shipment) (upload string, offset int64, err error)
	UploadOffset(ctx context.Context, upload string) (int64, error)
	// UploadChunk is never repeated by itself.
	UploadChunk(ctx context.Context, upload string, source io.ReaderAt, offset, n int64) (after int64, err error)
	Changes(ctx context.Context, after qc.Cursor, limit int, wait time.Duration) (qc.Page, error)
}

// File is a photo file at the station.
type File interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Counts is what waits at the station.
type Counts struct {
	EventsWaiting int
	PhotosWaiting int
	PhotosTotal   int
	BytesWaiting  int64
	// Attention is what a person must look at: events that the centre refused
	// and, in a [Status], files that cannot be sent.
	Attention int
}

// Config holds what an engine needs. Everything without a default is required,
// but Remote: without one the station is not enrolled and the engine only
// counts.
type Config struct {
	Store Store
	Open  func(d qc.Digest) (File, error)
	// Verify reads a file again and fails with [qc.ErrDigest] when it is no
	// longer what was recorded. It is asked before a file is begun, so that
	// damage is found here and not at the centre; nil: nobody is asked.
	Verify func(ctx context.Context, d qc.Digest) error
	// Carriage brings what other stations gave this one; nil: nothing does.
	Carriage *Carriage
	// Limit returns how many bytes of originals a second may be sent at a time
	// of day; 0 or nil: as many as the network takes. Events and previews are
	// never held back.
	Limit  func(at time.Time) int64
	Counts func(ctx context.Context) (Counts, error)
	Remote Remote
	Now    func() time.Time
	Log    *slog.Logger
	// Jitter returns a random part of a time; nil: evenly spread.
	Jitter func(time.Duration) time.Duration
}

// Engine is a station's outbox. Its methods may be called from any goroutine;
// it works only while Run or Once does.
type Engine struct {
	cfg Config

	mu       sync.Mutex
	running  bool
	paused   bool
	status   Status
	open     chan struct{} // closed while the link may be used
	isOpen   bool
	kicked   chan struct{} // closed, and replaced, by every Kick
	round    int           // of Retries
	probe    chan struct{} // asks the supervisor to look again
	troubles map[string]trouble
	// stuckFiles is how many of the files that wait cannot be sent.
	stuckFiles int
	watchers   map[chan struct{}]struct{}
}

// New returns an engine at rest.
func New(cfg Config) *Engine {
	if cfg.Jitter == nil {
		cfg.Jitter = func(most time.Duration) time.Duration {
			return rand.N(most + 1) //nolint:gosec // spreads load, keeps no secret
		}
	}
	e := &Engine{
		cfg: cfg, open: make(chan struct{}), kicked: make(chan struct{}), probe: make(chan struct{}, 1),
		troubles: make(map[string]trouble), watchers: make(map[chan struct{}]struct{}),
	}
	e.status = Status{Link: Offline, Since: cfg.Now()}
	if cfg.Remote == nil {
		e.status.Link, e.status.Problem = NotEnrolled, "error.not_enrolled"
	}
	return e
}

// ErrRunning reports that the engine is at work already.
var ErrRunning = errors.New("the outbox is running already")

// begin makes the caller the only one for whom the engine works; two would send
// everything twice and shut each other's gate. The caller ends it.
func (e *Engine) begin() (end func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running {
		return nil, ErrRunning
	}
	e.running = true
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.running = false
	}, nil
}

// Run works until ctx ends and then returns nil, with all its goroutines gone.
// It fails with [ErrRunning] beside another Run or Once.
func (e *Engine) Run(ctx context.Context) error {
	end, err := e.begin()
	if err != nil {
		return err
	}
	defer end()
	var group sync.WaitGroup
	group.Go(func() { e.count(ctx) })
	if e.cfg.Remote != nil {
		group.Go(func() { e.supervise(ctx) })
		group.Go(func() { e.work(ctx, newDelivery(e)) })
		group.Go(func() { e.work(ctx, newUploads(e)) })
		group.Go(func() { e.work(ctx, newFeed(e, pollFor)) })
		if e.cfg.Carriage != nil {
			group.Go(func() { e.work(ctx, newCarrier(e)) })
		}
	}
	group.Wait()
	e.shut(Offline, "")
	return nil
}

// ErrRemains reports that something could not be brought to the centre.
var ErrRemains = errors.New("not everything has been sent")

// patience is how many failures in a row Once bears.
const patience = 6

// Once sends everything, reads the feed to its end and returns. It fails with
// [ErrRunning] beside Run or another Once.
func (e *Engine) Once(ctx context.Context) error {
	if e.cfg.Remote == nil {
		return fmt.Errorf("%w: the station is not enrolled", ErrRemains)
	}
	end, err := e.begin()
	if err != nil {
		return err
	}
	defer end()
	connect := step{"connect", func(ctx context.Context) (bool, error) { return true, e.cfg.Remote.Connect(ctx) }}
	uploads := newUploads(e)
	workers := []worker{connect, newDelivery(e), uploads, newFeed(e, 0), newDelivery(e)}
	if e.cfg.Carriage != nil {
		workers = slices.Insert(workers, 2, worker(newCarrier(e)))
	}
	for _, w := range workers {
		if err := e.exhaust(ctx, w); err != nil {
			return err
		}
		e.unlock()
	}
	e.recount(ctx)
	if len(uploads.skipped) > 0 {
		return fmt.Errorf("%w: %d photo files cannot be read or are refused", ErrRemains, len(uploads.skipped))
	}
	return nil
}

// exhaust runs a worker until it has nothing to do.
func (e *Engine) exhaust(ctx context.Context, w worker) error {
	for failures := 0; ; {
		idle, err := w.step(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			failures++
			link, problem := meaning(err)
			e.shut(link, problem)
			if failures >= patience || link != Offline {
				return fmt.Errorf("%w: %s: %w", ErrRemains, w.name(), err)
			}
			e.pause(ctx, e.kicks(), e.wait(err, failures))
		case idle:
			return nil
		default:
			failures = 0
		}
	}
}

// Kick ends all waiting: try again now.
func (e *Engine) Kick() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kickLocked()
}

func (e *Engine) kickLocked() {
	close(e.kicked)
	e.kicked = make(chan struct{})
}

// Retry is Kick by a person: files that were left alone are tried again, too.
func (e *Engine) Retry() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.round++
	e.kickLocked()
}

// Pause holds photo files back, such as while somebody else needs the network,
// until [Engine.Resume] or the program's end. What is being sent stops within
// a moment and goes on from there. Events still go: they are small, and the
// customer waits for them.
func (e *Engine) Pause() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.paused = true
	e.changeLocked(func(s *Status) { s.Paused, s.Uploading, s.BytesPerSecond = true, "", 0 })
	e.kickLocked()
}

// Resume lets photo files go again.
func (e *Engine) Resume() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.paused = false
	e.changeLocked(func(s *Status) { s.Paused = false })
	e.kickLocked()
}

func (e *Engine) isPaused() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.paused
}

// asked returns how often somebody asked for another try.
func (e *Engine) asked() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.round
}

func (e *Engine) kicks() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.kicked
}

// count keeps the numbers of the status true.
func (e *Engine) count(ctx context.Context) {
	ticks, stop := e.cfg.Store.Watch()
	defer stop()
	for ctx.Err() == nil {
		e.recount(ctx)
		e.pause(ctx, nil, countEvery)
		select {
		case <-ctx.Done():
		case <-ticks:
		}
	}
}

// countEvery keeps counting from becoming the main work during a long upload.
const countEvery = 100 * time.Millisecond

func (e *Engine) recount(ctx context.Context) {
	counts, err := e.cfg.Counts(ctx)
	if err != nil {
		if ctx.Err() == nil {
			e.cfg.Log.Error("outbox cannot count", "error", err)
		}
		return
	}
	e.change(func(s *Status) {
		s.Counts = counts
		s.Attention += e.stuckFiles
	})
}
