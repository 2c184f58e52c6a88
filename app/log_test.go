package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A window may stay open for months.
func TestLog_GoesOnInANewFileWhenItIsFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, file, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	full := os.Truncate(filepath.Join(dir, logName), 20<<20)
	log.Error("one line more")
	if err := errors.Join(full, file.Close()); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, logName+".*"))
	info, missing := os.Stat(filepath.Join(dir, logName))
	if err := errors.Join(err, missing); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || info.Size() == 0 || info.Size() > 1000 {
		t.Errorf("%d files were set aside, the new one has %d bytes", len(found), info.Size())
	}
	if err := mayReplace(t.Context(), dir, false); err != nil {
		t.Errorf("a folder that holds nothing but logs may not be restored into: %v", err)
	}
}
