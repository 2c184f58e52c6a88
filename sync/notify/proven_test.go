package notify_test

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets" //nolint:depguard // the test reads the real words
	"flawmark/sync/notify"
	"flawmark/sync/notify/mailtest"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// A server that is no code of ours takes the mail, over TLS, from who has the
// password; and nothing is said on a line whose other end is not the server.
func TestMail_IntoAnotherMakersServer(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{false, true} {
		for name, tt := range map[string]struct {
			change  func(*notify.Server)
			problem string
		}{
			"as it should be":          {func(*notify.Server) {}, ""},
			"a wrong password":         {func(s *notify.Server) { s.Password = "guess" }, "notice.problem.sign_in"},
			"a certificate of anybody": {func(s *notify.Server) { s.Roots = x509.NewCertPool() }, "notice.problem.tls"},
		} {
			o := mailtest.StartSecure(t, direct)
			server := notify.Server{
				Host: o.Host, Port: o.Port, User: o.User, Password: o.Password, From: "Flawmark <qc@example.com>",
				TLS: map[bool]string{true: notify.TLSDirect, false: notify.TLSRequired}[direct], Roots: o.Roots,
			}
			tt.change(&server)
			b := &box{held: refund.Consignment{ID: "batch-1", Notices: []refund.Notice{notice(refund.TellProblem)}}}
			customer := qc.Customer{Name: "Ana", Language: "zh", Email: "ana@example.com", TimeZone: "Europe/Madrid"}
			s := rig(t, b, server, customer, io.Discard)
			if _, err := s.Drain(t.Context(), refund.ByMail); err != nil {
				t.Fatal(err)
			}
			mails := o.Mails()
			if got := b.outcomes[0].Problem; got != tt.problem || len(mails) > 0 != (tt.problem == "") {
				t.Errorf("direct %t, %s: problem %q, %d mails", direct, name, got, len(mails))
			}
			for _, one := range mails {
				h := one.Message(t).Header
				if one.To != "ana@example.com" || h.Get("Message-Id") != "<batch-1@example.com>" || h.Get("Auto-Submitted") != "auto-generated" {
					t.Errorf("to %q, headers %v", one.To, h)
				}
			}
		}
	}
}

// The library of those who wrote Standard Webhooks down takes our signature, and
// takes neither another body, nor another name, nor an old call played again.
func TestWebhook_TakenByTheOfficialLibrary(t *testing.T) {
	t.Parallel()
	checker, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	var headers http.Header
	var body []byte
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		headers = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	defer shop.Close()
	hook := refund.Webhook{ID: "h1", URL: shop.URL, Secret: secret, Local: true}
	post := func(at time.Time) {
		t.Helper()
		event := notify.Event{Type: "case.changed", At: noon, Data: refund.Snapshot{Case: "K-1", Sequence: 7}}
		if err := notify.NewPoster(func() time.Time { return at }).Post(t.Context(), hook, "n1", event); err != nil {
			t.Fatal(err)
		}
	}
	post(time.Now())
	if err := checker.Verify(body, headers); err != nil {
		t.Errorf("not taken: %v", err)
	}
	var said struct {
		Type string
		Data struct{ Sequence int }
	}
	if err := json.Unmarshal(body, &said); err != nil || said.Type != "case.changed" || said.Data.Sequence != 7 {
		t.Errorf("said %+v, %v", said, err)
	}
	if err := checker.Verify(append([]byte(" "), body...), headers); err == nil {
		t.Error("another body is taken")
	}
	headers.Set("Webhook-Id", "n2")
	if err := checker.Verify(body, headers); err == nil {
		t.Error("another name is taken")
	}
	post(time.Now().Add(-10 * time.Minute))
	if err := checker.Verify(body, headers); err == nil {
		t.Error("an old call is taken")
	}
}

// Whatever waits for the customer says until when, and what happens then.
func TestNotices_SayWhatHappensIfNothingIsDone(t *testing.T) {
	t.Parallel()
	for _, language := range assets.Languages() {
		words, err := assets.LoadWords(language)
		if err != nil {
			t.Fatal(err)
		}
		asking := 0
		for _, kind := range refund.NoticeKinds() {
			if !kind.Asks() {
				continue
			}
			asking++
			said := words.Text("notice.then."+string(kind), "by", "NOON")
			if !strings.Contains(said, "NOON") || !strings.Contains(said, "If you do nothing by") && !strings.Contains(said, "前未") {
				t.Errorf("%s, %s: %q", language, kind, said)
			}
		}
		if asking < 5 {
			t.Errorf("only %d kinds ask", asking)
		}
	}
}
