package storagetest_test

import (
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/storage/storagetest"
)

// killsPerFolder keeps the folders small, so that a look into one is quick.
const killsPerFolder = 50

// killing is one folder's part of the rig.
func killing(t *testing.T, work string, seed uint64, kills int) (storagetest.Kills, *int) {
	t.Helper()
	dir, doubled := t.TempDir(), new(int)
	return storagetest.Kills{
		Seed: seed, Lives: kills, PerLife: 6, After: 8 * time.Millisecond, Early: 25 * time.Millisecond,
		Command: func(ctx context.Context) *exec.Cmd { return childCommand(ctx, dir, work) },
		Check: func(promises []storagetest.Promise) ([]storagetest.Promise, error) {
			f, err := lookInto(t.Context(), dir)
			if err != nil {
				return nil, err
			}
			defer f.folder.Close()
			*doubled = f.doubled()
			if f.repaired.Reason != "" || len(f.repaired.SetAside) > 0 {
				return nil, fmt.Errorf("a kill alone must damage nothing: %+v", f.repaired)
			}
			return f.broken(t.Context(), promises), nil
		},
	}, doubled
}

// TestDrillKill kills a station that saves findings at random moments, also
// while it starts, and compares what it acknowledged with what is there.
func TestDrillKill(t *testing.T) {
	rig := drill.Begin(t, "kill", drill.Sizes{Test: 60, Short: 300, Long: 10_000})
	var out drill.Outcome
	promises := 0
	for part := uint64(0); out.Tries < rig.Tries && out.Lost == 0; part++ {
		kills, doubled := killing(t, forEver, rig.Seed+part, min(killsPerFolder, rig.Tries-out.Tries))
		found := kills.Run(t)
		out.Tries += found.Kills
		out.Lost += len(found.Broken)
		out.Doubled += *doubled
		promises += len(found.Promises)
	}
	out.Figures = []string{"acknowledged", fmt.Sprint(promises)}
	rig.Done(out)
}

func TestDrillKill_CatchesPlantedEarlyPromise(t *testing.T) {
	kills, _ := killing(t, earlyWord, 1, 300)
	kills.After, kills.Early = 0, 0
	if out := kills.Run(t); len(out.Broken) == 0 {
		t.Errorf("%d kills found nothing in a station that acknowledges before it records", out.Kills)
	}
}
