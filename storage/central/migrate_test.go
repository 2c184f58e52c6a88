package central_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flawmark/app/money"
	"flawmark/storage/central"
	"flawmark/storage/storagetest"

	"github.com/pressly/goose/v3"
)

// TestMigrate_KeepsTheLedger brings a database with money in it from the schema
// before holds and memos up to date: not a row is lost, the ledger stays
// append-only, and what was credited before there were memos needs none.
func TestMigrate_KeepsTheLedger(t *testing.T) {
	t.Parallel()
	for name, migrate := range map[string]func(t *testing.T) (*sql.DB, central.Config){
		"sqlite": func(t *testing.T) (*sql.DB, central.Config) {
			c := config(t, t.TempDir())
			db, err := sql.Open("sqlite", filepath.Join(c.Dir, "central.db"))
			if err != nil {
				t.Fatal(err)
			}
			return db, before(t, goose.DialectSQLite3, "sqlite", db, c)
		},
		"postgres": func(t *testing.T) (*sql.DB, central.Config) {
			c := config(t, t.TempDir())
			c.URL = storagetest.StartPostgres(t).Database(t)
			db, err := sql.Open("pgx", c.URL)
			if err != nil {
				t.Fatal(err)
			}
			return db, before(t, goose.DialectPostgres, "postgres", db, c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, c := migrate(t)
			defer db.Close()
			store, err := central.Open(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			got, err := store.Funds(t.Context(), "C-1001")
			if err != nil || got.Available != money.Fen(401) {
				t.Errorf("funds %+v, %v", got, err)
			}
			report, err := store.Verify(t.Context())
			if said := strings.Join(report.Problems, "\n"); err != nil || strings.Contains(said, "memo") || strings.Contains(said, "hold") {
				t.Errorf("verified: %s, %v", said, err)
			}
			if _, err := db.Exec(`UPDATE transfer SET amount = 1`); err == nil {
				t.Error("the ledger can be rewritten")
			}
			if _, err := db.Exec(`DELETE FROM transfer`); err == nil {
				t.Error("the ledger can be emptied")
			}
			var rows int
			if err := db.QueryRow(`SELECT COUNT(*) FROM transfer WHERE case_id = 'K1' AND n = 7`).Scan(&rows); err != nil || rows != 1 {
				t.Errorf("%d transfers are left, %v", rows, err)
			}
		})
	}
}

// before makes a database as it was before migration 5, with a credit in it.
func before(t *testing.T, dialect goose.Dialect, folder string, db *sql.DB, c central.Config) central.Config {
	t.Helper()
	provider, err := goose.NewProvider(dialect, db, os.DirFS("migrations/"+folder))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO customer (id, body) VALUES ('C-1001', '{"id":"C-1001"}')`,
		`INSERT INTO order_ (id, customer, placed_at, imported_at) VALUES ('20481', 'C-1001', 1, 1)`,
		`INSERT INTO item (id, order_id, place, body) VALUES ('20481-1', '20481', 0, '{"id":"20481-1","order":"20481"}')`,
		`INSERT INTO refund_case (id, order_id, item, customer, finding, status, is_open, version, opened_at, changed_at,
			window_ends_at, decide_by, search, body) VALUES ('K1', '20481', '20481-1', 'C-1001', 'f1', 'credited', 0, 1, 1, 1, 0, 0, '',
			'{"id":"K1","order":"20481","item":"20481-1","customer":"C-1001","status":"credited"}')`,
		`UPDATE counter SET value = 7 WHERE name = 'transfer'`,
		`INSERT INTO transfer (id, n, debit, credit, amount, currency, kind, case_id, ref, at)
			VALUES ('t7', 7, 'seller_receivable:x', 'customer:C-1001', 401, 'CNY', 'credit', 'K1', 'R-1', 1)`,
		`INSERT INTO balance (account, posted) VALUES ('customer:C-1001', 401), ('seller_receivable:x', -401)`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return c
}
