package journey

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/app/qc"
)

// TestDrillRestore destroys the data folder of a centre and restores it from a
// backup that is older than what its stations have sent since. They refill it:
// every finding is there once, with its files, and the books hold.
func TestDrillRestore(t *testing.T) {
	rig := drill.Begin(t, "restore", drill.Sizes{Test: 1, Short: 2, Long: 10})
	lost, doubled, findings := 0, 0, 0
	for try := range rig.Tries {
		r := destroyAndRestore(t, try%2 == 1)
		lost, doubled, findings = lost+r.lost, doubled+r.doubled, findings+r.findings
	}
	rig.Done(drill.Outcome{Tries: rig.Tries, Lost: lost, Doubled: doubled, Figures: []string{"findings", fmt.Sprint(findings)}})
}

type refilled struct{ lost, doubled, findings int }

func destroyAndRestore(t *testing.T, photos bool) refilled {
	t.Helper()
	const stations, before, after = 2, 3, 3
	data := filepath.Join(t.TempDir(), "centre")
	c := startCentre(t, data, "", "--demo")
	orders, items := orderFile(t, stations*(before+after))
	admin(t, data, "orders", "import", orders)
	var benches []quiet
	for range stations {
		benches = append(benches, enrolQuiet(t, c))
	}
	photo := samplePhoto(t, "eniko-kis-663725-unsplash.jpg")
	record := func(bench, n int) {
		item := items[bench*(before+after)+n]
		args := []string{
			"flag", "--inspector", "u12", "--item", string(item), "--flaw", "F04", "--mark", "1#rect:100,100,60,40",
			"--photo", scratch(t, "photo.jpg", commented(photo, string(item))),
		}
		benches[bench].do(t, args...)
	}
	for bench := range benches {
		for n := range before {
			record(bench, n)
		}
		benches[bench].do(t, "sync", "--once")
	}
	backup := filepath.Join(t.TempDir(), "backup.zip")
	args := []string{"backup", backup}
	if photos {
		args = append(args, "--photos")
	}
	admin(t, data, args...) // while it serves
	for bench := range benches {
		for n := range after {
			record(bench, before+n)
		}
		benches[bench].do(t, "sync", "--once")
	}
	known := findingsAt(t, data)
	address := c.address()
	c.kill()
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}

	said := admin(t, data, "restore", backup)
	if photos == strings.Contains(said.out, "asked for") {
		t.Errorf("restored: %s", said.out)
	}
	if got := findingsAt(t, data); got[0] != stations*before || known[0] != stations*(before+after) {
		t.Fatalf("%d findings before, %d in the backup: nothing is tried", known[0], got[0])
	}
	c = startCentre(t, data, address, "--demo")
	var findings []qc.Finding
	begun := time.Now()
	for _, bench := range benches {
		for { // the first look at the feed tells a station that the centre forgot
			bench.do(t, "sync", "--once")
			lacking := missing(filepath.Join(data, "blobs"), bench.findings(t))
			if len(lacking) == 0 && findingsAt(t, data)[0] >= len(findings)+before+after {
				break
			}
			if time.Since(begun) > patience {
				t.Errorf("after the restore the centre lacks findings, or:\n%s", strings.Join(lacking, "\n"))
				break
			}
		}
		findings = append(findings, bench.findings(t)...)
	}
	admin(t, data, "doctor", "--deep")
	if code := c.stop(t); code != 0 {
		t.Errorf("the centre ended with %d", code)
	}
	admin(t, data, "verify")
	at := findingsAt(t, data)
	r := refilled{findings: len(findings), lost: max(0, len(findings)-at[1]), doubled: at[0] - at[1] + at[2] - at[1]}
	if lacking := missing(filepath.Join(data, "blobs"), findings); len(lacking) > 0 {
		r.lost += len(lacking)
	}
	return r
}

// findingsAt counts a centre's findings, those that differ, and the cases of
// items that are not of the demo.
func findingsAt(t *testing.T, data string) (counts [3]int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "central.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i, query := range []string{
		`SELECT COUNT(*) FROM finding WHERE item LIKE '3%'`, `SELECT COUNT(DISTINCT id) FROM finding WHERE item LIKE '3%'`,
		`SELECT COUNT(*) FROM refund_case WHERE item LIKE '3%'`,
	} {
		if err := db.QueryRowContext(t.Context(), query).Scan(&counts[i]); err != nil {
			t.Fatal(err)
		}
	}
	return counts
}

// findings returns what the station has recorded.
func (q quiet) findings(t *testing.T) []qc.Finding {
	t.Helper()
	var all []qc.Finding
	for _, r := range q.queue(t) {
		if r.Finding != nil {
			all = append(all, *r.Finding)
		}
	}
	return all
}
