package journey

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"flawmark/app/load"
)

// TestDrillLoad_ChargesAStall stops the centre for a while. All that was due in
// that time has waited, not only what was under way when it began.
func TestDrillLoad_ChargesAStall(t *testing.T) {
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
	const stall = 900 * time.Millisecond
	plan := load.Plan{Senders: 2, PerSecond: 20, For: 3 * time.Second}
	items, err := c.ImportOrders(t.Context(), dir, 500_000, plan.Findings())
	if err != nil {
		t.Fatal(err)
	}
	plan.Began = func() {
		time.Sleep(500 * time.Millisecond)
		if err := c.Signal(syscall.SIGSTOP); err != nil {
			t.Error(err)
		}
		time.Sleep(stall)
		if err := c.Signal(syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	}
	result, err := c.Run(t.Context(), plan, items)
	if err != nil {
		t.Fatal(err)
	}
	late := 0
	for _, took := range result.Push {
		if took > stall/3 {
			late++
		}
	}
	// Two thirds of the 18 that were due meanwhile waited longer than a third of it.
	if late < 10 || result.Findings != plan.Findings() {
		t.Errorf("%d of %d findings were late", late, result.Findings)
	}
}
