//go:build !windows

package main

import "syscall"

// cpuTime is how many seconds of CPU the process has taken.
func cpuTime() float64 {
	var took syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &took); err != nil {
		return 0
	}
	return seconds(took.Utime) + seconds(took.Stime)
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
