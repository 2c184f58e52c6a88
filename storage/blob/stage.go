package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"

	"flawmark/app/qc"
)

// stagedFile is a [Staged] of a folder: a file whose bytes are on the disk,
// but may not be all. It has one user at a time.
type stagedFile struct {
	folder *Folder
	id     string
	file   *os.File
	size   int64
	once   sync.Once
}

// Stage opens the upload with that id, new or where it was left. An id has 1 to
// 128 letters, digits, hyphens and underscores. It fails with [ErrName], with
// [ErrBusy] while the upload is open elsewhere, [ErrFull] or [ErrSync].
func (f *Folder) Stage(id string) (Staged, error) {
	if err := checkUploadID(id); err != nil {
		return nil, err
	}
	f.mu.Lock()
	busy := f.staged[id]
	f.staged[id] = true
	f.mu.Unlock()
	if busy {
		return nil, fmt.Errorf("open upload %s: %w", id, ErrBusy)
	}
	s := &stagedFile{folder: f, id: id}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open upload %s: %w", id, classify(err)), s.Close())
	}
	return s, nil
}

func checkUploadID(id string) error {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if id == "" || len(id) > 128 || strings.Trim(id, letters) != "" {
		return fmt.Errorf("%w: %.80q", ErrName, id)
	}
	return nil
}

func (s *stagedFile) path() string { return path.Join(stagedDir, s.id) }

func (s *stagedFile) open() error {
	if s.folder.failed.Load() {
		return ErrSync
	}
	file, err := s.folder.root.OpenFile(s.path(), os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	s.file = file
	info, err := file.Stat()
	if err != nil {
		return err
	}
	s.size = info.Size()
	return s.folder.syncedDir(stagedDir)
}

// Size returns how many bytes are here.
func (s *stagedFile) Size() int64 { return s.size }

// Append adds at most limit bytes of r and returns how many were added; they are
// on the disk, also when it fails because r broke off or ctx ended. It fails
// with [ErrFull] or [ErrSync].
func (s *stagedFile) Append(ctx context.Context, r io.Reader, limit int64) (int64, error) {
	if s.folder.failed.Load() {
		return 0, fmt.Errorf("append to upload %s: %w", s.id, ErrSync)
	}
	n, copyErr := copyBytes(ctx, io.NewOffsetWriter(s.file, s.size), io.LimitReader(r, limit))
	if err := s.folder.syncedFile(s.file); err != nil {
		return 0, fmt.Errorf("append to upload %s: %w", s.id, classify(err))
	}
	s.size += n
	if copyErr != nil {
		return n, fmt.Errorf("append to upload %s: %w", s.id, classify(copyErr))
	}
	return n, nil
}

// Publish checks the whole content against want and makes it a file of the
// folder. It fails with [ErrDigest] when it is something else, and then the
// upload is discarded. The upload is closed in any case.
func (s *stagedFile) Publish(ctx context.Context, want qc.Digest) (int64, error) {
	got, size, err := digest(ctx, io.Discard, io.NewSectionReader(s.file, 0, s.size))
	if err != nil {
		return 0, errors.Join(fmt.Errorf("publish upload %s: %w", s.id, err), s.Close())
	}
	if got != want {
		return 0, errors.Join(fmt.Errorf("publish upload %s: %w: %s", s.id, ErrDigest, got), s.Discard())
	}
	// A run that was killed may have left bytes beyond those that were promised
	// in the same file; they were hashed above, and must be as durable.
	if err := s.folder.syncedFile(s.file); err != nil {
		return 0, errors.Join(fmt.Errorf("publish upload %s: %w", s.id, classify(err)), s.Close())
	}
	if err := s.file.Close(); err != nil { // Windows renames no open file
		return 0, fmt.Errorf("publish upload %s: %w", s.id, err)
	}
	defer s.Close()
	moved, err := s.folder.publish(ctx, s.path(), got, size)
	if err != nil {
		return 0, fmt.Errorf("publish upload %s: %w", s.id, classify(err))
	}
	if !moved {
		_ = s.folder.root.Remove(s.path()) // Sweep finds it otherwise
	}
	return size, nil
}

// Discard deletes what has arrived, and closes the upload.
func (s *stagedFile) Discard() error {
	closeErr := s.Close()
	if err := s.folder.root.Remove(s.path()); err != nil && !errors.Is(classify(err), qc.ErrNotFound) {
		return fmt.Errorf("discard upload %s: %w", s.id, err)
	}
	return closeErr
}

// Close leaves the upload for later. Closing twice is no error.
func (s *stagedFile) Close() error {
	var err error
	s.once.Do(func() {
		if s.file != nil {
			if err = s.file.Close(); errors.Is(err, os.ErrClosed) {
				err = nil
			}
		}
		s.folder.mu.Lock()
		delete(s.folder.staged, s.id)
		s.folder.mu.Unlock()
	})
	return err
}
