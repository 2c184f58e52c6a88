package tiles

import (
	"bytes"
	"fmt"
	"image"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/disintegration/imaging"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// cameraPhoto is like a camera's photo of w×h: a sample enlarged, with a sensor's noise, q92 4:2:0.
func cameraPhoto(tb testing.TB, w, h int) []byte {
	tb.Helper()
	sample, err := os.ReadFile("../../assets/photos/juan-gomez-674574-unsplash.jpg")
	if err != nil {
		tb.Fatal(err)
	}
	img, _, err := photo.Decode(sample, photo.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	large := imaging.Resize(&image.NRGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}, w, h, imaging.CatmullRom)
	r := rand.New(rand.NewSource(1))
	var luma, colour [1 << 16]int8
	for i := range luma {
		luma[i], colour[i] = int8(r.NormFloat64()*5.5), int8(r.NormFloat64()*2.5)
	}
	at := 0
	for i := 0; i < len(large.Pix); i += 4 {
		if i%(4*w) == 0 {
			at = r.Intn(len(luma))
		}
		at++
		for c := range 3 {
			n := int(luma[at%len(luma)]) + int(colour[(3*at+c)%len(colour)])
			large.Pix[i+c] = uint8(min(max(int(large.Pix[i+c])+n, 0), 255))
		}
	}
	var b bytes.Buffer
	if err := photo.EncodeJPEG(&b, &image.RGBA{Pix: large.Pix, Stride: large.Stride, Rect: large.Rect}, 92); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// BenchmarkTiles compares with a full decode and, where libjpeg-turbo's djpeg is installed, with its
// cropped one.
func BenchmarkTiles(b *testing.B) {
	for _, size := range []struct {
		name string
		w, h int
	}{{"24MP", 6000, 4000}, {"100MP", 11648, 8736}} {
		data := cameraPhoto(b, size.w, size.h)
		digest := qc.DigestOf(data)
		name := filepath.Join(b.TempDir(), "photo.jpg")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			b.Fatal(err)
		}
		src, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		defer src.Close()
		x, err := Build(data, digest, photo.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		kept, err := x.MarshalBinary()
		if err != nil {
			b.Fatal(err)
		}
		px, py := size.w/2/512*512, size.h/2/512*512
		for _, c := range []struct {
			name string
			run  func() error
		}{
			{"build", func() error { _, err := Build(data, digest, photo.Limits{}); return err }},
			{"build-eighth", func() error { _, _, err := BuildEighth(data, digest, photo.Limits{}); return err }},
			{"decode", func() error { _, _, err := photo.Decode(data, photo.Limits{}); return err }},
			{"decode-eighth", func() error { _, _, err := photo.DecodeScale(data, 8, photo.Limits{}); return err }},
			{"marshal", func() error { _, err := x.MarshalBinary(); return err }},
			{"unmarshal", func() error { _, err := Unmarshal(kept, digest, int64(len(data))); return err }},
			{"tile-256", func() error { _, err := x.Tile(src, px, py, 256, 256); return err }},
			{"tile-512", func() error { _, err := x.Tile(src, px, py, 512, 512); return err }},
			{"tile-1024", func() error { _, err := x.Tile(src, px, py, 1024, 1024); return err }},
			{"region-512", func() error { _, err := x.Region(src, image.Rect(px, py, px+512, py+512)); return err }},
			{"region-512-anywhere", func() error { _, err := x.Region(src, image.Rect(px+77, py+99, px+589, py+611)); return err }},
			{"djpeg-crop-512", func() error {
				return exec.Command("djpeg", "-crop", fmt.Sprintf("512x512+%d+%d", px, py), "-outfile", os.DevNull, name).Run()
			}},
		} {
			b.Run(size.name+"/"+c.name, func(b *testing.B) {
				if _, err := exec.LookPath("djpeg"); err != nil && c.name == "djpeg-crop-512" {
					b.Skip("djpeg is not installed")
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := c.run(); err != nil {
						b.Fatal(err)
					}
				}
				if c.name == "marshal" {
					b.ReportMetric(float64(len(data)), "photo-bytes")
					b.ReportMetric(float64(len(kept)), "index-bytes")
				}
			})
		}
	}
}
