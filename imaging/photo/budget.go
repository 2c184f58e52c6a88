package photo

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"
)

// Budget shares out memory among decodes that run at the same time. Whoever composes the program
// makes one and hands it to everybody who decodes; a nil Budget grants everything at once.
type Budget struct {
	total int64
	sem   *semaphore.Weighted
}

// NewBudget makes a budget of that many bytes.
func NewBudget(bytes int64) *Budget {
	bytes = max(bytes, 1)
	return &Budget{total: bytes, sem: semaphore.NewWeighted(bytes)}
}

// Acquire waits until bytes (see [Info.Memory]) are free, or ctx ends. The function it returns gives
// them back; it may be called more than once. A request for more than the whole budget gets all of
// it: it then runs alone.
func (b *Budget) Acquire(ctx context.Context, bytes int64) (release func(), err error) {
	if b == nil {
		return func() {}, ctx.Err()
	}
	n := min(max(bytes, 0), b.total)
	if err := b.sem.Acquire(ctx, n); err != nil {
		return nil, fmt.Errorf("wait for %d bytes of memory for a photo: %w", n, err)
	}
	held := make(chan struct{}, 1)
	held <- struct{}{}
	return func() {
		select {
		case <-held:
			b.sem.Release(n)
		default:
		}
	}, nil
}
