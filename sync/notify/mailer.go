package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// Server is the mail server and whom mails are from.
type Server struct {
	Host     string
	Port     int
	User     string // empty: nobody signs in
	Password string
	From     string // "Name <address>"
	// Bounces is the address that servers send back to what they cannot deliver,
	// with "+" and the mail's name in it; empty: From, as it is.
	Bounces string
	// TLS is how the line is kept secret: [TLSRequired], [TLSDirect],
	// [TLSIfOffered] or [TLSNever].
	TLS   string
	Roots *x509.CertPool // who vouches for the server; nil: the system's
}

// The ways to keep the line to the mail server secret.
const (
	TLSRequired  = "required" // by STARTTLS, or nothing is sent
	TLSDirect    = "direct"   // from the first byte, mostly on port 465
	TLSIfOffered = "offered"  // by STARTTLS where the server can
	TLSNever     = "none"     // for a server on the same machine
)

// Mailer carries mails to the server.
type Mailer struct {
	server Server
	from   *netmail.Address
	now    func() time.Time
}

// patienceWithServer bounds every step of talking to the server.
const patienceWithServer = 15 * time.Second

// NewMailer returns a mailer, or a [Trouble] when From is no address.
func NewMailer(s Server, now func() time.Time) (*Mailer, error) {
	from, err := netmail.ParseAddress(s.From)
	if err != nil || strings.ContainsAny(s.From, "\r\n") {
		return nil, Trouble{Key: "notice.problem.sender_invalid", Final: true}
	}
	return &Mailer{server: s, from: from, now: now}, nil
}

// checkAddress lets only the plain address of one person through.
func checkAddress(text string) error {
	address, err := netmail.ParseAddress(text)
	if err != nil || address.Address != text || strings.ContainsAny(text, "\r\n") || len(text) > 254 {
		return Trouble{Key: "notice.problem.address", Final: true}
	}
	return nil
}

// Send hands a letter to the server under the name id, which is the same when it
// is sent again. It fails with a [Trouble].
func (m *Mailer) Send(ctx context.Context, id, to string, l Letter) error {
	if err := checkAddress(to); err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	msg := mail.NewMsg()
	msg.FromMailAddress(m.from)
	if box, host, ok := strings.Cut(m.server.Bounces, "@"); ok {
		if err := msg.EnvelopeFrom(box + "+" + id + "@" + host); err != nil {
			return Trouble{Key: "notice.problem.sender_invalid", Everybody: true, cause: err}
		}
	}
	if err := msg.To(to); err != nil {
		return Trouble{Key: "notice.problem.address", Final: true}
	}
	_, domain, _ := strings.Cut(m.from.Address, "@")
	msg.SetMessageIDWithValue(id + "@" + domain)
	msg.SetDateWithValue(m.now())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	if l.Stop != "" {
		msg.SetGenHeader("List-Unsubscribe", "<"+l.Stop+">")
		if strings.HasPrefix(l.Stop, "https:") { // RFC 8058 knows no other
			msg.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
		}
	}
	msg.Subject(oneLine(l.Subject))
	msg.SetBodyString(mail.TypeTextPlain, l.Text)
	msg.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	client, err := m.client(ctx)
	if err != nil {
		return Trouble{Key: "notice.problem.server", Everybody: true, cause: err}
	}
	if err := client.DialWithContext(ctx); err != nil {
		return dialTrouble(err)
	}
	err = client.Send(msg)
	_ = client.Close() // the server has taken it, or not
	return sendTrouble(err)
}

// client returns a line to the server that breaks when ctx ends.
func (m *Mailer) client(ctx context.Context) (*mail.Client, error) {
	s := m.server
	breaking := func(dialling context.Context, network, address string) (net.Conn, error) {
		line, err := new(net.Dialer).DialContext(dialling, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = line.Close() })
		}
		return line, err
	}
	options := []mail.Option{
		mail.WithPort(s.Port), mail.WithTimeout(patienceWithServer),
		mail.WithTLSConfig(&tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12, RootCAs: s.Roots}),
	}
	auth := mail.SMTPAuthAutoDiscover
	if s.TLS != TLSDirect { // whose dialler only the library can make
		options = append(options, mail.WithDialContextFunc(breaking))
	}
	switch s.TLS {
	case TLSDirect:
		options = append(options, mail.WithSSL())
	case TLSIfOffered:
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	case TLSNever:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
		auth = mail.SMTPAuthPlainNoEnc
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.User != "" {
		options = append(options, mail.WithSMTPAuth(auth), mail.WithUsername(s.User), mail.WithPassword(s.Password))
	}
	return mail.NewClient(s.Host, options...)
}

// dialTrouble says why no line to the server came about. What the server said
// is kept out of it but for the number: it may repeat what it was told.
func dialTrouble(err error) Trouble {
	t := Trouble{Key: "notice.problem.server", Everybody: true, Code: codeOf(err)}
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, badRecord := errors.AsType[tls.RecordHeaderError](err)
	_, network := errors.AsType[*net.OpError](err)
	switch {
	case badCertificate, badRecord, strings.Contains(err.Error(), "STARTTLS"):
		t.Key = "notice.problem.tls"
	case t.Code == "535" || t.Code == "534" || t.Code == "530", strings.Contains(strings.ToLower(err.Error()), "auth"):
		t.Key = "notice.problem.sign_in"
	case network:
		t.Key = "notice.problem.unreachable"
	}
	return t
}

func sendTrouble(err error) error {
	if err == nil {
		return nil
	}
	sent, ok := errors.AsType[*mail.SendError](err)
	if !ok {
		return Trouble{Key: "notice.problem.server", Everybody: true, Code: codeOf(err)}
	}
	t := Trouble{Key: "notice.problem.mail_refused", Final: !sent.IsTemp() && sent.ErrorCode() >= 500}
	if sent.ErrorCode() > 0 {
		t.Code = strconv.Itoa(sent.ErrorCode())
	}
	switch sent.Reason {
	case mail.ErrSMTPRcptTo:
		t.Key = "notice.problem.recipient"
	case mail.ErrSMTPMailFrom:
		t.Key, t.Final, t.Everybody = "notice.problem.sender", false, true
	}
	return t
}

func codeOf(err error) string {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return strconv.Itoa(answer.Code)
	}
	return ""
}
