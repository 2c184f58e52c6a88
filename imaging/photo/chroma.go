package photo

import (
	"image"
	"math"
)

// chroma reads one colour plane of a picture with fewer colour samples than pixels, smoothly: each
// pixel takes three parts of its nearest sample and one of the next nearest, an axis at a time.
// That is what libjpeg does; repeating samples instead shows as steps on coloured edges.
type chroma struct {
	plane          []uint8
	stride         int
	w, h           int // samples
	halfX, halfY   bool
	shiftX, shiftY int // otherwise: log2 of pixels a sample
	sums           []int
}

// fillRow puts the values of pixel row y into out.
func (c *chroma) fillRow(out []uint8, y int) {
	if !c.halfX && !c.halfY {
		row := c.plane[(y>>c.shiftY)*c.stride:][:c.w]
		for x := range out {
			out[x] = row[x>>c.shiftX]
		}
		return
	}
	near := y >> c.shiftY
	scale, far := 1, near
	if c.halfY {
		scale, near = 4, y/2
		far = min(max(near+2*(y%2)-1, 0), c.h-1)
	}
	a, b := c.plane[near*c.stride:][:c.w], c.plane[far*c.stride:][:c.w]
	sums := c.sums[:c.w]
	for x := range sums {
		if c.halfY {
			sums[x] = 3*int(a[x]) + int(b[x])
		} else {
			sums[x] = int(a[x])
		}
	}
	if !c.halfX {
		bias := 1 + y%2 // alternating, so that rounding does not shift the colour
		for x := range out {
			out[x] = uint8((sums[x>>c.shiftX] + bias) / 4)
		}
		return
	}
	low, high, shift := 2*scale, 2*scale-1, 4
	if scale == 1 {
		low, high, shift = 1, 2, 2
	}
	// A pixel's nearest sample, and the one to the left of the pair or to its right.
	for i, sum := range sums {
		left, right := sums[max(i-1, 0)], sums[min(i+1, len(sums)-1)]
		if 2*i+1 >= len(out) {
			out[2*i] = uint8((3*sum + left + low) >> shift)
			return
		}
		pair := out[2*i:][:2:2]
		pair[0], pair[1] = uint8((3*sum+left+low)>>shift), uint8((3*sum+right+high)>>shift)
	}
}

// fromYCbCr makes an RGBA picture of a decoder's YCbCr one, by JPEG's rule (BT.601, full range).
func fromYCbCr(src *image.YCbCr) *image.RGBA { return convertYCbCr(src, jpegRow) }

// jpegRow is color.YCbCrToRGB for a row; a call for each pixel takes longer than the arithmetic.
func jpegRow(row, luma, cb, cr []uint8) {
	row, cb, cr = row[:4*len(luma)], cb[:len(luma)], cr[:len(luma)]
	for x, v := range luma {
		y := int32(v) * 0x10101
		u, w := int32(cb[x])-128, int32(cr[x])-128
		r, g, b := y+91881*w, y-22554*u-46802*w, y+116130*u
		// In range unless one of the bits above the byte is set.
		if uint32(r|g|b)&0xff000000 != 0 {
			r, g, b = min(max(r, 0), 0xffffff), min(max(g, 0), 0xffffff), min(max(b, 0), 0xffffff)
		}
		p := row[4*x:][:4:4]
		p[0], p[1], p[2], p[3] = uint8(r>>16), uint8(g>>16), uint8(b>>16), 255
	}
}

// fromYCbCrCoded does so by the rule that the file names; JPEG's when it names none.
func fromYCbCrCoded(src *image.YCbCr, coded *codedColour) *image.RGBA {
	if coded == nil {
		return fromYCbCr(src)
	}
	kr, kb := 0.299, 0.114
	switch coded.matrix {
	case 1:
		kr, kb = 0.2126, 0.0722
	case 9:
		kr, kb = 0.2627, 0.0593
	default:
		if coded.fullRange {
			return fromYCbCr(src)
		}
	}
	lumaScale, chromaScale, black := 1.0, 1.0, 0.0
	if !coded.fullRange {
		lumaScale, chromaScale, black = 255.0/219, 255.0/224, 16
	}
	const one = 1 << 16
	fix := func(v float64) int32 { return int32(math.Round(v * one)) }
	y1, floor := fix(lumaScale), int32(black)
	rCr, bCb := fix(2*(1-kr)*chromaScale), fix(2*(1-kb)*chromaScale)
	gCb, gCr := fix(2*kb*(1-kb)/(1-kr-kb)*chromaScale), fix(2*kr*(1-kr)/(1-kr-kb)*chromaScale)
	byteOf := func(v int32) uint8 { return uint8(min(max(v>>16, 0), 255)) }
	return convertYCbCr(src, func(row, luma, cb, cr []uint8) {
		for x, y := range luma {
			l := (int32(y)-floor)*y1 + one/2
			u, v := int32(cb[x])-128, int32(cr[x])-128
			p := row[4*x:][:4:4]
			p[0], p[1], p[2], p[3] = byteOf(l+rCr*v), byteOf(l-gCb*u-gCr*v), byteOf(l+bCb*u), 255
		}
	})
}

// convertYCbCr has toRGB make each row of RGBA pixels from as many values of each plane.
func convertYCbCr(src *image.YCbCr, toRGB func(row, luma, cb, cr []uint8)) *image.RGBA {
	b := src.Rect
	w, h := b.Dx(), b.Dy()
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	shiftX, shiftY := sampling(src.SubsampleRatio)
	at := src.COffset(b.Min.X, b.Min.Y)
	planes := [2]chroma{}
	for i, plane := range [][]uint8{src.Cb, src.Cr} {
		cw, ch := ceilDiv(w, 1<<shiftX), ceilDiv(h, 1<<shiftY)
		planes[i] = chroma{
			plane: plane[at:], stride: src.CStride, w: cw, h: ch, shiftX: shiftX, shiftY: shiftY,
			halfX: shiftX == 1 && shiftY <= 1 && cw > 2, halfY: shiftY == 1 && (shiftX == 0 || shiftX == 1 && cw > 2),
			sums: make([]int, cw),
		}
	}
	cb, cr := make([]uint8, w), make([]uint8, w)
	for y := range h {
		planes[0].fillRow(cb, y)
		planes[1].fillRow(cr, y)
		luma := src.Y[src.YOffset(b.Min.X, b.Min.Y+y):][:w]
		toRGB(dst.Pix[y*dst.Stride:][:4*w], luma, cb, cr)
	}
	return dst
}

// sampling is log2 of the pixels a colour sample covers, across and down.
func sampling(r image.YCbCrSubsampleRatio) (x, y int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 1, 0
	case image.YCbCrSubsampleRatio420:
		return 1, 1
	case image.YCbCrSubsampleRatio440:
		return 0, 1
	case image.YCbCrSubsampleRatio411:
		return 2, 0
	case image.YCbCrSubsampleRatio410:
		return 2, 1
	}
	return 0, 0
}
