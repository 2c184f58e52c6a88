package storagetest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The environment of a child of the rigs.
const (
	childDir  = "FLAWMARK_TEST_CHILD"
	childWork = "FLAWMARK_TEST_WORK"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir, os.Getenv(childWork)); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(dir, work string) error {
	switch work {
	case "files":
		return saveFiles(dir, false)
	case "files, early":
		return saveFiles(dir, true)
	}
	return inspect(context.Background(), dir, work)
}

func childCommand(ctx context.Context, dir, work string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childWork+"="+work)
	return cmd
}
