package central

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// How often the feed is looked at, should a word of another centre be lost, and
// how long the line to the database is left alone after it broke.
const (
	pollFeed  = 5 * time.Second
	reconnect = time.Second
)

// Follow wakes the feed's readers ([Store.Watch]) when another centre on the same
// database has put something on it, until ctx ends. A word of the database is
// only what wakes them; they read for themselves, and what is never said is seen
// at the next look. A centre that is alone with its database has nobody to
// listen to. It fails with [ErrOthers] when another centre has come that this one
// may not be beside.
func (s *Store) Follow(ctx context.Context) error {
	if s.engine.listen == nil {
		<-ctx.Done()
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.listen(ctx) })
	group.Go(func() error { return s.poll(ctx) })
	return group.Wait()
}

func (s *Store) listen(ctx context.Context) error {
	for ctx.Err() == nil {
		// What was said before we listened is made up for by a tick.
		err := s.engine.listen(ctx, s, s.heard, s.heard)
		if errors.Is(err, ErrOthers) {
			return fmt.Errorf("listen to other centres: %w", err)
		}
		if ctx.Err() == nil {
			s.log.WarnContext(ctx, "lost the line to other centres", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(reconnect):
		}
	}
	return nil
}

func (s *Store) poll(ctx context.Context) error {
	look := time.NewTicker(pollFeed)
	defer look.Stop()
	var last int64
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		var head int64
		err := s.reader.QueryRowContext(ctx, `SELECT value FROM counter WHERE name = 'feed'`).Scan(&head)
		if err == nil && head != last {
			last = head
			s.heard()
		}
	}
}

// heard wakes everybody: what another centre has done may be for any of them.
func (s *Store) heard() {
	s.watchers.tick()
	s.senders.tick()
}
