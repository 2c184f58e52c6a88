package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/settings"
	"flawmark/storage/central"
	"flawmark/sync/notify"
	"flawmark/sync/notify/mailtest"
)

// write lets the house's customer be written to through a server of the test.
func (h *house) write(language string) *mailtest.Server {
	h.t.Helper()
	server := mailtest.Start(h.t)
	h.c.settings.SMTP = settings.SMTP{Host: server.Host, Port: server.Port, From: "Flawmark <qc@example.com>", TLS: "none"}
	h.c.settings.Public = "http://centre.test"
	view, err := h.c.store.OrderByToken(h.t.Context(), "1", h.token, h.now)
	h.must(err)
	view.Order.Customer.Email, view.Order.Customer.Language = "ana@example.com", language
	_, err = h.c.store.ImportOrders(h.t.Context(), []qc.Order{view.Order}, h.now)
	h.must(err)
	return server
}

func (h *house) sender() *notify.Sender {
	h.t.Helper()
	sender, stop, err := h.c.sender(h.t.Context())
	h.must(err)
	h.t.Cleanup(stop)
	return sender
}

var linkInText = regexp.MustCompile(`http://centre\.test(/o/\S+)`)

// TestNotify_MailOpensTheOrder follows a flaw to the customer's mail and the
// mail's link to the page that the centre serves.
func TestNotify_MailOpensTheOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server := h.write("zh")
	var log bytes.Buffer
	h.c.log = slog.New(slog.NewTextHandler(&log, nil))
	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	if n, err := h.sender().Drain(t.Context(), refund.ByMail); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	mails := server.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails: %s", len(mails), log.String())
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(mails[0].Message(t).Header.Get("Subject"))
	if err != nil || subject != "请在 11月25日 08:00 前选择：“鞋”有瑕疵" {
		t.Errorf("subject %q, %v", subject, err)
	}
	text, _ := mailtest.Bodies(t, mails[0])
	link := linkInText.FindStringSubmatch(text)
	if link == nil {
		t.Fatalf("no link in %s", text)
	}
	opener := httptest.NewRecorder()
	h.pages.ServeHTTP(opener, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://centre.test"+link[1], nil))
	if opener.Code/100 != 3 {
		t.Fatalf("the link is answered with %d", opener.Code)
	}
	page := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://centre.test"+opener.Result().Header.Get("Location"), nil)
	for _, cookie := range opener.Result().Cookies() {
		page.AddCookie(cookie)
	}
	answer := httptest.NewRecorder()
	h.pages.ServeHTTP(answer, page)
	if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "鞋") {
		t.Errorf("the page is answered with %d", answer.Code)
	}
	_, token, _ := strings.Cut(link[1], "?t=")
	if len(token) < 40 || token == h.token || strings.Contains(log.String(), token) {
		t.Errorf("token %q, log %s", token, log.String())
	}
	notices, err := h.c.store.Notices(t.Context(), central.NoticeFilter{State: refund.NoticeSent})
	h.must(err)
	if len(notices) != 1 {
		t.Errorf("%d are noted as sent, want 1", len(notices))
	}
}

// TestNotify_ThroughAnotherMakersServer sends by TLS to a server that is no code
// of ours; the link in what it took opens the page.
func TestNotify_ThroughAnotherMakersServer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.write("en")
	server := mailtest.StartSecure(t, false)
	mailer, err := notify.NewMailer(notify.Server{
		Host: server.Host, Port: server.Port, User: server.User, Password: server.Password, From: "Flawmark <qc@example.com>",
		TLS: notify.TLSRequired, Roots: server.Roots,
	}, h.c.now)
	h.must(err)
	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	sender := h.sender()
	sender.Mail = mailer
	if n, err := sender.Drain(t.Context(), refund.ByMail); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	text, html := mailtest.Bodies(t, server.Mails()[0])
	link := linkInText.FindStringSubmatch(text)
	if link == nil || !strings.Contains(html, link[0]) {
		t.Fatalf("no link in %s", text)
	}
	_, h.token, _ = strings.Cut(link[1], "?t=")
	if page := h.page("/o/1"); !strings.Contains(page, "Shoes") {
		t.Error("the link opens another page")
	}
}

// dying is an outbox of a centre that dies before it notes what it has sent.
type dying struct{ *central.Store }

var errDied = errors.New("died")

func (dying) SettleNotices(context.Context, []refund.Notice, time.Time, refund.Outcome, time.Time) error {
	return errDied
}

func TestNotify_ACrashSendsAgainUnderTheSameName(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server := h.write("en")
	var ids []string
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ids = append(ids, r.Header.Get("webhook-id"))
	}))
	defer shop.Close()
	_, err := h.c.store.AddWebhook(t.Context(), refund.Webhook{URL: shop.URL, Local: true}, h.now)
	h.must(err)
	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	for _, medium := range []refund.Medium{refund.ByMail, refund.ByHook} {
		first := h.sender()
		first.Outbox = dying{h.c.store}
		if _, err := first.Drain(t.Context(), medium); !errors.Is(err, errDied) {
			t.Fatal(err)
		}
	}
	second := h.sender()
	drain := func(want int) {
		t.Helper()
		for _, medium := range []refund.Medium{refund.ByMail, refund.ByHook} {
			if n, err := second.Drain(t.Context(), medium); n != want || err != nil {
				t.Fatalf("%s: %d, %v, want %d", medium, n, err, want)
			}
		}
	}
	drain(0) // the first may still be at it
	h.now = h.now.Add(5 * time.Minute)
	drain(1)
	h.now = h.now.Add(time.Hour)
	drain(0)
	mails := server.Mails()
	if len(mails) != 2 || mails[0].Message(t).Header.Get("Message-Id") != mails[1].Message(t).Header.Get("Message-Id") {
		t.Errorf("%d mails, or under two names", len(mails))
	}
	if len(ids) != 2 || ids[0] != ids[1] || ids[0] == "" {
		t.Errorf("called as %q", ids)
	}
}

// TestNotify_RunTellsAtOnceAndEnds waits for the mail that a step of a case
// brings while the service runs.
func TestNotify_RunTellsAtOnceAndEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server := h.write("en")
	taken := make(chan struct{}, 1)
	server.Refuse = func(line string) string {
		if line == "QUIT" {
			taken <- struct{}{}
		}
		return ""
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	sender, stop, err := h.c.sender(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	go func() { ended <- sender.Run(ctx) }()
	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	<-taken
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := len(server.Mails()); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}
}

// TestNotify_Commands types what an administrator types.
func TestNotify_Commands(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server := h.write("en")
	server.Refuse = func(line string) string {
		if strings.HasPrefix(line, "RCPT") {
			return "550 unknown"
		}
		return ""
	}
	type run func(context.Context, *command.Call, *centre) error
	do := func(what run, flags map[string]string, args ...string) (string, error) {
		t.Helper()
		call, out, _ := asked(t, "en", args)
		for _, declare := range []func(*flag.FlagSet){noticesFlags, webhookFlags, replayFlags} {
			declare(call.Set)
		}
		for name, value := range flags {
			h.must(call.Set.Set(name, value))
		}
		err := what(t.Context(), call, h.c)
		return out.String(), err
	}
	key := func(err error) string {
		if problem, ok := errors.AsType[*command.Problem](err); ok {
			return problem.Key
		}
		return ""
	}
	var calls int
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
	defer shop.Close()
	if _, err := do(addWebhook, nil, shop.URL); key(err) != "notice.problem.hook_address" {
		t.Errorf("added a local address: %v", err)
	}
	said, err := do(addWebhook, map[string]string{"allow-local": "true"}, shop.URL)
	h.must(err)
	if !strings.Contains(said, "whsec_") {
		t.Errorf("said %q", said)
	}
	hooks, err := h.c.store.Webhooks(t.Context())
	h.must(err)
	if _, err := do(testWebhook, nil, hooks[0].ID); err != nil || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	sender := h.sender()
	for _, medium := range []refund.Medium{refund.ByMail, refund.ByHook} {
		_, err := sender.Drain(t.Context(), medium)
		h.must(err)
	}
	said, err = do(listNotices, map[string]string{"state": "failed"})
	if err != nil || !strings.Contains(said, "550 The mail server refuses the customer’s address.") {
		t.Errorf("listed %q, %v", said, err)
	}
	if said, err = do(retryNotices, nil); err != nil || said != "One notice goes out once more.\n" {
		t.Errorf("retried %q, %v", said, err)
	}
	if said, err = do(replayWebhook, map[string]string{"since": "1h"}, hooks[0].ID); err != nil || said != "One notice goes out once more.\n" {
		t.Errorf("replayed %q, %v", said, err)
	}
	if _, err := sender.Drain(t.Context(), refund.ByHook); err != nil || calls != 3 {
		t.Errorf("%d calls, %v", calls, err)
	}
	if _, err := do(removeWebhook, nil, hooks[0].ID); err != nil {
		t.Error(err)
	}
	if _, err := do(removeWebhook, nil, hooks[0].ID); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := do(listNotices, map[string]string{"state": "lost"}); key(err) != "cli.setting_invalid" {
		t.Errorf("listed a state that is none: %v", err)
	}
}
