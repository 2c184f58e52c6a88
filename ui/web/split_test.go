package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// threePieces is a world in which three pieces of an item are flagged.
func threePieces(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	piecesWorld(t, w)
	return w
}

func piecesWorld(t *testing.T, w *world) {
	t.Helper()
	order := w.orders["20481"]
	order.Items[1].Quantity, order.Items[1].UnitPrice = 3, money.Fen(3333)
	w.orders["20481"] = order
	w.flagged(t, "20481-2", false)
}

var elementIDs = regexp.MustCompile(` id="([^"]+)"`)

// onceEach fails the test when two elements of a page have the same id.
func onceEach(t *testing.T, page string) {
	t.Helper()
	seen := map[string]bool{}
	for _, found := range elementIDs.FindAllStringSubmatch(page, -1) {
		if seen[found[1]] {
			t.Errorf("two elements are called %q", found[1])
		}
		seen[found[1]] = true
	}
}

func TestOrder_DecidesForSomeOfThePieces(t *testing.T) {
	t.Parallel()
	w := threePieces(t)
	b := w.reader(t)
	b.openLink("20481")
	if page := b.get("/o/20481", http.StatusOK); !strings.Contains(page, `max="2"`) {
		t.Fatal("three pieces cannot be decided in parts")
	}
	split := func(pieces, want string) {
		t.Helper()
		form := url.Values{"version": {"1"}, "pieces": {pieces}}
		if to := b.sent("/o/20481/cases/K-20481-2/split", form); !strings.Contains(to, url.QueryEscape(want)) {
			t.Errorf("%s pieces: sent to %s, want %s", pieces, to, want)
		}
	}
	split("3", "error.pieces_wrong")
	split("some", "error.pieces_wrong")
	split("1", "web.split.done")
	split("1", "web.split.done") // the second click
	page := b.get("/o/20481", http.StatusOK)
	onceEach(t, page)
	for _, want := range []string{"1 of 3 pieces", "2 of 3 pieces", `data-case="K-20481-2-part"`, "2 items need your decision"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	b.sent("/o/20481/cases/K-20481-2-part/decision", url.Values{"event": {"choose_keep"}, "version": {"2"}})
	b.sent("/o/20481/cases/K-20481-2/decision", url.Values{"event": {"choose_refund"}, "version": {"2"}})
	if w.cases["K-20481-2-part"].Status != refund.Kept || w.cases["K-20481-2"].Status != refund.Negotiating {
		t.Error("the parts were not decided differently")
	}
	page = b.get("/o/20481", http.StatusOK)
	if !strings.Contains(page, `data-status="kept"`) || !strings.Contains(page, `data-status="negotiating"`) {
		t.Error("the page does not show what became of both parts")
	}
	photo := w.findings["F-20481-2"].Photos[0].Digest
	b.get("/o/20481/photos/"+string(photo)+"/preview", http.StatusOK)
}

func TestOrder_SplitIsForTheHolderOfTheLink(t *testing.T) {
	t.Parallel()
	w := threePieces(t)
	form := url.Values{"version": {"1"}, "pieces": {"1"}}
	stranger, other := w.reader(t), w.reader(t)
	other.openLink("20482")
	stranger.body(stranger.do(http.MethodPost, "/o/20481/cases/K-20481-2/split", form), http.StatusNotFound)
	other.body(other.do(http.MethodPost, "/o/20482/cases/K-20481-2/split", form), http.StatusNotFound)
	stranger.body(stranger.do(http.MethodPost, "/desk/cases/K-20481-2/split", form), http.StatusForbidden)
	if len(w.cases) != 1 {
		t.Error("somebody else split the case")
	}
}

func TestDesk_DecidesForSomeOfThePieces(t *testing.T) {
	t.Parallel()
	w := threePieces(t)
	b := w.reader(t)
	b.signIn("D01")
	if page := b.get("/desk/cases/K-20481-2", http.StatusOK); !strings.Contains(page, `action="/desk/cases/K-20481-2/split"`) {
		t.Error("the desk has no way to split")
	}
	b.sent("/desk/cases/K-20481-2/split", url.Values{"version": {"1"}, "pieces": {"2"}})
	if part := w.cases["K-20481-2-part"]; part.Quantity != 2 || part.Timeline[1].Actor.Party != refund.ByClerk {
		t.Errorf("split off: %+v", part)
	}
	lead := w.reader(t)
	lead.signIn("L01")
	refused := lead.do(http.MethodPost, "/desk/cases/K-20481-2-part/split", url.Values{"version": {"2"}, "pieces": {"1"}})
	lead.body(refused, http.StatusUnprocessableEntity)
	if len(w.cases) != 2 {
		t.Error("a lead decided for a customer")
	}
}

// What an item's pieces are in, whatever happened to them before.
func TestSlicesOf(t *testing.T) {
	t.Parallel()
	item := qc.Item{ID: "i", Quantity: 3}
	c := func(id qc.CaseID, pieces int, status refund.Status, day int) refund.Case {
		return refund.Case{ID: id, Item: "i", Quantity: pieces, Status: status, OpenedAt: start.AddDate(0, 0, day)}
	}
	correction := c("K4", 3, refund.Negotiating, 9)
	correction.Sort = refund.Correction
	for name, test := range map[string]struct {
		cases []refund.Case
		want  string
	}{
		"none":                     {nil, ""},
		"one":                      {[]refund.Case{c("K1", 3, refund.Kept, 1)}, "K1"},
		"opened again":             {[]refund.Case{c("K1", 3, refund.Withdrawn, 1), c("K2", 3, refund.Negotiating, 2)}, "K2"},
		"split":                    {[]refund.Case{c("K2", 1, refund.Negotiating, 1), c("K1", 2, refund.Kept, 1)}, "K1 K2"},
		"a part looked at again":   {[]refund.Case{c("K1", 2, refund.Negotiating, 1), c("K2", 1, refund.Kept, 1), c("K3", 1, refund.AwaitingDecision, 2)}, "K1 K3"},
		"a correction is no piece": {[]refund.Case{c("K1", 3, refund.Credited, 1), correction}, "K1"},
	} {
		var got []string
		for _, one := range slicesOf(OrderView{Cases: test.cases}, item) {
			got = append(got, string(one.ID))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, want %s", name, got, test.want)
		}
	}
}
