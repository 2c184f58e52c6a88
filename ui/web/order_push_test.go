package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestOrderPush_IsSwitchedByTheReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	form := url.Values{"on": {"1"}, "endpoint": {"https://push.example.com/1"}, "p256dh": {"key"}, "auth": {"secret"}}
	b.openLink("20481")
	if page := b.get("/o/20481", http.StatusOK); strings.Contains(page, `id="push"`) || strings.Contains(page, "/push.") {
		t.Error("it is offered where the centre cannot")
	}
	b.body(b.do(http.MethodPost, "/o/20481/push", form), http.StatusNotFound)

	b.pages.PushKey = "the-centres-key"
	page := b.get("/o/20481", http.StatusOK)
	for _, want := range []string{`id="push" hidden`, `data-key="the-centres-key"`, `data-address="/o/20481/push"`, `data-worker="/push-worker.js"`, `src="/assets/push.`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	b.body(b.do(http.MethodPost, "/o/20481/push", form), http.StatusNoContent)
	if len(w.subscribed) != 1 || w.subscribed[0].Order != "20481" || w.subscribed[0].Auth != "secret" {
		t.Fatalf("subscribed %+v", w.subscribed)
	}
	b.body(b.do(http.MethodPost, "/o/20482/push", form), http.StatusNotFound) // another's order
	form.Set("on", "0")
	b.body(b.do(http.MethodPost, "/o/20481/push", form), http.StatusNoContent)
	if len(w.subscribed) != 0 {
		t.Errorf("still subscribed %+v", w.subscribed)
	}
	b.body(b.do(http.MethodPost, "/o/20481/push", url.Values{"on": {"1"}}), http.StatusBadRequest)
	if got := b.do(http.MethodGet, "/push-worker.js", nil); got.status != http.StatusOK ||
		!strings.HasPrefix(got.header.Get("Content-Type"), "text/javascript") || got.header.Get("Cache-Control") != "no-cache" ||
		!strings.Contains(got.body, "showNotification") {
		t.Errorf("the worker is served as %d, %v", got.status, got.header)
	}
}
