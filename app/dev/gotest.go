package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// tally counts tests; a subtest counts like any other.
type tally struct{ passed, failed, skipped int }

func (a tally) plus(b tally) tally {
	return tally{a.passed + b.passed, a.failed + b.failed, a.skipped + b.skipped}
}

func (a tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", a.passed, a.failed, a.skipped)
}

// testEvent is one line of `go test -json`; see `go doc test2json`. A build
// that fails reports under ImportPath.
type testEvent struct {
	Action  string
	Package string
	Test    string
	Elapsed float64
	Output  string
}

// testReader is the [meter] of `go test -json`: it counts, shows a line a
// package and, when a test fails, all that the test said. With steps set it
// also shows each line that begins with "step:" at once, as the journey prints
// them.
type testReader struct {
	steps    bool
	lastStep string
	tally    tally
	finished int                 // packages
	ended    map[string]string   // how each test ended, by name
	said     map[string][]string // output by test, until it is known to have passed
	failures map[string]int      // failed tests by package
	passes   map[string]int
	partial  map[string]string // beginnings of lines, by test
	failed   []string          // each test that failed, with its first words
}

func newTestReader(steps bool) *testReader {
	return &testReader{
		steps: steps, ended: map[string]string{}, said: map[string][]string{}, failures: map[string]int{},
		passes: map[string]int{}, partial: map[string]string{},
	}
}

func (r *testReader) line(text string) string {
	var event testEvent
	if !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), &event) != nil {
		if strings.HasPrefix(text, "go: downloading ") {
			return ""
		}
		return text // what go itself says
	}
	key := event.Package + " " + event.Test
	switch event.Action {
	case "build-output":
		return strings.TrimRight(event.Output, "\n")
	case "output":
		return r.output(key, event.Output)
	case "pass", "fail", "skip":
		if event.Test == "" {
			return r.packageEnd(event)
		}
		return r.testEnd(key, event)
	}
	return ""
}

// output collects a test's words; a line may come in several events.
func (r *testReader) output(key, text string) string {
	text = r.partial[key] + text
	if !strings.HasSuffix(text, "\n") {
		r.partial[key] = text
		return ""
	}
	delete(r.partial, key)
	text = strings.TrimRight(text, "\n")
	if isFraming(text) {
		return ""
	}
	r.said[key] = append(r.said[key], text)
	if !r.steps {
		return ""
	}
	if step, found := stepOf(text); found {
		r.lastStep = step
		return "step: " + step
	}
	return "    " + strings.TrimSpace(text)
}

func (r *testReader) testEnd(key string, event testEvent) string {
	said := r.said[key]
	delete(r.said, key)
	r.ended[event.Test] = event.Action
	switch event.Action {
	case "pass":
		r.tally.passed++
		r.passes[event.Package]++
	case "skip":
		r.tally.skipped++
		return fmt.Sprintf("skip  %s %s: %s", event.Package, event.Test, strings.TrimSpace(strings.Join(said, " ")))
	case "fail":
		r.tally.failed++
		r.failures[event.Package]++
		r.failed = append(r.failed, firstWords(event.Test, said))
		show := fmt.Sprintf("FAIL  %s %s", event.Package, event.Test)
		if !r.steps && len(said) > 0 {
			show += "\n" + strings.Join(said, "\n")
		}
		return show
	}
	return ""
}

// packageEnd reports a package. One that failed without a failed test (it did
// not compile, it panicked, it ran out of time) counts as one failure.
func (r *testReader) packageEnd(event testEvent) string {
	r.finished++
	said := r.said[event.Package+" "]
	delete(r.said, event.Package+" ")
	// Tests that never ended say why: a panic or a timeout cut them off.
	for key, words := range r.said {
		if name, found := strings.CutPrefix(key, event.Package+" "); found {
			if event.Action == "fail" {
				said = append(append(said, "in "+name+":"), words...)
			}
			delete(r.said, key)
		}
	}
	switch event.Action {
	case "skip":
		return "" // no test files
	case "fail":
		if r.failures[event.Package] == 0 {
			r.tally.failed++
			r.failed = append(r.failed, firstWords(event.Package, said))
		}
		show := "FAIL  " + event.Package
		if !r.steps && len(said) > 0 {
			show += "\n" + strings.Join(said, "\n")
		}
		return show
	default:
		return fmt.Sprintf("ok    %s  %d tests, %.1f s", event.Package, r.passes[event.Package], event.Elapsed)
	}
}

func (r *testReader) status() string {
	if r.steps && r.lastStep != "" {
		return "in step: " + r.lastStep
	}
	return fmt.Sprintf("packages tested: %d, %s", r.finished, r.tally)
}

// explain adds to a failed run what failed in it: what was said at that time is
// far above by its end, or was not kept.
func (r *testReader) explain(err error) error {
	if err == nil || len(r.failed) == 0 {
		return err
	}
	return fmt.Errorf("%w\n%s", err, strings.Join(r.failed, "\n"))
}

const (
	mostWords = 3   // lines of a failed test that are said again
	mostBytes = 400 // bytes of each
)

// firstWords is a failed test's name and the first of what it complained of.
func firstWords(name string, said []string) string {
	words := "failed: " + name
	lines := 0
	for _, line := range said {
		line = strings.TrimSpace(line)
		if lines == mostWords || !logPlace.MatchString(line) && !strings.HasPrefix(line, "panic: ") {
			continue
		}
		if len(line) > mostBytes {
			line = strings.ToValidUTF8(line[:mostBytes], "") + "…"
		}
		words += "\n    " + line
		lines++
	}
	return words
}

func (r *testReader) rest() string { return "" }

// isFraming tells go test's own lines from a test's words.
func isFraming(text string) bool {
	text = strings.TrimSpace(text)
	for _, prefix := range []string{"=== ", "--- PASS", "--- FAIL", "--- SKIP"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	switch text {
	case "", "PASS", "FAIL":
		return true
	}
	return strings.HasPrefix(text, "ok  \t") || strings.HasPrefix(text, "FAIL\t")
}

// logPlace is what testing.T puts before a logged line.
var logPlace = regexp.MustCompile(`^\S+\.go:\d+: `)

// stepOf finds the name of a journey's step in a line.
func stepOf(text string) (step string, found bool) {
	text = logPlace.ReplaceAllString(strings.TrimSpace(text), "")
	step, found = strings.CutPrefix(text, "step:")
	return strings.TrimSpace(step), found
}
