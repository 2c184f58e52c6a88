package central_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/app/refund"
	"flawmark/app/refund/refundtest"
	"flawmark/storage/storagetest"
)

// lasts is how many events a life has.
const lasts = 300

// tally is what came of many lives, some of them at the same time.
type tally struct {
	mu      sync.Mutex
	found   drill.Outcome
	reached map[refund.Status]bool
	kills   int
	cut     int // of them, in the middle of something
}

// add counts a life that has ended.
func (y *tally) add(t *testing.T, seed uint64, l *life) {
	t.Helper()
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.reached == nil {
		y.reached = make(map[refund.Status]bool)
	}
	y.found.Tries += l.events
	for _, fault := range l.faults {
		t.Errorf("life %d, %s", seed, fault)
		if strings.Contains(fault, "doubled") {
			y.found.Doubled++
		} else {
			y.found.Lost++
		}
	}
	for _, c := range l.known {
		for _, e := range c.Timeline {
			y.reached[e.To] = true
		}
	}
	if m, ok := l.centre.(*mortal); ok {
		y.kills += m.kills
		y.cut += m.cut
	}
}

// live plays lives, one after the other on each processor, until there were so
// many events. Each has a database of its own.
func (y *tally) live(t *testing.T, rig *drill.Rig, tries int, begin func(t *testing.T, seed uint64) *life) {
	t.Helper()
	workers := min(runtime.GOMAXPROCS(0), 1+tries/(2*lasts))
	t.Run("lives", func(t *testing.T) {
		for n := range workers {
			t.Run(strconv.Itoa(n+1), func(t *testing.T) {
				t.Parallel()
				left := (tries + workers - 1) / workers
				for seed := rig.Seed + uint64(n); left > 0 && !t.Failed(); seed += uint64(workers) {
					l := begin(t, seed)
					for range min(lasts, left) {
						l.step()
					}
					l.end()
					l.must(os.RemoveAll(l.place.Dir))
					y.add(t, seed, l)
					left -= l.events
				}
			})
		}
	})
}

// inMemory is a folder that no disk is slow for, where the system has one: what
// disks do to what was written is for the lives that are killed.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "flawmark-lives-") //nolint:usetesting // memory, not a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestDrillLives_SQLite lets so many events happen to stores on SQLite.
func TestDrillLives_SQLite(t *testing.T) {
	t.Parallel()
	rig := drill.Begin(t, "lives", drill.Sizes{Test: lasts, Short: 60 * lasts, Long: 1_000_000})
	dir := inMemory(t)
	var y tally
	y.live(t, rig, rig.Tries, func(t *testing.T, seed uint64) *life {
		return newLife(t, seed, place{Dir: filepath.Join(dir, strconv.FormatUint(seed, 10))})
	})
	// Every status is met by the rig of the rules; in few lives the rarest ends are not.
	if rig.Asked && len(y.reached) < 15 {
		t.Errorf("only %d of %d statuses were met: %v", len(y.reached), len(refund.Statuses()), y.reached)
	}
	y.found.Figures = []string{"sqlite_events", strconv.Itoa(y.found.Tries), "sqlite_statuses", strconv.Itoa(len(y.reached))}
	rig.Done(y.found)
}

// TestDrillLives_PostgreSQL lets so many happen to stores on PostgreSQL, and
// kills some of those.
func TestDrillLives_PostgreSQL(t *testing.T) {
	t.Parallel()
	rig := drill.Begin(t, "lives", drill.Sizes{Test: 120, Short: 4 * lasts, Long: 60 * lasts})
	server := storagetest.StartPostgres(t)
	elsewhere := func(t *testing.T) place { return place{Dir: t.TempDir(), URL: server.Database(t)} }
	var y tally
	y.live(t, rig, rig.Tries, func(t *testing.T, seed uint64) *life { return newLife(t, seed, elsewhere(t)) })
	y.kill(t, rig.Seed, max(2, rig.Tries/80), elsewhere)
	y.found.Figures = []string{"postgres_events", strconv.Itoa(y.found.Tries), "postgres_kills", strconv.Itoa(y.kills)}
	rig.Done(y.found)
}

// TestDrillLives_Killed lets anything happen to centres in processes of their
// own, which are killed in the middle of it: on SQLite, on a disk, and synced as
// always.
func TestDrillLives_Killed(t *testing.T) {
	t.Parallel()
	rig := drill.Begin(t, "lives", drill.Sizes{Test: 4, Short: 60, Long: 1_000})
	var y tally
	y.kill(t, rig.Seed, rig.Tries, func(t *testing.T) place { return place{Dir: t.TempDir()} })
	y.found.Figures = []string{"killed_events", strconv.Itoa(y.found.Tries), "kills", strconv.Itoa(y.kills), "kills_in_the_middle", strconv.Itoa(y.cut)}
	rig.Done(y.found)
}

// kill plays lives until their centres were killed so often.
func (y *tally) kill(t *testing.T, seed uint64, kills int, where func(*testing.T) place) {
	t.Helper()
	for ; y.kills < kills && !t.Failed(); seed++ {
		l := newMortal(t, seed, where(t), "")
		for range lasts {
			if l.step(); y.kills+l.centre.(*mortal).kills >= kills {
				break
			}
		}
		l.end()
		y.add(t, seed, l)
	}
}

// newMortal begins a life in a centre that is killed at one of ten deeds.
func newMortal(t *testing.T, seed uint64, at place, fault string) *life {
	t.Helper()
	l := newLife(t, seed, at)
	l.blink()
	l.must(l.centre.Close())
	m := &mortal{
		t: t, chance: refundtest.NewChance(seed + 1), birth: birth{At: at, Fault: fault}, every: 10,
		at: func() time.Time { return l.at }, risen: l.kept, takes: 5 * time.Millisecond,
	}
	m.rise()
	l.centre, l.look = m, func() sight { return m.look(l.books.last) }
	return l
}

// TestDrillLives_StoreSeesPlantedFaults breaks the store's promises behind its
// back: each fault is found, and found for what it is.
func TestDrillLives_StoreSeesPlantedFaults(t *testing.T) {
	t.Parallel()
	do := func(queries ...string) func(*life) bool {
		return func(l *life) bool {
			changed := int64(0)
			for _, query := range queries {
				result, err := l.eye.db.Exec(query)
				l.must(err)
				n, err := result.RowsAffected()
				l.must(err)
				changed = n
			}
			return changed > 0
		}
	}
	for name, fault := range map[string]struct {
		once func(*life) bool // reports whether it could be planted
		says string
	}{
		"a balance moves by itself": {do(`UPDATE balance SET posted = posted + 1 WHERE account = 'customer:C-1001'`), "adds up to 1"},
		"a posting is lost": {func(l *life) bool {
			return l.books.last > 1 && do(`DROP TRIGGER IF EXISTS transfer_stay`, `DELETE FROM transfer WHERE n = 1`)(l)
		}, "were booked"},
		"a credit is booked twice": {do(`UPDATE balance SET posted = posted + CASE WHEN account = 'customer:C-1001' THEN 100 ELSE -100 END WHERE account IN ('customer:C-1001', 'seller_receivable:潮流前线鞋店') AND EXISTS (SELECT 1 FROM transfer)`), "the cases gave"},
		"an update is lost":        {lostUpdate, "rewritten"},
		"a case is lost":           {do(`DELETE FROM refund_case WHERE id NOT IN (SELECT case_id FROM transfer WHERE case_id IS NOT NULL) AND id NOT IN (SELECT case_id FROM notice)`), "lost"},
		"keys are forgotten":       {func(l *life) bool { return len(l.acts) > 20 && do(`DELETE FROM idempotency`)(l) }, "doubled"},
		"pieces are held twice": {func(l *life) bool {
			return len(l.said) > 0 && do(`UPDATE refund_case SET body = json_set(body, '$.quantity', 9) WHERE is_open = 1`)(l)
		}, "pieces of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := discovered(t, func(seed uint64) *life {
				l := newLife(t, 19+seed, place{Dir: t.TempDir()})
				planted := false
				l.plant = func(l *life) { planted = planted || l.events > 15 && fault.once(l) }
				return l
			})
			if !strings.Contains(found, fault.says) {
				t.Errorf("found as %q, want %q", found, fault.says)
			}
		})
	}
}

// TestDrillLives_KilledSeesPlantedFaults breaks what a killed centre has
// promised: each fault is found.
func TestDrillLives_KilledSeesPlantedFaults(t *testing.T) {
	t.Parallel()
	for fault, says := range map[string]string{
		"keys are forgotten":                 "doubled",
		"photos are promised too early":      "photos are there",
		"a posting is lost":                  "postings",
		"an answered act is not there":       "rewritten",
		"an event of a station is not there": "events and",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			found := discovered(t, func(seed uint64) *life { return newMortal(t, 19+seed, place{Dir: t.TempDir()}, fault) })
			if !strings.Contains(found, says) {
				t.Errorf("found as %q, want %q", found, says)
			}
		})
	}
}

// discovered returns the first fault that lives come upon, or fails the test.
func discovered(t *testing.T, begin func(seed uint64) *life) string {
	t.Helper()
	for seed := range uint64(6) {
		l := begin(seed)
		for range lasts {
			if l.step(); len(l.faults) > 0 {
				break
			}
		}
		l.blink()
		l.must(l.centre.Close())
		if len(l.faults) > 0 {
			return strings.Join(l.faults, "\n")
		}
	}
	t.Error("nobody has found it")
	return ""
}

// lostUpdate writes an older state of a case over its newest.
func lostUpdate(l *life) bool {
	for _, c := range l.known {
		if len(c.Timeline) < 3 {
			continue
		}
		c.Timeline, c.Version = c.Timeline[:len(c.Timeline)-1], c.Version-1
		c.Status = c.Timeline[len(c.Timeline)-1].To
		_, err := l.eye.db.Exec(`UPDATE refund_case SET body = $1, version = $2, status = $3 WHERE id = $4`, text(c), c.Version, string(c.Status), string(c.ID))
		l.must(err)
		return true
	}
	return false
}
