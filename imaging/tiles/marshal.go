package tiles

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"

	"flawmark/app/qc"
)

// The stored form: magic and version; the file's SHA-256 and size; the orientation; the tables, as a
// JPEG header with its length; for each chunk its bits, its sum, and its DC predictors against those
// of the chunk above (they differ less than neighbours, which lie 16 times as far apart); at the end
// a CRC-32C of everything before it. Numbers are varints.
const (
	magic   = "FMtiles"
	version = 1
)

// maxHeader is more than the tables of a photo take: 8 Huffman and 4 quantisation tables.
const maxHeader = 4096

// MarshalBinary makes the stored form, about 6 bytes for 16 MCUs.
func (x *Index) MarshalBinary() ([]byte, error) {
	sum, err := hex.DecodeString(string(x.digest))
	if err != nil {
		return nil, fmt.Errorf("store index of photo %.12s: %w", x.digest, err)
	}
	h := &x.head
	head := h.append(nil, h.width, h.height, h.restart)
	out := append([]byte(magic), version)
	out = append(out, sum...)
	out = binary.AppendUvarint(out, uint64(x.size))
	out = append(out, byte(x.orientation))
	out = binary.AppendUvarint(out, uint64(len(head)))
	out = append(out, head...)
	out = binary.AppendUvarint(out, x.entries[0].pos)
	chunks := h.chunks()
	for i, e := range x.entries[:len(x.entries)-1] {
		out = binary.AppendUvarint(out, x.entries[i+1].pos-e.pos)
		out = binary.LittleEndian.AppendUint16(out, e.sum)
		var above entry
		if i >= chunks {
			above = x.entries[i-chunks]
		}
		for c := range h.comps {
			out = binary.AppendVarint(out, int64(e.dc[c])-int64(above.dc[c]))
		}
	}
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(out, castagnoli)), nil
}

// Unmarshal reads the stored form of the index of the photo with that digest and size. An index of
// another photo is [ErrMismatch]; a damaged one, or one of another version, [ErrCorrupt]: build it
// again.
func Unmarshal(stored []byte, digest qc.Digest, size int64) (*Index, error) {
	x, err := unmarshal(stored, digest, size)
	if err != nil {
		return nil, fmt.Errorf("read index of photo %.12s: %w", digest, err)
	}
	return x, nil
}

func unmarshal(stored []byte, digest qc.Digest, size int64) (*Index, error) {
	const fixed = len(magic) + 1 + 32
	if len(stored) < fixed+4 || string(stored[:len(magic)]) != magic {
		return nil, ErrCorrupt
	}
	if v := stored[len(magic)]; v != version {
		return nil, fmt.Errorf("%w: version %d", ErrCorrupt, v)
	}
	body, sum := stored[:len(stored)-4], binary.LittleEndian.Uint32(stored[len(stored)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, fmt.Errorf("%w: its checksum is wrong", ErrCorrupt)
	}
	x := &Index{digest: qc.Digest(hex.EncodeToString(body[fixed-32 : fixed])), size: size}
	r := fields{rest: body[fixed:]}
	if was := r.number(1 << 62); !r.bad && (x.digest != digest || int64(was) != size) {
		return nil, fmt.Errorf("%w: it is of %.12s, %d bytes", ErrMismatch, x.digest, was)
	}
	x.orientation = int(r.take(1)[0])
	head := r.take(r.number(maxHeader))
	if r.bad || x.orientation < 1 || x.orientation > 8 {
		return nil, ErrCorrupt
	}
	h, err := readHeader(head)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrCorrupt, err.Error())
	}
	if h.scanAt != len(head) {
		return nil, ErrCorrupt
	}
	x.head = *h
	if err := x.readEntries(&r); err != nil {
		return nil, err
	}
	x.layout = h.layout()
	return x, nil
}

func (x *Index) readEntries(r *fields) error {
	h := &x.head
	chunks := h.chunks()
	n := chunks * h.rows
	if len(r.rest) < n*(3+len(h.comps)) {
		return fmt.Errorf("%w: it is too short", ErrCorrupt)
	}
	x.entries = make([]entry, n+1)
	pos, last := r.number(1<<62), uint64(x.size)*8
	for i := range x.entries {
		e := &x.entries[i]
		e.pos = pos
		if r.bad || pos > last {
			return ErrCorrupt
		}
		if i == n {
			break
		}
		step := r.number(8 * maxChunkBytes)
		if step == 0 {
			return ErrCorrupt
		}
		pos += step
		e.sum = binary.LittleEndian.Uint16(r.take(2))
		var above entry
		if i >= chunks {
			above = x.entries[i-chunks]
		}
		for c := range h.comps {
			dc := r.signed() + int64(above.dc[c])
			if dc < -dcCeiling || dc >= dcCeiling {
				return ErrCorrupt
			}
			e.dc[c] = int16(dc)
		}
	}
	if len(r.rest) > 0 {
		return ErrCorrupt
	}
	return nil
}

// fields reads numbers from untrusted bytes; after a failure it is bad and gives zeros.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) number(most int64) uint64 {
	v, n := binary.Uvarint(f.rest)
	if n <= 0 || v > uint64(most) {
		f.bad, f.rest = true, nil
		return 0
	}
	f.rest = f.rest[n:]
	return v
}

func (f *fields) signed() int64 {
	v, n := binary.Varint(f.rest)
	if n <= 0 || v > 1<<16 || v < -1<<16 {
		f.bad, f.rest = true, nil
		return 0
	}
	f.rest = f.rest[n:]
	return v
}

// take gives the next n bytes. n is small: bounded by the caller.
func (f *fields) take(n uint64) []byte {
	if uint64(len(f.rest)) < n {
		f.bad, f.rest = true, nil
		return make([]byte, n)
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}
