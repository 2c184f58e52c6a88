package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// busyWorld has cases of two customers in several statuses.
func busyWorld(t *testing.T, w *world) {
	t.Helper()
	chosenWorld(t, w)
	w.flagged(t, "20481-3", false)
	w.move(t, "K-20481-3", refund.Event{Kind: refund.ChoseKeep, Actor: customer})
	w.flagged(t, "20482-1", true)
	w.assigned["K-20482-1"] = "L01"
}

var rowOf = regexp.MustCompile(`<tr data-case="K-([^"]*)"`)

func listedItems(page string) string {
	var items []string
	for _, row := range rowOf.FindAllStringSubmatch(page, -1) {
		items = append(items, row[1])
	}
	slices.Sort(items)
	return strings.Join(items, " ")
}

func TestWorklist_Filters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	busyWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	for query, want := range map[string]string{
		"":                           "20481-2 20482-1",
		"show=all":                   "20481-2 20481-3 20482-1",
		"status=negotiating":         "20481-2",
		"status=kept":                "20481-3",
		"status=nonsense":            "20481-2 20482-1",
		"turn=lead":                  "20482-1",
		"turn=seller&q=moreira":      "20481-2",
		"turn=nonsense":              "20481-2 20482-1",
		"whose=L01":                  "20482-1",
		"whose=mine":                 "",
		"whose=nobody":               "20481-2",
		"whose=stranger":             "20481-2 20482-1",
		"overdue=1":                  "20482-1",
		"q=RL":                       "20481-2",
		"q=gl&show=all":              "20481-3",
		"q=" + url.QueryEscape("佳慧"): "20482-1",
		"seller=" + url.QueryEscape("潮流前线鞋店"): "20481-2 20482-1",
		"seller=another":                        "",
		"page=2":                                "",
		"page=-1":                               "20481-2 20482-1",
		"page=99999999999999999999":             "20481-2 20482-1",
		"q=" + strings.Repeat("x", 5*maxQuery):  "",
		"seller=" + strings.Repeat("店", 300):    "20481-2 20482-1", // longer than any name
		"overdue=0&whose=&status=&turn=&show=x": "20481-2 20482-1",
	} {
		if query == "overdue=1" {
			w.now = start.Add(time.Hour) // a lead has had two hours
		}
		if got := listedItems(b.get("/desk?"+query, http.StatusOK)); got != want {
			t.Errorf("?%.40s lists %q, want %q", query, got, want)
		}
		w.now = start
	}
}

func TestWorklist_Pages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.flagged(t, "20481-2", false)
	for i := range 2 * listed {
		c.ID = qc.CaseID(fmt.Sprintf("K-%03d", i))
		w.cases[c.ID] = c
	}
	b := w.reader(t)
	b.signIn("D01")
	seen := map[string]bool{}
	address := "/desk?whose=nobody"
	next := regexp.MustCompile(`rel="next" href="([^"]*)"`)
	pages := 0
	for address != "" && pages < 9 {
		page := b.get(address, http.StatusOK)
		for _, row := range rowOf.FindAllStringSubmatch(page, -1) {
			if seen[row[1]] {
				t.Errorf("case %s is listed twice", row[1])
			}
			seen[row[1]] = true
		}
		if pages++; pages == 2 && !strings.Contains(page, "51–100 of 101") {
			t.Error("the second page does not say which cases it holds")
		}
		address = ""
		if link := next.FindStringSubmatch(page); link != nil {
			address = strings.ReplaceAll(link[1], "&amp;", "&")
		}
	}
	if pages != 3 || len(seen) != 2*listed+1 {
		t.Errorf("%d cases on %d pages", len(seen), pages)
	}
}

func TestAssign(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	for _, c := range []struct {
		to, notice string
		want       qc.StaffID
	}{
		{"D01", "web.notice.done", "D01"},
		{"L01", "web.notice.done", "L01"},
		{"I01", "web.assign.unknown", "L01"}, // an inspector does not work here
		{"D09", "web.assign.unknown", "L01"}, // nor does who has left
		{"X", "web.assign.unknown", "L01"},
		{"", "web.notice.done", ""},
	} {
		got := b.do(http.MethodPost, "/desk/cases/K-20481-2/assignee", url.Values{"to": {c.to}})
		said := got.header.Get("Location")
		if got.status == http.StatusUnprocessableEntity && strings.Contains(got.body, b.says(c.notice)) {
			said = "/desk/cases/K-20481-2?notice=" + c.notice
		}
		if said != "/desk/cases/K-20481-2?notice="+c.notice || w.assigned["K-20481-2"] != c.want {
			t.Errorf("given to %q: %q, it is %q's", c.to, said, w.assigned["K-20481-2"])
		}
	}
}

func TestDesk_SaysNamesOfStaff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refusedWorld(t, w)
	w.assigned["K-20481-2"] = "L01"
	b := w.reader(t)
	b.signIn("D01")
	page := b.get("/desk/cases/K-20481-2", http.StatusOK)
	for _, want := range []string{"Refund clerk 陈丽", "Station 王芳", "Looked after by: <strong>刘强"} {
		if !strings.Contains(page, want) {
			t.Errorf("the case does not say %q", want)
		}
	}
	if list := b.get("/desk", http.StatusOK); !strings.Contains(list, "刘强") {
		t.Error("the worklist does not say who looks after the case")
	}
}

// Whatever a step comes to, somebody reads a sentence about it.
func TestNotices_EveryOutcomeIsSaid(t *testing.T) {
	t.Parallel()
	s := newWorld(t).pages(t).speechFor(mustRequest(t, "/desk"), "en", deskZone)
	said := func(key string) {
		t.Helper()
		if s.notice(mustRequest(t, "/desk?notice="+key)) == "" {
			t.Errorf("nobody reads %s", key)
		}
	}
	for _, err := range []error{
		nil, &Conflict{}, ErrSellerRef, refund.ErrNotNow, refund.ErrNotYours, refund.ErrOwnFinding, refund.ErrWindowClosed,
		refund.ErrMissing, refund.ErrAmount, refund.ErrUnknownEvent, refund.ErrRounds, refund.ErrOfferLate, refund.ErrOfferRounds,
		refund.ErrPhotoRounds, refund.ErrSamePerson, refund.ErrApproval,
	} {
		key, other := outcome(err)
		if other != nil {
			t.Errorf("%v is no outcome", err)
		}
		said(key)
	}
	for _, err := range []error{errApprover, errApproverLocked, errWaybill, errAmount, errLong} {
		said(err.Error())
	}
	if _, other := outcome(errors.New("disk on fire")); other == nil {
		t.Error("a failure is taken for an outcome")
	}
}
