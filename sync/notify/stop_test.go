package notify_test

import (
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/notify"
	"flawmark/sync/notify/mailtest"
)

const stopAddress = "https://qc.example.com/mails?t=st0p-"

// A mail can be stopped by a reader of mail itself where it only tells how a
// case gets on. One that says anything that the customer must know offers no way
// to end it, not even together with what may be ended.
func TestLetters_CanBeStoppedWhereTheyMayBe(t *testing.T) {
	t.Parallel()
	both := []refund.Notice{told(refund.TellSentBack), told(refund.TellCredited)}
	two := []refund.Notice{told(refund.TellSentBack), told(refund.TellRefunding)}
	for _, notices := range [][]refund.Notice{both, two} {
		for i := range notices {
			notices[i].ID, notices[i].Snapshot.Case = "n"+string(notices[i].Kind), qc.CaseID("c"+notices[i].Kind)
		}
	}
	mails := map[string]mailtest.Mail{"both": letters(t, "en", both...), "two": letters(t, "en", two...)}
	may := map[string]bool{"two": true}
	for _, kind := range refund.NoticeKinds() {
		mails[string(kind)] = letters(t, "zh", told(kind))
		may[string(kind)] = kind == refund.TellSentBack || kind == refund.TellRefunding
	}
	for name, m := range mails {
		header := m.Message(t).Header
		want, click := "", ""
		if may[name] {
			want, click = "<"+stopAddress+">", "List-Unsubscribe=One-Click"
		}
		if got := header.Get("List-Unsubscribe"); got != want {
			t.Errorf("%s: List-Unsubscribe is %q, want %q", name, got, want)
		}
		if got := header.Get("List-Unsubscribe-Post"); got != click {
			t.Errorf("%s: List-Unsubscribe-Post is %q, want %q", name, got, click)
		}
		if text, html := mailtest.Bodies(t, m); strings.Contains(text, stopAddress) != may[name] || strings.Contains(html, stopAddress) != may[name] {
			t.Errorf("%s: its text and HTML offer it otherwise than its header:\n%s", name, text)
		}
		if header.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("%s: is not marked as automatic", name)
		}
	}
}

// Without TLS there is the address, and no click that a reader of mail would make.
func TestMailer_PromisesOneClickOverTLSOnly(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	mailer, err := notify.NewMailer(to(server), func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	letter := notify.Letter{Subject: "x", Text: "x", HTML: "x", Stop: "http://centre.test/mails?t=x"}
	if err := mailer.Send(t.Context(), "n1", "ana@example.com", letter); err != nil {
		t.Fatal(err)
	}
	header := server.Mails()[0].Message(t).Header
	if header.Get("List-Unsubscribe") != "<http://centre.test/mails?t=x>" || header.Get("List-Unsubscribe-Post") != "" {
		t.Errorf("headers %v", header)
	}
}
