package main

import (
	"bytes"
	"html"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
	"flawmark/storage/central"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// desk is a clerk's browser.
type desk struct {
	*house
	signed func(*http.Request)
}

func (h *house) desk(id qc.StaffID) *desk {
	h.t.Helper()
	const password = "a password for the desk"
	h.must(h.c.store.AddStaff(h.t.Context(), central.NewStaff{ID: id, Name: "Person", Role: qc.Clerk, Password: password}, h.now))
	w := httptest.NewRecorder()
	h.pages.ServeHTTP(w, post("/desk/sign-in", url.Values{"id": {string(id)}, "password": {password}}))
	cookies := w.Result().Cookies()
	if len(cookies) != 2 { // the session, and what the browser is known by
		h.t.Fatalf("%s is not signed in: status %d", id, w.Code)
	}
	return &desk{h, withCookie(cookies[0].Name, cookies[0].Value)}
}

// send returns where a form leads.
func (d *desk) send(r *http.Request) string {
	d.t.Helper()
	d.signed(r)
	w := httptest.NewRecorder()
	d.pages.ServeHTTP(w, r)
	if w.Code != http.StatusSeeOther {
		d.t.Fatalf("%s: status %d: %.600s", r.URL, w.Code, w.Body)
	}
	return w.Header().Get("Location")
}

func (d *desk) upload(data []byte) *http.Request {
	d.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "退款.csv")
	d.must(err)
	_, err = part.Write(data)
	d.must(err)
	d.must(form.Close())
	r := httptest.NewRequest(http.MethodPost, "http://centre.test/desk/refunds", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

func (d *desk) look(address string, status int) string {
	d.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://centre.test"+address, nil)
	d.signed(r)
	w := httptest.NewRecorder()
	d.pages.ServeHTTP(w, r)
	if w.Code != status {
		d.t.Fatalf("%s: status %d, want %d", address, w.Code, status)
	}
	return w.Body.String()
}

var tickable = regexp.MustCompile(`type="checkbox" name="book" value="([^"]*)"`)

// TestRefundsPage_BringsTheMoneyOnce goes from a marketplace's file to the
// balance, and then does everything once more.
func TestRefundsPage_BringsTheMoneyOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	cases, err := h.c.store.Cases(t.Context(), central.CaseFilter{})
	h.must(err)
	for _, e := range []refund.Event{
		{Kind: refund.ChoseRefund, Actor: refund.Actor{Party: refund.ByCustomer}},
		{Kind: refund.AgreedRefund, Actor: refund.Actor{Party: refund.ByClerk, ID: "clerk3"}},
	} {
		_, err := h.c.store.Act(t.Context(), cases[0].ID, 0, e, "")
		h.must(err)
	}
	owed, err := cases[0].Owed()
	h.must(err)
	file, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte("退款编号,退款金额,退款时间\n`77120043,¥" + owed.Decimal() +
		"元,2026-11-20 10:00:00\n`77120044,1.00,2026-11-20 10:00:00\n`77120045,about 3,2026-11-20 10:00:00\n"))
	h.must(err)
	d := h.desk("clerk7")
	run := d.send(d.upload(file))
	preview := d.look(run, http.StatusOK)
	for _, want := range []string{"only the amount fits", "no case of ours", "cannot be read", "“退款金额” says “about 3”, which is no sum", owed.String(), "20 Nov 2026"} {
		if !strings.Contains(preview, want) {
			t.Errorf("the preview does not say %q", want)
		}
	}
	ticks := tickable.FindAllStringSubmatch(preview, -1)
	if len(ticks) != 1 {
		t.Fatalf("to tick: %q", ticks)
	}
	balance := func() string {
		t.Helper()
		got, err := h.c.store.Balance(t.Context(), cases[0].Customer)
		h.must(err)
		return got.String()
	}
	if got := balance(); got == owed.String() {
		t.Fatal("a preview has booked something")
	}
	form := url.Values{"book": {html.UnescapeString(ticks[0][1])}}
	if done := d.look(d.send(post(run, form)), http.StatusOK); !strings.Contains(done, "1 payment was booked, "+owed.String()) {
		t.Errorf("the result does not say what was booked: %.2000s", done)
	}
	if got := balance(); got != owed.String() {
		t.Fatalf("balance %s, want %s", got, owed)
	}
	after, err := h.c.store.Case(t.Context(), cases[0].ID)
	h.must(err)
	last := after.Timeline[len(after.Timeline)-1]
	if after.SellerRef != "77120043" || last.Actor.ID != "clerk7" {
		t.Errorf("booked as %s by %+v", after.SellerRef, last.Actor)
	}

	if again := d.look(d.send(post(run, form)), http.StatusOK); !strings.Contains(again, "nothing was booked a second time") {
		t.Error("sent twice, it does not say so")
	}
	h.now = h.now.Add(time.Minute)
	second := d.send(d.upload(file))
	if said := d.look(second, http.StatusOK); second == run || !strings.Contains(said, "1 payment booked before") || strings.Contains(said, `name="book"`) {
		t.Error("the same file again does not say that it is booked")
	}
	d.send(post(second, form))
	other := h.desk("clerk8")
	third := other.send(other.upload(file))
	other.send(post(third, form))
	other.look(run, http.StatusNotFound)
	if got := balance(); got != owed.String() {
		t.Errorf("done again, the balance is %s, want %s", got, owed)
	}
}

// Whatever becomes of a payment, the page has words for it in both languages.
func TestRefundsPage_HasWordsForEveryState(t *testing.T) {
	t.Parallel()
	for _, language := range assets.Languages() {
		words, err := assets.LoadWords(language)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, state := range []central.MatchState{
			central.MatchLikely, central.MatchDone, central.MatchRepeated, central.MatchDiffers, central.MatchOver, central.MatchMany,
			central.MatchEnded, central.MatchUnknown, central.MatchTotal, central.MatchBroken,
		} {
			keys = append(keys, "match."+string(state), "web.refunds.why."+string(state))
		}
		for _, column := range []string{"reference", "order", "seller", "amount", "date", "note"} {
			keys = append(keys, "refund_column."+column)
		}
		for _, fault := range []central.RefundFault{
			central.FaultEmpty, central.FaultAmount, central.FaultDate, central.FaultRounded, central.FaultLong,
		} {
			keys = append(keys, "refund_fault."+string(fault))
		}
		for _, problem := range []central.RefundFileProblem{
			central.FileEmpty, central.FileLarge, central.FileMany, central.FileWorkbook, central.FileNoText, central.FileQuote,
			central.ColumnMissing, central.ColumnTwice,
		} {
			keys = append(keys, "error.refund_file."+string(problem))
		}
		for _, key := range keys {
			if !words.Has(key) {
				t.Errorf("%s has no %s", language, key)
			}
		}
	}
}
