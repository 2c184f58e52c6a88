package model

import (
	"context"
	"errors"
	"image"
	"slices"
	"sync/atomic"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/tiles"
)

// View is a place on the screen where one photo after another is looked at. It
// holds the files of the photo in view, and lets go of them with it. Its owner
// makes it with [Pictures.NewView].
type View struct {
	pictures *Pictures
	photo    qc.Photo
	to       Sight
	tiles    *Tiles // nil: not open, or there is nothing sharper than the preview
	source   annotate.Source
	hidden   []image.Rectangle // by source
	made     int               // how often levels were made for it while in view
	gone     *atomic.Bool      // the photo is no longer in view
}

// Sight receives what a view has of a photo. Level and Missing are needed.
type Sight struct {
	// Level receives the preview, which nobody changes, at once when it is
	// ready.
	Level func(*image.RGBA)
	// Tiles receives all the photo's pixels, where the original is here and has
	// more than the preview. It may come again, with another source.
	Tiles func(*Tiles)
	// Missing is called instead of Level when not even the preview can be had.
	Missing func()
}

// NewView returns a view of nothing.
func (p *Pictures) NewView() *View { return &View{pictures: p, gone: new(atomic.Bool)} }

// Close takes the photo out of view and closes its files.
func (v *View) Close() {
	v.gone.Store(true)
	v.gone = new(atomic.Bool)
	delete(v.pictures.views, v)
	if v.tiles != nil {
		v.tiles.close()
	}
	v.photo, v.tiles, v.source, v.made, v.to = qc.Photo{}, nil, nil, 0, Sight{}
}

// Show brings a photo into view, and makes those nearby ready for it. What is
// still on its way of the one before is dropped.
func (v *View) Show(of qc.Photo, nearby []qc.Photo, to Sight) {
	v.Close()
	p, gone := v.pictures, v.gone
	v.photo, v.to = of, to
	p.views[v] = true
	if img := p.preview(of.Preview.Digest); img != nil {
		to.Level(img)
		v.open()
		p.makeReady(nearby, gone)
		return
	}
	p.parts.Work.Do(LaneView, func(ctx context.Context) func() {
		if gone.Load() {
			return nil
		}
		img, err := p.decode(ctx, of.Preview.Digest, fitting(previewSide))
		return func() {
			if err == nil {
				p.keep(of.Preview.Digest, img)
			}
			switch {
			case gone.Load():
			case err != nil:
				p.parts.Log.Info("no picture", "photo", of.ID, "error", err)
				to.Missing()
			default:
				to.Level(img)
				p.judge(of.Preview.Digest, img)
				v.open()
				p.makeReady(nearby, gone)
			}
		}
	})
}

// makeReady decodes the previews of the photos that are likely to be next, and
// reads where the parts of their originals are.
func (p *Pictures) makeReady(nearby []qc.Photo, gone *atomic.Bool) {
	for _, of := range nearby[:min(len(nearby), readyKept-1)] {
		if p.preview(of.Preview.Digest) != nil {
			continue
		}
		p.parts.Work.Do(LaneOpen, func(ctx context.Context) func() {
			if gone.Load() {
				return nil
			}
			img, err := p.decode(ctx, of.Preview.Digest, fitting(previewSide))
			if err != nil {
				return nil // it is said when the photo is looked at
			}
			if larger(of) {
				_, _ = p.index(ctx, of.Digest, of.Bytes) // as above
			}
			return func() {
				p.keep(of.Preview.Digest, img)
				p.judge(of.Preview.Digest, img)
			}
		})
	}
}

// larger reports whether the original has more to show than the preview.
func larger(of qc.Photo) bool { return max(of.Width, of.Height) > previewSide }

// open opens the original of the photo in view.
func (v *View) open() {
	p, of, gone := v.pictures, v.photo, v.gone
	if !larger(of) || v.to.Tiles == nil {
		return
	}
	p.parts.Work.Do(LaneOpen, func(ctx context.Context) func() {
		if gone.Load() {
			return nil
		}
		t, err := p.openTiles(ctx, of)
		return func() {
			switch {
			case gone.Load():
				if t != nil {
					t.close()
				}
			case errors.Is(err, qc.ErrNotFound):
				p.parts.Log.Info("original is not here", "photo", of.ID, "digest", of.Digest)
			case errors.Is(err, tiles.ErrNoLevel):
				p.makeLevels(of, LaneOpen) // it opens when they are there
			case err != nil:
				p.trouble(of, "open photo", err)
			default:
				v.take(t)
			}
		}
	})
}

// take shows the tiles of the photo in view.
func (v *View) take(t *Tiles) {
	p, of := v.pictures, v.photo
	if v.tiles != nil {
		v.tiles.close()
	}
	v.tiles, v.source = t, nil
	t.torn = func(err error) {
		p.parts.Work.dispatch(func() {
			p.parts.Log.Warn("levels of a photo are damaged, and are made again", "photo", of.ID, "digest", of.Digest, "error", err)
			p.remakeLevels(of)
		})
	}
	v.to.Tiles(t)
	if !t.packed {
		p.makeLevels(of, LaneIdle)
	}
}

// triesMost is how often levels are made for a photo in view: where they come
// out damaged each time, the disk is to blame, and the preview stays.
const triesMost = 3

// levelsMade takes over the levels that were made for the photo in view.
func (v *View) levelsMade() {
	p, t, of, gone := v.pictures, v.tiles, v.photo, v.gone
	if v.made++; v.made > triesMost {
		p.trouble(of, "keep levels of photo", tiles.ErrPack)
		return
	}
	if t == nil || t.bare == nil {
		v.open()
		return
	}
	p.parts.Work.Do(LaneOpen, func(ctx context.Context) func() {
		if gone.Load() {
			return nil
		}
		pack, err := p.pack(ctx, t, of.Digest)
		if err == nil {
			err = t.use(pack)
		}
		if err != nil {
			p.parts.Log.Info("levels of a photo are not used", "photo", of.ID, "error", err)
		}
		return nil
	})
}

// Problem hears why the canvas could not have a tile.
func (v *View) Problem(err error) {
	if v.photo.ID != "" {
		v.pictures.trouble(v.photo, "show photo", err)
	}
}

// Source returns where insets on the photo in view take their pixels from: out
// of the original, with the redactions among marks that are on it hidden for
// good. It may be
// called from any goroutine, and gives nil once the photo is no longer in view.
// It is nil while the original is not open.
func (v *View) Source(marks []qc.Mark) annotate.Source {
	if v.tiles == nil {
		return nil
	}
	hidden := redactions(qc.Finding{Marks: marks}, v.photo.ID)
	if v.source == nil || !slices.Equal(v.hidden, hidden) {
		v.hidden, v.source = hidden, v.tiles.source(hidden)
	}
	return v.source
}
