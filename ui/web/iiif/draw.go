package iiif

import (
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"flawmark/imaging/photo"
)

// quality of JPEGs that are written anew.
const quality = 90

// Write mirrors, turns and colours a cut-out as the request wants it and writes
// it in its format. img is opaque and packed and may be changed.
func (q Request) Write(w io.Writer, img *image.RGBA) error {
	if q.Mirrored || q.Turn != 0 {
		img = photo.Orient(img, q.orientation())
	}
	var out image.Image = img
	if q.Gray {
		out = gray(img)
	}
	var err error
	switch {
	case q.PNG:
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, out)
	case q.Gray:
		err = jpeg.Encode(w, out, &jpeg.Options{Quality: quality})
	default:
		err = photo.EncodeJPEG(w, out, quality)
	}
	if err != nil {
		return fmt.Errorf("write region: %w", err)
	}
	return nil
}

// orientation is the EXIF orientation that mirrors and turns like the request.
func (q Request) orientation() int {
	if q.Mirrored {
		return [...]int{2, 7, 4, 5}[q.Turn]
	}
	return [...]int{1, 6, 3, 8}[q.Turn]
}

func gray(img *image.RGBA) *image.Gray {
	out := image.NewGray(img.Rect)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			i := y*img.Stride + 4*x
			luma, _, _ := color.RGBToYCbCr(img.Pix[i], img.Pix[i+1], img.Pix[i+2])
			out.Pix[y*out.Stride+x] = luma
		}
	}
	return out
}

// MediaType is the format's.
func (q Request) MediaType() string {
	if q.PNG {
		return "image/png"
	}
	return "image/jpeg"
}
