package blob

import (
	"bytes"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"flawmark/app/qc"
	"flawmark/storage/storagetest"
)

// TestFullDisk needs to mount a small disk, which takes a privileged process;
// the classification alone is tested everywhere.
func TestFullDisk(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if !errors.Is(classify(errno), ErrFull) {
			t.Errorf("%v is not taken for a full disk", errno)
		}
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Logf("no small disk to fill: %v", err)
		return
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	f, err := OpenFolder(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	large := bytes.Repeat([]byte("x"), 1<<20)
	if _, err := f.PutBytes(t.Context(), large); !errors.Is(err, ErrFull) {
		t.Errorf("Put: %v", err)
	}
	s, err := f.Stage("u1")
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Append(t.Context(), bytes.NewReader(large), int64(len(large)))
	if !errors.Is(err, ErrFull) || n != s.Size() {
		t.Errorf("Append = %d of %d, %v", n, s.Size(), err)
	}
	if err := s.Discard(); err != nil {
		t.Error(err)
	}
	// There is room again: a full disk is not the end.
	if d, err := f.PutBytes(t.Context(), large[:1000]); err != nil || d != qc.DigestOf(large[:1000]) {
		t.Errorf("Put afterwards = %s, %v", d, err)
	}
}

// TestFullDisk_OfTheStore fills the disk of the object store. It needs to mount,
// too; what stores answer then is tried everywhere.
func TestFullDisk_OfTheStore(t *testing.T) {
	server := storagetest.StartS3(t)
	address := server.Bucket(t)
	dir := server.Object(address, "")
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Logf("no small disk to fill: %v", err)
		return
	}
	t.Cleanup(func() {
		server.Stop(t)
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	b := openBucket(t, server, address, nil)
	large := bytes.Repeat([]byte("0123456789abcdef"), 3<<18) // 12 MiB: three pieces
	if d, _, err := b.Put(t.Context(), bytes.NewReader(large)); !errors.Is(err, ErrFull) || d != "" {
		t.Errorf("Put = %q, %v", d, err)
	}
	s := stage(t, b, "u1")
	n, err := s.Append(t.Context(), bytes.NewReader(large), int64(len(large)))
	if !errors.Is(err, ErrFull) || n != pieceSize || s.Size() != n {
		t.Errorf("Append = %d of %d, %v", n, s.Size(), err)
	}
	_ = s.Close()
	if s = stage(t, b, "u1"); s.Size() != pieceSize {
		t.Errorf("%d bytes are there, %d were acknowledged", s.Size(), pieceSize)
	}
	if err := s.Discard(); err != nil {
		t.Error(err)
	}
	// There is room again: a full disk is not the end.
	if d, err := b.PutBytes(t.Context(), large[:1000]); err != nil || d != qc.DigestOf(large[:1000]) {
		t.Errorf("Put afterwards = %s, %v", d, err)
	}
}
