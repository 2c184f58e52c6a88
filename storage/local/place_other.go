//go:build !windows && !linux

package local

import "os"

// numbersLast reports whether a file system gives a file the same number at
// each mount, as those that these systems start from do.
func numbersLast(*os.File) bool { return true }
