package intake_test

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/intake"
	"flawmark/sync/intake/intaketest"
	"flawmark/sync/wire"
)

type door struct {
	*testing.T
	centre *intaketest.Centre
	key    ed25519.PrivateKey
	server *httptest.Server
	token  string
}

func open(t *testing.T, change func(*intake.Config)) *door {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{T: t, centre: intaketest.New("s1", public), key: private}
	cfg := d.centre.Config()
	if change != nil {
		change(&cfg)
	}
	handler, err := intake.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.server = httptest.NewServer(handler)
	t.Cleanup(d.server.Close)
	d.token = d.admit()
	return d
}

// answer is what came back, its body apart.
type answer struct {
	StatusCode int
	Header     http.Header
}

// ask sends one request; headers are "Name: value".
func (d *door) ask(method, path string, body []byte, headers ...string) (answer, []byte) {
	d.Helper()
	req, err := http.NewRequest(method, d.server.URL+path, bytes.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	if d.token != "" {
		req.Header.Set("Authorization", "Bearer "+d.token)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Set(name, value)
	}
	resp, err := d.server.Client().Do(req)
	if err != nil {
		d.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		d.Fatal(err)
	}
	if resp.Header.Get(wire.InstanceHeader) != "centre-1" {
		d.Errorf("%s %s: answer does not name the centre", method, path)
	}
	return answer{resp.StatusCode, resp.Header}, data
}

func (d *door) post(path string, in, out any) answer {
	d.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		d.Fatal(err)
	}
	resp, data := d.ask(http.MethodPost, path, body, "Content-Type: application/json")
	if out != nil {
		if err := json.Unmarshal(data, out); err != nil {
			d.Fatalf("%s: %v: %s", path, err, data)
		}
	}
	return resp
}

func (d *door) admit() string {
	d.Helper()
	var challenge wire.Challenge
	d.post("/v1/token:challenge", wire.ChallengeRequest{Station: "s1"}, &challenge)
	var token wire.Token
	d.post("/v1/token", wire.TokenRequest{
		Station: "s1", Nonce: challenge.Nonce,
		Signature: ed25519.Sign(d.key, wire.TokenMessage("centre-1", "s1", challenge.Nonce)),
	}, &token)
	if token.AccessToken == "" {
		d.Fatal("no token")
	}
	return token.AccessToken
}

func (d *door) wantProblem(resp answer, data []byte, status int, uri string) {
	d.Helper()
	var problem wire.Problem
	if err := json.Unmarshal(data, &problem); err != nil {
		d.Fatalf("no problem document: %v: %q", err, data)
	}
	if resp.StatusCode != status || problem.Type != uri || problem.Status != status || resp.Header.Get("Content-Type") != wire.ProblemType {
		d.Errorf("got %d %s (%s), want %d %s", resp.StatusCode, problem.Type, resp.Header.Get("Content-Type"), status, uri)
	}
}

func TestRefusals(t *testing.T) {
	d := open(t, nil)
	token := d.token
	for _, c := range []struct {
		name, method, path, body, token string
		headers                         []string
		status                          int
		uri                             string
	}{
		{"unknown path", "GET", "/nothing", "", token, nil, 404, wire.NotFound},
		{"wrong method", "DELETE", "/v1/ping", "", token, nil, 405, wire.MethodNotAllowed},
		{"no token", "POST", "/v1/blobs:query", "{}", "", nil, 401, wire.NotAuthenticated},
		{"forged token", "POST", "/v1/blobs:query", "{}", token[:len(token)-2] + "AA", nil, 401, wire.NotAuthenticated},
		{"another station", "GET", "/v1/stations/s2/changes", "", token, nil, 403, wire.NotAuthorised},
		{"old protocol", "GET", "/v1/stations/s1/changes", "", token, []string{"Flawmark-Protocol: 7"}, 426, wire.ProtocolTooOld},
		{"not JSON", "POST", "/v1/blobs:query", "{", token, nil, 400, wire.Malformed},
		{"not a digest", "POST", "/v1/blobs:query", `{"sha256":["x"]}`, token, nil, 422, wire.Malformed},
		{"too much", "POST", "/v1/blobs:query", `{"sha256":["` + strings.Repeat("x", 200<<10) + `"]}`, token, nil, 413, wire.TooLarge},
		{"not a cursor", "GET", "/v1/stations/s1/changes?after=nonsense", "", token, nil, 422, wire.Malformed},
		{"expired cursor", "GET", "/v1/stations/s1/changes?after=old.5", "", token, nil, 410, wire.CursorExpired},
		{"short key", "POST", "/v1/enrolments", `{"name":"Bench","public_key":"AAAA"}`, "", nil, 422, wire.Malformed},
		{"unknown code", "POST", "/v1/enrolments:poll", `{"device_code":"nope"}`, "", nil, 404, wire.CodeUnknown},
		{"unsigned nonce", "POST", "/v1/token", `{"station":"s1","nonce":"x","signature":"AAAA"}`, "", nil, 401, wire.NotAuthenticated},
		{"no tus version", "HEAD", "/v1/uploads/u1", "", token, nil, 412, ""},
		{"no upload", "HEAD", "/v1/uploads/u1", "", token, []string{"Tus-Resumable: 1.0.0"}, 404, ""},
		{"zero character", "GET", "/v1/photos/a%00b", "", token, nil, 404, wire.NotFound},
		{"broken UTF-8", "POST", "/v1/stations/s1%ff/events", "{}", token, nil, 404, wire.NotFound},
		{"name with a zero character", "POST", "/v1/enrolments", `{"name":"a\u0000b","public_key":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}`, "", nil, 422, wire.Malformed},
		{"no photo", "GET", "/v1/photos/" + strings.Repeat("a", 64), "", token, nil, 404, wire.NotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &door{T: t, centre: d.centre, server: d.server, token: c.token}
			resp, data := d.ask(c.method, c.path, []byte(c.body), append(c.headers, "Content-Type: application/json")...)
			if c.uri == "" { // HEAD has no body
				if resp.StatusCode != c.status {
					t.Errorf("got %d, want %d", resp.StatusCode, c.status)
				}
				return
			}
			d.wantProblem(resp, data, c.status, c.uri)
		})
	}
}

func TestTokens(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	d := open(t, func(cfg *intake.Config) {
		cfg.Now = func() time.Time { return now }
		cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	changes := "/v1/stations/s1/changes?after=&limit=5"
	if resp, _ := d.ask("GET", changes, nil); resp.StatusCode != 200 {
		t.Fatalf("fresh token: %d", resp.StatusCode)
	}
	now = now.Add(wire.TokenLifetime)
	resp, data := d.ask("GET", changes, nil)
	d.wantProblem(resp, data, 401, wire.NotAuthenticated)
	d.token = d.admit()
	d.centre.Revoke("s1", now)
	resp, data = d.ask("GET", changes, nil)
	d.wantProblem(resp, data, 403, wire.NotAuthorised)
	if strings.Contains(log.String(), d.token) || strings.Contains(log.String(), "limit=5") {
		t.Error("the log holds a token or a query")
	}
	if !strings.Contains(log.String(), "/changes") {
		t.Error("the log does not hold the request")
	}
	// A token signed by another key opens nothing.
	_, stranger, _ := ed25519.GenerateKey(nil)
	d.token = ""
	var challenge wire.Challenge
	d.post("/v1/token:challenge", wire.ChallengeRequest{Station: "s1"}, &challenge)
	if resp := d.post("/v1/token", wire.TokenRequest{
		Station: "s1", Nonce: challenge.Nonce, Signature: ed25519.Sign(stranger, wire.TokenMessage("centre-1", "s1", challenge.Nonce)),
	}, nil); resp.StatusCode != 403 {
		t.Errorf("strange key: %d", resp.StatusCode)
	}
}

func TestRateLimit(t *testing.T) {
	d := open(t, func(cfg *intake.Config) { cfg.AddressRate = 5 })
	for range 20 {
		resp, data := d.ask("POST", "/v1/enrolments:poll", []byte(`{"device_code":"guess"}`), "Content-Type: application/json")
		if resp.StatusCode == http.StatusTooManyRequests {
			d.wantProblem(resp, data, 429, wire.TooManyRequests)
			if resp.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			return
		}
	}
	t.Error("codes can be guessed without end")
}

// TestRateLimit_NetworkOfAddresses guesses from a new address each time, as
// everyone with a network of IPv6 can.
func TestRateLimit_NetworkOfAddresses(t *testing.T) {
	const rate = 5
	for name, test := range map[string]struct {
		peer func(n int) string
		want int // answers before the limit; 0: no limit
	}{
		"one network":     {func(n int) string { return fmt.Sprintf("[2001:db8:1:2::%x]:4000", n) }, rate},
		"many networks":   {func(n int) string { return fmt.Sprintf("[2001:db8:1:%x::1]:4000", n) }, 0},
		"many IPv4 hosts": {func(n int) string { return fmt.Sprintf("192.0.2.%d:4000", n) }, 0},
		"one socket":      {func(int) string { return "@" }, rate},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, func(cfg *intake.Config) { cfg.AddressRate = rate })
			passed := 0
			for n := 1; n <= 3*rate; n++ {
				req := httptest.NewRequest(http.MethodPost, "/v1/enrolments:poll", strings.NewReader(`{"device_code":"guess"}`))
				req.Header.Set("Content-Type", "application/json")
				req.RemoteAddr = test.peer(n)
				w := httptest.NewRecorder()
				d.server.Config.Handler.ServeHTTP(w, req)
				if w.Code != http.StatusTooManyRequests {
					passed++
				}
			}
			want := test.want
			if want == 0 {
				want = 3 * rate
			}
			if passed != want {
				t.Errorf("%d of %d guesses were answered, want %d", passed, 3*rate, want)
			}
		})
	}
}

func (d *door) batch(first uint64, prev qc.ChainHash, n int) (wire.Batch, qc.ChainHash) {
	d.Helper()
	batch := wire.Batch{Epoch: "e1", First: first, Prev: string(prev)}
	for i := range n {
		event := qc.Event{Seq: first + uint64(i), ID: fmt.Sprintf("e%d", first+uint64(i)), Kind: qc.FindingRecorded, Version: 1, Data: json.RawMessage(`{"note":"a<b"}`)}
		sealed, err := qc.Seal(&event, prev)
		if err != nil {
			d.Fatal(err)
		}
		batch.Events = append(batch.Events, sealed)
		prev = event.Hash
	}
	batch.Signature = ed25519.Sign(d.key, wire.BatchMessage("e1", string(prev)))
	return batch, prev
}

func TestEvents(t *testing.T) {
	d := open(t, nil)
	d.centre.Rejects[2] = true
	batch, head := d.batch(1, qc.ChainStart, 3)
	for _, want := range []string{"applied rejected applied", "duplicate duplicate duplicate"} {
		var ack wire.Ack
		if resp := d.post("/v1/stations/s1/events", batch, &ack); resp.StatusCode != 200 {
			t.Fatalf("status %d", resp.StatusCode)
		}
		var got []string
		for _, result := range ack.Results {
			got = append(got, result.Status)
		}
		if strings.Join(got, " ") != want || ack.Through != 3 || ack.Head != string(head) {
			t.Errorf("got %v through %d, want %s", got, ack.Through, want)
		}
	}
	var problem wire.Problem
	ahead, _ := d.batch(9, head, 1)
	d.post("/v1/stations/s1/events", ahead, &problem)
	if problem.Type != wire.SequenceGap || problem.Expected != 4 {
		t.Errorf("gap: %+v", problem)
	}
	forged, _ := d.batch(4, head, 1)
	forged.Signature[3] ^= 1
	d.post("/v1/stations/s1/events", forged, &problem)
	if problem.Type != wire.BadSignature {
		t.Errorf("forged: %+v", problem)
	}
	altered, _ := d.batch(4, head, 2)
	altered.Events[0] = bytes.Replace(altered.Events[0], []byte("note"), []byte("nute"), 1)
	d.post("/v1/stations/s1/events", altered, &problem)
	if problem.Type != wire.Malformed {
		t.Errorf("altered: %+v", problem)
	}
	other, _ := d.batch(3, batchPrev(t, batch, 1), 1)
	other.Events[0] = nil
	event := qc.Event{Seq: 3, ID: "other", Kind: qc.ReviewGiven, Version: 1, Data: json.RawMessage(`{}`)}
	other.Events[0], _ = qc.Seal(&event, qc.ChainHash(other.Prev))
	other.Signature = ed25519.Sign(d.key, wire.BatchMessage("e1", string(event.Hash)))
	d.post("/v1/stations/s1/events", other, &problem)
	if problem.Type != wire.SequenceFork {
		t.Errorf("fork: %+v", problem)
	}
	if len(d.centre.Applied) != 2 {
		t.Errorf("%d effects, want 2", len(d.centre.Applied))
	}
}

// batchPrev returns the hash of the batch's ith event.
func batchPrev(t *testing.T, batch wire.Batch, i int) qc.ChainHash {
	t.Helper()
	var event qc.Event
	if err := json.Unmarshal(batch.Events[i], &event); err != nil {
		t.Fatal(err)
	}
	return event.Hash
}

const tus = "Tus-Resumable: 1.0.0"

func (d *door) create(data []byte, digest qc.Digest) string {
	d.Helper()
	resp, body := d.ask("POST", "/v1/uploads", nil, tus, "Upload-Length: "+strconv.Itoa(len(data)),
		"Upload-Metadata: sha256 "+base64.StdEncoding.EncodeToString([]byte(digest))+",filetype "+base64.StdEncoding.EncodeToString([]byte("image/jpeg")))
	if resp.StatusCode != 201 || resp.Header.Get("Upload-Expires") == "" {
		d.Fatalf("create: %d %s", resp.StatusCode, body)
	}
	return resp.Header.Get("Location")
}

func (d *door) patch(place string, offset int, data []byte, headers ...string) answer {
	d.Helper()
	resp, _ := d.ask("PATCH", place, data, append(headers, tus, "Content-Type: application/offset+octet-stream", "Upload-Offset: "+strconv.Itoa(offset))...)
	return resp
}

func (d *door) offset(place string) string {
	d.Helper()
	resp, _ := d.ask("HEAD", place, nil, tus)
	if resp.StatusCode != 200 {
		return strconv.Itoa(resp.StatusCode)
	}
	return resp.Header.Get("Upload-Offset")
}

// TestTus walks through the core protocol and the extensions that are offered.
func TestTus(t *testing.T) {
	d := open(t, nil)
	data := bytes.Repeat([]byte("flaw"), 50_000)
	digest := qc.DigestOf(data)

	resp, _ := d.ask("OPTIONS", "/v1/uploads", nil)
	if resp.Header.Get("Tus-Extension") != wire.TusExtensions || resp.Header.Get("Tus-Version") != "1.0.0" || resp.Header.Get("Tus-Checksum-Algorithm") != "sha256" {
		t.Errorf("options: %v", resp.Header)
	}
	place := d.create(data, digest)
	if again := d.create(data, digest); again != place {
		t.Errorf("the same file is announced as %s and %s", place, again)
	}
	if got := d.offset(place); got != "0" {
		t.Errorf("offset %s at the start", got)
	}
	if resp := d.patch(place, 0, data[:1000]); resp.StatusCode != 204 || resp.Header.Get("Upload-Offset") != "1000" {
		t.Errorf("first part: %d %v", resp.StatusCode, resp.Header)
	}
	if resp := d.patch(place, 0, data[:1000]); resp.StatusCode != 409 || resp.Header.Get("Upload-Offset") != "1000" {
		t.Errorf("repeated part: %d %v", resp.StatusCode, resp.Header)
	}
	if resp, _ := d.ask("PATCH", place, data[1000:], tus, "Content-Type: image/jpeg", "Upload-Offset: 1000"); resp.StatusCode != 415 {
		t.Errorf("wrong media type: %d", resp.StatusCode)
	}
	sum := sha256.Sum256(data[1000:2000])
	good := "Upload-Checksum: sha256 " + base64.StdEncoding.EncodeToString(sum[:])
	if resp := d.patch(place, 1000, data[1001:2001], good); resp.StatusCode != 460 {
		t.Errorf("damaged part: %d", resp.StatusCode)
	}
	if got := d.offset(place); got != "1000" {
		t.Errorf("offset %s after a damaged part", got)
	}
	if resp := d.patch(place, 1000, data[1000:2000], "Upload-Checksum: md5 AAAA"); resp.StatusCode != 400 {
		t.Errorf("unknown algorithm: %d", resp.StatusCode)
	}
	if resp := d.patch(place, 1000, data[1000:2000], good); resp.StatusCode != 204 {
		t.Errorf("part with its checksum: %d", resp.StatusCode)
	}
	if resp := d.patch(place, 2000, append(data[2000:], 'x')); resp.StatusCode != 413 {
		t.Errorf("beyond the end: %d", resp.StatusCode)
	}
	if resp := d.patch(place, 2000, data[2000:]); resp.StatusCode != 204 || resp.Header.Get("Upload-Offset") != strconv.Itoa(len(data)) {
		t.Errorf("last part: %d", resp.StatusCode)
	}
	if got := d.offset(place); got != "404" {
		t.Errorf("a finished upload answers %s", got)
	}
	if !bytes.Equal(d.centre.Files[digest], data) || d.centre.Stored[digest] != 1 {
		t.Error("the file is not what was sent")
	}
	resp, got := d.ask("GET", "/v1/photos/"+string(digest), nil, "Range: bytes=4-7")
	if resp.StatusCode != 206 || string(got) != "flaw" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("photo: %d %q", resp.StatusCode, got)
	}
}

func TestTus_CreationWithUpload(t *testing.T) {
	d := open(t, nil)
	data := []byte("whole at once")
	digest := qc.DigestOf(data)
	resp, _ := d.ask("POST", "/v1/uploads", data, tus, "Upload-Length: "+strconv.Itoa(len(data)), "Content-Type: application/offset+octet-stream",
		"Upload-Metadata: sha256 "+base64.StdEncoding.EncodeToString([]byte(digest)))
	if resp.StatusCode != 201 || resp.Header.Get("Upload-Offset") != strconv.Itoa(len(data)) || d.centre.Stored[digest] != 1 {
		t.Errorf("status %d, offset %s", resp.StatusCode, resp.Header.Get("Upload-Offset"))
	}
}

func TestTus_Termination(t *testing.T) {
	d := open(t, nil)
	place := d.create([]byte("given up"), qc.DigestOf([]byte("given up")))
	d.patch(place, 0, []byte("given"))
	if resp, _ := d.ask("DELETE", place, nil, tus); resp.StatusCode != 204 {
		t.Errorf("delete: %d", resp.StatusCode)
	}
	if got := d.offset(place); got != "404" || len(d.centre.Partial) != 0 {
		t.Errorf("a deleted upload answers %s", got)
	}
}

func TestTus_Expiration(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	d := open(t, func(cfg *intake.Config) { cfg.Now = func() time.Time { return now } })
	place := d.create([]byte("late"), qc.DigestOf([]byte("late")))
	d.patch(place, 0, []byte("la"))
	now = now.Add(wire.UploadLifetime)
	d.token = d.admit()
	if got := d.offset(place); got != "404" || len(d.centre.Partial) != 0 {
		t.Errorf("an expired upload answers %s", got)
	}
}

func TestTus_WrongContent(t *testing.T) {
	d := open(t, nil)
	place := d.create([]byte("12345"), qc.DigestOf([]byte("other")))
	resp, data := d.ask("PATCH", place, []byte("12345"), tus, "Content-Type: application/offset+octet-stream", "Upload-Offset: 0")
	d.wantProblem(resp, data, 422, wire.DigestMismatch)
	if got := d.offset(place); got != "404" || len(d.centre.Stored) != 0 {
		t.Error("a wrong file is kept")
	}
}

// TestTus_NewerRequestTakesOver holds a PATCH open as a dead connection would:
// a HEAD must not wait for it, and must count what has arrived.
func TestTus_NewerRequestTakesOver(t *testing.T) {
	d := open(t, nil)
	data := bytes.Repeat([]byte("x"), 5000)
	place := d.create(data, qc.DigestOf(data))
	reader, writer := io.Pipe()
	defer writer.Close()
	req, _ := http.NewRequest("PATCH", d.server.URL+place, reader)
	req.ContentLength = 5000
	req.Header = http.Header{
		"Authorization": {"Bearer " + d.token}, "Tus-Resumable": {"1.0.0"},
		"Content-Type": {wire.ChunkType}, "Upload-Offset": {"0"},
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if resp, err := d.server.Client().Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	if _, err := writer.Write(data[:3000]); err != nil {
		t.Fatal(err)
	}
	// The bytes may still be on their way; ask until the older request is known.
	deadline := time.After(10 * time.Second)
	for d.offset(place) != "3000" {
		select {
		case <-deadline:
			t.Fatal("the held request was not taken over")
		default:
		}
	}
	writer.Close()
	<-ended
	if resp := d.patch(place, 3000, data[3000:]); resp.StatusCode != 204 {
		t.Errorf("the rest: %d", resp.StatusCode)
	}
}

func TestChanges(t *testing.T) {
	d := open(t, nil)
	d.centre.Say(qc.ItemChanged, "a")
	d.centre.Say(qc.ItemChanged, "b")
	var page wire.Page
	_, data := d.ask("GET", "/v1/stations/s1/changes?limit=1", nil)
	if err := json.Unmarshal(data, &page); err != nil || len(page.Items) != 1 || page.UpToDate || page.Next != "f1.1" {
		t.Fatalf("first page: %v %s", err, data)
	}
	answered := make(chan []byte)
	go func() {
		_, data := d.ask("GET", "/v1/stations/s1/changes?after=f1.2&wait=25", nil)
		answered <- data
	}()
	d.centre.Say(qc.ItemChanged, "c")
	select {
	case data := <-answered:
		if err := json.Unmarshal(data, &page); err != nil || len(page.Items) != 1 || page.Next != "f1.3" || !page.UpToDate {
			t.Errorf("long poll: %v %s", err, data)
		}
	case <-time.After(10 * time.Second):
		t.Error("the long poll did not answer")
	}
}

func TestChanges_Stream(t *testing.T) {
	d := open(t, nil)
	for _, name := range []string{"a", "b"} {
		d.centre.Say(qc.ItemChanged, name)
	}
	req, _ := http.NewRequest("GET", d.server.URL+"/v1/stations/s1/changes", nil)
	req.Header = http.Header{"Authorization": {"Bearer " + d.token}, "Accept": {wire.StreamType}, "Last-Event-Id": {"f1.1"}}
	resp, err := d.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func() string {
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "id: ") {
				return lines.Text()
			}
		}
		return ""
	}
	if got := next(); got != "id: f1.2" {
		t.Errorf("first event %q", got)
	}
	d.centre.Say(qc.ItemChanged, "c")
	if got := next(); got != "id: f1.3" {
		t.Errorf("second event %q", got)
	}
}

func TestOpenAPI(t *testing.T) {
	d := open(t, nil)
	_, data := d.ask("GET", "/openapi.json", nil)
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("version %s", doc.OpenAPI)
	}
	for _, path := range []string{
		"/v1/ping", "/v1/enrolments", "/v1/enrolments:poll", "/v1/token:challenge", "/v1/token", "/v1/stations/{sid}/events",
		"/v1/stations/{sid}/changes", "/v1/blobs:query", "/v1/uploads", "/v1/uploads/{id}", "/v1/photos/{sha256}",
	} {
		if len(doc.Paths[path]) == 0 {
			t.Errorf("%s is not described", path)
		}
	}
	if resp, body := d.ask("GET", "/healthz", nil); resp.StatusCode != 200 || string(body) != "ok\n" {
		t.Errorf("healthz: %d %q", resp.StatusCode, body)
	}
}
