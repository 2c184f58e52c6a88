package model

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// Tiles gives an original's pixels in tiles: the screen's source of them. It
// may be used from several goroutines at once.
type Tiles struct {
	picture atomic.Pointer[tiles.Picture]
	bare    *tiles.Picture // without the levels that were stored; nil: there is none
	packed  bool           // the levels were there when it was opened
	torn    func(error)    // the stored levels are damaged
	told    sync.Once

	ctx  context.Context
	stop context.CancelFunc

	mu       sync.Mutex
	original File
	index    *tiles.Index
	files    []io.Closer
	closed   bool
}

// Levels returns how many there are, at least 1; level n is reduced 2ⁿ times.
func (t *Tiles) Levels() int { return t.picture.Load().Levels() }

// LevelSize returns a level's size in its pixels.
func (t *Tiles) LevelSize(level int) (w, h int) { return t.picture.Load().LevelSize(level) }

// Tile returns a tile's pixels; see [tiles.Picture.Tile].
func (t *Tiles) Tile(ctx context.Context, level, col, row int) (*image.RGBA, error) {
	p := t.picture.Load()
	img, err := p.Tile(ctx, level, col, row)
	if !errors.Is(err, tiles.ErrPack) {
		return img, err
	}
	if t.torn != nil {
		t.told.Do(func() { t.torn(err) })
	}
	if t.bare == nil {
		return nil, err
	}
	t.picture.CompareAndSwap(p, t.bare)
	return t.bare.Tile(ctx, level, col, row)
}

// insetsKept bounds the parts that a source keeps; each is at most as large as
// the window.
const insetsKept = 8

// source gives parts of the picture, redacted; the same part again costs
// nothing.
func (t *Tiles) source(hidden []image.Rectangle) annotate.Source {
	type part struct {
		of   image.Rectangle
		w, h int
	}
	var mu sync.Mutex
	kept := make(map[part]*image.RGBA)
	return func(r image.Rectangle, w, h int) *image.RGBA {
		want := part{r, w, h}
		mu.Lock()
		img := kept[want]
		mu.Unlock()
		if img != nil {
			return img
		}
		img, err := t.picture.Load().Redacted(hidden, nil).Region(t.ctx, r, w, h)
		if err != nil {
			return nil // the frame is shown without
		}
		mu.Lock()
		defer mu.Unlock()
		if len(kept) >= insetsKept {
			clear(kept)
		}
		kept[want] = img
		return img
	}
}

// hold closes a file with the tiles; at once when they are closed already.
func (t *Tiles) hold(f io.Closer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		_ = f.Close() // it was only read
		return false
	}
	t.files = append(t.files, f)
	return true
}

func (t *Tiles) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop()
	t.closed = true
	for _, f := range t.files {
		_ = f.Close() // they were only read
	}
	t.files = nil
}

// openTiles opens an original with its index, which is made when it is missing,
// and the levels that are stored. It fails with [tiles.ErrNoLevel] when the
// levels must be made first, and with [qc.ErrNotFound] when it is not here.
func (p *Pictures) openTiles(ctx context.Context, of qc.Photo) (_ *Tiles, err error) {
	original, err := p.parts.Blobs.Open(of.Digest)
	if err != nil {
		return nil, fmt.Errorf("open original: %w", err)
	}
	t := &Tiles{original: original}
	t.ctx, t.stop = context.WithCancel(ctx)
	t.hold(original)
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	pack, err := p.pack(ctx, t, of.Digest)
	if err != nil && !errors.Is(err, qc.ErrNotFound) {
		p.parts.Log.Warn("levels of a photo are damaged, and are made again", "photo", of.ID, "digest", of.Digest, "error", err)
	}
	if pack == nil || pack.First() > 0 {
		if t.index, err = p.index(ctx, of.Digest, original.Size()); errors.Is(err, qc.ErrNotFound) {
			t.index, err = p.makeIndex(ctx, of.Digest, original)
		}
		if errors.Is(err, tiles.ErrNotIndexable) {
			err = tiles.ErrNoLevel
		}
		if err != nil {
			return nil, err
		}
		if t.bare, err = tiles.Open(original, original.Size(), t.index, nil, photo.Limits{}); err != nil {
			return nil, err
		}
	}
	t.packed = pack != nil
	return t, t.use(pack)
}

// use takes over the stored levels; nil: none.
func (t *Tiles) use(pack *tiles.Pack) error {
	picture, err := tiles.Open(t.original, t.original.Size(), t.index, pack, photo.Limits{})
	if err == nil {
		t.picture.Store(picture)
	}
	return err
}

// pack opens the stored levels of an original for tiles that are in use.
func (p *Pictures) pack(ctx context.Context, t *Tiles, d qc.Digest) (*tiles.Pack, error) {
	if p.parts.Derived == nil {
		return nil, qc.ErrNotFound
	}
	f, err := p.parts.Derived.Get(ctx, d, profileLevels)
	if err != nil {
		return nil, err
	}
	if !t.hold(f) {
		return nil, context.Canceled
	}
	return tiles.OpenPack(f, f.Size(), d, t.original.Size())
}

// makeLevels has the levels of an original made and kept, unless they are there,
// or asked for in this lane.
func (p *Pictures) makeLevels(of qc.Photo, lane Lane) {
	if lane == LaneIdle && p.queued[of.Digest] || !larger(of) {
		return
	}
	p.writeLevels(of, lane, false)
}

func (p *Pictures) remakeLevels(of qc.Photo) { p.writeLevels(of, LaneIdle, true) }

func (p *Pictures) writeLevels(of qc.Photo, lane Lane, again bool) {
	if p.parts.Derived == nil {
		return
	}
	p.queued[of.Digest] = true
	p.parts.Work.Do(lane, func(ctx context.Context) func() {
		err := p.storeLevels(ctx, of.Digest, again)
		return func() {
			delete(p.queued, of.Digest)
			switch {
			case errors.Is(err, qc.ErrNotFound): // the original has gone, and nobody looks at it
			case err != nil:
				p.trouble(of, "make levels of photo", err)
			default:
				for v := range p.views {
					if v.photo.Digest == of.Digest && (v.tiles == nil || !v.tiles.packed || again) {
						v.levelsMade()
					}
				}
			}
		}
	})
}

// packMemory is what making the levels of a JPEG takes besides its bytes.
const packMemory = 64 << 20

// storeLevels makes the levels of an original: those that its index does not
// give. One core at a time is enough for what nobody waits for.
func (p *Pictures) storeLevels(ctx context.Context, d qc.Digest, again bool) error {
	original, err := p.parts.Blobs.Open(d)
	if err != nil {
		return fmt.Errorf("open original: %w", err)
	}
	size := original.Size()
	if !again && p.hasLevels(ctx, d, size) {
		return original.Close()
	}
	info, err := photo.Inspect(original, size, photo.Limits{})
	_ = original.Close() // it was only read
	if err != nil {
		return err
	}
	memory := size + packMemory
	if info.Kind != photo.JPEG || info.Progressive {
		memory = size + info.Memory
	}
	release, err := p.parts.Budget.Acquire(ctx, memory)
	if err != nil {
		return err
	}
	defer release()
	data, err := p.parts.Blobs.Read(d, photo.DefaultLimits().Bytes)
	if err != nil {
		return err
	}
	_, err = p.index(ctx, d, size)
	if errors.Is(err, qc.ErrNotFound) {
		_, err = p.buildIndex(ctx, d, data)
	}
	if err != nil && !errors.Is(err, tiles.ErrNotIndexable) {
		return err
	}
	options := tiles.PackOptions{Complete: err != nil, Workers: 1}
	defer debug.FreeOSMemory() // a photo's arrival and its levels took more than looking at it does
	return p.parts.Derived.Put(ctx, d, profileLevels, func(w io.Writer) error {
		return tiles.WritePack(ctx, w, data, d, photo.Limits{}, options)
	})
}

// hasLevels reports whether the levels of an original of size bytes are kept,
// and sound as far as can be told without reading them.
func (p *Pictures) hasLevels(ctx context.Context, d qc.Digest, size int64) bool {
	f, err := p.parts.Derived.Get(ctx, d, profileLevels)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = tiles.OpenPack(f, f.Size(), d, size)
	return err == nil
}
