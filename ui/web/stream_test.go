package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A busy centre ticks all the time, mostly for others: an open page does not
// look anew each time.
func TestStream_LooksAtMostEverySettle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pages := w.pages(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*settle)
		defer cancel()
		ticks := make(chan struct{}, 1)
		busy := *pages
		busy.Store = ticking{w, ticks}
		looks := 0
		state := func(context.Context) (string, error) {
			if looks++; looks > 100 {
				cancel()
			}
			select {
			case ticks <- struct{}{}:
			default:
			}
			return "the same", nil
		}
		r := httptest.NewRequest(http.MethodGet, "/o/20481/events", nil).WithContext(ctx)
		busy.stream(httptest.NewRecorder(), r, state)
		if looks < 5 || looks > 12 {
			t.Errorf("the page looked %d times within %v, want one each %v", looks, 10*settle, time.Duration(settle))
		}
	})
}

// ticking is a world whose ticks the test makes.
type ticking struct {
	*world
	ticks chan struct{}
}

func (c ticking) Watch() (<-chan struct{}, func()) { return c.ticks, func() {} }

// A reader that comes back after its line broke is told what it has missed, and
// nothing if it has missed nothing; while nothing happens it hears every
// heartbeat that the line lives.
func TestStream_ComesBackAndStaysAlive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pages := w.pages(t)
	for name, test := range map[string]struct {
		seen  string
		lasts time.Duration
		want  int
	}{
		"new":                       {"", heartbeat / 2, 1},
		"came back, nothing missed": {"now", heartbeat / 2, 0},
		"came back late":            {"before", heartbeat / 2, 1},
		"two quiet heartbeats":      {"now", heartbeat*2 + time.Second, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), test.lasts)
			defer cancel()
			quiet := *pages
			quiet.Store = ticking{w, make(chan struct{})}
			r := httptest.NewRequest(http.MethodGet, "/o/20481/events", nil).WithContext(ctx)
			if test.seen != "" {
				r.Header.Set("Last-Event-ID", test.seen)
			}
			out := httptest.NewRecorder()
			quiet.stream(out, r, func(context.Context) (string, error) { return "now", nil })
			if got := strings.Count(out.Body.String(), "event: state\nid: now\ndata: now\n\n"); got != test.want {
				t.Errorf("%s: told %d times, want %d: %q", name, got, test.want, out.Body)
			}
		})
	}
}
