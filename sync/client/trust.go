package client

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"
)

// Sentences about a centre that is not trusted.
const (
	saysClock     = "error.clock_wrong"     // a certificate is not of this time by this clock
	saysExpired   = "error.centre_expired"  // the centre's certificate has ended
	saysPin       = "error.centre_pin"      // the chain is sound, but has no pinned key
	saysAuthority = "error.centre_unknown"  // nobody vouches for the certificate
	saysName      = "error.centre_misnamed" // it is somebody else's certificate
)

// transport returns a connection pool. Uploads have their own and do without
// HTTP/2, so that no event ever waits behind photo bytes in one connection.
// Neither unpacks anything: what is asked for is small or packed already, and
// nobody can send a megabyte that becomes a gigabyte.
func (c Config) transport(http2 bool) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	proxy := http.ProxyFromEnvironment
	if c.Proxy != nil {
		proxy = http.ProxyURL(c.Proxy)
	}
	t := &http.Transport{
		Proxy:                  proxy,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  headerTimeout,
		IdleConnTimeout:        60 * time.Second,
		MaxIdleConnsPerHost:    4,
		MaxResponseHeaderBytes: largestHeader,
		DisableCompression:     true,
		ForceAttemptHTTP2:      http2,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: c.RootCAs, Time: c.Now, VerifyConnection: c.pinned,
		},
	}
	if http2 {
		t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second}
	} else {
		t.TLSNextProto = make(map[string]func(string, *tls.Conn) http.RoundTripper)
	}
	return t
}

var errPin = errors.New("no certificate has a pinned key")

// pinned comes after the usual verification. Only chains that it accepted
// count: anybody can send a pinned certificate along without having its key.
func (c Config) pinned(state tls.ConnectionState) error {
	if len(c.Pins) == 0 {
		return nil
	}
	for _, chain := range state.VerifiedChains {
		for _, certificate := range chain {
			sum := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
			if slices.Contains(c.Pins, base64.StdEncoding.EncodeToString(sum[:])) {
				return nil
			}
		}
	}
	return errPin
}

// untrusted reports whether something else than the centre may have answered.
func untrusted(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	return errors.Is(err, errPin)
}

// distrust returns the sentence for a failure of trust, empty for others.
func (c Config) distrust(err error) string {
	if errors.Is(err, errPin) {
		return saysPin
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		now := c.Now()
		switch certificate := invalid.Cert; {
		case certificate == nil:
			return saysExpired
		case now.Before(certificate.NotBefore):
			return saysClock // nobody uses one that is not valid yet
		case now.Sub(certificate.NotAfter) > longExpired:
			return saysClock // nor one that ended long ago
		}
		return saysExpired
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return saysAuthority
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return saysName
	}
	return ""
}

// longExpired is after how long an expired certificate means a wrong clock: a
// centre that everybody else cannot reach either is renewed sooner.
const longExpired = 60 * 24 * time.Hour
