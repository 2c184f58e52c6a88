package main

import (
	"slices"
	"strings"
	"testing"
)

func TestSetUpSaysNothingWhenNothingIsMissing(t *testing.T) {
	var out strings.Builder
	if err := newTool(completeMachine().host(), &out).setUp(t.Context(), toBuild|toPlay); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 0 {
		t.Errorf("it said %q", out.String())
	}
}

func TestSetUpOnForeignSystemTellsAndFails(t *testing.T) {
	m := completeMachine()
	m.release = "ID=fedora\nNAME=Fedora"
	m.programs = without(m.programs, "pkg-config")
	var out strings.Builder
	err := newTool(m.host(), &out).setUp(t.Context(), toBuild)
	if err == nil || !strings.Contains(err.Error(), "sudo dnf install -y pkgconf-pkg-config") {
		t.Errorf("error %v does not give the command", err)
	}
	if !strings.Contains(out.String(), "pkg-config: tells the compiler") {
		t.Errorf("it does not say why: %q", out.String())
	}
}

func TestSetUpWithoutRoot(t *testing.T) {
	m := completeMachine()
	m.uid = 1000
	m.programs = without(m.programs, "xdotool")
	err := newTool(m.host(), &strings.Builder{}).setUp(t.Context(), toPlay)
	if err == nil || !strings.Contains(err.Error(), "no sudo") || !strings.Contains(err.Error(), "--no-install-recommends xdotool") {
		t.Errorf("error %v does not say what to run", err)
	}
}

func TestSetUpGoesOnWithGccWhenClangCannotBeHad(t *testing.T) {
	m := completeMachine()
	m.uid = 1000
	m.programs = append(without(without(m.programs, "clang"), "ld.lld"), "gcc", "ld")
	m.answers["gcc -fsyntax-only -x c -"] = ""
	var out strings.Builder
	if err := newTool(m.host(), &out).setUp(t.Context(), toBuild|toPlay); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "going on without clang") {
		t.Errorf("it said %q", out.String())
	}
}

func TestRootPrefix(t *testing.T) {
	for _, c := range []struct {
		name string
		m    machine
		want []string
		fail bool
	}{
		{"root", machine{}, nil, false},
		{"no sudo", machine{uid: 1}, nil, true},
		{"sudo without password", machine{uid: 1, programs: []string{"sudo"}, answers: map[string]string{"sudo -n true": ""}}, []string{"sudo", "-n"}, false},
		{"sudo asks a person", machine{uid: 1, programs: []string{"sudo"}, terminal: true}, []string{"sudo"}, false},
		{"sudo has nobody to ask", machine{uid: 1, programs: []string{"sudo"}}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := newTool(c.m.host(), &strings.Builder{}).rootPrefix(t.Context())
			equal(t, "prefix", got, c.want)
			if (err != nil) != c.fail {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestGoEnv(t *testing.T) {
	for _, c := range []struct {
		name string
		m    machine
		want []string
	}{
		{"clang and lld", completeMachine(), []string{"CC=clang", "CGO_LDFLAGS=-fuse-ld=lld", "LANGUAGE=en"}},
		{"gcc only", machine{}, []string{"LANGUAGE=en"}},
		{"clang without lld", machine{programs: []string{"clang"}}, []string{"CC=clang", "LANGUAGE=en"}},
		{"the user's own", machine{
			programs: []string{"clang", "ld.lld"}, env: map[string]string{"CC": "zig cc", "CGO_LDFLAGS": "-L/opt", "LANGUAGE": "zh"},
		}, []string{"CGO_LDFLAGS=-L/opt -fuse-ld=lld"}},
		{"the user's own linker", machine{
			programs: []string{"clang", "ld.lld"}, env: map[string]string{"CGO_LDFLAGS": "-fuse-ld=mold", "LANGUAGE": "zh"},
		}, []string{"CC=clang"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := goEnv(c.m.host(), []string{"GOFLAGS=-x"})
			if !slices.Contains(got, "GOFLAGS=-x") {
				t.Errorf("GOFLAGS was dropped: %v", got)
			}
			equal(t, "env", got[1:], c.want)
		})
	}
}
