package local

import (
	"os"
	"syscall"
)

// numbersLast reports whether a file system gives a file the same number at
// each mount. FAT and many of those in user space make them up as they go.
func numbersLast(file *os.File) bool {
	const fat, exfat, fuse, plan9 = 0x4D44, 0x2011BAB0, 0x65735546, 0x01021997
	var stat syscall.Statfs_t
	if err := syscall.Fstatfs(int(file.Fd()), &stat); err != nil {
		return false
	}
	switch uint32(stat.Type) {
	case fat, exfat, fuse, plan9:
		return false
	}
	return true
}
