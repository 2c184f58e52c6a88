package web

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// asRead is a page as it is read: without markup, on one line.
func asRead(page string) string {
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")
	return html.UnescapeString(strings.Join(strings.Fields(text), " "))
}

// liable makes somebody answer for the flaw of a case.
func (w *world) liable(id qc.CaseID, l refund.Liability) {
	c := w.cases[id]
	c.Liability = l
	w.cases[id] = c
}

func TestSheet_SaysWhatEachChoiceMeans(t *testing.T) {
	t.Parallel()
	seller := "潮流前线鞋店"
	for name, tt := range map[string]struct {
		liable refund.Liability
		record refund.Record
		says   []string
		not    []string
	}{
		"nothing known": {refund.BySellerFault, refund.Record{}, []string{
			"Balance +¥401.00 Costs nothing How long 7–15 days the usual time",
			"Balance ¥0.00 another piece instead of money Costs nothing How long 7–20 days the usual time",
			"Balance ¥0.00 Costs nothing How long at once Chances certain",
			"no refund from this seller so far", "The seller is responsible for this flaw", "rules, version 1",
			"If you do not answer by 22 Nov 10:00",
		}, []string{"only a few", "consent", "estimate"}},
		"few": {"", refund.Record{Refunded: refund.Rate{Hits: 9, N: 12}, Days: refund.Days{N: 9, Median: 8.2, P80: 11.4}}, []string{
			"this seller paid 9 of 12 refunds only a few so far, so this says little", "usually 9 days 4 of 5 within 12 days, of 9 refunds by this seller",
		}, []string{"likely", "Takes 7–15"}},
		"very few days": {"", refund.Record{Refunded: refund.Rate{Hits: 1, N: 1}, Days: refund.Days{N: 1, Median: 2, P80: 2}}, []string{
			"1 of 1 refunds", "only a few so far", "7–15 days the usual time",
		}, []string{"usually"}},
		"enough": {"", refund.Record{Refunded: refund.Rate{Hits: 18, N: 24}, Days: refund.Days{N: 18, Median: 0.2, P80: 1}}, []string{
			"this seller paid 18 of 24 refunds for all such claims likely 55–89 %", "usually 1 day 4 of 5 within 1 day, of 18 refunds",
		}, []string{"only a few"}},
		"minor": {refund.ByMinorFlaw, refund.Record{}, []string{
			"+¥384.00 ¥401.00 minus the costs below", "¥17.00 return shipping ¥12.00 and service fee ¥5.00",
			"The flaw is minor", "estimate until the parcel has been weighed", "the exchange costs me ¥17.00",
		}, nil},
		"customer": {refund.ByCustomerWish, refund.Record{}, []string{"¥29.00", "There is nothing wrong with the item"}, nil},
		"ours":     {refund.ByAgentFault, refund.Record{}, []string{"The mistake is ours"}, []string{"Costs ¥"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.flagged(t, "20481-2", false)
			w.liable("K-20481-2", tt.liable)
			w.records = map[string]refund.Record{seller: tt.record}
			b := w.reader(t)
			b.openLink("20481")
			page := asRead(b.get("/o/20481", http.StatusOK))
			for _, want := range tt.says {
				if !strings.Contains(page, want) {
					t.Errorf("the page does not say %q:\n%s", want, page)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(page, not) {
					t.Errorf("the page says %q", not)
				}
			}
		})
	}
}

func TestSheet_Offer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	w.liable("K-20481-2", refund.ByMinorFlaw)
	w.move(t, "K-20481-2", refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.move(t, "K-20481-2", refund.Event{Kind: refund.Offered, Actor: clerk, Amount: money.Fen(12000)})
	b := w.reader(t)
	b.openLink("20481")
	page := asRead(b.get("/o/20481", http.StatusOK))
	for _, want := range []string{
		"Balance +¥120.00 29 % of what you paid Costs nothing The item you keep it",
		"Balance +¥384.00 95 % of what you paid Costs ¥17.00 return shipping ¥12.00", "The item goes back", "If you do nothing by 22 Nov 10:30, the offer runs out", "Accept the offer", "Ask for this amount", "Decline the offer",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
}

// What costs more than it brings needs a tick that says so, whoever sends the
// form.
func TestConsent(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		liable refund.Liability
		paid   int64
		event  refund.Kind
		needed bool
	}{
		{"refund at the seller's cost", refund.BySellerFault, 38900, refund.ChoseRefund, false},
		{"exchange at the seller's cost", refund.BySellerFault, 38900, refund.ChoseExchange, false},
		{"refund that brings something", refund.ByMinorFlaw, 38900, refund.ChoseRefund, false},
		{"exchange of a minor flaw", refund.ByMinorFlaw, 38900, refund.ChoseExchange, true},
		{"refund that brings less", refund.ByMinorFlaw, 400, refund.ChoseRefund, true},
		{"refund that brings nothing", refund.ByMinorFlaw, 500, refund.ChoseRefund, true},
		{"keep", refund.ByMinorFlaw, 400, refund.ChoseKeep, false},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.flagged(t, "20481-2", false)
			c.Liability, c.Paid = tt.liable, money.Fen(tt.paid)
			w.cases[c.ID] = c
			b := w.reader(t)
			b.openLink("20481")
			box := `id="consent-` + strings.ReplaceAll(string(tt.event), "_", "-") + `" required`
			if got := strings.Contains(b.get("/o/20481", http.StatusOK), box); got != tt.needed {
				t.Errorf("asked to consent: %t, want %t", got, tt.needed)
			}
			form := url.Values{"event": {string(tt.event)}, "version": {"1"}}
			want := "web.notice.done"
			if tt.needed {
				want = "web.consent.needed"
			}
			if got := b.sent("/o/20481/cases/K-20481-2/decision", form); !strings.Contains(got, want) {
				t.Errorf("got to %q, want %q", got, want)
			}
			if moved := w.cases[c.ID].Status != refund.AwaitingDecision; moved == tt.needed {
				t.Errorf("case is %s", w.cases[c.ID].Status)
			}
			form.Set("consent", "yes")
			b.sent("/o/20481/cases/K-20481-2/decision", form)
			if w.cases[c.ID].Status == refund.AwaitingDecision {
				t.Error("it was not decided with the consent")
			}
		})
	}
}

// Whatever happens by itself is announced, whoever is waited for.
func TestSheet_EveryTimerIsAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.flagged(t, "20481-2", false)
	running := 0
	for language, words := range w.reader(t).pages.Words {
		s := speech{Words: words, zone: time.UTC, now: w.now}
		for _, status := range refund.Statuses() {
			c.Status, c.ChangedAt, c.Liability = status, w.now, refund.BySellerFault
			c.Offer = &refund.Offer{Amount: money.Fen(100), ExpiresAt: w.now.Add(time.Hour)}
			at, kind, runs := c.Timer()
			if !runs {
				continue
			}
			running++
			if said := s.until(c) + s.silence(c); !strings.Contains(said, s.at(at).Text) {
				t.Errorf("%s, %s: %s is announced as %q", language, status, kind, said)
			}
			s.now = at
			if said := s.until(c) + s.silence(c); said != "" {
				t.Errorf("%s, %s: when it is over, the page says %q", language, status, said)
			}
			s.now = w.now
		}
	}
	if running < 18 {
		t.Errorf("only %d timers were seen", running)
	}
}
