package outbox_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/app/qc"
	"flawmark/sync/outbox"
)

// month is one simulated station over weeks of virtual time: it is switched on
// for shifts, records, loses power, and its clock is set to other days.
type month struct {
	seed  uint64
	plant func(w *world)
}

// world is what a month plays in, for planted faults to change.
type world struct {
	memory *memory
	store  outbox.Store
	centre centre
	remote outbox.Remote // behind the storm
	storm  *storm
}

// aftermath is what a month has left.
type aftermath struct {
	lost, doubled int
	lasted        time.Duration
	stuck         string
}

// shifts is how often a month's station is switched on.
const shifts = 6

func (m month) play(t *testing.T) (after aftermath) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		random := rand.New(rand.NewPCG(m.seed, 2))
		w := &world{memory: newMemory(), centre: newCentre()}
		w.store, w.remote = w.memory, direct{w.centre.Centre}
		w.storm = &storm{random: rand.New(rand.NewPCG(m.seed, 3))}
		if m.plant != nil {
			m.plant(w)
		}
		w.storm.Remote = w.remote
		var clock skewed
		for range shifts {
			stop := w.switchOn(t, &clock)
			for range 1 + random.IntN(3) {
				w.memory.record(random.IntN(4))
				w.memory.photo(scene(random, 1+random.IntN(40_000)), qc.LanePreview)
				if random.IntN(4) == 0 {
					w.memory.photo(scene(random, 1+random.IntN(640_000)), qc.LaneOriginals)
				}
				w.centre.Say(qc.ItemChanged, "news")
				w.storm.set(false, random.IntN(4) == 0)
				time.Sleep(time.Duration(random.IntN(600)) * time.Second)
				if random.IntN(5) == 0 {
					clock.jump(time.Duration(random.IntN(61)-30) * 24 * time.Hour)
				}
			}
			stop() // at any moment of its work, as when the power goes
			if random.IntN(3) == 0 {
				w.centre.restart()
			}
			time.Sleep(time.Duration(random.IntN(6*24)) * time.Hour)
		}
		w.storm.set(true, false)
		stop := w.switchOn(t, &clock)
		healed := time.Now()
		for !w.memory.drained() || w.memory.feedLength() < w.centre.feedLength() {
			if time.Sleep(time.Second); time.Since(healed) > time.Hour {
				after.stuck = "not drained an hour after the storm"
				break
			}
		}
		w.storm.late.Wait()
		time.Sleep(time.Minute) // what came late may have said something
		stop()
		after.lasted = time.Since(begun)
		w.compare(&after)
	})
	return after
}

// scene is a photo of which no two parts are alike.
func scene(random *rand.Rand, size int) []byte {
	data := make([]byte, size)
	source := rand.NewChaCha8([32]byte{byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32())})
	_, _ = source.Read(data)
	return data
}

// restart is a centre that comes back without its unfinished uploads.
func (c centre) restart() {
	c.Lock()
	defer c.Unlock()
	clear(c.Uploads)
	clear(c.Partial)
}

// switchOn starts the program on the station's data.
func (w *world) switchOn(t *testing.T, clock *skewed) (stop func()) {
	t.Helper()
	return run(t, outbox.New(outbox.Config{
		Store: w.store, Open: w.memory.open, Counts: w.memory.counts, Remote: w.storm, Now: clock.now, Log: quiet(),
	}))
}

// compare counts what is at only one end, and what is at one end twice.
func (w *world) compare(after *aftermath) {
	m, c := w.memory, w.centre
	m.Lock()
	defer m.Unlock()
	c.Lock()
	defer c.Unlock()
	after.lost += max(0, len(m.sealed)-len(c.Effects))
	for _, times := range c.Effects {
		after.doubled += times - 1
	}
	for d, data := range m.photos {
		if !bytes.Equal(c.Files[d], data) {
			after.lost++
		}
		after.doubled += max(0, c.Stored[d]-1)
	}
	seen := make(map[int64]int)
	for _, change := range m.changes {
		seen[change.Seq]++
	}
	for _, change := range c.Feed {
		after.lost += max(0, 1-seen[change.Seq])
		after.doubled += max(0, seen[change.Seq]-1)
	}
	if after.stuck != "" && after.lost == 0 {
		after.lost++
	}
}

// skewed is a station's clock, which people and batteries set.
type skewed struct {
	mu  sync.Mutex
	off time.Duration
}

func (s *skewed) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.off)
}

func (s *skewed) jump(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off += by
}

// TestDrillMonths plays many stations, each through weeks of its own.
func TestDrillMonths(t *testing.T) {
	rig := drill.Begin(t, "months", drill.Sizes{Test: 60, Short: 300, Long: 10_000})
	var out drill.Outcome
	var days float64
	for i := range uint64(rig.Tries) {
		after := month{seed: rig.Seed*1_000_000 + i}.play(t)
		out.Tries++
		out.Lost += after.lost
		out.Doubled += after.doubled
		days += after.lasted.Hours() / 24
		if after.lost+after.doubled > 0 {
			t.Logf("station %d: %d lost, %d doubled %s", i, after.lost, after.doubled, after.stuck)
		}
	}
	out.Figures = []string{"virtual_days", fmt.Sprintf("%.0f", days)}
	rig.Done(out)
}

// cursorFirst stores the cursor of a page before its changes, in a step of its
// own: a planted fault.
type cursorFirst struct{ *memory }

func (c cursorFirst) ApplyPage(ctx context.Context, page qc.Page) error {
	if err := c.memory.ApplyPage(ctx, qc.Page{Next: page.Next}); err != nil {
		return err
	}
	if err := rest(ctx, 20*time.Second); err != nil {
		return err // the power went
	}
	return c.memory.ApplyPage(ctx, page)
}

// changesFirst is the other way round.
type changesFirst struct{ *memory }

func (c changesFirst) ApplyPage(ctx context.Context, page qc.Page) error {
	before, err := c.Cursor(ctx)
	if err != nil {
		return err
	}
	if err := c.memory.ApplyPage(ctx, qc.Page{Changes: page.Changes, Next: before}); err != nil {
		return err
	}
	if err := rest(ctx, 20*time.Second); err != nil {
		return err
	}
	return c.memory.ApplyPage(ctx, qc.Page{Next: page.Next})
}

// identityColumn numbers changes when their transaction begins and shows them
// when it ends, as an identity column does: a planted fault.
type identityColumn struct {
	outbox.Remote
	mu   sync.Mutex
	ends map[int64]time.Time
}

func (i *identityColumn) Changes(ctx context.Context, after qc.Cursor, limit int, wait time.Duration) (qc.Page, error) {
	page, err := i.Remote.Changes(ctx, after, limit, min(wait, 5*time.Second))
	if err != nil {
		return page, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	var shown []qc.Change
	for _, change := range page.Changes {
		if _, known := i.ends[change.Seq]; !known {
			i.ends[change.Seq] = time.Now().Add(time.Duration(change.Seq%3) * 4 * time.Second)
		}
		if !time.Now().Before(i.ends[change.Seq]) {
			shown = append(shown, change)
		}
	}
	if page.Changes = shown; len(shown) > 0 {
		page.Next.Seq = shown[len(shown)-1].Seq
	} else {
		page.Next = after
	}
	return page, nil
}

func TestDrillMonths_CatchesPlantedFaults(t *testing.T) {
	for name, plant := range map[string]func(*world){
		"cursor stored before the changes": func(w *world) { w.store = cursorFirst{w.memory} },
		"cursor stored after the changes":  func(w *world) { w.store = changesFirst{w.memory} },
		"feed numbered outside the transaction": func(w *world) {
			w.remote = &identityColumn{Remote: w.remote, ends: make(map[int64]time.Time)}
		},
		"part of a photo read from its beginning": func(w *world) { w.storm.rewinds = true },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(100) {
				if after := (month{seed: seed, plant: plant}).play(t); after.lost+after.doubled > 0 {
					t.Logf("found at seed %d: %d lost, %d doubled %s", seed, after.lost, after.doubled, after.stuck)
					return
				}
			}
			t.Error("100 seeds found nothing")
		})
	}
}
