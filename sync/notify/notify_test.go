package notify_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets" //nolint:depguard // the test sends the real words
	"flawmark/sync/notify"
	"flawmark/sync/notify/mailtest"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// box is an outbox of one consignment.
type box struct {
	held     refund.Consignment
	taken    bool
	outcomes []refund.Outcome
	disabled []string
	dropped  []string
}

func (b *box) DropSubscription(_ context.Context, id string, _ time.Time) error {
	b.dropped = append(b.dropped, id)
	return nil
}

func (b *box) ClaimNotices(context.Context, refund.Medium, time.Duration, time.Time) (refund.Consignment, error) {
	if b.taken {
		return refund.Consignment{}, qc.ErrNotFound
	}
	b.taken = true
	for i := range b.held.Notices {
		b.held.Notices[i].Attempts++
	}
	return b.held, nil
}

func (b *box) SettleNotices(_ context.Context, _ []refund.Notice, _ time.Time, o refund.Outcome, _ time.Time) error {
	b.outcomes = append(b.outcomes, o)
	return nil
}

func (b *box) DisableWebhook(_ context.Context, id string, _ time.Time) error {
	b.disabled = append(b.disabled, id)
	return nil
}

func notice(kind refund.NoticeKind) refund.Notice {
	return refund.Notice{ID: "n1", Kind: kind, CreatedAt: noon, DueAt: noon, Snapshot: refund.Snapshot{
		Case: "c1", Order: "20481", Item: "20481-2", Status: refund.AwaitingDecision, Sequence: 2, DecideBy: noon.Add(72 * time.Hour),
	}}
}

// rig is a sender whose customer is the given one.
func rig(t *testing.T, b *box, server notify.Server, customer qc.Customer, log io.Writer) *notify.Sender {
	t.Helper()
	clock := func() time.Time { return noon }
	mailer, err := notify.NewMailer(server, clock)
	if err != nil {
		t.Fatal(err)
	}
	return notify.New(notify.Config{
		Outbox: b, Mail: mailer, Hooks: notify.NewPoster(clock), Now: clock, KeepTrying: 48 * time.Hour,
		Log: slog.New(slog.NewTextHandler(log, nil)),
		Subject: func(context.Context, refund.Snapshot) (notify.Subject, error) {
			return notify.Subject{
				Case: refund.Case{Order: "20481", Status: refund.AwaitingDecision, DecideBy: noon.Add(72 * time.Hour)},
				Item: qc.Item{ID: "20481-2", Title: qc.Bilingual{EN: "White <b>shoes</b>\r\nBcc: x@example.com", ZH: "白色高帮鞋"}}, Customer: customer,
			}, nil
		},
		Link: func(_ context.Context, order qc.OrderID) (string, error) {
			return "https://qc.example.com/o/" + string(order) + "?t=s3cret", nil
		},
		Stop: func(_ context.Context, customer qc.CustomerID) (string, error) {
			return "https://qc.example.com/mails?t=st0p-" + string(customer), nil
		},
		Words: func(language string) notify.Words {
			words, err := assets.LoadWords(language)
			if err != nil {
				t.Error(err)
			}
			return words
		},
	})
}

func to(s *mailtest.Server) notify.Server {
	return notify.Server{Host: s.Host, Port: s.Port, From: "Flawmark 验货 <qc@example.com>", TLS: notify.TLSNever}
}

func TestSender_MailsInTheCustomersLanguage(t *testing.T) {
	t.Parallel()
	for language, want := range map[string][]string{
		"en": {"Please choose by 26 Nov, 13:00: we found a flaw in White", "Thu 26 Nov 2026, 13:00 (UTC+1)", "If you do nothing by"},
		"zh": {"请在 11月26日 13:00 前选择：“白色高帮鞋”有瑕疵", "2026年11月26日 13:00（UTC+1）", "前未作选择"},
	} {
		server := mailtest.Start(t)
		b := &box{held: refund.Consignment{ID: "batch-1", Notices: []refund.Notice{notice(refund.TellProblem)}}}
		var log strings.Builder
		customer := qc.Customer{Name: "Ana", Language: language, Email: "ana@example.com", TimeZone: "Europe/Madrid"}
		s := rig(t, b, to(server), customer, &log)
		if n, err := s.Drain(t.Context(), refund.ByMail); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		mails := server.Mails()
		if len(mails) != 1 || b.outcomes[0].State != refund.NoticeSent {
			t.Fatalf("%d mails, %+v, %s", len(mails), b.outcomes, log.String())
		}
		message := mails[0].Message(t)
		if subject := message.Header.Get("Subject"); strings.ContainsFunc(subject, func(r rune) bool { return r > 126 }) {
			t.Errorf("subject travels as %q", subject)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
		if err != nil || !strings.Contains(subject, want[0]) {
			t.Errorf("subject %q, %v", subject, err)
		}
		if message.Header.Get("Bcc") != "" || strings.Count(mails[0].To, "@") != 1 {
			t.Errorf("the item's title has chosen receivers: %q", mails[0].To)
		}
		if got := message.Header.Get("Message-Id"); got != "<batch-1@example.com>" {
			t.Errorf("message-id %q", got)
		}
		text, html := mailtest.Bodies(t, mails[0])
		for _, body := range []string{text, html} {
			body = strings.ReplaceAll(body, "&#43;", "+")
			for _, part := range append(want[1:], "https://qc.example.com/o/20481?t=s3cret") {
				if !strings.Contains(body, part) {
					t.Errorf("%s: lacks %q:\n%s", language, part, body)
				}
			}
		}
		if strings.Contains(html, "<b>shoes") {
			t.Errorf("a title is markup: %s", html)
		}
		if strings.Contains(log.String(), "s3cret") || strings.Contains(log.String(), "ana@") {
			t.Errorf("log: %s", log.String())
		}
	}
}

func TestSender_MailTroubles(t *testing.T) {
	t.Parallel()
	refusing := func(verb, answer string) func(string) string {
		return func(line string) string {
			if strings.HasPrefix(line, verb) {
				return answer
			}
			return ""
		}
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().(*net.TCPAddr).Port
	_ = closed.Close()
	for name, tt := range map[string]struct {
		refuse  func(string) string
		change  func(*notify.Server)
		email   string
		problem string
		state   refund.NoticeState
	}{
		"unreachable":      {change: func(s *notify.Server) { s.Port = nobody }, problem: "unreachable", state: refund.NoticeWaiting},
		"no TLS":           {change: func(s *notify.Server) { s.TLS = notify.TLSRequired }, problem: "tls", state: refund.NoticeWaiting},
		"not TLS at all":   {change: func(s *notify.Server) { s.TLS = notify.TLSDirect }, problem: "tls", state: refund.NoticeWaiting},
		"password":         {refuse: refusing("AUTH", "535 no"), change: func(s *notify.Server) { s.User, s.Password = "u", "pa55" }, problem: "sign_in", state: refund.NoticeWaiting},
		"no such customer": {refuse: refusing("RCPT", "550 no such user ana@example.com"), problem: "recipient", state: refund.NoticeFailed},
		"customer is full": {refuse: refusing("RCPT", "452 later"), problem: "recipient", state: refund.NoticeWaiting},
		"sender":           {refuse: refusing("MAIL", "553 who are you"), problem: "sender", state: refund.NoticeWaiting},
		"header in it":     {email: "ana@example.com\r\nBcc: x@example.com", problem: "address", state: refund.NoticeFailed},
		"two receivers":    {email: "a@example.com, b@example.com", problem: "address", state: refund.NoticeFailed},
		"name in it":       {email: "Ana <ana@example.com>", problem: "address", state: refund.NoticeFailed},
		"no address":       {email: "ana", problem: "address", state: refund.NoticeFailed},
	} {
		server := mailtest.Start(t)
		server.Refuse = tt.refuse
		settings := to(server)
		if tt.change != nil {
			tt.change(&settings)
		}
		if tt.email == "" {
			tt.email = "ana@example.com"
		}
		b := &box{held: refund.Consignment{ID: "b", Notices: []refund.Notice{notice(refund.TellProblem)}}}
		var log strings.Builder
		s := rig(t, b, settings, qc.Customer{Language: "en", Email: tt.email}, &log)
		if _, err := s.Drain(t.Context(), refund.ByMail); err != nil {
			t.Fatal(err)
		}
		o := b.outcomes[0]
		if o.Problem != "notice.problem."+tt.problem || o.State != tt.state || len(server.Mails()) != 0 {
			t.Errorf("%s: %+v, %d mails", name, o, len(server.Mails()))
		}
		if tt.state == refund.NoticeWaiting && !o.Again.After(noon) {
			t.Errorf("%s: tried again at once", name)
		}
		for _, word := range []string{"s3cret", "ana@", "pa55"} {
			if strings.Contains(log.String(), word) {
				t.Errorf("%s: log: %s", name, log.String())
			}
		}
		if words, err := assets.LoadWords("en"); err != nil || !words.Has(o.Problem) {
			t.Errorf("%s: no words for %s", name, o.Problem)
		}
	}
}

// TestMailer_EndsWithItsOwner talks to a server that never says a word.
func TestMailer_EndsWithItsOwner(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		line, err := silent.Accept()
		cancel() // the service stops while it waits
		if err == nil {
			_, _ = io.Copy(io.Discard, line) // until the other side breaks it
			_ = line.Close()
		}
	}()
	port := silent.Addr().(*net.TCPAddr).Port
	mailer, err := notify.NewMailer(notify.Server{Host: "127.0.0.1", Port: port, From: "a@example.com", TLS: notify.TLSNever}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := mailer.Send(ctx, "n1", "ana@example.com", notify.Letter{}); err == nil {
		t.Error("sent to a server that never answered")
	}
}

func TestSender_OldNewsIsNotSent(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	old := notice(refund.TellCredited)
	old.CreatedAt = noon.Add(-30 * 24 * time.Hour)
	b := &box{held: refund.Consignment{ID: "b", Notices: []refund.Notice{old}}}
	s := rig(t, b, to(server), qc.Customer{Language: "en", Email: "ana@example.com"}, io.Discard)
	if _, err := s.Drain(t.Context(), refund.ByMail); err != nil {
		t.Fatal(err)
	}
	if len(server.Mails()) != 0 || b.outcomes[0].State != refund.NoticeMoot {
		t.Errorf("%d mails, %+v", len(server.Mails()), b.outcomes)
	}
}

func TestSender_OvertakenNoticesAreNotSent(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	old := notice(refund.TellReminder)
	old.Snapshot.DecideBy = noon.Add(time.Hour) // of an earlier question
	b := &box{held: refund.Consignment{ID: "b", Notices: []refund.Notice{old}}}
	s := rig(t, b, to(server), qc.Customer{Language: "en", Email: "ana@example.com"}, io.Discard)
	if _, err := s.Drain(t.Context(), refund.ByMail); err != nil {
		t.Fatal(err)
	}
	if len(server.Mails()) != 0 || b.outcomes[0].State != refund.NoticeMoot {
		t.Errorf("%d mails, %+v", len(server.Mails()), b.outcomes)
	}
}

func TestSender_ManyCasesAreOneMail(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	b := &box{held: refund.Consignment{ID: "b"}}
	for i, kind := range []refund.NoticeKind{refund.TellProblem, refund.TellCredited, refund.TellSentBack} {
		n := notice(kind)
		n.ID, n.Snapshot.Case = fmt.Sprint("n", i), qc.CaseID(fmt.Sprint("c", i))
		b.held.Notices = append(b.held.Notices, n)
	}
	s := rig(t, b, to(server), qc.Customer{Language: "en", Email: "ana@example.com"}, io.Discard)
	if _, err := s.Drain(t.Context(), refund.ByMail); err != nil {
		t.Fatal(err)
	}
	mails := server.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails, want 1", len(mails))
	}
	if subject := mails[0].Message(t).Header.Get("Subject"); subject != "Please choose by 26 Nov, 12:00: 3 notices about order 20481" {
		t.Errorf("subject %q", subject)
	}
	if text, _ := mailtest.Bodies(t, mails[0]); strings.Count(text, "?t=s3cret") != 1 {
		t.Errorf("not one link to the order:\n%s", text)
	}
}

func TestSender_EveryKindHasWords(t *testing.T) {
	t.Parallel()
	for _, language := range assets.Languages() {
		words, err := assets.LoadWords(language)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range refund.NoticeKinds() {
			for _, part := range []string{"subject", "what", "then", "kind"} {
				if key := "notice." + part + "." + string(kind); !words.Has(key) {
					t.Errorf("%s has no %s", language, key)
				}
			}
		}
	}
}

// verified checks a call as a shop does that knows Standard Webhooks only.
func verified(t *testing.T, r *http.Request, body []byte) bool {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(secret[len("whsec_"):])
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "."))
	mac.Write(body)
	return r.Header.Get("webhook-signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// TestSign_KnownAnswer is the example of the Standard Webhooks specification's
// reference libraries.
func TestSign_KnownAnswer(t *testing.T) {
	t.Parallel()
	got, err := notify.Sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, []byte(`{"test": 2432232314}`))
	if err != nil || got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSender_Webhooks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer   int
		attempts int
		state    refund.NoticeState
		wait     time.Duration
		problem  string
	}{
		"taken":       {answer: 204, state: refund.NoticeSent},
		"failing":     {answer: 500, state: refund.NoticeWaiting, wait: 5 * time.Second, problem: "hook_status"},
		"second time": {answer: 500, attempts: 1, state: refund.NoticeWaiting, wait: 5 * time.Minute, problem: "hook_status"},
		"last time":   {answer: 500, attempts: 7, state: refund.NoticeFailed, problem: "hook_status"},
		"redirecting": {answer: 302, state: refund.NoticeWaiting, wait: 5 * time.Second, problem: "hook_redirect"},
		"gone":        {answer: 410, state: refund.NoticeFailed, problem: "hook_gone"},
	} {
		var calls int
		shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls++
			body, err := io.ReadAll(r.Body)
			var event notify.Event
			if err = errors.Join(err, json.Unmarshal(body, &event)); err != nil || !verified(t, r, body) {
				t.Errorf("%s: not signed right: %v %v", name, r.Header, err)
			}
			if event.Type != "case.changed" || event.Data.Sequence != 2 || r.Header.Get("webhook-id") != "n1" {
				t.Errorf("%s: %+v", name, event)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(tt.answer)
		}))
		n := notice(refund.TellChanged)
		n.Attempts = tt.attempts
		b := &box{held: refund.Consignment{ID: "n1", Notices: []refund.Notice{n}, Hook: refund.Webhook{ID: "h1", URL: shop.URL, Secret: secret, Local: true}}}
		s := rig(t, b, notify.Server{Host: "127.0.0.1", Port: 1, From: "a@example.com"}, qc.Customer{}, io.Discard)
		if _, err := s.Drain(t.Context(), refund.ByHook); err != nil {
			t.Fatal(err)
		}
		shop.Close()
		o := b.outcomes[0]
		if calls != 1 || o.State != tt.state || strings.TrimPrefix(o.Problem, "notice.problem.") != tt.problem ||
			tt.wait > 0 && o.Again.Sub(noon) != tt.wait || (len(b.disabled) == 1) != (tt.answer == 410) {
			t.Errorf("%s: %d calls, %+v, disabled %q", name, calls, o, b.disabled)
		}
	}
}

// TestPoster_NeverCallsInside calls a server that is there, under an address
// that looks harmless until it is resolved.
func TestPoster_NeverCallsInside(t *testing.T) {
	t.Parallel()
	shop := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("was called") }))
	defer shop.Close()
	_, port, err := net.SplitHostPort(shop.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		hook := refund.Webhook{URL: fmt.Sprintf("https://%s:%s/", host, port), Secret: secret}
		err := notify.NewPoster(time.Now).Post(t.Context(), hook, "n1", notify.Event{})
		trouble, ok := errors.AsType[notify.Trouble](err)
		if !ok || trouble.Key != "notice.problem.hook_inside" {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true, "172.32.0.1": true, "100.128.0.1": true,
		"127.0.0.1": false, "127.8.8.8": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "0.1.2.3": false,
		"224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false, "192.0.2.1": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "ff02::1": false,
		"::ffff:10.0.0.1": false, "::ffff:100.64.0.1": false, "fec0::1%eth0": false, "::ffff:169.254.169.254": false, "::7f00:1": false, "64:ff9b::7f00:1": false,
		"64:ff9b::a9fe:a9fe": false, "2002:7f00:1::": false, "2001:0:1::": false, "fec0::1": false, "2001:db8::1": false,
	} {
		if got := notify.Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public %t", text, got)
		}
	}
}

func TestCheckHookURL(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string][2]bool{ // from outside, from inside
		"https://shop.example.com/x":   {true, true},
		"http://shop.example.com/x":    {false, true},
		"https://10.0.0.1/":            {false, true},
		"https://[::1]/":               {false, true},
		"https://u:p@shop.example.com": {false, false},
		"ftp://shop.example.com":       {false, false},
		"file:///etc/passwd":           {false, false},
		"https://":                     {false, false},
		"shop.example.com":             {false, false},
		"https://a\r\nHost: b":         {false, false},
	} {
		for i, local := range []bool{false, true} {
			if err := notify.CheckHookURL(text, local); (err == nil) != ok[i] {
				t.Errorf("%q, local %t: %v", text, local, err)
			}
		}
	}
}
