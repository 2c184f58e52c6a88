// Package command is the frame of both programs' command lines: it finds the
// command, reads its flags, carries it to the program that already runs on the
// folder where there is one, and turns every failure into one sentence in the
// user's language and a non-zero exit.
//
// The words of a command are texts in assets under "cli.<program>.<name>": its
// own text is one line, "….help" says the rest. In names the blank of
// "station approve" is written as an underline.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"flawmark/app/door"
	"flawmark/assets"
)

// Command is one word of a program's language.
type Command struct {
	Name  string // "queue" or "station approve"; empty: what runs without a command
	Args  string // usage of what follows, such as "CODE"
	Flags func(*flag.FlagSet)
	Run   func(context.Context, *Call) error
	// Alone commands never go through the door: they are the program that
	// opens it.
	Alone bool
	// Input is how many bytes of standard input it wants at most, which travel
	// with it through the door; what is more is read and dropped.
	Input int64
	// Failure is its exit code whatever went wrong; 0: the usual ones.
	Failure int
}

func (c Command) exit(code int) int {
	if code != 0 && c.Failure != 0 {
		return c.Failure
	}
	return code
}

// Call is a command as it was given.
type Call struct {
	Args  []string // what is neither a flag nor the command
	Dir   string   // working folder of whoever called
	Set   *flag.FlagSet
	Env   []string
	Input []byte // of a command that wants any
	JSON  bool
	Words assets.Words
	Out   io.Writer
	Err   io.Writer
}

// Flag returns the text of a flag, "" when it was not given.
func (c *Call) Flag(name string) string {
	if f := c.Set.Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

// Path returns a path of the caller's as an absolute one.
func (c *Call) Path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.Dir, path)
}

// Say prints one line of the user's language.
func (c *Call) Say(key string, pairs ...string) {
	fmt.Fprintln(c.Out, c.Words.Text(key, pairs...))
}

// List prints rows: as JSON lines where --json was given, else as a table
// under titles, or the sentence at emptyKey when there is nothing.
func (c *Call) List(rows []any, titles []string, cells func(row any) []string, emptyKey string) error {
	return c.Stream(func(write func(any) error) error {
		for _, row := range rows {
			if err := write(row); err != nil {
				return err
			}
		}
		return nil
	}, titles, cells, emptyKey)
}

// Stream is [Call.List] for rows that come one after the other, however many:
// each calls write for every row.
func (c *Call) Stream(each func(write func(row any) error) error, titles []string, cells func(row any) []string, emptyKey string) error {
	if c.JSON {
		return each(json.NewEncoder(c.Out).Encode)
	}
	table := tabwriter.NewWriter(c.Out, 2, 8, 2, ' ', 0)
	none := true
	err := each(func(row any) error {
		if none {
			none = false
			words := make([]string, len(titles))
			for i, title := range titles {
				words[i] = c.Words.Text(title)
			}
			fmt.Fprintln(table, strings.Join(words, "\t"))
		}
		_, err := fmt.Fprintln(table, strings.Join(cells(row), "\t"))
		return err
	})
	if none && err == nil {
		c.Say(emptyKey)
	}
	return errors.Join(err, table.Flush())
}

// Problem is a failure in words: the sentence at Key.
type Problem struct {
	Key   string
	Pairs []string
	Cause error // for the log; may be nil
}

// Fail returns a [Problem].
func Fail(key string, cause error, pairs ...string) *Problem {
	return &Problem{Key: key, Pairs: pairs, Cause: cause}
}

func (p *Problem) Error() string {
	if p.Cause != nil {
		return p.Key + ": " + p.Cause.Error()
	}
	return p.Key
}

func (p *Problem) Unwrap() error { return p.Cause }

// Program is a program with its commands.
type Program struct {
	Name     string // as typed, such as "flawmark"
	Area     string // of its words: "station" or "central"
	Commands []Command
	Flags    func(*flag.FlagSet)
	// Data returns the data folder that the flags name.
	Data func(*flag.FlagSet, []string) (string, error)
	// Language returns the language that the flags and environment ask for.
	Language func(*flag.FlagSet, []string) string
	// Explain turns an error of the program's parts into a Problem, or nil.
	Explain func(error) *Problem
	// Log keeps what lies behind a failure where an administrator finds it;
	// whoever gave the command reads a sentence. It may be nil.
	Log func(call *Call, err error)
	// Stdin is where a command's input comes from; [Program.Run] sets it.
	Stdin io.Reader
}

// Run does what this process was started for and ends it. A first signal to end
// is obeyed in order, a second one at once.
func (p Program) Run() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // back to the system's way, which ends the process
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	p.Stdin = os.Stdin
	os.Exit(p.Main(ctx, os.Args[1:], os.Environ(), dir, os.Stdout, os.Stderr))
}

// Main runs the program and returns its exit code: 0 when it did what was
// asked, 1 when it could not, 2 when it was asked wrongly.
func (p Program) Main(ctx context.Context, args, env []string, dir string, out, errOut io.Writer) int {
	from := door.Call{Args: args, Dir: dir}
	found, call, err := p.read(from, env, out, errOut)
	if call.Flag("version") == "true" {
		fmt.Fprintln(out, p.Name, version())
		return 0
	}
	if errors.Is(err, flag.ErrHelp) {
		p.help(found, call)
		return 0
	}
	if err != nil {
		fmt.Fprintf(errOut, "%s: %v\n%s\n", p.Name, err, call.Words.Text("cli.see_help", "program", p.Name))
		return found.exit(2)
	}
	if found.Input > 0 {
		if from.Input, err = p.input(found.Input); err != nil {
			return found.exit(p.fail(call, err))
		}
		call.Input = from.Input
	}
	if !found.Alone {
		data, err := p.Data(call.Set, env)
		if err != nil {
			return found.exit(p.fail(call, err))
		}
		exit, err := door.Knock(ctx, data, from, out, errOut)
		if err == nil {
			return found.exit(exit)
		}
		if !errors.Is(err, door.ErrNobody) {
			return found.exit(p.fail(call, err))
		}
	}
	return found.exit(p.fail(call, found.Run(ctx, call)))
}

// input reads up to most bytes, and what is more to its end: whoever writes to a
// reader that has left takes that for a failure.
func (p Program) input(most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(p.Stdin, most))
	if err == nil {
		_, err = io.Copy(io.Discard, p.Stdin)
	}
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	return data, nil
}

// version is what Go has written into the program, "devel" where it was not built
// from a commit, and what it was built with and for.
func version() string {
	number := "devel"
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		number = info.Main.Version[1:]
	}
	return fmt.Sprintf("%s (%s, %s/%s)", number, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// Answer runs a call that came through the door.
func (p Program) Answer(ctx context.Context, from door.Call, env []string, out, errOut io.Writer) int {
	found, call, err := p.read(from, env, out, errOut)
	if err != nil {
		fmt.Fprintf(errOut, "%s: %v\n", p.Name, err)
		return found.exit(2)
	}
	call.Input = from.Input
	return found.exit(p.fail(call, found.Run(ctx, call)))
}

func (p Program) fail(call *Call, err error) int {
	if err == nil {
		return 0
	}
	problem := p.problem(err)
	if p.Log != nil && problem.Cause != nil {
		p.Log(call, err)
	}
	fmt.Fprintf(call.Err, "%s: %s\n", p.Name, call.Words.Text(problem.Key, problem.Pairs...))
	return 1
}

// problem finds the sentence for err. Nobody is shown what a part of the
// program says to another.
func (p Program) problem(err error) *Problem {
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem
	}
	if p.Explain != nil {
		if problem := p.Explain(err); problem != nil {
			return problem
		}
	}
	if errors.Is(err, context.Canceled) {
		return Fail("cli.interrupted", err)
	}
	return Fail("error.unexpected", err)
}

// read finds the command in args and parses its flags, which may stand before
// the command's name and anywhere behind it.
func (p Program) read(from door.Call, env []string, out, errOut io.Writer) (Command, *Call, error) {
	call := &Call{Dir: from.Dir, Env: env, Out: out, Err: errOut}
	common := p.flagSet(Command{})
	leading := common.Parse(from.Args)
	found, err := p.find(common.Args())
	call.Set = p.flagSet(found)
	words, parseErr := parseAll(call.Set, from.Args)
	call.Words = p.words(call.Set, env)
	call.JSON = call.Flag("json") == "true"
	if errors.Is(parseErr, flag.ErrHelp) || errors.Is(leading, flag.ErrHelp) {
		return found, call, flag.ErrHelp
	}
	if err := errors.Join(err, parseErr); err != nil {
		return found, call, err
	}
	call.Args = words[len(strings.Fields(found.Name)):]
	return found, call, nil
}

func (p Program) flagSet(found Command) *flag.FlagSet {
	set := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	p.Flags(set)
	set.Bool("json", false, "print JSON lines instead of a table")
	set.Bool("version", false, "print which version this is")
	if found.Flags != nil {
		found.Flags(set)
	}
	return set
}

func (p Program) find(words []string) (Command, error) {
	for length := min(2, len(words)); length >= 0; length-- {
		name := strings.Join(words[:length], " ")
		i := slices.IndexFunc(p.Commands, func(c Command) bool { return c.Name == name })
		if i >= 0 && (name != "" || len(words) == 0) {
			return p.Commands[i], nil
		}
	}
	if len(words) > 0 && words[0] == "help" {
		found, _ := p.find(words[1:])
		return found, flag.ErrHelp
	}
	if len(words) == 0 {
		return Command{}, flag.ErrHelp
	}
	return Command{}, fmt.Errorf("unknown command %q", words[0])
}

func parseAll(set *flag.FlagSet, args []string) ([]string, error) {
	var words []string
	for {
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		args = set.Args()
		if len(args) == 0 {
			return words, nil
		}
		words = append(words, args[0])
		args = args[1:]
	}
}

func (p Program) words(set *flag.FlagSet, env []string) assets.Words {
	words, err := assets.LoadWords(p.Language(set, env))
	if err != nil {
		words, _ = assets.LoadWords("en") // always there: a test loads every language
	}
	return words
}

// help prints the usage of one command, or of the program.
func (p Program) help(found Command, call *Call) {
	text := func(key string) string { return call.Words.Text("cli." + p.Area + key) }
	if found.Name != "" {
		key := "." + strings.ReplaceAll(found.Name, " ", "_")
		fmt.Fprintf(call.Out, "%s %s %s\n\n%s\n\n%s\n", p.Name, found.Name, found.Args, text(key), text(key+".help"))
	} else {
		fmt.Fprintf(call.Out, "%s\n\n", text(""))
		table := tabwriter.NewWriter(call.Out, 2, 8, 2, ' ', 0)
		for _, c := range p.Commands {
			key := "." + strings.ReplaceAll(c.Name, " ", "_")
			if c.Name == "" {
				key = ".window"
			}
			fmt.Fprintf(table, "  %s\t%s\n", strings.TrimSpace(p.Name+" "+c.Name+" "+c.Args), text(key))
		}
		_ = table.Flush() // into the same writer that a failed print is lost to
	}
	fmt.Fprintf(call.Out, "\n%s\n", call.Words.Text("cli.flags"))
	set := p.flagSet(found)
	set.SetOutput(call.Out)
	set.PrintDefaults()
}
