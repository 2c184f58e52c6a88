package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestStatistics(t *testing.T) {
	for _, c := range []struct {
		name string
		got  float64
		want float64
	}{
		{"median of an odd number", median([]float64{9, 1, 5}), 5},
		{"median of an even number", median([]float64{9, 1, 5, 7}), 6},
		{"median of one", median([]float64{3}), 3},
		{"99th percentile of 100", percentile(upTo(100), 99), 99},
		{"99th percentile of 200", percentile(upTo(200), 99), 198},
		{"99th percentile of few is the most", percentile(upTo(7), 99), 7},
		{"0th percentile is the least", percentile(upTo(7), 0), 1},
		{"least", least([]float64{4, 2, 3}), 2},
		{"most", most([]float64{4, 2, 3}), 4},
	} {
		if c.got != c.want {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
	values := []float64{3, 1, 2}
	median(values)
	equal(t, "values afterwards", values, []float64{3, 1, 2})
}

// upTo is n, …, 1.
func upTo(n int) []float64 {
	var values []float64
	for ; n > 0; n-- {
		values = append(values, float64(n))
	}
	return values
}

func TestSettle(t *testing.T) {
	for _, c := range []struct {
		name  string
		line  line
		ratio float64
		ok    bool
	}{
		{"ratio kept", line{Ours: 1, Peer: 2, Budget: 0.5, Of: ratioMost}, 0.5, true},
		{"ratio missed", line{Ours: 1.1, Peer: 2, Budget: 0.5, Of: ratioMost}, 0.55, false},
		{"a ratio without a peer is not kept", line{Ours: 1, Budget: 0.5, Of: ratioMost}, 0, false},
		{"most kept whatever the peer", line{Ours: 64, Peer: 10, Budget: 64, Of: oursMost}, 6.4, true},
		{"most missed", line{Ours: 65, Budget: 64, Of: oursMost}, 0, false},
		{"least kept", line{Ours: 51, Peer: 50, Budget: 50, Of: oursLeast}, 1.02, true},
		{"least missed", line{Ours: 49, Budget: 50, Of: oursLeast}, 0, false},
		{"without a budget", line{Ours: 9, Peer: 3}, 3, true},
	} {
		c.line.settle()
		if math.Abs(c.line.Ratio-c.ratio) > 1e-9 || c.line.OK != c.ok {
			t.Errorf("%s: ratio %v, ok %v, want %v, %v", c.name, c.line.Ratio, c.line.OK, c.ratio, c.ok)
		}
	}
}

func someLines() []line {
	lines := []line{
		{
			Name: "preview-24", Unit: "s", Ours: 0.124, Peer: 0.248, PeerName: "vipsthumbnail", OursCPU: 1, PeerCPU: 4,
			Budget: 0.6, Of: ratioMost, Rounds: 7,
		},
		{Name: "memory", Unit: "MiB", Ours: 65.25, Peer: 45, PeerName: "vipsthumbnail", Budget: 64, Of: oursMost, Rounds: 7},
		{Name: "region", Unit: "s", Ours: 0.001, Peer: 0.2, PeerName: "djpeg -crop", Budget: 0.01, Of: ratioMost, Rounds: 7, Note: "ours inside"},
		{Name: "files", Unit: "s", Ours: 11.12, Peer: 9.951, PeerName: "vipsthumbnail", Rounds: 7},
	}
	for i := range lines {
		lines[i].settle()
	}
	return lines
}

func TestBenchTable(t *testing.T) {
	want := strings.TrimPrefix(`
                ours      peer  ratio   CPU      budget          peer is
preview-24    124 ms    248 ms   0.50  0.25      ≤ 0.60  ok      vipsthumbnail
memory      65.2 MiB  45.0 MiB   1.45        ≤ 64.0 MiB  MISSED  vipsthumbnail
region       1.00 ms    200 ms  1/200           ≤ 1/100  ok      djpeg -crop (ours inside)
files         11.1 s    9.95 s   1.12                    -       vipsthumbnail

2 of 3 budgets kept, MISSED: memory`, "\n")
	if got := benchTable(someLines()); got != want {
		t.Errorf("the table is\n%s\nwant\n%s", got, want)
	}
}

func TestBenchTableWithoutAMiss(t *testing.T) {
	got := benchTable(someLines()[:1])
	if !strings.HasSuffix(got, "\n\n1 of 1 budgets kept") || strings.Contains(got, "MISSED") {
		t.Errorf("the table is\n%s", got)
	}
}

func TestJSONLines(t *testing.T) {
	var out bytes.Buffer
	if err := writeLines(&out, someLines()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines, want 4:\n%s", len(lines), out.String())
	}
	for i, text := range lines {
		var got map[string]any
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		for _, key := range []string{"name", "ours", "peer", "ratio", "unit", "ok"} {
			if _, found := got[key]; !found {
				t.Errorf("line %d has no %q: %s", i, key, text)
			}
		}
	}
	const first = `{"name":"preview-24","ours":0.124,"peer":0.248,"ratio":0.5,"budget":0.6,"of":"ratio at most","unit":"s","ok":true,` +
		`"peer_name":"vipsthumbnail","ours_cpu":1,"peer_cpu":4,"cpu_ratio":0.25,"rounds":7}`
	if lines[0] != first {
		t.Errorf("the first line is\n%s\nwant\n%s", lines[0], first)
	}
}

func TestCountCalls(t *testing.T) {
	const log = "10 fsync(7) = 0\n11 fdatasync(8 <unfinished ...>\n10 fsync(9) = 0\n11 <... fdatasync resumed>) = 0\n10 +++ exited with 0 +++\n"
	if got := countCalls(log); got != 3 {
		t.Errorf("%d calls, want 3", got)
	}
}
