package outbox

import (
	"context"
	"errors"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"
)

// Link is how the station stands with the centre.
type Link string

// The links.
const (
	Offline       Link = "offline"        // nobody answers
	Probing       Link = "probing"        // finding out
	Online        Link = "online"         // all work goes on
	Degraded      Link = "degraded"       // the centre is there, but something fails now and then
	NotAuthorised Link = "not_authorised" // the centre does not admit this station
	WrongNetwork  Link = "wrong_network"  // something else than the centre answers
	TooOld        Link = "too_old"        // this program must be updated before it can send
	NotEnrolled   Link = "not_enrolled"   // there is no centre yet
)

// Status is the truth about the outbox now.
type Status struct {
	Link  Link
	Since time.Time // of the link
	Counts
	Paused         bool      // photo files are held back by a person
	Uploading      qc.Digest // empty: nothing
	BytesPerSecond float64   // of uploads, smoothed; 0: none in progress
	// Problem is the key of a sentence, empty when there is none.
	Problem string
}

// Status returns the state now.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status
}

// Watch returns a channel that ticks after every change of the status, and its
// end. Ticks that nobody takes are one.
func (e *Engine) Watch() (<-chan struct{}, func()) {
	ticks := make(chan struct{}, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.watchers[ticks] = struct{}{}
	return ticks, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watchers, ticks)
	}
}

func (e *Engine) change(edit func(*Status)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.changeLocked(edit)
}

func (e *Engine) changeLocked(edit func(*Status)) {
	before := e.status
	edit(&e.status)
	if e.status.Link != before.Link {
		e.status.Since = e.cfg.Now()
	}
	if e.status == before {
		return
	}
	for ticks := range e.watchers {
		select {
		case ticks <- struct{}{}:
		default:
		}
	}
}

// trouble is what one kind of work last failed with.
type trouble struct {
	link    Link
	problem string
}

// gravity orders links that troubles of several workers may show.
func gravity(l Link) int {
	switch l {
	case NotAuthorised:
		return 4
	case TooOld:
		return 3
	case WrongNetwork:
		return 2
	case Degraded:
		return 1
	}
	return 0
}

// showLocked sets the link of an open gate from the troubles that remain.
func (e *Engine) showLocked() {
	worst := trouble{link: Online}
	for _, t := range e.troubles {
		if gravity(t.link) > gravity(worst.link) || worst.problem == "" && t.link == worst.link {
			worst = t
		}
	}
	e.changeLocked(func(s *Status) { s.Link, s.Problem = worst.link, worst.problem })
}

// unlock lets the workers go on.
func (e *Engine) unlock() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.isOpen {
		e.isOpen = true
		close(e.open)
	}
	e.showLocked()
}

// shut holds the workers and says why.
func (e *Engine) shut(link Link, problem string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shutLocked()
	e.changeLocked(func(s *Status) {
		s.Link, s.Problem, s.BytesPerSecond, s.Uploading = link, problem, 0, ""
	})
}

func (e *Engine) shutLocked() {
	if e.isOpen {
		e.isOpen = false
		e.open = make(chan struct{})
	}
}

// pass waits until the link may be used; false: ctx has ended.
func (e *Engine) pass(ctx context.Context) bool {
	for {
		e.mu.Lock()
		open := e.open
		e.mu.Unlock()
		select {
		case <-open:
			return ctx.Err() == nil
		case <-ctx.Done():
			return false
		}
	}
}

// failed notes that a worker could not go on, and has the link looked at when
// that may be why.
func (e *Engine) failed(name string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := errors.AsType[*wire.Failure](err); !ok { // the station's own disk
		own := trouble{link: e.status.Link, problem: unforeseen}
		if errors.Is(err, qc.ErrFork) {
			own.link, own.problem = meaning(err)
		}
		e.troubles[name] = own
		e.changeLocked(func(s *Status) { s.Link, s.Problem = own.link, own.problem })
		return
	}
	link, problem := meaning(err)
	if link == Offline { // so it seems to one worker; the probe will tell
		link = Degraded
		if failure, _ := errors.AsType[*wire.Failure](err); failure.Sentence == "" {
			problem = "connection.degraded.explain"
		}
	}
	e.troubles[name] = trouble{link: link, problem: problem}
	e.shutLocked()
	select {
	case e.probe <- struct{}{}:
	default:
	}
}

// worked notes that a worker succeeded.
func (e *Engine) worked(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.troubles[name]; !ok {
		return
	}
	delete(e.troubles, name)
	if e.isOpen {
		e.showLocked()
	}
}

// stuck notes how many files cannot be sent, and the sentence that says why.
func (e *Engine) stuck(files int, problem string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	const name = "stuck files"
	before, known := e.troubles[name]
	switch {
	case files == e.stuckFiles && before.problem == problem:
		return
	case files > 0:
		e.troubles[name] = trouble{link: Degraded, problem: problem}
	case known:
		delete(e.troubles, name)
	}
	more := files - e.stuckFiles
	e.stuckFiles = files
	e.changeLocked(func(s *Status) { s.Attention += more })
	if e.isOpen {
		e.showLocked()
	}
}

// logForked is the sentence about two histories of this station.
const logForked = "error.log_forked"

// meaning returns what a failure says about the link.
func meaning(err error) (Link, string) {
	link := Offline
	if errors.Is(err, qc.ErrFork) {
		return Degraded, logForked
	}
	if failure, ok := errors.AsType[*wire.Failure](err); ok {
		switch { // the centre is there, but cannot do what it is for
		case failure.Says(wire.SequenceFork):
			return Degraded, logForked
		case failure.Says(wire.StorageFull):
			return link, "error.centre_full"
		case failure.Says(wire.Internal):
			return link, "error.centre_troubled"
		}
		switch failure.Kind {
		case wire.Unauthorised:
			link = NotAuthorised
		case wire.UpgradeNeeded:
			link = TooOld
		case wire.WrongServer, wire.WrongNetwork:
			link = WrongNetwork
		case wire.Conflict, wire.Rejected, wire.Oversized:
			link = Degraded
		}
		if failure.Sentence != "" {
			return link, failure.Sentence
		}
	}
	return link, "connection." + string(link) + ".explain"
}

// supervise is the only one that finds out whether the link can be used.
func (e *Engine) supervise(ctx context.Context) {
	for attempt := 0; ctx.Err() == nil; {
		if attempt == 0 {
			e.shutQuietly()
		}
		kicked := e.kicks()
		err := e.cfg.Remote.Connect(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			attempt = 0
			e.unlock()
			select {
			case <-e.probe:
			case <-ctx.Done():
			}
			continue
		}
		attempt++
		link, problem := meaning(err)
		e.cfg.Log.Debug("outbox has no link", "link", link, "attempt", attempt, "error", err)
		e.shut(link, problem)
		e.pause(ctx, kicked, e.wait(err, attempt))
	}
}

// shutQuietly holds the workers for a probe. A link that was good is shown as
// it was, so that one lost request does not flicker.
func (e *Engine) shutQuietly() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shutLocked()
	if e.status.Link == Offline {
		e.changeLocked(func(s *Status) { s.Link, s.Problem = Probing, "" })
	}
}

// Waiting.
const (
	waitShortest = 500 * time.Millisecond
	waitLongest  = 15 * time.Second
	idleLongest  = time.Minute // a safety net under the store's ticks
)

// wait returns how long to wait after the nth failure in a row: a random part
// of a growing time, or what the centre asked for.
func (e *Engine) wait(err error, n int) time.Duration {
	most := waitLongest
	if n < 6 {
		most = min(waitLongest, waitShortest<<n)
	}
	wait := waitShortest/5 + e.cfg.Jitter(most)
	failure, ok := errors.AsType[*wire.Failure](err)
	if !ok {
		return wait
	}
	if failure.RetryAfter > 0 {
		asked := min(failure.RetryAfter, wire.MaxRetryAfter)
		return asked + e.cfg.Jitter(asked/10+time.Millisecond)
	}
	if link, _ := meaning(err); link != Offline && link != Degraded {
		return waitLongest // only a person can change that
	}
	return wait
}

// pause waits, unless something more important comes.
func (e *Engine) pause(ctx context.Context, sooner <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-sooner:
	case <-timer.C:
	}
}

// worker is one kind of work, a step at a time.
type worker interface {
	name() string
	// step does what can be done at once; idle: nothing more until the store
	// changes.
	step(ctx context.Context) (idle bool, err error)
}

type step struct {
	called string
	do     func(ctx context.Context) (bool, error)
}

func (s step) name() string                           { return s.called }
func (s step) step(ctx context.Context) (bool, error) { return s.do(ctx) }

// work runs a worker while the link is open, and lets it rest after failures.
func (e *Engine) work(ctx context.Context, w worker) {
	ticks, stop := e.cfg.Store.Watch()
	defer stop()
	failures := 0
	for e.pass(ctx) {
		kicked := e.kicks()
		idle, err := w.step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if p, ok := w.(interface{ progressed() bool }); ok && p.progressed() {
				failures = 0
			}
			failures++
			e.cfg.Log.Debug("outbox failed", "work", w.name(), "failures", failures, "error", err)
			e.failed(w.name(), err)
			e.pause(ctx, kicked, e.wait(err, failures))
			continue
		}
		failures = 0
		e.worked(w.name())
		if idle {
			timer := time.NewTimer(idleLongest)
			select {
			case <-ticks:
			case <-kicked:
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
		}
	}
}
