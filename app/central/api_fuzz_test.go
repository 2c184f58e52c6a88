package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/sync/shops"
	"flawmark/sync/wire"
)

// How the API is tried with hostile requests: go test ./app/central -run
// TestAPI_ -args -api.rounds 200 -api.seed 7 tries longer, or another way.
var (
	apiRounds = flag.Int("api.rounds", 8, "hostile requests of each kind to each operation of the API")
	apiSeed   = flag.Uint64("api.seed", 1, "what they follow from")
)

// tooLong is a hang: no operation but a stream or a long poll waits.
const tooLong = 5 * time.Second

// attackers is how many keys the attacker has.
const attackers = 40

// secretsOfOthers are words that only other shops' things hold.
var secretsOfOthers = []string{"Bo Tajný", "B-77", "secret@other.example", "wish of Bo", "fmk_"}

// secretsOfCustomers are what of them stations never hear; they inspect
// everybody's items.
var secretsOfCustomers = []string{"Bo Tajný", "secret@other.example", "fmk_"}

// attacker makes requests out of the API's own description.
type attacker struct {
	*market
	random *rand.Rand
	ids    map[string][]string // by parameter: its own, others', none
	found  func(format string, args ...any)

	asStation func(*http.Request)
	tried     map[int]int
}

func newAttacker(t *testing.T, seed uint64) *attacker {
	t.Helper()
	a := &attacker{
		market: newMarket(t), random: rand.New(rand.NewPCG(seed, 7)), found: t.Errorf, tried: map[int]int{},
	}
	c := a.flagged("A-1")
	order := strings.NewReplacer("A-1-1", "B-77-1", "A-1", "B-77", "AC-1", "B-77-C", `"Ana"`, `"Bo Tajný"`).Replace(marketOrder("A-1", "AC-1", "A-1-1"))
	order = strings.Replace(order, `"language":"en"`, `"language":"en","email":"secret@other.example"`, 1)
	order = strings.Replace(order, `"seller"`, `"customer_note":"wish of Bo","seller"`, 1)
	if w := a.ask("other", "POST", "/v1/shop/orders", order); w.Code != http.StatusOK {
		t.Fatalf("the other shop's order: %d %s", w.Code, w.Body)
	}
	f := a.finding("f-B-77", 1, flaw("a", "H11", "wish of Bo"))
	f.Item, f.Order = "B-77-1", "B-77"
	a.say("finding.recorded", f)
	theirs := wants[struct{ Items []struct{ ID string } }](a.market, a.ask("other", "GET", "/v1/shop/cases", ""), http.StatusOK)
	for i := range attackers { // each has a rate of its own
		a.key(fmt.Sprint("fuzz", i), "acme", false, shops.Scopes()...)
	}
	v := &village{house: a.house, credentials: map[visitor]func(*http.Request){}}
	station := v.station(bench)
	a.asStation = v.credentials[bench]
	a.ids = map[string][]string{
		"order": {"A-1", "B-77", "1"}, "case": {c.ID, theirs.Items[0].ID}, "customer": {"AC-A-1", "B-77-C", "C-1"},
		"finding": {"f-A-1", "f-B-77"}, "photo": {"p1"}, "sid": {station, string(a.bench)}, "item": {"A-1-1", "B-77-1"},
	}
	return a
}

// odd returns something that no program should send.
func (a *attacker) odd() any {
	return []any{
		nil, true, -1, 0, 1e300, 9007199254740993, "", "\x00", "a\x00b", "\u202e\ufeff\U0001f45f", "' OR 1=1 --", "<script>alert(1)</script>",
		strings.Repeat("九", 5000), "../../etc/passwd", "%00", "%2e%2e%2f",
		[]any{},
		[]any{nil},
		map[string]any{},
		map[string]any{"minor": nil},
		strings.Repeat("x", 300), "2026-99-99T99:99:99Z", "-0", "1e9", "🙂", "\u0000\u0001", json.Number("1.5"),
		[]any{[]any{[]any{}}},
	}[a.random.IntN(28)]
}

func (a *attacker) oddText() string {
	if text, ok := a.odd().(string); ok {
		return text
	}
	return fmt.Sprint(a.odd())
}

// one draws from a list.
func one[T any](a *attacker, list []T) T { return list[a.random.IntN(len(list))] }

// sometimes is true once in n times.
func (a *attacker) sometimes(n int) bool { return a.random.IntN(n) == 0 }

// spoil returns a document with faults in it.
func (a *attacker) spoil(document any, depth int) any {
	if a.sometimes(6) || depth > 6 {
		return a.odd()
	}
	switch document := document.(type) {
	case map[string]any:
		spoilt := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(document)) {
			if !a.sometimes(8) {
				spoilt[name] = a.spoil(document[name], depth+1)
			}
		}
		if a.sometimes(4) {
			spoilt[a.oddText()] = a.odd()
		}
		return spoilt
	case []any:
		var spoilt []any
		for _, each := range document {
			for range 1 + a.random.IntN(2) {
				spoilt = append(spoilt, a.spoil(each, depth+1))
			}
		}
		return spoilt
	}
	if a.sometimes(3) {
		return a.odd()
	}
	return document
}

// request makes a request to an operation, with about so many faults.
func (a *attacker) request(method, path string, op apiOperation) *http.Request {
	query := url.Values{}
	headers := http.Header{}
	for _, p := range op.Parameters {
		value := a.value(p)
		switch {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(cmp.Or(value, "x")))
		case p.In == "query" && a.sometimes(2):
			query.Add(p.Name, value)
		case p.In == "header" && (p.Required || a.sometimes(2)):
			headers.Set(p.Name, strings.Map(inHeader, value))
		}
	}
	if a.sometimes(5) {
		query.Add(a.oddText(), a.oddText())
	}
	query.Del("wait") // nobody waits here
	body := a.body(op)
	if a.sometimes(12) {
		method = one(a, []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"})
	}
	r := httptest.NewRequest(http.MethodGet, "http://centre.test/", bytes.NewReader(body))
	r.Method, r.URL.Path = method, ""
	target, err := url.Parse("http://centre.test" + path + "?" + query.Encode())
	if err != nil {
		a.t.Fatal(err)
	}
	r.URL, r.RequestURI = target, target.RequestURI()
	r.Header = headers
	r.RemoteAddr = fmt.Sprintf("192.0.2.%d:4000", a.random.IntN(250))
	if len(body) > 0 {
		r.Header.Set("Content-Type", one(a, []string{"application/json", "application/json", "application/json", wire.ChunkType, "text/plain", ""}))
	}
	switch a.random.IntN(12) {
	case 0:
	case 1:
		r.Header.Set("Authorization", "Bearer "+strings.Map(inHeader, a.oddText()))
	case 2:
		r.Header.Set("Authorization", a.keys["fuzz0"]) // without a scheme
	default:
		if strings.HasPrefix(path, "/v1/shop") != a.sometimes(20) {
			r.Header.Set("Authorization", "Bearer "+a.keys[fmt.Sprint("fuzz", a.random.IntN(attackers))])
		} else {
			a.asStation(r)
		}
	}
	return r
}

// inHeader keeps what a client can put into a header at all.
func inHeader(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

// value makes a parameter's value: one that could be, or an odd one.
func (a *attacker) value(p apiParameter) string {
	known := a.ids[p.Name]
	switch {
	case a.sometimes(4):
		return a.oddText()
	case p.Name == "If-Match":
		return fmt.Sprintf("%q", fmt.Sprint(1+a.random.IntN(4)))
	case p.Name == "hold" || p.Name == "payout":
		return fmt.Sprintf("0193f1e2-7b4c-7c1a-9d55-0242ac1200%02d", a.random.IntN(6))
	case len(known) > 0:
		return one(a, known)
	case p.Schema != nil && len(p.Schema.Enum) > 0:
		return fmt.Sprint(one(a, p.Schema.Enum))
	case p.Schema != nil && p.Schema.Type == "integer":
		return fmt.Sprint(a.random.IntN(300))
	case p.Schema != nil && p.Schema.Type == "boolean":
		return one(a, []string{"true", "false"})
	}
	return fmt.Sprintf("k%d", a.random.IntN(40))
}

// body makes a body out of the operation's own example.
func (a *attacker) body(op apiOperation) []byte {
	if op.RequestBody == nil {
		if a.sometimes(4) {
			return []byte(a.oddText())
		}
		return nil
	}
	switch a.random.IntN(14) {
	case 0:
		return nil
	case 1:
		return []byte(a.oddText())
	case 2:
		return bytes.Repeat([]byte("["), 100_000) // deeper than any reader wants
	case 3:
		return bytes.Repeat([]byte(`{"a":`), 20_000)
	case 4:
		return append([]byte(`{"orders":[`), bytes.Repeat([]byte(" "), 5<<20)...)
	}
	var example any
	for _, media := range op.RequestBody.Content {
		if media.Example != nil {
			if err := json.Unmarshal(media.Example, &example); err != nil {
				a.t.Fatal(err)
			}
		}
	}
	if members, ok := example.(map[string]any); ok && members["action"] != nil && a.sometimes(2) {
		members["action"] = one(a, []string{"choose_keep", "choose_refund", "reconsider", "seller_paid", "counter_offer"})
	}
	if !a.sometimes(3) {
		example = a.spoil(example, 0)
	}
	text, err := json.Marshal(example)
	if err != nil {
		text = []byte(`{"minor": 1e400}`)
	}
	if a.sometimes(10) {
		text = text[:a.random.IntN(len(text)+1)]
	}
	return text
}

// attempt sends a request and says what is wrong with its answer.
func (a *attacker) attempt(handler http.Handler, r *http.Request) {
	described := fmt.Sprintf("%s %s", r.Method, r.RequestURI)
	w := httptest.NewRecorder()
	began := time.Now()
	if strings.HasSuffix(r.URL.Path, "/events") || strings.HasSuffix(r.URL.Path, "/changes") {
		r.Header.Set("Accept", wire.JSONType) // a stream would never end
	}
	defer func() {
		if cause := recover(); cause != nil {
			a.found("%s: panics: %v", described, cause)
		}
	}()
	handler.ServeHTTP(w, r)
	a.tried[w.Code/100]++
	if took := time.Since(began); took > tooLong {
		a.found("%s: took %v", described, took)
	}
	body := w.Body.String()
	if w.Code >= 500 {
		a.found("%s: %d %s", described, w.Code, body)
	}
	secrets := secretsOfOthers
	if !strings.HasPrefix(r.URL.Path, "/v1/shop") {
		secrets = secretsOfCustomers
	}
	for _, secret := range secrets {
		if strings.Contains(body, secret) && !strings.Contains(r.RequestURI, url.PathEscape(secret)) && w.Code < 300 {
			a.found("%s: tells %q: %.300s", described, secret, body)
		}
	}
	if w.Code >= 400 && r.Method != http.MethodHead {
		var p wire.Problem
		err := json.Unmarshal([]byte(body), &p)
		if err != nil || p.Status != w.Code || p.Type == "" || p.Title == "" || p.Help == "" || w.Header().Get("Content-Type") != wire.ProblemType {
			a.found("%s: refused without saying what to do: %d %s %.200s", described, w.Code, w.Header().Get("Content-Type"), body)
		}
	}
	if err := a.contract.breach(r, w.Code, w.Header(), w.Body.Bytes()); err != nil {
		a.found("%s: %v: %.200s", described, err, body)
	}
}

// attack tries every operation of the document.
func (a *attacker) attack(handler http.Handler, rounds int) int {
	n := 0
	for _, path := range slices.Sorted(maps.Keys(a.contract.doc.Paths)) {
		methods := a.contract.doc.Paths[path]
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			for range rounds {
				a.attempt(handler, a.request(strings.ToUpper(method), path, methods[method]))
				n++
			}
		}
	}
	return n
}

// No request brings the centre down, hangs, or brings out what is another's.
func TestAPI_NoRequestHurts(t *testing.T) {
	t.Parallel()
	a := newAttacker(t, *apiSeed)
	n := a.attack(a.pages, *apiRounds)
	t.Logf("%d requests from seed %d: answers by hundreds %v", n, *apiSeed, a.tried)
	if a.tried[2] < n/50 || a.tried[4] < n/3 {
		t.Errorf("the requests are not what they should be: answers by hundreds %v of %d", a.tried, n)
	}
	if report, err := a.c.store.Verify(t.Context()); err != nil || !report.OK() {
		t.Errorf("afterwards the centre is not sound: %v %v", report.Problems, err)
	}
}

// Each kind of fault that the attack is for must be seen by it.
func TestAPI_AFaultIsSeen(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request, []byte) bool{
		"panics on null": func(_ http.ResponseWriter, _ *http.Request, body []byte) bool {
			if bytes.Contains(body, []byte("null")) {
				panic("null")
			}
			return false
		},
		"fails on null": func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
			if !bytes.Contains(body, []byte("null")) {
				return false
			}
			wire.Refuse(w, http.StatusInternalServerError, "internal", wire.NewProblem(wire.Internal, ""))
			return true
		},
		"plain text": func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
			if len(body) == 0 {
				return false
			}
			http.Error(w, "bad request", http.StatusBadRequest)
			return true
		},
		"no help": func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			p := wire.NewProblem(wire.NotFound, "")
			p.Help = ""
			wire.Refuse(w, p.Status, p.Name(), p)
			return true
		},
		"another's order": func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			if !strings.Contains(r.URL.Path, "/orders/") {
				return false
			}
			w.Header().Set("Content-Type", wire.JSONType)
			_, _ = w.Write([]byte(`{"name":"Bo Tajný"}`))
			return true
		},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			a := newAttacker(t, 3)
			seen := 0
			a.found = func(string, ...any) { seen++ }
			a.attack(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var body bytes.Buffer
				_, _ = body.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<20))
				r.Body = http.MaxBytesReader(w, nopCloser{bytes.NewReader(body.Bytes())}, 1<<20)
				if !fault(w, r, body.Bytes()) {
					a.pages.ServeHTTP(w, r)
				}
			}), 2)
			if seen == 0 {
				t.Error("passes")
			}
		})
	}
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }
