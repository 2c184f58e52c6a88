package photo

import (
	"bytes"
	"fmt"
	"image"
)

// Stripes decodes at 1/denom (1, 2, 4, 8; sides rounded up) and gives the picture from top to
// bottom, rows rows at a time (the last stripe may have fewer). It is NOT oriented: rows come as
// they are stored. y is the stripe's first row; its picture begins at 0,0, is packed, opaque, and
// valid only until yield returns. An error of yield ends the decoding and is returned as it is.
//
// Of a sequential JPEG through libjpeg-turbo no more than one stripe is in memory, besides data; a
// progressive one takes its coefficients, about 3 bytes a pixel at 4:2:0. All others are decoded
// whole first. Damage may be found late: what was yielded before an error is not to be kept.
func Stripes(data []byte, denom int, lim Limits, rows int, yield func(y int, rows *image.RGBA) error) error {
	if denom != 1 && denom != 2 && denom != 4 && denom != 8 || rows < 1 {
		return fmt.Errorf("decode photo: stripes of %d rows at 1/%d", rows, denom)
	}
	lim = lim.orDefault()
	h, _, err := inspect(bytes.NewReader(data), int64(len(data)), lim)
	if err == nil {
		err = h.decodable(data)
	}
	if err == nil {
		outH := ceilDiv(h.height, denom)
		if h.kind == JPEG && !pureJPEG {
			outH = min(rows, outH)
		}
		err = h.affordable(ceilDiv(h.width, denom), outH, false, lim)
	}
	if err != nil {
		return fmt.Errorf("decode photo: %w", err)
	}
	var stopped error
	give := func(y int, img *image.RGBA) error {
		h.colour.convert.apply(img)
		stopped = yield(y, img)
		return stopped
	}
	if h.kind == JPEG {
		err = stripesJPEG(data, h, denom, rows, lim, give)
	} else {
		var img *image.RGBA
		if img, err = decodeRaster(data, h, lim); err == nil {
			for d := denom; d > 1; d /= 2 {
				img = halve(img)
			}
			err = cutStripes(img, rows, give)
		}
	}
	if err != nil && stopped == nil {
		return fmt.Errorf("decode photo: %w", err)
	}
	return stopped
}

// cutStripes yields a packed picture that is there as a whole.
func cutStripes(img *image.RGBA, rows int, yield func(int, *image.RGBA) error) error {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := 0; y < h; y += rows {
		n := min(rows, h-y)
		part := &image.RGBA{Pix: img.Pix[y*img.Stride:][:n*img.Stride], Stride: img.Stride, Rect: image.Rect(0, 0, w, n)}
		if err := yield(y, part); err != nil {
			return err
		}
	}
	return nil
}
