package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// reconcile makes journal and database tell the same story, and leaves the
// journal ready for the next event.
func (s *Store) reconcile(pages journalPages, recovery *Recovery) error {
	state, err := readLog(s.db)
	if err != nil {
		return err
	}
	s.epoch = state.Epoch
	same := pages.epoch() == state.Epoch
	if same && pages.last() > state.Last {
		n, err := replay(s.db, pages)
		switch {
		case errors.Is(err, qc.ErrChain):
			s.log.Error("journal does not continue the database", "error", err)
			same = false
		case err != nil:
			return fmt.Errorf("replay journal: %w", err)
		}
		recovery.Replayed += n
		if state, err = readLog(s.db); err != nil {
			return err
		}
	}
	first, _ := pages.start()
	if same && first <= state.Gone+1 && pages.last() == state.Last && pages.endsWith(state.Head) {
		tail := pages.segments[len(pages.segments)-1]
		recovery.Torn = tail.bad
		if err := s.setAsideSegments(pages.foreign, recovery); err != nil {
			return err
		}
		return s.journal.resume(tail)
	}
	return s.rewriteJournal(pages, state, recovery)
}

// endsWith reports whether the newest event has that hash.
func (p journalPages) endsWith(head qc.ChainHash) bool {
	tail := p.segments[len(p.segments)-1]
	if len(tail.records) == 0 {
		return tail.header.Prev == head
	}
	hash, err := hashOf(tail.records[len(tail.records)-1])
	return err == nil && hash == head
}

// rewriteJournal writes all events of the database to new segments and then
// sets the old ones aside.
func (s *Store) rewriteJournal(pages journalPages, state logState, recovery *Recovery) error {
	old := pages.foreign
	for _, seg := range pages.segments {
		old = append(old, seg.path)
	}
	err := guarded(func() error {
		return s.db.View(func(tx *bbolt.Tx) error { return s.copyToJournal(tx, state, recovery) })
	})
	if err != nil {
		return fmt.Errorf("write journal anew: %w", err)
	}
	return s.setAsideSegments(old, recovery)
}

func (s *Store) copyToJournal(tx *bbolt.Tx, state logState, recovery *Recovery) error {
	prev := state.Base
	if err := s.journal.begin(segmentHeader{Epoch: state.Epoch, First: state.Gone + 1, Prev: prev}); err != nil {
		return err
	}
	events := tx.Bucket(inEvents).Cursor()
	var chunk []byte
	flush := func() error {
		if _, err := s.journal.file.WriteAt(chunk, s.journal.size); err != nil {
			return classify(err)
		}
		s.journal.size += int64(len(chunk))
		chunk = chunk[:0]
		return s.journal.sync(s.journal.file)
	}
	for key, sealed := events.First(); key != nil; key, sealed = events.Next() {
		if s.journal.size+int64(len(chunk)) >= s.journal.limit {
			if err := flush(); err != nil {
				return err
			}
			header := segmentHeader{Epoch: state.Epoch, First: binary.BigEndian.Uint64(key), Prev: prev}
			if err := s.journal.begin(header); err != nil {
				return err
			}
		}
		var err error
		if prev, err = hashOf(sealed); err != nil {
			return err
		}
		chunk = append(chunk, frame(sealed)...)
		recovery.Healed++
	}
	return flush()
}

func (s *Store) setAsideSegments(paths []string, recovery *Recovery) error {
	for _, path := range paths {
		aside, err := setAside(path, s.now())
		if err != nil {
			return err
		}
		recovery.SetAside = append(recovery.SetAside, aside)
	}
	return nil
}

// readLog returns where the log stands.
func readLog(db *bbolt.DB) (state logState, err error) {
	err = guarded(func() error {
		return db.View(func(tx *bbolt.Tx) (err error) {
			state, err = getLog(tx)
			return err
		})
	})
	return state, err
}

// replay applies the journal's events that the database does not have and
// returns their number. It fails with [qc.ErrChain] where they do not follow.
func replay(db *bbolt.DB, pages journalPages) (int, error) {
	const perTransaction = 200
	state, err := readLog(db)
	if err != nil {
		return 0, err
	}
	var ahead [][]byte
	for _, seg := range pages.segments {
		for i, sealed := range seg.records {
			if seg.header.First+uint64(i) > state.Last {
				ahead = append(ahead, sealed)
			}
		}
	}
	applied := 0
	for len(ahead) > 0 {
		part := ahead[:min(perTransaction, len(ahead))]
		ahead = ahead[len(part):]
		done := 0
		var broken error
		err := commit(db, func(tx *bbolt.Tx) error {
			for _, sealed := range part {
				if broken = applyEvent(tx, sealed); errors.Is(broken, qc.ErrChain) {
					return nil // keep what came before
				}
				if broken != nil {
					return broken
				}
				done++
			}
			return nil
		})
		if err != nil {
			return applied, err
		}
		applied += done
		if broken != nil {
			return applied, broken
		}
	}
	return applied, nil
}

// journalDir is where the segments are.
func (s *Store) journalDir() string { return filepath.Join(s.dir, journalName) }
