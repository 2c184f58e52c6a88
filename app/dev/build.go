package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// goEnv is the environment of every go command the tool starts. One compiler
// for all of them: changing it in between would compile half of everything
// again. What the user has set stays.
func goEnv(h host, environ []string) []string {
	env := append([]string{}, environ...)
	set := func(key, value string) {
		if h.getenv(key) == "" {
			env = append(env, key+"="+value)
		}
	}
	if h.has("clang") && h.goos != "darwin" { // on a Mac cc is clang
		set("CC", "clang")
		if h.has("ld.lld") && !strings.Contains(h.getenv("CGO_LDFLAGS"), "-fuse-ld=") {
			env = append(env, "CGO_LDFLAGS="+strings.TrimSpace(h.getenv("CGO_LDFLAGS")+" -fuse-ld=lld"))
		}
	}
	if h.goos == "darwin" && h.getenv("CGO_CFLAGS") == "" {
		env = append(env, "CGO_CFLAGS=-g -O2 "+strings.Join(compilerFlags(h), " "),
			"CGO_LDFLAGS="+strings.TrimSpace(h.getenv("CGO_LDFLAGS")+" -L/opt/homebrew/lib -L/usr/local/lib"))
	}
	set("LANGUAGE", "en") // Fyne complains at start about the locale C
	return env
}

// goCommand is a go command run at the root of the repository. It ends
// politely when ctx does.
func (t *tool) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = t.root
	cmd.Env = goEnv(t.host, os.Environ())
	ownGroup(cmd)
	return cmd
}

// product is a program that this repository builds.
type product struct {
	name  string // for people
	file  string
	path  string // package
	flags []string
}

func station() product {
	return product{name: "station", file: "flawmark", path: "./app", flags: []string{"-tags=migrated_fynedo"}}
}

func centre() product {
	return product{name: "centre", file: "flawmark-central", path: "./app/central"}
}

// build compiles p into dir and returns the program's path. It says how far it
// is: the first build compiles several hundred packages.
func (t *tool) build(ctx context.Context, p product, dir string, env ...string) (string, error) {
	binary := filepath.Join(dir, p.file)
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	// No stamp: it needs git and a folder git trusts, and changes the program
	// at every commit.
	flags := append([]string{"-buildvcs=false"}, p.flags...)
	begun := t.now()
	progress := &buildProgress{}
	progress.total = t.staleCount(ctx, p, flags, env)
	if progress.total > 1 {
		t.say("building the %s: %d packages to compile", p.name, progress.total)
	} else {
		t.say("building the %s", p.name)
	}
	cmd := t.goCommand(ctx, append(append([]string{"build", "-v", "-o", binary}, flags...), p.path)...)
	cmd.Env = append(cmd.Env, env...)
	if err := t.watch(cmd, progress); err != nil {
		return "", fmt.Errorf("build the %s: %w", p.name, err)
	}
	t.say("  built in %s", elapsed(t.now().Sub(begun)))
	return binary, nil
}

// staleCount asks go how many packages it would have to compile. Not knowing
// (0) is no reason to stop: the build itself reports what is wrong.
func (t *tool) staleCount(ctx context.Context, p product, flags, env []string) int {
	list := &listing{}
	args := append([]string{"list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}"}, flags...)
	cmd := t.goCommand(ctx, append(args, p.path)...)
	cmd.Env = append(cmd.Env, env...)
	if err := t.watch(cmd, list); err != nil {
		return 0
	}
	return list.packages
}

// listing reads `go list`, which downloads modules first.
type listing struct{ packages, downloaded int }

func (l *listing) line(text string) string {
	switch {
	case strings.HasPrefix(text, "go: downloading "):
		l.downloaded++
	case isImportPath(text):
		l.packages++
	}
	return ""
}

func (l *listing) status() string { return fmt.Sprintf("modules downloaded: %d", l.downloaded) }
func (l *listing) rest() string   { return "" }
