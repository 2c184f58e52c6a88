package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// How a lost database is made again: from the newest sound backup that the
// journal goes on from, else from the journal alone; with the drafts that the
// damaged file and the backup still have. The new file is built under another
// name and takes its place last, so that a power cut at any step leaves either
// the damaged file, and all begins again, or the finished one.

// rebuild makes the database at path again. What is there, if anything, is set
// aside.
func (s *Store) rebuild(path string, pages journalPages, recovery *Recovery) error {
	drafts := salvageDrafts(path)
	if drafts == nil {
		drafts = make(map[qc.ItemID]qc.Draft)
	}
	temp := path + ".new"
	db, err := s.fromBackups(temp, pages, drafts, recovery)
	if err != nil {
		return err
	}
	if db == nil {
		if db, err = s.fromJournal(temp, pages, recovery); err != nil {
			return err
		}
	}
	err = commit(db, func(tx *bbolt.Tx) (err error) {
		recovery.Drafts, err = addDrafts(tx, drafts)
		return err
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	return s.install(temp, path, recovery)
}

// readyPath is where a finished database waits for the damaged one to leave.
func readyPath(path string) string { return path + ".ready" }

func (s *Store) install(temp, path string, recovery *Recovery) error {
	if err := rename(temp, readyPath(path)); err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	if err := syncDir(s.dir); err != nil {
		return fmt.Errorf("make database: %w: %w", ErrSync, err)
	}
	if _, err := os.Lstat(path); err == nil {
		aside, err := setAside(path, s.now())
		if err != nil {
			return err
		}
		recovery.SetAside = append(recovery.SetAside, aside)
	}
	return s.publish(readyPath(path), path)
}

// publish gives a finished database its name and opens it.
func (s *Store) publish(temp, path string) (err error) {
	if err := rename(temp, path); err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	if err := syncDir(s.dir); err != nil {
		return fmt.Errorf("make database: %w: %w", ErrSync, err)
	}
	s.db, err = openBolt(path, false)
	return err
}

// finishRebuild completes a rebuild that was cut off after the damaged file had
// left, and forgets one that was cut off before. It reports the former.
func finishRebuild(path string) (bool, error) {
	_, err := os.Lstat(path)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case err == nil:
		err = os.Remove(readyPath(path))
	case missing:
		err = rename(readyPath(path), path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("finish repair: %w", err)
	}
	return missing && err == nil, nil
}

// fromJournal makes a database of what the journal has. A log of which nothing
// is left begins anew.
func (s *Store) fromJournal(temp string, pages journalPages, recovery *Recovery) (*bbolt.DB, error) {
	epoch := pages.epoch()
	if epoch == "" { // nothing proves that the log goes on where the lost one ended
		epoch = uuid.NewString()
		recovery.NewEpoch = true
	}
	recovery.Rebuilt = pages.records()
	return s.make(temp, epoch, pages)
}

// fromBackups restores the newest backup that is sound and fits the journal, or
// returns nil. Drafts of a backup that does not fit are added to drafts.
func (s *Store) fromBackups(temp string, pages journalPages, drafts map[qc.ItemID]qc.Draft, recovery *Recovery) (*bbolt.DB, error) {
	backups, err := Backups(s.dir)
	if err != nil {
		s.log.Error("backups cannot be listed", "error", err)
		return nil, nil // the journal has everything that counts
	}
	for _, backup := range backups {
		db, fits, err := s.fromBackup(backup.Path, temp, pages, recovery)
		if err == nil && fits {
			recovery.Backup, recovery.BackupAt = backup.Path, backup.At
			return db, nil
		}
		if db != nil {
			if len(drafts) == 0 {
				keepDrafts(db, drafts)
			}
			err = errors.Join(err, db.Close())
		}
		if errors.Is(err, ErrFull) || errors.Is(err, ErrSync) {
			return nil, err
		}
		s.log.Warn("backup is of no use", "backup", backup.Path, "error", err)
	}
	return nil, nil
}

// fromBackup copies a backup to temp and lets the journal continue it. It
// reports whether it does; the database is to be closed either way.
func (s *Store) fromBackup(backup, temp string, pages journalPages, recovery *Recovery) (*bbolt.DB, bool, error) {
	if err := copyFile(backup, temp); err != nil {
		return nil, false, classify(err)
	}
	db, err := openDatabase(temp, true)
	if err != nil {
		return nil, false, err
	}
	state, err := readLog(db)
	if err != nil {
		return db, false, err
	}
	kept := int(state.Last - state.Gone)
	lost := pages.epoch() == "" || pages.epoch() == state.Epoch && pages.last() < state.Last
	if lost {
		// Events behind the backup may have been sent: their numbers are not to
		// be given again.
		epoch := uuid.NewString()
		if err := commit(db, func(tx *bbolt.Tx) error { return beginEpoch(tx, epoch) }); err != nil {
			return db, false, err
		}
		recovery.NewEpoch, recovery.Restored = true, kept
		return db, true, nil
	}
	if pages.epoch() != state.Epoch || pages.gapAfter(state.Last) {
		return db, false, nil
	}
	replayed, err := replay(db, pages)
	if errors.Is(err, qc.ErrChain) {
		return db, false, nil
	}
	if err != nil {
		return db, false, err
	}
	if state, err = readLog(db); err != nil || !pages.endsWith(state.Head) {
		return db, false, err
	}
	recovery.Restored, recovery.Replayed = kept, replayed
	return db, true, nil
}

// gapAfter reports that the journal begins behind the event that follows last.
func (p journalPages) gapAfter(last uint64) bool {
	first, _ := p.start()
	return first > last+1
}

// copyFile makes a durable copy.
func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if err == nil {
		err = target.Sync()
	}
	return errors.Join(err, target.Close())
}

// keepDrafts adds the drafts of a database.
func keepDrafts(db *bbolt.DB, drafts map[qc.ItemID]qc.Draft) {
	_ = guarded(func() error { // what cannot be read is no loss that could be helped
		return db.View(func(tx *bbolt.Tx) error {
			return tx.Bucket(inDrafts).ForEach(func(key, value []byte) error {
				salvage(drafts).take(key, value)
				return nil
			})
		})
	})
}

// addDrafts puts salvaged drafts into a database, unless what it has is newer
// or the log shows that they ended in a finding. It returns how many were added.
func addDrafts(tx *bbolt.Tx, drafts map[qc.ItemID]qc.Draft) (int, error) {
	if len(drafts) == 0 {
		return 0, nil
	}
	err := tx.Bucket(inEvents).ForEach(func(_, sealed []byte) error {
		var event qc.Event
		if json.Unmarshal(sealed, &event) != nil {
			return nil //nolint:nilerr // what cannot be read names no photo
		}
		finding, err := findingIn(event.Kind, event.Data)
		if err != nil || finding == nil {
			return nil //nolint:nilerr // likewise
		}
		draft, ok := drafts[finding.Item]
		same := ok && draft.Finding.ID == finding.ID && draft.Finding.Revision <= finding.Revision
		if same || ok && !event.At.Before(draft.UpdatedAt) {
			delete(drafts, finding.Item)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	added := 0
	for item, draft := range drafts {
		var known qc.Draft
		if ok, err := get(tx, inDrafts, []byte(item), &known); err != nil {
			return added, err
		} else if ok && !known.UpdatedAt.Before(draft.UpdatedAt) {
			continue
		}
		if err := put(tx, inDrafts, []byte(item), draft); err != nil {
			return added, err
		}
		added++
	}
	return added, nil
}

// settlePlace notes where the data lies. Data that lies elsewhere than when it
// was last used is a copy, and another station may go on with the original: its
// log begins anew.
func (s *Store) settlePlace(ctx context.Context, recovery *Recovery) error {
	place, err := placeOf(s.lock.file)
	if err != nil || place == "" {
		return err
	}
	var before string
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		before = string(tx.Bucket(inMeta).Get(keyPlace))
		return nil
	})
	if err != nil || before == place {
		return err
	}
	epoch := s.epoch
	copied := before != ""
	err = s.update(ctx, func(tx *bbolt.Tx) error {
		state, err := getLog(tx)
		if err != nil {
			return err
		}
		if copied && state.Last > 0 {
			epoch = uuid.NewString()
			if err := beginEpoch(tx, epoch); err != nil {
				return err
			}
		}
		return tx.Bucket(inMeta).Put(keyPlace, []byte(place))
	})
	if err != nil || epoch == s.epoch {
		return err
	}
	recovery.Copied, recovery.NewEpoch = true, true
	s.epoch = epoch
	return s.followEpoch()
}
