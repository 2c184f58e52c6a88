package local

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// TestStoresOfEveryVersionOpen opens the stores that earlier versions wrote,
// each with six findings, a photo of the first one stored.
func TestStoresOfEveryVersionOpen(t *testing.T) {
	for version := 1; version <= len(migrations); version++ {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			b := &bench{t: t, dir: t.TempDir()}
			golden(t, b.dir, version)
			b.open()
			if b.recovery.Repaired() {
				t.Errorf("%+v", b.recovery)
			}
			if got := len(b.waiting()); got != 6 {
				t.Errorf("%d events", got)
			}
			if counts := b.counts(); counts.PhotosWaiting != 11 || counts.PhotosTotal != 12 {
				t.Errorf("%+v", counts)
			}
			if draft, err := b.Draft(t.Context(), "item-1000"); err != nil || len(draft.Finding.Photos) != 2 {
				t.Errorf("%+v, %v", draft, err)
			}
			if event := b.record(6, qc.Flag); event.Seq != 7 {
				t.Errorf("the next event is %d", event.Seq)
			}
			b.check()
			b.close()
		})
	}
}

// golden lays out the store that a version has left in testdata.
func golden(t *testing.T, dir string, version int) {
	t.Helper()
	from := fmt.Sprintf("testdata/schema%d/", version)
	packed, err := os.Open(from + "station.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	reader, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	database, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/"+dbName, database)
	if err := os.Mkdir(dir+"/"+journalName, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"000001.qcj", "identity.json"} {
		if err := copyFile(from+name, dir+"/"+journalName+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
}

// rungs are steps behind the present version, each of which turns a number up
// in every draft: a step that ran twice, or by half, shows.
func rungs(extra int, at func(step int)) []func(*bbolt.Tx) error {
	steps := append([]func(*bbolt.Tx) error(nil), migrations[:]...)
	for step := range extra {
		steps = append(steps, func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("rungs"))
			if err != nil {
				return err
			}
			for i := range 20 {
				key := eventKey(uint64(i))
				n, _ := strconv.Atoi(string(bucket.Get(key)))
				if err := bucket.Put(key, []byte(strconv.Itoa(n*10+step+1))); err != nil {
					return err
				}
				if i == 10 {
					at(step)
				}
			}
			return nil
		})
	}
	return steps
}

const (
	migrateDir  = "FLAWMARK_TEST_MIGRATE"
	migrateStop = "FLAWMARK_TEST_MIGRATE_STOP"
)

// TestMigrationKilledAtAnyStepGoesOn runs the steps in a child that is killed
// in the middle of each in turn.
func TestMigrationKilledAtAnyStepGoesOn(t *testing.T) {
	const extra = 4
	if dir := os.Getenv(migrateDir); dir != "" {
		stop, _ := strconv.Atoi(os.Getenv(migrateStop))
		db, err := openBolt(dir, false)
		if err != nil {
			t.Fatal(err)
		}
		_ = migrate(db, rungs(extra, func(step int) {
			if step == stop {
				self, _ := os.FindProcess(os.Getpid())
				_ = self.Kill()
				select {}
			}
		}))
		t.Fatal("not killed")
	}
	b := filled(t, 3)
	b.close()
	for stop := range extra {
		child := exec.Command(os.Args[0], "-test.run=^TestMigrationKilledAtAnyStepGoesOn$")
		child.Env = append(os.Environ(), migrateDir+"="+b.path(dbName), migrateStop+"="+strconv.Itoa(stop))
		out, err := child.CombinedOutput()
		if err == nil || strings.Contains(string(out), "FAIL") {
			t.Fatalf("child: %v\n%s", err, out)
		}
		if err := checkPages(b.path(dbName)); err != nil {
			t.Fatal(err)
		}
		if got := rungsAt(t, b.path(dbName)); got != len(migrations)+stop {
			t.Errorf("killed in step %d: version %d", stop, got)
		}
	}
	db, err := openBolt(b.path(dbName), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrate(db, rungs(extra, func(int) {})); err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("rungs")).ForEach(func(key, value []byte) error {
			if string(value) != "1234" {
				return fmt.Errorf("%x is %s", key, value)
			}
			return nil
		})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Error(err)
	}
	// To this program, that is a later version's data: refused, and not touched.
	before, err := os.ReadFile(b.path(dbName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(b.dir, Options{Now: now}); !errors.Is(err, ErrNewer) {
		t.Errorf("Open: %v", err)
	}
	if after, err := os.ReadFile(b.path(dbName)); err != nil || string(after) != string(before) {
		t.Errorf("a newer database was changed: %v", err)
	}
}

func rungsAt(t *testing.T, path string) (version int) {
	t.Helper()
	db, err := openBolt(path, true)
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bbolt.Tx) (err error) {
		version, err = schemaOf(tx)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return version
}
