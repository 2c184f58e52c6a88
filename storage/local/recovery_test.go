package local

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

var long = flag.Bool("long", false, "damage stores of 5,000 findings instead of 24")

const pageSize = 4096

// kinds are the ways in which a database goes bad. old is a copy that was taken
// when half of the findings were recorded.
var kinds = []struct {
	name   string
	damage func(t *testing.T, path string, old []byte)
}{
	{"zeroed pages", edited(func(d []byte) []byte { clear(d[2*pageSize : 9*pageSize]); return d })},
	{"cut at a page", edited(func(d []byte) []byte { return d[:6*pageSize] })},
	{"cut at an odd size", edited(func(d []byte) []byte { return d[:7*pageSize+1234] })},
	{"deleted", func(t *testing.T, path string, _ []byte) {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}},
	{"metas swapped", edited(func(d []byte) []byte {
		first := bytes.Clone(d[:pageSize])
		copy(d, d[pageSize:2*pageSize])
		copy(d[pageSize:], first)
		return d
	})},
	{"garbage for a header", edited(func(d []byte) []byte {
		for i := range d[:2*pageSize] {
			d[i] = byte(i * 7)
		}
		return d
	})},
	{"wrong page ids", edited(func(d []byte) []byte {
		for at := 2 * pageSize; at < len(d) && at < 200*pageSize; at += pageSize {
			native.PutUint64(d[at:], uint64(at/pageSize)+3)
		}
		return d
	})},
	{"empty file", edited(func([]byte) []byte { return nil })},
	{"directory in its place", func(t *testing.T, path string, _ []byte) {
		t.Helper()
		if err := errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "x"), 0o700)); err != nil {
			t.Fatal(err)
		}
	}},
	{"link to itself, which nobody can read", func(t *testing.T, path string, _ []byte) {
		t.Helper()
		if err := errors.Join(os.Remove(path), os.Symlink(path, path)); err != nil {
			t.Fatal(err)
		}
	}},
	{"old copy put back", func(t *testing.T, path string, old []byte) { t.Helper(); write(t, path, old) }},
	{"free list", edited(func(d []byte) []byte {
		for at := 0; at < len(d); at += pageSize {
			if native.Uint16(d[at+8:]) == freelistPage {
				for i := range 8 {
					native.PutUint64(d[at+pageHead+8*i:], 3)
				}
				native.PutUint16(d[at+10:], 8)
			}
		}
		return d
	})},
}

func edited(change func([]byte) []byte) func(*testing.T, string, []byte) {
	return func(t *testing.T, path string, _ []byte) {
		t.Helper()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, change(data))
	}
}

// copyTree copies a directory, as somebody does who moves a station. The zeros
// at the end of a database take no room.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if err != nil || entry.IsDir() {
			return errors.Join(err, os.MkdirAll(target, 0o750))
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		used := bytes.TrimRight(data, "\x00")
		return errors.Join(os.WriteFile(target, used, 0o600), os.Truncate(target, int64(len(data))))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTwelveKindsOfDamageLoseNothing damages the database while unsent findings
// and a draft wait, with and without a backup.
func TestTwelveKindsOfDamageLoseNothing(t *testing.T) {
	n := 24
	if *long {
		n = 5000
	}
	model := filled(t, n/2)
	dir := model.dir
	model.die()
	old, err := os.ReadFile(filepath.Join(dir, dbName))
	if err != nil {
		t.Fatal(err)
	}
	model.open()
	if _, err := model.KeepBackup(t.Context(), 24); err != nil {
		t.Fatal(err)
	}
	for i := n / 2; i < n; i++ {
		model.record(i, qc.Flag)
	}
	draft := qc.Draft{Finding: model.finding(n+1, ""), UpdatedAt: noon.Add(time.Hour)}
	if err := model.SaveDraft(t.Context(), draft); err != nil {
		t.Fatal(err)
	}
	model.die()
	for _, backup := range []bool{true, false} {
		for _, kind := range kinds {
			t.Run(fmt.Sprintf("%s, backup %t", kind.name, backup), func(t *testing.T) {
				b := &bench{t: t, dir: filepath.Join(t.TempDir(), "data")}
				copyTree(t, dir, b.dir)
				if !backup {
					if err := os.RemoveAll(b.path(backupDir)); err != nil {
						t.Fatal(err)
					}
				}
				kind.damage(t, b.path(dbName), old)
				began := time.Now()
				b.open()
				t.Logf("opened after %v: %+v", time.Since(began).Round(time.Millisecond), b.recovery)
				intact(t, b, n)
				restored := b.recovery.Backup != ""
				if restored && b.recovery.Restored+b.recovery.Replayed != n {
					t.Errorf("%d of %d findings accounted for", b.recovery.Restored+b.recovery.Replayed, n)
				}
				if rebuilt := b.recovery.Reason != ""; rebuilt && restored != backup {
					t.Errorf("backup %t, used %q", backup, b.recovery.Backup)
				}
				if event := b.record(n, qc.Flag); event.Seq != uint64(n)+1 {
					t.Errorf("the next event is %d", event.Seq)
				}
				b.close()
			})
		}
	}
}

func TestDraftsAreSalvagedFromTheDamagedDatabase(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"metas gone":     func(d []byte) []byte { clear(d[:2*pageSize]); return d },
		"free list gone": zeroPagesOf(freelistPage),
	} {
		t.Run(name, func(t *testing.T) {
			b := filled(t, 20)
			var long qc.Draft // longer than a page
			for i := range 3 {
				long = qc.Draft{Finding: b.finding(2000+i, ""), UpdatedAt: noon.Add(time.Hour)}
				for range 200 {
					long.Finding.Flaws = append(long.Finding.Flaws, qc.Flaw{Code: "H11", Note: "a long note about it"})
				}
				if err := b.SaveDraft(t.Context(), long); err != nil {
					t.Fatal(err)
				}
			}
			// A draft that a finding has ended must not come back.
			if err := b.SaveDraft(t.Context(), qc.Draft{Finding: b.finding(21, ""), UpdatedAt: noon.Add(-time.Hour)}); err != nil {
				t.Fatal(err)
			}
			b.record(21, qc.Flag)
			b.die()
			data, err := os.ReadFile(b.path(dbName))
			if err != nil {
				t.Fatal(err)
			}
			write(t, b.path(dbName), damage(data))
			b.open()
			drafts, err := b.Drafts(t.Context())
			if err != nil || b.recovery.Drafts < 3 || b.Recovery().Drafts != b.recovery.Drafts {
				t.Fatalf("%d drafts, %v; %+v", len(drafts), err, b.recovery)
			}
			for i := range 3 {
				draft, err := b.Draft(t.Context(), qc.ItemID(fmt.Sprintf("item-%d", 2000+i)))
				if err != nil || len(draft.Finding.Flaws) != 200 {
					t.Errorf("draft %d: %d flaws, %v", i, len(draft.Finding.Flaws), err)
				}
			}
			if _, err := b.Draft(t.Context(), "item-21"); !errors.Is(err, qc.ErrNotFound) {
				t.Errorf("the ended draft came back: %v", err)
			}
		})
	}
}

func zeroPagesOf(flags uint16) func([]byte) []byte {
	return func(d []byte) []byte {
		for at := 0; at < len(d); at += pageSize {
			if native.Uint16(d[at+8:]) == flags {
				clear(d[at : at+pageSize])
			}
		}
		return d
	}
}

func TestCopiedFolderBeginsANewLog(t *testing.T) {
	b := filled(t, 5)
	b.close()
	clone := &bench{t: t, dir: filepath.Join(t.TempDir(), "copy")}
	copyTree(t, b.dir, clone.dir)
	b.open()
	epoch := b.Epoch()
	if b.recovery.Copied {
		t.Error("the original takes itself for a copy")
	}
	clone.open()
	if !clone.recovery.Copied || !clone.recovery.NewEpoch || clone.Epoch() == epoch {
		t.Errorf("%+v, epoch %s", clone.recovery, clone.Epoch())
	}
	intact(t, clone, 5)
	again := clone.Epoch()
	clone.die()
	clone.open()
	if clone.recovery.Copied || clone.Epoch() != again {
		t.Errorf("copied twice: %+v", clone.recovery)
	}
	clone.close()
}

func TestJournalAndDatabaseLostLeaveTheBackupUnderANewLog(t *testing.T) {
	b := filled(t, 6)
	epoch := b.Epoch()
	if _, err := b.KeepBackup(t.Context(), 24); err != nil {
		t.Fatal(err)
	}
	b.record(6, qc.Flag) // lost with both
	b.close()
	if err := errors.Join(os.Remove(b.path(dbName)), os.RemoveAll(b.path(journalName))); err != nil {
		t.Fatal(err)
	}
	b.open()
	if !b.recovery.NewEpoch || b.Epoch() == epoch || b.recovery.Restored != 6 {
		t.Errorf("%+v", b.recovery)
	}
	if got := len(b.waiting()); got != 6 {
		t.Errorf("%d events", got)
	}
	b.check()
}

func TestDamagedBackupIsPassedOver(t *testing.T) {
	b := filled(t, 4)
	first, err := b.KeepBackup(t.Context(), 24)
	if err != nil {
		t.Fatal(err)
	}
	b.record(4, qc.Flag)
	second, err := b.KeepBackup(t.Context(), 24)
	if err != nil {
		t.Fatal(err)
	}
	b.die()
	edited(func(d []byte) []byte { clear(d[3*pageSize : 6*pageSize]); return d })(t, second.Path, nil)
	write(t, b.path(dbName), nil)
	if err := VerifyBackup(t.Context(), second.Path); !errors.Is(err, ErrDamaged) {
		t.Errorf("the damaged backup: %v", err)
	}
	b.open()
	intact(t, b, 5)
	if b.recovery.Backup != first.Path || b.recovery.Restored != 4 || b.recovery.Replayed != 1 {
		t.Errorf("%+v", b.recovery)
	}
}

// TestRepairMayBeCutOffAnywhere leaves the files as a kill between any two steps
// of a repair does.
func TestRepairMayBeCutOffAnywhere(t *testing.T) {
	for name, step := range map[string]func(*bench) error{
		"new file unfinished": func(b *bench) error { return os.WriteFile(b.path(dbName+".new"), []byte("half"), 0o600) },
		"both there": func(b *bench) error {
			return errors.Join(copyFile(b.path(dbName), b.path(dbName+".ready")), os.Truncate(b.path(dbName), 5*pageSize))
		},
		"damaged one gone": func(b *bench) error { return os.Rename(b.path(dbName), b.path(dbName+".ready")) },
	} {
		t.Run(name, func(t *testing.T) {
			b := filled(t, 8)
			b.die()
			if err := step(b); err != nil {
				t.Fatal(err)
			}
			b.open()
			intact(t, b, 8)
			if left, _ := filepath.Glob(b.path(dbName + ".ready")); len(left) > 0 {
				t.Error("the finished file is still beside the database")
			}
		})
	}
}

func TestBackupsAreCountedAndOneAtATime(t *testing.T) {
	b := filled(t, 3)
	write(t, b.path("x"), nil)
	for range 5 {
		if _, err := b.KeepBackup(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
	}
	all, err := Backups(b.dir)
	if err != nil || len(all) != 3 || all[0].Number != 5 || all[2].Number != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, backup := range all {
		if err := VerifyBackup(t.Context(), backup.Path); err != nil {
			t.Error(err)
		}
	}
	b.backing.Lock()
	if _, err := b.KeepBackup(t.Context(), 3); !errors.Is(err, ErrBackupRuns) {
		t.Errorf("a second one at once: %v", err)
	}
	b.backing.Unlock()
	// One that would not be sound is never kept.
	err = b.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(inDrafts).Put([]byte("x"), []byte("{")) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.KeepBackup(t.Context(), 3); !errors.Is(err, ErrDamaged) {
		t.Errorf("backup of damaged data: %v", err)
	}
	if after, err := Backups(b.dir); err != nil || len(after) != 3 || after[0].Number != 5 {
		t.Errorf("%+v, %v", after, err)
	}
}
