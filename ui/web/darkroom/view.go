package darkroom

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// mostPreview bounds what is read as a preview.
const mostPreview = 16 << 20

// View is the best there is of a subject now. It is to be closed.
type View struct {
	picture *tiles.Picture
	w, h    int
	final   bool
	budget  *photo.Budget
	close   func()
}

// Open opens a view of a subject: of the developed original, else of a preview
// that hides what is to be hidden, and then has the original developed. It is
// [ErrNotReady] where there is neither.
func (d *Darkroom) Open(ctx context.Context, s Subject) (*View, error) {
	view, err := d.original(ctx, s)
	if err == nil {
		return view, nil
	}
	if !errors.Is(err, qc.ErrNotFound) {
		d.config.Log.WarnContext(ctx, "developed photo not opened", "photo", s.Digest, "error", err)
	}
	d.Want(s)
	view, err = d.preview(ctx, s)
	if errors.Is(err, qc.ErrNotFound) {
		return nil, ErrNotReady
	}
	return view, err
}

func (d *Darkroom) original(ctx context.Context, s Subject) (*View, error) {
	e, err := d.take(string(s.Digest), func() (*entry, error) { return d.openOriginal(ctx, s.Digest) })
	if err != nil {
		return nil, err
	}
	picture := e.picture
	if len(s.Hidden) > 0 {
		picture = picture.Redacted(s.Hidden, nil)
	}
	w, h := picture.Size()
	return &View{picture: picture, w: w, h: h, final: true, budget: d.config.Budget, close: func() { d.give(e) }}, nil
}

func (d *Darkroom) openOriginal(ctx context.Context, digest qc.Digest) (_ *entry, err error) {
	e := &entry{}
	defer func() {
		if err != nil {
			e.release()
		}
	}()
	keep := func(file File, err error) (File, error) {
		if err == nil {
			e.files = append(e.files, file)
		}
		return file, err
	}
	packed, err := keep(d.config.Derived.Get(ctx, digest, packProfile))
	if err != nil {
		return nil, err
	}
	original, err := keep(d.config.Originals.Open(digest))
	if err != nil {
		return nil, err
	}
	pack, err := tiles.OpenPack(packed, packed.Size(), digest, original.Size())
	if err != nil {
		return nil, err
	}
	var index *tiles.Index
	stored, err := d.config.Derived.Get(ctx, digest, indexProfile)
	switch {
	case err == nil:
		data, err := io.ReadAll(stored)
		_ = stored.Close()
		if err == nil {
			index, err = tiles.Unmarshal(data, digest, original.Size())
		}
		if err != nil {
			return nil, err
		}
	case !errors.Is(err, qc.ErrNotFound):
		return nil, err
	case pack.First() > 0:
		return nil, err // the index has gone from the cache: both are made again
	}
	e.picture, err = tiles.Open(original, original.Size(), index, pack, d.config.Limits)
	return e, err
}

func (d *Darkroom) preview(ctx context.Context, s Subject) (*View, error) {
	name, open := "preview "+string(s.Preview), func() (File, error) { return d.config.Originals.Open(s.Preview) }
	if s.Preview == "" {
		if s.Seal == "" {
			return nil, qc.ErrNotFound
		}
		name = s.profile(Preview) + " " + string(s.Digest)
		open = func() (File, error) { return d.config.Derived.Get(ctx, s.Digest, s.profile(Preview)) }
	}
	e, err := d.take(name, func() (*entry, error) { return openPreview(open, d.config.Limits) })
	if err != nil {
		return nil, err
	}
	view := &View{picture: e.picture, w: s.Width, h: s.Height, budget: d.config.Budget, close: func() { d.give(e) }}
	// A size that is nobody's photo, or another shape, would show another place than was asked for.
	w, h := e.picture.Size()
	if shape := float64(s.Width) * float64(h) / (float64(s.Height)*float64(w) + 1e-9); s.Width > 65_000 || s.Height > 65_000 ||
		s.Width < w || s.Height < h || math.Abs(shape-1) > 0.02 {
		view.w, view.h = w, h
	}
	return view, nil
}

func openPreview(open func() (File, error), lim photo.Limits) (*entry, error) {
	file, err := open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if file.Size() > mostPreview {
		return nil, fmt.Errorf("preview of %d bytes: %w", file.Size(), photo.ErrTooLarge)
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("read preview: %w", err)
	}
	digest := qc.DigestOf(data)
	index, err := tiles.Build(data, digest, lim)
	if err != nil {
		return nil, err
	}
	source := memory{data}
	picture, err := tiles.Open(source, int64(len(data)), index, nil, lim)
	return &entry{picture: picture}, err
}

// memory is a small file.
type memory struct{ data []byte }

// ReadAt implements io.ReaderAt.
func (m memory) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at >= int64(len(m.data)) {
		return 0, io.EOF
	}
	n := copy(p, m.data[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Close ends the view.
func (v *View) Close() { v.close() }

// Size is the width and height of the original.
func (v *View) Size() (w, h int) { return v.w, v.h }

// Levels is how many levels of tiles there are, each half as large as the one
// before, down to one tile.
func (v *View) Levels() int {
	n := 1
	for side := max(v.w, v.h); side > tiles.TileSide; side = (side + 1) / 2 {
		n++
	}
	return n
}

// Final tells a view of the original from one of its preview.
func (v *View) Final() bool { return v.final }

// Name tells views apart by what they show. It is safe in an entity tag.
func (v *View) Name() string {
	if v.final {
		return v.picture.Name()
	}
	return fmt.Sprintf("%s-of-%dx%d", v.picture.Name(), v.w, v.h)
}

// Tile gives a tile as a JPEG file if r at w×h pixels is one that need not be
// drawn anew: of the finest level with the original's own coefficients, of
// others as they are kept.
func (v *View) Tile(ctx context.Context, r image.Rectangle, w, h int) (file []byte, ok bool, err error) {
	if !v.final {
		return nil, false, nil
	}
	for level := range v.picture.Levels() {
		side := tiles.TileSide << level
		if r.Min.X%side != 0 || r.Min.Y%side != 0 {
			break
		}
		col, row := r.Min.X/side, r.Min.Y/side
		lw, lh := v.picture.LevelSize(level)
		whole := image.Rect(col*side, row*side, min((col+1)*side, v.w), min((row+1)*side, v.h))
		if r == whole && w == min(tiles.TileSide, lw-col*tiles.TileSide) && h == min(tiles.TileSide, lh-row*tiles.TileSide) {
			file, err = v.picture.JPEG(ctx, level, col, row)
			return file, err == nil, err
		}
	}
	return nil, false, nil
}

// Region gives the part r at w×h pixels, of which a view of a preview has as
// many details as the preview.
func (v *View) Region(ctx context.Context, r image.Rectangle, w, h int) (*image.RGBA, error) {
	// What is asked for, its source at up to three times as many pixels along each side, and a turned copy.
	release, err := v.budget.Acquire(ctx, 4*int64(w)*int64(h)*11+(1<<20))
	if err != nil {
		return nil, err
	}
	defer release()
	if !v.final {
		pw, ph := v.picture.Size()
		r = image.Rect(r.Min.X*pw/v.w, r.Min.Y*ph/v.h, (r.Max.X*pw+v.w-1)/v.w, (r.Max.Y*ph+v.h-1)/v.h)
	}
	return v.picture.Region(ctx, r, w, h)
}
