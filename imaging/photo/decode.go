package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// Decode decodes a photo at full size.
//
// The picture is oriented and packed (see the package comment). The errors are the package's own.
func Decode(data []byte, lim Limits) (*image.RGBA, Info, error) {
	return DecodeScale(data, 1, lim)
}

// DecodeScale decodes at 1/denom, where denom is 1, 2, 4 or 8; the sides are rounded up. It is the
// source of the viewer's levels: at 1/8 a JPEG costs less than half of a full decode.
func DecodeScale(data []byte, denom int, lim Limits) (*image.RGBA, Info, error) {
	if denom != 1 && denom != 2 && denom != 4 && denom != 8 {
		return nil, Info{}, fmt.Errorf("decode photo: scale 1/%d is not one of 1, 1/2, 1/4, 1/8", denom)
	}
	lim = lim.orDefault()
	return decode(data, lim, func(h header, info Info) (*image.RGBA, error) {
		if err := h.affordable(ceilDiv(h.width, denom), ceilDiv(h.height, denom), info.Orientation >= 5, lim); err != nil {
			return nil, err
		}
		if h.kind == JPEG {
			return decodeJPEG(data, h, denom, lim)
		}
		img, err := decodeRaster(data, h, lim)
		for d := denom; err == nil && d > 1; d /= 2 {
			img = halve(img)
		}
		return img, err
	})
}

// DecodeFit decodes a photo so that it fits into maxW×maxH pixels as it is seen (after
// orientation), keeping its shape and never enlarging it.
//
// A JPEG is decoded at the smallest scale that is still clearly larger than the result, then
// shrunk by Lanczos; this is indistinguishable from shrinking the full picture (50 dB) and
// needs a fraction of the time and memory. Only the small picture is rotated.
func DecodeFit(data []byte, maxW, maxH int, lim Limits) (*image.RGBA, Info, error) {
	if maxW < 1 || maxH < 1 {
		return nil, Info{}, fmt.Errorf("decode photo: cannot fit into %d×%d pixels", maxW, maxH)
	}
	lim = lim.orDefault()
	return decode(data, lim, func(h header, info Info) (*image.RGBA, error) {
		boxW, boxH := maxW, maxH
		if info.Orientation >= 5 {
			boxW, boxH = boxH, boxW
		}
		w, ht := fitSize(h.width, h.height, boxW, boxH)
		if h.kind == HEIC {
			w, ht = fitSize(h.seenW, h.seenH, boxW, boxH)
		}
		if err := h.affordable(w, ht, info.Orientation >= 5, lim); err != nil {
			return nil, err
		}
		if h.kind == JPEG {
			return decodeJPEGFit(data, h, w, ht, lim)
		}
		img, err := decodeRaster(data, h, lim)
		if err != nil {
			return nil, err
		}
		return resample(img, w, ht), nil
	})
}

// decode inspects, lets pixels make the unoriented picture, and orients it.
func decode(data []byte, lim Limits, pixels func(header, Info) (*image.RGBA, error)) (*image.RGBA, Info, error) {
	h, info, err := inspect(bytes.NewReader(data), int64(len(data)), lim)
	if err == nil {
		err = h.decodable(data)
	}
	var img *image.RGBA
	if err == nil {
		img, err = pixels(h, info)
	}
	if err != nil {
		return nil, info, fmt.Errorf("decode photo: %w", err)
	}
	h.colour.convert.apply(img)
	return orient(img, info.Orientation), info, nil
}

// decodable refuses JPEGs that would cost too much or come out in wrong colours.
func (h header) decodable(data []byte) error {
	if h.kind != JPEG {
		return nil
	}
	if h.components == 4 && !h.adobe {
		return fmt.Errorf("%w: four colour components of unknown meaning", ErrUnsupported)
	}
	if h.progressive && bytes.Count(data[h.scanAt:], []byte{0xFF, markSOS}) >= maxScans {
		return fmt.Errorf("%w: more than %d scans", ErrUnreadable, maxScans)
	}
	return nil
}

// decodeRaster decodes PNG and WebP, not oriented, and HEIC.
func decodeRaster(data []byte, h header, lim Limits) (*image.RGBA, error) {
	if h.kind == HEIC {
		return decodeHEIC(data, h, lim)
	}
	if h.still != nil {
		data = h.still
	}
	decoder := png.Decode
	if h.kind == WebP {
		decoder = webp.Decode
	}
	img, err := guarded(func() (image.Image, error) {
		src, err := decoder(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if b := src.Bounds(); b.Dx() != h.width || b.Dy() != h.height {
			return nil, fmt.Errorf("%w: its header contradicts itself", ErrUnreadable)
		}
		return toRGBA(src), nil
	})
	var unsupported png.UnsupportedError
	switch {
	case err == nil:
		return img.(*image.RGBA), nil
	case errors.Is(err, ErrUnreadable):
		return nil, err
	case errors.As(err, &unsupported):
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: %w", ErrTruncated, err)
	}
	return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
}

// guarded turns a decoder's panic on crafted bytes into ErrUnreadable.
func guarded(decode func() (image.Image, error)) (img image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			img, err = nil, fmt.Errorf("%w: %v", ErrUnreadable, p)
		}
	}()
	return decode()
}
