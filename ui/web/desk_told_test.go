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
	}{
		"web.told.do.address":     {"ana@example.com", notice(refund.NoticeFailed, "notice.problem.recipient")},
		"web.told.do.again":       {"ana@example.com", notice(refund.NoticeWaiting, "notice.problem.unreachable")},
		"web.told.do.sender":      {"ana@example.com", notice(refund.NoticeWaiting, "")},
		"web.told.do.no_way":      {"", notice(refund.NoticeMoot, "notice.problem.push_gone")},
		"web.told.do.address_now": {"ana@example.com", nil},
	} {
		if got := remedy(Dossier{Customer: qc.Customer{Email: tt.email}}, Telling{Notices: tt.notices}, start); got != want {
			t.Errorf("%+v: %s, want %s", tt, got, want)
		}
	}
}
