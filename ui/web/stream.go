package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	heartbeat   = 20 * time.Second       // keeps proxies from closing a silent stream, and shows that it lives
	settle      = 150 * time.Millisecond // changes within it are looked at once
	streamWrite = 10 * time.Second       // a reader slower than this has gone
)

// fingerprint tells states of a page apart.
func fingerprint(parts ...any) string {
	hash := sha256.New()
	_ = json.NewEncoder(hash).Encode(parts) // the domain's types always encode
	return hex.EncodeToString(hash.Sum(nil)[:12])
}

// stream tells a page over server-sent events what state it should show: once
// at the start, so that nothing missed in between stays unseen, and after every
// change. It ends with the request, or when state fails, as for a link that was
// revoked.
func (p *Pages) stream(w http.ResponseWriter, r *http.Request, state func(context.Context) (string, error)) {
	ticks, stop := p.Store.Watch()
	defer stop()
	last, err := state(r.Context())
	if err != nil {
		p.sorry(w, r, http.StatusNotFound, "error.link_invalid")
		return
	}
	leave, ok := p.listeners.enter(p.secretOf(r, orderCookie) + "\x00" + p.secretOf(r, deskCookie))
	if !ok {
		p.tooMany(w, r)
		return
	}
	defer leave()
	out := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	send := func(text string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(streamWrite)) // the socket's time; not every writer has deadlines
		if _, err := fmt.Fprint(w, text); err != nil {
			return false
		}
		if out.Flush() != nil {
			return false
		}
		// Between sends there is no hurry; a deadline left behind would end an HTTP/2 stream.
		_ = out.SetWriteDeadline(time.Time{})
		return true
	}
	// The state is the event's id as well: a reader that comes back with it has
	// missed nothing, and is only told that the line is there again.
	tell := func() bool { return send("event: state\nid: " + last + "\ndata: " + last + "\n\n") }
	if !send("retry: 2000\n\n") || r.Header.Get("Last-Event-ID") != last && !tell() {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			// A page that hears nothing for longer knows that the line is dead, and
			// one that could not fetch what it was told of tries again.
			if !tell() {
				return
			}
		case _, more := <-ticks:
			if !more {
				return
			}
			current, err := state(r.Context())
			if err != nil {
				return
			}
			before := last
			if last = current; last != before && !tell() {
				return
			}
			// Looking costs as much as showing the page: whatever ticks meanwhile,
			// mostly for others, is one look.
			if !pause(r.Context(), settle) {
				return
			}
		}
	}
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
