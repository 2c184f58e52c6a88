//go:build !windows

package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tests of the demo run this test binary as the centre and as the station.
const roleVariable = "FLAWMARK_DEV_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	os.Exit(m.Run())
}

// play is a program of the given behaviour.
func play(role string) int {
	value := func(name string) string {
		if i := slices.Index(os.Args, name); i >= 0 && i+1 < len(os.Args) {
			return os.Args[i+1]
		}
		return ""
	}
	switch {
	case os.Args[1] == "serve" && role == "centre fails":
		os.Stderr.WriteString("cannot open the books\n")
		return 1
	case os.Args[1] == "serve":
		os.Stdout.WriteString("desk http://" + value("--listen") + "/desk\n")
		mux := http.NewServeMux()
		mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
		server := &http.Server{Addr: value("--listen"), Handler: mux, ReadHeaderTimeout: time.Second}
		ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
		defer cancel()
		go func() {
			<-ctx.Done()
			server.Close()
		}()
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			return 1
		}
		return 0
	case role == "station crashes":
		os.Stderr.WriteString("no OpenGL here\n")
		return 3
	case role == "station stays":
		time.Sleep(time.Hour) // ends by the interrupt's default action
		return 0
	case role == "station is deaf":
		signal.Ignore(os.Interrupt)
		time.Sleep(time.Hour)
		return 0
	default: // its window is closed at once
		return 0
	}
}

// screen is where the tool and the centre print at the same time. It calls
// opened when the station is on its way.
type screen struct {
	mu     sync.Mutex
	text   strings.Builder
	opened func()
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened != nil && strings.Contains(string(p), "window is opening") {
		s.opened()
	}
	return s.text.Write(p)
}

// playPair runs centre and station in a role. With ctrlC the user stops them
// when the window opens.
func playPair(t *testing.T, role string, ctrlC bool, force <-chan struct{}) (listen, printed string, err error) {
	t.Helper()
	t.Setenv(roleVariable, role)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if listen, err = freeAddress(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &screen{}
	if ctrlC {
		out.opened = cancel
	}
	tool := newTool(machine{}.host(), out)
	tool.root, tool.force = filepath.Join("..", ".."), force
	err = tool.runPair(ctx, programs{station: self, centre: self}, t.TempDir(), listen)
	return listen, out.text.String(), err
}

// gone fails the test when somebody still listens.
func gone(t *testing.T, listen string) {
	t.Helper()
	if connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listen); err == nil {
		connection.Close()
		t.Error("the centre still runs")
	}
}

func TestPairEndsWithTheWindow(t *testing.T) {
	listen, printed, err := playPair(t, "window closes", false, nil)
	if err != nil {
		t.Error(err)
	}
	if !strings.Contains(printed, "desk http://"+listen+"/desk") {
		t.Errorf("the centre's addresses are missing in %q", printed)
	}
	gone(t, listen)
}

func TestPairReportsACrash(t *testing.T) {
	for role, want := range map[string]string{
		"station crashes": "no OpenGL here",
		"centre fails":    "cannot open the books",
	} {
		t.Run(role, func(t *testing.T) {
			listen, _, err := playPair(t, role, false, nil)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v does not say %q", err, want)
			}
			gone(t, listen)
		})
	}
}

func TestPairEndsWithCtrlC(t *testing.T) {
	listen, _, err := playPair(t, "station stays", true, nil)
	if err != nil {
		t.Error(err)
	}
	gone(t, listen)
}

func TestSecondCtrlCKillsWhatDoesNotEnd(t *testing.T) {
	force := make(chan struct{})
	close(force)
	begun := time.Now()
	listen, _, err := playPair(t, "station is deaf", true, force)
	if err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > grace {
		t.Errorf("it took %v", took)
	}
	gone(t, listen)
}

func TestStopTakesTheWholeGroup(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	c, err := startChild("shell", write, filepath.Join(t.TempDir(), "log"), t.TempDir(), "sh", "-c", "sleep 3600 & echo ready; wait")
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	words := bufio.NewReader(read)
	if line, err := words.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("it said %q, %v", line, err)
	}
	c.stop(nil)
	// The pipe ends when the last of the group that holds it has ended.
	if err := read.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(words); err != nil {
		t.Errorf("the child's own child still runs: %v", err)
	}
}

func TestDemoDataIsRemovedUnlessNamed(t *testing.T) {
	named := filepath.Join(t.TempDir(), "kept")
	for _, c := range []struct {
		name string
		kept bool
	}{{"", false}, {named, true}} {
		dir, remove, err := demoData(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if err := remove(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(dir); (err == nil) != c.kept {
			t.Errorf("data %q: afterwards %v", c.name, err)
		}
	}
}
