package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const childEnv = "FLAWMARK_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir, os.Getenv("FLAWMARK_TEST_EARLY") != ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child saves small files for ever; early, it promises each before it is saved.
func child(dir string, early bool) error {
	for n := 0; ; n++ {
		name := fmt.Sprintf("%d-%d", os.Getpid(), n)
		if early {
			if err := Keep(os.Stdout, Promise(name)); err != nil {
				return err
			}
			time.Sleep(2 * time.Millisecond)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			return err
		}
		if !early {
			if err := Keep(os.Stdout, Promise(name)); err != nil {
				return err
			}
		}
	}
}

func rig(t *testing.T, early bool) Kills {
	t.Helper()
	dir := t.TempDir()
	return Kills{
		Seed: 1, Promises: 200, Lives: 5, PerLife: 20, After: time.Millisecond,
		Command: func(ctx context.Context) *exec.Cmd {
			cmd := exec.CommandContext(ctx, os.Args[0])
			cmd.Env = append(os.Environ(), childEnv+"="+dir)
			if early {
				cmd.Env = append(cmd.Env, "FLAWMARK_TEST_EARLY=1")
			}
			return cmd
		},
		Check: func(promises []Promise) (broken []Promise, err error) {
			for _, promise := range promises {
				data, err := os.ReadFile(filepath.Join(dir, string(promise)))
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return nil, err
				}
				if !bytes.Equal(data, []byte(promise)) {
					broken = append(broken, promise)
				}
			}
			return broken, nil
		},
	}
}

func TestKillsFindNothingWhenPromisesAreKept(t *testing.T) {
	out := rig(t, false).Run(t)
	if len(out.Broken) > 0 || out.Kills < 5 || len(out.Promises) < 200 {
		t.Errorf("after %d kills %d of %d promises are broken: %v", out.Kills, len(out.Broken), len(out.Promises), out.Broken)
	}
}

func TestKillsFindPromisesMadeTooEarly(t *testing.T) {
	out := rig(t, true).Run(t)
	if len(out.Broken) == 0 {
		t.Errorf("%d kills found nothing in a child that promises before it saves", out.Kills)
	}
}
