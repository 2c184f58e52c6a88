package central_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"flawmark/app/refund/refundtest"
)

// TestDeskRows_AreComparedAndMended breaks the desk's rows one way after the
// other; that they are right whatever happens is said by the rig that lets
// anything happen ([life.end]).
func TestDeskRows_AreComparedAndMended(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := opener(reopen(dir)).busy(t, refundtest.NewChance(3)).w
	t.Cleanup(func() { w.must(w.Close()) })
	db, err := sql.Open("sqlite", filepath.Join(dir, "central.db")+"?_pragma=busy_timeout(5000)")
	w.must(err)
	t.Cleanup(func() { w.must(db.Close()) })
	faults, err := w.CheckDesk(t.Context())
	w.must(err)
	if !faults.OK() || faults.Rows != 6 {
		t.Fatalf("before anything was broken: %+v", faults)
	}
	for name, query := range map[string]string{
		"a case cannot be found":          `UPDATE desk_case SET search = 'nothing'`,
		"a case is not on the list":       `DELETE FROM desk_case WHERE case_id = (SELECT MIN(case_id) FROM desk_case)`,
		"a case is due another day":       `UPDATE desk_case SET due_at = due_at + 1`,
		"a case waits for somebody else":  `UPDATE desk_case SET turn = 'lead'`,
		"what a seller owes is forgotten": `UPDATE desk_case SET missing = missing + 1`,
		"a flaw does not count":           `UPDATE desk_finding SET flawed = flawed + 1`,
		"a finding is not counted":        `DELETE FROM desk_finding WHERE finding = 'f1'`,
		"a finding that never was":        `INSERT INTO desk_finding SELECT 'f0 again', form, revision, item, seller, inspector, verdict, pieces, flawed, recorded_at FROM desk_finding WHERE finding = 'f0'`,
	} {
		_, err := db.Exec(query)
		w.must(err)
		if faults, err = w.CheckDesk(t.Context()); err != nil || faults.OK() {
			t.Errorf("%s: %+v, %v", name, faults, err)
		}
		mended, err := w.MendDesk(t.Context())
		w.must(err)
		if mended != len(faults.Cases)+len(faults.Findings) {
			t.Errorf("%s: of %+v %d were mended", name, faults, mended)
		}
		if faults, err = w.CheckDesk(t.Context()); err != nil || !faults.OK() {
			t.Errorf("%s, mended: %+v, %v", name, faults, err)
		}
	}
	w.sound()
}
