package local

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// Buckets of the database. Values are JSON unless said otherwise.
var (
	inMeta      = []byte("meta")      // the keys below
	inEvents    = []byte("events")    // number (8 bytes) → sealed event, as sent
	inReceipts  = []byte("receipts")  // number → receipt
	inFiles     = []byte("files")     // digest → fileState
	inLanes     = []byte("lanes")     // place in the queue (laneKey) → digest; only what waits
	inDrafts    = []byte("drafts")    // item → qc.Draft
	inItems     = []byte("items")     // item → qc.Item
	inFinds     = []byte("finds")     // lower-case number, 0, item → nothing
	inStaff     = []byte("staff")     // staff → qc.Staff
	inCases     = []byte("cases")     // case → refund.Case
	inStandings = []byte("standings") // finding → qc.Standing
)

// Keys in the meta bucket.
var (
	keySchema   = []byte("schema") // decimal number
	keyLog      = []byte("log")    // logState
	keyCounts   = []byte("counts") // queue
	keyCursor   = []byte("cursor") // text of qc.Cursor
	keyIdentity = []byte("identity")
	keyPolicy   = []byte("policy")
	keyPlace    = []byte("place") // placeOf the lock file
)

// logState is where the log stands.
type logState struct {
	Epoch string       `json:"epoch"`
	Last  uint64       `json:"last"`  // number of the newest event, 0: none
	Head  qc.ChainHash `json:"head"`  // its hash
	Acked uint64       `json:"acked"` // the centre has all up to this one
	// Gone is the newest event that is no longer kept, 0: all are kept. The
	// oldest one kept is chained to Base.
	Gone uint64       `json:"gone,omitempty"`
	Base qc.ChainHash `json:"base"`
}

// receipt is what is known of an event that the centre has.
type receipt struct {
	At      time.Time        `json:"at"` // when the answer came, by the station's clock
	Status  qc.ReceiptStatus `json:"status"`
	Problem string           `json:"problem,omitempty"`
	Detail  string           `json:"detail,omitempty"`
}

// migrations lead from each schema version to the next; the version is their
// number. One that has shipped is never changed.
var migrations = [...]func(*bbolt.Tx) error{
	func(tx *bbolt.Tx) error { // 1: the first
		for _, name := range [][]byte{
			inMeta, inEvents, inReceipts, inFiles, inLanes, inDrafts, inItems, inFinds, inStaff, inCases, inStandings,
		} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	},
}

// schemaOf returns the version of a database, 0 for an empty one.
func schemaOf(tx *bbolt.Tx) (int, error) {
	meta := tx.Bucket(inMeta)
	if meta == nil {
		return 0, nil
	}
	version, err := strconv.Atoi(string(meta.Get(keySchema)))
	if err != nil {
		return 0, fmt.Errorf("%w: schema version %q", ErrDamaged, meta.Get(keySchema))
	}
	return version, nil
}

// checkSchema fails with [ErrNewer], or with [ErrDamaged] for a database that
// was never finished.
func checkSchema(tx *bbolt.Tx) error {
	version, err := schemaOf(tx)
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("%w: %d, this program knows %d", ErrNewer, version, len(migrations))
	}
	return damagedIf(version == 0, "the database is empty")
}

// migrate brings a database to the version that the last of steps leads to,
// each step in a transaction of its own, so that a kill leaves it at one of the
// versions in between, and the next start goes on.
func migrate(db *bbolt.DB, steps []func(*bbolt.Tx) error) error {
	for {
		done := true
		err := commit(db, func(tx *bbolt.Tx) error {
			version, err := schemaOf(tx)
			if err != nil || version >= len(steps) {
				return err
			}
			done = false
			if err := steps[version](tx); err != nil {
				return fmt.Errorf("migrate station data to version %d: %w", version+1, err)
			}
			return tx.Bucket(inMeta).Put(keySchema, []byte(strconv.Itoa(version+1)))
		})
		if err != nil || done {
			return err
		}
	}
}

func getLog(tx *bbolt.Tx) (logState, error) {
	var state logState
	if ok, err := get(tx, inMeta, keyLog, &state); err != nil || !ok {
		return state, errors.Join(err, damagedIf(!ok, "the state of the log is missing"))
	}
	return state, nil
}

func damagedIf(bad bool, what string) error {
	if bad {
		return damaged("%s", what)
	}
	return nil
}

func eventKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// get reads a value; it reports false when there is none.
func get(tx *bbolt.Tx, bucket, key []byte, into any) (bool, error) {
	data := tx.Bucket(bucket).Get(key)
	if data == nil {
		return false, nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("%w: %s %q: %w", ErrDamaged, bucket, key, err)
	}
	return true, nil
}

func put(tx *bbolt.Tx, bucket, key []byte, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("store %s %q: %w", bucket, key, err)
	}
	if err := tx.Bucket(bucket).Put(key, data); err != nil {
		return fmt.Errorf("store %s %q: %w", bucket, key, err)
	}
	return nil
}

// list reads all values of a bucket in the order of their keys.
func list[T any](tx *bbolt.Tx, bucket []byte) ([]T, error) {
	var all []T
	err := tx.Bucket(bucket).ForEach(func(key, data []byte) error {
		var one T
		if err := json.Unmarshal(data, &one); err != nil {
			return fmt.Errorf("%w: %s %q: %w", ErrDamaged, bucket, key, err)
		}
		all = append(all, one)
		return nil
	})
	return all, err
}

// checkContent reads everything: bbolt's own check of the pages, every JSON
// value, and the chain of events.
func checkContent(tx *bbolt.Tx) error {
	var first error
	for err := range tx.Check() { // to its end: it runs beside us and must not outlive the transaction
		if first == nil {
			first = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if first != nil {
		return first
	}
	for _, bucket := range [][]byte{inReceipts, inFiles, inDrafts, inItems, inStaff, inCases, inStandings} {
		err := tx.Bucket(bucket).ForEach(func(key, data []byte) error {
			return damagedIf(!json.Valid(data), fmt.Sprintf("%s %q is not readable", bucket, key))
		})
		if err != nil {
			return err
		}
	}
	return checkChain(tx)
}

func checkChain(tx *bbolt.Tx) error {
	state, err := getLog(tx)
	if err != nil {
		return err
	}
	head, last := state.Base, state.Gone
	events := tx.Bucket(inEvents).Cursor()
	for key, sealed := events.First(); key != nil; key, sealed = events.Next() {
		event, err := qc.OpenEvent(sealed, head)
		if err != nil || event.Seq != last+1 || binary.BigEndian.Uint64(key) != event.Seq {
			return damaged("event %x does not follow %d: %v", key, last, err)
		}
		head, last = event.Hash, event.Seq
	}
	if last != state.Last || head != state.Head {
		return damaged("the log ends with event %d, not %d", last, state.Last)
	}
	return nil
}
