package central_test

import (
	"errors"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// contact returns where the customer of the one case is written to, and the
// version that a correction has to name.
func (w world) contact() (qc.Contact, int) {
	w.t.Helper()
	d, err := w.Dossier(w.t.Context(), w.only().ID)
	w.must(err)
	return d.Customer.Contact(), d.Customer.Correction.Version
}

// A wrong address is corrected at the desk, and what could not be told is sent
// again; the shop's next import undoes nothing until it says something new.
func (open opener) testCorrectContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	c := w.visible("20481-2")
	correct := func(seen int, email, language string, by qc.StaffID, want error) {
		t.Helper()
		if err := w.CorrectContact(t.Context(), c.ID, seen, qc.Contact{Email: email, Language: language}, by, noon); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", email, err, want)
		}
	}
	w.settleMail(noon, refund.Outcome{State: refund.NoticeFailed, Problem: "notice.problem.recipient", Code: "550"})
	w.untold(noon, true)
	before, err := w.Verify(t.Context())
	w.must(err)
	_, seen := w.contact()
	for _, by := range []qc.StaffID{"nobody", "lead7", "boss1", ""} {
		correct(seen, "thief@example.com", "en", by, refund.ErrNotYours)
	}
	correct(seen, "no address", "en", "clerk3", qc.ErrContact)
	correct(seen, "ana@example.com", "fr", "clerk3", qc.ErrContact)
	correct(seen+1, "ana.moreira@example.com", "en", "clerk3", central.ErrContactMoved)
	correct(seen, " ana.moreira@example.com ", "zh", "clerk3", nil)
	correct(seen, "ana.moreira@example.com", "zh", "clerk3", nil) // the second click
	correct(seen, "late@example.com", "en", "clerk3", central.ErrContactMoved)
	right := qc.Contact{Email: "ana.moreira@example.com", Language: "zh"}
	if got, version := w.contact(); got != right || version != seen+1 {
		t.Errorf("contact %+v in version %d", got, version)
	}
	after, err := w.Verify(t.Context())
	w.must(err)
	if n := after.Audit - before.Audit; n != 1 {
		t.Errorf("audited %d times, want once", n)
	}
	w.retell("clerk3", noon, 1)
	w.settleMail(noon, refund.Outcome{State: refund.NoticeSent})
	w.untold(noon, false)

	w.reachable() // the shop repeats itself
	if got, version := w.contact(); got != right || version != seen+1 {
		t.Errorf("after the shop has repeated itself: %+v in version %d", got, version)
	}
	order := sampleOrder()
	order.Customer.Email, order.Customer.Language = "new@example.com", "en"
	order.Customer.Correction = qc.Correction{Version: 99, By: "shop"} // which an import cannot say
	_, err = w.ImportOrders(t.Context(), []qc.Order{order}, noon.Add(time.Hour))
	w.must(err)
	want := qc.Contact{Email: "new@example.com", Language: "zh"} // of the language it says what it said before
	if got, version := w.contact(); got != want || version != seen+2 {
		t.Errorf("after the shop's new address: %+v in version %d, want %+v in %d", got, version, want, seen+2)
	}
	w.sound()
}
