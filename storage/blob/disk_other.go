//go:build !windows

package blob

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// syncDir makes the names in a directory durable.
func syncDir(root *os.Root, name string) error {
	dir, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func rename(root *os.Root, from, to string) error { return root.Rename(from, to) }

// isFull reports that a disk or a quota has no room.
func isFull(err error) bool {
	return errors.Is(err, ErrFull) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// SpaceOf returns the room on the disk of a folder.
func SpaceOf(dir string) (Space, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return Space{}, fmt.Errorf("ask for free space: %w", err)
	}
	block := int64(stat.Bsize)
	return Space{Free: int64(stat.Bavail) * block, Total: int64(stat.Blocks) * block}, nil
}
