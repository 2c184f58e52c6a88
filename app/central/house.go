package main

import (
	"context"
	"errors"
	"time"

	"flawmark/storage/blob"
)

// How often the centre clears up, and looks whose time to decide is over.
const (
	clearEvery = time.Hour
	closeEvery = time.Minute
)

// keepHouse runs what nobody asks for until ctx ends: it clears up uploads that
// nobody went on with, and closes cases that nobody answered. Those it closes a
// while after the start only: whoever could not reach a centre that was off
// gets in first.
func (c *centre) keepHouse(ctx context.Context) error {
	clearing, closing := time.NewTicker(clearEvery), time.NewTicker(closeEvery)
	defer clearing.Stop()
	defer closing.Stop()
	c.clearUploads(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-clearing.C:
			c.clearUploads(ctx)
		case <-closing.C:
			c.closeUnanswered(ctx)
		}
	}
}

func (c *centre) clearUploads(ctx context.Context) {
	if err := c.discardExpired(ctx); err != nil && ctx.Err() == nil {
		c.log.ErrorContext(ctx, "could not clear up uploads", "error", err)
	}
}

// closeUnanswered keeps the items whose customers have not decided in time.
func (c *centre) closeUnanswered(ctx context.Context) {
	n, err := c.store.CloseUnanswered(ctx, c.now())
	if err != nil && ctx.Err() == nil {
		c.log.ErrorContext(ctx, "could not close unanswered cases", "error", err)
	}
	if n > 0 {
		c.log.InfoContext(ctx, "closed unanswered cases", "cases", n)
	}
}

// discardExpired discards uploads whose time is over. A station that still wants
// one begins it anew.
func (c *centre) discardExpired(ctx context.Context) error {
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
