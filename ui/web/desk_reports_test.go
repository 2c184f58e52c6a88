package web

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// ReportCases tells one case, of a seller whose name is a formula.
func (w *world) ReportCases(_ context.Context, from, to time.Time, row func([]string) error) error {
	if err := row([]string{"case", "seller", "opened", "credited_amount", "status", "decision"}); err != nil {
		return err
	}
	if err := row([]string{"K-1", "=HYPERLINK(\"http://x\")", from.UTC().Format(time.RFC3339), "-12.50", "seller_refunding", "refund"}); err != nil {
		return err
	}
	return row([]string{"K-2", "潮流前线鞋店", to.UTC().Format(time.RFC3339), "", "=of a later version", ""})
}

// ReportMoney fails after its first row.
func (w *world) ReportMoney(_ context.Context, _, _ time.Time, row func([]string) error) error {
	return errors.Join(row([]string{"kind"}), errors.New("disk on fire"))
}

func (w *world) ReportFlaws(_ context.Context, _, _ time.Time, row func([]string) error) error {
	if err := row([]string{"seller", "code", "flaw", "severity"}); err != nil {
		return err
	}
	return row([]string{"潮流前线鞋店", "H11", "H11", "MAJ"})
}

func (w *world) ReportPeople(_ context.Context, _, _ time.Time, row func([]string) error) error {
	return row([]string{"staff"})
}

func (w *world) ReportTimes(_ context.Context, _, _ time.Time, row func([]string) error) error {
	return row([]string{"status"})
}

func TestReports_AreTablesForSpreadsheets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	b.signIn("V01")
	got := b.do(http.MethodGet, "/desk/reports/cases.csv?from=2026-11-01&to=2026-11-30", nil)
	text, marked := strings.CutPrefix(b.body(got, http.StatusOK), "\ufeff")
	if !marked || got.header.Get("Content-Type") != "text/csv; charset=utf-8" ||
		got.header.Get("Content-Disposition") != `attachment; filename="cases-2026-11-01-2026-11-30.csv"` {
		t.Errorf("headers %v, with a mark: %v", got.header, marked)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v: %q", len(rows), err, text)
	}
	want := "K-1|'=HYPERLINK(\"http://x\")|2026-11-01 00:00:00|-12.50|Seller refunding|Return and refund" // days begin in Shanghai
	if first := strings.Join(rows[1], "|"); rows[0][0] != "Case" || first != want {
		t.Errorf("head %q, first %q, want %q", rows[0], first, want)
	}
	if rows[2][2] != "2026-12-01 00:00:00" || rows[2][4] != "'=of a later version" {
		t.Errorf("the last row is %q", rows[2])
	}
	b.do(http.MethodGet, "/desk?lang=zh", nil)
	for file, want := range map[string]string{"cases": "卖家退款中,退货退款", "flaws": "潮流前线鞋店,H11,擦伤 / 划痕,严重"} {
		if page := b.get("/desk/reports/"+file+".csv?from=2026-11-01&to=2026-11-30", http.StatusOK); !strings.Contains(page, want) {
			t.Errorf("%s in Chinese: %s, want %s", file, page, want)
		}
	}
	for _, wrong := range []string{
		"", "?from=2026-11-02&to=2026-11-01", "?from=x&to=2026-11-01", "?from=1990-01-01&to=2026-11-01", "?from=2026-02-30&to=2026-03-01",
	} {
		b.get("/desk/reports/cases.csv"+wrong, http.StatusBadRequest)
	}
	b.get("/desk/reports/nothing.csv?from=2026-11-01&to=2026-11-30", http.StatusNotFound)
	b.get("/desk/reports/cases?from=2026-11-01&to=2026-11-30", http.StatusNotFound)
}

// Half a table must not look whole.
func TestReports_BreakOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	b.signIn("D01")
	defer func() {
		if broken := recover(); broken != http.ErrAbortHandler { //nolint:errorlint // what was thrown
			t.Errorf("a table that failed ended with %v", broken)
		}
	}()
	b.do(http.MethodGet, "/desk/reports/money.csv?from=2026-11-01&to=2026-11-30", nil)
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"": "", "店": "店", "-1.50": "-1.50", "-": "'-", "-1+2": "'-1+2", "=1": "'=1", "+86": "'+86", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx",
		"＝1": "'＝1", "＠x": "'＠x", "－1": "'－1",
	} {
		if got := harmless(cell); got != want {
			t.Errorf("%q becomes %q, want %q", cell, got, want)
		}
	}
}
