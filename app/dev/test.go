package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// step is one part of the test run. Steps run in the order of [steps]; the
// first that fails ends the run, since what follows would fail for the same
// reason or hide it.
type step struct {
	name string
	run  func(ctx context.Context, r *testRun) error
}

// testRun is what the steps of one run share.
type testRun struct {
	*tool
	scratch string // removed at the end
	built   programs
	tally   tally
}

func steps() []step {
	return []step{
		{"format (gofumpt)", checkFormat},
		{"modules (go mod tidy)", goStep("mod", "tidy", "-diff")},
		{"vet", goStep("vet", "-tags=ci", "./...")},
		{"staticcheck", goStep("tool", toolsFile, "staticcheck", "-tags=ci", "./...")},
		{"package of the centre, without cgo", tryPackage},
		{"object store for the tests", buildObjectStore},
		{"tests", testPlain},
		{"tests with the race detector", testRaces},
		{"station and centre", buildPrograms},
		{"journey", testJourney},
	}
}

// toolsFile keeps the checkers' modules out of the product's go.mod.
const toolsFile = "-modfile=.ci/tools/go.mod"

// raced are the folders where goroutines share things. Only they pay for the
// race detector, which needs the standard library compiled a second time.
func raced() []string { return []string{"flawmark/app", "flawmark/storage", "flawmark/sync"} }

// The journey's tests play with the built programs, so they have their own
// step. One of them is the journey itself, which the demo plays alone.
const (
	journeyPackage = "flawmark/app/journey"
	journeyTest    = "TestJourney"
)

func runTest(ctx context.Context, t *tool, args []string) error {
	if err := parseFlags(flag.NewFlagSet("test", flag.ContinueOnError), args); err != nil {
		return err
	}
	begun := t.now()
	if err := t.setUp(ctx, toBuild|toPlay|toDrill); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "flawmark-test-")
	if err != nil {
		return fmt.Errorf("make a scratch folder: %w", err)
	}
	defer os.RemoveAll(scratch)
	r := &testRun{tool: t, scratch: scratch}
	err = r.runSteps(ctx, steps())
	t.say("")
	if err != nil {
		// Said here, so that the last line is the count in either case.
		t.say("%v\n%s", err, r.tally)
		return errSaid
	}
	t.say("all steps passed in %s\n%s", elapsed(t.now().Sub(begun)), r.tally)
	return nil
}

// runSteps runs the steps up to the first failure, which it names.
func (r *testRun) runSteps(ctx context.Context, list []step) error {
	for i, s := range list {
		r.say("")
		r.say("== %d/%d %s", i+1, len(list), s.name)
		begun := r.now()
		if err := s.run(ctx, r); err != nil {
			return fmt.Errorf("step %q failed: %w", s.name, err)
		}
		r.say("== %s: done in %s", s.name, elapsed(r.now().Sub(begun)))
	}
	return nil
}

// goStep is a step that is one go command whose output speaks for itself.
func goStep(args ...string) func(context.Context, *testRun) error {
	return func(ctx context.Context, r *testRun) error {
		return r.watch(r.goCommand(ctx, args...), &plain{})
	}
}

// plain shows everything but downloads.
type plain struct{}

func (plain) line(text string) string {
	if strings.HasPrefix(text, "go: downloading ") {
		return ""
	}
	return text
}
func (plain) status() string { return "working" }
func (plain) rest() string   { return "" }

// checkFormat lists the files that gofumpt would write differently.
func checkFormat(ctx context.Context, r *testRun) error {
	args := []string{"tool", toolsFile, "gofumpt", "-l"}
	for _, folder := range []string{"app", "ui", "imaging", "sync", "storage", "assets"} {
		if _, err := os.Stat(filepath.Join(r.root, folder)); err == nil {
			args = append(args, folder)
		}
	}
	cmd := r.goCommand(ctx, args...)
	listed := &shown{}
	if err := r.watch(cmd, listed); err != nil {
		return err
	}
	if listed.count > 0 {
		return fmt.Errorf("%d files are not in gofumpt's format; go %s -w FILE writes them so", listed.count, strings.Join(args[:3], " "))
	}
	return nil
}

// shown is plain, and counts what it shows.
type shown struct {
	plain
	count int
}

func (s *shown) line(text string) string {
	text = s.plain.line(text)
	if text != "" {
		s.count++
	}
	return text
}

// buildObjectStore has `go tool` build the S3 server that tests start, which takes
// a minute or two the first time, so that no test's time runs out over it.
func buildObjectStore(ctx context.Context, r *testRun) error { return r.buildTool(ctx, "versitygw") }

func (t *tool) buildTool(ctx context.Context, name string) error {
	return t.watch(t.goCommand(ctx, "tool", toolsFile, "-n", name), &plain{})
}

func buildPrograms(ctx context.Context, r *testRun) (err error) {
	r.built, err = r.buildBoth(ctx, r.scratch)
	return err
}

func testPlain(ctx context.Context, r *testRun) error {
	plain, _, err := r.split(ctx)
	if err != nil {
		return err
	}
	return r.goTest(ctx, plain)
}

func testRaces(ctx context.Context, r *testRun) error {
	_, raced, err := r.split(ctx)
	if err != nil {
		return err
	}
	return r.goTest(ctx, raced, "-race")
}

// split lists all packages but the journey, apart for the two ways of testing.
func (r *testRun) split(ctx context.Context) (plain, withRace []string, err error) {
	cmd := r.goCommand(ctx, "list", "-tags=ci", "./...")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("list packages: %w\n%s", err, complaint.String())
	}
	all := slices.DeleteFunc(strings.Fields(string(out)), func(name string) bool { return name == journeyPackage })
	plain, withRace = splitPackages(all, raced())
	return plain, withRace, nil
}

func splitPackages(all, folders []string) (outside, inside []string) {
	for _, name := range all {
		within := false
		for _, folder := range folders {
			within = within || name == folder || strings.HasPrefix(name, folder+"/")
		}
		if within {
			inside = append(inside, name)
		} else {
			outside = append(outside, name)
		}
	}
	return outside, inside
}

// goTest tests packages and adds to the tally.
func (r *testRun) goTest(ctx context.Context, names []string, flags ...string) error {
	if len(names) == 0 {
		return nil
	}
	args := append([]string{"test", "-json", "-tags=ci", "-timeout=20m"}, flags...)
	reader := newTestReader(false)
	err := r.watch(r.goCommand(ctx, append(args, names...)...), reader)
	r.tally = r.tally.plus(reader.tally)
	r.say("%s", reader.tally)
	return reader.explain(err)
}

func testJourney(ctx context.Context, r *testRun) error {
	// Kept on failure: the pictures show what went wrong.
	out, err := os.MkdirTemp("", "flawmark-journey-")
	if err != nil {
		return fmt.Errorf("make the folder for pictures: %w", err)
	}
	count, err := r.playJourney(ctx, r.built, out, "")
	r.tally = r.tally.plus(count)
	if err != nil {
		return fmt.Errorf("%w (pictures in %s)", err, out)
	}
	return os.RemoveAll(out)
}

// playJourney runs the journey's tests that match only ("" for all) with the
// built programs, shows the steps as they happen and names the step that failed.
func (t *tool) playJourney(ctx context.Context, built programs, out, only string) (tally, error) {
	begun := t.now()
	cmd := t.goCommand(ctx, "test", journeyPackage, "-tags=ci", "-run", only, "-count=1", "-v", "-json", "-timeout=25m",
		"-args", "-out", out, "-station", built.station, "-central", built.centre)
	cmd.WaitDelay = time.Minute // it has a screen, a browser and two programs to end
	reader := newTestReader(true)
	err := reader.explain(t.watch(cmd, reader))
	return reader.tally, t.judgeJourney(reader, err, t.now().Sub(begun))
}

// judgeJourney tells how the journey went. It is not enough that go test
// succeeds: a journey that was skipped or is not there has not been made.
func (t *tool) judgeJourney(reader *testReader, err error, took time.Duration) error {
	played := reader.ended[journeyTest]
	switch {
	case err != nil && played == "pass":
		return fmt.Errorf("tests beside the journey failed: %w", err)
	case err != nil && reader.lastStep != "":
		return fmt.Errorf("the journey failed in step %q: %w", reader.lastStep, err)
	case err != nil:
		return fmt.Errorf("the journey failed before its first step: %w", err)
	case played != "pass":
		return errors.New("the journey was not played")
	}
	t.say("the journey succeeded in %s", elapsed(took))
	return nil
}
