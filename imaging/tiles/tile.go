package tiles

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"

	"flawmark/imaging/photo"
)

// Tile cuts a JPEG of w×h pixels at px, py out of the original file, not oriented. It holds the
// original's own coefficients: decoded, it equals the full picture, except that at 4:2:2 and 4:2:0
// the colours of the outermost pixels lack their neighbours ([Index.Region] is exact there too).
//
// px and py must be multiples of the MCU's sides, w and h too, unless the tile reaches the right or
// lower edge of the picture, where it is clipped; [Index.Align] makes such rectangles. A tile carries
// no metadata, thus no colour profile.
//
// Only the bytes of the tile are read from src, a row of MCUs at a time. src must be the file the
// index was made of: other bytes are [ErrMismatch], and a file that ends early is photo.ErrTruncated.
func (x *Index) Tile(src io.ReaderAt, px, py, w, h int) ([]byte, error) {
	fail := func(err error) ([]byte, error) {
		return nil, fmt.Errorf("cut tile %d,%d %d×%d of photo %.12s: %w", px, py, w, h, x.digest, err)
	}
	hd := &x.head
	if px < 0 || py < 0 || px >= hd.width || py >= hd.height || w < 1 || h < 1 {
		return fail(errors.New("outside of the picture"))
	}
	w, h = min(w, hd.width-px), min(h, hd.height-py)
	if r := image.Rect(px, py, px+w, py+h); x.Align(r) != r {
		return fail(fmt.Errorf("not on the grid of %d×%d", hd.mcuW, hd.mcuH))
	}
	c0, r0 := px/hd.mcuW, py/hd.mcuH
	c1, r1 := c0+ceilDiv(w, hd.mcuW), r0+ceilDiv(h, hd.mcuH)
	restart := 0
	if r1-r0 > 1 {
		restart = c1 - c0
	}
	cut := cutter{Index: x, src: src}
	cut.w.out = hd.append(make([]byte, 0, 1024+x.estimate(c0, c1, r0, r1)), w, h, restart)
	for row := r0; row < r1; row++ {
		if row > r0 {
			cut.w.out = append(cut.w.out, 0xFF, markRST0+byte((row-r0-1)&7))
		}
		if err := cut.row(row, c0, c1); err != nil {
			return fail(err)
		}
	}
	return append(cut.w.out, 0xFF, markEOI), nil
}

// estimate is about how many bytes the data of a tile take.
func (x *Index) estimate(c0, c1, r0, r1 int) int {
	total := 0
	for row := r0; row < r1; row++ {
		from, to := x.chunkBytes(x.chunksOf(row, c0, c1))
		total += int(to-from) + 4
	}
	whole := ceilDiv(c1, chunkMCUs)*chunkMCUs - c0/chunkMCUs*chunkMCUs
	return total / whole * (c1 - c0) * 9 / 8
}

// chunksOf are the chunks that hold the MCUs c0..c1-1 of a row.
func (x *Index) chunksOf(row, c0, c1 int) (first, end int) {
	first = row * x.head.chunks()
	return first + c0/chunkMCUs, first + ceilDiv(c1, chunkMCUs)
}

// cutter copies rows of MCUs out of a file.
type cutter struct {
	*Index
	src  io.ReaderAt
	w    bitWriter
	file []byte // bytes as they are in the file
	raw  []byte // the same, unstuffed
}

// row copies the MCUs c0..c1-1 of a row. They are coded as they were, but for the first of each
// component, whose DC is coded against 0; so is, where the original has a restart mark amid the row,
// the first after it against the last before.
func (c *cutter) row(row, c0, c1 int) error {
	first, end := c.chunksOf(row, c0, c1)
	if err := c.read(first, end); err != nil {
		return err
	}
	from, to := row*c.head.cols+c0, row*c.head.cols+c1
	m := row*c.head.cols + c0/chunkMCUs*chunkMCUs
	start := c.entries[first]
	file, at := c.file, start.pos&7
	base := start.pos &^ 7 // of file, in bits
	d := decoder{raw: true, pred: predictors(start)}
	var coded [3]int32 // the predictors of the tile
	for {
		stop := min(to, c.head.restartAfter(m))
		var used int
		c.raw, used = unstuff(c.raw[:0], file)
		d.data = c.raw
		d.seek(at)
		if skip := min(from, stop) - m; skip > 0 {
			if err := d.skip(c.layout, skip); err != nil {
				return changed(err)
			}
			m += skip
		}
		if m < stop {
			copied, err := c.firstMCU(&d, &coded)
			if err != nil {
				return changed(err)
			}
			m++
			if near, nearAt := c.nearest(row, m, stop); near != nil {
				bit, ok := rawBit(file, near.pos-base)
				if !ok {
					return ErrMismatch
				}
				d.seek(bit)
				d.pred = predictors(*near)
				m = nearAt
			}
			if err := d.skip(c.layout, stop-m); err != nil {
				return changed(err)
			}
			bit := d.bit()
			if bit < copied || bit > 8*uint64(len(c.raw)) {
				return ErrMismatch
			}
			c.w.copyBits(c.raw, copied, bit)
		}
		if m = stop; m == to {
			c.w.align()
			return nil
		}
		if stop > from {
			coded = d.pred
		}
		for used < len(file) && file[used] == 0xFF {
			used++
		}
		if used >= len(file) || file[used] < markRST0 || file[used] > markRST7 {
			return ErrMismatch
		}
		file, at, d.pred = file[used+1:], 0, [3]int32{}
		base += 8 * uint64(used+1)
	}
}

// nearest is the last entry of the index at or before MCU stop, with its MCU; nil when that is not in
// m..stop. No restart mark lies in between, but one may follow stop-1: then an entry at stop is behind
// the mark and does not tell where the data before it end. It spares walking over what lies before.
func (c *cutter) nearest(row, m, stop int) (*entry, int) {
	h := &c.head
	line := row * h.cols
	if stop == line+h.cols && !h.restartsAt(stop) {
		// Nothing but the row's end lies between it and the next row, or the end of the data.
		return &c.entries[(row+1)*h.chunks()], stop
	}
	at := line + (stop-line)/chunkMCUs*chunkMCUs
	if at == stop && h.restartsAt(at) {
		at -= chunkMCUs
	}
	if at < m {
		return nil, 0
	}
	return &c.entries[row*h.chunks()+(at-line)/chunkMCUs], at
}

// read fills c.file with the chunks first..end-1 and checks that they are those indexed.
func (c *cutter) read(first, end int) error {
	from, to := c.chunkBytes(first, end)
	if n := int(to - from); cap(c.file) < n {
		c.file = make([]byte, n+n/4)
	}
	c.file = c.file[:to-from]
	if n, err := c.src.ReadAt(c.file, int64(from)); n < len(c.file) {
		if err == nil || errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: at byte %d of %d", photo.ErrTruncated, from+uint64(n), c.size)
		}
		return fmt.Errorf("read at %d: %w", from, err)
	}
	for i := first; i < end; i++ {
		a, b := c.chunkBytes(i, i+1)
		if chunkSum(c.file[a-from:b-from]) != c.entries[i].sum {
			return fmt.Errorf("%w: at byte %d", ErrMismatch, a)
		}
	}
	return nil
}

// firstMCU copies the MCU at d, coding the first DC of each component against coded, and tells up to
// which bit it came.
func (c *cutter) firstMCU(d *decoder, coded *[3]int32) (uint64, error) {
	from := d.bit()
	var seen [3]bool
	one := layout{n: 1}
	var dcs chunkDCs
	for _, b := range c.layout.blocks[:c.layout.n] {
		start := d.bit()
		one.blocks[0] = b
		if err := d.walk(&one, 1, &dcs); err != nil {
			return 0, err
		}
		if seen[b.comp] {
			continue
		}
		seen[b.comp] = true
		c.w.copyBits(c.raw, from, start)
		from = start + c.dcLength(b.dc, start)
		if !b.dc.put(&c.w, d.pred[b.comp]-coded[b.comp]) {
			return 0, ErrMismatch
		}
	}
	return from, nil
}

// dcLength is how many bits the DC at a bit of c.raw takes, which has been walked over before.
func (c *cutter) dcLength(t *dcTable, bit uint64) uint64 {
	p := decoder{data: c.raw, raw: true}
	p.seek(bit)
	p.acc, p.n, p.p = p.load(p.acc, p.n, p.p)
	category, length := t.find(p.acc)
	return uint64(category + length)
}

// put codes a difference; false when it is out of range.
func (t *dcTable) put(w *bitWriter, diff int32) bool {
	category, low := uint(0), diff
	for v := max(diff, -diff); v > 0; v >>= 1 {
		category++
	}
	if category > maxCategory {
		return false
	}
	if diff < 0 {
		low--
	}
	code := t.codes[category]
	w.put(uint64(code.code), uint(code.length))
	w.put(uint64(low)&(1<<category-1), category)
	return true
}

// rawBit is where a bit of file is after unstuffing.
func rawBit(file []byte, bit uint64) (uint64, bool) {
	n := bit >> 3
	if n > uint64(len(file)) {
		return 0, false
	}
	return bit - 8*uint64(bytes.Count(file[:n], []byte{0xFF, 0})), true
}

func predictors(e entry) (p [3]int32) {
	for i, dc := range e.dc {
		p[i] = int32(dc)
	}
	return p
}

// changed says what a failing walk means here: the file was sound when it was indexed.
func changed(err error) error {
	return fmt.Errorf("%w: %s", ErrMismatch, err.Error())
}
