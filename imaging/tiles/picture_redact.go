package tiles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
)

// Redacted gives the picture with rects (oriented, pixels of level 0) painted over, in every tile,
// region and level, and nothing left of what was there: all pixels elsewhere are the same whatever the
// rectangles hide. fill nil is a neutral grey; transparency is ignored.
//
// A JPEG's blocks smear what they hold, so rectangles are grown to whole MCUs and one pixel more (of
// WebP and HEIC, to blocks of 64 pixels). Coarser pixels at their edges are averaged anew from painted ones; where
// level 0 comes out of a pack, its own blocks are painted whole, too. Redactions add up.
func (p *Picture) Redacted(rects []image.Rectangle, fill color.Color) *Picture {
	out := *p
	out.fill = color.RGBA{0x60, 0x60, 0x60, 0xFF}
	if fill != nil {
		c := color.NRGBAModel.Convert(fill).(color.NRGBA)
		out.fill = color.RGBA{c.R, c.G, c.B, 0xFF}
	} else if len(p.covers) > 0 {
		out.fill = p.fill
	}
	out.covers = append([]image.Rectangle(nil), p.covers...)
	for _, r := range rects {
		if r = p.grown(r.Canon()); !r.Empty() {
			out.covers = append(out.covers, r)
		}
	}
	if len(out.covers) > 0 {
		sum := sha256.Sum256(fmt.Append(nil, out.covers, out.fill))
		out.name = string(p.digest) + "-" + hex.EncodeToString(sum[:8])
	}
	return &out
}

// grown is what a rectangle may have left traces in, at level 0.
func (p *Picture) grown(r image.Rectangle) image.Rectangle {
	all := p.pyramid.bounds(0)
	if r = r.Intersect(all); r.Empty() {
		return r
	}
	w, h := p.pyramid.w, p.pyramid.h
	s := aligned(p.turn.stored(r, w, h), p.mcuW, p.mcuH)
	if p.mcuW > 8 { // else colours have as many samples as pixels there
		s.Min.X--
		s.Max.X++
	}
	if p.mcuH > 8 {
		s.Min.Y--
		s.Max.Y++
	}
	return p.turn.oriented(s, w, h).Intersect(all)
}

// aligned is r grown to multiples of w and h. No coordinate is negative.
func aligned(r image.Rectangle, w, h int) image.Rectangle {
	return image.Rect(r.Min.X/w*w, r.Min.Y/h*h, ceilDiv(r.Max.X, w)*w, ceilDiv(r.Max.Y, h)*h)
}

// reach is the part of a level that may hold traces of a cover.
func (p *Picture) reach(cover image.Rectangle, level int) image.Rectangle {
	r := coarser(cover, level)
	switch {
	case p.stored(level):
		r = aligned(r, 16, 16).Inset(-2) // the MCUs of stored tiles, and the smoothing of their colours
	case level > 0:
		r = r.Inset(-2)
	}
	if level > 0 {
		r = r.Union(p.painted(cover, level))
	}
	return r.Intersect(p.pyramid.bounds(level))
}

// touched tells whether the part r of a level has anything to do with a redaction.
func (p *Picture) touched(level int, r image.Rectangle) bool {
	for _, c := range p.covers {
		if p.reach(c, level).Overlaps(r) {
			return true
		}
	}
	return false
}

// pixels gives the part r of a level, redacted. r is inside the level and not empty.
func (p *Picture) pixels(ctx context.Context, level int, r image.Rectangle) (*image.RGBA, error) {
	return (&reading{p: p, ctx: ctx}).pixels(level, r)
}

// smallInner is below how many pixels it is not worth it to leave out what is painted.
const smallInner = 1 << 12

func (g *reading) pixels(level int, r image.Rectangle) (*image.RGBA, error) {
	p := g.p
	for _, c := range p.covers {
		if r.In(p.painted(c, level)) {
			img := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
			p.paint(img, img.Rect)
			return img, nil
		}
	}
	img, err := g.plain(level, r)
	if err != nil {
		return nil, err
	}
	for _, c := range p.covers {
		reach := p.reach(c, level).Intersect(r)
		if reach.Empty() {
			continue
		}
		inner := p.painted(c, level).Intersect(reach)
		edges := []image.Rectangle{reach}
		if level == 0 || inner.Dx()*inner.Dy() > smallInner {
			edges = around(reach, inner)
		}
		for _, edge := range edges {
			fine, err := g.pixels(level-1, p.pyramid.finer(edge, level, 1))
			if err != nil {
				return nil, err
			}
			halve(img, edge.Min.X-r.Min.X, edge.Min.Y-r.Min.Y, fine)
		}
		p.paint(img, inner.Sub(r.Min))
	}
	return img, nil
}

// painted is the part of a level that shows nothing but a cover's colour.
func (p *Picture) painted(cover image.Rectangle, level int) image.Rectangle {
	if level == 0 {
		return p.reach(cover, 0)
	}
	return p.pyramid.within(p.reach(cover, 0), level)
}

// around is outer without inner, which is inside it.
func around(outer, inner image.Rectangle) []image.Rectangle {
	if inner.Empty() {
		return []image.Rectangle{outer}
	}
	var out []image.Rectangle
	for _, r := range []image.Rectangle{
		image.Rect(outer.Min.X, outer.Min.Y, outer.Max.X, inner.Min.Y),
		image.Rect(outer.Min.X, inner.Max.Y, outer.Max.X, outer.Max.Y),
		image.Rect(outer.Min.X, inner.Min.Y, inner.Min.X, inner.Max.Y),
		image.Rect(inner.Max.X, inner.Min.Y, outer.Max.X, inner.Max.Y),
	} {
		if !r.Empty() {
			out = append(out, r)
		}
	}
	return out
}

func (p *Picture) paint(img *image.RGBA, r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Pix[img.PixOffset(r.Min.X, y):][:4*r.Dx()]
		for i := 0; i < len(row); i += 4 {
			row[i], row[i+1], row[i+2], row[i+3] = p.fill.R, p.fill.G, p.fill.B, 0xFF
		}
	}
}
