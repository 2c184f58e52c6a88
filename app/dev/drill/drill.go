// Package drill is what the fault rigs of all packages have in common: where
// their seed and their size come from, and the one line by which each says what
// it found. `go run ./app/dev drill` sets the one and reads the other.
//
// A rig makes tries (kills, crashes, networks) and counts what was lost and what
// was doubled of that which had been acknowledged. Both are to be nought. A rig
// draws all that is random from its seed, so a failure can be tried again.
package drill

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
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
	// SizeEnv is "short" or "long"; without it a rig is a test among others and
	// keeps itself small.
	SizeEnv = "FLAWMARK_DRILL_SIZE"
	// LogEnv is a folder for what the rigs log, which is searched for secrets.
	LogEnv = "FLAWMARK_DRILL_LOG"
)

// LineMark begins the line of a rig: "drill NAME key=value ...".
const LineMark = "drill "

// Sizes are the numbers of tries of a rig.
type Sizes struct {
	Test  int // in the ordinary test run
	Short int // of `dev drill`
	Long  int // of `dev drill --long`
}

// Rig is one run of a rig.
type Rig struct {
	Name  string
	Seed  uint64
	Tries int
	// Asked reports that somebody runs the rig for its own sake, so that its
	// times count. Among other tests they swing.
	Asked bool

	tb    testing.TB
	begun time.Time
	dir   string // of logs and noted secrets
}

// Begin reads seed and size.
func Begin(tb testing.TB, name string, sizes Sizes) *Rig {
	tb.Helper()
	r := &Rig{Name: name, Seed: 1, Tries: sizes.Test, tb: tb, begun: time.Now()}
	if text := os.Getenv(SeedEnv); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			tb.Fatalf("%s=%s is no seed: %v", SeedEnv, text, err)
		}
		r.Seed = seed
	}
	switch size := os.Getenv(SizeEnv); size {
	case "":
	case "short":
		r.Tries = sizes.Short
	case "long":
		r.Tries = sizes.Long
	default:
		tb.Fatalf("%s=%s is neither short nor long", SizeEnv, size)
	}
	r.Asked = os.Getenv(SizeEnv) != ""
	if r.dir = os.Getenv(LogEnv); r.dir == "" {
		r.dir = tb.TempDir()
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

// Logs is the folder of logs and secrets: that of all rigs, where one is set,
// or the rig's own.
func (r *Rig) Logs() string { return r.dir }

// Log opens a file in that folder for what the named part of a rig logs.
func (r *Rig) Log(part string) *os.File {
	r.tb.Helper()
	file, err := os.OpenFile(filepath.Join(r.dir, r.Name+"-"+part+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.tb.Fatal(err)
	}
	r.tb.Cleanup(func() { _ = file.Close() })
	return file
}

// secretsFile is where the rigs note their secrets, beside their logs.
const secretsFile = "secrets"

// Secret notes something that must be in no log. Each rig makes its own.
func (r *Rig) Secret(text string) {
	r.tb.Helper()
	file, err := os.OpenFile(filepath.Join(r.dir, secretsFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.tb.Fatal(err)
	}
	_, err = file.WriteString(text + "\n")
	if err = errors.Join(err, file.Close()); err != nil {
		r.tb.Fatal(err)
	}
}

// Secrets returns what the rigs have noted in a folder of logs.
func Secrets(dir string) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(dir, secretsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return strings.Fields(string(data)), err
}

// Leaks returns where any of the secrets stands in the files of a folder, and
// how many bytes were searched.
func Leaks(dir string, secrets []string) (leaks []string, searched int64, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == secretsFile {
			return err
		}
		data, err := os.ReadFile(path)
		searched += int64(len(data))
		for i, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				leaks = append(leaks, fmt.Sprintf("%s holds secret %d of %d (%.4s…)", path, i+1, len(secrets), secret))
			}
		}
		return err
	})
	return leaks, searched, err
}
