package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flawmark/app/refund"
)

func TestDesk_CorrectsWhatTheMarketplaceTookBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	w.settled(t, "K-20481-2")
	b := w.reader(t)
	b.signIn("D01")
	page := b.get("/desk/cases/K-20481-2", http.StatusOK)
	if !strings.Contains(page, `action="/desk/cases/K-20481-2/correction"`) || !strings.Contains(page, `value="401.00"`) {
		t.Fatal("a credited case cannot be corrected")
	}
	tooMuch := url.Values{"amount": {"9999"}, "seller_ref": {"V-1"}, "reason": {"x"}}
	if page := b.body(b.do(http.MethodPost, "/desk/cases/K-20481-2/correction", tooMuch), http.StatusUnprocessableEntity); !strings.Contains(page, b.says("web.correct.amount")) {
		t.Error("too much can be taken back")
	}
	to := b.sent("/desk/cases/K-20481-2/correction", url.Values{"amount": {"100.00"}, "seller_ref": {"V-1"}, "reason": {"平台撤回"}})
	if !strings.Contains(to, "K-20481-2-correction") {
		t.Fatalf("sent to %s", to)
	}
	page = b.get("/desk/cases/K-20481-2-correction", http.StatusOK)
	for _, want := range []string{`data-action="take_back"`, `data-action="bear_reversal"`, `data-action="lift_reversal"`, `name="approver_password"`, "K-20481-2"} {
		if !strings.Contains(page, want) {
			t.Errorf("the correction's page lacks %q", want)
		}
	}
	form := url.Values{"event": {"take_back"}, "version": {"1"}, "reason": {"agreed"}, "approver": {"A01"}, "approver_password": {password}}
	b.sent("/desk/cases/K-20481-2-correction/events", form)
	if c := w.cases["K-20481-2-correction"]; c.Status != refund.Corrected {
		t.Fatalf("the correction is %s", c.Status)
	}
	if c := w.cases["K-20481-2"]; c.Status != refund.Credited {
		t.Error("the ended case has changed")
	}
	customers := w.reader(t)
	customers.openLink("20481")
	page = customers.get("/o/20481", http.StatusOK)
	onceEach(t, page)
	for _, want := range []string{`data-status="corrected"`, `data-status="credited"`, "Taken back by the marketplace", "Paid by us"} {
		if !strings.Contains(page, want) {
			t.Errorf("the customer's page lacks %q", want)
		}
	}
}

func TestOrder_ReportsAFlawThatWeMissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.passed(t, "20481-1")
	w.flagged(t, "20481-2", false)
	b := w.reader(t)
	b.openLink("20481")
	page := b.get("/o/20481", http.StatusOK)
	const report = `href="/o/20481/tickets?item=20481-%s&amp;topic=missed_flaw#write-new"`
	if !strings.Contains(page, fmt.Sprintf(report, "1")) || strings.Contains(page, fmt.Sprintf(report, "2")) {
		t.Fatal("a flaw can be reported of what has passed, and of nothing else")
	}
	page = b.get("/o/20481/tickets?item=20481-1&topic=missed_flaw", http.StatusOK)
	for _, want := range []string{`value="missed_flaw" selected`, `value="20481-1" selected`, "that we should have seen"} {
		if !strings.Contains(page, want) {
			t.Errorf("the form lacks %q", want)
		}
	}
	form := url.Values{"topic": {"missed_flaw"}, "item": {"20481-1"}, "text": {""}, "seen": {"0"}}
	if page = b.body(b.sends("/o/20481/tickets", form, file{"sole.jpg", snapshot(t, 64)}), http.StatusUnprocessableEntity); !strings.Contains(page, "Please say which item has the flaw") {
		t.Errorf("without words: %s", page)
	}
	form.Set("text", "the sole is torn")
	got := b.sends("/o/20481/tickets", form, file{"sole.jpg", snapshot(t, 64)})
	if to := got.header.Get("Location"); to != "/o/20481/tickets/20481-T1?notice=web.claim_flaw.done#20481-T1-1" {
		t.Errorf("sent on to %q", to)
	}
	if c := w.cases["M-20481-1"]; c.Status != refund.Disputed || c.Reason != "the sole is torn" || w.tickets[0].Case != c.ID || len(w.tickets[0].Messages[0].Pictures) != 1 {
		t.Fatalf("claimed %+v by %+v", c, w.tickets)
	}
	page = b.get("/o/20481", http.StatusOK)
	onceEach(t, page)
	if !strings.Contains(page, `data-status="disputed"`) || strings.Contains(page, fmt.Sprintf(report, "1")) {
		t.Error("the page does not show what was reported")
	}

	desk := w.reader(t)
	desk.signIn("D01")
	desk.sent("/desk/cases/M-20481-1/events", url.Values{
		"event": {"grant_claim"}, "version": {"1"}, "amount": {"50.00"}, "reason": {"it shows"}, "approver": {"A01"}, "approver_password": {password},
	})
	if c := w.cases["M-20481-1"]; c.Status != refund.CreditedKept {
		t.Errorf("the claim is %s", c.Status)
	}
}
