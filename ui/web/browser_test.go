package web

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"flawmark/app/journey/chromium"
	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var outFlag = flag.String("out", "", "folder for a PNG of every page in every state")

// scene is a page in a state, as somebody sees it.
type scene struct {
	name    string
	who     string // "customer" of order 20481, a staff id, or empty for a stranger
	address string // PHOTO and LISTING stand for digests
	world   func(*testing.T, *world)
}

func movedWorld(events ...refund.Event) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		chosenWorld(t, w)
		for _, e := range events {
			w.now = w.now.Add(time.Hour)
			w.move(t, "K-20481-2", e)
		}
	}
}

func exchangedWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	first := w.findings["F-20481-2"]
	for _, e := range []refund.Event{
		{Kind: refund.ChoseExchange, Actor: customer},
		{Kind: refund.AgreedReship, Actor: clerk},
		{Kind: refund.ReplacementIn, Actor: bench, Waybill: "YT1234567890"},
	} {
		w.now = w.now.Add(5 * time.Hour)
		w.move(t, "K-20481-2", e)
	}
	second := first
	second.ID, second.Round, second.RecordedAt = "F-second", 2, w.now
	second.Photos = []qc.Photo{w.photo(t, "P9", "thomas-serer-420833-unsplash.jpg")}
	second.Marks = []qc.Mark{{ID: "m9", Photo: "P9", Flaw: "a", Tool: qc.Box, Points: []qc.Point{{X: 100, Y: 100}, {X: 400, Y: 500}}}}
	second.Flaws = first.Flaws[:1]
	w.findings[second.ID] = second
	w.move(t, "K-20481-2", refund.Event{Kind: refund.RecheckFlagged, Actor: bench, Finding: second.ID, Inspector: "I01"})
}

func minorWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	f := w.findings["F-20481-2"]
	f.Flaws = slices.DeleteFunc(slices.Clone(f.Flaws), func(flaw qc.Flaw) bool { return flaw.ID == "b" }) // a wrong size is not minor
	f.Marks = slices.DeleteFunc(slices.Clone(f.Marks), func(m qc.Mark) bool { return m.Flaw == "b" })
	f.Flaws[0].Severity = qc.Minor
	w.findings[f.ID] = f
	w.liable("K-20481-2", refund.ByMinorFlaw)
	w.records = map[string]refund.Record{"潮流前线鞋店": {
		Refunded: refund.Rate{Hits: 9, N: 12}, Days: refund.Days{N: 9, Median: 8.2, P80: 11.4},
	}}
}

// photosAskedWorld waits for photos that the customer wants.
func photosAskedWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	w.move(t, "K-20481-2", refund.Event{Kind: refund.AskedPhotos, Actor: customer, Reason: "the sole, please"})
}

// costsWorld has an item that nothing is wrong with: to return it costs.
func costsWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	w.liable("K-20481-2", refund.ByCustomerWish)
	w.now = w.now.Add(46 * time.Hour)
}

// reversedWorld has a refund that the marketplace took back.
func reversedWorld(t *testing.T, w *world) {
	t.Helper()
	creditedWorld(t, w)
	reversal := refund.Event{Actor: clerk, Amount: money.Fen(10000), SellerRef: "V-1", Reason: "平台撤回"}
	if _, err := w.Correct(t.Context(), "K-20481-2", reversal); err != nil {
		t.Fatal(err)
	}
}

// missedWorld has a flaw that the customer found and we did not.
func missedWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	missed := refund.Event{Actor: customer, Reason: "the sole is torn"}
	if _, err := w.ClaimFlaw(t.Context(), "20481-1", missed); err != nil {
		t.Fatal(err)
	}
}

// partsWorld has three pieces of which one is decided by itself.
func partsWorld(t *testing.T, w *world) {
	t.Helper()
	order := w.orders["20481"]
	order.Items[1].Quantity, order.Items[1].UnitPrice = 3, money.Fen(3333)
	w.orders["20481"] = order
	flaggedWorld(t, w)
	if err := w.Split(t.Context(), "K-20481-2", 1, 1, customer, "parts"); err != nil {
		t.Fatal(err)
	}
}

// refundsWorld has two claims that sellers have agreed to pay.
func refundsWorld(t *testing.T, w *world) {
	t.Helper()
	claimsWorld(t, w)
	for _, id := range []qc.CaseID{"K-20481-2", "K-20481-3"} {
		w.move(t, id, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	}
}

// bulkDoneWorld has a step for many cases behind it, which one did not take.
func bulkDoneWorld(t *testing.T, w *world) {
	t.Helper()
	refusedWorld(t, w)
	results, err := json.Marshal([]bulkResult{
		{Case: "K-20481-2", Item: "20481-2", Notice: "web.notice.done", Status: refund.SellerRefused},
		{Case: "K-20482-1", Item: "20482-1", Notice: "error.case_moved_on", Status: refund.Negotiating},
	})
	if err != nil {
		t.Fatal(err)
	}
	run := Run{ID: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Kind: "bulk", Staff: "D01", At: w.now, Request: string(refund.Refused), Result: string(results)}
	if err := w.KeepRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
}

func emptyOrder(_ *testing.T, w *world) {
	order := w.orders["20481"]
	order.Items = nil
	w.orders["20481"] = order
}

func scenes() []scene {
	offer := refund.Event{Kind: refund.Offered, Actor: clerk, Amount: money.Fen(12000)}
	agreed := refund.Event{Kind: refund.AgreedReturn, Actor: clerk}
	sent := refund.Event{Kind: refund.Dispatched, Actor: bench, Carrier: "SF Express", Waybill: "SF9876543210987"}
	received := refund.Event{Kind: refund.SellerReceived, Actor: clerk}
	order := "/o/20481"
	return []scene{
		{"order-no-case", "customer", order, func(t *testing.T, w *world) { t.Helper(); w.passed(t, "20481-1") }},
		{"order-waiting", "customer", order, func(t *testing.T, w *world) { t.Helper(); w.flagged(t, "20481-2", true) }},
		{"order-decide", "customer", order, minorWorld},
		{"order-grave", "customer", order, flaggedWorld},
		{"order-asked", "customer", order, askedWorld},
		{"order-offer", "customer", order, movedWorld(offer)},
		{"order-refused", "customer", order, refusedWorld},
		{"order-late", "customer", order, lateWorld},
		{"order-returning", "customer", order, movedWorld(agreed, sent)},
		{"order-refunding", "customer", order, movedWorld(agreed, sent, received)},
		{"order-credited", "customer", order, creditedWorld},
		{"order-kept", "customer", order, unansweredWorld},
		{"order-exchange", "customer", order, exchangedWorld},
		{"order-negotiating", "customer", order + "?notice=web.notice.done&case=K-20481-2", chosenWorld},
		{"order-photos", "customer", order, photosAskedWorld},
		{"order-costs", "customer", order, costsWorld},
		{"order-packing", "customer", order, movedWorld(agreed)},
		{"order-trouble", "customer", order, movedWorld(agreed, sent, refund.Event{Kind: refund.ReturnTroubled, Actor: clerk})},
		{"order-short", "customer", order, movedWorld(agreed, sent, received, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(35000), SellerRef: "R-1"})},
		{"order-marketplace", "customer", order, movedWorld(refund.Event{Kind: refund.Appealed, Actor: clerk})},
		{"order-reversed", "customer", order, reversedWorld},
		{"order-missed", "customer", order, missedWorld},
		{"order-parts", "customer", order, partsWorld},
		{"order-empty", "customer", order, emptyOrder},
		{"order-no-link", "", order, flaggedWorld},
		{"photo", "customer", order + "/photos/PHOTO", flaggedWorld},
		{"tickets", "customer", order + "/tickets?item=20481-2", askedWorld},
		{"ticket", "customer", order + "/tickets/20481-T1", askedWorld},
		{"memo", "customer", order + "/memos/1", creditedWorld},
		{"mails", "", mailsPath + "?t=" + mailSecret, stoppedWorld},
		{"desk-sign-in", "", "/desk/sign-in", flaggedWorld},
		{"desk-list", "D01", "/desk", askedWorld},
		{"desk-busy", "D01", "/desk?show=all", busyWorld},
		{"desk-not-found", "D01", "/desk?q=99999", flaggedWorld},
		{"desk-case", "D01", "/desk/cases/K-20481-2", askedWorld},
		{"desk-untold", "D01", "/desk?untold=1", untoldWorld},
		{"desk-case-untold", "D01", "/desk/cases/K-20481-2", untoldWorld},
		{"desk-no-mail", "D01", "/desk", noMailWorld},
		{"desk-case-corrected", "D01", "/desk/cases/K-20481-2?notice=web.contact.again", correctedWorld},
		{"desk-coach", "D01", "/desk/cases/K-20481-2", refusedWorld},
		{"desk-letters", "D01", "/desk/cases/K-20481-2/letters?text=seller-again", refusedWorld},
		{"desk-texts", "L01", "/desk/texts", refusedWorld},
		{"desk-text", "L01", "/desk/texts/customer-refused", refusedWorld},
		{"desk-bulk", "D01", "/desk/bulk?" + allClaims + "&event=refuse", claimsWorld},
		{"desk-bulk-money", "D01", "/desk/bulk?" + allClaims + "&event=seller_paid", refundsWorld},
		{"desk-bulk-done", "D01", "/desk/bulk/ABCDEFGHIJKLMNOPQRSTUVWXYZ", bulkDoneWorld},
		{"desk-sellers", "D01", "/desk/sellers", recordsWorld},
		{"desk-seller", "D01", "/desk/sellers?seller=%E6%BD%AE%E6%B5%81%E5%89%8D%E7%BA%BF%E9%9E%8B%E5%BA%97", recordsWorld},
		{"desk-reports", "D01", "/desk/reports", chosenWorld},
		{"desk-memo", "D01", "/desk/memos/1", creditedWorld},
		{"desk-refunds", "D01", "/desk/refunds", paymentsWorld},
		{"desk-refunds-preview", "D01", paymentsRun, paymentsWorld},
		{"desk-refunds-result", "D01", paymentsRun, bookedWorld},
		{"desk-tickets", "D01", "/desk/tickets", askedWorld},
		{"desk-ticket", "D01", "/desk/tickets/20481-T1", askedWorld},
	}
}

// theBrowser is one real browser for all tests of the package. The first who
// needs it starts it; it ends with the tests.
var theBrowser = sync.OnceValues(func() (context.Context, error) {
	ctx, stop, err := chromium.Start()
	if err == nil {
		endBrowser = stop
	}
	return ctx, err
})

// endBrowser ends what theBrowser has started.
var endBrowser = func() {}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	endBrowser()
	os.Exit(code)
}

// tab is one tab of the browser with cookies of its own.
type tab struct {
	ctx    context.Context
	site   string // base URL
	server *httptest.Server
}

const patience = 30 * time.Second

// browse serves a world to a tab in which somebody has opened the link of order
// 20481, or has signed in.
func browse(t *testing.T, w *world, who string) *tab {
	t.Helper()
	browser, err := theBrowser()
	if err != nil {
		t.Fatal(err)
	}
	reader := w.reader(t)
	server := httptest.NewServer(reader.handler)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections) // streams never end by themselves
	ctx, stop := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	b := &tab{ctx: ctx, site: server.URL, server: server}
	if err := chromedp.Do(ctx, chromium.View(1440, 900, false)); err != nil { // starts the tab: under no deadline
		t.Fatalf("open a tab: %v", err)
	}
	switch who {
	case "":
	case "customer":
		b.do(t, chromedp.Navigate(b.site+"/o/20481?t=secret-of-20481"))
	default:
		b.do(t, chromedp.Navigate(b.site+"/desk/sign-in"),
			chromedp.SendKeys(chromedp.CSS("#id"), who), chromedp.SendKeys(chromedp.CSS("#password"), password),
			chromedp.Click(chromedp.CSS("#sign-in")), chromedp.WaitVisible(chromedp.CSS("#worklist")))
	}
	return b
}

// visit opens a scene in a language.
func visit(t *testing.T, s scene, language string) *tab {
	t.Helper()
	w := newWorld(t)
	s.world(t, w)
	b := browse(t, w, s.who)
	if s.name != "order-empty" {
		_, item := w.itemAndOrder("20481-2")
		s.address = strings.ReplaceAll(s.address, "LISTING", string(item.ListingPhoto))
	}
	if f := w.findings["F-20481-2"]; len(f.Photos) > 0 {
		s.address = strings.ReplaceAll(s.address, "PHOTO", string(f.Photos[0].Digest))
	}
	separator := "?"
	if strings.Contains(s.address, "?") {
		separator = "&"
	}
	b.do(t, chromedp.Navigate(b.site+s.address+separator+"lang="+language))
	return b
}

func (b *tab) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatalf("in the browser: %v", err)
	}
}

// ask evaluates an expression on the page; a promise is waited for.
func ask[T any](t *testing.T, b *tab, expression string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("on the page, %.80s: %v", expression, err)
	}
	return got
}

// sight is how somebody looks at a page.
type sight struct {
	name          string
	width, height int64
	phone         bool
	dark          bool
	text          string // size of the text; empty: as it is
}

var sights = []sight{
	{name: "phone-light", width: 390, height: 844, phone: true},
	{name: "phone-dark", width: 390, height: 844, phone: true, dark: true},
	{name: "desktop-light", width: 1440, height: 900},
	{name: "desktop-dark", width: 1440, height: 900, dark: true},
}

// largeText is a telephone of somebody who wants text twice as large.
var largeText = sight{name: "phone-large", width: 390, height: 844, phone: true, text: "200%"}

// look shows the page as somebody sees it.
func (b *tab) look(t *testing.T, s sight, features ...*emulation.MediaFeature) {
	t.Helper()
	scheme := "light"
	if s.dark {
		scheme = "dark"
	}
	b.do(t, chromium.View(s.width, s.height, s.phone), b.media(append(features, &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme})...))
}

func (b *tab) media(features ...*emulation.MediaFeature) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err
	})
}

// complaint is something that axe has found.
type complaint struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// axe runs axe-core on the page and returns what is serious or critical.
func (b *tab) axe(t *testing.T) []complaint {
	t.Helper()
	if !ask[bool](t, b, `typeof axe !== "undefined"`) {
		source, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
		if err != nil {
			t.Fatal(err)
		}
		ask[bool](t, b, string(source)+"; true")
	}
	text := ask[string](t, b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(
		r.violations.filter(v => v.impact === "serious" || v.impact === "critical")))`)
	var found []complaint
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func (c complaint) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s (%s): %s", c.ID, c.Impact, c.Help)
	for i, n := range c.Nodes {
		if i == 3 {
			fmt.Fprintf(&text, "\n  and %d more", len(c.Nodes)-i)
			break
		}
		fmt.Fprintf(&text, "\n  %.200s\n    %.300s", n.HTML, strings.ReplaceAll(n.Summary, "\n", " "))
	}
	return text.String()
}

// opened shows everything that a page can unfold.
const opened = `document.querySelectorAll("details").forEach(d => { d.removeAttribute("name"); d.open = true })`

// TestScenes_AreForEverybody looks at every page in every state, in both
// languages: axe-core finds nothing grave in light and dark, on a telephone and
// on a desk; nothing is cut and nothing has to be moved sideways where the
// window is narrow or the text twice as large. (A desk's browser at 200 % is a
// window of half the width.)
func TestScenes_AreForEverybody(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for _, language := range []string{"en", "zh"} {
				b := visit(t, s, language)
				ask[chromedp.Void](t, b, opened)
				for _, sight := range sights {
					b.look(t, sight)
					for _, found := range b.axe(t) {
						t.Errorf("%s, %s: %s", language, sight.name, found)
					}
					for _, found := range ask[[]string](t, b, broken) {
						t.Errorf("%s, %s: the word %s is broken", language, sight.name, found)
					}
				}
				for _, how := range []struct {
					width int64
					text  string
				}{{320, "100%"}, {390, "200%"}, {640, "100%"}} {
					b.look(t, sight{width: how.width, height: 800, phone: how.width < 600})
					ask[chromedp.Void](t, b, `document.documentElement.style.fontSize = "`+how.text+`"`)
					for _, found := range ask[[]string](t, b, cut) {
						t.Errorf("%s, %d px, text %s: %s", language, how.width, how.text, found)
					}
					if s.who != "customer" {
						continue // the desk is not worked at on a telephone with such text
					}
					for _, found := range ask[[]string](t, b, broken) {
						t.Errorf("%s, %d px, text %s: the word %s is broken", language, how.width, how.text, found)
					}
				}
			}
		})
	}
}

// What axe is there to find, it finds.
func TestAxe_AFaultIsSeen(t *testing.T) {
	t.Parallel()
	b := visit(t, scene{"tickets", "customer", "/o/20481/tickets", askedWorld}, "en")
	b.look(t, sights[0])
	for fault, rule := range map[string]string{
		`document.querySelector("textarea").closest("label").replaceWith(document.querySelector("textarea"))`: "label",
		`document.querySelector("h1").style.color = "#ddd"`:                                                   "color-contrast",
		`document.querySelector(".brand img").removeAttribute("alt")`:                                         "image-alt",
		`document.documentElement.removeAttribute("lang")`:                                                    "html-has-lang",
	} {
		ask[chromedp.Void](t, b, fault)
		var rules []string
		for _, found := range b.axe(t) {
			rules = append(rules, found.ID)
		}
		if !strings.Contains(strings.Join(rules, " "), rule) {
			t.Errorf("after %s axe finds %q, want %s", fault, rules, rule)
		}
	}
}

// cut lists what does not fit: a page that is wider than the window, and text
// that its box hides. Photos and tools in strips are meant to be moved, and so
// is what is typed into a line.
const cut = `(() => {
  const found = [];
  const width = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth > width) found.push("the page is " + document.scrollingElement.scrollWidth + " wide, the window " + width);
  const moved = (e) => e.closest(".unseen, .skip, .strip, .thumbs, .zoom-tools, .overlay, .gallery > input, .panes, [hidden]");
  for (const e of document.body.querySelectorAll("*")) {
    if (moved(e) || e.closest("svg") || !e.getClientRects().length || e.clientWidth === 1) continue;
    const style = getComputedStyle(e);
    const name = e.tagName.toLowerCase() + (e.id ? "#" + e.id : "." + e.className) + " " + JSON.stringify((e.textContent || "").trim().slice(0, 40));
    if (/hidden|clip/.test(style.overflowX + style.overflowY) && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1) && e.clientWidth && e.tagName !== "INPUT") found.push(name + " hides " + e.scrollWidth + "×" + e.scrollHeight + " in " + e.clientWidth + "×" + e.clientHeight);
    if (/auto|scroll/.test(style.overflowX) && e.scrollWidth > e.clientWidth + 1) found.push(name + " scrolls sideways");
    const box = e.getBoundingClientRect();
    if (box.right > width + 1 || box.left < -1) found.push(name + " reaches from " + Math.round(box.left) + " to " + Math.round(box.right) + " of " + width);
    if (e.tagName === "SELECT" || e.tagName === "INPUT") continue;
    if (style.whiteSpace === "nowrap" && e.scrollWidth > e.clientWidth + 1 && e.clientWidth && style.display !== "inline") found.push(name + " is cut: " + e.scrollWidth + " in " + e.clientWidth);
  }
  return found;
})()`

// broken lists words that go on in the next line because their box is too
// narrow for them. Numbers of parcels and what people typed may.
const broken = `(() => {
  const found = [];
  const unseen = (e) => e && (getComputedStyle(e).clipPath !== "none" || unseen(e.parentElement));
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (!node.parentElement.checkVisibility() || unseen(node.parentElement) || node.parentElement.closest(".skip, .overlay, .said, q, noscript, script, textarea, option")) continue;
    for (const word of node.data.matchAll(/\p{Script=Latin}{3,20}/gu)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].filter(r => r.width > 0).map(r => Math.round(r.top))).size > 1) found.push(word[0]);
    }
  }
  return found;
})()`

func TestNarrow_AFaultIsSeen(t *testing.T) {
	t.Parallel()
	b := visit(t, scene{"tickets", "customer", "/o/20481/tickets", askedWorld}, "en")
	b.look(t, sight{width: 320, height: 800, phone: true})
	if found := ask[[]string](t, b, cut); len(found) > 0 {
		t.Fatalf("before the fault: %q", found)
	}
	for _, fault := range []string{
		`document.querySelector("h1").style.minWidth = "500px"`,
		`(() => { const h = document.querySelector("h2"); h.style.cssText = "height: 8px; overflow: hidden" })()`,
	} {
		before := len(ask[[]string](t, b, cut))
		ask[chromedp.Void](t, b, fault)
		if len(ask[[]string](t, b, cut)) <= before {
			t.Errorf("%s is not seen", fault)
		}
	}
	if found := ask[[]string](t, b, broken); len(found) > 0 {
		t.Fatalf("before the fault: %q", found)
	}
	ask[chromedp.Void](t, b, `document.querySelector("h2").style.cssText = "width: 3ch"`)
	if len(ask[[]string](t, b, broken)) == 0 {
		t.Error("a broken word is not seen")
	}
}

// press presses Tab until the focus is on the element, as somebody without a
// mouse does.
func (b *tab) tabTo(t *testing.T, id string) {
	t.Helper()
	for range 80 {
		if ask[string](t, b, `document.activeElement.id`) == id {
			if !ask[bool](t, b, `document.activeElement.matches(":focus-visible") && getComputedStyle(document.activeElement).outlineStyle !== "none"`) {
				t.Errorf("nobody sees that the focus is on %s", id)
			}
			return
		}
		b.do(t, chromedp.KeyEvent("\t"))
	}
	t.Fatalf("Tab does not reach %s", id)
}

func TestKeyboard_DecidesAndWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	b := browse(t, w, "customer")
	b.do(t, chromedp.WaitVisible(chromedp.CSS("#choose-refund")))
	b.tabTo(t, "choose-refund")
	b.do(t, chromedp.KeyEvent("\r"))
	b.tabTo(t, "confirm-choose-refund")
	b.do(t, chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS(`[data-status="negotiating"]`)))
	b.tabTo(t, "write")
	b.do(t, chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#text-new")))
	b.tabTo(t, "text-new")
	b.do(t, chromedp.KeyEvent("by keys alone"))
	b.tabTo(t, "send-new")
	b.do(t, chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#thread")))
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.tickets) != 1 || w.tickets[0].Messages[0].Text != "by keys alone" {
		t.Errorf("tickets %+v", w.tickets)
	}
}

func TestWithoutScripts_ReadsDecidesAndWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	b := browse(t, w, "customer")
	b.do(t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}), chromedp.Navigate(b.site+"/o/20481"))
	photo := filepath.Join(t.TempDir(), "sole.jpg")
	if err := os.WriteFile(photo, snapshot(t, 320), 0o600); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.WaitVisible(chromedp.CSS(".answers")), chromedp.WaitVisible(chromedp.CSS("noscript .refresh")),
		chromedp.Click(chromedp.CSS("#choose-exchange")), chromedp.Click(chromedp.CSS("#confirm-choose-exchange")),
		chromedp.WaitVisible(chromedp.CSS(`[data-status="negotiating"]`)),
		chromedp.Click(chromedp.CSS("#write")), chromedp.SendKeys(chromedp.CSS("#text-new"), "no scripts"),
		chromedp.SetUploadFiles(chromedp.CSS("#photo-new"), []string{photo}),
		chromedp.Click(chromedp.CSS("#send-new")), chromedp.WaitVisible(chromedp.CSS("#thread .sent img")))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cases["K-20481-2"].Status != refund.Negotiating || len(w.tickets) != 1 || len(w.tickets[0].Messages[0].Pictures) != 1 {
		t.Errorf("case %s, tickets %+v", w.cases["K-20481-2"].Status, w.tickets)
	}
}

func TestReducedMotion_NothingMoves(t *testing.T) {
	t.Parallel()
	const moving = `[...document.querySelectorAll("*")].filter(e => { const s = getComputedStyle(e);
		return s.scrollBehavior === "smooth" || parseFloat(s.transitionDuration) > 0 || parseFloat(s.animationDuration) > 0 }).length`
	b := visit(t, scene{"order", "customer", "/o/20481", flaggedWorld}, "en")
	b.look(t, sights[0])
	if ask[int](t, b, moving) == 0 {
		t.Error("nothing moves for those either who do not mind: this test sees nothing")
	}
	b.look(t, sights[0], &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"})
	if n := ask[int](t, b, moving); n > 0 {
		t.Errorf("%d elements move", n)
	}
}

// TestPictures leaves a PNG of every page in every state: -args -out DIR.
func TestPictures(t *testing.T) {
	if *outFlag == "" {
		return // nobody wants them
	}
	if err := os.MkdirAll(*outFlag, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			for _, language := range []string{"en", "zh"} {
				b := visit(t, s, language)
				ask[chromedp.Void](t, b, `document.querySelectorAll("[loading=lazy]").forEach(i => { i.loading = "eager" });
					Promise.all([...document.images].filter(i => i.checkVisibility()).map(i => i.decode().catch(() => {}))).then(() => {})`)
				for _, sight := range append(slices.Clip(sights), largeText) {
					b.look(t, sight)
					ask[chromedp.Void](t, b, `document.documentElement.style.fontSize = "`+sight.text+`";
						new Promise(seen => requestAnimationFrame(() => requestAnimationFrame(() => seen())))`)
					keepPicture(t, b, s.name+"-"+language+"-"+sight.name)
				}
			}
		})
	}
}

// keepPicture leaves a PNG of the whole page.
func keepPicture(t *testing.T, b *tab, name string) {
	t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*outFlag, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// A page whose line breaks again and again shows what happened meanwhile.
func TestLive_ComesBackByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	b := browse(t, w, "customer")
	b.do(t, chromedp.WaitVisible(chromedp.CSS(`[data-status="awaiting_decision"]`)))
	b.server.CloseClientConnections()
	w.move(t, "K-20481-2", refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	b.do(t, chromedp.WaitVisible(chromedp.CSS(`[data-status="negotiating"]`)))
	b.server.CloseClientConnections()
	w.move(t, "K-20481-2", refund.Event{Kind: refund.Refused, Actor: clerk, Reason: "影响二次销售"})
	b.do(t, chromedp.WaitVisible(chromedp.CSS(`[data-status="seller_refused"]`)), chromedp.WaitNotVisible(chromedp.CSS("#stale")))
}

// The order's page leads from a flaw to its place on the photo, and from there
// the keys go on: to the next flaw, to no marks, to the listing beside it.
func TestViewer_GoesFromFlawToFlaw(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	b := browse(t, w, "customer")
	b.do(t, chromedp.Click(chromedp.CSS(`#flaws-20481-2 [data-flaw="2"] a`)), chromedp.WaitVisible(chromedp.CSS("#deep")))
	says := func(want string) {
		t.Helper()
		b.do(t, chromedp.WaitVisible(chromedp.CSS(`.viewer-flaws [aria-current="true"]`)))
		deadline := time.Now().Add(patience)
		for {
			got := ask[string](t, b, `document.getElementById("announce").textContent + "|" + document.querySelector(".viewer-flaws [aria-current]").dataset.flaw`)
			if got == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the viewer says %q, want %q", got, want)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	says("Flaw 2 of 3|2")
	b.do(t, chromedp.KeyEvent("n"))
	says("Flaw 4 of 3|4")
	b.do(t, chromedp.KeyEvent("p"), chromedp.KeyEvent("p"))
	says("Flaw 1 of 3|1")
	b.do(t, chromedp.KeyEvent("m"))
	if ask[bool](t, b, `document.getElementById("marks-full").checked`) {
		t.Error("M does not hide the marks")
	}
	b.do(t, chromedp.KeyEvent("c"), chromedp.WaitVisible(chromedp.CSS(`[data-do="compare"][aria-pressed="true"]`)), chromedp.WaitVisible(chromedp.CSS(".deep.other canvas")))
	b.do(t, chromedp.KeyEvent("+"), chromedp.KeyEvent("+"))
	const ratio = `(() => { const [a, c] = [...document.querySelectorAll(".deep")].map(e => OpenSeadragon.getViewer(e)?.viewport);
		return a && c ? Math.abs(Math.log(a.getZoom(true) / a.getHomeZoom() / (c.getZoom(true) / c.getHomeZoom()))) + (a.getZoom(true) / a.getHomeZoom() > 1.05 ? 0 : 9) : 99 })()`
	deadline := time.Now().Add(patience)
	for ask[float64](t, b, ratio) > 0.02 {
		if time.Now().After(deadline) {
			t.Fatalf("the listing is not shown at the same zoom: %v", ask[string](t, b, `JSON.stringify([...document.querySelectorAll(".deep")].map(e => { const v = OpenSeadragon.getViewer(e); return v ? [v.viewport.getZoom(true), v.viewport.getHomeZoom(), v.world.getItemCount()] : null })) + document.activeElement.className`))
		}
		time.Sleep(50 * time.Millisecond)
	}
}
