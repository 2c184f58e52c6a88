package central_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// browser returns a subscription whose keys are those of RFC 8291's example.
func browser(order qc.OrderID, n int) refund.Subscription {
	return refund.Subscription{
		Order: order, Endpoint: fmt.Sprint("https://push.example.com/", n),
		P256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
		Auth:   base64.RawURLEncoding.EncodeToString(make([]byte, 16)),
	}
}

func (open opener) testPush(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	claim := func(at time.Time) (refund.Consignment, error) {
		return w.ClaimNotices(t.Context(), refund.ByPush, time.Minute, at)
	}
	bad := browser("20481", 1)
	bad.P256dh = "AAAA"
	wantErr(t, w.Subscribe(t.Context(), bad, noon), refund.ErrSubscription)
	wantErr(t, w.Subscribe(t.Context(), browser("none", 1), noon), qc.ErrNotFound)
	for range 2 { // pressed twice
		w.must(w.Subscribe(t.Context(), browser("20481", 1), noon))
	}
	c := w.visible("20481-2") // of a customer without an address of mail
	if got := w.told(refund.ByPush); !slices.Equal(got, []refund.NoticeKind{refund.TellProblem}) || len(w.told(refund.ByMail)) != 0 {
		t.Fatalf("told %q", got)
	}
	first, err := claim(noon)
	w.must(err)
	if first.Push.Endpoint != "https://push.example.com/1" || len(first.Notices) != 1 {
		t.Errorf("claimed %+v", first)
	}
	// Nobody has noted that it was sent: it goes again, under the same name.
	again, err := claim(noon.Add(2 * time.Minute))
	w.must(err)
	if again.ID != first.ID || again.Notices[0].ID != first.Notices[0].ID {
		t.Errorf("claimed again as %s, was %s", again.ID, first.ID)
	}
	w.must(w.SettleNotices(t.Context(), again.Notices, again.Until, refund.Outcome{State: refund.NoticeSent}, noon))
	_, err = claim(noon.Add(10 * time.Minute))
	wantErr(t, err, qc.ErrNotFound)
	reminded, err := claim(c.DecideBy.Add(-24 * time.Hour))
	w.must(err)
	if reminded.Notices[0].Kind != refund.TellReminder {
		t.Errorf("claimed %+v", reminded.Notices)
	}

	// The maker says that the browser is gone: nothing waits for it any more.
	w.must(w.DropSubscription(t.Context(), first.Push.ID, noon))
	_, err = claim(c.DecideBy)
	wantErr(t, err, qc.ErrNotFound)
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.must(w.Subscribe(t.Context(), browser("20481", 2), noon))
	w.must(w.Subscribe(t.Context(), browser("20481", 3), noon))
	w.must(w.Unsubscribe(t.Context(), "20481", "https://push.example.com/3", noon))
	w.must(w.Unsubscribe(t.Context(), "20481", "https://push.example.com/none", noon))
	w.act(c.ID, refund.Event{Kind: refund.Refused, Actor: clerk, Reason: "no"})
	one, err := claim(noon)
	w.must(err)
	if one.Push.Endpoint != "https://push.example.com/2" {
		t.Errorf("claimed %+v", one)
	}
	_, err = claim(noon)
	wantErr(t, err, qc.ErrNotFound)

	// A link went astray: whoever had it is told nothing more.
	w.must(w.RevokeLinks(t.Context(), "20481", noon))
	w.act(c.ID, refund.Event{Kind: refund.Resubmitted, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.Refused, Actor: clerk, Reason: "no"})
	_, err = claim(noon.Add(time.Hour))
	wantErr(t, err, qc.ErrNotFound)
}

// However many browsers ask, only the newest few are told.
func (open opener) testPushIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	for n := range 13 {
		w.must(w.Subscribe(t.Context(), browser("20481", n), noon.Add(time.Duration(n)*time.Second)))
	}
	w.visible("20481-2")
	all, err := w.Notices(t.Context(), central.NoticeFilter{})
	w.must(err)
	receivers := map[string]bool{}
	for _, n := range all {
		receivers[n.Hook] = true
	}
	c, err := w.ClaimNotices(t.Context(), refund.ByPush, time.Minute, noon)
	w.must(err)
	if len(receivers) != 10 || c.Push.Endpoint == "https://push.example.com/0" {
		t.Errorf("%d are told, among them %s", len(receivers), c.Push.Endpoint)
	}
}
