package model

import (
	"context"
	"sync"
)

// Lane orders work: jobs of one lane run one after another, lanes side by side.
type Lane int

// The lanes.
const (
	LaneSave  Lane = iota // drafts and records, strictly in order
	LaneRead              // lists and look-ups
	LanePhoto             // new photos: digest, renditions, files
	LaneView              // pictures for the screen
	LaneOpen              // originals for the screen: what may take longer than a picture
	LaneSlow              // enrolment and other waits for the network
	LaneIdle              // what nobody waits for: only while the lanes before it have nothing to do
	lanes
)

// Job is work off the window's goroutine. What it returns, unless nil, runs on
// the window's goroutine afterwards.
type Job func(ctx context.Context) func()

// Work runs jobs. It is safe for use by many goroutines.
type Work struct {
	dispatch func(func())

	mu      sync.Mutex
	queues  [lanes][]Job
	running [lanes]bool // while it has jobs, in Run
	ready   [lanes]chan struct{}
}

// NewWork returns a Work whose answers go through dispatch, which must run
// functions one at a time and in order. No goroutine is started before Run.
func NewWork(dispatch func(func())) *Work {
	w := &Work{dispatch: dispatch}
	for lane := range w.ready {
		w.ready[lane] = make(chan struct{}, 1)
	}
	return w
}

// Do queues a job.
func (w *Work) Do(lane Lane, job Job) {
	w.mu.Lock()
	w.queues[lane] = append(w.queues[lane], job)
	w.mu.Unlock()
	w.wake(lane)
}

func (w *Work) wake(lane Lane) {
	select {
	case w.ready[lane] <- struct{}{}:
	default: // the lane knows already
	}
}

// Run works until ctx ends. Jobs of LaneSave that are queued by then are still
// done, with a context that has not ended, because losing them would lose an
// inspector's last steps.
func (w *Work) Run(ctx context.Context) error {
	var wait sync.WaitGroup
	for lane := range lanes {
		wait.Go(func() { w.runLane(ctx, lane) })
	}
	wait.Wait()
	return nil
}

func (w *Work) runLane(ctx context.Context, lane Lane) {
	for {
		for ctx.Err() == nil {
			job, ok := w.start(lane)
			if !ok {
				break
			}
			w.finish(job(ctx))
		}
		w.rest(lane)
		select {
		case <-ctx.Done():
			for job, ok := w.next(lane); ok && lane == LaneSave; job, ok = w.next(lane) {
				job(context.WithoutCancel(ctx))
			}
			return
		case <-w.ready[lane]:
		}
	}
}

// Settle runs queued jobs and whatever they cause on the calling goroutine
// until nothing is left. It is for commands without a window, and tests.
func (w *Work) Settle(ctx context.Context) {
	for again := true; again; {
		again = false
		for lane := range lanes {
			for job, ok := w.next(lane); ok; job, ok = w.next(lane) {
				w.finish(job(ctx))
				again = true
			}
		}
	}
}

func (w *Work) finish(after func()) {
	if after != nil {
		w.dispatch(after)
	}
}

// start takes a lane's next job in Run.
func (w *Work) start(lane Lane) (Job, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	job, ok := w.take(lane)
	w.running[lane] = ok
	return job, ok
}

// rest tells that a lane has nothing to do.
func (w *Work) rest(lane Lane) {
	if lane != LaneIdle {
		w.wake(LaneIdle)
	}
}

func (w *Work) next(lane Lane) (Job, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.take(lane)
}

// Saving reports whether drafts or records are still on their way to the disk.
func (w *Work) Saving() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.has(LaneSave)
}

func (w *Work) has(lane Lane) bool { return w.running[lane] || len(w.queues[lane]) > 0 }

// busy reports whether a lane has work that somebody waits for. Waits for the
// network need no processor.
func (w *Work) busy() bool {
	for lane := range LaneSlow {
		if w.has(lane) {
			return true
		}
	}
	return false
}

func (w *Work) take(lane Lane) (Job, bool) {
	if len(w.queues[lane]) == 0 || lane == LaneIdle && w.busy() {
		return nil, false
	}
	job := w.queues[lane][0]
	w.queues[lane] = w.queues[lane][1:]
	return job, true
}
