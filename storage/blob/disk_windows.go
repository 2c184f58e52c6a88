package blob

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"
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

// SpaceOf returns the room on the disk of a folder.
func SpaceOf(dir string) (Space, error) {
	name, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return Space{}, fmt.Errorf("ask for free space: %w", err)
	}
	var free, total, all uint64
	ask := syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")
	ok, _, err := ask.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&free)),
		uintptr(unsafe.Pointer(&total)), uintptr(unsafe.Pointer(&all)))
	if ok == 0 {
		return Space{}, fmt.Errorf("ask for free space: %w", err)
	}
	return Space{Free: int64(free), Total: int64(total)}, nil
}
