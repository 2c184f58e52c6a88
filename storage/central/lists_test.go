package central_test

import (
	"testing"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// What is listed without a limit is listed whole.
func (open opener) testListsAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	order := sampleOrder()
	order.ID, order.Customer.Email = "item5", "ana@example.com"
	const many = 130 // with their reminders more notices than one list has
	w.many(order, many)
	cases, notices := map[qc.CaseID]bool{}, map[string]bool{}
	w.must(w.EachCase(t.Context(), central.CaseFilter{}, func(c refund.Case) error { cases[c.ID] = true; return nil }))
	w.must(w.EachNotice(t.Context(), central.NoticeFilter{}, func(n refund.Notice) error { notices[n.ID] = true; return nil }))
	if len(cases) != many || len(notices) != many*4 {
		t.Errorf("%d cases and %d notices, want %d and %d", len(cases), len(notices), many, many*4)
	}
	some := 0
	w.must(w.EachCase(t.Context(), central.CaseFilter{Limit: 2}, func(refund.Case) error { some++; return nil }))
	w.must(w.EachNotice(t.Context(), central.NoticeFilter{Limit: 2}, func(refund.Notice) error { some++; return nil }))
	if some != 4 {
		t.Errorf("%d within two limits of two", some)
	}
}
