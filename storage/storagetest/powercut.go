package storagetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// PowerCuts is a run of the power-cut rig. It records the system calls of a
// child that makes promises ([Keep]) and then ends by itself, follows them on a
// model of the disk, and builds what may be left of the child's folder after a
// power cut at moments of its choice: any part of what was not synced, torn at
// sectors, and names without their files or files without their names. Each is
// opened and must keep what had been promised by then.
//
// Two of three rounds begin with what a power cut of the round before has left,
// so that repairs are cut short as well.
type PowerCuts struct {
	Seed   uint64
	States int // power cuts in all
	Rounds int // children that are recorded
	// Command makes a child that works on the folder.
	Command func(ctx context.Context, dir string, round int) *exec.Cmd
	// Check opens a folder and returns the promises that are not kept. An error
	// is a folder that cannot be opened.
	Check func(dir string, promises []Promise) (broken []Promise, err error)
	// DeafDisk ignores all syncs, DeafFolders those of folders: planted faults.
	DeafDisk, DeafFolders bool
}

// PowerOutcome is what a run found.
type PowerOutcome struct {
	States     int
	Promises   int // made by all children
	Lost       int // promises that were not kept, over all states
	Unopenable int // states
	First      string
}

// roundsOnOne is how many rounds in a row go on with the same folder.
const roundsOnOne = 3

// Run makes all the power cuts.
func (p PowerCuts) Run(tb testing.TB) PowerOutcome {
	tb.Helper()
	random := rand.New(rand.NewPCG(p.Seed, 1)) //nolint:gosec // to be repeated, not secret
	var out PowerOutcome
	start, kept := "", []Promise(nil)
	for round := range p.Rounds {
		if round%roundsOnOne == 0 { // else the folders, and the time for a look, would grow and grow
			start, kept = "", nil
		}
		states := (p.States - out.States) / (p.Rounds - round)
		var err error
		if start, kept, err = p.round(tb, random, round, states, start, kept, &out); err != nil {
			tb.Fatalf("seed %d, round %d: %v", p.Seed, round+1, err)
		}
	}
	return out
}

// round records one child and cuts its power. It returns one of the states that
// were left, and what had been promised by then.
func (p PowerCuts) round(tb testing.TB, random *rand.Rand, round, states int, start string, kept []Promise, out *PowerOutcome) (string, []Promise, error) {
	tb.Helper()
	work, built := tb.TempDir(), stateDir(tb)
	dir := filepath.Join(work, "folder")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", nil, err
	}
	if start != "" {
		if err := os.CopyFS(dir, os.DirFS(start)); err != nil {
			return "", nil, err
		}
	}
	model, err := newDisk(dir)
	if err != nil {
		return "", nil, err
	}
	model.deaf, model.deafFolders = p.DeafDisk, p.DeafDisk || p.DeafFolders
	cmd := p.Command(tb.Context(), dir, round)
	calls, printed, err := record(tb.Context(), cmd, work)
	if err != nil {
		return "", nil, err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return "", nil, err
	}
	if cmd.Dir != "" {
		cwd = cmd.Dir
	}
	all := promisesIn(printed)
	out.Promises += len(all)
	first := firstInside(calls, dir)
	cuts := make([]int, 0, states)
	for range states {
		cuts = append(cuts, first+random.IntN(len(calls)-first+1))
	}
	slices.Sort(cuts)
	next := ""
	var nextKept []Promise
	follow := newReplay(model, cwd)
	for at := 0; len(cuts) > 0; at++ {
		for ; len(cuts) > 0 && cuts[0] == at; cuts = cuts[1:] {
			state := filepath.Join(built, fmt.Sprintf("cut-%d", out.States))
			promises := append(slices.Clone(kept), promisesIn(follow.said.String())...)
			if err := p.cut(random, model, state, promises, out, fmt.Sprintf("round %d, cut before call %d of %d", round+1, at+1, len(calls))); err != nil {
				return "", nil, err
			}
			if len(cuts) == 1+states/3 { // from the middle: with something in it, and something still to come
				next, nextKept = state+"-next", promises
				if err := os.Mkdir(next, 0o700); err != nil {
					return "", nil, err
				}
				if err := model.crash(random, next); err != nil {
					return "", nil, err
				}
			}
			if err := os.RemoveAll(state); err != nil {
				return "", nil, err
			}
		}
		if at == len(calls) {
			break
		}
		if err := follow.apply(calls[at]); err != nil {
			return "", nil, fmt.Errorf("call %d: %w", at+1, err)
		}
	}
	return next, nextKept, nil
}

// cut builds one state and checks it.
func (p PowerCuts) cut(random *rand.Rand, model *disk, state string, promises []Promise, out *PowerOutcome, where string) error {
	if err := os.Mkdir(state, 0o700); err != nil {
		return err
	}
	if err := model.crash(random, state); err != nil {
		return err
	}
	out.States++
	broken, err := p.Check(state, promises)
	if err != nil {
		out.Unopenable++
	}
	out.Lost += len(broken)
	if out.First == "" && (err != nil || len(broken) > 0) {
		out.First = fmt.Sprintf("%s: %d of %d promises broken %.3v, %v", where, len(broken), len(promises), broken, err)
	}
	return nil
}

// firstInside returns the first call that names the folder: a power cut before
// it tells nothing.
func firstInside(calls []syscall, dir string) int {
	for i, c := range calls {
		for n := range c.args {
			if text, err := c.text(n); err == nil && strings.HasPrefix(text, dir) && c.ret >= 0 {
				return i
			}
		}
	}
	return 0
}

// promisesIn reads what a child has printed; a line without an end was not yet
// said.
func promisesIn(printed string) []Promise {
	var made []Promise
	for line := range strings.Lines(printed) {
		text, ok := strings.CutPrefix(line, promised)
		if text, whole := strings.CutSuffix(text, "\n"); ok && whole {
			made = append(made, Promise(text))
		}
	}
	return made
}

// stateDir is where states are built: in memory where that can be, because
// whether they reach a disk does not matter.
func stateDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "powercut-") //nolint:usetesting // in memory: thousands are made
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	return dir
}
