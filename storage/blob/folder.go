// Package blob keeps photo files by their content: a file is named by the
// SHA-256 of its bytes, so it never changes and storing it twice is storing it
// once.
//
// Its promise: when [Folder.Put] has returned a digest, those very bytes are on
// the disk and stay there through a power cut; a file under its final name is
// always whole. Nobody ever sees a half-written one.
//
// A folder is laid out as
//
//	ab/<sha256>    files, immutable; ab are the first two digits
//	tmp/           files being written
//	staged/        uploads in progress ([Staged])
//
// What a crash leaves in tmp and staged is worthless and goes with
// [Folder.Sweep].
//
// A [Bucket] makes the same promise of an object store that speaks S3, where
// several centres share it. What both can do is [Files].
//
// What can be made again from a photo is kept apart, in a bounded cache:
// [Derived].
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"flawmark/app/qc"
)

// What can go wrong beside the plain errors of files.
var (
	// ErrFull: the disk (or the quota) has no room. Nothing was stored; it may
	// be tried again once there is room.
	ErrFull = errors.New("disk is full")
	// ErrDigest: the bytes are not those that their name promises.
	ErrDigest = errors.New("content does not match its digest")
	// ErrSync: the system could not promise that the bytes are on the disk.
	// After that the next promise may be a lie, so the folder takes no more
	// files until it is opened again.
	ErrSync = errors.New("disk does not confirm the write")
	// ErrTooLarge: the file is larger than the reader allows.
	ErrTooLarge = errors.New("file is larger than allowed")
	// ErrBusy: this upload is being appended to by somebody else right now.
	ErrBusy = errors.New("upload is in use")
	// ErrName: an upload's id cannot be a file name.
	ErrName = errors.New("not a name for an upload")
)

const (
	tmpDir    = "tmp"
	stagedDir = "staged"
	dirMode   = 0o750
	fileMode  = 0o640
	// copyBuffer is how much is read, hashed and written at a time.
	copyBuffer = 256 << 10
)

// Folder is a directory of files named by their content. It is safe for use by
// several goroutines.
type Folder struct {
	root   *os.Root
	disk   disk
	failed atomic.Bool  // a sync has failed: see ErrSync
	spare  atomic.Int64 // see KeepFree
	now    func() time.Time

	mu     sync.Mutex
	shards map[string]bool // directories that are known to be on the disk
	staged map[string]bool // uploads that are open
}

// disk is what tests make fail.
type disk struct {
	syncFile func(*os.File) error
	syncDir  func(*os.Root, string) error
}

// OpenFolder opens dir, which is made when it is missing.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("open photo folder %s: %w", dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open photo folder: %w", err)
	}
	f := &Folder{
		root: root, disk: disk{syncFile: (*os.File).Sync, syncDir: syncDir}, now: time.Now,
		shards: make(map[string]bool), staged: make(map[string]bool),
	}
	for _, name := range []string{tmpDir, stagedDir} {
		if err := f.makeDir(name); err != nil {
			return nil, errors.Join(fmt.Errorf("open photo folder %s: %w", dir, err), root.Close())
		}
	}
	return f, nil
}

// Close releases the directory. Files and uploads that are open stay usable.
func (f *Folder) Close() error { return f.root.Close() }

// makeDir makes a directory under the root and sees to it that it survives a
// power cut, once for each run of the program.
func (f *Folder) makeDir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shards[name] {
		return nil
	}
	if err := f.root.Mkdir(name, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return classify(err)
	}
	if err := f.syncedDir("."); err != nil {
		return err
	}
	f.shards[name] = true
	return nil
}

// place returns the path of a digest inside the root.
func place(d qc.Digest) (string, error) {
	if _, err := qc.ParseDigest(string(d)); err != nil {
		return "", err
	}
	return path.Join(string(d[:2]), string(d)), nil
}

// File is a stored file, open for reading. It knows its size.
type File struct {
	file interface {
		io.ReadSeeker
		io.ReaderAt
		io.Closer
	}
	size int64
}

// Size returns the length in bytes.
func (f *File) Size() int64 { return f.size }

// Read implements [io.Reader].
func (f *File) Read(p []byte) (int, error) { return f.file.Read(p) }

// ReadAt implements [io.ReaderAt].
func (f *File) ReadAt(p []byte, off int64) (int, error) { return f.file.ReadAt(p, off) }

// Seek implements [io.Seeker].
func (f *File) Seek(offset int64, whence int) (int64, error) { return f.file.Seek(offset, whence) }

// Close implements [io.Closer].
func (f *File) Close() error { return f.file.Close() }

// Open opens a stored file. It fails with [qc.ErrNotFound]. The bytes are not
// checked against the digest; [Folder.Read] and [Folder.Verify] do that.
func (f *Folder) Open(d qc.Digest) (*File, error) {
	name, err := place(d)
	if err != nil {
		return nil, fmt.Errorf("open photo file: %w", err)
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open photo file %s: %w", d, classify(err))
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open photo file %s: %w", d, err), file.Close())
	}
	return &File{file: file, size: info.Size()}, nil
}

// Read returns a whole file of at most limit bytes, checked against its digest.
// It fails with [qc.ErrNotFound], [ErrTooLarge] or [ErrDigest].
func (f *Folder) Read(d qc.Digest, limit int64) ([]byte, error) {
	file, err := f.Open(d)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.Size() > limit {
		return nil, fmt.Errorf("read photo file %s: %w: %d bytes", d, ErrTooLarge, file.Size())
	}
	data := make([]byte, file.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, fmt.Errorf("read photo file %s: %w", d, err)
	}
	if qc.DigestOf(data) != d {
		return nil, fmt.Errorf("read photo file %s: %w", d, ErrDigest)
	}
	return data, nil
}

// Has reports whether the file is here, and its size.
func (f *Folder) Has(d qc.Digest) (int64, bool, error) {
	name, err := place(d)
	if err != nil {
		return 0, false, fmt.Errorf("look for photo file: %w", err)
	}
	info, err := f.root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look for photo file %s: %w", d, err)
	}
	return info.Size(), true, nil
}

// Verify reads the whole file and fails with [ErrDigest] when it is damaged,
// or with [qc.ErrNotFound].
func (f *Folder) Verify(ctx context.Context, d qc.Digest) error {
	file, err := f.Open(d)
	if err != nil {
		return err
	}
	defer file.Close()
	got, _, err := digest(ctx, io.Discard, file)
	if err != nil {
		return fmt.Errorf("verify photo file %s: %w", d, err)
	}
	if got != d {
		return fmt.Errorf("verify photo file %s: %w", d, ErrDigest)
	}
	return nil
}

// StoredAt returns when the file was stored, or last put again, as the disk has it, or
// [qc.ErrNotFound].
func (f *Folder) StoredAt(d qc.Digest) (time.Time, error) {
	name, err := place(d)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for photo file: %w", err)
	}
	info, err := f.root.Stat(name)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for photo file %s: %w", d, classify(err))
	}
	return info.ModTime(), nil
}

// KeepFree has [Folder.Put] fail with [ErrFull] rather than leave less than
// that many bytes of the disk free: what was saved before needs room on its way.
func (f *Folder) KeepFree(bytes int64) { f.spare.Store(bytes) }

// Remove deletes a file. One that is not here is no error.
func (f *Folder) Remove(d qc.Digest) error {
	name, err := place(d)
	if err != nil {
		return fmt.Errorf("remove photo file: %w", err)
	}
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove photo file %s: %w", d, err)
	}
	return nil
}

// All yields the digests of all stored files in their order. An error ends it.
func (f *Folder) All() iter.Seq2[qc.Digest, error] {
	return func(yield func(qc.Digest, error) bool) {
		shards, err := fs.ReadDir(f.root.FS(), ".")
		if err != nil {
			yield("", fmt.Errorf("list photo files: %w", err))
			return
		}
		for _, shard := range shards {
			if !shard.IsDir() || len(shard.Name()) != 2 {
				continue
			}
			entries, err := fs.ReadDir(f.root.FS(), shard.Name())
			if err != nil {
				yield("", fmt.Errorf("list photo files: %w", err))
				return
			}
			for _, entry := range entries {
				d, err := qc.ParseDigest(entry.Name())
				if err != nil || string(d[:2]) != shard.Name() {
					continue // not ours
				}
				if !yield(d, nil) {
					return
				}
			}
		}
	}
}

// Sweep deletes what crashes have left behind: unfinished files and uploads
// last written before the given time. It returns how many went.
func (f *Folder) Sweep(before time.Time) (int, error) {
	swept := 0
	for _, dir := range []string{tmpDir, stagedDir} {
		entries, err := fs.ReadDir(f.root.FS(), dir)
		if err != nil {
			return swept, fmt.Errorf("sweep photo folder: %w", err)
		}
		for _, entry := range entries {
			info, err := entry.Info()
			if err != nil || !info.ModTime().Before(before) {
				continue // gone meanwhile, or still young
			}
			if err := f.root.Remove(path.Join(dir, entry.Name())); err == nil {
				swept++
			}
		}
	}
	return swept, nil
}

// digest copies r to w and returns the digest and number of the bytes. What it
// has read when r fails is written.
func digest(ctx context.Context, w io.Writer, r io.Reader) (qc.Digest, int64, error) {
	hash := sha256.New()
	n, err := copyBytes(ctx, io.MultiWriter(w, hash), r)
	if err != nil {
		return "", n, err
	}
	return qc.Digest(hex.EncodeToString(hash.Sum(nil))), n, nil
}

// copyBytes copies until the end of r or of ctx.
func copyBytes(ctx context.Context, w io.Writer, r io.Reader) (int64, error) {
	return io.CopyBuffer(onlyWriter{w}, &untilDone{ctx: ctx, from: r}, make([]byte, copyBuffer))
}

// onlyWriter hides everything but Write, so that the buffer's size holds.
type onlyWriter struct{ io.Writer }

// untilDone ends a long copy when nobody waits for it any more.
type untilDone struct {
	ctx  context.Context
	from io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.from.Read(p)
}
