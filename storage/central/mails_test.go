package central_test

import (
	"errors"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// states counts the mails of a kind by their state.
func (w world) states(kind refund.NoticeKind) map[refund.NoticeState]int {
	w.t.Helper()
	all, err := w.Notices(w.t.Context(), central.NoticeFilter{})
	w.must(err)
	counts := make(map[refund.NoticeState]int)
	for _, n := range all {
		if n.Kind == kind && n.Medium == refund.ByMail {
			counts[n.State]++
		}
	}
	return counts
}

// mailed expects that there is one mail of a kind, in that state.
func (w world) mailed(kind refund.NoticeKind, state refund.NoticeState) {
	w.t.Helper()
	if got := w.states(kind); len(got) != 1 || got[state] != 1 {
		w.t.Errorf("mails of %s are %v, want one that is %s", kind, got, state)
	}
}

// Who wants no mails of progress gets none, and all others: of flaws, decisions,
// deadlines and money. Browsers and shops' programs are told as before.
func (open opener) testMailsOfProgressCanBeStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	hook, err := w.AddWebhook(t.Context(), refund.Webhook{URL: "https://shop.example.com/"}, noon)
	w.must(err)
	w.must(w.Subscribe(t.Context(), browser("20481", 1), noon))
	token, err := w.LinkMails(t.Context(), sampleOrder().Customer.ID, noon)
	w.must(err)
	before, err := w.Verify(t.Context())
	w.must(err)
	for range 3 { // a mail reader that asks again
		w.must(w.ChooseMailsByToken(t.Context(), token, false, noon))
	}
	customerOfIt, wanted, err := w.MailsByToken(t.Context(), token, noon)
	w.must(err)
	if wanted || customerOfIt.ID != sampleOrder().Customer.ID {
		t.Errorf("%+v wants them: %v", customerOfIt, wanted)
	}
	after, err := w.Verify(t.Context())
	w.must(err)
	if n := after.Audit - before.Audit; n != 1 {
		t.Errorf("audited %d times, want once", n)
	}

	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedReturn, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.Dispatched, Actor: refund.Actor{Party: refund.ByLead, ID: "lead7"}, Waybill: "YT1234567890"})
	w.act(c.ID, refund.Event{Kind: refund.SellerReceived, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1"})
	w.mailed(refund.TellProblem, refund.NoticeWaiting)
	w.mailed(refund.TellSentBack, refund.NoticeUnwanted)
	w.mailed(refund.TellRefunding, refund.NoticeUnwanted)
	w.mailed(refund.TellCredited, refund.NoticeWaiting)
	all, err := w.Notices(t.Context(), central.NoticeFilter{})
	w.must(err)
	others := make(map[refund.Medium]int)
	for _, n := range all {
		if n.Kind.Progress() && n.State == refund.NoticeWaiting {
			others[n.Medium]++
		}
	}
	if others[refund.ByHook] != 2 || others[refund.ByPush] != 2 || hook.ID == "" {
		t.Errorf("of progress, by other ways: %v", others)
	}

	// Nobody sends them again, whatever they are asked for.
	_, err = w.RetryNotices(t.Context(), central.NoticeFilter{}, noon.Add(time.Hour))
	w.must(err)
	w.mailed(refund.TellSentBack, refund.NoticeUnwanted)
	w.must(w.ForgetNotices(t.Context(), noon.Add(91*24*time.Hour)))
	if got := w.states(refund.TellSentBack); len(got) != 0 {
		t.Errorf("long after, there are %v", got)
	}
	w.sound()
}

// What waits when a customer stops such mails is not sent either; one that is
// being sent is not tried again. Once they are wanted again, the next ones go.
func (open opener) testMailsThatWaitAreCalledOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.settleMail(noon, refund.Outcome{State: refund.NoticeSent}) // of the flaw
	w.act(c.ID, refund.Event{Kind: refund.AgreedReturn, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.Dispatched, Actor: refund.Actor{Party: refund.ByLead, ID: "lead7"}, Waybill: "YT1234567890"})
	sending, err := w.ClaimNotices(t.Context(), refund.ByMail, time.Minute, noon)
	w.must(err)
	w.act(c.ID, refund.Event{Kind: refund.SellerReceived, Actor: clerk})
	w.must(w.ChooseMails(t.Context(), "20481", false, noon))
	w.must(w.SettleNotices(t.Context(), sending.Notices, sending.Until, refund.Outcome{
		State: refund.NoticeWaiting, Again: noon.Add(time.Minute), Problem: "notice.problem.unreachable",
	}, noon))
	w.mailed(refund.TellSentBack, refund.NoticeUnwanted)
	w.mailed(refund.TellRefunding, refund.NoticeUnwanted)
	w.untold(noon.Add(time.Hour), false)
	if _, err := w.ClaimNotices(t.Context(), refund.ByMail, time.Minute, noon.Add(24*time.Hour)); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("something is mailed: %v", err)
	}
	// It had left: that it was sent is the truth.
	w.must(w.SettleNotices(t.Context(), sending.Notices, sending.Until, refund.Outcome{State: refund.NoticeSent}, noon))
	w.mailed(refund.TellSentBack, refund.NoticeSent)

	w.must(w.ChooseMails(t.Context(), "20481", true, noon))
	if wanted, err := w.WantsProgress(t.Context(), "20481"); !wanted || err != nil {
		t.Errorf("wanted %v, %v", wanted, err)
	}
	second := w.visibleToo("20481-1")
	w.act(second.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(second.ID, refund.Event{Kind: refund.AgreedReturn, Actor: clerk})
	w.act(second.ID, refund.Event{Kind: refund.Dispatched, Actor: refund.Actor{Party: refund.ByLead, ID: "lead7"}, Waybill: "YT1234567891"})
	if got := w.states(refund.TellSentBack); got[refund.NoticeWaiting] != 1 {
		t.Errorf("wanted again, they are %v", got)
	}
	w.sound()
}

// The secret in a mail chooses the mails of its customer and does nothing else;
// an order's secret does not choose by it.
func (open opener) testMailLinksOpenNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	token, err := w.LinkMails(t.Context(), sampleOrder().Customer.ID, noon)
	w.must(err)
	_, err = w.OrderByToken(t.Context(), "20481", token, noon)
	wantErr(t, err, central.ErrLink)
	link, err := w.LinkOrder(t.Context(), "20481", "", noon)
	w.must(err)
	for name, secret := range map[string]string{"of an order": link, "none": "", "wrong": token + "x"} {
		if _, _, err := w.MailsByToken(t.Context(), secret, noon); !errors.Is(err, central.ErrLink) {
			t.Errorf("%s: %v", name, err)
		}
		if err := w.ChooseMailsByToken(t.Context(), secret, false, noon); !errors.Is(err, central.ErrLink) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if wanted, err := w.WantsProgress(t.Context(), "20481"); !wanted || err != nil {
		t.Errorf("wanted %v, %v", wanted, err)
	}
	end := noon.Add(180 * 24 * time.Hour)
	wantErr(t, w.ChooseMailsByToken(t.Context(), token, false, end), central.ErrLink)
	w.must(w.ForgetNotices(t.Context(), end))
	wantErr(t, w.ChooseMailsByToken(t.Context(), token, false, noon), central.ErrLink)
	if _, err := w.LinkMails(t.Context(), "nobody", noon); err == nil {
		t.Error("a customer who is not known has mails to choose")
	}
}
