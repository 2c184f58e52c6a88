// Command frames draws in a real window, as the station does, and tells how
// long its frames take. `go run ./app/dev bench` runs it on a virtual screen.
//
// Its promise: what it compares runs in one window, in turn, so that the
// machine is the same for all. The floor is the cheapest thing the toolkit can
// do: it moves one picture of the size of the screen. A frame's time is from
// one tick of the toolkit's clock to the next; the clock ticks 60 times a
// second, so that nothing is shorter than 17 ms.
//
//	frames work DIR ROUNDS FRAMES PHOTO...   floor, panning and zooming of each photo
//	frames memory DIR PHOTO                  the window with one photo, worked on
//
// DIR holds what the photos' arrival left: preview, index and pack of tiles.
// It prints one JSON object a line: a name, a unit and a value for each round.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The window's size, in pixels at a scale of one.
const (
	width  = 1500
	height = 900
)

func main() {
	if err := run(os.Stdout, time.Now, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "frames:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: frames work DIR ROUNDS FRAMES PHOTO..., or frames memory DIR PHOTO")

func run(out io.Writer, now func() time.Time, args []string) error {
	switch {
	case len(args) >= 5 && args[0] == "work":
		rounds, err := strconv.Atoi(args[2])
		if err != nil || rounds < 1 {
			return errUsage
		}
		frames, err := strconv.Atoi(args[3])
		if err != nil || frames < 2 {
			return errUsage
		}
		return work(out, now, args[1], rounds, frames, args[4:])
	case len(args) == 3 && args[0] == "memory":
		return memory(out, now, args[1], args[2])
	}
	return errUsage
}

// work plays every scene once a round.
func work(out io.Writer, now func() time.Time, dir string, rounds, frames int, photos []string) error {
	w := newWindow(now)
	floor, err := w.floor(photos[0])
	if err != nil {
		return err
	}
	scenes := []scene{floor}
	for _, name := range photos {
		canvas, err := w.canvas(dir, name)
		if err != nil {
			return err
		}
		scenes = append(scenes, w.panning(canvas, stem(name)+"-pan"), w.zooming(canvas, stem(name)+"-zoom"))
	}
	var played []scene
	for range rounds + 1 { // the first round warms up
		played = append(played, scenes...)
	}
	takes, err := w.play(played, frames)
	if err != nil {
		return err
	}
	for i, s := range scenes {
		var wall, cpu []float64
		for round := 1; round <= rounds; round++ {
			take := takes[round*len(scenes)+i]
			wall, cpu = append(wall, median(take.walls)), append(cpu, take.cpu/float64(len(take.walls)))
		}
		if err := report(out, s.name, "s", wall); err != nil {
			return err
		}
		if err := report(out, s.name+"-cpu", "s", cpu); err != nil {
			return err
		}
	}
	return nil
}

// memory opens one photo, pans and zooms it, and leaves the measuring to the
// parent: the peak is known when the process has ended.
func memory(out io.Writer, now func() time.Time, dir, name string) error {
	w := newWindow(now)
	canvas, err := w.canvas(dir, name)
	if err != nil {
		return err
	}
	const frames = 40
	takes, err := w.play([]scene{w.panning(canvas, "pan"), w.zooming(canvas, "zoom"), w.panning(canvas, "pan")}, frames)
	if err != nil {
		return err
	}
	return report(out, "frames", "1", []float64{float64(len(takes) * frames)})
}

func stem(name string) string {
	return strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
}

func report(out io.Writer, name, unit string, values []float64) error {
	line, err := json.Marshal(struct {
		Name   string    `json:"name"`
		Unit   string    `json:"unit"`
		Values []float64 `json:"values"`
	}{name, unit, values})
	if err != nil {
		return fmt.Errorf("report %s: %w", name, err)
	}
	_, err = fmt.Fprintf(out, "%s\n", line)
	return err
}
