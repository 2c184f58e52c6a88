package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"runtime"
	"testing"
)

// rawPNG builds a PNG of rows that are given as they are stored, with further chunks before them.
func rawPNG(w, h uint32, depth, kind byte, rows []byte, chunks ...[]byte) []byte {
	chunk := func(name string, body []byte) []byte {
		out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
		out = append(append(out, name...), body...)
		return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	head = append(head, depth, kind, 0, 0, 0)
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	if h > 0 {
		for row := range h {
			n := uint32(len(rows)) / h
			_, _ = zw.Write(append([]byte{0}, rows[row*n:][:n]...))
		}
	}
	_ = zw.Close()
	out := append([]byte(pngMagic), chunk("IHDR", head)...)
	for _, c := range chunks {
		out = append(out, chunk(string(c[:4]), c[4:])...)
	}
	return append(append(out, chunk("IDAT", z.Bytes())...), chunk("IEND", nil)...)
}

// patchedFrame changes a JPEG's frame header.
func patchedFrame(jpeg []byte, mark byte, change func(frame []byte)) []byte {
	out := bytes.Clone(jpeg)
	i := bytes.Index(out, []byte{0xFF, mark, 0})
	change(out[i:])
	return out
}

// Odd and hostile files: each gives its picture, or says what is wrong.
func TestOddFiles(t *testing.T) {
	base, progressive := jpegOf(t, scene(64, 48), 80), file(t, "video-001.progressive.jpeg")
	size := func(w, h uint16) func([]byte) {
		return func(f []byte) {
			binary.BigEndian.PutUint16(f[5:], h)
			binary.BigEndian.PutUint16(f[7:], w)
		}
	}
	still, _, err := Decode(file(t, "blue-purple-pink.lossless.webp"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	partly := animated(t)
	partly[bytes.Index(partly, []byte("ANMF"))+8] = 1 // the first frame lies 2 pixels to the right
	grey := bytes.Repeat([]byte{100, 255, 100, 0}, 2) // grey and alpha, opaque and clear by turns
	for _, c := range []struct {
		name string
		data []byte
		err  error
		want *image.RGBA // nil: only that there is one
	}{
		{"progressive bomb", patchedFrame(progressive, markSOF2, size(65535, 65535)), ErrTooLarge, nil},
		{"progressive bomb within the limits", patchedFrame(progressive, markSOF2, size(14000, 14000)), ErrTruncated, nil},
		{"baseline bomb", patchedFrame(base, markSOF0, size(65535, 65535)), ErrTooLarge, nil},
		{"more rows than data", patchedFrame(base, markSOF0, size(64, 400)), ErrTruncated, nil},
		{"no width", patchedFrame(base, markSOF0, size(0, 48)), ErrUnreadable, nil},
		{"height after the scan", patchedFrame(base, markSOF0, size(64, 0)), ErrUnsupported, nil},
		{"12 bits", patchedFrame(base, markSOF0, func(f []byte) { f[4] = 12 }), ErrUnsupported, nil},
		{"lossless process", patchedFrame(base, markSOF0, func(f []byte) { f[1] = 0xC3 }), ErrUnsupported, nil},
		{"arithmetic coding", patchedFrame(base, markSOF0, func(f []byte) { f[1] = 0xC9 }), ErrUnsupported, nil},
		{"two components", patchedFrame(base, markSOF0, func(f []byte) { f[9] = 2 }), ErrUnsupported, nil},
		{"sampling of 5", patchedFrame(base, markSOF0, func(f []byte) { f[11] = 0x51 }), ErrUnreadable, nil},
		{"png bomb", pngBomb(t, 50000, 50000), ErrTooLarge, nil},
		{"png without pixels", rawPNG(0, 0, 8, 0, nil), ErrUnreadable, nil},
		{"png of wrong size", rawPNG(4, 9, 8, 0, make([]byte, 9)), ErrUnreadable, nil},
		{"png of grey and alpha", rawPNG(4, 1, 8, 4, grey), nil, row(100, 255, 100, 255)},
		{"png of 16 bits of grey", rawPNG(2, 1, 16, 0, []byte{0x40, 0x80, 0xC0, 0}), nil, row(0x40, 0xC0)},
		{"png of one bit", rawPNG(4, 1, 1, 0, []byte{0b01010000}), nil, row(0, 255, 0, 255)},
		{"palette too short", rawPNG(4, 1, 8, 3, []byte{0, 1, 70, 255}, []byte("PLTE\x09\x09\x09\x20\x20\x20")), nil, row(9, 32, 0, 0)},
		{"animated png", rawPNG(4, 1, 8, 0, []byte{1, 2, 3, 4}, []byte("acTL\x00\x00\x00\x02\x00\x00\x00\x00")), nil, row(1, 2, 3, 4)},
		{"animated webp", animated(t), nil, still},
		{"animated webp, first frame a part", partly, ErrUnsupported, nil},
		{"webp cut in its animation", animated(t)[:400], ErrTruncated, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, info, err := Decode(c.data, Limits{})
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			if c.want != nil && worst(t, got, c.want) != 0 {
				t.Errorf("wrong pixels for %+v", info)
			}
			_, _, fitErr := DecodeFit(c.data, 10, 10, Limits{})
			if (fitErr == nil) != (c.err == nil) || c.err != nil && !errors.Is(fitErr, c.err) {
				t.Errorf("fitted: %v", fitErr)
			}
		})
	}
}

// row is a picture of one row of greys.
func row(values ...uint8) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, len(values), 1))
	for x, v := range values {
		img.SetRGBA(x, 0, color.RGBA{v, v, v, 255})
	}
	return img
}

// Adobe's inverted CMYK shows the colours of the same photo, as far as inks can.
func TestAdobeColours(t *testing.T) {
	plain, _, err := Decode(file(t, "video-001.jpeg"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := Decode(file(t, "video-001.cmyk.jpeg"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	right := psnr(t, got, plain)
	for i := range got.Pix {
		if i%4 < 3 {
			got.Pix[i] ^= 255
		}
	}
	if inverted := psnr(t, got, plain); right < 14 || inverted > 8 {
		t.Errorf("%.1f dB, inverted %.1f", right, inverted)
	}
}

// The memory that a decode takes is known from the header, and no more than that is taken.
func TestMemoryIsBounded(t *testing.T) {
	large := scene(1500, 1000)
	deep := image.NewNRGBA64(image.Rect(0, 0, 600, 500))
	progressive := file(t, "video-001.progressive.jpeg")
	for name, data := range map[string][]byte{
		"jpeg":        jpegOf(t, large, 85),
		"turned":      withSegments(jpegOf(t, large, 85), exifSegment(6)),
		"progressive": progressive,
		"png":         pngOf(t, large),
		"16-bit png":  pngOf(t, deep),
		"webp":        file(t, "blue-purple-pink.lossy.webp"),
		"lossless":    file(t, "blue-purple-pink.lossless.webp"),
		"heic":        file(t, "quarters.heic"),
	} {
		t.Run(name, func(t *testing.T) {
			if name == "heic" {
				if _, err := heifCode(); err != nil { // made once, whatever the photo
					t.Fatal(err)
				}
				if _, _, err := Decode(data, Limits{}); err != nil {
					t.Fatal(err)
				}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, info, err := Decode(data, Limits{})
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			took := int64(after.TotalAlloc - before.TotalAlloc)
			t.Logf("took %d of %d bytes", took, info.Memory)
			if took > info.Memory {
				t.Errorf("took %d bytes, said %d", took, info.Memory)
			}
			if _, _, err := Decode(data, Limits{Memory: info.Memory}); err != nil {
				t.Errorf("with just enough: %v", err)
			}
			if _, _, err := Decode(data, Limits{Memory: info.Memory - 1}); !errors.Is(err, ErrTooLarge) {
				t.Errorf("with one byte too few: %v", err)
			}
		})
	}
}

// Shrinking a sequential JPEG takes the memory of the result only.
func TestFitNeedsLittleMemory(t *testing.T) {
	if pureJPEG {
		return // the standard decoder always makes the whole picture
	}
	data := jpegOf(t, scene(3000, 2000), 80)
	lim := Limits{Memory: 3 << 20}
	if _, _, err := DecodeFit(data, 200, 200, lim); err != nil {
		t.Error(err)
	}
	if _, _, err := Decode(data, lim); !errors.Is(err, ErrTooLarge) {
		t.Errorf("the whole picture: %v", err)
	}
}
