package blob

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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
