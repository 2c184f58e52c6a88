package tiles

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The reference: a plain reader and writer of coefficients, bit by bit, sharing nothing with the
// code under test.

// plane is the coefficients of one component, in zigzag order, padded to whole MCUs.
type plane struct {
	h, v, stride, lines int // blocks
	blocks              [][64]int
}

// coefficients is a picture before its transform.
type coefficients struct {
	w, h   int
	planes []plane
}

func newCoefficients(w, h int, sampling ...[2]int) coefficients {
	c := coefficients{w: w, h: h}
	cols, rows := ceilDiv(w, 8*sampling[0][0]), ceilDiv(h, 8*sampling[0][1])
	for _, s := range sampling {
		c.planes = append(c.planes, plane{
			h: s[0], v: s[1], stride: cols * s[0], lines: rows * s[1],
			blocks: make([][64]int, cols*s[0]*rows*s[1]),
		})
	}
	return c
}

// each goes over the blocks as they are coded.
func (c coefficients) each(f func(mcu, comp int, block *[64]int)) {
	p := c.planes[0]
	cols, rows := p.stride/p.h, p.lines/p.v
	for m := range cols * rows {
		for i, p := range c.planes {
			for b := range p.h * p.v {
				f(m, i, &p.blocks[(m/cols*p.v+b/p.h)*p.stride+m%cols*p.h+b%p.h])
			}
		}
	}
}

// crop is the part of whole MCUs from col, row on for a picture of w×h pixels.
func (c coefficients) crop(col, row, w, h int) coefficients {
	var sampling [][2]int
	for _, p := range c.planes {
		sampling = append(sampling, [2]int{p.h, p.v})
	}
	out := newCoefficients(w, h, sampling...)
	for i, p := range out.planes {
		from := c.planes[i]
		for y := range p.lines {
			at := (row*p.v+y)*from.stride + col*p.h
			copy(p.blocks[y*p.stride:][:p.stride], from.blocks[at:])
		}
	}
	return out
}

// writing is how coefficients are to be coded.
type writing struct {
	restart  int
	fill     int  // 0xFF bytes before restart marks
	optimise bool // tables for the symbols that occur, else standard ones
}

type huffCode struct{ code, length int }

// symbol is a Huffman symbol with its extra bits. Class 0 is DC, 1 AC; table 1 is for colours.
type symbol struct {
	class, table int
	value        uint8
	extra, count int
}

func magnitude(v int) (extra, count int) {
	count = bits.Len(uint(max(v, -v)))
	if v < 0 {
		v += 1<<count - 1
	}
	return v, count
}

func symbolsOf(c coefficients, restart int, emit func(mcu int, s symbol)) {
	var pred [3]int
	last := -1
	c.each(func(mcu, comp int, block *[64]int) {
		if mcu != last && restart > 0 && mcu%restart == 0 {
			pred = [3]int{}
		}
		last = mcu
		table := min(comp, 1)
		extra, count := magnitude(block[0] - pred[comp])
		pred[comp] = block[0]
		emit(mcu, symbol{0, table, uint8(count), extra, count})
		run := 0
		for k := 1; k < 64; k++ {
			if block[k] == 0 {
				run++
				continue
			}
			for ; run > 15; run -= 16 {
				emit(mcu, symbol{1, table, 0xF0, 0, 0})
			}
			extra, count := magnitude(block[k])
			emit(mcu, symbol{1, table, uint8(run<<4 | count), extra, count})
			run = 0
		}
		if run > 0 {
			emit(mcu, symbol{1, table, 0, 0, 0})
		}
	})
}

// tableFor gives each symbol a code of about its information, at most 16 bits, never all ones.
func tableFor(freq [256]int) (counts [16]uint8, symbols []uint8, codes [256]huffCode) {
	sum, total := 0, 1
	for _, f := range freq {
		sum += f
	}
	for i, f := range freq {
		if f > 0 {
			freq[i] += sum >> 12 // no code of more than 16 bits
		}
		total += freq[i]
	}
	byLength := [17][]uint8{}
	for s, f := range freq {
		if f > 0 {
			l := max(1, int(math.Ceil(math.Log2(float64(total)/float64(f)))))
			byLength[l] = append(byLength[l], uint8(s))
		}
	}
	code := 0
	for l := 1; l <= 16; l++ {
		counts[l-1] = uint8(len(byLength[l]))
		for _, s := range byLength[l] {
			symbols = append(symbols, s)
			codes[s] = huffCode{code, l}
			code++
		}
		code <<= 1
	}
	return counts, symbols, codes
}

// write codes the coefficients as a JPEG. All quantisers are 1 + the slot.
func (c coefficients) write(how writing) []byte {
	var freq [2][2][256]int
	symbolsOf(c, how.restart, func(_ int, s symbol) { freq[s.class][s.table][s.value]++ })
	if !how.optimise {
		for table := range 2 {
			for s := range 12 {
				freq[0][table][s] = 1
			}
			for s := range 256 {
				if s == 0 || s == 0xF0 || s&15 > 0 && s&15 < 11 {
					freq[1][table][s] = 1
				}
			}
		}
	}
	be := binary.BigEndian
	out := []byte{0xFF, 0xD8}
	segment := func(mark byte, body []byte) {
		out = append(out, 0xFF, mark)
		out = be.AppendUint16(out, uint16(len(body)+2))
		out = append(out, body...)
	}
	for slot := range 2 {
		q := make([]byte, 65)
		for i := range q {
			q[i] = byte(1 + slot)
		}
		q[0] = byte(slot)
		segment(0xDB, q)
	}
	sof := be.AppendUint16(be.AppendUint16([]byte{8}, uint16(c.h)), uint16(c.w))
	sof = append(sof, byte(len(c.planes)))
	sos := []byte{byte(len(c.planes))}
	for i, p := range c.planes {
		sof = append(sof, byte(i+1), byte(p.h<<4|p.v), byte(min(i, 1)))
		sos = append(sos, byte(i+1), byte(min(i, 1)*0x11))
	}
	segment(0xC0, sof)
	var codes [2][2][256]huffCode
	for class := range 2 {
		for table := range min(2, len(c.planes)) {
			counts, symbols, code := tableFor(freq[class][table])
			codes[class][table] = code
			segment(0xC4, append(append([]byte{byte(class<<4 | table)}, counts[:]...), symbols...))
		}
	}
	if how.restart > 0 {
		segment(0xDD, be.AppendUint16(nil, uint16(how.restart)))
	}
	segment(0xDA, append(sos, 0, 63, 0))
	acc, n, last, marks := 0, 0, 0, 0
	put := func(v, count int) {
		for i := count - 1; i >= 0; i-- {
			acc = acc<<1 | v>>i&1
			if n++; n == 8 {
				out = append(out, byte(acc))
				if byte(acc) == 0xFF {
					out = append(out, 0)
				}
				acc, n = 0, 0
			}
		}
	}
	symbolsOf(c, how.restart, func(mcu int, s symbol) {
		if mcu != last && how.restart > 0 && mcu%how.restart == 0 {
			put(0x7F, (8-n)%8)
			for range how.fill {
				out = append(out, 0xFF)
			}
			out = append(out, 0xFF, byte(0xD0+marks%8))
			marks++
		}
		last = mcu
		put(codes[s.class][s.table][s.value].code, codes[s.class][s.table][s.value].length)
		put(s.extra, s.count)
	})
	put(0x7F, (8-n)%8)
	return append(out, 0xFF, 0xD9)
}

// readCoefficients reads a JPEG of one scan.
func readCoefficients(t failer, data []byte) coefficients {
	t.Helper()
	be := binary.BigEndian
	var tables [2][4]map[[2]int]uint8
	var out coefficients
	var slots [3]byte
	restart, at := 0, 2
	for done := false; !done; {
		if data[at] != 0xFF {
			t.Fatalf("reference: no mark at %d", at)
		}
		mark, length := data[at+1], int(be.Uint16(data[at+2:]))
		body := data[at+4 : at+2+length]
		at += 2 + length
		switch mark {
		case 0xC4:
			for len(body) > 0 {
				m := map[[2]int]uint8{}
				code, i := 0, 17
				for l := 1; l <= 16; l++ {
					for range body[l] {
						m[[2]int{code, l}] = body[i]
						code++
						i++
					}
					code <<= 1
				}
				tables[body[0]>>4][body[0]&3] = m
				body = body[i:]
			}
		case 0xC0, 0xC1:
			var sampling [][2]int
			for i := range int(body[5]) {
				s := int(body[7+3*i])
				if body[5] == 1 {
					s = 0x11
				}
				sampling = append(sampling, [2]int{s >> 4, s & 15})
			}
			out = newCoefficients(int(be.Uint16(body[3:])), int(be.Uint16(body[1:])), sampling...)
		case 0xDD:
			restart = int(be.Uint16(body))
		case 0xDA:
			for i := range int(body[0]) {
				slots[i] = body[2+2*i]
			}
			done = true
		}
	}
	acc, n := 0, 0
	bit := func() int {
		if n == 0 {
			acc, n = int(data[at]), 8
			at++
			if acc == 0xFF {
				if data[at] != 0 {
					t.Fatalf("reference: mark %#x amid the data at %d", data[at], at)
				}
				at++
			}
		}
		n--
		return acc >> n & 1
	}
	receive := func(count int) int {
		v := 0
		for range count {
			v = v<<1 | bit()
		}
		return v
	}
	value := func(count int) int {
		v := receive(count)
		if count > 0 && v < 1<<(count-1) {
			v -= 1<<count - 1
		}
		return v
	}
	decode := func(class int, slot byte) uint8 {
		code := 0
		for l := 1; l <= 16; l++ {
			code = code<<1 | bit()
			if s, ok := tables[class][slot][[2]int{code, l}]; ok {
				return s
			}
		}
		t.Fatalf("reference: no such code before %d", at)
		return 0
	}
	var pred [3]int
	last, marks := 0, 0
	toMark := func() byte {
		if acc&(1<<n-1) != 1<<n-1 {
			t.Fatalf("reference: not filled with ones before %d", at)
		}
		for n = 0; data[at] == 0xFF && data[at+1] == 0xFF; {
			at++
		}
		if data[at] != 0xFF {
			t.Fatalf("reference: no mark at %d", at)
		}
		at += 2
		return data[at-1]
	}
	out.each(func(mcu, comp int, block *[64]int) {
		if mcu != last && restart > 0 && mcu%restart == 0 {
			if m := toMark(); m != byte(0xD0+marks%8) {
				t.Fatalf("reference: restart mark %#x instead of number %d", m, marks)
			}
			marks++
			pred = [3]int{}
		}
		last = mcu
		pred[comp] += value(int(decode(0, slots[comp]>>4)))
		block[0] = pred[comp]
		for k := 1; k < 64; k++ {
			s := decode(1, slots[comp]&15)
			if s == 0 {
				break
			}
			k += int(s >> 4)
			if k > 63 {
				t.Fatalf("reference: run beyond the block")
			}
			block[k] = value(int(s & 15))
		}
	})
	if m := toMark(); m != 0xD9 || at != len(data) {
		t.Fatalf("reference: mark %#x at %d of %d instead of the end", m, at, len(data))
	}
	return out
}
