// Command dev is the project's own tool: it sets up a bare machine, shows the
// product and runs every test.
//
//	go run ./app/dev demo    start a centre and a station with sample orders
//	go run ./app/dev test    run every check and test, as continuous integration does
//	go run ./app/dev bench   measure against other people's programs
//	go run ./app/dev package make installable packages
//
// It promises to run before anything is installed: it imports the standard
// library only, so all it needs is Go. What else is missing it finds by looking
// for the thing itself, says why it is needed, and installs it where it knows
// how (Debian, Ubuntu) or prints the exact command where it does not.
//
// Its words: a [need] is one thing the machine must have; a [probe] finds out
// whether it is there; a [remedy] is how one family of systems gets it; a
// [purpose] is what it is needed for. A [step] is one part of the test run. A
// [child] is a program of ours that the tool started and must end. A [trial]
// compares the product with its peers; a [racer] is one side of it, a [course]
// what its runs took, a [line] one result. A [bundle] is one program for one
// system, packed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// command is one thing the tool can be asked to do. Adding one means adding a
// line to [commands].
type command struct {
	name    string
	usage   string // arguments, as shown by --help
	summary string
	// run parses its own arguments and does the work. [errUsage] and
	// [flag.ErrHelp] mean the words were wrong, not the work.
	run func(ctx context.Context, t *tool, args []string) error
}

func commands() []command {
	return []command{
		{
			name: "demo", usage: "[--headless] [--out DIR] [--data DIR] [--port N]",
			summary: "set up what is missing, start a centre with sample orders and open the station", run: runDemo,
		},
		{
			name: "test", usage: "",
			summary: "set up what is missing and run every check and test", run: runTest,
		},
		{
			name: "bench", usage: "[--json] [--only NAME,...] [--rounds N] [--strict] [--list]",
			summary: "measure speed and memory against the budgets and the peers, as ratios", run: runBench,
		},
		{
			name: "drill", usage: "[NAME...] [--long] [--seed N] [--json] [--list]",
			summary: "make things go wrong on purpose, again and again, and count what is lost or doubled", run: runDrill,
		},
		{
			name: "package", usage: "[--only NAME,...] [--out DIR] [--list]",
			summary: "make installable packages of what is committed, with licences and checksums", run: runPackage,
		},
	}
}

var (
	// errUsage marks an error in how the tool was called.
	errUsage = errors.New("usage")
	// errSaid is a failure that the command has already explained.
	errSaid = errors.New("failed")
)

// tool is what every command works with.
type tool struct {
	host host
	root string // the repository: where go.mod is
	out  io.Writer
	now  func() time.Time
	// force is closed when the user asks a second time to stop: nothing waits
	// politely after that.
	force <-chan struct{}
}

func (t *tool) say(format string, args ...any) {
	fmt.Fprintf(t.out, format+"\n", args...)
}

func main() {
	ctx, force, release := untilInterrupted()
	code := mainCode(ctx, force)
	release()
	os.Exit(code)
}

func mainCode(ctx context.Context, force <-chan struct{}) int {
	root, err := findRoot()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dev:", err)
		return 1
	}
	t := &tool{host: thisHost(), root: root, out: os.Stdout, now: time.Now, force: force}
	return dispatch(ctx, t, os.Args[1:], os.Stderr)
}

// dispatch runs the command that args names and returns the exit code: 0 done,
// 1 failed, 2 called wrongly.
func dispatch(ctx context.Context, t *tool, args []string, errOut io.Writer) int {
	if len(args) == 0 {
		printUsage(errOut)
		return 2
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		printUsage(t.out)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, t, args[1:])
		switch {
		case err == nil:
			return 0
		case errors.Is(err, flag.ErrHelp):
			fmt.Fprintf(t.out, "go run ./app/dev %s %s\n    %s\n", c.name, c.usage, c.summary)
			return 0
		case errors.Is(err, errUsage):
			fmt.Fprintf(errOut, "dev %s: %v\ngo run ./app/dev %s %s\n", c.name, err, c.name, c.usage)
			return 2
		case errors.Is(err, errSaid):
			return 1
		case ctx.Err() != nil:
			fmt.Fprintf(errOut, "dev %s: stopped before it was done\n", c.name)
			return 1
		default:
			fmt.Fprintf(errOut, "dev %s: %v\n", c.name, err)
			return 1
		}
	}
	fmt.Fprintf(errOut, "dev: there is no command %q\n", args[0])
	printUsage(errOut)
	return 2
}

func printUsage(w io.Writer) {
	fmt.Fprintln(w, "Flawmark's own tool. It needs Go and nothing else; what is missing it sets up first.")
	fmt.Fprintln(w)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %s\n        %s\n", strings.TrimSpace("go run ./app/dev "+c.name+" "+c.usage), c.summary)
	}
}

// parseFlags parses args that take no positional arguments.
func parseFlags(flags *flag.FlagSet, args []string) error {
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%w: unexpected argument %q", errUsage, flags.Arg(0))
	}
	return nil
}

// findRoot walks up from the working directory to the repository's go.mod.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module flawmark\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("run this inside the Flawmark repository: no go.mod of module flawmark here or above")
		}
		dir = parent
	}
}

// untilInterrupted gives a context that ends with the first Ctrl-C (or a
// request to terminate) and a channel that closes with the second. Under
// `go run` it also ends when go is gone: go does not pass on what terminates it,
// and the window would stay behind. release ends the watching.
func untilInterrupted() (ctx context.Context, force <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	asked := make(chan os.Signal, 2)
	signal.Notify(asked, os.Interrupt, syscall.SIGTERM)
	hurry, done := make(chan struct{}), make(chan struct{})
	looks := time.NewTicker(time.Second)
	parent, byGoRun := os.Getppid(), startedByGoRun()
	go func() {
		times := 0
		for {
			select {
			case <-done:
				return
			case <-looks.C:
				if byGoRun && os.Getppid() != parent {
					cancel()
				}
				continue
			case <-asked:
			}
			if times++; times == 1 {
				cancel()
			} else if times == 2 {
				close(hurry)
			}
		}
	}()
	return ctx, hurry, func() {
		signal.Stop(asked)
		looks.Stop()
		close(done)
		cancel()
	}
}

// startedByGoRun tells whether this program is the temporary one that `go run`
// builds and starts.
func startedByGoRun() bool {
	self, err := os.Executable()
	return err == nil && strings.Contains(filepath.ToSlash(self), "/go-build")
}
