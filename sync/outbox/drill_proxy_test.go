package outbox_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/app/qc"
	"flawmark/sync/client"
	"flawmark/sync/outbox"
)

// observer stands in front of a centre and counts parts of photos that were
// sent twice without a question where to go on: only a library that repeats
// requests by itself does so, and it repeats them from the wrong place.
type observer struct {
	http.Handler
	mu      sync.Mutex
	last    map[string]string // upload to the offset of its last part
	repeats int
}

func (o *observer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	offset := r.Header.Get("Upload-Offset")
	switch {
	case r.Method != http.MethodPatch:
		delete(o.last, r.URL.Path)
		if r.Method == http.MethodPost {
			clear(o.last) // an answer may name any upload
		}
	case o.last[r.URL.Path] == offset:
		o.repeats++
	default:
		o.last[r.URL.Path] = offset
	}
	o.mu.Unlock()
	o.Handler.ServeHTTP(w, r)
}

// observed starts a server that is watched.
func observed(t *testing.T, s *site) (*observer, *httptest.Server) {
	t.Helper()
	o := &observer{Handler: s.handler, last: make(map[string]string)}
	base, cancel := context.WithCancel(context.Background())
	server := httptest.NewUnstartedServer(o)
	server.Config.BaseContext = func(net.Listener) context.Context { return base }
	server.Start()
	t.Cleanup(func() { cancel(); server.CloseClientConnections(); server.Close() })
	return o, server
}

// everyCut is after how many bytes a connection ends.
const everyCut = 2_500_000

// sendThroughCuts sends one photo over connections that are cut again and again.
func sendThroughCuts(t *testing.T, seed uint64, size int, transport http.RoundTripper) (onWire float64, repeats int, lost int) {
	t.Helper()
	s, m := newSite(t), newMemory()
	o, server := observed(t, s)
	p := cutting(t, server.Listener.Addr().String(), everyCut)
	defer p.listener.Close()
	m.photo(noise(seed, size), qc.LaneOriginals)
	m.record(5)
	e := outbox.New(outbox.Config{
		Store: m, Open: m.open, Counts: m.counts, Remote: s.client(t, "http://"+p.listener.Addr().String(), transport), Now: time.Now, Log: quiet(),
		Jitter: func(time.Duration) time.Duration { return 0 },
	})
	stop := run(t, e)
	until(t, "draining", m, m.drained)
	stop()
	var after aftermath
	w := world{memory: m, centre: centre{s.centre}}
	m.changes = s.centre.Feed // not what this is about
	w.compare(&after)
	o.mu.Lock()
	defer o.mu.Unlock()
	return float64(p.sent.Load()) / float64(size), o.repeats + after.doubled, after.lost
}

// fickle is a network that can be parted: connections are refused, or taken and
// left without a byte, or sluggish.
type fickle struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	state    string
	open     map[net.Conn]bool
	changed  chan struct{}
}

const (
	whole    = "whole"
	refused  = "refused"  // every connection ends at once
	silent   = "silent"   // nothing passes; the connections stay
	sluggish = "sluggish" // 100 kB/s
)

func newFickle(t *testing.T, target string) *fickle {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fickle{listener: listener, target: target, state: whole, open: make(map[net.Conn]bool), changed: make(chan struct{})}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { f.pass(in) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		f.set(refused)
		group.Wait()
	})
	return f
}

// set changes the network. Connections that were refused once are gone.
func (f *fickle) set(state string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = state
	close(f.changed)
	f.changed = make(chan struct{})
	if state == refused {
		for conn := range f.open {
			conn.Close()
		}
	}
}

func (f *fickle) pass(in net.Conn) {
	out, err := net.Dial("tcp", f.target)
	if err != nil {
		in.Close()
		return
	}
	f.mu.Lock()
	f.open[in], f.open[out] = true, true
	if f.state == refused {
		in.Close()
	}
	f.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { f.carry(in, out) })
	both.Go(func() { f.carry(out, in) })
	both.Wait()
	f.mu.Lock()
	delete(f.open, in)
	delete(f.open, out)
	f.mu.Unlock()
}

// carry copies one direction, as the network allows.
func (f *fickle) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		for {
			f.mu.Lock()
			state, changed := f.state, f.changed
			f.mu.Unlock()
			if state == refused {
				return
			}
			if state != silent {
				if state == sluggish {
					time.Sleep(40 * time.Millisecond)
				}
				break
			}
			<-changed
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// drainWithin is how long a queue may take after the network is whole again.
const drainWithin = time.Minute

// partition plays one schedule and reports how long the queue took to drain,
// without a restart.
func partition(t *testing.T, seed uint64, after *aftermath) time.Duration {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 4))
	s, m := newSite(t), newMemory()
	_, server := observed(t, s)
	f := newFickle(t, server.Listener.Addr().String())
	c, err := client.New(client.Config{BaseURL: "http://" + f.listener.Addr().String(), Instance: "centre-1", Station: "s1", Key: s.key, Now: time.Now, Log: quiet()})
	if err != nil {
		t.Error(err)
		return 0
	}
	defer c.Close()
	stop := run(t, m.engine(c))
	for range 4 + random.IntN(5) {
		m.record(1 + random.IntN(3))
		m.photo(scene(random, 1+random.IntN(400_000)), qc.Lane(random.IntN(3)))
		f.set([]string{whole, refused, refused, silent, sluggish}[random.IntN(5)])
		time.Sleep(time.Duration(random.IntN(700)) * time.Millisecond)
	}
	f.set(whole)
	healed := time.Now()
	ticks, end := m.Watch()
	defer end()
	deadline := time.After(drainWithin)
	for !m.drained() || m.feedLength() < (centre{s.centre}).feedLength() {
		select {
		case <-ticks:
			continue
		case <-time.After(50 * time.Millisecond): // the centre's side
			continue
		case <-deadline:
			after.stuck = "not drained"
		}
		break
	}
	took := time.Since(healed)
	stop()
	(&world{memory: m, centre: centre{s.centre}}).compare(after)
	return took
}

// TestDrillProxy sends over real sockets through networks that break.
func TestDrillProxy(t *testing.T) {
	rig := drill.Begin(t, "proxy", drill.Sizes{Test: 4, Short: 10, Long: 200})
	size := 40_000_000
	if rig.Tries < 10 {
		size /= 4
	}
	onWire, repeats, lost := sendThroughCuts(t, rig.Seed, size, nil)
	if onWire > 1.15 {
		t.Errorf("%.3f times the photo on the wire", onWire)
	}
	out := drill.Outcome{Tries: rig.Tries, Lost: lost, Doubled: repeats}
	var mu sync.Mutex
	var slowest time.Duration
	var group sync.WaitGroup
	atOnce := make(chan struct{}, 20)
	for i := range uint64(rig.Tries) {
		group.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			var after aftermath
			took := partition(t, rig.Seed*1_000_000+i, &after)
			mu.Lock()
			defer mu.Unlock()
			out.Lost += after.lost
			out.Doubled += after.doubled
			slowest = max(slowest, took)
			if after.lost+after.doubled > 0 {
				t.Logf("schedule %d: %d lost, %d doubled %s", i, after.lost, after.doubled, after.stuck)
			}
		})
	}
	group.Wait()
	out.Figures = []string{"on_the_wire", fmt.Sprintf("%.3f", onWire), "slowest_drain", fmt.Sprintf("%.1f_s", slowest.Seconds())}
	rig.Done(out)
}

// repeating sends a part of a photo again when its answer does not come, as
// retryablehttp would: a planted fault.
type repeating struct{ http.RoundTripper }

func (r repeating) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodPatch {
		return r.RoundTripper.RoundTrip(request)
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		again := request.Clone(request.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		response, err := r.RoundTripper.RoundTrip(again)
		if err == nil || try == 3 {
			return response, err
		}
	}
}

func TestDrillProxy_CatchesPlantedRepeats(t *testing.T) {
	onWire, repeats, _ := sendThroughCuts(t, 1, 10_000_000, repeating{http.DefaultTransport.(*http.Transport).Clone()})
	t.Logf("%d parts were repeated, %.2f times the photo on the wire", repeats, onWire)
	if repeats == 0 {
		t.Error("a library that repeats parts of photos was not noticed")
	}
}
