package central_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/storage/central"
)

// connected opens a centre's database as any other program does.
func connected(t *testing.T, c central.Config) *sql.DB {
	t.Helper()
	driver, name := "sqlite", filepath.Join(c.Dir, "central.db")
	if c.URL != "" {
		driver, name = "pgx", c.URL
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// rowsOf reads every row of every table, in an order that does not depend on
// the database.
func rowsOf(t *testing.T, c central.Config) map[string][]string {
	t.Helper()
	db := connected(t, c)
	list := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`
	if c.URL != "" {
		list = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE 'goose_%'`
	}
	all := make(map[string][]string)
	for _, name := range read(t, db, list) {
		all[name[0]] = nil
		for _, row := range read(t, db, `SELECT * FROM "`+name[0]+`"`) {
			slices.Sort(row) // columns, each of which names itself
			all[name[0]] = append(all[name[0]], strings.Join(row, " "))
		}
		slices.Sort(all[name[0]])
	}
	return all
}

func read(t *testing.T, db *sql.DB, query string) (all [][]string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(columns))
		for i, value := range values {
			row[i] = fmt.Sprint(value)
			if len(columns) > 1 {
				row[i] = fmt.Sprintf("%s=%T:%[2]v", columns[i], value)
			}
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// sameRows fails the test where two databases differ in a row, or where a table
// has none: nobody would see that it was not copied.
func sameRows(t *testing.T, from, to map[string][]string) {
	t.Helper()
	if want, got := slices.Sorted(maps.Keys(from)), slices.Sorted(maps.Keys(to)); !slices.Equal(want, got) {
		t.Errorf("tables %v, want %v", got, want)
	}
	for name, rows := range from {
		if len(rows) == 0 {
			t.Errorf("table %s is empty: let something happen in lived that makes rows of it", name)
		}
		if !slices.Equal(rows, to[name]) {
			t.Errorf("table %s has\n%s\nand its source\n%s", name, strings.Join(to[name], "\n"), strings.Join(rows, "\n"))
		}
	}
}

// A backup is the centre in every row, and a copy made while the centre works is
// the centre of one moment.
func (open opener) testCopiesHoldAll(t *testing.T) {
	t.Parallel()
	w := lived(t, open)
	first, second, moved := t.TempDir(), t.TempDir(), t.TempDir()
	w.must(w.Backup(t.Context(), filepath.Join(first, "central.db")))
	w.must(w.Backup(t.Context(), filepath.Join(second, "central.db")))
	rows := rowsOf(t, central.Config{Dir: first})
	sameRows(t, rows, rowsOf(t, central.Config{Dir: second}))
	before, err := w.Stats(t.Context())
	w.must(err)
	if before.Findings != len(rows["finding"]) || before.Orders != len(rows["order_"]) || before.FeedSeq != int64(len(rows["change"])) {
		t.Errorf("the backup has %d findings, %d orders and %d changes; the centre %+v", len(rows["finding"]), len(rows["order_"]), len(rows["change"]), before)
	}

	ctx, end := context.WithCancel(t.Context())
	working := make(chan int, 1)
	go func() {
		done := 0
		defer func() { working <- done }() // also where the test has failed here
		for ; ctx.Err() == nil; done++ {
			w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.pass(qc.FindingID(fmt.Sprint("meanwhile", done)), "20481-1"))
		}
	}()
	defer end()
	time.Sleep(50 * time.Millisecond)
	c := config(t, moved)
	copied, err := w.CopyTo(t.Context(), c)
	w.must(err)
	end()
	done := <-working
	if !copied.Report.OK() || done == 0 {
		t.Errorf("copied %+v while %d findings came", copied, done)
	}
	got := rowsOf(t, c)
	if n := len(got["finding"]); n < before.Findings || n > before.Findings+done || len(got["station_event"]) != before.Events+n-before.Findings {
		t.Errorf("the copy has %d findings and %d events; before there were %d and %d, and %d came", n, len(got["station_event"]), before.Findings, before.Events, done)
	}
	w.sound()
}
