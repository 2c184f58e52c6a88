package settings

import (
	"net/mail"
	"net/netip"
	"strconv"
	"strings"
)

// SMTP is the mail server that customers are written to through. It is set in
// the file and by FLAWMARK_SMTP_HOST, _PORT, _USER, _PASSWORD, _FROM, _TLS and
// _BOUNCES in the environment; never by a flag, because other users see those.
type SMTP struct {
	Host     string `json:"host,omitempty"` // empty: no mails are sent
	Port     int    `json:"port,omitempty"` // 0: what suits TLS, 587, 465 or 25
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"`
	From     string `json:"from,omitempty"` // "Name <address>"
	TLS      string `json:"tls,omitempty"`  // one of [MailTLS]; empty: the first
	// Bounces is the plain address that what cannot be delivered is sent back to:
	// to it with "+" and the mail's name before the "@". Empty: to From.
	Bounces string `json:"bounces,omitempty"`
}

// MailTLS lists how the line to the mail server is kept secret: by STARTTLS or
// not at all sent, from the first byte, by STARTTLS where it is offered, never.
// The last is for a server on this machine.
func MailTLS() []string { return []string{"required", "direct", "offered", "none"} }

// Notices says when customers are told; what is left out is as usual.
type Notices struct {
	// QuietFrom and QuietTo are the hours of the customer's day between which
	// only what asks something is told; the same: none are quiet.
	QuietFrom *int `json:"quiet_from,omitempty"`
	QuietTo   *int `json:"quiet_to,omitempty"`
	// DigestCases so many, within DigestMinutes, are told in one mail.
	DigestCases   *int `json:"digest_cases,omitempty"`
	DigestMinutes *int `json:"digest_minutes,omitempty"`
	// Push offers customers to be told in their browsers, through the browsers'
	// makers; nil: it is offered wherever browsers can.
	Push *bool `json:"push,omitempty"`
	// RemindHours is how long before the end a customer is reminded to choose.
	RemindHours []float64 `json:"remind_hours,omitempty"`
}

func (s *SMTP) fromEnvironment(env []string) error {
	for name, into := range map[string]*string{
		"HOST": &s.Host, "USER": &s.User, "PASSWORD": &s.Password, "FROM": &s.From, "TLS": &s.TLS, "BOUNCES": &s.Bounces,
	} {
		if value, ok := lookup(env, "FLAWMARK_SMTP_"+name); ok {
			*into = value
		}
	}
	if value, ok := lookup(env, "FLAWMARK_SMTP_PORT"); ok && value != "" {
		port, err := strconv.Atoi(value)
		if err != nil {
			return invalidMail("port", value, "1 – 65535")
		}
		s.Port = port
	}
	return nil
}

func (s *SMTP) check() error {
	if s.Host == "" {
		return nil
	}
	if strings.ContainsAny(s.Host, " \t\r\n/@:") && !isAddress(s.Host) || len(s.Host) > 253 {
		return invalidMail("host", s.Host, "mail.example.com")
	}
	if s.TLS == "" {
		s.TLS = MailTLS()[0]
	}
	switch s.TLS {
	case "required", "offered", "direct":
	case "none":
		if s.Password != "" && !isThisMachine(s.Host) {
			return invalidMail("tls", s.TLS, "required, direct")
		}
	default:
		return invalidMail("tls", s.TLS, strings.Join(MailTLS(), ", "))
	}
	if s.Port == 0 {
		s.Port = map[string]int{"direct": 465, "none": 25}[s.TLS]
		if s.Port == 0 {
			s.Port = 587
		}
	}
	if s.Port < 1 || s.Port > 65535 {
		return invalidMail("port", strconv.Itoa(s.Port), "1 – 65535")
	}
	if address, err := mail.ParseAddress(s.From); err != nil || !strings.Contains(address.Address, "@") || strings.ContainsAny(s.From, "\r\n") {
		return invalidMail("from", s.From, "Flawmark <noreply@example.com>")
	}
	if address, err := mail.ParseAddress(s.Bounces); s.Bounces != "" && (err != nil || address.Address != s.Bounces ||
		strings.ContainsAny(s.Bounces, "\r\n\"") || strings.Count(s.Bounces, "@") != 1) {
		return invalidMail("bounces", s.Bounces, "bounces@example.com")
	}
	if (s.User == "") != (s.Password == "") {
		return &Invalid{Key: "cli.setting_pair", Setting: "smtp.user", Value: "smtp.password"}
	}
	if strings.ContainsAny(s.User+s.Password, "\r\n\x00") {
		return invalidMail("user", "…", "ana")
	}
	return nil
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func invalidMail(name, value, want string) error {
	return &Invalid{Key: "cli.setting_invalid", Setting: "smtp." + name, Value: value, Want: want}
}

func (n *Notices) check() error {
	for _, one := range []struct {
		name        string
		value       *int
		least, most int
	}{
		{"quiet_from", n.QuietFrom, 0, 23},
		{"quiet_to", n.QuietTo, 0, 23},
		{"digest_cases", n.DigestCases, 0, 1000},
		{"digest_minutes", n.DigestMinutes, 0, 1440},
	} {
		if v := one.value; v != nil && (*v < one.least || *v > one.most) {
			return &Invalid{
				Key: "cli.setting_invalid", Setting: "notices." + one.name, Value: strconv.Itoa(*v),
				Want: strconv.Itoa(one.least) + " – " + strconv.Itoa(one.most),
			}
		}
	}
	for _, hours := range n.RemindHours {
		if !(hours > 0 && hours <= 240) || len(n.RemindHours) > 10 {
			return &Invalid{Key: "cli.setting_invalid", Setting: "notices.remind_hours", Value: strconv.FormatFloat(hours, 'g', -1, 64), Want: "24, 6, 1"}
		}
	}
	return nil
}
