// Package follow lets readers follow what happens at the centre, by long poll
// or as an event stream. Both ask for what is there, and then wait for a tick of
// whoever makes it happen; a tick is only a reason to look, so that one which
// is missed costs time and nothing else.
package follow

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"flawmark/sync/wire"
)

// heartbeat keeps proxies from closing a quiet event stream. A reader that has
// taken nothing for as long as patience is gone, whatever its socket says.
const (
	heartbeat = 15 * time.Second
	patience  = 30 * time.Second
)

// Watch returns a channel that ticks after every change, and its end.
type Watch func() (<-chan struct{}, func())

// Wanted reports whether a request asks for an event stream.
func Wanted(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), wire.StreamType) }

// Poll reads until there is something, or wait is over.
func Poll[P any](ctx context.Context, watch Watch, wait time.Duration, read func(context.Context) (page P, empty bool, problem *wire.Problem)) (P, *wire.Problem) {
	ticks, stop := watch() // before reading, so that no change falls between
	defer stop()
	ends := time.NewTimer(wait)
	defer ends.Stop()
	for over := wait <= 0; ; {
		page, empty, problem := read(ctx)
		if problem != nil || !empty || over {
			return page, problem
		}
		select {
		case <-ticks:
		case <-ends.C:
			over = true
		case <-ctx.Done():
			over = true
		}
	}
}

// Event is one entry of an event stream.
type Event struct {
	ID   string // where its reader goes on from
	Kind string // may be empty
	Data []byte // one line
}

// Stream sends events as they come, until the reader or the service ends. read
// returns those behind the last it returned, and whether there are more. A
// problem at the start is the answer; later it ends the stream, and the reader
// hears it when it comes back.
func Stream(w http.ResponseWriter, r *http.Request, watch Watch, read func(context.Context) (events []Event, more bool, problem *wire.Problem)) {
	ticks, stop := watch()
	defer stop()
	control := http.NewResponseController(w)
	for began := false; ; {
		events, more, problem := read(r.Context())
		if problem != nil {
			if !began {
				wire.Refuse(w, problem.Status, problem.Name(), problem)
			}
			return
		}
		if !began {
			began = true
			w.Header().Set("Content-Type", wire.StreamType)
			w.Header().Set("X-Accel-Buffering", "no")
			w.WriteHeader(http.StatusOK)
		}
		_ = control.SetWriteDeadline(time.Now().Add(patience)) // the socket's time; not every writer has deadlines
		if write(w, events) != nil || control.Flush() != nil {
			return
		}
		if more {
			continue
		}
		select {
		case <-ticks:
		case <-time.After(heartbeat):
			_ = control.SetWriteDeadline(time.Now().Add(patience))
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func write(w http.ResponseWriter, events []Event) error {
	for _, e := range events {
		kind := ""
		if e.Kind != "" {
			kind = "event: " + e.Kind + "\n"
		}
		if _, err := fmt.Fprintf(w, "id: %s\n%sdata: %s\n\n", e.ID, kind, e.Data); err != nil {
			return err
		}
	}
	return nil
}
