package photo

import (
	"fmt"
	"image"
)

// Redacted makes the renditions of an original with parts of it hidden. rects are the parts, in pixels
// of the oriented original.
//
// Nothing of the parts goes into the renditions, not even blurred: the picture is decoded at a scale
// well above the preview's, and before anything shrinks it every part is covered, together with all
// blocks of the coded picture that it touches and the pixels into which those blocks' colours are
// smoothed. Two originals that differ only in the coded blocks under the parts give the same bytes.
//
// paint, if not nil, may then draw on the decoded picture, whose size is the original's times scale:
// what it finds in and around the parts is a plain grey.
func Redacted(data []byte, rects []image.Rectangle, paint func(img *image.RGBA, scale float64), lim Limits) (thumb, preview Rendition, err error) {
	img, err := redacted(data, rects, paint, previewSide, lim.orDefault())
	if err != nil {
		return thumb, preview, fmt.Errorf("redact photo: %w", err)
	}
	return renditionsOf(img)
}

// covered is the grey of what is hidden.
const covered = 0x80

// redacted is the oriented picture, at most side pixels long.
func redacted(data []byte, rects []image.Rectangle, paint func(*image.RGBA, float64), side int, lim Limits) (*image.RGBA, error) {
	denom := 1
	large, info, err := decode(data, lim, func(h header, info Info) (*image.RGBA, error) {
		w, ht := fitSize(h.width, h.height, side, side)
		if h.kind == JPEG {
			denom = fitDenom(h.width, h.height, w, ht)
		}
		scaledW, scaledH := ceilDiv(h.width, denom), ceilDiv(h.height, denom)
		if err := h.affordable(scaledW, scaledH, true, lim); err != nil {
			return nil, err
		}
		var img *image.RGBA
		var err error
		if h.kind == JPEG {
			img, err = decodeJPEG(data, h, denom, lim)
		} else {
			img, err = decodeRaster(data, h, lim)
		}
		if err != nil {
			return nil, err
		}
		for _, r := range rects {
			if r = r.Canon(); r.Empty() {
				r.Max = r.Max.Add(image.Pt(1, 1))
			}
			if r = r.Intersect(image.Rect(0, 0, info.Width, info.Height)); !r.Empty() {
				cover(img, h.reach(storedRect(r, info), denom), denom)
			}
		}
		return img, nil
	})
	if err != nil {
		return nil, err
	}
	if paint != nil {
		paint(large, 1/float64(denom))
	}
	w, h := fitSize(info.Width, info.Height, side, side)
	return resample(large, w, h), nil
}

// storedRect is where a part of the oriented picture is stored.
func storedRect(r image.Rectangle, info Info) image.Rectangle {
	flipX := image.Rect(info.Width-r.Max.X, r.Min.Y, info.Width-r.Min.X, r.Max.Y)
	flipY := func(r image.Rectangle) image.Rectangle {
		return image.Rect(r.Min.X, info.Height-r.Max.Y, r.Max.X, info.Height-r.Min.Y)
	}
	swap := func(r image.Rectangle) image.Rectangle { return image.Rect(r.Min.Y, r.Min.X, r.Max.Y, r.Max.X) }
	switch info.Orientation {
	case 2:
		return flipX
	case 3:
		return flipY(flipX)
	case 4:
		return flipY(r)
	case 5:
		return swap(r)
	case 6:
		return swap(flipX)
	case 7:
		return swap(flipY(flipX))
	case 8:
		return swap(flipY(r))
	}
	return r
}

// reach is the part of the stored picture that the pixels of r can have had an influence on.
func (h header) reach(r image.Rectangle, denom int) image.Rectangle {
	blockW, blockH, more := 1, 1, 0
	switch h.kind {
	case JPEG:
		blockW, blockH, more = h.mcuW, h.mcuH, 2*denom // colours are smoothed over two pixels
	case WebP:
		blockW, blockH, more = 16, 16, 8 // the filter between blocks, then colours
	case HEIC:
		blockW, blockH, more = 1, 1, 64+16 // blocks of 64, turned already; filters, colours
	}
	floor := func(v, n int) int { return v - ((v%n)+n)%n }
	return image.Rect(floor(r.Min.X, blockW)-more, floor(r.Min.Y, blockH)-more,
		floor(r.Max.X+blockW-1, blockW)+more, floor(r.Max.Y+blockH-1, blockH)+more)
}

// cover fills r, in pixels of the unscaled picture, with grey.
func cover(img *image.RGBA, r image.Rectangle, denom int) {
	r = r.Add(image.Pt(8*denom, 8*denom)) // so that division rounds down also left of the picture
	r = image.Rect(r.Min.X/denom, r.Min.Y/denom, ceilDiv(r.Max.X, denom), ceilDiv(r.Max.Y, denom)).
		Sub(image.Pt(8, 8)).Intersect(img.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Pix[img.PixOffset(r.Min.X, y):][:4*r.Dx()]
		for i := 0; i < len(row); i += 4 {
			row[i], row[i+1], row[i+2], row[i+3] = covered, covered, covered, 255
		}
	}
}
