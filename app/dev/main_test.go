package main

import (
	"context"
	"errors"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The tool must run before any module is downloaded.
func TestImportsStandardLibraryOnly(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 10 {
		t.Fatalf("found the files %v, error %v", names, err)
	}
	for _, name := range names {
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range parsed.Imports {
			path, err := strconv.Unquote(imported.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(path, "/")
			if strings.Contains(first, ".") || first == "flawmark" || path == "C" {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

func TestDispatch(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
		out  string // in what was printed, anywhere
	}{
		{"nothing", nil, 2, "go run ./app/dev demo"},
		{"help", []string{"--help"}, 0, "go run ./app/dev test"},
		{"help of a command", []string{"demo", "--help"}, 0, "--headless"},
		{"unknown command", []string{"dance"}, 2, `no command "dance"`},
		{"unknown flag", []string{"demo", "--fast"}, 2, "-fast"},
		{"argument too many", []string{"test", "everything"}, 2, `unexpected argument "everything"`},
		{"no port", []string{"demo", "--port", "70000"}, 2, "70000 is no port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if code := dispatch(t.Context(), newTool(completeMachine().host(), &out), c.args, &out); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			if !strings.Contains(out.String(), c.out) {
				t.Errorf("%q is not in\n%s", c.out, out.String())
			}
		})
	}
}

func TestParseDemo(t *testing.T) {
	got, err := parseDemo([]string{"--headless", "--out", "pics"})
	if want := (demoOptions{headless: true, out: "pics"}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestStepsStopAtTheFirstFailure(t *testing.T) {
	var out strings.Builder
	ran := ""
	mark := func(name string, err error) step {
		return step{name, func(context.Context, *testRun) error { ran += name; return err }}
	}
	r := &testRun{tool: newTool(host{}, &out)}
	err := r.runSteps(t.Context(), []step{mark("a", nil), mark("b", errors.New("boom")), mark("c", nil)})
	if ran != "ab" || err == nil || !strings.Contains(err.Error(), `step "b" failed: boom`) {
		t.Errorf("ran %q, error %v", ran, err)
	}
	if !strings.Contains(out.String(), "== 2/3 b") {
		t.Errorf("headings:\n%s", out.String())
	}
}

func TestSplitPackages(t *testing.T) {
	outside, inside := splitPackages(
		[]string{"flawmark/app", "flawmark/apparel", "flawmark/sync/wire", "flawmark/ui/model"}, []string{"flawmark/app", "flawmark/sync"})
	equal(t, "outside", outside, []string{"flawmark/apparel", "flawmark/ui/model"})
	equal(t, "inside", inside, []string{"flawmark/app", "flawmark/sync/wire"})
}

func TestCheckersAreDeclared(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", ".ci", "tools", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"mvdan.cc/gofumpt v", "honnef.co/go/tools v", "honnef.co/go/tools/cmd/staticcheck\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in .ci/tools/go.mod", want)
		}
	}
}
