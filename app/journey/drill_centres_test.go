package journey

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // to look into the centres' database from outside

	"flawmark/app/dev/drill"
	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/storage/blob"
	"flawmark/storage/central"
	"flawmark/storage/storagetest"
	"flawmark/sync/client"
	"flawmark/sync/wire"
)

// The rig's figures. In the long form a centre is killed every minute.
const (
	sharedCentres  = 3
	sharedStations = 3
	killPause      = 2 * time.Second
	killPauseLong  = time.Minute
	inspectPause   = 1500 * time.Millisecond // at most, at one station
	mostInspected  = 9000
	largePhoto     = 3 << 20
	lineRate       = 6 << 20 // bytes a second of each upload
)

// TestDrillCentres has stations work through a balancer with three centres on one
// PostgreSQL and one object store, while one centre after the other is killed and
// started again; then both storages fail for a moment. In the end they are replaced one by one as in an upgrade, without
// a single request coming to nothing. Everything acknowledged is there, once, and
// nobody at a station had to do anything.
func TestDrillCentres(t *testing.T) {
	rig := drill.Begin(t, "centres", drill.Sizes{Test: 2, Short: 8, Long: 60})
	pause := killPause
	if rig.Tries >= 60 {
		pause = killPauseLong
	}
	s := startShared(t, rig)
	random := rand.New(rand.NewPCG(rig.Seed, 8)) //nolint:gosec // moments to be repeated, not secrets
	working := s.work(t, pause)
	for range rig.Tries {
		time.Sleep(pause/2 + time.Duration(random.Int64N(int64(pause))))
		s.killAndRestart(t, s.centres[random.IntN(len(s.centres))], time.Duration(random.Int64N(int64(time.Second))))
	}
	s.takeStorageAway(t)
	refused, answers := s.front.count()
	for _, c := range s.centres {
		s.replace(t, c)
	}
	lost, _ := s.front.count()
	if lost > 0 {
		t.Errorf("%d requests came to nothing while centres were replaced", lost)
	}
	working.finish(t)

	out := drill.Outcome{Tries: rig.Tries, Figures: []string{
		"findings", fmt.Sprint(working.findings()), "photos", fmt.Sprint(len(s.photos)),
		"requests", fmt.Sprint(answers), "unanswered", fmt.Sprint(refused),
	}}
	for _, c := range s.centres {
		if code := c.stop(t); code != 0 {
			t.Errorf("centre %s ended with %d", c.data, code)
		}
		s.keepLog(t, c)
	}
	complaints := s.check(t, working, s.photos)
	for i, complaint := range complaints {
		if i < 10 {
			t.Error(complaint)
		}
	}
	out.Lost, out.Doubled = len(complaints), s.doubled(t)
	s.plantFaults(t, working)
	rig.Done(out)
}

// shared are centres of their own processes on one database and one bucket.
type shared struct {
	rig     *drill.Rig
	site    *drillSite // the same store once more, to prepare and to look
	sql     *storagetest.Postgres
	bucket  *blob.Bucket
	url     string // of the database
	address string // of the bucket
	store   *storagetest.S3
	centres []*centre
	front   *balancer

	mu     sync.Mutex
	photos map[qc.Digest]bool // that stations have recorded
}

func startShared(t *testing.T, rig *drill.Rig) *shared {
	t.Helper()
	s := &shared{rig: rig, store: storagetest.StartS3(t), sql: storagetest.StartPostgres(t), photos: make(map[qc.Digest]bool)}
	s.url, s.address = s.sql.Database(t), s.store.Bucket(t)
	rig.Secret(s.store.SecretKey)
	catalogue, err := qc.ParseCatalogue(assets.FlawCatalogue())
	if err != nil {
		t.Fatal(err)
	}
	folder := inMemory
	if rig.Asked { // it is a lot then
		folder = onDisk
	}
	s.site = &drillSite{rig: rig, folder: folder, dir: t.TempDir(), log: loud(rig, "centre")}
	s.site.store, err = central.Open(t.Context(), central.Config{
		Dir: s.site.dir, URL: s.url, Now: time.Now, Log: s.site.log, Policy: qc.DefaultReviewPolicy(), Catalogue: catalogue,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.site.store.Close(); err != nil {
			t.Error(err)
		}
	})
	s.bucket, err = blob.OpenBucket(t.Context(), blob.BucketConfig{
		URL: s.address, AccessKey: s.store.AccessKey, SecretKey: s.store.SecretKey, Scratch: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.bucket.Close() })
	if err := s.site.store.AddStaff(t.Context(), central.NewStaff{ID: "u12", Name: "王芳", Role: qc.Inspector}, time.Now()); err != nil {
		t.Fatal(err)
	}
	var behind []string
	for range sharedCentres {
		c := &centre{url: "http://" + storagetest.FreeAddress(t), data: t.TempDir()}
		s.centres, behind = append(s.centres, c), append(behind, c.address())
		s.start(t, c)
	}
	s.front = newBalancer(t, behind...)
	s.everyoneReady(t)
	return s
}

// start runs a centre again on its data and its address.
func (s *shared) start(t *testing.T, c *centre) {
	t.Helper()
	program, err := centralProgram()
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{"FLAWMARK_S3_ACCESS_KEY=" + s.store.AccessKey, "FLAWMARK_S3_SECRET_KEY=" + s.store.SecretKey}
	c.process = start(t, keys, program, "serve", "--data", c.data, "--listen", c.address(), "--lang", "en",
		"--database", s.url, "--objects", s.address, "--drain", "500ms")
}

func (s *shared) everyoneReady(t *testing.T) {
	t.Helper()
	until(t, "all centres to be ready", func() bool {
		for _, c := range s.centres {
			if !s.front.isUp(c.address()) {
				return false
			}
		}
		return true
	})
}

func (s *shared) killAndRestart(t *testing.T, c *centre, after time.Duration) {
	t.Helper()
	c.kill()
	time.Sleep(after)
	s.start(t, c)
	until(t, "the killed centre to be ready", func() bool { return s.front.isUp(c.address()) })
}

// takeStorageAway has the database, and then the object store, fail for a moment.
// All centres live on, and say that they are not ready.
func (s *shared) takeStorageAway(t *testing.T) {
	t.Helper()
	for name, server := range map[string]interface {
		Stop(tb testing.TB)
		Start(tb testing.TB)
	}{"database": s.sql, "object store": s.store} {
		s.everyoneReady(t)
		server.Stop(t)
		until(t, "the centres to miss the "+name, func() bool {
			return !slices.ContainsFunc(s.centres, func(c *centre) bool { return s.front.isUp(c.address()) })
		})
		server.Start(t)
		s.everyoneReady(t)
	}
	for _, c := range s.centres {
		if c.ended() {
			t.Errorf("centre %s has ended", c.data)
		}
	}
}

// replace stops a centre as an upgrade does, and starts it when it has ended.
func (s *shared) replace(t *testing.T, c *centre) {
	t.Helper()
	if code := c.stop(t); code != 0 {
		t.Errorf("a centre that was told to stop ended with %d", code)
	}
	until(t, "the balancer to notice", func() bool { return !s.front.isUp(c.address()) })
	s.start(t, c)
	until(t, "the new centre to be ready", func() bool { return s.front.isUp(c.address()) })
}

// keepLog puts what a centre has logged where it is searched for secrets.
func (s *shared) keepLog(t *testing.T, c *centre) {
	t.Helper()
	said, err := os.ReadFile(filepath.Join(c.data, "central.log"))
	if err == nil {
		_, err = s.rig.Log("process").Write(said)
	}
	if err != nil {
		t.Error(err)
	}
}

// working are stations that record, and send what they have recorded.
type working struct {
	s        *shared
	stations []*drillStation
	stops    []func()
	end      context.CancelFunc
	group    sync.WaitGroup

	mu       sync.Mutex
	recorded int

	follower follower
}

func (w *working) findings() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.recorded
}

// work begins it. Stations record faster when centres are killed faster.
func (s *shared) work(t *testing.T, pause time.Duration) *working {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &working{s: s, end: cancel}
	t.Cleanup(cancel)
	items := s.site.orders(t, min(300*s.rig.Tries, mostInspected))
	for i := range sharedStations {
		st := s.site.enrolStation(t, s.front.server.URL, slowly{http.DefaultTransport, lineRate})
		st.random = rand.New(rand.NewPCG(s.rig.Seed, uint64(100+i))) //nolint:gosec // as above
		_, stop := st.run(t)
		w.stations, w.stops = append(w.stations, st), append(w.stops, stop)
		mine := items[i*len(items)/sharedStations : (i+1)*len(items)/sharedStations]
		w.group.Go(func() { w.record(ctx, t, st, mine, min(pause/10, inspectPause)) })
	}
	st := s.site.enrolStation(t, s.front.server.URL, nil)
	w.group.Go(func() { w.follower.run(ctx, st.remote) })
	return w
}

// record has a station inspect one item after the other, every eighth with a
// large photo.
func (w *working) record(ctx context.Context, t *testing.T, st *drillStation, items []qc.Item, pause time.Duration) {
	for i, item := range items {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		if i%8 == 0 {
			st.large = largePhoto
		}
		photos := st.record(t, item, 2)
		st.large = 0
		w.mu.Lock()
		w.recorded++
		w.mu.Unlock()
		w.s.mu.Lock()
		for _, d := range photos {
			w.s.photos[d] = true
		}
		w.s.mu.Unlock()
	}
}

// finish ends the recording and waits until all has been sent, by itself.
func (w *working) finish(t *testing.T) {
	t.Helper()
	w.end()
	w.group.Wait()
	for i, st := range w.stations {
		st.waitFor(t, "all to be sent", patience, drained)
		w.stops[i]()
		if problems := st.refused(t); len(problems) > 0 {
			t.Errorf("%d findings were refused: %s", len(problems), problems[0])
		}
	}
}

// follower reads the feed from its beginning, wherever the balancer sends it.
type follower struct {
	mu     sync.Mutex
	cursor qc.Cursor
	gaps   []string
}

func (f *follower) run(ctx context.Context, remote *client.Client) {
	for ctx.Err() == nil {
		page, err := remote.Changes(ctx, f.cursor, 100, time.Second)
		if err != nil {
			if failure, ok := errors.AsType[*wire.Failure](err); ok && failure.Says(wire.CursorExpired) {
				f.gaps = append(f.gaps, "the feed has forgotten "+f.cursor.String())
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		f.take(page)
	}
}

func (f *follower) take(page qc.Page) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range page.Changes {
		if c.Seq != f.cursor.Seq+1 {
			f.gaps = append(f.gaps, fmt.Sprintf("the feed goes from %d to %d", f.cursor.Seq, c.Seq))
		}
		f.cursor.Seq = c.Seq
	}
	f.cursor = page.Next
}

// check returns a complaint for everything that was promised and is not so.
func (s *shared) check(t *testing.T, w *working, photos map[qc.Digest]bool) (complaints []string) {
	t.Helper()
	complaints = append(complaints, s.front.wentBack()...)
	complaints = append(complaints, w.follower.gaps...)
	if n := s.count(t, `SELECT count(DISTINCT id) FROM finding`); n != w.findings() {
		complaints = append(complaints, fmt.Sprintf("%d findings were recorded, the centre has %d", w.findings(), n))
	}
	for d := range photos {
		if err := s.bucket.Verify(t.Context(), d); err != nil {
			complaints = append(complaints, err.Error())
		}
		if _, err := s.site.store.Blob(t.Context(), d); err != nil {
			complaints = append(complaints, err.Error())
		}
	}
	report, err := s.site.store.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return append(complaints, report.Problems...)
}

// doubled counts what is there more than once.
func (s *shared) doubled(t *testing.T) int {
	t.Helper()
	return s.count(t, `SELECT count(*) FROM finding`) - s.count(t, `SELECT count(DISTINCT id) FROM finding`) +
		s.count(t, `SELECT count(*) FROM refund_case`) - s.count(t, `SELECT count(DISTINCT item) FROM refund_case`)
}

func (s *shared) count(t *testing.T, query string) (n int) {
	t.Helper()
	db, err := sql.Open("pgx", s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// plantFaults shows that the check sees losses.
func (s *shared) plantFaults(t *testing.T, w *working) {
	t.Helper()
	var some qc.Digest
	for some = range s.photos {
		break
	}
	one := map[qc.Digest]bool{some: true}
	if complaints := s.check(t, w, one); len(complaints) > 0 {
		return // they were told
	}
	path := s.store.Object(s.address, string(some[:2])+"/"+string(some))
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, plant := range map[string]struct{ do, undo func() error }{
		"a photo is gone": {
			func() error { return os.Rename(path, path+".away") }, func() error { return os.Rename(path+".away", path) },
		},
		"a photo has another byte": {
			func() error { return os.WriteFile(path, append([]byte("x"), sound[1:]...), 0o600) },
			func() error { return os.WriteFile(path, sound, 0o600) },
		},
		"a finding more was acknowledged": {
			func() error { w.recorded++; return nil }, func() error { w.recorded--; return nil },
		},
		"the feed skipped a number": {
			func() error {
				w.follower.take(qc.Page{Changes: []qc.Change{{Seq: w.follower.cursor.Seq + 2}}, Next: w.follower.cursor})
				return nil
			},
			func() error { w.follower.gaps = nil; return nil },
		},
	} {
		if err := plant.do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if complaints := s.check(t, w, one); len(complaints) == 0 {
			t.Errorf("%s, and the check sees nothing", name)
		}
		if err := plant.undo(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}
