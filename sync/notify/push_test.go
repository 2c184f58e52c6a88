package notify_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/notify"
	"flawmark/sync/notify/mailtest"
	"flawmark/sync/notify/pushtest"

	"github.com/go-jose/go-jose/v4"
)

func pushSecret() []byte { return bytes.Repeat([]byte{7}, 32) }

// vouched checks who says to have sent a push: a token under the key that the
// browser subscribed with (RFC 8292), read by another library than signs.
func vouched(t *testing.T, header, audience string) {
	t.Helper()
	want, err := notify.PushKey(pushSecret())
	if err != nil {
		t.Fatal(err)
	}
	scheme, rest, _ := strings.Cut(header, " ")
	token, key, _ := strings.Cut(strings.TrimPrefix(rest, "t="), ", k=")
	if scheme != "vapid" || key != want {
		t.Fatalf("signed by %q, want %q", key, want)
	}
	point, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		t.Fatalf("key %q: %v", key, err)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := signed.Verify(public)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	left := time.Until(time.Unix(claims.Exp, 0))
	if claims.Aud != audience || claims.Sub != "mailto:qc@example.com" || left <= 0 || left > 24*time.Hour {
		t.Errorf("claims %+v", claims)
	}
}

// browsing is a rig whose customer has a browser of m's, and what is logged.
func browsing(t *testing.T, m *pushtest.Maker, language string, notices ...refund.Notice) (*notify.Sender, *box, *strings.Builder) {
	t.Helper()
	pusher, err := notify.NewPusher(pushSecret(), "qc@example.com", true)
	if err != nil {
		t.Fatal(err)
	}
	b := &box{held: refund.Consignment{ID: "batch-1", Notices: notices, Push: refund.Subscription{
		ID: "s1", Order: "20481", Endpoint: m.URL + "/send/abc", P256dh: m.Browser.P256dh(), Auth: m.Browser.Auth(),
	}}}
	var log strings.Builder
	customer := qc.Customer{Name: "Ana", Language: language, TimeZone: "Europe/Madrid"}
	s := rig(t, b, to(mailtest.Start(t)), customer, &log)
	s.Push = pusher
	s.Page = func(order qc.OrderID) string { return "https://qc.example.com/o/" + string(order) }
	return s, b, &log
}

func TestPush_ReachesTheBrowser(t *testing.T) {
	t.Parallel()
	for language, want := range map[string]string{"en": "If you do nothing by Thu 26 Nov 2026, 13:00 (UTC+1)", "zh": "前未作选择"} {
		reaches(t, language, want)
	}
}

func reaches(t *testing.T, language, want string) {
	t.Helper()
	m := pushtest.Start(t)
	s, b, _ := browsing(t, m, language, notice(refund.TellProblem))
	if n, err := s.Drain(t.Context(), refund.ByPush); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	got := m.Taken()
	if len(got) != 1 || got[0].Path != "/send/abc" || b.outcomes[0].State != refund.NoticeSent {
		t.Fatalf("taken %+v, outcomes %+v", got, b.outcomes)
	}
	vouched(t, got[0].Header.Get("Authorization"), m.URL)
	h := got[0].Header
	if h.Get("Content-Encoding") != "aes128gcm" || h.Get("Urgency") != "high" || h.Get("Ttl") != "259200" || len(h.Get("Topic")) != 32 {
		t.Errorf("headers %v", h)
	}
	var said struct{ Title, Body, URL, Tag, Lang string }
	if err := json.Unmarshal([]byte(got[0].Text), &said); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(said.URL)
	if err != nil || at.RawQuery != "" || !strings.HasSuffix(at.Path, "/o/20481") || said.Title == "" || said.Tag != h.Get("Topic") {
		t.Errorf("said %+v, %v", said, err)
	}
	if strings.Contains(got[0].Text, "s3cret") || strings.Contains(got[0].Text, "?t=") {
		t.Errorf("the message holds a secret: %s", got[0].Text)
	}
	if !strings.Contains(said.Body, want) || said.Lang != language {
		t.Errorf("%s: the message says %+v", language, said)
	}
}

// However long the words are, and however many cases there are, it is one
// message that every maker takes.
func TestPush_ManyCasesAreOneShortMessage(t *testing.T) {
	t.Parallel()
	m := pushtest.Start(t)
	var notices []refund.Notice
	for range 40 {
		notices = append(notices, notice(refund.TellProblem))
	}
	s, _, _ := browsing(t, m, "zh", notices...)
	if _, err := s.Drain(t.Context(), refund.ByPush); err != nil {
		t.Fatal(err)
	}
	got := m.Taken()
	if len(got) != 1 || !strings.Contains(got[0].Text, "40") {
		t.Errorf("taken %+v", got)
	}
}

func TestPush_WhatTheMakerAnswers(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		state   refund.NoticeState
		dropped bool
	}{
		http.StatusNotFound:              {"", true},
		http.StatusGone:                  {"", true},
		http.StatusTooManyRequests:       {refund.NoticeWaiting, false},
		http.StatusServiceUnavailable:    {refund.NoticeWaiting, false},
		http.StatusForbidden:             {refund.NoticeFailed, false},
		http.StatusRequestEntityTooLarge: {refund.NoticeFailed, false},
		http.StatusMovedPermanently:      {refund.NoticeFailed, false},
	} {
		m := pushtest.Start(t)
		m.Answer(status)
		sender, b, log := browsing(t, m, "en", notice(refund.TellProblem))
		if _, err := sender.Drain(t.Context(), refund.ByPush); err != nil {
			t.Fatal(err)
		}
		var state refund.NoticeState
		for _, o := range b.outcomes {
			state = o.State
		}
		if state != want.state || slices.Equal(b.dropped, []string{"s1"}) != want.dropped {
			t.Errorf("%d: outcomes %+v, dropped %q", status, b.outcomes, b.dropped)
		}
		if strings.Contains(log.String(), "/send/") || strings.Contains(log.String(), m.Browser.Auth()) {
			t.Errorf("%d: the log holds the address: %s", status, log.String())
		}
	}
}

// Whatever a page sends, nothing inside the centre's network is called.
func TestPush_NeverInside(t *testing.T) {
	t.Parallel()
	m := pushtest.Start(t)
	good := refund.Subscription{Order: "1", Endpoint: "https://push.example.com/x", P256dh: m.Browser.P256dh(), Auth: m.Browser.Auth()}
	if err := notify.CheckSubscription(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*refund.Subscription){
		"this machine":   func(s *refund.Subscription) { s.Endpoint = "https://127.0.0.1/x" },
		"no TLS":         func(s *refund.Subscription) { s.Endpoint = "http://push.example.com/x" },
		"mapped":         func(s *refund.Subscription) { s.Endpoint = "https://[::ffff:10.0.0.1]/x" },
		"a user":         func(s *refund.Subscription) { s.Endpoint = "https://a@push.example.com/x" },
		"no address":     func(s *refund.Subscription) { s.Endpoint = "" },
		"long":           func(s *refund.Subscription) { s.Endpoint += strings.Repeat("x", 2000) },
		"no key":         func(s *refund.Subscription) { s.P256dh = "" },
		"no point":       func(s *refund.Subscription) { s.P256dh = "B" + strings.Repeat("A", 86) },
		"a short secret": func(s *refund.Subscription) { s.Auth = "AAAA" },
	} {
		bad := good
		change(&bad)
		if err := notify.CheckSubscription(bad); !errors.Is(err, refund.ErrSubscription) {
			t.Errorf("%s: %v", name, err)
		}
	}
	outside, err := notify.NewPusher(pushSecret(), "qc@example.com", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, endpoint := range []string{
		strings.Replace(m.URL, "http:", "https:", 1) + "/x",
		strings.Replace(m.URL, "http://127.0.0.1", "https://localhost", 1) + "/x", // a name that leads inside
	} {
		sender, b, _ := browsing(t, m, "en", notice(refund.TellProblem))
		sender.Push, b.held.Push.Endpoint = outside, endpoint
		if _, err := sender.Drain(t.Context(), refund.ByPush); err != nil {
			t.Fatal(err)
		}
		if b.outcomes[0].Problem != "notice.problem.hook_inside" || len(m.Taken()) != 0 {
			t.Errorf("%s: %+v", endpoint, b.outcomes)
		}
	}
}
