//go:build !cgo || noturbo

package photo

import (
	"image"
	"image/jpeg"
	"io"
)

// Without cgo the standard library decodes.
const (
	pureJPEG         = true
	coefficientBytes = 4 // each coefficient is an int32
)

func decodeJPEG(data []byte, h header, denom int, _ Limits) (*image.RGBA, error) {
	return decodeStd(data, h, denom)
}

func decodeJPEGFit(data []byte, h header, outW, outH int, _ Limits) (*image.RGBA, error) {
	return decodeStdFit(data, h, outW, outH)
}

// jpegEncoder makes a baseline 4:2:0 JPEG without metadata. The standard encoder knows only whole
// pictures: the rows are gathered.
type jpegEncoder struct {
	img     *image.RGBA
	quality int
	next    *int // the next row
}

func newJPEGEncoder(w, h, quality int) (jpegEncoder, error) {
	return jpegEncoder{image.NewRGBA(image.Rect(0, 0, w, h)), quality, new(int)}, nil
}

// add takes in the next rows.
func (j jpegEncoder) add(rows *image.RGBA) error {
	for y := range rows.Rect.Dy() {
		copy(j.img.Pix[*j.next*j.img.Stride:][:j.img.Stride], rows.Pix[y*rows.Stride:])
		*j.next++
	}
	return nil
}

// finish writes the file once all rows are in.
func (j jpegEncoder) finish(w io.Writer) error {
	return jpeg.Encode(w, j.img, &jpeg.Options{Quality: j.quality})
}

func (j jpegEncoder) close() {}
