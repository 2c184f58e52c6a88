package photo

import (
	"bytes"
	"encoding/binary"
	"image"
)

// LibJPEG tells whether JPEGs go through libjpeg-turbo, so that a scaled decode is cheap.
const LibJPEG = !pureJPEG

// minThumbnail is the least longer side of an embedded thumbnail worth showing.
const minThumbnail = 120

// Thumbnail is the small picture that a camera puts into the EXIF block, oriented, its colours as in
// the photo: pixels within a millisecond, to show until better ones are there. It is nil when there is
// none, or one that is tiny or of another shape than the photo (with black bars, or from before it was
// cut). It is the camera's word: never store it for the photo.
func Thumbnail(data []byte, lim Limits) *image.RGBA {
	h, info, err := inspect(bytes.NewReader(data), int64(len(data)), lim)
	if err != nil || h.kind == HEIC {
		return nil
	}
	inner := exifThumbnail(h.exif)
	if inner == nil {
		return nil
	}
	img, small, err := Decode(inner, Limits{Bytes: 1 << 20, Pixels: 1 << 20, Side: 2048, Memory: 64 << 20})
	if err != nil || small.Orientation != 1 || max(small.Width, small.Height) < minThumbnail {
		return nil
	}
	a, b := int64(small.Width)*int64(h.height), int64(small.Height)*int64(h.width)
	if off := max(a, b) - min(a, b); off*50 > max(a, b) {
		return nil
	}
	if small.Profile == "" {
		h.colour.convert.apply(img)
	}
	return orient(img, info.Orientation)
}

// exifThumbnail finds the JPEG that the second directory of a TIFF block points to.
func exifThumbnail(tiff []byte) []byte {
	var order binary.ByteOrder
	switch {
	case len(tiff) < 8:
		return nil
	case string(tiff[:4]) == "II*\x00":
		order = binary.LittleEndian
	case string(tiff[:4]) == "MM\x00*":
		order = binary.BigEndian
	default:
		return nil
	}
	size := uint64(len(tiff))
	at := uint64(order.Uint32(tiff[4:]))
	for directory := range 2 {
		if at < 8 || at+2 > size {
			return nil
		}
		n := uint64(order.Uint16(tiff[at:]))
		end := at + 2 + 12*n
		if end+4 > size {
			return nil
		}
		if directory == 0 {
			at = uint64(order.Uint32(tiff[end:]))
			continue
		}
		var off, length uint64
		for e := at + 2; e < end; e += 12 {
			switch order.Uint16(tiff[e:]) {
			case 0x0201:
				off = uint64(order.Uint32(tiff[e+8:]))
			case 0x0202:
				length = uint64(order.Uint32(tiff[e+8:]))
			}
		}
		if length >= 4 && off >= 8 && off+length <= size {
			return tiff[off : off+length]
		}
	}
	return nil
}
