package journey

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// balancer is a plain reverse proxy before several centres: one request here, the
// next there, none to one that says that it is not ready or whose door is closed.
// It does no more than nginx does, so what stations need beyond that shows.
//
// On the way it notes what centres acknowledge of each upload. A request that
// begins later, wherever it goes, must hear of at least as much.
type balancer struct {
	server *httptest.Server
	direct http.RoundTripper

	mu      sync.Mutex
	behind  []string // host:port
	up      map[string]bool
	turn    int
	sent    map[string]int   // requests that went to each
	failed  int              // requests that somebody got no answer to but ours
	acked   map[string]int64 // by upload
	back    []string         // uploads of which less was known than had been acknowledged
	answers int
}

const lookEvery = 100 * time.Millisecond

func newBalancer(t *testing.T, behind ...string) *balancer {
	t.Helper()
	b := &balancer{
		behind: behind, up: make(map[string]bool), sent: make(map[string]int), acked: make(map[string]int64),
		direct: &http.Transport{DialContext: (&net.Dialer{Timeout: time.Second}).DialContext, MaxIdleConnsPerHost: 32, ResponseHeaderTimeout: time.Minute},
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetXForwarded() },
		Transport:     b,
		FlushInterval: -1, // streams go on as they come
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil { // else nobody waits any more
				b.mu.Lock()
				b.failed++
				b.mu.Unlock()
			}
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	b.server = httptest.NewServer(proxy)
	ctx, cancel := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	for _, host := range behind {
		looking.Go(func() { b.look(ctx, host) })
	}
	t.Cleanup(func() {
		b.server.CloseClientConnections()
		b.server.Close()
		cancel()
		looking.Wait()
	})
	return b
}

// look asks a centre again and again whether it is ready.
func (b *balancer) look(ctx context.Context, host string) {
	client := http.Client{Timeout: 2 * time.Second}
	for ctx.Err() == nil {
		ready := false
		if request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/readyz", nil); err == nil {
			if response, err := client.Do(request); err == nil {
				ready = response.StatusCode == http.StatusOK
				_ = response.Body.Close()
			}
		}
		b.mark(host, ready)
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

func (b *balancer) mark(host string, up bool) {
	b.mu.Lock()
	b.up[host] = up
	b.mu.Unlock()
}

func (b *balancer) isUp(host string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.up[host]
}

// next returns who is to have the next request, the ready ones first.
func (b *balancer) next() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn++
	var ready, others []string
	for i := range b.behind {
		host := b.behind[(b.turn+i)%len(b.behind)]
		if b.up[host] {
			ready = append(ready, host)
		} else {
			others = append(others, host)
		}
	}
	return append(ready, others...)
}

// RoundTrip sends a request to one centre, and to another one where the first has
// not even opened its door.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	upload, known := b.known(r)
	failure := errors.New("no centre is there")
	for _, host := range b.next() {
		r.URL.Scheme, r.URL.Host = "http", host
		b.mu.Lock()
		b.sent[host]++
		b.mu.Unlock()
		response, err := b.direct.RoundTrip(r)
		if err == nil {
			b.note(r, response, upload, known)
			return response, nil
		}
		failure = err
		if dial, ok := errors.AsType[*net.OpError](err); !ok || dial.Op != "dial" {
			return nil, err // it may have come to something
		}
		b.mark(host, false)
	}
	return nil, failure
}

// known returns the upload that a request is about, and how much of it has been
// acknowledged by now.
func (b *balancer) known(r *http.Request) (string, int64) {
	id, ok := strings.CutPrefix(r.URL.Path, "/v1/uploads/")
	if !ok || r.Method != http.MethodHead && r.Method != http.MethodPatch {
		return "", 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return id, b.acked[id]
}

func (b *balancer) note(r *http.Request, response *http.Response, upload string, known int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers++
	offset, err := strconv.ParseInt(response.Header.Get("Upload-Offset"), 10, 64)
	if upload == "" || err != nil || response.StatusCode >= 500 {
		return
	}
	if offset < known {
		b.back = append(b.back, upload+": "+r.Method+" heard of "+strconv.FormatInt(offset, 10)+" bytes, "+strconv.FormatInt(known, 10)+" had been acknowledged")
	}
	b.acked[upload] = max(b.acked[upload], offset)
}

func (b *balancer) sentTo(host string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent[host]
}

// count returns how many requests came to nothing since the last time.
func (b *balancer) count() (failed, answers int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	failed, answers, b.failed, b.answers = b.failed, b.answers, 0, 0
	return failed, answers
}

func (b *balancer) wentBack() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.back)
}

// slowly sends bodies as a bad network does.
type slowly struct {
	http.RoundTripper
	rate int64 // bytes a second
}

func (s slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.Body = &slowBody{r.Body, s.rate}
	}
	return s.RoundTripper.RoundTrip(r)
}

type slowBody struct {
	io.ReadCloser
	rate int64
}

func (s *slowBody) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p[:min(len(p), 64<<10)])
	time.Sleep(time.Duration(int64(n) * int64(time.Second) / s.rate))
	return n, err
}
