package central_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/storage/storagetest"
)

// Ten thousand movements are read page by page, each once and in their order,
// with the sums after each, from either end.
func TestStatement_OfTenThousand(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		testLongStatement(t, central.Config{Dir: dir}, "sqlite", filepath.Join(dir, "central.db"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		url := storagetest.StartPostgres(t).Database(t)
		testLongStatement(t, central.Config{Dir: t.TempDir(), URL: url}, "pgx", url)
	})
}

const movements = 10_000

func testLongStatement(t *testing.T, at central.Config, driver, source string) {
	t.Helper()
	w := newWorld(t, func(tb testing.TB) *central.Store {
		tb.Helper()
		c := config(tb, at.Dir)
		c.URL = at.URL
		store, err := central.Open(tb.Context(), c)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = store.Close() })
		return store
	})
	acme := w.key("acme", false)
	w.take(acme, shopOrder("A-1", "A-C", "A-1-1"))
	other := w.visible("20481-2") // what others' balances do is between
	w.act(other.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(other.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	w.act(other.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1"})
	db, err := sql.Open(driver, source)
	w.must(err)
	defer func() { w.must(db.Close()) }()
	free, held := string(refund.CustomerAccount("A-C")), string(refund.HoldAccount("A-C"))
	// Of three movements one brings money, the second sets it aside, the third spends it.
	_, err = db.ExecContext(t.Context(), `WITH RECURSIVE i(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM i WHERE k < 10000)
		INSERT INTO transfer (id, n, debit, credit, amount, currency, kind, case_id, ref, at)
		SELECT 'x' || CAST(k AS TEXT), (SELECT value FROM counter WHERE name = 'transfer') + 2 * k,
			CASE k % 3 WHEN 1 THEN 'cash' WHEN 2 THEN '`+free+`' ELSE '`+held+`' END,
			CASE k % 3 WHEN 1 THEN '`+free+`' WHEN 2 THEN '`+held+`' ELSE 'cash' END,
			700 + (k - 1) / 3, 'CNY', 'credit', NULL, 'A-' || CAST(k AS TEXT), 1000000 * CAST(k AS BIGINT) FROM i`)
	w.must(err)

	read := func(limit int) (all []central.Line) {
		var after int64
		for {
			lines, more, err := w.ShopStatement(t.Context(), acme, "A-C", after, limit)
			w.must(err)
			if len(lines) > limit {
				t.Fatalf("a page of %d has %d lines", limit, len(lines))
			}
			all = append(all, lines...)
			if !more {
				return all
			}
			after = lines[len(lines)-1].N
		}
	}
	began := time.Now()
	all := read(500)
	t.Logf("%d lines in %s", len(all), time.Since(began).Round(time.Millisecond))
	if len(all) != movements {
		t.Fatalf("%d lines, want %d", len(all), movements)
	}
	var running, aside int64
	for i, line := range all {
		sum := 700 + int64(i/3)
		want := sum
		switch i % 3 {
		case 0:
			running += sum
		case 1:
			running, aside, want = running-sum, aside+sum, -sum
		default:
			aside, want = aside-sum, -sum
		}
		if line.Number != i+1 || line.Running != money.Fen(running) || line.Held != money.Fen(aside) || line.Amount != money.Fen(want) {
			t.Fatalf("line %d is %+v, want %d, then %d free and %d aside", i+1, line, want, running, aside)
		}
	}
	for i, line := range read(333) {
		if line != all[i] {
			t.Fatalf("by other pages line %d is %+v, was %+v", i+1, line, all[i])
		}
	}
	var back []central.Line
	for before, older := int64(1)<<62, true; older; {
		var lines []central.Line
		lines, older, err = w.StatementBefore(t.Context(), qc.CustomerID("A-C"), before, 450)
		w.must(err)
		back = append(append([]central.Line{}, lines...), back...)
		before = lines[0].N
	}
	if len(back) != movements || back[0] != all[0] || back[4321] != all[4321] || back[movements-1] != all[movements-1] {
		t.Errorf("from the end %d lines, the first %+v", len(back), back[0])
	}
	token, err := w.LinkOrder(t.Context(), "A-1", "", noon)
	w.must(err)
	view, err := w.OrderByToken(t.Context(), "A-1", token, noon)
	w.must(err)
	if len(view.Statement) != 100 || !view.Older || view.Statement[99] != all[movements-1] {
		t.Errorf("the order's page gets %d lines", len(view.Statement))
	}
	if lines, more, err := w.ShopStatement(t.Context(), acme, "A-C", all[movements-1].N, 500); err != nil || more || len(lines) != 0 {
		t.Errorf("behind the end: %d lines, %t, %v", len(lines), more, err)
	}
}
