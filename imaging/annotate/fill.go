package annotate

import (
	"image"
	"image/color"
	"math"
)

// Upright boxes are most of what is drawn, and large ones are drawn on large
// photos. They are filled row by row: the edges by how much of each pixel they
// cover, and what lies between at the speed of memory.

// ink is a colour with its opacity, premultiplied, 0 to 1 of 255.
type ink struct {
	r, g, b, a float64
	whole      [4]byte
}

func inkOf(c color.NRGBA) ink {
	a := float64(c.A) / 255
	i := ink{r: float64(c.R) * a, g: float64(c.G) * a, b: float64(c.B) * a, a: a}
	i.whole = [4]byte{c.R, c.G, c.B, c.A}
	return i
}

// over lays the ink over pixels of which it covers a share.
func (i ink) over(pix []byte, share float64) {
	if share <= 0 {
		return
	}
	if share >= 1 && i.a == 1 {
		n := copy(pix, i.whole[:])
		for n < len(pix) {
			n += copy(pix[n:], pix[:n])
		}
		return
	}
	share = min(share, 1)
	const one = 1 << 16
	keep := uint32((1-i.a*share)*one + 0.5)
	r, g, b, a := uint32(i.r*share*one), uint32(i.g*share*one), uint32(i.b*share*one), uint32(255*i.a*share*one)
	const half = one / 2
	for k := 0; k+4 <= len(pix); k += 4 {
		p := pix[k : k+4 : k+4]
		p[0] = uint8((uint32(p[0])*keep + r + half) >> 16)
		p[1] = uint8((uint32(p[1])*keep + g + half) >> 16)
		p[2] = uint8((uint32(p[2])*keep + b + half) >> 16)
		p[3] = uint8((uint32(p[3])*keep + a + half) >> 16)
	}
}

// share returns how much of the pixel that begins at v lies between low and
// high.
func share(v, low, high float64) float64 {
	return max(min(v+1, high)-max(v, low), 0)
}

// fill covers a box with round corners but for a hole, which has square ones; a
// hole without area is none.
func fill(dst *image.RGBA, box bounds, round float64, hole bounds, colour color.NRGBA) {
	fillCut(dst, box, round, false, hole, colour)
}

// fillCut is fill with corners of that size that are cut straight or round.
func fillCut(dst *image.RGBA, box bounds, round float64, cut bool, hole bounds, colour color.NRGBA) {
	w, h := box.x1-box.x0, box.y1-box.y0
	if !(w > 0 && h > 0) {
		return
	}
	round = max(min(round, w/2, h/2), 0)
	limit := dst.Rect
	x0, x1 := floor(box.x0, limit.Min.X, limit.Max.X), floor(math.Ceil(box.x1), limit.Min.X, limit.Max.X)
	y0, y1 := floor(box.y0, limit.Min.Y, limit.Max.Y), floor(math.Ceil(box.y1), limit.Min.Y, limit.Max.Y)
	if x0 >= x1 || y0 >= y1 {
		return
	}
	hollow := hole.x1 > hole.x0 && hole.y1 > hole.y0
	paint := inkOf(colour)
	// Between these places all pixels of a row are alike.
	singly := func(from, to float64) [2]int { // where each pixel is looked at
		return [2]int{floor(from-0.01, x0, x1), floor(to+1, x0, x1)}
	}
	straight := [4][2]int{singly(box.x0, box.x0), singly(box.x1, box.x1)}
	if hollow {
		straight[2], straight[3] = singly(hole.x0, hole.x0), singly(hole.x1, hole.x1)
	}
	for y := y0; y < y1; y++ {
		v := float64(y)
		outer := share(v, box.y0, box.y1)
		inner := 0.0
		if hollow {
			inner = share(v, hole.y0, hole.y1)
		}
		far := max(box.y0+round-v-0.5, v+0.5-box.y1+round, 0)
		edges := straight
		if far > 0 { // only the arc itself is looked at
			most := math.Sqrt(max((round+0.6)*(round+0.6)-far*far, 0)) + 1
			least := math.Sqrt(max((round-0.6)*(round-0.6)-far*far, 0)) - 1
			if cut {
				most, least = round-far+2, round-far-2
			}
			edges[0] = singly(box.x0+round-most, box.x0+round-max(least, 0))
			edges[1] = singly(box.x1-round+max(least, 0), box.x1-round+most)
		}
		at := func(x int) float64 {
			u := float64(x)
			covered := outer * share(u, box.x0, box.x1)
			if off := max(box.x0+round-u-0.5, u+0.5-box.x1+round, 0); off > 0 && far > 0 {
				off, far := off, far
				if cut {
					off, far = (off+far-round)/math.Sqrt2+round, 0
				}
				covered = min(max(round-math.Hypot(off, far)+0.5, 0), 1)
			}
			if inner > 0 {
				covered -= inner * share(u, hole.x0, hole.x1)
			}
			return covered
		}
		row := dst.Pix[dst.PixOffset(x0, y):]
		for x := x0; x < x1; {
			next, single := x1, false
			for _, e := range &edges {
				switch {
				case x >= e[0] && x < e[1]:
					single = true
				case x < e[0]:
					next = min(next, e[0])
				}
			}
			if single {
				next = x + 1
			}
			paint.over(row[4*(x-x0):4*(next-x0)], at(x))
			x = next
		}
	}
}

// grown returns the box with its sides moved outwards.
func (b bounds) grown(by float64) bounds { return bounds{b.x0 - by, b.y0 - by, b.x1 + by, b.y1 + by} }

// box strokes a rectangle: its casing and then, whole or in dashes, its colour.
// Dashes are counted from the top left corner clockwise, also where that is far
// outside, so that they stay where they are when the photo is moved.
func (p painter) box(st style, area bounds) {
	width := p.strokeOf(st)
	light, dark := p.casing()
	if seen := pixelBounds(p.dst.Rect).grown(width + dark); area.x0 > seen.x1 || area.x1 < seen.x0 || area.y0 > seen.y1 || area.y1 < seen.y0 {
		return
	}
	passes := p.passes(st, width, light, dark)
	for i, pass := range passes {
		half := pass.width / 2
		if len(pass.dashes) > 0 {
			p.dashes(pass, area)
			continue
		}
		box, hole := area.grown(half), area.grown(-half)
		if i+1 == len(passes) || pass.colour.A == 0xff {
			fill(p.dst, box, half, hole, pass.colour)
			continue
		}
		// What the next pass hides need not be drawn.
		under := passes[i+1].width/2 - 1
		fill(p.dst, box, half, area.grown(under), pass.colour)
		fill(p.dst, area.grown(-under), 0, hole, pass.colour)
	}
}

// dashes draws the dashes of a rectangle that are seen.
func (p painter) dashes(pass pass, area bounds) {
	half := pass.width / 2
	on, period := pass.dashes[0], pass.dashes[0]+pass.dashes[1]
	seen := pixelBounds(p.dst.Rect).grown(half)
	w, h := area.x1-area.x0, area.y1-area.y0
	along := 0.0
	for side, length := range [...]float64{w, h, w, h} {
		// The part of the side, from its beginning, that is seen.
		from, to := 0.0, length
		switch side {
		case 0:
			from, to = max(from, seen.x0-area.x0), min(to, seen.x1-area.x0)
		case 1:
			from, to = max(from, seen.y0-area.y0), min(to, seen.y1-area.y0)
		case 2:
			from, to = max(from, area.x1-seen.x1), min(to, area.x1-seen.x0)
		default:
			from, to = max(from, area.y1-seen.y1), min(to, area.y1-seen.y0)
		}
		for k := math.Floor((along + from) / period); from < to && k*period < along+to; k++ {
			start, end := k*period-along, k*period+on-along
			if end <= 0 || start >= length {
				continue
			}
			// A dash around a corner fills that.
			if start < 0 {
				start = -half
			}
			if end > length {
				end = length + half
			}
			var b bounds
			switch side {
			case 0:
				b = bounds{area.x0 + start, area.y0 - half, area.x0 + end, area.y0 + half}
			case 1:
				b = bounds{area.x1 - half, area.y0 + start, area.x1 + half, area.y0 + end}
			case 2:
				b = bounds{area.x1 - end, area.y1 - half, area.x1 - start, area.y1 + half}
			default:
				b = bounds{area.x0 - half, area.y1 - end, area.x0 + half, area.y1 - start}
			}
			fill(p.dst, b, 0, bounds{}, pass.colour)
		}
		along += length
	}
}
