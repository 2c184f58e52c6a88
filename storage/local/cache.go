package local

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Identity returns what this station is, or false before it is enrolled.
func (s *Store) Identity(ctx context.Context) (qc.Identity, bool, error) {
	var identity qc.Identity
	known := false
	err := s.view(ctx, func(tx *bbolt.Tx) (err error) {
		known, err = get(tx, inMeta, keyIdentity, &identity)
		return err
	})
	if err != nil {
		return qc.Identity{}, false, fmt.Errorf("read identity: %w", err)
	}
	return identity, known, nil
}

// SetIdentity notes what this station is, beside the database too.
func (s *Store) SetIdentity(ctx context.Context, identity qc.Identity) error {
	data, err := json.Marshal(identity)
	if err != nil {
		return fmt.Errorf("store identity: %w", err)
	}
	if err := s.update(ctx, func(tx *bbolt.Tx) error { return tx.Bucket(inMeta).Put(keyIdentity, data) }); err != nil {
		return fmt.Errorf("store identity: %w", err)
	}
	if err := writeDurably(s.identityPath(), data); err != nil {
		return fmt.Errorf("store identity: %w", classify(err))
	}
	return nil
}

// Item returns one item as the centre told it, or [qc.ErrNotFound].
func (s *Store) Item(ctx context.Context, id qc.ItemID) (qc.Item, error) {
	return one[qc.Item](ctx, s, inItems, "item", string(id))
}

// Items returns all items in the order of their ids.
func (s *Store) Items(ctx context.Context) ([]qc.Item, error) {
	return all[qc.Item](ctx, s, inItems, "items")
}

// FindItems returns the items whose id, order or waybill is query, whatever its
// case and the blanks around it.
func (s *Store) FindItems(ctx context.Context, query string) ([]qc.Item, error) {
	prefix := findKey(query, "")
	var found []qc.Item
	if len(prefix) == 1 {
		return nil, ctx.Err()
	}
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		finds := tx.Bucket(inFinds).Cursor()
		for key, _ := finds.Seek(prefix); strings.HasPrefix(string(key), string(prefix)); key, _ = finds.Next() {
			var item qc.Item
			if ok, err := get(tx, inItems, key[len(prefix):], &item); err != nil {
				return err
			} else if ok {
				found = append(found, item)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find items %q: %w", query, err)
	}
	return found, nil
}

func findKey(number string, item qc.ItemID) []byte {
	return []byte(strings.ToLower(strings.TrimSpace(number)) + "\x00" + string(item))
}

// findKeys are the numbers by which an item is found.
func findKeys(item qc.Item) [][]byte {
	var keys [][]byte
	for _, number := range []string{string(item.ID), string(item.Order), string(item.Waybill)} {
		if key := findKey(number, item.ID); key[0] != 0 {
			keys = append(keys, key)
		}
	}
	return keys
}

// Staff returns all people the centre told of.
func (s *Store) Staff(ctx context.Context) ([]qc.Staff, error) {
	return all[qc.Staff](ctx, s, inStaff, "staff")
}

// Policy returns the review policy in force.
func (s *Store) Policy(ctx context.Context) (qc.ReviewPolicy, error) {
	policy := qc.DefaultReviewPolicy()
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		var told qc.ReviewPolicy
		ok, err := get(tx, inMeta, keyPolicy, &told)
		if ok {
			policy = told
		}
		return err
	})
	if err != nil {
		return qc.ReviewPolicy{}, fmt.Errorf("read policy: %w", err)
	}
	return policy, nil
}

// Case returns one case as the centre told it, or [qc.ErrNotFound].
func (s *Store) Case(ctx context.Context, id qc.CaseID) (refund.Case, error) {
	return one[refund.Case](ctx, s, inCases, "case", string(id))
}

// Cases returns all cases, the one that changed last first.
func (s *Store) Cases(ctx context.Context) ([]refund.Case, error) {
	cases, err := all[refund.Case](ctx, s, inCases, "cases")
	slices.SortStableFunc(cases, func(a, b refund.Case) int { return b.ChangedAt.Compare(a.ChangedAt) })
	return cases, err
}

// Standings returns where the flags stand with the leads, newest first.
func (s *Store) Standings(ctx context.Context) ([]qc.Standing, error) {
	standings, err := all[qc.Standing](ctx, s, inStandings, "standings")
	slices.SortStableFunc(standings, func(a, b qc.Standing) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Finding.ID, a.Finding.ID))
	})
	return standings, err
}

// SaveDraft keeps an inspection in progress, one for each item.
func (s *Store) SaveDraft(ctx context.Context, draft qc.Draft) error {
	item := draft.Finding.Item
	if item == "" {
		return notFound("item", "of a draft")
	}
	if err := s.update(ctx, func(tx *bbolt.Tx) error { return put(tx, inDrafts, []byte(item), draft) }); err != nil {
		return fmt.Errorf("save draft of %s: %w", item, err)
	}
	return nil
}

// Draft returns the draft of an item, or [qc.ErrNotFound].
func (s *Store) Draft(ctx context.Context, item qc.ItemID) (qc.Draft, error) {
	return one[qc.Draft](ctx, s, inDrafts, "draft of", string(item))
}

// Drafts returns all drafts, the one touched last first.
func (s *Store) Drafts(ctx context.Context) ([]qc.Draft, error) {
	drafts, err := all[qc.Draft](ctx, s, inDrafts, "drafts")
	slices.SortStableFunc(drafts, func(a, b qc.Draft) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	return drafts, err
}

// DropDraft forgets the draft of an item. None is no error.
func (s *Store) DropDraft(ctx context.Context, item qc.ItemID) error {
	if err := s.update(ctx, func(tx *bbolt.Tx) error { return tx.Bucket(inDrafts).Delete([]byte(item)) }); err != nil {
		return fmt.Errorf("drop draft of %s: %w", item, err)
	}
	return nil
}

// one reads a single value.
func one[T any](ctx context.Context, s *Store, bucket []byte, what, id string) (T, error) {
	var value T
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		ok, err := get(tx, bucket, []byte(id), &value)
		if err == nil && !ok {
			return notFound(what, id)
		}
		return err
	})
	return value, err
}

// all reads a whole bucket.
func all[T any](ctx context.Context, s *Store, bucket []byte, what string) ([]T, error) {
	var values []T
	err := s.view(ctx, func(tx *bbolt.Tx) (err error) {
		values, err = list[T](tx, bucket)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", what, err)
	}
	return values, nil
}
