package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"flawmark/app/qc"
)

func newDerived(t *testing.T, dir string, limit int64) *Derived {
	t.Helper()
	c, err := OpenDerived(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func digestNumber(n int) qc.Digest { return qc.DigestOf(fmt.Appendf(nil, "photo %d", n)) }

func writes(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// content returns what the cache has of a photo, nil when it has nothing.
func content(t *testing.T, c *Derived, d qc.Digest, profile string) []byte {
	t.Helper()
	f, err := c.Get(t.Context(), d, profile)
	if errors.Is(err, qc.ErrNotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data := make([]byte, f.Size())
	if _, err := f.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return data
}

func TestDerivativeIsReadBackWholeByEveryRun(t *testing.T) {
	dir := t.TempDir()
	c := newDerived(t, dir, 1<<20)
	for _, want := range [][]byte{{}, []byte("x"), bytes.Repeat([]byte("0123456789"), 70_000)} {
		d := qc.DigestOf(want)
		if err := c.Put(t.Context(), d, "index", writes(want)); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]*Derived{"same": c, "next": newDerived(t, dir, 1<<20)} {
			if got := content(t, c, d, "index"); got == nil || !bytes.Equal(got, want) {
				t.Errorf("%s run: %d bytes instead of %d", name, len(got), len(want))
			}
			if got := content(t, c, d, "levels"); got != nil {
				t.Errorf("%s run: another profile has %d bytes", name, len(got))
			}
		}
	}
}

func TestTornDerivativeCountsAsAbsent(t *testing.T) {
	whole := bytes.Repeat([]byte("abcdefgh"), 4096)
	for name, tear := range map[string]func([]byte) []byte{
		"empty":               func([]byte) []byte { return nil },
		"cut":                 func(d []byte) []byte { return d[:len(d)/2] },
		"cut in the trailer":  func(d []byte) []byte { return d[:len(d)-1] },
		"zeros at the end":    func(d []byte) []byte { clear(d[len(d)-4096:]); return d },
		"zeros in the middle": func(d []byte) []byte { clear(d[4096:8192]); return d },
		"all zeros":           func(d []byte) []byte { clear(d); return d },
		"one bit":             func(d []byte) []byte { d[99] ^= 1; return d },
		"longer":              func(d []byte) []byte { return append(d, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			d := digestNumber(1)
			if err := newDerived(t, dir, 1<<20).Put(t.Context(), d, "levels", writes(whole)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, string(d[:2]), string(d)+".levels")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tear(data), 0o600); err != nil {
				t.Fatal(err)
			}
			c := newDerived(t, dir, 1<<20)
			if got := content(t, c, d, "levels"); got != nil {
				t.Errorf("%d bytes were given out", len(got))
			}
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				t.Errorf("the torn file is still there: %v", err)
			}
			if err := c.Put(t.Context(), d, "levels", writes(whole)); err != nil || !bytes.Equal(content(t, c, d, "levels"), whole) {
				t.Errorf("not made again: %v", err)
			}
		})
	}
}

func TestLeastRecentlyReadGoesFirstAndOpenOnesStay(t *testing.T) {
	c := newDerived(t, t.TempDir(), 10_000)
	now := time.Now()
	c.now = func() time.Time { now = now.Add(time.Minute); return now }
	payload := make([]byte, 1000-trailerSize)
	put := func(n int) {
		t.Helper()
		if err := c.Put(t.Context(), digestNumber(n), "index", writes(payload)); err != nil {
			t.Fatal(err)
		}
		content(t, c, digestNumber(n), "index") // notes the use by the test's clock
	}
	for n := range 10 {
		put(n)
	}
	held, err := c.Get(t.Context(), digestNumber(0), "index")
	if err != nil {
		t.Fatal(err)
	}
	content(t, c, digestNumber(1), "index")
	for n := 10; n < 18; n++ {
		put(n)
	}
	if _, err := held.ReadAt(make([]byte, 10), 100); err != nil {
		t.Errorf("an open derivative: %v", err)
	}
	for n, stays := range map[int]bool{0: true, 1: true, 2: false, 3: false, 16: true, 17: true} {
		if got := content(t, c, digestNumber(n), "index") != nil; got != stays {
			t.Errorf("derivative %d is there: %t", n, got)
		}
	}
	if _, total, err := c.list(); err != nil || total > 10_000 {
		t.Errorf("%d bytes, %v", total, err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	// One that is larger than the cache is there until the next one comes.
	if err := c.Put(t.Context(), digestNumber(99), "levels", writes(make([]byte, 20_000))); err != nil {
		t.Fatal(err)
	}
	if content(t, c, digestNumber(99), "levels") == nil {
		t.Error("the newest one has gone")
	}
}

func TestFailedDerivativeLeavesTheOldOne(t *testing.T) {
	dir := t.TempDir()
	c := newDerived(t, dir, 1<<20)
	d := digestNumber(1)
	if err := c.Put(t.Context(), d, "index", writes([]byte("old"))); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := c.Put(t.Context(), d, "index", func(w io.Writer) error {
		_, err := w.Write(make([]byte, 1<<20))
		return errors.Join(err, broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("Put: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Put(ended, d, "index", writes([]byte("new"))); !errors.Is(err, context.Canceled) {
		t.Errorf("Put after the end: %v", err)
	}
	if got := content(t, c, d, "index"); string(got) != "old" {
		t.Errorf("%q", got)
	}
	left, err := os.ReadDir(filepath.Join(dir, tmpDir))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDropRemovesEveryProfileOfOnePhoto(t *testing.T) {
	c := newDerived(t, t.TempDir(), 1<<20)
	for n := range 2 {
		for _, profile := range []string{"index", "levels"} {
			if err := c.Put(t.Context(), digestNumber(n), profile, writes([]byte(profile))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 {
		if err := c.Drop(digestNumber(0)); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range []bool{false, true} {
		for _, profile := range []string{"index", "levels"} {
			if got := content(t, c, digestNumber(n), profile) != nil; got != want {
				t.Errorf("%s of photo %d is there: %t", profile, n, got)
			}
		}
	}
	if report, err := c.Check(t.Context()); err != nil || report.Files != 2 || report.Torn != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestBadNamesOfDerivativesAreRefused(t *testing.T) {
	c := newDerived(t, t.TempDir(), 1<<20)
	for _, profile := range []string{"", "A", "a.b", "../x", "a/b", "ä", string(make([]byte, 40))} {
		if err := c.Put(t.Context(), digestNumber(1), profile, writes(nil)); !errors.Is(err, ErrProfile) {
			t.Errorf("Put %q: %v", profile, err)
		}
		if _, err := c.Get(t.Context(), digestNumber(1), profile); !errors.Is(err, ErrProfile) {
			t.Errorf("Get %q: %v", profile, err)
		}
	}
	if _, err := c.Get(t.Context(), "../../etc/passwd", "index"); err == nil {
		t.Error("a digest that is none was taken")
	}
}

// TestSharedCacheStaysWholeAndBounded has two caches on one directory, as two
// processes have, and several goroutines in each. What is read is always the
// whole payload of its photo.
func TestSharedCacheStaysWholeAndBounded(t *testing.T) {
	const limit, photos = 200_000, 60
	dir := t.TempDir()
	payload := func(n int) []byte { return bytes.Repeat([]byte{byte(n)}, 5000+n) }
	var group sync.WaitGroup
	for user := range 6 {
		var c *Derived
		if user%3 == 0 {
			c = newDerived(t, dir, limit)
		} else {
			c = newDerived(t, dir, limit*2) // they need not agree
		}
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(user)))
			for range 200 {
				n := random.IntN(photos)
				d := digestNumber(n)
				f, err := c.Get(t.Context(), d, "index")
				switch {
				case errors.Is(err, qc.ErrNotFound):
					if err := c.Put(t.Context(), d, "index", writes(payload(n))); err != nil {
						t.Error(err)
					}
					continue
				case err != nil:
					t.Error(err)
					continue
				}
				data, err := io.ReadAll(f)
				if err != nil || !bytes.Equal(data, payload(n)) {
					t.Errorf("photo %d: %d bytes, %v", n, len(data), err)
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	c := newDerived(t, dir, limit)
	if err := c.Put(t.Context(), digestNumber(photos), "index", writes(nil)); err != nil {
		t.Fatal(err)
	}
	if _, total, err := c.list(); err != nil || total > limit {
		t.Errorf("%d bytes, %v", total, err)
	}
}
