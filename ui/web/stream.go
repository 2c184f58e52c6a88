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
	heartbeat   = 20 * time.Second       // keeps proxies from closing a silent stream
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
	if !send("retry: 2000\n\nevent: state\ndata: " + last + "\n\n") {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			if !send(": still here\n\n") {
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
			if current != last && !send("event: state\ndata: "+current+"\n\n") {
				return
			}
			last = current
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
