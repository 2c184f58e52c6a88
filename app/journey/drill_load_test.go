package journey

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/app/load"
	"flawmark/app/qc"
)

// The bars of a centre at the peak of what one machine is for.
const (
	loadPush   = 300 * time.Millisecond // the 99th percentile of findings
	loadMemory = 1 << 30
)

// TestDrillLoad has a centre take the busiest hour of a warehouse with 20,000
// items a day: 28 findings a second, one in twelve flagged, and 66 MB of photos a
// second beside them, from 35 stations over real sockets. A try is a second.
func TestDrillLoad(t *testing.T) {
	rig := drill.Begin(t, "load", drill.Sizes{Test: 4, Short: 600, Long: 3600})
	plan := load.Plan{
		Senders: 35, PerSecond: 28, FlagEvery: 12, PhotoBytes: 66e6, PhotoSize: 8e6, For: time.Duration(rig.Tries) * time.Second,
	}
	if !rig.Asked { // beside other tests, on a disk that others wait for
		plan.Senders, plan.PhotoBytes = 4, 8e6
	}
	dir := t.TempDir()
	program, err := centralProgram()
	if err != nil {
		t.Fatal(err)
	}
	c, err := load.StartCentre(t.Context(), program, filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Hire(t.Context()); err != nil {
		t.Fatal(err)
	}
	items, err := c.ImportOrders(t.Context(), dir, 500_000, plan.Findings())
	if err != nil {
		t.Fatal(err)
	}
	// An hour of it is more than most disks hold: what has arrived makes room.
	plan.Arrived = func(d qc.Digest) error {
		return os.Remove(filepath.Join(c.Data, "blobs", string(d[:2]), string(d)))
	}
	result, err := c.Run(t.Context(), plan, items)
	if err != nil {
		t.Fatal(err)
	}
	out := drill.Outcome{Tries: rig.Tries}
	out.Lost, out.Doubled = arrived(t, c, result, plan)
	for _, failed := range result.Failed {
		t.Error(failed)
	}
	memory, err := c.PeakMemory()
	if err != nil {
		t.Fatal(err)
	}
	p99 := result.Push.Percentile(99)
	if rig.Asked && (p99 > loadPush || memory > loadMemory) {
		t.Errorf("findings took %v, memory %d MiB", p99, memory>>20)
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f_ms", float64(d.Microseconds())/1000) }
	out.Figures = []string{
		"findings", fmt.Sprint(result.Findings), "photos", fmt.Sprint(result.Photos),
		"photo_rate", fmt.Sprintf("%.1f_MB/s", float64(result.Bytes)/1e6/result.Took.Seconds()),
		"push_p50", ms(result.Push.Percentile(50)), "push_p99", ms(p99), "push_max", ms(result.Push.Percentile(100)),
		"photo_p99", ms(result.Photo.Percentile(99)), "memory", fmt.Sprintf("%d_MiB", memory>>20),
	}
	rig.Done(out)
}

// arrived compares what was acknowledged with what the centre's database has.
func arrived(t *testing.T, c *load.Centre, result load.Result, plan load.Plan) (lost, doubled int) {
	t.Helper()
	if err := c.Sound(t.Context()); err != nil {
		t.Error(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(c.Data, "central.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var findings, distinct, cases, items, blobs int
	for query, to := range map[string]*int{
		`SELECT count(*) FROM finding`:                   &findings,
		`SELECT count(DISTINCT id) FROM finding`:         &distinct,
		`SELECT count(*) FROM refund_case`:               &cases,
		`SELECT count(DISTINCT item) FROM refund_case`:   &items,
		`SELECT count(*) FROM blob WHERE size = 8000000`: &blobs,
	} {
		if err := db.QueryRowContext(t.Context(), query).Scan(to); err != nil {
			t.Fatal(err)
		}
	}
	flagged := (plan.Findings() + plan.FlagEvery - 1) / plan.FlagEvery
	if len(result.Failed) == 0 && items != flagged {
		t.Errorf("%d of %d flagged items have a case", items, flagged)
	}
	lost = max(0, result.Findings-distinct) + max(0, result.Photos-blobs)
	return lost, findings - distinct + cases - items
}

// TestDrillLoad_CountsWhatIsMissing acknowledges more than there is.
func TestDrillLoad_CountsWhatIsMissing(t *testing.T) {
	program, err := centralProgram()
	if err != nil {
		t.Fatal(err)
	}
	c, err := load.StartCentre(t.Context(), program, filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	nothing := load.Result{Findings: 3, Photos: 2, Failed: []error{errors.New("planted")}}
	if lost, doubled := arrived(t, c, nothing, load.Plan{FlagEvery: 1}); lost != 5 || doubled != 0 {
		t.Errorf("%d lost, %d doubled, want 5 and none", lost, doubled)
	}
}
