package journey

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/storage/storagetest"
)

// front is the name under which the proxies' example files have the centre.
const front = "qc.example.com"

// TestDrillProxies has stations, a shop's system and people work through Caddy and
// nginx, set up by the project's own files, while the centres behind them are
// replaced one by one, as in an upgrade. Nothing comes to nothing. A try is each
// centre replaced once, behind each of the two.
func TestDrillProxies(t *testing.T) {
	rig := drill.Begin(t, "proxies", drill.Sizes{Test: 1, Short: 3, Long: 20})
	s := startShared(t, rig)
	out := drill.Outcome{}
	for _, proxy := range []struct {
		name  string
		start func(t *testing.T, behind []*centre) *http.Transport
	}{{"caddy", startCaddy}, {"nginx", startNginx}} {
		crowd := s.come(t, proxy.name, proxy.start(t, s.centres))
		for range rig.Tries {
			for _, c := range s.centres {
				time.Sleep(time.Second)
				s.replace(t, c)
			}
			out.Tries++
		}
		time.Sleep(time.Second)
		crowd.leave(t)
		for i, what := range crowd.lost {
			if i < 10 {
				t.Errorf("%s: %s", proxy.name, what)
			}
		}
		out.Lost += len(crowd.lost) + s.undecided(t, crowd)
		out.Figures = append(out.Figures, proxy.name, fmt.Sprint(crowd.answered.Load()), proxy.name+"_decisions", fmt.Sprint(len(crowd.decided)),
			proxy.name+"_parts_again", fmt.Sprint(crowd.parts.Load()))
		if len(crowd.decided) < 3 || crowd.answered.Load() < 100 {
			t.Errorf("%s: too little was asked: %d requests, %d decisions", proxy.name, crowd.answered.Load(), len(crowd.decided))
		}
	}
	for _, c := range s.centres {
		s.keepLog(t, c)
	}
	out.Doubled = s.doubled(t)
	rig.Done(out)
}

// crowd is everybody who works through a proxy.
type crowd struct {
	through  http.RoundTripper
	key      string // of a shop
	ctx      context.Context
	end      context.CancelFunc
	group    sync.WaitGroup
	stations []*drillStation
	stops    []func()
	answered atomic.Int64
	parts    atomic.Int64 // of photos that came to nothing

	mu      sync.Mutex
	lost    []string
	decided map[qc.CaseID]refund.Status
}

func (s *shared) come(t *testing.T, shop string, through http.RoundTripper) *crowd {
	t.Helper()
	c := &crowd{decided: make(map[qc.CaseID]refund.Status)}
	c.through = counted{through, c}
	c.ctx, c.end = context.WithCancel(t.Context())
	t.Cleanup(c.end)
	var err error
	_, c.key, err = s.site.store.AddShopKey(t.Context(), shop, []string{"cases:read", "cases:decide"}, true, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.rig.Secret(c.key)
	items := s.site.orders(t, 600*s.rig.Tries)
	if shop != "caddy" { // which has seen to the first half
		items = items[len(items)/2:]
	}
	link, err := s.site.store.LinkOrder(t.Context(), items[0].Order, "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.rig.Secret(link)
	for i := range 2 {
		st := s.site.enrolStation(t, "https://"+front, slowly{c.through, lineRate})
		st.flags = true
		_, stop := st.run(t)
		c.stations, c.stops = append(c.stations, st), append(c.stops, stop)
		mine := items[i*len(items)/4 : (i+1)*len(items)/4]
		c.group.Go(func() { c.inspect(t, st, mine) })
	}
	reader := s.site.enrolStation(t, "https://"+front, c.through)
	var follower follower
	c.group.Go(func() {
		follower.run(c.ctx, reader.remote)
		c.note(len(follower.gaps) == 0, "the feed: %v", follower.gaps)
	})
	c.group.Go(func() { c.decide(s.site.store) })
	c.group.Go(func() { c.watch(t, items[0].Order, link) })
	for range 4 {
		c.group.Go(c.look)
	}
	c.group.Go(c.send)
	return c
}

// note keeps what was lost.
func (c *crowd) note(ok bool, format string, args ...any) {
	if ok || c.ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = append(c.lost, fmt.Sprintf(format, args...))
}

// counted notes answers that are a proxy's own, and those that did not come.
type counted struct {
	http.RoundTripper
	crowd *crowd
}

func (r counted) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.RoundTripper.RoundTrip(request)
	if request.Context().Err() != nil {
		return response, err
	}
	r.crowd.answered.Add(1)
	if request.Method == http.MethodPatch && (err != nil || ownAnswer(response)) {
		r.crowd.parts.Add(1) // of a photo: sent on from where it stands
		return response, err
	}
	what := request.Method + " " + request.URL.Path
	r.crowd.note(err == nil, "%s: %v", what, err)
	if err == nil {
		r.crowd.note(!ownAnswer(response), "%s: the proxy answered %s", what, response.Status)
	}
	return response, err
}

// ownAnswer tells a proxy's complaint from whatever the centre says, which always
// comes with this header.
func ownAnswer(response *http.Response) bool {
	return response.StatusCode >= 500 && response.Header.Get("X-Content-Type-Options") == ""
}

// inspect has a station find flaws, every eighth time with a large photo.
func (c *crowd) inspect(t *testing.T, st *drillStation, items []qc.Item) {
	for i, item := range items {
		select {
		case <-c.ctx.Done():
			return
		case <-time.After(150 * time.Millisecond):
		}
		if i%8 == 0 {
			st.large = largePhoto
		}
		st.record(t, item, 1)
		st.large = 0
	}
}

// decide has the shop decide for every customer who is asked.
func (c *crowd) decide(store *central.Store) {
	for ; c.ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		asked, err := store.Cases(c.ctx, central.CaseFilter{Status: refund.AwaitingDecision})
		c.note(err == nil, "cases: %v", err)
		for _, one := range asked {
			c.choose(one)
		}
	}
}

func (c *crowd) choose(one refund.Case) {
	id, body := one.ID, strings.NewReader(`{"action": "choose_refund"}`)
	r, err := http.NewRequestWithContext(c.ctx, http.MethodPost, "https://"+front+"/v1/shop/cases/"+string(id)+"/actions", body)
	if err != nil {
		c.note(false, "%v", err)
		return
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Idempotency-Key", string(id))
	r.Header.Set("If-Match", fmt.Sprintf("%q", fmt.Sprint(one.Version)))
	answer, err := c.through.RoundTrip(r)
	if err != nil {
		return // noted
	}
	defer answer.Body.Close()
	var said struct{ Status refund.Status }
	err = json.NewDecoder(answer.Body).Decode(&said)
	c.note(err == nil && answer.StatusCode == http.StatusOK, "decide %s: %s, %v", id, answer.Status, err)
	if err == nil && answer.StatusCode == http.StatusOK {
		c.mu.Lock()
		c.decided[id] = said.Status
		c.mu.Unlock()
	}
}

// look reads pages, one after the other.
func (c *crowd) look() {
	for c.ctx.Err() == nil {
		c.get("/desk/sign-in", "</html>")
		time.Sleep(5 * time.Millisecond)
	}
}

func (c *crowd) get(path, want string) {
	r, err := http.NewRequestWithContext(c.ctx, http.MethodGet, "https://"+front+path, nil)
	if err != nil {
		c.note(false, "%v", err)
		return
	}
	answer, err := c.through.RoundTrip(r)
	if err != nil {
		return // noted
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	c.note(err == nil && strings.Contains(string(page), want), "%s: %s, %d bytes, %v", path, answer.Status, len(page), err)
}

// send has somebody send the same form again and again.
func (c *crowd) send() {
	client := http.Client{Transport: c.through}
	for ; c.ctx.Err() == nil; time.Sleep(1100 * time.Millisecond) { // 60 a minute are let through
		form := strings.NewReader(url.Values{"id": {"nobody"}, "password": {"guess"}}.Encode())
		r, err := http.NewRequestWithContext(c.ctx, http.MethodPost, "https://"+front+"/desk/sign-in", form)
		if err != nil {
			c.note(false, "%v", err)
			return
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		answer, err := client.Do(r)
		if err != nil {
			continue // noted
		}
		page, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		c.note(err == nil && answer.StatusCode == http.StatusForbidden && strings.Contains(string(page), "</html>"), "a form: %s, %v", answer.Status, err)
	}
}

// watch has a customer's page listen. A stream that ends is opened anew, and the
// first event comes at once: the proxy does not keep it.
func (c *crowd) watch(t *testing.T, order qc.OrderID, link string) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Error(err)
		return
	}
	client := http.Client{Transport: c.through, Jar: jar}
	get := func(path string) (*http.Response, error) {
		r, err := http.NewRequestWithContext(c.ctx, http.MethodGet, "https://"+front+"/o/"+string(order)+path, nil)
		if err != nil {
			return nil, err
		}
		return client.Do(r)
	}
	answer, err := get("?t=" + link)
	c.note(err == nil && answer.StatusCode == http.StatusOK, "the order page: %v", err)
	if err == nil {
		_ = answer.Body.Close()
	}
	for c.ctx.Err() == nil {
		begun := time.Now()
		stream, err := get("/events")
		if err != nil {
			continue // noted
		}
		line, err := bufio.NewReader(stream.Body).ReadString('\n')
		took := time.Since(begun)
		c.note(err == nil && strings.HasPrefix(line, "retry:") && took < 3*time.Second, "events: %s, %q after %s, %v", stream.Status, line, took, err)
		_, err = io.Copy(io.Discard, stream.Body)
		c.note(err == nil, "events: %v", err)
		_ = stream.Body.Close()
	}
}

// leave waits until all has been sent.
func (c *crowd) leave(t *testing.T) {
	t.Helper()
	c.end()
	c.group.Wait()
	for i, st := range c.stations {
		st.waitFor(t, "all to be sent", patience, drained)
		c.stops[i]()
	}
}

// undecided counts decisions that were acknowledged and are not there.
func (s *shared) undecided(t *testing.T, c *crowd) (n int) {
	t.Helper()
	for id, status := range c.decided {
		got, err := s.site.store.Case(t.Context(), id)
		if err != nil || got.Status != status {
			t.Errorf("case %s was said to be %s, and is %s, %v", id, status, got.Status, err)
			n++
		}
	}
	return n
}

// example reads a file of the deploy folder with the changes, each of which must
// be there.
func example(t *testing.T, name string, changes ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "central", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	changed := string(text)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(changed, changes[i]) {
			t.Fatalf("%s has no %q", name, changes[i])
		}
		changed = strings.ReplaceAll(changed, changes[i], changes[i+1])
	}
	return changed
}

// throughTLS speaks to what listens at address as to the front.
func throughTLS(t *testing.T, address string, authority []byte) *http.Transport {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		t.Fatal("the authority is not one")
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
		},
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16,
	}
	t.Cleanup(transport.CloseIdleConnections)
	until(t, "the proxy", func() bool {
		conn, err := (&tls.Dialer{Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, ServerName: front}}).Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return transport
}

func port(t *testing.T) string {
	t.Helper()
	_, port, err := net.SplitHostPort(storagetest.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// startCaddy runs it with an authority of its own, on ports of its own.
func startCaddy(t *testing.T, behind []*centre) *http.Transport {
	t.Helper()
	dir, https := t.TempDir(), port(t)
	var addresses []string
	for _, c := range behind {
		addresses = append(addresses, c.address())
	}
	text := fmt.Sprintf("{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n"+
		"\thttp_port %s\n\thttps_port %s\n\tstorage file_system %s\n}\n", port(t), https, filepath.Join(dir, "storage")) +
		example(t, "Caddyfile", "reverse_proxy 127.0.0.1:8480 {", "reverse_proxy "+strings.Join(addresses, " ")+" {", "health_interval 2s", "health_interval 100ms")
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir}, "caddy", "run", "--config", file, "--adapter", "caddyfile")
	var authority []byte
	until(t, "Caddy's authority", func() bool {
		var err error
		authority, err = os.ReadFile(filepath.Join(dir, "storage", "pki", "authorities", "local", "root.crt"))
		return err == nil && len(authority) > 0
	})
	return throughTLS(t, "127.0.0.1:"+https, authority)
}

// startNginx runs it as the one who tests, with a certificate of its own.
func startNginx(t *testing.T, behind []*centre) *http.Transport {
	t.Helper()
	dir, https := t.TempDir(), port(t)
	certificate, key := selfSigned(t)
	var servers strings.Builder
	for _, c := range behind {
		fmt.Fprintf(&servers, "server %s ", c.address())
		servers.WriteString("max_fails=1 fail_timeout=1s;\n")
	}
	site := example(t, "nginx.conf", "server 127.0.0.1:8480 max_fails=1 fail_timeout=1s;", servers.String(),
		"listen 80;", "listen 127.0.0.1:"+port(t)+";", "listen 443 ssl http2;", "listen 127.0.0.1:"+https+" ssl http2;",
		"/etc/ssl/flawmark", dir, "/var/log/nginx", dir)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	var temporary strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	for name, text := range map[string][]byte{
		"fullchain.pem": certificate, "privkey.pem": key, "site.conf": []byte(site),
		"nginx.conf": fmt.Appendf(nil, "daemon off;\nmaster_process off;\nuser %s;\npid %s/pid;\nerror_log stderr;\nevents {}\nhttp {\n%sinclude %s/site.conf;\n}\n",
			me.Username, dir, temporary.String(), dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		nginx = "/usr/sbin/nginx" // where only root's path leads
	}
	start(t, nil, nginx, "-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf"))
	return throughTLS(t, "127.0.0.1:"+https, certificate)
}

func selfSigned(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{front}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	signed, signErr := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	packed, packErr := x509.MarshalPKCS8PrivateKey(private)
	if err := errors.Join(err, signErr, packErr); err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: packed})
}
