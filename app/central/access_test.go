package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"

	"github.com/go-chi/chi/v5"
)

// The table of this file says, for every route of the centre, who may ask it
// about what. The routes come from the routers themselves: one that has no row
// fails the test, and so does a row without its route.

// visitor is somebody who asks.
type visitor string

const (
	nobody    visitor = "nobody"
	customer  visitor = "the order's customer"
	stranger  visitor = "another order's customer"
	lateGuest visitor = "holder of an expired link"
	exGuest   visitor = "holder of a revoked link"
	inspector visitor = "inspector"
	clerk     visitor = "clerk"
	lead      visitor = "lead"
	approver  visitor = "approver"
	auditor   visitor = "auditor"
	admin     visitor = "administrator"
	exClerk   visitor = "dismissed clerk"
	bench     visitor = "station"
	exBench   visitor = "revoked station"
)

// target is what is asked about, as the order's customer and the station see it.
type target string

const (
	own    target = "own"
	others target = "other's"
	mixed  target = "other's below own" // such as another order's photo at the own order's address
	absent target = "absent"
)

// access is a row: what a route answers whom. Whatever differs from the usual
// request is in the other fields.
type access struct {
	route  string
	answer func(visitor, target) int
	path   string            // instead of the pattern's own
	with   map[string]string // values of wildcards
	form   url.Values        // of a page's POST
	body   string            // JSON
	header map[string]string
	// token marks the one answer that holds a customer's link.
	token bool
	// page: a form that is not right comes back with the page that it was on.
	page bool
}

// open is answered alike to everybody.
func open(status int) func(visitor, target) int {
	return func(visitor, target) int { return status }
}

// byLink is for the holder of the order's link. All others learn nothing, not
// even whether there is such an order.
func byLink(status int) func(visitor, target) int {
	return func(who visitor, about target) int {
		if who == customer && about == own || who == stranger && about == others {
			return status
		}
		return http.StatusNotFound
	}
}

// deskRoles look at the desk, actingRoles change something there.
var (
	deskRoles   = []visitor{clerk, lead, approver, auditor, admin}
	actingRoles = []visitor{clerk, lead, admin}
)

// atDesk is for the roles given, deskRoles where none is. refused is what those
// are answered who are not signed in, or not with such a role.
func atDesk(status, refused int, roles ...visitor) func(visitor, target) int {
	if len(roles) == 0 {
		roles = deskRoles
	}
	return func(who visitor, about target) int {
		switch {
		case !slices.Contains(roles, who):
			return refused
		case about == absent || about == mixed:
			return http.StatusNotFound
		}
		return status
	}
}

// ofTheHouse is for what belongs to no order.
func ofTheHouse(answer func(visitor, target) int) func(visitor, target) int {
	return func(who visitor, _ target) int { return answer(who, own) }
}

// byStation is for the station itself, with unlike for what is not its own.
func byStation(status, unlike int) func(visitor, target) int {
	return func(who visitor, about target) int {
		switch {
		case who == exBench:
			return http.StatusForbidden
		case who != bench:
			return http.StatusUnauthorized
		case about != own:
			return unlike
		}
		return status
	}
}

const (
	ok       = http.StatusOK
	onward   = http.StatusSeeOther
	refused  = http.StatusForbidden
	unknown  = http.StatusNotFound
	needless = http.StatusNoContent
	keyless  = http.StatusUnauthorized
	// malformed is what nobody signed, too, and a form that is not right.
	malformed = http.StatusUnprocessableEntity
)

func accessTable() []access {
	nonsense := url.Values{"version": {"1"}, "event": {"nonsense"}}
	message := url.Values{"topic": {"question"}, "text": {"a message"}, "seen": {"1"}}
	tile := map[string]string{"region": "full", "size": "8,", "rotation": "0", "file": "default.jpg"}
	thumb := map[string]string{"size": "thumb"}
	tus := map[string]string{"Tus-Resumable": "1.0.0"}
	chunk := map[string]string{"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
	create := map[string]string{
		"Tus-Resumable": "1.0.0", "Upload-Length": "5",
		"Upload-Metadata": "sha256 " + base64.StdEncoding.EncodeToString([]byte(qc.DigestOf([]byte("other")))),
	}
	aHold := map[string]string{"hold": "0193f1e2-7b4c-7c1a-9d55-0242ac120002"}
	aPayout := map[string]string{"payout": "0193f1e2-7b4c-7c1a-9d55-0242ac120002"}
	aHook := map[string]string{"hook": "0193f1e2-7b4c-7c1a-9d55-0242ac120002"}
	signature := base64.StdEncoding.EncodeToString(make([]byte, 64))
	return []access{
		{route: "/", answer: open(unknown), path: "/nothing"},
		{route: "GET /{$}", answer: open(onward)},
		{route: "GET /assets/", answer: open(unknown), path: "/assets/none.css"},

		{route: "GET /o/{order}", answer: byLink(ok)},
		{route: "GET /o/{order}/events", answer: byLink(ok)},
		{route: "GET /mails", answer: open(unknown), path: "/mails?t=none"},
		{route: "POST /mails", answer: open(unknown), path: "/mails?t=none", form: url.Values{"progress": {"stop"}}},
		{route: "POST /o/{order}/mails", answer: byLink(onward), form: url.Values{"progress": {"send"}}},
		{route: "GET /push-worker.js", answer: open(ok)},
		{route: "POST /o/{order}/push", answer: byLink(http.StatusBadRequest), form: url.Values{"on": {"1"}, "endpoint": {"https://127.0.0.1/"}}},
		{route: "POST /o/{order}/cases/{case}/decision", answer: byLink(onward), form: nonsense},
		{route: "POST /o/{order}/cases/{case}/split", answer: byLink(onward), form: url.Values{"version": {"1"}, "pieces": {"9"}}},
		{route: "GET /o/{order}/photos/{digest}", answer: byLink(ok)},
		{route: "GET /o/{order}/photos/{digest}/{size}", answer: byLink(ok), with: thumb},
		{route: "GET /o/{order}/iiif/{digest}", answer: byLink(onward)},
		{route: "GET /o/{order}/iiif/{digest}/info.json", answer: byLink(ok)},
		{route: "GET /o/{order}/iiif/{digest}/{region}/{size}/{rotation}/{file}", answer: byLink(ok), with: tile},

		{route: "GET /o/{order}/memos/{number}", answer: byLink(ok)},
		{route: "GET /o/{order}/memos/{number}/{file}", answer: byLink(ok)},
		{route: "GET /o/{order}/tickets", answer: byLink(ok)},
		{route: "POST /o/{order}/tickets", answer: byLink(onward), form: message},
		{route: "GET /o/{order}/tickets/{ticket}", answer: byLink(ok)},
		{route: "POST /o/{order}/tickets/{ticket}", answer: byLink(onward), form: message},
		{route: "GET /o/{order}/tickets/{ticket}/pictures/{digest}/{size}", answer: byLink(ok), with: thumb},

		{route: "GET /desk/sign-in", answer: open(ok)},
		{route: "POST /desk/sign-in", answer: open(refused), form: url.Values{"id": {"nobody"}, "password": {"wrong"}}},
		{route: "GET /desk/sign-in/elsewhere", answer: open(unknown)}, // there is no provider in the village
		{route: "GET /desk/sign-in/back", answer: open(unknown)},
		{route: "GET /desk", answer: atDesk(ok, onward)},
		{route: "GET /desk/events", answer: atDesk(ok, refused)},
		{route: "GET /desk/bulk", answer: atDesk(ok, onward)},
		{route: "POST /desk/bulk", answer: atDesk(http.StatusBadRequest, refused, actingRoles...), form: nonsense},
		{route: "GET /desk/bulk/{run}", answer: atDesk(unknown, onward), path: "/desk/bulk/NONE"},
		{route: "GET /desk/cases/{case}", answer: atDesk(ok, onward)},
		{route: "GET /desk/memos/{number}", answer: atDesk(ok, onward)},
		{route: "GET /desk/memos/{number}/{file}", answer: atDesk(ok, onward)},
		{route: "POST /desk/cases/{case}/events", answer: atDesk(onward, refused, actingRoles...), form: nonsense},
		{route: "POST /desk/cases/{case}/assignee", answer: atDesk(malformed, refused, actingRoles...), form: url.Values{"to": {"nobody"}}, page: true},
		{route: "GET /desk/cases/{case}/letters", answer: atDesk(ok, onward)},
		{route: "POST /desk/cases/{case}/letters", answer: atDesk(malformed, refused, actingRoles...), form: url.Values{}},
		{route: "GET /desk/reports", answer: atDesk(ok, onward)},
		{route: "GET /desk/reports/{file}", answer: ofTheHouse(atDesk(ok, onward)), path: "/desk/reports/times.csv?from=2026-11-01&to=2026-11-02"},
		{route: "GET /desk/refunds", answer: atDesk(ok, onward)},
		{route: "POST /desk/refunds", answer: atDesk(http.StatusBadRequest, refused, clerk, admin), form: nonsense},
		{route: "GET /desk/refunds/{run}", answer: atDesk(unknown, onward), path: "/desk/refunds/NONE"},
		{route: "POST /desk/refunds/{run}", answer: atDesk(unknown, refused, clerk, admin), path: "/desk/refunds/NONE", form: nonsense},
		{route: "GET /desk/sellers", answer: atDesk(ok, onward)},
		{route: "GET /desk/texts", answer: atDesk(ok, onward)},
		{route: "GET /desk/texts/{text}", answer: ofTheHouse(atDesk(ok, onward)), path: "/desk/texts/seller-claim"},
		{route: "POST /desk/texts/{text}", answer: ofTheHouse(atDesk(http.StatusBadRequest, refused, lead, admin)), path: "/desk/texts/seller-claim", form: url.Values{}},
		{route: "POST /desk/cases/{case}/link", form: url.Values{}, token: true, answer: func(who visitor, about target) int {
			if who == lead && (about == own || about == others) {
				return onward // back to the case, with a sentence
			}
			return atDesk(ok, refused, actingRoles...)(who, about)
		}},
		{route: "POST /desk/cases/{case}/split", answer: atDesk(malformed, refused, actingRoles...), form: url.Values{"version": {"1"}, "pieces": {"9"}}, page: true},
		{route: "POST /o/{order}/instructions", answer: byLink(onward), form: url.Values{"grave": {"nonsense"}}},
		{route: "POST /desk/cases/{case}/correction", answer: atDesk(onward, refused, actingRoles...), form: url.Values{}},
		{route: "POST /desk/cases/{case}/notices", answer: atDesk(onward, refused, actingRoles...), form: url.Values{}},
		{route: "POST /desk/cases/{case}/contact", answer: atDesk(malformed, refused, clerk, admin), form: url.Values{"version": {"0"}, "email": {"x"}}, page: true},
		{route: "POST /desk/cases/{case}/claim", answer: atDesk(onward, refused, actingRoles...), form: url.Values{}},
		{route: "GET /desk/cases/{case}/evidence.zip", answer: atDesk(ok, onward)},
		{route: "GET /desk/cases/{case}/photos/{digest}", answer: atDesk(ok, refused)},
		{route: "GET /desk/cases/{case}/photos/{digest}/{size}", answer: atDesk(ok, refused), with: thumb},
		{route: "GET /desk/cases/{case}/iiif/{digest}", answer: atDesk(onward, refused)},
		{route: "GET /desk/cases/{case}/iiif/{digest}/info.json", answer: atDesk(ok, refused)},
		{route: "GET /desk/cases/{case}/iiif/{digest}/{region}/{size}/{rotation}/{file}", answer: atDesk(ok, refused), with: tile},

		{route: "GET /desk/tickets", answer: atDesk(ok, onward)},
		{route: "GET /desk/tickets/events", answer: atDesk(ok, refused)},
		{route: "GET /desk/tickets/{ticket}", answer: atDesk(ok, onward)},
		{route: "POST /desk/tickets/{ticket}", answer: atDesk(onward, refused, actingRoles...), form: message},
		{route: "POST /desk/tickets/{ticket}/settle", answer: atDesk(onward, refused, actingRoles...), form: message},
		{route: "GET /desk/tickets/{ticket}/pictures/{digest}/{size}", answer: atDesk(ok, refused), with: thumb},

		{route: "GET /healthz", answer: open(ok)},
		{route: "GET /readyz", answer: open(ok)},
		{route: "GET /metrics", answer: open(unknown)}, // until the settings have a token for it
		{route: "GET /openapi.json", answer: open(ok)},
		{route: "GET /openapi.yaml", answer: open(ok)},
		{route: "GET /openapi-3.0.json", answer: open(unknown)}, // of the library, with no door to it
		{route: "GET /openapi-3.0.yaml", answer: open(unknown)},
		{route: "GET /v1/ping", answer: open(ok)},
		{route: "POST /v1/enrolments", answer: open(malformed), body: `{"name":" ","public_key":""}`},
		{route: "POST /v1/enrolments:poll", answer: open(unknown), body: `{"device_code":"none"}`},
		{route: "POST /v1/token:challenge", answer: open(ok), body: `{"station":"st-none"}`},
		{route: "POST /v1/token", answer: open(http.StatusUnauthorized), body: `{"station":"st-none","nonce":"x","signature":"` + signature + `"}`},
		{route: "GET /v1/problems/{name}", answer: open(ok), with: map[string]string{"name": "not-found"}},
		{route: "GET /v1/shop", answer: open(keyless)}, // with keys: shops_test.go
		{route: "POST /v1/shop/orders", answer: open(keyless), body: `{"orders":[]}`},
		{route: "GET /v1/shop/orders/{order}", answer: open(keyless)},
		{route: "POST /v1/shop/orders/{order}/link", answer: open(keyless)},
		{route: "DELETE /v1/shop/orders/{order}/link", answer: open(keyless)},
		{route: "GET /v1/shop/cases", answer: open(keyless)},
		{route: "GET /v1/shop/cases/{case}", answer: open(keyless)},
		{route: "GET /v1/shop/cases/{case}/findings/{finding}/photos/{photo}", answer: open(keyless), with: map[string]string{"finding": "f11", "photo": "p1"}},
		{route: "POST /v1/shop/cases/{case}/actions", answer: open(keyless), body: `{"action":"choose_keep"}`},
		{route: "GET /v1/shop/events", answer: open(keyless)},
		{route: "GET /v1/shop/customers/{customer}/balance", answer: open(keyless), with: map[string]string{"customer": "C-11"}},
		{route: "GET /v1/shop/customers/{customer}/statement", answer: open(keyless), with: map[string]string{"customer": "C-11"}},
		{route: "GET /v1/shop/holds/{hold}", answer: open(keyless), with: aHold},
		{route: "PUT /v1/shop/holds/{hold}", answer: open(keyless), with: aHold, body: `{}`},
		{route: "POST /v1/shop/holds/{hold}/spend", answer: open(keyless), with: aHold, body: `{}`},
		{route: "POST /v1/shop/holds/{hold}/release", answer: open(keyless), with: aHold},
		{route: "GET /v1/shop/withdrawals/{payout}", answer: open(keyless), with: aPayout},
		{route: "PUT /v1/shop/withdrawals/{payout}", answer: open(keyless), with: aPayout, body: `{}`},
		{route: "POST /v1/shop/cases/{case}/split", answer: open(keyless), body: `{"pieces":1}`},
		{route: "POST /v1/shop/items/{item}/claims", answer: open(keyless), body: `{"reason":"a tear"}`, with: map[string]string{"item": "11-1"}},
		{route: "GET /v1/shop/customers/{customer}/instructions", answer: open(keyless), with: map[string]string{"customer": "C-11"}},
		{route: "PUT /v1/shop/customers/{customer}/instructions", answer: open(keyless), with: map[string]string{"customer": "C-11"}, body: `{}`},
		{route: "GET /v1/shop/orders/{order}/tickets", answer: open(keyless)},
		{route: "POST /v1/shop/orders/{order}/tickets", answer: open(keyless), body: `{"topic":"question","text":"?"}`},
		{route: "GET /v1/shop/tickets/{ticket}", answer: open(keyless)},
		{route: "POST /v1/shop/tickets/{ticket}/messages", answer: open(keyless), body: `{"text":"?"}`},
		{route: "POST /v1/shop/tickets/{ticket}/seen", answer: open(keyless), body: `{"through":1}`},
		{route: "GET /v1/shop/tickets/{ticket}/pictures/{picture}/{size}", answer: open(keyless), with: map[string]string{"picture": "none", "size": "full"}},
		{route: "GET /v1/shop/memos/{number}", answer: open(keyless), with: map[string]string{"number": "1"}},
		{route: "GET /v1/shop/webhooks", answer: open(keyless)},
		{route: "GET /v1/shop/webhooks/{hook}", answer: open(keyless), with: aHook},
		{route: "PUT /v1/shop/webhooks/{hook}", answer: open(keyless), with: aHook, body: `{"url":"https://shop.example.com/"}`},
		{route: "DELETE /v1/shop/webhooks/{hook}", answer: open(keyless), with: aHook},
		{route: "POST /v1/shop/webhooks/{hook}/replay", answer: open(keyless), with: aHook, body: `{"since":"2026-11-26T00:00:00Z"}`},
		{route: "OPTIONS /v1/uploads", answer: open(needless)},
		{route: "OPTIONS /v1/uploads/{id}", answer: open(needless)},
		{
			route: "POST /v1/stations/{sid}/events", body: `{"epoch":"e","first_sseq":1,"prev_hash":"","events":[{}],"sig":"` + signature + `"}`,
			answer: func(who visitor, about target) int {
				if about == others { // one station may carry what another has signed, which this is not
					about = own
				}
				return byStation(malformed, refused)(who, about)
			},
		},
		{route: "POST /v1/blobs:query", answer: byStation(ok, ok), body: `{"sha256":[]}`},
		{route: "POST /v1/uploads", answer: byStation(http.StatusCreated, http.StatusCreated), header: create},
		{route: "HEAD /v1/uploads/{id}", answer: byStation(ok, unknown), header: tus},
		{route: "PATCH /v1/uploads/{id}", answer: byStation(needless, unknown), header: chunk},
		{route: "DELETE /v1/uploads/{id}", answer: byStation(needless, unknown), header: tus},
		{route: "GET /v1/stations/{sid}/changes", answer: byStation(ok, refused)},
		{route: "GET /v1/photos/{sha256}", answer: func(who visitor, about target) int {
			if about == others { // stations show what others have photographed
				about = own
			}
			return byStation(ok, unknown)(who, about)
		}},
		{route: "HEAD /v1/photos/{sha256}", answer: func(who visitor, about target) int {
			if about == others {
				about = own
			}
			return byStation(ok, unknown)(who, about)
		}},

		// The last: after it nobody is signed in at the desk any more.
		{route: "POST /desk/sign-out", answer: open(onward), form: url.Values{}},
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	v := newVillage(t)
	rows := accessTable()
	v.complain(rows)
	before := v.cases()
	for _, row := range rows {
		t.Run(strings.ReplaceAll(row.route, "/", "|"), func(t *testing.T) {
			for _, who := range slices.Sorted(maps.Keys(v.credentials)) {
				v.ask(t, row, who)
			}
		})
	}
	if after := v.cases(); after != before {
		t.Errorf("asking has changed the cases:\n%s\n%s", before, after)
	}
}

// complain fails the test for routes without a row and rows without a route.
func (v *village) complain(rows []access) {
	v.t.Helper()
	listed := v.routes()
	if len(listed) < 40 {
		v.t.Fatalf("only %d routes", len(listed))
	}
	for _, route := range listed {
		if !slices.ContainsFunc(rows, func(row access) bool { return row.route == route }) {
			v.t.Errorf("route %q has no row in accessTable: add who may ask it and what everybody else is answered", route)
		}
	}
	for _, row := range rows {
		if !slices.Contains(listed, row.route) {
			v.t.Errorf("row %q is of no route: take it out", row.route)
		}
	}
}

// A page that shows another order's customer, or a refusal that tells what
// there is, must be seen.
func TestAccess_ALeakIsSeen(t *testing.T) {
	t.Parallel()
	v := newVillage(t)
	for name, tt := range map[string]struct {
		who    visitor
		about  target
		status int
		body   string
		leaks  bool
	}{
		"own page":                {customer, own, ok, "Ana Geheim", false},
		"another's name":          {customer, own, ok, "Ana Geheim, Bo Tajný", true},
		"inspector on a page":     {customer, own, ok, "inspector-u12", true},
		"name in a refusal":       {nobody, own, unknown, "not Ana Geheim's", true},
		"link in a desk's page":   {clerk, own, ok, v.tokens["20481"], true},
		"both names at the desk":  {clerk, own, ok, "Ana Geheim, Bo Tajný", false},
		"a waybill to a stranger": {stranger, own, unknown, "SF20481", true},
	} {
		if got := v.leak(access{}, tt.who, tt.about, tt.status, tt.body); (got != "") != tt.leaks {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// village is a house with two orders and everybody who may come to its doors.
type village struct {
	*house
	tokens      map[qc.OrderID]string
	credentials map[visitor]func(*http.Request)
	values      map[target]map[string]string // of wildcards
	visits      int
}

func newVillage(t *testing.T) *village {
	t.Helper()
	h := newHouse(t)
	v := &village{
		house: h, tokens: map[qc.OrderID]string{}, credentials: map[visitor]func(*http.Request){nobody: func(*http.Request) {}},
		values: map[target]map[string]string{own: {}, others: {}, absent: {
			"order": "29999", "case": "K-29999-1", "item": "29999-1", "ticket": "29999-T1", "digest": strings.Repeat("0", 64), "sha256": strings.Repeat("0", 64),
			"number": "99999", "file": "CM-099999.pdf", "sid": "st-none", "id": "none",
		}},
	}
	v.trade("20481", "C-11", "Ana Geheim", "f11", own)
	v.trade("20482", "C-22", "Bo Tajný", "f2222", others)
	v.employ()
	v.enrol()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- h.site.Run(ctx) }()
	t.Cleanup(func() { cancel(); h.must(<-ended) })
	return v
}

// trade makes an order with one flawed item, its customer and the holders of
// its links.
func (v *village) trade(id qc.OrderID, who qc.CustomerID, name string, finding qc.FindingID, about target) {
	v.t.Helper()
	item := qc.Item{
		ID: qc.ItemID(id + "-1"), Order: id, Title: qc.Bilingual{EN: "Thing of " + name, ZH: "东西 " + name}, Quantity: 1, Round: 1,
		Seller: "店 " + string(id), UnitPrice: money.Fen(38900), FreightIn: money.Fen(1200), Waybill: qc.Waybill("SF" + id + "00000001"),
		StockedInAt: v.now.Add(-49 * time.Hour), CustomerNote: "wish of " + name,
	}
	order := qc.Order{ID: id, PlacedAt: v.now, Customer: qc.Customer{ID: who, Name: name, Language: "en"}, Items: []qc.Item{item, item}}
	order.Items[1].ID = item.ID[:len(item.ID)-1] + "2"
	_, err := v.c.store.ImportOrders(v.t.Context(), []qc.Order{order}, v.now)
	v.must(err)
	f := v.finding(finding, 1, flaw("a", "N01", "house note of "+name), flaw("b", "H11", "note of "+name))
	f.Item, f.Order = item.ID, id
	v.say(qc.FindingRecorded, f)
	cases, err := v.c.store.Cases(v.t.Context(), central.CaseFilter{Query: string(item.ID)})
	v.must(err)
	ticket, err := v.c.store.WriteTicket(v.t.Context(), refund.Writing{
		Order: id, Item: item.ID, Topic: refund.TopicQuestion, Text: "message of " + name, Key: "first", At: v.now,
		Actor:    refund.Actor{Party: refund.ByCustomer, ID: string(who)},
		Pictures: []refund.Picture{{Digest: f.Photos[0].Digest, Thumb: f.Photos[0].Thumb.Digest}},
	})
	v.must(err)
	v.values[about] = map[string]string{
		"order": string(id), "case": string(cases[0].ID), "item": string(cases[0].Item), "ticket": string(ticket.ID), "digest": string(f.Photos[0].Digest), "sha256": string(f.Photos[0].Digest),
	}
	v.values[about]["number"] = v.give(order.Items[1], finding+"m")
	v.values[about]["file"] = "CM-00000" + v.values[about]["number"] + ".pdf"
	v.tokens[id] = v.link(id, v.now)
	if about == others {
		v.credentials[stranger] = withCookie("flawmark_order", v.tokens[id])
		return
	}
	v.credentials[customer] = withCookie("flawmark_order", v.tokens[id])
	late := v.link(id, v.now.Add(-200*24*time.Hour))
	v.credentials[lateGuest] = withCookie("flawmark_order", late)
	revoked := v.link(id, v.now)
	v.must(v.c.store.RevokeLinks(v.t.Context(), id, v.now))
	v.credentials[exGuest] = withCookie("flawmark_order", revoked)
	v.tokens[id] = v.link(id, v.now)
	v.credentials[customer] = withCookie("flawmark_order", v.tokens[id])
}

// give flags another item and makes its customer a gift, so that there is a
// credit memo; it returns the memo's number.
func (v *village) give(item qc.Item, finding qc.FindingID) string {
	v.t.Helper()
	f := v.finding(finding, 1, flaw("a", "H11", ""))
	f.Item, f.Order = item.ID, item.Order
	v.say(qc.FindingRecorded, f)
	cases, err := v.c.store.Cases(v.t.Context(), central.CaseFilter{Query: string(item.ID)})
	v.must(err)
	v.must(v.c.store.AddStaff(v.t.Context(), central.NewStaff{ID: "clerk0", Name: "Person clerk0", Role: qc.Clerk}, v.now))
	for _, e := range []refund.Event{
		{Kind: refund.ChoseRefund, Actor: refund.Actor{Party: refund.ByCustomer, ID: string(cases[0].Customer)}},
		{Kind: refund.Goodwill, Actor: refund.Actor{Party: refund.ByClerk, ID: "clerk0"}, Amount: money.Fen(500), Reason: "sorry"},
	} {
		_, err := v.c.store.Act(v.t.Context(), cases[0].ID, 0, e, "")
		v.must(err)
	}
	d, err := v.c.store.Dossier(v.t.Context(), cases[0].ID)
	v.must(err)
	return fmt.Sprint(int64(d.Memos[0].Number))
}

func (v *village) link(id qc.OrderID, at time.Time) string {
	v.t.Helper()
	token, err := v.c.store.LinkOrder(v.t.Context(), id, "", at)
	v.must(err)
	return token
}

func withCookie(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: value}) }
}

// employ signs everybody in at the desk whom it takes. The inspector, whom it
// does not, brings the cookie of the time when he was a clerk.
func (v *village) employ() {
	v.t.Helper()
	const password = "a password for all of them"
	staff := func(id qc.StaffID, role qc.Role) {
		v.must(v.c.store.AddStaff(v.t.Context(), central.NewStaff{
			ID: id, Name: "Person " + string(id), Role: role, Password: password,
		}, v.now))
	}
	for who, role := range map[visitor]qc.Role{
		clerk: qc.Clerk, lead: qc.Lead, approver: qc.Approver, auditor: qc.Auditor, admin: qc.Administrator, inspector: qc.Clerk, exClerk: qc.Clerk,
	} {
		id := qc.StaffID("staff-" + string(role) + fmt.Sprint(len(v.credentials)))
		staff(id, role)
		form := url.Values{"id": {string(id)}, "password": {password}}
		r := post("/desk/sign-in", form)
		w := httptest.NewRecorder()
		v.pages.ServeHTTP(w, r)
		cookies := w.Result().Cookies()
		if w.Code != onward || len(cookies) != 2 {
			v.t.Fatalf("%s signs in: status %d, %d cookies", who, w.Code, len(cookies))
		}
		v.credentials[who] = withCookie(cookies[0].Name, cookies[0].Value)
		switch who {
		case inspector:
			staff(id, qc.Inspector)
		case exClerk:
			v.must(v.c.store.DismissStaff(v.t.Context(), id, v.now))
		}
	}
}

func post(path string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://centre.test"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// enrol admits two stations and one that is revoked once it has its token, and
// lets the two begin an upload.
func (v *village) enrol() {
	v.t.Helper()
	v.values[own]["sid"] = v.station(bench)
	v.values[own]["id"] = v.upload(bench, "mine")
	v.must(v.c.store.RevokeStation(v.t.Context(), qc.StationID(v.station(exBench)), v.now))
	const another visitor = "another station"
	v.values[others]["sid"] = v.station(another)
	v.values[others]["id"] = v.upload(another, "theirs")
	delete(v.credentials, another)
}

// station enrols one and lets it prove its key; it returns its id.
func (v *village) station(who visitor) string {
	v.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	v.must(err)
	enrolment, err := v.c.store.BeginEnrolment(v.t.Context(), string(who), public, v.now)
	v.must(err)
	station, err := v.c.store.ApproveEnrolment(v.t.Context(), enrolment.UserCode, v.now)
	v.must(err)
	call := func(path string, body map[string]any, answer any) {
		text, err := json.Marshal(body)
		v.must(err)
		r := httptest.NewRequest(http.MethodPost, "http://centre.test"+path, bytes.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		v.pages.ServeHTTP(w, r)
		v.must(json.Unmarshal(w.Body.Bytes(), answer))
	}
	var challenge struct{ Nonce string }
	call("/v1/token:challenge", map[string]any{"station": station.ID}, &challenge)
	message := "flawmark token v1\n" + v.c.store.Instance() + "\n" + string(station.ID) + "\n" + challenge.Nonce
	var token struct {
		AccessToken string `json:"access_token"`
	}
	call("/v1/token", map[string]any{
		"station": station.ID, "nonce": challenge.Nonce, "signature": ed25519.Sign(private, []byte(message)),
	}, &token)
	if token.AccessToken == "" {
		v.t.Fatalf("%s has no token", who)
	}
	v.credentials[who] = func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.AccessToken) }
	return string(station.ID)
}

// upload begins one and returns its id.
func (v *village) upload(who visitor, content string) string {
	v.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://centre.test/v1/uploads", nil)
	digest := base64.StdEncoding.EncodeToString([]byte(qc.DigestOf([]byte(content))))
	for name, value := range map[string]string{"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": "sha256 " + digest} {
		r.Header.Set(name, value)
	}
	v.credentials[who](r)
	w := httptest.NewRecorder()
	v.pages.ServeHTTP(w, r)
	_, id, found := strings.Cut(w.Header().Get("Location"), "/v1/uploads/")
	if !found {
		v.t.Fatalf("%s begins an upload: status %d: %s", who, w.Code, w.Body)
	}
	return id
}

// routes lists what all routers of the centre answer, as "METHOD /pattern".
func (v *village) routes() []string {
	v.t.Helper()
	doors, err := v.c.doors(v.t.Context(), v.site)
	v.must(err)
	var all []string
	for path, behind := range doors {
		switch router, walks := behind.(chi.Routes); {
		case path == "/":
			all = append(all, v.site.Routes()...)
		case walks:
			v.must(chi.Walk(router, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
				all = append(all, method+" "+route)
				return nil
			}))
		default:
			all = append(all, path)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// cases says how far all cases have come.
func (v *village) cases() string {
	v.t.Helper()
	cases, err := v.c.store.Cases(v.t.Context(), central.CaseFilter{})
	v.must(err)
	var text strings.Builder
	for _, c := range cases {
		fmt.Fprintln(&text, c.ID, c.Status, c.Version)
	}
	return text.String()
}

var wildcard = regexp.MustCompile(`\{(\w+)\}`)

// ask lets a visitor ask a row's route about everything there is.
func (v *village) ask(t *testing.T, row access, who visitor) {
	t.Helper()
	named := wildcard.FindAllStringSubmatch(row.route, -1)
	refusals := map[target]string{}
	for _, about := range []target{others, mixed, absent, own} {
		if len(named) == 0 && about != own || len(named)-len(row.with) < 2 && about == mixed {
			continue
		}
		w := v.request(row, who, about, nil)
		want := row.answer(who, about)
		if w.Code != want {
			t.Errorf("%s asks about %s: status %d, want %d: %.200s", who, about, w.Code, want, w.Body)
		}
		said := w.Body.String() + fmt.Sprint(w.Header())
		if complaint := v.leak(row, who, about, w.Code, said); complaint != "" {
			t.Errorf("%s asks about %s: %s", who, about, complaint)
		}
		if want >= 400 {
			refusals[about] = v.withoutNames(w.Body.String(), about)
		}
		if strings.HasPrefix(row.route, "GET /") && want >= 300 { // the same without the body
			head := v.request(row, who, about, func(r *http.Request) { r.Method = http.MethodHead })
			if head.Code != want && !strings.HasPrefix(row.route, "GET /v1/") && !strings.HasPrefix(row.route, "GET /openapi") {
				t.Errorf("%s asks about %s by HEAD: status %d, want %d", who, about, head.Code, want)
			}
		}
		if row.form != nil { // a form that another site's page sends
			forged := v.request(row, who, about, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
			if forged.Code != http.StatusForbidden {
				t.Errorf("%s is made to ask about %s by another site: status %d", who, about, forged.Code)
			}
		}
	}
	hidden := others
	if who == stranger {
		hidden = own
	}
	if a, b := refusals[hidden], refusals[absent]; a != "" && b != "" && a != b && row.answer(who, own) != row.answer(who, others) {
		t.Errorf("%s can tell what is another's from what is not there:\n%s\n%s", who, a, b)
	}
}

// request asks; streams end with their first word.
func (v *village) request(row access, who visitor, about target, change func(*http.Request)) *httptest.ResponseRecorder {
	v.t.Helper()
	method, path, found := strings.Cut(row.route, " ")
	if !found {
		method, path = http.MethodGet, row.route
	}
	if row.path != "" {
		path = row.path
	}
	path = strings.TrimSuffix(path, "{$}")
	first := true
	path = wildcard.ReplaceAllStringFunc(path, func(name string) string {
		name = strings.Trim(name, "{}")
		value, fixed := row.with[name]
		if !fixed {
			value = v.values[about][name]
		}
		if about == mixed && !fixed {
			value = v.values[map[bool]target{true: own, false: others}[first]][name]
			first = false
		}
		if value == "" {
			v.t.Fatalf("route %q: nothing is known to put for {%s}: add it to the village's values or to the row's with", row.route, name)
		}
		return value
	})
	body := row.body
	if row.form != nil {
		body = row.form.Encode()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, "http://centre.test"+path, strings.NewReader(body))
	v.visits++
	r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", v.visits>>16, v.visits>>8&255, v.visits&255) // limits are tested elsewhere
	switch {
	case row.form != nil:
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	case row.body != "":
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range row.header {
		r.Header.Set(name, value)
	}
	v.credentials[who](r)
	if change != nil {
		change(r)
	}
	w := &firstWord{ResponseRecorder: httptest.NewRecorder(), end: cancel}
	v.pages.ServeHTTP(w, r)
	return w.ResponseRecorder
}

// firstWord ends a stream that has begun.
type firstWord struct {
	*httptest.ResponseRecorder
	end context.CancelFunc
}

func (f *firstWord) Write(data []byte) (int, error) {
	if f.Header().Get("Content-Type") == "text/event-stream" {
		defer f.end()
	}
	return f.ResponseRecorder.Write(data)
}

// withoutNames is a refusal as it would be whatever was asked about.
func (v *village) withoutNames(body string, about target) string {
	values := v.values[about]
	names := slices.Sorted(maps.Keys(values))
	slices.SortStableFunc(names, func(a, b string) int { return len(values[b]) - len(values[a]) }) // a case's holds its order's
	for _, name := range names {
		if name == "number" { // so short that it is found everywhere
			body = strings.ReplaceAll(body, "/memos/"+values[name], "/memos/{number}")
			continue
		}
		body = strings.ReplaceAll(body, values[name], "{"+name+"}")
	}
	return body
}

// leak says what of an answer its reader should not have learnt; "": nothing.
func (v *village) leak(row access, who visitor, about target, status int, said string) string {
	staff := slices.Contains(deskRoles, who) || who == bench
	secrets := []string{"a password for all"}
	if !staff {
		secrets = append(secrets, "Person staff-")
	}
	for id, token := range v.tokens {
		if !row.token {
			secrets = append(secrets, token)
		}
		mine := id == "20481"
		facts := []string{"Ana Geheim", "note of Ana", "wish of Ana", "SF20481", "店 20481"}
		if !mine {
			facts = []string{"Bo Tajný", "note of Bo", "wish of Bo", "SF20482", "店 20482"}
		}
		reader := mine && who == customer && about == own || !mine && who == stranger && about == others
		if status >= 300 && !(row.page && status == malformed) || !staff && !reader {
			secrets = append(secrets, facts...)
		}
		if reader {
			secrets = append(secrets, "house note", "inspector-u12", string(v.bench))
		}
	}
	for _, secret := range secrets {
		if strings.Contains(said, secret) {
			return fmt.Sprintf("the answer holds %q", secret)
		}
	}
	return ""
}
