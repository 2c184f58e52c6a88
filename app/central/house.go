package main

import (
	"context"
	"errors"
	"time"

	"flawmark/storage/blob"
)

// houseEvery is how often the centre clears up.
const houseEvery = time.Hour

// keepHouse clears up until ctx ends: uploads that nobody went on with.
func (c *centre) keepHouse(ctx context.Context) error {
	ticker := time.NewTicker(houseEvery)
	defer ticker.Stop()
	for {
		if err := c.clearUploads(ctx); err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "could not clear up uploads", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// clearUploads discards uploads whose time is over. A station that still wants
// one begins it anew.
func (c *centre) clearUploads(ctx context.Context) error {
	expired, err := c.store.ExpiredUploads(ctx, c.now())
	if err != nil {
		return err
	}
	for _, upload := range expired {
		staged, err := c.blobs.Stage(upload.ID)
		if errors.Is(err, blob.ErrBusy) {
			continue // somebody went on with it this very moment
		}
		if err == nil {
			err = staged.Discard()
		}
		if err != nil {
			return err
		}
		if err := c.store.DropUpload(ctx, upload.ID); err != nil {
			return err
		}
	}
	return nil
}
