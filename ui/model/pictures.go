package model

import (
	"context"
	"errors"
	"fmt"
	"image"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// Pictures brings photo files to the screen as pixels: small ones from a
// cache, previews, and originals in tiles (see [View]), the quick one first. It
// never holds an original whole for looking at it, and makes what is missing
// for the next time while nobody waits.
type Pictures struct {
	OnChange func() // a small picture has arrived

	parts   Parts
	notices *Notices

	small map[qc.Digest]*image.RGBA // nil while on its way, or when there is none
	order []qc.Digest

	ready    []readyPicture // previews, the one used last at the end
	warnings map[qc.Digest][]string
	told     map[qc.Digest]bool // originals in trouble of which was told
	queued   map[qc.Digest]bool // originals whose levels are to be made
	views    map[*View]bool     // that show a photo
	indexes  indexes
}

const (
	smallKept     = 110 // thumbnails of 256 pixels: about 20 MiB
	readyKept     = 3   // previews: the one in view and those beside it, about 30 MiB
	warningsKept  = 1000
	renditionMost = 16 << 20
	previewSide   = photo.PreviewSide
	thumbSide     = 256
)

// readyPicture is the preview with that digest, decoded.
type readyPicture struct {
	digest  qc.Digest
	picture *image.RGBA
}

func newPictures(parts Parts, notices *Notices) *Pictures {
	return &Pictures{
		parts: parts, notices: notices, small: make(map[qc.Digest]*image.RGBA), warnings: make(map[qc.Digest][]string),
		told: make(map[qc.Digest]bool), queued: make(map[qc.Digest]bool), views: make(map[*View]bool),
	}
}

// Small returns the small picture of a file, or nil while it is on its way.
func (p *Pictures) Small(d qc.Digest) *image.RGBA {
	if d == "" {
		return nil
	}
	if img, ok := p.small[d]; ok {
		return img
	}
	p.small[d] = nil
	p.order = append(p.order, d)
	if len(p.order) > smallKept {
		delete(p.small, p.order[0])
		p.order = p.order[1:]
	}
	p.parts.Work.Do(LaneView, func(ctx context.Context) func() {
		img, err := p.decode(ctx, d, fitting(thumbSide))
		return func() {
			if err != nil {
				p.parts.Log.Info("no small picture", "digest", d, "error", err)
				return
			}
			if _, wanted := p.small[d]; wanted {
				p.small[d] = img
			}
			p.changed()
		}
	})
	return nil
}

// Warnings returns what makes a photo poor evidence, as sentences. They are
// known as soon as its preview has been seen.
func (p *Pictures) Warnings(of qc.Photo) []Sentence {
	var all []Sentence
	for _, key := range p.warnings[of.Preview.Digest] {
		all = append(all, Say(key))
	}
	return all
}

// arrived takes over what is known of a photo that has been taken in.
func (p *Pictures) arrived(t Taken) {
	p.keep(t.Photo.Preview.Digest, t.preview)
	p.warn(t.Photo.Preview.Digest, t.Warnings)
	p.makeLevels(t.Photo, LaneIdle)
}

// keep keeps a decoded preview, the newest ones only.
func (p *Pictures) keep(d qc.Digest, img *image.RGBA) {
	if img == nil || p.preview(d) != nil {
		return
	}
	if len(p.ready) >= readyKept {
		p.ready = append(p.ready[:0], p.ready[len(p.ready)-readyKept+1:]...)
	}
	p.ready = append(p.ready, readyPicture{d, img})
}

// judge finds out what makes a photo poor evidence, unless that is known.
func (p *Pictures) judge(d qc.Digest, preview *image.RGBA) {
	if _, known := p.warnings[d]; known {
		return
	}
	p.parts.Work.Do(LaneOpen, func(context.Context) func() {
		warnings := photo.Check(preview).Warnings
		return func() {
			p.warn(d, warnings)
			if len(warnings) > 0 {
				p.changed()
			}
		}
	})
}

func (p *Pictures) warn(d qc.Digest, warnings []string) {
	if len(p.warnings) >= warningsKept {
		clear(p.warnings) // they are found out again
	}
	p.warnings[d] = warnings
}

// preview returns a preview if it is ready, and keeps it longer.
func (p *Pictures) preview(d qc.Digest) *image.RGBA {
	for n, r := range p.ready {
		if r.digest == d {
			p.ready = append(append(p.ready[:n:n], p.ready[n+1:]...), r)
			return r.picture
		}
	}
	return nil
}

// trouble tells why an original cannot be shown: always to the log, and once to
// the person.
func (p *Pictures) trouble(of qc.Photo, what string, err error) {
	switch {
	case errors.Is(err, context.Canceled):
	case p.told[of.Digest]:
		p.parts.Log.Warn("photo in trouble", "to", what, "photo", of.ID, "digest", of.Digest, "error", err)
	default:
		p.told[of.Digest] = true
		p.notices.fail(what, fmt.Errorf("photo %s: %w", of.ID, err), "file", of.Name)
	}
}

func (p *Pictures) changed() {
	if p.OnChange != nil {
		p.OnChange()
	}
}

// fitting decodes a picture of at most side pixels a side.
func fitting(side int) func([]byte) (*image.RGBA, error) {
	return func(data []byte) (*image.RGBA, error) {
		img, _, err := photo.DecodeFit(data, side, side, photo.Limits{})
		return img, err
	}
}

// decode reads a rendition from here or from the centre, where it is then kept.
func (p *Pictures) decode(ctx context.Context, d qc.Digest, decode func([]byte) (*image.RGBA, error)) (*image.RGBA, error) {
	data, err := p.parts.Blobs.Read(d, renditionMost)
	if errors.Is(err, qc.ErrNotFound) && p.parts.Fetch != nil {
		if data, err = p.parts.Fetch(ctx, d); err == nil {
			if qc.DigestOf(data) != d {
				return nil, fmt.Errorf("fetch %s: %w", d, qc.ErrDigest)
			}
			_, err = p.parts.Blobs.PutBytes(ctx, data)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read picture %s: %w", d, err)
	}
	return decode(data)
}
