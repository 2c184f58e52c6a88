package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

func TestPolicy_SaysWhatTheSellerGrants(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		liable   refund.Liability
		excepted qc.NonReturnable
		after    time.Duration
		says     []string
	}{
		"seller's": {"", "", 0, []string{
			"Returns are taken until 23 Nov 10:00", "Serious flaw, or not what was ordered (this item) nothing",
			"Minor flaw return shipping ¥12.00 and service fee ¥5.00", "No flaw, only not wanted domestic shipping ¥12.00",
			"This item is none of these", "underwear",
		}},
		"minor":    {refund.ByMinorFlaw, "", 0, []string{"Minor flaw (this item)"}},
		"excepted": {"", qc.NextToSkin, 0, []string{"Sellers do not take such items back: underwear, socks, leggings. We still ask, but"}},
		"too late": {"", "", 90 * time.Hour, []string{"Returns were taken until 23 Nov 10:00", "Ask the seller anyway"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			order := w.orders["20481"]
			order.Items[1].NonReturnable = tt.excepted
			w.flagged(t, "20481-2", false)
			w.liable("K-20481-2", tt.liable)
			w.now = w.now.Add(tt.after)
			b := w.reader(t)
			b.openLink("20481")
			page := asRead(b.get("/o/20481", http.StatusOK))
			for _, want := range tt.says {
				if !strings.Contains(page, want) {
					t.Errorf("the page does not say %q:\n%s", want, page)
				}
			}
		})
	}
}

func TestAnyway_IsAskedOnceAndEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	unansweredWorld(t, w)
	b := w.reader(t)
	b.openLink("20481")
	page := b.get("/o/20481", http.StatusOK)
	if text := asRead(page); !strings.Contains(text, "We had no answer by 22 Nov 10:00") || !strings.Contains(text, "The seller takes returns until 23 Nov 10:00") {
		t.Errorf("the page does not say why, or until when: %s", text)
	}
	form := url.Values{"topic": {"ask_anyway"}, "item": {"20481-2"}, "case": {"K-20481-2"}, "seen": {"0"}, "text": {"please"}}
	for name := range form {
		if !strings.Contains(page, `name="`+name+`"`) {
			t.Errorf("the page's form lacks %s", name)
		}
	}
	b.sent("/o/20481/tickets", form)
	b.sent("/o/20481/tickets", form)
	if len(w.tickets) != 1 || w.tickets[0].Case != "K-20481-2" || w.tickets[0].Topic != refund.TopicAskAnyway {
		t.Fatalf("tickets %+v", w.tickets)
	}
	if page := b.get("/o/20481", http.StatusOK); strings.Contains(page, `id="anyway-`) || !strings.Contains(page, "You have asked us to write") {
		t.Error("it can be asked again")
	}
	w.tickets = nil
	w.now = w.now.Add(30 * time.Hour)
	if text := asRead(b.get("/o/20481", http.StatusOK)); !strings.Contains(text, "The seller took returns until 23 Nov 10:00") {
		t.Errorf("the page does not say the last minute: %s", text)
	}
	w.now = w.now.Add(anywayFor)
	if strings.Contains(b.get("/o/20481", http.StatusOK), `id="anyway-`) {
		t.Error("it can be asked for ever")
	}
}

func TestAnyway_NotWhereSomebodyChose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	w.move(t, "K-20481-2", refund.Event{Kind: refund.ChoseKeep, Actor: customer})
	b := w.reader(t)
	b.openLink("20481")
	if strings.Contains(b.get("/o/20481", http.StatusOK), `id="anyway-`) {
		t.Error("who chose to keep it is asked to ask the seller")
	}
}
