package tiles

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"flawmark/imaging/photo"
)

// maxBlocks is the most blocks an MCU has here (4:2:0).
const maxBlocks = 6

// layout is what the decoder needs to know of an MCU: its blocks in order.
type layout struct {
	blocks [maxBlocks]block
	n      int
}

// dcCeiling bounds DC values to [-dcCeiling, dcCeiling). Those of 8-bit pixels are; larger ones could
// not be coded against those of any other block, as a tile may have to.
const dcCeiling = 1024

type block struct {
	comp uint8
	dc   *dcTable
	ac   *acTable
}

// chunkDCs holds the DC values of a chunk's blocks in coding order.
type chunkDCs [chunkMCUs * maxBlocks]int16

// decoder walks the entropy-coded bits of a scan. It reads no coefficient but the DC ones.
//
// Beyond a mark or the end of the data it sees zero bits and counts them; the walk has failed if any
// of those was used.
type decoder struct {
	data    []byte
	raw     bool // data without stuffing and marks
	p       int  // the next byte of data to load
	acc     uint64
	n       uint // bits in acc, from the top
	virtual uint // bits loaded that are not in data
	pred    [3]int32
}

// seek puts the decoder at a bit of its data.
func (d *decoder) seek(bit uint64) {
	d.p, d.acc, d.n, d.virtual = int(bit>>3), 0, 0, 0
	if r := uint(bit & 7); r > 0 {
		d.acc, d.n, d.p = d.load(0, 0, d.p)
		d.acc <<= r
		d.n -= r
	}
}

// load fills the accumulator byte by byte.
func (d *decoder) load(acc uint64, n uint, p int) (uint64, uint, int) {
	for n <= 56 {
		switch {
		case p >= len(d.data):
			d.virtual += 8
		case d.raw || d.data[p] != 0xFF:
			acc |= uint64(d.data[p]) << (56 - n)
			p++
		case p+1 < len(d.data) && d.data[p+1] == 0:
			acc |= 0xFF << (56 - n)
			p += 2
		default: // a mark
			d.virtual += 8
		}
		n += 8
	}
	return acc, n, p
}

// hasFF tells whether a byte of w is 0xFF.
func hasFF(w uint64) bool {
	return (^w-0x0101010101010101)&w&0x8080808080808080 != 0
}

// walk goes over the blocks of up to 16 MCUs, following the DC predictors and leaving the DC values
// in dcs.
func (d *decoder) walk(l *layout, mcus int, dcs *chunkDCs) error {
	data, acc, n, p := d.data, d.acc, d.n, d.p
	var high uint32
	at := 0
	blocks := l.blocks[:l.n]
	for range mcus {
		for b := range blocks {
			blk := &blocks[b]
			if n < 32 {
				if p+8 <= len(data) {
					if w := binary.BigEndian.Uint64(data[p:]); !hasFF(w) {
						// Bits below n are the true next ones; they will be OR-ed over themselves.
						acc |= w >> n
						p += int((63 - n) >> 3)
						n |= 56
						goto filled
					}
				}
				acc, n, p = d.load(acc, n, p)
			}
		filled:
			category, length := blk.dc.find(acc)
			if length == 0 {
				return d.fail("no such DC code")
			}
			acc <<= length & 63
			diff := int32(acc >> (64 - category))
			if int64(acc) >= 0 {
				diff -= 1<<category - 1
			}
			acc <<= category & 63
			n -= length + category
			dc := d.pred[blk.comp] + diff
			d.pred[blk.comp] = dc
			high |= uint32(dc + dcCeiling)
			if at < len(dcs) {
				dcs[at] = int16(dc)
			}
			at++

			table := blk.ac
			for k := uint(1); k < 64; {
				if n < 32 {
					if p+8 <= len(data) {
						if w := binary.BigEndian.Uint64(data[p:]); !hasFF(w) {
							acc |= w >> n
							p += int((63 - n) >> 3)
							n |= 56
							goto full
						}
					}
					acc, n, p = d.load(acc, n, p)
				}
			full:
				e := table.look[acc>>(64-acBits)]
				if next := k + uint(e>>acStep&127); next <= 64 && e != 0 {
					acc <<= e & 63
					n -= uint(e & 63)
					k = next | uint(e>>(acEnd-6)&64)
					continue
				}
				e >>= acSingle
				bits, step, end := uint(e&63), uint(e>>acStep&127), e>>acEnd&1 == 1
				if e == 0 {
					bits, step, end = table.findLong(acc)
				}
				if k += step; bits == 0 || k > 64 {
					return d.fail("no such AC code")
				}
				acc <<= bits & 63
				n -= bits
				if end {
					break
				}
			}
		}
		if n < d.virtual {
			return d.fail("")
		}
	}
	d.acc, d.n, d.p = acc, n, p
	if high&^(2*dcCeiling-1) != 0 {
		return fmt.Errorf("%w: DC values out of range", ErrNotIndexable)
	}
	return nil
}

// fail says why a walk ended: the data ran out, or they make no sense.
func (d *decoder) fail(why string) error {
	if d.virtual > 0 {
		return fmt.Errorf("%w: its data end early", photo.ErrTruncated)
	}
	return fmt.Errorf("%w: %s", photo.ErrUnreadable, why)
}

// skip walks over any number of MCUs.
func (d *decoder) skip(l *layout, mcus int) error {
	var dcs chunkDCs
	for mcus > 0 {
		n := min(mcus, chunkMCUs)
		if err := d.walk(l, n, &dcs); err != nil {
			return err
		}
		mcus -= n
	}
	return nil
}

// bit is the position of the next bit in the data. It never points at a stuffed zero.
func (d *decoder) bit() uint64 {
	left := d.n - min(d.n, d.virtual)
	q := d.p
	for range (left + 7) / 8 {
		q--
		if !d.raw && q > 0 && d.data[q] == 0 && d.data[q-1] == 0xFF {
			q--
		}
	}
	return uint64(q)*8 + uint64(-left&7)
}

// unstuff appends src up to the first mark to dst, without stuffed zeros, and tells how much of src
// that was.
func unstuff(dst, src []byte) ([]byte, int) {
	at := 0
	for {
		i := bytes.IndexByte(src[at:], 0xFF)
		if i < 0 {
			return append(dst, src[at:]...), len(src)
		}
		dst = append(dst, src[at:at+i]...)
		at += i
		if at+1 < len(src) && src[at+1] != 0 {
			return dst, at
		}
		dst = append(dst, 0xFF)
		if at += 2; at >= len(src) {
			return dst, len(src)
		}
	}
}

// bitWriter writes entropy-coded bits, with stuffing.
type bitWriter struct {
	out []byte
	acc uint64
	n   uint // bits in acc, at the bottom; below 32 between calls
}

// put writes the low count bits of v, at most 32; the bits above are zero.
func (w *bitWriter) put(v uint64, count uint) {
	w.acc = w.acc<<count | v
	w.n += count
	if w.n < 32 {
		return
	}
	w.n -= 32
	word := uint32(w.acc >> w.n)
	if !hasFF(uint64(word)) {
		w.out = binary.BigEndian.AppendUint32(w.out, word)
		return
	}
	for s := 24; s >= 0; s -= 8 {
		w.putByte(byte(word >> s))
	}
}

func (w *bitWriter) putByte(b byte) {
	w.out = append(w.out, b)
	if b == 0xFF {
		w.out = append(w.out, 0)
	}
}

// copyBits writes the bits from..to of raw. The caller has checked that they are there.
func (w *bitWriter) copyBits(raw []byte, from, to uint64) {
	for to-from >= 32 && from>>3+8 <= uint64(len(raw)) {
		w.put(binary.BigEndian.Uint64(raw[from>>3:])<<(from&7)>>32, 32)
		from += 32
	}
	for from < to {
		r := from & 7
		count := min(8-r, to-from)
		w.put(uint64(raw[from>>3]<<r>>(8-count)), uint(count))
		from += count
	}
}

// align fills the last byte with ones, as JPEG wants before a mark.
func (w *bitWriter) align() {
	if r := w.n & 7; r > 0 {
		w.put(1<<(8-r)-1, 8-r)
	}
	for ; w.n > 0; w.n -= 8 {
		w.putByte(byte(w.acc >> (w.n - 8)))
	}
	w.acc = 0
}
