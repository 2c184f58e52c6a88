package central_test

import (
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// untold expects whether the one case's customer could not be told, from all who say so.
func (w world) untold(at time.Time, want bool) central.Telling {
	w.t.Helper()
	n := 0
	if want {
		n = 1
	}
	told, err := w.Telling(w.t.Context(), w.only().ID, at)
	w.must(err)
	work, err := w.Worklist(w.t.Context(), central.WorkFilter{Open: true, Untold: true, At: at})
	w.must(err)
	all, err := w.Worklist(w.t.Context(), central.WorkFilter{Open: true, At: at})
	w.must(err)
	counts, err := w.WorkCounts(w.t.Context(), "clerk3", at)
	w.must(err)
	if told.Untold != want || work.Total != n || len(work.Rows) != n || counts.Untold != n || all.Rows[0].Untold != want {
		w.t.Errorf("untold: case %v, found %d, counted %d, marked %v; want %v", told.Untold, work.Total, counts.Untold, all.Rows[0].Untold, want)
	}
	return told
}

// settleMail claims what is due by mail and settles it.
func (w world) settleMail(at time.Time, o refund.Outcome) {
	w.t.Helper()
	c, err := w.ClaimNotices(w.t.Context(), refund.ByMail, time.Minute, at)
	w.must(err)
	w.must(w.SettleNotices(w.t.Context(), c.Notices, c.Until, o, at))
}

func (w world) retell(by qc.StaffID, at time.Time, want int) {
	w.t.Helper()
	n, err := w.Retell(w.t.Context(), w.only().ID, by, at)
	w.must(err)
	if n != want {
		w.t.Errorf("%d are sent again, want %d", n, want)
	}
}

func (open opener) testUntold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	c := w.visible("20481-2")
	w.untold(noon, false)
	w.untold(noon.Add(time.Hour), true) // nobody sends
	w.settleMail(noon, refund.Outcome{State: refund.NoticeWaiting, Again: noon.Add(time.Hour), Problem: "notice.problem.unreachable"})
	w.untold(noon, true)
	w.settleMail(noon.Add(time.Hour), refund.Outcome{State: refund.NoticeFailed, Problem: "notice.problem.recipient", Code: "550"})
	at := noon.Add(2 * time.Hour)
	if told := w.untold(at, true); len(told.Notices) != 4 {
		t.Errorf("%d notices, want one and three reminders", len(told.Notices))
	}
	if _, err := w.Retell(t.Context(), c.ID, "nobody", at); err == nil {
		t.Error("somebody unknown sent it again")
	}
	before, err := w.Verify(t.Context())
	w.must(err)
	w.retell("clerk3", at, 1)
	w.retell("clerk3", at, 0)
	w.untold(at, false)
	w.settleMail(at, refund.Outcome{State: refund.NoticeSent})
	w.retell("clerk3", at, 0)
	w.untold(at, false)
	after, err := w.Verify(t.Context())
	w.must(err)
	if n := after.Audit - before.Audit; n != 1 {
		t.Errorf("audited %d times, want once", n)
	}
	w.sound()
}

// Who decides knows, whatever failed before.
func (open opener) testUntoldUntilTheChoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	c := w.visible("20481-2")
	w.settleMail(noon, refund.Outcome{State: refund.NoticeFailed, Problem: "notice.problem.recipient"})
	w.untold(noon, true)
	_, err := w.Act(t.Context(), c.ID, 0, refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: noon.Add(time.Hour)}, "")
	w.must(err)
	w.untold(noon.Add(2*time.Hour), false)
}

// A customer without any way to be told is told once there is one.
func (open opener) testUntoldWithoutAnyWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	w.must(w.Subscribe(t.Context(), browser("20481", 1), noon))
	w.visible("20481-2")
	w.untold(noon, false)
	push, err := w.ClaimNotices(t.Context(), refund.ByPush, time.Minute, noon)
	w.must(err)
	w.must(w.DropSubscription(t.Context(), push.Push.ID, noon))
	if told := w.untold(noon, true); told.Notices[0].Problem != "notice.problem.push_gone" {
		t.Errorf("gone as %+v", told.Notices[0])
	}
	w.retell("clerk3", noon, 0)
	w.reachable()
	w.retell("clerk3", noon, 4) // with its reminders
	w.retell("clerk3", noon, 0)
	w.untold(noon, false)
	w.settleMail(noon, refund.Outcome{State: refund.NoticeSent})
	w.untold(noon, false)
	w.sound()
}
