package central_test

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

func TestOpen_FolderInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := central.Open(t.Context(), config(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	_, err = central.Open(t.Context(), config(t, dir))
	wantErr(t, err, central.ErrInUse)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := central.Open(t.Context(), config(t, dir))
	if err != nil {
		t.Fatalf("after the first was closed: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_KeepsEverything(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a folder with # and % and ?")
	w := newWorld(t, reopen(dir))
	f := w.bench.flag("f1", "20481-2")
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	instance := w.Instance()
	secret, err := w.Secret(t.Context(), "tokens")
	w.must(err)
	told := len(w.feed(qc.PolicyChanged))
	w.must(w.Close())

	w.Store = reopen(dir)(t)
	same, err := w.Secret(t.Context(), "tokens")
	w.must(err)
	other, err := w.Secret(t.Context(), "other")
	w.must(err)
	if w.Instance() != instance || len(secret) != 32 || !bytes.Equal(secret, same) || bytes.Equal(secret, other) {
		t.Error("instance or secrets did not last")
	}
	if n := len(w.feed(qc.PolicyChanged)); told != 1 || n != 1 {
		t.Errorf("policy told %d, then %d times; it never changed", told, n)
	}
	w.store(f.Photos[0].Preview.Digest)
	w.status(refund.AwaitingDecision)
	w.sound()
	page, err := w.Changes(t.Context(), qc.Cursor{}, 5)
	w.must(err)
	copied := filepath.Join(t.TempDir(), "central.db")
	w.must(w.Backup(t.Context(), copied))
	w.must(w.Close())

	w.Store = reopen(filepath.Dir(copied))(t)
	w.status(refund.AwaitingDecision)
	_, err = w.Changes(t.Context(), page.Next, 5)
	wantErr(t, err, central.ErrCursorGone) // a restored centre gives numbers again
	w.sound()
	w.must(w.Close())
}

// reopen opens a folder without closing it at the end of the test.
func reopen(dir string) opener {
	return func(tb testing.TB) *central.Store {
		tb.Helper()
		store, err := central.Open(tb.Context(), config(tb, dir))
		if err != nil {
			tb.Fatal(err)
		}
		return store
	}
}

func TestOpen_UnknownDatabase(t *testing.T) {
	t.Parallel()
	c := config(t, t.TempDir())
	c.URL = "mysql://nowhere"
	_, err := central.Open(t.Context(), c)
	wantErr(t, err, central.ErrDatabase)
}

// tamper runs a statement on a closed store's database, behind its back.
func tamper(t testing.TB, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "central.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_NewerSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := reopen(dir)(t).Close(); err != nil {
		t.Fatal(err)
	}
	tamper(t, dir, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`,
		`UPDATE meta SET value = '999' WHERE name = 'oldest_program'`)
	_, err := central.Open(t.Context(), config(t, dir))
	wantErr(t, err, central.ErrNewer)
	_, err = central.Open(t.Context(), config(t, dir))
	wantErr(t, err, central.ErrNewer) // and the lock was given back
}

// A centre of the version before goes on beside a newer one that has only added.
func TestOpen_NewerSchemaThatOnlyAdds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, reopen(dir))
	w.must(w.Close())
	tamper(t, dir, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`,
		`UPDATE meta SET value = '1' WHERE name = 'oldest_program'`)
	w.Store = reopen(dir)(t)
	w.store(qc.DigestOf([]byte("photo")))
	w.sound()
	w.must(w.Close())
}

// credited is a folder in which a case ran to its credit, of which the customer
// has spent a part and set another aside.
func credited(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	w := newWorld(t, reopen(dir))
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1"})
	for _, fen := range []int64{10000, 2000} {
		h, err := w.Reserve(t.Context(), reservation(fen), noon)
		w.must(err)
		if fen == 10000 {
			_, err = w.Spend(t.Context(), h.Holder, h.ID, money.Fen(9000), noon)
			w.must(err)
		}
	}
	w.sound()
	w.must(w.Close())
	return dir
}

func TestVerify_FindsWhatWasChanged(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want       string
		statements []string
	}{
		"a balance":           {"balance of customer:C-1001", []string{`UPDATE balance SET posted = posted + 1 WHERE account = 'customer:C-1001'`}},
		"a lost balance":      {"and no balance", []string{`DELETE FROM balance WHERE account = 'cash:platform'`}},
		"a transfer":          {"the ledger", []string{`DROP TRIGGER transfer_keep`, `UPDATE transfer SET amount = 1 WHERE kind = 'credit'`}},
		"a hold":              {"no such reserve of 2001 fen", []string{`UPDATE hold SET amount = 2001 WHERE state = 'pending'`}},
		"a spent hold":        {"no such spend of 8999 fen", []string{`UPDATE hold SET spent = 8999 WHERE state = 'spent'`}},
		"a hold's state":      {"what is set aside makes 0", []string{`UPDATE hold SET state = 'released' WHERE state = 'pending'`}},
		"a lost hold":         {"for no hold", []string{`DELETE FROM hold WHERE state = 'spent'`}},
		"an account of holds": {"is set aside makes 2000", []string{`UPDATE balance SET posted = posted - 5 WHERE account = 'hold:C-1001'`, `UPDATE balance SET posted = posted + 5 WHERE account = 'customer:C-1001'`}},
		"a memo":              {"memo 1 does not agree with itself", []string{`DROP TRIGGER memo_keep`, `UPDATE memo SET net = net - 1`}},
		"a memo's body":       {"memo 1 does not agree with itself", []string{`DROP TRIGGER memo_keep`, `UPDATE memo SET body = replace(body, '38900', '38901')`}},
		"a memo's money":      {"and the ledger does not", []string{`DROP TRIGGER memo_keep`, `UPDATE memo SET credit = NULL`}},
		"a lost memo":         {"are on no memo", []string{`DROP TRIGGER memo_stay`, `DELETE FROM memo`}},
		"a gap in the memos":  {"the memos go from 0 to 2", []string{`DROP TRIGGER memo_keep`, `UPDATE memo SET number = 2`, `UPDATE counter SET value = 2 WHERE name = 'memo'`}},
		"the last memo":       {"numbered through 2", []string{`UPDATE counter SET value = 2 WHERE name = 'memo'`}},
		"a case's body":       {"does not agree", []string{`UPDATE refund_case SET body = replace(body, '"status":"credited"', '"status":"kept"')`}},
		"a case's row":        {"does not agree", []string{`UPDATE refund_case SET is_open = 1`}},
		"an event":            {"does not continue its log", []string{`DROP TRIGGER station_event_keep`, `UPDATE station_event SET body = replace(body, 'H11', 'H12')`}},
		"a dropped event":     {"ends at 0", []string{`DROP TRIGGER station_event_stay`, `DELETE FROM station_event`}},
		"an audit entry":      {"does not continue the trail", []string{`DROP TRIGGER audit_keep`, `UPDATE audit SET actor = 'someone' WHERE seq = 3`}},
		"the trail's end":     {"trail ends at", []string{`DROP TRIGGER audit_stay`, `DELETE FROM audit WHERE seq = (SELECT MAX(seq) FROM audit)`}},
		"a change":            {"the feed goes from", []string{`DELETE FROM change WHERE seq = 2`}},
		"the end of the feed": {"the feed ends at", []string{`DELETE FROM change WHERE seq = (SELECT MAX(seq) FROM change)`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := credited(t)
			tamper(t, dir, test.statements...)
			store := reopen(dir)(t)
			report, err := store.Verify(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if report.OK() || !strings.Contains(strings.Join(report.Problems, "\n"), test.want) {
				t.Errorf("problems %q, want %q among them", report.Problems, test.want)
			}
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Who opens an order to a customer can be found out later.
func TestLinkOrder_IsAudited(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, reopen(dir))
	for _, by := range []qc.StaffID{"", "clerk3"} {
		_, err := w.LinkOrder(t.Context(), "20481", by, noon)
		w.must(err)
	}
	w.must(w.Close())
	db, err := sql.Open("sqlite", filepath.Join(dir, "central.db"))
	w.must(err)
	defer db.Close()
	var actors string
	w.must(db.QueryRow(`SELECT group_concat(actor) FROM (SELECT actor FROM audit WHERE action = 'order.link' ORDER BY seq)`).Scan(&actors))
	if actors != "admin,staff:clerk3" {
		t.Errorf("links were made by %q", actors)
	}
}

func TestTables_AreAppendOnly(t *testing.T) {
	t.Parallel()
	dir := credited(t)
	db, err := sql.Open("sqlite", filepath.Join(dir, "central.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		`UPDATE station_event SET status = 'rejected'`, `DELETE FROM station_event`,
		`UPDATE transfer SET amount = 1`, `DELETE FROM transfer`,
		`UPDATE audit SET actor = ''`, `DELETE FROM audit`,
		`UPDATE memo SET net = 1`, `DELETE FROM memo`,
	} {
		if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v, want a refusal", statement, err)
		}
	}
}
