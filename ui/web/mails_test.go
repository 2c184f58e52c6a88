package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// An address in a mail shows a page and changes nothing; a reader of mail ends
// such mails by one POST of its own, however often; the page's button does both.
func TestMails_AreStoppedByOnePost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	const address = "/mails?t=" + mailSecret
	for range 2 { // as programs do that look into mails
		page := b.get(address, http.StatusOK)
		if w.noProgress || !strings.Contains(page, "You get these mails.") || !strings.Contains(page, `name="progress" value="stop"`) {
			t.Fatalf("stopped by being looked at (%v), or the page is wrong:\n%s", w.noProgress, page)
		}
		if !strings.Contains(page, "We always mail you what you have to choose") {
			t.Error("the page does not say what comes nevertheless")
		}
	}
	for _, form := range []struct{ kind, body string }{
		{"application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"},
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"},
	} {
		w.noProgress = false
		for range 2 {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://centre.test"+address, strings.NewReader(form.body))
			r.Header.Set("Content-Type", form.kind)
			answer := httptest.NewRecorder()
			b.handler.ServeHTTP(answer, r)
			if answer.Code != http.StatusOK || !w.noProgress || !strings.Contains(answer.Body.String(), "You do not get these mails.") {
				t.Errorf("%s: %d, stopped %v", form.kind, answer.Code, w.noProgress)
			}
		}
	}
	page := b.get(address+"&lang=zh", http.StatusOK)
	if !strings.Contains(page, "您目前不会收到这些邮件。") || !strings.Contains(page, `href="?lang=en&amp;t=`+mailSecret) {
		t.Errorf("in Chinese, without a way to the other language:\n%s", page)
	}
	if got := b.do(http.MethodPost, address+"&lang=zh", url.Values{"progress": {"send"}}); got.status != http.StatusSeeOther || w.noProgress ||
		got.header.Get("Location") != "/mails?lang=zh&t="+mailSecret {
		t.Errorf("sent again: %d to %q, stopped %v", got.status, got.header.Get("Location"), w.noProgress)
	}
}

func TestMails_RefuseWhatIsNoSecretOfTheirs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	b.openLink("20481")
	for _, token := range []string{"", "wrong", strings.Repeat("x", 201), "secret-of-20481"} {
		address := "/mails?" + url.Values{"t": {token}}.Encode()
		if page := b.get(address, http.StatusNotFound); !strings.Contains(page, "not valid") {
			t.Errorf("%q: %s", token, page)
		}
		if got := b.do(http.MethodPost, address, url.Values{"progress": {"stop"}}); got.status != http.StatusNotFound || w.noProgress {
			t.Errorf("%q: %d, stopped %v", token, got.status, w.noProgress)
		}
	}
	// Nor does theirs open an order.
	if page := w.reader(t).get("/o/20481?t="+mailSecret, http.StatusNotFound); strings.Contains(page, "White") {
		t.Error("it opens the order")
	}
}

// The order page is the way back, and as good a way to stop them.
func TestOrderMails_AreChosenOnTheOrderPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	b.body(b.do(http.MethodPost, "/o/20481/mails", url.Values{"progress": {"stop"}}), http.StatusNotFound) // no link yet
	b.openLink("20481")
	if page := b.get("/o/20481", http.StatusOK); strings.Contains(page, `id="mails"`) {
		t.Error("it is offered to somebody without an address")
	}
	w.mailed()
	for _, step := range []struct {
		says, send string
		off        bool
	}{{"You get these mails.", "stop", true}, {"You do not get these mails.", "send", false}, {"You get these mails.", "stop", true}} {
		page := b.get("/o/20481", http.StatusOK)
		if !strings.Contains(page, step.says) || !strings.Contains(page, `name="progress" value="`+step.send+`"`) {
			t.Errorf("the page lacks %q or a way to %s", step.says, step.send)
		}
		b.body(b.do(http.MethodPost, "/o/20481/mails", url.Values{"progress": {step.send}}), http.StatusSeeOther)
		if w.noProgress != step.off {
			t.Errorf("after %s, stopped is %v", step.send, w.noProgress)
		}
	}
	b.body(b.do(http.MethodPost, "/o/20481/mails", url.Values{"progress": {"nonsense"}}), http.StatusBadRequest)
	b.body(b.do(http.MethodPost, "/o/20482/mails", url.Values{"progress": {"send"}}), http.StatusNotFound) // another's order
	if !w.noProgress {
		t.Error("a form that says nothing has changed something")
	}
}
