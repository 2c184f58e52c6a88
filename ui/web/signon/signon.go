// Package signon lets people sign in at the desk where they sign in for
// everything else: at the house's OpenID Connect provider.
//
// It is the authorization code flow with PKCE, state and nonce. What it returns
// is one claim of somebody the provider vouches for; who that is here, and what
// they may do, is for the centre to say. The provider is asked for its addresses
// and keys when somebody comes, so a centre starts without it, and keys may
// change at any time.
package signon

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

var (
	// ErrAway says that the provider does not answer, or not as one.
	ErrAway = errors.New("identity provider does not answer")
	// ErrRefused says that the provider, or we, let nobody in.
	ErrRefused = errors.New("sign-in at the identity provider was refused")
)

// Config is what a [Door] is made of.
type Config struct {
	Issuer   string // as the provider calls itself
	ClientID string
	Secret   string // empty: a public client, which PKCE alone protects
	Claim    string // that names the person, such as "preferred_username"
	Redirect string // where the provider sends people back, exactly as it knows it
	Now      func() time.Time
	Client   *http.Client // to the provider; nil: with patience and TLS of our own
}

const (
	answerTime = 10 * time.Second // of the provider, for each request
	flowLife   = 10 * time.Minute // to sign in there
	skew       = time.Minute      // that the provider's clock may be behind
)

// Door is the way through one provider. It is safe for concurrent use.
type Door struct {
	Config
	mu       sync.Mutex
	provider *oidc.Provider // nil until it has answered
}

// New returns a door; it asks nobody yet.
func New(c Config) *Door {
	if c.Client == nil {
		c.Client = &http.Client{Timeout: answerTime, Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: answerTime, MaxResponseHeaderBytes: 64 << 10,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		}}
	}
	return &Door{Config: c}
}

// Flow is one person's way there and back. The browser keeps it meanwhile,
// where no other site can put one.
type Flow struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`
	Ends     time.Time `json:"e"`
}

// Begin returns the address at the provider where the person signs in. It
// fails with [ErrAway].
func (d *Door) Begin(ctx context.Context) (string, Flow, error) {
	provider, err := d.known(ctx)
	if err != nil {
		return "", Flow{}, err
	}
	flow := Flow{
		State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier(),
		Ends: d.Now().Add(flowLife).UTC(),
	}
	client := d.client(provider)
	return client.AuthCodeURL(flow.State, oidc.Nonce(flow.Nonce), oauth2.S256ChallengeOption(flow.Verifier)), flow, nil
}

// Finish returns the claim of the person who came back with answer. It fails
// with [ErrAway] or [ErrRefused].
func (d *Door) Finish(ctx context.Context, flow Flow, answer url.Values) (string, error) {
	same := subtle.ConstantTimeCompare([]byte(flow.State), []byte(answer.Get("state"))) == 1
	switch {
	case flow.State == "" || !same || !d.Now().Before(flow.Ends):
		return "", fmt.Errorf("%w: not the answer to what was asked", ErrRefused)
	case answer.Has("iss") && answer.Get("iss") != d.Issuer: // RFC 9207
		return "", fmt.Errorf("%w: another provider answers", ErrRefused)
	case answer.Get("error") != "" || answer.Get("code") == "":
		return "", fmt.Errorf("%w: %.80q", ErrRefused, answer.Get("error"))
	}
	provider, err := d.known(ctx)
	if err != nil {
		return "", err
	}
	ctx = oidc.ClientContext(ctx, d.Client)
	token, err := d.client(provider).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(flow.Verifier))
	if err != nil {
		return "", exchangeError(err)
	}
	raw, _ := token.Extra("id_token").(string)
	verified, err := provider.VerifierContext(ctx, &oidc.Config{
		ClientID: d.ClientID, Now: func() time.Time { return d.Now().Add(-skew) },
	}).Verify(ctx, raw)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(flow.Nonce)) != 1 {
		return "", fmt.Errorf("%w: the token was made for another sign-in", ErrRefused)
	}
	return d.claim(ctx, provider, token, verified)
}

// claim reads who it is from the token, or from the provider where the token
// does not say. An address that nobody has verified could be anybody's.
func (d *Door) claim(ctx context.Context, provider *oidc.Provider, token *oauth2.Token, verified *oidc.IDToken) (string, error) {
	claims := map[string]any{}
	if err := verified.Claims(&claims); err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if _, there := claims[d.Claim]; !there {
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrRefused, err)
		}
		if info.Subject != verified.Subject {
			return "", fmt.Errorf("%w: the provider tells of another person", ErrRefused)
		}
		if err := info.Claims(&claims); err != nil {
			return "", fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	if verifiedMail, _ := claims["email_verified"].(bool); d.Claim == "email" && !verifiedMail {
		return "", fmt.Errorf("%w: the provider has not verified the address", ErrRefused)
	}
	value, _ := claims[d.Claim].(string)
	if value == "" {
		return "", fmt.Errorf("%w: the provider does not say the claim %q", ErrRefused, d.Claim)
	}
	return value, nil
}

// known returns the provider once it has said where it is asked what.
func (d *Door) known(ctx context.Context) (*oidc.Provider, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.provider != nil {
		return d.provider, nil
	}
	// What is learnt outlives the request that asked.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), d.Client), d.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	d.provider = provider
	return provider, nil
}

func (d *Door) client(provider *oidc.Provider) *oauth2.Config {
	scopes := []string{oidc.ScopeOpenID, "profile"}
	if d.Claim == "email" {
		scopes = append(scopes, "email")
	}
	return &oauth2.Config{
		ClientID: d.ClientID, ClientSecret: d.Secret, Endpoint: provider.Endpoint(), RedirectURL: d.Redirect, Scopes: scopes,
	}
}

// exchangeError tells a provider that refuses from one that is not there. What
// it said is kept out of it but for its code: it may repeat what it was told.
func exchangeError(err error) error {
	if said, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		if said.Response != nil && said.Response.StatusCode >= http.StatusInternalServerError {
			return fmt.Errorf("%w: status %d", ErrAway, said.Response.StatusCode)
		}
		return fmt.Errorf("%w: %.80q", ErrRefused, said.ErrorCode)
	}
	return fmt.Errorf("%w: the code could not be exchanged", ErrAway)
}
