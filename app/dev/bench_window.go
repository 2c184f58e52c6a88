package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// framesPerRound is how many frames of each scene make a round's median.
const framesPerRound = 20

func framesProgram() product {
	return product{name: "window to measure", file: "measure-frames", path: "./app/measure/frames", flags: []string{"-tags=migrated_fynedo"}}
}

// windowTrial draws in a real window on a virtual screen, with OpenGL in
// software, which is the slowest there is. All scenes play in one window, in
// turn.
func windowTrial(ctx context.Context, r *benchRun) ([]line, error) {
	photos := []string{r.photo("P24.jpg"), r.photo("P50.jpg"), r.photo("P100.jpg")}
	arrived, err := r.arrived(ctx, photos...)
	if err != nil {
		return nil, err
	}
	found, _, err := r.inWindow(ctx, append([]string{"work", arrived, strconv.Itoa(r.rounds), strconv.Itoa(framesPerRound)}, photos...)...)
	if err != nil {
		return nil, err
	}
	compare := func(name, ours, peer, peerName string, budget float64) line {
		l := line{
			Name: name, Unit: "s", Ours: median(found[ours].Values), Peer: median(found[peer].Values), PeerName: peerName,
			OursCPU: least(found[ours+"-cpu"].Values), PeerCPU: least(found[peer+"-cpu"].Values), Budget: budget, Of: ratioMost,
		}
		return l
	}
	for _, name := range []string{"floor", "P24-pan", "P50-pan", "P50-zoom", "P100-pan"} {
		if len(found[name].Values) == 0 || len(found[name+"-cpu"].Values) == 0 {
			return nil, fmt.Errorf("the window did not measure %q", name)
		}
	}
	const floor = "one picture moved in the same window"
	return []line{
		compare("frame-pan-50", "P50-pan", "floor", floor, 1.25),
		compare("frame-zoom-50", "P50-zoom", "floor", floor, 1.5),
		compare("frame-pan-100", "P100-pan", "P24-pan", "the same with 24 MP", 1.1),
	}, nil
}

// windowMemory opens the largest photo alone in a window and works on it.
func windowMemory(ctx context.Context, r *benchRun) ([]line, error) {
	arrived, err := r.arrived(ctx, r.photo("P100.jpg"))
	if err != nil {
		return nil, err
	}
	_, s, err := r.inWindow(ctx, "memory", arrived, r.photo("P100.jpg"))
	if err != nil {
		return nil, err
	}
	return []line{{Name: "window-memory", Unit: "MiB", Ours: s.rss, Budget: 300, Of: oursMost, Note: "with 100 MP and 50 marks"}}, nil
}

// arrived makes what photos leave when they arrive, once, and returns the folder.
func (r *benchRun) arrived(ctx context.Context, photos ...string) (dir string, err error) {
	if dir, err = r.folder("arrived"); err != nil {
		return "", err
	}
	for _, photo := range photos {
		kept := filepath.Join(dir, strings.TrimSuffix(filepath.Base(photo), ".jpg"))
		if _, err := os.Stat(kept + ".pack"); err == nil {
			continue
		}
		for _, job := range []racer{
			r.ours("preview", dir, photo).making(kept + ".jpg"),
			r.ours("index", photo, kept+".index").making(kept + ".index"),
			r.ours("pack-indexed", photo, kept+".index", kept+".pack").making(kept + ".pack"),
		} {
			if _, err := r.once(ctx, job); err != nil {
				return "", err
			}
		}
	}
	return dir, nil
}

// inWindow runs the window's program on a virtual screen of its own.
func (r *benchRun) inWindow(ctx context.Context, args ...string) (map[string]reading, sample, error) {
	if r.frames == "" {
		built, err := r.build(ctx, framesProgram(), filepath.Dir(r.measure))
		if err != nil {
			return nil, sample{}, err
		}
		r.frames = built
	}
	display, stop, err := r.virtualScreen(ctx)
	if err != nil {
		return nil, sample{}, err
	}
	defer stop()
	argv := append([]string{
		"env", "DISPLAY=" + display, "WAYLAND_DISPLAY=", "FYNE_SCALE=1", "LANGUAGE=en", "LIBGL_ALWAYS_SOFTWARE=1", r.frames,
	}, args...)
	s, err := r.once(ctx, command1(argv...).called("the window"))
	if err != nil {
		return nil, s, err
	}
	found, err := readings(s.output)
	return found, s, err
}

// virtualScreen starts Xvfb, which chooses a free display and says which. stop
// ends it.
func (r *benchRun) virtualScreen(ctx context.Context) (display string, stop func(), err error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return "", nil, fmt.Errorf("start the virtual screen: %w", err)
	}
	defer reader.Close()
	screen := exec.CommandContext(ctx, "Xvfb", "-displayfd", "3", "-screen", "0", "1600x1000x24", "-nolisten", "tcp")
	screen.ExtraFiles = []*os.File{writer}
	ownGroup(screen)
	err = screen.Start()
	writer.Close()
	if err != nil {
		return "", nil, fmt.Errorf("start the virtual screen: %w", err)
	}
	stop = func() {
		_ = interrupt(screen)
		late := time.AfterFunc(grace, func() { _ = kill(screen) })
		_ = screen.Wait()
		late.Stop()
	}
	// Xvfb closes the pipe when it fails, so that this does not wait for ever.
	number, err := bufio.NewReader(reader).ReadString('\n')
	if number = strings.TrimSpace(number); err != nil || number == "" {
		stop()
		return "", nil, errors.New("the virtual screen did not start: try Xvfb :99 by hand to see why")
	}
	return ":" + number, stop, nil
}
