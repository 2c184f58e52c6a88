package photo

import (
	"bytes"
	"image"
	"math"
	"testing"

	"github.com/disintegration/imaging"
	"pgregory.net/rapid"
)

// Both JPEG decoders are in the test binary when there is cgo: they agree at every scale and sampling.
func TestBothDecodersAgree(t *testing.T) {
	ycck := file(t, "video-001.cmyk.jpeg")
	ycck[bytes.Index(ycck, []byte("Adobe"))+11] = 2
	photos := map[string][]byte{"ycck": ycck}
	for _, name := range []string{
		"video-001.q50.444.jpeg", "video-001.q50.422.jpeg", "video-001.q50.440.progressive.jpeg", "video-001.q50.411.jpeg",
		"video-001.jpeg", "video-001.progressive.jpeg", "video-001.restart2.jpeg", "video-001.221212.jpeg",
		"video-001.cmyk.jpeg", "video-005.gray.jpeg",
	} {
		photos[name] = file(t, name)
	}
	for name, data := range samples(t) {
		photos[name] = data
	}
	lim := DefaultLimits()
	for name, data := range photos {
		t.Run(name, func(t *testing.T) {
			h, _, err := inspect(bytes.NewReader(data), int64(len(data)), lim)
			if err != nil {
				t.Fatal(err)
			}
			compare := func(what string, a, b func() (*image.RGBA, error), least float64) {
				one, err := a()
				if err != nil {
					t.Fatal(what, err)
				}
				other, err := b()
				if err != nil {
					t.Fatal(what, err)
				}
				if p := psnr(t, one, other); p < least {
					t.Errorf("%s: %.1f dB", what, p)
				}
			}
			compare("whole", func() (*image.RGBA, error) { return decodeJPEG(data, h, 1, lim) },
				func() (*image.RGBA, error) { return decodeStd(data, h, 1) }, 45)
			w, ht := fitSize(h.width, h.height, 400, 400)
			if w == h.width {
				w, ht = fitSize(h.width, h.height, 100, 100)
			}
			compare("fitted", func() (*image.RGBA, error) { return decodeJPEGFit(data, h, w, ht, lim) },
				func() (*image.RGBA, error) { return decodeStdFit(data, h, w, ht) }, 45)
		})
	}
}

// muted is a picture whose colours are so far from black and white that no filter overshoots.
func muted(t *rapid.T, w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	seed := rapid.Uint32().Draw(t, "seed")
	for i := range img.Pix {
		seed = seed*1664525 + 1013904223
		img.Pix[i] = 90 + uint8(seed>>24)/4
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

// Shrinking rows as they are decoded gives what the imaging library gives for the same decode.
func TestShrinkingEqualsImaging(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := 8*rapid.IntRange(1, 20).Draw(t, "w"), 8*rapid.IntRange(1, 20).Draw(t, "h")
		outW, outH := rapid.IntRange(1, w).Draw(t, "outW"), rapid.IntRange(1, h).Draw(t, "outH")
		var b bytes.Buffer
		if err := EncodeJPEG(&b, muted(t, w, h), 90); err != nil {
			t.Fatal(err)
		}
		lim := DefaultLimits()
		head, _, err := inspect(bytes.NewReader(b.Bytes()), int64(b.Len()), lim)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeJPEGFit(b.Bytes(), head, outW, outH, lim)
		if err != nil {
			t.Fatal(err)
		}
		src, err := decodeJPEG(b.Bytes(), head, fitDenom(w, h, outW, outH), lim)
		if err != nil {
			t.Fatal(err)
		}
		want := imaging.Resize(&image.NRGBA{Pix: src.Pix, Stride: src.Stride, Rect: src.Rect}, outW, outH, imaging.Lanczos)
		for i := range want.Pix {
			if d := int(got.Pix[i]) - int(want.Pix[i]); d > 1 || d < -1 {
				t.Fatalf("%d×%d to %d×%d: byte %d is %d, want %d", w, h, outW, outH, i, got.Pix[i], want.Pix[i])
			}
		}
	})
}

func TestHalvingEqualsImaging(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := 2*rapid.IntRange(1, 40).Draw(t, "w"), 2*rapid.IntRange(1, 40).Draw(t, "h")
		img := muted(t, w, h)
		got := halve(img)
		want := imaging.Resize(&image.NRGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}, w/2, h/2, imaging.Box)
		for i := range want.Pix {
			if d := math.Abs(float64(got.Pix[i]) - float64(want.Pix[i])); d > 1 {
				t.Fatalf("%d×%d: byte %d is %d, want %d", w, h, i, got.Pix[i], want.Pix[i])
			}
		}
	})
}
