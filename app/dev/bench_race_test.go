package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// benchHere is a run with a scratch folder of the test's own.
func benchHere(t *testing.T, rounds int) *benchRun {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the racers of these tests are shell commands")
	}
	b := newTool(thisHost(), io.Discard)
	b.now = time.Now
	return &benchRun{tool: b, rounds: rounds, scratch: t.TempDir()}
}

func shell(script string) racer { return command1("sh", "-c", script).called("peer") }

func TestFaultsOfRacersAreNamed(t *testing.T) {
	r := benchHere(t, 1)
	made := r.at("made.jpg")
	for _, c := range []struct {
		name  string
		racer racer
		want  string // in the error
	}{
		{"prints nothing", shell("true").into(made), "peer made nothing"},
		{"makes no file", shell("true").making(made), "peer made nothing"},
		{"makes an empty file", shell(": > made.jpg").making(made), "peer made nothing"},
		{"fails", shell("echo first; echo it has no codec >&2; exit 3"), "exit status 3: it has no codec"},
		{"fails in the middle of a pipe", shell("exit 4").pipeTo("cat").into(made), "exit status 4"},
		{"fails at the end of a pipe", shell("echo x").pipeTo("sh", "-c", "cat > /dev/null; exit 5"), "exit status 5"},
		{"is not installed", command1("no-such-program-here"), "no-such-program-here is not installed"},
		{"is not installed behind a pipe", shell("echo x").pipeTo("no-such-program-here"), "no-such-program-here is not installed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// What an earlier run left must not count.
			if err := os.WriteFile(made, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := r.race(t.Context(), shell("true"), c.racer)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is %q, want one line with %q", err, c.want)
			}
		})
	}
}

func TestRaceMeasuresAndTakesTurns(t *testing.T) {
	r := benchHere(t, 4)
	one := shell("echo one >> order; sleep 0.05")
	two := shell("echo two >> order; printf abc").pipeTo("cat").into(r.at("two"))
	courses, err := r.race(t.Context(), one, two)
	if err != nil {
		t.Fatal(err)
	}
	order, err := os.ReadFile(r.at("order"))
	if err != nil {
		t.Fatal(err)
	}
	// The warm-up and every other round go backwards.
	equal(t, "order", strings.Fields(string(order)),
		[]string{"one", "two", "one", "two", "two", "one", "one", "two", "two", "one"})
	for i, c := range courses {
		if len(c.runs) != 4 {
			t.Errorf("%d runs of racer %d count, want 4", len(c.runs), i)
		}
	}
	if took := least(courses[0].walls()); took < 0.05 {
		t.Errorf("sleeping for 50 ms took %v s", took)
	}
	if made, err := os.ReadFile(r.at("two")); err != nil || string(made) != "abc" {
		t.Errorf("the pipe made %q, %v", made, err)
	}
	if runtime.GOOS == "linux" && courses[0].rss() <= 0 {
		t.Error("the memory was not measured")
	}
}

func TestReadings(t *testing.T) {
	found, err := readings([]byte("{\"name\":\"a\",\"unit\":\"s\",\"values\":[1,2]}\n\n{\"name\":\"b\",\"values\":[3]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "a", found["a"].Values, []float64{1, 2})
	equal(t, "b", found["b"].Values, []float64{3})
	for _, bad := range []string{"no JSON", `{"name":"a","values":[]}`, `{"values":[1]}`} {
		if _, err := readings([]byte(bad)); err == nil {
			t.Errorf("%q passes for something measured", bad)
		}
	}
	r := benchHere(t, 1)
	if _, _, err := r.inside(t.Context(), shell(`echo '{"name":"a","values":[1]}'`), "a", "b"); err == nil || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("what was not measured is told as %v", err)
	}
}

func TestATrialThatFailsLeavesTheOthers(t *testing.T) {
	r := benchHere(t, 5)
	lines, err := r.runTrials(t.Context(), []trial{
		{name: "broken", run: func(ctx context.Context, r *benchRun) ([]line, error) {
			_, err := r.race(ctx, shell("true").making(r.at("nothing")))
			return nil, err
		}},
		{name: "sound", run: func(context.Context, *benchRun) ([]line, error) {
			return []line{{Name: "sound", Ours: 1, Peer: 2, Budget: 1, Of: ratioMost}}, nil
		}},
	})
	if err == nil || !strings.Contains(err.Error(), "broken: peer made nothing") {
		t.Errorf("the error is %v", err)
	}
	if len(lines) != 1 || lines[0].Name != "sound" || !lines[0].OK || lines[0].Rounds != 5 {
		t.Errorf("the lines are %+v", lines)
	}
}

func TestQuickest(t *testing.T) {
	slow := course{racer: racer{name: "slow"}, runs: []sample{{wall: 3}, {wall: 3}, {wall: 0.1}}}
	fast := course{racer: racer{name: "fast"}, runs: []sample{{wall: 1}, {wall: 1}, {wall: 9}}}
	if got := quickest([]course{slow, fast}).racer.name; got != "fast" {
		t.Errorf("the quickest is %s", got)
	}
}

func TestRacerIsWrittenAsAShellWould(t *testing.T) {
	c := command1(filepath.Join("bin", "djpeg"), "-scale", "1/8", "P").pipeTo("cjpeg", "-quality", "85").into("o.jpg")
	if got := c.String(); got != "djpeg -scale 1/8 P | cjpeg -quality 85" {
		t.Errorf("the racer is %q", got)
	}
}
