package local_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"flawmark/app/qc"
	"flawmark/storage/blob"
	"flawmark/storage/local"
	"flawmark/storage/storagetest"
)

// How the child of the kill rig goes about a finding.
const (
	childDir  = "FLAWMARK_TEST_CHILD"
	childMode = "FLAWMARK_TEST_MODE"

	modeHonest = "honest" // photo, record, then the promise
	modeEarly  = "early"  // the promise before the record: a planted fault
	modeBlob   = "blob"   // the record before the photo: a planted fault
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := inspect(context.Background(), dir, os.Getenv(childMode)); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Each step of a history waits for the disk; -rapid.checks asks for more.
	if err := flag.Set("rapid.checks", "20"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// inspect saves findings with photos until it is killed.
func inspect(ctx context.Context, dir, mode string) error {
	photos, err := samplePhotos()
	if err != nil {
		return err
	}
	folder, err := blob.OpenFolder(filepath.Join(dir, "blobs"))
	if err != nil {
		return err
	}
	store, err := local.Open(dir, local.Options{Now: time.Now})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		// Each photo is another one, as from a camera.
		id := uuid.NewString()
		data := append(append([]byte(nil), photos[n%len(photos)]...), id...)
		finding := qc.Finding{ID: qc.FindingID(id), Revision: 1, Item: qc.ItemID("item-" + id), Verdict: qc.Flag}
		finding.Photos = []qc.Photo{{ID: "p", Digest: qc.DigestOf(data), Bytes: int64(len(data)), MediaType: "image/jpeg"}}
		keep := func() error {
			return storagetest.Keep(os.Stdout, storagetest.Promise(id+" "+string(qc.DigestOf(data))))
		}
		record := func() error {
			_, err := store.Record(ctx, qc.FindingRecorded, "wang", time.Now(), finding)
			return err
		}
		put := func() error {
			_, err := folder.PutBytes(ctx, data)
			return err
		}
		steps := map[string][]func() error{
			modeHonest: {put, record, keep},
			modeEarly:  {put, keep, record},
			modeBlob:   {record, keep, put},
		}[mode]
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
	}
}

func samplePhotos() ([][]byte, error) {
	paths, err := filepath.Glob("../../assets/photos/*.jpg")
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no sample photos: %w", errors.Join(err, fs.ErrNotExist))
	}
	var photos [][]byte
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		photos = append(photos, data[:min(len(data), 512<<10)])
	}
	return photos, nil
}

// kept returns the promises that the station in dir does not keep, as a new
// start of the program finds it.
func kept(ctx context.Context, dir string, promises []storagetest.Promise) (broken []storagetest.Promise, err error) {
	folder, err := blob.OpenFolder(filepath.Join(dir, "blobs"))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	var repaired local.Recovery
	store, err := local.Open(dir, local.Options{Now: time.Now, Recovered: func(r local.Recovery) { repaired = r }})
	if err != nil {
		return nil, err
	}
	if repaired.Reason != "" || len(repaired.SetAside) > 0 {
		err = fmt.Errorf("a kill alone must damage nothing: %+v", repaired)
	}
	err = errors.Join(err, store.Check(ctx))
	batch, batchErr := store.PendingBatch(ctx, 1<<30, 1<<40)
	shipments, shipErr := store.PendingShipments(ctx, 1<<30)
	if err := errors.Join(err, batchErr, shipErr, store.Close(), checkPages(filepath.Join(dir, "station.db"))); err != nil {
		return nil, err
	}
	recorded := make(map[string]bool)
	prev := batch.Prev
	for i, sealed := range batch.Events {
		event, err := qc.OpenEvent(sealed, prev)
		if err != nil || event.Seq != uint64(i+1) {
			return nil, fmt.Errorf("event %d is number %d: %w", i+1, event.Seq, err)
		}
		prev = event.Hash
		_, id, _ := strings.Cut(string(event.Data), `"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		recorded[id] = true
	}
	queued := make(map[string]bool)
	for _, s := range shipments {
		queued[string(s.Digest)] = true
	}
	for _, promise := range promises {
		id, digest, _ := strings.Cut(string(promise), " ")
		if !recorded[id] || !queued[digest] || folder.Verify(ctx, qc.Digest(digest)) != nil {
			broken = append(broken, promise)
		}
	}
	return broken, nil
}

// checkPages is bbolt's own check of the file at rest.
func checkPages(path string) error {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return err
	}
	err = db.View(func(tx *bbolt.Tx) error {
		var all []error
		for err := range tx.Check() {
			all = append(all, err)
		}
		return errors.Join(all...)
	})
	return errors.Join(err, db.Close())
}

func rig(t *testing.T, mode string, seed uint64, promises int) storagetest.Kills {
	t.Helper()
	dir := t.TempDir()
	return storagetest.Kills{
		Seed: seed, Promises: promises, Lives: 5, PerLife: 25, After: 15 * time.Millisecond,
		Command: func(ctx context.Context) *exec.Cmd {
			cmd := exec.CommandContext(ctx, os.Args[0])
			cmd.Env = append(os.Environ(), childDir+"="+dir, childMode+"="+mode)
			return cmd
		},
		Check: func(promises []storagetest.Promise) ([]storagetest.Promise, error) {
			return kept(t.Context(), dir, promises)
		},
	}
}

// TestKilledStationKeepsEveryFinding kills a station that saves findings with
// photos, again and again.
func TestKilledStationKeepsEveryFinding(t *testing.T) {
	out := rig(t, modeHonest, 20261123, 200).Run(t)
	t.Logf("%d kills, %d findings promised, %d lost", out.Kills, len(out.Promises), len(out.Broken))
	if len(out.Broken) > 0 || out.Kills < 5 {
		t.Errorf("after %d kills %d of %d findings are lost: %v", out.Kills, len(out.Broken), len(out.Promises), out.Broken)
	}
}

// TestRigFindsPlantedFaults proves that the rig can fail.
func TestRigFindsPlantedFaults(t *testing.T) {
	for _, mode := range []string{modeEarly, modeBlob} {
		t.Run(mode, func(t *testing.T) {
			k := rig(t, mode, 1, 1000)
			k.After = 0
			if out := k.Run(t); len(out.Broken) == 0 {
				t.Errorf("%d kills found nothing", out.Kills)
			} else {
				t.Logf("found at kill %d", out.Kills)
			}
		})
	}
}
