package tiles

import (
	"encoding/binary"
	"io"
)

// maxProfile bounds the colour profile that goes into each tile; those of cameras take 0.5 to 4 kB.
// Larger ones describe printers, in a form that is not applied to pixels either.
const maxProfile = 32 << 10

const markAPP2 = 0xE2

// profile gives the segments of the original that hold its colour profile, nil when it has none.
func (x *Index) profile(src io.ReaderAt) []byte {
	end := int64(x.entries[0].pos >> 3)
	var out []byte
	var head [16]byte
	for at := int64(2); at+4 <= end; {
		n, _ := src.ReadAt(head[:min(16, end-at)], at)
		switch {
		case n < 4:
			return nil
		case head[0] != 0xFF || head[1] == 0xFF || head[1] == 0:
			at++
			continue
		case head[1] == markTEM || head[1] >= markRST0 && head[1] <= markSOI:
			at += 2
			continue
		case head[1] == markSOS || head[1] == markEOI:
			return out
		}
		length := 2 + int64(binary.BigEndian.Uint16(head[2:]))
		if head[1] == markAPP2 && n == 16 && length > 18 && string(head[4:16]) == "ICC_PROFILE\x00" {
			if at+length > end || int64(len(out))+length > maxProfile {
				return nil
			}
			segment := make([]byte, length)
			if n, _ := src.ReadAt(segment, at); n < len(segment) {
				return nil
			}
			out = append(out, segment...)
		}
		at += length
	}
	return out
}

// withProfile puts segments into a JPEG, after its JFIF header if it has one.
func withProfile(tile, segments []byte) []byte {
	if len(segments) == 0 {
		return tile
	}
	at := 2
	if len(tile) > 6 && tile[3] == markAPP0 {
		at = min(4+int(binary.BigEndian.Uint16(tile[4:])), len(tile))
	}
	out := append(make([]byte, 0, len(tile)+len(segments)), tile[:at]...)
	return append(append(out, segments...), tile[at:]...)
}
