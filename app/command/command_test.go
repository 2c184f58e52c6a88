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
