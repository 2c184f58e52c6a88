package command

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"flawmark/app/door"
)

// program returns a program that records the call it was given.
func program(got *Call) Program {
	run := func(_ context.Context, call *Call) error { *got = *call; return nil }
	return Program{
		Name: "flawmark", Area: "station",
		Flags: func(set *flag.FlagSet) { set.String("data", "", ""); set.String("lang", "", "") },
		Data:  func(set *flag.FlagSet, _ []string) (string, error) { return set.Lookup("data").Value.String(), nil },
		Language: func(set *flag.FlagSet, _ []string) string {
			if lang := set.Lookup("lang").Value.String(); lang != "" {
				return lang
			}
			return "en"
		},
		Commands: []Command{
			{Name: "queue", Run: run},
			{Name: "station approve", Args: "CODE", Run: run},
			{Name: "flag", Flags: func(set *flag.FlagSet) { set.String("item", "", "") }, Run: run},
			{Name: "break", Run: func(context.Context, *Call) error {
				return Fail("error.unknown_item", errors.New("cause"), "item", "77")
			}},
		},
	}
}

func TestMain_SaysWhichVersionItIs(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--version"}, {"queue", "--version"}} {
		var got Call
		var out, errOut bytes.Buffer
		exit := program(&got).Main(t.Context(), args, nil, t.TempDir(), &out, &errOut)
		if exit != 0 || got.Set != nil || !strings.HasPrefix(out.String(), "flawmark ") || !strings.Contains(out.String(), runtime.Version()) {
			t.Errorf("%q: exit %d, says %q, %q", args, exit, &out, &errOut)
		}
	}
}

func TestMain_FindsCommandAndFlagsInAnyOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		args []string
		want string // positionals
	}{
		"flags behind":  {[]string{"queue", "--data", dir, "--json"}, ""},
		"flags before":  {[]string{"--data", dir, "queue"}, ""},
		"two words":     {[]string{"station", "approve", "--data", dir, "ABCD-EFGH"}, "ABCD-EFGH"},
		"files between": {[]string{"flag", "a.jpg", "--item", "1", "b.jpg", "--data", dir}, "a.jpg b.jpg"},
	} {
		var got Call
		var out, errOut bytes.Buffer
		exit := program(&got).Main(t.Context(), tt.args, nil, dir, &out, &errOut)
		if exit != 0 {
			t.Errorf("%s: exit %d, %s", name, exit, &errOut)
			continue
		}
		if strings.Join(got.Args, " ") != tt.want {
			t.Errorf("%s: args %q, want %q", name, got.Args, tt.want)
		}
	}
}

func TestMain_FailsWithOneSentenceInTheUsersLanguage(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]string{"en": "No item 77 is known here", "zh": "77"} {
		var got Call
		var out, errOut bytes.Buffer
		exit := program(&got).Main(t.Context(), []string{"break", "--lang", lang, "--data", t.TempDir()}, nil, "", &out, &errOut)
		if exit != 1 || !strings.Contains(errOut.String(), want) || strings.Contains(errOut.String(), "cause") {
			t.Errorf("%s: exit %d, %q", lang, exit, errOut.String())
		}
		if lang == "zh" && strings.Contains(errOut.String(), "No item") {
			t.Errorf("Chinese was asked for: %q", errOut.String())
		}
	}
}

func TestMain_AskedWronglyExitsWithTwo(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"unknown command": {"quue"},
		"unknown flag":    {"queue", "--jason"},
	} {
		var got Call
		var out, errOut bytes.Buffer
		if exit := program(&got).Main(t.Context(), args, nil, "", &out, &errOut); exit != 2 || errOut.Len() == 0 {
			t.Errorf("%s: exit %d, %q", name, exit, errOut.String())
		}
	}
}

func TestMain_RunningProgramCarriesTheCommandOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var got Call
	p := program(&got)
	d, err := door.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- d.Run(ctx, func(ctx context.Context, call door.Call, out, errOut io.Writer) int {
			return p.Answer(ctx, call, nil, out, errOut)
		})
	}()
	var out, errOut bytes.Buffer
	exit := p.Main(t.Context(), []string{"break", "--data", dir}, nil, "", &out, &errOut)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if exit != 1 || !strings.Contains(errOut.String(), "No item 77") {
		t.Errorf("exit %d, %q", exit, errOut.String())
	}
}

// Input is bounded, read to its end, and reaches the running program; whatever
// goes wrong has the one exit code.
func TestMain_CarriesInputAlong(t *testing.T) {
	t.Parallel()
	var got []byte
	p := program(new(Call))
	p.Commands = append(p.Commands, Command{Name: "take", Input: 4, Failure: 75, Run: func(_ context.Context, call *Call) error {
		if got = call.Input; len(got) == 0 {
			return Fail("error.unknown_item", nil, "item", "77")
		}
		return nil
	}})
	take := func(dir, input string, more ...string) (int, int) {
		t.Helper()
		stdin := strings.NewReader(input)
		p.Stdin = stdin
		exit := p.Main(t.Context(), append([]string{"take", "--data", dir}, more...), nil, "", io.Discard, io.Discard)
		return exit, stdin.Len()
	}
	alone, served := t.TempDir(), t.TempDir()
	d, err := door.Open(served)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	running, refuses := p, false
	running.Stdin = iotest.ErrReader(errors.New("of another program"))
	go func() {
		done <- d.Run(ctx, func(ctx context.Context, call door.Call, out, errOut io.Writer) int {
			if refuses {
				return 2 // as a program does that is older
			}
			return running.Answer(ctx, call, nil, out, errOut)
		})
	}()
	for _, dir := range []string{alone, served} {
		if exit, left := take(dir, "abcdefg"); exit != 0 || left != 0 || string(got) != "abcd" {
			t.Errorf("exit %d, took %q, left %d", exit, got, left)
		}
		if exit, _ := take(dir, ""); exit != 75 {
			t.Errorf("fails with %d", exit)
		}
		if exit, _ := take(dir, "a", "--no-such-flag"); exit != 75 {
			t.Errorf("asked wrongly, fails with %d", exit)
		}
	}
	refuses = true
	if exit, _ := take(served, "a"); exit != 75 {
		t.Errorf("refused by the running program, fails with %d", exit)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestMain_TellsNobodyWhatPartsSayToEachOther(t *testing.T) {
	t.Parallel()
	cause := errors.New("read page 7: input/output error")
	var logged error
	p := program(new(Call))
	p.Commands = append(p.Commands, Command{Name: "odd", Run: func(context.Context, *Call) error { return cause }})
	p.Log = func(_ *Call, err error) { logged = err }
	var out, errOut bytes.Buffer
	exit := p.Main(t.Context(), []string{"odd", "--data", t.TempDir()}, nil, ".", &out, &errOut)
	if exit != 1 || strings.Contains(errOut.String(), "page 7") || !strings.Contains(errOut.String(), "did not foresee") {
		t.Errorf("exit %d, %s", exit, &errOut)
	}
	if !errors.Is(logged, cause) {
		t.Errorf("logged %v", logged)
	}
}
