package main

import (
	"context"
	"fmt"
	"strconv"
)

// What a centre is tried with. Nobody else's program does the same, so these
// have budgets and no peers.
const (
	floodFindings = 3000
	floodSenders  = 8

	busyFindings = 28 // a second
	busyPhotos   = 66 // MB a second
	busySeconds  = 30

	deskCases = 10_000
	deskLooks = 50 // at each kind of page

	alerts       = 100
	alertsNarrow = 15
	narrowLine   = 5_000_000 // bits a second
	narrowAhead  = 2         // originals of 40 MB
)

// builtCentre builds the service, once a run.
func (r *benchRun) builtCentre(ctx context.Context) (string, error) {
	if r.centre != "" {
		return r.centre, nil
	}
	var err error
	r.centre, err = r.build(ctx, centre(), r.scratch)
	return r.centre, err
}

// atCentre runs one of our programs that measure at a centre.
func (r *benchRun) atCentre(ctx context.Context, job string, args []string, names ...string) ([]reading, error) {
	program, err := r.builtCentre(ctx)
	if err != nil {
		return nil, err
	}
	found, _, err := r.inside(ctx, r.ours(append([]string{job, program, r.scratch}, args...)...), names...)
	return found, err
}

// floodTrial repeats: a rate swings with its neighbours on the machine.
func floodTrial(ctx context.Context, r *benchRun) ([]line, error) {
	var rates []float64
	for range r.rounds {
		found, err := r.atCentre(ctx, "flood", []string{strconv.Itoa(floodFindings), strconv.Itoa(floodSenders)}, "flood")
		if err != nil {
			return nil, err
		}
		rates = append(rates, found[0].Values[0])
	}
	return []line{{
		Name: "intake", Unit: "1/s", Ours: median(rates), Budget: 300, Of: oursLeast,
		Note: fmt.Sprintf("%d findings, each opens a case; 0 lost, 0 doubled", floodFindings),
	}}, nil
}

func busyTrial(ctx context.Context, r *benchRun) ([]line, error) {
	found, err := r.atCentre(ctx, "busy", []string{strconv.Itoa(busyFindings), strconv.Itoa(busyPhotos), strconv.Itoa(busySeconds)},
		"push", "rate", "memory")
	if err != nil {
		return nil, err
	}
	return []line{
		{
			Name: "busy-push-p99", Unit: "s", Ours: percentile(found[0].Values, 99), Budget: 0.3, Of: oursMost,
			Note: fmt.Sprintf("%d findings/s beside %.0f MB/s of photos for %d s", busyFindings, found[1].Values[0], busySeconds),
		},
		{Name: "busy-memory", Unit: "MiB", Ours: found[2].Values[0], Budget: 1024, Of: oursMost, Note: "the service's peak"},
	}, nil
}

func deskTrial(ctx context.Context, r *benchRun) ([]line, error) {
	found, err := r.atCentre(ctx, "desk", []string{strconv.Itoa(deskCases), strconv.Itoa(deskLooks)}, "list", "search", "case")
	if err != nil {
		return nil, err
	}
	var lines []line
	for _, page := range found {
		lines = append(lines, line{
			Name: "desk-" + page.Name + "-p95", Unit: "s", Ours: percentile(page.Values, 95), Budget: 0.1, Of: oursMost,
			Note: fmt.Sprintf("over HTTP, %d open cases", deskCases),
		})
	}
	return lines, nil
}

func alertTrial(ctx context.Context, r *benchRun) ([]line, error) {
	found, err := r.atCentre(ctx, "alert", []string{r.photo("P12.jpg"), strconv.Itoa(alerts)}, "page", "station")
	if err != nil {
		return nil, err
	}
	return []line{
		{
			Name: "alert-p99", Unit: "s", Ours: percentile(found[0].Values, 99), Budget: 1, Of: oursMost,
			Note: fmt.Sprintf("%d findings of 12 MP, from Save until the page shows flaw and photo", alerts),
		},
		{Name: "decision-p50", Unit: "s", Ours: median(found[1].Values), Budget: 0.5, Of: oursMost, Note: "from the form until the station has it"},
		{Name: "decision-p99", Unit: "s", Ours: percentile(found[1].Values, 99), Budget: 2, Of: oursMost},
	}, nil
}

func alertNarrowTrial(ctx context.Context, r *benchRun) ([]line, error) {
	found, err := r.atCentre(ctx, "alert-narrow",
		[]string{r.photo("P12.jpg"), strconv.Itoa(alertsNarrow), strconv.Itoa(narrowLine), strconv.Itoa(narrowAhead)}, "page")
	if err != nil {
		return nil, err
	}
	return []line{{
		Name: "alert-narrow-max", Unit: "s", Ours: most(found[0].Values), Budget: 5, Of: oursMost,
		Note: fmt.Sprintf("the slowest of %d, with %d originals of 40 MB under way", alertsNarrow, narrowAhead),
	}}, nil
}
