//go:build !windows

package local

import (
	"errors"
	"os"
	"strconv"
	"syscall"
)

// mappedAtFirst is the address space that the database gets at once, so that a
// growing file never has to wait for readers.
const mappedAtFirst = 256 << 20

// lockExclusively opens path and locks it. It returns nil and no error when
// somebody else has the lock.
func lockExclusively(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return file, nil
	}
	closeErr := file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, closeErr
	}
	return nil, errors.Join(err, closeErr)
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func rename(from, to string) error { return os.Rename(from, to) }

// isFull reports that a disk or a quota has no room.
func isFull(err error) bool {
	return errors.Is(err, ErrFull) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// isUnreadable reports a bad sector, or a path that leads to no file.
func isUnreadable(err error) bool {
	return errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EISDIR)
}

// placeOf names where a file lies, the same as long as it is not copied: its
// number in the file system, or nothing where that does not last. Device numbers
// change between starts.
func placeOf(file *os.File) (string, error) {
	if !numbersLast(file) {
		return "", nil
	}
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", nil
	}
	return strconv.FormatUint(uint64(stat.Ino), 16), nil
}
