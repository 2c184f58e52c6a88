package central_test

import (
	"fmt"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// BenchmarkWorklist is what a page of the desk asks for, with ten thousand open
// cases and as many that have ended.
func BenchmarkWorklist(b *testing.B) {
	dir := b.TempDir()
	w := newWorld(b, reopen(dir))
	w.visible("20481-2")
	w.must(w.Close())
	const count = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) `
	tamper(b, dir,
		count+`INSERT INTO item (id, order_id, place, body) SELECT id || '-' || i, order_id, 10 + i,
			replace(replace(body, '"20481-2"', '"20481-2-' || i || '"'), '潮流前线', '潮流' || (i % 400)) FROM item, n WHERE id = '20481-2'`,
		count+`INSERT INTO refund_case (id, order_id, item, customer, finding, status, is_open, version, opened_at, changed_at,
			window_ends_at, decide_by, search, body) SELECT id || '-' || i, order_id, item || '-' || i, customer, finding || '-' || i,
			CASE WHEN i > 10000 THEN 'kept' ELSE status END, i <= 10000, version, opened_at, changed_at, window_ends_at, decide_by, '',
			replace(replace(replace(replace(body, '"20481-2"', '"20481-2-' || i || '"'), id, id || '-' || i), '潮流前线', '潮流' || (i % 400)),
			'"status":"awaiting_decision"', CASE WHEN i > 10000 THEN '"status":"kept"' ELSE '"status":"awaiting_decision"' END)
			FROM refund_case, n WHERE item = '20481-2'`)
	began := time.Now()
	store := reopen(dir)(b)
	b.Logf("filed 20,000 cases in %s", time.Since(began).Round(time.Millisecond))
	defer func() { w.must(store.Close()) }()
	b.Run("match", func(b *testing.B) {
		rows, err := central.ParseRefunds([]byte("ref,amount,order,note\nR-1,401.00,2418830517429106684,\nR-2,401.00,,20481-2-17\nR-3,401.00,,\n"))
		w.must(err)
		for b.Loop() {
			_, err := store.MatchRefunds(b.Context(), rows)
			w.must(err)
		}
	})
	for name, f := range map[string]central.WorkFilter{
		"first":   {Open: true},
		"last":    {Open: true, Skip: 9950},
		"search":  {Open: true, Search: refund.ReadSearch("潮流17鞋店 moreira")},
		"nothing": {Search: refund.ReadSearch("sf0000")},
		"seller":  {Open: true, Seller: "潮流17鞋店"},
		"mine":    {Open: true, Assignee: "clerk3"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				work, err := store.Worklist(b.Context(), f)
				w.must(err)
				counts, err := store.WorkCounts(b.Context(), qc.StaffID("clerk3"), noon)
				w.must(err)
				if counts.Open < 10000 {
					b.Fatal(fmt.Sprint(counts.Open, " open, ", work.Total))
				}
			}
		})
	}
}
