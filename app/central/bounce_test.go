package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"flawmark/app/command"
	"flawmark/app/door"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/sync/notify/mailtest"
)

// bounce hands a message over to the centre that is running.
func (h *house) bounce(message string) (exit int, says string) {
	h.t.Helper()
	var out bytes.Buffer
	call := door.Call{Args: []string{"notices", "bounce", "--lang", "en"}, Dir: h.t.TempDir(), Input: []byte(message)}
	exit = program().Answer(command.Holding(h.t.Context(), h.c), call, nil, &out, &out)
	return exit, out.String()
}

// returned is what a server makes of a mail that it could not deliver.
func returned(m mailtest.Mail, action, status string) string {
	_, to, _ := strings.Cut(m.From, "<")
	to, _, _ = strings.Cut(to, ">")
	return "From: MAILER-DAEMON@mx.example.org\nTo: " + to + "\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n" +
		"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\nAction: " + action + "\nStatus: " + status + "\n\n" +
		"--b\nContent-Type: message/rfc822\n\n" + m.Data + "\n--b--\n"
}

// TestBounce_TheDeskShowsWhoWasNotTold sends a mail, has it come back, and looks
// at the desk; the mail is known by its Message-ID or by the
// address that it comes back to.
func TestBounce_TheDeskShowsWhoWasNotTold(t *testing.T) {
	t.Parallel()
	for name, box := range map[string]string{"by its address": "bounces@example.com", "by its name": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			server := h.write("en")
			h.c.settings.SMTP.Bounces = box
			h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
			_, err := h.sender().Drain(t.Context(), refund.ByMail)
			h.must(err)
			mail := server.Mails()[0]
			if (box != "") != strings.Contains(mail.From, "bounces+") {
				t.Fatalf("sent by %s", mail.From)
			}
			for _, harmless := range []string{
				returned(mail, "delayed", "4.4.1"), "Subject: I am away\n\n550 5.1.1\n", "",
				returned(mailtest.Mail{From: "<qc@example.com>", Data: "Message-ID: <some@example.org>\n\n"}, "failed", "5.1.1"),
			} {
				if exit, says := h.bounce(harmless); exit != 0 || !strings.Contains(says, "nothing is changed") {
					t.Errorf("exit %d: %s", exit, says)
				}
			}
			exit, says := h.bounce(returned(mail, "failed", "5.1.1"))
			if exit != 0 || !strings.Contains(says, "was not told") {
				t.Errorf("exit %d: %s", exit, says)
			}
			if exit, says = h.bounce(returned(mail, "failed", "5.1.1")); exit != 0 || !strings.Contains(says, "nothing is changed") {
				t.Errorf("the second time, exit %d: %s", exit, says)
			}
			cases, err := h.c.store.Cases(t.Context(), central.CaseFilter{})
			h.must(err)
			told, err := h.c.store.Telling(t.Context(), cases[0].ID, h.now)
			h.must(err)
			if !told.Untold {
				t.Errorf("the desk is not shown it: %+v", told)
			}
		})
	}
}

// Where no centre runs, the mail server keeps the message, and nothing is opened.
func TestBounce_IsKeptWhileTheCentreIsAway(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for _, args := range [][]string{{"--lang", "en"}, {"--nonsense"}} {
		var out bytes.Buffer
		p := program()
		p.Stdin = strings.NewReader("x")
		args = append(args, "notices", "bounce", "--data", data)
		if exit := p.Main(t.Context(), args, nil, t.TempDir(), &out, &out); exit != exTempFail {
			t.Errorf("%q: exit %d: %s", args, exit, out.String())
		}
	}
	if left, err := os.ReadDir(data); err != nil || len(left) > 0 {
		t.Errorf("it has made %v there, %v", left, err)
	}
}
