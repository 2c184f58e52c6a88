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
	"flawmark/app/refund"
)

// confirmationAt returns what a preview's form sends when nothing is ticked.
func (b *reader) confirmationAt(address string) url.Values {
	b.t.Helper()
	page := b.get(address, http.StatusOK)
	_, form, ok := strings.Cut(page, `<form method="post" action="`+address+`"`)
	if !ok {
		b.t.Fatalf("nothing to confirm: %.600s", page)
	}
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(form, -1) {
		values.Add(field[1], html.UnescapeString(field[2]))
	}
	return values
}

// upload sends a file of payments and returns where that leads.
func (b *reader) upload(data string) string {
	b.t.Helper()
	got := b.sendsIn("file", "/desk/refunds", nil, file{"refunds.csv", []byte(data)})
	b.body(got, http.StatusSeeOther)
	return got.header.Get("Location")
}

var paymentOf = regexp.MustCompile(`<tr data-line="(\d+)" data-state="([a-z]*)" data-booked="([a-z]*)">`)

// payments says what a page tells of each payment.
func (b *reader) payments(address string) string {
	b.t.Helper()
	var list []string
	for _, row := range paymentOf.FindAllStringSubmatch(b.get(address, http.StatusOK), -1) {
		says := row[1] + " " + row[2]
		if row[3] == "true" {
			says += " now"
		}
		list = append(list, says)
	}
	return strings.Join(list, ", ")
}

func TestRefunds_UploadPreviewConfirm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paymentsWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	run := b.upload(paymentsFile)
	if got, want := b.payments(run), "3 likely, 2 sure, 4 over, 5 ended, 6 broken, 7 unknown"; got != want {
		t.Errorf("preview: %s, want %s", got, want)
	}
	if w.cases["K-20481-2"].Status != refund.SellerRefunding {
		t.Fatal("a preview has booked something")
	}
	form := b.confirmationAt(run)
	if got := form["book"]; len(got) != 1 || got[0] != "2 K-20481-2" {
		t.Fatalf("booked without a tick: %q", got)
	}
	if page := b.get(run, http.StatusOK); !strings.Contains(page, `type="checkbox" name="book" value="3 K-20481-3" id="book-3">`) {
		t.Error("the likely payment cannot be ticked, or is ticked already")
	}
	form.Add("book", "3 K-20481-3")
	form.Add("book", "4 K-20482-1") // what nobody was offered
	if done := b.sent(run, form); done != run {
		t.Errorf("led to %s", done)
	}
	if got, want := b.payments(run), "2 done now, 3 done now, 4 over, 5 ended, 6 broken, 7 unknown"; got != want {
		t.Errorf("result: %s, want %s", got, want)
	}
	if page := b.get(run, http.StatusOK); !strings.Contains(page, "2 payments were booked, ¥512.00 in all") {
		t.Error("the result does not say what was booked")
	}
	balance := w.lines["C-1001"][len(w.lines["C-1001"])-1].Running
	if balance != money.Fen(51200) || w.cases["K-20482-1"].Status != refund.SellerRefunding {
		t.Errorf("balance %s, the third case %s", balance, w.cases["K-20482-1"].Status)
	}
	for _, entry := range w.cases["K-20481-2"].Timeline {
		if entry.Event == refund.SellerPaid && entry.Actor.ID != "D01" {
			t.Errorf("booked by %+v", entry.Actor)
		}
	}

	again := b.sent(run, form)
	if page := b.get(again, http.StatusOK); !strings.Contains(page, "nothing was booked a second time") {
		t.Error("a second submission does not say so")
	}
	w.now = w.now.Add(time.Hour)
	second := b.upload(paymentsFile)
	if got, want := b.payments(second), "4 over, 5 ended, 6 broken, 7 unknown, 2 done, 3 done"; got != want || second == run {
		t.Errorf("the same file again, at %s: %s, want %s", second, got, want)
	}
	if page := b.get(second, http.StatusOK); strings.Contains(page, "confirm") || !strings.Contains(page, "nothing in this file to be booked") {
		t.Error("the same file again can be confirmed")
	}
	b.sent(second, form)
	if got := w.lines["C-1001"]; got[len(got)-1].Running != money.Fen(51200) {
		t.Errorf("the same file again has brought %s", got[len(got)-1].Running)
	}
}

// What somebody confirms is the money of the case that was shown, and of no
// other.
func TestRefunds_OnlyAsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paymentsWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	if to := b.sent(paymentsRun, url.Values{}); !strings.Contains(to, "web.refunds.none_ticked") {
		t.Errorf("nothing ticked leads to %s", to)
	}
	b.sent(paymentsRun, url.Values{"book": {"2 K-20482-1", "x", "99 K-20481-2"}})
	if got, want := b.payments(paymentsRun), "3 likely, 2 broken, 4 over, 5 ended, 6 broken, 7 unknown"; got != want {
		t.Errorf("confirmed for another case: %s, want %s", got, want)
	}
	if page := b.get(paymentsRun, http.StatusOK); !strings.Contains(page, "Its case has changed while you looked") {
		t.Error("the result does not say why")
	}
	for id, c := range w.cases {
		if !c.Received.IsZero() {
			t.Errorf("%s has received %s", id, c.Received)
		}
	}
}

func TestRefunds_BrokenFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paymentsWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	header := "ref,amount,note,date\n"
	for name, c := range map[string]struct {
		files []file
		says  string
	}{
		"none":          {nil, "No file was chosen"},
		"empty":         {[]file{{"x.csv", nil}}, "No file was chosen"},
		"two":           {[]file{{"x.csv", []byte("a")}, {"y.csv", []byte("b")}}, "one file at a time"},
		"large":         {[]file{{"x.csv", make([]byte, maxPaymentFile+1)}}, "larger than 2 MB"},
		"many payments": {[]file{{"x.csv", []byte(header + strings.Repeat("R,1.00,,\n", mostPayments+1))}}, "more than 2000 payments"},
		"no payments":   {[]file{{"x.csv", []byte(header)}}, "no payments in the file"},
		"a broken line": {[]file{{"x.csv", []byte(header + "R,1.00\n")}}, "opens in line 3 of the file"},
		"no reference":  {[]file{{"x.csv", []byte("amount\n1.00\n")}}, "no column for the refund&#39;s number, such as “reference”, “退款编号”. Line 1 names “amount”."},
	} {
		got := b.sendsIn("file", "/desk/refunds", nil, c.files...)
		if page := b.body(got, http.StatusBadRequest); !strings.Contains(page, c.says) || !strings.Contains(page, `type="file"`) {
			t.Errorf("%s: %.900s", name, page)
		}
	}
	b.body(b.do(http.MethodPost, "/desk/refunds", url.Values{"file": {paymentsFile}}), http.StatusBadRequest)
	if len(w.runs) != 1 {
		t.Errorf("%d runs are kept", len(w.runs))
	}
}

// Only who may book is offered to, and nobody sees another's file.
func TestRefunds_AreForWhoMayBook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paymentsWorld(t, w)
	for _, id := range []string{"V01", "A01", "L01"} {
		b := w.reader(t)
		b.body(b.do(http.MethodPost, "/desk/sign-in", url.Values{"id": {id}, "password": {password}}), http.StatusSeeOther)
		if page := b.get("/desk/refunds", http.StatusOK); strings.Contains(page, `type="file"`) || !strings.Contains(page, "others may look") {
			t.Errorf("%s is offered to send a file", id)
		}
		b.body(b.sendsIn("file", "/desk/refunds", nil, file{"x.csv", []byte(paymentsFile)}), http.StatusForbidden)
		b.body(b.do(http.MethodPost, paymentsRun, url.Values{"book": {"2 K-20481-2"}}), http.StatusForbidden)
		b.get(paymentsRun, http.StatusNotFound)
	}
	other := w.reader(t)
	other.signIn("DL1")
	other.get(paymentsRun, http.StatusNotFound)
	other.body(other.do(http.MethodPost, paymentsRun, url.Values{"book": {"2 K-20481-2"}}), http.StatusNotFound)
	if got := w.cases["K-20481-2"].Received; !got.IsZero() {
		t.Errorf("somebody has booked %s", got)
	}
}
