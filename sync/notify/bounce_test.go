package notify_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"flawmark/sync/notify"
	"flawmark/sync/notify/mailtest"
)

const (
	ours   = "019f3a2b-7c4d-7e5f-8a6b-0c1d2e3f4a5b"
	theirs = "019f3a2b-7c4d-7e5f-8a6b-ffffffffffff"
)

// report is a message as RFC 3464 wants it.
func report(to, action, status, returned string) string {
	fields := "Reporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; ana@example.org\n"
	if action != "" {
		fields += "Action: " + action + "\n"
	}
	if status != "" {
		fields += "Status: " + status + "\n"
	}
	return `From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
To: ` + to + `
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

This is a MIME-encapsulated message.

--b1
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b1
Content-Type: message/delivery-status

` + fields + `
--b1
Content-Type: message/rfc822

Return-Path: <qc@example.com>
From: Flawmark <qc@example.com>
To: ana@example.org
` + returned + `Subject: =?UTF-8?q?Please_choose?=

Hello Ana,
--b1--
`
}

func bounces() map[string]struct {
	message string
	is      bool
	want    notify.Bounce
} {
	const named = "Message-ID: <" + ours + "@example.com>\n"
	failed := notify.Bounce{Mail: ours, Status: "5.1.1", Failed: true}
	in := func(kind, body string) string {
		return "From: Mail Delivery System <Mailer-Daemon@mx.example.org>\nTo: qc@example.com\nContent-Type: " + kind + "\n\n" + body
	}
	qmail := "Hi. This is the qmail-send program at mx.example.org.\n\n<ana@example.org>:\n192.0.2.7 does not like recipient.\n" +
		"Remote host said: 550 5.1.1 no such user\nGiving up on 192.0.2.7.\n\n--- Below this line is a copy of the message.\n\nFrom: qc@example.com\n" + named
	return map[string]struct {
		message string
		is      bool
		want    notify.Bounce
	}{
		"by the returned message":   {report("qc@example.com", "failed", "5.1.1", named), true, failed},
		"by the address":            {report("<bounces+"+ours+"@example.com>", "failed", "5.1.1", ""), true, failed},
		"by both, in other letters": {report("bounces+"+strings.ToUpper(ours)+"@EXAMPLE.com", "Failed", "5.1.1", named), true, failed},
		"with lines of the net":     {strings.ReplaceAll(report("qc@example.com", "failed", "5.1.1", named), "\n", "\r\n"), true, failed},
		"with a remark":             {report("qc@example.com", "failed (gone)", "5.1.1 (bad destination)", named), true, failed},
		"tried for days":            {report("qc@example.com", "failed", "4.4.7", named), true, notify.Bounce{Mail: ours, Status: "4.4.7", Failed: true}},
		"without a status":          {report("qc@example.com", "failed", "", named), true, notify.Bounce{Mail: ours, Failed: true}},
		"without an action":         {report("qc@example.com", "", "5.7.1", named), true, notify.Bounce{Mail: ours, Status: "5.7.1", Failed: true}},
		"neither":                   {report("qc@example.com", "", "", named), false, notify.Bounce{}},
		"delayed":                   {report("qc@example.com", "delayed", "4.4.1", named), true, notify.Bounce{Mail: ours, Status: "4.4.1"}},
		"delayed, says a 5":         {report("qc@example.com", "delayed", "5.4.1", named), true, notify.Bounce{Mail: ours, Status: "5.4.1"}},
		"delivered":                 {report("qc@example.com", "delivered", "2.0.0", named), true, notify.Bounce{Mail: ours, Status: "2.0.0"}},
		"of somebody else's mail":   {report("qc@example.com", "failed", "5.1.1", "Message-ID: <abc@example.org>\n"), true, notify.Bounce{Status: "5.1.1", Failed: true}},
		"of two mails":              {report("bounces+"+theirs+"@example.com", "failed", "5.1.1", named), true, notify.Bounce{Status: "5.1.1", Failed: true}},
		"of a name within a name":   {report("qc@example.com", "failed", "5.1.1", "Message-ID: <x"+ours+"@example.com>\n"), true, notify.Bounce{Status: "5.1.1", Failed: true}},
		"headers alone":             {strings.Replace(report("qc@example.com", "failed", "5.1.1", named), "message/rfc822", "text/rfc822-headers", 1), true, failed},
		"in base64": {strings.Replace(report("bounces+"+ours+"@example.com", "failed", "5.1.1", ""),
			"message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; ana@example.org\nAction: failed\nStatus: 5.1.1\n",
			"message/global-delivery-status\nContent-Transfer-Encoding: base64\n\n"+
				base64.StdEncoding.EncodeToString([]byte("Reporting-MTA: dns; x\n\nAction: failed\nStatus: 5.1.1\n\n"))+"\n", 1), true, failed},
		"cut off":            {report("bounces+"+ours+"@example.com", "failed", "5.1.1", "")[:700], true, failed},
		"of qmail":           {in("text/plain", qmail), true, failed},
		"of Exim":            {"X-Failed-Recipients: ana@example.org\nAuto-Submitted: auto-replied\n" + in("text/plain", "This message could not be delivered.\n\n550 no such user here\n\n> "+named), true, notify.Bounce{Mail: ours, Failed: true}},
		"plainly delayed":    {in("text/plain", "Warning: delayed 24 hours\n450 4.2.0 greylisted\n"+named), true, notify.Bounce{Mail: ours, Status: "4.2.0"}},
		"delayed, a number":  {in("text/plain", "The message is delayed, 4.2.0. Delivery of message 500 will be retried.\n"+named), true, notify.Bounce{Mail: ours, Status: "4.2.0"}},
		"a person's answer":  {"From: Ana <ana@example.org>\nTo: bounces+" + ours + "@example.com\nContent-Type: text/plain\n\n550 5.1.1 is what I read. Why?\n", false, notify.Bounce{}},
		"away":               {"From: Ana <ana@example.org>\nTo: bounces+" + ours + "@example.com\nAuto-Submitted: auto-replied\n\nI am away until 5.1.27.\n", false, notify.Bounce{}},
		"postmaster is away": {"From: postmaster@example.org\nTo: bounces+" + ours + "@example.com\nAuto-Submitted: auto-replied (vacation)\n\nI am away. Call 550 5.1.1.\n", false, notify.Bounce{}},
		"has been read": {"From: ana@example.org\nTo: qc@example.com\nContent-Type: multipart/report; report-type=disposition-notification; boundary=x\n\n" +
			"--x\nContent-Type: message/disposition-notification\n\nDisposition: manual-action/MDN-sent-manually; displayed\n--x--\n", false, notify.Bounce{}},
		"no message": {"\x00\x01", false, notify.Bounce{}},
		"nothing":    {"", false, notify.Bounce{}},
	}
}

func TestReadBounce_KnowsWhatCameBack(t *testing.T) {
	t.Parallel()
	for name, tt := range bounces() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, is := notify.ReadBounce([]byte(tt.message))
			if is != tt.is || got != tt.want {
				t.Errorf("read %+v, %v; want %+v, %v, of\n%s", got, is, tt.want, tt.is, tt.message)
			}
		})
	}
}

// However much there is and however deep it lies, it is read within limits.
func TestReadBounce_WithinLimits(t *testing.T) {
	t.Parallel()
	long := report("bounces+"+ours+"@example.com", "failed", "5.1.1", "") + strings.Repeat("x", 10*notify.MaxBounce)
	if got, is := notify.ReadBounce([]byte(long)); !is || !got.Failed {
		t.Errorf("a long one is read as %+v, %v", got, is)
	}
	deep := "From: mailer-daemon@example.org\n" + strings.Repeat("Content-Type: multipart/mixed; boundary=b\n\n--b\n", 5000)
	many := "From: mailer-daemon@example.org\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 30_000)
	for _, message := range []string{deep, many} {
		if got, is := notify.ReadBounce([]byte(message)); is {
			t.Errorf("read as %+v", got)
		}
	}
}

// Where bounces go to is named, the mail is known by the address it comes back to.
func TestMailer_IsKnownByTheAddressOfBounces(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	settings := to(server)
	settings.Bounces = "bounces@qc.example.com"
	mailer, err := notify.NewMailer(settings, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	if err := mailer.Send(t.Context(), ours, "ana@example.com", notify.Letter{Subject: "x", Text: "x", HTML: "x"}); err != nil {
		t.Fatal(err)
	}
	got := server.Mails()[0]
	if !strings.Contains(got.From, "<bounces+"+ours+"@qc.example.com>") || !strings.Contains(got.Message(t).Header.Get("From"), "qc@example.com") {
		t.Errorf("from %q in the envelope, %q in the mail", got.From, got.Message(t).Header.Get("From"))
	}
}

func FuzzReadBounce(f *testing.F) {
	for _, one := range bounces() {
		f.Add([]byte(one.message))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		got, is := notify.ReadBounce(message)
		if !is && got != (notify.Bounce{}) {
			t.Errorf("is none, and says %+v", got)
		}
		if got.Mail != "" && len(got.Mail) != len(ours) || len(got.Status) > len("5.999.999") {
			t.Errorf("read %+v", got)
		}
	})
}
