package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

func TestOrder_KeepsStandingInstructions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	b.openLink("20481")
	say := func(grave, minor, offer, want string) {
		t.Helper()
		to := b.sent("/o/20481/instructions", url.Values{"grave": {grave}, "minor": {minor}, "offer_from": {offer}})
		if !strings.Contains(to, url.QueryEscape(want)) {
			t.Errorf("%s, %s, %s: sent to %s, want %s", grave, minor, offer, to, want)
		}
	}
	say("refund", "discount", "", "error.instructions_wrong")
	say("refund", "discount", "many", "error.instructions_wrong")
	say("burn", "", "", "error.instructions_wrong")
	say("refund", "discount", " 10 % ", "web.instructions.done")
	want := qc.Instructions{Grave: qc.WishRefund, Minor: qc.WishDiscount, OfferFrom: 10, SetAt: start}
	if got := w.orders["20481"].Customer.Instructions; got != want {
		t.Fatalf("kept %+v", got)
	}
	page := b.get("/o/20481", http.StatusOK)
	for _, want := range []string{`<option value="refund" selected>`, `<option value="discount" selected>`, `value="10"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	onceEach(t, page)
	stranger := w.reader(t)
	stranger.body(stranger.do(http.MethodPost, "/o/20481/instructions", url.Values{"grave": {"keep"}}), http.StatusNotFound)
}

// What was done without asking says by which rule, to the customer and at the desk.
func TestPages_CiteTheRule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	w.move(t, "K-20481-2", refund.Event{
		Kind: refund.ChoseRefund, Rule: refund.GraveRule, Actor: refund.Actor{Party: refund.ByInstruction, ID: "C-1001"},
	})
	customers, desk := w.reader(t), w.reader(t)
	customers.openLink("20481")
	desk.signIn("D01")
	for name, page := range map[string]string{
		"the customer": customers.get("/o/20481", http.StatusOK), "the desk": desk.get("/desk/cases/K-20481-2", http.StatusOK),
	} {
		if !strings.Contains(page, "Standing instruction: for a major or critical flaw") {
			t.Errorf("%s does not read the rule", name)
		}
	}
}
