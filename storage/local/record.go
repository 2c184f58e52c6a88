package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// Record seals an event with data and returns when it is on the disk. A finding
// also puts its files into the upload queue and ends the draft of its item.
// It fails with [ErrFull], and then nothing has happened, or with [ErrSync].
func (s *Store) Record(ctx context.Context, kind qc.EventKind, by qc.StaffID, at time.Time, data any) (qc.Event, error) {
	event, err := s.record(ctx, kind, by, at, data)
	if err != nil {
		return qc.Event{}, fmt.Errorf("record %s: %w", kind, err)
	}
	s.tick()
	return event, nil
}

func (s *Store) record(ctx context.Context, kind qc.EventKind, by qc.StaffID, at time.Time, data any) (qc.Event, error) {
	body, err := json.Marshal(data)
	if err != nil {
		return qc.Event{}, err
	}
	if _, err := findingIn(kind, body); err != nil {
		return qc.Event{}, err
	}
	if _, err := subjectIn(kind, body); err != nil {
		return qc.Event{}, err
	}
	id, err := s.eventID()
	if err != nil {
		return qc.Event{}, err
	}
	s.recording.Lock()
	defer s.recording.Unlock()
	if err := ctx.Err(); err != nil { // from here on it is done or not done
		return qc.Event{}, err
	}
	if s.failed.Load() {
		return qc.Event{}, ErrSync
	}
	state, err := readLog(s.db)
	if err != nil {
		return qc.Event{}, err
	}
	event := qc.Event{Seq: state.Last + 1, ID: id, Kind: kind, Version: 1, By: by, At: at, Data: body}
	sealed, err := qc.Seal(&event, state.Head)
	if err != nil {
		return qc.Event{}, err
	}
	before, err := s.journal.append(sealed, segmentHeader{Epoch: state.Epoch, First: event.Seq, Prev: state.Head})
	if err != nil {
		return qc.Event{}, s.fatal(err)
	}
	if err := commit(s.db, func(tx *bbolt.Tx) error { return applyEvent(tx, sealed) }); err != nil {
		return qc.Event{}, s.fatal(s.takeBack(err, event.Seq, before))
	}
	return event, nil
}

// takeBack removes the event of a transaction that failed from the journal, so
// that its number is free again. It must not, when the transaction is there in
// spite of its error, or when nobody knows: then the journal is what counts, and
// the next Open applies it.
func (s *Store) takeBack(cause error, seq uint64, before int64) error {
	if errors.Is(cause, ErrSync) || errors.Is(cause, ErrDamaged) {
		return fmt.Errorf("%w: %w", ErrSync, cause)
	}
	state, err := readLog(s.db)
	if err != nil || state.Last >= seq {
		return fmt.Errorf("%w: %w", ErrSync, errors.Join(cause, err))
	}
	return errors.Join(cause, s.journal.cut(before))
}

// fatal closes the store to further changes after an error of the disk.
func (s *Store) fatal(err error) error {
	if errors.Is(err, ErrSync) {
		s.failed.Store(true)
	}
	return err
}

// eventID returns a UUID of version 7 that begins with the store's own clock.
func (s *Store) eventID() (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fmt.Errorf("make event id: %w", err)
	}
	ms := s.now().UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = id[6]&0x0F | 0x70
	return id.String(), nil
}

// findingIn returns the finding that an event of that kind carries, nil for
// other kinds.
func findingIn(kind qc.EventKind, body json.RawMessage) (*qc.Finding, error) {
	if kind != qc.FindingRecorded {
		return nil, nil
	}
	var finding qc.Finding
	if err := json.Unmarshal(body, &finding); err != nil {
		return nil, fmt.Errorf("read finding: %w", err)
	}
	return &finding, nil
}

// subject is what an event is about that is not a finding itself.
type subject struct {
	Case    qc.CaseID    `json:"case"`
	Finding qc.FindingID `json:"finding"`
}

// subjectIn reads a subject. It is empty for a kind of a later version, whose
// words are not known here.
func subjectIn(kind qc.EventKind, body json.RawMessage) (about subject, err error) {
	switch kind {
	case qc.ReviewGiven, qc.ReturnDispatched, qc.ReplacementArrived:
		if err := json.Unmarshal(body, &about); err != nil {
			return subject{}, fmt.Errorf("read subject of %s: %w", kind, err)
		}
	}
	return about, nil
}

// applyEvent stores a sealed event with everything that follows from it. It
// fails with [qc.ErrChain] when it is not the next one. Record and the replay of
// the journal both come here, so they cannot differ.
func applyEvent(tx *bbolt.Tx, sealed []byte) error {
	state, err := getLog(tx)
	if err != nil {
		return err
	}
	event, err := qc.OpenEvent(sealed, state.Head)
	if err != nil {
		return err
	}
	if event.Seq != state.Last+1 {
		return fmt.Errorf("%w: event %d after %d", qc.ErrChain, event.Seq, state.Last)
	}
	if err := tx.Bucket(inEvents).Put(eventKey(event.Seq), sealed); err != nil {
		return fmt.Errorf("store event %d: %w", event.Seq, err)
	}
	state.Last, state.Head = event.Seq, event.Hash
	if err := put(tx, inMeta, keyLog, state); err != nil {
		return err
	}
	finding, err := findingIn(event.Kind, event.Data)
	if err != nil || finding == nil {
		return err
	}
	if finding.Item != "" {
		if err := tx.Bucket(inDrafts).Delete([]byte(finding.Item)); err != nil {
			return fmt.Errorf("end draft of %s: %w", finding.Item, err)
		}
	}
	return enqueue(tx, event.Seq, *finding, false)
}

// hashOf reads the hash of a sealed event.
func hashOf(sealed []byte) (qc.ChainHash, error) {
	var event struct {
		Hash qc.ChainHash `json:"hash"`
	}
	if err := json.Unmarshal(sealed, &event); err != nil {
		return "", damaged("event without a hash: %v", err)
	}
	return event.Hash, nil
}

// hashBefore returns what event seq is chained to.
func hashBefore(tx *bbolt.Tx, seq uint64) (qc.ChainHash, error) {
	state, err := getLog(tx)
	if err != nil || seq == state.Gone+1 {
		return state.Base, err
	}
	sealed := tx.Bucket(inEvents).Get(eventKey(seq - 1))
	if sealed == nil {
		return "", notFound("event", seq-1)
	}
	return hashOf(sealed)
}
