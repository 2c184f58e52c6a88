// Package evidence makes what leaves the house: the file with the marks burned
// in, at the original's full size.
//
// Its promise: nobody outside learns more from the file than what it shows. What
// is redacted goes first, is opaque, and is grown to the blocks in which a photo
// is coded, because the rest of a block carries traces of its neighbours; what a
// file says beyond its picture (place, time, camera, thumbnail) stays behind. And
// the file shows no less than the original: where the original allows it, only
// the blocks that marks touch are coded anew, and all others are the original's,
// bit for bit.
//
// The words: a file is lossless when it was made that way. Marks and their
// rectangles are in pixels of the oriented picture; stored ones are said to be.
package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// Options say how a file is made.
type Options struct {
	// Quality of a file that is not lossless, 1..100; 0 stands for 90.
	Quality int
	// Whole makes a file that is not lossless, also where a lossless one could be
	// made: it has one quality all over, and readers that know no other than the
	// usual tables.
	Whole bool
	// Index of the original, where it is kept. nil: it is made, for about half
	// of the time that all takes.
	Index *tiles.Index
	// Legend is written on a strip below the picture; a file with one is not
	// lossless.
	Legend []annotate.LegendEntry
	// Limits for the original; zero fields stand for the defaults.
	Limits photo.Limits
}

// Report tells how a file was made.
type Report struct {
	Lossless       bool
	BlocksKept     int // of a lossless file: coded units of 8 or 16 pixels a side that are the original's
	BlocksReplaced int // and those that marks touch
}

// mostTouched is the share of a picture beyond which nothing is gained by
// keeping the rest.
const mostTouched = 0.4

// BurnIn writes the original with the shapes drawn on it to dst, as a JPEG of
// the original's size. original holds p.Bytes bytes with the digest p.Digest,
// which is not computed again.
//
// The file is lossless where the original is a sequential JPEG in colour (see
// [tiles.ErrNotIndexable] for which), unless a spotlight or very many marks
// change most of the picture, or there is a legend; it is then in the orientation in which the
// original is stored, and says so. Otherwise the picture is decoded, drawn on,
// oriented and encoded. Either way the colour profile of a JPEG stays and no
// other metadata.
//
// The errors are those of the photo package, [tiles.ErrMismatch] where the bytes
// are not those of the index, ctx's, and dst's. After an error dst may have
// received a part.
func BurnIn(ctx context.Context, dst io.Writer, original io.ReaderAt, p qc.Photo, shapes []annotate.Shape, opts Options) (Report, error) {
	if opts.Quality <= 0 {
		opts.Quality = 90
	}
	r, err := burnIn(ctx, dst, original, p, shapes, opts)
	if err != nil {
		return Report{}, fmt.Errorf("burn marks into photo %s: %w", p.ID, err)
	}
	return r, nil
}

func burnIn(ctx context.Context, dst io.Writer, original io.ReaderAt, p qc.Photo, shapes []annotate.Shape, opts Options) (Report, error) {
	var data []byte // the original, once it has been read whole
	sparing := !opts.Whole && len(opts.Legend) == 0
	if opts.Index == nil && sparing {
		var err error
		if data, err = readAll(original, p.Bytes, opts.Limits); err != nil {
			return Report{}, err
		}
		original = bytes.NewReader(data)
		if x, err := tiles.Build(data, p.Digest, opts.Limits); err == nil {
			opts.Index = x
		} else if !errors.Is(err, tiles.ErrNotIndexable) {
			return Report{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	if x := opts.Index; x != nil && sparing && !x.Grey() && partial(shapes) {
		s, err := newSparing(x, original, shapes)
		if err != nil {
			return Report{}, err
		}
		if touched := s.touched(); share(touched, x) <= mostTouched {
			return s.write(ctx, dst, touched)
		}
	}
	if data == nil {
		var err error
		if data, err = readAll(original, p.Bytes, opts.Limits); err != nil {
			return Report{}, err
		}
	}
	return Report{}, whole(ctx, dst, data, shapes, opts)
}

func readAll(original io.ReaderAt, size int64, lim photo.Limits) ([]byte, error) {
	most := lim.Bytes
	if most <= 0 {
		most = photo.DefaultLimits().Bytes
	}
	if size <= 0 {
		return nil, photo.ErrEmpty
	}
	if size > most {
		return nil, photo.ErrTooLarge
	}
	data := make([]byte, size)
	if n, err := original.ReadAt(data, 0); n < len(data) {
		if err == nil || errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: %d of %d bytes", photo.ErrTruncated, n, size)
		}
		return nil, fmt.Errorf("read: %w", err)
	}
	return data, nil
}

// partial reports whether shapes leave anything of a picture as it was.
func partial(shapes []annotate.Shape) bool {
	for _, s := range shapes {
		if s.Mark.Tool == qc.Spotlight || s.Mark.Tool == qc.Redaction && len(s.Mark.Points) != 2 {
			return false
		}
	}
	return true
}

// share is how much of the picture rectangles cover that do not overlap.
func share(rects []image.Rectangle, x *tiles.Index) float64 {
	w, h := x.Size()
	area := 0
	for _, r := range rects {
		area += r.Dx() * r.Dy()
	}
	return float64(area) / (float64(w) * float64(h))
}
