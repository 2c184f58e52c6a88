package journey

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"flawmark/storage/storagetest"
)

// patience is how long anything may take before its step has failed.
const patience = 60 * time.Second

// until polls ready until it holds, or fails the test saying what was waited
// for.
func until(t *testing.T, what string, ready func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ready() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// process is a program under test.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu    sync.Mutex
	lines []string
}

func start(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(out)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, strings.Join(p.said(), "\n"))
		}
	})
	return p
}

func (p *process) read(out io.Reader) {
	defer close(p.done)
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, scanner.Text())
		p.mu.Unlock()
	}
	_ = p.cmd.Wait() // how it ended is seen in ProcessState
}

func (p *process) said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

// kill ends the process at once, as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// ended reports that the process is no more.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop asks the process to end and returns its exit code.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	return p.ends(t)
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// ends waits until the process has ended and returns its exit code.
func (p *process) ends(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it says where it stands, and ends
		<-p.done
		t.Fatalf("%s did not end", p.cmd.Path)
	}
	return p.cmd.ProcessState.ExitCode()
}

// line returns the rest of the first line that begins with prefix.
func (p *process) line(t *testing.T, prefix string) string {
	t.Helper()
	var found string
	until(t, "a line “"+prefix+"…”", func() bool {
		for _, line := range p.said() {
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				found = rest
				return true
			}
		}
		return false
	})
	return found
}

// centre is a running refund service.
type centre struct {
	*process
	url  string
	data string
}

// startCentre runs the centre on data at address, which is chosen when empty.
func startCentre(t *testing.T, data, address string, more ...string) *centre {
	t.Helper()
	program, err := centralProgram()
	if err != nil {
		t.Fatal(err)
	}
	if address == "" {
		address = storagetest.FreeAddress(t)
	}
	args := append([]string{"serve", "--data", data, "--listen", address, "--lang", "en"}, more...)
	c := &centre{process: start(t, nil, program, args...), url: "http://" + address, data: data}
	until(t, "the centre at "+c.url, func() bool {
		response, err := http.Get(c.url + "/healthz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return c
}

func (c *centre) address() string { return strings.TrimPrefix(c.url, "http://") }

// said is what a command printed and how it ended.
type said struct {
	out, err string
	exit     int
}

func run(t *testing.T, program func() (string, error), args ...string) said {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatalf("%s %s: %v", path, strings.Join(args, " "), err)
	}
	return said{out: out.String(), err: errOut.String(), exit: cmd.ProcessState.ExitCode()}
}

// rows runs a listing command and reads its JSON lines.
func rows[T any](t *testing.T, program func() (string, error), args ...string) []T {
	t.Helper()
	got := run(t, program, append(args, "--json")...)
	if got.exit != 0 {
		t.Fatalf("%s: exit %d: %s", strings.Join(args, " "), got.exit, got.err)
	}
	var list []T
	decoder := json.NewDecoder(strings.NewReader(got.out))
	for {
		var row T
		if err := decoder.Decode(&row); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatalf("%s: %v in %s", strings.Join(args, " "), err, got.out)
		}
		list = append(list, row)
	}
}
