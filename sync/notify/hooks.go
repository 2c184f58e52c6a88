package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"flawmark/app/refund"
)

// Event is the body of a webhook: what happened, and the case as it was then.
type Event struct {
	Type string          `json:"type"` // [refund.NoticeKind.Event]
	At   time.Time       `json:"timestamp"`
	Data refund.Snapshot `json:"data"`
}

// Poster calls shops' programs, in the manner of Standard Webhooks.
type Poster struct {
	outside, inside *http.Client
	now             func() time.Time
}

const (
	// hookAnswer is how long a program may take, and how much of its answer is
	// read.
	hookAnswer = 15 * time.Second
	hookRead   = 64 << 10
)

// NewPoster returns a poster.
func NewPoster(now func() time.Time) *Poster {
	return &Poster{outside: hookClient(refuseInside), inside: hookClient(nil), now: now}
}

func hookClient(control func(network, address string, c syscall.RawConn) error) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: control}
	return &http.Client{
		Timeout: hookAnswer,
		// A proxy of the environment would be asked to call inside for us.
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second,
			ResponseHeaderTimeout: hookAnswer, MaxResponseHeaderBytes: hookRead, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ErrInside says that an address is in the centre's own network.
var ErrInside = errors.New("address is not on the public internet")

// refuseInside looks at the address that is dialled, after names are resolved,
// so that no name can lead inside.
func refuseInside(network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" || !Public(at.Addr()) {
		return ErrInside
	}
	return nil
}

// notPublic are the networks that an address of a shop is never in, beside those
// that [netip.Addr] knows of.
func notPublic() []netip.Prefix {
	var all []netip.Prefix
	for text := range strings.FieldsSeq(`0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15
		198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 ::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32
		2002::/16 fec0::/10 5f00::/16 3fff::/20`) {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// Public reports whether an address is one of the public internet.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() {
		return false
	}
	for _, network := range notPublic() {
		if network.Contains(a) {
			return false
		}
	}
	return true
}

// CheckHookURL refuses an address that no webhook can have, before it is kept.
// local allows http.
func CheckHookURL(text string, local bool) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(text) > 2000 ||
		u.Scheme != "https" && (!local || u.Scheme != "http") {
		return Trouble{Key: "notice.problem.hook_address", Final: true}
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !local && !Public(a) {
		return Trouble{Key: "notice.problem.hook_inside", Final: true}
	}
	return nil
}

// Sign returns the value of webhook-signature for what is sent under id at a
// Unix time: HMAC-SHA256 under the secret, which is "whsec_" and base64.
func Sign(secret, id string, unix int64, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return "", errors.New("secret is not base64")
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.", id, unix)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// Post tells one program of one event under the name id. It fails with a
// [Trouble].
func (p *Poster) Post(ctx context.Context, hook refund.Webhook, id string, e Event) error {
	if err := CheckHookURL(hook.URL, hook.Local); err != nil {
		return err
	}
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write webhook: %w", err)
	}
	unix := p.now().Unix()
	signature, err := Sign(hook.Secret, id, unix, body)
	if err != nil {
		return Trouble{Key: "notice.problem.internal", Final: true, cause: err}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(body))
	if err != nil {
		return Trouble{Key: "notice.problem.hook_address", Final: true}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "flawmark-central")
	request.Header.Set("Webhook-Id", id)
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(unix, 10))
	request.Header.Set("Webhook-Signature", signature)
	client := p.outside
	if hook.Local {
		client = p.inside
	}
	answer, err := client.Do(request)
	if err != nil {
		return postTrouble(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, hookRead))
	code := strconv.Itoa(answer.StatusCode)
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return nil
	case answer.StatusCode == http.StatusGone:
		return Trouble{Key: goneKey, Code: code, Final: true}
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return Trouble{Key: "notice.problem.hook_redirect", Code: code}
	default:
		return Trouble{Key: "notice.problem.hook_status", Code: code}
	}
}

const goneKey = "notice.problem.hook_gone"

// postTrouble keeps the address, which may hold a secret of the shop, out of
// what is said.
func postTrouble(err error) Trouble {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(err, ErrInside):
		return Trouble{Key: "notice.problem.hook_inside", cause: ErrInside}
	case certificate:
		return Trouble{Key: "notice.problem.tls"}
	default:
		return Trouble{Key: "notice.problem.hook_unreachable"}
	}
}

// post sends a consignment to its webhook and says what is to become of it.
func (s *Sender) post(ctx context.Context, c refund.Consignment, attempts int) refund.Outcome {
	for _, n := range c.Notices { // one
		err := s.Hooks.Post(ctx, c.Hook, n.ID, Event{Type: n.Kind.Event(), At: n.CreatedAt, Data: n.Snapshot})
		if err == nil {
			continue
		}
		trouble := troubleOf(err)
		o := s.again(c, attempts, hookPatience, trouble)
		if trouble.Key != goneKey {
			return o
		}
		if err := s.Outbox.DisableWebhook(ctx, c.Hook.ID, s.Now()); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "could not disable a webhook that is gone", "webhook", c.Hook.ID, "error", err)
		}
		return o
	}
	return refund.Outcome{State: refund.NoticeSent}
}
