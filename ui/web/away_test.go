package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A database that is being restarted is no reason to call an administrator.
func TestPages_SayWhatIsOnlyAway(t *testing.T) {
	t.Parallel()
	pages, away := newWorld(t).pages(t), errors.New("connection refused")
	pages.Away = func(err error) bool { return errors.Is(err, away) }
	for _, test := range []struct {
		err    error
		status int
		after  string
		says   string
	}{
		{away, http.StatusServiceUnavailable, "10", "try again in a minute"},
		{errors.New("index out of range"), http.StatusInternalServerError, "", "did not foresee"},
	} {
		for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
			"page":   func(w http.ResponseWriter, r *http.Request) { pages.failed(w, r, "test", test.err) },
			"region": func(w http.ResponseWriter, r *http.Request) { pages.iiifFailed(w, r, test.err) },
		} {
			w := httptest.NewRecorder()
			answer(w, mustRequest(t, "/desk"))
			if w.Code != test.status || w.Header().Get("Retry-After") != test.after || !strings.Contains(w.Body.String(), test.says) {
				t.Errorf("%s, %v: %d, after %q: %s", name, test.err, w.Code, w.Header().Get("Retry-After"), w.Body)
			}
		}
	}
}
