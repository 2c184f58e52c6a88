package local

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Inspect opens the data in dir for reading and repairs nothing; every change
// fails with [ErrSync]. It fails with [fs.ErrNotExist] where there is no
// database, with [ErrDamaged], [ErrNewer] or [ErrInUse].
func Inspect(dir string, opts Options) (_ *Store, err error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	path := filepath.Join(dir, dbName)
	if _, err := os.Lstat(path); err != nil {
		return nil, fmt.Errorf("inspect station data: %w", err)
	}
	lock, err := acquire(filepath.Join(dir, "station.lock"), lockWait)
	if err != nil {
		return nil, fmt.Errorf("inspect station data %s: %w", dir, err)
	}
	s := &Store{dir: dir, lock: lock, now: opts.Now, onlyRead: true, watchers: make(map[chan struct{}]struct{})}
	s.failed.Store(true)
	if s.db, err = openToRead(path); err == nil {
		err = guarded(func() error { return s.db.View(checkContent) })
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("inspect station data %s: %w", dir, err), s.release())
	}
	state, err := readLog(s.db)
	if err != nil {
		return nil, errors.Join(err, s.release())
	}
	s.epoch = state.Epoch
	return s, nil
}

// Schema returns the version of the data and the one this program writes.
func (s *Store) Schema(ctx context.Context) (version, newest int, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) (err error) {
		version, err = schemaOf(tx)
		return err
	})
	return version, len(migrations), err
}

// JournalReport is what a check of the journal has found.
type JournalReport struct {
	Segments int    `json:"segments"`
	Events   int    `json:"events"`
	First    uint64 `json:"first"`
	Last     uint64 `json:"last"`
	Torn     int64  `json:"torn"`    // bytes of an unfinished record at the end
	Foreign  int    `json:"foreign"` // segments that cannot be read or join nothing
	// Broken says, for the log, where the chain of events breaks or the journal
	// and the database differ; empty: nowhere.
	Broken string `json:"broken,omitempty"`
}

// CheckJournal reads the whole journal and compares it with the database.
func (s *Store) CheckJournal(ctx context.Context) (JournalReport, error) {
	s.recording.Lock() // nothing is half-written meanwhile
	defer s.recording.Unlock()
	report, pages, err := checkJournal(s.journalDir())
	if err != nil || report.Broken != "" {
		return report, err
	}
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		state, err := getLog(tx)
		switch {
		case err != nil:
			return err
		case pages.epoch() != state.Epoch:
			report.Broken = "the journal is of another log than the database"
		case pages.last() != state.Last || !pages.endsWith(state.Head):
			report.Broken = fmt.Sprintf("the journal ends with event %d, the database with %d", pages.last(), state.Last)
		case pages.gapAfter(state.Gone):
			report.Broken = fmt.Sprintf("the journal begins with event %d, the database with %d", report.First, state.Gone+1)
		}
		return nil
	})
	return report, err
}

// InspectJournal reads the whole journal of dir, whatever its database is like.
func InspectJournal(dir string) (JournalReport, error) {
	report, _, err := checkJournal(filepath.Join(dir, journalName))
	return report, err
}

func checkJournal(dir string) (JournalReport, journalPages, error) {
	pages, err := readJournal(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return JournalReport{}, pages, nil
	}
	if err != nil {
		return JournalReport{}, pages, fmt.Errorf("check journal: %w", err)
	}
	report := JournalReport{Segments: len(pages.segments), Events: pages.records(), Foreign: len(pages.foreign), Last: pages.last()}
	first, prev := pages.start()
	report.First = first
	seq := first
	for i, seg := range pages.segments {
		for _, sealed := range seg.records {
			event, err := qc.OpenEvent(sealed, prev)
			if err != nil || event.Seq != seq {
				report.Broken = fmt.Sprintf("event %d in %s does not follow", seq, filepath.Base(seg.path))
				return report, pages, nil //nolint:nilerr // it is in the report
			}
			prev, seq = event.Hash, seq+1
		}
		if seg.bad > 0 && i < len(pages.segments)-1 {
			report.Broken = fmt.Sprintf("%s is damaged at byte %d", filepath.Base(seg.path), seg.good)
			return report, pages, nil
		}
		report.Torn = seg.bad
	}
	return report, pages, nil
}

// KnownFile is a file of a finding that is kept in the log.
type KnownFile struct {
	Digest   qc.Digest
	Bytes    int64
	Original bool // else a derivative
	Stored   bool // the centre has it
}

// Files returns the files of all findings in the log.
func (s *Store) Files(ctx context.Context) ([]KnownFile, error) {
	var files []KnownFile
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		return tx.Bucket(inFiles).ForEach(func(key, _ []byte) error {
			var file fileState
			_, err := get(tx, inFiles, key, &file)
			files = append(files, KnownFile{Digest: qc.Digest(key), Bytes: file.Bytes, Original: file.Original, Stored: file.Stored})
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	return files, nil
}

// Retention says what of the photo files may go.
type Retention struct {
	// Before is when an original must have been recorded to go for its age.
	Before time.Time
	// Tight lets younger ones go too, of passed items and of closed cases,
	// because the disk is nearly full.
	Tight bool
}

// Keeps returns the files that must stay on the disk: all that the centre has
// not confirmed, whatever their age; the photos of drafts; listing photos; the
// small derivatives of what is in the log; and the originals that r keeps. A
// file that is not named may go, but for what was put too lately to be in a
// draft.
func (s *Store) Keeps(ctx context.Context, r Retention) (map[qc.Digest]bool, error) {
	keeps := make(map[qc.Digest]bool)
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		settled, err := settledItems(tx)
		if err != nil {
			return err
		}
		may, err := mayGo(tx, r, settled)
		if err != nil {
			return err
		}
		err = tx.Bucket(inFiles).ForEach(func(key, _ []byte) error {
			var file fileState
			_, err := get(tx, inFiles, key, &file)
			if !file.Stored || !file.Original || !may[file.Seq] {
				keeps[qc.Digest(key)] = true
			}
			return err
		})
		if err != nil {
			return err
		}
		drafts, err := list[qc.Draft](tx, inDrafts)
		for _, draft := range drafts {
			for _, p := range append(draft.Finding.Photos, draft.History.Photos...) {
				keeps[p.Digest], keeps[p.Preview.Digest], keeps[p.Thumb.Digest] = true, true, true
			}
		}
		if err != nil {
			return err
		}
		items, err := list[qc.Item](tx, inItems)
		for _, item := range items {
			keeps[item.ListingPhoto] = true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list files to keep: %w", err)
	}
	delete(keeps, "")
	return keeps, nil
}

// settledItems tells of each item with a case whether all its cases are closed.
func settledItems(tx *bbolt.Tx) (map[qc.ItemID]bool, error) {
	settled := make(map[qc.ItemID]bool)
	err := tx.Bucket(inCases).ForEach(func(key, value []byte) error {
		var c refund.Case
		if err := json.Unmarshal(value, &c); err != nil {
			return damaged("case %q: %v", key, err)
		}
		before, known := settled[c.Item]
		settled[c.Item] = c.Status.Terminal() && (before || !known)
		return nil
	})
	return settled, err
}

// mayGo tells of each event that is kept whether its originals may go, as far
// as the centre has them.
func mayGo(tx *bbolt.Tx, r Retention, settled map[qc.ItemID]bool) (map[uint64]bool, error) {
	may := make(map[uint64]bool)
	err := tx.Bucket(inEvents).ForEach(func(key, sealed []byte) error {
		seq := binary.BigEndian.Uint64(key)
		var event qc.Event
		if err := json.Unmarshal(sealed, &event); err != nil {
			return damaged("event %d: %v", seq, err)
		}
		finding, err := findingIn(event.Kind, event.Data)
		if err != nil || finding == nil {
			return err
		}
		closed, hasCase := settled[finding.Item]
		open := hasCase && !closed || !hasCase && finding.Verdict == qc.Flag // its case is still to come
		may[seq] = event.At.Before(r.Before) || r.Tight && !open
		return nil
	})
	return may, err
}
