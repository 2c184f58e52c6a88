package local

import (
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"
)

// mappedAtFirst is nothing: Windows would make the file that large at once.
const mappedAtFirst = 0

// Errors of Windows that package syscall has no names for.
const (
	errSharingViolation = syscall.Errno(32)
	errHandleDiskFull   = syscall.Errno(39)
	errDiskFull         = syscall.Errno(112)
)

// lockExclusively opens path so that nobody else can. It returns nil and no
// error when somebody else has it open.
func lockExclusively(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharingViolation) {
		return nil, nil
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}

// syncDir does nothing: Windows has no such call, and NTFS keeps names in its
// own journal.
func syncDir(string) error { return nil }

// rename tries for two seconds, because virus scanners and indexers hold new
// files open for a moment.
func rename(from, to string) error {
	const tries, pause = 40, 50 * time.Millisecond
	var err error
	for range tries {
		err = os.Rename(from, to)
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

// isUnreadable reports a bad sector.
func isUnreadable(err error) bool {
	const crc, deviceError = syscall.Errno(23), syscall.Errno(1117)
	return errors.Is(err, crc) || errors.Is(err, deviceError)
}

// placeOf names where a file lies, the same as long as it is not copied: its
// number in the file system, or nothing where that is not to be had.
func placeOf(file *os.File) (string, error) {
	var info syscall.ByHandleFileInformation
	if err := syscall.GetFileInformationByHandle(syscall.Handle(file.Fd()), &info); err != nil {
		return "", nil
	}
	return strconv.FormatUint(uint64(info.FileIndexHigh)<<32|uint64(info.FileIndexLow), 16), nil
}
