package main

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// host is everything set-up asks the computer. Tests build one by hand, with a
// map for a disk, and so describe a machine that lacks anything they like.
type host struct {
	goos     string
	uid      int   // 0 is root; -1 where there are no such numbers
	files    fs.FS // the whole disk; names without the leading slash
	getenv   func(string) string
	lookPath func(string) (string, error)
	// ask runs a short command and returns what it printed to its standard
	// output.
	ask func(ctx context.Context, stdin, name string, args ...string) (string, error)
	// terminal tells whether a person is there to type a password.
	terminal func() bool
}

func thisHost() host {
	return host{
		goos:     runtime.GOOS,
		uid:      os.Getuid(),
		files:    os.DirFS("/"),
		getenv:   os.Getenv,
		lookPath: exec.LookPath,
		ask: func(ctx context.Context, stdin, name string, args ...string) (string, error) {
			cmd := exec.CommandContext(ctx, name, args...)
			cmd.Stdin = strings.NewReader(stdin)
			out, err := cmd.Output()
			return string(out), err
		},
		terminal: func() bool {
			info, err := os.Stdin.Stat()
			return err == nil && info.Mode()&os.ModeCharDevice != 0 && !isNull(info)
		},
	}
}

// isNull tells the null device, which is a character device too, from a
// terminal.
func isNull(info os.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(info, null)
}

// has tells whether a program is in the PATH.
func (h host) has(program string) bool {
	_, err := h.lookPath(program)
	return err == nil
}

// hasDisplay tells whether a window can be shown: always on macOS and Windows,
// elsewhere when X or Wayland is announced.
func (h host) hasDisplay() bool {
	switch h.goos {
	case "darwin", "windows":
		return true
	}
	return h.getenv("DISPLAY") != "" || h.getenv("WAYLAND_DISPLAY") != ""
}
