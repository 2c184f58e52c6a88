package photo

import (
	"encoding/binary"
	"fmt"
	"io"
)

// JPEG marker codes, the second byte after 0xFF.
const (
	markSOF0  = 0xC0 // baseline
	markSOF1  = 0xC1 // extended sequential
	markSOF2  = 0xC2 // progressive
	markSOF15 = 0xCF
	markDHT   = 0xC4
	markJPG   = 0xC8
	markDAC   = 0xCC
	markRST0  = 0xD0
	markRST7  = 0xD7
	markSOI   = 0xD8
	markEOI   = 0xD9
	markSOS   = 0xDA
	markDQT   = 0xDB
	markDNL   = 0xDC
	markDRI   = 0xDD
	markAPP0  = 0xE0
	markAPP1  = 0xE1
	markAPP2  = 0xE2
	markAPP14 = 0xEE
	markAPP15 = 0xEF
	markCOM   = 0xFE
	markTEM   = 0x01
)

// exifPrefix begins the APP1 segment (and some WebP chunks) that holds a TIFF block.
const exifPrefix = "Exif\x00\x00"

// A header of more segments or more stray bytes than this is not a camera's.
const (
	maxSegments = 4096
	maxStray    = 4096
	maxScans    = 100 // progressive scripts have about ten; each scan costs a pass over all blocks
)

// isSOF tells whether the marker begins a frame header.
func isSOF(m byte) bool {
	return m >= markSOF0 && m <= markSOF15 && m != markDHT && m != markJPG && m != markDAC
}

// standsAlone tells whether the marker has no length and no body.
func standsAlone(m byte) bool {
	return m == markTEM || m >= markRST0 && m <= markSOI
}

// readJPEGHeader walks the segments up to the first scan.
func readJPEGHeader(r io.ReaderAt, size int64) (header, error) {
	var h header
	var b [4]byte
	framed, stray := false, 0
	var profile iccPieces
	off := int64(2)
	for range maxSegments {
		if err := readFull(r, b[:2], off); err != nil {
			return h, err
		}
		for b[0] != 0xFF || b[1] == 0xFF || b[1] == 0 {
			// Fill bytes are legal; other stray bytes are tolerated, as every decoder does.
			if stray++; stray > maxStray {
				return h, fmt.Errorf("%w: no marker at byte %d", ErrUnreadable, off)
			}
			off++
			b[0] = b[1]
			if err := readFull(r, b[1:2], off+1); err != nil {
				return h, err
			}
		}
		mark := b[1]
		off += 2
		if standsAlone(mark) {
			continue
		}
		if mark == markEOI {
			return h, fmt.Errorf("%w: no picture before the end mark", ErrUnreadable)
		}
		if err := readFull(r, b[:2], off); err != nil {
			return h, err
		}
		length := int64(binary.BigEndian.Uint16(b[:2]))
		if length < 2 {
			return h, fmt.Errorf("%w: segment of %d bytes", ErrUnreadable, length)
		}
		if off+length > size {
			return h, fmt.Errorf("%w: in its header", ErrTruncated)
		}
		body := func() ([]byte, error) {
			p := make([]byte, length-2)
			return p, readFull(r, p, off+2)
		}
		switch {
		case isSOF(mark):
			p, err := body()
			if err != nil {
				return h, err
			}
			if framed {
				return h, fmt.Errorf("%w: two frames", ErrUnreadable)
			}
			framed = true
			if err := h.readFrame(mark, p); err != nil {
				return h, err
			}
		case mark == markSOS:
			if !framed {
				return h, fmt.Errorf("%w: scan before the frame", ErrUnreadable)
			}
			var n [1]byte
			if err := readFull(r, n[:], off+2); err != nil {
				return h, err
			}
			h.buffered = h.progressive || int(n[0]) < h.components
			h.scanAt = off + length
			h.icc = profile.whole()
			return h, nil
		case mark == markAPP1 && h.exif == nil:
			p, err := body()
			if err != nil {
				return h, err
			}
			if len(p) > len(exifPrefix) && string(p[:len(exifPrefix)]) == exifPrefix {
				h.exif = p[len(exifPrefix):]
			}
		case mark == markAPP2 && profile.size+length <= maxICC:
			p, err := body()
			if err != nil {
				return h, err
			}
			profile.add(p)
		case mark == markAPP14 && length >= 14:
			p, err := body()
			if err != nil {
				return h, err
			}
			h.adobe = h.adobe || string(p[:5]) == "Adobe"
		}
		off += length
	}
	return h, fmt.Errorf("%w: too many segments", ErrUnreadable)
}

// readFrame reads a frame header (SOFn), refusing what the decoders do not read.
func (h *header) readFrame(mark byte, p []byte) error {
	if mark > markSOF2 {
		return fmt.Errorf("%w: JPEG process %#x", ErrUnsupported, mark)
	}
	if len(p) < 6 || len(p) < 6+3*int(p[5]) {
		return fmt.Errorf("%w: frame header of %d bytes", ErrUnreadable, len(p))
	}
	if p[0] != 8 {
		return fmt.Errorf("%w: %d-bit JPEG", ErrUnsupported, p[0])
	}
	h.height, h.width = int(binary.BigEndian.Uint16(p[1:])), int(binary.BigEndian.Uint16(p[3:]))
	if h.height == 0 && h.width > 0 {
		return fmt.Errorf("%w: height given after the scan", ErrUnsupported)
	}
	h.components = int(p[5])
	h.progressive = mark == markSOF2
	if h.components != 1 && h.components != 3 && h.components != 4 {
		return fmt.Errorf("%w: %d components", ErrUnsupported, h.components)
	}
	maxH, maxV := 1, 1
	for i := range h.components {
		sh, sv := int(p[7+3*i]>>4), int(p[7+3*i]&15)
		if sh < 1 || sh > 4 || sv < 1 || sv > 4 {
			return fmt.Errorf("%w: sampling %d×%d", ErrUnreadable, sh, sv)
		}
		maxH, maxV = max(maxH, sh), max(maxV, sv)
	}
	// Each 8×8 block takes at least one bit in either process.
	var blocks int64
	for i := range h.components {
		sh, sv := int(p[7+3*i]>>4), int(p[7+3*i]&15)
		cw, ch := ceilDiv(h.width*sh, maxH), ceilDiv(h.height*sv, maxV)
		blocks += int64(ceilDiv(cw, 8)) * int64(ceilDiv(ch, 8))
	}
	h.minBytes = blocks / 8
	h.mcuW, h.mcuH = 8*maxH, 8*maxV
	mcus := int64(ceilDiv(h.width, 8*maxH)) * int64(ceilDiv(h.height, 8*maxV))
	for i := range h.components {
		h.blocks += mcus * int64(p[7+3*i]>>4) * int64(p[7+3*i]&15)
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
