package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/storagetest"
	"flawmark/sync/shops"
	"flawmark/sync/wire"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestShopsOn_SQLite(t *testing.T) {
	t.Parallel()
	testShops(t, newMarket)
}

func TestShopsOn_PostgreSQL(t *testing.T) {
	t.Parallel()
	server := storagetest.StartPostgres(t)
	testShops(t, func(t *testing.T) *market {
		t.Helper()
		return newMarketAt(t, server.Database(t))
	})
}

// testShops is what a shop's system can say for its customers, on every kind of
// database.
func testShops(t *testing.T, open func(t *testing.T) *market) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *market){
		"split": testShopsSplit, "claims": testShopsClaims, "instructions": testShopsInstructions, "tickets": testShopsTickets,
		"consent": testShopsConsent, "webhooks": testShopsWebhooks, "webhooks as described": testShopsWebhooksAsDescribed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func testShopsSplit(t *testing.T, m *market) {
	t.Helper()
	order := strings.NewReplacer(`"quantity":1`, `"quantity":3`, "38900", "30000").Replace(marketOrder("A-1", "AC-A-1", "A-1-1"))
	c := m.flaggedOf("A-1", order, flaw("a", "H11", ""))
	at := "/v1/shop/cases/" + c.ID
	whole := wants[shops.Case](m, m.ask("acme", "GET", at, ""), 200)
	if !whole.Split.Allowed || whole.Split.Most != 2 || whole.SellerRecord == nil {
		t.Fatalf("the case can be split: %+v, its seller %+v", whole.Split, whole.SellerRecord)
	}
	split := func(key, body string, headers ...string) *httptest.ResponseRecorder {
		return m.ask("acme", "POST", at+"/split", body, append(headers, "Idempotency-Key: "+key)...)
	}
	m.refused(split("k", `{"pieces":1}`), 428, wire.PreconditionRequired)
	m.refused(split("", `{"pieces":1}`, "If-Match: "+whole.ETag), 400, wire.IdempotencyKeyNeeded)
	if p := m.refused(split("k0", `{"pieces":3}`, "If-Match: "+whole.ETag), 409, wire.ActionRefused); p.Code != "pieces_wrong" {
		t.Errorf("all of them: %+v", p)
	}
	halves := wants[shops.Halves](m, split("k", `{"pieces":1}`, "If-Match: "+whole.ETag), 200)
	again := wants[shops.Halves](m, split("k", `{"pieces":1}`, "If-Match: "+whole.ETag), 200)
	if halves.Part.ID != again.Part.ID || halves.Part.Quantity != 1 || halves.Rest.Quantity != 2 || halves.Part.Parent != c.ID ||
		halves.Part.Paid.Minor+halves.Rest.Paid.Minor != whole.Paid.Minor || halves.Part.Split.Allowed {
		t.Errorf("split into %+v", halves)
	}
	m.refused(split("k", `{"pieces":2}`, "If-Match: "+whole.ETag), 422, wire.IdempotencyKeyReused)
	if p := m.refused(split("k2", `{"pieces":1}`, "If-Match: "+whole.ETag), 412, wire.CaseChanged); p.Case == nil || p.ETag != halves.Rest.ETag {
		t.Errorf("on the version before: %+v", p)
	}
	m.refused(m.ask("other", "POST", at+"/split", `{"pieces":1}`, "If-Match: "+whole.ETag, "Idempotency-Key: k"), 404, wire.NotFound)
	act := m.ask("acme", "POST", "/v1/shop/cases/"+halves.Part.ID+"/actions", `{"action":"choose_refund"}`,
		"If-Match: "+halves.Part.ETag, "Idempotency-Key: part")
	if part := wants[shops.Case](m, act, 200); part.Status != "negotiating" {
		t.Errorf("the part is %s", part.Status)
	}
}

func testShopsClaims(t *testing.T, m *market) {
	t.Helper()
	c := m.flagged("A-1")
	const at = "/v1/shop/items/A-1-1/claims"
	claim := func() shops.Possible {
		return wants[shops.OrderView](m, m.ask("acme", "GET", "/v1/shop/orders/A-1", ""), 200).Items[0].Claim
	}
	if may := claim(); may.Allowed || may.Code != "case_moved_on" || may.Why == nil {
		t.Errorf("while a case is open: %+v", may)
	}
	ask := func(key, body string) *httptest.ResponseRecorder {
		return m.ask("acme", "POST", at, body, "Idempotency-Key: "+key)
	}
	if p := m.refused(ask("early", `{"reason":"a tear"}`), 409, wire.ActionRefused); p.Code != "case_moved_on" {
		t.Errorf("claimed: %+v", p)
	}
	wants[shops.Case](m, m.ask("acme", "POST", "/v1/shop/cases/"+c.ID+"/actions", `{"action":"choose_keep"}`,
		"If-Match: "+c.ETag, "Idempotency-Key: keep"), 200)
	if may := claim(); !may.Allowed || may.Why != nil {
		t.Errorf("of an item that was kept: %+v", may)
	}
	m.refused(m.ask("other", "POST", at, `{"reason":"a tear"}`, "Idempotency-Key: k"), 404, wire.NotFound)
	m.refused(ask("k", "{\"reason\":\"\u200b\"}"), 422, wire.Malformed)
	opened := wants[shops.Case](m, ask("k", `{"reason":"a tear"}`), 201)
	again := wants[shops.Case](m, ask("k", `{"reason":"a tear"}`), 201)
	if opened.Kind != "missed_flaw" || opened.Parent != c.ID || again.ID != opened.ID || opened.Reason != "a tear" {
		t.Errorf("claimed %+v", opened)
	}
	if p := m.refused(ask("k2", `{"reason":"another"}`), 409, wire.ActionRefused); p.Code != "claimed_before" {
		t.Errorf("a second one: %+v", p)
	}
	if may := claim(); may.Allowed || may.Code != "claimed_before" {
		t.Errorf("after it: %+v", may)
	}
}

func testShopsInstructions(t *testing.T, m *market) {
	t.Helper()
	wants[shops.ImportDone](m, m.ask("acme", "POST", "/v1/shop/orders", marketOrder("A-1", "AC-A-1", "A-1-1")), 200)
	const at = "/v1/shop/customers/AC-A-1/instructions"
	none := wants[shops.InstructionsView](m, m.ask("acme", "GET", at, ""), 200)
	if none.ETag != `"0"` || none.Grave+none.Minor != "" || !none.SetAt.IsZero() {
		t.Errorf("before: %+v", none)
	}
	put := func(body string, headers ...string) *httptest.ResponseRecorder {
		return m.ask("acme", "PUT", at, body, headers...)
	}
	m.refused(put(`{"grave":"refund"}`), 428, wire.PreconditionRequired)
	for _, text := range []string{"*", "0", `W/"0"`, `"-1"`, `"x"`} {
		m.refused(put(`{"grave":"refund"}`, "If-Match: "+text), 422, wire.Malformed)
	}
	m.refused(put(`{"minor":"discount"}`, `If-Match: "0"`), 422, wire.Malformed) // of how much?
	m.refused(put(`{"grave":"burn it"}`, `If-Match: "0"`), 422, wire.Malformed)
	w := put(`{"grave":"refund","minor":"discount","offer_from":10}`, `If-Match: "0"`)
	now := wants[shops.InstructionsView](m, w, 200)
	if now.Grave != "refund" || now.OfferFrom != 10 || w.Header().Get("ETag") != now.ETag || now.ETag == `"0"` {
		t.Errorf("set: %+v", now)
	}
	wants[shops.InstructionsView](m, put(`{"grave":"refund","minor":"discount","offer_from":10}`, `If-Match: "0"`), 200) // the answer was lost
	p := m.refused(put(`{}`, `If-Match: "0"`), 412, wire.InstructionsChanged)
	if p.Instructions == nil || p.Instructions.Grave != "refund" || p.ETag != now.ETag {
		t.Errorf("on those before: %+v", p)
	}
	m.refused(m.ask("other", "GET", at, ""), 404, wire.NotFound)
	m.refused(m.ask("other", "PUT", at, `{}`, "If-Match: "+now.ETag), 404, wire.NotFound)
	// They act on the next flaw, and say that it was them.
	c := m.flagged("A-1")
	seen := wants[shops.Case](m, m.ask("acme", "GET", "/v1/shop/cases/"+c.ID, ""), 200)
	if last := seen.Timeline[len(seen.Timeline)-1]; last.Party != "instruction" || last.Rule == "" {
		t.Errorf("done by %+v", last)
	}
	events := wants[shops.EventPage](m, m.ask("acme", "GET", "/v1/shop/events", ""), 200)
	if last := events.Items[len(events.Items)-1]; last.Type != "case.instructed" || last.Data.Rule == "" {
		t.Errorf("told of %+v", last)
	}
	cleared := wants[shops.InstructionsView](m, put(`{}`, "If-Match: "+now.ETag), 200)
	if cleared.Grave+cleared.Minor != "" || cleared.ETag == now.ETag {
		t.Errorf("taken back: %+v", cleared)
	}
}

// form is the body of a message with photos.
func form(t *testing.T, fields map[string]string, photos ...[]byte) (body, kind string) {
	t.Helper()
	var text bytes.Buffer
	w := multipart.NewWriter(&text)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	for i, photo := range photos {
		part, err := w.CreateFormFile("photo", fmt.Sprintf("%d.jpg", i))
		if err == nil {
			_, err = part.Write(photo)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String(), w.FormDataContentType()
}

func photoFile(t *testing.T, side int) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewGray(image.Rect(0, 0, side, side)), nil); err != nil {
		t.Fatal(err)
	}
	return append(file.Bytes(), "what cameras add"...)
}

func testShopsTickets(t *testing.T, m *market) {
	t.Helper()
	c := m.flagged("A-1")
	const at = "/v1/shop/orders/A-1/tickets"
	body := `{"topic":"question","item":"A-1-1","text":"Is it\u202e glued?"}`
	m.refused(m.ask("acme", "POST", at, body), 400, wire.IdempotencyKeyNeeded)
	write := func(path, key, body string, headers ...string) *httptest.ResponseRecorder {
		return m.ask("acme", "POST", path, body, append(headers, "Idempotency-Key: "+key)...)
	}
	ticket := wants[shops.TicketView](m, write(at, "k", body), 201)
	again := wants[shops.TicketView](m, write(at, "k", body), 201)
	if ticket.ID != again.ID || again.Written != 1 || ticket.Case != c.ID || ticket.Messages[0].Text != "Is it glued?" || ticket.Messages[0].From != "customer" {
		t.Errorf("written %+v, then %+v", ticket, again)
	}
	m.refused(write(at, "k", strings.Replace(body, "glued", "sewn", 1)), 422, wire.IdempotencyKeyReused)
	for name, test := range map[string]struct {
		body   string
		status int
		uri    string
		code   string
	}{
		"nothing":        {`{"topic":"question"}`, 422, wire.MessageRefused, "ticket_empty"},
		"no such topic":  {`{"topic":"gossip","text":"x"}`, 422, wire.MessageRefused, "ticket_topic"},
		"too long":       {`{"topic":"question","text":"` + strings.Repeat("九", 2001) + `"}`, 422, wire.MessageRefused, "ticket_long"},
		"another's item": {`{"topic":"question","text":"x","item":"1-1"}`, 404, wire.NotFound, ""},
		"no such case":   {`{"topic":"question","text":"x","item":"A-1-1","case":"nope"}`, 404, wire.NotFound, ""},
		"a case alone":   {`{"topic":"question","text":"x","case":"` + c.ID + `"}`, 422, wire.Malformed, ""},
		"no JSON":        {`{`, 422, wire.Malformed, ""},
		"too large":      {`{"text":"` + strings.Repeat("x", 64<<10) + `"}`, 413, wire.TooLarge, ""},
	} {
		if p := m.refused(write(at, strings.ReplaceAll(name, " ", "-"), test.body), test.status, test.uri); p.Code != test.code {
			t.Errorf("%s: %+v", name, p)
		}
	}
	m.refused(write(at, "text", "hello", "Content-Type: text/plain"), 415, wire.Malformed)

	photos, kind := form(t, map[string]string{"text": "Look."}, photoFile(t, 40), photoFile(t, 50))
	more := "/v1/shop/tickets/" + ticket.ID + "/messages"
	for range 2 {
		ticket = wants[shops.TicketView](m, write(more, "photos", photos, "Content-Type: "+kind), 201)
	}
	if ticket.Written != 2 || len(ticket.Messages[1].Pictures) != 2 || ticket.Messages[1].Pictures[1].Width != 50 {
		t.Fatalf("with photos: %+v", ticket)
	}
	for _, path := range []string{ticket.Messages[1].Pictures[0].Full, ticket.Messages[1].Pictures[0].Thumb} {
		w := m.ask("acme", "GET", path, "")
		if w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" || bytes.Contains(w.Body.Bytes(), []byte("cameras")) {
			t.Errorf("%s: %d %q", path, w.Code, w.Header())
		}
		m.refused(m.ask("other", "GET", path, ""), 404, wire.NotFound)
	}
	for name, file := range map[string][]byte{"picture_none": []byte("no photo"), "picture_damaged": photoFile(t, 400)[:700]} {
		photos, kind := form(t, map[string]string{"text": "Look."}, file)
		if p := m.refused(write(more, name, photos, "Content-Type: "+kind), 422, wire.MessageRefused); p.Code != name {
			t.Errorf("%s: %+v", name, p)
		}
	}
	photos, kind = form(t, nil, slices.Repeat([][]byte{photoFile(t, 20)}, 5)...)
	if p := m.refused(write(more, "many", photos, "Content-Type: "+kind), 422, wire.MessageRefused); p.Code != "ticket_pictures" {
		t.Errorf("too many photos: %+v", p)
	}
	photos, kind = form(t, nil, bytes.Repeat([]byte("x"), 16<<20+1))
	if p := m.refused(write(more, "large", photos, "Content-Type: "+kind), 422, wire.MessageRefused); p.Code != "picture_large" {
		t.Errorf("too large a photo: %+v", p)
	}

	_, err := m.c.store.WriteTicket(t.Context(), refund.Writing{
		Ticket: refund.TicketID(ticket.ID), Order: "A-1", Actor: refund.Actor{Party: refund.ByClerk, ID: "clerk3"}, Text: "No.", Key: "a", At: m.now,
	})
	m.must(err)
	events := wants[shops.EventPage](m, m.ask("acme", "GET", "/v1/shop/events", ""), 200)
	if last := events.Items[len(events.Items)-1]; last.Type != "ticket.answered" || last.Data.Ticket != ticket.ID || last.Data.Sequence != 3 {
		t.Errorf("told of %+v", last)
	}
	list := wants[shops.TicketList](m, m.ask("acme", "GET", at, ""), 200)
	if len(list.Items) != 1 || list.Items[0].Unread != 1 {
		t.Errorf("listed %+v", list)
	}
	read := wants[shops.TicketView](m, m.ask("acme", "GET", "/v1/shop/tickets/"+ticket.ID, ""), 200)
	if last := read.Messages[2]; last.From != "desk" || last.Text != "No." || strings.Contains(fmt.Sprint(read), "clerk3") {
		t.Errorf("answered %+v", read)
	}
	if seen := wants[shops.TicketView](m, m.ask("acme", "POST", "/v1/shop/tickets/"+ticket.ID+"/seen", `{"through":3}`), 200); seen.Unread != 0 {
		t.Errorf("seen %+v", seen)
	}
	for _, path := range []string{"GET " + at, "GET /v1/shop/tickets/" + ticket.ID, "POST " + at, "POST " + more} {
		method, path, _ := strings.Cut(path, " ")
		m.refused(m.ask("other", method, path, map[bool]string{true: body}[method == "POST"], "Idempotency-Key: o"), 404, wire.NotFound)
	}
	for range 12 {
		w := write(more, fmt.Sprint("often", time.Now().UnixNano()), `{"text":"?"}`)
		if w.Code == 201 {
			continue
		}
		if p := m.refused(w, 409, wire.MessageRefused); p.Code != "ticket_too_often" {
			t.Errorf("often: %+v", p)
		}
		return
	}
	t.Error("a customer can be made to write without end")
}

// A choice that brings nothing, or costs more than it brings, is only made when
// the customer has agreed to just that.
func testShopsConsent(t *testing.T, m *market) {
	t.Helper()
	c := m.flaggedOf("A-1", strings.Replace(marketOrder("A-1", "AC-A-1", "A-1-1"), `"unit_price_fen":38900`, `"unit_price_fen":100`, 1), flaw("a", "H11", ""))
	seen := wants[shops.Case](m, m.ask("acme", "GET", "/v1/shop/cases/"+c.ID, ""), 200)
	i := slices.IndexFunc(seen.Actions, func(a shops.Action) bool { return a.Action == "choose_refund" })
	if a := seen.Actions[i]; a.Consent == nil || !slices.Contains(a.Needs, "consent") || seen.Choices[1].Net.Minor > 0 || seen.Choices[1].Rule == nil {
		t.Fatalf("the action %+v, the choice %+v", a, seen.Choices[1])
	}
	act := func(body string) *httptest.ResponseRecorder {
		return m.ask("acme", "POST", "/v1/shop/cases/"+c.ID+"/actions", body, "If-Match: "+c.ETag, "Idempotency-Key: "+body)
	}
	if p := m.refused(act(`{"action":"choose_refund"}`), 409, wire.ActionRefused); p.Code != "consent_needed" {
		t.Errorf("without: %+v", p)
	}
	w := act(`{"action":"choose_refund","consent":true}`)
	if w.Code == 200 {
		return
	}
	if p := m.refused(w, 409, wire.MoneyRefused); p.Code != "balance_short" { // there is nothing to pay it from
		t.Errorf("agreed: %+v", p)
	}
}

// Each webhook hears its own shop's cases and no others, through a server of
// the shop's own.
func testShopsWebhooks(t *testing.T, m *market) {
	t.Helper()
	heard := map[string]string{} // the senders take turns: nobody else writes
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard[r.URL.Path] += string(body) + "\n"
	}))
	t.Cleanup(server.Close)
	for _, hook := range []refund.Webhook{{Shop: "acme"}, {Shop: "other"}, {}, {AllOrders: true, Shop: ""}} {
		hook.URL, hook.Local = server.URL+"/"+hook.Shop, true
		if hook.AllOrders {
			hook.URL += "all"
		}
		_, err := m.c.store.AddWebhook(t.Context(), hook, m.now)
		m.must(err)
	}
	m.flagged("A-1")
	wants[shops.ImportDone](m, m.ask("other", "POST", "/v1/shop/orders", marketOrder("O-1", "OC-1", "O-1-1")), 200)
	f := m.finding("f-O-1", 1, flaw("a", "H11", ""))
	f.Item, f.Order = "O-1-1", "O-1"
	m.say(qc.FindingRecorded, f)
	m.say(qc.FindingRecorded, m.finding("f1", 1, flaw("a", "H11", "")))
	_, err := m.sender().Drain(t.Context(), refund.ByHook)
	m.must(err)
	for path, want := range map[string][]bool{"/acme": {true, false, false}, "/other": {false, true, false}, "/": {false, false, true}, "/all": {true, true, true}} {
		for i, order := range []string{`"A-1"`, `"O-1"`, `"1"`} {
			if got := strings.Contains(heard[path], `"order":`+order); got != want[i] {
				t.Errorf("%s hears of order %s: %t, want %t", path, order, got, want[i])
			}
		}
	}

	const id = "0193F1E2-7b4c-7c1a-9d55-0242ac120077"
	at := "/v1/shop/webhooks/" + id
	hook := wants[shops.HookView](m, m.ask("acme", "PUT", at, `{"url":"https://shop.example.com/hook?key=1"}`), 200)
	again := wants[shops.HookView](m, m.ask("acme", "PUT", at, `{"url":"https://shop.example.com/hook?key=1"}`), 200)
	if !strings.HasPrefix(hook.Secret, "whsec_") || again.Secret != "" || hook.ID != strings.ToLower(id) || hook.MadeBy != m.ids["acme"] {
		t.Errorf("added %+v, again %+v", hook, again)
	}
	for url, want := range map[string]struct {
		status int
		code   string
	}{
		"https://shop.example.com/other": {409, "hook_changed"}, "http://shop.example.com/": {422, "hook_address"},
		"https://127.0.0.1/": {422, "hook_inside"}, "https://[::1]/": {422, "hook_inside"}, "https://10.1.2.3/": {422, "hook_inside"},
		"https://u:p@shop.example.com/": {422, "hook_address"}, "ftp://shop.example.com/": {422, "hook_address"},
	} {
		if p := m.refused(m.ask("acme", "PUT", at, fmt.Sprintf(`{"url":%q}`, url)), want.status, wire.WebhookRefused); p.Code != want.code {
			t.Errorf("%s: %+v", url, p)
		}
	}
	m.flagged("A-2")
	read := wants[shops.HookView](m, m.ask("acme", "GET", at, ""), 200)
	list := wants[shops.HookList](m, m.ask("acme", "GET", "/v1/shop/webhooks", ""), 200)
	if read.Waiting != 1 || read.Secret != "" || len(list.Items) != 2 || strings.Contains(fmt.Sprint(list), "whsec_") {
		t.Errorf("read %+v, listed %+v", read, list)
	}
	replay := fmt.Sprintf(`{"since":%q}`, m.now.Add(-time.Hour).Format(time.RFC3339))
	own := list.Items[slices.IndexFunc(list.Items, func(h shops.HookView) bool { return h.ID != read.ID })]
	if done := wants[shops.Replayed](m, m.ask("acme", "POST", "/v1/shop/webhooks/"+own.ID+"/replay", replay), 200); done.Events != 1 {
		t.Errorf("replayed %+v", done)
	}
	for _, each := range []string{"GET " + at, "DELETE " + at, "POST " + at + "/replay"} {
		method, path, _ := strings.Cut(each, " ")
		m.refused(m.ask("other", method, path, map[bool]string{true: replay}[method == "POST"]), 404, wire.NotFound)
	}
	if p := m.refused(m.ask("other", "PUT", at, `{"url":"https://shop.example.com/hook?key=1"}`), 409, wire.WebhookRefused); p.Code != "hook_changed" {
		t.Errorf("another shop's id: %+v", p)
	}
	if w := m.ask("acme", "DELETE", at, ""); w.Code != 204 {
		t.Errorf("removed: %d %s", w.Code, w.Body)
	}
	m.refused(m.ask("acme", "GET", at, ""), 404, wire.NotFound)
	m.key("reader", "acme", false, "events:read")
	m.refused(m.ask("reader", "GET", "/v1/shop/webhooks", ""), 403, wire.ScopeMissing)
}

// What webhooks are told is what the document says, and what the shop's events say.
func testShopsWebhooksAsDescribed(t *testing.T, m *market) {
	t.Helper()
	var calls [][]byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls = append(calls, body)
	}))
	t.Cleanup(server.Close)
	_, err := m.c.store.AddWebhook(t.Context(), refund.Webhook{URL: server.URL, Local: true, Shop: "acme"}, m.now)
	m.must(err)
	m.credited("A-1")
	_, err = m.c.store.WriteTicket(t.Context(), refund.Writing{
		Order: "A-1", Topic: refund.TopicQuestion, Actor: refund.Actor{Party: refund.ByClerk, ID: "clerk3"}, Text: "Well?", Key: "a", At: m.now,
	})
	m.must(err)
	_, err = m.sender().Drain(t.Context(), refund.ByHook)
	m.must(err)
	events := wants[shops.EventPage](m, m.ask("acme", "GET", "/v1/shop/events", ""), 200).Items
	if len(calls) != len(events) || len(calls) < 5 {
		t.Fatalf("%d calls, %d events", len(calls), len(events))
	}
	schema, err := m.contract.schema("webhooks", "event", "post", "requestBody", "content", "application/json", "schema")
	m.must(err)
	for i, call := range calls {
		if err := schema.Validate(unmarshalled(t, call)); err != nil {
			t.Errorf("%s: %v", call, err)
		}
		event := fmt.Sprint(unmarshalled(t, marshalled(t, shops.Call{Type: events[i].Type, At: events[i].At, Data: events[i].Data})))
		if got := fmt.Sprint(unmarshalled(t, call)); got != event {
			t.Errorf("the webhook is told %s, the event says %s", got, event)
		}
	}
}

func unmarshalled(t *testing.T, text []byte) any {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func marshalled(t *testing.T, document any) []byte {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
