package storagetest_test

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

	"flawmark/storage/storagetest"
)

// saveFiles saves small files for ever; early, it promises each before it is saved.
func saveFiles(dir string, early bool) error {
	for n := 0; ; n++ {
		name := fmt.Sprintf("%d-%d", os.Getpid(), n)
		if early {
			if err := storagetest.Keep(os.Stdout, storagetest.Promise(name)); err != nil {
				return err
			}
			time.Sleep(2 * time.Millisecond)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			return err
		}
		if !early {
			if err := storagetest.Keep(os.Stdout, storagetest.Promise(name)); err != nil {
				return err
			}
		}
	}
}

func rig(t *testing.T, early bool) storagetest.Kills {
	t.Helper()
	dir := t.TempDir()
	return storagetest.Kills{
		Seed: 1, Promises: 200, Lives: 5, PerLife: 20, After: time.Millisecond,
		Command: func(ctx context.Context) *exec.Cmd {
			work := "files"
			if early {
				work = "files, early"
			}
			return childCommand(ctx, dir, work)
		},
		Check: func(promises []storagetest.Promise) (broken []storagetest.Promise, err error) {
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
