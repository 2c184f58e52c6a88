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
// cache, large ones level by level, the quick one first.
type Pictures struct {
	OnChange func() // a small picture has arrived

	parts  Parts
	small  map[qc.Digest]*image.RGBA // nil while on its way, or when there is none
	order  []qc.Digest
	viewed int
}

const (
	smallKept     = 240        // thumbnails of 256 pixels: about 45 MiB
	largestLevel  = 25_000_000 // pixels, so that a level stays below 100 MiB
	renditionMost = 16 << 20
	previewSide   = 1920
	thumbSide     = 256
)

func newPictures(parts Parts) *Pictures {
	return &Pictures{parts: parts, small: make(map[qc.Digest]*image.RGBA)}
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
		img, err := p.decode(ctx, d, func(data []byte) (*image.RGBA, error) {
			img, _, err := photo.DecodeFit(data, thumbSide, thumbSide, photo.Limits{})
			return img, err
		})
		return func() {
			if err != nil {
				p.parts.Log.Info("no small picture", "digest", d, "error", err)
				return
			}
			if _, wanted := p.small[d]; wanted {
				p.small[d] = img
			}
			if p.OnChange != nil {
				p.OnChange()
			}
		}
	})
	return nil
}

// View delivers the pixels of a photo: the preview, then a larger level from
// the original where that is here and has more. missing is called instead when
// not even the preview can be had. Only the latest view is served.
func (p *Pictures) View(of qc.Photo, level func(*image.RGBA), missing func()) {
	p.viewed++
	viewed := p.viewed
	deliver := func(img *image.RGBA, err error) func() {
		return func() {
			switch {
			case viewed != p.viewed:
			case err != nil:
				p.parts.Log.Info("no picture", "photo", of.ID, "error", err)
				missing()
			default:
				level(img)
			}
		}
	}
	p.parts.Work.Do(LaneView, func(ctx context.Context) func() {
		img, err := p.decode(ctx, of.Preview.Digest, func(data []byte) (*image.RGBA, error) {
			img, _, err := photo.DecodeFit(data, previewSide, previewSide, photo.Limits{})
			return img, err
		})
		shown := deliver(img, err)
		return func() {
			shown()
			if err == nil && viewed == p.viewed && max(of.Width, of.Height) > previewSide {
				p.sharpen(of, deliver)
			}
		}
	})
}

func (p *Pictures) sharpen(of qc.Photo, deliver func(*image.RGBA, error) func()) {
	p.parts.Work.Do(LaneView, func(context.Context) func() {
		data, err := p.parts.Blobs.Read(of.Digest, photo.DefaultLimits().Bytes)
		if err != nil {
			return nil // the original is elsewhere; the preview stays
		}
		denom := 1
		for denom < 8 && of.Width/denom*(of.Height/denom) > largestLevel {
			denom *= 2
		}
		img, _, err := photo.DecodeScale(data, denom, photo.Limits{})
		if err != nil {
			return nil
		}
		return deliver(img, nil)
	})
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
