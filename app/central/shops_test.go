package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"flawmark/app/command"
	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
	"flawmark/storage/central"
	"flawmark/sync/shops"
	"flawmark/sync/wire"
)

// market is a house at whose door shops' systems speak.
type market struct {
	*house
	contract *contract
	keys     map[string]string // secrets by name
	ids      map[string]string
}

func newMarket(t *testing.T) *market {
	t.Helper()
	return newMarketAt(t, "")
}

// newMarketAt is newMarket with its books in a database; empty: its own.
func newMarketAt(t *testing.T, database string) *market {
	t.Helper()
	terms, err := refund.ReadPolicies(assets.Policies())
	if err != nil {
		t.Fatal(err)
	}
	inside := newHouse(t, func(c *central.Config) { c.URL, c.Terms = database, terms })
	m := &market{house: inside, keys: map[string]string{}, ids: map[string]string{}}
	m.contract = newContract(t, m.pages)
	all := shops.Scopes()
	m.key("acme", "acme", false, all...)
	m.key("other", "other", false, all...)
	m.key("house", "house", true, all...)
	m.key("none", "acme", false)
	return m
}

func (m *market) key(name, shop string, allOrders bool, scopes ...string) {
	m.t.Helper()
	k, secret, err := m.c.store.AddShopKey(m.t.Context(), shop, scopes, allOrders, m.now)
	m.must(err)
	m.keys[name], m.ids[name] = secret, k.ID
}

// ask sends one request; headers are "Name: value".
func (m *market) ask(key, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	m.t.Helper()
	r := httptest.NewRequest(method, "http://centre.test"+path, strings.NewReader(body))
	if secret, ok := m.keys[key]; ok {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	m.pages.ServeHTTP(w, r)
	m.contract.keeps(r, w)
	return w
}

// wants fails the test unless the answer is of that status, and returns it read.
func wants[T any](m *market, w *httptest.ResponseRecorder, status int) T {
	m.t.Helper()
	var out T
	if w.Code != status {
		m.t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		m.t.Fatalf("%v: %s", err, w.Body)
	}
	return out
}

type refusalSeen struct {
	Type, Detail, Help, Code, ETag string
	Faults                         []shops.OrderFault
	Case                           *shops.Case
	Instructions                   *shops.InstructionsView
}

func (m *market) refused(w *httptest.ResponseRecorder, status int, uri string) refusalSeen {
	m.t.Helper()
	p := wants[refusalSeen](m, w, status)
	if p.Type != uri || p.Help == "" || w.Header().Get("Content-Type") != wire.ProblemType {
		m.t.Fatalf("refused with %s (%s), want %s: %s", p.Type, w.Header().Get("Content-Type"), uri, w.Body)
	}
	return p
}

func marketOrder(order, customer, item string) string {
	return fmt.Sprintf(`{"orders":[{"id":%q,"customer":{"id":%q,"name":"Ana","language":"en"},"placed_at":"2026-11-20T09:00:00Z",
		"items":[{"id":%q,"title_en":"Shoes","quantity":1,"unit_price_fen":38900,"freight_in_fen":1200,"seller":"店","stocked_in_hours_ago":10}]}]}`,
		order, customer, item)
}

// flagged brings an order of acme's and lets the bench find a flaw in it.
func (m *market) flagged(order string) shops.CaseSummary {
	m.t.Helper()
	return m.flaggedOf(order, marketOrder(order, "AC-"+order, order+"-1"), flaw("a", "N01", "house note"), flaw("b", "H11", ""))
}

// flaggedOf is flagged for an order of another content, and other flaws.
func (m *market) flaggedOf(order, content string, flaws ...qc.Flaw) shops.CaseSummary {
	m.t.Helper()
	wants[shops.ImportDone](m, m.ask("acme", "POST", "/v1/shop/orders", content), 200)
	f := m.finding(qc.FindingID("f-"+order), 1, flaws...)
	f.Item, f.Order = qc.ItemID(order+"-1"), qc.OrderID(order)
	m.say(qc.FindingRecorded, f)
	list := wants[shops.CaseList](m, m.ask("acme", "GET", "/v1/shop/cases?order="+order, ""), 200)
	if len(list.Items) != 1 {
		m.t.Fatalf("cases %+v", list)
	}
	return list.Items[0]
}

func TestShops_FromOrderToDecision(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	me := wants[shops.KeyView](m, m.ask("acme", "GET", "/v1/shop", ""), 200)
	if me.Shop != "acme" || me.ID != m.ids["acme"] || len(me.Scopes) != len(shops.Scopes()) {
		t.Errorf("the key is %+v", me)
	}
	done := wants[shops.ImportDone](m, m.ask("acme", "POST", "/v1/shop/orders", marketOrder("A-1", "AC-A-1", "A-1-1")), 200)
	if done != (shops.ImportDone{Orders: 1, Items: 1}) {
		t.Errorf("imported %+v", done)
	}
	summary := m.flagged("A-1")
	w := m.ask("acme", "GET", "/v1/shop/cases/"+summary.ID, "")
	c := wants[shops.Case](m, w, 200)
	if w.Header().Get("ETag") != c.ETag || c.ETag != summary.ETag {
		t.Errorf("ETag %s, in the case %s, in the list %s", w.Header().Get("ETag"), c.ETag, summary.ETag)
	}
	if c.Status != "awaiting_decision" || c.StatusWords.ZH == "" || c.StatusWords.EN == c.StatusWords.ZH || len(c.Choices) != 3 {
		t.Errorf("the case is %+v", c)
	}
	if body := w.Body.String(); strings.Contains(body, "house note") || strings.Contains(body, "inspector-u12") || strings.Contains(body, "N01") {
		t.Errorf("it tells what is only for the house: %s", body)
	}
	if f := c.Findings[0]; len(f.Flaws) != 1 || f.Flaws[0].Number != 2 || f.Flaws[0].Name.ZH == "" {
		t.Errorf("flaws %+v", f.Flaws)
	}
	for _, action := range c.Actions {
		if action.Allowed == (action.Why != nil) || action.Words.EN == action.Words.ZH || strings.Contains(action.Words.EN, ".") {
			t.Errorf("action %+v", action)
		}
	}
	act := func(key, body string, headers ...string) *httptest.ResponseRecorder {
		return m.ask("acme", "POST", "/v1/shop/cases/"+c.ID+"/actions", body, append(headers, "Idempotency-Key: "+key)...)
	}
	keep, refundIt := `{"action":"choose_keep"}`, `{"action":"choose_refund"}`
	m.refused(act("k0", keep), 428, wire.PreconditionRequired)
	m.refused(act("k0", keep, "If-Match: *"), 422, wire.Malformed)
	m.refused(act("", keep, "If-Match: "+c.ETag), 400, wire.IdempotencyKeyNeeded)
	m.refused(act("k0", `{"action":"seller_paid"}`, "If-Match: "+c.ETag), 422, wire.Malformed)
	if p := m.refused(act("k0", `{"action":"reconsider"}`, "If-Match: "+c.ETag), 409, wire.ActionRefused); p.Code != "case_moved_on" {
		t.Errorf("refused: %+v", p)
	}
	stale := m.refused(act("k1", refundIt, `If-Match: "99"`), 412, wire.CaseChanged)
	if stale.Case == nil || stale.Case.Version != c.Version || stale.ETag != c.ETag {
		t.Errorf("the case as it is: %+v", stale)
	}
	first := act("k1", refundIt, "If-Match: "+stale.ETag) // the same key: nothing had happened
	after := wants[shops.Case](m, first, 200)
	if after.Status != "negotiating" || after.Version != c.Version+1 || first.Header().Get("ETag") != after.ETag {
		t.Errorf("after: %s version %d", after.Status, after.Version)
	}
	again := act("k1", refundIt, "If-Match: "+c.ETag)
	if again.Code != 200 || again.Body.String() != first.Body.String() || again.Header().Get("ETag") != first.Header().Get("ETag") {
		t.Errorf("repeated: %d %s", again.Code, again.Body)
	}
	m.refused(act("k1", keep, "If-Match: "+after.ETag), 422, wire.IdempotencyKeyReused)
	back := wants[shops.Case](m, act("k2", `{"action":"reconsider"}`, "If-Match: "+after.ETag), 200)
	if back.Status != "awaiting_decision" {
		t.Errorf("taken back: %s", back.Status)
	}
	if again := act("k1", refundIt, "If-Match: "+back.ETag); again.Body.String() != first.Body.String() {
		t.Errorf("repeated after more has happened: %s", again.Body)
	}
	link := wants[shops.LinkView](m, m.ask("acme", "POST", "/v1/shop/orders/A-1/link", ""), 201)
	page := httptest.NewRecorder()
	m.pages.ServeHTTP(page, httptest.NewRequest("GET", strings.Replace(link.URL, m.c.public(), "http://centre.test", 1), nil))
	if page.Code != http.StatusSeeOther {
		t.Errorf("the link %s opens with %d", link.URL, page.Code)
	}
	if w := m.ask("acme", "DELETE", "/v1/shop/orders/A-1/link", ""); w.Code != 204 {
		t.Errorf("unlink: %d %s", w.Code, w.Body)
	}
	audited := m.audit()
	for _, action := range []string{"orders.import", "shop.act", "order.link", "order.unlink"} {
		if !strings.Contains(audited, "key:"+m.ids["acme"]+" "+action) {
			t.Errorf("the audit trail does not name the key for %s:\n%s", action, audited)
		}
	}
}

// audit returns who did what, a line each.
func (m *market) audit() string {
	m.t.Helper()
	report, err := m.c.store.Verify(m.t.Context())
	m.must(err)
	if !report.OK() {
		m.t.Fatal(report.Problems)
	}
	db, err := sql.Open("sqlite", filepath.Join(m.c.settings.Data, "central.db"))
	m.must(err)
	defer db.Close()
	var lines string
	m.must(db.QueryRow(`SELECT group_concat(actor || ' ' || action || ' ' || object, char(10)) FROM audit`).Scan(&lines))
	return lines
}

// Everything a key has no scope for is refused, and everything of others is as
// if it were not there.
func TestShops_DenyByDefault(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	c := m.flagged("A-1")
	photo := "/findings/f-A-1/photos/p1"
	for _, each := range []struct {
		method, path, body string
		scopes             []string
		status             int // to whom it belongs
		others             int
	}{
		{"GET", "/v1/shop", "", nil, 200, 200},
		{"POST", "/v1/shop/orders", marketOrder("A-1", "AC-A-1", "A-1-1"), []string{"orders:write"}, 200, 422},
		{"GET", "/v1/shop/orders/A-1", "", []string{"orders:write", "cases:read"}, 200, 404},
		{"POST", "/v1/shop/orders/A-1/link", "", []string{"cases:decide"}, 201, 404},
		{"DELETE", "/v1/shop/orders/A-1/link", "", []string{"cases:decide"}, 204, 404},
		{"GET", "/v1/shop/cases", "", []string{"cases:read"}, 200, 200},
		{"GET", "/v1/shop/cases?after=" + c.ID, "", []string{"cases:read"}, 200, 404},
		{"GET", "/v1/shop/cases/" + c.ID, "", []string{"cases:read"}, 200, 404},
		{"GET", "/v1/shop/cases/" + c.ID + photo, "", []string{"cases:read"}, 200, 404},
		{"POST", "/v1/shop/cases/" + c.ID + "/actions", `{"action":"choose_keep"}`, []string{"cases:decide"}, 200, 404},
		{"GET", "/v1/shop/events", "", []string{"events:read"}, 200, 200},
	} {
		name := each.method + " " + each.path
		ask := func(key string) *httptest.ResponseRecorder {
			return m.ask(key, each.method, each.path, each.body, "If-Match: "+c.ETag, "Idempotency-Key: "+each.path)
		}
		for _, scope := range append(shops.Scopes(), "") {
			m.key("one", "acme", false, scope)
			w := ask("one")
			if may := len(each.scopes) == 0 || slices.Contains(each.scopes, scope); may && w.Code != each.status {
				t.Errorf("%s with %q: %d %s, want %d", name, scope, w.Code, w.Body, each.status)
			} else if !may && w.Code != 403 {
				t.Errorf("%s with %q: %d, want 403", name, scope, w.Code)
			}
		}
		w := ask("other")
		if w.Code != each.others || strings.Contains(w.Body.String(), "Ana") || strings.Contains(w.Body.String(), "A-1-1") && each.method == "GET" {
			t.Errorf("another shop's %s: %d %s, want %d", name, w.Code, w.Body, each.others)
		}
		if w := ask("house"); w.Code != each.status && w.Code != 412 { // acme has acted on it
			t.Errorf("the house's %s: %d %s, want %d", name, w.Code, w.Body, each.status)
		}
		for _, stranger := range []string{"nobody", "forged"} {
			m.keys["forged"] = m.keys["acme"][:len(m.keys["acme"])-1]
			m.refused(ask(stranger), 401, wire.NotAuthenticated)
		}
	}
	m.must(m.c.store.RevokeShopKey(t.Context(), m.ids["acme"], m.now))
	m.refused(m.ask("acme", "GET", "/v1/shop", ""), 401, wire.NotAuthenticated)
	// Orders of the command line are nobody's but the house's.
	m.refused(m.ask("other", "GET", "/v1/shop/orders/1", ""), 404, wire.NotFound)
	wants[shops.OrderView](m, m.ask("house", "GET", "/v1/shop/orders/1", ""), 200)
}

func TestShops_RefusedOrdersListEveryFault(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	body := strings.Replace(marketOrder("A-1", "AC-1", "A-1-1"), `"quantity":1`, `"quantity":0`, 1)
	p := m.refused(m.ask("acme", "POST", "/v1/shop/orders", body), 422, wire.OrdersRefused)
	if len(p.Faults) != 1 || p.Faults[0].Member != "quantity" || p.Faults[0].Item != "A-1-1" || p.Faults[0].Order != "A-1" {
		t.Errorf("faults %+v", p.Faults)
	}
	m.refused(m.ask("acme", "GET", "/v1/shop/orders/A-1", ""), 404, wire.NotFound)
	m.refused(m.ask("acme", "POST", "/v1/shop/orders", strings.Repeat(" ", 5<<20)), 413, wire.TooLarge)
	m.refused(m.ask("acme", "POST", "/v1/shop/orders", "{"), 422, wire.Malformed)
}

// A key that asks too often is told when to come back; others are not.
func TestShops_Rates(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	last := 0
	for range 1300 {
		w := m.ask("acme", "GET", "/v1/shop", "")
		if last = w.Code; last != 200 {
			if m.refused(w, 429, wire.TooManyRequests); w.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			break
		}
	}
	if last != 429 {
		t.Error("a key may ask without end")
	}
	if w := m.ask("other", "GET", "/v1/shop", ""); w.Code != 200 {
		t.Errorf("another key: %d", w.Code)
	}
	for range 200 {
		last = m.ask("nobody", "GET", "/v1/shop", "").Code
	}
	if last != 429 {
		t.Error("keys can be guessed without end")
	}
}

func TestShops_EventsByPollAndStream(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	server := httptest.NewServer(m.pages)
	t.Cleanup(server.Close)
	c := m.flagged("A-1")
	page := wants[shops.EventPage](m, m.ask("acme", "GET", "/v1/shop/events", ""), 200)
	if len(page.Items) != 1 || page.Items[0].Type != "case.qc_problem" || page.Items[0].Data.Case != c.ID || !page.UpToDate {
		t.Fatalf("page %+v", page)
	}
	list := wants[shops.CaseList](m, m.ask("acme", "GET", "/v1/shop/cases", ""), 200)
	if list.Events != page.Next || page.Items[0].ID != page.Next {
		t.Errorf("the list was read at %s, the page ends at %s, its event is %s", list.Events, page.Next, page.Items[0].ID)
	}
	p := m.refused(m.ask("acme", "GET", "/v1/shop/events?after=other.1", ""), 410, wire.CursorExpired)
	if p.Help == "" {
		t.Error("it does not say what to do")
	}
	m.refused(m.ask("acme", "GET", "/v1/shop/events?after=nonsense", ""), 422, wire.Malformed)
	m.refused(m.ask("acme", "GET", "/v1/shop/events?limit=0", ""), 422, wire.Malformed)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	open := func(header, value, query string) *http.Response {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/v1/shop/events"+query, nil)
		m.must(err)
		r.Header.Set("Authorization", "Bearer "+m.keys["acme"])
		r.Header.Set(header, value)
		answer, err := http.DefaultClient.Do(r)
		m.must(err)
		return answer
	}
	stream := open("Accept", "text/event-stream", "?after="+page.Next)
	defer stream.Body.Close()
	var polled shops.EventPage
	var waiting sync.WaitGroup
	waiting.Go(func() {
		answer := open("Accept", "application/json", "?wait=20&after="+page.Next)
		defer answer.Body.Close()
		if err := json.NewDecoder(answer.Body).Decode(&polled); err != nil {
			t.Error(err)
		}
	})
	w := m.ask("acme", "POST", "/v1/shop/cases/"+c.ID+"/actions", `{"action":"choose_keep"}`, "If-Match: "+c.ETag, "Idempotency-Key: keep")
	wants[shops.Case](m, w, 200)
	lines := bufio.NewScanner(stream.Body)
	var said []string
	for lines.Scan() && lines.Text() != "" {
		said = append(said, lines.Text())
	}
	waiting.Wait()
	if len(polled.Items) != 1 || len(said) != 3 || said[0] != "id: "+polled.Next || said[1] != "event: case.changed" || !strings.HasPrefix(said[2], "data: {") {
		t.Errorf("stream %q, poll %+v", said, polled)
	}
	m.must(m.c.store.RevokeShopKey(t.Context(), m.ids["acme"], m.now))
	if _, err := io.Copy(io.Discard, stream.Body); err != nil {
		t.Errorf("a revoked key's stream ends with %v", err)
	}
}

// Many who act at once on one case: one succeeds, the others see what it did.
func TestShops_ActsAtOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	c := m.flagged("A-1")
	var all sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	for i := range 16 {
		all.Go(func() {
			w := m.ask("acme", "POST", "/v1/shop/cases/"+c.ID+"/actions", `{"action":"choose_refund"}`,
				"If-Match: "+c.ETag, fmt.Sprintf("Idempotency-Key: k%d", i))
			mu.Lock()
			counts[w.Code]++
			mu.Unlock()
		})
	}
	all.Wait()
	if counts[200] != 1 || counts[412] != 15 {
		t.Errorf("answers %v, want one 200 and fifteen 412", counts)
	}
	counts = map[int]int{}
	var bodies []string
	now := wants[shops.Case](m, m.ask("acme", "GET", "/v1/shop/cases/"+c.ID, ""), 200)
	for range 16 {
		all.Go(func() {
			w := m.ask("acme", "POST", "/v1/shop/cases/"+c.ID+"/actions", `{"action":"reconsider"}`, "If-Match: "+now.ETag, "Idempotency-Key: same")
			mu.Lock()
			counts[w.Code]++
			if w.Code == 200 {
				bodies = append(bodies, w.Body.String())
			}
			mu.Unlock()
		})
	}
	all.Wait()
	if counts[200] < 1 || counts[200]+counts[409] != 16 || len(slices.Compact(bodies)) != 1 {
		t.Errorf("answers %v with %d different bodies", counts, len(slices.Compact(bodies)))
	}
	last, err := m.c.store.Case(t.Context(), qc.CaseID(c.ID))
	m.must(err)
	if last.Version != now.Version+1 || last.Status != refund.AwaitingDecision {
		t.Errorf("the case is %s in version %d", last.Status, last.Version)
	}
}

func TestShopCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if code := program().Main(t.Context(), append(args, "--data", dir, "--lang", "en"), nil, dir, &out, &out); code != want {
			t.Fatalf("%v: code %d, want %d: %s", args, code, want, &out)
		}
		return out.String()
	}
	run(1, "shop", "add")
	run(1, "shop", "add", "acme", "--scope", "everything")
	run(1, "shop", "add", " ")
	added := run(0, "shop", "add", "acme", "--scope", "cases:read,events:read")
	if !strings.Contains(added, "fmk_") {
		t.Errorf("added: %s", added)
	}
	var listed central.ShopKey
	if err := json.Unmarshal([]byte(run(0, "shop", "list", "--json")), &listed); err != nil || listed.Shop != "acme" || len(listed.Scopes) != 2 {
		t.Errorf("listed %+v, %v", listed, err)
	}
	if list := run(0, "shop", "list"); strings.Contains(list, "fmk_") || !strings.Contains(list, listed.ID) {
		t.Errorf("listed %s", list)
	}
	const url = "https://shop.example.com/hook?key=secret"
	if said := run(1, "webhook", "add", url, "--shop", "acne"); !strings.Contains(said, "No shop is called acne") {
		t.Errorf("of a shop that is not there: %s", said)
	}
	if said := run(1, "webhook", "add", url, "--shop", "acme", "--all-orders"); !strings.Contains(said, "not both") {
		t.Errorf("of one shop and of all: %s", said)
	}
	for _, whose := range [][]string{{"--shop", "acme"}, {"--all-orders"}, nil} {
		if said := run(0, append([]string{"webhook", "add", url}, whose...)...); !strings.Contains(said, "whsec_") {
			t.Errorf("added: %s", said)
		}
	}
	list := run(0, "webhook", "list")
	for _, want := range []string{"acme", "all orders", "orders of no shop", "https://shop.example.com/hook?"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list does not say %q: %s", want, list)
		}
	}
	if strings.Contains(list, "whsec_") || strings.Contains(list, "key=secret") {
		t.Errorf("the list tells a secret: %s", list)
	}
	run(0, "shop", "revoke", listed.ID)
	run(1, "shop", "revoke", listed.ID)
}

// Whoever ends a key hears of the webhooks that it leaves behind.
func TestShopCommands_RevokeNamesWebhooks(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	wants[shops.HookView](m, m.ask("acme", "PUT", "/v1/shop/webhooks/0193f1e2-7b4c-7c1a-9d55-0242ac120002", `{"url":"https://shop.example.com/a?b=c"}`), 200)
	words, err := assets.LoadWords("en")
	m.must(err)
	var out bytes.Buffer
	m.must(revokeShop(t.Context(), &command.Call{Args: []string{m.ids["acme"]}, Out: &out, Words: words}, m.c))
	if said := out.String(); !strings.Contains(said, "webhook remove 0193f1e2-7b4c-7c1a-9d55-0242ac120002") || strings.Contains(said, "b=c") {
		t.Errorf("said %q", said)
	}
}

// credited brings money onto the balance of acme's customer: the seller pays.
func (m *market) credited(order string) {
	m.t.Helper()
	c := m.flagged(order)
	body := `{"action":"choose_refund"}`
	wants[shops.Case](m, m.ask("acme", "POST", "/v1/shop/cases/"+c.ID+"/actions", body, "If-Match: "+c.ETag, "Idempotency-Key: "+order), 200)
	clerk := refund.Actor{Party: refund.ByClerk, ID: "clerk3"}
	for _, e := range []refund.Event{
		{Kind: refund.AgreedRefund, Actor: clerk},
		{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-" + order},
	} {
		_, err := m.c.store.Act(m.t.Context(), qc.CaseID(c.ID), 0, e, "")
		m.must(err)
	}
}

func TestShops_Balance(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.credited("A-1")
	at := "/v1/shop/customers/AC-A-1/"
	balance := func() shops.Balance {
		return wants[shops.Balance](m, m.ask("acme", "GET", at+"balance", ""), 200)
	}
	if b := balance(); b.Available.Minor != 40100 || b.Held.Minor != 0 {
		t.Fatalf("balance %+v", b)
	}
	const id, more = "0193F1E2-7b4c-7c1a-9d55-0242ac120002", "0193f1e2-7b4c-7c1a-9d55-0242ac120003"
	want := func(minor int) string {
		return fmt.Sprintf(`{"customer":"AC-A-1","amount":{"minor":%d,"currency":"CNY"},"ref":"AC-2","lasts_seconds":900}`, minor)
	}
	for range 2 { // the same again is the same
		h := wants[shops.HoldView](m, m.ask("acme", "PUT", "/v1/shop/holds/"+id, want(30000)), 200)
		if h.State != "pending" || h.ID != strings.ToLower(id) || h.Amount.Minor != 30000 {
			t.Errorf("hold %+v", h)
		}
	}
	if b := balance(); b.Available.Minor != 10100 || b.Held.Minor != 30000 {
		t.Errorf("after setting aside: %+v", b)
	}
	if p := m.refused(m.ask("acme", "PUT", "/v1/shop/holds/"+id, want(1)), 409, wire.MoneyRefused); p.Code != "hold_reused" {
		t.Errorf("another content: %+v", p)
	}
	if p := m.refused(m.ask("acme", "PUT", "/v1/shop/holds/"+more, want(10101)), 409, wire.MoneyRefused); p.Code != "balance_short" {
		t.Errorf("too much: %+v", p)
	}
	spend := `{"amount":{"minor":25000,"currency":"CNY"}}`
	for range 2 {
		h := wants[shops.HoldView](m, m.ask("acme", "POST", "/v1/shop/holds/"+id+"/spend", spend), 200)
		if h.State != "spent" || h.Spent.Minor != 25000 {
			t.Errorf("spent %+v", h)
		}
	}
	if p := m.refused(m.ask("acme", "POST", "/v1/shop/holds/"+id+"/release", ""), 409, wire.MoneyRefused); p.Code != "hold_over" {
		t.Errorf("released after it was spent: %+v", p)
	}
	payout := `{"customer":"AC-A-1","amount":{"minor":5100,"currency":"CNY"},"to":"PayPal ana@example.com"}`
	for range 2 {
		w := wants[shops.WithdrawalView](m, m.ask("acme", "PUT", "/v1/shop/withdrawals/"+more, payout), 200)
		if w.State != "asked" || w.Amount.Minor != 5100 {
			t.Errorf("withdrawal %+v", w)
		}
	}
	wants[shops.WithdrawalView](m, m.ask("acme", "GET", "/v1/shop/withdrawals/"+more, ""), 200)
	if b := balance(); b.Available.Minor != 10000 || b.Held.Minor != 5100 || b.Posted.Minor != 15100 {
		t.Errorf("in the end %+v", b)
	}
	var lines []shops.StatementLine
	for after := ""; ; {
		page := wants[shops.Statement](m, m.ask("acme", "GET", at+"statement?limit=2&after="+after, ""), 200)
		lines = append(lines, page.Items...)
		if after = page.Next; after == "" {
			break
		}
	}
	if last := lines[len(lines)-1]; last.Number != len(lines) || last.Available.Minor != 10000 || last.Held.Minor != 5100 {
		t.Errorf("the statement ends with %+v", last)
	}
	memo := wants[shops.MemoView](m, m.ask("acme", "GET", fmt.Sprint("/v1/shop/memos/", lines[0].Memo), ""), 200)
	sum := int64(0)
	for _, line := range memo.Lines {
		if sum += line.Amount.Minor; strings.Contains(line.Words.EN, ".") || line.Words.EN == line.Words.ZH {
			t.Errorf("a memo's line is %+v", line)
		}
	}
	if memo.Net.Minor != 40100 || sum != 40100 || memo.Item != "A-1-1" || memo.Printed != "CM-000001" || len(memo.Lines) < 2 {
		t.Errorf("the memo is %+v", memo)
	}
	memos := fmt.Sprint("/v1/shop/memos/", memo.Number)
	for _, path := range []string{at + "balance", at + "statement", "/v1/shop/holds/" + id, "/v1/shop/withdrawals/" + more, memos} {
		m.refused(m.ask("other", "GET", path, ""), 404, wire.NotFound)
		m.key("reader", "acme", false, "cases:read")
		m.refused(m.ask("reader", "GET", path, ""), 403, wire.ScopeMissing)
	}
	m.key("reader", "acme", false, "balance:read")
	for _, path := range []string{"PUT /v1/shop/holds/" + more, "PUT /v1/shop/withdrawals/" + more, "POST /v1/shop/holds/" + id + "/spend", "POST /v1/shop/holds/" + id + "/release"} {
		method, path, _ := strings.Cut(path, " ")
		m.refused(m.ask("reader", method, path, want(1)), 403, wire.ScopeMissing)
	}
	for key, path := range map[string]string{"PUT": "/v1/shop/holds/0193f1e2-7b4c-7c1a-9d55-0242ac120009"} {
		m.refused(m.ask("other", key, path, want(1)), 404, wire.NotFound) // not its customer
	}
	m.refused(m.ask("other", "POST", "/v1/shop/holds/"+id+"/spend", spend), 404, wire.NotFound)
	if audited := m.audit(); strings.Count(audited, "key:"+m.ids["acme"]+" shop.spend") != 1 {
		t.Errorf("the audit trail does not name the key once:\n%s", audited)
	}
}
