package central_test

import (
	"os"
	"testing"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// underTerms is a store that opens its cases under the rules in assets.
func underTerms(t *testing.T) *central.Store {
	t.Helper()
	c := config(t, t.TempDir())
	terms, err := refund.ReadPolicies(os.DirFS("../../assets/policies"))
	if err != nil {
		t.Fatal(err)
	}
	c.Terms = terms
	store, err := central.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// A small flaw costs the customer the way back, as announced; a graver one that
// is found on a second look does not.
func TestTerms_TheFlawsSayWhoAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(testing.TB) *central.Store { return underTerms(t) })
	c := w.visible("20481-2") // a minor scuff
	sheet, err := c.Sheet()
	w.must(err)
	if c.Liability != refund.ByMinorFlaw || c.Policy != 1 || c.Terms == nil || sheet[1].Net != money.Fen(40100-1200-500) {
		t.Fatalf("opened under %d with %q, which brings %s", c.Policy, c.Liability, sheet[1].Net)
	}
	worse := w.bench.flag("f-20481-2", "20481-2")
	worse.Revision, worse.Flaws[0].Severity = 2, qc.Major
	w.bench.applied(noon, qc.FindingRecorded, "u12", worse)
	if c = w.status(refund.AwaitingDecision); c.Liability != refund.BySellerFault {
		t.Fatalf("of a major flaw answers %q", c.Liability)
	}
	worse.Revision, worse.Flaws[0].Severity = 3, qc.Minor
	w.bench.applied(noon, qc.FindingRecorded, "u12", worse)
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedReturn, Actor: clerk})
	w.bench.applied(noon, qc.ReturnDispatched, "u12", qc.Dispatch{Case: c.ID, Carrier: "SF", Waybill: "SF9876543210123", By: "u12"})
	w.act(c.ID, refund.Event{Kind: refund.SellerReceived, Actor: clerk})
	c = w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1"})
	balance, err := w.Balance(t.Context(), "C-1001")
	w.must(err)
	if c.Status != refund.Credited || balance != sheet[1].Net || c.Charged != money.Fen(1700) {
		t.Errorf("%s, balance %s, charged %s: the sheet said %s", c.Status, balance, c.Charged, sheet[1].Net)
	}
	w.sound()
}
