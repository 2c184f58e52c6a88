package journey

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"flawmark/app/dev/drill"
)

// held is what a process holds.
type held struct {
	goroutines, files int
	heap              uint64
}

// holds measures in a quiet moment.
func holds(t *testing.T) held {
	t.Helper()
	for range 3 { // what is freed by finalizers is free after the second
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return held{runtime.NumGoroutine(), len(open), memory.HeapAlloc}
}

// How much more a process may hold at the end than in the beginning.
const (
	moreGoroutines = 10
	moreFiles      = 10
	moreHeap       = 16 << 20
)

func (h held) grownFrom(before held) bool {
	return h.goroutines > before.goroutines+moreGoroutines || h.files > before.files+moreFiles || h.heap > before.heap+moreHeap
}

// grow records and sends so many findings in one run, a tenth at a time, and
// measures after the second tenth and at the end. each is called for each
// finding.
func grow(t *testing.T, rig *drill.Rig, each func()) (before, after held, lost, doubled int) {
	t.Helper()
	site := newDrillSite(t, rig, inMemory)
	station := site.enrolStation(t, site.server.URL, nil)
	items := site.orders(t, rig.Tries)
	_, stop := station.run(t)
	tenth := max(1, len(items)/10)
	for i, item := range items {
		station.record(t, item, 2)
		each()
		if i%tenth == tenth-1 {
			station.waitFor(t, "the queue to drain", 5*time.Minute, drained)
		}
		if i == 2*tenth-1 {
			before = holds(t)
		}
	}
	station.waitFor(t, "the queue to drain", 5*time.Minute, drained)
	after = holds(t)
	stop()
	lost, doubled = site.compare(t, len(items))
	return before, after, lost, doubled
}

// TestDrillGrowth has a station and a centre work for long in one process.
func TestDrillGrowth(t *testing.T) {
	rig := drill.Begin(t, "growth", drill.Sizes{Test: 100, Short: 1000, Long: 10_000})
	before, after, lost, doubled := grow(t, rig, func() {})
	if after.grownFrom(before) {
		t.Errorf("from %+v to %+v", before, after)
	}
	rig.Done(drill.Outcome{
		Tries: rig.Tries, Lost: lost, Doubled: doubled,
		Figures: []string{
			"goroutines", fmt.Sprintf("%d_to_%d", before.goroutines, after.goroutines), "files", fmt.Sprintf("%d_to_%d", before.files, after.files),
			"heap", fmt.Sprintf("%.1f_to_%.1f_MiB", float64(before.heap)/(1<<20), float64(after.heap)/(1<<20)),
		},
	})
}

func TestDrillGrowth_CatchesPlantedLeaks(t *testing.T) {
	for name, leak := range map[string]func(t *testing.T) func(){
		"of goroutines": func(t *testing.T) func() {
			return func() { go func() { <-t.Context().Done() }() }
		},
		"of files": func(t *testing.T) func() {
			return func() {
				file, err := os.Open(os.DevNull)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { file.Close() })
			}
		},
		"of memory": func(t *testing.T) func() {
			var kept [][]byte
			t.Cleanup(func() { runtime.KeepAlive(kept) })
			return func() { kept = append(kept, make([]byte, 1<<20)) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			rig := drill.Begin(t, "growth", drill.Sizes{Test: 30, Short: 30, Long: 30})
			if before, after, _, _ := grow(t, rig, leak(t)); !after.grownFrom(before) {
				t.Errorf("not noticed: from %+v to %+v", before, after)
			}
		})
	}
}
