package photo

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// scene is a picture without symmetry: gradients, a bright corner, fine stripes, and repeatable noise.
func scene(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	seed := uint32(1)
	for y := range h {
		for x := range w {
			seed = seed*1664525 + 1013904223
			n := int(seed>>24)/32 - 4
			c := color.RGBA{clamp8(40 + 150*x/w + n), clamp8(60 + 120*y/h + n), clamp8(90 + 60*(x+y)/(w+h) + n), 255}
			if x < w/4 && y < h/3 {
				c = color.RGBA{230, 40, 30, 255}
			} else if x > w/2 && y > h/2 && x/3%2 == 0 {
				c = color.RGBA{20, 20, 20, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func clamp8(v int) uint8 { return uint8(min(max(v, 0), 255)) }

func jpegOf(tb testing.TB, img image.Image, quality int) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// withSegments puts segments right after the start mark.
func withSegments(jpeg []byte, segments ...[]byte) []byte {
	out := bytes.Clone(jpeg[:2])
	for _, s := range segments {
		out = append(out, s...)
	}
	return append(out, jpeg[2:]...)
}

// exifSegment is a full camera's block: maker, model, orientation, time with zone, a GPS directory.
func exifSegment(orientation int) []byte {
	le := binary.LittleEndian
	type entry struct {
		tag, kind uint16
		count     uint32
		data      []byte
	}
	short := func(v uint16) []byte { return le.AppendUint16(nil, v) }
	long := func(v uint32) []byte { return le.AppendUint32(nil, v) }
	text := func(s string) []byte { return append([]byte(s), 0) }
	b := []byte("II*\x00\x08\x00\x00\x00")
	directory := func(entries []entry) {
		extra := len(b) + 2 + 12*len(entries) + 4
		var tail []byte
		b = le.AppendUint16(b, uint16(len(entries)))
		for _, e := range entries {
			b = le.AppendUint16(b, e.tag)
			b = le.AppendUint16(b, e.kind)
			b = le.AppendUint32(b, e.count)
			if len(e.data) <= 4 {
				b = append(b, append(e.data, 0, 0, 0, 0)[:4]...)
			} else {
				b = le.AppendUint32(b, uint32(extra+len(tail)))
				tail = append(tail, e.data...)
			}
		}
		b = le.AppendUint32(b, 0)
		b = append(b, tail...)
	}
	maker, model := text("Canon"), text("Canon EOS R5")
	first := func(exif, gps uint32) []entry {
		return []entry{
			{0x010F, 2, uint32(len(maker)), maker},
			{0x0110, 2, uint32(len(model)), model},
			{0x0112, 3, 1, short(uint16(orientation))},
			{0x8769, 4, 1, long(exif)},
			{0x8825, 4, 1, long(gps)},
		}
	}
	directory(first(0, 0))
	exifAt := uint32(len(b))
	taken, zone := text("2024:11:05 10:20:30"), text("+08:00")
	directory([]entry{{0x9003, 2, uint32(len(taken)), taken}, {0x9011, 2, uint32(len(zone)), zone}})
	gpsAt := uint32(len(b))
	directory([]entry{{0x0001, 2, 2, text("N")}, {0x001D, 2, 11, text("GPS1234567")}})
	rest := b[exifAt:]
	b = []byte("II*\x00\x08\x00\x00\x00")
	directory(first(exifAt, gpsAt))
	b = append(b, rest...)
	return appendSegment(nil, markAPP1, append([]byte(exifPrefix), b...))
}

// stored gives the pixels a camera would store so that, under the orientation, shown is seen.
func stored(shown *image.RGBA, orientation int) *image.RGBA {
	w, h := shown.Rect.Dx(), shown.Rect.Dy()
	sw, sh := w, h
	if orientation >= 5 {
		sw, sh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, sw, sh))
	for y := range h {
		for x := range w {
			// Where EXIF says that the stored 0th row and 0th column are seen.
			var sx, sy int
			switch orientation {
			case 1: // top, left
				sx, sy = x, y
			case 2: // top, right
				sx, sy = w-1-x, y
			case 3: // bottom, right
				sx, sy = w-1-x, h-1-y
			case 4: // bottom, left
				sx, sy = x, h-1-y
			case 5: // left, top
				sx, sy = y, x
			case 6: // right, top
				sx, sy = y, w-1-x
			case 7: // right, bottom
				sx, sy = h-1-y, w-1-x
			case 8: // left, bottom
				sx, sy = h-1-y, x
			}
			out.SetRGBA(sx, sy, shown.RGBAAt(x, y))
		}
	}
	return out
}

// psnr compares two pictures of one size, in dB.
func psnr(tb testing.TB, a, b *image.RGBA) float64 {
	tb.Helper()
	if a.Rect != b.Rect {
		tb.Fatalf("sizes differ: %v and %v", a.Rect, b.Rect)
	}
	var sum float64
	for i := range a.Pix {
		d := float64(a.Pix[i]) - float64(b.Pix[i])
		sum += d * d
	}
	if sum == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(255*255/(sum/float64(len(a.Pix)/4*3)))
}

// worst is the largest difference of a channel.
func worst(tb testing.TB, a, b *image.RGBA) int {
	tb.Helper()
	if a.Rect != b.Rect {
		tb.Fatalf("sizes differ: %v and %v", a.Rect, b.Rect)
	}
	m := 0
	for i := range a.Pix {
		m = max(m, int(a.Pix[i])-int(b.Pix[i]), int(b.Pix[i])-int(a.Pix[i]))
	}
	return m
}

func file(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// samples are the product's sample photos.
func samples(tb testing.TB) map[string][]byte {
	tb.Helper()
	names, err := filepath.Glob("../../assets/photos/*.jpg")
	if err != nil || len(names) == 0 {
		tb.Fatalf("sample photos are missing: %v", err)
	}
	out := map[string][]byte{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			tb.Fatal(err)
		}
		out[filepath.Base(n)] = b
	}
	return out
}

// jpegBomb is a small file whose header claims w×h pixels.
func jpegBomb(tb testing.TB, w, h int) []byte {
	tb.Helper()
	b := jpegOf(tb, scene(16, 16), 80)
	i := bytes.Index(b, []byte{0xFF, markSOF0})
	binary.BigEndian.PutUint16(b[i+5:], uint16(h))
	binary.BigEndian.PutUint16(b[i+7:], uint16(w))
	return b
}

// pngBomb is a small file whose header claims w×h pixels, with a right checksum.
func pngBomb(tb testing.TB, w, h uint32) []byte {
	tb.Helper()
	b := pngOf(tb, scene(16, 16))
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// animated is a WebP animation whose first frame is the lossless sample.
func animated(tb testing.TB) []byte {
	tb.Helper()
	still := file(tb, "blue-purple-pink.lossless.webp")
	frame := append([]byte{0, 0, 0, 0, 0, 0, 149, 0, 0, 99, 0, 0, 100, 0, 0, 0}, still[12:]...)
	le := binary.LittleEndian
	b := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00"), 149, 0, 0, 99, 0, 0)
	b = append(b, "ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	for range 2 {
		b = append(le.AppendUint32(append(b, "ANMF"...), uint32(len(frame))), frame...)
	}
	le.PutUint32(b[4:], uint32(len(b)-8))
	return b
}
