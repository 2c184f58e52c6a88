package main

import (
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/notify/mailtest"
)

// TestNotify_AnswersAreMailed follows a clerk's answer about an item, and one
// about the whole order, to the customer's mail.
func TestNotify_AnswersAreMailed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server := h.write("en")
	view, err := h.c.store.OrderByToken(t.Context(), "1", h.token, h.now)
	h.must(err)
	item := view.Order.Items[0]
	for _, about := range []qc.ItemID{item.ID, ""} {
		ticket, err := h.c.store.WriteTicket(t.Context(), refund.Writing{
			Order: "1", Item: about, Topic: refund.TopicQuestion, Text: "secret question", Key: "q" + string(about), At: h.now,
			Actor: refund.Actor{Party: refund.ByCustomer, ID: string(view.Order.Customer.ID)},
		})
		h.must(err)
		_, err = h.c.store.WriteTicket(t.Context(), refund.Writing{
			Order: "1", Ticket: ticket.ID, Text: "secret answer", Key: "a" + string(about), Seen: 1, At: h.now,
			Actor: refund.Actor{Party: refund.ByClerk, ID: "clerk3"},
		})
		h.must(err)
		if n, err := h.sender().Drain(t.Context(), refund.ByMail); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	mails := server.Mails()
	if len(mails) != 2 {
		t.Fatalf("%d mails", len(mails))
	}
	for i, want := range []string{"about " + item.Title.EN, "about Order 1"} {
		text, _ := mailtest.Bodies(t, mails[i])
		if !strings.Contains(text, want) || linkInText.FindString(text) == "" {
			t.Errorf("mail %d lacks %q, or a link: %s", i, want, text)
		}
		if strings.Contains(text, "secret answer") || strings.Contains(text, "secret question") {
			t.Errorf("mail %d tells what was written: %s", i, text)
		}
	}
}
