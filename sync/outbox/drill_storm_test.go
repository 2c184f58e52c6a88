package outbox_test

import (
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/outbox"
	"flawmark/sync/wire"
)

// storm is a network and a centre on which nothing can be relied: requests and
// answers get lost, requests arrive late, and again, and behind later ones, and
// the centre fails now and then.
type storm struct {
	outbox.Remote
	mu     sync.Mutex
	random *rand.Rand
	calm   bool
	down   bool
	// late are requests that are on their way a second time. They outlive the
	// engine that made them.
	late sync.WaitGroup
	// Planted faults.
	rewinds bool // a retried part is read from the file's beginning
}

// weather is what happens to one request.
type weather struct {
	there, back                     time.Duration
	lostThere, lostBack, fails, two bool
	again                           time.Duration
	retryAfter                      time.Duration
}

func (s *storm) weather() weather {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calm {
		return weather{there: 20 * time.Millisecond, back: 20 * time.Millisecond}
	}
	spread := func(most time.Duration) time.Duration { return time.Duration(s.random.Int64N(int64(most))) }
	w := weather{
		there: spread(2 * time.Second), back: spread(2 * time.Second), again: spread(time.Minute),
		lostThere: s.down || s.random.Float64() < 0.3, lostBack: s.random.Float64() < 0.3,
		fails: s.random.Float64() < 0.1, two: s.random.Float64() < 0.15,
	}
	if w.fails && s.random.IntN(2) == 0 {
		w.retryAfter = spread(20 * time.Minute)
	}
	return w
}

func (s *storm) set(calm, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calm, s.down = calm, down
}

func (s *storm) try(ctx context.Context, do func(context.Context) error) error {
	w := s.weather()
	if err := rest(ctx, w.there); err != nil {
		return err
	}
	if w.lostThere {
		return &wire.Failure{Kind: wire.Retry, Op: "request lost"}
	}
	if w.fails {
		return &wire.Failure{Kind: wire.Retry, Op: "centre fails", Problem: wire.NewProblem(wire.Internal, ""), RetryAfter: w.retryAfter}
	}
	if w.two {
		s.late.Go(func() {
			time.Sleep(w.again)
			_ = do(context.WithoutCancel(ctx)) // nobody hears the answer
		})
	}
	if err := do(ctx); err != nil {
		return err
	}
	if err := rest(ctx, w.back); err != nil {
		return err
	}
	if w.lostBack {
		return &wire.Failure{Kind: wire.Retry, Op: "answer lost"}
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *storm) Connect(ctx context.Context) error {
	return s.try(ctx, s.Remote.Connect)
}

func (s *storm) PushEvents(ctx context.Context, b qc.Batch) (ack qc.Ack, err error) {
	var mu sync.Mutex
	err = s.try(ctx, func(ctx context.Context) error {
		got, err := s.Remote.PushEvents(ctx, b)
		mu.Lock()
		defer mu.Unlock()
		if ack.Through == 0 {
			ack = got
		}
		return err
	})
	mu.Lock()
	defer mu.Unlock()
	return ack, err
}

func (s *storm) QueryBlobs(ctx context.Context, ds []qc.Digest) (have []qc.Digest, partial []qc.Shipment, err error) {
	w := s.weather()
	if err := rest(ctx, w.there); err != nil {
		return nil, nil, err
	}
	if w.lostThere || w.lostBack {
		return nil, nil, &wire.Failure{Kind: wire.Retry, Op: "lost"}
	}
	return s.Remote.QueryBlobs(ctx, ds)
}

func (s *storm) BeginUpload(ctx context.Context, shipment qc.Shipment) (string, int64, error) {
	type begun struct {
		upload string
		offset int64
	}
	answers := make(chan begun, 2)
	err := s.try(ctx, func(ctx context.Context) error {
		upload, offset, err := s.Remote.BeginUpload(ctx, shipment)
		answers <- begun{upload, offset}
		return err
	})
	if err != nil {
		return "", 0, err
	}
	first := <-answers
	return first.upload, first.offset, nil
}

func (s *storm) UploadOffset(ctx context.Context, upload string) (offset int64, err error) {
	w := s.weather()
	if err := rest(ctx, w.there); err != nil {
		return 0, err
	}
	if w.lostThere || w.lostBack {
		return 0, &wire.Failure{Kind: wire.Retry, Op: "lost"}
	}
	return s.Remote.UploadOffset(ctx, upload)
}

func (s *storm) UploadChunk(ctx context.Context, upload string, source io.ReaderAt, offset, n int64) (int64, error) {
	answers := make(chan int64, 2)
	err := s.try(ctx, func(ctx context.Context) error {
		from := source
		if s.rewinds {
			from = io.NewSectionReader(shifted{source, -offset}, 0, offset+n)
		}
		after, err := s.Remote.UploadChunk(ctx, upload, from, offset, n)
		answers <- after
		return err
	})
	if err != nil {
		return 0, err
	}
	return <-answers, nil
}

// shifted reads another place than it is asked for.
type shifted struct {
	io.ReaderAt
	by int64
}

func (s shifted) ReadAt(p []byte, off int64) (int, error) {
	return s.ReaderAt.ReadAt(p, max(0, off+s.by))
}

func (s *storm) Changes(ctx context.Context, after qc.Cursor, limit int, wait time.Duration) (page qc.Page, err error) {
	w := s.weather()
	if err := rest(ctx, w.there); err != nil {
		return page, err
	}
	if w.lostThere || w.lostBack || w.fails {
		return page, &wire.Failure{Kind: wire.Retry, Op: "lost"}
	}
	return s.Remote.Changes(ctx, after, limit, wait)
}
