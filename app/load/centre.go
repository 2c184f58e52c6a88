package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// startWithin is how long a centre may take until it answers.
const startWithin = 30 * time.Second

// Centre is a running refund service.
type Centre struct {
	URL     string
	Data    string // its folder
	program string
	cmd     *exec.Cmd
	ended   chan struct{}

	mu   sync.Mutex
	said []string // what it printed last
}

// StartCentre runs the program on the folder, which is made when missing, at a
// free port of this machine, and returns once it answers.
func StartCentre(ctx context.Context, program, data string, more ...string) (*Centre, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start centre: %w", err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, fmt.Errorf("start centre: %w", err)
	}
	c := &Centre{URL: "http://" + address, Data: data, program: program, ended: make(chan struct{})}
	c.cmd = exec.Command(program, append([]string{"serve", "--data", data, "--listen", address, "--lang", "en"}, more...)...)
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start centre: %w", err)
	}
	c.cmd.Stderr = c.cmd.Stdout
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start centre: %w", err)
	}
	go c.read(out)
	for begun := time.Now(); ; {
		if c.answers(ctx) {
			return c, nil
		}
		select {
		case <-c.ended:
			return nil, fmt.Errorf("start centre: it ended: %s", c.lastWords())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), c.Stop())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Since(begun) > startWithin {
			return nil, errors.Join(fmt.Errorf("start centre: no answer in %s: %s", startWithin, c.lastWords()), c.Stop())
		}
	}
}

func (c *Centre) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"/healthz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// keptLines is how much of what a centre prints is kept for a failure.
const keptLines = 20

func (c *Centre) read(out io.Reader) {
	defer close(c.ended)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		c.mu.Lock()
		c.said = append(c.said, lines.Text())
		c.said = c.said[max(0, len(c.said)-keptLines):]
		c.mu.Unlock()
	}
	_ = c.cmd.Wait() // how it ended is in its state
}

func (c *Centre) lastWords() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.said, " / ")
}

// Stop asks the service to end and waits for it.
func (c *Centre) Stop() error {
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop centre: %w", err)
	}
	select {
	case <-c.ended:
	case <-time.After(startWithin):
		return errors.Join(fmt.Errorf("stop centre: still there after %s", startWithin), c.cmd.Process.Kill())
	}
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("stop centre: it ended with %d: %s", code, c.lastWords())
	}
	return nil
}

// Signal sends the service's process a signal.
func (c *Centre) Signal(s os.Signal) error { return c.cmd.Process.Signal(s) }

// Admin runs a command of the service's program on its folder, as an
// administrator does, and returns what it printed.
func (c *Centre) Admin(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.program, append(args, "--data", c.Data, "--lang", "en")...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// PeakMemory returns the most memory that the service has held so far, in bytes.
func (c *Centre) PeakMemory() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the centre's memory: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			var kib int64
			if _, err := fmt.Sscan(rest, &kib); err != nil {
				return 0, fmt.Errorf("read the centre's memory: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, errors.New("read the centre's memory: the system does not tell")
}
