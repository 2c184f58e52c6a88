// Package intaketest is a centre in memory for tests of both ends of the
// protocol: it remembers exactly what was applied and stored, how often, and
// can be told to misbehave. It keeps the promises of the real stores and none
// of their durability.
package intaketest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/intake"
)

// What the centre refuses with.
var (
	ErrFork    = errors.New("fork")
	ErrPending = errors.New("pending")
	ErrExpired = errors.New("expired")
	ErrCode    = errors.New("unknown code")
	ErrCursor  = errors.New("cursor gone")
	ErrDigest  = errors.New("digest mismatch")
)

// Gap is the refusal of a batch that does not begin where the last one ended.
type Gap struct{ Expected uint64 }

func (g *Gap) Error() string { return fmt.Sprintf("gap: expected %d", g.Expected) }

// Centre is a centre in memory. Its fields may be read under Lock.
type Centre struct {
	sync.Mutex
	Stations   map[qc.StationID]intake.Station
	Epoch      string            // of the station's log
	Applied    []qc.Event        // effects, in order
	Effects    map[string]int    // by event id
	Rejects    map[uint64]bool   // event numbers that are refused as an outcome
	Stored     map[qc.Digest]int // how often each file was recorded as stored
	Feed       []qc.Change
	FeedEpoch  string
	Uploads    map[string]intake.Upload
	Partial    map[string][]byte
	Files      map[qc.Digest][]byte
	Enrolments map[string]string // device code to station, empty while pending
	busy       map[string]bool
	head       qc.ChainHash
	hashes     []qc.ChainHash
	watchers   map[chan struct{}]struct{}
}

// New returns an empty centre that admits station under key.
func New(station qc.StationID, key ed25519.PublicKey) *Centre {
	return &Centre{
		Stations: map[qc.StationID]intake.Station{station: {ID: station, Key: key}},
		Effects:  make(map[string]int), Rejects: make(map[uint64]bool), Stored: make(map[qc.Digest]int),
		FeedEpoch: "f1", Uploads: make(map[string]intake.Upload), Partial: make(map[string][]byte),
		Files: make(map[qc.Digest][]byte), Enrolments: make(map[string]string), busy: make(map[string]bool),
		head: qc.ChainStart, watchers: make(map[chan struct{}]struct{}),
	}
}

// Config returns the configuration of an intake in front of the centre.
func (c *Centre) Config() intake.Config {
	return intake.Config{
		Centre: c, Stage: c.Stage, Open: c.Open, Instance: "centre-1", Secret: bytes.Repeat([]byte{7}, 32),
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Refusals: intake.Refusals{
			Gap: func(err error) (uint64, bool) {
				gap, ok := errors.AsType[*Gap](err)
				if !ok {
					return 0, false
				}
				return gap.Expected, true
			},
			Fork: ErrFork, Pending: ErrPending, Expired: ErrExpired, Code: ErrCode, CursorGone: ErrCursor, Digest: ErrDigest,
		},
	}
}

// BeginEnrolment waits for [Centre.Approve].
func (c *Centre) BeginEnrolment(_ context.Context, _ string, key ed25519.PublicKey, at time.Time) (intake.Enrolment, error) {
	c.Lock()
	defer c.Unlock()
	c.Enrolments["device-1"] = ""
	c.Stations["enrolled"] = intake.Station{ID: "enrolled", Key: key}
	return intake.Enrolment{UserCode: "ABCDEFGH", DeviceCode: "device-1", ExpiresAt: at.Add(10 * time.Minute)}, nil
}

// Approve admits the station that waits.
func (c *Centre) Approve() {
	c.Lock()
	defer c.Unlock()
	c.Enrolments["device-1"] = "enrolled"
}

// PollEnrolment fails with [ErrPending] or [ErrCode].
func (c *Centre) PollEnrolment(_ context.Context, deviceCode string, _ time.Time) (qc.StationID, error) {
	c.Lock()
	defer c.Unlock()
	station, ok := c.Enrolments[deviceCode]
	switch {
	case !ok:
		return "", ErrCode
	case station == "":
		return "", ErrPending
	}
	return qc.StationID(station), nil
}

// Station returns an admitted station.
func (c *Centre) Station(_ context.Context, id qc.StationID) (intake.Station, error) {
	c.Lock()
	defer c.Unlock()
	station, ok := c.Stations[id]
	if !ok {
		return intake.Station{}, qc.ErrNotFound
	}
	station.AckedSeq = uint64(len(c.hashes))
	return station, nil
}

// Revoke ends a station's admission.
func (c *Centre) Revoke(id qc.StationID, at time.Time) {
	c.Lock()
	defer c.Unlock()
	station := c.Stations[id]
	station.RevokedAt = at
	c.Stations[id] = station
}

// Forget drops all events from number on, as a restored backup would.
func (c *Centre) Forget(from uint64) {
	c.Lock()
	defer c.Unlock()
	c.hashes = c.hashes[:from-1]
	for _, event := range c.Applied {
		if event.Seq >= from {
			delete(c.Effects, event.ID)
		}
	}
	c.Applied = slices.DeleteFunc(c.Applied, func(e qc.Event) bool { return e.Seq >= from })
}

// ApplyEvents applies each event once.
func (c *Centre) ApplyEvents(_ context.Context, _ qc.StationID, batch qc.Batch, _ time.Time) (qc.Ack, error) {
	c.Lock()
	defer c.Unlock()
	if batch.Epoch != "" && c.Epoch != "" && batch.Epoch != c.Epoch {
		c.hashes = nil
	}
	c.Epoch = cmp.Or(batch.Epoch, c.Epoch)
	if next := uint64(len(c.hashes)) + 1; batch.First > next {
		return qc.Ack{}, &Gap{Expected: next}
	}
	var ack qc.Ack
	prev := batch.Prev
	for i, sealed := range batch.Events {
		event, err := qc.OpenEvent(sealed, prev)
		if err != nil {
			return qc.Ack{}, err
		}
		prev = event.Hash
		seq := batch.First + uint64(i)
		receipt := qc.Receipt{Seq: seq, Status: qc.Applied}
		switch {
		case seq <= uint64(len(c.hashes)) && c.hashes[seq-1] != event.Hash:
			return qc.Ack{}, ErrFork
		case seq <= uint64(len(c.hashes)):
			receipt.Status = qc.Duplicate
		case c.Effects[event.ID] > 0: // of an earlier epoch
			receipt.Status = qc.Duplicate
			c.hashes = append(c.hashes, event.Hash)
		case c.Rejects[seq]:
			receipt.Status, receipt.Problem = qc.Rejected, "error.case_moved_on"
			c.hashes = append(c.hashes, event.Hash)
		default:
			c.hashes = append(c.hashes, event.Hash)
			c.Applied = append(c.Applied, event)
			c.Effects[event.ID]++
			c.sayLocked(qc.StandingChanged, event.ID)
		}
		ack.Receipts = append(ack.Receipts, receipt)
	}
	ack.Through, ack.Head = batch.First+uint64(len(batch.Events))-1, prev
	return ack, nil
}

// Say puts a change into the feed.
func (c *Centre) Say(kind qc.ChangeKind, data any) {
	c.Lock()
	defer c.Unlock()
	c.sayLocked(kind, data)
}

func (c *Centre) sayLocked(kind qc.ChangeKind, data any) {
	body, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	c.Feed = append(c.Feed, qc.Change{Seq: int64(len(c.Feed) + 1), Kind: kind, Data: body})
	for ticks := range c.watchers {
		select {
		case ticks <- struct{}{}:
		default:
		}
	}
}

// LackedBlobs returns the files that are not stored.
func (c *Centre) LackedBlobs(_ context.Context, digests []qc.Digest) ([]qc.Digest, error) {
	c.Lock()
	defer c.Unlock()
	return slices.DeleteFunc(slices.Clone(digests), func(d qc.Digest) bool { return c.Stored[d] > 0 }), nil
}

// BlobStored records a file.
func (c *Centre) BlobStored(_ context.Context, d qc.Digest, _ int64, _ string, _ time.Time) error {
	c.Lock()
	defer c.Unlock()
	c.Stored[d]++
	c.sayLocked(qc.PhotoStored, qc.StoredPhoto{Digest: d})
	return nil
}

// BeginUpload returns the unfinished upload of the same file where there is one.
func (c *Centre) BeginUpload(_ context.Context, upload intake.Upload) (intake.Upload, error) {
	c.Lock()
	defer c.Unlock()
	for _, known := range c.Uploads {
		if known.Station == upload.Station && known.Digest == upload.Digest {
			return known, nil
		}
	}
	c.Uploads[upload.ID] = upload
	return upload, nil
}

// Upload returns an unfinished upload.
func (c *Centre) Upload(_ context.Context, id string) (intake.Upload, error) {
	c.Lock()
	defer c.Unlock()
	upload, ok := c.Uploads[id]
	if !ok {
		return intake.Upload{}, qc.ErrNotFound
	}
	return upload, nil
}

// DropUpload forgets an upload.
func (c *Centre) DropUpload(_ context.Context, id string) error {
	c.Lock()
	defer c.Unlock()
	delete(c.Uploads, id)
	return nil
}

// Changes returns a page of the feed.
func (c *Centre) Changes(_ context.Context, after qc.Cursor, limit int) (qc.Page, error) {
	c.Lock()
	defer c.Unlock()
	if after.Epoch != "" && after.Epoch != c.FeedEpoch || after.Seq > int64(len(c.Feed)) {
		return qc.Page{}, ErrCursor
	}
	rest := c.Feed[after.Seq:]
	changes := slices.Clone(rest[:min(limit, len(rest))])
	return qc.Page{
		Changes: changes, UpToDate: len(changes) == len(rest),
		Next: qc.Cursor{Epoch: c.FeedEpoch, Seq: after.Seq + int64(len(changes))},
	}, nil
}

// Watch ticks after every change.
func (c *Centre) Watch() (<-chan struct{}, func()) {
	ticks := make(chan struct{}, 1)
	c.Lock()
	defer c.Unlock()
	c.watchers[ticks] = struct{}{}
	return ticks, func() {
		c.Lock()
		defer c.Unlock()
		delete(c.watchers, ticks)
	}
}

// Open returns a stored file.
func (c *Centre) Open(d qc.Digest) (intake.File, error) {
	c.Lock()
	defer c.Unlock()
	data, ok := c.Files[d]
	if !ok {
		return nil, qc.ErrNotFound
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader(data), io.NopCloser(nil)}, nil
}

// Stage opens an unfinished file; a second time only after its Close.
func (c *Centre) Stage(id string) (intake.Staged, error) {
	c.Lock()
	defer c.Unlock()
	if c.busy[id] {
		return nil, fmt.Errorf("upload %s is in use", id)
	}
	c.busy[id] = true
	return &staged{centre: c, id: id}, nil
}

type staged struct {
	centre *Centre
	id     string
	closed bool
}

func (s *staged) Size() int64 {
	s.centre.Lock()
	defer s.centre.Unlock()
	return int64(len(s.centre.Partial[s.id]))
}

func (s *staged) Append(_ context.Context, r io.Reader, limit int64) (int64, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit))
	s.centre.Lock()
	defer s.centre.Unlock()
	s.centre.Partial[s.id] = append(s.centre.Partial[s.id], data...)
	return int64(len(data)), err
}

func (s *staged) Publish(_ context.Context, want qc.Digest) (int64, error) {
	s.centre.Lock()
	defer s.centre.Unlock()
	data := s.centre.Partial[s.id]
	delete(s.centre.Partial, s.id)
	if qc.DigestOf(data) != want {
		return 0, ErrDigest
	}
	s.centre.Files[want] = data
	return int64(len(data)), nil
}

func (s *staged) Discard() error {
	s.centre.Lock()
	delete(s.centre.Partial, s.id)
	s.centre.Unlock()
	return s.Close()
}

func (s *staged) Close() error {
	s.centre.Lock()
	defer s.centre.Unlock()
	if !s.closed {
		s.closed = true
		delete(s.centre.busy, s.id)
	}
	return nil
}
