package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// Prune forgets the oldest events: those that the centre answered before the
// given time and all of whose files it has. It stops at the first event that
// somebody may still need: one that waits, or that the centre refused. It
// returns the digests of originals and derivatives that no event names any more;
// their files may be deleted.
//
// A centre that is restored from a backup asks for events again, so keep two
// weeks at least.
func (s *Store) Prune(ctx context.Context, before time.Time) ([]qc.Digest, error) {
	s.recording.Lock()
	defer s.recording.Unlock()
	var freed []qc.Digest
	var gone uint64
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		state, err := getLog(tx)
		if err != nil {
			return err
		}
		for state.Gone < state.Acked {
			hash, files, err := forget(tx, state.Gone+1, before)
			if err != nil {
				return err
			}
			if hash == "" {
				break
			}
			state.Gone, state.Base = state.Gone+1, hash
			freed = append(freed, files...)
		}
		gone = state.Gone
		return put(tx, inMeta, keyLog, state)
	})
	if err != nil {
		return nil, fmt.Errorf("prune: %w", err)
	}
	return freed, s.pruneJournal(gone)
}

// forget removes one event if it may go, and returns its hash, or nothing.
func forget(tx *bbolt.Tx, seq uint64, before time.Time) (qc.ChainHash, []qc.Digest, error) {
	var answer receipt
	if known, err := get(tx, inReceipts, eventKey(seq), &answer); err != nil || !known {
		return "", nil, err
	}
	if answer.Status == qc.Rejected || !answer.At.Before(before) {
		return "", nil, nil
	}
	event, files, err := filesOf(tx, seq)
	if err != nil {
		return "", nil, err
	}
	for _, file := range files {
		if !file.state.Stored {
			return "", nil, nil
		}
	}
	var freed []qc.Digest
	for _, file := range files {
		if file.state.Seq != seq {
			continue // a later revision names it
		}
		if err := tx.Bucket(inFiles).Delete([]byte(file.digest)); err != nil {
			return "", nil, err
		}
		freed = append(freed, file.digest)
	}
	err = errors.Join(tx.Bucket(inEvents).Delete(eventKey(seq)), tx.Bucket(inReceipts).Delete(eventKey(seq)))
	return event, freed, err
}

type namedFile struct {
	digest qc.Digest
	state  fileState
}

// filesOf returns an event's hash and the state of the files it names.
func filesOf(tx *bbolt.Tx, seq uint64) (qc.ChainHash, []namedFile, error) {
	sealed := tx.Bucket(inEvents).Get(eventKey(seq))
	if sealed == nil {
		return "", nil, damaged("event %d is missing", seq)
	}
	one, err := recorded(tx, logState{}, seq, sealed)
	if err != nil {
		return "", nil, err
	}
	hash, err := hashOf(sealed)
	if err != nil || one.Finding == nil {
		return hash, nil, err
	}
	var files []namedFile
	for _, p := range parcels(seq, *one.Finding) {
		file := namedFile{digest: p.digest}
		known, err := get(tx, inFiles, []byte(p.digest), &file.state)
		if err != nil {
			return "", nil, err
		}
		if known {
			files = append(files, file)
		}
	}
	return hash, files, nil
}

// pruneJournal deletes the segments that hold only events up to gone. The one
// that is being written always stays.
func (s *Store) pruneJournal(gone uint64) error {
	pages, err := readJournal(s.journalDir())
	if err != nil {
		return fmt.Errorf("prune journal: %w", err)
	}
	deleted := false
	for _, seg := range pages.segments {
		if seg.number == s.journal.number || seg.last() > gone {
			break // oldest first, so that what is left has no gap
		}
		if err := os.Remove(seg.path); err != nil {
			return fmt.Errorf("prune journal: %w", err)
		}
		deleted = true
	}
	if !deleted {
		return nil
	}
	return syncDir(s.journalDir())
}
