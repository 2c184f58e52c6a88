package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
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
)

func open(tb testing.TB) (*Folder, string) {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "blobs")
	f, err := OpenFolder(dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	return f, dir
}

// left lists the files under a directory of the folder.
func left(tb testing.TB, dir, sub string) []string {
	tb.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, sub))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestWhatIsPutComesBack(t *testing.T) {
	f, dir := open(t)
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
	})
	if names := left(t, dir, tmpDir); len(names) > 0 {
		t.Errorf("tmp holds %v", names)
	}
}

func TestOpenReadsAnywhere(t *testing.T) {
	f, _ := open(t)
	d, err := f.PutBytes(t.Context(), []byte("0123456789"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := f.Open(d)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, err := io.ReadAll(io.NewSectionReader(file, 7, file.Size())); string(got) != "789" || err != nil {
		t.Errorf("from 7: %q, %v", got, err)
	}
	if _, err := file.Seek(-2, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(file); string(got) != "89" || err != nil {
		t.Errorf("the last two: %q, %v", got, err)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	f, _ := open(t)
	none := qc.DigestOf([]byte("never stored"))
	if _, err := f.Open(none); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("Open: %v", err)
	}
	if _, err := f.Read(none, 10); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("Read: %v", err)
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

func TestReadKeepsItsLimit(t *testing.T) {
	f, _ := open(t)
	d, _ := f.PutBytes(t.Context(), make([]byte, 11))
	if _, err := f.Read(d, 10); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestDamageIsSeenAndMended(t *testing.T) {
	for name, damage := range map[string]func(string) error{
		"other bytes": func(path string) error { return os.WriteFile(path, []byte("PHOTO"), 0o600) },
		"cut off":     func(path string) error { return os.Truncate(path, 2) },
		"empty":       func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			f, dir := open(t)
			d, err := f.PutBytes(t.Context(), []byte("photo"))
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, string(d[:2]), string(d))
			if err := damage(path); err != nil {
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

func TestFailedPutLeavesNothing(t *testing.T) {
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
			f, dir := open(t)
			if d, _, err := f.Put(test.ctx, test.r); !errors.Is(err, test.want) || d != "" {
				t.Errorf("Put = %q, %v", d, err)
			}
			for d, err := range f.All() {
				t.Errorf("stored %q, %v", d, err)
			}
			if names := left(t, dir, tmpDir); len(names) > 0 {
				t.Errorf("tmp holds %v", names)
			}
		})
	}
}

func TestUnconfirmedWriteIsNeitherStoredNorTriedAgain(t *testing.T) {
	for _, where := range []string{"file", "directory"} {
		t.Run(where, func(t *testing.T) {
			f, dir := open(t)
			calls := 0
			fail := errors.New("input/output error")
			if where == "file" {
				f.disk.syncFile = func(*os.File) error { calls++; return fail }
			} else {
				f.disk.syncDir = func(*os.Root, string) error { calls++; return fail }
			}
			for range 3 {
				if d, _, err := f.Put(t.Context(), strings.NewReader("photo")); !errors.Is(err, ErrSync) || d != "" {
					t.Errorf("Put = %q, %v", d, err)
				}
			}
			if _, err := f.Stage("upload"); !errors.Is(err, ErrSync) {
				t.Errorf("Stage: %v", err)
			}
			if calls != 1 {
				t.Errorf("the disk was asked %d times", calls)
			}
			if names := left(t, dir, tmpDir); len(names) > 0 {
				t.Errorf("tmp holds %v", names)
			}
		})
	}
}

func TestPutSyncsBeforeItNames(t *testing.T) {
	f, dir := open(t)
	data := []byte("photo")
	path := filepath.Join(dir, string(qc.DigestOf(data)[:2]), string(qc.DigestOf(data)))
	var order []string
	f.disk.syncFile = func(file *os.File) error {
		if _, err := os.Stat(path); err == nil {
			t.Error("the file had its name before it was on the disk")
		}
		order = append(order, "file")
		return file.Sync()
	}
	f.disk.syncDir = func(root *os.Root, name string) error {
		order = append(order, name)
		return syncDir(root, name)
	}
	if _, err := f.PutBytes(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	shard := string(qc.DigestOf(data)[:2])
	if want := []string{"file", ".", shard}; !slices.Equal(order, want) {
		t.Errorf("synced %v, want %v", order, want)
	}
	// The second time its name may have been given by somebody who was killed
	// before the directory was synced.
	order, f.disk.syncFile = nil, (*os.File).Sync
	if _, err := f.PutBytes(t.Context(), data); err != nil || !slices.Contains(order, shard) {
		t.Errorf("synced %v, %v", order, err)
	}
}

func TestManyPutTheSame(t *testing.T) {
	f, dir := open(t)
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
	if names := left(t, dir, tmpDir); n != 1 || len(names) > 0 {
		t.Errorf("%d files, tmp holds %v", n, names)
	}
}

func TestAllListsWhatIsStoredAndNothingElse(t *testing.T) {
	f, dir := open(t)
	var want []qc.Digest
	for _, text := range []string{"a", "b", "c", "d"} {
		d, err := f.PutBytes(t.Context(), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, d)
	}
	slices.Sort(want)
	if err := os.WriteFile(filepath.Join(dir, string(want[0][:2]), "thumbs.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
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
}

func TestSweepTakesOnlyWhatIsOld(t *testing.T) {
	f, dir := open(t)
	now := time.Now()
	for name, age := range map[string]time.Duration{"tmp/old": 2 * time.Hour, "tmp/young": time.Minute, "staged/old": 2 * time.Hour} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := f.Sweep(now.Add(-time.Hour)); n != 2 || err != nil {
		t.Errorf("Sweep = %d, %v", n, err)
	}
	if names := left(t, dir, tmpDir); !slices.Equal(names, []string{"young"}) {
		t.Errorf("tmp holds %v", names)
	}
}
