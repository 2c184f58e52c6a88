package tiles

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// flushAt is how many bytes are gathered before they are written.
const flushAt = 256 << 10

// write puts out the file: the header, and MCU after MCU.
func (p *patcher) write(dst io.Writer) error {
	head := p.newTables()
	profile, err := p.profile()
	if err != nil {
		return err
	}
	out := head.append(make([]byte, 0, flushAt+maxChunkBytes), head.width, head.height, head.restart)
	const jfif = 20 // the start mark and the JFIF segment, which is the first
	p.w.out = append(p.w.out, out[:jfif]...)
	if p.orientation != 1 {
		p.w.out = append(p.w.out, uprightSegment(p.orientation)...)
	}
	p.w.out = append(append(p.w.out, profile...), out[jfif:]...)
	if err := p.scan(dst, head.recoding()); err != nil {
		return err
	}
	p.w.out = append(p.w.out, 0xFF, markEOI)
	return p.flush(dst)
}

func (p *patcher) flush(dst io.Writer) error {
	_, err := dst.Write(p.w.out)
	p.w.out = p.w.out[:0]
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// newTables gives the header with code tables for the new blocks, and decides whether the bits of the
// kept ones can stay.
func (p *patcher) newTables() *header {
	h := p.head
	extended := !p.any || h.hasAnnexTables()
	for slot, in := range h.used(func(c component) uint8 { return c.acAt }) {
		if more := h.acs[slot].missing(&p.used[slot]); in && len(more) > 0 {
			ok := false
			if h.acs[slot], ok = h.acs[slot].extended(more); !ok {
				extended = false
			}
		}
	}
	if !extended {
		h.acs = p.head.acs
		h.annexTables()
		p.tables = h.recoding()
	}
	return &h
}

// uprightSegment is an EXIF segment with nothing but the orientation.
func uprightSegment(orientation int) []byte {
	const body = "Exif\x00\x00II*\x00\x08\x00\x00\x00" + // little-endian TIFF, its directory at 8
		"\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00" // one entry: tag 0x0112, one short
	out := binary.BigEndian.AppendUint16([]byte{0xFF, markExif}, uint16(2+len(body)+8))
	return append(append(out, body...), byte(orientation), 0, 0, 0, 0, 0, 0, 0)
}

const (
	markExif    = 0xE1
	markProfile = 0xE2
	// maxPatchProfile is a colour profile in the 255 pieces it can have.
	maxPatchProfile = 255 * (1<<16 + 2)
)

// profile gives the segments with the original's colour profile, if it is to be kept.
func (p *patcher) profile() ([]byte, error) {
	if !p.what.Profile {
		return nil, nil
	}
	end := int64(p.entries[0].pos >> 3)
	r := bufio.NewReader(io.NewSectionReader(p.src, 2, end-2))
	var out []byte
	for {
		mark, err := nextSegment(r)
		if err != nil {
			return nil, headerEnd(err)
		}
		if mark == markSOS {
			return out, nil
		}
		var size [2]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return nil, headerEnd(err)
		}
		n := int(binary.BigEndian.Uint16(size[:])) - 2
		if n < 0 {
			return nil, ErrMismatch
		}
		const name = "ICC_PROFILE\x00"
		if start, err := r.Peek(len(name)); mark != markProfile || n < len(name) || err != nil || string(start) != name {
			if _, err := r.Discard(n); err != nil {
				return nil, headerEnd(err)
			}
			continue
		}
		out = append(out, 0xFF, mark, size[0], size[1])
		at := len(out)
		out = append(out, make([]byte, n)...)
		if _, err := io.ReadFull(r, out[at:]); err != nil {
			return nil, headerEnd(err)
		}
		if len(out) > maxPatchProfile {
			return nil, ErrMismatch
		}
	}
}

// nextSegment goes to the next mark that begins a segment.
func nextSegment(r *bufio.Reader) (byte, error) {
	for prev := byte(0); ; {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if prev == 0xFF && b != 0xFF && b != 0 && b != markTEM && (b < markRST0 || b > markSOI) {
			return b, nil
		}
		prev = b
	}
}

// headerEnd says what an error in the header means: it was sound when it was indexed.
func headerEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrMismatch
	}
	return fmt.Errorf("read header: %w", err)
}

// scan writes all MCUs.
func (p *patcher) scan(dst io.Writer, codes *recoding) error {
	h := &p.head
	var coded [3]int32 // the predictors of the new file
	for row := range h.rows {
		line := row * h.cols
		for col := 0; col < h.cols; {
			if h.restartsAt(line + col) {
				p.restartMark(line+col, &coded)
			}
			if p.place[line+col] != 0 {
				if !p.putNew(line+col, codes, &coded) {
					return ErrMismatch
				}
				col++
				continue
			}
			end := col + 1
			for end < h.cols && p.place[line+end] == 0 {
				end++
			}
			var err error
			if p.tables == nil {
				err = p.keep(row, col, end, &coded)
			} else {
				err = p.recode(row, col, end, &coded)
			}
			if err != nil {
				return err
			}
			col = end
		}
		if len(p.w.out) >= flushAt {
			if err := p.flush(dst); err != nil {
				return err
			}
		}
	}
	p.w.align()
	return nil
}

// restartMark writes the mark before MCU m.
func (p *patcher) restartMark(m int, coded *[3]int32) {
	p.w.align()
	p.w.out = append(p.w.out, 0xFF, markRST0+byte((m/p.head.restart-1)&7))
	*coded = [3]int32{}
}

// putNew writes the new blocks of MCU m.
func (p *patcher) putNew(m int, codes *recoding, coded *[3]int32) bool {
	tokens, ok := p.store[p.place[m]-1:], true
	for _, b := range p.layout.blocks[:p.layout.n] {
		if tokens, ok = putBlock(&p.w, tokens, codes.dcs[b.comp], codes.acs[b.comp], &coded[b.comp]); !ok {
			return false
		}
	}
	return true
}

// keep copies the bits of the MCUs c0..c1-1 of a row. Only the first DC of each component is coded
// anew, and that only where something else than in the original lies before it.
func (p *patcher) keep(row, c0, c1 int, coded *[3]int32) error {
	h := &p.head
	first, end := p.chunksOf(row, c0, c1)
	if err := p.read(first, end); err != nil {
		return err
	}
	from, to := row*h.cols+c0, row*h.cols+c1
	m := row*h.cols + c0/chunkMCUs*chunkMCUs
	start := p.entries[first]
	file, at := p.file, start.pos&7
	base := start.pos &^ 7 // of file, in bits
	d := decoder{raw: true, pred: predictors(start)}
	for {
		stop := min(to, h.restartAfter(m))
		var used int
		if m >= from && at == 0 && h.restart > 0 && m%h.restart == 0 && stop == h.restartAfter(m) && stop < to {
			// Everything between two marks stays byte for byte.
			used = untilMark(file)
			p.w.out = append(p.w.out, file[:used]...)
			m = stop
		} else {
			p.raw, used = unstuff(p.raw[:0], file)
			d.data = p.raw
			d.seek(at)
			if skip := min(from, stop) - m; skip > 0 {
				if err := d.skip(p.layout, skip); err != nil {
					return changed(err)
				}
				m += skip
			}
			if m < stop {
				if err := p.copyRun(&d, file, base, row, m, stop, coded); err != nil {
					return err
				}
			}
			if m = stop; m == to {
				*coded = d.pred
				return nil
			}
		}
		for used < len(file) && file[used] == 0xFF {
			used++
		}
		if used >= len(file) || file[used] < markRST0 || file[used] > markRST7 {
			return ErrMismatch
		}
		if m > from {
			p.restartMark(m, coded)
		}
		file, at, d.pred = file[used+1:], 0, [3]int32{}
		base += 8 * uint64(used+1)
	}
}

// copyRun copies the MCUs m..stop-1, between which there is no mark, and leaves d behind them.
func (p *patcher) copyRun(d *decoder, file []byte, base uint64, row, m, stop int, coded *[3]int32) error {
	copied := d.bit()
	if d.pred != *coded {
		var err error
		if copied, err = p.firstMCU(d, coded); err != nil {
			return changed(err)
		}
		m++
	}
	if near, nearAt := p.nearest(row, m, stop); near != nil {
		bit, ok := rawBit(file, near.pos-base)
		if !ok {
			return ErrMismatch
		}
		d.seek(bit)
		d.pred = predictors(*near)
		m = nearAt
	}
	if err := d.skip(p.layout, stop-m); err != nil {
		return changed(err)
	}
	bit := d.bit()
	if bit < copied || bit > 8*uint64(len(p.raw)) {
		return ErrMismatch
	}
	p.w.copyBits(p.raw, copied, bit)
	return nil
}

// untilMark is how many bytes lie before the next mark.
func untilMark(b []byte) int {
	for at := 0; ; at += 2 {
		i := bytes.IndexByte(b[at:], 0xFF)
		if i < 0 {
			return len(b)
		}
		if at += i; at+1 >= len(b) || b[at+1] != 0 {
			return at
		}
	}
}

// recode writes the MCUs c0..c1-1 of a row in the new codes.
func (p *patcher) recode(row, c0, c1 int, coded *[3]int32) error {
	h := &p.head
	q := piece{patcher: p}
	q.mcus.Min.X, q.mcus.Max.X = c0, c1
	q.old = p.tokens[:0]
	if err := q.readRow(row); err != nil {
		return err
	}
	p.tokens = q.old
	rest, ok := q.old, true
	for m := row*h.cols + c0; m < row*h.cols+c1; m++ {
		if m > row*h.cols+c0 && h.restartsAt(m) {
			p.restartMark(m, coded)
		}
		for _, b := range p.layout.blocks[:p.layout.n] {
			if rest, ok = putBlock(&p.w, rest, p.tables.dcs[b.comp], p.tables.acs[b.comp], &coded[b.comp]); !ok {
				return ErrMismatch
			}
		}
	}
	return nil
}
