package central

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// sharingViolation is ERROR_SHARING_VIOLATION: another process has the file.
const sharingViolation = syscall.Errno(32)

// lockFolder takes the folder's lock file for this process by opening it
// without sharing, or fails with [ErrInUse] at once. The system closes the
// file, and so frees it, when the process dies.
func lockFolder(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, path)
	}
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	return os.NewFile(uintptr(handle), path), nil
}

// unlockFolder frees the folder.
func unlockFolder(lock *os.File) error { return lock.Close() }
