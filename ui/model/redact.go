package model

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// Redact returns f with derivatives that hide what is redacted on its photos,
// made anew from the originals wherever they are not what the redactions ask
// for. The files are kept before they are named; the originals stay as they
// are.
func Redact(ctx context.Context, blobs Blobs, f qc.Finding) (qc.Finding, error) {
	f.Photos = slices.Clone(f.Photos)
	for n, p := range f.Photos {
		want := f.Redactions(p.ID)
		if p.Redactions == want {
			continue
		}
		data, err := blobs.Read(p.Digest, photo.DefaultLimits().Bytes)
		if err != nil {
			return f, fmt.Errorf("redact photo %s: %w", p.ID, err)
		}
		thumb, preview, err := photo.Redacted(data, redactions(f, p.ID), nil, photo.Limits{})
		if err != nil {
			return f, fmt.Errorf("redact photo %s: %w", p.ID, err)
		}
		if p.Preview, err = keepRendition(ctx, blobs, preview); err != nil {
			return f, fmt.Errorf("keep redacted photo %s: %w", p.ID, err)
		}
		if p.Thumb, err = keepRendition(ctx, blobs, thumb); err != nil {
			return f, fmt.Errorf("keep redacted photo %s: %w", p.ID, err)
		}
		p.Redactions = want
		f.Photos[n] = p
	}
	return f, nil
}

// redactions returns what is redacted on a photo, in whole pixels.
func redactions(f qc.Finding, photo qc.PhotoID) []image.Rectangle {
	var rects []image.Rectangle
	for _, m := range f.Marks {
		if m.Photo == photo && m.Tool == qc.Redaction && len(m.Points) == 2 {
			a, b := m.Points[0], m.Points[1]
			rects = append(rects, image.Rect(
				int(math.Floor(min(a.X, b.X))), int(math.Floor(min(a.Y, b.Y))),
				int(math.Ceil(max(a.X, b.X))), int(math.Ceil(max(a.Y, b.Y)))))
		}
	}
	return rects
}

func keepRendition(ctx context.Context, blobs Blobs, r photo.Rendition) (qc.Derivative, error) {
	digest, err := blobs.PutBytes(ctx, r.Data)
	return qc.Derivative{Digest: digest, Bytes: int64(len(r.Data)), Width: r.Width, Height: r.Height}, err
}
