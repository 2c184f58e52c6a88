package photo

import (
	"bytes"
	"image"
	"testing"
)

// within runs a decoder of one kind on bytes of that kind only, so that the engine does not spend its
// time on magic numbers, and checks what comes out.
func within(t *testing.T, data []byte, kind Kind, decode func(header) (*image.RGBA, error)) {
	t.Helper()
	h, info, err := inspect(bytes.NewReader(data), int64(len(data)), fuzzLimits.orDefault())
	known(t, err)
	if err == nil {
		err = h.decodable(data)
		known(t, err)
	}
	if err != nil || info.Kind != kind {
		return
	}
	img, err := decode(h)
	known(t, err)
	if err == nil && !img.Opaque() {
		t.Fatalf("%+v came out transparent", info)
	}
}

func FuzzTurbo(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		within(t, data, JPEG, func(h header) (*image.RGBA, error) {
			if _, err := decodeJPEGFit(data, h, max(1, h.width/3), max(1, h.height/3), fuzzLimits.orDefault()); err != nil {
				known(t, err)
			}
			return decodeJPEG(data, h, 1, fuzzLimits.orDefault())
		})
	})
}

func FuzzStd(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		within(t, data, JPEG, func(h header) (*image.RGBA, error) { return decodeStd(data, h, 1) })
	})
}

func FuzzPNG(f *testing.F) {
	f.Add(pngOf(f, scene(20, 10)))
	f.Add(pngWithICC(f, scene(5, 3), displayP3()))
	f.Add(pngBomb(f, 50000, 50000))
	f.Fuzz(func(t *testing.T, data []byte) {
		within(t, data, PNG, func(h header) (*image.RGBA, error) { return decodeRaster(data, h, fuzzLimits.orDefault()) })
	})
}

func FuzzWebP(f *testing.F) {
	f.Add(file(f, "blue-purple-pink.lossy.webp"))
	f.Add(file(f, "blue-purple-pink.lossless.webp"))
	f.Add(animated(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		within(t, data, WebP, func(h header) (*image.RGBA, error) { return decodeRaster(data, h, fuzzLimits.orDefault()) })
	})
}

// The walk over a HEIC's boxes only: the decoder behind it lives in its sandbox.
func FuzzHEIF(f *testing.F) {
	plain := file(f, "quarters.heic")
	f.Add(plain)
	f.Add(withProperties(f, plain, property("irot", 1), property("imir", 0)))
	f.Add(withProperties(f, plain, property("colr", append([]byte("prof"), displayP3()...)...)))
	f.Add(withProperties(f, plain, property("clap", 0, 0, 0, 30, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := readHEICHeader(bytes.NewReader(data), int64(len(data)), fuzzLimits.orDefault())
		known(t, err)
		if err != nil {
			return
		}
		if h.width < 1 || h.height < 1 || h.seenW < 1 || h.seenH < 1 || int64(h.width)*int64(h.height) > fuzzLimits.Pixels {
			t.Fatalf("admitted %d×%d, seen %d×%d", h.width, h.height, h.seenW, h.seenH)
		}
	})
}

func FuzzEXIF(f *testing.F) {
	f.Add(exifSegment(6)[4+len(exifPrefix):])
	f.Add(withThumbnail(jpegOf(f, scene(160, 120), 60)))
	f.Fuzz(func(t *testing.T, tiff []byte) {
		facts := readEXIF(tiff)
		if facts.orientation < 1 || facts.orientation > 8 || len([]rune(facts.camera)) > 170 {
			t.Fatalf("%+v", facts)
		}
		if b := exifThumbnail(tiff); len(b) > len(tiff) {
			t.Fatal("a thumbnail larger than its block")
		}
	})
}

func FuzzICC(f *testing.F) {
	f.Add(displayP3())
	f.Add(adobeRGB())
	f.Add(profileOf("x", srgbToXYZ, []byte("curv\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x40\x00\xff\xff")))
	f.Add(profileOf("x", srgbToXYZ, append([]byte("para\x00\x00\x00\x00\x00\x04\x00\x00"), make([]byte, 28)...)))
	img := scene(7, 5)
	f.Fuzz(func(t *testing.T, icc []byte) {
		for _, components := range []int{1, 3, 4} {
			c := readColour(header{kind: JPEG, components: components, icc: icc})
			if c.convert != nil && c.unknown {
				t.Fatal("applied and unknown")
			}
			c.convert.apply(&image.RGBA{Pix: bytes.Clone(img.Pix), Stride: img.Stride, Rect: img.Rect})
		}
	})
}

func FuzzRedacted(f *testing.F) {
	data := withSegments(jpegOf(f, scene(90, 70), 80), exifSegment(5))
	f.Add(1, 2, 30, 40, 64)
	f.Add(-1<<40, -5, 1<<62, 3, 20)
	f.Fuzz(func(t *testing.T, x0, y0, x1, y1, side int) {
		if _, err := redacted(data, []image.Rectangle{{image.Pt(x0, y0), image.Pt(x1, y1)}}, nil, 1+side&127, DefaultLimits()); err != nil {
			t.Fatal(err)
		}
	})
}
