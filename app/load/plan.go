package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"flawmark/app/qc"
)

// Plan is what arrives at a centre in a time.
type Plan struct {
	Senders int
	// PerSecond is how many findings begin each second; one in FlagEvery of them
	// opens a case, none where it is zero.
	PerSecond float64
	FlagEvery int
	// PhotoBytes are sent each second beside them, in files of PhotoSize.
	PhotoBytes, PhotoSize int64
	For                   time.Duration
	// Began is called beside the load when it begins; nil: nothing is.
	Began func()
	// Arrived is told of each photo that the centre has acknowledged; nil: nobody
	// is. It is called by several goroutines.
	Arrived func(qc.Digest) error
}

// Findings returns how many findings the plan has, and so how many items it
// needs.
func (p Plan) Findings() int { return int(math.Round(p.PerSecond * p.For.Seconds())) }

// Result is what came of a plan.
type Result struct {
	// Push tells how long each finding took from the moment at which it was due
	// until the centre had acknowledged it.
	Push Times
	// Photo tells the same of each photo.
	Photo    Times
	Findings int // that were acknowledged
	Photos   int
	Bytes    int64 // of photos that were acknowledged
	Failed   []error
	Took     time.Duration
}

// Times are how long things took.
type Times []time.Duration

// Percentile returns the least time that p percent of them do not exceed; zero
// of none.
func (t Times) Percentile(p float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Seconds returns the times as numbers.
func (t Times) Seconds() []float64 {
	all := make([]float64, len(t))
	for i, one := range t {
		all[i] = one.Seconds()
	}
	return all
}

// keptFailures is how many failures are told; there may be as many as findings.
const keptFailures = 5

// course is a plan under way.
type course struct {
	Plan
	senders []*Sender
	items   []qc.Item
	photo   qc.Photo

	mu     sync.Mutex
	result Result
}

// Run has the stations do what the plan says to the centre and returns when all
// of it is answered. Each item is used once. It fails when the stations cannot
// be admitted; what fails later is in the result.
func (c *Centre) Run(ctx context.Context, p Plan, items []qc.Item) (Result, error) {
	if len(items) < p.Findings() {
		return Result{}, fmt.Errorf("run load: %d items for %d findings", len(items), p.Findings())
	}
	senders, photo, err := c.muster(ctx, p.Senders)
	defer dismiss(senders)
	if err != nil {
		return Result{}, err
	}
	run := &course{Plan: p, items: items, senders: senders, photo: photo}
	begun := time.Now()
	var group errgroup.Group
	group.Go(func() error { return run.findings(ctx, begun) })
	group.Go(func() error { return run.photos(ctx, begun) })
	if p.Began != nil {
		group.Go(func() error { p.Began(); return nil })
	}
	err = group.Wait()
	run.result.Took = time.Since(begun)
	return run.result, err
}

// muster has n stations admitted and one of them send what the findings of all
// show. Those it returns are to be dismissed also when it fails.
func (c *Centre) muster(ctx context.Context, n int) (all []*Sender, photo qc.Photo, err error) {
	for i := range n {
		s, err := c.Admit(ctx, fmt.Sprintf("Bench %d", i+1), nil)
		if err != nil {
			return all, photo, err
		}
		all = append(all, s)
	}
	if n == 0 {
		return nil, photo, errors.New("run load: no stations")
	}
	photo, err = all[0].Photograph(ctx)
	return all, photo, err
}

func dismiss(all []*Sender) {
	for _, s := range all {
		s.Close()
	}
}

// paced begins each of n things when it is due, whatever became of those before.
func paced(ctx context.Context, begun time.Time, every time.Duration, n int, do func(i int, due time.Time)) error {
	var under sync.WaitGroup
	defer under.Wait()
	for i := range n {
		due := begun.Add(time.Duration(i) * every)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(due)):
		}
		under.Go(func() { do(i, due) })
	}
	return nil
}

func (r *course) findings(ctx context.Context, begun time.Time) error {
	if r.PerSecond <= 0 {
		return nil
	}
	every := time.Duration(float64(time.Second) / r.PerSecond)
	return paced(ctx, begun, every, r.Findings(), func(i int, due time.Time) {
		say := r.senders[i%len(r.senders)].Pass
		if r.FlagEvery > 0 && i%r.FlagEvery == 0 {
			say = r.senders[i%len(r.senders)].Flag
		}
		_, err := say(ctx, r.items[i], r.photo)
		took := time.Since(due)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil {
			r.fail(err)
			return
		}
		r.result.Findings++
		r.result.Push = append(r.result.Push, took)
	})
}

func (r *course) photos(ctx context.Context, begun time.Time) error {
	if r.PhotoBytes <= 0 {
		return nil
	}
	noise, err := newNoise(int(r.PhotoSize))
	if err != nil {
		return err
	}
	every := time.Duration(float64(time.Second) * float64(r.PhotoSize) / float64(r.PhotoBytes))
	return paced(ctx, begun, every, int(r.For/every), func(i int, due time.Time) {
		digest, data := noise.file()
		err := r.senders[i%len(r.senders)].Upload(ctx, digest, data)
		took := time.Since(due)
		if err == nil && r.Arrived != nil {
			err = r.Arrived(digest)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil {
			r.fail(err)
			return
		}
		r.result.Photos++
		r.result.Bytes += int64(len(data))
		r.result.Photo = append(r.result.Photo, took)
	})
}

func (r *course) fail(err error) {
	if len(r.result.Failed) < keptFailures {
		r.result.Failed = append(r.result.Failed, err)
	}
}

// Flood has the senders flag items as fast as the centre takes them, each one
// after another, and returns how many of them it took a second. Every item is
// flagged once and opens a case.
func (c *Centre) Flood(ctx context.Context, senders int, items []qc.Item) (float64, error) {
	all, photo, err := c.muster(ctx, senders)
	defer dismiss(all)
	if err != nil {
		return 0, err
	}
	var next atomic.Int64
	begun := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range all {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(items) {
					return nil
				}
				if _, err := s.Flag(ctx, items[i], photo); err != nil {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return float64(len(items)) / time.Since(begun).Seconds(), nil
}

// Sound fails unless the centre finds its own books in order.
func (c *Centre) Sound(ctx context.Context) error {
	if _, err := c.Admin(ctx, "verify"); err != nil {
		return errors.Join(errors.New("the centre's books are not in order"), err)
	}
	return nil
}
