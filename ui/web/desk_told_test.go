package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

func (w *world) Telling(_ context.Context, id qc.CaseID, _ time.Time) (Telling, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tellings[id], nil
}

// Retell lets a failed notice wait again, which the second time there is none of.
func (w *world) Retell(_ context.Context, id qc.CaseID, by qc.StaffID, at time.Time) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	told, n := w.tellings[id], 0
	for i, one := range told.Notices {
		if one.State == refund.NoticeFailed {
			told.Notices[i] = refund.Notice{ID: one.ID, Kind: one.Kind, Medium: one.Medium, State: refund.NoticeWaiting, DueAt: at}
			n++
		}
	}
	if n > 0 {
		told.Untold = false
		w.tellings[id], w.retold = told, append(w.retold, by)
	}
	return n, nil
}

// untoldWorld has a case of which the customer could not be told.
func untoldWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	by := func(id string, kind refund.NoticeKind, medium refund.Medium, state refund.NoticeState, problem, code string) refund.Notice {
		return refund.Notice{
			ID: id, Kind: kind, Medium: medium, State: state, CreatedAt: start, DueAt: start.Add(8 * time.Hour), Problem: problem, Code: code,
		}
	}
	sent := by("n5", refund.TellAnswer, refund.ByMail, refund.NoticeSent, "", "")
	sent.SentAt = start.Add(-time.Hour)
	held := by("n4", refund.TellProblem, refund.ByPush, refund.NoticeWaiting, "", "")
	held.Held = true
	w.tellings["K-20481-2"] = Telling{Untold: true, Notices: []refund.Notice{
		by("n1", refund.TellReminder, refund.ByMail, refund.NoticeWaiting, "", ""),
		by("n2", refund.TellProblem, refund.ByMail, refund.NoticeFailed, "notice.problem.recipient", "550"),
		by("n3", refund.TellProblem, refund.ByPush, refund.NoticeMoot, "notice.problem.push_gone", ""),
		held,
		by("n6", refund.TellCredited, refund.ByPush, refund.NoticeWaiting, "", ""),
		by("n7", refund.TellProblem, refund.ByMail, refund.NoticeWaiting, "notice.problem.unreachable", ""),
		sent,
	}}
}

// noMailWorld is untoldWorld where no mail server is set.
func noMailWorld(t *testing.T, w *world) {
	t.Helper()
	untoldWorld(t, w)
	w.noMail = true
}

// correctedWorld is untoldWorld after the desk has corrected the address.
func correctedWorld(t *testing.T, w *world) {
	t.Helper()
	untoldWorld(t, w)
	w.now = w.now.Add(9 * time.Hour)
	to := qc.Contact{Email: "ana.moreira@example.com", Language: "en"}
	if err := w.CorrectContact(t.Context(), "K-20481-2", 0, to, "D01", w.now); err != nil {
		t.Fatal(err)
	}
}

func TestDesk_SeesWhomNobodyTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	untoldWorld(t, w)
	w.flagged(t, "20481-3", false)
	b := w.reader(t)
	b.signIn("D01")
	const path = "/desk/cases/K-20481-2"
	page := b.get(path, http.StatusOK)
	for _, want := range []string{
		"Customer not told", "Correct the e-mail address", "goes out", "could not be delivered",
		"refuses the customer’s address. (550)", "wants no more notices", "together with others", "quiet hours", "tried again", "sent 20 Nov",
		`action="` + path + `/notices"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the case does not say %q", want)
		}
	}
	list := b.get("/desk?untold=1", http.StatusOK)
	if !strings.Contains(list, `data-case="K-20481-2"`) || strings.Contains(list, `data-case="K-20481-3"`) || !strings.Contains(list, `class="untold small">Customer not told`) {
		t.Error("the worklist does not find the case whose customer does not know")
	}
	for i, want := range []string{"web.told.again", "web.told.nothing"} { // clicked twice
		if to := b.sent(path+"/notices", url.Values{}); !strings.HasSuffix(to, want) {
			t.Errorf("click %d leads to %s, want %s", i+1, to, want)
		}
	}
	if len(w.retold) != 1 || w.retold[0] != "D01" {
		t.Errorf("told again by %q", w.retold)
	}
}

func TestDesk_LooksWithoutSendingAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	untoldWorld(t, w)
	b := w.reader(t)
	b.signIn("V01")
	if page := b.get("/desk/cases/K-20481-2", http.StatusOK); strings.Contains(page, `id="tell-again"`) || !strings.Contains(page, "Customer not told") {
		t.Error("an auditor is offered to send again, or not told")
	}
	if got := b.do(http.MethodPost, "/desk/cases/K-20481-2/notices", url.Values{}); got.status != http.StatusForbidden || len(w.retold) > 0 {
		t.Errorf("an auditor sent again: %d", got.status)
	}
}

// What there is to do depends on why the customer does not know.
func TestRemedy(t *testing.T) {
	t.Parallel()
	notice := func(state refund.NoticeState, problem string) []refund.Notice {
		return []refund.Notice{
			{Kind: refund.TellReminder, State: refund.NoticeWaiting, DueAt: start.Add(time.Hour)}, {State: state, Problem: problem, DueAt: start},
		}
	}
	for want, tt := range map[string]struct {
		email   string
		notices []refund.Notice
		since   time.Duration // the desk has corrected the address so long after; 0: it has not
	}{
		"web.told.do.address":     {"ana@example.com", notice(refund.NoticeFailed, "notice.problem.recipient"), 0},
		"web.told.do.corrected":   {"ana@example.com", notice(refund.NoticeFailed, "notice.problem.recipient"), time.Minute},
		"web.told.do.again":       {"ana@example.com", notice(refund.NoticeWaiting, "notice.problem.unreachable"), time.Minute},
		"web.told.do.sender":      {"ana@example.com", notice(refund.NoticeWaiting, ""), 0},
		"web.told.do.no_way":      {"", notice(refund.NoticeMoot, "notice.problem.push_gone"), 0},
		"web.told.do.address_now": {"ana@example.com", nil, time.Minute},
	} {
		customer := qc.Customer{Email: tt.email}
		if tt.since > 0 {
			customer.Correction.At = start.Add(tt.since)
		}
		if got := remedy(Dossier{Customer: customer}, Telling{Notices: tt.notices}, start); got != want {
			t.Errorf("%+v: %s, want %s", tt, got, want)
		}
	}
}

func (w *world) CorrectContact(_ context.Context, id qc.CaseID, seen int, to qc.Contact, by qc.StaffID, at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	order, _ := w.itemAndOrder(w.cases[id].Item)
	switch {
	case order.Customer.Contact() == to:
		return nil
	case order.Customer.Correction.Version != seen:
		return ErrContactMoved
	}
	order.Customer = order.Customer.Corrected(to, by, at)
	w.orders[order.ID] = order
	return nil
}

func TestDesk_CorrectsTheContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	untoldWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	const path = "/desk/cases/K-20481-2"
	if page := b.get(path, http.StatusOK); !strings.Contains(page, `action="`+path+`/contact"`) || !strings.Contains(page, "no e-mail address, English") {
		t.Fatal("a clerk cannot correct the address, or does not see what holds")
	}
	form := url.Values{"version": {"0"}, "email": {" ana@example.com "}, "language": {"zh"}}
	for range 2 { // clicked twice
		if to := b.sent(path+"/contact", form); to != path+"?notice=web.contact.again" {
			t.Errorf("sent to %s", to)
		}
	}
	if c := w.orders["20481"].Customer; c.Email != "ana@example.com" || c.Language != "zh" || c.Correction.By != "D01" || c.Correction.Version != 1 {
		t.Errorf("the customer is %+v", c)
	}
	page := b.get(path+"?notice=web.contact.again", http.StatusOK)
	for _, want := range []string{"Now ana@example.com, 简体中文", "Corrected by 陈丽", "still not been told", `id="tell-again"`, `name="version" value="1"`} {
		if !strings.Contains(page, want) {
			t.Errorf("after the correction the page does not say %q", want)
		}
	}
	for _, who := range []qc.StaffID{"L01", "V01", "A01"} { // who may hand out no links
		other := w.reader(t)
		other.signIn(who)
		if page := other.get(path, http.StatusOK); strings.Contains(page, "/contact") || strings.Contains(page, "ana@example.com") {
			t.Errorf("%s is offered to correct the address, or sees it", who)
		}
		other.body(other.do(http.MethodPost, path+"/contact", url.Values{"version": {"1"}, "email": {"thief@example.com"}, "language": {"en"}}), http.StatusForbidden)
	}
	if c := w.orders["20481"].Customer; c.Email != "ana@example.com" {
		t.Errorf("somebody who may not has corrected the address to %s", c.Email)
	}
}

// Where nothing else is to be done with a case whose customer does not know, that
// is what there is to do.
func TestDesk_NextIsToTellTheCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", true) // which waits for a lead
	b := w.reader(t)
	b.signIn("D01")
	const path = "/desk/cases/K-20481-2"
	nothing, tell := b.says("web.case.nothing_to_do"), b.says("web.case.tell")
	if page := b.get(path, http.StatusOK); !strings.Contains(page, nothing) {
		t.Fatal("the test looks at a case with which something is to be done")
	}
	w.tellings["K-20481-2"] = Telling{Untold: true}
	if page := b.get(path, http.StatusOK); strings.Contains(page, nothing) || !strings.Contains(page, tell) || !strings.Contains(page, `href="#told"><strong>`+tell) {
		t.Error("the page says that the customer has not been told, and that nothing is to be done")
	}
}

// Where mail is not set up, that is said once, and no case is blamed for it.
func TestDesk_SaysOnceThatMailIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	noMailWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	for _, address := range []string{"/desk", "/desk?untold=1"} {
		list := b.get(address, http.StatusOK)
		if n := strings.Count(list, "smtp.host"); n != 1 || strings.Contains(list, `class="untold`) || !strings.Contains(list, `data-case="K-20481-2"`) {
			t.Errorf("%s says %d times what is missing, or blames a case", address, n)
		}
	}
	page := b.get("/desk/cases/K-20481-2", http.StatusOK)
	if strings.Contains(page, "Customer not told") || !strings.Contains(page, b.says("web.told.do.mail")) {
		t.Error("the case is blamed, or does not say why nobody was told")
	}
	w.tellings = map[qc.CaseID]Telling{}
	if list := b.get("/desk", http.StatusOK); strings.Contains(list, "smtp.host") {
		t.Error("mail is missed where nobody is to be told")
	}
}
