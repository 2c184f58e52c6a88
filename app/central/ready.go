package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/storage/blob"
)

// reachTime is how long database and photo files may take to answer.
const reachTime = 3 * time.Second

// ready is what a balancer asks before it sends requests here. It says no from the
// moment the service is told to stop, while the service still answers what comes.
// Why it says no is in the log of what failed, and nobody's business outside.
func (c *centre) ready(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	answer := "ready\n"
	switch {
	case c.ending.Load():
		w.WriteHeader(http.StatusServiceUnavailable)
		answer = "stopping\n"
	case !c.reaches(r.Context()):
		w.WriteHeader(http.StatusServiceUnavailable)
		answer = "storage away\n"
	}
	_, _ = io.WriteString(w, answer)
}

// askReady is what a container's health check asks: an image of one program has
// nothing else to ask with.
func askReady(ctx context.Context, call *command.Call) error {
	c, serving := command.Held[*centre](ctx)
	switch {
	case !serving:
		return command.Fail("cli.not_serving", nil)
	case c.ending.Load() || !c.reaches(ctx):
		return command.Fail("cli.not_ready", nil)
	}
	call.Say("cli.ready")
	return nil
}

// reaches asks for a file that nobody has, at both places, and tries to write one.
func (c *centre) reaches(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	nobody := qc.DigestOf(nil)
	if _, err := c.store.LackedBlobs(ctx, []qc.Digest{nobody}); err != nil {
		return false
	}
	if _, _, err := c.blobs.Has(nobody); err != nil {
		return false
	}
	return c.probe.writes(context.WithoutCancel(ctx), c.blobs, c.now())
}

// probe tries whether photo files can be written. An answer holds for a while:
// looking costs a write, and anybody may ask.
type probe struct {
	mu     sync.Mutex
	looked time.Time
	found  bool
}

const (
	lookAgain = 5 * time.Second
	// probed is the upload that is tried; nobody else's has such a name.
	probed = "readiness-probe"
)

func (p *probe) writes(ctx context.Context, files blob.Files, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if age := now.Sub(p.looked); p.looked.IsZero() || age < 0 || age >= lookAgain {
		p.looked, p.found = now, tryWriting(ctx, files)
	}
	return p.found
}

func tryWriting(ctx context.Context, files blob.Files) bool {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	staged, err := files.Stage(probed)
	if errors.Is(err, blob.ErrBusy) {
		return true // another centre is looking
	}
	if err != nil {
		return false
	}
	_, err = staged.Append(ctx, strings.NewReader("."), 1)
	if errors.Is(err, blob.ErrBusy) {
		err = nil
	}
	return errors.Join(err, staged.Discard()) == nil
}

// drain lets balancers hear that the service stops, for as long as the settings
// say, before its door closes.
func (c *centre) drain() {
	c.ending.Store(true)
	time.Sleep(c.settings.Drain)
}

// leaving has whoever still asks a service that stops come on another connection
// the next time. Connections that were closed from here instead would lose what is
// being sent on them at that moment.
func (c *centre) leaving(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.ending.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// strict has browsers ask by https only from now on, where that is how the centre
// is reached. A proxy in front says nothing of it: it is to be said once.
func (c *centre) strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(c.public(), "https:") {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
