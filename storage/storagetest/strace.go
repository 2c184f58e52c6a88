package storagetest

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// syscall is one call of a traced process that has returned.
type syscall struct {
	name string
	args []string // as strace writes them
	ret  int64    // negative: it failed
	// began and ended order calls of several threads.
	began, ended int
	injected     bool // strace let it fail
}

// recorded are the calls that change files, or say which file is meant.
var recorded = []string{
	"openat", "open", "creat", "close", "dup", "dup2", "dup3", "fcntl", "lseek", "mmap",
	"write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "truncate", "fallocate", "copy_file_range", "sendfile", "splice",
	"fsync", "fdatasync", "sync_file_range", "rename", "renameat", "renameat2",
	"unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "link", "linkat", "symlink", "symlinkat",
}

// errNoStrace says what a machine lacks.
var errNoStrace = errors.New("this rig records system calls with strace, which is not installed (Debian: apt-get install strace)")

// straced puts strace in front of a command; its output goes to the file.
func straced(ctx context.Context, cmd *exec.Cmd, output string, args ...string) (*exec.Cmd, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return nil, errNoStrace
	}
	line := append([]string{"-f", "-q", "-e", "signal=none", "-o", output}, args...)
	traced := exec.CommandContext(ctx, strace, append(append(line, "--", cmd.Path), cmd.Args[1:]...)...)
	traced.Dir = cmd.Dir
	traced.Env = cmd.Env
	if traced.Env == nil {
		traced.Env = os.Environ()
	}
	// Signals by which Go shares out its threads would fill the record.
	traced.Env = append(traced.Env, "GODEBUG=asyncpreemptoff=1")
	return traced, nil
}

// record runs a command to its end and returns its calls and what it printed.
func record(ctx context.Context, cmd *exec.Cmd, scratch string) (calls []syscall, printed string, err error) {
	path := filepath.Join(scratch, "strace")
	traced, err := straced(ctx, cmd, path, "--seccomp-bpf", "-xx", "-s", "67108864", "-e", "trace="+strings.Join(recorded, ","))
	if err != nil {
		return nil, "", err
	}
	var stdout, stderr strings.Builder
	traced.Stdout, traced.Stderr = &stdout, &stderr
	if err := traced.Run(); err != nil {
		return nil, "", fmt.Errorf("run under strace: %w\n%s", err, stderr.String())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	calls, err = parseStrace(file)
	return calls, stdout.String(), errors.Join(err, file.Close())
}

// parseStrace reads the record of all threads of one process. A call that other
// threads interrupted stands on two lines, and counts from the first to the
// second.
func parseStrace(r io.Reader) ([]syscall, error) {
	var calls []syscall
	begun := make(map[string]struct {
		text string
		at   int
	})
	in := bufio.NewReaderSize(r, 1<<20)
	for at := 0; ; at++ {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return calls, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		thread, text, ok := strings.Cut(strings.TrimRight(line, "\n"), " ")
		text = strings.TrimLeft(text, " ")
		if !ok || strings.HasPrefix(text, "+++") || strings.HasPrefix(text, "---") {
			continue
		}
		began := at
		if head, found := strings.CutSuffix(text, "<unfinished ...>"); found {
			begun[thread] = struct {
				text string
				at   int
			}{strings.TrimRight(head, " "), at}
			continue
		}
		if strings.HasPrefix(text, "<... ") {
			_, tail, found := strings.Cut(text, "resumed>")
			before, known := begun[thread]
			if !found || !known {
				return nil, fmt.Errorf("line %d of the record resumes nothing: %.80s", at+1, text)
			}
			delete(begun, thread)
			text, began = before.text+tail, before.at
		}
		call, err := parseCall(text)
		if err != nil {
			return nil, fmt.Errorf("line %d of the record: %w", at+1, err)
		}
		call.began, call.ended = began, at
		calls = append(calls, call)
	}
}

// parseCall reads "name(arg, arg) = result ...". Strings are in hexadecimal, so
// that no text in them looks like a part of the line.
func parseCall(text string) (syscall, error) {
	name, rest, ok := strings.Cut(text, "(")
	end := strings.LastIndex(rest, " = ")
	if !ok || end < 0 {
		return syscall{}, fmt.Errorf("no call: %.80s", text)
	}
	call := syscall{name: name, ret: -1, injected: strings.HasSuffix(text, "(INJECTED)")}
	result, _, _ := strings.Cut(rest[end+3:], " ")
	if n, err := strconv.ParseInt(result, 0, 64); err == nil {
		call.ret = n
	} else if result != "?" && !strings.HasPrefix(result, "0x") {
		return syscall{}, fmt.Errorf("no result: %.80s", rest[end:])
	}
	inside, ok := strings.CutSuffix(strings.TrimRight(rest[:end], " "), ")")
	if !ok {
		return syscall{}, fmt.Errorf("no end of the arguments: %.80s", text)
	}
	depth, from := 0, 0
	for i := range len(inside) {
		switch inside[i] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 0 {
				call.args = append(call.args, strings.TrimSpace(inside[from:i]))
				from = i + 1
			}
		}
	}
	if last := strings.TrimSpace(inside[from:]); last != "" {
		call.args = append(call.args, last)
	}
	return call, nil
}

// arg returns an argument, empty when there is none.
func (c syscall) arg(n int) string {
	if n >= len(c.args) {
		return ""
	}
	return c.args[n]
}

func (c syscall) number(n int) (int64, error) {
	value, err := strconv.ParseInt(c.arg(n), 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: argument %d is no number: %.40q", c.name, n, c.arg(n))
	}
	return value, nil
}

// bytes returns an argument that is a string or a list of buffers.
func (c syscall) bytes(n int) ([]byte, error) {
	text := c.arg(n)
	var all []byte
	for {
		_, rest, found := strings.Cut(text, `"`)
		if !found {
			return all, nil
		}
		quoted, rest, found := strings.Cut(rest, `"`)
		if !found || strings.HasPrefix(rest, "...") {
			return nil, fmt.Errorf("%s: argument %d is cut short", c.name, n)
		}
		data, err := hex.DecodeString(strings.ReplaceAll(quoted, `\x`, ""))
		if err != nil {
			return nil, fmt.Errorf("%s: argument %d: %w", c.name, n, err)
		}
		all = append(all, data...)
		text = rest
	}
}

func (c syscall) text(n int) (string, error) {
	data, err := c.bytes(n)
	return string(data), err
}
