package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/ui/web"
)

// running is a demo centre that serves within the test.
type running struct {
	t    *testing.T
	link string // of one order
	code chan int
	stop context.CancelFunc
}

func serveDemo(t *testing.T, more ...string) running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	r := running{t: t, code: make(chan int, 1), stop: stop}
	args := append([]string{"serve", "--demo", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--lang", "en"}, more...)
	go func() {
		code := program().Main(ctx, args, nil, t.TempDir(), writer, writer)
		_ = writer.Close()
		r.code <- code
	}()
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		kind, rest, _ := strings.Cut(lines.Text(), " ")
		if kind == "order" {
			_, r.link, _ = strings.Cut(rest, " ")
		}
		if kind == "desk" {
			go func() { _, _ = io.Copy(io.Discard, reader) }() // ends with the centre
			return r
		}
	}
	stop()
	t.Fatalf("the centre did not start: code %d", <-r.code)
	return r
}

// An open page holds an event stream for hours. It must not keep the service
// from stopping: that would end with the error of requests that were cut.
func TestServe_StopsWithAnOpenPage(t *testing.T) {
	t.Parallel()
	r := serveDemo(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Jar: jar}
	get := func(address string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("get %s: %v %v", address, answer, err)
		}
		return answer
	}
	page := get(r.link)
	address := page.Request.URL.String()
	if err := page.Body.Close(); err != nil {
		t.Fatal(err)
	}
	stream := get(address + "/events")
	defer stream.Body.Close()
	if _, err := io.ReadFull(stream.Body, make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	r.stop()
	if code := <-r.code; code != 0 {
		t.Errorf("stopped with code %d", code)
	}
	t.Logf("stopped within %v", time.Since(began))
	if _, err := io.Copy(io.Discard, stream.Body); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the stream ended with %v", err)
	}
}

func TestReachable(t *testing.T) {
	t.Parallel()
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	for listen, want := range map[string]string{
		"127.0.0.1:8080":  "127.0.0.1:8080",
		"qc.example.com:": "qc.example.com:",
		":8080":           name + ":8080",
		"0.0.0.0:8080":    name + ":8080",
		"[::]:8080":       name + ":8080",
		"[::1]:8080":      "[::1]:8080",
	} {
		if got := reachable(listen); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}

// The pages know the store's refusals only by the names that join gives them.
func TestForPages_NamesRefusals(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	store, err := central.Open(t.Context(), central.Config{Dir: t.TempDir(), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	pages := forPages{store}
	person := central.NewStaff{ID: "clerk3", Name: "李娜", Role: qc.Clerk, Password: "a long enough password"}
	if err := store.AddStaff(t.Context(), person, at); err != nil {
		t.Fatal(err)
	}
	if _, err := pages.SignIn(t.Context(), "clerk3", "wrong", web.Source{Name: "192.0.2.7"}, at); !errors.Is(err, web.ErrSignIn) {
		t.Errorf("a wrong password: %v", err)
	}
	for range 7 {
		_, err = pages.SignIn(t.Context(), "clerk3", "wrong", web.Source{Name: "192.0.2.7"}, at)
	}
	if !errors.Is(err, web.ErrLocked) || errors.Is(err, web.ErrSignIn) {
		t.Errorf("too many wrong passwords: %v", err)
	}
	if staff, err := pages.Staff(t.Context(), "clerk3"); err != nil || staff.Name != "李娜" || !staff.Active {
		t.Errorf("staff %+v, %v", staff, err)
	}
	if _, err := pages.Staff(t.Context(), "nobody"); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	if _, err := pages.OrderByToken(t.Context(), "20481", "guessed", at); !errors.Is(err, web.ErrLink) {
		t.Errorf("a guessed link: %v", err)
	}
	event := refund.Event{Kind: refund.SellerPaid, Amount: money.Fen(1), SellerRef: "R-1"}
	if _, err := pages.Act(t.Context(), "no case", 1, event, ""); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("no case: %v", err)
	}
}
