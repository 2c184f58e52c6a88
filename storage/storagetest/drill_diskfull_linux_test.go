package storagetest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"flawmark/app/dev/drill"
	"flawmark/storage/storagetest"
)

// faults are all the ways in which the disk of the rig fails, at calls up to the
// given one.
func faults(upTo int) []storagetest.Fault {
	var all []storagetest.Fault
	for from := 1; from <= upTo; from++ {
		for _, stays := range []bool{false, true} {
			for _, one := range [][2]string{
				{"pwrite64", "ENOSPC"},
				{"write", "ENOSPC"},
				{"pwrite64", "EIO"},
				{"write", "EIO"},
				{"ftruncate", "ENOSPC"},
				{"renameat,renameat2", "ENOSPC"},
				{"mkdirat", "ENOSPC"},
				{"fsync", "EIO"},
				{"fdatasync", "EIO"},
				{"fsync", "ENOSPC"},
			} {
				all = append(all, storagetest.Fault{Calls: one[0], Error: one[1], From: from, Stays: stays})
			}
		}
	}
	return all
}

// suffer lets a station work on a disk that fails, and looks at what is left.
// It reports whether the fault happened at all.
func suffer(t *testing.T, work string, fault storagetest.Fault) (happened bool, complaints []string) {
	t.Helper()
	dir := t.TempDir()
	out, err := storagetest.BadDisk{
		Fault: fault, Dir: dir,
		Command: func(ctx context.Context, dir string) *exec.Cmd { return childCommand(ctx, dir, work) },
	}.Run(t)
	if err != nil {
		t.Fatal(err)
	}
	if out.Faults == 0 {
		return false, nil
	}
	promises := slices.DeleteFunc(slices.Clone(out.Promises), func(p storagetest.Promise) bool { return strings.HasPrefix(string(p), "error ") })
	broken, err := check(t.Context(), dir, promises)
	if err != nil {
		return true, []string{fmt.Sprintf("%s: the folder does not open: %v", fault, err)}
	}
	for _, promise := range broken {
		complaints = append(complaints, fmt.Sprintf("%s: %s is lost", fault, promise))
	}
	for _, promise := range out.Afterwards {
		if strings.HasPrefix(string(promise), "finding ") {
			complaints = append(complaints, fmt.Sprintf("%s: %s was promised after a sync had failed", fault, promise))
		}
	}
	if fault.Error == "ENOSPC" && slices.Contains(out.Promises, "error other") {
		complaints = append(complaints, fmt.Sprintf("%s: a full disk is not called so", fault))
	}
	// With the fault gone everything goes on.
	in := &inspector{dir: dir, work: forEver, mute: true, random: rand.New(rand.NewPCG(1, 1))}
	if err := in.open(t.Context()); err != nil {
		return true, append(complaints, fmt.Sprintf("%s: afterwards: %v", fault, err))
	}
	defer in.folder.Close()
	defer in.store.Close()
	if err := in.save(t.Context()); err != nil {
		complaints = append(complaints, fmt.Sprintf("%s: afterwards: %v", fault, err))
	}
	return true, complaints
}

// TestDrillDiskfull lets each of a station's writes, and each of its syncs, fail
// in turn, once and from then on.
func TestDrillDiskfull(t *testing.T) {
	rig := drill.Begin(t, "diskfull", drill.Sizes{Test: 40, Short: 200, Long: 2000})
	all := faults(12 + rig.Tries/25) // the first of them while the folder is opened, the others while it is used
	rand.New(rand.NewPCG(rig.Seed, 5)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var out drill.Outcome
	for _, fault := range all[:min(len(all), rig.Tries)] {
		happened, complaints := suffer(t, badDisk, fault)
		if happened {
			out.Tries++
		}
		out.Lost += len(complaints)
		for _, complaint := range complaints {
			t.Log(complaint)
		}
	}
	rig.Done(out)
}

// TestDrillDiskfull_CatchesPlantedCarelessness takes failed saves for saved ones.
// The calls are counted for each thread, so an early fault may meet a store that
// is still being opened, where nothing is promised: then a later one must show it.
func TestDrillDiskfull_CatchesPlantedCarelessness(t *testing.T) {
	for _, fault := range []storagetest.Fault{
		{Calls: "pwrite64", Error: "ENOSPC", From: 20, Stays: true},
		{Calls: "fdatasync", Error: "EIO", From: 6, Stays: true},
	} {
		caught := false
		for late := fault.From + 20; !caught && fault.From < late; fault.From++ {
			happened, complaints := suffer(t, careless, fault)
			caught = happened && len(complaints) > 0
		}
		if !caught {
			t.Errorf("%s was never caught", fault)
		}
	}
}
