// Package storagetest holds the rigs by which the stores prove what they
// promise. It knows no store: a store's own tests bring the child that writes
// and the check that reads.
//
// The kill rig runs a child process that makes promises ("this is saved") on
// its standard output, kills it at random moments, and asks after each kill
// whether all promises made so far are kept. The moments come from a seed, so a
// failure can be tried again; how far the child was is up to the machine.
//
// The power-cut rig ([PowerCuts]) and the bad-disk rig ([BadDisk]) need strace,
// and so Linux: they record a child's system calls, or have them fail.
package storagetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Promise is one line that a child prints when something is saved.
type Promise string

// promised marks these lines among others that a child may print.
const promised = "promise "

// Keep prints a promise. A child calls it when the store has returned.
func Keep(w io.Writer, promise Promise) error {
	_, err := fmt.Fprintln(w, promised+string(promise))
	return err
}

// Kills is a run of the rig.
type Kills struct {
	Seed     uint64
	Promises int // go on until so many have been made
	Lives    int // and so many children have been killed
	// PerLife bounds the promises that a child makes before it is killed.
	PerLife int
	// After bounds how long the child goes on after the last one that counted.
	After time.Duration
	// Early, when it is not nought, has one life in four end within so long after
	// its start, whatever it has promised by then: in the middle of its repairs.
	Early time.Duration
	// Command makes the next child. Its standard output belongs to the rig.
	Command func(ctx context.Context) *exec.Cmd
	// Check returns the promises that are not kept. The child is dead then.
	Check func(promises []Promise) (broken []Promise, err error)
}

// Outcome is what a run of the rig found.
type Outcome struct {
	Kills    int
	Promises []Promise
	Broken   []Promise // at the first kill after which any was broken
}

// Run kills enough children, with enough promises made, or until one is broken.
func (k Kills) Run(tb testing.TB) Outcome {
	tb.Helper()
	random := rand.New(rand.NewPCG(k.Seed, 0)) //nolint:gosec // moments to be repeated, not secrets
	var out Outcome
	for len(out.Promises) < k.Promises || out.Kills < k.Lives {
		promises, after, early := 1+random.IntN(k.PerLife), time.Duration(random.Int64N(int64(k.After)+1)), time.Duration(0)
		if k.Early > 0 && random.IntN(4) == 0 {
			early = 1 + time.Duration(random.Int64N(int64(k.Early)))
		}
		made, err := k.life(tb.Context(), promises, after, early)
		if err != nil {
			tb.Fatalf("seed %d, kill %d: %v", k.Seed, out.Kills+1, err)
		}
		out.Kills++
		out.Promises = append(out.Promises, made...)
		broken, err := k.Check(out.Promises)
		if err != nil {
			tb.Fatalf("seed %d, kill %d: %v", k.Seed, out.Kills, err)
		}
		if len(broken) > 0 {
			out.Broken = broken
			return out
		}
	}
	return out
}

// life runs one child up to its end: it is killed some time after it has made
// so many promises, or early. All that it made are returned, also those made
// meanwhile.
func (k Kills) life(ctx context.Context, promises int, after, early time.Duration) ([]Promise, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	child := k.Command(ctx)
	child.Stderr = os.Stderr
	stdout, err := child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Start(); err != nil {
		return nil, err
	}
	var made []Promise
	var kill *time.Timer
	if early > 0 {
		kill = time.AfterFunc(early, func() { _ = child.Process.Kill() })
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() { // to the end, so that nothing said before the kill is missed
		text, ok := strings.CutPrefix(lines.Text(), promised)
		if !ok {
			continue
		}
		made = append(made, Promise(text))
		if len(made) == promises && kill == nil {
			kill = time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
	}
	waitErr := child.Wait()
	if kill == nil {
		return nil, fmt.Errorf("the child ended by itself after %d of %d promises: %w", len(made), promises, waitErr)
	}
	kill.Stop()
	return made, lines.Err()
}
