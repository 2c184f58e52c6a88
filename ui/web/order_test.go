package web

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

func TestOrderLink_BecomesACookieOfThatOrderOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	answer := b.do(http.MethodGet, "/o/20481?t=secret-of-20481", nil)
	if got := answer.header.Get("Location"); answer.status != http.StatusSeeOther || got != "/o/20481" {
		t.Errorf("got %d to %q, want a redirect to the address without the secret", answer.status, got)
	}
	if got := answer.header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy %q", got)
	}
	cookie := answer.cookies[0]
	if !cookie.HttpOnly || cookie.Path != "/o/20481" || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie is too open: %v", cookie)
	}
	b.get("/o/20481", http.StatusOK)
}

func TestOrder_IsDeniedToEverybodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	digest := string(w.findings["F-20481-2"].Photos[0].Digest)
	decision := url.Values{"event": {"choose_refund"}, "version": {"1"}}
	requests := []struct {
		method, address string
		form            url.Values
	}{
		{http.MethodGet, "/o/20481", nil},
		{http.MethodGet, "/o/20481?t=wrong", nil},
		{http.MethodGet, "/o/20481?t=", nil},
		{http.MethodGet, "/o/99999?t=secret-of-20481", nil},
		{http.MethodGet, "/o/20481/events", nil},
		{http.MethodGet, "/o/20481/photos/" + digest, nil},
		{http.MethodGet, "/o/20481/photos/" + digest + "/preview", nil},
		{http.MethodGet, "/o/20481/photos/" + digest + "/full", nil},
		{http.MethodPost, "/o/20481/cases/K-20481-2/decision", decision},
	}
	stranger, other := w.reader(t), w.reader(t)
	other.openLink("20482")
	// The other order's cookie under this order's path, as a forger would send it.
	forger := w.reader(t)
	forger.jar["x"] = &http.Cookie{Name: orderCookie, Value: "secret-of-20482", Path: "/o/20481"}
	for name, b := range map[string]*reader{"stranger": stranger, "other customer": other, "forger": forger} {
		for _, request := range requests {
			answer := b.do(request.method, request.address, request.form)
			if answer.status != http.StatusNotFound && answer.status != http.StatusForbidden {
				t.Errorf("%s, %s %s: status %d", name, request.method, request.address, answer.status)
			}
		}
	}
	if got := w.cases["K-20481-2"].Status; got != refund.AwaitingDecision {
		t.Errorf("somebody else moved the case to %s", got)
	}
	other.body(other.do(http.MethodPost, "/o/20482/cases/K-20481-2/decision", decision), http.StatusNotFound)
}

func TestOrderPhotos_OnlyWhatTheCustomerMaySee(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	w.flagged(t, "20481-3", true)
	w.flagged(t, "20482-1", false)
	visible := w.findings["F-20481-2"].Photos[0]
	lacking := w.findings["F-20481-2"].Photos[1]
	delete(w.blobs, lacking.Digest)
	hidden := w.findings["F-20481-3"].Photos[0].Digest
	foreign := w.findings["F-20482-1"].Photos[0].Digest
	_, item := w.itemAndOrder("20481-1")
	b := w.reader(t)
	b.openLink("20481")
	cases := []struct {
		name   string
		path   string
		status int
		cache  string
	}{
		{"thumb", string(visible.Digest) + "/thumb", 200, "no-cache"},
		{"preview", string(visible.Digest) + "/preview", 200, "no-cache"},
		{"full", string(visible.Digest) + "/full", 200, "no-cache"},
		{"listing", string(item.ListingPhoto) + "/full", 200, "no-cache"},
		{"original still travels: the preview, for now", string(lacking.Digest) + "/full", 200, "no-cache"},
		{"unknown size", string(visible.Digest) + "/original", 404, ""},
		{"not named by the original", string(visible.Preview.Digest) + "/preview", 404, ""},
		{"not shown yet", string(hidden) + "/preview", 404, ""},
		{"another order's", string(foreign) + "/preview", 404, ""},
		{"unknown", strings.Repeat("0", 64) + "/preview", 404, ""},
		{"no digest", "../../x/full", 404, ""},
	}
	for _, c := range cases {
		answer := b.do(http.MethodGet, "/o/20481/photos/"+c.path, nil)
		if answer.status != c.status && (c.status != 404 || answer.status != http.StatusTemporaryRedirect) {
			t.Errorf("%s: status %d, want %d", c.name, answer.status, c.status)
		}
		if c.status != 200 {
			continue
		}
		h := answer.header
		if h.Get("Content-Type") != "image/jpeg" || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: headers %v", c.name, h)
		}
		if got := h.Get("Cache-Control"); !strings.HasPrefix(got, "private") || !strings.Contains(got, c.cache) {
			t.Errorf("%s: Cache-Control %q", c.name, got)
		}
	}
	if full := b.get("/o/20481/photos/"+string(visible.Digest)+"/full", 200); strings.Contains(full, "original P1") {
		t.Error("full still holds what follows the picture")
	}
	if full := b.get("/o/20481/photos/"+string(lacking.Digest)+"/full", 200); !strings.Contains(full, "preview P2") {
		t.Error("the preview does not stand in for the original")
	}
}

func TestOrderDecide(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, event, version string
		at                   time.Duration // after start
		notice               string
		status               refund.Status
	}{
		{"refund", "choose_refund", "1", 0, "web.notice.done", refund.Negotiating},
		{"exchange", "choose_exchange", "1", 0, "web.notice.done", refund.Negotiating},
		{"keep", "choose_keep", "1", 0, "web.notice.done", refund.Kept},
		{"made elsewhere meanwhile", "choose_refund", "7", 0, "error.case_moved_on", refund.AwaitingDecision},
		{"window closed", "choose_refund", "1", 100 * time.Hour, "error.decision_late", refund.AwaitingDecision},
		{"keep after the window", "choose_keep", "1", 100 * time.Hour, "web.notice.done", refund.Kept},
		{"a clerk's step", "agree_refund", "1", 0, "error.case_moved_on", refund.AwaitingDecision},
		{"a lead's step", "dismiss", "1", 0, "error.not_allowed", refund.AwaitingDecision},
		{"no such step", "pay_me", "1", 0, "error.event_unknown", refund.AwaitingDecision},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.flagged(t, "20481-2", false)
			w.now = w.now.Add(c.at)
			b := w.reader(t)
			b.openLink("20481")
			form := url.Values{"event": {c.event}, "version": {c.version}}
			if got, want := b.sent("/o/20481/cases/K-20481-2/decision", form), "/o/20481?case=K-20481-2&notice="+c.notice+"#item-20481-2"; got != want {
				t.Errorf("got to %q, want %q", got, want)
			}
			if got := w.cases["K-20481-2"].Status; got != c.status {
				t.Errorf("case is %s, want %s", got, c.status)
			}
		})
	}
}

func TestOrderDecide_DoubleClickDecidesOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	b := w.reader(t)
	b.openLink("20481")
	form := url.Values{"event": {"choose_refund"}, "version": {"1"}}
	for range 2 {
		if got := b.sent("/o/20481/cases/K-20481-2/decision", form); !strings.Contains(got, "web.notice.done") {
			t.Errorf("got to %q", got)
		}
	}
	if got := w.cases["K-20481-2"].Version; got != 2 {
		t.Errorf("version %d, want 2", got)
	}
}

func TestOrderDecide_RefusesWhatNoFormSends(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	w.flagged(t, "20481-3", true)
	b := w.reader(t)
	b.openLink("20481")
	good := url.Values{"event": {"choose_refund"}, "version": {"1"}}
	b.body(b.do(http.MethodPost, "/o/20481/cases/K-20481-3/decision", good), http.StatusNotFound)
	b.body(b.do(http.MethodPost, "/o/20481/cases/K-20481-2/decision", url.Values{"event": {"choose_refund"}}), http.StatusBadRequest)
	long := url.Values{"event": {strings.Repeat("x", maxForm)}, "version": {"1"}}
	b.body(b.do(http.MethodPost, "/o/20481/cases/K-20481-2/decision", long), http.StatusBadRequest)
	if got := w.cases["K-20481-2"].Version; got != 1 {
		t.Errorf("version %d, want 1", got)
	}
}

func TestOrder_OtherSitesCannotDecide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.test"}, {"Origin", "null"}} {
		r, err := http.NewRequest(http.MethodPost, "http://centre.test/o/20481/cases/K-20481-2/decision", //nolint:noctx // never sent
			strings.NewReader("event=choose_keep&version=1"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(header[0], header[1])
		r.AddCookie(&http.Cookie{Name: orderCookie, Value: "secret-of-20481"})
		got := serve(t, w.pages(t).Handler(), r)
		if got.status != http.StatusForbidden {
			t.Errorf("%v: status %d", header, got.status)
		}
	}
	if got := w.cases["K-20481-2"].Status; got != refund.AwaitingDecision {
		t.Errorf("case is %s", got)
	}
}

func TestOrder_InnerThingsStayInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", true)
	lead := refund.Actor{Party: refund.ByLead, ID: "L01"}
	w.move(t, "K-20481-2", refund.Event{Kind: refund.LeadSentBack, Actor: lead, Reason: "模糊，请重拍"})
	b := w.reader(t)
	b.openLink("20481")
	page := b.get("/o/20481", http.StatusOK)
	if strings.Contains(page, "K-20481-2") || strings.Contains(page, "Scuff") {
		t.Error("the page shows a case that waits for a lead")
	}
	w.move(t, "K-20481-2", refund.Event{Kind: refund.LeadConfirmed, Actor: lead})
	page = b.get("/o/20481", http.StatusOK)
	for _, inner := range []string{"模糊", "L01", "I01", "bench-3", "Damaged by us", "仅内部", `data-flaw="3"`} {
		if strings.Contains(page, inner) {
			t.Errorf("the page shows %q", inner)
		}
	}
	for _, outer := range []string{"Scuff or scratch", `data-flaw="4"`, "鞋头刮伤", "¥401.00", `id="choose-refund"`, `data-status="awaiting_decision"`} {
		if !strings.Contains(page, outer) {
			t.Errorf("the page lacks %q", outer)
		}
	}
}

func TestOrder_EscapesWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	f := w.findings["F-20481-2"]
	f.Flaws[0].Note = `<script>alert(1)</script>`
	w.findings[f.ID] = f
	b := w.reader(t)
	b.openLink("20481")
	if strings.Contains(b.get("/o/20481", http.StatusOK), "<script>alert") {
		t.Error("a note became markup")
	}
}

func TestOrder_WithdrawnAfterTheCustomerSawIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	w.move(t, "K-20481-2", refund.Event{Kind: refund.LeadDismissed, Actor: refund.Actor{Party: refund.ByLead, ID: "L01"}, Reason: "正常"})
	b := w.reader(t)
	b.openLink("20481")
	page := b.get("/o/20481", http.StatusOK)
	if !strings.Contains(page, `data-status="withdrawn"`) || strings.Contains(page, "正常") {
		t.Error("the customer is not told, or is told the inner reason")
	}
	b.get("/o/20481/photos/"+string(w.findings["F-20481-2"].Photos[0].Digest)+"/preview", http.StatusNotFound)
}

func TestOrder_ExchangedShowsBothPieces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	for _, e := range []refund.Event{
		{Kind: refund.ChoseExchange, Actor: customer},
		{Kind: refund.AgreedReship, Actor: clerk},
		{Kind: refund.ReplacementIn, Actor: bench, Waybill: "YT1234567890"},
	} {
		w.move(t, "K-20481-2", e)
	}
	first := string(w.findings["F-20481-2"].Photos[0].Digest)
	good := qc.Finding{
		ID: "good", Revision: 1, Item: "20481-2", Order: "20481", Round: 2, Verdict: qc.Pass, RecordedAt: w.now,
		Photos: []qc.Photo{w.photo(t, "replacement", "imani-clovis-234736-unsplash.jpg")},
	}
	w.findings["good"] = good
	second := string(good.Photos[0].Digest)
	b := w.reader(t)
	b.openLink("20481")
	if strings.Contains(b.get("/o/20481", http.StatusOK), second) {
		t.Error("the replacement is shown before its check has ended")
	}
	w.move(t, "K-20481-2", refund.Event{Kind: refund.RecheckPassed, Actor: bench})
	page := b.get("/o/20481", http.StatusOK)
	new, old := strings.Index(page, second), strings.Index(page, first)
	if new < 0 || old < new || !strings.Contains(page, `id="earlier-20481-2-1"`) {
		t.Errorf("the replacement is at %d, the piece before at %d", new, old)
	}
	for _, digest := range []string{first, second} {
		b.get("/o/20481/photos/"+digest+"/preview", http.StatusOK)
	}
}

func TestPages_LogNoSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	b := w.reader(t)
	b.openLink("20481")
	b.signIn("D01")
	w.mu.Lock()
	w.cases["K-20481-2"] = refund.Case{ID: "K-20481-2", Order: "20481", Item: "20481-2", Status: refund.AwaitingDecision}
	w.mu.Unlock()
	b.get("/o/20481?t=secret-of-20482", http.StatusNotFound)
	w.pages(t).failed(discard{}, mustRequest(t, "/o/20481?t=secret-of-20481"), "test", http.ErrBodyNotAllowed)
	if w.log.Len() == 0 {
		t.Error("a failure left nothing in the log")
	}
	for _, secret := range []string{"secret-of", password} {
		if bytes.Contains(w.log.Bytes(), []byte(secret)) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestMarks_StayWithinThePhoto(t *testing.T) {
	t.Parallel()
	photo := qc.Photo{ID: "p", Width: 100, Height: 100}
	broken := qc.Finding{Photos: []qc.Photo{photo}, Marks: []qc.Mark{{Photo: "p"}, {Photo: "q", Points: make([]qc.Point, 2)}}}
	if over := overlay(broken, photo, "", shown); (photoView{overlayView: over}).Marked() {
		t.Errorf("broken marks are drawn: %+v", over)
	}
}
