package tiles

// huffSpec is a Huffman table as a JPEG carries it.
type huffSpec struct {
	counts  [16]uint8 // codes of 1..16 bits
	symbols []uint8   // by code
}

// each calls f for each code in order. It reports whether the lengths make a code that JPEG allows:
// prefix-free, and none of all ones.
func (s *huffSpec) each(f func(code uint32, length int, symbol uint8)) bool {
	code, i := uint32(0), 0
	for l := 1; l <= 16; l++ {
		for range s.counts[l-1] {
			if code >= 1<<l-1 || i >= len(s.symbols) {
				return false
			}
			f(code, l, s.symbols[i])
			code++
			i++
		}
		code <<= 1
	}
	return i == len(s.symbols)
}

func (s *huffSpec) valid() bool { return s.each(func(uint32, int, uint8) {}) }

// maxCategory is the largest magnitude category of a DC difference in 8-bit JPEG.
const maxCategory = 11

// completed gives a DC table that can code every difference, which a tile's first blocks need. A
// table optimised for one picture may lack categories that never occur in it; they get codes longer
// than all others, which leaves the codes in use as they are. It reports false when there is no room.
func (s huffSpec) completed() (huffSpec, bool) {
	var has [maxCategory + 1]bool
	var end uint32 // the first code not in use at length
	length := 0
	ok := s.each(func(code uint32, l int, symbol uint8) {
		if symbol <= maxCategory {
			has[symbol] = true
		}
		end, length = code+1, l
	})
	if !ok {
		return s, false
	}
	out := huffSpec{counts: s.counts, symbols: append([]uint8(nil), s.symbols...)}
	missing := 0
	for c, h := range has {
		if !h {
			missing++
			out.symbols = append(out.symbols, uint8(c))
		}
	}
	if missing == 0 {
		return s, true
	}
	if len(out.symbols) > 256 {
		return s, false
	}
	for l := length + 1; l <= 16; l++ {
		end <<= 1
		if int(1<<l-1-end) >= missing {
			out.counts[l-1] += uint8(missing)
			return out, out.valid()
		}
	}
	return s, false
}

// dcBits is the window of a DC look-up; longer codes are rare and go bit by bit.
const dcBits = 10

// dcTable decodes and codes DC differences.
type dcTable struct {
	look  [1 << dcBits]uint16 // code length in the low 5 bits, category above; 0: longer or none
	long  longCodes
	codes [maxCategory + 1]struct {
		code   uint16
		length uint8
	}
}

// longCodes decodes bit by bit.
type longCodes struct {
	limit   [17]uint32 // by length: one more than the last code, aligned to 16 bits
	offset  [17]int32  // index of a symbol minus its code
	symbols []uint8
}

func (s *huffSpec) longCodes() longCodes {
	t := longCodes{symbols: s.symbols}
	code, i := uint32(0), int32(0)
	for l := 1; l <= 16; l++ {
		t.offset[l] = i - int32(code)
		code += uint32(s.counts[l-1])
		i += int32(s.counts[l-1])
		t.limit[l] = code << (16 - l)
		code <<= 1
	}
	return t
}

// find gives the symbol whose code begins the 16 bits of window, and its length; 0 when there is none.
func (t *longCodes) find(window uint32) (symbol uint8, length uint) {
	for l := uint(1); l <= 16; l++ {
		if window < t.limit[l] {
			i := int(window>>(16-l)) + int(t.offset[l])
			if i < 0 || i >= len(t.symbols) {
				return 0, 0
			}
			return t.symbols[i], l
		}
	}
	return 0, 0
}

// newDCTable decodes by s and codes by full, its completion. Decoding by full would take damage that
// no decoder accepts for differences.
func newDCTable(s, full *huffSpec) *dcTable {
	t := &dcTable{long: s.longCodes()}
	full.each(func(code uint32, l int, symbol uint8) {
		if symbol <= maxCategory {
			t.codes[symbol].code, t.codes[symbol].length = uint16(code), uint8(l)
		}
	})
	s.each(func(code uint32, l int, symbol uint8) {
		if symbol <= maxCategory && l <= dcBits {
			first := code << (dcBits - l)
			for i := range uint32(1) << (dcBits - l) {
				t.look[first+i] = uint16(symbol)<<5 | uint16(l)
			}
		}
	})
	return t
}

// find decodes a category from the top bits of acc; length 0 when there is none.
func (t *dcTable) find(acc uint64) (category, length uint) {
	if e := t.look[acc>>(64-dcBits)]; e != 0 {
		return uint(e >> 5), uint(e & 31)
	}
	symbol, l := t.long.find(uint32(acc >> 48))
	if symbol > maxCategory {
		return 0, 0
	}
	return uint(symbol), l
}

// acBits is the window of an AC look-up.
const acBits = 13

// acTable tells how far AC symbols reach: the scan needs no values, only lengths. An entry holds
// two answers for a window: of all whole symbols in it together, and of the first one alone, for the
// end of a block.
type acTable struct {
	look [1 << acBits]uint32
	long longCodes
}

// The fields of an AC entry: bits to skip (6), coefficients to step over (7), end of block (1);
// first for all symbols together, then, from acSingle on, for the first one.
const (
	acStep   = 6
	acEnd    = 13
	acSingle = 14
)

func acField(bits, step uint, end bool) uint32 {
	e := uint32(bits) | uint32(step)<<acStep
	if end {
		e |= 1 << acEnd
	}
	return e
}

// reach is what an AC symbol means for the scan: the bits of its value, the coefficients it covers
// (1 for the end of block), and whether it ends the block.
func reach(symbol uint8) (extra, step uint, end, ok bool) {
	run, size := uint(symbol>>4), uint(symbol&15)
	switch {
	case symbol == 0:
		return 0, 1, true, true
	case size != 0:
		return size, run + 1, false, true
	case run == 15:
		return 0, 16, false, true
	}
	return 0, 0, false, false // means something in progressive JPEG only
}

func newACTable(s *huffSpec) *acTable {
	t := &acTable{long: s.longCodes()}
	s.each(func(code uint32, l int, symbol uint8) {
		extra, step, end, ok := reach(symbol)
		if l > acBits || !ok {
			return
		}
		e := acField(uint(l)+extra, step, end)
		first := code << (acBits - l)
		for i := range uint32(1) << (acBits - l) {
			t.look[first+i] = e << acSingle
		}
	})
	const field = 1<<acSingle - 1
	for w := range t.look {
		first := t.look[w] >> acSingle
		if first == 0 {
			continue
		}
		bits, step, end := uint(first&63), uint(first>>acStep&127), first>>acEnd&1 == 1
		for !end && bits < acBits {
			e := t.look[w<<bits&(1<<acBits-1)] >> acSingle & field
			if e == 0 || bits+uint(e&63) > acBits || step+uint(e>>acStep&127) > 63 {
				break
			}
			bits += uint(e & 63)
			step += uint(e >> acStep & 127)
			end = e>>acEnd&1 == 1
		}
		t.look[w] |= acField(bits, step, end)
	}
	return t
}

// findLong decodes a symbol whose code is longer than the window; bits 0 when there is none.
func (t *acTable) findLong(acc uint64) (bits, step uint, end bool) {
	symbol, l := t.long.find(uint32(acc >> 48))
	extra, step, end, ok := reach(symbol)
	if l == 0 || !ok {
		return 0, 0, false
	}
	return l + extra, step, end
}
