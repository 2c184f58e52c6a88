package local

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// BeginEpoch lets the log begin anew after an [ErrFork], which nothing else
// heals. The events that are kept here get new numbers from 1 and all wait to be
// sent; their ids stay, so that the centre applies none of them twice. After an
// error that is [ErrSync] the store takes no more until it is opened again.
func (s *Store) BeginEpoch(ctx context.Context) error {
	s.recording.Lock()
	defer s.recording.Unlock()
	epoch := uuid.NewString()
	if err := s.update(ctx, func(tx *bbolt.Tx) error { return beginEpoch(tx, epoch) }); err != nil {
		return fmt.Errorf("begin a new log: %w", err)
	}
	s.epoch = epoch
	// The database is first: Open writes a journal of another epoch anew.
	if err := s.followEpoch(); err != nil {
		return fmt.Errorf("begin a new log: %w", s.fatal(fmt.Errorf("%w: %w", ErrSync, err)))
	}
	return nil
}

// followEpoch makes the journal that of the database.
func (s *Store) followEpoch() error {
	state, err := readLog(s.db)
	if err != nil {
		return err
	}
	pages, err := readJournal(s.journalDir())
	if err != nil {
		return err
	}
	return s.rewriteJournal(pages, state, new(Recovery))
}

// beginEpoch numbers and chains all kept events from the start. Answers stay
// with their events until the centre gives new ones, and files keep their order
// in the queue.
func beginEpoch(tx *bbolt.Tx, epoch string) error {
	state, err := getLog(tx)
	if err != nil {
		return err
	}
	type entry struct{ sealed, receipt []byte }
	var entries []entry
	gone, before := state.Gone, state.Base
	head := qc.ChainStart
	events := tx.Bucket(inEvents).Cursor()
	for key, sealed := events.First(); key != nil; key, sealed = events.Next() {
		event, err := qc.OpenEvent(sealed, before)
		if err != nil {
			return damaged("event %x: %v", key, err)
		}
		before = event.Hash
		event.Seq -= gone
		again, err := qc.Seal(&event, head)
		if err != nil {
			return fmt.Errorf("seal event %d again: %w", event.Seq, err)
		}
		head = event.Hash
		entries = append(entries, entry{again, append([]byte(nil), tx.Bucket(inReceipts).Get(key)...)})
	}
	for _, bucket := range [][]byte{inEvents, inReceipts} {
		if err := empty(tx, bucket); err != nil {
			return err
		}
	}
	for i, e := range entries {
		key := eventKey(uint64(i) + 1)
		if err := tx.Bucket(inEvents).Put(key, e.sealed); err != nil {
			return fmt.Errorf("store event %d: %w", i+1, err)
		}
		if len(e.receipt) == 0 {
			continue
		}
		if err := tx.Bucket(inReceipts).Put(key, e.receipt); err != nil {
			return fmt.Errorf("store the answer to event %d: %w", i+1, err)
		}
	}
	if err := renumberFiles(tx, gone); err != nil {
		return err
	}
	return put(tx, inMeta, keyLog, logState{Epoch: epoch, Last: state.Last - gone, Head: head, Base: qc.ChainStart})
}

// renumberFiles lets files follow their events, whose numbers are less by gone.
func renumberFiles(tx *bbolt.Tx, gone uint64) error {
	if gone == 0 {
		return nil
	}
	files := make(map[string]fileState)
	err := tx.Bucket(inFiles).ForEach(func(digest, _ []byte) error {
		var file fileState
		_, err := get(tx, inFiles, digest, &file)
		files[string(digest)] = file
		return err
	})
	if err != nil {
		return err
	}
	if err := empty(tx, inLanes); err != nil {
		return err
	}
	for digest, file := range files {
		file.Seq -= min(gone, file.Seq)
		if file.Place != nil {
			number := file.Place[2:10] // see laneKey
			seq := binary.BigEndian.Uint64(number)
			binary.BigEndian.PutUint64(number, seq-min(gone, seq))
			if err := tx.Bucket(inLanes).Put(file.Place, []byte(digest)); err != nil {
				return fmt.Errorf("queue file %s: %w", digest, err)
			}
		}
		if err := put(tx, inFiles, []byte(digest), file); err != nil {
			return err
		}
	}
	return nil
}

func empty(tx *bbolt.Tx, bucket []byte) error {
	if err := tx.DeleteBucket(bucket); err != nil {
		return fmt.Errorf("empty %s: %w", bucket, err)
	}
	if _, err := tx.CreateBucket(bucket); err != nil {
		return fmt.Errorf("empty %s: %w", bucket, err)
	}
	return nil
}
