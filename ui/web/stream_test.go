package web

import (
	"context"
	"net/http"
	"net/http/httptest"
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
