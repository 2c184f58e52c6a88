package refund

import (
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"

	"flawmark/app/qc"
)

// Subscription is a browser that is told of an order by Web Push. Whoever has
// it can write to that browser: it is said to nobody and never logged.
type Subscription struct {
	ID        string
	Order     qc.OrderID
	Endpoint  string // an address at the browser's maker
	P256dh    string // the browser's key, base64url
	Auth      string // its secret, base64url
	CreatedAt time.Time
}

// ErrSubscription says that what a browser sent cannot be written to. It is a
// sentence under the key "error." plus its text.
var ErrSubscription = errors.New("subscription_invalid")

// Check reports whether messages can be encrypted to the browser. Whether its
// address may be called is for whoever calls.
func (s Subscription) Check() error {
	at, err := url.Parse(s.Endpoint)
	if err != nil || at.Host == "" || len(s.Endpoint) > 1000 {
		return ErrSubscription
	}
	key, err := decodeKey(s.P256dh)
	if err != nil {
		return ErrSubscription
	}
	if _, err := ecdh.P256().NewPublicKey(key); err != nil {
		return ErrSubscription
	}
	if auth, err := decodeKey(s.Auth); err != nil || len(auth) != 16 {
		return ErrSubscription
	}
	return nil
}

func decodeKey(text string) ([]byte, error) {
	if len(text) > 200 {
		return nil, ErrSubscription
	}
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
}
