package web

import (
	"io/fs"
	"strings"
	"testing"

	"flawmark/assets"

	"github.com/chromedp/chromedp"
)

// TestPush_InARealBrowser switches messages on and off: the page's policy lets
// its script and the worker run, and the centre hears of it. The reader's consent
// and the browser's maker, which no test reaches, are stubs in the page.
func TestPush_InARealBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pushKey = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	flaggedWorld(t, w)
	b := browse(t, w, "customer")
	b.do(t, chromedp.Navigate(b.site+"/o/20481"), chromedp.WaitVisible(chromedp.CSS("#push-switch")))
	ask[bool](t, b, `(() => {
		const bytes = (n) => new Uint8Array(n).fill(7).buffer;
		const fake = { endpoint: "https://push.example.com/x", getKey: (name) => bytes(name === "auth" ? 16 : 65) };
		let held = null;
		Notification.requestPermission = async () => "granted";
		PushManager.prototype.getSubscription = async () => held;
		PushManager.prototype.subscribe = async (o) => { window.asked = o.applicationServerKey.length + " " + o.userVisibleOnly; return held = fake; };
		return true;
	})()`)
	b.do(t, chromedp.Click(chromedp.CSS("#push-switch")), chromedp.WaitVisible(chromedp.CSS(`#push-switch[aria-pressed="true"]`)))
	if asked := ask[string](t, b, `window.asked`); asked != "65 true" {
		t.Errorf("subscribed with %q", asked)
	}
	if len(w.subscribed) != 1 || w.subscribed[0].Order != "20481" || !strings.HasPrefix(w.subscribed[0].Auth, "BwcH") {
		t.Fatalf("the centre heard %+v", w.subscribed)
	}
	if state := ask[string](t, b, `navigator.serviceWorker.ready.then((r) => new URL(r.scope).pathname + " " + new URL(r.active.scriptURL).pathname)`); state != "/o/ /push-worker.js" {
		t.Errorf("the worker is %q", state)
	}
	if said := ask[string](t, b, `document.querySelector("#push [role=status]").textContent`); said != "You will be told in this browser." {
		t.Errorf("the page says %q", said)
	}
	b.do(t, chromedp.Click(chromedp.CSS("#push-switch")), chromedp.WaitVisible(chromedp.CSS(`#push-switch[aria-pressed="false"]`)))
	if len(w.subscribed) != 0 {
		t.Errorf("the centre still tells %+v", w.subscribed)
	}
}

// TestPushWorker_OpensOurPagesOnly runs the worker's script beside stand-ins for
// what a worker has.
func TestPushWorker_OpensOurPagesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := browse(t, w, "")
	b.do(t, chromedp.Navigate(b.site+"/desk/sign-in"))
	script, err := fs.ReadFile(assets.Web(), pushWorker)
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		b.site + "/o/20481": b.site + "/o/20481", "/o/20481": b.site + "/o/20481",
		"https://evil.example/o/20481": b.site + "/", "javascript:alert(1)": b.site + "/",
	} {
		said := ask[string](t, b, `(async () => {
			const heard = {}, out = {};
			const self = {
				addEventListener: (name, then) => { heard[name] = then; }, location,
				registration: { showNotification: async (title, options) => { out.title = title; out.options = options; } },
				clients: { matchAll: async () => [], openWindow: async (at) => { out.opened = at; } },
			};
			`+string(script)+`
			const waits = [];
			const waitUntil = (p) => waits.push(p);
			heard.push({ waitUntil, data: { json: () => ({ title: "T", body: "B", tag: "G", lang: "en", url: "`+address+`" }) } });
			heard.notificationclick({ waitUntil, notification: { close: () => {}, data: out.options.data } });
			await Promise.all(waits);
			return out.title + " " + out.options.body + " " + out.options.tag + " " + out.opened;
		})()`)
		if said != "T B G "+want {
			t.Errorf("%s: %q", address, said)
		}
	}
}
