package client

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

var errStalled = errors.New("the connection has stalled")

// stallReader cancels its request when too little passes through it. It stands
// in for a time limit on the whole transfer, which large photos on slow
// networks would never meet.
type stallReader struct {
	r      io.Reader
	passed atomic.Int64
	ended  atomic.Bool
	timer  *time.Timer
}

// watch begins to watch what is read from r. Its stop must be called.
func (c *Client) watch(r io.Reader, cancel context.CancelCauseFunc) *stallReader {
	s := &stallReader{r: r}
	last := int64(0)
	ready := make(chan struct{})
	s.timer = time.AfterFunc(c.cfg.StallTimeout, func() {
		<-ready // s.timer is set
		now := s.passed.Load()
		if !s.ended.Load() && now-last < leastProgress {
			cancel(errStalled)
			return
		}
		last = now
		if !s.ended.Load() {
			s.timer.Reset(c.cfg.StallTimeout)
		}
	})
	close(ready)
	return s
}

func (s *stallReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.passed.Add(int64(n))
	if err != nil {
		s.ended.Store(true)
	}
	return n, err
}

func (s *stallReader) stop() {
	s.ended.Store(true)
	s.timer.Stop()
}
