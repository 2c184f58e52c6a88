// Package modeltest holds doubles of what the station's models need, in
// memory, for tests of models and screens.
package modeltest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/ui/model"
)

// Store is a station's store in memory. Its fields may be set at will.
type Store struct {
	Who       *qc.Identity
	Goods     []qc.Item
	People    []qc.Staff
	Saved     map[qc.ItemID]qc.Draft
	Events    []any // the data of each recorded event
	History   []qc.Recorded
	AllCases  []refund.Case
	AllFlags  []qc.Standing
	Fail      error // what every write fails with, when set
	saveOrder []qc.ItemID
}

var _ model.Store = (*Store)(nil)

// Identity returns Who.
func (s *Store) Identity(context.Context) (qc.Identity, bool, error) {
	if s.Who == nil {
		return qc.Identity{}, false, nil
	}
	return *s.Who, true, nil
}

// Item finds among Goods.
func (s *Store) Item(_ context.Context, id qc.ItemID) (qc.Item, error) {
	for _, item := range s.Goods {
		if item.ID == id {
			return item, nil
		}
	}
	return qc.Item{}, fmt.Errorf("item %s: %w", id, qc.ErrNotFound)
}

// FindItems finds by item, order or waybill.
func (s *Store) FindItems(_ context.Context, query string) ([]qc.Item, error) {
	var hits []qc.Item
	for _, item := range s.Goods {
		for _, number := range []string{string(item.ID), string(item.Order), string(item.Waybill)} {
			if strings.EqualFold(number, query) {
				hits = append(hits, item)
				break
			}
		}
	}
	return hits, nil
}

// Staff returns People.
func (s *Store) Staff(context.Context) ([]qc.Staff, error) { return slices.Clone(s.People), nil }

// SaveDraft keeps the draft.
func (s *Store) SaveDraft(_ context.Context, d qc.Draft) error {
	if s.Fail != nil {
		return s.Fail
	}
	if s.Saved == nil {
		s.Saved = make(map[qc.ItemID]qc.Draft)
	}
	s.Saved[d.Finding.Item] = d
	s.saveOrder = append(s.saveOrder, d.Finding.Item)
	return nil
}

// Draft returns a kept draft.
func (s *Store) Draft(_ context.Context, id qc.ItemID) (qc.Draft, error) {
	d, ok := s.Saved[id]
	if !ok {
		return qc.Draft{}, qc.ErrNotFound
	}
	return d, nil
}

// Drafts returns every kept draft.
func (s *Store) Drafts(context.Context) ([]qc.Draft, error) {
	var drafts []qc.Draft
	for _, d := range s.Saved {
		drafts = append(drafts, d)
	}
	return drafts, nil
}

// DropDraft forgets a draft.
func (s *Store) DropDraft(_ context.Context, id qc.ItemID) error {
	delete(s.Saved, id)
	return nil
}

// Record keeps the event, and its finding in the history.
func (s *Store) Record(_ context.Context, kind qc.EventKind, by qc.StaffID, at time.Time, data any) (qc.Event, error) {
	if s.Fail != nil {
		return qc.Event{}, s.Fail
	}
	s.Events = append(s.Events, data)
	r := qc.Recorded{Seq: uint64(len(s.Events)), Kind: kind, At: at, By: by, Delivery: qc.OnlyHere}
	if f, ok := data.(qc.Finding); ok {
		r.Item, r.Finding, r.Photos = f.Item, &f, len(f.Photos)
		delete(s.Saved, f.Item)
	}
	s.History = append([]qc.Recorded{r}, s.History...)
	return qc.Event{Seq: r.Seq, Kind: kind, By: by, At: at}, nil
}

// Recorded returns the history, newest first.
func (s *Store) Recorded(_ context.Context, limit int) ([]qc.Recorded, error) {
	return slices.Clone(s.History[:min(limit, len(s.History))]), nil
}

// Cases returns AllCases.
func (s *Store) Cases(context.Context) ([]refund.Case, error) { return slices.Clone(s.AllCases), nil }

// Standings returns AllFlags.
func (s *Store) Standings(context.Context) ([]qc.Standing, error) {
	return slices.Clone(s.AllFlags), nil
}

// Watch never ticks.
func (s *Store) Watch() (<-chan struct{}, func()) { return make(chan struct{}), func() {} }

// Blobs keeps files in memory.
type Blobs struct {
	Files  map[qc.Digest][]byte
	Opened int // files that are open
}

// Put keeps a file, all of it or nothing.
func (b *Blobs) Put(ctx context.Context, r io.Reader) (qc.Digest, int64, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return "", 0, err
	}
	d, err := b.PutBytes(ctx, data)
	return d, int64(len(data)), err
}

// PutBytes keeps a file.
func (b *Blobs) PutBytes(_ context.Context, data []byte) (qc.Digest, error) {
	if b.Files == nil {
		b.Files = make(map[qc.Digest][]byte)
	}
	d := qc.DigestOf(data)
	b.Files[d] = data
	return d, nil
}

// Read returns a file.
func (b *Blobs) Read(d qc.Digest, limit int64) ([]byte, error) {
	data, ok := b.Files[d]
	if !ok {
		return nil, fmt.Errorf("blob %s: %w", d, qc.ErrNotFound)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("blob %s: larger than %d bytes", d, limit)
	}
	return data, nil
}

// Open opens a file.
func (b *Blobs) Open(d qc.Digest) (model.File, error) {
	data, err := b.Read(d, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	b.Opened++
	return &file{Reader: bytes.NewReader(data), closed: func() { b.Opened-- }}, nil
}

// file is an open file in memory.
type file struct {
	*bytes.Reader
	closed func()
	once   sync.Once
}

func (f *file) Close() error {
	f.once.Do(f.closed)
	return nil
}

// Derived keeps what is derived in memory.
type Derived struct {
	Files  map[string][]byte // by digest and profile, with a dot between them
	Opened int               // files that are open
	Fail   error             // what every Put fails with, when set
}

// Get opens a derivative.
func (c *Derived) Get(_ context.Context, d qc.Digest, profile string) (model.File, error) {
	data, ok := c.Files[string(d)+"."+profile]
	if !ok {
		return nil, fmt.Errorf("derivative %s of %s: %w", profile, d, qc.ErrNotFound)
	}
	c.Opened++
	return &file{Reader: bytes.NewReader(data), closed: func() { c.Opened-- }}, nil
}

// Put keeps a derivative.
func (c *Derived) Put(_ context.Context, d qc.Digest, profile string, write func(io.Writer) error) error {
	var data bytes.Buffer
	if err := cmp.Or(c.Fail, write(&data)); err != nil {
		return err
	}
	if c.Files == nil {
		c.Files = make(map[string][]byte)
	}
	c.Files[string(d)+"."+profile] = data.Bytes()
	return nil
}

// Engine says what Now says.
type Engine struct {
	Now     model.Link
	Kicked  int
	Retried int
}

// Link returns Now.
func (e *Engine) Link() model.Link { return e.Now }

// Watch never ticks.
func (e *Engine) Watch() (<-chan struct{}, func()) { return make(chan struct{}), func() {} }

// Kick counts.
func (e *Engine) Kick() { e.Kicked++ }

// Retry counts.
func (e *Engine) Retry() { e.Retried++ }

// Pause and Resume set Now.Paused.
func (e *Engine) Pause() { e.Now.Paused = true }

// Resume ends a Pause.
func (e *Engine) Resume() { e.Now.Paused = false }
