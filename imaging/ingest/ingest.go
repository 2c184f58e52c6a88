// Package ingest makes everything the product keeps of a photo in one pass over the arriving file.
//
// Its promise: the file is read once. While it is read, its bytes are hashed and copied to where they
// are kept; when the last one is there, one core goes on with that and then builds the index for
// random access (package tiles), while the other makes the preview, and from that the thumbnail and
// the quality check. The hash, slow where the processor has no instructions for it, is never on the
// way to the first pixels: those are shown as soon as there are any, at first the camera's own
// thumbnail. Memory is bounded by the limits, and by a [photo.Budget] when several arrive at once.
//
// The words: an arrival is a photo that has come in whole and sound, with what was made of it. What was
// copied for one that failed is to be thrown away by whoever gave the place for it.
package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"

	"golang.org/x/sync/errgroup"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// Arrival is a photo that has come in.
type Arrival struct {
	Digest         qc.Digest // SHA-256 of the file
	Bytes          int64     // its size
	Info           photo.Info
	Thumb, Preview photo.Rendition
	Index          []byte // of package tiles, stored form; nil when the photo is not of a form that can be indexed
	Quality        photo.Quality
}

// Intake takes photos in. Its zero value works; it may be used by several goroutines at once.
type Intake struct {
	Limits photo.Limits  // zero fields: the defaults
	Budget *photo.Budget // of memory, shared with other decoders; nil: no bound but that of each photo
	// Early, if not nil, is called on the goroutine of Take, at most three times, each time with a better
	// picture, oriented: the camera's thumbnail, one at 1/8 where decoding is slow, then the preview. It
	// must not change the picture.
	Early func(*image.RGBA)
}

// piece is how much is read at once.
const piece = 512 << 10

// Take reads a photo from src to its end, copies it to dst, and makes everything else. If src tells its
// length (Len or Stat), memory for the file is reserved once.
//
// The errors are those of package photo for bytes that are no usable photo, those of src and dst, and
// that of ctx when it ended. When Take returns, nothing of it runs any more.
func (in Intake) Take(ctx context.Context, src io.Reader, dst io.Writer) (Arrival, error) {
	a, err := in.take(ctx, src, dst)
	if err != nil {
		return Arrival{}, fmt.Errorf("take in photo: %w", err)
	}
	return a, nil
}

func (in Intake) take(ctx context.Context, src io.Reader, dst io.Writer) (a Arrival, err error) {
	group, ctx := errgroup.WithContext(ctx)
	c := copier{pieces: make(chan []byte, 64), whole: make(chan whole, 1), small: make(chan *image.RGBA, 1)}
	group.Go(func() error { return c.run(ctx, in, dst) })
	group.Go(func() error {
		data, err := read(ctx, src, in.limit(), c.pieces)
		close(c.pieces)
		if err != nil {
			return err
		}
		return in.pictures(ctx, data, &c, &a)
	})
	if err := group.Wait(); err != nil {
		return a, err
	}
	a.Digest, a.Index = c.digest, c.index
	return a, nil
}

// limit is the size that a file may have.
func (in Intake) limit() int64 {
	if in.Limits.Bytes > 0 {
		return in.Limits.Bytes
	}
	return photo.DefaultLimits().Bytes
}

// read reads src whole and hands out each piece as it comes. Pieces stay valid when data moves.
func read(ctx context.Context, src io.Reader, limit int64, pieces chan<- []byte) ([]byte, error) {
	data := make([]byte, 0, min(sizeOf(src), limit)+1)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if cap(data)-len(data) < 1 {
			data = append(data, make([]byte, max(piece, len(data)))...)[:len(data)]
		}
		n, err := src.Read(data[len(data):min(len(data)+piece, cap(data))])
		from := len(data)
		data = data[:from+n]
		if int64(len(data)) > limit {
			return nil, fmt.Errorf("%w: more than %d bytes", photo.ErrTooLarge, limit)
		}
		if n > 0 {
			select {
			case pieces <- data[from:]:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, fmt.Errorf("read: %w", err)
		}
	}
}

// sizeOf is how many bytes src says it has.
func sizeOf(src io.Reader) int64 {
	switch s := src.(type) {
	case interface{ Len() int }:
		return int64(max(s.Len(), 0))
	case interface{ Stat() (fs.FileInfo, error) }:
		if st, err := s.Stat(); err == nil && st.Mode().IsRegular() {
			return max(st.Size(), 0)
		}
	}
	return piece
}

// whole is a file that has been read and looked at.
type whole struct {
	data []byte
	info photo.Info
}

// pictures makes what people see.
func (in Intake) pictures(ctx context.Context, data []byte, c *copier, a *Arrival) error {
	var err error
	a.Bytes = int64(len(data))
	if a.Info, err = photo.Inspect(bytes.NewReader(data), a.Bytes, in.Limits); err != nil {
		return err
	}
	if in.Early != nil {
		if img := photo.Thumbnail(data, in.Limits); img != nil {
			in.Early(img)
		}
	}
	release, err := in.Budget.Acquire(ctx, a.Info.Memory)
	if err != nil {
		return err
	}
	defer release()
	c.whole <- whole{data, a.Info}
	if slow(a.Info) && in.Early != nil {
		select {
		case img := <-c.small:
			if img != nil {
				in.Early(img)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	preview, _, err := photo.DecodeFit(data, photo.PreviewSide, photo.PreviewSide, in.Limits)
	if err != nil {
		return err
	}
	if in.Early != nil {
		in.Early(preview)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	a.Quality = photo.Check(preview)
	a.Thumb, a.Preview, err = photo.RenditionsOf(preview)
	return err
}

// slow tells whether the index's picture at 1/8 is there long before the preview.
func slow(info photo.Info) bool {
	return !photo.LibJPEG && info.Kind == photo.JPEG && !info.Progressive
}

// copier is the other core's work: to hash and to copy the pieces, then to build the index.
type copier struct {
	pieces chan []byte
	whole  chan whole       // the file, when it was looked at and may be decoded
	small  chan *image.RGBA // the picture at 1/8, or nil; only where it is slow to make otherwise
	digest qc.Digest
	index  []byte
}

func (c *copier) run(ctx context.Context, in Intake, dst io.Writer) error {
	sum := sha256.New()
	for p := range c.pieces {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := dst.Write(p); err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		sum.Write(p)
	}
	c.digest = qc.Digest(hex.EncodeToString(sum.Sum(nil)))
	var w whole
	select {
	case w = <-c.whole:
	case <-ctx.Done():
		return nil // the other one says why
	}
	return c.build(w, in)
}

// build makes the index. A photo without one is as good as any: only reaching into it is slower.
func (c *copier) build(w whole, in Intake) error {
	defer close(c.small)
	if w.info.Kind != photo.JPEG || w.info.Progressive {
		return nil
	}
	var index *tiles.Index
	var err error
	if in.Early != nil && slow(w.info) {
		var eighth *image.YCbCr
		if index, eighth, err = tiles.BuildEighth(w.data, c.digest, in.Limits); err == nil {
			c.small <- in.show(eighth, w)
		}
	} else {
		index, err = tiles.Build(w.data, c.digest, in.Limits)
	}
	if err != nil {
		return nil //nolint:nilerr // whether the photo is sound, its decoder says
	}
	c.index, err = index.MarshalBinary()
	return err
}

// show makes the picture at 1/8 one to look at.
func (in Intake) show(eighth *image.YCbCr, w whole) *image.RGBA {
	img := photo.RGBA(eighth)
	if convert, err := photo.Colours(bytes.NewReader(w.data), int64(len(w.data)), in.Limits); err == nil {
		convert(img)
	}
	return photo.Orient(img, w.info.Orientation)
}
