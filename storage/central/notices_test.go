package central_test

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/storage/storagetest"
)

// reachable gives the sample order's customer an address.
func (w world) reachable() world {
	w.t.Helper()
	order := sampleOrder()
	order.Customer.Email, order.Customer.TimeZone = "ana@example.com", "Europe/Madrid"
	_, err := w.ImportOrders(w.t.Context(), []qc.Order{order}, noon)
	w.must(err)
	return w
}

// told lists the notices of a medium, without reminders, oldest first.
func (w world) told(medium refund.Medium) []refund.NoticeKind {
	w.t.Helper()
	all, err := w.Notices(w.t.Context(), central.NoticeFilter{})
	w.must(err)
	var kinds []refund.NoticeKind
	for _, n := range slices.Backward(all) {
		if n.Medium == medium && n.Kind != refund.TellReminder {
			kinds = append(kinds, n.Kind)
		}
	}
	return kinds
}

// Who sends notices is woken by what puts one into the outbox, and by no more.
func (open opener) testNoticesWakeTheirSenders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	ticks, stop := w.WatchNotices()
	defer stop()
	woken := func() bool {
		select {
		case <-ticks:
			return true
		default:
			return false
		}
	}
	f := w.bench.flag("f-20481-2", "20481-2")
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	if woken() {
		t.Error("woken by a finding that nobody is told of yet")
	}
	w.store(f.Photos[0].Preview.Digest)
	if !woken() {
		t.Error("slept when the customer was to be told")
	}
	w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.pass("f-20481-1", "20481-1"))
	if woken() {
		t.Error("woken by an item that passed")
	}
	c, err := w.ClaimNotices(t.Context(), refund.ByMail, time.Minute, noon)
	w.must(err)
	w.must(w.SettleNotices(t.Context(), c.Notices, c.Until, refund.Outcome{State: refund.NoticeFailed, Problem: "p"}, noon))
	if woken() {
		t.Error("woken by a mail that failed")
	}
	n, err := w.RetryNotices(t.Context(), central.NoticeFilter{State: refund.NoticeFailed}, noon)
	w.must(err)
	if n != 1 || !woken() {
		t.Errorf("slept when %d notices were to be sent again", n)
	}
}

func (open opener) testNoticesComeWithTheStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	hook, err := w.AddWebhook(t.Context(), refund.Webhook{URL: "https://shop.example.com/"}, noon)
	w.must(err)
	f := w.bench.flag("f-20481-2", "20481-2")
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	if got := w.told(refund.ByMail); len(got) != 0 {
		t.Fatalf("told before the photos are there: %q", got)
	}
	w.store(f.Photos[0].Preview.Digest)
	c := w.status(refund.AwaitingDecision)
	w.store(f.Photos[0].Preview.Digest) // once more
	_, err = w.Act(t.Context(), c.ID, 0, refund.Event{Kind: refund.AgreedReturn, Actor: clerk, At: noon}, "")
	if err == nil {
		t.Fatal("a seller agreed to what was not claimed")
	}
	refused := w.bench.flag("f9", "20481-1")
	refused.Flaws[0].Code = "none such"
	w.bench.say(noon, qc.FindingRecorded, "u12", refused)
	if got, want := w.told(refund.ByMail), []refund.NoticeKind{refund.TellProblem}; !slices.Equal(got, want) {
		t.Fatalf("told %q, want %q", got, want)
	}
	event := refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: noon}
	for range 2 { // the answer was lost
		_, err := w.Act(t.Context(), c.ID, c.Version, event, "key")
		w.must(err)
	}
	w.act(c.ID, refund.Event{Kind: refund.Offered, Actor: clerk, Amount: money.Fen(5000)})
	w.act(c.ID, refund.Event{Kind: refund.DeclinedOffer, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.Offered, Actor: clerk, Amount: money.Fen(6000)})
	w.act(c.ID, refund.Event{Kind: refund.DeclinedOffer, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.Refused, Actor: clerk, Reason: "worn"})
	w.act(c.ID, refund.Event{Kind: refund.Resubmitted, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedReturn, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.Dispatched, Actor: refund.Actor{Party: refund.ByLead, ID: "lead7"}, Waybill: "YT1234567890"})
	w.act(c.ID, refund.Event{Kind: refund.SellerReceived, Actor: clerk})
	c = w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1"})
	if c.Status != refund.Credited {
		t.Fatalf("ended as %s", c.Status)
	}
	want := []refund.NoticeKind{
		refund.TellProblem, refund.TellOffer, refund.TellOffer, refund.TellRefused,
		refund.TellSentBack, refund.TellRefunding, refund.TellCredited,
	}
	if got := w.told(refund.ByMail); !slices.Equal(got, want) {
		t.Errorf("the customer is told %q, want %q", got, want)
	}
	all, err := w.Notices(t.Context(), central.NoticeFilter{Hook: hook.ID})
	w.must(err)
	slices.Reverse(all)
	for i, n := range all { // version 1 was not visible yet
		if n.Snapshot.Sequence != i+2 {
			t.Errorf("the shop's notice %d is of version %d", i, n.Snapshot.Sequence)
		}
	}
	if len(all) != c.Version-1 {
		t.Errorf("the shop is told of %d steps, the case has %d", len(all), c.Version-1)
	}
	w.sound()
}

func (open opener) testRemindersUntilTheChoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	c := w.visible("20481-2")
	reminders := func(state refund.NoticeState) (due []time.Duration) {
		all, err := w.Notices(t.Context(), central.NoticeFilter{State: state})
		w.must(err)
		for _, n := range all {
			if n.Kind == refund.TellReminder {
				due = append(due, c.DecideBy.Sub(n.DueAt))
			}
		}
		slices.Sort(due)
		return due
	}
	if got := reminders(refund.NoticeWaiting); !slices.Equal(got, []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour}) {
		t.Errorf("reminders %v before the end", got)
	}
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	if got := reminders(refund.NoticeWaiting); len(got) != 0 {
		t.Errorf("reminded of a choice that was made: %v", got)
	}
	w.act(c.ID, refund.Event{Kind: refund.Reconsidered, Actor: customer})
	if got := reminders(refund.NoticeWaiting); len(got) != 3 {
		t.Errorf("asked again, reminders %v", got)
	}
	c = w.only()
	if n, err := w.RunTimers(t.Context(), c.DecideBy); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if got := reminders(refund.NoticeWaiting); len(got) != 0 {
		t.Errorf("reminded after the end: %v", got)
	}
	if got := w.told(refund.ByMail); got[len(got)-1] != refund.TellAutoKept {
		t.Errorf("told %q", got)
	}
}

// testNoticesAreClaimedOnce lets many senders claim at the same moment.
func (open opener) testNoticesAreClaimedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	w.visible("20481-2")
	const lease = time.Minute
	var all sync.WaitGroup
	claims := make(chan refund.Consignment, 8)
	for range cap(claims) {
		all.Go(func() {
			c, err := w.ClaimNotices(t.Context(), refund.ByMail, lease, noon)
			if err == nil {
				claims <- c
			} else if !errors.Is(err, qc.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(claims)
	if len(claims) != 1 {
		t.Fatalf("%d senders have it", len(claims))
	}
	first := <-claims
	_, err := w.ClaimNotices(t.Context(), refund.ByMail, lease, noon.Add(lease-time.Second))
	wantErr(t, err, qc.ErrNotFound)
	again, err := w.ClaimNotices(t.Context(), refund.ByMail, lease, noon.Add(lease)) // the sender is dead
	w.must(err)
	if again.ID != first.ID || again.Notices[0].ID != first.Notices[0].ID || again.Notices[0].Attempts != 2 {
		t.Errorf("taken again as %+v, was %+v", again, first)
	}
	late := refund.Outcome{State: refund.NoticeFailed, Problem: "notice.problem.late"}
	w.must(w.SettleNotices(t.Context(), first.Notices, first.Until, late, noon.Add(lease)))
	got, err := w.Notices(t.Context(), central.NoticeFilter{ID: first.Notices[0].ID})
	w.must(err)
	if got[0].State != refund.NoticeWaiting {
		t.Errorf("a sender whose time was over settled it as %s", got[0].State)
	}
	w.must(w.SettleNotices(t.Context(), again.Notices, again.Until, refund.Outcome{State: refund.NoticeSent}, noon.Add(lease)))
	_, err = w.ClaimNotices(t.Context(), refund.ByMail, lease, noon.Add(5*time.Hour))
	wantErr(t, err, qc.ErrNotFound)
}

// TestNotices_TwoCentresOnOneDatabase lets two centres look into the same
// outbox at the same moment, again and again.
func TestNotices_TwoCentresOnOneDatabase(t *testing.T) {
	t.Parallel()
	server := storagetest.StartPostgres(t)
	address := server.Database(t)
	another := func(tb testing.TB) *central.Store {
		tb.Helper()
		c := config(tb, tb.TempDir())
		c.URL = address
		store, err := central.Open(tb.Context(), c)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = store.Close() })
		return store
	}
	w := newWorld(t, another).reachable()
	for range 5 {
		_, err := w.AddWebhook(t.Context(), refund.Webhook{URL: "https://shop.example.com/"}, noon)
		w.must(err)
	}
	w.visible("20481-2")
	var mu sync.Mutex
	var both sync.WaitGroup
	seen := make(map[string]int)
	for _, centre := range []*central.Store{w.Store, another(t)} {
		both.Go(func() {
			for {
				c, err := centre.ClaimNotices(t.Context(), refund.ByHook, time.Minute, noon)
				if errors.Is(err, qc.ErrNotFound) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[c.ID]++
				mu.Unlock()
				if err := centre.SettleNotices(t.Context(), c.Notices, c.Until, refund.Outcome{State: refund.NoticeSent}, noon); err != nil {
					t.Error(err)
				}
			}
		})
	}
	both.Wait()
	for id, n := range seen {
		if n != 1 {
			t.Errorf("notice %s was sent by %d centres", id, n)
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d sent, want 5", len(seen))
	}
}

func (open opener) testNoticesOfManyCases(t *testing.T) {
	t.Parallel()
	for _, medium := range []refund.Medium{refund.ByMail, refund.ByPush} {
		open.manyCases(t, 0, medium)
		open.manyCases(t, 1, medium)
	}
}

// manyCases tells of three cases in a row, of which the first ones are sent
// before the others come.
func (open opener) manyCases(t *testing.T, before int, medium refund.Medium) {
	t.Helper()
	w := newWorld(t, open).reachable()
	w.must(w.Subscribe(t.Context(), browser("20481", 1), noon))
	var previews []qc.Digest
	for _, item := range []qc.ItemID{"20481-1", "20481-2", "20481-3"} {
		f := w.bench.flag(qc.FindingID("f-"+item), item)
		w.bench.applied(noon, qc.FindingRecorded, "u12", f)
		previews = append(previews, f.Photos[0].Preview.Digest)
	}
	cases, err := w.Cases(t.Context(), central.CaseFilter{})
	w.must(err)
	for _, c := range cases {
		if c.LeadWaits {
			w.act(c.ID, refund.Event{Kind: refund.LeadConfirmed, Actor: refund.Actor{Party: refund.ByLead, ID: "lead7"}})
		}
	}
	ready := previews[:3-before]
	for _, d := range previews[len(ready):] { // told by themselves
		w.store(d)
		c, err := w.ClaimNotices(t.Context(), medium, time.Minute, noon)
		w.must(err)
		w.must(w.SettleNotices(t.Context(), c.Notices, c.Until, refund.Outcome{State: refund.NoticeSent}, noon))
	}
	for _, d := range ready {
		w.store(d)
	}
	c, err := w.ClaimNotices(t.Context(), medium, time.Minute, noon)
	w.must(err)
	if len(c.Notices) != len(ready) {
		t.Errorf("%s: after %d %d cases in one, want %d", medium, before, len(c.Notices), len(ready))
	}
	_, err = w.ClaimNotices(t.Context(), medium, time.Minute, noon)
	wantErr(t, err, qc.ErrNotFound)
}

// What asks for nothing waits for the customer's morning in every medium, and
// what asks does not.
func (open opener) testQuietHoursHoldForAllMedia(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable() // in Madrid
	w.must(w.Subscribe(t.Context(), browser("20481", 1), noon))
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	night := time.Date(2026, 11, 23, 23, 30, 0, 0, time.UTC)
	act := func(e refund.Event) {
		t.Helper()
		e.Actor, e.At = clerk, night
		_, err := w.Act(t.Context(), c.ID, 0, e, "")
		w.must(err)
	}
	act(refund.Event{Kind: refund.Refused, Reason: "no"})
	act(refund.Event{Kind: refund.Resubmitted})
	act(refund.Event{Kind: refund.AgreedRefund})
	all, err := w.Notices(t.Context(), central.NoticeFilter{})
	w.must(err)
	due := map[string]time.Time{}
	for _, n := range all {
		due[string(n.Kind)+" "+string(n.Medium)] = n.DueAt
	}
	morning := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC) // 7 o'clock there
	for name, want := range map[string]time.Time{
		"seller_refused mail": night, "seller_refused push": night, "seller_refunding mail": morning, "seller_refunding push": morning,
	} {
		if !due[name].Equal(want) {
			t.Errorf("%s is due at %s, want %s", name, due[name], want)
		}
	}
}

func (open opener) testNoticesSettle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	w.visible("20481-2")
	claim := func(at time.Time) refund.Consignment {
		t.Helper()
		c, err := w.ClaimNotices(t.Context(), refund.ByMail, time.Minute, at)
		w.must(err)
		return c
	}
	c := claim(noon)
	later := refund.Outcome{State: refund.NoticeWaiting, Again: noon.Add(time.Hour), Problem: "notice.problem.unreachable"}
	w.must(w.SettleNotices(t.Context(), c.Notices, c.Until, later, noon))
	_, err := w.ClaimNotices(t.Context(), refund.ByMail, time.Minute, noon.Add(time.Hour-time.Second))
	wantErr(t, err, qc.ErrNotFound)
	c = claim(noon.Add(time.Hour))
	w.must(w.SettleNotices(t.Context(), c.Notices, c.Until, refund.Outcome{State: refund.NoticeFailed, Problem: "x", Code: "550"}, noon))
	failed, err := w.Notices(t.Context(), central.NoticeFilter{State: refund.NoticeFailed})
	w.must(err)
	if len(failed) != 1 || failed[0].Code != "550" || failed[0].Problem != "x" {
		t.Fatalf("failed: %+v", failed)
	}
	if n, err := w.RetryNotices(t.Context(), central.NoticeFilter{State: refund.NoticeFailed}, noon.Add(2*time.Hour)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	again := claim(noon.Add(2 * time.Hour))
	if again.ID != c.ID || again.Notices[0].Attempts != 1 {
		t.Errorf("retried as %+v", again)
	}
	w.must(w.SettleNotices(t.Context(), again.Notices, again.Until, refund.Outcome{State: refund.NoticeSent}, noon.Add(2*time.Hour)))
	w.must(w.ForgetNotices(t.Context(), noon.Add(100*24*time.Hour)))
	if got := w.told(refund.ByMail); len(got) != 0 {
		t.Errorf("still remembered: %q", got)
	}
	w.sound()
}

func (open opener) testWebhooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	at := noon
	var ids []string
	for range 3 {
		hook, err := w.AddWebhook(t.Context(), refund.Webhook{URL: "https://shop.example.com/"}, at)
		w.must(err)
		ids = append(ids, hook.ID)
		at = at.Add(time.Second)
	}
	w.must(w.DisableWebhook(t.Context(), ids[1], noon))
	w.visible("20481-2")
	w.must(w.RemoveWebhook(t.Context(), ids[2], noon))
	wantErr(t, w.RemoveWebhook(t.Context(), ids[2], noon), qc.ErrNotFound)
	c, err := w.ClaimNotices(t.Context(), refund.ByHook, time.Minute, noon)
	w.must(err)
	if c.Hook.ID != ids[0] || c.Hook.Secret == "" || len(c.Notices) != 1 {
		t.Errorf("claimed %+v", c)
	}
	_, err = w.ClaimNotices(t.Context(), refund.ByHook, time.Minute, noon)
	wantErr(t, err, qc.ErrNotFound)
	listed, err := w.Webhooks(t.Context())
	w.must(err)
	slices.SortFunc(listed, func(a, b refund.Webhook) int { return cmp.Compare(a.ID, b.ID) })
	for _, hook := range listed {
		if hook.Secret != "" || hook.DisabledAt.IsZero() != (hook.ID == ids[0]) {
			t.Errorf("listed %+v", hook)
		}
	}
	if len(listed) != 2 {
		t.Errorf("%d listed, want 2", len(listed))
	}
}
