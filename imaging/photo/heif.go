package photo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// A HEIC file is a tree of boxes. This reader takes from it what must be known before any decoder
// sees the bytes: the sizes that it claims, how the picture is turned, where its data lie, and the
// EXIF block and colours.
const (
	maxBoxes    = 4096
	maxHEIFMeta = 2 << 20
)

// box is the body of one box, with its four-letter name.
type box struct {
	name string
	body []byte
}

// eachBox walks the boxes in b; a damaged one ends the walk with an error.
func eachBox(b []byte, visit func(box) error) error {
	for range maxBoxes {
		if len(b) < 8 {
			return nil
		}
		n, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
		name := string(b[4:8])
		switch n {
		case 0:
			n = uint64(len(b))
		case 1:
			if len(b) < 16 {
				return damagedBox(name)
			}
			n, head = binary.BigEndian.Uint64(b[8:]), 16
		}
		if n < head || n > uint64(len(b)) {
			return damagedBox(name)
		}
		if err := visit(box{name, b[head:n]}); err != nil {
			return err
		}
		b = b[n:]
	}
	return fmt.Errorf("%w: too many boxes", ErrUnreadable)
}

func damagedBox(name string) error { return fmt.Errorf("%w: box %q", ErrUnreadable, name) }

// heif is what the meta box says.
type heif struct {
	primary    uint64
	kinds      map[uint64]string
	places     map[uint64][]extent
	inside     map[uint64]extent // items that lie in idat
	idat       []byte
	properties []box
	owned      map[uint64][]int // item → properties, counted from 1, in their order
}

// extent is a part of the file.
type extent struct{ off, length uint64 }

// readHEICHeader walks the top level, then the meta box.
func readHEICHeader(r io.ReaderAt, size int64, lim Limits) (header, error) {
	var h header
	var meta []byte
	off := int64(0)
	for n := 0; off+8 <= size; n++ {
		if n >= maxBoxes {
			return h, fmt.Errorf("%w: too many boxes", ErrUnreadable)
		}
		var b [16]byte
		if err := readFull(r, b[:min(16, size-off)], off); err != nil {
			return h, err
		}
		length, head := int64(binary.BigEndian.Uint32(b[:])), int64(8)
		switch length {
		case 0:
			length = size - off
		case 1:
			length, head = int64(binary.BigEndian.Uint64(b[8:])), 16
		}
		name := string(b[4:8])
		if name == "\x00\x00\x00\x00" && meta == nil {
			return h, fmt.Errorf("%w: zeros where the picture should be", ErrTruncated)
		}
		if length < head {
			return h, damagedBox(name)
		}
		if length > size-off {
			return h, fmt.Errorf("%w: in box %q", ErrTruncated, name)
		}
		if name == "meta" && meta == nil {
			if length > maxHEIFMeta || length < head+4 {
				return h, damagedBox(name)
			}
			meta = make([]byte, length-head)
			if err := readFull(r, meta, off+head); err != nil {
				return h, err
			}
		}
		off += length
	}
	if meta == nil {
		return h, fmt.Errorf("%w: no description of the picture", ErrTruncated)
	}
	f := heif{kinds: map[uint64]string{}, places: map[uint64][]extent{}, owned: map[uint64][]int{}, inside: map[uint64]extent{}}
	if err := eachBox(meta[4:], f.take); err != nil {
		return h, err
	}
	for _, places := range f.places {
		for _, e := range places {
			if e.off > uint64(size) || e.length > uint64(size)-e.off {
				return h, fmt.Errorf("%w: its pixels lie beyond its end", ErrTruncated)
			}
		}
	}
	if kind := f.kinds[f.primary]; kind != "hvc1" && kind != "grid" {
		return h, fmt.Errorf("%w: picture coded as %q", ErrUnsupported, kind)
	}
	if err := f.describe(&h, lim); err != nil {
		return h, err
	}
	if err := f.checkGrid(h, r); err != nil {
		return h, err
	}
	if err := f.checkCoded(); err != nil {
		return h, err
	}
	return h, f.readEXIF(&h, r)
}

// take reads a child of the meta box.
func (f *heif) take(b box) error {
	c := cursor{b: b.body}
	switch b.name {
	case "pitm":
		version := c.full()
		f.primary = c.sized(version > 0)
	case "iinf":
		version := c.full()
		c.sized(version > 0)
		if c.bad {
			break
		}
		return eachBox(c.b, func(e box) error {
			c := cursor{b: e.body}
			version := c.full()
			if e.name != "infe" || version < 2 {
				return nil
			}
			id := c.sized(version > 2)
			c.number(2)
			if kind := c.bytes(4); !c.bad {
				f.kinds[id] = string(kind)
			}
			return nil
		})
	case "iloc":
		f.locate(&c)
	case "idat":
		f.idat = b.body
	case "iprp":
		return eachBox(b.body, func(e box) error {
			switch e.name {
			case "ipco":
				return eachBox(e.body, func(p box) error {
					f.properties = append(f.properties, p)
					return nil
				})
			case "ipma":
				c := cursor{b: e.body}
				f.associate(&c)
				if c.bad {
					return damagedBox(e.name)
				}
			}
			return nil
		})
	}
	if c.bad {
		return damagedBox(b.name)
	}
	return nil
}

// locate reads iloc; items made of other items are left out.
func (f *heif) locate(c *cursor) {
	version := c.full()
	sizes := c.number(2)
	offSize, lenSize, baseSize, indexSize := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	if version == 0 {
		indexSize = 0
	}
	items := c.sized(version > 1)
	for i := uint64(0); i < items && !c.bad; i++ {
		id := c.sized(version > 1)
		method := uint64(0)
		if version > 0 {
			method = c.number(2) & 15
		}
		c.number(2)
		base := c.number(baseSize)
		n := c.number(2)
		for e := uint64(0); e < n && !c.bad; e++ {
			c.number(indexSize)
			off, length := c.number(offSize), c.number(lenSize)
			switch {
			case c.bad:
			case method == 0:
				f.places[id] = append(f.places[id], extent{base + off, length})
			case method == 1:
				f.inside[id] = extent{base + off, length}
			}
		}
	}
}

// associate reads ipma.
func (f *heif) associate(c *cursor) {
	version := c.full()
	wide := c.flags&1 == 1
	items := c.number(4)
	for i := uint64(0); i < items && !c.bad; i++ {
		id := c.sized(version > 0)
		n := c.number(1)
		for j := uint64(0); j < n && !c.bad; j++ {
			if wide {
				f.owned[id] = append(f.owned[id], int(c.number(2)&0x7fff))
			} else {
				f.owned[id] = append(f.owned[id], int(c.number(1)&0x7f))
			}
		}
	}
}

// describe takes the size, the turns and the colours of the primary picture. Every size in the file
// must keep to the limits, since the decoder may look at parts of the picture, too.
func (f *heif) describe(h *header, lim Limits) error {
	for _, p := range f.properties {
		if p.name != "ispe" {
			continue
		}
		if w, ht, ok := p.extent(); !ok || w > 1<<30 || ht > 1<<30 {
			return damagedBox(p.name)
		} else if err := lim.admit(w, ht); err != nil {
			return err
		}
	}
	for _, index := range f.owned[f.primary] {
		if index < 1 || index > len(f.properties) {
			continue
		}
		p := f.properties[index-1]
		c := cursor{b: p.body}
		switch p.name {
		case "ispe":
			h.width, h.height, _ = p.extent()
			h.seenW, h.seenH = h.width, h.height
		case "irot":
			if c.number(1)&1 == 1 {
				h.seenW, h.seenH = h.seenH, h.seenW
			}
		case "clap":
			wn, wd, hn, hd := c.number(4), c.number(4), c.number(4), c.number(4)
			if c.bad || wd == 0 || hd == 0 {
				return damagedBox(p.name)
			}
			w, ht := int((wn+wd/2)/wd), int((hn+hd/2)/hd)
			if w < 1 || ht < 1 || w > h.seenW || ht > h.seenH {
				return damagedBox(p.name)
			}
			h.seenW, h.seenH = w, ht
		case "colr":
			switch kind := string(c.bytes(4)); {
			case (kind == "prof" || kind == "rICC") && len(c.b) <= maxICC:
				h.icc = c.b
			case kind == "nclx":
				n := codedColour{uint16(c.number(2)), uint16(c.number(2)), uint16(c.number(2)), c.number(1)>>7 == 1}
				if !c.bad {
					h.nclx = &n
				}
			}
		}
	}
	if h.width == 0 || h.height == 0 {
		return fmt.Errorf("%w: no size", ErrUnreadable)
	}
	return nil
}

// checkGrid compares the size of a picture made of tiles with what its own description says. A size
// that its tiles do not fill would show memory of the decoder.
func (f *heif) checkGrid(h header, r io.ReaderAt) error {
	if f.kinds[f.primary] != "grid" {
		return nil
	}
	var b []byte
	if e, ok := f.inside[f.primary]; ok {
		if e.off > uint64(len(f.idat)) || e.length > uint64(len(f.idat))-e.off {
			return damagedBox("idat")
		}
		b = f.idat[e.off:][:e.length]
	} else if places := f.places[f.primary]; len(places) == 1 && places[0].length <= 64 {
		b = make([]byte, places[0].length)
		if err := readFull(r, b, int64(places[0].off)); err != nil {
			return err
		}
	}
	c := cursor{b: b}
	c.number(1)
	wide := c.number(1)&1 == 1
	rows, columns := int(c.number(1))+1, int(c.number(1))+1
	w, ht := int(c.sized(wide)), int(c.sized(wide))
	if c.bad || w != h.width || ht != h.height {
		return damagedBox("grid")
	}
	tileW, tileH := 0, 0
	for _, p := range f.properties {
		if pw, ph, ok := p.extent(); p.name == "ispe" && ok && (pw != w || ph != ht || rows*columns == 1) {
			tileW, tileH = max(tileW, pw), max(tileH, ph)
		}
	}
	if rows*columns > 1 && (tileW*columns < w || tileH*rows < ht) {
		return damagedBox("grid")
	}
	return nil
}

func (p box) extent() (w, h int, ok bool) {
	c := cursor{b: p.body}
	c.full()
	w, h = int(c.number(4)), int(c.number(4))
	return w, h, !c.bad
}

// readEXIF fetches the EXIF item, if there is one in one piece.
func (f *heif) readEXIF(h *header, r io.ReaderAt) error {
	for id, kind := range f.kinds {
		places := f.places[id]
		if kind != "Exif" || len(places) != 1 || places[0].length < 5 || places[0].length > 1<<20 {
			continue
		}
		b := make([]byte, places[0].length)
		if err := readFull(r, b, int64(places[0].off)); err != nil {
			return err
		}
		// The first four bytes say how far behind them the TIFF block begins.
		if skip := uint64(binary.BigEndian.Uint32(b)); skip < uint64(len(b)-4) {
			h.exif = bytes.TrimPrefix(b[4+skip:], []byte(exifPrefix))
		}
		return nil
	}
	return nil
}

// cursor reads numbers off a body; after a read past the end everything is zero and bad is set.
type cursor struct {
	b     []byte
	flags uint64
	bad   bool
}

func (c *cursor) bytes(n int) []byte {
	if n > len(c.b) {
		c.bad, c.b = true, nil
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) number(size int) (v uint64) {
	if size > 8 {
		c.bad = true
		return 0
	}
	for _, b := range c.bytes(size) {
		v = v<<8 | uint64(b)
	}
	return v
}

// sized is a number of four bytes, or of two.
func (c *cursor) sized(wide bool) uint64 {
	if wide {
		return c.number(4)
	}
	return c.number(2)
}

// full reads the version and flags that begin most boxes.
func (c *cursor) full() (version uint64) {
	v := c.number(4)
	c.flags = v & 0xffffff
	return v >> 24
}
