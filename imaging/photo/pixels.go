package photo

import "image"

// Orient applies an EXIF orientation (1..8, else none) to a packed picture that another decoder
// made. It may work in place: use only what it returns.
func Orient(img *image.RGBA, orientation int) *image.RGBA { return orient(img, orientation) }

// RGBA converts a decoder's picture, packed, with its colours smoothed as everywhere in this package.
func RGBA(src *image.YCbCr) *image.RGBA { return fromYCbCr(src) }
