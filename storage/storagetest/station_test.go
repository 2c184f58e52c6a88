package storagetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"flawmark/app/qc"
	"flawmark/storage/blob"
	"flawmark/storage/local"
	"flawmark/storage/storagetest"
)

// What a child inspector does.
const (
	forEver    = "for ever"    // until it is killed
	oneShift   = "one shift"   // so many findings, with a restart in between
	earlyWord  = "early"       // promises before it records: a planted fault
	earlyShift = "early shift" // the same, and ends
	badDisk    = "bad disk"    // goes on after errors, and says what they are
	careless   = "careless"    // the same, and takes a failed save for a saved one: a planted fault
)

// perShift is how many findings a shift has.
const perShift = 8

// inspector is a station at work.
type inspector struct {
	dir    string
	work   string
	store  *local.Store
	folder *blob.Folder
	random *rand.Rand
	told   int64 // changes of the centre so far
	mute   bool  // makes no promises
}

// inspect saves findings with photos, follows the feed, and makes a promise for
// everything that it was told is saved.
func inspect(ctx context.Context, dir, work string) error {
	in := &inspector{dir: dir, work: work, random: rand.New(rand.NewPCG(uint64(os.Getpid()), 0))}
	if work == badDisk || work == careless {
		return in.persist(ctx)
	}
	if err := in.open(ctx); err != nil {
		return err
	}
	shift := work == oneShift || work == earlyShift
	for n := 0; !shift || n < perShift; n++ {
		if err := in.save(ctx); err != nil {
			return err
		}
		if n%3 == 1 {
			if err := in.follow(ctx); err != nil {
				return err
			}
		}
		if shift && n == perShift/2 {
			if err := errors.Join(in.store.Close(), in.folder.Close(), in.open(ctx)); err != nil {
				return err
			}
		}
	}
	return errors.Join(in.store.Close(), in.folder.Close())
}

// open opens the folder in the order of the program.
func (in *inspector) open(ctx context.Context) (err error) {
	if in.folder, err = blob.OpenFolder(filepath.Join(in.dir, "blobs")); err != nil {
		return err
	}
	if in.store, err = local.Open(in.dir, local.Options{Now: time.Now}); err != nil {
		return errors.Join(err, in.folder.Close())
	}
	if _, known, err := in.store.Identity(ctx); err != nil || !known {
		if err := errors.Join(err, in.store.SetIdentity(ctx, qc.Identity{Station: "s1"})); err != nil {
			return err
		}
		if err := in.keep("identity"); err != nil {
			return err
		}
	}
	cursor, err := in.store.Cursor(ctx)
	in.told = cursor.Seq
	return err
}

func (in *inspector) early() bool { return in.work == earlyWord || in.work == earlyShift }

// keep makes a promise. A disk that refuses even that is no matter to one who
// goes on after errors: then it was not made.
func (in *inspector) keep(words ...string) error {
	if in.mute {
		return nil
	}
	err := storagetest.Keep(os.Stdout, storagetest.Promise(strings.Join(words, " ")))
	if in.work == badDisk || in.work == careless {
		return nil
	}
	return err
}

// save stores a photo and the finding that holds it.
func (in *inspector) save(ctx context.Context) error {
	id := uuid.NewString()
	data := make([]byte, 1000+in.random.IntN(6000))
	for i := range data {
		data[i] = byte(in.random.Uint32())
	}
	digest := qc.DigestOf(data)
	finding := qc.Finding{ID: qc.FindingID(id), Revision: 1, Item: qc.ItemID("item-" + id), Verdict: qc.Flag}
	finding.Photos = []qc.Photo{{ID: "p", Digest: digest, Bytes: int64(len(data)), MediaType: "image/jpeg"}}
	finding.Flaws = []qc.Flaw{{ID: "x", Note: strings.Repeat("很", in.random.IntN(1500))}}
	if err := in.store.SaveDraft(ctx, qc.Draft{Finding: finding}); err != nil && in.work != careless {
		return err
	}
	if _, err := in.folder.PutBytes(ctx, data); err != nil && in.work != careless {
		return err
	}
	if in.early() {
		if err := in.keep("finding", id, string(digest)); err != nil {
			return err
		}
	}
	if _, err := in.store.Record(ctx, qc.FindingRecorded, "wang", time.Now(), finding); err != nil && in.work != careless {
		return err
	}
	if in.early() {
		return nil
	}
	return in.keep("finding", id, string(digest))
}

// follow applies a page of the feed.
func (in *inspector) follow(ctx context.Context) error {
	page := qc.Page{}
	for range 1 + in.random.IntN(3) {
		in.told++
		body, err := json.Marshal(qc.Item{ID: itemTold(in.told), Order: "A-1"})
		if err != nil {
			return err
		}
		page.Changes = append(page.Changes, qc.Change{Seq: in.told, Kind: qc.ItemChanged, Data: body})
	}
	page.Next = qc.Cursor{Epoch: "f1", Seq: in.told}
	if err := in.store.ApplyPage(ctx, page); err != nil {
		return err
	}
	return in.keep("told", strconv.FormatInt(in.told, 10))
}

func itemTold(n int64) qc.ItemID { return qc.ItemID(fmt.Sprintf("told-%d", n)) }

// found is a station's folder as a new start of the program finds it.
type found struct {
	repaired local.Recovery
	findings map[string]int // how often each is in the log
	queued   map[string]bool
	cursor   int64
	skipped  int // changes before the cursor that are not here
	known    bool
	folder   *blob.Folder
}

// lookInto opens a folder and reads all that matters of it. The folder must be
// sound; that its database had to be made anew is no fault.
func lookInto(ctx context.Context, dir string) (f found, err error) {
	if f.folder, err = blob.OpenFolder(filepath.Join(dir, "blobs")); err != nil {
		return f, err
	}
	store, err := local.Open(dir, local.Options{Now: time.Now, Recovered: func(r local.Recovery) { f.repaired = r }})
	if err != nil {
		return f, errors.Join(err, f.folder.Close())
	}
	err = f.read(ctx, store)
	return f, errors.Join(err, store.Close())
}

func (f *found) read(ctx context.Context, store *local.Store) error {
	if err := store.Check(ctx); err != nil {
		return err
	}
	batch, err := store.PendingBatch(ctx, 1<<30, 1<<40)
	if err != nil {
		return err
	}
	f.findings = make(map[string]int)
	prev := batch.Prev
	for i, sealed := range batch.Events {
		event, err := qc.OpenEvent(sealed, prev)
		if err != nil || event.Seq != uint64(i+1) {
			return fmt.Errorf("event %d is number %d: %w", i+1, event.Seq, err)
		}
		prev = event.Hash
		var finding qc.Finding
		if err := json.Unmarshal(event.Data, &finding); err != nil {
			return err
		}
		f.findings[string(finding.ID)]++
	}
	shipments, err := store.PendingShipments(ctx, 1<<30)
	if err != nil {
		return err
	}
	f.queued = make(map[string]bool)
	for _, s := range shipments {
		f.queued[string(s.Digest)] = true
	}
	cursor, err := store.Cursor(ctx)
	if err != nil {
		return err
	}
	f.cursor = cursor.Seq
	for n := int64(1); n <= f.cursor; n++ {
		if _, err := store.Item(ctx, itemTold(n)); errors.Is(err, qc.ErrNotFound) {
			f.skipped++
		} else if err != nil {
			return err
		}
	}
	_, f.known, err = store.Identity(ctx)
	return err
}

// broken returns the promises that a folder does not keep. What the centre told
// may be gone with a database that had to be made anew: it comes again, as long
// as the cursor is gone, too.
func (f *found) broken(ctx context.Context, promises []storagetest.Promise) (broken []storagetest.Promise) {
	for _, promise := range promises {
		words := strings.Fields(string(promise))
		kept := false
		switch words[0] {
		case "finding":
			kept = f.findings[words[1]] == 1 && f.queued[words[2]] && f.folder.Verify(ctx, qc.Digest(words[2])) == nil
		case "told":
			n, err := strconv.ParseInt(words[1], 10, 64)
			kept = err == nil && (f.cursor >= n || f.repaired.Reason != "")
		case "identity":
			kept = f.known
		}
		if !kept {
			broken = append(broken, promise)
		}
	}
	for range f.skipped {
		broken = append(broken, "a change before the cursor")
	}
	return broken
}

// check is a rig's look into a folder.
func check(ctx context.Context, dir string, promises []storagetest.Promise) ([]storagetest.Promise, error) {
	f, err := lookInto(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer f.folder.Close()
	return f.broken(ctx, promises), nil
}

// doubled counts findings that are in a log more than once.
func (f *found) doubled() int {
	n := 0
	for _, times := range f.findings {
		n += times - 1
	}
	return n
}

// persist goes on whatever happens, and says what it met: after an error a
// promise counts only when nothing is unknown.
func (in *inspector) persist(ctx context.Context) error {
	if err := in.open(ctx); err != nil {
		_ = in.keep("error", "open")
		return nil //nolint:nilerr // it is kept
	}
	for range perShift {
		err := in.save(ctx)
		kind := "other"
		switch {
		case err == nil:
			continue
		case errors.Is(err, local.ErrSync), errors.Is(err, blob.ErrSync):
			kind = "sync"
		case errors.Is(err, local.ErrFull), errors.Is(err, blob.ErrFull):
			kind = "full"
		}
		_ = in.keep("error", kind)
	}
	return nil
}
