package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/refund"
)

// claimsWorld has two claims with sellers and a case that still waits for its
// customer.
func claimsWorld(t *testing.T, w *world) {
	t.Helper()
	chosenWorld(t, w)
	w.flagged(t, "20481-3", false)
	w.move(t, "K-20481-3", refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.flagged(t, "20482-1", false)
}

const allClaims = "case=K-20481-2&case=K-20481-3&case=K-20482-1"

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// confirmation returns the form of a preview as a browser would send it.
func (b *reader) confirmation(query string) url.Values {
	b.t.Helper()
	page := b.get("/desk/bulk?"+query, http.StatusOK)
	_, form, ok := strings.Cut(page, `<form method="post" action="/desk/bulk"`)
	if !ok {
		b.t.Fatalf("nothing to confirm: %.600s", page)
	}
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(form, -1) {
		values.Add(field[1], field[2])
	}
	return values
}

func TestBulk_ListsWhatTakesTheStepAndWhyTheRestDoesNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claimsWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	page := b.get("/desk/bulk?"+allClaims, http.StatusOK)
	for _, want := range []string{"3 cases chosen", "Seller refuses (2)", "Withdraw the case (our mistake) (3)"} {
		if !strings.Contains(page, want) {
			t.Errorf("the choice does not say %q", want)
		}
	}
	if strings.Contains(page, `value="choose_refund"`) || strings.Contains(page, `value="amend"`) {
		t.Error("decisions of customers and findings of benches are offered for many at once")
	}
	form := b.confirmation(allClaims + "&event=refuse")
	if got := fmt.Sprint(form["case"]); got != "[K-20481-2 K-20481-3]" {
		t.Errorf("to be moved: %s", got)
	}
	page = b.get("/desk/bulk?"+allClaims+"&event=refuse", http.StatusOK)
	if _, others, _ := strings.Cut(page, "1 case is left as it is"); !strings.Contains(others, "K-20482-1") ||
		!strings.Contains(others, "Possible while: Negotiating with seller") {
		t.Error("the preview does not say why a case is left out")
	}
	for _, nothing := range []string{"", "case=K-0", "event=refuse"} {
		if page := b.get("/desk/bulk?"+nothing, http.StatusOK); !strings.Contains(page, "No case was chosen") {
			t.Errorf("?%s: %.300s", nothing, page)
		}
	}
	b.get("/desk/bulk?"+strings.Repeat("case=K-1&", 3)+strings.Join(manyCases(mostAtOnce), "&"), http.StatusBadRequest)
	if got := w.cases["K-20481-2"].Status; got != refund.Negotiating {
		t.Errorf("a preview has moved a case to %s", got)
	}
}

func manyCases(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint("case=K", i)
	}
	return list
}

var outcomeOf = regexp.MustCompile(`<tr data-case="K-([^"]*)" data-done="([^"]*)">`)

func (b *reader) results(address string) string {
	b.t.Helper()
	var list []string
	for _, row := range outcomeOf.FindAllStringSubmatch(b.get(address, http.StatusOK), -1) {
		list = append(list, row[1]+" "+row[2])
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func TestBulk_EachByItselfAndOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claimsWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	form := b.confirmation(allClaims + "&event=refuse")
	form.Set("reason", "影响二次销售")
	w.move(t, "K-20481-3", refund.Event{Kind: refund.Reconsidered, Actor: customer}) // meanwhile
	done := b.sent("/desk/bulk", form)
	if want := "20481-2 true, 20481-3 false"; b.results(done) != want {
		t.Errorf("results %q, want %q", b.results(done), want)
	}
	if page := b.get(done, http.StatusOK); !strings.Contains(page, "1 case was moved.") || !strings.Contains(page, "1 was not") {
		t.Error("the result does not say how many were moved")
	}
	version := w.cases["K-20481-2"].Version
	if w.cases["K-20481-2"].Status != refund.SellerRefused || w.cases["K-20481-3"].Status != refund.AwaitingDecision {
		t.Fatalf("cases are %s and %s", w.cases["K-20481-2"].Status, w.cases["K-20481-3"].Status)
	}
	w.move(t, "K-20481-3", refund.Event{Kind: refund.ChoseRefund, Actor: customer}) // so that it could be refused now
	if again := b.sent("/desk/bulk", form); again != done || b.results(again) != "20481-2 true, 20481-3 false" {
		t.Errorf("sent again: %s with %q", again, b.results(again))
	}
	if w.cases["K-20481-2"].Version != version || w.cases["K-20481-3"].Status != refund.Negotiating {
		t.Error("sending the form twice has done something")
	}
	lead := w.reader(t)
	lead.signIn("L01")
	lead.get(done, http.StatusNotFound)

	lost := form
	lost.Set("run", "ABCDEFGHIJKLMNOPQRSTUVWXYZ") // the answer was lost before the run was kept
	if results := b.results(b.sent("/desk/bulk", lost)); results != "20481-2 true, 20481-3 false" || w.cases["K-20481-2"].Version != version {
		t.Errorf("sent again under another number: %q", results)
	}
	form.Set("run", "../../x")
	b.body(b.do(http.MethodPost, "/desk/bulk", form), http.StatusBadRequest)
}

func TestBulk_MoneyOfEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refundsWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	if page := b.get("/desk/bulk?"+allClaims+"&event=seller_paid", http.StatusOK); !strings.Contains(page, `name="amount.K-20481-2" value="401.00"`) {
		t.Error("the preview does not propose what each case is owed")
	}
	form := b.confirmation(allClaims + "&event=seller_paid")
	form.Set("amount.K-20481-2", "401.00")
	form.Set("seller_ref.K-20481-2", "R-1")
	form.Set("amount.K-20481-3", "111.00") // and no refund number
	if results := b.results(b.sent("/desk/bulk", form)); results != "20481-2 true, 20481-3 false" {
		t.Errorf("results %q", results)
	}
	if w.cases["K-20481-2"].Status != refund.Credited || w.cases["K-20481-3"].Status != refund.SellerRefunding {
		t.Errorf("cases are %s and %s", w.cases["K-20481-2"].Status, w.cases["K-20481-3"].Status)
	}
}

// A step that needs two people needs them for many cases, too.
func TestBulk_NeedsTheSecondPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claimsWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	form := b.confirmation(allClaims + "&event=withdraw")
	form.Set("reason", "bought twice")
	form.Set("approver", "A01")
	form.Set("approver_password", "guess")
	refused := b.body(b.do(http.MethodPost, "/desk/bulk", form), http.StatusUnprocessableEntity)
	for _, want := range []string{"password is wrong", `value="` + form.Get("approver") + `"`, ">" + form.Get("reason") + "</textarea>", form.Get("run")} {
		if !strings.Contains(refused, want) {
			t.Errorf("after a wrong password the page does not say %s", want)
		}
	}
	if secret := form.Get("approver_password"); strings.Contains(refused, secret) {
		t.Error("the page says a password")
	}
	form.Set("approver", "")
	b.results(b.sent("/desk/bulk", form))
	if w.cases["K-20481-2"].Status != refund.Negotiating {
		t.Fatal("a case was withdrawn by one person")
	}
	w.now = w.now.Add(time.Minute)
	form.Set("run", b.confirmation(allClaims+"&event=withdraw").Get("run"))
	form.Set("approver", "A01")
	form.Set("approver_password", password)
	if results := b.results(b.sent("/desk/bulk", form)); results != "20481-2 true, 20481-3 true, 20482-1 true" {
		t.Errorf("with two people: %q", results)
	}
}

// Who only looks is shown no choice, and sends nothing.
func TestBulk_AuditorsLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claimsWorld(t, w)
	clerks := w.reader(t)
	clerks.signIn("D01")
	form := clerks.confirmation(allClaims + "&event=refuse")
	form.Set("reason", "no")
	b := w.reader(t)
	b.signIn("V01")
	if page := b.get("/desk", http.StatusOK); strings.Contains(page, "pick-") || !strings.Contains(page, "K-20481-2") {
		t.Error("an auditor's list has boxes to tick, or no cases")
	}
	if page := b.get("/desk/bulk?"+allClaims+"&event=refuse", http.StatusOK); strings.Contains(page, "confirm") {
		t.Error("an auditor is offered to confirm")
	}
	b.body(b.do(http.MethodPost, "/desk/bulk", form), http.StatusForbidden)
	if w.cases["K-20481-2"].Status != refund.Negotiating {
		t.Error("an auditor has moved a case")
	}
}
