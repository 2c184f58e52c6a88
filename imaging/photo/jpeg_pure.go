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

// encodeJPEG writes a baseline 4:2:0 JPEG without metadata.
func encodeJPEG(w io.Writer, img *image.RGBA, quality int) error {
	return jpeg.Encode(w, img, &jpeg.Options{Quality: quality})
}
