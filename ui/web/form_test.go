package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// timed is a connection that remembers the deadlines it is given.
type timed struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (c *timed) SetReadDeadline(deadline time.Time) error {
	c.deadlines = append(c.deadlines, deadline)
	return nil
}

// A form that does not come to its end is not waited for, and the time for it
// does not outlast it: the connection serves other requests.
func TestForm_HasItsTime(t *testing.T) {
	t.Parallel()
	pages := newWorld(t).pages(t)
	for name, test := range map[string]struct {
		body io.Reader
		want int
	}{
		"in time":  {strings.NewReader("a=b"), http.StatusOK},
		"Chinese":  {strings.NewReader("a=%E6%B1%A1%E6%B8%8D"), http.StatusOK},
		"too late": {io.MultiReader(strings.NewReader("a="), late{}), http.StatusBadRequest},
	} {
		line := &timed{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest(http.MethodPost, "/desk/sign-in", test.body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		began := time.Now()
		if _, ok := pages.form(line, r); ok != (test.want == http.StatusOK) || line.Code != test.want {
			t.Errorf("%s: read: %v, status %d", name, ok, line.Code)
		}
		if n := len(line.deadlines); n == 0 || line.deadlines[0].Before(began) || line.deadlines[0].After(began.Add(time.Minute)) {
			t.Fatalf("%s: deadlines %v, want one within a minute", name, line.deadlines)
		}
		if last := line.deadlines[len(line.deadlines)-1]; last.IsZero() != (test.want == http.StatusOK) {
			t.Errorf("%s: the last deadline is %v; it ends with a good form and stays with a bad one", name, last)
		}
	}
}

// TestPages_NoDatabaseIsAskedForWhatIsNoText sends what PostgreSQL would answer
// with an error of its own.
func TestPages_NoDatabaseIsAskedForWhatIsNoText(t *testing.T) {
	t.Parallel()
	pages := newWorld(t).pages(t)
	pages.Store = nil // whoever asks it panics
	for _, target := range []string{
		"/desk/cases/%00", "/desk/cases/%ff", "/o/2048%001?t=x", "/o/20481?t=%00", "/desk?q=%c3%28", "/desk?q=a&%00=b",
	} {
		answer := httptest.NewRecorder()
		pages.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, target, nil))
		if answer.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", target, answer.Code)
		}
	}
	for _, body := range []string{"reason=%00", "reason=%ff", "%00=a"} {
		r := httptest.NewRequest(http.MethodPost, "/desk/sign-in", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer := httptest.NewRecorder()
		if _, ok := pages.form(answer, r); ok || answer.Code != http.StatusBadRequest {
			t.Errorf("%s: read: %v, status %d", body, ok, answer.Code)
		}
	}
}

// late is what a connection says whose deadline has passed.
type late struct{}

func (late) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }
