package photo

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// withThumbnail is a TIFF block with an orientation of 6 and that thumbnail.
func withThumbnail(jpeg []byte) []byte {
	le := binary.LittleEndian
	entry := func(b []byte, tag, kind uint16, value uint32) []byte {
		return le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(b, tag), kind), 1), value)
	}
	b := []byte("II*\x00\x08\x00\x00\x00\x01\x00")
	b = le.AppendUint32(entry(b, 0x0112, 3, 6), 26)
	b = le.AppendUint16(b, 2)
	b = entry(b, 0x0201, 4, 56)
	b = le.AppendUint32(entry(b, 0x0202, 4, uint32(len(jpeg))), 0)
	return append(b, jpeg...)
}

func TestThumbnail(t *testing.T) {
	shown := scene(120, 160)
	small := stored(shown, 6) // 160×120
	of := func(thumb []byte) []byte {
		return withSegments(jpegOf(t, scene(800, 600), 80), appendSegment(nil, markAPP1, append([]byte(exifPrefix), withThumbnail(thumb)...)))
	}
	got := Thumbnail(of(jpegOf(t, small, 95)), Limits{})
	if got == nil {
		t.Fatal("none")
	}
	if p := psnr(t, got, shown); p < 25 {
		t.Errorf("%.1f dB", p)
	}
	for name, data := range map[string][]byte{
		"none":             jpegOf(t, scene(80, 60), 80),
		"tiny":             of(jpegOf(t, scene(80, 60), 80)),
		"other shape":      of(jpegOf(t, scene(160, 90), 80)),
		"damaged":          of(bytes.Repeat([]byte{0xFF, 0xD8}, 40)),
		"bomb":             of(jpegBomb(t, 40000, 30000)),
		"photo is damaged": of(jpegOf(t, small, 95))[:9000],
	} {
		if Thumbnail(data, Limits{}) != nil {
			t.Errorf("%s: a thumbnail", name)
		}
	}
}
