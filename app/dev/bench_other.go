//go:build !linux

package main

import (
	"errors"
	"os"
)

// usage knows the CPU time only: bench does not run here.
func usage(state *os.ProcessState) (cpu, rss float64) {
	return (state.UserTime() + state.SystemTime()).Seconds(), 0
}

func freeSpace(string) (int64, error) { return 0, errors.ErrUnsupported }
