package tiles

import (
	"encoding/binary"
	"fmt"

	"flawmark/imaging/photo"
)

// JPEG marker codes, the second byte after 0xFF.
const (
	markSOF0  = 0xC0 // baseline
	markSOF1  = 0xC1 // extended sequential
	markDHT   = 0xC4
	markJPG   = 0xC8
	markDAC   = 0xCC
	markSOF15 = 0xCF
	markRST0  = 0xD0
	markRST7  = 0xD7
	markSOI   = 0xD8
	markEOI   = 0xD9
	markSOS   = 0xDA
	markDQT   = 0xDB
	markDRI   = 0xDD
	markAPP0  = 0xE0
	markAPP14 = 0xEE
	markTEM   = 0x01
)

// component is one colour plane of a frame.
type component struct {
	id         uint8
	h, v       int   // blocks across and down in an MCU
	quant      uint8 // table slots 0..3
	dcAt, acAt uint8
}

// header is everything before a JPEG's pixels that their bits depend on.
type header struct {
	extended      bool // SOF1 rather than SOF0
	width, height int
	comps         []component // 1 or 3
	quants        [4][64]uint16
	quantSet      [4]bool
	dcs, acs      [4]huffSpec
	full          [4]huffSpec // dcs that can code all differences
	dcSet, acSet  [4]bool
	restart       int // MCUs between restart marks, 0 for none

	mcuW, mcuH int // pixels
	cols, rows int // MCUs
	blocks     int // in an MCU
	scanAt     int // where the entropy-coded data begin
}

func notIndexable(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNotIndexable}, args...)...)
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{photo.ErrUnreadable}, args...)...)
}

// readHeader reads the segments up to the first scan, which must be the only one.
func readHeader(data []byte) (*header, error) {
	h := &header{}
	jfif, adobeRGB := false, false
	if len(data) < 2 || data[0] != 0xFF || data[1] != markSOI {
		return nil, notIndexable("not a JPEG")
	}
	at := 2
	for {
		// Fill bytes and stray ones are passed over, as every decoder does.
		for at+1 < len(data) && (data[at] != 0xFF || data[at+1] == 0xFF || data[at+1] == 0) {
			at++
		}
		if at+2 > len(data) {
			return nil, fmt.Errorf("%w: in its header", photo.ErrTruncated)
		}
		mark := data[at+1]
		at += 2
		if mark == markTEM || mark >= markRST0 && mark <= markSOI {
			continue
		}
		if mark == markEOI {
			return nil, damaged("no picture before the end mark")
		}
		if at+2 > len(data) {
			return nil, fmt.Errorf("%w: in its header", photo.ErrTruncated)
		}
		length := int(binary.BigEndian.Uint16(data[at:]))
		if length < 2 {
			return nil, damaged("segment of %d bytes", length)
		}
		if at+length > len(data) {
			return nil, fmt.Errorf("%w: in its header", photo.ErrTruncated)
		}
		body := data[at+2 : at+length]
		at += length
		var err error
		switch {
		case mark == markDQT:
			err = h.readQuants(body)
		case mark == markDHT:
			err = h.readHuffman(body)
		case mark == markDAC:
			err = notIndexable("arithmetic coding")
		case mark >= markSOF0 && mark <= markSOF15 && mark != markJPG:
			err = h.readFrame(mark, body)
		case mark == markDRI:
			if len(body) != 2 {
				return nil, damaged("restart interval of %d bytes", len(body))
			}
			h.restart = int(binary.BigEndian.Uint16(body))
		case mark == markAPP0 && len(body) >= 5 && string(body[:5]) == "JFIF\x00":
			jfif = true
		case mark == markAPP14 && len(body) >= 12 && string(body[:5]) == "Adobe":
			adobeRGB = body[11] == 0
		case mark == markSOS:
			if err := h.readScan(body); err != nil {
				return nil, err
			}
			if len(h.comps) == 3 && !jfif && (adobeRGB || h.comps[0].id == 'R' && h.comps[1].id == 'G' && h.comps[2].id == 'B') {
				return nil, notIndexable("RGB")
			}
			h.scanAt = at
			return h, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (h *header) readQuants(p []byte) error {
	for len(p) > 0 {
		slot, wide := p[0]&15, p[0]>>4
		size := 64 << (wide & 1)
		if slot > 3 || wide > 1 || len(p) < 1+size {
			return damaged("quantisation table")
		}
		for i := range 64 {
			if wide == 1 {
				h.quants[slot][i] = binary.BigEndian.Uint16(p[1+2*i:])
			} else {
				h.quants[slot][i] = uint16(p[1+i])
			}
		}
		h.quantSet[slot] = true
		p = p[1+size:]
	}
	return nil
}

func (h *header) readHuffman(p []byte) error {
	for len(p) > 0 {
		if len(p) < 17 {
			return damaged("Huffman table")
		}
		class, slot := p[0]>>4, p[0]&15
		var s huffSpec
		copy(s.counts[:], p[1:17])
		total := 0
		for _, c := range s.counts {
			total += int(c)
		}
		if class > 1 || slot > 3 || total == 0 || total > 256 || len(p) < 17+total {
			return damaged("Huffman table")
		}
		s.symbols = append(s.symbols, p[17:17+total]...)
		p = p[17+total:]
		if !s.valid() {
			return damaged("Huffman table")
		}
		if class == 0 {
			h.dcs[slot], h.dcSet[slot] = s, true
		} else {
			h.acs[slot], h.acSet[slot] = s, true
		}
	}
	return nil
}

func (h *header) readFrame(mark byte, p []byte) error {
	if mark != markSOF0 && mark != markSOF1 {
		return notIndexable("JPEG process %#x", mark)
	}
	if h.comps != nil {
		return damaged("two frames")
	}
	if len(p) < 6 || len(p) != 6+3*int(p[5]) {
		return damaged("frame header")
	}
	h.extended = mark == markSOF1
	h.height, h.width = int(binary.BigEndian.Uint16(p[1:])), int(binary.BigEndian.Uint16(p[3:]))
	n := int(p[5])
	if p[0] != 8 || h.width == 0 || h.height == 0 || n != 1 && n != 3 {
		return notIndexable("%d×%d, %d components of %d bits", h.width, h.height, n, p[0])
	}
	for i := range n {
		c := component{id: p[6+3*i], h: int(p[7+3*i] >> 4), v: int(p[7+3*i] & 15), quant: p[8+3*i]}
		if c.quant > 3 {
			return damaged("frame header")
		}
		for _, other := range h.comps {
			if other.id == c.id {
				return damaged("two components of one name")
			}
		}
		switch {
		case n == 1: // the sampling of a single component means nothing
			c.h, c.v = 1, 1
		case i == 0 && (c.h < 1 || c.h > 2 || c.v < 1 || c.v > 2), i > 0 && (c.h != 1 || c.v != 1):
			return notIndexable("sampling %d×%d", c.h, c.v)
		}
		h.comps = append(h.comps, c)
		h.blocks += c.h * c.v
	}
	h.mcuW, h.mcuH = 8*h.comps[0].h, 8*h.comps[0].v
	h.cols, h.rows = ceilDiv(h.width, h.mcuW), ceilDiv(h.height, h.mcuH)
	return nil
}

func (h *header) readScan(p []byte) error {
	n := len(h.comps)
	if n == 0 {
		return damaged("scan before the frame")
	}
	if len(p) < 1 || len(p) != 4+2*int(p[0]) {
		return damaged("scan header")
	}
	if int(p[0]) != n {
		return notIndexable("several scans")
	}
	if end := p[1+2*n:]; end[0] != 0 || end[1] != 63 || end[2] != 0 {
		return notIndexable("partial scan")
	}
	for i := range h.comps {
		c := &h.comps[i]
		if p[1+2*i] != c.id {
			return notIndexable("components out of order")
		}
		c.dcAt, c.acAt = p[2+2*i]>>4, p[2+2*i]&15
		if c.dcAt > 3 || c.acAt > 3 || !h.dcSet[c.dcAt] || !h.acSet[c.acAt] || !h.quantSet[c.quant] {
			return damaged("missing tables")
		}
		full, ok := h.dcs[c.dcAt].completed()
		if !ok {
			return notIndexable("no room in a DC table")
		}
		h.full[c.dcAt] = full
	}
	return nil
}

// used tells which slots the components refer to.
func (h *header) used(slot func(component) uint8) (in [4]bool) {
	for _, c := range h.comps {
		in[slot(c)] = true
	}
	return in
}

// append writes the header of a JPEG of w×h pixels with the same tables, up to its data. The DC
// tables may have gained codes: see completed.
func (h *header) append(out []byte, w, ht, restart int) []byte {
	be := binary.BigEndian
	segment := func(mark byte, body int) {
		out = append(out, 0xFF, mark)
		out = be.AppendUint16(out, uint16(body+2))
	}
	out = append(out, 0xFF, markSOI)
	segment(markAPP0, 14)
	out = append(out, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"...)
	for slot, in := range h.used(func(c component) uint8 { return c.quant }) {
		if !in {
			continue
		}
		wide := uint8(0)
		for _, q := range h.quants[slot] {
			if q > 255 {
				wide = 1
			}
		}
		segment(markDQT, 1+64<<wide)
		out = append(out, wide<<4|uint8(slot))
		for _, q := range h.quants[slot] {
			if wide == 1 {
				out = append(out, byte(q>>8))
			}
			out = append(out, byte(q))
		}
	}
	sof := byte(markSOF0)
	if h.extended {
		sof = markSOF1
	}
	segment(sof, 6+3*len(h.comps))
	out = append(out, 8)
	out = be.AppendUint16(out, uint16(ht))
	out = be.AppendUint16(out, uint16(w))
	out = append(out, byte(len(h.comps)))
	for i, c := range h.comps {
		out = append(out, byte(i+1), byte(c.h<<4|c.v), c.quant)
	}
	huffman := func(class uint8, slots [4]bool, specs *[4]huffSpec) {
		for slot, in := range slots {
			if !in {
				continue
			}
			s := &specs[slot]
			segment(markDHT, 17+len(s.symbols))
			out = append(out, class<<4|uint8(slot))
			out = append(out, s.counts[:]...)
			out = append(out, s.symbols...)
		}
	}
	huffman(0, h.used(func(c component) uint8 { return c.dcAt }), &h.full)
	huffman(1, h.used(func(c component) uint8 { return c.acAt }), &h.acs)
	if restart > 0 {
		segment(markDRI, 2)
		out = be.AppendUint16(out, uint16(restart))
	}
	segment(markSOS, 4+2*len(h.comps))
	out = append(out, byte(len(h.comps)))
	for i, c := range h.comps {
		out = append(out, byte(i+1), c.dcAt<<4|c.acAt)
	}
	return append(out, 0, 63, 0)
}

// layout makes the decoder's tables.
func (h *header) layout() *layout {
	l := &layout{}
	dcs, acs := map[uint8]*dcTable{}, map[uint8]*acTable{}
	for i, c := range h.comps {
		if dcs[c.dcAt] == nil {
			dcs[c.dcAt] = newDCTable(&h.dcs[c.dcAt], &h.full[c.dcAt])
		}
		if acs[c.acAt] == nil {
			acs[c.acAt] = newACTable(&h.acs[c.acAt])
		}
		for range c.h * c.v {
			l.blocks[l.n] = block{comp: uint8(i), dc: dcs[c.dcAt], ac: acs[c.acAt]}
			l.n++
		}
	}
	return l
}

// restartAfter is the first MCU after m (in raster order) that follows a restart mark.
func (h *header) restartAfter(m int) int {
	if h.restart == 0 {
		return h.cols * h.rows
	}
	return min((m/h.restart+1)*h.restart, h.cols*h.rows)
}

// restartsAt tells whether MCU m follows a restart mark.
func (h *header) restartsAt(m int) bool {
	return h.restart > 0 && m > 0 && m < h.cols*h.rows && m%h.restart == 0
}
