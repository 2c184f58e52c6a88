package tiles

import "image"

// eighth collects the picture at 1/8: a block's mean is its DC value times the quantiser, over 8.
type eighth struct {
	h      *header
	planes [3][]uint8
	quants [3]int32
}

func newEighth(h *header) *eighth {
	e := &eighth{h: h}
	for i, c := range h.comps {
		e.planes[i] = make([]uint8, h.cols*c.h*h.rows*c.v)
		e.quants[i] = int32(h.quants[c.quant][0])
	}
	return e
}

// take places the DC values of n MCUs that begin at col, row.
func (e *eighth) take(dcs *chunkDCs, col, row, n int) {
	at := 0
	for m := col; m < col+n; m++ {
		for i, c := range e.h.comps {
			stride := e.h.cols * c.h
			for v := range c.v {
				line := e.planes[i][(row*c.v+v)*stride+m*c.h:][:c.h]
				for j := range line {
					line[j] = uint8(min(max((int32(dcs[at])*e.quants[i]+4)>>3+128, 0), 255))
					at++
				}
			}
		}
	}
}

func (e *eighth) picture() *image.YCbCr {
	y := e.h.comps[0]
	img := &image.YCbCr{
		Rect: image.Rect(0, 0, ceilDiv(e.h.width, 8), ceilDiv(e.h.height, 8)),
		Y:    e.planes[0], YStride: e.h.cols * y.h,
		Cb: e.planes[1], Cr: e.planes[2], CStride: e.h.cols,
	}
	switch {
	case len(e.h.comps) == 1:
		img.SubsampleRatio = image.YCbCrSubsampleRatio420
		img.CStride = ceilDiv(img.Rect.Dx(), 2)
		neutral := make([]uint8, img.CStride*ceilDiv(img.Rect.Dy(), 2))
		for i := range neutral {
			neutral[i] = 128
		}
		img.Cb, img.Cr = neutral, neutral
	case y.h == 2 && y.v == 2:
		img.SubsampleRatio = image.YCbCrSubsampleRatio420
	case y.h == 2:
		img.SubsampleRatio = image.YCbCrSubsampleRatio422
	case y.v == 2:
		img.SubsampleRatio = image.YCbCrSubsampleRatio440
	default:
		img.SubsampleRatio = image.YCbCrSubsampleRatio444
	}
	return img
}
