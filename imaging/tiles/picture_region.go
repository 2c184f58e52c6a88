package tiles

import (
	"context"
	"fmt"
	"image"

	"flawmark/imaging/photo"
)

// Region gives the part r (oriented, pixels of level 0, clipped to the picture) at w×h pixels, which
// may be of another shape. It comes from the coarsest level that is still clearly finer than the
// result, by Lanczos; where w×h is just the part of a level, it is that part; at full size it is the
// original's own pixels. The picture is packed and begins at 0,0.
//
// Nothing of the picture in r is [ErrOutside], a result over the limits of [Open] photo.ErrTooLarge.
// The other errors are those of Tile.
func (p *Picture) Region(ctx context.Context, r image.Rectangle, w, h int) (*image.RGBA, error) {
	img, err := p.region(ctx, r, w, h)
	if err != nil {
		return nil, fmt.Errorf("region %v at %d×%d of photo %.12s: %w", r, w, h, p.digest, err)
	}
	return img, nil
}

func (p *Picture) region(ctx context.Context, r image.Rectangle, w, h int) (*image.RGBA, error) {
	r = r.Intersect(p.pyramid.bounds(0))
	if r.Empty() || w < 1 || h < 1 {
		return nil, ErrOutside
	}
	lim, most := p.lim, photo.DefaultLimits()
	if lim.Pixels <= 0 {
		lim.Pixels = most.Pixels
	}
	if lim.Side <= 0 {
		lim.Side = most.Side
	}
	if w > lim.Side || h > lim.Side || int64(w)*int64(h) > lim.Pixels {
		return nil, photo.ErrTooLarge
	}
	if level, part, ok := p.exact(r, w, h); ok {
		return p.pixels(ctx, level, part)
	}
	level := p.levelFor(r, w, h)
	scale := float64(int(1) << level)
	box := window{float64(r.Min.X) / scale, float64(r.Min.Y) / scale, float64(r.Max.X) / scale, float64(r.Max.Y) / scale}
	source := box.reach(w, h).Intersect(p.pyramid.bounds(level))
	img, err := p.pixels(ctx, level, source)
	if err != nil {
		return nil, err
	}
	box.x0, box.x1 = box.x0-float64(source.Min.X), box.x1-float64(source.Min.X)
	box.y0, box.y1 = box.y0-float64(source.Min.Y), box.y1-float64(source.Min.Y)
	return resample(ctx, img, box, w, h)
}

// exact tells whether r at w×h is a part of a level as it is.
func (p *Picture) exact(r image.Rectangle, w, h int) (int, image.Rectangle, bool) {
	for level := range p.Levels() {
		part := coarser(r, level)
		if part.Dx() == w && part.Dy() == h && p.pyramid.finer(part, level, level) == r {
			return level, part, true
		}
	}
	return 0, image.Rectangle{}, false
}

// levelFor is the coarsest level with one and a half times the pixels of the result along each axis,
// so that its own softness is not seen.
func (p *Picture) levelFor(r image.Rectangle, w, h int) int {
	level := 0
	for level+1 < p.Levels() && 2*r.Dx() >= 3*w<<(level+1) && 2*r.Dy() >= 3*h<<(level+1) {
		level++
	}
	return level
}
