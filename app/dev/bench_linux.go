package main

import (
	"fmt"
	"os"
	"syscall"
)

// usage is what an ended process took: seconds of CPU and, at its peak, MiB of
// memory. Linux counts what the parent had when it started the child as the
// child's, so that about 15 MiB are the least there is.
func usage(state *os.ProcessState) (cpu, rss float64) {
	cpu = (state.UserTime() + state.SystemTime()).Seconds()
	if took, ok := state.SysUsage().(*syscall.Rusage); ok {
		rss = float64(took.Maxrss) / 1024
	}
	return cpu, rss
}

// freeSpace is how many bytes can still be written below dir.
func freeSpace(dir string) (int64, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, fmt.Errorf("ask for free space: %w", err)
	}
	return int64(disk.Bavail) * int64(disk.Bsize), nil
}
