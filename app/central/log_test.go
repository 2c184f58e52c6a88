package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestLog_GoesOnInANewFileWhenItIsFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, file, err := openLog(dir, io.Discard)
	must(t, err)
	must(t, os.Truncate(filepath.Join(dir, logName), 20<<20))
	log.Error("one line more")
	must(t, file.Close())
	found, err := filepath.Glob(filepath.Join(dir, logName+".*"))
	must(t, err)
	info, err := os.Stat(filepath.Join(dir, logName))
	must(t, err)
	if len(found) != 1 || info.Size() == 0 || info.Size() > 1000 {
		t.Errorf("%d files were set aside, the new one has %d bytes", len(found), info.Size())
	}
}
