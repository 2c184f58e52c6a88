package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const somePackage = `{"Action":"start","Package":"flawmark/app/qc"}
{"Action":"run","Package":"flawmark/app/qc","Test":"TestA"}
{"Action":"output","Package":"flawmark/app/qc","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"flawmark/app/qc","Test":"TestA","Output":"    a_test.go:3: a secret of a passing test\n"}
{"Action":"pass","Package":"flawmark/app/qc","Test":"TestA/sub","Elapsed":0}
{"Action":"pass","Package":"flawmark/app/qc","Test":"TestA","Elapsed":0}
{"Action":"output","Package":"flawmark/app/qc","Test":"TestB","Output":"    a_test.go:9: got 1, "}
{"Action":"output","Package":"flawmark/app/qc","Test":"TestB","Output":"want 2\n"}
{"Action":"fail","Package":"flawmark/app/qc","Test":"TestB","Elapsed":0}
{"Action":"output","Package":"flawmark/app/qc","Test":"TestC","Output":"    a_test.go:12: not on this system\n"}
{"Action":"skip","Package":"flawmark/app/qc","Test":"TestC","Elapsed":0}
{"Action":"output","Package":"flawmark/app/qc","Output":"FAIL\n"}
{"Action":"output","Package":"flawmark/app/qc","Output":"FAIL\tflawmark/app/qc\t0.010s\n"}
{"Action":"fail","Package":"flawmark/app/qc","Elapsed":0.01}`

func TestReaderCountsAndExplains(t *testing.T) {
	r := newTestReader(false)
	shown := feed(r, strings.Split(somePackage, "\n")...)
	if want := (tally{2, 1, 1}); r.tally != want {
		t.Errorf("tally %v, want %v", r.tally, want)
	}
	for _, want := range []string{"FAIL  flawmark/app/qc TestB", "got 1, want 2", "TestC: a_test.go:12: not on this system"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not shown in\n%s", want, shown)
		}
	}
	for _, noise := range []string{"secret", "=== RUN", "0.010s"} {
		if strings.Contains(shown, noise) {
			t.Errorf("%q is shown in\n%s", noise, shown)
		}
	}
	if got, want := r.tally.plus(tally{1, 1, 1}).String(), "3 passed, 2 failed, 2 skipped"; got != want {
		t.Errorf("sum %q, want %q", got, want)
	}
}

func TestReaderCountsPackagesThatNeverRan(t *testing.T) {
	for _, c := range []struct {
		name, events, want string
		tally              tally
	}{
		{"does not compile", `{"ImportPath":"p","Action":"build-output","Output":"# p\n"}
{"ImportPath":"p","Action":"build-output","Output":"p/a.go:1:1: expected 'package'\n"}
{"ImportPath":"p","Action":"build-fail"}
{"Action":"fail","Package":"p","Elapsed":0,"FailedBuild":"p"}`, "expected 'package'", tally{failed: 1}},
		{"panics", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"panic: boom\n"}
{"Action":"fail","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"fail","Package":"p","Elapsed":0}`, "panic: boom", tally{failed: 1}},
		{"is cut off", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"p","Elapsed":0}`, "in TestA:\npanic: test timed out", tally{failed: 1}},
		{"has no tests", `{"Action":"skip","Package":"p","Elapsed":0}`, "", tally{}},
		{"go complains", "no required module provides package x", "no required module", tally{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newTestReader(false)
			shown := feed(r, strings.Split(c.events, "\n")...)
			if !strings.Contains(shown, c.want) {
				t.Errorf("%q is not in\n%s", c.want, shown)
			}
			if r.tally != c.tally {
				t.Errorf("tally %v, want %v", r.tally, c.tally)
			}
		})
	}
}

func TestReaderShowsStepsOfTheJourney(t *testing.T) {
	r := newTestReader(true)
	shown := feed(r,
		`{"Action":"output","Package":"j","Test":"TestJourney","Output":"=== RUN   TestJourney\n"}`,
		`{"Action":"output","Package":"j","Test":"TestJourney","Output":"    journey_test.go:40: step: station enrols\n"}`,
		`{"Action":"output","Package":"j","Test":"TestJourney","Output":"step: photo flagged\n"}`,
		`{"Action":"output","Package":"j","Test":"TestJourney","Output":"    page.go:7: waiting\n"}`)
	if want := "step: station enrols\nstep: photo flagged\n    page.go:7: waiting"; shown != want {
		t.Errorf("shown\n%s\nwant\n%s", shown, want)
	}
	if want := "in step: photo flagged"; r.status() != want {
		t.Errorf("status %q, want %q", r.status(), want)
	}
}

func TestTestReader_Explains(t *testing.T) {
	r := newTestReader(true)
	long := strings.Repeat("字", 400)
	feed(r,
		`{"Action":"output","Package":"j","Test":"TestKill","Output":"{\"level\":\"info\"}\n"}`,
		`{"Action":"output","Package":"j","Test":"TestKill","Output":"    kill_test.go:7: one is lost\n"}`,
		`{"Action":"output","Package":"j","Test":"TestKill","Output":"    kill_test.go:8: `+long+`\n"}`,
		`{"Action":"output","Package":"j","Test":"TestKill","Output":"    kill_test.go:9: three\n"}`,
		`{"Action":"output","Package":"j","Test":"TestKill","Output":"    kill_test.go:9: four\n"}`,
		`{"Action":"fail","Package":"j","Test":"TestKill"}`,
		`{"Action":"pass","Package":"j","Test":"TestJourney"}`,
		`{"Action":"fail","Package":"j"}`,
		`{"Action":"output","Package":"k","Output":"panic: nobody is there\n"}`,
		`{"Action":"fail","Package":"k"}`)
	failed := errors.New("exit status 1")
	err := r.explain(failed)
	want := "exit status 1\nfailed: TestKill\n    kill_test.go:7: one is lost\n    kill_test.go:8: " + long[:384] +
		"…\n    kill_test.go:9: three\nfailed: k\n    panic: nobody is there"
	if !errors.Is(err, failed) || err.Error() != want {
		t.Errorf("explained as\n%v\nwant\n%s", err, want)
	}
	if err := r.explain(nil); err != nil {
		t.Errorf("success is explained: %v", err)
	}
}

func TestJudgeJourney(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, c := range []struct {
		name   string
		reader testReader
		err    error
		want   string
	}{
		{"played", testReader{ended: map[string]string{"TestJourney": "pass"}}, nil, ""},
		{"failed in a step", testReader{lastStep: "customer decides"}, failed, `failed in step "customer decides"`},
		{"failed at once", testReader{}, failed, "before its first step"},
		{"something else failed", testReader{lastStep: "money", ended: map[string]string{"TestJourney": "pass", "TestKill": "fail"}}, failed, "beside the journey"},
		{"skipped", testReader{ended: map[string]string{"TestJourney": "skip"}}, nil, "not played"},
		{"no such test", testReader{ended: map[string]string{"TestKill": "pass"}}, nil, "not played"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := newTool(host{}, &strings.Builder{}).judgeJourney(&c.reader, c.err, time.Second)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
