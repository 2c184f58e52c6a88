package notify

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"
)

// Bounce is what a mail server says became of a mail of ours. Anybody can write
// such a message: of all that is in it, only Mail counts for anything, as nobody
// can guess it.
type Bounce struct {
	Mail   string // the consignment that was sent as it; empty: it names none
	Status string // such as "5.1.1"; empty: it says none
	Failed bool   // it was not delivered, and is not tried again
}

// MaxBounce is how much of a message is read: what it reports stands before what
// it returns, and our mails are small.
const MaxBounce = 256 << 10

// Limits of what is looked at within a message.
const (
	maxDepth = 3  // multiparts within each other
	maxParts = 20 // in one of them
)

// The mail's name as it comes back: in the address that bounces go to, and as the
// Message-ID.
const mailName = `([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`

var (
	toName     = regexp.MustCompile(`\+` + mailName + `@`)
	messageID  = regexp.MustCompile(`^\s*<` + mailName + `@[^<>\s]+>\s*$`)
	inText     = regexp.MustCompile(`(?mi)^[> ]*Message-ID:\s*<` + mailName + `@`)
	statusCode = regexp.MustCompile(`(?:^|[^\d.])([245]\.\d{1,3}\.\d{1,3})(?:[^\d.]|\.?\s|$)`)
	stillTried = regexp.MustCompile(`(?i)delayed|will be retried|(?:keep|continue)s? (?:on )?trying|need not resend|do not need to (?:resend|do)`)
	answerCode = regexp.MustCompile(`(?m)(?:^|[^\d.])(5\d\d)[ -]`)
)

// ReadBounce reads a message that came back: a delivery status notification (RFC
// 3464), or the plain text of a server that knows none. It reports whether it is
// one: an answer written by a person, or for one who is away, is none.
func ReadBounce(message []byte) (Bounce, bool) {
	m, err := mail.ReadMessage(bytes.NewReader(message[:min(len(message), MaxBounce)]))
	if err != nil {
		return Bounce{}, false
	}
	r := reading{names: make(map[string]bool)}
	for _, field := range []string{"To", "Delivered-To", "X-Original-To"} {
		for _, value := range m.Header[field] {
			r.name(toName, strings.ToLower(value))
		}
	}
	r.part(textproto.MIMEHeader(m.Header), m.Body, 0)
	if !r.reported && !r.plainly(m.Header) {
		return Bounce{}, false
	}
	if len(r.names) == 1 { // one that names several means none that we could know
		for name := range r.names {
			r.bounce.Mail = name
		}
	}
	return r.bounce, true
}

// reading is what was found so far.
type reading struct {
	bounce   Bounce
	names    map[string]bool
	reported bool // by a machine, for machines
	text     strings.Builder
}

func (r *reading) name(pattern *regexp.Regexp, text string) {
	for _, found := range pattern.FindAllStringSubmatch(text, -1) {
		r.names[found[1]] = true
	}
}

// part looks at one part of the message, and at those within it.
func (r *reading) part(header textproto.MIMEHeader, body io.Reader, depth int) {
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	switch {
	case strings.HasPrefix(kind, "multipart/") && depth < maxDepth:
		parts := multipart.NewReader(body, params["boundary"])
		for range maxParts {
			part, err := parts.NextRawPart()
			if err != nil {
				return
			}
			r.part(part.Header, part, depth+1)
		}
	case kind == "message/delivery-status", kind == "message/global-delivery-status":
		r.status(body)
	case kind == "message/rfc822", kind == "message/global", kind == "text/rfc822-headers", kind == "message/global-headers":
		returned, _ := textproto.NewReader(bufio.NewReader(body)).ReadMIMEHeader() // as far as it was returned
		if found := messageID.FindStringSubmatch(strings.ToLower(returned.Get("Message-Id"))); found != nil {
			r.names[found[1]] = true
		}
	case kind == "text/plain":
		_, _ = io.Copy(&r.text, body)
	}
}

// status reads what is said of each receiver; ours have but one. The worst counts.
func (r *reading) status(body io.Reader) {
	fields := textproto.NewReader(bufio.NewReader(body))
	for range maxParts {
		said, err := fields.ReadMIMEHeader()
		if code := statusCode.FindStringSubmatch(said.Get("Status")); code != nil || said.Get("Action") != "" {
			r.reported = true
			one := Bounce{}
			if code != nil {
				one.Status = code[1]
			}
			switch action, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(said.Get("Action"))), " "); action {
			case "failed": // also with 4.4.7: it was tried for days, and is not any more
				one.Failed = true
			case "":
				one.Failed = strings.HasPrefix(one.Status, "5")
			}
			if !r.bounce.Failed {
				r.bounce = one
			}
		}
		if err != nil {
			return
		}
	}
}

// plainly reads a message without any such part, as some servers write it. That
// a server wrote it must be plain, and that it has given up.
func (r *reading) plainly(header mail.Header) bool {
	from := strings.ToLower(header.Get("From"))
	machine := header.Get("X-Failed-Recipients") != "" || strings.Contains(from, "mailer-daemon") || strings.Contains(from, "postmaster")
	if !machine || strings.HasPrefix(strings.ToLower(header.Get("Auto-Submitted")), "auto-replied") && header.Get("X-Failed-Recipients") == "" {
		return false
	}
	text := r.text.String()
	r.name(inText, strings.ToLower(text))
	if code := statusCode.FindStringSubmatch(text); code != nil {
		r.bounce.Status = code[1]
	}
	if stillTried.MatchString(text) {
		return true
	}
	r.bounce.Failed = strings.HasPrefix(r.bounce.Status, "5") || r.bounce.Status == "" && answerCode.MatchString(text)
	return r.bounce.Status != "" || r.bounce.Failed
}
