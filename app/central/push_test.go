package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/sync/notify"
	"flawmark/sync/notify/pushtest"
)

// TestPush_FromTheFlawToTheBrowser follows a flaw to a browser that a maker of
// the test serves, and its address to the page.
func TestPush_FromTheFlawToTheBrowser(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.write("zh")
	on := true // at an address that browsers would not allow
	h.c.settings.Notices.Push = &on
	m := pushtest.Start(t)
	sub := refund.Subscription{Order: "1", Endpoint: m.URL + "/x", P256dh: m.Browser.P256dh(), Auth: m.Browser.Auth()}

	// By the page nothing of this machine can be subscribed.
	form := url.Values{"on": {"1"}, "endpoint": {strings.Replace(sub.Endpoint, "http:", "https:", 1)}, "p256dh": {sub.P256dh}, "auth": {sub.Auth}}
	if answer := h.send("/o/1/push", form); answer.Code != http.StatusBadRequest {
		t.Errorf("an inner address: status %d", answer.Code)
	}
	form.Set("endpoint", "https://push.example.com/x")
	if answer := h.send("/o/1/push", form); answer.Code != http.StatusNoContent {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	form.Set("on", "0")
	h.send("/o/1/push", form)
	h.must(h.c.store.Subscribe(t.Context(), sub, h.now))

	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	pusher, err := h.c.pusher(t.Context(), true)
	h.must(err)
	sender := func(outbox notify.Outbox) *notify.Sender {
		s := h.sender()
		s.Push, s.Outbox = pusher, outbox
		return s
	}
	if _, err := sender(dying{h.c.store}).Drain(t.Context(), refund.ByPush); err == nil {
		t.Fatal("the centre did not die")
	}
	h.now = h.now.Add(5 * time.Minute)
	if n, err := sender(h.c.store).Drain(t.Context(), refund.ByPush); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	got := m.Taken()
	if len(got) != 2 {
		t.Fatalf("%d were taken, want one and its repetition", len(got))
	}
	var said [2]struct{ Title, Body, URL, Tag string }
	for i := range said {
		h.must(json.Unmarshal([]byte(got[i].Text), &said[i]))
	}
	if said[0] != said[1] || said[0].URL != "http://centre.test/o/1" || !strings.Contains(said[0].Title, "鞋") || !strings.Contains(said[0].Body, "未作选择") {
		t.Errorf("said %+v", said)
	}
	h.page("/o/1") // opens with the cookie

	m.Answer(http.StatusGone)
	h.act(refund.Event{Kind: refund.ChoseRefund, Actor: refund.Actor{Party: refund.ByCustomer, ID: "C-1"}})
	h.act(refund.Event{Kind: refund.Refused, Actor: refund.Actor{Party: refund.ByClerk, ID: "clerk3"}, Reason: "no"})
	if n, err := sender(h.c.store).Drain(t.Context(), refund.ByPush); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	waiting, err := h.c.store.Notices(t.Context(), central.NoticeFilter{State: refund.NoticeWaiting})
	h.must(err)
	for _, n := range waiting {
		if n.Medium == refund.ByPush {
			t.Errorf("something waits for a browser that is gone: %+v", n)
		}
	}
}

// send posts a form as the customer's script does.
func (h *house) send(path string, form url.Values) *httptest.ResponseRecorder {
	h.t.Helper()
	r := post(path, form)
	r.AddCookie(&http.Cookie{Name: "flawmark_order", Value: h.token})
	w := httptest.NewRecorder()
	h.pages.ServeHTTP(w, r)
	return w
}

func TestPush_IsOfferedWhereBrowsersAllowIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	off := false
	for public, want := range map[string]bool{
		"https://qc.example.com": true, "http://localhost:8480": true, "http://127.0.0.1:8480": true, "http://10.0.0.5:8480": false,
	} {
		h.c.settings.Public = public
		if got := h.c.pushes(); got != want {
			t.Errorf("%s: %t", public, got)
		}
		h.c.settings.Notices.Push = &off
		if h.c.pushes() {
			t.Errorf("%s: offered although it is switched off", public)
		}
		h.c.settings.Notices.Push = nil
	}
}
