package web

import (
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flawmark/app/refund"
)

// says is a sentence as a page in English holds it.
func (b *reader) says(key string, pairs ...string) string {
	return template.HTMLEscapeString(b.pages.Words["en"].Text(key, pairs...))
}

// badForm is a form of the desk with one value that is not taken.
type badForm struct {
	who     string // empty: nobody has signed in
	world   func(*testing.T, *world)
	address string
	form    string
	at      string // the field that is not right; empty: what the form was for is not possible any more
	says    string // key of the reason
	status  int    // 0: 422
}

func badForms() map[string]badForm {
	const (
		path   = "/desk/cases/K-20481-2"
		run    = "run=ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		second = "&approver=A01&approver_password=guess"
	)
	long := strings.Repeat("x", maxText+1)
	long2000 := strings.Repeat("x", refund.MaxLetter+1)
	paid := "event=seller_paid&version=3&amount=401.00&seller_ref=R-19&"
	two := "&case=K-20481-2&case=K-20481-3&version.K-20481-2=3&version.K-20481-3=3" +
		"&amount.K-20481-2=401.00&seller_ref.K-20481-2=R-7&seller_ref.K-20481-3=R-8"
	text := "version=1&for=customer&name_zh=道歉&name_en=Sorry&text_zh=您好&text_en=Hello"
	return map[string]badForm{
		"sign in":                      {"", flaggedWorld, "/desk/sign-in", "id=D01&next=/desk/tickets&password=guess", "password", "web.signin.wrong", http.StatusForbidden},
		"step, amount":                 {"D01", refundingWorld, path + "/events", strings.Replace(paid, "401.00", "4o1", 1), "amount", "web.amount_syntax", 0},
		"step, more than is owed":      {"D01", refundingWorld, path + "/events", strings.Replace(paid, "401.00", "4010", 1), "amount", "error.amount_not_owed", 0},
		"step, number":                 {"D01", refundingWorld, path + "/events", strings.Replace(paid, "R-19", "R-used", 1), "seller_ref", "web.seller_ref_used", 0},
		"step, nothing":                {"D01", refundingWorld, path + "/events", strings.Replace(paid, "R-19", "+", 1), "seller_ref", "error.field_missing", 0},
		"step, too long":               {"D01", chosenWorld, path + "/events", "event=refuse&version=2&reason=" + long, "reason", "web.text_long", 0},
		"step, second person":          {"D01", chosenWorld, path + "/events", "event=withdraw&version=2&reason=bought+twice" + second, "approver", "web.approver_wrong", 0},
		"step, same person":            {"D01", chosenWorld, path + "/events", "event=withdraw&version=2&reason=bought+twice", "approver", "error.field_missing", 0},
		"step, needs a second person":  {"D01", refusedWorld, path + "/events", "event=goodwill&version=3&amount=1100.00&reason=sorry", "approver", "error.approval_needed", 0},
		"step on behalf":               {"D01", flaggedWorld, path + "/events", "event=ask_photos&version=1&reason=" + long, "reason", "web.text_long", 0},
		"step that is over":            {"D01", refundingWorld, path + "/events", "event=refuse&version=2&reason=影响二次销售", "", "error.case_moved_on", 0},
		"pieces":                       {"D01", piecesWorld, path + "/split", "version=1&pieces=3", "pieces", "error.pieces_wrong", 0},
		"pieces, no number":            {"D01", piecesWorld, path + "/split", "version=1&pieces=some", "pieces", "error.pieces_wrong", 0},
		"pieces, moved on":             {"D01", chosenWorld, path + "/split", "version=1&pieces=1", "", "error.case_moved_on", 0},
		"assignee":                     {"D01", flaggedWorld, path + "/assignee", "to=D09", "to", "web.assign.unknown", 0},
		"contact, no address":          {"D01", untoldWorld, path + "/contact", "version=0&email=ana.example.com&language=zh", "email", "web.contact.wrong", 0},
		"contact, two addresses":       {"D01", untoldWorld, path + "/contact", "version=0&email=a@example.com,b@example.com&language=en", "email", "web.contact.wrong", 0},
		"contact, no language":         {"D01", untoldWorld, path + "/contact", "version=0&email=ana@example.com&language=fr", "language", "error.field_missing", 0},
		"contact, moved on":            {"D01", untoldWorld, path + "/contact", "version=7&email=ana@example.com&language=zh", "email", "web.contact.moved", 0},
		"correction, amount":           {"D01", creditedWorld, path + "/correction", "amount=4o1&seller_ref=V-1&reason=平台撤回", "amount", "web.amount_syntax", 0},
		"correction, too much":         {"D01", creditedWorld, path + "/correction", "amount=9999&seller_ref=V-1&reason=平台撤回", "amount", "web.correct.amount", 0},
		"correction, no number":        {"D01", creditedWorld, path + "/correction", "amount=100.00&seller_ref=&reason=平台撤回", "seller_ref", "error.field_missing", 0},
		"correction, no reason":        {"D01", creditedWorld, path + "/correction", "amount=100.00&seller_ref=V-1&reason=", "reason", "error.field_missing", 0},
		"correction, too long":         {"D01", creditedWorld, path + "/correction", "amount=100.00&seller_ref=V-1&reason=" + long, "reason", "web.text_long", 0},
		"correction of an open case":   {"D01", chosenWorld, path + "/correction", "amount=100.00&seller_ref=V-1&reason=平台撤回", "", "error.case_moved_on", 0},
		"missed flaw, nothing":         {"D01", unansweredWorld, path + "/claim", "reason=+", "reason", "error.field_missing", 0},
		"missed flaw, too long":        {"D01", unansweredWorld, path + "/claim", "reason=" + long, "reason", "web.text_long", 0},
		"missed flaw of an open case":  {"D01", chosenWorld, path + "/claim", "reason=torn", "", "error.case_moved_on", 0},
		"letter":                       {"D01", refusedWorld, path + "/letters", run + "&text=seller-again&version=1&language=zh&reason=1&letter=" + long2000, "letter", "error.template_long", 0},
		"letter without its text":      {"D01", refusedWorld, path + "/letters", run + "&text=gone&version=1&language=zh&letter=您好", "", "error.field_missing", 0},
		"many, second person":          {"D01", claimsWorld, "/desk/bulk", run + "&event=withdraw&reason=bought+twice&case=K-20481-2&version.K-20481-2=2" + second, "approver", "web.approver_wrong", 0},
		"many, too long":               {"D01", claimsWorld, "/desk/bulk", run + "&event=refuse&case=K-20481-2&version.K-20481-2=2&reason=" + long, "reason", "web.text_long", 0},
		"many, the amount of one":      {"D01", refundsWorld, "/desk/bulk", run + "&event=seller_paid" + two + "&amount.K-20481-3=1,1,1", "amount.K-20481-3", "web.amount_syntax", 0},
		"payments":                     {"D01", refundsWorld, "/desk/refunds", "", "file", "web.refunds.no_file", http.StatusBadRequest},
		"text, unknown field":          {"L01", flaggedWorld, "/desk/texts/customer-refused", strings.Replace(text, "Hello", "Hello+{pasword}", 1), "text_en", "error.template_field", 0},
		"text, no name":                {"L01", flaggedWorld, "/desk/texts/customer-refused", strings.Replace(text, "道歉", "", 1) + "&retired=1", "name_zh", "error.template_empty", 0},
		"text, long name":              {"L01", flaggedWorld, "/desk/texts/new", strings.Replace(text, "Sorry", long, 1), "name_en", "error.template_long", 0},
		"text for sellers, with words": {"L01", flaggedWorld, "/desk/texts/new", strings.NewReplacer("customer", "seller", "您好", "").Replace(text), "text_zh", "error.template_empty", 0},
		"answer":                       {"D01", askedWorld, "/desk/tickets/20481-T1", "seen=3&case=K-20481-2&text=" + long2000, "text", "error.ticket_long", 0},
	}
}

// typeless are the forms of the desk on which nothing is typed.
var typeless = []string{
	"POST /desk/sign-out", "POST /desk/cases/{case}/notices", "POST /desk/cases/{case}/link", "POST /desk/refunds/{run}",
	"POST /desk/tickets/{ticket}/settle",
}

var (
	controls  = regexp.MustCompile(`<(?:input|textarea|select)[^>]*>`)
	described = regexp.MustCompile(`aria-describedby="([^"]*)"`)
)

// Every form of the desk that is not taken comes back as it was typed, with the
// reason beside the field and the focus there.
func TestDeskForms_LoseNothing(t *testing.T) {
	t.Parallel()
	for name, bad := range badForms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			bad.world(t, w)
			b := w.reader(t)
			if bad.who != "" {
				b.sent("/desk/sign-in", url.Values{"id": {bad.who}, "password": {password}})
			}
			form, err := url.ParseQuery(bad.form)
			if err != nil {
				t.Fatal(err)
			}
			var got answer
			if bad.at == "file" {
				got = b.sendsIn("file", bad.address, form)
			} else {
				got = b.do(http.MethodPost, bad.address, form)
			}
			status := bad.status
			if status == 0 {
				status = http.StatusUnprocessableEntity
			}
			page := b.body(got, status)
			for _, field := range slices.Sorted(maps.Keys(form)) {
				for _, value := range form[field] {
					if strings.Contains(field, "password") {
						if strings.Contains(page, value) {
							t.Errorf("the page says the %s", field)
						}
						continue
					}
					if strings.TrimSpace(value) != "" && !holds(page, field, value, bad.at == "") {
						t.Errorf("%s, %.40q, is lost", field, value)
					}
				}
			}
			says := b.says(bad.says, "field", "{pasword}")
			if !strings.Contains(page, says) {
				t.Errorf("the page does not say %q", says)
			}
			if bad.at == "" {
				return
			}
			if n := strings.Count(page, " autofocus"); n != 1 {
				t.Errorf("%d fields have the focus", n)
			}
			for _, control := range controls.FindAllString(page, -1) {
				if !strings.Contains(control, " autofocus") {
					continue
				}
				if !strings.Contains(control, `name="`+bad.at+`"`) {
					t.Errorf("the focus is at %s, not at %s", control, bad.at)
				}
				beside := false
				for _, ids := range described.FindAllStringSubmatch(control, -1) {
					for id := range strings.FieldsSeq(ids[1]) {
						_, sentence, _ := strings.Cut(page, ` id="`+id+`"`)
						_, sentence, _ = strings.Cut(sentence, ">")
						beside = beside || strings.HasPrefix(sentence, says)
					}
				}
				if !beside {
					t.Errorf("the reason is not beside %s", control)
				}
			}
		})
	}
}

// holds reports whether a page gives a typed value back: in the field, or, where
// there is none any more, to be copied.
func holds(page, field, value string, anywhere bool) bool {
	if field == "version" {
		return true // nobody has typed it, and it is the one that holds now
	}
	value = template.HTMLEscapeString(value)
	if anywhere {
		return slices.Contains([]string{"event", "run", "text", "language"}, field) || strings.Contains(page, value)
	}
	for from := page; ; {
		_, rest, found := strings.Cut(from, `name="`+field+`"`)
		if !found {
			return field == "to" || value == "fr" // what cannot be chosen any more
		}
		tag, after, _ := strings.Cut(rest, ">")
		chosen, _, _ := strings.Cut(after, "</select>")
		if strings.Contains(tag, `value="`+value+`"`) || strings.HasPrefix(after, value+"</textarea>") ||
			strings.Contains(chosen, `value="`+value+`" selected`) {
			return true
		}
		from = after
	}
}

// Every form of the desk is in the table above, or has nothing to lose.
func TestDeskForms_AreAllLookedAt(t *testing.T) {
	t.Parallel()
	reader := newWorld(t).reader(t)
	looked := map[string]bool{}
	for _, bad := range badForms() {
		r, err := http.NewRequest(http.MethodPost, bad.address, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, pattern := reader.pages.routes().Handler(r)
		looked[pattern] = true
	}
	for _, pattern := range reader.pages.Routes() {
		if strings.HasPrefix(pattern, "POST /desk") && !looked[pattern] && !slices.Contains(typeless, pattern) {
			t.Errorf("nobody has looked whether %s loses what was typed", pattern)
		}
	}
}

// A period that is not right can be mended, and a step for many that a case did
// not take says what was typed for it.
func TestDeskForms_KeepWhatIsNoField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refundsWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	page := b.get("/desk/reports?from=2026-11-09&to=2026-11-02", http.StatusOK)
	if !holds(page, "from", "2026-11-09", false) || !holds(page, "to", "2026-11-02", false) {
		t.Error("the period is lost")
	}
	form := b.confirmation(allClaims + "&event=seller_paid")
	form.Set("amount.K-20481-2", "401.00")
	form.Set("seller_ref.K-20481-2", "R-1")
	form.Set("amount.K-20481-3", "987.65")
	form.Set("seller_ref.K-20481-3", "R-2")
	page = b.get(b.sent("/desk/bulk", form), http.StatusOK)
	if !strings.Contains(page, "987.65") || !strings.Contains(page, "R-2") || strings.Contains(page, "401.00") {
		t.Error("what was typed for the case that did not take the step is lost, or shown for the other")
	}
}
