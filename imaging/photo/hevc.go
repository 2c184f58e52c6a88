package photo

import (
	"bytes"
	"fmt"
)

// A HEIC says each picture's size twice: in its boxes, and in the parameters of the coded video. The
// decoder believes the first and fills the second, so where they differ it would show what its memory
// holds. This reads the second (ITU-T H.265, 7.3.2.2 and ISO/IEC 14496-15, 8.3.3).

// checkCoded compares the two sizes of every coded picture.
func (f *heif) checkCoded() error {
	for item, kind := range f.kinds {
		if kind != "hvc1" {
			continue
		}
		w, h, coded := 0, 0, []byte(nil)
		for _, index := range f.owned[item] {
			if index < 1 || index > len(f.properties) {
				continue
			}
			switch p := f.properties[index-1]; p.name {
			case "ispe":
				w, h, _ = p.extent()
			case "hvcC":
				coded = p.body
			}
		}
		if codedW, codedH, ok := codedSize(coded); !ok || codedW != w || codedH != h {
			return fmt.Errorf("%w: its header says %d×%d pixels, its data %d×%d", ErrUnreadable, w, h, codedW, codedH)
		}
	}
	return nil
}

// codedSize finds the sequence parameters in a decoder configuration. All of them must agree.
func codedSize(configuration []byte) (w, h int, ok bool) {
	c := cursor{b: configuration}
	c.bytes(22)
	for range c.number(1) {
		kind := c.number(1) & 63
		for range c.number(2) {
			unit := c.bytes(int(c.number(2)))
			if c.bad {
				return 0, 0, false
			}
			if kind != 33 || len(unit) < 2 {
				continue
			}
			// Three bytes 0, 0, 3 stand for 0, 0.
			b := bits{b: bytes.ReplaceAll(unit[2:], []byte{0, 0, 3}, []byte{0, 0})}
			uw, uh := b.sequenceSize()
			if b.bad || ok && (uw != w || uh != h) {
				return 0, 0, false
			}
			w, h, ok = uw, uh, true
		}
	}
	return w, h, ok && !c.bad
}

// bits reads a stream bit by bit; after its end everything is zero and bad is set.
type bits struct {
	b   []byte
	at  int
	bad bool
}

func (b *bits) number(n int) (v int) {
	for range n {
		if b.at >= 8*len(b.b) {
			b.bad = true
			return 0
		}
		v = v<<1 | int(b.b[b.at/8]>>(7-b.at%8)&1)
		b.at++
	}
	return v
}

// golomb is an unsigned number of variable length.
func (b *bits) golomb() int {
	zeros := 0
	for b.number(1) == 0 {
		if zeros++; zeros > 31 || b.bad {
			b.bad = true
			return 0
		}
	}
	return 1<<zeros - 1 + b.number(zeros)
}

// sequenceSize reads a sequence parameter set up to the size of what is shown.
func (b *bits) sequenceSize() (w, h int) {
	b.number(4)
	layers := b.number(3)
	b.number(1)
	b.at += 96 // profile, tier and level
	var profile, level [8]bool
	for i := range layers {
		profile[i], level[i] = b.number(1) == 1, b.number(1) == 1
	}
	if layers > 0 {
		b.at += 2 * (8 - layers)
	}
	for i := range layers {
		if profile[i] {
			b.at += 88
		}
		if level[i] {
			b.at += 8
		}
	}
	b.golomb()
	stepX, stepY := 1, 1
	switch b.golomb() {
	case 1:
		stepX, stepY = 2, 2
	case 2:
		stepX = 2
	case 3:
		b.number(1)
	}
	w, h = b.golomb(), b.golomb()
	if b.number(1) == 1 {
		left, right, top, bottom := b.golomb(), b.golomb(), b.golomb(), b.golomb()
		w -= stepX * (left + right)
		h -= stepY * (top + bottom)
	}
	return w, h
}
