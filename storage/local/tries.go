package local

import (
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// inTries holds who entered a wrong PIN, staff → qc.Tries; the key of wrong
// badges, which name nobody, is noOne. It is made when it is first needed.
var (
	inTries = []byte("tries")
	noOne   = []byte{0}
)

func triesKey(id qc.StaffID) []byte {
	if id == "" {
		return noOne
	}
	return []byte(id)
}

// Tries returns the wrong PINs that were noted; those of unknown badges are
// under the empty id.
func (s *Store) Tries(ctx context.Context) (map[qc.StaffID]qc.Tries, error) {
	all := make(map[qc.StaffID]qc.Tries)
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(inTries)
		if bucket == nil {
			return nil
		}
		return bucket.ForEach(func(key, data []byte) error {
			var t qc.Tries
			if err := json.Unmarshal(data, &t); err != nil {
				return damaged("tries of %q: %v", key, err)
			}
			id := qc.StaffID(key)
			if string(key) == string(noOne) {
				id = ""
			}
			all[id] = t
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read wrong PINs: %w", err)
	}
	return all, nil
}

// NoteTries notes a wrong PIN, so that starting the program again does not make
// anybody forget it. The zero value forgets.
func (s *Store) NoteTries(ctx context.Context, id qc.StaffID, t qc.Tries) error {
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists(inTries)
		if err != nil {
			return err
		}
		if t == (qc.Tries{}) {
			return bucket.Delete(triesKey(id))
		}
		data, err := json.Marshal(t)
		if err != nil {
			return err
		}
		return bucket.Put(triesKey(id), data)
	})
	if err != nil {
		return fmt.Errorf("note wrong PINs: %w", err)
	}
	return nil
}
