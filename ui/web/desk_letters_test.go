package web

import (
	"html"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"flawmark/app/refund"
)

var letterText = regexp.MustCompile(`(?s)<textarea name="letter"[^>]*>(.*?)</textarea>`)

func (b *reader) letter(address string) string {
	b.t.Helper()
	found := letterText.FindStringSubmatch(b.get(address, http.StatusOK))
	if found == nil {
		b.t.Fatalf("no letter on %s", address)
	}
	return html.UnescapeString(found[1])
}

func TestLetters_AreFilledFromTheCase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refusedWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	const letters = "/desk/cases/K-20481-2/letters"
	for query, want := range map[string][]string{
		"?text=seller-claim":                {"2418830517429106684", "白色高帮运动鞋", "擦伤 / 划痕 12 mm", "申请原因：大小/尺寸与商品描述不符", "¥401.00"},
		"?text=seller-claim&reason=quality": {"申请原因：质量问题"},
		"?text=seller-again":                {"影响二次销售"},
		// the customer's language and clock: Lisbon, not Shanghai
		"?text=customer-refused": {"Hello Ana Moreira", "White high-tops", "影响二次销售", "25 Nov 10:30 (UTC)"},
	} {
		got := b.letter(letters + query)
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %q lacks %q", query, got, part)
			}
		}
		if strings.Contains(got, "仓内") || strings.Contains(got, "Damaged by us") {
			t.Errorf("%s tells what is the house's own: %q", query, got)
		}
	}
	if page := b.get(letters+"?text=seller-returned", http.StatusOK); !strings.Contains(page, "Without a value in this case: {return_waybill}") {
		t.Error("nobody is told that the letter is not complete")
	}
	b.get(letters+"?text=nothing", http.StatusOK)
}

func TestLetters_AreRecordedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refusedWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	const letters = "/desk/cases/K-20481-2/letters"
	page := b.get(letters+"?text=seller-again", http.StatusOK)
	_, sending, _ := strings.Cut(page, `<form method="post" action="`+letters)
	form := url.Values{"letter": {b.letter(letters + "?text=seller-again")}}
	for _, field := range hidden.FindAllStringSubmatch(sending, -1) {
		form.Set(field[1], field[2])
	}
	before := w.cases["K-20481-2"]
	for range 2 {
		if to := b.sent(letters, form); to != "/desk/cases/K-20481-2?notice=web.letters.kept" {
			t.Fatalf("sent to %s", to)
		}
	}
	if len(w.letters) != 1 || w.letters[0].Template != "seller-again" || w.letters[0].Version != 1 || w.letters[0].By != "D01" ||
		w.letters[0].For != refund.ToSeller || !strings.Contains(w.letters[0].Text, "影响二次销售") {
		t.Fatalf("letters %+v", w.letters)
	}
	if w.cases["K-20481-2"].Version != before.Version {
		t.Error("a letter has moved the case")
	}
	history := b.get("/desk/cases/K-20481-2", http.StatusOK)
	if _, history, _ = strings.Cut(history, `id="timeline"`); !strings.Contains(history, "Wrote to the seller") || !strings.Contains(history, "Refund clerk 陈丽") {
		t.Error("the case's history does not tell of the letter")
	}
	for name, change := range map[string]string{"letter": "  ", "run": "x", "version": "9", "text": "nothing"} {
		broken := url.Values{}
		for field := range form {
			broken.Set(field, form.Get(field))
		}
		broken.Set(name, change)
		page := b.body(b.do(http.MethodPost, letters, broken), http.StatusUnprocessableEntity)
		if !strings.Contains(page, b.says("error.field_missing")) || !strings.Contains(page, template.HTMLEscapeString(strings.TrimSpace(broken.Get("letter")))) {
			t.Errorf("with %s %q nothing is said, or what was written is lost", name, change)
		}
	}
	form.Set("letter", strings.Repeat("长", refund.MaxLetter+1))
	if page := b.body(b.do(http.MethodPost, letters, form), http.StatusUnprocessableEntity); !strings.Contains(page, b.says("error.template_long")) {
		t.Error("a letter may be too long")
	}
}

func TestTexts_AreChangedInVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	b := w.reader(t)
	b.signIn("L01")
	form := url.Values{
		"version": {"1"}, "for": {"seller"}, "name_en": {"Claim"}, "name_zh": {"申请"}, "text_zh": {"您好，{item}有问题。\r\n谢谢"}, "text_en": {"never sent"},
	}
	post := func(address string, status int) string {
		t.Helper()
		return b.body(b.do(http.MethodPost, address, form), status)
	}
	form.Set("preview", "1")
	if page := post("/desk/texts/seller-claim", http.StatusOK); !strings.Contains(page, "您好，白色高帮运动鞋有问题。") {
		t.Error("the preview does not show how it would read")
	}
	form.Del("preview")
	post("/desk/texts/seller-claim", http.StatusSeeOther)
	versions, _ := w.TemplateVersions(t.Context(), "seller-claim")
	if len(versions) != 2 || versions[0].Text.ZH != "您好，{item}有问题。\n谢谢" || versions[0].Text.EN != "" || versions[0].By != "L01" {
		t.Fatalf("versions %+v", versions)
	}
	if page := post("/desk/texts/seller-claim", http.StatusConflict); !strings.Contains(page, "Somebody else has changed this text") ||
		!strings.Contains(page, "您好，{item}有问题。") {
		t.Error("of two who change a text at once, the later is not told, or loses the words")
	}
	form.Set("text_zh", "{pasword}")
	if page := post("/desk/texts/seller-claim", http.StatusUnprocessableEntity); !strings.Contains(page, "{pasword} is no field") {
		t.Error("an unknown field is not named")
	}
	form.Set("text_zh", "{item}")
	form.Set("version", "0")
	for range 2 { // sent twice it is one text
		post("/desk/texts/new", http.StatusSeeOther)
	}
	if all, _ := w.Templates(t.Context()); len(all) != len(refund.FirstTemplates())+1 {
		t.Errorf("%d texts", len(all))
	}
	post("/desk/texts/..%2fx", http.StatusBadRequest)

	clerks := w.reader(t)
	clerks.signIn("D01")
	clerks.body(clerks.do(http.MethodPost, "/desk/texts/seller-claim", form), http.StatusForbidden)
	if page := clerks.get("/desk/texts/seller-claim", http.StatusOK); strings.Contains(page, "<form method=\"post\" action=\"/desk/texts") {
		t.Error("a clerk is offered to change a text")
	}
}

func TestCoach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refusedWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	_, coach, _ := strings.Cut(b.get("/desk/cases/K-20481-2", http.StatusOK), `id="coach"`)
	coach, _, _ = strings.Cut(coach, "</section>")
	for _, want := range []string{"Refused once.", "影响二次销售", "Photo of the label", "please look yourself", "120 h"} {
		if !strings.Contains(coach, want) {
			t.Errorf("the coach does not say %q", want)
		}
	}
	if strings.Contains(coach, "Damaged by us") {
		t.Error("the coach wants evidence for what is ours")
	}
	w.move(t, "K-20481-2", refund.Event{Kind: refund.GaveUp, Actor: customer})
	if strings.Contains(b.get("/desk/cases/K-20481-2", http.StatusOK), `id="coach"`) {
		t.Error("an ended case is coached")
	}
}
