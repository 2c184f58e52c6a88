package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/storage/storagetest"
)

// rig makes the files that the suite runs on: new ones with every call. The suite
// is its methods.
type rig func(tb testing.TB) trial

// trial is one place for files, and what can be done behind its back.
type trial struct {
	Files
	path  func(d qc.Digest) string // of the file that holds the bytes
	other func() Files             // the same place, opened by another centre; nil: nobody else can
	left  func() []string          // what is there of unfinished files and uploads
}

func TestFolder(t *testing.T) {
	t.Parallel()
	rig(func(tb testing.TB) trial {
		tb.Helper()
		f, dir := open(tb)
		return trial{
			Files: f,
			path:  func(d qc.Digest) string { return filepath.Join(dir, string(d[:2]), string(d)) },
			left:  func() []string { return append(left(tb, dir, tmpDir), left(tb, dir, stagedDir)...) },
		}
	}).run(t)
}

func TestBucket(t *testing.T) {
	t.Parallel()
	server := storagetest.StartS3(t)
	rig(func(tb testing.TB) trial {
		tb.Helper()
		address := server.Bucket(tb) + "/a folder"
		b := openBucket(tb, server, address, nil)
		return trial{
			Files: b,
			path: func(d qc.Digest) string {
				return server.Object(strings.TrimSuffix(address, "/a folder"), "a folder/"+string(d[:2])+"/"+string(d))
			},
			other: func() Files { return openBucket(tb, server, address, nil) },
			left: func() []string {
				names := left(tb, b.scratch, ".")
				for info, err := range b.list(b.prefix + stagedDir + "/") {
					if err != nil {
						tb.Fatal(err)
					}
					names = append(names, info.Key)
				}
				return names
			},
		}
	}).run(t)
}

func (r rig) run(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"what is put comes back":                   r.testComesBack,
		"reads anywhere":                           r.testReadsAnywhere,
		"what is not there":                        r.testNotThere,
		"read keeps its limit":                     r.testLimit,
		"damage is seen and mended":                r.testDamage,
		"a failed put leaves nothing":              r.testFailedPut,
		"many put the same":                        r.testManyPut,
		"all lists what is stored":                 r.testAll,
		"sweep takes only what is old":             r.testSweep,
		"an upload goes on where it broke off":     r.testUploadGoesOn,
		"publish refuses other content":            r.testPublishOther,
		"publish what is there":                    r.testPublishThere,
		"an upload has one user":                   r.testOneUser,
		"names of uploads":                         r.testUploadNames,
		"an upload goes on at another centre":      r.testOtherCentre,
		"two centres go on with the same upload":   r.testTwoCentres,
		"a whole upload is published by any":       r.testAnyPublishes,
		"an upload may be larger than it is taken": r.testLargeUpload,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

func (r rig) testComesBack(t *testing.T) {
	f := r(t)
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 3*copyBuffer/2).Draw(t, "data")
		d, n, err := f.Put(context.Background(), iotest.HalfReader(bytes.NewReader(data)))
		if err != nil || n != int64(len(data)) || d != qc.DigestOf(data) {
			t.Fatalf("Put = %s, %d, %v", d, n, err)
		}
		if back, err := f.Read(d, int64(len(data))); err != nil || !bytes.Equal(back, data) {
			t.Fatalf("Read = %d bytes, %v", len(back), err)
		}
		if size, ok, err := f.Has(d); size != n || !ok || err != nil {
			t.Fatalf("Has = %d, %t, %v", size, ok, err)
		}
		file, err := f.Open(d)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := io.ReadAll(file); err != nil || !bytes.Equal(back, data) {
			t.Fatalf("a file read piece by piece: %d bytes, %v", len(back), err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	})
	if names := f.left(); len(names) > 0 {
		t.Errorf("left: %v", names)
	}
}

// A reader that stands in its middle is put from there on.
func (r rig) testReadsAnywhere(t *testing.T) {
	f := r(t)
	data := make([]byte, 3<<20)
	for i := range data {
		data[i] = byte(i >> 8 * 31)
	}
	from := bytes.NewReader(append([]byte("head"), data...))
	if _, err := from.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	d, n, err := f.Put(t.Context(), from)
	if err != nil || d != qc.DigestOf(data) || n != int64(len(data)) {
		t.Fatalf("Put = %s, %d, %v", d, n, err)
	}
	file, err := f.Open(d)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := iotest.TestReader(file, data); err != nil {
		t.Error(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		off := rapid.Int64Range(0, int64(len(data))).Draw(t, "off")
		got := make([]byte, rapid.IntRange(1, 2<<20).Draw(t, "length"))
		n, err := file.ReadAt(got, off)
		want := data[off:min(off+int64(len(got)), int64(len(data)))]
		if !bytes.Equal(got[:n], want) || (err == nil) != (n == len(got)) || err != nil && !errors.Is(err, io.EOF) {
			t.Fatalf("ReadAt(%d bytes, %d) = %d, %v", len(got), off, n, err)
		}
	})
}

func (r rig) testNotThere(t *testing.T) {
	f := r(t)
	none := qc.DigestOf([]byte("never stored"))
	if _, err := f.Open(none); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("Open: %v", err)
	}
	if _, err := f.Read(none, 10); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("Read: %v", err)
	}
	if err := f.Verify(t.Context(), none); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("Verify: %v", err)
	}
	if _, ok, err := f.Has(none); ok || err != nil {
		t.Errorf("Has: %t, %v", ok, err)
	}
	if err := f.Remove(none); err != nil {
		t.Errorf("Remove: %v", err)
	}
	for _, bad := range []qc.Digest{"", "ab", "../../etc/passwd", qc.Digest(strings.Repeat("g", 64))} {
		if _, err := f.Open(bad); !errors.Is(err, qc.ErrDigest) {
			t.Errorf("Open(%q): %v", bad, err)
		}
		if err := f.Remove(bad); !errors.Is(err, qc.ErrDigest) {
			t.Errorf("Remove(%q): %v", bad, err)
		}
	}
}

func (r rig) testLimit(t *testing.T) {
	f := r(t)
	d, err := f.PutBytes(t.Context(), make([]byte, 11))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(d, 10); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func (r rig) testDamage(t *testing.T) {
	for name, damage := range map[string]func(string) error{
		"other bytes": func(path string) error { return os.WriteFile(path, []byte("PHOTO"), 0o600) },
		"cut off":     func(path string) error { return os.Truncate(path, 2) },
		"empty":       func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			f := r(t)
			d, err := f.PutBytes(t.Context(), []byte("photo"))
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(f.path(d)); err != nil {
				t.Fatal(err)
			}
			if err := f.Verify(t.Context(), d); !errors.Is(err, ErrDigest) {
				t.Errorf("Verify: %v", err)
			}
			if _, err := f.Read(d, 100); !errors.Is(err, ErrDigest) {
				t.Errorf("Read: %v", err)
			}
			if _, err := f.PutBytes(t.Context(), []byte("photo")); err != nil {
				t.Fatal(err)
			}
			if err := f.Verify(t.Context(), d); err != nil {
				t.Errorf("after storing it again: %v", err)
			}
		})
	}
}

func (r rig) testFailedPut(t *testing.T) {
	broken := errors.New("camera pulled")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx  context.Context
		r    io.Reader
		want error
	}{
		"reader breaks off": {t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), broken},
		"nobody waits":      {ended, strings.NewReader("whole"), context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			f := r(t)
			if d, _, err := f.Put(test.ctx, test.r); !errors.Is(err, test.want) || d != "" {
				t.Errorf("Put = %q, %v", d, err)
			}
			for d, err := range f.All() {
				t.Errorf("stored %q, %v", d, err)
			}
			if names := f.left(); len(names) > 0 {
				t.Errorf("left: %v", names)
			}
		})
	}
}

func (r rig) testManyPut(t *testing.T) {
	f := r(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := f.PutBytes(t.Context(), []byte("photo")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	n := 0
	for _, err := range f.All() {
		if n++; err != nil {
			t.Error(err)
		}
	}
	if names := f.left(); n != 1 || len(names) > 0 {
		t.Errorf("%d files, left: %v", n, names)
	}
}

func (r rig) testAll(t *testing.T) {
	f := r(t)
	var want []qc.Digest
	for _, text := range []string{"a", "b", "c", "d"} {
		d, err := f.PutBytes(t.Context(), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, d)
	}
	slices.Sort(want)
	if err := os.WriteFile(filepath.Join(filepath.Dir(f.path(want[0])), "thumbs.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	appendTo(t, stage(t, f, "u1"), "an upload is no file")
	var got []qc.Digest
	for d, err := range f.All() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := f.Remove(want[1]); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := f.Has(want[1]); ok {
		t.Error("removed, and still there")
	}
	if _, err := f.Open(want[1]); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("removed, and opened: %v", err)
	}
}

func (r rig) testSweep(t *testing.T) {
	f := r(t)
	s := stage(t, f, "u1")
	appendTo(t, s, "photo")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Sweep(time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("Sweep of what is old = %d, %v", n, err)
	}
	if s = stage(t, f, "u1"); s.Size() != 5 {
		t.Errorf("%d bytes are left of a young upload", s.Size())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Sweep(time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("Sweep of everything = %d, %v", n, err)
	}
	if s = stage(t, f, "u1"); s.Size() != 0 {
		t.Errorf("swept, and %d bytes are left", s.Size())
	}
}

func (r rig) testUploadGoesOn(t *testing.T) {
	f := r(t)
	broken := errors.New("connection reset")
	s := stage(t, f, "u1")
	n, err := s.Append(t.Context(), io.MultiReader(strings.NewReader("pho"), iotest.ErrReader(broken)), 100)
	if n != 3 || !errors.Is(err, broken) {
		t.Fatalf("Append = %d, %v", n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = stage(t, f, "u1")
	if s.Size() != 3 {
		t.Fatalf("Size = %d", s.Size())
	}
	if n, err := s.Append(t.Context(), strings.NewReader("to and more"), 2); n != 2 || err != nil {
		t.Fatalf("Append = %d, %v", n, err)
	}
	want := qc.DigestOf([]byte("photo"))
	if _, ok, _ := f.Has(want); ok {
		t.Error("visible before it is published")
	}
	publish(t, s, want, 5)
	if data, err := f.Read(want, 5); string(data) != "photo" || err != nil {
		t.Errorf("Read = %q, %v", data, err)
	}
	if names := f.left(); len(names) > 0 {
		t.Errorf("left: %v", names)
	}
}

func (r rig) testPublishOther(t *testing.T) {
	for name, pieces := range map[string][]string{"in one": {"phot0"}, "in two": {"ph", "ot0"}} {
		t.Run(name, func(t *testing.T) {
			f := r(t)
			s := stage(t, f, "u1")
			for _, piece := range pieces {
				appendTo(t, s, piece)
			}
			if _, err := s.Publish(t.Context(), qc.DigestOf([]byte("photo"))); !errors.Is(err, ErrDigest) {
				t.Errorf("got %v", err)
			}
			if names := f.left(); len(names) > 0 {
				t.Errorf("left: %v", names)
			}
			for d, err := range f.All() {
				t.Errorf("stored %q, %v", d, err)
			}
		})
	}
}

func (r rig) testPublishThere(t *testing.T) {
	f := r(t)
	d, err := f.PutBytes(t.Context(), []byte("photo"))
	if err != nil {
		t.Fatal(err)
	}
	s := stage(t, f, "u1")
	appendTo(t, s, "photo")
	publish(t, s, d, 5)
	if names := f.left(); len(names) > 0 {
		t.Errorf("left: %v", names)
	}
}

func (r rig) testOneUser(t *testing.T) {
	f := r(t)
	s := stage(t, f, "u1")
	appendTo(t, s, "pho")
	if _, err := f.Stage("u1"); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
	stage(t, f, "u2")
	if err := s.Discard(); err != nil {
		t.Fatal(err)
	}
	if again := stage(t, f, "u1"); again.Size() != 0 {
		t.Errorf("discarded, and %d bytes are left", again.Size())
	}
}

func (r rig) testUploadNames(t *testing.T) {
	f := r(t)
	for _, id := range []string{"", ".", "..", "../x", "a/b", `a\b`, "a.b", "a b", strings.Repeat("a", 129), "a\x00"} {
		if _, err := f.Stage(id); !errors.Is(err, ErrName) {
			t.Errorf("Stage(%q): %v", id, err)
		}
	}
}

func (r rig) testOtherCentre(t *testing.T) {
	f := r(t)
	if f.other == nil {
		return // a folder is one centre's
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 5<<16) // two pieces
	appendTo(t, stage(t, f, "u1"), string(data[:pieceSize+100]))
	// It was killed: nobody has closed anything.
	other := f.other()
	s := stage(t, other, "u1")
	if s.Size() != pieceSize+100 {
		t.Fatalf("%d bytes are there, %d were acknowledged", s.Size(), pieceSize+100)
	}
	appendTo(t, s, string(data[pieceSize+100:]))
	publish(t, s, qc.DigestOf(data), int64(len(data)))
	if err := f.Verify(t.Context(), qc.DigestOf(data)); err != nil {
		t.Error(err)
	}
}

func (r rig) testTwoCentres(t *testing.T) {
	f := r(t)
	if f.other == nil {
		return
	}
	data := []byte("one photo in two hands")
	first, second := stage(t, f, "u1"), stage(t, f.other(), "u1")
	appendTo(t, second, string(data[:10]))
	n, err := first.Append(t.Context(), bytes.NewReader(data[:7]), 7)
	if n != 0 || !errors.Is(err, ErrBusy) || first.Size() != 10 {
		t.Errorf("the later one: Append = %d, %v; Size %d, want 10", n, err, first.Size())
	}
	appendTo(t, first, string(data[10:]))
	publish(t, first, qc.DigestOf(data), int64(len(data)))

	// The same bytes are no quarrel: a try whose answer was lost meets itself.
	third, fourth := stage(t, f, "u2"), stage(t, f.other(), "u2")
	appendTo(t, third, string(data))
	appendTo(t, fourth, string(data))
	var group sync.WaitGroup
	for _, s := range []Staged{third, fourth} {
		group.Go(func() { publish(t, s, qc.DigestOf(data), int64(len(data))) })
	}
	group.Wait()
}

// Who published may have been killed before anybody was told.
func (r rig) testAnyPublishes(t *testing.T) {
	f := r(t)
	if f.other == nil {
		return
	}
	data := []byte("photo")
	s := stage(t, f, "u1")
	appendTo(t, s, "ph")
	appendTo(t, s, "oto")
	if _, err := s.Publish(t.Context(), qc.DigestOf(data)); err != nil {
		t.Fatal(err)
	}
	again := stage(t, f.other(), "u1")
	if again.Size() != int64(len(data)) {
		t.Fatalf("published, and what is known of the upload went back to %d", again.Size())
	}
	publish(t, again, qc.DigestOf(data), int64(len(data)))
	if names := f.left(); len(names) > 0 {
		t.Errorf("left: %v", names)
	}
}

func (r rig) testLargeUpload(t *testing.T) {
	f := r(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 9<<16) // three pieces
	s := stage(t, f, "u1")
	appendTo(t, s, string(data))
	publish(t, s, qc.DigestOf(data), int64(len(data)))
	if err := f.Verify(t.Context(), qc.DigestOf(data)); err != nil {
		t.Error(err)
	}
}

func stage(tb testing.TB, f Files, id string) Staged {
	tb.Helper()
	s, err := f.Stage(id)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func appendTo(tb testing.TB, s Staged, text string) {
	tb.Helper()
	before := s.Size()
	if n, err := s.Append(tb.Context(), strings.NewReader(text), int64(len(text))); n != int64(len(text)) || err != nil {
		tb.Fatalf("Append = %d, %v", n, err)
	}
	if s.Size() != before+int64(len(text)) {
		tb.Fatalf("Size = %d after %d and %d", s.Size(), before, len(text))
	}
}

// publish does as the door does: what has arrived goes when the file is noted.
func publish(tb testing.TB, s Staged, want qc.Digest, size int64) {
	tb.Helper()
	if n, err := s.Publish(tb.Context(), want); n != size || err != nil {
		tb.Errorf("Publish = %d, %v", n, err)
	}
	if err := s.Discard(); err != nil {
		tb.Error(err)
	}
}
