package central_test

import (
	"testing"
	"time"

	"flawmark/app/refund"
	"flawmark/storage/central"
)

// A mail that comes back says that its customer was not told, once; it is sent
// again under the same name, and may come back again. Nothing else is touched.
func (open opener) testBouncedMails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	_, err := w.AddWebhook(t.Context(), refund.Webhook{URL: "https://shop.example.com/"}, noon)
	w.must(err)
	w.visible("20481-2")
	bounced := func(mail string, at time.Time, want int) {
		t.Helper()
		n, err := w.Bounced(t.Context(), mail, "5.1.1", at)
		w.must(err)
		if n != want {
			t.Errorf("%d came back, want %d", n, want)
		}
	}
	sending, err := w.ClaimNotices(t.Context(), refund.ByMail, time.Minute, noon)
	w.must(err)
	_, err = w.Bounced(t.Context(), sending.ID, "5.1.1", noon) // faster than the sender notes that it was sent
	wantErr(t, err, central.ErrSending)
	bounced(sending.ID, noon.Add(2*time.Minute), 0) // it waits to be sent again
	w.must(w.SettleNotices(t.Context(), sending.Notices, sending.Until, refund.Outcome{State: refund.NoticeSent}, noon))
	hooks, err := w.ClaimNotices(t.Context(), refund.ByHook, time.Minute, noon)
	w.must(err)
	w.must(w.SettleNotices(t.Context(), hooks.Notices, hooks.Until, refund.Outcome{State: refund.NoticeSent}, noon))
	at := noon.Add(time.Hour)
	w.untold(noon, false)
	before, err := w.Verify(t.Context())
	w.must(err)
	for _, stranger := range []string{"", "no-such-mail", hooks.ID} {
		bounced(stranger, noon, 0)
	}
	w.untold(noon, false)
	bounced(sending.ID, noon, 1)
	bounced(sending.ID, noon, 0)
	told := w.untold(noon, true)
	if n := told.Notices[len(told.Notices)-1]; n.State != refund.NoticeFailed || n.Code != "5.1.1" || n.Problem != "notice.problem.bounced" {
		t.Errorf("noted as %+v", n)
	}
	after, err := w.Verify(t.Context())
	w.must(err)
	if n := after.Audit - before.Audit; n != 1 {
		t.Errorf("audited %d times, want once", n)
	}
	w.retell("clerk3", at, 1)
	again, err := w.ClaimNotices(t.Context(), refund.ByMail, time.Minute, at)
	w.must(err)
	if again.ID != sending.ID {
		t.Errorf("sent again as %s, was %s", again.ID, sending.ID)
	}
	w.must(w.SettleNotices(t.Context(), again.Notices, again.Until, refund.Outcome{State: refund.NoticeSent}, at))
	w.untold(at, false)
	bounced(again.ID, at, 1)
	w.untold(at, true)
	w.sound()
}
