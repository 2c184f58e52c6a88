package web

import (
	"cmp"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/assets"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/serviceworker"
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

// TestPushWorker_ShowsWhatTheCentreSends gives what the sender makes (its golden
// files) to the real worker in a real browser, as a browser's maker would, and
// sees the notification and where it leads.
func TestPushWorker_ShowsWhatTheCentreSends(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pushKey = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	flaggedWorld(t, w)
	b := browse(t, w, "customer")
	_, err := chromedp.CallBrowser(b.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: browser.PermissionSettingGranted,
		Origin: b.site, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	})
	if err != nil {
		t.Fatal(err)
	}
	registered := make(chan serviceworker.RegistrationID, 20)
	if err := chromedp.Listen(b.ctx, func(event any) {
		if e, ok := event.(*serviceworker.EventWorkerRegistrationUpdated); ok {
			for _, r := range e.Registrations {
				if strings.HasSuffix(r.ScopeURL, "/o/") && !r.IsDeleted && len(registered) < cap(registered) {
					registered <- r.RegistrationID
				}
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, serviceworker.Enable, cdp.Empty{})
		return err
	}))
	ask[string](t, b, `navigator.serviceWorker.register("/push-worker.js", { scope: "/o/" }).then(() => navigator.serviceWorker.ready).then((r) => r.scope)`)
	worker := <-registered
	deliver := func(text string) {
		t.Helper()
		b.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{
				Origin: b.site, RegistrationID: worker, Data: text,
			})
			return err
		}))
	}
	const shown = `navigator.serviceWorker.ready.then((r) => r.getNotifications()).then((all) => JSON.stringify(all.map((n) => ({ title: n.title, body: n.body, tag: n.tag, lang: n.lang, url: n.data.url }))))`
	// A maker delivers again what was not taken, as by a worker that was only just
	// beginning; and this browser puts what it shows away by itself.
	shows := func(text string, want ...note) {
		t.Helper()
		var got []note
		began := time.Now()
		for n := 0; time.Since(began) < patience; n++ {
			if n%60 == 0 {
				deliver(text)
			}
			time.Sleep(50 * time.Millisecond)
			got = nil
			if err := json.Unmarshal([]byte(ask[string](t, b, shown)), &got); err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(got, func(a, b note) int { return cmp.Compare(b.Lang, a.Lang) }) // they come in any order
			if slices.Equal(got, want) {
				return
			}
		}
		t.Fatalf("the browser shows %+v, want %+v", got, want)
	}
	var sent note
	for _, language := range assets.Languages() { // the second takes the place of the first: it is about the same case
		golden, err := os.ReadFile(filepath.Join("..", "..", "sync", "notify", "testdata", "push-"+language+".json"))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(golden), "https://qc.example.com", b.site)
		if err := json.Unmarshal([]byte(text), &sent); err != nil {
			t.Fatal(err)
		}
		if sent.URL != b.site+"/o/20481" || sent.Lang != language {
			t.Fatalf("sent %+v", sent)
		}
		shows(text, sent)
	}
	shows("what nobody can read", sent, note{Title: "Flawmark", Tag: "flawmark", URL: b.site + "/"})
}

// note is a notification.
type note struct{ Title, Body, Tag, Lang, URL string }

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
