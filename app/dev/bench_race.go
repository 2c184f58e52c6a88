package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// racer is one side of a trial: a pipeline of commands that does a job once.
type racer struct {
	name  string // of the product or the peer
	pipe  [][]string
	to    string // file for what the last command prints; "" is nowhere
	makes string // file that must be there and not empty afterwards; "" is to
}

// command1 is a racer of one command.
func command1(argv ...string) racer {
	return racer{name: filepath.Base(argv[0]), pipe: [][]string{argv}}
}

// making says which file the racer has to make.
func (c racer) making(file string) racer { c.makes = file; return c }

// into sends what the last command prints to a file.
func (c racer) into(file string) racer { c.to = file; return c }

func (c racer) called(name string) racer { c.name = name; return c }

// pipeTo adds a command that reads what the last one prints.
func (c racer) pipeTo(argv ...string) racer {
	c.pipe = append(c.pipe[:len(c.pipe):len(c.pipe)], argv)
	return c
}

func (c racer) String() string {
	var parts []string
	for _, argv := range c.pipe {
		parts = append(parts, strings.Join(append([]string{filepath.Base(argv[0])}, argv[1:]...), " "))
	}
	return strings.Join(parts, " | ")
}

// sample is what one run of a racer took.
type sample struct {
	wall   float64 // seconds
	cpu    float64 // seconds, user and system, of all its commands
	rss    float64 // MiB, the largest of its commands at its peak
	output []byte  // what it printed, when not sent to a file
}

// course is what all runs of a racer took.
type course struct {
	racer racer
	runs  []sample
}

func (c course) walls() []float64 { return each(c.runs, func(s sample) float64 { return s.wall }) }
func (c course) cpu() float64     { return least(each(c.runs, func(s sample) float64 { return s.cpu })) }

func (c course) rss() float64 { return most(each(c.runs, func(s sample) float64 { return s.rss })) }

// race runs the racers in turn, as often as there are rounds, after one round
// that does not count. Every other round goes backwards, so that nobody always
// runs behind the same neighbour.
func (r *benchRun) race(ctx context.Context, racers ...racer) ([]course, error) {
	courses := make([]course, len(racers))
	for i, c := range racers {
		courses[i].racer = c
	}
	for round := -1; round < r.rounds; round++ {
		for k := range racers {
			i := k
			if round%2 == 1 {
				i = len(racers) - 1 - k
			}
			s, err := r.once(ctx, racers[i])
			if err != nil {
				return nil, err
			}
			if round >= 0 {
				courses[i].runs = append(courses[i].runs, s)
			}
		}
	}
	return courses, nil
}

// once runs a racer once and measures it.
func (r *benchRun) once(ctx context.Context, c racer) (sample, error) {
	makes := c.makes
	if makes == "" {
		makes = c.to
	}
	if makes != "" {
		// What a run before has left must not pass for the work of this one.
		if err := os.RemoveAll(makes); err != nil {
			return sample{}, fmt.Errorf("clear the way for %s: %w", c.name, err)
		}
	}
	s, err := r.pipeline(ctx, c)
	if err != nil {
		return sample{}, err
	}
	if makes != "" {
		info, err := os.Stat(makes)
		if err != nil || info.Size() == 0 {
			return sample{}, fmt.Errorf("%s made nothing, so that its time says nothing (%s)", c.name, c)
		}
	}
	return s, nil
}

func (r *benchRun) pipeline(ctx context.Context, c racer) (s sample, err error) {
	var output bytes.Buffer
	var last io.Writer = &output
	if c.to != "" {
		f, err := os.Create(c.to)
		if err != nil {
			return s, fmt.Errorf("run %s: %w", c.name, err)
		}
		defer f.Close()
		last = f
	}
	stages := make([]*exec.Cmd, len(c.pipe))
	complaints := make([]bytes.Buffer, len(c.pipe))
	for i, argv := range c.pipe {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Dir = r.scratch
		cmd.Stderr = &complaints[i]
		cmd.WaitDelay = 10 * time.Second
		ownGroup(cmd)
		stages[i] = cmd
	}
	stages[len(stages)-1].Stdout = last
	var ours []*os.File // ends of pipes that belong to the stages once they run
	closeOurs := func() {
		for _, f := range ours {
			f.Close()
		}
	}
	for i := range stages[:len(stages)-1] {
		reader, writer, err := os.Pipe()
		if err != nil {
			closeOurs()
			return s, fmt.Errorf("run %s: %w", c.name, err)
		}
		stages[i].Stdout, stages[i+1].Stdin = writer, reader
		ours = append(ours, reader, writer)
	}
	begun := r.now()
	started := 0
	for _, cmd := range stages {
		if err = cmd.Start(); err != nil {
			break
		}
		started++
	}
	closeOurs()
	if err != nil {
		for _, cmd := range stages[:started] {
			_ = kill(cmd)
			_ = cmd.Wait()
		}
		if errors.Is(err, exec.ErrNotFound) {
			return s, fmt.Errorf("%s is not installed, and without it there is nothing to compare with", stages[started].Args[0])
		}
		return s, fmt.Errorf("run %s: %w", c.name, err)
	}
	for i, cmd := range stages {
		if ended := cmd.Wait(); ended != nil && err == nil {
			err = fmt.Errorf("%s failed: %w%s", briefly(append([]string{filepath.Base(cmd.Args[0])}, cmd.Args[1:]...)), ended, lastLine(complaints[i].String()))
		}
	}
	s.wall = r.now().Sub(begun).Seconds()
	if err != nil {
		if ctx.Err() != nil {
			return s, ctx.Err()
		}
		return s, err
	}
	for _, cmd := range stages {
		cpu, rss := usage(cmd.ProcessState)
		s.cpu += cpu
		s.rss = max(s.rss, rss)
	}
	s.output = output.Bytes()
	return s, nil
}

// lastLine is the end of what a failed program said, for one line.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	return ": " + text[strings.LastIndexByte(text, '\n')+1:]
}

// reading is what a program of ours measured inside itself.
type reading struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Values []float64 `json:"values"`
	Note   string    `json:"note"`
}

// readings are the lines a program printed.
func readings(output []byte) (map[string]reading, error) {
	found := map[string]reading{}
	for _, text := range bytes.Split(output, []byte("\n")) {
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var one reading
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("read what was measured: %w", err)
		}
		if one.Name == "" || len(one.Values) == 0 {
			return nil, fmt.Errorf("read what was measured: %q holds no values", text)
		}
		found[one.Name] = one
	}
	return found, nil
}

// inside runs a program of ours that measures inside itself, and returns what
// it says under each of names.
func (r *benchRun) inside(ctx context.Context, c racer, names ...string) ([]reading, sample, error) {
	s, err := r.once(ctx, c)
	if err != nil {
		return nil, s, err
	}
	found, err := readings(s.output)
	if err != nil {
		return nil, s, err
	}
	var list []reading
	for _, name := range names {
		one, ok := found[name]
		if !ok {
			return nil, s, fmt.Errorf("%s did not measure %q", c.name, name)
		}
		list = append(list, one)
	}
	return list, s, nil
}
