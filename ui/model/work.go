package model

import (
	"bytes"
	"context"
	"io"
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
	LaneSlow              // enrolment and other waits for the network
	lanes
)

// Job is work off the window's goroutine. What it returns, unless nil, runs on
// the window's goroutine afterwards.
type Job func(ctx context.Context) func()

// Work runs jobs. It is safe for use by many goroutines.
type Work struct {
	dispatch func(func())

	mu     sync.Mutex
	queues [lanes][]Job
	ready  [lanes]chan struct{}
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
			job, ok := w.next(lane)
			if !ok {
				break
			}
			w.finish(job(ctx))
		}
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

func (w *Work) next(lane Lane) (Job, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queues[lane]) == 0 {
		return nil, false
	}
	job := w.queues[lane][0]
	w.queues[lane] = w.queues[lane][1:]
	return job, true
}

func bytesAt(data []byte) io.ReaderAt { return bytes.NewReader(data) }
