package web

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden pages")

// shot is a page as somebody sees it in a world.
type shot struct {
	name    string
	who     string // "customer" of order 20481, a staff id, or empty for a stranger
	address string
	status  int
	world   func(*testing.T, *world)
}

func flaggedWorld(t *testing.T, w *world) {
	t.Helper()
	w.flagged(t, "20481-2", false)
	w.passed(t, "20481-1")
}

func chosenWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	w.move(t, "K-20481-2", refund.Event{Kind: refund.ChoseRefund, Actor: customer})
}

func refundingWorld(t *testing.T, w *world) {
	t.Helper()
	chosenWorld(t, w)
	w.move(t, "K-20481-2", refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
}

func refusedWorld(t *testing.T, w *world) {
	t.Helper()
	chosenWorld(t, w)
	w.move(t, "K-20481-2", refund.Event{Kind: refund.Refused, Actor: clerk, Reason: "影响二次销售"})
}

func creditedWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	w.settled(t, "K-20481-2")
}

func lateWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	w.now = w.cases["K-20481-2"].WindowEndsAt
}

func unansweredWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	w.now = w.cases["K-20481-2"].DecideBy
	w.move(t, "K-20481-2", refund.Event{Kind: refund.NoAnswer, Actor: refund.Actor{Party: refund.BySystem}})
}

// askedWorld has a question that was answered and asked on.
func askedWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	there := w.blob(t, "thomas-serer-420833-unsplash.jpg")
	picture := refund.Picture{Digest: there, Thumb: there, Width: 4, Height: 3, Bytes: 9}
	first := refund.Writing{
		Order: "20481", Item: "20481-2", Case: "K-20481-2", Topic: refund.TopicQuestion, Actor: customer, Key: "1", At: w.now,
		Text: "Is the sole glued?\nIt looks loose.", Pictures: []refund.Picture{picture},
	}
	for _, next := range []refund.Writing{
		first,
		{Order: "20481", Ticket: "20481-T1", Actor: clerk, Text: "鞋底完好", Seen: 1, Key: "2", At: w.now.Add(20 * time.Minute)},
		{Order: "20481", Ticket: "20481-T1", Actor: customer, Text: "Thanks. And the laces?", Key: "3", At: w.now.Add(time.Hour)},
		{Order: "20481", Topic: refund.TopicPhotos, Actor: customer, Text: "May I see the box?", Key: "4", At: w.now.Add(2 * time.Hour)},
	} {
		if _, err := w.WriteTicket(t.Context(), next); err != nil {
			t.Fatal(err)
		}
	}
	w.now = w.now.Add(3 * time.Hour)
}

func shots() []shot {
	ok := http.StatusOK
	return []shot{
		{"order-nothing-yet", "customer", "/o/20481", ok, func(t *testing.T, w *world) { t.Helper(); w.flagged(t, "20481-2", true) }},
		{"order-decide", "customer", "/o/20481", ok, flaggedWorld},
		{"order-decide-zh", "customer", "/o/20481?lang=zh", ok, flaggedWorld},
		{"order-every-tool", "customer", "/o/20481", ok, markedWorld},
		{"photo-every-tool", "customer", "/o/20481/photos/PHOTO", ok, markedWorld},
		{"photo-every-tool-zh", "D01", "/desk/cases/K-20481-2/photos/PHOTO?lang=zh", ok, markedWorld},
		{"photo-listing", "customer", "/o/20481/photos/LISTING", ok, flaggedWorld},
		{"order-late", "customer", "/o/20481", ok, lateWorld},
		{"order-chosen", "customer", "/o/20481?notice=web.notice.done&case=K-20481-2", ok, chosenWorld},
		{"order-refused", "customer", "/o/20481?notice=error.case_moved_on", ok, refusedWorld},
		{"order-unanswered", "customer", "/o/20481?notice=error.case_moved_on&case=K-20481-2", ok, unansweredWorld},
		{"case-unanswered", "D01", "/desk/cases/K-20481-2", ok, unansweredWorld},
		{"order-credited", "customer", "/o/20481", ok, creditedWorld},
		{"memo", "customer", "/o/20481/memos/1", ok, creditedWorld},
		{"memo-desk-zh", "D01", "/desk/memos/1?lang=zh", ok, creditedWorld},
		{"order-fragment", "customer", "/o/20481?fragment=1", ok, flaggedWorld},
		{"order-asked", "customer", "/o/20481", ok, askedWorld},
		{"tickets", "customer", "/o/20481/tickets?item=20481-2", ok, askedWorld},
		{"ticket-zh", "customer", "/o/20481/tickets/20481-T1?lang=zh&notice=web.ticket.sent", ok, askedWorld},
		{"desk-tickets", "D01", "/desk/tickets", ok, askedWorld},
		{"desk-tickets-none", "D01", "/desk/tickets", ok, flaggedWorld},
		{"desk-ticket", "D01", "/desk/tickets/20481-T1", ok, askedWorld},
		{"case-asked", "D01", "/desk/cases/K-20481-2", ok, askedWorld},
		{"order-no-link", "", "/o/20481", http.StatusNotFound, flaggedWorld},
		{"sign-in", "", "/desk/sign-in", ok, flaggedWorld},
		{"desk-empty", "D01", "/desk", ok, func(*testing.T, *world) {}},
		{"desk", "D01", "/desk", ok, flaggedWorld},
		{"desk-busy-zh", "D01", "/desk?show=all&lang=zh", ok, busyWorld},
		{"bulk", "D01", "/desk/bulk?" + allClaims + "&event=refuse", ok, claimsWorld},
		{"bulk-zh", "D01", "/desk/bulk?" + allClaims + "&event=withdraw&lang=zh", ok, claimsWorld},
		{"bulk-none", "D01", "/desk/bulk", ok, claimsWorld},
		{"case-refused", "D01", "/desk/cases/K-20481-2", ok, refusedWorld},
		{"case-untold", "D01", "/desk/cases/K-20481-2", ok, untoldWorld},
		{"case-untold-zh", "V01", "/desk/cases/K-20481-2?lang=zh", ok, untoldWorld},
		{"desk-untold", "D01", "/desk?untold=1", ok, untoldWorld},
		{"desk-no-mail", "D01", "/desk", ok, noMailWorld},
		{"case-no-mail-zh", "L01", "/desk/cases/K-20481-2?lang=zh", ok, noMailWorld},
		{"case-corrected-zh", "D01", "/desk/cases/K-20481-2?notice=web.contact.again&lang=zh", ok, correctedWorld},
		{"letters", "D01", "/desk/cases/K-20481-2/letters?text=seller-again", ok, refusedWorld},
		{"letters-zh", "V01", "/desk/cases/K-20481-2/letters?text=customer-refused&lang=zh", ok, refusedWorld},
		{"letters-none", "D01", "/desk/cases/K-20481-2/letters", ok, refusedWorld},
		{"sellers", "D01", "/desk/sellers?sort=refused", ok, recordsWorld},
		{"sellers-none-zh", "D01", "/desk/sellers?lang=zh", ok, chosenWorld},
		{"seller", "V01", "/desk/sellers?seller=%E6%BD%AE%E6%B5%81%E5%89%8D%E7%BA%BF%E9%9E%8B%E5%BA%97", ok, recordsWorld},
		{"reports", "D01", "/desk/reports", ok, chosenWorld},
		{"reports-wrong-zh", "V01", "/desk/reports?from=2026-11-02&to=2026-11-01&lang=zh", ok, chosenWorld},
		{"refunds", "D01", "/desk/refunds", ok, claimsWorld},
		{"refunds-look-zh", "V01", "/desk/refunds?lang=zh", ok, paymentsWorld},
		{"refunds-preview", "D01", paymentsRun, ok, paymentsWorld},
		{"refunds-preview-zh", "D01", paymentsRun + "?lang=zh", ok, paymentsWorld},
		{"refunds-result", "D01", paymentsRun + "?notice=web.refunds.again", ok, bookedWorld},
		{"refunds-result-zh", "D01", paymentsRun + "?lang=zh", ok, bookedWorld},
		{"texts", "D01", "/desk/texts", ok, refusedWorld},
		{"text", "L01", "/desk/texts/customer-refused", ok, refusedWorld},
		{"mails", "", "/mails?t=" + mailSecret, ok, flaggedWorld},
		{"mails-stopped", "", "/mails?t=" + mailSecret, ok, stoppedWorld},
		{"order-mails-zh", "customer", "/o/20481?lang=zh", ok, stoppedWorld},
		{"text-new-zh", "L01", "/desk/texts/new?lang=zh", ok, refusedWorld},
		{"desk-not-found", "D01", "/desk?q=99999", ok, flaggedWorld},
		{"case-lead", "L01", "/desk/cases/K-20481-2", ok, func(t *testing.T, w *world) { t.Helper(); w.flagged(t, "20481-2", true) }},
		{"case-negotiating", "D01", "/desk/cases/K-20481-2", ok, chosenWorld},
		{"case-refunding-zh", "D01", "/desk/cases/K-20481-2?lang=zh", ok, refundingWorld},
		{"case-unknown", "D01", "/desk/cases/K-0", http.StatusNotFound, flaggedWorld},
	}
}

// page returns what somebody gets, following the redirect of a chosen language.
func (s shot) page(t *testing.T) string {
	t.Helper()
	w := newWorld(t)
	s.world(t, w)
	b := w.reader(t)
	switch s.who {
	case "":
	case "customer":
		b.openLink("20481")
	default:
		b.signIn(qc.StaffID(s.who))
	}
	_, item := w.itemAndOrder("20481-2")
	address := strings.ReplaceAll(s.address, "LISTING", string(item.ListingPhoto))
	if f := w.findings["F-20481-2"]; len(f.Photos) > 0 {
		address = strings.ReplaceAll(address, "PHOTO", string(f.Photos[0].Digest))
	}
	if strings.Contains(address, "lang=") {
		answer := b.do(http.MethodGet, address, nil)
		b.body(answer, http.StatusSeeOther)
		address = answer.header.Get("Location")
	}
	return b.get(address, s.status)
}

// hashed are the parts of addresses that change with every edit of a style.
var hashed = regexp.MustCompile(`(/assets/[a-z]+)\.[0-9a-f]+\.`)

func TestPages_AreAsTheGoldenOnes(t *testing.T) {
	t.Parallel()
	for _, s := range shots() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			got := hashed.ReplaceAllString(s.page(t), "$1.")
			file := filepath.Join("testdata", s.name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("page differs (go test -update rewrites it):\n%s", diff)
			}
		})
	}
}

var (
	ids        = regexp.MustCompile(`\sid="([^"]*)"`)
	inline     = regexp.MustCompile(`(?i)\sstyle=|<style|<script>|\son[a-z]+=|javascript:`)
	elsewhere  = regexp.MustCompile(`(?:src|href|action)="(?:https?:)?//`)
	untold     = regexp.MustCompile(`\b(web|error|status|decision|severity|zone|event|action|field|role|word|button|time|ticket|match|non_returnable)\.[a-z_]+(\.[a-z_]+)*\b`)
	labelFor   = regexp.MustCompile(`\sfor="([^"]*)"`)
	unlabelled = regexp.MustCompile(`<(?:button|summary)[^>]*>\s*</`)
)

func TestPages_AreWellMade(t *testing.T) {
	t.Parallel()
	for _, s := range shots() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			page := s.page(t)
			seen := map[string]bool{}
			for _, id := range ids.FindAllStringSubmatch(page, -1) {
				if seen[id[1]] || id[1] == "" {
					t.Errorf("id %q is on the page twice or empty", id[1])
				}
				seen[id[1]] = true
			}
			for _, label := range labelFor.FindAllStringSubmatch(page, -1) {
				if !seen[label[1]] {
					t.Errorf("a label is for %q, which is not there", label[1])
				}
			}
			if found := inline.FindString(page); found != "" {
				t.Errorf("the page has inline style or script, which its policy forbids: %q", found)
			}
			if found := elsewhere.FindString(page); found != "" {
				t.Errorf("the page refers to another host: %q", found)
			}
			if found := unlabelled.FindString(page); found != "" {
				t.Errorf("a control has no words: %q", found)
			}
			text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")
			if found := untold.FindString(text); found != "" {
				t.Errorf("a key shows instead of its words: %q", found)
			}
			for _, image := range regexp.MustCompile(`<img[^>]*>`).FindAllString(page, -1) {
				if !strings.Contains(image, " alt=") {
					t.Errorf("an image has no alternative text: %s", image)
				}
			}
		})
	}
}

// TestTemplates_WordsAreNoScripts: the template package takes what follows "data-on"
// for a script, as it does "onclick", and puts words in quotes that people then see.
func TestTemplates_WordsAreNoScripts(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join("templates", "*.html"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d templates, %v", len(names), err)
	}
	script := regexp.MustCompile(`\s(?:data-)?on[a-z-]*="`)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := script.FindString(string(text)); found != "" {
			t.Errorf("%s has%s…", name, found)
		}
	}
}
