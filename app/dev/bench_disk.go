package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// slowDisk is how long a slow disk takes to confirm what was written.
const slowDisk = 0.020

// saveTrial saves findings with a photo of 12 MP. The disk here is as fast as it
// is; how it would be on a slow one is reckoned: every confirmation that a save
// waits for, counted from outside, costs 20 ms more.
func saveTrial(ctx context.Context, r *benchRun) ([]line, error) {
	const saves = 200
	found, _, err := r.inside(ctx, r.ours("save", r.photo("P12.jpg"), r.scratch, strconv.Itoa(saves)), "save")
	if err != nil {
		return nil, err
	}
	here := percentile(found[0].Values, 99)
	lines := []line{{Name: "save-p99-here", Unit: "s", Ours: here, Note: fmt.Sprintf("%d saves with 12 MP on this disk", saves)}}
	if !r.host.has("strace") {
		r.say("strace is not installed: confirmations of a save are not counted, and a slow disk is left out")
		return lines, nil
	}
	few, err := r.confirmations(ctx, 5)
	if err != nil {
		return nil, err
	}
	many, err := r.confirmations(ctx, 15)
	if err != nil {
		return nil, err
	}
	each := float64(many-few) / 10
	return append(lines, line{
		Name: "save-p99-slow-disk", Unit: "s", Ours: here + each*slowDisk, Budget: 0.25, Of: oursMost,
		Note: fmt.Sprintf("%.1f fsyncs at 20 ms added to the time here", each),
	}), nil
}

// confirmations counts how often saving n findings waits for the disk.
func (r *benchRun) confirmations(ctx context.Context, n int) (int, error) {
	log := r.at("fsyncs")
	counted := command1("strace", "-f", "-qq", "-e", "trace=fsync,fdatasync,syncfs,sync_file_range,msync", "-o", log,
		r.measure, "save", r.photo("P12.jpg"), r.scratch, strconv.Itoa(n)).called("strace")
	if _, err := r.once(ctx, counted.making(log)); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return 0, fmt.Errorf("count fsyncs: %w", err)
	}
	return countCalls(string(text)), nil
}

// countCalls counts the calls in strace's log; one that another thread
// interrupted is there twice.
func countCalls(log string) int {
	calls := 0
	for l := range strings.Lines(log) {
		if strings.Contains(l, "sync") && strings.Contains(l, "(") && !strings.Contains(l, "resumed>") {
			calls++
		}
	}
	return calls
}

// startTrial opens the data of a station that was away from the centre for long.
func startTrial(ctx context.Context, r *benchRun) ([]line, error) {
	dir := r.at("station")
	if _, err := r.once(ctx, r.ours("fill", dir, "3000")); err != nil {
		return nil, err
	}
	c, err := r.race(ctx, r.ours("start", dir))
	if err != nil {
		return nil, err
	}
	return []line{{
		Name: "station-start", Unit: "s", Ours: median(c[0].walls()), OursCPU: c[0].cpu(), Budget: 2, Of: oursMost,
		Note: "3,000 findings and 15,000 photos unsent; the window comes on top",
	}}, nil
}
