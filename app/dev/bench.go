package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// benchOptions are the words of the bench command.
type benchOptions struct {
	json   bool
	strict bool
	list   bool
	only   []string // trials, or beginnings of their names; none: all
	rounds int
}

// leastRounds is what a median needs to mean something.
const leastRounds = 5

func parseBench(args []string) (benchOptions, error) {
	o := benchOptions{}
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&o.json, "json", false, "print JSON lines")
	flags.BoolVar(&o.strict, "strict", false, "fail when a budget is missed")
	flags.BoolVar(&o.list, "list", false, "list the trials and stop")
	flags.StringVar(&only, "only", "", "trials to run, or beginnings of their names, with commas between")
	flags.IntVar(&o.rounds, "rounds", 7, "rounds of each trial")
	if err := parseFlags(flags, args); err != nil {
		return benchOptions{}, err
	}
	if o.rounds < leastRounds {
		return benchOptions{}, fmt.Errorf("%w: %d rounds are too few for a median, at least %d", errUsage, o.rounds, leastRounds)
	}
	for _, name := range strings.Split(only, ",") {
		if name = strings.TrimSpace(name); name != "" {
			o.only = append(o.only, name)
		}
	}
	if _, err := chosen(trials(), o.only); err != nil {
		return benchOptions{}, err
	}
	return o, nil
}

// trial is one comparison of the product with its peers. Adding one means
// adding a line to [trials].
type trial struct {
	name string
	does string
	run  func(ctx context.Context, r *benchRun) ([]line, error)
}

// chosen are the trials whose names begin with one of only; none: all.
func chosen(all []trial, only []string) ([]trial, error) {
	if len(only) == 0 {
		return all, nil
	}
	for _, name := range only {
		if !slices.ContainsFunc(all, func(t trial) bool { return strings.HasPrefix(t.name, name) }) {
			return nil, fmt.Errorf("%w: there is no trial %q; --list names them", errUsage, name)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(t trial) bool {
		return !slices.ContainsFunc(only, func(name string) bool { return strings.HasPrefix(t.name, name) })
	}), nil
}

// benchRun is what the trials of one run share.
type benchRun struct {
	*tool
	rounds  int
	photos  string // folder of the photos, kept between runs
	scratch string // removed at the end
	measure string // the program that does our side's jobs
	frames  string // the program that draws in a window; "" until wanted
	centre  string // the service; "" until wanted
}

func runBench(ctx context.Context, t *tool, args []string) error {
	o, err := parseBench(args)
	if err != nil {
		return err
	}
	wanted, err := chosen(trials(), o.only)
	if err != nil {
		return err
	}
	results := t.out
	if o.json {
		// What is printed between belongs to people, not to the script that
		// reads the lines.
		beside := *t
		beside.out = os.Stderr
		t = &beside
	}
	if o.list {
		for _, tr := range wanted {
			fmt.Fprintf(results, "  %-20s %s\n", tr.name, tr.does)
		}
		return nil
	}
	if t.host.goos != "linux" {
		return errors.New("the peers and the measuring of memory are those of Linux: run this there")
	}
	if err := t.setUp(ctx, toBuild|toPlay|toCompare); err != nil {
		return err
	}
	r, remove, err := t.prepareBench(ctx, o)
	if err != nil {
		return err
	}
	defer remove()
	about := t.about(ctx)
	t.say("")
	t.say("%s", about)
	lines, err := r.runTrials(ctx, wanted)
	if o.json {
		err = errors.Join(err, writeLines(results, lines))
	} else {
		fmt.Fprintf(results, "\n%s\n", benchTable(lines))
		t.say("%s", about.load(t.host))
	}
	if err != nil {
		return err
	}
	if missed := missedLines(lines); len(missed) > 0 && o.strict {
		return fmt.Errorf("%d of %d budgets missed: %s", len(missed), len(lines), strings.Join(missed, ", "))
	}
	return nil
}

// photosVersion changes with how the photos are made.
const photosVersion = "photos-1"

// enoughSpace is what the photos and the outputs of a run take at most.
const enoughSpace = 2 << 30

// prepareBench builds our side's program and makes the photos. remove removes
// what is not kept for the next run.
func (t *tool) prepareBench(ctx context.Context, o benchOptions) (r *benchRun, remove func(), err error) {
	kept := filepath.Join(filepath.Dir(binDir()), "bench")
	r = &benchRun{tool: t, rounds: o.rounds, photos: filepath.Join(kept, photosVersion)}
	if err := os.MkdirAll(r.photos, 0o755); err != nil {
		return nil, nil, fmt.Errorf("make the folder for photos: %w", err)
	}
	if r.scratch, err = os.MkdirTemp("", "flawmark-bench-"); err != nil {
		return nil, nil, fmt.Errorf("make a scratch folder: %w", err)
	}
	scratch := r.scratch
	remove = func() { _ = os.RemoveAll(scratch) }
	defer func() {
		if err != nil {
			_ = os.RemoveAll(scratch)
		}
	}()
	for _, dir := range []string{kept, r.scratch} {
		if free, err := freeSpace(dir); err == nil && free < enoughSpace {
			return nil, nil, fmt.Errorf("%s has %d MiB free and bench needs %d: make room there (TMPDIR and XDG_CACHE_HOME say where to work instead)",
				dir, free>>20, int64(enoughSpace)>>20)
		}
	}
	if r.measure, err = t.build(ctx, measureProgram(), kept); err != nil {
		return nil, nil, err
	}
	t.say("making the photos, unless they are there: %s", r.photos)
	if _, err = r.once(ctx, command1(r.measure, "make-photos", r.photos)); err != nil {
		return nil, nil, err
	}
	progressive := r.photo("P24-progressive.jpg")
	if _, gone := os.Stat(progressive); gone != nil {
		part := progressive + ".part"
		if _, err = r.once(ctx, command1("jpegtran", "-progressive", "-outfile", part, r.photo("P24.jpg"))); err != nil {
			return nil, nil, err
		}
		if err = os.Rename(part, progressive); err != nil {
			return nil, nil, fmt.Errorf("keep the progressive photo: %w", err)
		}
	}
	return r, remove, nil
}

func measureProgram() product {
	return product{name: "programs to measure", file: "measure", path: "./app/measure", flags: []string{"-tags=migrated_fynedo"}}
}

func (r *benchRun) photo(name string) string { return filepath.Join(r.photos, name) }

// at names a file in the scratch folder.
func (r *benchRun) at(name string) string { return filepath.Join(r.scratch, name) }

// runTrials runs them one after another. A trial that cannot be run does not
// keep the others from it; all that failed are told at the end.
func (r *benchRun) runTrials(ctx context.Context, list []trial) ([]line, error) {
	var lines []line
	var failed []error
	for i, tr := range list {
		if ctx.Err() != nil {
			return lines, errors.Join(append(failed, ctx.Err())...)
		}
		begun := r.now()
		got, err := tr.run(ctx, r)
		if err != nil {
			r.say("%2d/%d %-20s FAILED: %v", i+1, len(list), tr.name, err)
			failed = append(failed, fmt.Errorf("%s: %w", tr.name, err))
			continue
		}
		for k := range got {
			got[k].Rounds = r.rounds
			got[k].settle()
		}
		lines = append(lines, got...)
		r.say("%2d/%d %-20s %s", i+1, len(list), tr.name, elapsed(r.now().Sub(begun)))
	}
	return lines, errors.Join(failed...)
}

// writeLines writes one JSON object a line.
func writeLines(w io.Writer, lines []line) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, l := range lines {
		if err := encoder.Encode(l); err != nil {
			return fmt.Errorf("write results: %w", err)
		}
	}
	return nil
}
