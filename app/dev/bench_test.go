package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestParseBench(t *testing.T) {
	o, err := parseBench([]string{"--json", "--strict", "--rounds", "9", "--only", "preview-24, thumb"})
	if err != nil {
		t.Fatal(err)
	}
	if !o.json || !o.strict || o.rounds != 9 {
		t.Errorf("the options are %+v", o)
	}
	equal(t, "only", o.only, []string{"preview-24", "thumb"})
	for _, c := range []struct {
		name string
		args []string
	}{
		{"too few rounds", []string{"--rounds", "4"}},
		{"an unknown trial", []string{"--only", "preview,nothing"}},
		{"an argument too many", []string{"preview"}},
	} {
		if _, err := parseBench(c.args); !errors.Is(err, errUsage) {
			t.Errorf("%s: %v, want an error of usage", c.name, err)
		}
	}
}

func TestTrialsTableIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, tr := range trials() {
		if seen[tr.name] || tr.name == "" || tr.does == "" || tr.run == nil {
			t.Errorf("the line of %q is there twice or lacks something", tr.name)
		}
		seen[tr.name] = true
	}
}

func TestChosen(t *testing.T) {
	all := []trial{{name: "preview-24"}, {name: "preview-50"}, {name: "thumb"}}
	for _, c := range []struct {
		only []string
		want []string
	}{
		{nil, []string{"preview-24", "preview-50", "thumb"}},
		{[]string{"thumb"}, []string{"thumb"}},
		{[]string{"thumb", "preview"}, []string{"preview-24", "preview-50", "thumb"}},
	} {
		got, err := chosen(all, c.only)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, tr := range got {
			names = append(names, tr.name)
		}
		equal(t, strings.Join(c.only, ","), names, c.want)
	}
}

func TestBenchElsewhereSaysSo(t *testing.T) {
	h := completeMachine().host()
	h.goos = "darwin"
	err := runBench(t.Context(), newTool(h, &bytes.Buffer{}), nil)
	if err == nil || !strings.Contains(err.Error(), "Linux") {
		t.Errorf("the error is %v", err)
	}
}

func TestBenchListsItsTrials(t *testing.T) {
	var out bytes.Buffer
	if err := runBench(t.Context(), newTool(completeMachine().host(), &out), []string{"--list", "--only", "thumb"}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "thumb-256") || strings.Contains(out.String(), "preview-24") {
		t.Errorf("the list is\n%s", out.String())
	}
}

func TestMissingPeersAreNamed(t *testing.T) {
	m := completeMachine()
	m.programs = without(without(m.programs, "vips"), "gm")
	equal(t, "missing", missingNames(t, m, debian, toCompare), []string{"libvips", "GraphicsMagick"})
	equal(t, "missing for the demo", missingNames(t, m, debian, toBuild|toPlay), nil)
}

func TestProcFiles(t *testing.T) {
	h := host{files: fstest.MapFS{
		"proc/loadavg": {Data: []byte("1.50 0.75 0.25 3/200 4711\n")},
		"proc/cpuinfo": {Data: []byte("processor\t: 0\nmodel name\t: Xeon: fast\nprocessor\t: 1\nmodel name\t: other\n")},
	}}
	if got := loadOf(h); got != "1.50 0.75 0.25" {
		t.Errorf("load = %q", got)
	}
	if got := field(h, "proc/cpuinfo", "model name"); got != "Xeon: fast" {
		t.Errorf("processor = %q", got)
	}
	if got := field(h, "proc/meminfo", "MemTotal"); got != "" {
		t.Errorf("what cannot be read is %q", got)
	}
}

func TestShortVersion(t *testing.T) {
	for said, want := range map[string]string{
		"vips-8.14.1\n": "vips-8.14.1",
		"libjpeg-turbo version 2.1.5 (build 20230203)\n":        "libjpeg-turbo version 2.1.5",
		"GraphicsMagick 1.3.40 2023-01-14 Q16 http://…\nCopy\n": "GraphicsMagick 1.3.40 2023-01-14",
		"": "",
	} {
		if got := shortVersion(said); got != want {
			t.Errorf("shortVersion(%q) = %q, want %q", said, got, want)
		}
	}
}

func TestFactsAreSaid(t *testing.T) {
	m := machineFacts{
		date: time.Unix(0, 0).UTC().Format(time.DateOnly), processor: "Xeon", cores: 2, memory: "24 GiB", system: "Debian", kernel: "6.1",
		versions: []string{"go1.26", "vips-8"}, loadBefore: "0.1 0.2 0.3",
	}
	for _, part := range []string{"1970-01-01", "Xeon, 2 cores, 24 GiB, Debian, Linux 6.1", "go1.26; vips-8", "0.1 0.2 0.3"} {
		if !strings.Contains(m.String(), part) {
			t.Errorf("%q is not in\n%s", part, m)
		}
	}
}
