// Package darkroom develops what pages show of photos: tiles and regions of any
// size, and the renditions of photos of which a part is hidden.
//
// It promises that nobody gets at more than a [Subject] allows. What a subject
// hides is painted over in everything that comes out of here, and an original's
// own bytes never do. Where something cannot be made, there is less to see, never
// more: the preview instead of the original, nothing instead of the preview.
//
// The words: an original is the file as it came. To develop it is to make its
// block index and its pack of coarser tiles, and of a subject with hidden parts
// the renditions full, preview and thumb; of a listing photo, which comes alone,
// the thumb. That happens once for each original,
// one at a time, in [Darkroom.Run], which is the only goroutine here and whose
// owner ends it; the results are kept in a cache from which they may go at any
// time. A [View] is the best there is of a subject now: of the developed
// original, or of its preview until then.
//
// All coordinates are pixels of the oriented original.
package darkroom

import (
	"context"
	"errors"
	"image"
	"io"
	"log/slog"
	"slices"
	"sync"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// File is an open file of known size.
type File interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
	Size() int64
}

// Originals are the photo files by digest. Open fails with [qc.ErrNotFound].
type Originals interface {
	Open(digest qc.Digest) (File, error)
}

// Derived keeps what was made of a photo, bounded, by the photo's digest and a
// name of what it is. Get fails with [qc.ErrNotFound] for what is not there, or
// no longer.
type Derived interface {
	Get(ctx context.Context, digest qc.Digest, profile string) (File, error)
	Put(ctx context.Context, digest qc.Digest, profile string, write func(io.Writer) error) error
}

// Config names what a darkroom works with. Budget bounds the memory of
// developing and of viewing together; nil bounds nothing. Zero Limits are the
// defaults.
type Config struct {
	Originals Originals
	Derived   Derived
	Budget    *photo.Budget
	Limits    photo.Limits
	Log       *slog.Logger
}

// Subject is a photo as one kind of reader may see it.
type Subject struct {
	Digest        qc.Digest // of the original
	Preview       qc.Digest // of a preview that hides all of Hidden; empty: there is none
	Width, Height int       // of the original; 0: not known before it is developed
	Hidden        []image.Rectangle
	Seal          string // names Hidden: lower-case letters and digits, at most 16; empty without any
}

// Rendition names one of the files made of a subject.
type Rendition string

// The renditions. Full has the original's size.
const (
	Full    Rendition = "full"
	Preview Rendition = "preview"
	Thumb   Rendition = "thumb"
)

// The names of what is kept; another way of making one gets another number.
const (
	indexProfile = "index-1"
	packProfile  = "pack-1"
)

func (s Subject) profile(r Rendition) string { return string(r) + "-1-" + s.Seal }

// mostWanted bounds what waits to be developed; who is turned away asks again.
// mostFailed bounds the memory of what could not be.
const (
	mostWanted = 1000
	mostFailed = 4000
)

// ErrNotReady means that there is nothing to show yet: the original is being
// developed, or has not arrived.
var ErrNotReady = errors.New("photo is not developed yet")

// Darkroom develops originals and opens views of them. It is safe for use by
// several goroutines.
type Darkroom struct {
	config Config
	bell   chan struct{} // of one: something is wanted

	mu     sync.Mutex
	wanted []Subject // each once, in the order of asking
	waits  map[string]bool
	failed map[string]bool
	table  table
}

// New returns a darkroom in which nothing happens before Run.
func New(config Config) (*Darkroom, error) {
	if config.Originals == nil || config.Derived == nil || config.Log == nil {
		return nil, errors.New("a darkroom needs originals, a cache and a log")
	}
	return &Darkroom{
		config: config, bell: make(chan struct{}, 1), waits: map[string]bool{}, failed: map[string]bool{},
		table: table{open: map[string]*entry{}},
	}, nil
}

// key names what developing a subject makes.
func (s Subject) key() string { return string(s.Digest) + " " + s.Seal }

// Want has a subject developed if it is not yet. It does not wait.
func (d *Darkroom) Want(s Subject) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.Digest == "" || d.waits[s.key()] || d.failed[s.key()] || len(d.wanted) >= mostWanted {
		return
	}
	d.waits[s.key()] = true
	d.wanted = append(d.wanted, s)
	select {
	case d.bell <- struct{}{}:
	default:
	}
}

// Run develops what is wanted until ctx ends.
func (d *Darkroom) Run(ctx context.Context) error {
	defer d.Close()
	for {
		if err := d.Catch(ctx); err != nil {
			return nil //nolint:nilerr // asked to end
		}
		select {
		case <-ctx.Done():
			return nil
		case <-d.bell:
		}
	}
}

// Catch develops what is wanted now and returns. Its error is ctx's.
func (d *Darkroom) Catch(ctx context.Context) error {
	for ctx.Err() == nil {
		d.mu.Lock()
		if len(d.wanted) == 0 {
			d.mu.Unlock()
			return nil
		}
		s := d.wanted[0]
		d.mu.Unlock()
		err := d.develop(ctx, s)
		d.mu.Lock()
		d.wanted = d.wanted[1:]
		delete(d.waits, s.key())
		if errors.Is(err, errUnread) && !errors.Is(err, qc.ErrNotFound) && ctx.Err() == nil {
			d.config.Log.WarnContext(ctx, "photo not read", "photo", s.Digest, "error", err) // who asks again has it tried again
		} else if err != nil && ctx.Err() == nil && !errors.Is(err, qc.ErrNotFound) {
			if len(d.failed) >= mostFailed {
				clear(d.failed)
			}
			d.failed[s.key()] = true
			d.config.Log.WarnContext(ctx, "photo not developed", "photo", s.Digest, "error", err)
		}
		d.mu.Unlock()
	}
	return ctx.Err()
}

// Close lets go of all files that no view uses.
func (d *Darkroom) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.table.shrink(0)
}

// renditions are the files that are made of a subject: all of one that hides
// something, and a thumb of one that came without.
func (s Subject) renditions() []Rendition {
	switch {
	case s.Seal != "":
		return []Rendition{Full, Preview, Thumb}
	case s.Preview == "":
		return []Rendition{Thumb}
	}
	return nil
}

// Rendition opens a file made of a subject that hides something, or the thumb of
// one that came without, or says [ErrNotReady] and has it made.
func (d *Darkroom) Rendition(ctx context.Context, s Subject, r Rendition) (File, error) {
	if !slices.Contains(s.renditions(), r) {
		return nil, ErrNotReady
	}
	file, err := d.config.Derived.Get(ctx, s.Digest, s.profile(r))
	if errors.Is(err, qc.ErrNotFound) {
		d.Want(s)
		return nil, ErrNotReady
	}
	return file, err
}
