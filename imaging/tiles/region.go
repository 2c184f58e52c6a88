package tiles

import (
	"errors"
	"fmt"
	"image"
	"io"

	"flawmark/imaging/photo"
)

// Region decodes the pixels of r, which is clipped to the picture, not oriented. They equal those of
// a full decode. The picture begins at 0,0 and is packed.
//
// The errors are those of [Index.Tile].
func (x *Index) Region(src io.ReaderAt, r image.Rectangle) (*image.RGBA, error) {
	return x.scaled(src, r, 1, x.profile(src))
}

// scaled is Region at 1/denom (1, 2, 4, 8). r begins at a multiple of denom and ends at one or with
// the picture. Its colours are those of the profile, segments of a JPEG.
func (x *Index) scaled(src io.ReaderAt, r image.Rectangle, denom int, profile []byte) (*image.RGBA, error) {
	r = r.Intersect(x.bounds())
	if r.Empty() {
		return nil, fmt.Errorf("cut region of photo %.12s: %w", x.digest, errors.New("outside of the picture"))
	}
	// Where colours have fewer samples than pixels, a pixel takes part of the sample beyond its own.
	reach := 4 * denom
	wide := r
	if x.head.mcuW > 8 {
		wide.Min.X -= reach
		wide.Max.X += reach
	}
	if x.head.mcuH > 8 {
		wide.Min.Y -= reach
		wide.Max.Y += reach
	}
	wide = x.Align(wide)
	tile, err := x.Tile(src, wide.Min.X, wide.Min.Y, wide.Dx(), wide.Dy())
	if err != nil {
		return nil, err
	}
	tile = withProfile(tile, profile)
	img, _, err := photo.DecodeScale(tile, denom, photo.Limits{
		Bytes: int64(len(tile)), Pixels: int64(wide.Dx()) * int64(wide.Dy()), Side: max(wide.Dx(), wide.Dy()),
	})
	if err != nil {
		return nil, fmt.Errorf("cut region %v of photo %.12s: %w", r, x.digest, err)
	}
	at := r.Min.Sub(wide.Min).Div(denom)
	return cropped(img, image.Rect(at.X, at.Y, at.X+ceilDiv(r.Dx(), denom), at.Y+ceilDiv(r.Dy(), denom))), nil
}

// OrientedRegion is Region in the coordinates of the photo as it is seen: r and the pixels are
// oriented.
func (x *Index) OrientedRegion(src io.ReaderAt, r image.Rectangle) (*image.RGBA, error) {
	img, err := x.Region(src, x.stored(r))
	if err != nil {
		return nil, err
	}
	return photo.Orient(img, x.orientation), nil
}

// stored is where the part r of the oriented picture is in the stored one.
func (x *Index) stored(r image.Rectangle) image.Rectangle {
	w, h := x.OrientedSize()
	return turn(x.orientation).stored(r.Intersect(image.Rect(0, 0, w, h)), w, h)
}
