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
	r = r.Intersect(x.bounds())
	if r.Empty() {
		return nil, fmt.Errorf("cut region of photo %.12s: %w", x.digest, errors.New("outside of the picture"))
	}
	// Where colours have fewer samples than pixels, a pixel takes part of the sample beyond its own.
	const reach = 4
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
	img, _, err := photo.Decode(tile, photo.Limits{
		Bytes: int64(len(tile)), Pixels: int64(wide.Dx()) * int64(wide.Dy()), Side: max(wide.Dx(), wide.Dy()),
	})
	if err != nil {
		return nil, fmt.Errorf("cut region %v of photo %.12s: %w", r, x.digest, err)
	}
	if wide == r {
		return img, nil
	}
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	for y := range r.Dy() {
		at := img.PixOffset(r.Min.X-wide.Min.X, r.Min.Y-wide.Min.Y+y)
		copy(out.Pix[y*out.Stride:][:out.Stride], img.Pix[at:])
	}
	return out, nil
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
	r = r.Intersect(image.Rect(0, 0, w, h))
	x0, y0, x1, y1 := r.Min.X, r.Min.Y, r.Max.X, r.Max.Y
	switch x.orientation {
	case 2, 3, 6, 7:
		x0, x1 = w-x1, w-x0
	}
	switch x.orientation {
	case 3, 4, 7, 8:
		y0, y1 = h-y1, h-y0
	}
	if x.orientation >= 5 {
		x0, y0, x1, y1 = y0, x0, y1, x1
	}
	return image.Rect(x0, y0, x1, y1)
}
