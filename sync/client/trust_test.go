package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/client"
	"flawmark/sync/intake"
	"flawmark/sync/outbox"
	"flawmark/sync/wire"
)

// authority signs certificates of a centre under test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T, at time.Time) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t)}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Warehouse CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: at.AddDate(-10, 0, 0), NotAfter: at.AddDate(10, 0, 0),
	}
	a.cert = a.sign(form, form, a.key)
	return a
}

func (a *authority) sign(form, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	a.t.Helper()
	raw, err := x509.CreateCertificate(rand.Reader, form, parent, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate
}

// issue returns a certificate of the test's server.
func (a *authority) issue(key *ecdsa.PrivateKey, from, to time.Time) tls.Certificate {
	leaf := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "centre"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, NotBefore: from, NotAfter: to,
	}, a.cert, key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, a.cert.Raw}, PrivateKey: key, Leaf: leaf}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func pinOf(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// TestTrust meets centres with all kinds of certificates. One that is not
// trusted gets no request at all: no token, no event, no byte of a photo.
func TestTrust(t *testing.T) {
	now := time.Now()
	ours, others := newAuthority(t, now), newAuthority(t, now)
	key, nextKey := newKey(t), newKey(t)
	good := ours.issue(key, now.AddDate(0, -1, 0), now.AddDate(0, 1, 0))
	rotated := ours.issue(nextKey, now.AddDate(0, -1, 0), now.AddDate(0, 1, 0))
	foreign := others.issue(newKey(t), now.AddDate(0, -1, 0), now.AddDate(0, 1, 0))
	// A stranger sends our authority's certificate along, without its key.
	decorated := foreign
	decorated.Certificate = append(append([][]byte{}, foreign.Certificate...), ours.cert.Raw, good.Leaf.Raw)
	both := ours.pool()
	both.AddCert(others.cert)
	for name, c := range map[string]struct {
		shows    tls.Certificate
		pool     *x509.CertPool
		pins     []string
		clock    time.Duration // of the station, off
		sentence string        // empty: it is the centre
	}{
		"right authority":                {shows: good, pool: ours.pool()},
		"right authority, right pin":     {shows: good, pool: ours.pool(), pins: []string{pinOf(good.Leaf)}},
		"authority pinned":               {shows: good, pool: ours.pool(), pins: []string{pinOf(ours.cert)}},
		"rotated, both keys pinned":      {shows: rotated, pool: ours.pool(), pins: []string{pinOf(good.Leaf), pinOf(rotated.Leaf)}},
		"rotated, old key pinned only":   {shows: rotated, pool: ours.pool(), pins: []string{pinOf(good.Leaf)}, sentence: "error.centre_pin"},
		"wrong authority":                {shows: foreign, pool: ours.pool(), sentence: "error.centre_unknown"},
		"wrong authority, right pin":     {shows: foreign, pool: ours.pool(), pins: []string{pinOf(foreign.Leaf)}, sentence: "error.centre_unknown"},
		"pinned certificates as company": {shows: decorated, pool: both, pins: []string{pinOf(good.Leaf), pinOf(ours.cert)}, sentence: "error.centre_pin"},
		"the system's authorities":       {shows: good, sentence: "error.centre_unknown"},
		"expired": {
			shows: ours.issue(key, now.AddDate(0, -3, 0), now.AddDate(0, 0, -2)), pool: ours.pool(), sentence: "error.centre_expired",
		},
		"clock behind":        {shows: good, pool: ours.pool(), clock: -365 * 24 * time.Hour, sentence: "error.clock_wrong"},
		"clock ahead":         {shows: good, pool: ours.pool(), clock: 365 * 24 * time.Hour, sentence: "error.clock_wrong"},
		"clock behind, a pin": {shows: good, pool: ours.pool(), pins: []string{pinOf(good.Leaf)}, clock: -365 * 24 * time.Hour, sentence: "error.clock_wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t)
			handler, err := intake.New(p.centre.Config())
			if err != nil {
				t.Fatal(err)
			}
			var requests atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				handler.ServeHTTP(w, r)
			}))
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{c.shows}}
			server.StartTLS()
			defer server.Close()
			station := p.client(t, func(cfg *client.Config) {
				cfg.BaseURL, cfg.RootCAs, cfg.Pins = server.URL, c.pool, c.pins
				cfg.Now = func() time.Time { return time.Now().Add(c.clock) }
			})
			_, pushed := station.PushEvents(t.Context(), batch(t, 2))
			_, _, begun := station.BeginUpload(t.Context(), qc.Shipment{Digest: qc.DigestOf([]byte("photo")), Bytes: 5})
			_, sent := station.UploadChunk(t.Context(), "/v1/uploads/u1", strings.NewReader("photo"), 0, 5)
			if c.sentence == "" {
				if pushed != nil || begun != nil || requests.Load() == 0 {
					t.Errorf("%v, %v after %d requests", pushed, begun, requests.Load())
				}
				return
			}
			for _, err := range []error{pushed, begun, sent} {
				failure, ok := errors.AsType[*wire.Failure](err)
				if !ok || failure.Kind != wire.WrongNetwork || failure.Sentence != c.sentence {
					t.Errorf("got %v (%+v), want %s", err, failure, c.sentence)
				}
			}
			if requests.Load() != 0 || len(p.centre.Applied) != 0 {
				t.Errorf("%d requests reached it", requests.Load())
			}
		})
	}
}

// TestTrustIsShown has the engine say why the network is wrong.
func TestTrustIsShown(t *testing.T) {
	now := time.Now()
	ours := newAuthority(t, now)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	good := ours.issue(newKey(t), now.AddDate(0, -1, 0), now.AddDate(0, 1, 0))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{good}}
	server.StartTLS()
	defer server.Close()
	p := start(t)
	c := p.client(t, func(cfg *client.Config) {
		cfg.BaseURL, cfg.RootCAs, cfg.Pins = server.URL, ours.pool(), []string{pinOf(ours.cert)[1:] + "="}
	})
	engine := outbox.New(outbox.Config{Remote: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err := engine.Once(t.Context()); err == nil {
		t.Fatal("it went on")
	}
	if status := engine.Status(); status.Link != outbox.WrongNetwork || status.Problem != "error.centre_pin" {
		t.Errorf("%+v", status)
	}
}

// TestProxy goes through a proxy that was named, which sees no token.
func TestProxy(t *testing.T) {
	p := start(t)
	var seen atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer proxy.Close()
	address := mustURL(t, proxy.URL)
	c := p.client(t, func(cfg *client.Config) { cfg.Proxy = address })
	if err := c.Connect(t.Context()); kindOf(err) != wire.WrongNetwork || seen.Load() == 0 {
		t.Errorf("%v after %d requests to the proxy", err, seen.Load())
	}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
