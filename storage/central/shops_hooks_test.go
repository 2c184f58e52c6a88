package central_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// heard returns the orders whose steps a webhook is told of, each once.
func (w world) heard(hook string) []qc.OrderID {
	w.t.Helper()
	all, err := w.Notices(w.t.Context(), central.NoticeFilter{Hook: hook})
	w.must(err)
	var orders []qc.OrderID
	for _, n := range all {
		orders = append(orders, n.Snapshot.Order)
	}
	slices.Sort(orders)
	return slices.Compact(orders)
}

// No shop's webhook ever hears of another shop's orders, nor of the centre's own.
func (open opener) testHooksHearTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	acme, other, house := w.key("acme", false), w.key("other", false), w.key("house", true)
	add := func(hook refund.Webhook) string {
		hook.URL = "https://shop.example.com/"
		hook, err := w.AddWebhook(t.Context(), hook, noon)
		w.must(err)
		return hook.ID
	}
	own := func(k central.ShopKey, id string) string {
		hook, err := w.AddShopHook(t.Context(), k, id, "https://shop.example.com/", noon)
		w.must(err)
		if hook.Secret == "" || hook.MadeBy != k.ID {
			t.Errorf("added %+v", hook)
		}
		return hook.ID
	}
	w.take(acme, shopOrder("A-1", "A-C", "A-1-1"))
	w.take(other, shopOrder("O-1", "O-C", "O-1-1"))
	hooks := map[string]struct {
		id   string
		want []qc.OrderID
	}{
		"the centre's own":       {add(refund.Webhook{}), []qc.OrderID{"20481"}},
		"acme's":                 {add(refund.Webhook{Shop: "acme"}), []qc.OrderID{"A-1"}},
		"everybody's":            {add(refund.Webhook{AllOrders: true}), []qc.OrderID{"20481", "A-1", "O-1"}},
		"acme's, by its key":     {own(acme, "h-acme"), []qc.OrderID{"A-1"}},
		"other's, by its key":    {own(other, "h-other"), []qc.OrderID{"O-1"}},
		"everybody's, by a key":  {own(house, "h-house"), []qc.OrderID{"20481", "A-1", "O-1"}},
		"a shop without orders'": {own(w.key("third", false), "h-third"), nil},
	}
	w.visible("20481-2")
	for _, item := range []struct {
		order qc.OrderID
		item  qc.ItemID
	}{{"A-1", "A-1-1"}, {"O-1", "O-1-1"}} {
		c := w.flagged(item.order, item.item)
		w.act(c.ID, refund.Event{Kind: refund.ChoseKeep, Actor: refund.Actor{Party: refund.ByCustomer, ID: string(c.Customer)}})
	}
	// What the desk answers is told as well, to nobody else.
	for _, order := range []qc.OrderID{"20481", "A-1", "O-1"} {
		ticket := w.write(refund.Writing{Order: order, Topic: refund.TopicQuestion, Actor: customer, Text: "?", Key: "q", At: noon})
		w.write(refund.Writing{Order: order, Ticket: ticket.ID, Actor: clerk, Text: "!", Key: "a", At: noon})
	}
	for name, hook := range hooks {
		if got := w.heard(hook.id); !slices.Equal(got, hook.want) {
			t.Errorf("%s hears of %v, want %v", name, got, hook.want)
		}
	}
	answered, err := w.Notices(t.Context(), central.NoticeFilter{Hook: "h-acme"})
	w.must(err)
	if kinds := kindsOf(answered); !slices.Contains(kinds, refund.TellAnswer) || !slices.Contains(kinds, refund.TellProblem) {
		t.Errorf("acme is told %v", kinds)
	}
	events, err := w.ShopEvents(t.Context(), acme, qc.Cursor{}, 10)
	w.must(err)
	if last := events.Events[len(events.Events)-1]; last.Kind != refund.TellAnswer || last.Snapshot.Ticket != "A-1-T1" {
		t.Errorf("the last event is %+v", last)
	}
	_, err = w.AddWebhook(t.Context(), refund.Webhook{URL: "https://shop.example.com/", Shop: "nobody"}, noon)
	wantErr(t, err, central.ErrShopName)
	w.sound()
}

func kindsOf(all []refund.Notice) (kinds []refund.NoticeKind) {
	for _, n := range all {
		kinds = append(kinds, n.Kind)
	}
	return kinds
}

// A shop's system sees to its own webhooks and knows of no others.
func (open opener) testHooksOfShops(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	acme, other, house := w.key("acme", false), w.key("other", false), w.key("acme", true)
	const url = "https://shop.example.com/hook"
	hook, err := w.AddShopHook(t.Context(), acme, "h1", url, noon)
	w.must(err)
	again, err := w.AddShopHook(t.Context(), w.key("acme", false), "h1", url, noon.Add(time.Hour)) // its key was changed
	w.must(err)
	if again.Secret != "" || !again.CreatedAt.Equal(hook.CreatedAt) {
		t.Errorf("added again: %+v", again)
	}
	for name, err := range map[string]error{
		"another address": second(w.AddShopHook(t.Context(), acme, "h1", url+"2", noon)),
		"another shop's":  second(w.AddShopHook(t.Context(), other, "h1", url, noon)),
		"all orders'":     second(w.AddShopHook(t.Context(), house, "h1", url, noon)),
	} {
		t.Run(name, func(t *testing.T) { wantErr(t, err, central.ErrHookChanged) })
	}
	_, err = w.AddShopHook(t.Context(), house, "all", url, noon)
	w.must(err)
	byAdmin, err := w.AddWebhook(t.Context(), refund.Webhook{URL: url, Shop: "acme"}, noon)
	w.must(err)
	for _, want := range []struct {
		key   central.ShopKey
		hooks int
	}{{acme, 2}, {other, 0}, {house, 3}} {
		list, err := w.ShopHooks(t.Context(), want.key)
		w.must(err)
		if len(list) != want.hooks {
			t.Errorf("%s sees %d webhooks, want %d", want.key.Shop, len(list), want.hooks)
		}
		for _, each := range list {
			if each.Secret != "" {
				t.Error("a list has a secret")
			}
		}
	}
	for _, id := range []string{"h1", "all", byAdmin.ID} {
		_, err = w.ShopHook(t.Context(), other, id)
		wantErr(t, err, qc.ErrNotFound)
		_, err = w.ReplayShopHook(t.Context(), other, id, noon.Add(-time.Hour), noon)
		wantErr(t, err, qc.ErrNotFound)
		wantErr(t, w.RemoveShopHook(t.Context(), other, id, noon), qc.ErrNotFound)
	}
	wantErr(t, w.RemoveShopHook(t.Context(), acme, "all", noon), qc.ErrNotFound) // it tells more than this key may know

	w.take(acme, shopOrder("A-1", "A-C", "A-1-1"))
	w.flagged("A-1", "A-1-1")
	c, err := w.ClaimNotices(t.Context(), refund.ByHook, time.Minute, noon)
	w.must(err)
	failed := refund.Outcome{State: refund.NoticeFailed, Problem: "notice.problem.hook_status", Code: "500"}
	w.must(w.SettleNotices(t.Context(), c.Notices, c.Until, failed, noon))
	state, err := w.ShopHook(t.Context(), house, c.Hook.ID)
	w.must(err)
	if state.Failed != 1 || state.Waiting != 0 || state.Problem != failed.Problem || state.Code != "500" {
		t.Errorf("after a failure: %+v", state)
	}
	n, err := w.ReplayShopHook(t.Context(), house, c.Hook.ID, noon.Add(-time.Hour), noon.Add(time.Minute))
	w.must(err)
	if state, err = w.ShopHook(t.Context(), house, c.Hook.ID); n != 1 || err != nil || state.Waiting != 1 || state.Failed != 0 {
		t.Errorf("replayed %d: %+v, %v", n, state, err)
	}
	w.must(w.DisableWebhook(t.Context(), "h1", noon))
	_, err = w.ReplayShopHook(t.Context(), acme, "h1", noon.Add(-time.Hour), noon)
	wantErr(t, err, central.ErrHookGone)
	w.must(w.RemoveShopHook(t.Context(), acme, "h1", noon))
	wantErr(t, w.RemoveShopHook(t.Context(), acme, "h1", noon), qc.ErrNotFound)
	for i := 0; err != nil || i < 20; i++ {
		if _, err = w.AddShopHook(t.Context(), acme, fmt.Sprint("many", i), url, noon); err != nil {
			break
		}
	}
	wantErr(t, err, central.ErrHooksMany)
	w.must(w.RevokeShopKey(t.Context(), acme.ID, noon))
	_, err = w.AddShopHook(t.Context(), acme, "h2", url, noon)
	wantErr(t, err, central.ErrShopKey)
	wantErr(t, w.RemoveShopHook(t.Context(), acme, "many0", noon), central.ErrShopKey)
	w.sound()
}

// A shop whose programs hang has two calls under way and no more; what others are
// to be told is sent meanwhile, and its own as soon as one of those has ended.
func (open opener) testHooksTakeTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	slow, quick := w.key("slow", false), w.key("quick", false)
	for i := range 4 {
		_, err := w.AddShopHook(t.Context(), slow, fmt.Sprint("s", i), "https://shop.example.com/", noon)
		w.must(err)
	}
	_, err := w.AddShopHook(t.Context(), quick, "q", "https://shop.example.com/", noon)
	w.must(err)
	w.take(slow, shopOrder("S-1", "S-C", "S-1-1"))
	w.take(quick, shopOrder("Q-1", "Q-C", "Q-1-1"))
	w.flagged("S-1", "S-1-1")
	w.flagged("Q-1", "Q-1-1")
	claim := func(at time.Time) (refund.Consignment, error) {
		return w.ClaimNotices(t.Context(), refund.ByHook, time.Minute, at)
	}
	counts := map[string]int{}
	var held refund.Consignment
	for range 3 {
		c, err := claim(noon)
		w.must(err)
		if counts[c.Hook.Shop]++; c.Hook.Shop == "slow" {
			held = c
		}
	}
	if counts["slow"] != 2 || counts["quick"] != 1 {
		t.Errorf("under way: %v", counts)
	}
	_, err = claim(noon)
	wantErr(t, err, qc.ErrNotFound)
	w.must(w.SettleNotices(t.Context(), held.Notices, held.Until, refund.Outcome{State: refund.NoticeSent}, noon))
	if c, err := claim(noon); err != nil || c.Hook.Shop != "slow" {
		t.Errorf("after one has ended: %+v, %v", c.Hook, err)
	}
	if c, err := claim(noon.Add(2 * time.Minute)); err != nil || c.Hook.Shop != "slow" { // whoever had them is dead
		t.Errorf("after the leases have run out: %+v, %v", c.Hook, err)
	}
}

func second[T any](_ T, err error) error { return err }

// Webhooks of a centre before there were shops' own go on hearing everything.
func TestOpen_WebhooksOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	c := config(t, t.TempDir())
	name := filepath.Join(c.Dir, "central.db")
	unpack(t, "centre-00003.db.gz", name)
	db, err := sql.Open("sqlite", name)
	if err == nil {
		_, err = db.Exec(`INSERT INTO webhook (id, url, secret, local, created_at) VALUES ('old', 'https://shop.example.com/', 'whsec_eA==', 0, 1)`)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	store, err := central.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	hooks, err := store.Webhooks(t.Context())
	if err != nil || len(hooks) != 1 {
		t.Fatalf("%d webhooks, %v", len(hooks), err)
	}
	for _, hook := range hooks {
		if !hook.AllOrders || hook.Shop != "" || hook.MadeBy != "" {
			t.Errorf("%+v", hook)
		}
	}
}
