package main

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

// feed gives lines to a meter and returns what it showed.
func feed(m meter, lines ...string) string {
	var shown []string
	for _, text := range lines {
		if show := m.line(text); show != "" {
			shown = append(shown, show)
		}
	}
	return strings.Join(shown, "\n")
}

func TestBuildProgress(t *testing.T) {
	p := &buildProgress{total: 4}
	if shown := feed(p, "go: downloading fyne.io/fyne/v2 v2.7.1"); shown != "" {
		t.Errorf("a download was shown: %q", shown)
	}
	if got, want := p.status(), "modules downloaded: 1"; got != want {
		t.Errorf("status %q, want %q", got, want)
	}
	shown := feed(p, "internal/cpu", "fyne.io/fyne/v2", "# flawmark/app", "app/main.go:3:2: undefined: x")
	if want := "# flawmark/app\napp/main.go:3:2: undefined: x"; shown != want {
		t.Errorf("shown %q, want %q", shown, want)
	}
	if got, want := p.status(), "2 of 4 packages, 50 %"; got != want {
		t.Errorf("status %q, want %q", got, want)
	}
	feed(p, "a", "b", "c")
	if got, want := p.status(), "4 of 4 packages, 99 %"; got != want {
		t.Errorf("status %q, want %q", got, want)
	}
}

func TestAptProgress(t *testing.T) {
	p := &aptProgress{}
	for _, c := range []struct{ line, want string }{
		{"Get:1 http://deb.debian.org/debian bookworm InRelease [151 kB]", "lists fetched: 1"},
		{"0 upgraded, 2 newly installed, 0 to remove and 4 not upgraded.", "1 of 2 packages fetched"},
		{"Unpacking clang (1:14) ...", "2 packages to install, 25 %"},
		{"Setting up clang (1:14) ...", "2 packages to install, 50 %"},
		{"Processing triggers for libc-bin (2.36) ...", "2 packages to install, 50 %"},
	} {
		if shown := p.line(c.line); shown != "" {
			t.Errorf("shown: %q", shown)
		}
		if got := p.status(); got != c.want {
			t.Errorf("after %q: %q, want %q", c.line, got, c.want)
		}
	}
	if !strings.Contains(p.rest(), "Unpacking clang") {
		t.Errorf("kept %q", p.rest())
	}
}

func TestElapsed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 59 * time.Second: "59 s", 125 * time.Second: "2 m 05 s", 1600 * time.Millisecond: "2 s",
	} {
		if got := elapsed(d); got != want {
			t.Errorf("elapsed(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var k tail
	for range 100 {
		k.keep("early")
	}
	k.keep("late")
	if lines := strings.Split(k.rest(), "\n"); len(lines) > 30 || lines[len(lines)-1] != "late" {
		t.Errorf("kept %d lines, last %q", len(lines), lines[len(lines)-1])
	}
}

func TestWatchShowsAndExplains(t *testing.T) {
	var out strings.Builder
	tool := newTool(host{}, &out)
	long := strings.Repeat("x", 1<<16)
	if err := tool.watch(exec.Command("printf", `one\nno end`), plain{}); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "one\nno end\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	out.Reset()
	err := tool.watch(exec.Command("sh", "-c", "echo why >&2; echo $0; exit 3", long), &aptProgress{})
	if err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
	if got := out.String(); !strings.Contains(got, "why\n"+long) {
		t.Errorf("the reason is missing from %d bytes", len(got))
	}
}
