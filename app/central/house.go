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
	// checkEvery is how often the books are derived again.
	checkEvery = 24 * time.Hour
	// sweepAfter is longer than the seven days that an upload lives: what is
	// older, crashes have left.
	sweepAfter = 8 * 24 * time.Hour
)

// keepHouse runs what nobody asks for until ctx ends: it clears up uploads that
// nobody went on with, closes cases that nobody answered although they could,
// and frees money that was set aside in vain.
func (c *centre) keepHouse(ctx context.Context) error {
	clearing, closing := time.NewTicker(clearEvery), time.NewTicker(closeEvery)
	defer clearing.Stop()
	defer closing.Stop()
	c.clearUploads(ctx)
	var waiting patience
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-clearing.C:
			c.clearUploads(ctx)
		case <-closing.C:
			c.heedSilence(ctx, &waiting)
			c.freeHolds(ctx)
		}
	}
}

// keepStore does until ctx ends what may take long, such as the first time after
// years: it lets old originals go and derives the books again.
func (c *centre) keepStore(ctx context.Context) error {
	clearing, checking := time.NewTicker(clearEvery), time.NewTicker(checkEvery)
	defer clearing.Stop()
	defer checking.Stop()
	c.letGo(ctx)
	c.checkBooks(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-clearing.C:
			c.letGo(ctx)
		case <-checking.C:
			c.checkBooks(ctx)
		}
	}
}

func (c *centre) clearUploads(ctx context.Context) {
	err := c.discardExpired(ctx)
	err = errors.Join(err, c.store.ForgetNotices(ctx, c.now()), c.store.ForgetShops(ctx, c.now()))
	swept, left := c.blobs.Sweep(c.now().Add(-sweepAfter))
	if err = errors.Join(err, left); err != nil && ctx.Err() == nil {
		c.log.ErrorContext(ctx, "could not clear up uploads", "error", err)
	}
	if swept > 0 {
		c.log.InfoContext(ctx, "swept up unfinished files", "files", swept)
	}
}

// patience knows for how long customers could have reached the centre. After a
// start, and after a sleep of the machine or a jump of its clock, which are the
// same to a customer, they get graceToDecide before silence counts as an answer.
type patience struct{ since, last time.Time }

// graceToDecide is as long as a decision is asked for at least. Looks further
// apart than stumble are not those of a centre that was there in between.
const (
	graceToDecide = 6 * time.Hour
	stumble       = 5 * time.Minute
)

// over reports at every look, one each closeEvery, whether silence counts now.
func (p *patience) over(now time.Time) bool {
	now = now.Round(0) // by the wall's clock: the other stands still while a machine sleeps
	if gap := now.Sub(p.last); gap < 0 || gap > stumble {
		p.since = now
	}
	p.last = now
	return now.Sub(p.since) >= graceToDecide
}

// heedSilence closes unanswered cases, but not before patience is over.
func (c *centre) heedSilence(ctx context.Context, p *patience) {
	if p.over(c.now()) {
		c.closeUnanswered(ctx)
	}
}

// closeUnanswered keeps the items whose customers have not decided in time.
func (c *centre) closeUnanswered(ctx context.Context) {
	n, err := c.store.RunTimers(ctx, c.now())
	if err != nil && ctx.Err() == nil {
		c.log.ErrorContext(ctx, "could not see to cases that are due", "error", err)
	}
	if n > 0 {
		c.log.InfoContext(ctx, "acted on cases that were due", "cases", n)
	}
}

// freeHolds makes free again what of customers' money was set aside in vain.
func (c *centre) freeHolds(ctx context.Context) {
	n, err := c.store.ExpireHolds(ctx, c.now())
	if err != nil && ctx.Err() == nil {
		c.log.ErrorContext(ctx, "could not free holds that have expired", "error", err)
	}
	if n > 0 {
		c.log.InfoContext(ctx, "freed holds that had expired", "holds", n)
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
		err := c.discardStaged(upload.ID)
		if errors.Is(err, blob.ErrBusy) {
			continue // somebody went on with it this very moment
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

// discardStaged deletes the file of an upload. It fails with [blob.ErrBusy]
// while somebody is writing to it.
func (c *centre) discardStaged(upload string) error {
	staged, err := c.blobs.Stage(upload)
	if err != nil {
		return err
	}
	return staged.Discard()
}
