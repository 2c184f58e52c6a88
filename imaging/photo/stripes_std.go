//go:build !cgo || noturbo

package photo

import "image"

// stripesJPEG yields the rows of a JPEG at 1/denom, not oriented. The standard decoder knows only
// whole pictures.
func stripesJPEG(data []byte, h header, denom, rows int, lim Limits, yield func(int, *image.RGBA) error) error {
	img, err := decodeJPEG(data, h, denom, lim)
	if err != nil {
		return err
	}
	return cutStripes(img, rows, yield)
}
