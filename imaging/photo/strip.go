package photo

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxKept bounds the header segments held in memory; the largest legal one, an ICC profile in 255
// pieces, fits.
const maxKept = 20 << 20

// StripMetadata copies a JPEG without what it tells beyond the picture: EXIF (place, maker notes,
// embedded thumbnail), XMP, IPTC, MPF, comments and whatever follows the end mark. It keeps what
// the picture needs to look the same: the ICC profile, JFIF, Adobe's colour mark, and a minimal
// EXIF block with the orientation alone, if it is not 1. The compressed picture is copied as it
// is, so the pixels stay bit-equal.
//
// It is ErrEmpty, ErrNotPhoto, ErrTruncated or ErrUnreadable when the bytes are no sound JPEG; then w
// may have received a part. Memory is bounded whatever the input.
func StripMetadata(w io.Writer, jpeg io.Reader) error {
	s := stripper{r: bufio.NewReaderSize(jpeg, 64<<10), w: bufio.NewWriterSize(w, 64<<10), orientation: 1}
	err := s.run()
	if err == nil {
		err = s.w.Flush()
	}
	if err != nil {
		return fmt.Errorf("strip metadata: %w", err)
	}
	return nil
}

type stripper struct {
	r           *bufio.Reader
	w           *bufio.Writer
	orientation int
	oriented    bool   // an EXIF block has been read
	jfif        []byte // the rewritten JFIF segment, nil if none
	kept        []byte // the segments before the first scan, as they go out
}

func (s *stripper) run() error {
	var soi [2]byte
	switch n, err := io.ReadFull(s.r, soi[:]); {
	case n == 0 && errors.Is(err, io.EOF):
		return ErrEmpty
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case n < 2 || soi != [2]byte{0xFF, markSOI}:
		return ErrNotPhoto
	}
	scanning, framed := false, false
	mark, err := s.nextMarker(maxStray)
	for segments := 0; err == nil; segments++ {
		if segments > maxSegments {
			return fmt.Errorf("%w: too many segments", ErrUnreadable)
		}
		switch {
		case mark == markEOI:
			if !scanning {
				return fmt.Errorf("%w: no picture before the end mark", ErrUnreadable)
			}
			_, err := s.w.Write([]byte{0xFF, markEOI})
			return err
		case mark == markSOI:
			return fmt.Errorf("%w: a second picture inside", ErrUnreadable)
		case !standsAlone(mark):
			var body []byte
			if body, err = s.segment(); err != nil {
				return err
			}
			framed = framed || isSOF(mark)
			if mark == markSOS && !framed {
				return fmt.Errorf("%w: scan before the frame", ErrUnreadable)
			}
			if err = s.take(mark, body, scanning); err != nil {
				return err
			}
			if mark == markSOS {
				if !scanning {
					scanning = true
					if err = s.writeHeader(); err != nil {
						return err
					}
				}
				mark, err = s.copyScan()
				continue
			}
		}
		mark, err = s.nextMarker(maxStray)
	}
	return err
}

// nextMarker skips fill and stray bytes up to the next marker.
func (s *stripper) nextMarker(stray int) (byte, error) {
	for prev := byte(0); stray >= 0; stray-- {
		b, err := s.readByte()
		if err != nil {
			return 0, err
		}
		if prev == 0xFF && b != 0xFF && b != 0 {
			return b, nil
		}
		prev = b
	}
	return 0, fmt.Errorf("%w: no marker", ErrUnreadable)
}

func (s *stripper) readByte() (byte, error) {
	b, err := s.r.ReadByte()
	if errors.Is(err, io.EOF) {
		err = ErrTruncated
	}
	return b, err
}

// segment reads the body of a segment, without its length.
func (s *stripper) segment() ([]byte, error) {
	var l [2]byte
	if _, err := io.ReadFull(s.r, l[:]); err != nil {
		return nil, ended(err)
	}
	n := int(binary.BigEndian.Uint16(l[:]))
	if n < 2 {
		return nil, fmt.Errorf("%w: segment of %d bytes", ErrUnreadable, n)
	}
	body := make([]byte, n-2)
	_, err := io.ReadFull(s.r, body)
	return body, ended(err)
}

func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return err
}

// take decides about one segment: it goes to the kept ones, straight out when the scans have
// begun, or nowhere.
func (s *stripper) take(mark byte, body []byte, scanning bool) error {
	switch {
	case mark == markAPP1:
		if bytes.HasPrefix(body, []byte(exifPrefix)) && !s.oriented {
			s.orientation = readEXIF(body[len(exifPrefix):]).orientation
			s.oriented = true
		}
		return nil
	case mark == markAPP0:
		if len(body) >= 14 && string(body[:5]) == "JFIF\x00" && s.jfif == nil && !scanning {
			j := bytes.Clone(body[:14])
			j[12], j[13] = 0, 0 // no thumbnail
			s.jfif = appendSegment(nil, mark, j)
		}
		return nil
	case mark == markAPP2:
		if !bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")) {
			return nil
		}
	case mark == markAPP14:
		if len(body) < 12 || string(body[:5]) != "Adobe" {
			return nil
		}
		body = body[:12]
	case mark > markAPP0 && mark <= markAPP15:
		return nil
	case isSOF(mark), mark == markDHT, mark == markDQT, mark == markDRI, mark == markDAC, mark == markDNL, mark == markSOS:
	default:
		return nil // comments, reserved codes
	}
	if scanning {
		_, err := s.w.Write(appendSegment(nil, mark, body))
		return err
	}
	if len(s.kept)+len(body)+4 > maxKept {
		return fmt.Errorf("%w: header too long", ErrUnreadable)
	}
	s.kept = appendSegment(s.kept, mark, body)
	return nil
}

func appendSegment(dst []byte, mark byte, body []byte) []byte {
	dst = append(dst, 0xFF, mark)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(body)+2))
	return append(dst, body...)
}

// writeHeader puts out everything up to and with the first scan's header. The orientation is known
// only now, and its place is before the tables.
func (s *stripper) writeHeader() error {
	out := append([]byte{0xFF, markSOI}, s.jfif...)
	if s.orientation != 1 {
		out = appendSegment(out, markAPP1, orientationOnly(s.orientation))
	}
	if _, err := s.w.Write(out); err != nil {
		return err
	}
	_, err := s.w.Write(s.kept)
	s.kept = nil
	return err
}

// orientationOnly is an EXIF block with one entry.
func orientationOnly(orientation int) []byte {
	b := []byte(exifPrefix + "II*\x00\x08\x00\x00\x00" + // little-endian TIFF, first directory at 8
		"\x01\x00" + // one entry
		"\x12\x01\x03\x00\x01\x00\x00\x00") // tag 0x0112, one short
	return append(b, byte(orientation), 0, 0, 0, 0, 0, 0, 0) // its value, no next directory
}

// copyScan copies entropy-coded data up to the next real marker and returns that.
func (s *stripper) copyScan() (byte, error) {
	for {
		chunk, err := s.r.ReadSlice(0xFF)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if _, err := s.w.Write(chunk); err != nil {
				return 0, err
			}
			continue
		case err != nil:
			return 0, ended(err)
		}
		if _, err := s.w.Write(chunk[:len(chunk)-1]); err != nil {
			return 0, err
		}
		b, err := s.readByte()
		fill := 0
		for ; err == nil && b == 0xFF; fill++ {
			b, err = s.readByte()
		}
		if err != nil {
			return 0, err
		}
		if b != 0 && (b < markRST0 || b > markRST7) {
			return b, nil
		}
		// Fill bytes are not legal before data, and decoders differ about them: they stay.
		for range fill + 1 {
			_ = s.w.WriteByte(0xFF) // its error stays with the writer
		}
		if err := s.w.WriteByte(b); err != nil {
			return 0, err
		}
	}
}
