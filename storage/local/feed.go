package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Cursor returns the place in the centre's feed up to which all is applied.
func (s *Store) Cursor(ctx context.Context) (qc.Cursor, error) {
	var cursor qc.Cursor
	err := s.view(ctx, func(tx *bbolt.Tx) (err error) {
		cursor, err = qc.ParseCursor(string(tx.Bucket(inMeta).Get(keyCursor)))
		return err
	})
	if err != nil {
		return qc.Cursor{}, fmt.Errorf("read feed cursor: %w", err)
	}
	return cursor, nil
}

// maxMirrored is the size of the database above which it takes nothing more of
// what the centre tells, so that there is always room for what is recorded here.
const maxMirrored = maxDatabase / 4 * 3

// longestKey is that of an id. The database could not take one of any length.
const longestKey = 500

func fitsAsKey(text string) bool {
	return len(text) <= longestKey && !strings.ContainsFunc(text, unicode.IsControl)
}

// errUnreadable marks a change that this version cannot read.
var errUnreadable = errors.New("change is not readable")

// ApplyPage applies what the centre told and moves the cursor, in one step.
// Each change carries the whole state of its subject, so applying a page twice,
// or the feed of a restored centre on top of the old one, is right. Kinds of a
// later version are passed over; a change of a known kind that cannot be read is
// logged and passed over as well, because it must not hold up all others.
//
// A stored photo counts only when a finding of this station holds it. A feed of
// another epoch is that of a restored centre: all files of the events kept here
// wait again, because it may have lost any of them, and so does the last event,
// by which it sees how many it lacks.
func (s *Store) ApplyPage(ctx context.Context, page qc.Page) error {
	if len(page.Changes) == 0 { // an empty answer costs no write
		if cursor, err := s.Cursor(ctx); err != nil || cursor == page.Next {
			return err
		}
	}
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		if len(page.Changes) > 0 && tx.Size() > maxMirrored {
			return fmt.Errorf("%w: the centre has told %d bytes", ErrFull, tx.Size())
		}
		before, err := qc.ParseCursor(string(tx.Bucket(inMeta).Get(keyCursor)))
		if err != nil {
			return err
		}
		if before.Epoch != "" && before.Epoch != page.Next.Epoch {
			if err := offerAgain(tx); err != nil {
				return err
			}
		}
		for _, change := range page.Changes {
			err := applyChange(tx, change)
			if errors.Is(err, errUnreadable) {
				s.log.Error("change of the centre passed over", "seq", change.Seq, "kind", string(change.Kind), "error", err)
				continue
			}
			if err != nil {
				return fmt.Errorf("change %d: %w", change.Seq, err)
			}
		}
		return tx.Bucket(inMeta).Put(keyCursor, []byte(page.Next.String()))
	})
	if err != nil {
		return fmt.Errorf("apply feed: %w", err)
	}
	return nil
}

// offerAgain has a centre that may have forgotten say what it lacks: the files,
// and by the last event the events, see [Store.Rewind]. Without that a station
// that records nothing more would never hear.
func offerAgain(tx *bbolt.Tx) error {
	state, err := getLog(tx)
	if err != nil {
		return err
	}
	if state.Acked == state.Last && state.Last > state.Gone {
		state.Acked--
		if err := put(tx, inMeta, keyLog, state); err != nil {
			return err
		}
	}
	return enqueueAgain(tx, 1)
}

func applyChange(tx *bbolt.Tx, change qc.Change) error {
	switch change.Kind {
	case qc.ItemChanged:
		return applyItem(tx, change)
	case qc.StaffChanged:
		return keep(tx, inStaff, change, func(staff qc.Staff) string { return string(staff.ID) })
	case qc.CaseChanged:
		return keep(tx, inCases, change, func(c refund.Case) string { return string(c.ID) })
	case qc.StandingChanged:
		return keep(tx, inStandings, change, func(standing qc.Standing) string { return string(standing.Finding.ID) })
	case qc.PolicyChanged:
		return keep(tx, inMeta, change, func(qc.ReviewPolicy) string { return string(keyPolicy) })
	case qc.PhotoStored:
		var stored qc.StoredPhoto
		if err := read(change, &stored); err != nil {
			return err
		}
		return markStored(tx, []qc.Digest{stored.Digest})
	}
	return nil
}

func read(change qc.Change, into any) error {
	if err := json.Unmarshal(change.Data, into); err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return nil
}

// keep stores a change's data, as it came, under its own id.
func keep[T any](tx *bbolt.Tx, bucket []byte, change qc.Change, id func(T) string) error {
	var value T
	if err := read(change, &value); err != nil {
		return err
	}
	key := id(value)
	if key == "" || !fitsAsKey(key) {
		return fmt.Errorf("%w: %.40q is no id", errUnreadable, key)
	}
	return tx.Bucket(bucket).Put([]byte(key), change.Data)
}

// applyItem also keeps the numbers by which items are found.
func applyItem(tx *bbolt.Tx, change qc.Change) error {
	var item, before qc.Item
	if err := read(change, &item); err != nil {
		return err
	}
	for _, text := range []string{string(item.ID), string(item.Order), string(item.Waybill)} {
		if !fitsAsKey(text) {
			return fmt.Errorf("%w: %.40q cannot be found by", errUnreadable, text)
		}
	}
	if _, err := get(tx, inItems, []byte(item.ID), &before); err != nil {
		return err
	}
	finds := tx.Bucket(inFinds)
	for _, key := range findKeys(before) {
		if err := finds.Delete(key); err != nil {
			return err
		}
	}
	if err := keep(tx, inItems, change, func(item qc.Item) string { return string(item.ID) }); err != nil {
		return err
	}
	for _, key := range findKeys(item) {
		if err := finds.Put(key, nil); err != nil {
			return err
		}
	}
	return nil
}
