package central_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

func (open opener) testReports(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.pass("good", "20481-3"))
	step := func(hours int, e refund.Event) {
		e.At, e.Actor = noon.Add(time.Duration(hours)*time.Hour), clerk
		_, err := w.Act(t.Context(), c.ID, 0, e, "")
		w.must(err)
	}
	step(1, refund.Event{Kind: refund.ChoseRefund})
	step(5, refund.Event{Kind: refund.AgreedRefund})
	step(29, refund.Event{Kind: refund.SellerPaid, Amount: money.Fen(10000), SellerRef: "R-1"})

	table := func(report func(context.Context, time.Time, time.Time, func([]string) error) error, from, to time.Time) string {
		t.Helper()
		var text strings.Builder
		w.must(report(t.Context(), from, to, func(row []string) error {
			fmt.Fprintln(&text, strings.Join(row, ","))
			return nil
		}))
		return text.String()
	}
	day := 24 * time.Hour
	cases := table(w.ReportCases, noon.Add(-day), noon.Add(day))
	if !strings.Contains(cases, string(c.ID)+",20481,20481-2,C-1001,潮流前线鞋店,refund_short,refund,2026-11-23T12:00:00Z,2026-11-23T13:00:00Z") ||
		!strings.Contains(cases, "389.00,12.00,100.00,100.00,0.00,0.00,0") {
		t.Errorf("cases:\n%s", cases)
	}
	if later := table(w.ReportCases, noon.Add(day), noon.Add(2*day)); strings.Count(later, "\n") != 1 {
		t.Errorf("cases of another day:\n%s", later)
	}
	if moved := table(w.ReportMoney, noon, noon.Add(2*day)); !strings.Contains(moved, "received,cash,seller_receivable,1,100.00\n") {
		t.Errorf("money:\n%s", moved)
	}
	if early := table(w.ReportMoney, noon, noon.Add(day)); strings.Contains(early, "received") {
		t.Errorf("money of the first day:\n%s", early)
	}
	if flaws := table(w.ReportFlaws, noon, noon.Add(day)); !strings.Contains(flaws, "潮流前线鞋店,H11,") || !strings.HasSuffix(flaws, ",MIN,1,1,2\n") {
		t.Errorf("flaws:\n%s", flaws)
	}
	if people := table(w.ReportPeople, noon, noon.Add(day)); !strings.Contains(people, "u12,王芳,2,2,1,1,0,0,0,0\n") {
		t.Errorf("people:\n%s", people)
	}
	if times := table(w.ReportTimes, noon, noon.Add(2*day)); !strings.Contains(times, "negotiating,1,4.0,4.0\n") || !strings.Contains(times, "seller_refunding,1,24.0,24.0\n") {
		t.Errorf("times:\n%s", times)
	}
}
