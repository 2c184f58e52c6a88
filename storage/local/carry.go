package local

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// What a station carries for others lies beside its own log and is no part of
// it: sealed batches under their origin's signature, and photo files in the
// common queue. The origin keeps its own until the centre has told it, so this
// is a second copy, and losing it loses nothing.

// inCarried holds what is carried: carriedKey → qc.SignedBatch. It is made when
// it is first needed; a program that does not know it leaves it alone.
var inCarried = []byte("carried")

// carriedKey sorts batches by origin and log, and ends with the number of
// events, so that counting reads no batch.
func carriedKey(b qc.SignedBatch) []byte {
	key := append(append([]byte(b.Station), 0), b.Batch.Epoch...)
	key = binary.BigEndian.AppendUint64(append(key, 0), b.Batch.First)
	return binary.BigEndian.AppendUint32(key, uint32(len(b.Batch.Events)))
}

func countCarried(tx *bbolt.Tx) int {
	bucket := tx.Bucket(inCarried)
	if bucket == nil {
		return 0
	}
	events := 0
	cursor := bucket.Cursor()
	for key, _ := cursor.First(); len(key) >= 4; key, _ = cursor.Next() {
		events += int(binary.BigEndian.Uint32(key[len(key)-4:]))
	}
	return events
}

// Carry takes batches of another station to be brought to the centre, and the
// files that go with them, in one step. Taking the same again changes nothing.
func (s *Store) Carry(ctx context.Context, batches []qc.SignedBatch, files []qc.Shipment) error {
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists(inCarried)
		if err != nil {
			return err
		}
		for _, b := range batches {
			data, err := json.Marshal(b)
			if err != nil {
				return err
			}
			if err := bucket.Put(carriedKey(b), data); err != nil {
				return err
			}
		}
		return carryFiles(tx, bucket, files)
	})
	if err != nil {
		return fmt.Errorf("take %d batches of another station: %w", len(batches), err)
	}
	return nil
}

// carriedUrgency and carriedFirst place carried files behind our own of the same
// lane. No event has so high a number.
const (
	carriedUrgency = 2
	carriedFirst   = 1 << 62
)

func carryFiles(tx *bbolt.Tx, bucket *bbolt.Bucket, files []qc.Shipment) error {
	return change(tx, func(q *queue) error {
		for _, f := range files {
			var known fileState
			if ok, err := get(tx, inFiles, []byte(f.Digest), &known); err != nil || ok {
				if err != nil {
					return err
				}
				continue // it waits already, or is there
			}
			n, err := bucket.NextSequence()
			if err != nil {
				return err
			}
			file := fileState{
				Bytes: f.Bytes, MediaType: f.MediaType, Original: f.Lane != qc.LanePreview,
				Place: laneKey(f.Lane, carriedUrgency, carriedFirst+n, 0),
			}
			q.add(file)
			if err := tx.Bucket(inLanes).Put(file.Place, []byte(f.Digest)); err != nil {
				return err
			}
			if err := put(tx, inFiles, []byte(f.Digest), file); err != nil {
				return err
			}
		}
		return nil
	})
}

// Carried returns the batches that are carried for other stations, at most
// limit of them, each station's in the order of its log.
func (s *Store) Carried(ctx context.Context, limit int) ([]qc.SignedBatch, error) {
	var all []qc.SignedBatch
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(inCarried)
		if bucket == nil {
			return nil
		}
		cursor := bucket.Cursor()
		for key, data := cursor.First(); key != nil && len(all) < limit; key, data = cursor.Next() {
			var b qc.SignedBatch
			if err := json.Unmarshal(data, &b); err != nil {
				return damaged("carried batch: %v", err)
			}
			all = append(all, b)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list what is carried: %w", err)
	}
	return all, nil
}

// Delivered ends the carrying of a batch: the centre has it, or will never take
// it from us.
func (s *Store) Delivered(ctx context.Context, b qc.SignedBatch) error {
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(inCarried)
		if bucket == nil {
			return nil
		}
		return bucket.Delete(carriedKey(b))
	})
	if err != nil {
		return fmt.Errorf("end carrying a batch of %s: %w", b.Station, err)
	}
	return nil
}
