//go:build !cgo || noturbo

package photo

import (
	"image"
	"io"
)

// retouchPlanes leaves all to [Rewrite].
func retouchPlanes(io.Writer, []byte, header, int, Limits, []image.Rectangle, func(*image.RGBA) error) error {
	return errOtherPlanes
}
