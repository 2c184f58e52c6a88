package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"flawmark/app/qc"
)

// Put stores what r holds and returns its digest and length once the bytes are
// on the disk. Storing what is already here succeeds, after a check that it is
// undamaged. It fails with [ErrFull] or [ErrSync], and then nothing is stored.
func (f *Folder) Put(ctx context.Context, r io.Reader) (qc.Digest, int64, error) {
	d, n, err := f.put(ctx, r)
	if err != nil {
		return "", 0, fmt.Errorf("store photo file: %w", classify(err))
	}
	return d, n, nil
}

// PutBytes is [Folder.Put] for bytes in memory.
func (f *Folder) PutBytes(ctx context.Context, data []byte) (qc.Digest, error) {
	d, _, err := f.Put(ctx, bytes.NewReader(data))
	return d, err
}

func (f *Folder) put(ctx context.Context, r io.Reader) (_ qc.Digest, _ int64, err error) {
	if f.failed.Load() {
		return "", 0, ErrSync
	}
	if spare := f.spare.Load(); spare > 0 {
		if space, err := SpaceOf(f.root.Name()); err == nil && space.Free < spare {
			return "", 0, fmt.Errorf("%w: %d bytes are free, %d are to stay so", ErrFull, space.Free, spare)
		}
	}
	temp := path.Join(tmpDir, rand.Text())
	file, err := f.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode)
	if err != nil {
		return "", 0, err
	}
	kept := false
	defer func() {
		if !kept {
			// The name in tmp is ours alone; whatever goes wrong here, Sweep finds it.
			_ = file.Close()
			_ = f.root.Remove(temp)
		}
	}()
	d, n, err := digest(ctx, file, r)
	if err != nil {
		return "", 0, err
	}
	if err := f.syncedFile(file); err != nil {
		return "", 0, err
	}
	if err := file.Close(); err != nil {
		return "", 0, err
	}
	kept, err = f.publish(ctx, temp, d, n)
	return d, n, err
}

// publish gives a synced file its final name, unless that is taken by the same
// content, and makes the name durable. It reports whether temp is gone.
func (f *Folder) publish(ctx context.Context, temp string, d qc.Digest, size int64) (moved bool, err error) {
	name, err := place(d)
	if err != nil {
		return false, err
	}
	if err := f.makeDir(path.Dir(name)); err != nil {
		return false, err
	}
	there, err := f.intact(ctx, d, size)
	if err != nil {
		return false, err
	}
	if there {
		now := f.now() // it is as young as a new one to whoever clears old files
		if err := f.root.Chtimes(name, now, now); err != nil {
			return false, err
		}
	} else if err := rename(f.root, temp, name); err != nil {
		return false, err
	}
	// Also when the name was taken: who made it may not have come to this line.
	return !there, f.syncedDir(path.Dir(name))
}

// intact reports whether the file is here with the content it is named by. A
// damaged one (bit rot, a disk that lied) is to be replaced.
func (f *Folder) intact(ctx context.Context, d qc.Digest, size int64) (bool, error) {
	have, ok, err := f.Has(d)
	if err != nil || !ok || have != size {
		return false, err
	}
	switch err := f.Verify(ctx, d); {
	case err == nil:
		return true, nil
	case errors.Is(err, ErrDigest) || errors.Is(err, qc.ErrNotFound):
		return false, nil
	default:
		return false, err
	}
}

// syncedFile makes a file's bytes durable. It is never tried twice: after a
// failure the system may count the lost pages as written.
func (f *Folder) syncedFile(file *os.File) error {
	return f.confirmed(f.disk.syncFile(file))
}

func (f *Folder) syncedDir(name string) error {
	return f.confirmed(f.disk.syncDir(f.root, name))
}

func (f *Folder) confirmed(err error) error {
	if err == nil {
		return nil
	}
	if isFull(err) {
		return err
	}
	f.failed.Store(true)
	return fmt.Errorf("%w: %w", ErrSync, err)
}

// classify puts the names of this package to errors of the system.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case isFull(err) && !errors.Is(err, ErrFull):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", qc.ErrNotFound, err)
	}
	return err
}
