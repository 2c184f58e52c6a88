package follow_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flawmark/sync/follow"
	"flawmark/sync/wire"
)

// bell ticks when it is rung.
type bell chan struct{}

func (b bell) watch() (<-chan struct{}, func()) { return b, func() {} }

func TestPoll(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rings time.Duration // 0: never
		full  time.Duration // when there is something to read; 0: never
		wait  time.Duration
		want  time.Duration // how long it takes
		page  string
	}{
		"nothing, and no wait": {wait: 0, want: 0},
		"something, at once":   {full: -1, wait: 20 * time.Second, want: 0, page: "full"},
		"something, in time":   {rings: 3 * time.Second, full: 3 * time.Second, wait: 20 * time.Second, want: 3 * time.Second, page: "full"},
		"only a tick":          {rings: 3 * time.Second, wait: 20 * time.Second, want: 20 * time.Second},
		"a tick was missed":    {full: 3 * time.Second, wait: 20 * time.Second, want: 20 * time.Second, page: "full"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				b := make(bell, 1)
				if test.rings > 0 {
					time.AfterFunc(test.rings, func() { b <- struct{}{} })
				}
				page, problem := follow.Poll(t.Context(), b.watch, test.wait, func(context.Context) (string, bool, *wire.Problem) {
					if test.full != 0 && time.Since(began) >= test.full {
						return "full", false, nil
					}
					return "", true, nil
				})
				if problem != nil || page != test.page || time.Since(began) != test.want {
					t.Errorf("%q after %v, %v; want %q after %v", page, time.Since(began), problem, test.page, test.want)
				}
			})
		})
	}
}

// A quiet stream says every fifteen seconds that it is there, and ends with its
// reader, or when a problem arises.
func TestStream_HeartbeatAndEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := make(bell, 1)
		w := httptest.NewRecorder()
		reads := 0
		began := time.Now()
		time.AfterFunc(40*time.Second, func() { b <- struct{}{} })
		follow.Stream(w, httptest.NewRequest(http.MethodGet, "/", nil), b.watch, func(context.Context) ([]follow.Event, bool, *wire.Problem) {
			reads++
			switch {
			case reads == 1:
				return []follow.Event{{ID: "e.1", Kind: "a", Data: []byte("{}")}}, true, nil
			case reads == 2:
				return []follow.Event{{ID: "e.2", Data: []byte("{}")}}, false, nil
			case time.Since(began) >= 40*time.Second:
				return nil, false, wire.NewProblem(wire.NotAuthenticated, "")
			}
			return nil, false, nil
		})
		want := "id: e.1\nevent: a\ndata: {}\n\nid: e.2\ndata: {}\n\n: still here\n\n: still here\n\n"
		if w.Body.String() != want || time.Since(began) != 40*time.Second || w.Header().Get("Content-Type") != wire.StreamType {
			t.Errorf("after %v: %q", time.Since(began), w.Body)
		}
	})
}

func TestStream_ProblemAtTheStartIsTheAnswer(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	b := make(bell)
	follow.Stream(w, httptest.NewRequest(http.MethodGet, "/", nil), b.watch, func(context.Context) ([]follow.Event, bool, *wire.Problem) {
		return nil, false, wire.NewProblem(wire.CursorExpired, "")
	})
	if w.Code != http.StatusGone || !strings.Contains(w.Body.String(), wire.CursorExpired) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
