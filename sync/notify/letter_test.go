package notify_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets" //nolint:depguard // the test sends the real words
	"flawmark/sync/notify"
	"flawmark/sync/notify/mailtest"

	"github.com/google/go-cmp/cmp"
)

var (
	update  = flag.Bool("update", false, "rewrite the golden letters")
	outFlag = flag.String("out", "", "folder for the HTML of every letter")
)

// told is a notice of a kind as it arises in life.
func told(kind refund.NoticeKind) refund.Notice {
	n := notice(kind)
	s := &n.Snapshot
	by := s.DecideBy
	s.Status, s.DecideBy = refund.Negotiating, time.Time{}
	switch kind {
	case refund.TellProblem, refund.TellPhotos, refund.TellReminder:
		s.Status, s.DecideBy = refund.AwaitingDecision, by
	case refund.TellOffer:
		s.Status, s.Offer = refund.OfferPending, &refund.Offer{Amount: money.Fen(12000), ExpiresAt: noon.Add(48 * time.Hour)}
	case refund.TellRefused:
		s.Status = refund.SellerRefused
	case refund.TellSentBack:
		s.Status, s.Carrier, s.ReturnWaybill = refund.Returning, "SF Express", "SF9876543210987"
	case refund.TellCredited:
		s.Status, s.Credited, s.Memo = refund.Credited, money.Fen(40100), 17
	case refund.TellCorrection:
		s.Status = refund.Withdrawn
	case refund.TellInstructed:
		s.Rule = refund.GraveRule
	case refund.TellAnswer:
		s.Ticket = "20481-T1"
	}
	return n
}

func subjectOf(t *testing.T, m mailtest.Mail) string {
	t.Helper()
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Message(t).Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return subject
}

// letters sends notices of the given orders, each of one item, as one mail.
func letters(t *testing.T, language string, notices ...refund.Notice) mailtest.Mail {
	t.Helper()
	server := mailtest.Start(t)
	b := &box{held: refund.Consignment{ID: "batch-1", Notices: notices}}
	customer := qc.Customer{Name: map[string]string{"en": "Ana Moreira", "zh": "林佳慧"}[language], Language: language, Email: "ana@example.com", TimeZone: "Europe/Madrid"}
	s := rig(t, b, to(server), customer, io.Discard)
	s.Subject = func(_ context.Context, about refund.Snapshot) (notify.Subject, error) {
		return notify.Subject{
			Case: refund.Case{
				Order: about.Order, Status: about.Status, DecideBy: about.DecideBy, ChangedAt: noon, Policy: 1, Version: 3, OpenedAt: noon,
				WindowEndsAt: noon.Add(90 * time.Hour),
			},
			Item:     qc.Item{ID: about.Item, Title: qc.Bilingual{EN: "White high-tops", ZH: "白色高帮运动鞋"}, Variant: qc.Bilingual{EN: "EU 42, white", ZH: "42码 白色"}},
			Customer: customer,
			Found:    []qc.Bilingual{{EN: "Wrong colour", ZH: "颜色不符"}, {EN: "Scuff", ZH: "刮擦"}},
		}, nil
	}
	if _, err := s.Drain(t.Context(), refund.ByMail); err != nil {
		t.Fatal(err)
	}
	mails := server.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails, %+v", len(mails), b.outcomes)
	}
	return mails[0]
}

// digest is what is told together: of two orders.
func digest() []refund.Notice {
	all := []refund.Notice{told(refund.TellCredited), told(refund.TellProblem), told(refund.TellOffer)}
	for i := range all {
		all[i].ID, all[i].Snapshot.Case = fmt.Sprint("n", i), qc.CaseID(fmt.Sprint("c", i))
	}
	all[2].Snapshot.Order, all[2].Snapshot.Item = "20482", "20482-1"
	return all
}

var (
	tags   = regexp.MustCompile(`(?s)<style>.*?</style>|<div style="display:none.*?</div>|<title>.*?</title>|<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

// Every letter is as the golden one, and says as text all that it says as HTML:
// until when, what happens then, and one way to the page for each order.
func TestLetters_AreAsTheGoldenOnes(t *testing.T) {
	t.Parallel()
	for _, language := range assets.Languages() {
		var all strings.Builder
		mails := map[string]mailtest.Mail{}
		var names []string
		for _, kind := range refund.NoticeKinds() {
			names = append(names, string(kind))
			mails[string(kind)] = letters(t, language, told(kind))
		}
		names = append(names, "digest")
		mails["digest"] = letters(t, language, digest()...)
		for _, name := range names {
			text, html := mailtest.Bodies(t, mails[name])
			text = strings.ReplaceAll(text, "\r\n", "\n")
			fmt.Fprintf(&all, "======== %s: %s\n%s\n", name, subjectOf(t, mails[name]), text)
			orders := 1
			if name == "digest" {
				orders = 2
			}
			if strings.Count(text, "?t=s3cret") != orders || strings.Count(html, "?t=s3cret") != orders {
				t.Errorf("%s, %s: not one link an order:\n%s", language, name, text)
			}
			for _, line := range strings.Split(tags.ReplaceAllString(html, "\n"), "\n") {
				line = blanks.ReplaceAllString(strings.NewReplacer("&#39;", "'", "&#43;", "+", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(line), " ")
				if line = strings.TrimSpace(line); line != "" && !strings.Contains(text, line) {
					t.Errorf("%s, %s: only HTML says %q", language, name, line)
				}
			}
			if *outFlag != "" {
				if err := os.WriteFile(filepath.Join(*outFlag, "mail-"+name+"-"+language+".html"), []byte(html), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		file := filepath.Join("testdata", "letters-"+language+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(all.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), all.String()); diff != "" {
			t.Errorf("letters differ (go test -update rewrites them):\n%s", diff)
		}
	}
}
