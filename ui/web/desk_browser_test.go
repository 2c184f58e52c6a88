package web

import (
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"

	"github.com/chromedp/chromedp"
)

// comes waits until an expression on the page is what it is to be.
func (b *tab) comes(t *testing.T, expression, want string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		got := ask[string](t, b, expression)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is %q, want %q", expression, got, want)
		}
	}
}

const bulkWords = `document.getElementById("bulk").textContent`

// A clerk without a mouse chooses cases and takes one step with them.
func TestKeyboard_OneStepWithMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claimsWorld(t, w)
	b := browse(t, w, "D01")
	b.comes(t, bulkWords, "One step for the chosen cases …")
	for range 3 { // the three that there are
		b.do(t, chromedp.KeyEvent("j"), chromedp.KeyEvent("x"))
	}
	b.comes(t, bulkWords, "One step for 3 chosen cases …")
	b.do(t, chromedp.KeyEvent("k"), chromedp.KeyEvent("x"))
	b.comes(t, bulkWords, "One step for 2 chosen cases …")
	b.do(t, chromedp.KeyEvent("x"))
	b.tabTo(t, "bulk")
	b.do(t, chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#event")))
	b.tabTo(t, "event")
	b.do(t, chromedp.KeyEvent("Seller refuses"))
	b.tabTo(t, "preview")
	b.do(t, chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#confirm")))
	b.tabTo(t, "all-reason")
	b.do(t, chromedp.KeyEvent("by keys alone"))
	b.tabTo(t, "confirm")
	b.do(t, chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS(`[data-done="true"]`)))
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, want := range map[string]refund.Status{
		"K-20481-2": refund.SellerRefused, "K-20481-3": refund.SellerRefused, "K-20482-1": refund.AwaitingDecision,
	} {
		if c := w.cases[qc.CaseID(id)]; c.Status != want {
			t.Errorf("%s is %s, want %s", id, c.Status, want)
		}
	}
}

// What is chosen stays chosen when the list brings itself up to date.
func TestDesk_ChoosesAllAndKeepsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claimsWorld(t, w)
	b := browse(t, w, "D01")
	b.do(t, chromedp.Click(chromedp.CSS("#pick-all")))
	b.comes(t, bulkWords, "One step for 3 chosen cases …")
	b.do(t, chromedp.Click(chromedp.CSS("#pick-K-20482-1")))
	b.comes(t, bulkWords, "One step for 2 chosen cases …")
	w.move(t, "K-20481-2", refund.Event{Kind: refund.Refused, Actor: clerk, Reason: "影响二次销售"})
	b.do(t, chromedp.WaitVisible(chromedp.CSS(`tr[data-status="seller_refused"]`)))
	b.comes(t, bulkWords, "One step for 2 chosen cases …")
	b.comes(t, `String(document.getElementById("pick-all").indeterminate)`, "true")
}

// The text for the seller is copied with one press, also after the page has
// brought itself up to date.
func TestDesk_CopiesTheClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	chosenWorld(t, w)
	b := browse(t, w, "D01")
	b.do(t, chromedp.Navigate(b.site+"/desk/cases/K-20481-2"), chromedp.WaitVisible(chromedp.CSS(`[data-copy="claim-text"]`)))
	w.move(t, "K-20481-2", refund.Event{Kind: refund.Refused, Actor: clerk, Reason: "影响二次销售"})
	b.do(t, chromedp.WaitVisible(chromedp.CSS(`[data-status="seller_refused"]`)))
	b.do(t, chromedp.Click(chromedp.CSS(`[data-copy="claim-text"]`)))
	b.comes(t, `document.querySelector("[data-copy]").textContent`, "Copied")
	if marked := ask[bool](t, b, `(() => { const text = document.getElementById("claim-text"); return text.selectionEnd === text.value.length && text.value.includes("申请") })()`); !marked {
		t.Error("the text is not marked")
	}
}

// Where a form was not taken, a clerk goes on typing at the fault, on a telephone
// and at a desk, in light and dark; nothing there keeps anybody out or is cut.
func TestDesk_GoesOnAtTheFault(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]struct {
		world   func(*testing.T, *world)
		address string
		actions []chromedp.Action[chromedp.Void]
		send    string // the button
		at      string // where the focus is to be
		kept    string // another field, and what was typed there
		typed   string
	}{
		"correction": {
			creditedWorld, "/desk/cases/K-20481-2",
			[]chromedp.Action[chromedp.Void]{
				chromedp.SendKeys(chromedp.CSS("#correct-seller_ref"), "V-1"), chromedp.SendKeys(chromedp.CSS("#correct-reason"), "平台撤回"),
				chromedp.SetValue(chromedp.CSS("#correct-amount"), "9999"),
			},
			"#correct-do", "correct-amount", "#correct-reason", "平台撤回",
		},
		"contact": {
			untoldWorld, "/desk/cases/K-20481-2",
			[]chromedp.Action[chromedp.Void]{
				chromedp.SetValue(chromedp.CSS("#contact-language"), "zh"), chromedp.SetValue(chromedp.CSS("#contact-email"), "ana@example.com, bob@example.com"),
			},
			"#contact-do", "contact-email", "#contact-language", "zh",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			form.world(t, w)
			b := browse(t, w, "D01")
			b.do(t, chromedp.Navigate(b.site+form.address))
			ask[chromedp.Void](t, b, opened+`; document.querySelectorAll("form").forEach(f => { f.noValidate = true })`)
			b.do(t, form.actions...)
			b.do(t, chromedp.Click(chromedp.CSS(form.send)), chromedp.WaitVisible(chromedp.CSS(`[role="alert"]`)))
			b.comes(t, `document.activeElement.id`, form.at)
			b.comes(t, `document.querySelector("`+form.kept+`").value`, form.typed)
			for _, sight := range sights {
				b.look(t, sight)
				for _, found := range append(ask[[]string](t, b, cut), ask[[]string](t, b, broken)...) {
					t.Errorf("%s: %s", sight.name, found)
				}
				for _, found := range b.axe(t) {
					t.Errorf("%s: %s", sight.name, found)
				}
				if *outFlag != "" {
					keepPicture(t, b, "refused-"+name+"-"+sight.name)
				}
			}
		})
	}
}
