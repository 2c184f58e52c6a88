package photo

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand"
	"testing"

	"github.com/disintegration/imaging"
)

// cameraPhoto is like a camera's photo of w×h: a sample enlarged, with a sensor's noise, q92 4:2:0.
func cameraPhoto(tb testing.TB, w, h int) []byte {
	tb.Helper()
	img, _, err := Decode(samples(tb)["juan-gomez-674574-unsplash.jpg"], Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	large := imaging.Resize(&image.NRGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}, w, h, imaging.CatmullRom)
	r := rand.New(rand.NewSource(1))
	var noise [1 << 16]int8
	for i := range noise {
		noise[i] = int8(r.NormFloat64() * 4)
	}
	at := 0
	for i := 0; i < len(large.Pix); i += 4 {
		if i%(4*w) == 0 {
			at = r.Intn(len(noise))
		}
		at++
		n := int(noise[at%len(noise)])
		for c := range 3 {
			large.Pix[i+c] = clamp8(int(large.Pix[i+c]) + n)
		}
	}
	var b bytes.Buffer
	if err := EncodeJPEG(&b, large, 92); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func BenchmarkPhoto(b *testing.B) {
	for _, size := range []struct {
		name string
		w, h int
	}{{"24MP", 6000, 4000}, {"50MP", 8688, 5792}} {
		data := cameraPhoto(b, size.w, size.h)
		full, _, err := Decode(data, Limits{})
		if err != nil {
			b.Fatal(err)
		}
		small, _, err := DecodeFit(data, previewSide, previewSide, Limits{})
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range []struct {
			name string
			run  func() error
		}{
			{"decode", func() error { _, _, err := Decode(data, Limits{}); return err }},
			{"decode-std", func() error {
				src, err := jpeg.Decode(bytes.NewReader(data))
				if err == nil {
					toRGBA(src)
				}
				return err
			}},
			{"eighth", func() error { _, _, err := DecodeScale(data, 8, Limits{}); return err }},
			{"quarter", func() error { _, _, err := DecodeScale(data, 4, Limits{}); return err }},
			{"half", func() error { _, _, err := DecodeScale(data, 2, Limits{}); return err }},
			{"fit-1920", func() error { _, _, err := DecodeFit(data, 1920, 1920, Limits{}); return err }},
			{"fit-256", func() error { _, _, err := DecodeFit(data, 256, 256, Limits{}); return err }},
			{"fit-1920-std", func() error {
				src, err := jpeg.Decode(bytes.NewReader(data))
				if err == nil {
					imaging.Fit(toRGBA(src), 1920, 1920, imaging.Lanczos)
				}
				return err
			}},
			{"renditions", func() error { _, _, err := Renditions(data, Limits{}); return err }},
			{"strip", func() error { return StripMetadata(&bytes.Buffer{}, bytes.NewReader(data)) }},
			{"encode", func() error { return EncodeJPEG(&bytes.Buffer{}, full, 90) }},
			{"encode-preview", func() error { return EncodeJPEG(&bytes.Buffer{}, small, previewQuality) }},
			{"thumb-from-preview", func() error { resample(small, 256, 170); return nil }},
			{"check", func() error { Check(small); return nil }},
		} {
			b.Run(fmt.Sprintf("%s/%s", size.name, c.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := c.run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
