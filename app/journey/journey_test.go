package journey

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/ui/bench"
)

// The two items of the story. Ana's shoes have a critical flaw and wait for a
// lead; Jiahui's have a stain, and she is told at once.
const (
	anaItem    qc.ItemID = "20481-2"
	jiahuiItem qc.ItemID = "20482-1"
)

// step names what happens now; the last one named is where a run failed.
func step(format string, args ...any) { fmt.Printf("step: "+format+"\n", args...) }

// TestJourney plays the whole story in a real window and a real browser: from
// a photo on the bench, without a network, to money on the balance.
func TestJourney(t *testing.T) {
	if *outFlag != "" {
		if err := os.MkdirAll(*outFlag, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	step("open a virtual screen")
	s := startScreen(t, 1366, 768)
	step("start the centre with sample orders")
	centreData := t.TempDir()
	c := startCentre(t, centreData, "", "--demo")
	ana, jiahui := c.line(t, "order 20481 "), c.line(t, "order 20482 ")

	step("open the station's window; it enrols and receives the orders")
	b := startStation(t, s, t.TempDir(), c.url, "en")
	until(t, "items at the station", func() bool {
		return len(rows[qc.Item](t, stationProgram, "items", "--data", b.data)) >= 10
	})
	b.hasListings(t)
	b.sees(t, "the sign-in", func(d bench.Description) bool { return d.Screen == "signin" })
	b.shot(t, "sign-in")
	step("refuse a wrong PIN, then sign in the inspector by badge")
	b.refusesWrongPIN(t)
	b.signIn(t, "B0012", "u12")
	b.shot(t, "inspect-empty")

	step("the centre goes away")
	c.kill()
	b.sees(t, "that the centre is offline", func(d bench.Description) bool { return strings.Contains(status(d), "offline") })

	step("flag Ana's high-tops, wrong size, while offline")
	b.opens(t, anaItem)
	b.shot(t, "inspect-item")
	b.photographs(t, "xavier-teo-469050-unsplash.jpg")
	b.marks(t, "r", 0.30, 0.35, 0.55, 0.60)
	b.key(t, "8")
	b.sees(t, "the flaw W03", func(d bench.Description) bool { return len(d.Flaws) == 1 && d.Flaws[0].Code == "W03" })
	b.marks(t, "a", 0.75, 0.20, 0.60, 0.40)
	b.shot(t, "inspect-marked")
	b.undoesAndRedoes(t)
	b.editsTheBox(t)
	b.records(t, anaItem)

	step("flag Jiahui's canvas shoes, a stain, while offline")
	b.opens(t, jiahuiItem)
	b.photographs(t, "mitch-lensink-256007-unsplash.jpg")
	b.marks(t, "r", 0.40, 0.45, 0.52, 0.58)
	b.key(t, "2")
	b.sees(t, "the flaw F04", func(d bench.Description) bool { return len(d.Flaws) == 1 && d.Flaws[0].Code == "F04" })
	b.records(t, jiahuiItem)
	for _, r := range b.queue(t) {
		if r.Delivery != qc.OnlyHere {
			t.Fatalf("%s is %s while the centre is away", r.Item, r.Delivery)
		}
	}
	b.key(t, "ctrl+3")
	b.sees(t, "the queue", func(d bench.Description) bool { return d.Screen == "queue" })
	b.shot(t, "queue-offline")

	step("the window closes in the middle of a third inspection and opens again")
	b.opens(t, "20485-1")
	b.photographs(t, "neonbrand-428982-unsplash.jpg")
	b.hasSaved(t)
	b.kill()
	b = startStation(t, s, b.data, c.url, "en")
	b.signIn(t, "B0012", "u12")
	b.sees(t, "the draft again", func(d bench.Description) bool { return d.Item == "20485-1" && d.Photos == 1 })

	step("the centre comes back; everything is delivered")
	c = startCentre(t, centreData, c.address())
	until(t, "both findings accepted", func() bool {
		list := b.queue(t)
		for _, r := range list {
			if r.Delivery != qc.Accepted {
				return false
			}
		}
		return len(list) == 2
	})
	b.key(t, "ctrl+3")
	b.sees(t, "everything sent", func(d bench.Description) bool { return strings.Contains(status(d), "online") })
	b.shot(t, "queue-sent")

	step("Jiahui sees the stain at once; Ana sees nothing yet")
	web := startBrowser(t)
	jiahuiPage := web.open(t, jiahui, 390, 844, true)
	jiahuiPage.see(t, "the question", headOf(jiahuiItem, refund.AwaitingDecision))
	jiahuiPage.shot(t, "order-zh")
	anaPage := web.open(t, ana, 390, 844, true)
	anaPage.see(t, "no case yet", `#item-`+string(anaItem)+`[data-state=progress]`)
	anaPage.shot(t, "order-waiting")

	step("the lead confirms Ana's flaw")
	b.key(t, "ctrl+shift+q")
	b.signIn(t, "B0007", "lead7")
	b.key(t, "ctrl+2")
	b.sees(t, "Ana's flag to review", func(d bench.Description) bool { return d.Screen == "review" && d.Selected == anaItem })
	b.shot(t, "review")
	b.key(t, "c")
	anaPage.see(t, "the question, without a reload", headOf(anaItem, refund.AwaitingDecision))
	anaPage.shot(t, "order-decide")

	step("Ana asks for a refund, Jiahui for an exchange")
	anaPage.decide(t, anaItem, refund.ChoseRefund)
	anaPage.see(t, "that the seller is asked", headOf(anaItem, refund.Negotiating))
	jiahuiPage.decide(t, jiahuiItem, refund.ChoseExchange)
	jiahuiPage.see(t, "that the seller is asked", headOf(jiahuiItem, refund.Negotiating))
	b.follows(t, anaItem, refund.Negotiating)
	anaCase, jiahuiCase := b.follows(t, anaItem, refund.Negotiating), b.follows(t, jiahuiItem, refund.Negotiating)

	step("the desk signs in; the seller takes Ana's shoes back")
	desk := web.open(t, c.url+"/desk", 1366, 900, false)
	desk.do(t, "sign in at the desk", chromedp.SendKeys(chromedp.CSS("#id"), "clerk3"), chromedp.SendKeys(chromedp.CSS("#password"), "desk-demo-3691"),
		chromedp.Click(chromedp.CSS("#sign-in")), chromedp.WaitVisible(chromedp.CSS("#worklist")))
	desk.shot(t, "desk-list")
	desk.do(t, "open Ana's case", chromedp.Navigate(c.url+"/desk/cases/"+string(anaCase.ID)))
	desk.see(t, "the case", "#actions")
	desk.shot(t, "desk-case")
	desk.act(t, refund.AgreedReturn, refund.ReturnApproved)

	step("the bench sends the shoes back and scans the waybill")
	b.follows(t, anaItem, refund.ReturnApproved)
	b.selects(t, anaItem)
	b.shot(t, "cases-send-back")
	b.key(t, "Return")
	b.scan(t, "SF7700112233445")
	if got := b.follows(t, anaItem, refund.Returning); got.ReturnWaybill != "SF7700112233445" {
		t.Fatalf("the parcel travels as %s", got.ReturnWaybill)
	}
	anaPage.see(t, "Returning", headOf(anaItem, refund.Returning))
	anaPage.shot(t, "order-returning")

	step("the seller receives the shoes and pays")
	desk.see(t, "Returning", statusOf(refund.Returning))
	desk.act(t, refund.SellerReceived, refund.SellerRefunding)
	anaPage.see(t, "Seller Refunding", headOf(anaItem, refund.SellerRefunding))
	desk.fill(t, refund.SellerPaid, "seller_ref", "TB-2026-1123-77")
	desk.shot(t, "desk-paid")
	desk.send(t, refund.SellerPaid, refund.Credited)

	step("Ana's balance is item plus domestic freight, to the fen")
	anaPage.see(t, "Refunded", headOf(anaItem, refund.Credited))
	owed := money.Fen(38900 + 1200)
	if got := anaPage.text(t, "#balance [data-balance]"); got != owed.String() {
		t.Fatalf("the balance shows %s, want %s", got, owed)
	}
	anaPage.shot(t, "order-credited")
	if got := b.follows(t, anaItem, refund.Credited); got.Credited != owed {
		t.Fatalf("the station knows of %s credited, want %s", got.Credited, owed)
	}
	b.selects(t, anaItem)
	b.shot(t, "cases-credited")

	step("the seller sends Jiahui another pair; it passes re-inspection")
	desk.do(t, "open Jiahui's case", chromedp.Navigate(c.url+"/desk/cases/"+string(jiahuiCase.ID)))
	desk.act(t, refund.AgreedReship, refund.Exchanging)
	b.follows(t, jiahuiItem, refund.Exchanging)
	b.selects(t, jiahuiItem)
	b.shot(t, "cases-put-aside")
	b.key(t, "Return")
	b.scan(t, "YT9988776655443")
	if got := b.follows(t, jiahuiItem, refund.Rechecking); got.ReplacementWaybill != "YT9988776655443" {
		t.Fatalf("the replacement came as %s", got.ReplacementWaybill)
	}
	b.selects(t, jiahuiItem)
	b.key(t, "Return")
	b.sees(t, "the replacement on the bench", func(d bench.Description) bool { return d.Screen == "inspect" && d.Item == jiahuiItem })
	b.photographs(t, "thomas-serer-420833-unsplash.jpg")
	b.shot(t, "inspect-again")
	b.key(t, "ctrl+p")
	b.follows(t, jiahuiItem, refund.Exchanged)
	jiahuiPage.see(t, "Exchanged", headOf(jiahuiItem, refund.Exchanged))
	jiahuiPage.shot(t, "order-exchanged-zh")

	step("the books add up")
	if got := run(t, centralProgram, "verify", "--data", centreData); got.exit != 0 {
		t.Fatalf("verify: %s%s", got.out, got.err)
	}

	step("every screen in Chinese, and the window on a large screen")
	b.key(t, "ctrl+5")
	b.sees(t, "the settings", func(d bench.Description) bool { return d.Screen == "settings" })
	b.shot(t, "settings")
	if code := b.stop(t); code != 0 {
		t.Fatalf("the station ended with %d", code)
	}
	b.tour(t, s, c.url, "zh")
	large := startScreen(t, 2560, 1440)
	large.shots = s.shots
	b.tour(t, large, c.url, "en")
	if code := c.stop(t); code != 0 {
		t.Fatalf("the centre ended with %d", code)
	}
}

// refusesWrongPIN tries to sign in with a PIN that is not the person's.
func (b *bench7) refusesWrongPIN(t *testing.T) {
	t.Helper()
	b.scan(t, "u12")
	b.scan(t, "9999")
	d := b.sees(t, "the refusal", func(d bench.Description) bool { return d.Bad })
	if !strings.Contains(d.Notice, "not right") || d.Person != "" {
		t.Fatalf("a wrong PIN gets %q, person %q", d.Notice, d.Person)
	}
	b.key(t, "Escape")
	b.sees(t, "no notice", func(d bench.Description) bool { return d.Notice == "" })
	b.key(t, "Escape")
}

// undoesAndRedoes takes the last step back and does it again.
func (b *bench7) undoesAndRedoes(t *testing.T) {
	t.Helper()
	marks := len(b.shows(t).Marks)
	b.key(t, "ctrl+z")
	b.sees(t, "the mark undone", func(d bench.Description) bool { return len(d.Marks) == marks-1 })
	b.key(t, "ctrl+y")
	b.sees(t, "the mark again", func(d bench.Description) bool { return len(d.Marks) == marks })
}

// editsTheBox selects the first mark, moves it, makes it larger, deletes it and
// takes that back, all with the mouse on the photo.
func (b *bench7) editsTheBox(t *testing.T) {
	t.Helper()
	corners := func(d bench.Description) (x1, y1, x2, y2 int) {
		at := func(p qc.Point) (int, int) { return int(d.Corner.X + p.X*d.Zoom), int(d.Corner.Y + p.Y*d.Zoom) }
		x1, y1 = at(d.Marks[0].Points[0])
		x2, y2 = at(d.Marks[0].Points[1])
		return x1, y1, x2, y2
	}
	before := b.shows(t)
	x1, y1, x2, y2 := corners(before)
	b.key(t, "ctrl+m")
	b.click(t, x1, (3*y1+y2)/4) // its edge, away from the handles
	b.drag(t, (x1+x2)/2+9, (y1+y2)/2+9, (x1+x2)/2+39, (y1+y2)/2+9)
	moved := b.sees(t, "the box moved", func(d bench.Description) bool { return d.Marks[0].Points[0].X > before.Marks[0].Points[0].X+10 })
	_, _, x2, y2 = corners(moved)
	b.drag(t, x2, y2, x2+24, y2+24)
	larger := b.sees(t, "the box larger", func(d bench.Description) bool { return d.Marks[0].Points[1].Y > moved.Marks[0].Points[1].Y+10 })
	if larger.Marks[0].Points[0] != moved.Marks[0].Points[0] {
		t.Fatal("the other corner moved as well")
	}
	b.key(t, "Delete")
	b.sees(t, "the box deleted", func(d bench.Description) bool { return len(d.Marks) == len(before.Marks)-1 })
	b.key(t, "ctrl+z")
	b.sees(t, "the box again", func(d bench.Description) bool { return len(d.Marks) == len(before.Marks) })
}

// records flags the item and waits until that is durable.
func (b *bench7) records(t *testing.T, item qc.ItemID) {
	t.Helper()
	b.key(t, "ctrl+Return")
	b.sees(t, "the bench free again", func(d bench.Description) bool { return d.Item == "" })
	for _, r := range b.queue(t) {
		if r.Item == item && r.Finding != nil && r.Finding.Verdict == qc.Flag && len(r.Finding.Marks) > 0 {
			return
		}
	}
	t.Fatalf("%s is not in the queue", item)
}

// selects goes to an item's row on Cases.
func (b *bench7) selects(t *testing.T, item qc.ItemID) {
	t.Helper()
	b.key(t, "ctrl+4")
	d := b.sees(t, "the cases", func(d bench.Description) bool { return d.Screen == "cases" && d.Selected != "" })
	for range 5 {
		if d.Selected == item {
			return
		}
		b.key(t, "k")
		d = b.shows(t)
	}
	for range 10 {
		if d.Selected == item {
			return
		}
		b.key(t, "j")
		d = b.shows(t)
	}
	t.Fatalf("Cases does not show %s", item)
}

// tour opens every screen once more.
func (b *bench7) tour(t *testing.T, s *screen, central, lang string) {
	t.Helper()
	size := lang
	if s != b.screen {
		size += "-large"
	}
	again := startStation(t, s, b.data, central, lang)
	again.signIn(t, "B0007", "lead7")
	again.sees(t, "the draft", func(d bench.Description) bool { return d.Photos > 0 && d.Zoom > 0 })
	for n, name := range []string{"inspect", "review", "queue", "cases", "settings"} {
		again.key(t, fmt.Sprintf("ctrl+%d", n+1))
		again.sees(t, name, func(d bench.Description) bool { return d.Screen == name })
		again.shot(t, name+"-"+size)
	}
	if code := again.stop(t); code != 0 {
		t.Fatalf("the station ended with %d", code)
	}
}

// headOf selects an item's head on the order page when its case has a status.
func headOf(item qc.ItemID, status refund.Status) string {
	return fmt.Sprintf(`#head-%s[data-status="%s"]`, item, status)
}

// statusOf selects the head of a case on the desk when it has a status.
func statusOf(status refund.Status) string {
	return fmt.Sprintf(`#case-head[data-status="%s"]`, status)
}

// decide makes a customer's choice and confirms it.
func (p *page) decide(t *testing.T, item qc.ItemID, choice refund.Kind) {
	t.Helper()
	card := "#decision-" + string(item)
	p.do(t, "choose "+string(choice),
		chromedp.Click(chromedp.CSS(fmt.Sprintf(`%s summary[data-action="%s"]`, card, choice))),
		chromedp.WaitVisible(chromedp.CSS(card+" details[open] button.primary")))
	p.shot(t, "confirm-"+string(choice))
	p.do(t, "confirm "+string(choice), chromedp.Click(chromedp.CSS(card+" details[open] button.primary")))
}

// act presses the button of an action without fields.
func (p *page) act(t *testing.T, kind refund.Kind, after refund.Status) {
	t.Helper()
	p.do(t, string(kind), chromedp.Click(chromedp.CSS(fmt.Sprintf(`#actions form[data-action="%s"] button`, kind))))
	p.see(t, string(after), statusOf(after))
}

// fill opens the form of an action and fills one field.
func (p *page) fill(t *testing.T, kind refund.Kind, field, value string) {
	t.Helper()
	form := fmt.Sprintf(`#actions form[data-action="%s"]`, kind)
	input := fmt.Sprintf(`%s [name="%s"]`, form, field)
	p.do(t, "fill "+field, chromedp.Click(chromedp.CSS(form+" summary")),
		chromedp.WaitVisible(chromedp.CSS(input)), chromedp.SendKeys(chromedp.CSS(input), value))
}

// send submits the form of an action.
func (p *page) send(t *testing.T, kind refund.Kind, after refund.Status) {
	t.Helper()
	p.do(t, string(kind), chromedp.Click(chromedp.CSS(fmt.Sprintf(`#actions form[data-action="%s"] button.primary`, kind))))
	p.see(t, string(after), statusOf(after))
}
