package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// demoOptions are the words of the demo command.
type demoOptions struct {
	headless bool
	out      string // where the headless demo leaves its pictures
	data     string // kept data folder; empty: a fresh one, removed at the end
	port     int    // of the centre; 0: a free one
}

func parseDemo(args []string) (demoOptions, error) {
	var o demoOptions
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.BoolVar(&o.headless, "headless", false, "play the journey without a display")
	flags.StringVar(&o.out, "out", "", "folder for the pictures of the headless demo")
	flags.StringVar(&o.data, "data", "", "keep the data in this folder")
	flags.IntVar(&o.port, "port", 0, "port of the centre, 0 for a free one")
	if err := parseFlags(flags, args); err != nil {
		return demoOptions{}, err
	}
	if o.port < 0 || o.port > 65535 {
		return demoOptions{}, fmt.Errorf("%w: %d is no port", errUsage, o.port)
	}
	return o, nil
}

func runDemo(ctx context.Context, t *tool, args []string) error {
	o, err := parseDemo(args)
	if err != nil {
		return err
	}
	if !o.headless && !t.host.hasDisplay() {
		t.say("there is no display (DISPLAY and WAYLAND_DISPLAY are empty): playing the demo headless")
		o.headless = true
	}
	if o.headless {
		return t.demoHeadless(ctx, o)
	}
	return t.demoWindow(ctx, o)
}

// demoHeadless plays the whole journey on a virtual screen and in a browser.
func (t *tool) demoHeadless(ctx context.Context, o demoOptions) error {
	if t.host.goos != "linux" {
		return errors.New("the headless demo needs the virtual screen Xvfb, which only Linux has")
	}
	if o.out == "" {
		o.out = filepath.Join(os.TempDir(), "flawmark-demo")
		t.say("pictures go to %s", o.out)
	}
	out, err := filepath.Abs(o.out)
	if err != nil {
		return fmt.Errorf("find the folder for pictures: %w", err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("make the folder for pictures: %w", err)
	}
	if err := t.setUp(ctx, toBuild|toPlay); err != nil {
		return err
	}
	built, err := t.buildBoth(ctx, binDir())
	if err != nil {
		return err
	}
	if _, err := t.playJourney(ctx, built, out, "^"+journeyTest+"$"); err != nil {
		return err
	}
	t.say("pictures of every step are in %s", out)
	return nil
}

// programs are the two built programs.
type programs struct{ station, centre string }

func (t *tool) buildBoth(ctx context.Context, dir string) (programs, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return programs{}, fmt.Errorf("make the folder for programs: %w", err)
	}
	var built programs
	var err error
	if built.centre, err = t.build(ctx, centre(), dir); err != nil {
		return programs{}, err
	}
	if built.station, err = t.build(ctx, station(), dir); err != nil {
		return programs{}, err
	}
	return built, nil
}

// binDir is where built programs stay between demos.
func binDir() string {
	cache, err := os.UserCacheDir()
	if err != nil { // no HOME
		cache = os.TempDir()
	}
	return filepath.Join(cache, "flawmark", "bin")
}

// demoWindow opens the station beside a centre with sample orders, until the
// window is closed or the user presses Ctrl-C.
func (t *tool) demoWindow(ctx context.Context, o demoOptions) (err error) {
	if err := t.setUp(ctx, toBuild); err != nil {
		return err
	}
	built, err := t.buildBoth(ctx, binDir())
	if err != nil {
		return err
	}
	data, remove, err := demoData(o.data)
	if err != nil {
		return err
	}
	defer func() {
		if gone := remove(); gone != nil && err == nil {
			err = fmt.Errorf("remove the demo's data: %w", gone)
		}
	}()
	listen := net.JoinHostPort("127.0.0.1", strconv.Itoa(o.port))
	if o.port == 0 {
		if listen, err = freeAddress(ctx); err != nil {
			return err
		}
	}
	return t.runPair(ctx, built, data, listen)
}

// runPair starts the centre, waits until it answers, opens the station and
// returns when either ends or ctx does. Both are gone when it returns.
func (t *tool) runPair(ctx context.Context, built programs, data, listen string) error {
	address := "http://" + listen
	centre, err := startChild("centre", t.out, filepath.Join(data, "centre.log"), t.root, built.centre,
		"serve", "--data", filepath.Join(data, "centre"), "--listen", listen, "--demo")
	if err != nil {
		return err
	}
	defer centre.stop(t.force)
	if err := awaitHealthy(ctx, address+"/healthz", centre.done); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("start the centre: %w\n%s", err, centre.lastWords())
	}
	// Its file dialog opens where the sample photos are.
	photos := filepath.Join(t.root, "assets", "photos")
	station, err := startChild("station", nil, filepath.Join(data, "station.log"), photos, built.station,
		"--data", filepath.Join(data, "station"), "--central", address, "--demo")
	if err != nil {
		return err
	}
	defer station.stop(t.force)
	t.say("photos to try are in %s; the file dialog (Ctrl+O) opens there", photos)
	t.say("the station's window is opening; close it or press Ctrl-C to stop everything")
	select {
	case <-ctx.Done():
		t.say("stopping")
		return nil
	case <-centre.done:
		return fmt.Errorf("the centre ended by itself: %w\n%s", orClean(centre.err), centre.lastWords())
	case <-station.done:
		if station.err != nil {
			return fmt.Errorf("the station ended: %w\n%s", station.err, station.lastWords())
		}
		t.say("the window was closed: stopping")
		return nil
	}
}

func orClean(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// demoData gives the data folder and how to get rid of it: a named one stays.
func demoData(named string) (dir string, remove func() error, err error) {
	if named != "" {
		if dir, err = filepath.Abs(named); err == nil {
			err = os.MkdirAll(dir, 0o700)
		}
		if err != nil {
			return "", nil, fmt.Errorf("make the data folder: %w", err)
		}
		return dir, func() error { return nil }, nil
	}
	if dir, err = os.MkdirTemp("", "flawmark-demo-"); err != nil {
		return "", nil, fmt.Errorf("make the data folder: %w", err)
	}
	return dir, func() error { return os.RemoveAll(dir) }, nil
}

// freeAddress finds a loopback port that nobody listens on at this moment.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// awaitHealthy asks url until it answers 200. It gives up when ended closes,
// when ctx ends or after a minute.
func awaitHealthy(ctx context.Context, url string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	asks := time.NewTicker(100 * time.Millisecond)
	defer asks.Stop()
	// The proxy of the environment does not know our loopback.
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	last := errors.New("no answer")
	for {
		select {
		case <-ended:
			return errors.New("it ended before it answered")
		case <-ctx.Done():
			return fmt.Errorf("ask %s: %w (last: %w)", url, ctx.Err(), last)
		case <-asks.C:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return fmt.Errorf("ask %s: %w", url, err)
		}
		response, err := client.Do(request)
		if err != nil {
			last = err
			continue
		}
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
		last = errors.New(response.Status)
	}
}
