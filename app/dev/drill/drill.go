// Package drill is what the fault rigs of all packages have in common: where
// their seed and their size come from, and the one line by which each says what
// it found. `go run ./app/dev drill` sets the one and reads the other.
//
// A rig makes tries (kills, crashes, networks) and counts what was lost and what
// was doubled of that which had been acknowledged. Both are to be nought. A rig
// draws all that is random from its seed, so a failure can be tried again.
package drill

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The environment of a rig.
const (
	// SeedEnv is a number; without it every run draws the same.
	SeedEnv = "FLAWMARK_DRILL_SEED"
	// LongEnv, when it is not empty, asks for the long form.
	LongEnv = "FLAWMARK_DRILL_LONG"
	// LogEnv is a folder for what the rigs log, which is searched for secrets.
	LogEnv = "FLAWMARK_DRILL_LOG"
)

// LineMark begins the line of a rig: "drill NAME key=value ...".
const LineMark = "drill "

// Rig is one run of a rig.
type Rig struct {
	Name  string
	Seed  uint64
	Tries int
	Long  bool

	tb    testing.TB
	begun time.Time
}

// Begin reads seed and size; short is how many tries the ordinary test run
// makes, long how many the long form.
func Begin(tb testing.TB, name string, short, long int) *Rig {
	tb.Helper()
	r := &Rig{Name: name, Seed: 1, Tries: short, tb: tb, begun: time.Now()}
	if text := os.Getenv(SeedEnv); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			tb.Fatalf("%s=%s is no seed: %v", SeedEnv, text, err)
		}
		r.Seed = seed
	}
	if r.Long = os.Getenv(LongEnv) != ""; r.Long {
		r.Tries = long
	}
	return r
}

// Outcome is what a rig found.
type Outcome struct {
	Tries   int // that were made
	Lost    int
	Doubled int
	// Figures are what else it measured, as pairs of name and value without
	// spaces.
	Figures []string
}

// Done prints the rig's line, and fails the test when anything was lost or
// doubled, or nothing tried.
func (r *Rig) Done(o Outcome) {
	r.tb.Helper()
	line := fmt.Sprintf("%s%s seed=%d tries=%d lost=%d doubled=%d seconds=%.1f", LineMark, r.Name, r.Seed, o.Tries, o.Lost, o.Doubled, time.Since(r.begun).Seconds())
	for i := 0; i+1 < len(o.Figures); i += 2 {
		line += fmt.Sprintf(" %s=%s", o.Figures[i], strings.ReplaceAll(o.Figures[i+1], " ", "_"))
	}
	fmt.Fprintln(os.Stdout, line)
	if o.Tries == 0 {
		r.tb.Errorf("drill %s tried nothing", r.Name)
	}
	if o.Lost > 0 || o.Doubled > 0 {
		r.tb.Errorf("drill %s: %d lost, %d doubled in %d tries; the same again: go run ./app/dev drill %s --seed %d", r.Name, o.Lost, o.Doubled, o.Tries, r.Name, r.Seed)
	}
}

// Log opens a file for what the named part of a rig logs. It is in the folder
// that is searched for secrets, where there is one.
func (r *Rig) Log(part string) *os.File {
	r.tb.Helper()
	dir := os.Getenv(LogEnv)
	if dir == "" {
		dir = r.tb.TempDir()
	}
	file, err := os.OpenFile(filepath.Join(dir, r.Name+"-"+part+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.tb.Fatal(err)
	}
	r.tb.Cleanup(func() { _ = file.Close() })
	return file
}
