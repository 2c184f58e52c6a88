package main

import (
	"context"
	"errors"
	"time"

	"flawmark/app/qc"
)

// Listing photos are fetched before anybody asks, because an item is often
// inspected when the centre cannot be reached.

const (
	// fetchRest is the pause after a photo that could not be had.
	fetchRest = 30 * time.Second
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
		select {
		case <-ctx.Done():
			return nil
		case <-ticks:
		}
	}
}

// fetchLacking fetches what is not here yet, one after another.
func (s *station) fetchLacking(ctx context.Context) (fetched int, err error) {
	items, err := s.store.Items(ctx)
	if err != nil {
		return 0, err
	}
	for _, item := range items[:min(len(items), fetchKnown)] {
		if item.ListingPhoto == "" {
			continue
		}
		if _, here, err := s.blobs.Has(item.ListingPhoto); err != nil || here {
			if err != nil {
				return fetched, err
			}
			continue
		}
		if err := s.fetchOne(ctx, item.ListingPhoto); errors.Is(err, qc.ErrNotFound) {
			continue // the centre has lost it; the others may be there
		} else if err != nil {
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
