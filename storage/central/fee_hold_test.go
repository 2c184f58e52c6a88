package central_test

import (
	"testing"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// TestFees_OfTheBalance: what an exchange costs is set aside with the
// customer's word, never more than there is, and free again with the choice.
func TestFees_OfTheBalance(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := rich(t, reopen(dir))
	f := w.bench.flag("f-cheap", "20481-1")
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	w.store(f.Photos[0].Preview.Digest)
	w.must(w.Close())
	tamper(t, dir, `UPDATE refund_case SET body = replace(body, '"timeline":', '"liability":"minor","timeline":') WHERE is_open = 1`)
	w.Store = reopen(dir)(t)
	c, err := w.openCaseOf("20481-1")
	w.must(err)
	chose := refund.Event{Kind: refund.ChoseExchange, Actor: customer, At: noon}
	_, err = w.Act(t.Context(), c.ID, 0, chose, "")
	wantErr(t, err, refund.ErrConsent)
	chose.Consent = true

	r := reservation(39000) // too little is left
	_, err = w.Reserve(t.Context(), r, noon)
	w.must(err)
	_, err = w.Act(t.Context(), c.ID, 0, chose, "")
	wantErr(t, err, refund.ErrFunds)
	w.funds(40100, 39000, 1100)
	_, err = w.Release(t.Context(), r.Holder, r.ID, noon)
	w.must(err)

	w.act(c.ID, chose)
	w.funds(40100, 1700, 38400)
	w.sound()
	w.act(c.ID, refund.Event{Kind: refund.Reconsidered, Actor: customer})
	w.funds(40100, 0, 40100)
	w.act(c.ID, chose)
	w.act(c.ID, refund.Event{Kind: refund.AgreedReship, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.ReplacementIn, Actor: refund.Actor{Party: refund.ByStation, ID: "u12"}, Waybill: "SF9876543210123"})
	w.act(c.ID, refund.Event{Kind: refund.RecheckPassed, Actor: refund.Actor{Party: refund.ByStation, ID: "u12"}})
	w.funds(38400, 0, 38400)
	lines := w.seen().Statement
	if last := lines[len(lines)-1]; last.Kind != "fee_held" || last.Amount.Minor() != -1700 || last.Running.Minor() != 38400 {
		t.Errorf("statement ends with %+v", last)
	}
	w.sound()
	w.must(w.Close())
	tamper(t, dir, `UPDATE balance SET posted = posted + 5 WHERE account = 'hold:C-1001'`, `UPDATE balance SET posted = posted - 5 WHERE account = 'fee_income'`)
	w.Store = reopen(dir)(t)
	report, err := w.Verify(t.Context())
	w.must(err)
	if report.OK() {
		t.Error("money that nobody set aside is not found")
	}
	w.must(w.Close())
}

// openCaseOf returns the open case of an item.
func (w world) openCaseOf(item qc.ItemID) (refund.Case, error) {
	cases, err := w.Cases(w.t.Context(), central.CaseFilter{Open: true})
	for _, c := range cases {
		if c.Item == item {
			return c, err
		}
	}
	return refund.Case{}, qc.ErrNotFound
}
