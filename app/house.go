package main

import (
	"context"
	"time"
)

const (
	// houseEvery is how often a station clears up.
	houseEvery = 6 * time.Hour
	// keepFor is how long what the centre has is kept in the log: a centre that
	// is restored from a backup of two weeks ago asks for it again.
	keepFor = 15 * 24 * time.Hour
)

// keepHouse forgets old log entries until ctx ends. Photos stay: how long they
// are needed here depends on their cases.
func (s *station) keepHouse(ctx context.Context) error {
	ticker := time.NewTicker(houseEvery)
	defer ticker.Stop()
	for {
		if _, err := s.store.Prune(ctx, s.now().Add(-keepFor)); err != nil && ctx.Err() == nil {
			s.log.Error("old log entries stay", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
