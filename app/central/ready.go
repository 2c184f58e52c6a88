package main

import (
	"context"
	"io"
	"net/http"
	"time"

	"flawmark/app/qc"
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

// reaches asks for a file that nobody has, at both places.
func (c *centre) reaches(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	nobody := qc.DigestOf(nil)
	if _, err := c.store.LackedBlobs(ctx, []qc.Digest{nobody}); err != nil {
		return false
	}
	_, _, err := c.blobs.Has(nobody)
	return err == nil
}

// drain lets balancers hear that the service stops, for as long as the settings
// say, before its door closes.
func (c *centre) drain(server *http.Server) {
	c.ending.Store(true)
	if c.settings.Drain > 0 {
		server.SetKeepAlivesEnabled(false) // who comes on an old connection comes on another next time
		time.Sleep(c.settings.Drain)
	}
}
