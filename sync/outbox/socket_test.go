package outbox_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/client"
	"flawmark/sync/intake"
	"flawmark/sync/intake/intaketest"
	"flawmark/sync/outbox"
)

// proxy passes bytes to a server and ends every connection after cut bytes of
// its sender, without a word to either side.
type proxy struct {
	listener net.Listener
	target   string
	cut      int64
	sent     atomic.Int64
	cuts     atomic.Int64
	group    sync.WaitGroup
}

func cutting(t *testing.T, target string, cut int64) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, cut: cut}
	p.group.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			p.group.Go(func() { p.pass(in) })
		}
	})
	return p
}

func (p *proxy) pass(in net.Conn) {
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		in.Close()
		return
	}
	p.group.Go(func() {
		_, _ = io.Copy(in, out)
		in.Close()
	})
	n, err := io.Copy(out, io.LimitReader(in, p.cut))
	p.sent.Add(n)
	if err == nil && n == p.cut {
		p.cuts.Add(1)
	}
	in.Close()
	out.Close()
}

type site struct {
	centre  *intaketest.Centre
	handler http.Handler
	server  *httptest.Server
	key     ed25519.PrivateKey
}

func newSite(t *testing.T) *site {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{centre: intaketest.New("s1", public), key: private}
	if s.handler, err = intake.New(s.centre.Config()); err != nil {
		t.Fatal(err)
	}
	base, cancel := context.WithCancel(context.Background())
	s.server = httptest.NewUnstartedServer(s.handler)
	s.server.Config.BaseContext = func(net.Listener) context.Context { return base }
	s.server.Start()
	t.Cleanup(func() { cancel(); s.server.Close() })
	return s
}

func (s *site) client(t *testing.T, url string, transport http.RoundTripper) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{
		BaseURL: url, Instance: "centre-1", Station: "s1", Key: s.key, Now: time.Now, Log: quiet(), Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// until waits for what another goroutine brings about.
func until(t *testing.T, what string, m *memory, done func() bool) {
	t.Helper()
	ticks, stop := m.Watch()
	defer stop()
	deadline := time.After(40 * time.Second)
	for !done() {
		select {
		case <-ticks:
		case <-time.After(20 * time.Millisecond): // conditions outside the store
		case <-deadline:
			t.Fatalf("%s did not happen", what)
		}
	}
}

func noise(seed uint64, size int) []byte {
	data := make([]byte, size)
	random := rand.NewChaCha8([32]byte{byte(seed)})
	_, _ = random.Read(data)
	return data
}

// TestCutConnections sends a large photo over connections that break every
// 2.5 MB: what is sent twice is little.
func TestCutConnections(t *testing.T) {
	s, m := newSite(t), newMemory()
	p := cutting(t, s.server.Listener.Addr().String(), 2_500_000)
	const size = 40_000_000
	m.photo(noise(1, size), qc.LaneOriginals)
	m.record(5)
	e := outbox.New(outbox.Config{
		Store: m, Open: m.open, Counts: m.counts, Remote: s.client(t, "http://"+p.listener.Addr().String(), nil), Now: time.Now, Log: quiet(),
		Jitter: func(time.Duration) time.Duration { return 0 },
	})
	stop := run(t, e)
	until(t, "draining", m, m.drained)
	stop()
	p.listener.Close()
	wantAll(t, m, s.centre)
	if p.cuts.Load() < 10 {
		t.Errorf("only %d cuts", p.cuts.Load())
	}
	if sent := p.sent.Load(); float64(sent) > 1.15*size {
		t.Errorf("%d bytes on the wire for %d: factor %.2f", sent, size, float64(sent)/size)
	}
}

// TestCentreComesAndGoes starts with the centre down, restarts it with another
// token secret in the middle, and drops half of all answers throughout.
func TestCentreComesAndGoes(t *testing.T) {
	s, m := newSite(t), newMemory()
	var down atomic.Bool
	down.Store(true)
	var secret atomic.Pointer[http.Handler]
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(5, 5))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		handler := s.handler
		if other := secret.Load(); other != nil {
			handler = *other
		}
		handler.ServeHTTP(w, r)
		mu.Lock()
		lost := random.Float64() < 0.3
		mu.Unlock()
		if lost {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(front.Close)
	m.record(20)
	for i := range 6 {
		m.photo(noise(uint64(i), 700_000), qc.LanePreview)
	}
	e := m.engine(s.client(t, front.URL, nil))
	stop := run(t, e)
	until(t, "being offline", m, func() bool { return e.Status().Link == outbox.Offline && e.Status().EventsWaiting == 20 })
	down.Store(false)
	e.Kick()
	until(t, "draining", m, m.drained)
	cfg := s.centre.Config()
	cfg.Secret = []byte(strings.Repeat("other", 8))
	restarted, err := intake.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	secret.Store(&restarted)
	m.record(5)
	m.photo(noise(99, 700_000), qc.LanePreview)
	until(t, "draining after the restart", m, m.drained)
	stop()
	wantAll(t, m, s.centre)
}

// TestGuestNetwork lets a running station wander into a network with a sign-in
// page and out again.
func TestGuestNetwork(t *testing.T) {
	s, m := newSite(t), newMemory()
	var guest atomic.Bool
	guest.Store(true)
	var photoBytes atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !guest.Load() {
			s.handler.ServeHTTP(w, r)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodPatch {
			photoBytes.Add(n)
		}
		if r.URL.Path == "/portal" {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>Please sign in</html>")
			return
		}
		http.Redirect(w, r, "/portal", http.StatusFound)
	}))
	t.Cleanup(front.Close)
	m.record(3)
	m.photo(noise(1, 500_000), qc.LaneFlagged)
	e := m.engine(s.client(t, front.URL, nil))
	stop := run(t, e)
	until(t, "seeing the wrong network", m, func() bool { return e.Status().Link == outbox.WrongNetwork })
	if m.acked != 0 || len(m.shipped) != 0 || photoBytes.Load() != 0 {
		t.Errorf("%d events acknowledged, %d photos, %d bytes given away", m.acked, len(m.shipped), photoBytes.Load())
	}
	guest.Store(false)
	e.Kick()
	until(t, "draining", m, m.drained)
	until(t, "being online", m, func() bool { return e.Status().Link == outbox.Online })
	stop()
	wantAll(t, m, s.centre)
}

// TestNothingIsLeftRunning starts and stops an engine in the middle of its
// work and counts what remains.
func TestNothingIsLeftRunning(t *testing.T) {
	s := newSite(t)
	before := runtime.NumGoroutine()
	for range 5 {
		m := newMemory()
		m.record(3)
		m.photo(noise(1, 3_000_000), qc.LaneOriginals)
		c := s.client(t, s.server.URL, nil)
		e := m.engine(c)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		until(t, "acknowledging", m, func() bool { m.Lock(); defer m.Unlock(); return m.acked == 3 })
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		c.Close()
	}
	for range 500 {
		s.server.CloseClientConnections()
		if runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(10 * time.Millisecond) // connections of the server end by themselves
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}
