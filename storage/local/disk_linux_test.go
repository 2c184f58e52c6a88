package local

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"flawmark/app/qc"
)

// TestFullDiskLosesNothing fills a small disk with findings, wherever the room
// happens to end, and then gives it more room. It needs to mount one, which
// takes a privileged process; the classification alone is tested everywhere.
func TestFullDiskLosesNothing(t *testing.T) {
	if !errors.Is(classify(syscall.ENOSPC), ErrFull) || !errors.Is(classify(syscall.EDQUOT), ErrFull) {
		t.Error("a full disk is not recognised")
	}
	for size := 600; size <= 1000; size += 40 { // the end falls into the journal or into the database
		t.Run(fmt.Sprintf("%dk", size), func(t *testing.T) {
			b := &bench{t: t, dir: t.TempDir()}
			if err := syscall.Mount("tmpfs", b.dir, "tmpfs", 0, fmt.Sprintf("size=%dk", size)); err != nil {
				t.Logf("no small disk to fill: %v", err)
				return
			}
			t.Cleanup(func() {
				if err := syscall.Unmount(b.dir, 0); err != nil {
					t.Error(err)
				}
			})
			b.open()
			saved := 0
			save := func(n int) error {
				f := b.finding(n, qc.Flag)
				f.Flaws = []qc.Flaw{{ID: "x", Note: strings.Repeat("很", 3000+n*17%1000)}}
				_, err := b.Record(t.Context(), qc.FindingRecorded, "wang", noon, f)
				if err == nil {
					saved++
				}
				return err
			}
			refused := 0
			for n := 0; refused < 5; n++ {
				err := save(n)
				if err != nil {
					refused++
				}
				if err != nil && !errors.Is(err, ErrFull) {
					t.Fatalf("after %d findings: %v", saved, err)
				}
				if n > 1000 {
					t.Fatal("the disk is never full")
				}
			}
			if len(b.waiting()) != saved {
				t.Fatalf("%d findings saved, %d wait", saved, len(b.waiting()))
			}
			if err := syscall.Mount("tmpfs", b.dir, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
				t.Fatal(err)
			}
			for n := range 3 {
				if err := save(2000 + n); err != nil {
					t.Fatalf("with room again: %v", err)
				}
			}
			b.check()
			b.die()
			b.open()
			defer b.close()
			if len(b.waiting()) != saved || b.recovery.Repaired() {
				t.Errorf("%d findings saved, %d wait; %+v", saved, len(b.waiting()), b.recovery)
			}
			b.check()
		})
	}
}
