package tiles

import (
	"encoding/binary"
	"image"

	"flawmark/imaging/photo"
)

// TileSide is the width and height of tiles in pixels, except at the right and lower edges.
const TileSide = 512

// pyramid is the geometry of a picture's levels, oriented. A pixel x, y of level n stands for the
// square of 2ⁿ pixels from x·2ⁿ, y·2ⁿ on; sides are rounded up.
type pyramid struct{ w, h int }

// place names a tile.
type place struct{ level, col, row int }

// levels is how many there are: the last one fits into one tile.
func (p pyramid) levels() int {
	n := 1
	for side := max(p.w, p.h); side > TileSide; side = ceilDiv(side, 2) {
		n++
	}
	return n
}

func (p pyramid) size(level int) (w, h int) {
	return (p.w + 1<<level - 1) >> level, (p.h + 1<<level - 1) >> level
}

func (p pyramid) bounds(level int) image.Rectangle {
	w, h := p.size(level)
	return image.Rect(0, 0, w, h)
}

func (p pyramid) grid(level int) (cols, rows int) {
	w, h := p.size(level)
	return ceilDiv(w, TileSide), ceilDiv(h, TileSide)
}

// tile is where a tile lies in its level; empty when there is none.
func (p pyramid) tile(at place) image.Rectangle {
	if at.level < 0 || at.level >= p.levels() || at.col < 0 || at.row < 0 {
		return image.Rectangle{}
	}
	cols, rows := p.grid(at.level)
	if at.col >= cols || at.row >= rows {
		return image.Rectangle{}
	}
	x, y := at.col*TileSide, at.row*TileSide
	return image.Rect(x, y, x+TileSide, y+TileSide).Intersect(p.bounds(at.level))
}

// finer is what the part r of a level covers on the level steps below.
func (p pyramid) finer(r image.Rectangle, level, steps int) image.Rectangle {
	r = image.Rect(r.Min.X<<steps, r.Min.Y<<steps, r.Max.X<<steps, r.Max.Y<<steps)
	return r.Intersect(p.bounds(level - steps))
}

// coarser is the least part of level that covers the part r of level 0.
func coarser(r image.Rectangle, level int) image.Rectangle {
	up := 1<<level - 1
	return image.Rect(r.Min.X>>level, r.Min.Y>>level, (r.Max.X+up)>>level, (r.Max.Y+up)>>level)
}

// within is the largest part of level that the part r of level 0 covers wholly; at the picture's
// right and lower edges a pixel stands for fewer. It may be empty.
func (p pyramid) within(r image.Rectangle, level int) image.Rectangle {
	up := 1<<level - 1
	in := image.Rectangle{
		Min: image.Pt((r.Min.X+up)>>level, (r.Min.Y+up)>>level),
		Max: image.Pt(r.Max.X>>level, r.Max.Y>>level),
	}
	w, h := p.size(level)
	if r.Max.X >= p.w {
		in.Max.X = w
	}
	if r.Max.Y >= p.h {
		in.Max.Y = h
	}
	if in.Empty() {
		return image.Rectangle{}
	}
	return in
}

// turn is an EXIF orientation, 1..8.
type turn int

// swaps tells whether what is stored as a row is seen as a column.
func (t turn) swaps() bool { return t >= 5 }

// flips tells which axes of the stored picture run against those of the oriented one.
func (t turn) flips() (x, y bool) {
	switch t {
	case 2, 8:
		return true, false
	case 3, 7:
		return true, true
	case 4, 6:
		return false, true
	}
	return false, false
}

// size is the oriented size of a stored one, and the stored size of an oriented one.
func (t turn) size(w, h int) (int, int) {
	if t.swaps() {
		return h, w
	}
	return w, h
}

// stored is where the part r of the oriented picture of w×h pixels is in the stored one.
func (t turn) stored(r image.Rectangle, w, h int) image.Rectangle {
	if t.swaps() {
		r = transposedRect(r)
		w, h = h, w
	}
	return t.flipped(r, w, h)
}

// oriented is where the part r of the stored picture is in the oriented one of w×h pixels.
func (t turn) oriented(r image.Rectangle, w, h int) image.Rectangle {
	w, h = t.size(w, h)
	r = t.flipped(r, w, h)
	if t.swaps() {
		return transposedRect(r)
	}
	return r
}

func (t turn) flipped(r image.Rectangle, w, h int) image.Rectangle {
	x, y := t.flips()
	if x {
		r.Min.X, r.Max.X = w-r.Max.X, w-r.Min.X
	}
	if y {
		r.Min.Y, r.Max.Y = h-r.Max.Y, h-r.Min.Y
	}
	return r
}

func transposedRect(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.Y, r.Min.X, r.Max.Y, r.Max.X)
}

// turned orients a packed picture. Where the axes swap it takes spare memory for the result, which it
// gives back as the memory of img otherwise; spare must be as large.
func (t turn) turned(img *image.RGBA, spare []byte) (out *image.RGBA, left []byte) {
	if !t.swaps() {
		return photo.Orient(img, int(t)), spare
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out = packed(spare, h, w)
	flipX, flipY := t.flips()
	const block = 16
	for y0 := 0; y0 < h; y0 += block {
		for x0 := 0; x0 < w; x0 += block {
			for y := y0; y < min(y0+block, h); y++ {
				dx := y
				if flipY {
					dx = h - 1 - y
				}
				row := img.Pix[y*img.Stride:][:4*w]
				for x := x0; x < min(x0+block, w); x++ {
					dy := x
					if flipX {
						dy = w - 1 - x
					}
					binary.LittleEndian.PutUint32(out.Pix[dy*out.Stride+4*dx:], binary.LittleEndian.Uint32(row[4*x:]))
				}
			}
		}
	}
	return out, img.Pix[:cap(img.Pix)]
}

// packed is a picture of w×h pixels in the memory of buf.
func packed(buf []byte, w, h int) *image.RGBA {
	return &image.RGBA{Pix: buf[:4*w*h], Stride: 4 * w, Rect: image.Rect(0, 0, w, h)}
}

// halve averages 2×2 pixels of src into dst from x, y on; an odd last row or column is averaged with
// itself. Two pixels are summed at a time: their channels have 16 bits each in a word.
func halve(dst *image.RGBA, x, y int, src *image.RGBA) {
	const lanes = 0x00FF00FF00FF00FF
	le := binary.LittleEndian
	w, h := src.Rect.Dx(), src.Rect.Dy()
	pairs := w / 2
	for i := range ceilDiv(h, 2) {
		a := src.Pix[2*i*src.Stride:][:4*w]
		b := src.Pix[min(2*i+1, h-1)*src.Stride:][:4*w]
		d := dst.Pix[(y+i)*dst.Stride+4*x:][:4*ceilDiv(w, 2)]
		j := 0
		for ; j+2 <= pairs; j += 2 {
			p, q, o := a[8*j:][:16:16], b[8*j:][:16:16], d[4*j:][:8:8]
			p0, p1, q0, q1 := le.Uint64(p), le.Uint64(p[8:]), le.Uint64(q), le.Uint64(q[8:])
			even0, odd0 := p0&lanes+q0&lanes, p0>>8&lanes+q0>>8&lanes
			even1, odd1 := p1&lanes+q1&lanes, p1>>8&lanes+q1>>8&lanes
			even := even0&0xFFFFFFFF + even0>>32 | (even1&0xFFFFFFFF+even1>>32)<<32
			odd := odd0&0xFFFFFFFF + odd0>>32 | (odd1&0xFFFFFFFF+odd1>>32)<<32
			const half = 0x0002000200020002
			le.PutUint64(o, (even+half)>>2&lanes|(odd+half)>>2&lanes<<8)
		}
		for ; j < ceilDiv(w, 2); j++ {
			l, r := 8*j, min(8*j+4, 4*(w-1))
			for c := range 4 {
				d[4*j+c] = byte((uint(a[l+c]) + uint(a[r+c]) + uint(b[l+c]) + uint(b[r+c]) + 2) / 4)
			}
		}
	}
}

// halved is halve into a picture of its own.
func halved(src *image.RGBA) *image.RGBA {
	dst := image.NewRGBA(image.Rect(0, 0, ceilDiv(src.Rect.Dx(), 2), ceilDiv(src.Rect.Dy(), 2)))
	halve(dst, 0, 0, src)
	return dst
}

// paste copies the packed picture src into dst at x, y.
func paste(dst *image.RGBA, x, y int, src *image.RGBA) {
	n := 4 * src.Rect.Dx()
	for i := range src.Rect.Dy() {
		copy(dst.Pix[(y+i)*dst.Stride+4*x:][:n], src.Pix[i*src.Stride:])
	}
}

// cropped is the part r of a picture that begins at 0,0, packed.
func cropped(src *image.RGBA, r image.Rectangle) *image.RGBA {
	if r == src.Rect && src.Stride == 4*r.Dx() {
		return src
	}
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	for y := range r.Dy() {
		copy(out.Pix[y*out.Stride:][:out.Stride], src.Pix[src.PixOffset(r.Min.X, r.Min.Y+y):])
	}
	return out
}
