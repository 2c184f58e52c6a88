package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"flawmark/app/qc"
)

// open brings database and journal together. The lock is held.
func (s *Store) open() (Recovery, error) {
	var recovery Recovery
	unclean, err := s.lock.unclean()
	if err != nil {
		return recovery, err
	}
	recovery.Unclean = unclean
	pages, err := readJournal(s.journalDir())
	if err != nil {
		return recovery, err
	}
	s.journal = newJournal(pages.dir)
	s.journal.number = pages.highest

	path := filepath.Join(s.dir, dbName)
	finished, err := finishRebuild(path)
	if err != nil {
		return recovery, err
	}
	if finished {
		recovery.Reason = "the repair before was cut off"
	}
	s.db, err = openDatabase(path, unclean || finished)
	if err == nil && s.stale(pages) {
		err = errors.Join(damaged("the database is older than the journal reaches"), s.db.Close())
		s.db = nil
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && pages.records() == 0 && pages.epoch() == "" && !s.hasBackup():
		err = s.create(path, uuid.NewString(), pages)
	case errors.Is(err, fs.ErrNotExist):
		recovery.Reason = "the database was missing"
		err = s.rebuild(path, pages, &recovery)
	case errors.Is(err, ErrDamaged):
		s.log.Error("station database is damaged", "error", err)
		recovery.Reason = err.Error()
		err = s.rebuild(path, pages, &recovery)
	}
	if err != nil {
		return recovery, err
	}
	if err := s.reconcile(pages, &recovery); err != nil {
		return recovery, err
	}
	if err := s.settlePlace(context.Background(), &recovery); err != nil {
		return recovery, err
	}
	return recovery, s.lock.mark(stateOpen)
}

// hasBackup reports whether a lost log may still be somewhere.
func (s *Store) hasBackup() bool {
	backups, err := Backups(s.dir)
	return err != nil || len(backups) > 0
}

// stale reports that the journal goes on behind a gap: the database is an old
// copy that was put back, and what it lacks is not in the journal any more
// because the centre has it. The journal is what counts.
func (s *Store) stale(pages journalPages) bool {
	state, err := readLog(s.db)
	return err == nil && pages.epoch() == state.Epoch && pages.gapAfter(state.Last)
}

// openDatabase opens an existing database, checked as thoroughly as the end of
// the last run calls for. It fails with [fs.ErrNotExist], [ErrDamaged],
// [ErrNewer] or [ErrInUse].
func openDatabase(path string, unclean bool) (*bbolt.DB, error) {
	if err := checkPages(path); err != nil {
		return nil, err
	}
	db, err := openBolt(path, false)
	if err != nil {
		return nil, err
	}
	err = guarded(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			if err := checkSchema(tx); err != nil || !unclean {
				return err
			}
			if version, err := schemaOf(tx); err != nil || version < len(migrations) {
				return err // of what an older version keeps, only its pages are known
			}
			return checkContent(tx)
		})
	})
	if err == nil {
		err = migrate(db, migrations[:])
	}
	if err == nil {
		err = guarded(func() error {
			return db.View(func(tx *bbolt.Tx) error {
				_, err := getLog(tx)
				return err
			})
		})
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openBolt opens or makes a database file, or only reads it.
func openBolt(path string, toRead bool) (*bbolt.DB, error) {
	var opened *os.File
	var db *bbolt.DB
	mapped := mappedAtFirst
	if toRead {
		mapped = 0
	}
	err := guarded(func() (err error) {
		db, err = bbolt.Open(path, fileMode, &bbolt.Options{
			ReadOnly:        toRead,
			Timeout:         lockWait,
			FreelistType:    bbolt.FreelistMapType,
			InitialMmapSize: mapped,
			MaxSize:         maxDatabase,
			NoStatistics:    true,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				opened, err = os.OpenFile(name, flag, mode)
				return opened, err
			},
		})
		return err
	})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, ErrInUse
	case errors.Is(err, ErrDamaged):
		// It panicked and left the file open, and locked against us.
		return nil, errors.Join(err, opened.Close())
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil, classify(err)
}

// create makes the first database of a directory: under another name, because
// bbolt does not survive a power cut while it makes a file.
func (s *Store) create(path, epoch string, pages journalPages) error {
	temp := path + ".new"
	db, err := s.make(temp, epoch, pages)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	return s.publish(temp, path)
}

// make makes a database at temp and fills it from the journal.
func (s *Store) make(temp, epoch string, pages journalPages) (*bbolt.DB, error) {
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("make database: %w", err)
	}
	db, err := openBolt(temp, false)
	if err != nil {
		return nil, fmt.Errorf("make database: %w", err)
	}
	err = migrate(db, migrations[:])
	if err == nil {
		err = commit(db, func(tx *bbolt.Tx) error {
			if err := s.restoreIdentity(tx); err != nil {
				return err
			}
			if place, err := placeOf(s.lock.file); err != nil {
				return err
			} else if place != "" {
				if err := tx.Bucket(inMeta).Put(keyPlace, []byte(place)); err != nil {
					return err
				}
			}
			first, prev := pages.start()
			return put(tx, inMeta, keyLog, logState{
				Epoch: epoch, Last: first - 1, Head: prev, Acked: first - 1, Gone: first - 1, Base: prev,
			})
		})
	}
	if err == nil {
		if _, err = replay(db, pages); errors.Is(err, qc.ErrChain) {
			err = nil // the rest is set aside when journal and database are compared
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make database: %w", err), db.Close())
	}
	return db, nil
}

// setAside renames a file so that nothing of it is lost.
func setAside(path string, at time.Time) (string, error) {
	stamp := path + ".damaged-" + at.UTC().Format("20060102T150405Z")
	for n := 1; ; n++ {
		aside := stamp
		if n > 1 {
			aside += fmt.Sprintf("-%d", n)
		}
		if _, err := os.Lstat(aside); err == nil {
			continue
		}
		if err := rename(path, aside); err != nil {
			return "", fmt.Errorf("set aside: %w", err)
		}
		return aside, syncDir(filepath.Dir(path))
	}
}

// journalPages is the journal as it was found: the segments of one log that
// follow each other, and the rest.
type journalPages struct {
	dir      string
	segments []segment
	foreign  []string // paths of segments that do not belong to the log
	highest  int      // number of the last segment, whatever is in it
}

// readJournal reads all segments. The newest one says which log it is; older
// ones belong to it as far back as they join without a gap.
//
// Everything is read at every start. The retention keeps that to some tens of
// megabytes, and it notices a journal that goes bad while the database could
// still mend it.
func readJournal(dir string) (journalPages, error) {
	pages := journalPages{dir: dir}
	numbers, err := segmentNumbers(dir)
	if err != nil {
		return pages, err
	}
	for _, number := range numbers {
		pages.highest = number
		seg, err := readSegment(dir, number)
		if errors.Is(err, ErrDamaged) {
			pages.foreign = append(pages.foreign, seg.path)
			continue
		}
		if err != nil {
			return pages, err
		}
		if n := len(pages.segments); n > 0 {
			before := pages.segments[n-1]
			if before.header.Epoch != seg.header.Epoch || before.last()+1 != seg.header.First {
				// A gap. What is before it cannot go on; keep the longer memory
				// of the log only where it joins.
				for _, old := range pages.segments {
					pages.foreign = append(pages.foreign, old.path)
				}
				pages.segments = nil
			}
		}
		pages.segments = append(pages.segments, seg)
	}
	return pages, nil
}

func (p journalPages) records() int {
	n := 0
	for _, seg := range p.segments {
		n += len(seg.records)
	}
	return n
}

func (p journalPages) epoch() string {
	if len(p.segments) == 0 {
		return ""
	}
	return p.segments[0].header.Epoch
}

// start returns the number of the first event and what it is chained to.
func (p journalPages) start() (uint64, qc.ChainHash) {
	if len(p.segments) == 0 {
		return 1, qc.ChainStart
	}
	return p.segments[0].header.First, p.segments[0].header.Prev
}

// last returns the number of the newest event, or 0.
func (p journalPages) last() uint64 {
	if len(p.segments) == 0 {
		return 0
	}
	return p.segments[len(p.segments)-1].last()
}

// identityPath is a second place for the identity, which no feed brings back.
func (s *Store) identityPath() string {
	return filepath.Join(s.journalDir(), "identity.json")
}

func (s *Store) restoreIdentity(tx *bbolt.Tx) error {
	data, err := os.ReadFile(s.identityPath())
	if errors.Is(err, fs.ErrNotExist) || err == nil && !json.Valid(data) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	return tx.Bucket(inMeta).Put(keyIdentity, data)
}
