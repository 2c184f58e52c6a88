package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// TestMails_AReaderOfMailStopsThoseOfProgress follows the address in a mail's
// header: one POST, and no more such mails come; the money's does.
func TestMails_AReaderOfMailStopsThoseOfProgress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server := h.write("en")
	h.c.settings.Public = "https://centre.test"
	sender := h.sender()
	newest := func(want int) http.Header {
		t.Helper()
		h.now = h.now.Add(12 * time.Hour) // whatever hours are quiet
		_, err := sender.Drain(t.Context(), refund.ByMail)
		h.must(err)
		h.now = h.now.Add(-12 * time.Hour)
		mails := server.Mails()
		if len(mails) != want {
			t.Fatalf("%d mails, want %d", len(mails), want)
		}
		return http.Header(mails[want-1].Message(t).Header)
	}
	desk, shift := refund.Actor{Party: refund.ByClerk, ID: "clerk3"}, refund.Actor{Party: refund.ByLead, ID: "lead7"}
	h.must(h.c.store.AddStaff(t.Context(), central.NewStaff{ID: "lead7", Name: "陈伟", Role: qc.Lead}, h.now))
	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	if got := newest(1).Get("List-Unsubscribe"); got != "" {
		t.Errorf("a question can be unsubscribed from: %s", got)
	}
	h.act(refund.Event{Kind: refund.ChoseRefund, Actor: refund.Actor{Party: refund.ByCustomer, ID: "C1"}})
	h.act(refund.Event{Kind: refund.AgreedReturn, Actor: desk})
	h.act(refund.Event{Kind: refund.Dispatched, Actor: shift, Waybill: "YT1234567890"})
	header := newest(2)
	address := strings.Trim(header.Get("List-Unsubscribe"), "<>")
	if header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || !strings.HasPrefix(address, "https://centre.test/mails?t=") {
		t.Fatalf("headers %v", header)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("List-Unsubscribe=One-Click"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	h.pages.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		t.Fatalf("answered with %d: %s", answer.Code, answer.Body)
	}
	h.act(refund.Event{Kind: refund.SellerReceived, Actor: desk})
	newest(2)
	h.act(refund.Event{Kind: refund.SellerPaid, Actor: desk, Amount: money.Fen(40100), SellerRef: "R-1"})
	if got := newest(3).Get("Subject"); !strings.Contains(got, "balance") {
		t.Errorf("the last mail is %q", got)
	}
}
