package notify

import (
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"flawmark/app/refund"

	webpush "github.com/SherClockHolmes/webpush-go"
)

// Pusher writes to customers' browsers by Web Push: through the browser's maker
// (RFC 8030), who cannot read it (RFC 8291) and knows who writes (RFC 8292).
type Pusher struct {
	client          *http.Client
	local           bool
	private, public string
	contact         string
}

// NewPusher returns a pusher whose key is derived from a secret of the centre.
// contact is where the browsers' makers may complain: an address of mail, or
// https. local lets browsers' makers be in the centre's own network, as in tests.
func NewPusher(secret []byte, contact string, local bool) (*Pusher, error) {
	key, err := pushKey(secret)
	if err != nil {
		return nil, err
	}
	p := &Pusher{
		client: hookClient(refuseInside), local: local, contact: contact,
		private: base64.RawURLEncoding.EncodeToString(key.Bytes()),
		public:  base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()),
	}
	if local {
		p.client = hookClient(nil)
	}
	return p, nil
}

// PushKey returns the public key that browsers subscribe with, in base64url.
func PushKey(secret []byte) (string, error) {
	key, err := pushKey(secret)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), nil
}

// pushKey makes a key of a secret. Nearly every number of 32 bytes is one; where
// it is not, the next is tried.
func pushKey(secret []byte) (*ecdh.PrivateKey, error) {
	if len(secret) < 32 {
		return nil, errors.New("a push key needs a secret of 32 bytes")
	}
	for n := byte(0); ; n++ {
		seed := sha256.Sum256(append([]byte{n}, secret...))
		if key, err := ecdh.P256().NewPrivateKey(seed[:]); err == nil {
			return key, nil
		}
	}
}

// CheckSubscription refuses a browser that cannot be written to, before it is
// kept: its address must be one of the public internet, as a webhook's.
func CheckSubscription(s refund.Subscription) error {
	if CheckHookURL(s.Endpoint, false) != nil {
		return refund.ErrSubscription
	}
	return s.Check()
}

// pushLimit is how long a message may be: browsers' makers take 4096 bytes (RFC
// 8030), of which encryption needs 103.
const pushLimit = 3900

// message is what the page's script for messages reads. It holds no secret: the
// address opens for who has opened the order there before.
type message struct {
	Title string `json:"title"`
	Body  string `json:"body"`
	URL   string `json:"url"`
	Tag   string `json:"tag"` // a later one of the same takes its place
	Lang  string `json:"lang"`
}

// fit writes m down in at most so many bytes; what is too much of its words goes.
func (m message) fit(most int) ([]byte, error) {
	for {
		data, err := json.Marshal(m)
		if err != nil || len(data) <= most || m.Body == "" {
			return data, err
		}
		// A letter may take more bytes when it is written down, never fewer.
		m.Body = shorten(m.Body, max(0, len(m.Body)-max(8, (len(data)-most)/6)))
	}
}

// Push hands a message to the browser's maker, who keeps it for so long. It
// fails with a [Trouble].
func (p *Pusher) Push(ctx context.Context, to refund.Subscription, m message, keep time.Duration, urgent bool) error {
	if err := CheckHookURL(to.Endpoint, p.local); err != nil {
		return err
	}
	body, err := m.fit(pushLimit)
	if err != nil {
		return fmt.Errorf("write push: %w", err)
	}
	urgency := webpush.UrgencyNormal
	if urgent {
		urgency = webpush.UrgencyHigh
	}
	answer, err := webpush.SendNotificationWithContext(ctx, body, &webpush.Subscription{
		Endpoint: to.Endpoint, Keys: webpush.Keys{Auth: to.Auth, P256dh: to.P256dh},
	}, &webpush.Options{
		HTTPClient: p.client, Subscriber: p.contact, Topic: m.Tag, TTL: int(keep.Seconds()), Urgency: urgency,
		VAPIDPublicKey: p.public, VAPIDPrivateKey: p.private,
	})
	if err != nil {
		return pushTrouble(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, hookRead))
	code := strconv.Itoa(answer.StatusCode)
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return nil
	case answer.StatusCode == http.StatusNotFound, answer.StatusCode == http.StatusGone:
		return Trouble{Key: pushGoneKey, Code: code, Final: true}
	case answer.StatusCode == http.StatusTooManyRequests, answer.StatusCode >= 500:
		return Trouble{Key: "notice.problem.push_status", Code: code, Wait: retryAfter(answer.Header.Get("Retry-After"), time.Now())}
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return Trouble{Key: "notice.problem.hook_redirect", Code: code, Final: true}
	default: // it will say the same again
		return Trouble{Key: "notice.problem.push_status", Code: code, Final: true}
	}
}

// mostWait is the longest that anybody's wish to be left alone is heeded for.
const mostWait = 6 * time.Hour

// retryAfter reads for how long somebody wants to be left alone: so many seconds,
// or until a time of theirs.
func retryAfter(text string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(text); err == nil {
		wait = time.Duration(min(max(seconds, 0), int(mostWait/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), mostWait)
}

const pushGoneKey = "notice.problem.push_gone"

// pushTrouble keeps the address, which is all that is needed to annoy the
// browser's owner, out of what is said.
func pushTrouble(err error) Trouble {
	if t := postTrouble(err); t.Key != "notice.problem.hook_unreachable" {
		return t
	}
	return Trouble{Key: "notice.problem.push_unreachable"}
}

// push writes to the browser about one case, or about several in one.
func (s *Sender) push(ctx context.Context, c refund.Consignment, letters []letter) error {
	first := letters[0]
	words := s.Words(first.about.Customer.Language)
	written, err := write(words, letters, nil, "")
	if err != nil {
		return err
	}
	m := message{
		Title: written.Subject, Body: brief(words, letters), URL: s.Page(c.Push.Order), Lang: words.Text("notice.language"),
		Tag: topic(first.notice),
	}
	return s.Push.Push(ctx, c.Push, m, s.keep(letters), first.notice.Kind.Asks())
}

// brief says the first case in full, what happens if nothing is done included,
// and of the others that they are there.
func brief(words Words, letters []letter) string {
	p := say(words, letters[0])
	text := p.What + " " + p.Then
	if len(letters) > 1 {
		text = words.Text("notice.push.digest", "n", strconv.Itoa(len(letters))) + " " + p.Title + ": " + text
	}
	return text
}

// shorten cuts text to so many bytes at most, between two letters.
func shorten(text string, most int) string {
	const cut = "…"
	end := most - len(cut)
	if len(text) <= most {
		return text
	}
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	if end <= 0 {
		return ""
	}
	return text[:end] + cut
}

// topic names what a push is about, so that of what the browser has not fetched
// yet only the newest stays, and the same sent twice is shown once.
func topic(n refund.Notice) string {
	sum := sha256.Sum256([]byte(string(n.Snapshot.Case) + "\x00" + string(n.Snapshot.Ticket)))
	return base64.RawURLEncoding.EncodeToString(sum[:24])[:32]
}

// keep is for how long the message is worth delivering.
func (s *Sender) keep(letters []letter) time.Duration {
	const usual, least = 3 * 24 * time.Hour, 10 * time.Minute
	keep := usual
	for _, l := range letters {
		if by := l.notice.Snapshot.DecideBy; !by.IsZero() {
			keep = min(keep, by.Sub(s.Now()))
		}
	}
	return max(keep, least)
}
