package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"strings"
)

// decodeStd decodes at 1/denom (1, 2, 4, 8), not oriented. h is the header of data.
//
// The standard decoder has no scaled decode: the picture is decoded whole and averaged down, which
// is what a scaled decode approximates.
func decodeStd(data []byte, h header, denom int) (*image.RGBA, error) {
	src, err := guarded(func() (image.Image, error) { return jpeg.Decode(bytes.NewReader(data)) })
	if err != nil {
		return nil, stdJPEGError(err)
	}
	if b := src.Bounds(); b.Dx() != h.width || b.Dy() != h.height {
		return nil, fmt.Errorf("%w: two frames", ErrUnreadable)
	}
	img := toRGBA(src)
	for ; denom > 1; denom /= 2 {
		img = halve(img)
	}
	return img, nil
}

// decodeStdFit decodes, shrunk to outW×outH, not oriented.
func decodeStdFit(data []byte, h header, outW, outH int) (*image.RGBA, error) {
	denom := fitDenom(h.width, h.height, outW, outH)
	for h.width%denom != 0 || h.height%denom != 0 {
		denom /= 2 // half a pixel too much at the edge would shift the whole picture
	}
	img, err := decodeStd(data, h, denom)
	if err != nil {
		return nil, err
	}
	return resample(img, outW, outH), nil
}

func stdJPEGError(err error) error {
	var unsupported jpeg.UnsupportedError
	switch {
	case errors.Is(err, ErrUnreadable):
		return err
	case errors.As(err, &unsupported):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF),
		strings.Contains(err.Error(), "short Huffman data"),
		strings.Contains(err.Error(), "missing 0xff00 sequence"): // the end mark amid the data
		return fmt.Errorf("%w: %w", ErrTruncated, err)
	}
	return fmt.Errorf("%w: %w", ErrUnreadable, err)
}
