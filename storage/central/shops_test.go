package central_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// key makes a key for a shop.
func (w world) key(shop string, all bool) central.ShopKey {
	w.t.Helper()
	k, secret, err := w.AddShopKey(w.t.Context(), shop, []string{"cases:read"}, all, noon)
	w.must(err)
	known, err := w.ShopKey(w.t.Context(), secret, noon)
	w.must(err)
	if known.ID != k.ID || known.Shop != shop || known.AllOrders != all {
		w.t.Fatalf("the key of %s is %+v", shop, known)
	}
	return known
}

// shopOrder is an order of one item as a shop's system sends it.
func shopOrder(order, customer, item string) string {
	return fmt.Sprintf(`{"orders":[{"id":%q,"customer":{"id":%q,"name":"Ana","language":"en"},"placed_at":"2026-11-20T09:00:00Z",
		"items":[{"id":%q,"title_en":"Shoes","quantity":1,"unit_price_fen":38900,"freight_in_fen":1200,"platform":"taobao",
		"seller":"潮流前线鞋店","stocked_in_at":"2026-11-21T11:00:00Z"}]}]}`, order, customer, item)
}

func (w world) take(k central.ShopKey, order string) {
	w.t.Helper()
	_, err := w.ImportShopOrders(w.t.Context(), k, []byte(order), noon)
	w.must(err)
}

// flagged lets a flaw of an item of a shop become visible.
func (w world) flagged(order qc.OrderID, item qc.ItemID) refund.Case {
	w.t.Helper()
	f := w.bench.flag(qc.FindingID("f-"+item), item)
	f.Order = order
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	w.store(f.Photos[0].Preview.Digest)
	cases, err := w.Cases(w.t.Context(), central.CaseFilter{Query: string(item)})
	w.must(err)
	if len(cases) != 1 {
		w.t.Fatalf("%d cases of %s", len(cases), item)
	}
	return cases[0]
}

func (open opener) testShopKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	k, secret, err := w.AddShopKey(t.Context(), " acme ", []string{"cases:read", "events:read"}, false, noon)
	w.must(err)
	if !strings.HasPrefix(secret, "fmk_") || len(secret) < 40 || k.Shop != "acme" {
		t.Errorf("key %q of %q", secret, k.Shop)
	}
	for _, name := range []string{"", " ", "a\x00b", "\xff", strings.Repeat("x", 81)} {
		_, _, err := w.AddShopKey(t.Context(), name, nil, false, noon)
		wantErr(t, err, central.ErrShopName)
	}
	known, err := w.ShopKey(t.Context(), secret, noon.Add(time.Hour))
	w.must(err)
	if !known.UsedAt.Equal(noon.Add(time.Hour)) || strings.Join(known.Scopes, " ") != "cases:read events:read" {
		t.Errorf("used: %+v", known)
	}
	ticks, stop := w.Watch()
	defer stop()
	w.must(w.RevokeShopKey(t.Context(), k.ID, noon))
	<-ticks // whoever listens hears of it
	wantErr(t, w.RevokeShopKey(t.Context(), k.ID, noon), qc.ErrNotFound)
	for _, text := range []string{secret, "", "fmk_guessed"} {
		_, err = w.ShopKey(t.Context(), text, noon)
		wantErr(t, err, central.ErrShopKey)
	}
	_, err = w.ImportShopOrders(t.Context(), k, []byte(shopOrder("A-1", "A-C", "A-1-1")), noon)
	wantErr(t, err, central.ErrShopKey)
	all, err := w.ShopKeys(t.Context())
	w.must(err)
	if len(all) != 1 || all[0].RevokedAt.IsZero() {
		t.Errorf("listed %+v", all)
	}
	w.sound()
}

// What a shop sent is its own: it neither sees nor touches anybody else's.
func (open opener) testShopsOwnTheirOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	acme, other, house := w.key("acme", false), w.key("other", false), w.key("house", true)
	w.take(acme, shopOrder("A-1", "A-C", "A-1-1"))
	w.take(w.key("acme", false), shopOrder("A-1", "A-C", "A-1-1")) // another key of the same shop
	c := w.flagged("A-1", "A-1-1")

	for name, test := range map[string]struct {
		key  central.ShopKey
		seen bool
	}{"its own": {acme, true}, "another's": {other, false}, "the house's": {house, true}} {
		_, err := w.ShopOrder(t.Context(), test.key, "A-1")
		_, _, caseErr := w.ShopCase(t.Context(), test.key, c.ID)
		page, listErr := w.ShopCases(t.Context(), test.key, central.ShopCaseFilter{Limit: 10})
		events, eventsErr := w.ShopEvents(t.Context(), test.key, qc.Cursor{}, 10)
		w.must(errors.Join(listErr, eventsErr))
		if !test.seen {
			wantErr(t, err, qc.ErrNotFound)
			wantErr(t, caseErr, qc.ErrNotFound)
			_, _, err = w.LinkOrderForShop(t.Context(), test.key, "A-1", noon)
			wantErr(t, err, qc.ErrNotFound)
			wantErr(t, w.RevokeLinksForShop(t.Context(), test.key, "A-1", noon), qc.ErrNotFound)
			_, err = w.ActForShop(t.Context(), test.key, c.ID, 0, refund.Event{Kind: refund.ChoseKeep, At: noon}, "k")
			wantErr(t, err, qc.ErrNotFound)
			_, err = w.ShopCases(t.Context(), test.key, central.ShopCaseFilter{Limit: 10, After: string(c.ID)})
			wantErr(t, err, qc.ErrNotFound)
		} else {
			w.must(errors.Join(err, caseErr))
		}
		if got := len(page.Cases) == 1 && len(events.Events) > 0; got != test.seen {
			t.Errorf("%s: %d cases, %d events", name, len(page.Cases), len(events.Events))
		}
	}
	// Orders of the command line are the house's only.
	_, err := w.ShopOrder(t.Context(), acme, "20481")
	wantErr(t, err, qc.ErrNotFound)
	_, err = w.ShopOrder(t.Context(), house, "20481")
	w.must(err)

	for name, test := range map[string]struct{ order, member string }{
		"another shop's order":    {shopOrder("A-1", "O-C", "O-1-1"), "id"},
		"another shop's customer": {shopOrder("O-1", "A-C", "O-1-1"), "customer.id"},
		"another shop's item":     {shopOrder("O-1", "O-C", "A-1-1"), "id"},
		"the house's order":       {shopOrder("20481", "O-C", "O-1-1"), "id"},
		"the house's customer":    {shopOrder("O-1", "C-1001", "O-1-1"), "customer.id"},
	} {
		_, err := w.ImportShopOrders(t.Context(), other, []byte(test.order), noon)
		faults, ok := errors.AsType[*central.OrderFaults](err)
		if !ok || len(faults.Faults) != 1 || faults.Faults[0].Member != test.member || strings.Contains(faults.Faults[0].Problem, "acme") {
			t.Errorf("%s: %v", name, err)
		}
	}
	customer, err := w.ShopOrder(t.Context(), acme, "A-1")
	w.must(err)
	if customer.Order.Customer.Name != "Ana" {
		t.Errorf("the customer is %+v", customer.Order.Customer)
	}
	w.sound()
}

// Every fault is listed, and one is enough for nothing to happen.
func (open opener) testShopOrderFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	k := w.key("acme", false)
	body := `{"orders":[
		{"id":"1","customer":{"id":"c","name":"Ana","language":"en"},"placed_at":"2026-11-20T09:00:00Z","items":[
			{"id":"1-1","title_en":"Shoes","quantity":0,"unit_price_fen":1,"freight_in_fen":0,"seller":"s"},
			{"id":"1-2","title_en":"Shoes","quantity":1,"unit_price_fen":1.5,"freight_in_fen":0,"seller":"s"},
			{"id":"1-3","title_en":"Shoes","quantity":1,"unit_price_fen":1,"freight_in_fen":0,"seller":"s","colour":"red"},
			{"id":"1-4","title_en":"Shoes","quantity":1,"unit_price_fen":1,"freight_in_fen":0,"seller":"s"}]},
		{"id":"2","customer":{"id":"c","name":"Ana","language":"fr"},"placed_at":"2026-11-20T09:00:00Z","items":[
			{"id":"2-1","title_en":"Shoes","quantity":1,"unit_price_fen":1,"freight_in_fen":0,"seller":"s"}]},
		{"id":"3","customer":{"id":"c","name":"Ana","language":"en"},"placed_at":"2026-11-20T09:00:00Z","items":[]},
		{"id":"4","customer":{"id":"C-1001","name":"Ana","language":"en"},"placed_at":"2026-11-20T09:00:00Z","items":[
			{"id":"4-1","title_en":"Shoes","quantity":1,"unit_price_fen":1,"freight_in_fen":0,"seller":"s"}]}]}`
	_, err := w.ImportShopOrders(t.Context(), k, []byte(body), noon)
	faults, ok := errors.AsType[*central.OrderFaults](err)
	if !ok {
		t.Fatalf("imported: %v", err)
	}
	var got []string
	for _, f := range faults.Faults {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Order, f.Item, f.Member)))
	}
	want := "1 1-1 quantity,1 1-2 unit_price_fen,1 1-3 colour,2  customer.language,3  items,4  customer.id"
	if strings.Join(got, ",") != want {
		t.Errorf("faults %q", strings.Join(got, ","))
	}
	if _, err := w.Order(t.Context(), "1"); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("a part was imported: %v", err)
	}
	for _, body := range []string{"", "null", "[]", "{", `{"orders":[]}`, `{"orders":null}`, `{"orders":[{"items":[null]}]}`, `{"order":[]}`} {
		if _, err := w.ImportShopOrders(t.Context(), k, []byte(body), noon); err == nil {
			t.Errorf("%s was imported", body)
		}
	}
}

// An act happens once, by the customer's right, and the trail names the key.
func (open opener) testShopActs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	k := w.key("acme", false)
	w.take(k, shopOrder("A-1", "A-C", "A-1-1"))
	f := w.bench.flag("f-hidden", "A-1-1")
	f.Order = "A-1"
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	hidden := w.only()
	_, err := w.ActForShop(t.Context(), k, hidden.ID, 0, refund.Event{Kind: refund.ChoseKeep, At: noon}, "early")
	wantErr(t, err, qc.ErrNotFound) // the customer does not know of it yet
	w.store(f.Photos[0].Preview.Digest)
	c := w.status(refund.AwaitingDecision)

	seller := refund.Event{Kind: refund.AgreedReturn, At: noon}
	_, err = w.ActForShop(t.Context(), k, c.ID, c.Version, seller, "not theirs")
	wantErr(t, err, refund.ErrNotNow)
	_, err = w.ActForShop(t.Context(), k, c.ID, c.Version+1, refund.Event{Kind: refund.ChoseKeep, At: noon}, "late")
	if conflict, ok := errors.AsType[*central.Conflict](err); !ok || conflict.Case.Version != c.Version {
		t.Errorf("an act on another version: %v", err)
	}
	choose := refund.Event{Kind: refund.ChoseRefund, At: noon}
	for range 3 {
		after, err := w.ActForShop(t.Context(), k, c.ID, c.Version, choose, "once")
		w.must(err)
		if after.Status != refund.Negotiating || after.Version != c.Version+1 {
			t.Fatalf("after: %s version %d", after.Status, after.Version)
		}
	}
	_, err = w.ActForShop(t.Context(), k, c.ID, c.Version, refund.Event{Kind: refund.ChoseKeep, At: noon}, "once")
	wantErr(t, err, central.ErrKeyReused)
	last := w.only()
	if entry := last.Timeline[len(last.Timeline)-1]; entry.Actor.Party != refund.ByCustomer || entry.Actor.ID != "A-C" {
		t.Errorf("the timeline says %+v", entry.Actor)
	}
	w.must(w.RevokeShopKey(t.Context(), k.ID, noon))
	_, err = w.ActForShop(t.Context(), k, c.ID, last.Version, refund.Event{Kind: refund.Reconsidered, At: noon}, "after")
	wantErr(t, err, central.ErrShopKey)
	w.sound()
}

// Pages stay as they are while cases come, and hold what customers see.
func (open opener) testShopCases(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	k := w.key("acme", false)
	var want []qc.CaseID
	for i := range 5 {
		order, item := fmt.Sprintf("A-%d", i), fmt.Sprintf("A-%d-1", i)
		w.take(k, shopOrder(order, "A-C", item))
		want = append(want, w.flagged(qc.OrderID(order), qc.ItemID(item)).ID)
	}
	var got []qc.CaseID
	after := ""
	for range 10 {
		page, err := w.ShopCases(t.Context(), k, central.ShopCaseFilter{Limit: 2, After: after})
		w.must(err)
		for _, c := range page.Cases {
			got = append(got, c.ID)
		}
		if !page.More {
			break
		}
		after = string(page.Last)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("pages %v, want %v", got, want)
	}
	_, err := w.ActForShop(t.Context(), k, want[1], 0, refund.Event{Kind: refund.ChoseKeep, At: noon.Add(time.Hour)}, "keep")
	w.must(err)
	for name, test := range map[string]struct {
		filter central.ShopCaseFilter
		want   int
	}{
		"open":     {central.ShopCaseFilter{Open: true}, 4},
		"status":   {central.ShopCaseFilter{Status: refund.Kept}, 1},
		"hidden":   {central.ShopCaseFilter{Status: refund.Flagged}, 0},
		"order":    {central.ShopCaseFilter{Order: "A-3"}, 1},
		"item":     {central.ShopCaseFilter{Item: "A-4-1"}, 1},
		"customer": {central.ShopCaseFilter{Customer: "A-C"}, 5},
		"nobody":   {central.ShopCaseFilter{Customer: "C-1001"}, 0},
		"changed":  {central.ShopCaseFilter{ChangedSince: noon.Add(time.Minute)}, 1},
	} {
		test.filter.Limit = 50
		page, err := w.ShopCases(t.Context(), k, test.filter)
		w.must(err)
		if len(page.Cases) != test.want {
			t.Errorf("%s: %d cases, want %d", name, len(page.Cases), test.want)
		}
	}
}

// Events have no gaps for anybody, though several shops' come at once.
func (open opener) testShopEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	keys := []central.ShopKey{w.key("acme", false), w.key("other", false)}
	house := w.key("house", true)
	var cases []refund.Case
	for i := range 6 {
		order, item := fmt.Sprintf("A-%d", i), fmt.Sprintf("A-%d-1", i)
		w.take(keys[i%2], shopOrder(order, fmt.Sprint("C-", i%2), item))
		cases = append(cases, w.flagged(qc.OrderID(order), qc.ItemID(item)))
	}
	var all sync.WaitGroup
	for i, c := range cases {
		all.Go(func() {
			for _, kind := range []refund.Kind{refund.ChoseRefund, refund.Reconsidered, refund.ChoseKeep} {
				if _, err := w.ActForShop(t.Context(), keys[i%2], c.ID, 0, refund.Event{Kind: kind, At: noon}, string(kind)+string(c.ID)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	read := func(k central.ShopKey, want int) qc.Cursor {
		var after qc.Cursor
		n := int64(0)
		for {
			page, err := w.ShopEvents(t.Context(), k, after, 4)
			w.must(err)
			for _, e := range page.Events {
				if n++; e.N != n {
					t.Fatalf("%s: event %d comes as number %d", k.Shop, e.N, n)
				}
				if order := e.Snapshot.Order; !k.AllOrders && fmt.Sprint("C-", (order[2]-'0')%2) != string(e.Snapshot.Customer) {
					t.Fatalf("%s: an event of %s", k.Shop, order)
				}
			}
			after = page.Next
			if page.UpToDate && int(n) >= want {
				if int(n) != want {
					t.Errorf("%s: %d events, want %d", k.Shop, n, want)
				}
				return after
			}
		}
	}
	all.Wait()
	place := read(keys[0], 12)
	read(keys[1], 12)
	read(house, 24)

	page, err := w.ShopCases(t.Context(), keys[0], central.ShopCaseFilter{Limit: 1})
	w.must(err)
	if page.Events != place {
		t.Errorf("the list is read at %s, the events end at %s", page.Events, place)
	}
	for name, gone := range map[string]qc.Cursor{
		"another life": {Epoch: "e", Seq: 1}, "beyond": {Epoch: place.Epoch, Seq: 99},
	} {
		if _, err := w.ShopEvents(t.Context(), keys[0], gone, 4); !errors.Is(err, central.ErrCursorGone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.ShopEvents(t.Context(), house, place, 4); !errors.Is(err, central.ErrCursorGone) {
		t.Errorf("a shop's place among all shops' events: %v", err)
	}
	early := qc.Cursor{Epoch: place.Epoch, Seq: 3}
	w.must(w.ForgetShops(t.Context(), noon.Add(91*24*time.Hour)))
	if _, err := w.ShopEvents(t.Context(), keys[0], early, 4); !errors.Is(err, central.ErrCursorGone) {
		t.Errorf("what came behind was forgotten: %v", err)
	}
	if page, err := w.ShopEvents(t.Context(), keys[0], place, 4); err != nil || len(page.Events) != 0 || page.Next != place {
		t.Errorf("at the end: %+v, %v", page, err)
	}
	if page, err := w.ShopEvents(t.Context(), keys[0], qc.Cursor{}, 4); err != nil || page.Next != place {
		t.Errorf("from the start: %+v, %v", page, err)
	}
}

func (open opener) testShopRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	k, other := w.key("acme", false), w.key("other", false)
	begin := func(k central.ShopKey, print string, at time.Time) (central.ShopAnswer, error) {
		return w.BeginShopRequest(t.Context(), k, "key", print, at)
	}
	answer, err := begin(k, "a", noon)
	if err != nil || answer.Status != 0 {
		t.Fatalf("new: %+v, %v", answer, err)
	}
	_, err = begin(k, "a", noon.Add(time.Second))
	wantErr(t, err, central.ErrRunning)
	_, err = begin(k, "b", noon)
	wantErr(t, err, central.ErrKeyReused)
	_, err = begin(other, "b", noon) // each shop has keys of its own
	w.must(err)
	answer, err = begin(k, "a", noon.Add(2*time.Minute))
	if err != nil || answer.Status != 0 {
		t.Errorf("whoever worked on it has died: %+v, %v", answer, err)
	}
	w.must(w.EndShopRequest(t.Context(), k, "key", central.ShopAnswer{}, noon))
	_, err = begin(k, "b", noon) // as if there had been no request
	w.must(err)
	want := central.ShopAnswer{Status: 200, Headers: "h", Body: "b"}
	w.must(w.EndShopRequest(t.Context(), k, "key", want, noon))
	if answer, err = begin(k, "b", noon.Add(25*time.Hour)); err != nil || answer != want {
		t.Errorf("a day later: %+v, %v", answer, err)
	}
}
