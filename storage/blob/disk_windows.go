package blob

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// Errors of Windows that package syscall has no names for.
const (
	errSharingViolation = syscall.Errno(32)
	errHandleDiskFull   = syscall.Errno(39)
	errDiskFull         = syscall.Errno(112)
)

// syncDir does nothing: Windows has no such call, and NTFS keeps names in its
// own journal.
func syncDir(*os.Root, string) error { return nil }

// rename tries for two seconds, because virus scanners and indexers hold new
// files open for a moment.
func rename(root *os.Root, from, to string) error {
	const tries, pause = 40, 50 * time.Millisecond
	var err error
	for range tries {
		err = root.Rename(from, to)
		if !errors.Is(err, errSharingViolation) && !errors.Is(err, syscall.ERROR_ACCESS_DENIED) {
			return err
		}
		time.Sleep(pause)
	}
	return err
}

// isFull reports that a disk has no room.
func isFull(err error) bool {
	return errors.Is(err, ErrFull) || errors.Is(err, errDiskFull) || errors.Is(err, errHandleDiskFull)
}
