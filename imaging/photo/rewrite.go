package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
)

// rewriteRows is how many rows are drawn on at once: little memory, and few calls of draw.
const rewriteRows = 256

// errStopped ends a decode whose rows nobody takes any more.
var errStopped = errors.New("nobody takes the rows")

// Rewrite decodes a photo and writes it to w as [EncodeJPEG] does, after draw has drawn on it: on one
// strip of some rows after another, from top to bottom. A strip's bounds are its place in the picture;
// it is not to be kept. The picture is NOT oriented. While one strip is drawn on and encoded, the next
// is decoded, and what [Stripes] says of memory holds. An error of draw ends it and is returned as it
// is; w receives nothing before all else is done.
func Rewrite(w io.Writer, data []byte, quality int, lim Limits, draw func(strip *image.RGBA) error) error {
	info, err := Inspect(bytes.NewReader(data), int64(len(data)), lim)
	if err != nil {
		return err
	}
	size := image.Pt(info.Width, info.Height)
	if info.Orientation >= 5 {
		size.X, size.Y = size.Y, size.X
	}
	j, err := newJPEGEncoder(size.X, size.Y, min(max(quality, 1), 100))
	defer j.close()
	if err != nil {
		return fmt.Errorf("encode JPEG: %w", err)
	}
	const inWork = 3 // strips: one is decoded, one waits, one is drawn on and encoded
	free, ready, stop := make(chan *image.RGBA, inWork), make(chan *image.RGBA, inWork), make(chan struct{})
	for range inWork - 1 {
		free <- image.NewRGBA(image.Rect(0, 0, size.X, min(rewriteRows, size.Y)))
	}
	var decoded error // once ready is closed
	go func() {
		defer close(ready)
		decoded = Stripes(data, 1, lim, rewriteRows, func(y int, rows *image.RGBA) error {
			select {
			case <-stop:
				return errStopped
			case strip := <-free:
				// The decoder goes on with the other's pixels.
				strip.Rect, strip.Stride = rows.Rect.Add(image.Pt(0, y)), rows.Stride
				strip.Pix, rows.Pix = rows.Pix, strip.Pix
				ready <- strip
				return nil
			}
		})
	}()
	var failed error
	for strip := range ready { // to the end, so that nothing runs on after the return
		if failed != nil {
			continue
		}
		if failed = draw(strip); failed == nil {
			if failed = j.add(strip); failed != nil {
				failed = fmt.Errorf("encode JPEG: %w", failed)
			}
		}
		if failed != nil {
			close(stop)
			continue
		}
		free <- strip
	}
	switch {
	case failed != nil:
		return failed
	case decoded != nil:
		return decoded
	}
	if err := j.finish(w); err != nil {
		return fmt.Errorf("encode JPEG: %w", err)
	}
	return nil
}
