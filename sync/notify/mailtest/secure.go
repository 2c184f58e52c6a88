package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Secure is a mail server whose SMTP and TLS are no code of ours, so that not
// one misunderstanding is on both ends. It takes mails over TLS, from who has
// the password.
type Secure struct {
	Host           string
	Port           int
	User, Password string
	Roots          *x509.CertPool // that vouch for it

	mu    sync.Mutex
	mails []Mail
}

// StartSecure returns a server that speaks TLS from the first byte, where direct
// says so, or by STARTTLS. It ends with the test.
func StartSecure(tb testing.TB, direct bool) *Secure {
	tb.Helper()
	s := &Secure{Host: "localhost", User: "flawmark", Password: "open sesame", Roots: x509.NewCertPool()}
	server := smtp.NewServer(s)
	server.Domain, server.ErrorLog = s.Host, silence{}
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{s.certificate(tb)}}
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		tb.Fatal(err)
	}
	s.Port = listener.Addr().(*net.TCPAddr).Port
	if direct {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	tb.Cleanup(func() { _ = server.Close(); <-ended })
	return s
}

func (s *Secure) certificate(tb testing.TB) tls.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: s.Host}, DNSNames: []string{s.Host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	s.Roots.AddCert(root)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Mails returns what the server took so far.
func (s *Secure) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// NewSession implements [smtp.Backend].
func (s *Secure) NewSession(*smtp.Conn) (smtp.Session, error) { return &line{server: s}, nil }

// line is one connection to the server.
type line struct {
	server *Secure
	known  bool
	mail   Mail
}

func (*line) AuthMechanisms() []string { return []string{sasl.Plain} }

func (l *line) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if l.known = user == l.server.User && password == l.server.Password; !l.known {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (l *line) Mail(from string, _ *smtp.MailOptions) error {
	if !l.known {
		return smtp.ErrAuthRequired
	}
	l.mail = Mail{From: from}
	return nil
}

func (l *line) Rcpt(to string, _ *smtp.RcptOptions) error {
	l.mail.To += to
	return nil
}

func (l *line) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	l.mail.Data = string(data)
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	l.server.mails = append(l.server.mails, l.mail)
	return nil
}

func (l *line) Reset()      { l.mail = Mail{} }
func (*line) Logout() error { return nil }

// silence hears of what a test does wrong on purpose.
type silence struct{}

func (silence) Printf(string, ...any) {}
func (silence) Println(...any)        {}
