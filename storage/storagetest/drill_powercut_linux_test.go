package storagetest_test

import (
	"context"
	"fmt"
	"os/exec"
	"testing"

	"flawmark/app/dev/drill"
	"flawmark/storage/storagetest"
)

func cutting(t *testing.T, seed uint64, states, rounds int) storagetest.PowerCuts {
	t.Helper()
	return storagetest.PowerCuts{
		Seed: seed, States: states, Rounds: rounds,
		Command: func(ctx context.Context, dir string, _ int) *exec.Cmd { return childCommand(ctx, dir, oneShift) },
		Check: func(dir string, promises []storagetest.Promise) ([]storagetest.Promise, error) {
			return check(t.Context(), dir, promises)
		},
	}
}

// TestDrillPowercut cuts the power of a station that saves findings and opens
// what is left.
func TestDrillPowercut(t *testing.T) {
	rig := drill.Begin(t, "powercut", drill.Sizes{Test: 150, Short: 300, Long: 5000})
	found := cutting(t, rig.Seed, rig.Tries, max(6, rig.Tries/150)).Run(t)
	if found.First != "" {
		t.Errorf("first fault: %s", found.First)
	}
	rig.Done(drill.Outcome{
		Tries: found.States, Lost: found.Lost + found.Unopenable,
		Figures: []string{"unopenable", fmt.Sprint(found.Unopenable), "acknowledged", fmt.Sprint(found.Promises)},
	})
}

// TestDrillPowercut_CatchesPlantedDeafDisk lets the model ignore syncs, as if the
// store made none.
func TestDrillPowercut_CatchesPlantedDeafDisk(t *testing.T) {
	for name, plant := range map[string]func(*storagetest.PowerCuts){
		"of all":     func(p *storagetest.PowerCuts) { p.DeafDisk = true },
		"of folders": func(p *storagetest.PowerCuts) { p.DeafFolders = true },
	} {
		t.Run(name, func(t *testing.T) {
			cuts := cutting(t, 1, 60, 1)
			plant(&cuts)
			found := cuts.Run(t)
			t.Logf("%d states: %d promises broken, %d unopenable; first: %s", found.States, found.Lost, found.Unopenable, found.First)
			if found.Lost < found.States/2 {
				t.Errorf("of %d states without syncs only %d promises were broken", found.States, found.Lost)
			}
		})
	}
}

// TestDrillPowercut_CatchesPlantedEarlyPromise acknowledges before it records.
func TestDrillPowercut_CatchesPlantedEarlyPromise(t *testing.T) {
	cuts := cutting(t, 1, 150, 1)
	cuts.Command = func(ctx context.Context, dir string, _ int) *exec.Cmd { return childCommand(ctx, dir, earlyShift) }
	if found := cuts.Run(t); found.Lost == 0 {
		t.Errorf("%d states found nothing in a station that acknowledges before it records", found.States)
	}
}
