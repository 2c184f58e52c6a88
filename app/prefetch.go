package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"
)

// Listing photos are fetched before anybody asks, because an item is often
// inspected when the centre cannot be reached.

const (
	// fetchRest is the pause after a photo that could not be had.
	fetchRest = 30 * time.Second
	// newsRest is how long news are gathered before the items are read again.
	newsRest = 2 * time.Second
	// fetchKnown is how many items' photos are looked for in one round.
	fetchKnown = 5_000
)

// fetchListings keeps the listing photos of all known items here until ctx
// ends.
func (s *station) fetchListings(ctx context.Context) error {
	ticks, stop := s.store.Watch()
	defer stop()
	for {
		fetched, err := s.fetchLacking(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.log.Debug("listing photos stay away", "fetched", fetched, "error", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(fetchRest):
				continue
			}
		}
		if !waitForNews(ctx, ticks) {
			return nil
		}
	}
}

// waitForNews waits for a change of the store and then a little longer, so that
// a burst of them is one; false: ctx has ended.
func waitForNews(ctx context.Context, ticks <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-ticks:
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(newsRest):
		return true
	}
}

// fetchLacking fetches what is not here yet, the items stocked in last first.
func (s *station) fetchLacking(ctx context.Context) (fetched int, err error) {
	items, err := s.store.Items(ctx)
	if err != nil {
		return 0, err
	}
	slices.SortFunc(items, func(a, b qc.Item) int { return b.StockedInAt.Compare(a.StockedInAt) })
	for _, item := range items[:min(len(items), fetchKnown)] {
		if item.ListingPhoto == "" {
			continue
		}
		if _, here, err := s.blobs.Has(item.ListingPhoto); err != nil {
			return fetched, err
		} else if here {
			continue
		}
		err := s.fetchOne(ctx, item.ListingPhoto)
		if failure, ok := errors.AsType[*wire.Failure](err); ok && failure.Says(wire.NotFound) {
			continue // the centre has lost it; the others may be there
		}
		if err != nil {
			return fetched, err
		}
		fetched++
	}
	return fetched, nil
}

func (s *station) fetchOne(ctx context.Context, d qc.Digest) error {
	data, err := s.link.FetchPhoto(ctx, d)
	if err != nil {
		return err
	}
	if qc.DigestOf(data) != d {
		return qc.ErrDigest
	}
	_, err = s.blobs.PutBytes(ctx, data)
	return err
}
