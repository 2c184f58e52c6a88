package journey

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	randv2 "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"flawmark/app/dev/drill"
	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/storage/blob"
	"flawmark/storage/central"
	"flawmark/storage/local"
	"flawmark/sync/client"
	"flawmark/sync/intake"
	"flawmark/sync/outbox"
)

// drillSite is a centre in this process, with its real stores and a real
// socket. Everything is logged, down to the last detail.
type drillSite struct {
	rig    *drill.Rig
	dir    string
	folder func(t *testing.T) string // makes a folder for a store
	store  *central.Store
	blobs  *blob.Folder
	server *httptest.Server
	log    *slog.Logger
}

func newDrillSite(t *testing.T, rig *drill.Rig, folder func(*testing.T) string) *drillSite {
	t.Helper()
	s := &drillSite{rig: rig, dir: folder(t), folder: folder, log: loud(rig, "centre")}
	catalogue, err := qc.ParseCatalogue(assets.FlawCatalogue())
	if err == nil {
		s.store, err = central.Open(t.Context(), central.Config{Dir: s.dir, Now: time.Now, Log: s.log, Policy: qc.DefaultReviewPolicy(), Catalogue: catalogue})
	}
	if err == nil {
		s.blobs, err = blob.OpenFolder(filepath.Join(s.dir, "blobs"))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.store.Close(), s.blobs.Close()); err != nil {
			t.Error(err)
		}
	})
	tokens, err := s.store.Secret(t.Context(), "station tokens")
	if err != nil {
		t.Fatal(err)
	}
	rig.Secret(hex.EncodeToString(tokens))
	handler, err := intake.New(intake.Config{
		Centre:   drillDoor{s.store, s.discard},
		Stage:    func(id string) (intake.Staged, error) { return s.blobs.Stage(id) },
		Open:     func(d qc.Digest) (intake.File, error) { return s.blobs.Open(d) },
		Refusals: drillRefusals(), Instance: s.store.Instance(), Secret: tokens, Now: time.Now, Log: s.log,
	})
	if err != nil {
		t.Fatal(err)
	}
	base, cancel := context.WithCancel(context.Background())
	s.server = httptest.NewUnstartedServer(handler)
	s.server.Config.BaseContext = func(net.Listener) context.Context { return base }
	s.server.Start()
	t.Cleanup(func() { cancel(); s.server.CloseClientConnections(); s.server.Close() })
	if err := s.store.AddStaff(t.Context(), central.NewStaff{ID: "u12", Name: "王芳", Role: qc.Inspector}, time.Now()); err != nil {
		t.Fatal(err)
	}
	return s
}

// onDisk and inMemory make folders. What is measured without regard to disks
// need not wait for one.
func onDisk(t *testing.T) string {
	t.Helper()
	return t.TempDir()
}

func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "drill-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// loud logs everything into the folder that is searched for secrets.
func loud(rig *drill.Rig, part string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(rig.Log(part), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (s *drillSite) discard(upload string) error {
	staged, err := s.blobs.Stage(upload)
	if err != nil {
		return err
	}
	return staged.Discard()
}

// orders makes n items known.
func (s *drillSite) orders(t *testing.T, n int) []qc.Item {
	t.Helper()
	var orders []qc.Order
	var items []qc.Item
	for i := range n {
		id := fmt.Sprintf("%d", 40000+i)
		item := qc.Item{
			ID: qc.ItemID(id + "-1"), Order: qc.OrderID(id), Title: qc.Bilingual{EN: "Shoes", ZH: "鞋"}, Quantity: 1, Round: 1,
			UnitPrice: money.Fen(int64(10000 + i)), FreightIn: money.Fen(1200), Seller: "潮流前线鞋店", Platform: "taobao", StockedInAt: time.Now().Add(-24 * time.Hour),
		}
		items = append(items, item)
		orders = append(orders, qc.Order{
			ID: item.Order, PlacedAt: time.Now().Add(-7 * 24 * time.Hour), Items: []qc.Item{item},
			Customer: qc.Customer{ID: qc.CustomerID("C-" + id), Name: "Ana", Language: "en"},
		})
	}
	if _, err := s.store.ImportOrders(t.Context(), orders, time.Now()); err != nil {
		t.Fatal(err)
	}
	return items
}

// count asks the centre's database, from outside.
func (s *drillSite) count(t *testing.T, query string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(s.dir, "central.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// compare returns how many of the findings the centre lacks, and how many it
// has twice.
func (s *drillSite) compare(t *testing.T, findings int) (lost, doubled int) {
	t.Helper()
	distinct, all := s.count(t, `SELECT count(DISTINCT id) FROM finding`), s.count(t, `SELECT count(*) FROM finding`)
	cases := s.count(t, `SELECT count(*) FROM refund_case`) - s.count(t, `SELECT count(DISTINCT item) FROM refund_case`)
	return max(0, findings-distinct), all - distinct + cases
}

// drillDoor is the store as [intake.Centre].
type drillDoor struct {
	*central.Store
	discard func(upload string) error
}

func (d drillDoor) BeginEnrolment(ctx context.Context, name string, key ed25519.PublicKey, at time.Time) (intake.Enrolment, error) {
	e, err := d.Store.BeginEnrolment(ctx, name, key, at)
	return intake.Enrolment{UserCode: e.UserCode, DeviceCode: e.DeviceCode, ExpiresAt: e.ExpiresAt}, err
}

func (d drillDoor) Station(ctx context.Context, id qc.StationID) (intake.Station, error) {
	s, err := d.Store.Station(ctx, id)
	return intake.Station{ID: s.ID, Key: s.Key, AckedSeq: s.AckedSeq, RevokedAt: s.RevokedAt}, err
}

func (d drillDoor) BeginUpload(ctx context.Context, u intake.Upload) (intake.Upload, error) {
	got, replaced, err := d.Store.BeginUpload(ctx, central.Upload(u))
	if err == nil && replaced != "" {
		err = d.discard(replaced)
	}
	return intake.Upload(got), err
}

func (d drillDoor) Upload(ctx context.Context, id string) (intake.Upload, error) {
	got, err := d.Store.Upload(ctx, id)
	return intake.Upload(got), err
}

func drillRefusals() intake.Refusals {
	return intake.Refusals{
		Gap: func(err error) (uint64, bool) {
			gap, ok := errors.AsType[*central.Gap](err)
			if !ok {
				return 0, false
			}
			return gap.Expected, true
		},
		Fork: central.ErrFork, Revoked: central.ErrRevoked, Batch: central.ErrBatch, Pending: central.ErrPending,
		Expired: central.ErrExpired, Code: central.ErrCode, CursorGone: central.ErrCursorGone, Digest: blob.ErrDigest,
		Full: blob.ErrFull, StoreFull: central.ErrFull, Overtaken: blob.ErrBusy,
	}
}

// drillStation is a station in this process, with its real stores.
type drillStation struct {
	id     qc.StationID
	dir    string
	folder func(t *testing.T) string
	store  *local.Store
	blobs  *blob.Folder
	log    *slog.Logger
	random *randv2.Rand
	remote *client.Client
	large  int  // bytes of a photo, where they are to be more than usual
	flags  bool // every item, not one in ten
}

// enrolStation makes a station known at the site and opens its data.
func (s *drillSite) enrolStation(t *testing.T, address string, transport http.RoundTripper) *drillStation {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s.rig.Secret(hex.EncodeToString(private.Seed()))
	e, err := s.store.BeginEnrolment(t.Context(), "bench", public, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.rig.Secret(e.DeviceCode)
	known, err := s.store.ApproveEnrolment(t.Context(), e.UserCode, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	st := &drillStation{id: known.ID, dir: s.folder(t), folder: s.folder, log: loud(s.rig, "station"), random: randv2.New(randv2.NewPCG(s.rig.Seed, 6))}
	st.open(t)
	st.remote, err = client.New(client.Config{
		BaseURL: address, Instance: s.store.Instance(), Station: known.ID, Key: private, Now: time.Now, Log: st.log, Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		st.remote.Close()
		st.close(t)
	})
	return st
}

func (s *drillStation) open(t *testing.T) {
	t.Helper()
	var err error
	if s.blobs, err = blob.OpenFolder(filepath.Join(s.dir, "blobs")); err != nil {
		t.Fatal(err)
	}
	if s.store, err = local.Open(s.dir, local.Options{Now: time.Now, Log: s.log}); err != nil {
		t.Fatal(err)
	}
}

func (s *drillStation) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(s.store.Close(), s.blobs.Close()); err != nil {
		t.Error(err)
	}
}

// record inspects an item with so many photos, and returns their files.
func (s *drillStation) record(t *testing.T, item qc.Item, photos int) (files []qc.Digest) {
	t.Helper()
	f := qc.Finding{ID: qc.FindingID(uuid.NewString()), Revision: 1, Item: item.ID, Order: item.Order, Round: item.Round, Verdict: qc.Pass, Inspector: "u12", Station: s.id, RecordedAt: time.Now()}
	if s.flags || s.random.IntN(10) == 0 {
		f.Verdict, f.Flaws = qc.Flag, []qc.Flaw{{ID: "f1", Code: "F04", Severity: qc.Minor, Zone: qc.ZoneA, Quantity: 1}}
	}
	preview, previewBytes := s.put(t, 300)
	thumb, thumbBytes := s.put(t, 100)
	files = []qc.Digest{preview, thumb}
	for i := range photos {
		digest, bytes := s.put(t, max(500+s.random.IntN(3000), s.large))
		files = append(files, digest)
		f.Photos = append(f.Photos, qc.Photo{
			ID: qc.PhotoID(fmt.Sprintf("p%d", i)), Digest: digest, Bytes: bytes, MediaType: "image/jpeg", Width: 4000, Height: 3000, ReceivedAt: time.Now(),
			Preview: qc.Derivative{Digest: preview, Bytes: previewBytes, Width: 1920, Height: 1440},
			Thumb:   qc.Derivative{Digest: thumb, Bytes: thumbBytes, Width: 256, Height: 192},
		})
	}
	if _, err := s.store.Record(t.Context(), qc.FindingRecorded, "u12", time.Now(), f); err != nil {
		t.Fatal(err)
	}
	return files
}

// put stores a file of noise.
func (s *drillStation) put(t *testing.T, size int) (qc.Digest, int64) {
	t.Helper()
	data := make([]byte, size)
	for at := range data {
		data[at] = byte(s.random.Uint32())
	}
	digest, err := s.blobs.PutBytes(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return digest, int64(size)
}

// run starts the outbox; stop waits for its end.
func (s *drillStation) run(t *testing.T) (engine *outbox.Engine, stop func()) {
	t.Helper()
	engine = outbox.New(outbox.Config{
		Store: s.store, Remote: s.remote, Now: time.Now, Log: s.log,
		Counts: func(ctx context.Context) (outbox.Counts, error) {
			counts, err := s.store.Counts(ctx)
			return outbox.Counts(counts), err
		},
		Open: func(d qc.Digest) (outbox.File, error) { return s.blobs.Open(d) },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	return engine, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// waitFor waits until the station's store says so, and returns how long that
// took.
func (s *drillStation) waitFor(t *testing.T, what string, within time.Duration, done func(local.Counts) bool) time.Duration {
	t.Helper()
	ticks, end := s.store.Watch()
	defer end()
	begun := time.Now()
	deadline := time.After(within)
	for {
		counts, err := s.store.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if done(counts) {
			return time.Since(begun)
		}
		select {
		case <-ticks:
		case <-deadline:
			t.Fatalf("waited %v for %s: %+v", within, what, counts)
		}
	}
}

// refused returns the sentences about findings that the centre did not take.
func (s *drillStation) refused(t *testing.T) (problems []string) {
	t.Helper()
	all, err := s.store.Recorded(t.Context(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Delivery == qc.Attention {
			problems = append(problems, r.Problem)
		}
	}
	return problems
}

func drained(c local.Counts) bool { return c.EventsWaiting == 0 && c.PhotosWaiting == 0 }

// powerOff leaves the station's data as a power cut in a quiet moment would:
// nobody has closed it.
func (s *drillStation) powerOff(t *testing.T) {
	t.Helper()
	left := filepath.Join(s.folder(t), "left")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		from, to := filepath.Join(s.dir, entry.Name()), filepath.Join(left, entry.Name())
		switch {
		case entry.Name() == "blobs": // files that nobody changes
			err = nil
		case entry.IsDir():
			err = os.CopyFS(to, os.DirFS(from))
		default:
			var data []byte
			if data, err = os.ReadFile(from); err == nil {
				err = os.WriteFile(to, data, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.close(t)
	if err := os.Rename(filepath.Join(s.dir, "blobs"), filepath.Join(left, "blobs")); err != nil {
		t.Fatal(err)
	}
	s.dir = left
}
