package tiles

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// A block is held as tokens: one with the number of those that follow above its DC value, then one
// for each AC symbol, with its value's bits below it. That is what the Huffman codes say, without the
// codes, and about as short.

// symBits is the window of a symbol look-up.
const symBits = 10

// symTable decodes AC symbols one by one.
type symTable struct {
	look [1 << symBits]uint16 // symbol above the code's length; 0: longer or none
	long longCodes
}

func newSymTable(s *huffSpec) *symTable {
	t := &symTable{long: s.longCodes()}
	s.each(func(code uint32, l int, symbol uint8) {
		if l > symBits {
			return
		}
		first := code << (symBits - l)
		for i := range uint32(1) << (symBits - l) {
			t.look[first+i] = uint16(symbol)<<8 | uint16(l)
		}
	})
	return t
}

func (t *symTable) find(acc uint64) (symbol uint8, length uint) {
	if e := t.look[acc>>(64-symBits)]; e != 0 {
		return uint8(e >> 8), uint(e & 0xFF)
	}
	return t.long.find(uint32(acc >> 48))
}

// symTables are those of the components.
func (h *header) symTables() (out [3]*symTable) {
	made := map[uint8]*symTable{}
	for i, c := range h.comps {
		if made[c.acAt] == nil {
			made[c.acAt] = newSymTable(&h.acs[c.acAt])
		}
		out[i] = made[c.acAt]
	}
	return out
}

func (d *decoder) refill() {
	if d.n >= 32 {
		return
	}
	if d.p+8 <= len(d.data) {
		if w := binary.BigEndian.Uint64(d.data[d.p:]); !hasFF(w) {
			d.acc |= w >> d.n
			d.p += int((63 - d.n) >> 3)
			d.n |= 56
			return
		}
	}
	d.acc, d.n, d.p = d.load(d.acc, d.n, d.p)
}

// readBlock appends the tokens of the next block to out.
func (d *decoder) readBlock(out []uint32, blk *block, syms *symTable) ([]uint32, error) {
	d.refill()
	category, length := blk.dc.find(d.acc)
	if length == 0 {
		return out, d.fail("no such DC code")
	}
	d.acc <<= length & 63
	diff := int32(d.acc >> (64 - category))
	if int64(d.acc) >= 0 {
		diff -= 1<<category - 1
	}
	d.acc <<= category & 63
	d.n -= length + category
	dc := d.pred[blk.comp] + diff
	d.pred[blk.comp] = dc
	if dc < -dcCeiling || dc >= dcCeiling {
		return out, d.fail("DC value out of range")
	}
	head := len(out)
	out = append(out, uint32(uint16(dc)))
	for k := uint(1); k < 64; {
		d.refill()
		symbol, length := syms.find(d.acc)
		extra, step, end, ok := reach(symbol)
		if length == 0 || !ok || !end && k+step > 64 {
			return out, d.fail("no such AC code")
		}
		d.acc <<= length & 63
		d.n -= length + extra
		if end {
			break
		}
		out = append(out, uint32(symbol)<<16|uint32(d.acc>>(64-extra)))
		d.acc <<= extra & 63
		k += step
	}
	if d.n < d.virtual {
		return out, d.fail("")
	}
	out[head] |= uint32(len(out)-head-1) << 16
	return out, nil
}

// spread puts the coefficients of a block's tokens into natural order.
func spread(tokens []uint32, out *[64]int32) {
	*out = [64]int32{int32(int16(tokens[0]))}
	k := 1
	for _, t := range tokens[1 : 1+tokens[0]>>16] {
		size := t >> 16 & 15
		k += int(t >> 20)
		if k > 63 {
			return
		}
		v := int32(t & 0xFFFF)
		if size > 0 && v < 1<<(size-1) {
			v -= 1<<size - 1
		}
		out[zigzag[k]] = v
		k++
	}
}

// gather appends the tokens of coefficients in natural order, noting their symbols in used.
func gather(out []uint32, c *[64]int32, used *[256]bool) []uint32 {
	head := len(out)
	out = append(out, uint32(uint16(c[0])))
	run := uint32(0)
	for k := 1; k < 64; k++ {
		v := c[zigzag[k]]
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			used[0xF0] = true
			out = append(out, 0xF0<<16)
		}
		size := uint32(bits.Len32(uint32(max(v, -v))))
		if v < 0 {
			v += 1<<size - 1
		}
		used[run<<4|size] = true
		out = append(out, (run<<4|size)<<16|uint32(v))
		run = 0
	}
	used[0] = used[0] || run > 0
	out[head] |= uint32(len(out)-head-1) << 16
	return out
}

// acCodes are the codes of AC symbols; length 0: it has none.
type acCodes [256]struct {
	code   uint16
	length uint8
}

func newACCodes(s *huffSpec) *acCodes {
	t := &acCodes{}
	s.each(func(code uint32, l int, symbol uint8) { t[symbol].code, t[symbol].length = uint16(code), uint8(l) })
	return t
}

// putBlock writes the first block of tokens and gives the rest.
func putBlock(w *bitWriter, tokens []uint32, dc *dcTable, ac *acCodes, pred *int32) (rest []uint32, ok bool) {
	v := int32(int16(tokens[0]))
	if !dc.put(w, v-*pred) {
		return nil, false
	}
	*pred = v
	n := 1 + tokens[0]>>16
	k := uint32(1)
	for _, t := range tokens[1:n] {
		symbol := t >> 16
		c := ac[symbol]
		if c.length == 0 {
			return nil, false
		}
		size := symbol & 15
		w.put(uint64(c.code)<<size|uint64(t&0xFFFF), uint(c.length)+uint(size))
		k += symbol>>4 + 1
	}
	if k < 64 {
		if ac[0].length == 0 {
			return nil, false
		}
		w.put(uint64(ac[0].code), uint(ac[0].length))
	}
	return tokens[n:], true
}

// recoding is the codes by component of a scan that is coded anew.
type recoding struct {
	dcs [3]*dcTable
	acs [3]*acCodes
}

func (h *header) recoding() *recoding {
	r := &recoding{}
	for i, c := range h.comps {
		r.dcs[i] = newDCTable(&h.full[c.dcAt], &h.full[c.dcAt])
		r.acs[i] = newACCodes(&h.acs[c.acAt])
	}
	return r
}

// missing lists what is in used but has no code.
func (s *huffSpec) missing(used *[256]bool) []uint8 {
	var list []uint8
	for symbol, in := range used {
		if in && !slices.Contains(s.symbols, uint8(symbol)) {
			list = append(list, uint8(symbol))
		}
	}
	return list
}

// extended gives s codes for more symbols, longer than all others, which stay as they are. It reports
// false when there is no room.
func (s huffSpec) extended(more []uint8) (huffSpec, bool) {
	var end uint32
	length := 0
	s.each(func(code uint32, l int, _ uint8) { end, length = code+1, l })
	for l := length + 1; l <= 16; l++ {
		end <<= 1
		if int(1<<l-1-end) >= len(more) && len(s.symbols)+len(more) < 256 {
			s.symbols = append(slices.Clone(s.symbols), more...)
			s.counts[l-1] = uint8(len(more))
			return s, s.valid()
		}
	}
	return s, false
}

// annexTables replaces the tables in use by those of JPEG's annex K, or where these lack a symbol
// that the original's have (no encoder needs them), by ones that have all, at nine bits each.
func (h *header) annexTables() {
	var slots [4]bool
	for i, c := range h.comps {
		if !slots[c.dcAt] {
			h.full[c.dcAt], slots[c.dcAt] = annexDC[min(i, 1)], true
		}
	}
	slots = [4]bool{}
	for i, c := range h.comps {
		if slots[c.acAt] {
			continue
		}
		slots[c.acAt] = true
		table := annexAC(min(i, 1))
		var used [256]bool
		for _, symbol := range h.acs[c.acAt].symbols {
			_, _, _, used[symbol] = reach(symbol)
		}
		if more := table.missing(&used); len(more) > 0 {
			flat := huffSpec{symbols: append(slices.Clone(table.symbols), more...)}
			flat.counts[8] = uint8(len(flat.symbols))
			table = flat
		}
		h.acs[c.acAt] = table
	}
}

// hasAnnexTables tells whether annexTables would change nothing.
func (h *header) hasAnnexTables() bool {
	std := *h
	std.annexTables()
	for _, c := range h.comps {
		if !h.full[c.dcAt].equal(&std.full[c.dcAt]) || !h.acs[c.acAt].equal(&std.acs[c.acAt]) {
			return false
		}
	}
	return true
}

func (s *huffSpec) equal(o *huffSpec) bool {
	return s.counts == o.counts && slices.Equal(s.symbols, o.symbols)
}

var annexDC = [2]huffSpec{
	{counts: [16]uint8{0, 1, 5, 1, 1, 1, 1, 1, 1}, symbols: []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
	{counts: [16]uint8{0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1}, symbols: []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
}

// annexAC is the table for luma (0) or colours (1).
func annexAC(which int) huffSpec {
	if which == 0 {
		return huffSpec{
			counts: [16]uint8{0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125},
			symbols: []uint8{
				0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
				0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72,
				0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37,
				0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
				0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
				0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3,
				0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
				0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
				0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
			},
		}
	}
	return huffSpec{
		counts: [16]uint8{0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119},
		symbols: []uint8{
			0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22,
			0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1,
			0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36,
			0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
			0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
			0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a,
			0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba,
			0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
			0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
		},
	}
}
