package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// machine describes a computer for a test: what is in its PATH, on its disk,
// and which questions its programs answer.
type machine struct {
	release  string
	programs []string
	files    []string
	answers  map[string]string // by command line; others fail
	uid      int
	terminal bool
	env      map[string]string
}

func (m machine) host() host {
	files := fstest.MapFS{"etc/os-release": {Data: []byte(m.release)}}
	for _, name := range m.files {
		files[name] = &fstest.MapFile{}
	}
	return host{
		goos: "linux", uid: m.uid, files: files,
		getenv: func(key string) string { return m.env[key] },
		lookPath: func(name string) (string, error) {
			if slices.Contains(m.programs, name) {
				return "/bin/" + name, nil
			}
			return "", errors.New("not in the PATH")
		},
		ask: func(_ context.Context, _, name string, args ...string) (string, error) {
			if answer, known := m.answers[strings.Join(append([]string{name}, args...), " ")]; known {
				return answer, nil
			}
			return "", errors.New("exit status 1")
		},
		terminal: func() bool { return m.terminal },
	}
}

// compiles is the answer of a compiler that finds every header.
const compiles = "clang -fsyntax-only -x c -"

// completeMachine lacks nothing.
func completeMachine() machine {
	return machine{
		release: debianRelease,
		programs: []string{
			"git", "clang", "ld.lld", "pkg-config", "fc-list", "Xvfb", "openbox", "xdotool", "xwininfo", "import", "chromium", "strace", "curl", "jq",
			"vips", "vipsthumbnail", "djpeg", "cjpeg", "jpegtran", "gm", "gdk-pixbuf-thumbnailer",
		},
		files: []string{"etc/ssl/certs/ca-certificates.crt", "usr/lib/x86_64-linux-gnu/dri/swrast_dri.so"},
		answers: map[string]string{
			compiles: "", "fc-list :lang=zh-cn family": "Noto Sans CJK SC\n", "chromium --version": "Chromium 156\n",
		},
	}
}

func newTool(h host, out io.Writer) *tool {
	return &tool{host: h, root: os.TempDir(), out: out, now: func() time.Time { return time.Unix(0, 0) }}
}

func without(list []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == name })
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}
