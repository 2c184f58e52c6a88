package journey

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	randv2 "math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/app/qc"
	"flawmark/sync/client"
)

// listening is a network that loses answers, and notes every token that passes.
type listening struct {
	rig    *drill.Rig
	proxy  *httputil.ReverseProxy
	mu     sync.Mutex
	random *randv2.Rand
	noted  map[string]bool
}

func (l *listening) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
		l.note(token)
	}
	l.mu.Lock()
	lost := l.random.IntN(5) == 0
	l.mu.Unlock()
	l.proxy.ServeHTTP(w, r)
	if lost {
		panic(http.ErrAbortHandler)
	}
}

func (l *listening) note(secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.noted[secret] {
		l.noted[secret] = true
		l.rig.Secret(secret)
	}
}

// TestDrillSecrets uses every secret of the product, rightly and wrongly, over a
// network that breaks, and then searches all that was logged, by this rig and by
// those before it.
func TestDrillSecrets(t *testing.T) {
	rig := drill.Begin(t, "secrets", drill.Sizes{Test: 1, Short: 1, Long: 5})
	for round := range rig.Tries {
		useSecrets(t, rig, round)
	}
	useLoudly(t, rig)
	secrets, err := drill.Secrets(rig.Logs())
	if err != nil {
		t.Fatal(err)
	}
	leaks, searched, err := drill.Leaks(rig.Logs(), secrets)
	if err != nil {
		t.Fatal(err)
	}
	for _, leak := range leaks {
		t.Error(leak)
	}
	if searched < 1000 {
		t.Errorf("only %d bytes were logged", searched)
	}
	rig.Done(drill.Outcome{Tries: len(secrets), Lost: len(leaks), Figures: []string{"searched", fmt.Sprintf("%d_kB", searched/1000)}})
}

func useSecrets(t *testing.T, rig *drill.Rig, round int) {
	t.Helper()
	data := t.TempDir()
	c := startCentre(t, data, "")
	password, pin := rand.Text(), "7382914650"[round:]+"83"
	rig.Secret(password)
	rig.Secret(pin)
	admin(t, data, "staff", "add", "--role", "clerk", "--password-file", scratch(t, "password", []byte(password+"\n")), "clerk3", "李娜")
	admin(t, data, "staff", "add", "--role", "inspector", "--badge", "B0012", "--pin", pin, "u12", "王芳")
	orders, items := orderFile(t, 3)
	admin(t, data, "orders", "import", orders)
	order, _, _ := strings.Cut(string(items[0]), "-")
	link := strings.TrimSpace(admin(t, data, "order", "link", order).out)
	address := urlIn(t, link)
	rig.Secret(address.Query().Get("t"))
	var door struct{ Token string }
	if err := json.Unmarshal(readFile(t, filepath.Join(data, "door.json")), &door); err != nil || door.Token == "" {
		t.Fatalf("no door: %v", err)
	}
	rig.Secret(door.Token)
	visit(t, rig, c.url, order, address.Query().Get("t"), password)

	front := overhear(t, rig, c.url, uint64(round))
	station := &drillStation{dir: t.TempDir(), log: loud(rig, "station"), random: randv2.New(randv2.NewPCG(rig.Seed, 7))}
	station.enrolAt(t, rig, front, data)
	for _, item := range items {
		order, _, _ := strings.Cut(string(item), "-")
		station.record(t, qc.Item{ID: item, Order: qc.OrderID(order), Round: 1}, 1)
	}
	_, stop := station.run(t)
	station.waitFor(t, "the queue to drain", 5*time.Minute, drained)
	stop()
	if problems := station.refused(t); len(problems) > 0 {
		t.Errorf("%d findings were refused: %s", len(problems), problems[0])
	}
	station.close(t)
	c.stop(t)
	said := rig.Log("centre-said")
	if _, err := io.WriteString(said, strings.Join(c.said(), "\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := rig.Log("centre-file").Write(readFile(t, filepath.Join(data, "central.log"))); err != nil {
		t.Fatal(err)
	}
}

// overhear starts a network in front of a centre.
func overhear(t *testing.T, rig *drill.Rig, address string, stream uint64) string {
	t.Helper()
	front := httptest.NewServer(&listening{
		rig: rig, proxy: httputil.NewSingleHostReverseProxy(urlIn(t, address)), random: randv2.New(randv2.NewPCG(rig.Seed, stream)), noted: make(map[string]bool),
	})
	t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	return front.URL
}

// useLoudly sends through a centre of this process, which logs every detail.
func useLoudly(t *testing.T, rig *drill.Rig) {
	t.Helper()
	site := newDrillSite(t, rig, inMemory)
	station := site.enrolStation(t, overhear(t, rig, site.server.URL, 100), nil)
	for _, item := range site.orders(t, 5) {
		station.record(t, item, 1)
	}
	_, stop := station.run(t)
	station.waitFor(t, "the queue to drain", 5*time.Minute, drained)
	stop()
}

// visit opens the customer's page and the desk, with right and wrong secrets.
func visit(t *testing.T, rig *drill.Rig, base, order, token, password string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	ask := func(request *http.Request, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		response, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
	}
	get := func(path string) {
		t.Helper()
		ask(http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil))
	}
	get("/o/" + order + "?t=" + token)
	get("/o/" + order + "?t=" + token + "x")
	get("/o/99999?t=" + token)
	get("/nowhere?t=" + token)
	get("/v1/stations/none/changes?after=" + token)
	for _, typed := range []string{password + "x", password} {
		form := url.Values{"id": {"clerk3"}, "password": {typed}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/desk/sign-in", strings.NewReader(form.Encode()))
		if err == nil {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("Origin", base)
		}
		ask(request, err)
	}
	get("/desk")
	for _, cookie := range jar.Cookies(urlIn(t, base)) {
		rig.Secret(cookie.Value)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/v1/stations/none/events", strings.NewReader(`{"`+token+`":`))
	if err == nil {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	ask(request, err)
}

// urlIn returns the address in a text.
func urlIn(t *testing.T, text string) *url.URL {
	t.Helper()
	for _, word := range strings.Fields(text) {
		if u, err := url.Parse(word); err == nil && strings.HasPrefix(u.Scheme, "http") {
			return u
		}
	}
	t.Fatalf("no address in %q", text)
	return nil
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// enrolAt has the station admitted as a person would, and opens its data.
func (s *drillStation) enrolAt(t *testing.T, rig *drill.Rig, address, centreData string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rig.Secret(hex.EncodeToString(private.Seed()))
	rig.Secret(base64.StdEncoding.EncodeToString(private))
	c, err := client.New(client.Config{BaseURL: address, Now: time.Now, Log: s.log})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	identity, err := c.Enrol(ctx, "bench", public, func(e client.Enrolment) {
		rig.Secret(e.DeviceCode)
		admin(t, centreData, "station", "approve", e.UserCode)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.id = identity.Station
	s.open(t)
	s.remote, err = client.New(client.Config{BaseURL: address, Instance: identity.Instance, Station: identity.Station, Key: private, Now: time.Now, Log: s.log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.remote.Close)
}

func TestDrillSecrets_CatchesPlantedLeak(t *testing.T) {
	dir := t.TempDir()
	secret := rand.Text()
	text := []byte(`{"level":"DEBUG","msg":"proving","url":"http://x/?t=` + secret + `"}`)
	if err := os.WriteFile(filepath.Join(dir, "a.log"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if leaks, _, err := drill.Leaks(dir, []string{"something else", secret}); err != nil || len(leaks) != 1 {
		t.Errorf("found %v, %v", leaks, err)
	}
}
