package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// The contract with the rigs, which package app/dev/drill keeps on their side.
const (
	drillSeedEnv = "FLAWMARK_DRILL_SEED"
	drillSizeEnv = "FLAWMARK_DRILL_SIZE"
	drillLogEnv  = "FLAWMARK_DRILL_LOG"
	drillMark    = "drill "
)

// drillOptions is how the command was called.
type drillOptions struct {
	names      []string
	long, json bool
	list       bool
	seed       uint64
}

func parseDrill(args []string) (drillOptions, error) {
	var o drillOptions
	flags := flag.NewFlagSet("drill", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&o.long, "long", false, "the full figures")
	flags.BoolVar(&o.json, "json", false, "a JSON line for each rig")
	flags.BoolVar(&o.list, "list", false, "say what each rig does")
	flags.Uint64Var(&o.seed, "seed", 1, "draw other moments")
	for len(args) > 0 { // names and flags in any order
		if err := flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return o, err
			}
			return o, fmt.Errorf("%w: %w", errUsage, err)
		}
		if args = flags.Args(); len(args) > 0 {
			o.names, args = append(o.names, args[0]), args[1:]
		}
	}
	for _, name := range o.names {
		if !slices.ContainsFunc(rigs(), func(r rig) bool { return r.name == name }) {
			return o, fmt.Errorf("%w: there is no rig %q; the rigs are %s", errUsage, name, strings.Join(rigNames(), ", "))
		}
	}
	return o, nil
}

func runDrill(ctx context.Context, t *tool, args []string) error {
	o, err := parseDrill(args)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(rigs(), func(r rig) bool { return len(o.names) > 0 && !slices.Contains(o.names, r.name) })
	if o.list {
		return listRigs(t.out, chosen, o.json)
	}
	out := t.out
	if o.json { // nothing but JSON there
		other := *t
		other.out, t = os.Stderr, &other
	}
	if err := t.setUp(ctx, toBuild|toDrill); err != nil {
		return err
	}
	if err := t.buildTool(ctx, "versitygw"); err != nil {
		return err
	}
	logs, err := os.MkdirTemp("", "flawmark-drill-")
	if err != nil {
		return fmt.Errorf("make a folder for logs: %w", err)
	}
	var results []drillResult
	for _, r := range chosen {
		t.say("== %s: %s", r.name, r.about)
		result := t.drill(ctx, r, o, logs)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		results = append(results, result)
		if o.json {
			if err := json.NewEncoder(out).Encode(result); err != nil {
				return err
			}
		}
	}
	if !o.json {
		fmt.Fprintln(out)
		if err := drillTable(out, results); err != nil {
			return err
		}
	}
	if failed := failedRigs(results); len(failed) > 0 {
		t.say("failed: %s (seed %d, what they said is in %s)", strings.Join(failed, ", "), o.seed, logs)
		return errSaid
	}
	return os.RemoveAll(logs)
}

// drillResult is what one rig found.
type drillResult struct {
	Name    string            `json:"name"`
	Seed    uint64            `json:"seed"`
	Tries   int               `json:"tries"`
	Lost    int               `json:"lost"`
	Doubled int               `json:"doubled"`
	Seconds float64           `json:"seconds"`
	Figures map[string]string `json:"figures,omitempty"`
	Failed  bool              `json:"failed"`
}

func (r drillResult) bad() bool { return r.Failed || r.Lost > 0 || r.Doubled > 0 || r.Tries == 0 }

func failedRigs(results []drillResult) []string {
	var names []string
	for _, r := range results {
		if r.bad() {
			names = append(names, r.Name)
		}
	}
	return names
}

// drill runs one rig.
func (t *tool) drill(ctx context.Context, r rig, o drillOptions, logs string) drillResult {
	begun := t.now()
	result := drillResult{Name: r.name, Seed: o.seed, Figures: map[string]string{}}
	size := "short"
	if o.long {
		size = "long"
	}
	for i, part := range r.parts {
		cmd := t.goCommand(ctx, "test", "-tags=ci", "-json", "-count=1", "-timeout=3h", "-run", part.tests, part.folder)
		cmd.Env = append(cmd.Env, drillSeedEnv+"="+strconv.FormatUint(o.seed, 10), drillSizeEnv+"="+size, drillLogEnv+"="+logs)
		reader := newDrillReader(part.counted)
		err := t.watch(cmd, reader)
		words := strings.Join(reader.words, "\n")
		if err := os.WriteFile(filepath.Join(logs, fmt.Sprintf("%s-%d.out", r.name, i+1)), []byte(words), 0o600); err != nil {
			t.say("%v", err)
		}
		result.add(reader)
		result.Failed = result.Failed || err != nil
		if err != nil {
			t.say("%s", words)
		}
	}
	result.Seconds = float64(t.now().Sub(begun).Round(100*time.Millisecond)) / float64(time.Second)
	if result.Tries == 0 {
		result.Failed = true
		t.say("%s tried nothing: no test matches", r.name)
	}
	return result
}

func (r *drillResult) add(read *drillReader) {
	r.Tries += read.tries
	r.Lost += read.lost
	r.Doubled += read.doubled
	for key, value := range read.figures {
		r.Figures[key] = value
	}
}

// drillReader is the [meter] of a rig's `go test -json`.
type drillReader struct {
	counted              bool // each test is a try, each failure a loss
	tries, lost, doubled int
	figures              map[string]string
	words                []string // all that was said
	partial              map[string]string
	ended                int
}

func newDrillReader(counted bool) *drillReader {
	return &drillReader{counted: counted, figures: map[string]string{}, partial: map[string]string{}}
}

func (r *drillReader) line(text string) string {
	var event testEvent
	if !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), &event) != nil {
		r.words = append(r.words, text)
		return ""
	}
	switch event.Action {
	case "build-output":
		r.words = append(r.words, strings.TrimRight(event.Output, "\n"))
	case "output":
		return r.output(event.Test, event.Output)
	case "pass", "fail":
		if event.Test == "" {
			return ""
		}
		r.ended++
		if r.counted {
			r.tries++
			if event.Action == "fail" {
				r.lost++
			}
		}
	}
	return ""
}

func (r *drillReader) output(test, text string) string {
	text = r.partial[test] + text
	if !strings.HasSuffix(text, "\n") {
		r.partial[test] = text
		return ""
	}
	delete(r.partial, test)
	text = strings.TrimRight(text, "\n")
	if isFraming(text) {
		return ""
	}
	r.words = append(r.words, text)
	if fields, found := strings.CutPrefix(text, drillMark); found {
		r.read(fields)
		return "  " + text
	}
	return ""
}

// read reads "NAME key=value ...".
func (r *drillReader) read(text string) {
	for _, field := range strings.Fields(text) {
		key, value, found := strings.Cut(field, "=")
		if !found {
			continue
		}
		n, _ := strconv.Atoi(value)
		switch key {
		case "tries":
			r.tries += n
		case "lost":
			r.lost += n
		case "doubled":
			r.doubled += n
		case "seed", "seconds":
		default:
			r.figures[key] = value
		}
	}
}

func (r *drillReader) status() string { return fmt.Sprintf("tests ended: %d", r.ended) }
func (r *drillReader) rest() string   { return "" }

func drillTable(w io.Writer, results []drillResult) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "rig\ttries\tlost\tdoubled\tseconds\t")
	for _, r := range results {
		var figures []string
		for key, value := range r.Figures {
			figures = append(figures, key+" "+value)
		}
		slices.SortFunc(figures, cmp.Compare[string])
		verdict := ""
		if r.bad() {
			verdict = "FAILED "
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%.1f\t%s%s\n", r.Name, r.Tries, r.Lost, r.Doubled, r.Seconds, verdict, strings.Join(figures, ", "))
	}
	return table.Flush()
}
