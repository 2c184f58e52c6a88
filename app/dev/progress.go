package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// pulse is how often a long silent piece of work says how far it is.
const pulse = 10 * time.Second

// meter reads the output of a program, line by line, and knows how far it is.
type meter interface {
	// line takes one line and returns what of it to show now ("" for nothing).
	line(text string) (show string)
	// status is a short phrase such as "12 of 300 packages".
	status() string
	// rest is what explains a failure: kept lines that were not shown.
	rest() string
}

// watch runs cmd, feeds its output to m and prints m's status at every pulse.
// When cmd fails, it prints what m kept.
func (t *tool) watch(cmd *exec.Cmd, m meter) error {
	pipe, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = 10 * time.Second
	}
	begun := t.now()
	if err := cmd.Start(); err != nil {
		return err
	}
	var mu sync.Mutex // guards m and the printing
	var readers sync.WaitGroup
	readers.Go(func() {
		eachLine(pipe, func(text string) {
			mu.Lock()
			defer mu.Unlock()
			if show := m.line(text); show != "" {
				t.say("%s", show)
			}
		})
	})
	ended := make(chan struct{})
	readers.Go(func() {
		ticks := time.NewTicker(pulse)
		defer ticks.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticks.C:
				mu.Lock()
				t.say("  … %s, %s", m.status(), elapsed(t.now().Sub(begun)))
				mu.Unlock()
			}
		}
	})
	err := cmd.Wait()
	writer.Close()
	close(ended)
	readers.Wait()
	if err != nil {
		_ = kill(cmd) // what it left behind in its group, if anything
		if kept := m.rest(); kept != "" {
			t.say("%s", kept)
		}
		return fmt.Errorf("%s: %w", briefly(cmd.Args), err)
	}
	return nil
}

// briefly names a command line in an error without its long tail.
func briefly(args []string) string {
	const enough = 6
	if len(args) > enough {
		return strings.Join(args[:enough], " ") + " …"
	}
	return strings.Join(args, " ")
}

// eachLine calls do for every line of r, however long, until r ends.
func eachLine(r io.Reader, do func(string)) {
	lines := bufio.NewReader(r)
	for {
		text, err := lines.ReadString('\n')
		if text = strings.TrimRight(text, "\r\n"); text != "" {
			do(text)
		}
		if err != nil {
			return
		}
	}
}

// elapsed writes a duration for people: 8 s, 2 m 05 s.
func elapsed(d time.Duration) string {
	seconds := int(d.Round(time.Second) / time.Second)
	if seconds < 60 {
		return fmt.Sprintf("%d s", seconds)
	}
	return fmt.Sprintf("%d m %02d s", seconds/60, seconds%60)
}

// tail keeps the last lines of an output.
type tail struct{ lines []string }

func (k *tail) keep(line string) {
	const enough = 25
	k.lines = append(k.lines, line)
	if len(k.lines) > enough {
		k.lines = k.lines[1:]
	}
}

func (k *tail) rest() string { return strings.Join(k.lines, "\n") }

// buildProgress reads `go build -v`, which names each package as it starts to
// compile it.
type buildProgress struct {
	total      int // packages to compile, 0 when not known
	compiled   int
	downloaded int
	tail
}

func (p *buildProgress) line(text string) string {
	switch {
	case strings.HasPrefix(text, "go: downloading "):
		p.downloaded++
		return ""
	case isImportPath(text):
		p.compiled++
		return ""
	}
	// Whatever else the compiler says is worth reading at once.
	return text
}

func (p *buildProgress) status() string {
	switch {
	case p.compiled == 0 && p.downloaded > 0:
		return fmt.Sprintf("modules downloaded: %d", p.downloaded)
	case p.total == 0:
		return fmt.Sprintf("packages compiled: %d", p.compiled)
	default:
		// A package counts when it begins, so the last one is not done at 100 %.
		percent := min(99, 100*p.compiled/p.total)
		return fmt.Sprintf("%d of %d packages, %d %%", min(p.compiled, p.total), p.total, percent)
	}
}

// isImportPath tells a package's name from a message.
func isImportPath(text string) bool {
	return text != "" && !strings.ContainsAny(text, " \t:#\"'")
}

// aptProgress reads apt-get, which unpacks and then sets up each package.
type aptProgress struct {
	fetched, unpacked, ready, total int
	tail
}

func (p *aptProgress) line(text string) string {
	p.keep(text)
	switch {
	case strings.HasPrefix(text, "Get:"):
		p.fetched++
	case strings.HasPrefix(text, "Unpacking "):
		p.unpacked++
	case strings.HasPrefix(text, "Setting up "):
		p.ready++
	default:
		// "3 upgraded, 120 newly installed, 0 to remove and 4 not upgraded."
		if upgraded, after, found := strings.Cut(text, " upgraded, "); found {
			fresh, _, _ := strings.Cut(after, " newly installed")
			u, errU := strconv.Atoi(upgraded)
			n, errN := strconv.Atoi(fresh)
			if errU == nil && errN == nil {
				p.total = u + n
			}
		}
	}
	return ""
}

func (p *aptProgress) status() string {
	switch {
	case p.total == 0:
		return fmt.Sprintf("lists fetched: %d", p.fetched)
	case p.unpacked == 0:
		return fmt.Sprintf("%d of %d packages fetched", min(p.fetched, p.total), p.total)
	default:
		// The two phases overlap: some packages are set up before others come.
		return fmt.Sprintf("%d packages to install, %d %%", p.total, min(99, 50*(p.unpacked+p.ready)/p.total))
	}
}
