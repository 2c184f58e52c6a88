package ingest

import (
	"bytes"
	"image"
	"image/draw"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"flawmark/imaging/photo"
)

// cameraFile is a 24 MP JPEG like a camera's: a sample photo repeated, with a sensor's noise.
func cameraFile(b *testing.B) []byte {
	b.Helper()
	tile, _, err := photo.Decode(sample(b, shoes), photo.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, 6000, 4000))
	for y := 0; y < 4000; y += tile.Rect.Dy() {
		for x := 0; x < 6000; x += tile.Rect.Dx() {
			draw.Draw(img, tile.Rect.Add(image.Pt(x, y)), tile, image.Point{}, draw.Src)
		}
	}
	random := rand.New(rand.NewSource(1))
	for i := range img.Pix {
		if i%4 < 3 {
			img.Pix[i] = uint8(min(max(int(img.Pix[i])+random.Intn(9)-4, 0), 255))
		}
	}
	var out bytes.Buffer
	if err := photo.EncodeJPEG(&out, img, 92); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkArrival compares one arrival with what a script would do: sha256sum and vipsthumbnail
// twice, where they are installed. Ratios count, within one run.
func BenchmarkArrival(b *testing.B) {
	data := cameraFile(b)
	dir := b.TempDir()
	name := filepath.Join(dir, "photo.jpg")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		b.Fatal(err)
	}
	b.Run("take", func(b *testing.B) {
		for b.Loop() {
			src, err := os.Open(name)
			if err != nil {
				b.Fatal(err)
			}
			dst, err := os.Create(filepath.Join(dir, "kept"))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := (Intake{}).Take(b.Context(), src, dst); err != nil {
				b.Fatal(err)
			}
			_, _ = src.Close(), dst.Close()
		}
	})
	b.Run("take-in-memory", func(b *testing.B) {
		for b.Loop() {
			if _, err := (Intake{}).Take(b.Context(), bytes.NewReader(data), io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("script", func(b *testing.B) {
		if _, err := exec.LookPath("vipsthumbnail"); err != nil {
			b.Skip("vipsthumbnail is not installed")
		}
		for b.Loop() {
			for _, c := range [][]string{
				{"sha256sum", name},
				{"vipsthumbnail", name, "-s", "256x256", "-o", filepath.Join(dir, "t.jpg[Q=82]")},
				{"vipsthumbnail", name, "-s", "1920x1920", "-o", filepath.Join(dir, "p.jpg[Q=85]")},
			} {
				if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
			}
		}
	})
}
