package local

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// PendingBatch returns the oldest events that the centre does not have, at most
// maxEvents and maxBytes of them but always at least one; none when it has all.
func (s *Store) PendingBatch(ctx context.Context, maxEvents, maxBytes int) (qc.Batch, error) {
	var batch qc.Batch
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		state, err := getLog(tx)
		if err != nil {
			return err
		}
		batch, err = batchFrom(tx, state, state.Acked+1, maxEvents, maxBytes)
		return err
	})
	if err != nil {
		return qc.Batch{}, fmt.Errorf("read events to send: %w", err)
	}
	return batch, nil
}

// PendingBatches returns all events that the centre does not have, in batches
// as [Store.PendingBatch] makes them.
func (s *Store) PendingBatches(ctx context.Context, maxEvents, maxBytes int) ([]qc.Batch, error) {
	var all []qc.Batch
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		state, err := getLog(tx)
		if err != nil {
			return err
		}
		for next := state.Acked + 1; next <= state.Last; {
			batch, err := batchFrom(tx, state, next, maxEvents, maxBytes)
			if err != nil {
				return err
			}
			if len(batch.Events) == 0 {
				return damaged("event %d is missing", next)
			}
			all = append(all, batch)
			next += uint64(len(batch.Events))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read events to send: %w", err)
	}
	return all, nil
}

// batchFrom returns events from first on: at least one, where there is one.
func batchFrom(tx *bbolt.Tx, state logState, first uint64, maxEvents, maxBytes int) (qc.Batch, error) {
	batch := qc.Batch{Epoch: state.Epoch, First: first}
	var err error
	if batch.Prev, err = hashBefore(tx, first); err != nil {
		return qc.Batch{}, err
	}
	size := 0
	events := tx.Bucket(inEvents).Cursor()
	for key, sealed := events.Seek(eventKey(first)); key != nil; key, sealed = events.Next() {
		size += len(sealed)
		if n := len(batch.Events); n > 0 && (n >= maxEvents || size > maxBytes) {
			break
		}
		batch.Events = append(batch.Events, append([]byte(nil), sealed...)) // valid only in here
	}
	return batch, nil
}

// Acknowledge notes the centre's answer. An answer to what is acknowledged
// already changes only what it says anew. It fails with [ErrFork] when the
// centre's chain is not ours; then nothing is noted.
func (s *Store) Acknowledge(ctx context.Context, ack qc.Ack, at time.Time) error {
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		state, err := getLog(tx)
		if err != nil {
			return err
		}
		if ack.Through > state.Last {
			return fmt.Errorf("%w: it has event %d, we have %d", ErrFork, ack.Through, state.Last)
		}
		if ack.Head != "" && ack.Through >= state.Gone {
			head, err := hashBefore(tx, ack.Through+1)
			if err != nil {
				return err
			}
			if head != ack.Head {
				return fmt.Errorf("%w: at event %d", ErrFork, ack.Through)
			}
		}
		return change(tx, func(q *queue) error {
			told := make(map[uint64]qc.Receipt, len(ack.Receipts))
			for _, r := range ack.Receipts {
				if r.Seq > state.Gone && r.Seq <= ack.Through {
					told[r.Seq] = r
				}
			}
			for seq := state.Acked + 1; seq <= ack.Through; seq++ {
				if _, ok := told[seq]; !ok {
					told[seq] = qc.Receipt{Seq: seq, Status: qc.Applied}
				}
			}
			for seq, r := range told {
				if err := noteReceipt(tx, q, seq, r, at); err != nil {
					return err
				}
			}
			state.Acked = max(state.Acked, ack.Through)
			return put(tx, inMeta, keyLog, state)
		})
	})
	if err != nil {
		return fmt.Errorf("note what the centre has: %w", err)
	}
	return nil
}

// noteReceipt stores the answer to one event. "Duplicate" says nothing new
// about an event that was answered before.
func noteReceipt(tx *bbolt.Tx, q *queue, seq uint64, r qc.Receipt, at time.Time) error {
	var before receipt
	known, err := get(tx, inReceipts, eventKey(seq), &before)
	if err != nil || known && r.Status == qc.Duplicate {
		return err
	}
	if before.Status == qc.Rejected {
		q.Attention--
	}
	if r.Status == qc.Rejected {
		q.Attention++
	}
	return put(tx, inReceipts, eventKey(seq), receipt{At: at, Status: r.Status, Problem: r.Problem, Detail: r.Detail})
}

// Rewind follows a centre that expects event number expected next: it was
// restored from a backup, or an answer of it was lost. The files of that event
// and of those behind it wait again too. It fails with [ErrFork] when the event
// is neither kept here nor the next one.
func (s *Store) Rewind(ctx context.Context, expected uint64) error {
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		state, err := getLog(tx)
		if err != nil {
			return err
		}
		if expected <= state.Gone || expected > state.Last+1 {
			return fmt.Errorf("%w: it expects event %d, here are %d to %d", ErrFork, expected, state.Gone+1, state.Last)
		}
		state.Acked = expected - 1
		if err := put(tx, inMeta, keyLog, state); err != nil {
			return err
		}
		return enqueueAgain(tx, expected)
	})
	if err != nil {
		return fmt.Errorf("rewind to event %d: %w", expected, err)
	}
	return nil
}

// Recorded returns what was said here and how far it has travelled, newest
// first, at most limit entries.
func (s *Store) Recorded(ctx context.Context, limit int) ([]qc.Recorded, error) {
	var all []qc.Recorded
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		state, err := getLog(tx)
		if err != nil {
			return err
		}
		events := tx.Bucket(inEvents).Cursor()
		for key, sealed := events.Last(); key != nil && len(all) < limit; key, sealed = events.Prev() {
			one, err := recorded(tx, state, binary.BigEndian.Uint64(key), sealed)
			if err != nil {
				return err
			}
			all = append(all, one)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list what was recorded: %w", err)
	}
	return all, nil
}

func recorded(tx *bbolt.Tx, state logState, seq uint64, sealed []byte) (qc.Recorded, error) {
	var event qc.Event
	if err := json.Unmarshal(sealed, &event); err != nil {
		return qc.Recorded{}, damaged("event %d: %v", seq, err)
	}
	one := qc.Recorded{Seq: seq, Kind: event.Kind, At: event.At, By: event.By, Delivery: qc.OnlyHere}
	if err := describe(tx, event, &one); err != nil {
		return one, err
	}
	waiting := false
	if one.Finding != nil {
		var err error
		if waiting, err = countFiles(tx, &one); err != nil {
			return one, err
		}
	}
	if seq > state.Acked {
		return one, nil
	}
	var answer receipt
	if _, err := get(tx, inReceipts, eventKey(seq), &answer); err != nil {
		return one, err
	}
	one.AcceptedAt = answer.At
	switch {
	case answer.Status == qc.Rejected:
		one.Delivery, one.Problem = qc.Attention, answer.Problem
		one.AcceptedAt = time.Time{}
	case waiting:
		one.Delivery = qc.Sending
	default:
		one.Delivery = qc.Accepted
	}
	return one, nil
}

// describe says what an event is about. What the event itself does not say
// comes from what the centre told.
func describe(tx *bbolt.Tx, event qc.Event, one *qc.Recorded) error {
	finding, err := findingIn(event.Kind, event.Data)
	if err != nil {
		return damaged("event %d: %v", event.Seq, err)
	}
	if finding != nil {
		one.Finding, one.Item = finding, finding.Item
		return nil
	}
	about, err := subjectIn(event.Kind, event.Data)
	if err != nil {
		return damaged("event %d: %v", event.Seq, err)
	}
	one.Case = about.Case
	var standing qc.Standing
	if about.Finding != "" {
		if _, err := get(tx, inStandings, []byte(about.Finding), &standing); err != nil {
			return err
		}
		one.Case, one.Item = standing.Case, standing.Item.ID
	}
	var c refund.Case
	if about.Case != "" {
		if _, err := get(tx, inCases, []byte(about.Case), &c); err != nil {
			return err
		}
		one.Item = c.Item
	}
	return nil
}

// countFiles fills in how many of a finding's photos and bytes are at the
// centre, and reports whether any file still waits.
func countFiles(tx *bbolt.Tx, one *qc.Recorded) (waiting bool, err error) {
	for _, p := range parcels(one.Seq, *one.Finding) {
		var file fileState
		if _, err := get(tx, inFiles, []byte(p.digest), &file); err != nil {
			return false, err
		}
		sent := file.Offset
		if file.Stored {
			sent = p.bytes
		} else {
			waiting = true
		}
		one.Bytes += p.bytes
		one.BytesSent += min(sent, p.bytes)
		if p.original {
			one.Photos++
			if file.Stored {
				one.PhotosSent++
			}
		}
	}
	return waiting, nil
}
