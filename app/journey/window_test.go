package journey

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestWindow_Ends ends the station in each way that a person or a system has,
// while its parts are at work. It must neither crash nor hang: that would cost
// the next start a repair.
func TestWindow_Ends(t *testing.T) {
	program, err := stationProgram()
	if err != nil {
		t.Fatal(err)
	}
	s := startScreen(t, 1366, 768)
	c := startCentre(t, t.TempDir(), "", "--demo")
	data := t.TempDir()
	for _, way := range []struct {
		name string
		end  func(*testing.T, *bench7)
	}{
		{"closed", func(t *testing.T, b *bench7) { b.screen.key(t, "alt+F4") }},
		{"told to by the system", func(t *testing.T, b *bench7) { b.signal(t, syscall.SIGTERM) }},
		{"interrupted", func(t *testing.T, b *bench7) { b.signal(t, syscall.SIGINT) }},
	} {
		t.Run(way.name, func(t *testing.T) {
			b := startStation(t, s, data, c.url, "en")
			way.end(t, b)
			if code := b.ends(t); code != 0 {
				t.Errorf("the station ended with %d", code)
			}
		})
	}
	// A second signal ends the process at once, and so does one that comes before
	// the program listens. What is left to see is that nothing crashes.
	t.Run("told twice", func(t *testing.T) {
		b := startStation(t, s, data, c.url, "en")
		b.signal(t, syscall.SIGTERM)
		b.signal(t, syscall.SIGTERM)
		b.endsWithoutCrash(t)
	})
	t.Run("told to while it closes", func(t *testing.T) {
		b := startStation(t, s, data, c.url, "en")
		b.screen.key(t, "alt+F4")
		_ = b.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by now
		b.endsWithoutCrash(t)
	})
	t.Run("told to while it opens", func(t *testing.T) {
		for after := range 6 {
			p := start(t, s.env(), program, "--data", data, "--central", c.url, "--demo")
			time.Sleep(time.Duration(after) * 40 * time.Millisecond)
			p.signal(t, syscall.SIGTERM)
			p.endsWithoutCrash(t)
		}
	})
}

func (p *process) endsWithoutCrash(t *testing.T) {
	t.Helper()
	code := p.ends(t)
	for _, line := range p.said() {
		if strings.HasPrefix(line, "goroutine ") {
			t.Fatalf("the program crashed, and ended with %d", code)
		}
	}
}
