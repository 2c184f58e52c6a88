package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/storage/storagetest"
	"flawmark/sync/shops"
	"flawmark/sync/wire"
)

// How the API is tried with hostile requests: go test ./app/central -run
// TestAPI_ -args -api.rounds 200 -api.seed 7 tries longer, or another way.
var (
	apiRounds = flag.Int("api.rounds", 72, "hostile requests of each kind to each operation of the API")
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
	tried     map[int]int            // by hundreds of the answer
	as        map[string]map[int]int // the same, by whom it came from
}

func newAttacker(t *testing.T, m *market, seed uint64) *attacker {
	t.Helper()
	a := &attacker{
		market: m, random: rand.New(rand.NewPCG(seed, 7)), found: t.Errorf, tried: map[int]int{}, as: map[string]map[int]int{},
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
		"ticket": {"A-1-T1", "B-77-T1"}, "size": {"full", "thumb"}, "picture": {string(qc.DigestOf(nil))},
	}
	for key, order := range map[string]string{"acme": "A-1", "other": "B-77"} {
		wants[shops.TicketView](a.market, a.ask(key, "POST", "/v1/shop/orders/"+order+"/tickets",
			fmt.Sprintf(`{"topic":"question","text":%q}`, map[string]string{"acme": "mine", "other": "wish of Bo"}[key]),
			"Idempotency-Key: first"), http.StatusCreated)
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
		kind := a.contentType(op)
		if kind == "multipart/form-data" && takesForm(op) && a.sometimes(2) {
			body, kind = a.form(op)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		r.Header.Set("Content-Type", kind)
	}
	for _, name := range []string{"If-Match", "Idempotency-Key", "Content-Type", "Authorization"} {
		if a.sometimes(15) {
			r.Header.Add(name, strings.Map(inHeader, a.oddText())) // a second one
		}
	}
	return r
}

// contentType is what a body is said to be: mostly what it should be.
func (a *attacker) contentType(op apiOperation) string {
	if a.sometimes(3) {
		return one(a, []string{
			"", "text/plain", "application/xml", "application/json; charset=utf-16", "application/problem+json", "application/jsonx",
			"multipart/form-data", "multipart/form-data; boundary=x", wire.ChunkType, "application/x-www-form-urlencoded", ";;", "九",
		})
	}
	if op.RequestBody == nil {
		return wire.JSONType
	}
	return one(a, slices.Sorted(maps.Keys(op.RequestBody.Content)))
}

func takesForm(op apiOperation) bool {
	return op.RequestBody != nil && op.RequestBody.Content["multipart/form-data"].Schema != nil
}

// form makes a form with photos out of the operation's own example.
func (a *attacker) form(op apiOperation) (body []byte, kind string) {
	var example map[string]any
	if err := json.Unmarshal(op.RequestBody.Content[wire.JSONType].Example, &example); err != nil {
		a.t.Fatal(err)
	}
	fields := map[string]string{}
	for name, value := range example {
		if fields[name] = fmt.Sprint(value); a.sometimes(6) {
			fields[name] = a.oddText()
		}
	}
	if a.sometimes(6) {
		fields[a.oddText()] = a.oddText()
	}
	delete(fields, "item") // of which it has none
	var photos [][]byte
	for range a.random.IntN(6) {
		photo := photoFile(a.t, 4+a.random.IntN(40))
		if a.sometimes(3) {
			photo = photo[:a.random.IntN(len(photo))]
		}
		photos = append(photos, photo)
	}
	text, kind := form(a.t, fields, photos...)
	if a.sometimes(5) {
		text = text[:a.random.IntN(len(text))]
	}
	return []byte(text), kind
}

// credential lets a request come from somebody, and says who that is.
func (a *attacker) credential(r *http.Request) string {
	shop := strings.HasPrefix(r.URL.Path, "/v1/shop") != a.sometimes(20)
	switch a.random.IntN(12) {
	case 0:
		return "nobody"
	case 1:
		r.Header.Set("Authorization", "Bearer "+strings.Map(inHeader, a.oddText()))
		return "a forger"
	case 2:
		r.Header.Set("Authorization", a.keys["fuzz0"]) // without a scheme
		return "a forger"
	case 3, 4: // whoever holds a customer's link
		switch a.random.IntN(3) {
		case 0:
			r.Header.Set("Authorization", "Bearer "+a.token)
		case 1:
			r.Header.Set("Cookie", "order="+a.token)
		default:
			query := r.URL.Query()
			query.Set("t", a.token)
			r.URL.RawQuery = query.Encode()
			r.RequestURI = r.URL.RequestURI()
		}
		return "a customer"
	}
	if shop {
		r.Header.Set("Authorization", "Bearer "+a.keys[fmt.Sprint("fuzz", a.random.IntN(attackers))])
		return "a shop"
	}
	a.asStation(r)
	return "a station"
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
	switch a.random.IntN(16) {
	case 5, 6: // the same member twice
		for _, media := range op.RequestBody.Content {
			if text := bytes.TrimSpace(media.Example); len(text) > 2 && text[0] == '{' {
				return slices.Concat(text[:len(text)-1], []byte(","), text[1:])
			}
		}
		return []byte(`{"a":1,"a":2}`)
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
	who := a.credential(r)
	described += " by " + who
	handler.ServeHTTP(w, r)
	a.tried[w.Code/100]++
	if a.as[who] == nil {
		a.as[who] = map[int]int{}
	}
	a.as[who][w.Code/100]++
	if took := time.Since(began); took > tooLong {
		a.found("%s: took %v", described, took)
	}
	body := w.Body.String()
	if w.Code < 300 && who != "a shop" && who != "a station" && a.contract.guarded(r) {
		a.found("%s: %d %.300s", described, w.Code, body)
	}
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
		sentence := len(p.Help) > 20 && strings.ContainsAny(p.Help[len(p.Help)-1:], ".”")
		if err != nil || p.Status != w.Code || p.Type == "" || p.Title == "" || !sentence || w.Header().Get("Content-Type") != wire.ProblemType {
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

// No request brings the centre down, hangs, or brings out what is another's,
// whoever sends it and whatever keeps the books.
func TestAPI_NoRequestHurts(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) *market{
		"SQLite": newMarket,
		"PostgreSQL": func(t *testing.T) *market {
			t.Helper()
			return newMarketAt(t, storagetest.StartPostgres(t).Database(t))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAttacker(t, open(t), *apiSeed)
			n := a.attack(a.pages, *apiRounds)
			t.Logf("%d requests from seed %d: answers by hundreds %v, by sender %v", n, *apiSeed, a.tried, a.as)
			if a.tried[2] < n/50 || a.tried[4] < n/3 || a.as["a shop"][2] == 0 || a.as["a station"][2] == 0 {
				t.Errorf("the requests are not what they should be: answers by hundreds %v of %d, by sender %v", a.tried, n, a.as)
			}
			if report, err := a.c.store.Verify(t.Context()); err != nil || !report.OK() {
				t.Errorf("afterwards the centre is not sound: %v %v", report.Problems, err)
			}
		})
	}
}

// A body of just as much as an operation says that it takes is read, and one of
// a byte more is refused for that and nothing else.
func TestAPI_BodiesAtTheirLimit(t *testing.T) {
	t.Parallel()
	a := newAttacker(t, newMarket(t), 5)
	limit := regexp.MustCompile(`at most (\d+) (K|M)iB`)
	n := 0
	for path, methods := range a.contract.doc.Paths {
		for method, op := range methods {
			if op.RequestBody == nil || op.RequestBody.Content[wire.JSONType].Example == nil {
				continue
			}
			said := limit.FindStringSubmatch(op.RequestBody.Description)
			if said == nil {
				t.Errorf("%s says nothing of how large its body may be: %s", op.OperationID, op.RequestBody.Description)
				continue
			}
			most, err := strconv.Atoi(said[1])
			a.must(err)
			most <<= map[string]int{"K": 10, "M": 20}[said[2]]
			for _, beyond := range []int{0, 1} {
				body := append(bytes.Clone(op.RequestBody.Content[wire.JSONType].Example), bytes.Repeat([]byte(" "), most)...)[:most+beyond]
				at := path
				for name, known := range a.ids {
					at = strings.ReplaceAll(at, "{"+name+"}", url.PathEscape(known[0]))
				}
				at = regexp.MustCompile(`\{(hold|payout|hook)\}`).ReplaceAllString(at, "0193f1e2-7b4c-7c1a-9d55-0242ac120099")
				r := httptest.NewRequest(strings.ToUpper(method), "http://centre.test"+at, bytes.NewReader(body))
				r.RemoteAddr = fmt.Sprintf("192.0.2.%d:4000", n%250)
				r.Header.Set("Content-Type", wire.JSONType)
				r.Header.Set("Idempotency-Key", fmt.Sprint("limit", n))
				r.Header.Set("If-Match", `"1"`)
				if strings.HasPrefix(path, "/v1/shop") {
					r.Header.Set("Authorization", "Bearer "+a.keys[fmt.Sprint("fuzz", n%attackers)])
				} else {
					a.asStation(r)
				}
				w := httptest.NewRecorder()
				a.pages.ServeHTTP(w, r)
				if (w.Code == http.StatusRequestEntityTooLarge) != (beyond > 0) {
					t.Errorf("%s: a body of %d bytes, of %d: %d %.200s", op.OperationID, len(body), most, w.Code, w.Body)
				}
				n++
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d bodies were tried", n)
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
		"open to anybody": func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			if !strings.HasPrefix(r.URL.Path, "/v1/shop") {
				return false
			}
			w.Header().Set("Content-Type", wire.JSONType)
			_, _ = w.Write([]byte(`{}`))
			return true
		},
		"help without a sentence": func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			p := wire.NewProblem(wire.NotFound, "")
			p.Help = "bad request"
			wire.Refuse(w, p.Status, p.Name(), p)
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
			a := newAttacker(t, newMarket(t), 3)
			seen := 0
			a.found = func(string, ...any) { seen++ }
			a.attack(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var body bytes.Buffer
				_, _ = body.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<20))
				r.Body = http.MaxBytesReader(w, nopCloser{bytes.NewReader(body.Bytes())}, 1<<20)
				if !fault(w, r, body.Bytes()) {
					a.pages.ServeHTTP(w, r)
				}
			}), 6)
			if seen == 0 {
				t.Error("passes")
			}
		})
	}
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }
