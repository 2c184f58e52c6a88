package logbook

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// The environment of a child that writes to a log until it is killed.
const childLog = "FLAWMARK_TEST_LOG"

func TestMain(m *testing.M) {
	if path := os.Getenv(childLog); path != "" {
		fmt.Fprintln(os.Stderr, writeForEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForEver writes numbered lines and says of each that it is written.
func writeForEver(path string) error {
	b, err := small(path)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		text := fmt.Sprintf("%d-%d", os.Getpid(), n)
		if _, err := b.Write(whole(text)); err != nil {
			return err
		}
		fmt.Println(text)
	}
}

// small opens a log whose files are full soon, and of which none goes.
func small(path string) (*Book, error) {
	b, err := Open(path)
	if err == nil {
		b.largest, b.asides = 4000, 1<<20
	}
	return b, err
}

// whole is a line of which every part would be missed.
func whole(text string) []byte { return fmt.Appendf(nil, "<%s %s>\n", text, strings.Repeat("x", 60)) }

var wholeLine = regexp.MustCompile(`^<(\S+) x{60}>$`)

func open(t *testing.T) *Book {
	t.Helper()
	b, err := small(filepath.Join(t.TempDir(), "a.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func write(t *testing.T, b *Book, text string) {
	t.Helper()
	line := whole(text)
	if n, err := b.Write(line); err != nil || n != len(line) {
		t.Fatalf("wrote %d, %v", n, err)
	}
}

// files returns what is in the log's folder, the oldest first.
func files(t *testing.T, b *Book) (paths []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(b.path))
	if err != nil {
		t.Fatal(err)
	}
	var newest []string // none where a process was killed between two files
	for _, e := range entries {
		path := filepath.Join(filepath.Dir(b.path), e.Name())
		switch {
		case path == b.path:
			newest = []string{path}
		case Holds(e.Name(), "a.log"):
			paths = append(paths, path)
		default:
			t.Errorf("%s is no part of the log", e.Name())
		}
	}
	return append(paths, newest...)
}

// lines returns the texts of all lines, in order, and complains of those that are
// not whole.
func lines(t *testing.T, b *Book) (texts []string) {
	t.Helper()
	for _, path := range files(t, b) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			found := wholeLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			if found == nil {
				t.Errorf("%s holds a torn line: %q", filepath.Base(path), line)
				continue
			}
			texts = append(texts, found[1])
		}
	}
	return texts
}

func TestBook_StaysSmallAndForgetsTheOldest(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.asides = 3
	var want []string
	for n := range 1000 {
		text := fmt.Sprint(n)
		want = append(want, text)
		write(t, b, text)
	}
	kept := files(t, b)
	if len(kept) != 4 {
		t.Errorf("%d files are kept: %q", len(kept), kept)
	}
	for _, path := range kept {
		if info, err := os.Stat(path); err != nil || info.Size() > b.largest || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	got := lines(t, b)
	if len(got) < 100 || !slices.Equal(got, want[len(want)-len(got):]) {
		t.Errorf("kept %d lines: %q", len(got), got)
	}
}

func TestBook_AFileKeepsTheModeOfTheOneBefore(t *testing.T) {
	t.Parallel()
	b := open(t)
	if err := os.Chmod(b.path, 0o640); err != nil { // for somebody who collects logs
		t.Fatal(err)
	}
	for range 100 {
		write(t, b, "a")
	}
	for _, path := range files(t, b) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
}

func TestBook_SeveralWritersLoseNothing(t *testing.T) {
	t.Parallel()
	first := open(t)
	var writers sync.WaitGroup
	want := map[string]bool{}
	for w := range 4 {
		b, err := small(first.path)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 500 {
			want[fmt.Sprintf("%d-%d", w, n)] = true
		}
		writers.Go(func() {
			for n := range 500 {
				if _, err := b.Write(whole(fmt.Sprintf("%d-%d", w, n))); err != nil {
					t.Error(err)
				}
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	for _, path := range files(t, first) {
		if info, err := os.Stat(path); err != nil || info.Size() > 2*first.largest {
			t.Errorf("%s has grown: %v, %v", path, info, err)
		}
	}
	got := lines(t, first)
	for _, text := range got {
		if !want[text] {
			t.Errorf("%s is there twice, or was never written", text)
		}
		delete(want, text)
	}
	if len(want) > 0 {
		t.Errorf("%d of %d lines are lost", len(want), len(want)+len(got))
	}
}

// Processes that share a log are killed at any moment; what they said is written
// is written, and what they were at is there whole or not at all.
func TestBook_KilledProcessesTearNothing(t *testing.T) {
	t.Parallel()
	b := open(t)
	written := make(chan string)
	var lives sync.WaitGroup
	for life := range 9 {
		lives.Go(func() {
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			child := exec.CommandContext(ctx, os.Args[0])
			child.Env = append(os.Environ(), childLog+"="+b.path)
			said, err := child.StdoutPipe()
			if err != nil {
				t.Error(err)
				return
			}
			if err := child.Start(); err != nil {
				t.Error(err)
				return
			}
			words := bufio.NewReader(said)
			for n := 0; ; n++ {
				if n == 100+37*life {
					kill() // somewhere in what it does next
				}
				text, err := words.ReadString('\n')
				if err != nil {
					break
				}
				written <- strings.TrimSuffix(text, "\n")
			}
			_ = child.Wait() // says that it was killed
		})
	}
	go func() { lives.Wait(); close(written) }() // ends with the children
	var want []string
	for text := range written {
		want = append(want, text)
	}
	got := map[string]int{}
	for _, text := range lines(t, b) {
		got[text]++
	}
	for _, text := range want {
		if got[text] != 1 {
			t.Errorf("%s was written, and is there %d times", text, got[text])
		}
	}
	if kept := len(files(t, b)); kept < 10 {
		t.Errorf("%d lines in %d files try nothing", len(want), kept)
	}
}

// full writes part of what it is given, as a full disk does.
func full(part int) func(*os.File, []byte) (int, error) {
	return func(f *os.File, data []byte) (int, error) {
		n, err := f.Write(data[:part])
		return n, errors.Join(err, syscall.ENOSPC)
	}
}

func TestBook_AFullDiskTearsNoLine(t *testing.T) {
	t.Parallel()
	b := open(t)
	write(t, b, "before")
	system := b.write
	for _, part := range []int{0, 1, 10} {
		b.write = full(part)
		if n, err := b.Write(whole("lost")); n != 0 || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	b.write = system
	write(t, b, "after")
	if got := lines(t, b); !slices.Equal(got, []string{"before", "after"}) {
		t.Errorf("kept %q", got)
	}
}

func TestBook_BeginsALineAfterOneThatAPowerCutTore(t *testing.T) {
	t.Parallel()
	b := open(t)
	if err := os.WriteFile(b.path, []byte("<half"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := small(b.path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, again, "a")
	write(t, again, "b")
	data, err := os.ReadFile(b.path)
	if err := errors.Join(err, again.Close()); err != nil {
		t.Fatal(err)
	}
	if want := "<half\n" + string(whole("a")) + string(whole("b")); string(data) != want {
		t.Errorf("the log is %q, want %q", data, want)
	}
}

func TestBook_GoesOnWhereNoFileCanBeSetAside(t *testing.T) {
	t.Parallel()
	b := open(t)
	tried := 0
	b.rename = func(string, string) error { tried++; return errors.New("another program holds it open") }
	for n := range 100 {
		write(t, b, fmt.Sprint(n))
	}
	if got := lines(t, b); len(got) != 100 || len(files(t, b)) != 1 {
		t.Errorf("%d lines in %q", len(got), files(t, b))
	}
	if tried == 0 || tried > 30 {
		t.Errorf("it was tried %d times", tried)
	}
	b.rename = os.Rename
	for n := range 10 {
		write(t, b, fmt.Sprint(n))
	}
	if got := lines(t, b); len(got) != 110 || len(files(t, b)) != 2 {
		t.Errorf("%d lines in %q", len(got), files(t, b))
	}
}

// Somebody tidies up by hand, or a program like logrotate does.
func TestBook_GoesOnUnderItsName(t *testing.T) {
	t.Parallel()
	for name, tidy := range map[string]func(path string) error{
		"removed": os.Remove,
		"renamed": func(path string) error { return os.Rename(path, path+".1") },
		"replaced": func(path string) error {
			return errors.Join(os.Rename(path, path+".1"), os.WriteFile(path, nil, 0o600))
		},
		"emptied": func(path string) error { return os.Truncate(path, 0) },
	} {
		b := open(t)
		write(t, b, "before")
		if err := tidy(b.path); err != nil {
			t.Fatal(err)
		}
		write(t, b, "after")
		if data, err := os.ReadFile(b.path); err != nil || string(data) != string(whole("after")) {
			t.Errorf("%s: the log is %q, %v", name, data, err)
		}
	}
}
