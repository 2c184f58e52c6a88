package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// header is what the parsers of the kinds find out: the stored size, before orientation, and where
// the EXIF block is.
type header struct {
	kind          Kind
	width, height int
	exif          []byte // TIFF block, nil if none
	progressive   bool
	components    int          // JPEG: 1, 3 or 4
	adobe         bool         // JPEG: has an Adobe APP14 segment
	scanAt        int64        // JPEG: where the entropy-coded data begin
	minBytes      int64        // the least number of bytes that the pixels can take, from scanAt
	size          int64        // of the file
	buffered      bool         // JPEG: several scans, so that all coefficients are held in memory
	blocks        int64        // JPEG: 8×8 blocks of all components, in whole MCUs
	pixelBytes    int          // PNG: bytes that a pixel takes while decoding
	mcuW, mcuH    int          // JPEG: pixels of an MCU
	still         []byte       // WebP: the first picture of an animation, as a file of its own
	icc           []byte       // the embedded profile, nil if none
	nclx          *codedColour // HEIC: what its planes mean, nil if not said
	seenW, seenH  int          // HEIC: the size after its transformations
	colour        colour
}

// Inspect reads the header of a photo and looks, cheaply, whether its end is there (a JPEG's EOI,
// a PNG's IEND, the length a WebP declares). It reserves no memory for pixels. r is read at random
// places below size.
//
// The Info is filled as far as it could be read, also beside an error.
func Inspect(r io.ReaderAt, size int64, lim Limits) (Info, error) {
	_, info, err := inspect(r, size, lim)
	if err != nil {
		return info, fmt.Errorf("inspect photo: %w", err)
	}
	return info, nil
}

func inspect(r io.ReaderAt, size int64, lim Limits) (header, Info, error) {
	lim = lim.orDefault()
	info := Info{Orientation: 1, Bytes: size}
	if size <= 0 {
		return header{}, info, ErrEmpty
	}
	kind, err := sniff(r, size)
	info.Kind = kind
	if err != nil {
		return header{}, info, err
	}
	if size > lim.Bytes {
		return header{}, info, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, lim.Bytes)
	}
	var h header
	switch kind {
	case JPEG:
		h, err = readJPEGHeader(r, size)
	case PNG:
		h, err = readPNGHeader(r, size)
	case WebP:
		h, err = readWebPHeader(r, size)
	case HEIC:
		h, err = readHEICHeader(r, size, lim)
	}
	if err != nil {
		return header{}, info, err
	}
	h.kind, h.size = kind, size
	info.Progressive = h.progressive
	info.Width, info.Height = h.width, h.height
	if err := lim.admit(h.width, h.height); err != nil {
		return header{}, info, err
	}
	h.colour = readColour(h)
	info.Profile, info.ColourUnknown = h.colour.name, h.colour.unknown
	if h.exif != nil {
		m := readEXIF(h.exif)
		info.Orientation, info.CapturedAt, info.Camera = m.orientation, m.capturedAt, m.camera
		if kind == HEIC {
			info.Orientation = 1
		}
		if info.Orientation >= 5 {
			info.Width, info.Height = h.height, h.width
		}
	}
	if kind == HEIC {
		info.Width, info.Height = h.seenW, h.seenH
	}
	info.Memory = h.reserve(h.width, h.height, info.Orientation >= 5)
	return h, info, checkEnd(r, size, h)
}

// admit refuses dimensions that are empty or over the limits.
func (l Limits) admit(w, h int) error {
	switch {
	case w <= 0 || h <= 0:
		return fmt.Errorf("%w: %d×%d pixels", ErrUnreadable, w, h)
	case w > l.Side || h > l.Side || int64(w)*int64(h) > l.Pixels:
		return fmt.Errorf("%w: %d×%d pixels, at most %d pixels and %d a side", ErrTooLarge, w, h, l.Pixels, l.Side)
	}
	return nil
}

// pngMagic is the eight bytes every PNG begins with.
const pngMagic = "\x89PNG\r\n\x1a\n"

// sniff finds the kind by the first bytes. Pictures that are known but not read are ErrUnsupported;
// a file that ends inside a magic number is ErrTruncated.
func sniff(r io.ReaderAt, size int64) (Kind, error) {
	var buf [16]byte
	n := int(min(size, int64(len(buf))))
	if err := readFull(r, buf[:n], 0); err != nil {
		return "", err
	}
	b := buf[:n]
	at := func(off int, magic string) bool {
		return len(b) >= off+len(magic) && string(b[off:off+len(magic)]) == magic
	}
	switch {
	case at(0, "\xff\xd8\xff"):
		return JPEG, nil
	case at(0, pngMagic):
		return PNG, nil
	case at(0, "RIFF") && at(8, "WEBP"):
		return WebP, nil
	case at(4, "ftyp"):
		for _, brand := range []string{"heic", "heix", "hevc", "heim", "heis", "hevm", "hevs", "mif1", "msf1"} {
			if at(8, brand) {
				return HEIC, nil
			}
		}
		if at(8, "avif") || at(8, "avis") || at(8, "crx ") {
			return "", ErrUnsupported
		}
		return "", ErrNotPhoto
	case at(0, "GIF8"), at(0, "II*\x00"), at(0, "MM\x00*"), at(0, "FUJIFILM"), at(0, "IIRO"), at(0, "IIU\x00"),
		at(0, "BM") && at(6, "\x00\x00\x00\x00"), at(0, "\xff\x0a"), at(0, "\x00\x00\x00\x0cJXL "):
		return "", ErrUnsupported
	}
	for _, magic := range []string{"\xff\xd8\xff", pngMagic, "RIFF"} {
		if len(b) < len(magic) && magic[:len(b)] == string(b) {
			return "", ErrTruncated
		}
	}
	if len(b) < 12 && at(0, "RIFF") {
		return "", ErrTruncated
	}
	return "", ErrNotPhoto
}

// readFull fills b from offset off; a short read is ErrTruncated.
func readFull(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return fmt.Errorf("read photo at %d: %w", off, err)
}

// checkEnd looks whether the file goes to its end.
func checkEnd(r io.ReaderAt, size int64, h header) error {
	if size-h.scanAt < h.minBytes {
		// Not even one bit a block: no need to look further, nor to reserve memory for it.
		return fmt.Errorf("%w: %d bytes cannot hold %d×%d pixels", ErrTruncated, size, h.width, h.height)
	}
	switch h.kind {
	case JPEG:
		return findLast(r, size, h.scanAt, size, []byte{0xFF, 0xD9})
	case PNG:
		return findLast(r, size, max(h.scanAt, size-64<<10), size, []byte("\x00\x00\x00\x00IEND"))
	}
	return nil // WebP: the header check compared the declared length
}

// findLast looks for mark in [from, to), from the end, because that is where it should be.
func findLast(r io.ReaderAt, size, from, to int64, mark []byte) error {
	const step = 64 << 10
	buf := make([]byte, 0, step+len(mark))
	// The last bytes of a sound file are the mark itself: one small read.
	for chunk := int64(32); to > from; chunk = step {
		start := max(from, to-chunk)
		buf = buf[:min(to+int64(len(mark))-1, size)-start]
		if err := readFull(r, buf, start); err != nil {
			return err
		}
		if bytes.Contains(buf, mark) {
			return nil
		}
		to = start
	}
	return fmt.Errorf("%w: its end is missing", ErrTruncated)
}

// readPNGHeader walks the chunks up to the pixels.
func readPNGHeader(r io.ReaderAt, size int64) (header, error) {
	var h header
	var b [8 + 13]byte
	off := int64(len(pngMagic))
	if err := readFull(r, b[:], off); err != nil {
		return h, err
	}
	if string(b[4:8]) != "IHDR" || binary.BigEndian.Uint32(b[:]) != 13 {
		return h, fmt.Errorf("%w: no IHDR", ErrUnreadable)
	}
	w, ht := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	if w > 1<<30 || ht > 1<<30 {
		return h, fmt.Errorf("%w: %d×%d pixels", ErrTooLarge, w, ht)
	}
	h.width, h.height = int(w), int(ht)
	channels := map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[b[17]]
	// Deflate cannot expand by more than 1032.
	h.minBytes = int64(w) * int64(ht) / 8 * int64(b[16]) / 1032 * channels
	// The decoder's picture (palettes and grey are small, 16 bits large), once more when interlaced,
	// and the packed copy's source.
	h.pixelBytes = max(4, int(channels)*int(b[16])/8) + 4
	if b[16] == 16 {
		h.pixelBytes = 8 + 4
	}
	if b[20] != 0 {
		h.pixelBytes *= 2
	}
	off += 8 + 13 + 4
	for range 4096 {
		if err := readFull(r, b[:8], off); err != nil {
			return h, err
		}
		length, name := int64(binary.BigEndian.Uint32(b[:])), string(b[4:8])
		if name == "iCCP" && h.icc == nil && length > 0 && length <= maxICC {
			chunk := make([]byte, min(length, size-off-8))
			if err := readFull(r, chunk, off+8); err != nil {
				return h, err
			}
			h.icc = inflateICC(chunk)
		}
		if name == "eXIf" && h.exif == nil && length > 0 && length <= 1<<20 {
			exif := make([]byte, min(length, size-off-8))
			if err := readFull(r, exif, off+8); err != nil {
				return h, err
			}
			h.exif = exif
		}
		if name == "IDAT" || name == "IEND" {
			h.scanAt = off
			return h, nil
		}
		off += 8 + length + 4
	}
	return h, fmt.Errorf("%w: no pixels", ErrUnreadable)
}

// readWebPHeader walks the RIFF chunks.
func readWebPHeader(r io.ReaderAt, size int64) (header, error) {
	var h header
	var b [18]byte
	if err := readFull(r, b[:12], 0); err != nil {
		return h, err
	}
	end := int64(binary.LittleEndian.Uint32(b[4:])) + 8
	if end > size {
		return h, fmt.Errorf("%w: %d of %d bytes", ErrTruncated, size, end)
	}
	off, found := int64(12), false
	var canvasW, canvasH int
	var err error
	for range 4096 {
		if off+8 > end {
			break
		}
		n := min(int64(len(b)), end-off)
		if err := readFull(r, b[:n], off); err != nil {
			return h, err
		}
		length := int64(binary.LittleEndian.Uint32(b[4:]))
		body := b[8:n]
		switch name := string(b[:4]); {
		case name == "VP8 " && len(body) >= 10 && !found:
			h.width, h.height = int(binary.LittleEndian.Uint16(body[6:]))&0x3fff, int(binary.LittleEndian.Uint16(body[8:]))&0x3fff
			found = true
		case name == "VP8L" && len(body) >= 5 && !found:
			v := binary.LittleEndian.Uint32(body[1:])
			h.width, h.height = int(v&0x3fff)+1, int(v>>14&0x3fff)+1
			found = true
		case name == "VP8X" && len(body) >= 10:
			canvasW, canvasH = 1+int(uint24(body[4:])), 1+int(uint24(body[7:]))
		case name == "ANMF" && !found:
			if length < 16 || length > end-off-8 {
				return h, fmt.Errorf("%w: animation frame of %d bytes", ErrUnreadable, length)
			}
			frame := make([]byte, length)
			if err := readFull(r, frame, off+8); err != nil {
				return h, err
			}
			if h.still, err = stillOf(frame, canvasW, canvasH); err != nil {
				return h, err
			}
			h.width, h.height = canvasW, canvasH
			found = true
		case name == "ICCP" && h.icc == nil && length > 0 && length <= maxICC:
			icc := make([]byte, min(length, end-off-8))
			if err := readFull(r, icc, off+8); err != nil {
				return h, err
			}
			h.icc = icc
		case name == "EXIF" && h.exif == nil && length > 0 && length <= 1<<20:
			exif := make([]byte, min(length, end-off-8))
			if err := readFull(r, exif, off+8); err != nil {
				return h, err
			}
			h.exif = bytes.TrimPrefix(exif, []byte(exifPrefix))
		}
		off += 8 + length + length&1
	}
	if !found {
		return h, fmt.Errorf("%w: no picture in the WebP file", ErrUnreadable)
	}
	return h, nil
}

func uint24(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 }

// stillOf makes a file of the first frame of an animation, if that covers the whole canvas.
func stillOf(frame []byte, canvasW, canvasH int) ([]byte, error) {
	x, y := uint24(frame), uint24(frame[3:])
	w, h := 1+int(uint24(frame[6:])), 1+int(uint24(frame[9:]))
	if x != 0 || y != 0 || w != canvasW || h != canvasH {
		return nil, fmt.Errorf("%w: animated WebP whose first frame is a part", ErrUnsupported)
	}
	flags := byte(0)
	body := frame[16:]
	if bytes.HasPrefix(body, []byte("ALPH")) {
		flags = 0x10
	}
	out := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), flags, 0, 0, 0)
	out = append(out, frame[6:12]...)
	out = append(out, body...)
	if len(out)%2 == 1 {
		out = append(out, 0)
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out, nil
}
