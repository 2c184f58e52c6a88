package intake

import (
	"context"
	"sync"
)

// claims sees to it that one request at a time works on an upload, and that it
// is the newest one: what held it before is interrupted and waited for.
type claims struct {
	mu   sync.Mutex
	held map[string]*claim
}

type claim struct {
	interrupt func()
	done      chan struct{}
}

func newClaims() *claims { return &claims{held: make(map[string]*claim)} }

// take claims an upload. Interrupt may be called at any time until release
// returns, from another goroutine, and more than once.
func (c *claims) take(ctx context.Context, id string, interrupt func()) (release func(), err error) {
	for {
		c.mu.Lock()
		older := c.held[id]
		if older == nil {
			mine := &claim{interrupt: interrupt, done: make(chan struct{})}
			c.held[id] = mine
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				delete(c.held, id)
				c.mu.Unlock()
				close(mine.done)
			}, nil
		}
		c.mu.Unlock()
		older.interrupt()
		select {
		case <-older.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
