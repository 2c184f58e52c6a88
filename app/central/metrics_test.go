package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/blob"
	"flawmark/storage/central"
	"flawmark/ui/web"
)

// get asks the centre's address.
func (h *house) get(path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "http://centre.test"+path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	h.pages.ServeHTTP(answer, r)
	return answer
}

// openAgain builds the centre's handler after its settings have changed.
func (h *house) openAgain() {
	h.t.Helper()
	pages, closePages, err := h.c.pages(h.t.Context())
	h.must(err)
	h.t.Cleanup(func() { _ = closePages() })
	h.pages, err = h.c.handler(h.t.Context(), pages)
	h.must(err)
}

// Nobody reads metrics without the token, and they name nobody.
func TestMetrics(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if code := h.get("/metrics").Code; code != http.StatusNotFound {
		t.Errorf("without a token in the settings: %d", code)
	}
	const token = "a token that nobody guesses"
	h.c.settings.MetricsToken = token
	h.openAgain()
	for _, header := range []string{"", "Bearer", "Bearer wrong", "Basic " + token, token} {
		if code := h.get("/metrics", "Authorization", header).Code; code != http.StatusUnauthorized {
			t.Errorf("with %q: %d", header, code)
		}
	}

	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	h.page("/o/1")
	h.get("/o/1?t=a-secret-of-a-customer")
	h.get("/somewhere/else/entirely")
	h.get("/v1/ping")
	strange := httptest.NewRequestWithContext(context.Background(), "MAKEUP", "http://centre.test/o/1", nil)
	h.pages.ServeHTTP(httptest.NewRecorder(), strange)
	counting := countingCentre{h.c.forIntake(), h.c.metrics}
	batch := qc.Batch{Epoch: "e", First: h.seq, Prev: qc.ChainStart}
	if _, err := counting.ApplyEvents(t.Context(), h.bench, batch, h.now); err != nil {
		t.Fatal(err)
	}
	h.c.checkBooks(t.Context())

	answer := h.get("/metrics", "Authorization", "Bearer "+token)
	text := answer.Body.String()
	for _, want := range []string{
		`flawmark_requests_total{code="200",method="GET",route="/o/{order}"}`, `route="/v1/ping"`, `method="other"`,
		`flawmark_cases{status="`, `flawmark_database_up 1`, `flawmark_feed_head`, `flawmark_disk_bytes{what="free"}`,
		`flawmark_books_problems 0`, `go_goroutines`, `flawmark_notices_overdue 0`, `flawmark_request_seconds_bucket{route="/o/{order}"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %s", want)
		}
	}
	for _, secret := range []string{"C-1", "Ana", string(h.bench), "a-secret", "somewhere", "MAKEUP", h.token, "SF1234567890123", `"/o/1"`} {
		if strings.Contains(text, secret) {
			t.Errorf("holds %q", secret)
		}
	}
	if answer.Code != http.StatusOK || t.Failed() {
		t.Logf("status %d:\n%s", answer.Code, text)
	}
}

// The example alerts are rules, and are raised by names that there are.
func TestMetrics_AreNamedAsTheAlertsSay(t *testing.T) {
	t.Parallel()
	promtool(t, nil, "check", "rules", "deploy/alerts.yaml")
	m := newMetrics()
	described := make(chan *prometheus.Desc, 100)
	for _, c := range []prometheus.Collector{newStoreMetrics(nil), m.requests, m.took, m.events, m.uploaded, m.behind, m.checked, m.problems, m.signIns} {
		c.Describe(described)
	}
	close(described)
	var known strings.Builder
	for desc := range described {
		known.WriteString(desc.String())
	}
	named := regexp.MustCompile(`flawmark_[a-z_]+`).FindAllString(deployed(t, "alerts.yaml"), -1)
	if len(named) < 12 {
		t.Errorf("the alerts name only %q", named)
	}
	for _, name := range named {
		if name = strings.TrimSuffix(name, "_bucket"); !strings.Contains(known.String(), `"`+name+`"`) {
			t.Errorf("there is no metric %s", name)
		}
	}
}

// promtool is Prometheus's own judge of metrics and rules.
func promtool(t *testing.T, in io.Reader, args ...string) {
	t.Helper()
	run := exec.CommandContext(t.Context(), "promtool", args...)
	run.Stdin = in
	if said, err := run.CombinedOutput(); err != nil {
		t.Errorf("promtool %v: %v\n%s", args, err, said)
	}
}

// What waits, what stands still and who is refused can be seen.
func TestMetrics_TellWhatIsLate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.c.settings.MetricsToken = "a token that nobody guesses"
	s.openAgain()
	s.must(s.c.store.AddStaff(t.Context(), central.NewStaff{ID: "clerk3", Name: "李娜", Role: qc.Clerk, Password: "right"}, s.now))
	pages := countingSignIns{forPages{s.c.store}, s.c.metrics}
	for _, password := range []string{"right", "w", "w", "w", "w", "w", "right"} {
		_, _ = pages.SignIn(t.Context(), "clerk3", password, web.Source{Name: "192.0.2.7"}, s.now)
	}
	says := func(wanted ...string) {
		t.Helper()
		text := s.get("/metrics", "Authorization", "Bearer a token that nobody guesses").Body.String()
		for _, want := range wanted {
			if !strings.Contains(text, want+"\n") {
				t.Errorf("lacks %s", want)
			}
		}
		promtool(t, strings.NewReader(text), "check", "metrics")
	}
	says(`flawmark_sign_ins_total{result="right"} 1`, `flawmark_sign_ins_total{result="wrong"} 5`, `flawmark_sign_ins_total{result="locked"} 1`,
		"flawmark_timers_overdue 0")
	_, err := s.c.store.AddWebhook(t.Context(), refund.Webhook{URL: "https://shop.example.com/"}, s.now)
	s.must(err)
	s.act(refund.Event{Kind: refund.ChoseRefund, Actor: refund.Actor{Party: refund.ByCustomer, ID: "C-1"}}) // which nobody tells the shop
	since := s.now
	s.now = s.now.Add(time.Hour)
	says(fmt.Sprint("flawmark_notices_oldest_due_timestamp_seconds ", float64(since.Unix())))
	s.now = s.now.Add(30 * 24 * time.Hour) // nobody looked at cases meanwhile
	says("flawmark_timers_overdue 1")
}

func TestMetrics_CountEvents(t *testing.T) {
	t.Parallel()
	batch := qc.Batch{First: 7, Events: [][]byte{[]byte(`{"kind":"finding.recorded"}`), []byte(`{"kind":"C-1001"}`), []byte(`{`)}}
	for seq, want := range map[uint64]string{7: "finding.recorded", 8: "other", 9: "other", 6: "other", 10: "other"} {
		if got := kindOf(batch, seq); got != want {
			t.Errorf("event %d: %s, want %s", seq, got, want)
		}
	}
}

// An address of its own needs no token on this machine.
func TestMetrics_AtAnAddressOfTheirOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.c.settings.Metrics = "127.0.0.1:0"
	listener, err := h.c.listenForMetrics()
	h.must(err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.c.serveMetrics(ctx, listener) }()
	base := "http://" + listener.Addr().String()
	for path, want := range map[string]int{"/metrics": http.StatusOK, "/desk": http.StatusNotFound, "/": http.StatusNotFound} {
		answer, err := http.Get(base + path)
		h.must(err)
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, answer.StatusCode, want)
		}
	}
	stop()
	h.must(<-ended)
}

// readOnly are photo files on a disk that takes nothing.
type readOnly struct{ blob.Files }

func (readOnly) Stage(string) (blob.Staged, error) { return nil, blob.ErrFull }

func TestReadiness(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	look := func(want int, says string) {
		t.Helper()
		h.now = h.now.Add(lookAgain)
		if answer := h.get("/readyz"); answer.Code != want || answer.Body.String() != says+"\n" {
			t.Errorf("%d %q, want %d %q", answer.Code, answer.Body, want, says)
		}
	}
	look(http.StatusOK, "ready")
	files := h.c.blobs
	h.c.blobs = readOnly{files}
	if answer := h.get("/readyz"); answer.Code != http.StatusOK {
		t.Error("it looks again at once: anybody could keep the disk busy")
	}
	look(http.StatusServiceUnavailable, "storage away")
	h.c.blobs = files
	look(http.StatusOK, "ready")
	h.c.ending.Store(true)
	look(http.StatusServiceUnavailable, "stopping")
	h.c.ending.Store(false)
	h.must(h.c.store.Close())
	look(http.StatusServiceUnavailable, "storage away")
	store, err := central.Open(t.Context(), central.Config{Dir: t.TempDir()}) // for the house to close
	h.must(err)
	h.c.store = store
}

// A stopping centre answers everything that it was asked, also what takes longer
// than event streams are given; whoever comes later is refused at the door.
func TestServe_LosesNoRequest(t *testing.T) {
	t.Parallel()
	r := serveDemo(t)
	address, err := url.Parse(r.link)
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + address.Host
	var answered, refused atomic.Int64
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			client := http.Client{Transport: &http.Transport{}}
			for refused.Load() == 0 {
				answer, err := client.Get(base + "/desk/sign-in")
				if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
					refused.Add(1)
					return
				}
				if err != nil {
					t.Errorf("a request was lost: %v", err)
					return
				}
				if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
					t.Errorf("an answer was cut: %d, %v", answer.StatusCode, err)
				}
				_ = answer.Body.Close()
				answered.Add(1)
			}
		})
	}
	slow, body := io.Pipe()
	asking.Go(func() { // a form over a bad line
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/desk/sign-in", slow)
		if err != nil {
			t.Error(err)
			return
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := (&http.Client{Transport: &http.Transport{}}).Do(request)
		if err != nil {
			t.Errorf("the slow request was lost: %v", err)
			return
		}
		defer answer.Body.Close()
		page, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode >= http.StatusInternalServerError || !strings.Contains(string(page), "</html>") {
			t.Errorf("the slow request: %d, %v, %d bytes", answer.StatusCode, err, len(page))
		}
	})
	write := func(text string) {
		if _, err := io.WriteString(body, text); err != nil {
			t.Error(err)
		}
	}
	write("id=clerk3&")
	time.Sleep(200 * time.Millisecond)
	r.stop()
	time.Sleep(undisturbed + 300*time.Millisecond)
	write("password=desk-demo-")
	time.Sleep(100 * time.Millisecond)
	write("wrong")
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	asking.Wait()
	if code := <-r.code; code != 0 {
		t.Errorf("stopped with code %d", code)
	}
	if answered.Load() < 8 {
		t.Errorf("only %d requests were tried", answered.Load())
	}
	t.Logf("%d requests were answered", answered.Load())
}
