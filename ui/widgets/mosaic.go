package widgets

import (
	"encoding/binary"
	"image"
	"math"
)

// mosaic is a part of one level of a photo, put together from what there is:
// the level's own tiles, and where one is missing the best coarser pixels. It
// is not changed once it is made, so that any goroutine may read it.
type mosaic struct {
	level   int
	w, h    int             // of the level
	cells   image.Rectangle // columns and rows of the tiles it holds
	pieces  []piece         // line by line
	missing bool            // some are stand-ins
	grown   int             // how many tiles had come by then
}

// piece is a picture with its place: the level's place x is the picture's
// x·rx − ox, in pixel edges.
type piece struct {
	img            *image.RGBA // nil: nothing is known
	rx, ry, ox, oy float64
	exact          bool // the level's own tile
}

// line fills out with the pixels [from, to) of a line of the level.
func (m *mosaic) line(y, from, to int, out []byte) []byte {
	row := clampInt(y/TileSide-m.cells.Min.Y, m.cells.Dy())
	for x := from; x < to; {
		col := clampInt(x/TileSide-m.cells.Min.X, m.cells.Dx())
		end := min(to, (m.cells.Min.X+col+1)*TileSide)
		if end <= x { // beyond the mosaic: nobody asks for it
			end = to
		}
		m.pieces[row*m.cells.Dx()+col].fill(out[4*(x-from):4*(end-from)], x, y)
		x = end
	}
	return out
}

func (p piece) fill(out []byte, x, y int) {
	if p.img == nil {
		for i := range out {
			out[i] = neutral.R
		}
		for i := 3; i < len(out); i += 4 {
			out[i] = 0xff
		}
		return
	}
	w, h := p.img.Rect.Dx(), p.img.Rect.Dy()
	if p.exact {
		sx, sy := clampInt(x-int(p.ox), w), clampInt(y-int(p.oy), h)
		copy(out, p.img.Pix[sy*p.img.Stride+4*sx:][:4*min(w-sx, len(out)/4)])
		return
	}
	// Between the four nearest pixels, in 256ths.
	sy := (float64(y)+0.5)*p.ry - p.oy - 0.5
	top := math.Floor(sy)
	down := uint64((sy - top) * 256)
	upper := p.img.Pix[clampInt(int(top), h)*p.img.Stride:]
	lower := p.img.Pix[clampInt(int(top)+1, h)*p.img.Stride:]
	const one = 1 << 16
	sx := int(((float64(x)+0.5)*p.rx - p.ox - 0.5) * one)
	step := int(p.rx * one)
	pixel := func(line []byte, i int) uint64 { return spread(binary.LittleEndian.Uint32(line[4*i:])) }
	for i := 0; i+3 < len(out); i += 4 {
		left, right := clampInt(sx>>16, w), clampInt(sx>>16+1, w)
		across := uint64(sx >> 8 & 0xff)
		a := (pixel(upper, left)*(256-down) + pixel(lower, left)*down) >> 8 & lanes
		b := (pixel(upper, right)*(256-down) + pixel(lower, right)*down) >> 8 & lanes
		binary.LittleEndian.PutUint32(out[i:], gather((a*(256-across)+b*across)>>8&lanes))
		sx += step
	}
}
