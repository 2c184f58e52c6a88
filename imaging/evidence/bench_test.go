package evidence

import (
	"bytes"
	"image"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// mosaic is a picture of w×h pixels of real photos side by side, with a sensor's
// noise.
func mosaic(tb testing.TB, w, h int) *image.RGBA {
	tb.Helper()
	names, err := filepath.Glob("../../assets/photos/*.jpg")
	if err != nil {
		tb.Fatal(err)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewSource(1))
	var noise [1 << 16]int8
	for i := range noise {
		noise[i] = int8(r.NormFloat64() * 4)
	}
	x, y, high := 0, 0, 0
	for n := 0; y < h; n++ {
		data, err := os.ReadFile(names[n%len(names)])
		if err != nil {
			tb.Fatal(err)
		}
		img, _, err := photo.Decode(data, photo.Limits{})
		if err != nil {
			tb.Fatal(err)
		}
		for row := range min(img.Rect.Dy(), h-y) {
			copy(out.Pix[out.PixOffset(x, y+row):out.PixOffset(0, y+row)+out.Stride], img.Pix[row*img.Stride:][:img.Stride])
		}
		high = max(high, img.Rect.Dy())
		if x += img.Rect.Dx(); x >= w {
			x, y, high = 0, y+high, 0
		}
	}
	at := 0
	for i := range out.Pix {
		if i%4 == 3 {
			out.Pix[i] = 255
			continue
		}
		if i%(4*w) == 0 {
			at = r.Intn(len(noise))
		}
		at++
		out.Pix[i] = uint8(min(max(int(out.Pix[i])+int(noise[at%len(noise)]), 0), 255))
	}
	return out
}

// forty are marks of all sizes that people draw.
func forty(w, h int) []annotate.Shape {
	r := rand.New(rand.NewSource(2))
	tools := []qc.Tool{qc.Box, qc.Ellipse, qc.Arrow, qc.Box, qc.Line, qc.Highlighter, qc.Arrow, qc.Ellipse}
	severities := qc.Severities()
	var list []annotate.Shape
	for i := range 40 {
		x, y := r.Float64()*float64(w)*0.8, r.Float64()*float64(h)*0.8
		list = append(list, shape(tools[i%len(tools)], i+1, severities[i%len(severities)],
			x, y, x+float64(w)*(0.02+0.08*r.Float64()), y+float64(h)*(0.02+0.08*r.Float64())))
	}
	return list
}

// BenchmarkBurnIn compares with djpeg | cjpeg, where they are installed.
func BenchmarkBurnIn(b *testing.B) {
	const w, h = 8688, 5792
	var file bytes.Buffer
	if err := photo.EncodeJPEG(&file, mosaic(b, w, h), 92); err != nil {
		b.Fatal(err)
	}
	data := file.Bytes()
	name := filepath.Join(b.TempDir(), "photo.jpg")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		b.Fatal(err)
	}
	p := described(data)
	x, err := tiles.Build(data, p.Digest, photo.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	shapes := forty(w, h)
	run := func(opts Options) func() error {
		return func() error {
			r, err := BurnIn(b.Context(), io.Discard, bytes.NewReader(data), p, shapes, opts)
			if err == nil && testing.Verbose() {
				b.Logf("%+v", r)
			}
			return err
		}
	}
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"lossless", run(Options{Index: x})},
		{"lossless-index-too", run(Options{})},
		{"index", func() error { _, err := tiles.Build(data, p.Digest, photo.Limits{}); return err }},
		{"marks", func() error {
			_, err := newSparing(x, bytes.NewReader(data), shapes)
			return err
		}},
		{"whole", func() error { return whole(b.Context(), io.Discard, data, shapes, Options{Quality: 90}) }},
		{"djpeg-cjpeg", func() error {
			return exec.Command("sh", "-c", "djpeg '"+name+"' | cjpeg -quality 90 > /dev/null").Run()
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			if _, err := exec.LookPath("djpeg"); err != nil && c.name == "djpeg-cjpeg" {
				b.Skip("djpeg is not installed")
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
