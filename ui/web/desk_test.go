package web

import (
	"archive/zip"
	"bufio"
	"context"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
)

type discard struct{}

func (discard) Header() http.Header            { return http.Header{} }
func (discard) Write(data []byte) (int, error) { return len(data), nil }
func (discard) WriteHeader(int)                {}

func mustRequest(t *testing.T, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func deskRoutes(w *world) map[string]string {
	digest := string(w.findings["F-20481-2"].Photos[0].Digest)
	return map[string]string{
		"/desk":                                  http.MethodGet,
		"/desk?fragment=1":                       http.MethodGet,
		"/desk/events":                           http.MethodGet,
		"/desk/cases/K-20481-2":                  http.MethodGet,
		"/desk/cases/K-20481-2/photos/" + digest: http.MethodGet,
		"/desk/cases/K-20481-2/photos/" + digest + "/preview": http.MethodGet,
		"/desk/cases/K-20481-2/events":                        http.MethodPost,
		"/desk/cases/K-20481-2/link":                          http.MethodPost,
	}
}

func TestDesk_IsForSignedInStaffOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	session := func(id qc.StaffID) string {
		secret, err := w.BeginSession(t.Context(), id, start)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	ended := session("D01")
	if err := w.EndSession(t.Context(), ended, start); err != nil {
		t.Fatal(err)
	}
	sessions := map[string]string{
		"none": "", "nonsense": "x.y", "ended": ended, "of an inspector": session("I01"), "of somebody dismissed": session("D09"),
		"an order's": "secret-of-20481", "too long": strings.Repeat("x", 300),
	}
	form := url.Values{"event": {"choose_keep"}, "version": {"1"}}
	for name, value := range sessions {
		b := w.reader(t)
		b.openLink("20481")
		b.jar["x"] = &http.Cookie{Name: deskCookie, Value: value, Path: "/desk"}
		for address, method := range deskRoutes(w) {
			body := form
			if method == http.MethodGet {
				body = nil
			}
			answer := b.do(method, address, body)
			signIn := answer.status == http.StatusSeeOther && answer.header.Get("Location") == toSignIn(mustRequest(t, address).URL)
			if !signIn && answer.status != http.StatusForbidden {
				t.Errorf("session %s, %s %s: status %d", name, method, address, answer.status)
			}
		}
	}
	if got := w.cases["K-20481-2"].Version; got != 1 {
		t.Errorf("somebody moved the case to version %d", got)
	}
}

func TestDesk_SignIn(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, id, password string
		status             int
	}{
		{"clerk", "D01", password, http.StatusSeeOther},
		{"lead", "L01", password, http.StatusSeeOther},
		{"inspector", "I01", password, http.StatusForbidden},
		{"no longer here", "D09", password, http.StatusForbidden},
		{"wrong password", "D01", "guess", http.StatusForbidden},
		{"unknown", "D77", password, http.StatusForbidden},
	}
	for _, c := range cases {
		w := newWorld(t)
		b := w.reader(t)
		answer := b.do(http.MethodPost, "/desk/sign-in", url.Values{"id": {c.id}, "password": {c.password}})
		if answer.status != c.status {
			t.Errorf("%s: status %d, want %d", c.name, answer.status, c.status)
		}
		if signedIn := len(answer.cookies) > 0; signedIn != (c.status == http.StatusSeeOther) {
			t.Errorf("%s: signed in is %v", c.name, signedIn)
		}
	}
}

// Who works here cannot be found out by the clock either: refusing somebody who
// is not known takes as long as refusing a wrong password.
// Whoever is asked to sign in goes on where they wanted to go, and nowhere else.
func TestDesk_SigningInGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	chosenWorld(t, w)
	b := w.reader(t)
	door := b.do(http.MethodGet, "/desk/cases/K-20481-2?notice=x", nil).header.Get("Location")
	if door != "/desk/sign-in?next=%2Fdesk%2Fcases%2FK-20481-2%3Fnotice%3Dx" {
		t.Fatalf("asked to sign in at %s", door)
	}
	if page := b.get(door, http.StatusOK); !strings.Contains(page, `name="next" value="/desk/cases/K-20481-2?notice=x"`) {
		t.Error("the door has forgotten where somebody wanted to go")
	}
	wrong := b.do(http.MethodPost, "/desk/sign-in", url.Values{"id": {"D01"}, "password": {"x"}, "next": {"/desk/tickets"}})
	if page := b.body(wrong, http.StatusForbidden); !strings.Contains(page, `value="/desk/tickets"`) {
		t.Error("a wrong password makes it forget")
	}
	for next, want := range map[string]string{
		"/desk/cases/K-20481-2": "/desk/cases/K-20481-2", "/desk?q=a+b": "/desk?q=a+b", "": "/desk", "/desk/sign-out": "/desk",
		"https://evil.example/desk/": "/desk", "//evil.example/desk": "/desk", "/desktop": "/desk", "javascript:alert(1)": "/desk",
		"/desk/\r\nX: y": "/desk", "/o/20481": "/desk", "desk": "/desk",
	} {
		if to := w.reader(t).sent("/desk/sign-in", url.Values{"id": {"D01"}, "password": {password}, "next": {next}}); to != want {
			t.Errorf("next %q leads to %s, want %s", next, to, want)
		}
	}
}

func TestDesk_RefusingTakesItsTime(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"D01", "nobody"} {
		began := time.Now()
		newWorld(t).reader(t).do(http.MethodPost, "/desk/sign-in", url.Values{"id": {id}, "password": {"guess"}})
		if took := time.Since(began); took < refusalTakes {
			t.Errorf("%s is refused within %s", id, took)
		}
	}
}

// One link or session holds few streams, and others are not kept from theirs.
func TestStreams_AreFewForOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	b := w.reader(t)
	b.openLink("20481")
	b.openLink("20482")
	server := httptest.NewServer(b.handler)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	listen := func(order string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/o/"+order+"/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: orderCookie, Value: "secret-of-" + order})
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = answer.Body.Close() })
		return answer.StatusCode
	}
	for n := range mostStreams + 1 {
		if want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[n < mostStreams]; listen("20481") != want {
			t.Fatalf("stream %d is not answered with %d", n+1, want)
		}
	}
	if got := listen("20482"); got != http.StatusOK {
		t.Errorf("somebody else is answered with %d", got)
	}
}

// Wherever a request says that it went, what people are given leads home.
func TestPages_HeedNoHostOfARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	b := w.reader(t)
	b.pages.Public = "https://qc.example.com"
	b.openLink("20481")
	b.signIn("D01")
	for _, address := range []string{"/", "/o/20481?lang=zh", "/o/20481", "/desk", "/desk/cases/K-20481-2/link", "/desk/sign-in?lang=zh", "/nothing"} {
		method := http.MethodGet
		if strings.HasSuffix(address, "/link") {
			method = http.MethodPost
		}
		r := httptest.NewRequest(method, address, nil)
		r.Host = "evil.example"
		r.Header.Set("X-Forwarded-Host", "evil.example")
		for _, cookie := range b.jar {
			if strings.HasPrefix(r.URL.Path, cookie.Path) {
				r.AddCookie(cookie)
			}
		}
		got := serve(t, b.handler, r)
		if strings.Contains(got.body, "evil.example") || strings.Contains(got.header.Get("Location"), "evil.example") || strings.HasPrefix(got.header.Get("Location"), "//") {
			t.Errorf("%s: %d to %q: %.200s", address, got.status, got.header.Get("Location"), got.body)
		}
	}
}

func TestPages_AskForTLSOnceThereIsSome(t *testing.T) {
	t.Parallel()
	b := newWorld(t).reader(t)
	if got := b.do(http.MethodGet, "/desk/sign-in", nil).header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("without TLS: %q", got)
	}
	b.pages.Secure = true
	if got := b.do(http.MethodGet, "/desk/sign-in", nil).header.Get("Strict-Transport-Security"); got == "" {
		t.Error("with TLS nothing keeps the reader there")
	}
}

func TestDesk_DismissalEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	b := w.reader(t)
	b.signIn("D01")
	b.get("/desk/cases/K-20481-2", http.StatusOK)
	w.staff["D01"] = qc.Staff{ID: "D01", Role: qc.Clerk}
	b.get("/desk/cases/K-20481-2", http.StatusSeeOther)
	b.get("/desk/events", http.StatusForbidden)
}

func TestDesk_SigningInIsRateLimited(t *testing.T) {
	t.Parallel()
	b := newWorld(t).reader(t)
	b.pages.refusing = 0
	status := 0
	for range signInsPerMinute + 1 {
		status = b.do(http.MethodPost, "/desk/sign-in", url.Values{"id": {"D01"}, "password": {"guess"}}).status
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("status %d after %d tries", status, signInsPerMinute+1)
	}
}

func TestDesk_SignOutEndsTheSession(t *testing.T) {
	t.Parallel()
	b := newWorld(t).reader(t)
	b.signIn("D01")
	b.get("/desk", http.StatusOK)
	kept := *b.jar[deskCookie+"/desk"] // by somebody who has copied it
	b.sent("/desk/sign-out", url.Values{})
	b.get("/desk", http.StatusSeeOther)
	b.jar[deskCookie+"/desk"] = &kept
	b.get("/desk", http.StatusSeeOther)
}

// Whoever signs in does not go on in a session that was there before.
func TestDesk_SigningInEndsTheSessionBefore(t *testing.T) {
	t.Parallel()
	b := newWorld(t).reader(t)
	b.signIn("D01")
	before := *b.jar[deskCookie+"/desk"]
	b.signIn("L01")
	if b.jar[deskCookie+"/desk"].Value == before.Value {
		t.Error("the secret is the same")
	}
	b.jar[deskCookie+"/desk"] = &before
	b.get("/desk", http.StatusSeeOther)
}

// With TLS, no other host and nobody who speaks without it can set the cookies.
func TestCookies_ArePrefixedWithTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	b.pages.Secure = true
	b.openLink("20481")
	b.signIn("D01")
	desk, device, order := b.jar["__Host-"+deskCookie+"/"], b.jar["__Host-"+deviceCookie+"/"], b.jar["__Secure-"+orderCookie+"/o/20481"]
	if desk == nil || device == nil || order == nil {
		t.Fatalf("cookies %v", b.jar)
	}
	for _, cookie := range []*http.Cookie{desk, device, order} {
		if !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Domain != "" {
			t.Errorf("cookie %s", cookie)
		}
	}
	b.get("/desk", http.StatusOK)
	b.get("/o/20481", http.StatusOK)
}

// Auditors and approvers look; only whose role it is acts, whatever is sent.
func TestDesk_RolesDecideWhoActs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		who           qc.StaffID
		event         string
		status        int
		notice        string
		offers, links bool
	}{
		{"D01", "choose_keep", http.StatusSeeOther, "web.notice.done", true, true},
		{"DL1", "choose_keep", http.StatusSeeOther, "web.notice.done", true, true},
		{"DL1", "dismiss", http.StatusSeeOther, "web.notice.done", true, true},
		{"D01", "dismiss", http.StatusUnprocessableEntity, "error.not_allowed", true, true},
		{"L01", "choose_keep", http.StatusUnprocessableEntity, "error.not_allowed", true, false},
		{"A01", "choose_keep", http.StatusForbidden, "", false, false},
		{"V01", "choose_keep", http.StatusForbidden, "", false, false},
	} {
		w := newWorld(t)
		w.flagged(t, "20481-2", c.event == "dismiss")
		b := w.reader(t)
		b.signIn(c.who)
		page := b.get("/desk/cases/K-20481-2", http.StatusOK)
		if offers := strings.Contains(page, `data-action="`); c.status == http.StatusForbidden && offers {
			t.Errorf("%s is offered something to do", c.who)
		}
		if said := strings.Contains(page, "change nothing"); said != (c.status == http.StatusForbidden) {
			t.Errorf("%s is told that nothing can be changed: %t", c.who, said)
		}
		if links := strings.Contains(page, "make-link"); links != c.links {
			t.Errorf("%s is offered to make a link: %t", c.who, links)
		}
		got := b.do(http.MethodPost, "/desk/cases/K-20481-2/events", url.Values{"event": {c.event}, "version": {"1"}, "reason": {"x"}})
		said := got.header.Get("Location")
		if got.status == http.StatusUnprocessableEntity && strings.Contains(got.body, b.says(c.notice)) {
			said = c.notice
		}
		if got.status != c.status || !strings.Contains(said, c.notice) {
			t.Errorf("%s, %s: status %d to %q", c.who, c.event, got.status, got.header.Get("Location"))
		}
	}
}

// stepped takes a step with the case and returns the key of what is said then: on
// the case's page, or beside what was typed where it was refused.
func (b *reader) stepped(form url.Values) string {
	b.t.Helper()
	got := b.do(http.MethodPost, "/desk/cases/K-20481-2/events", form)
	if got.status == http.StatusSeeOther {
		key, _ := strings.CutPrefix(got.header.Get("Location"), "/desk/cases/K-20481-2?notice=")
		return key
	}
	page := b.body(got, http.StatusUnprocessableEntity)
	_, refused, there := strings.Cut(page, `data-action="`+form.Get("event")+`"`)
	if !there { // the step is not possible any more
		_, refused, _ = strings.Cut(page, `id="typed"`)
	}
	_, sentence, _ := strings.Cut(refused, `role="alert">`)
	sentence, _, _ = strings.Cut(strings.TrimPrefix(sentence, "<p>"), "</p>")
	for _, name := range []string{"reason", "amount", "seller_ref", "waybill", "carrier", "approver"} {
		if typed := form.Get(name); strings.TrimSpace(typed) != "" && !strings.Contains(refused, template.HTMLEscapeString(typed)) {
			b.t.Errorf("what was typed as %s is lost", name)
		}
	}
	if secret := form.Get("approver_password"); secret != "" && strings.Contains(page, secret) {
		b.t.Error("the page says a password")
	}
	words := b.pages.Words["en"]
	for _, key := range slices.Concat(notices, deskNotices) {
		if template.HTMLEscapeString(words.Text(key)) == sentence {
			return key
		}
	}
	return sentence
}

// Only an approver is the second person, and the form says who that may be.
func TestDeskAct_ApproversApprove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	chosenWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	if page := b.get("/desk/cases/K-20481-2", http.StatusOK); !strings.Contains(page, "周军 (A01)") {
		t.Error("the form does not say who may approve")
	}
	for approver, notice := range map[string]string{
		"L01": "web.approver_wrong", "V01": "web.approver_wrong", "D01": "web.approver_wrong", "A01": "web.notice.done",
	} {
		form := url.Values{"event": {"withdraw"}, "version": {"2"}, "reason": {"ours"}, "approver": {approver}, "approver_password": {password}}
		if got := b.stepped(form); got != notice {
			t.Errorf("%s approves: %q", approver, got)
		}
	}
	if page := b.get("/desk/cases/K-20481-2", http.StatusOK); !strings.Contains(page, "approved by 周军") {
		t.Error("the history does not say who approved")
	}
}

func TestDeskAct(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		world  func(*testing.T, *world)
		form   string
		notice string
		status refund.Status
	}{
		{"seller agrees", chosenWorld, "event=agree_return&version=2", "web.notice.done", refund.ReturnApproved},
		{"seller refuses", chosenWorld, "event=refuse&version=2&reason=no", "web.notice.done", refund.SellerRefused},
		{"refusal without reason", chosenWorld, "event=refuse&version=2&reason=+", "error.field_missing", refund.Negotiating},
		{"moved on meanwhile", chosenWorld, "event=agree_return&version=1", "error.case_moved_on", refund.Negotiating},
		{"not now", chosenWorld, "event=seller_received&version=2", "error.case_moved_on", refund.Negotiating},
		{"a lead's", flaggedWorld, "event=dismiss&version=1&reason=x", "error.not_allowed", refund.AwaitingDecision},
		{"only an inspection's", flaggedWorld, "event=amend&version=1", "error.not_allowed", refund.AwaitingDecision},
		{"paid in full", refundingWorld, "event=seller_paid&version=3&amount=401.00&seller_ref=R1", "web.notice.done", refund.Credited},
		{"paid in full, with the sign", refundingWorld, "event=seller_paid&version=3&amount=¥401&seller_ref=R1", "web.notice.done", refund.Credited},
		{"paid in full, as Chinese keyboards type", refundingWorld, "event=seller_paid&version=3&amount=￥４０１．００&seller_ref=Ｒ１", "web.notice.done", refund.Credited},
		{"a gift that one person may give", refusedWorld, "event=goodwill&version=3&amount=100&reason=sorry", "web.notice.done", refund.SellerRefused},
		{"a gift that wants two", refusedWorld, "event=goodwill&version=3&amount=1,100.00&reason=sorry", "error.approval_needed", refund.SellerRefused},
		{"a gift of two", refusedWorld, "event=goodwill&version=3&amount=100.01&reason=sorry&approver=A01&approver_password=" + url.QueryEscape(password), "web.notice.done", refund.SellerRefused},
		{"paid in part", refundingWorld, "event=seller_paid&version=3&amount=400.99&seller_ref=R1", "web.notice.done", refund.RefundShort},
		{"paid too much", refundingWorld, "event=seller_paid&version=3&amount=401.01&seller_ref=R1", "error.amount_not_owed", refund.SellerRefunding},
		{"negative", refundingWorld, "event=seller_paid&version=3&amount=-1&seller_ref=R1", "error.amount_not_owed", refund.SellerRefunding},
		{"no amount", refundingWorld, "event=seller_paid&version=3&seller_ref=R1", "error.field_missing", refund.SellerRefunding},
		{"no number", refundingWorld, "event=seller_paid&version=3&amount=4o1&seller_ref=R1", "web.amount_syntax", refund.SellerRefunding},
		{"refund number used before", refundingWorld, "event=seller_paid&version=3&amount=1&seller_ref=R-used", "web.seller_ref_used", refund.SellerRefunding},
		{"too long", chosenWorld, "event=refuse&version=2&reason=" + strings.Repeat("x", maxText+1), "web.text_long", refund.Negotiating},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.world(t, w)
			b := w.reader(t)
			b.signIn("D01")
			form, err := url.ParseQuery(c.form)
			if err != nil {
				t.Fatal(err)
			}
			if got := b.stepped(form); got != c.notice {
				t.Errorf("the page says %q, want %q", got, c.notice)
			}
			if got := w.cases["K-20481-2"].Status; got != c.status {
				t.Errorf("case is %s, want %s", got, c.status)
			}
		})
	}
}

func TestDeskAct_WaybillsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	chosenWorld(t, w)
	w.move(t, "K-20481-2", refund.Event{Kind: refund.AgreedReturn, Actor: clerk})
	b := w.reader(t)
	b.signIn("L01")
	for waybill, notice := range map[string]string{"nope": "error.waybill_invalid", "sf9876543210987": "web.notice.done"} {
		form := url.Values{"event": {"dispatch"}, "version": {"3"}, "waybill": {waybill}, "carrier": {"SF"}}
		if got := b.stepped(form); got != notice {
			t.Errorf("waybill %s: %q", waybill, got)
		}
	}
	if got := w.cases["K-20481-2"]; got.Status != refund.Returning || got.ReturnWaybill != "SF9876543210987" {
		t.Errorf("case is %s with waybill %s", got.Status, got.ReturnWaybill)
	}
}

func TestDeskAct_PaymentSentTwiceCreditsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refundingWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	form := url.Values{"event": {"seller_paid"}, "version": {"3"}, "amount": {"100.00"}, "seller_ref": {"R1"}}
	for range 3 {
		b.sent("/desk/cases/K-20481-2/events", form)
	}
	if got := w.cases["K-20481-2"].Credited.String(); got != "¥100.00" {
		t.Errorf("credited %s, want ¥100.00", got)
	}
	if page := b.get("/desk/cases/K-20481-2", http.StatusOK); !strings.Contains(page, `value="301.00"`) {
		t.Error("the amount still owed is not filled in")
	}
}

func TestDeskCase_ShowsExactlyWhatIsLegal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	chosenWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	page := b.get("/desk/cases/K-20481-2", http.StatusOK)
	for _, action := range w.cases["K-20481-2"].Next(clerk, w.now) {
		if got := strings.Contains(page, `data-action="`+string(action.Kind)+`"`); got != action.Allowed {
			t.Errorf("%s: on the page is %v, allowed is %v", action.Kind, got, action.Allowed)
		}
	}
}

func TestDeskLink_IsShownOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	page := b.body(b.do(http.MethodPost, "/desk/cases/K-20481-2/link", url.Values{}), http.StatusOK)
	if !strings.Contains(page, "http://centre.test/o/20481?t=new-secret-of-20481") {
		t.Errorf("no link on %s", page)
	}
	if len(w.linkedBy) != 1 || w.linkedBy[0] != "D01" {
		t.Errorf("the link was made by %q", w.linkedBy)
	}
}

// A link lets its holder decide for the customer: leads hand none out.
func TestDesk_LeadsMakeNoLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	b := w.reader(t)
	b.signIn("L01")
	if page := b.get("/desk/cases/K-20481-2", http.StatusOK); strings.Contains(page, "make-link") {
		t.Error("a lead is offered to make a link")
	}
	answer := b.do(http.MethodPost, "/desk/cases/K-20481-2/link", url.Values{})
	if page := b.body(answer, http.StatusSeeOther); strings.Contains(page, "new-secret") || len(w.linkedBy) > 0 {
		t.Errorf("a lead made a link: %q", w.linkedBy)
	}
}

// TestStreams_TellWhatChanged reads server-sent events over a real connection.
func TestStreams_TellWhatChanged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, address, page string }{
		{"order", "/o/20481/events", "/o/20481"},
		{"worklist", "/desk/events", "/desk"},
		{"case", "/desk/events?case=K-20481-2", "/desk/cases/K-20481-2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.flagged(t, "20481-2", false)
			b := w.reader(t)
			b.openLink("20481")
			b.signIn("D01")
			server := httptest.NewServer(b.handler)
			defer server.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+c.address, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, cookie := range b.jar {
				if strings.HasPrefix(r.URL.Path, cookie.Path) {
					r.AddCookie(cookie)
				}
			}
			answer, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Body.Close() }()
			lines := bufio.NewScanner(answer.Body)
			first := nextState(t, lines)
			if page := b.get(c.page, http.StatusOK); !strings.Contains(page, `data-state="`+first+`"`) {
				t.Error("the stream begins with another state than the page shows")
			}
			if _, err := w.Act(ctx, "K-20481-2", 0, refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: start}, ""); err != nil {
				t.Fatal(err)
			}
			second := nextState(t, lines)
			if second == first {
				t.Error("a change did not change the state")
			}
			if page := b.get(c.page+"?fragment=1", http.StatusOK); !strings.Contains(page, `data-state="`+second+`"`) {
				t.Error("the fragment does not show the state that was told")
			}
		})
	}
}

func nextState(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	for lines.Scan() {
		if state, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			return state
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
	return ""
}

func TestAssets_AreKeptForEverUnderTheirHash(t *testing.T) {
	t.Parallel()
	b := newWorld(t).reader(t)
	address := regexp.MustCompile(`/assets/flawmark\.[0-9a-f]{16}\.css`).FindString(b.get("/desk/sign-in", http.StatusOK))
	answer := b.do(http.MethodGet, address, nil)
	if h := answer.header; h.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(h.Get("Cache-Control"), "immutable") {
		t.Errorf("%s has headers %v", address, h)
	}
	b.get("/assets/flawmark.css", http.StatusNotFound)
}

func TestWords_EveryOneIsUsedAndEveryUseIsWorded(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(data)
		}
	}
	text := source.String()
	for _, language := range assets.Languages() {
		words, err := assets.LoadWords(language)
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range regexp.MustCompile(`"([a-z]+(\.[a-z_]+)+)"`).FindAllStringSubmatch(text, -1) {
			key := use[1]
			area, _, _ := strings.Cut(key, ".")
			if regexp.MustCompile(`\.(html|css|js|svg|jpg)$`).MatchString(key) || area == "frame" {
				continue
			}
			if !words.Has(key) {
				t.Errorf("%s has no %s", language, key)
			}
		}
		for _, consent := range []string{"forfeit", "exchange", "zero", "negative"} { // as [refund.Case.Consent] names them
			if !words.Has("web.consent." + consent) {
				t.Errorf("%s does not ask for consent to %s", language, consent)
			}
		}
		for _, key := range words.Keys() {
			base := strings.TrimSuffix(key, ".one")
			made := regexp.MustCompile(`^web\.(confirm|who|statement|turn|due|proof|have|example|letters\.sent_to|sellers|reports|refunds\.why|silence|until|sheet\.why|policy\.when|scale|told\.by|consent)\.`).MatchString(key)
			if strings.HasPrefix(key, "web.") && !made && !strings.Contains(text, `"`+base+`"`) {
				t.Errorf("%s has %s, which nothing says", language, key)
			}
		}
	}
}

func TestDeskCase_ProposesOneStepAtMost(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		who   qc.StaffID
		world func(*testing.T, *world)
		want  string // id of the only primary button; empty: none
	}{
		"negotiating":     {"D01", chosenWorld, "agree-return"},
		"seller refunds":  {"D01", refundingWorld, "seller-paid"},
		"seller refused":  {"D01", refusedWorld, "resubmit"},
		"waits for lead":  {"L01", func(t *testing.T, w *world) { t.Helper(); w.flagged(t, "20481-2", true) }, "confirm"},
		"customer's turn": {"D01", flaggedWorld, ""},
		"ended":           {"D01", creditedWorld, ""},
	}
	for name, test := range tests {
		w := newWorld(t)
		test.world(t, w)
		b := w.reader(t)
		b.signIn(test.who)
		page := b.get("/desk/cases/K-20481-2", http.StatusOK)
		want := 0
		if test.want != "" {
			want = 1
		}
		if got := strings.Count(page, `<button class="primary"`); got != want {
			t.Errorf("%s: %d primary buttons, want %d", name, got, want)
		}
		if want == 1 && !strings.Contains(page, `<button class="primary" id="`+test.want+`"`) {
			t.Errorf("%s: %s is not the proposed step", name, test.want)
		}
	}
}

// TestDeskEvidence downloads what the seller is sent, and finds in it pictures
// and a text that the marketplace's form takes.
func TestDeskEvidence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	chosenWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	page := b.get("/desk/cases/K-20481-2", http.StatusOK)
	if !strings.Contains(page, `id="claim-text"`) || !strings.Contains(page, "/desk/cases/K-20481-2/evidence.zip") {
		t.Error("the case does not say what the seller is sent")
	}
	data := b.get("/desk/cases/K-20481-2/evidence.zip", http.StatusOK)
	archive, err := zip.NewReader(strings.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	pictures, texts := 0, 0
	for _, file := range archive.File {
		switch {
		case strings.HasSuffix(file.Name, ".jpg") && file.UncompressedSize64 < 1e6:
			pictures++
		case strings.HasSuffix(file.Name, ".txt"):
			texts++
		default:
			t.Errorf("%s has %d bytes", file.Name, file.UncompressedSize64)
		}
	}
	if pictures < 1 || pictures > 5 || texts != 2 {
		t.Errorf("%d pictures, %d texts", pictures, texts)
	}
	stranger := w.reader(t)
	if got := stranger.do(http.MethodGet, "/desk/cases/K-20481-2/evidence.zip", nil); got.status == http.StatusOK {
		t.Error("somebody who is not signed in gets the pack")
	}
}
