package tiles

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"

	"flawmark/imaging/photo"
)

// piece is a part of the picture while it is painted on.
type piece struct {
	*patcher
	mcus   image.Rectangle // its place, in MCUs
	area   image.Rectangle // in pixels, clipped to the picture
	old    []uint32        // the tokens of its blocks, MCU by MCU
	at     []int           // by MCU: where in old, in coding order
	planes [3][]uint8      // its samples, whole blocks
	stride [3]int
	img    *image.RGBA
	before []uint8 // its pixels before Paint
}

// load makes the pixels of the MCUs of r.
func (q *piece) load(r image.Rectangle) error {
	h := &q.head
	q.mcus = r
	q.area = image.Rect(r.Min.X*h.mcuW, r.Min.Y*h.mcuH, r.Max.X*h.mcuW, r.Max.Y*h.mcuH).Intersect(q.bounds())
	for i, c := range h.comps {
		q.stride[i] = r.Dx() * c.h * 8
		n := q.stride[i] * r.Dy() * c.v * 8
		if cap(q.planes[i]) < n {
			q.planes[i] = make([]uint8, n)
		}
		q.planes[i] = q.planes[i][:n]
	}
	q.old, q.at = q.old[:0], q.at[:0]
	for row := r.Min.Y; row < r.Max.Y; row++ {
		if err := q.readRow(row); err != nil {
			return err
		}
	}
	q.decode()
	q.img = q.picture()
	q.before = append(q.before[:0], q.img.Pix...)
	return nil
}

// draw lets Paint draw on the part and stores the blocks that have changed.
func (q *piece) draw() error {
	if q.what.Paint != nil {
		given := *q.img
		if err := q.what.Paint(&given); err != nil {
			return err
		}
	}
	for y := q.mcus.Min.Y; y < q.mcus.Max.Y; y++ {
		for x := q.mcus.Min.X; x < q.mcus.Max.X; x++ {
			if q.touched[y*q.head.cols+x] {
				q.take(x, y, q.img, q.before)
			}
		}
	}
	return nil
}

// readRow reads the blocks of the part in a row of MCUs.
func (q *piece) readRow(row int) error {
	h := &q.head
	first, end := q.chunksOf(row, q.mcus.Min.X, q.mcus.Max.X)
	if err := q.read(first, end); err != nil {
		return err
	}
	if n := len(q.file); n > 0 && q.file[n-1] == 0xFF {
		q.file = append(q.file, 0) // its stuffing, which belongs to the next chunk
	}
	d := decoder{data: q.file, pred: predictors(q.entries[first])}
	d.seek(q.entries[first].pos & 7)
	start := row*h.cols + q.mcus.Min.X/chunkMCUs*chunkMCUs
	from, to := row*h.cols+q.mcus.Min.X, row*h.cols+q.mcus.Max.X
	for m := start; m < to; {
		if m > start && h.restartsAt(m) {
			if err := d.restart(m/h.restart - 1); err != nil {
				return changed(err)
			}
		}
		if m < from {
			n := min(from, h.restartAfter(m)) - m
			if err := d.skip(q.layout, n); err != nil {
				return changed(err)
			}
			m += n
			continue
		}
		q.at = append(q.at, len(q.old))
		for b := range h.blocks {
			blk := &q.layout.blocks[b]
			var err error
			if q.old, err = d.readBlock(q.old, blk, q.syms[blk.comp]); err != nil {
				return changed(err)
			}
		}
		m++
	}
	return nil
}

// eachBlock calls f for the blocks of an MCU of the part in coding order: with the plane, the offset
// of the block's first sample in it, and the block's place in the MCU, in blocks.
func (q *piece) eachBlock(x, y int, f func(comp, offset, bx, by int)) {
	for i, c := range q.head.comps {
		for b := range c.h * c.v {
			bx, by := b%c.h, b/c.h
			f(i, ((y-q.mcus.Min.Y)*c.v+by)*8*q.stride[i]+((x-q.mcus.Min.X)*c.h+bx)*8, bx, by)
		}
	}
}

// decode makes the samples; hidden ones are grey, so that what they were is not even mixed into the
// colours beside them. MCUs that are not touched need but their colours, for those of their neighbours.
func (q *piece) decode() {
	var coefficients [64]int32
	for i, at := range q.at {
		x, y := q.mcus.Min.X+i%q.mcus.Dx(), q.mcus.Min.Y+i/q.mcus.Dx()
		tokens, hidden := q.old[at:], q.hidden[y*q.head.cols+x]
		touched := q.touched[y*q.head.cols+x]
		q.eachBlock(x, y, func(comp, offset, _, _ int) {
			block := tokens
			tokens = tokens[1+tokens[0]>>16:]
			if !touched && comp == 0 {
				return
			}
			coefficients = [64]int32{}
			if !hidden {
				spread(block, &coefficients)
			}
			q.scales[comp].inverse(&coefficients, q.planes[comp][offset:], q.stride[comp])
		})
	}
}

// picture makes the pixels of the part.
func (q *piece) picture() *image.RGBA {
	w, ht := q.area.Dx(), q.area.Dy()
	var img *image.RGBA
	if q.Grey() {
		img = image.NewRGBA(image.Rect(0, 0, w, ht))
		for y := range ht {
			for x, v := range q.planes[0][y*q.stride[0]:][:w] {
				copy(img.Pix[y*img.Stride+4*x:][:4], []uint8{v, v, v, 255})
			}
		}
	} else {
		ratio := image.YCbCrSubsampleRatio444
		switch c := q.head.comps[0]; {
		case c.h == 2 && c.v == 2:
			ratio = image.YCbCrSubsampleRatio420
		case c.h == 2:
			ratio = image.YCbCrSubsampleRatio422
		case c.v == 2:
			ratio = image.YCbCrSubsampleRatio440
		}
		img = photo.RGBA(&image.YCbCr{
			Rect: image.Rect(0, 0, w, ht), SubsampleRatio: ratio,
			Y: q.planes[0], YStride: q.stride[0], Cb: q.planes[1], Cr: q.planes[2], CStride: q.stride[1],
		})
	}
	img.Rect = q.area
	return img
}

// take stores the new blocks of an MCU, unless it is as before.
func (q *piece) take(x, y int, img *image.RGBA, before []uint8) {
	h := &q.head
	r := image.Rect(x*h.mcuW, y*h.mcuH, (x+1)*h.mcuW, (y+1)*h.mcuH).Intersect(q.area)
	m := y*h.cols + x
	hidden := q.hidden[m]
	if !hidden && !differs(img, before, r) {
		return
	}
	q.samples(x, y, r, img, before, hidden)
	q.place[m] = uint32(len(q.store)) + 1
	q.replaced++
	tokens := q.old[q.at[(y-q.mcus.Min.Y)*q.mcus.Dx()+x-q.mcus.Min.X]:]
	var coefficients [64]int32
	q.eachBlock(x, y, func(comp, offset, bx, by int) {
		n := 1 + tokens[0]>>16
		slot := q.head.comps[comp].acAt
		lum := image.Rect(r.Min.X+8*bx, r.Min.Y+8*by, r.Min.X+8*bx+8, r.Min.Y+8*by+8).Intersect(q.area)
		if comp > 0 || hidden || differs(img, before, lum) {
			q.scales[comp].forward(q.planes[comp][offset:], q.stride[comp], &coefficients)
			q.store = gather(q.store, &coefficients, &q.used[slot])
		} else {
			q.store = append(q.store, tokens[:n]...)
			q.used[slot][0] = true
		}
		tokens = tokens[n:]
	})
}

func differs(img *image.RGBA, before []uint8, r image.Rectangle) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		at := img.PixOffset(r.Min.X, y)
		if !bytes.Equal(img.Pix[at:][:4*r.Dx()], before[at:][:4*r.Dx()]) {
			return true
		}
	}
	return false
}

// samples brings what was painted in an MCU into the planes. Samples whose pixels are as before stay;
// what lies beyond the picture's edge repeats the last ones within, so that nothing of the old picture
// is left there.
func (q *piece) samples(x, y int, r image.Rectangle, img *image.RGBA, before []uint8, hidden bool) {
	h := &q.head
	w, ht := r.Dx(), r.Dy()
	perX, perY := h.mcuW/8, h.mcuH/8 // pixels a colour sample
	var sum [2][64]int               // of the pixels painted on
	var count [64]int                // of those
	luma := q.planes[0][(y-q.mcus.Min.Y)*h.mcuH*q.stride[0]+(x-q.mcus.Min.X)*h.mcuW:]
	for py := range ht {
		at := img.PixOffset(r.Min.X, r.Min.Y+py)
		now, was := img.Pix[at:][:4*w], before[at:][:4*w]
		for px := range w {
			c := now[4*px:][:4:4]
			if hidden || binary.LittleEndian.Uint32(c) != binary.LittleEndian.Uint32(was[4*px:]) {
				i := py/perY*8 + px/perX
				var cb, cr uint8
				luma[py*q.stride[0]+px], cb, cr = color.RGBToYCbCr(c[0], c[1], c[2])
				sum[0][i] += int(cb)
				sum[1][i] += int(cr)
				count[i]++
			}
		}
	}
	repeat(luma, q.stride[0], w, ht, h.mcuW, h.mcuH)
	if q.Grey() {
		return
	}
	for i := range sum {
		plane := q.planes[1+i][(y-q.mcus.Min.Y)*8*q.stride[1+i]+(x-q.mcus.Min.X)*8:]
		for j, n := range count {
			if n > 0 {
				v := &plane[j/8*q.stride[1+i]+j%8]
				all := min(perX, w-j%8*perX) * min(perY, ht-j/8*perY)
				*v = uint8((sum[i][j] + (all-n)*int(*v) + all/2) / all)
			}
		}
		repeat(plane, q.stride[1+i], ceilDiv(w, perX), ceilDiv(ht, perY), 8, 8)
	}
}

// repeat fills what of the first toW×toH samples lies beyond w×h.
func repeat(plane []uint8, stride, w, h, toW, toH int) {
	for y := range h {
		row := plane[y*stride:][:toW]
		for x := w; x < toW; x++ {
			row[x] = row[w-1]
		}
	}
	for y := h; y < toH; y++ {
		copy(plane[y*stride:][:toW], plane[(h-1)*stride:][:toW])
	}
}
