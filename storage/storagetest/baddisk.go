package storagetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Fault is how the system calls of a child fail.
type Fault struct {
	Calls string // names, with commas
	Error string // such as ENOSPC
	From  int    // the first call that fails, counted for each thread
	Stays bool   // all later ones fail, too
}

func (f Fault) String() string {
	stays := ""
	if f.Stays {
		stays = "+"
	}
	return fmt.Sprintf("%s:error=%s:when=%d%s", f.Calls, f.Error, f.From, stays)
}

// unknown reports whether nobody can know what is on the disk afterwards: a
// sync has failed, and not because the disk is full.
func (f Fault) unknown() bool { return strings.Contains(f.Calls, "sync") && f.Error != "ENOSPC" }

// BadDisk is one child of the bad-disk rig: it works on a disk whose calls fail,
// makes promises ([Keep]), and ends by itself.
type BadDisk struct {
	Fault   Fault
	Dir     string
	Command func(ctx context.Context, dir string) *exec.Cmd
}

// BadDiskOutcome is what a child made of its fault.
type BadDiskOutcome struct {
	Faults   int // calls that failed
	Promises []Promise
	// Afterwards are promises that were made after a sync had failed: nobody
	// could know that they are kept.
	Afterwards []Promise
}

// Run runs the child.
func (b BadDisk) Run(tb testing.TB) (BadDiskOutcome, error) {
	tb.Helper()
	var out BadDiskOutcome
	path := filepath.Join(tb.TempDir(), "strace")
	trace := "trace=write," + b.Fault.Calls
	traced, err := straced(tb.Context(), b.Command(tb.Context(), b.Dir), path, "-xx", "-s", "300", "-e", trace, "-e", "inject="+b.Fault.String())
	if err != nil {
		return out, err
	}
	var stdout, stderr strings.Builder
	traced.Stdout, traced.Stderr = &stdout, &stderr
	if err := traced.Run(); err != nil {
		return out, fmt.Errorf("run with %s: %w\n%s", b.Fault, err, stderr.String())
	}
	out.Promises = promisesIn(stdout.String())
	file, err := os.Open(path)
	if err != nil {
		return out, err
	}
	defer file.Close()
	calls, err := parseStrace(file)
	if err != nil {
		return out, err
	}
	for _, c := range calls {
		if c.injected {
			out.Faults++
			continue
		}
		if c.name != "write" || c.arg(0) != "1" || out.Faults == 0 || !b.Fault.unknown() {
			continue
		}
		text, err := c.text(1)
		if err != nil {
			return out, err
		}
		out.Afterwards = append(out.Afterwards, promisesIn(text)...)
	}
	return out, nil
}
