package outbox_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/intake"
	"flawmark/sync/intake/intaketest"
	"flawmark/sync/outbox"
	"flawmark/sync/wire"
)

// memory is a station's store.
type memory struct {
	sync.Mutex
	sealed   [][]byte
	hashes   []qc.ChainHash
	acked    uint64
	epochs   int
	receipts map[uint64]qc.Receipt
	photos   map[qc.Digest][]byte
	waiting  []qc.Shipment
	shipped  map[qc.Digest]int
	cursor   qc.Cursor
	changes  []qc.Change
	watchers map[chan struct{}]struct{}
}

func newMemory() *memory {
	return &memory{
		receipts: make(map[uint64]qc.Receipt), photos: make(map[qc.Digest][]byte),
		shipped: make(map[qc.Digest]int), watchers: make(map[chan struct{}]struct{}),
	}
}

func (m *memory) tickLocked() {
	for ticks := range m.watchers {
		select {
		case ticks <- struct{}{}:
		default:
		}
	}
}

func (m *memory) record(n int) {
	m.Lock()
	defer m.Unlock()
	for range n {
		seq, prev := uint64(len(m.sealed)+1), qc.ChainStart
		if seq > 1 {
			prev = m.hashes[seq-2]
		}
		event := qc.Event{Seq: seq, ID: fmt.Sprintf("e%d", seq), Kind: qc.FindingRecorded, Version: 1, Data: json.RawMessage(`{}`)}
		sealed, err := qc.Seal(&event, prev)
		if err != nil {
			panic(err)
		}
		m.sealed, m.hashes = append(m.sealed, sealed), append(m.hashes, event.Hash)
	}
	m.tickLocked()
}

func (m *memory) photo(data []byte, lane qc.Lane) qc.Digest {
	m.Lock()
	defer m.Unlock()
	d := qc.DigestOf(data)
	m.photos[d] = data
	m.waiting = append(m.waiting, qc.Shipment{Digest: d, Bytes: int64(len(data)), MediaType: "image/jpeg", Lane: lane})
	slices.SortStableFunc(m.waiting, func(a, b qc.Shipment) int { return int(a.Lane - b.Lane) })
	m.tickLocked()
	return d
}

func (m *memory) PendingBatch(_ context.Context, maxEvents, _ int) (qc.Batch, error) {
	m.Lock()
	defer m.Unlock()
	b := qc.Batch{Epoch: fmt.Sprintf("e%d", 1+m.epochs), First: m.acked + 1, Prev: qc.ChainStart}
	if m.acked > 0 {
		b.Prev = m.hashes[m.acked-1]
	}
	rest := m.sealed[m.acked:]
	b.Events = slices.Clone(rest[:min(maxEvents, len(rest))])
	return b, nil
}

func (m *memory) Acknowledge(_ context.Context, ack qc.Ack, _ time.Time) error {
	m.Lock()
	defer m.Unlock()
	if ack.Head != m.hashes[ack.Through-1] {
		return fmt.Errorf("acknowledged: %w", qc.ErrFork)
	}
	m.acked = max(m.acked, ack.Through)
	for _, receipt := range ack.Receipts {
		m.receipts[receipt.Seq] = receipt
	}
	m.tickLocked()
	return nil
}

func (m *memory) Rewind(_ context.Context, expected uint64) error {
	m.Lock()
	defer m.Unlock()
	if expected == 0 || expected > uint64(len(m.sealed))+1 {
		return fmt.Errorf("rewind: %w", qc.ErrFork)
	}
	m.acked = expected - 1
	m.tickLocked()
	return nil
}

func (m *memory) BeginEpoch(context.Context) error {
	m.Lock()
	defer m.Unlock()
	m.epochs++
	m.acked = 0 // numbers and hashes stay: nothing is ever forgotten here
	m.tickLocked()
	return nil
}

func (m *memory) PendingShipments(_ context.Context, limit int) ([]qc.Shipment, error) {
	m.Lock()
	defer m.Unlock()
	return slices.Clone(m.waiting[:min(limit, len(m.waiting))]), nil
}

func (m *memory) UploadProgress(_ context.Context, d qc.Digest, upload string, offset int64) error {
	m.Lock()
	defer m.Unlock()
	for i := range m.waiting {
		if m.waiting[i].Digest == d {
			m.waiting[i].Upload, m.waiting[i].Offset = upload, offset
		}
	}
	m.tickLocked()
	return nil
}

func (m *memory) Shipped(_ context.Context, ds ...qc.Digest) error {
	m.Lock()
	defer m.Unlock()
	for _, d := range ds {
		m.shipped[d]++
	}
	m.waiting = slices.DeleteFunc(m.waiting, func(s qc.Shipment) bool { return slices.Contains(ds, s.Digest) })
	m.tickLocked()
	return nil
}

func (m *memory) Cursor(context.Context) (qc.Cursor, error) {
	m.Lock()
	defer m.Unlock()
	return m.cursor, nil
}

func (m *memory) ApplyPage(_ context.Context, page qc.Page) error {
	m.Lock()
	defer m.Unlock()
	m.changes = append(m.changes, page.Changes...)
	m.cursor = page.Next
	m.tickLocked()
	return nil
}

func (m *memory) Watch() (<-chan struct{}, func()) {
	ticks := make(chan struct{}, 1)
	m.Lock()
	defer m.Unlock()
	m.watchers[ticks] = struct{}{}
	return ticks, func() {
		m.Lock()
		defer m.Unlock()
		delete(m.watchers, ticks)
	}
}

func (m *memory) counts(context.Context) (outbox.Counts, error) {
	m.Lock()
	defer m.Unlock()
	return outbox.Counts{EventsWaiting: len(m.sealed) - int(m.acked), PhotosWaiting: len(m.waiting), PhotosTotal: len(m.photos)}, nil
}

type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

func (m *memory) open(d qc.Digest) (outbox.File, error) {
	m.Lock()
	defer m.Unlock()
	data, ok := m.photos[d]
	if !ok {
		return nil, qc.ErrNotFound
	}
	return file{bytes.NewReader(data)}, nil
}

func (m *memory) engine(remote outbox.Remote) *outbox.Engine {
	return m.engineWith(remote, func(*outbox.Config) {})
}

func (m *memory) engineWith(remote outbox.Remote, edit func(*outbox.Config)) *outbox.Engine {
	cfg := outbox.Config{
		Store: m, Open: m.open, Counts: m.counts, Remote: remote, Now: time.Now, Log: quiet(),
	}
	edit(&cfg)
	return outbox.New(cfg)
}

func (m *memory) left() int {
	m.Lock()
	defer m.Unlock()
	return len(m.waiting)
}

func (m *memory) drained() bool {
	m.Lock()
	defer m.Unlock()
	return int(m.acked) == len(m.sealed) && len(m.waiting) == 0
}

// direct is the centre without a network.
type direct struct{ centre *intaketest.Centre }

func (d direct) fail(err error) error {
	uri := wire.Internal
	gap, isGap := errors.AsType[*intaketest.Gap](err)
	switch {
	case err == nil:
		return nil
	case isGap:
		uri = wire.SequenceGap
	case errors.Is(err, intaketest.ErrFork):
		uri = wire.SequenceFork
	case errors.Is(err, intaketest.ErrCursor):
		uri = wire.CursorExpired
	case errors.Is(err, qc.ErrNotFound):
		uri = wire.NotFound
	case errors.Is(err, intaketest.ErrDigest):
		uri = wire.DigestMismatch
	}
	problem := wire.NewProblem(uri, "")
	if isGap {
		problem.Expected = gap.Expected
	}
	return &wire.Failure{Kind: wire.KindOf(problem.Status), Op: "direct", Problem: problem}
}

func (d direct) Connect(context.Context) error { return nil }

func (d direct) PushEvents(ctx context.Context, b qc.Batch) (qc.Ack, error) {
	ack, err := d.centre.ApplyEvents(ctx, "s1", b, time.Now())
	return ack, d.fail(err)
}

func (d direct) QueryBlobs(ctx context.Context, ds []qc.Digest) ([]qc.Digest, []qc.Shipment, error) {
	lacked, err := d.centre.LackedBlobs(ctx, ds)
	have := slices.DeleteFunc(slices.Clone(ds), func(d qc.Digest) bool { return slices.Contains(lacked, d) })
	return have, nil, d.fail(err)
}

func (d direct) BeginUpload(ctx context.Context, s qc.Shipment) (string, int64, error) {
	upload, err := d.centre.BeginUpload(ctx, intake.Upload{ID: "u-" + rand.Text(), Station: "s1", Digest: s.Digest, Length: s.Bytes})
	if err != nil {
		return "", 0, d.fail(err)
	}
	offset, err := d.UploadOffset(ctx, upload.ID)
	return upload.ID, offset, err
}

func (d direct) UploadOffset(ctx context.Context, id string) (int64, error) {
	if _, err := d.centre.Upload(ctx, id); err != nil {
		return 0, d.fail(err)
	}
	d.centre.Lock()
	defer d.centre.Unlock()
	return int64(len(d.centre.Partial[id])), nil
}

func (d direct) UploadChunk(ctx context.Context, id string, source io.ReaderAt, offset, n int64) (int64, error) {
	upload, err := d.centre.Upload(ctx, id)
	if err != nil {
		return 0, d.fail(err)
	}
	staged, err := d.centre.Stage(id)
	if err != nil {
		return 0, d.fail(err)
	}
	defer staged.Close()
	if staged.Size() != offset {
		problem := wire.NewProblem(wire.OffsetConflict, "")
		problem.Offset = staged.Size()
		return 0, &wire.Failure{Kind: wire.Conflict, Problem: problem}
	}
	if _, err := staged.Append(ctx, io.NewSectionReader(source, offset, n), n); err != nil {
		return 0, d.fail(err)
	}
	if staged.Size() == upload.Length {
		if _, err := staged.Publish(ctx, upload.Digest); err != nil {
			_ = d.centre.DropUpload(ctx, id)
			return 0, d.fail(err)
		}
		_ = d.centre.BlobStored(ctx, upload.Digest, upload.Length, "", time.Now())
		_ = d.centre.DropUpload(ctx, id)
	}
	return offset + n, nil
}

func (d direct) Changes(ctx context.Context, after qc.Cursor, limit int, wait time.Duration) (qc.Page, error) {
	ticks, stop := d.centre.Watch()
	defer stop()
	page, err := d.centre.Changes(ctx, after, limit)
	if err == nil && len(page.Changes) == 0 && wait > 0 {
		select {
		case <-ticks:
			page, err = d.centre.Changes(ctx, after, limit)
		case <-time.After(wait):
		case <-ctx.Done():
			return qc.Page{}, ctx.Err()
		}
	}
	return page, d.fail(err)
}

type centre struct{ *intaketest.Centre }

func newCentre() centre { return centre{intaketest.New("s1", nil)} }

func (c centre) feedLength() int {
	c.Lock()
	defer c.Unlock()
	return len(c.Feed)
}

func (m *memory) feedLength() int {
	m.Lock()
	defer m.Unlock()
	return len(m.changes)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// wantAll checks that everything arrived once, and nothing else did.
func wantAll(t *testing.T, m *memory, c *intaketest.Centre) {
	t.Helper()
	m.Lock()
	defer m.Unlock()
	c.Lock()
	defer c.Unlock()
	if len(c.Applied) != len(m.sealed) {
		t.Errorf("%d events arrived of %d", len(c.Applied), len(m.sealed))
	}
	for id, times := range c.Effects {
		if times != 1 {
			t.Errorf("event %s happened %d times", id, times)
		}
	}
	for d, data := range m.photos {
		if !bytes.Equal(c.Files[d], data) || c.Stored[d] != 1 {
			t.Errorf("photo %.8s: %d bytes of %d, stored %d times", d, len(c.Files[d]), len(data), c.Stored[d])
		}
	}
}
