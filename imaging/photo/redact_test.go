package photo

import (
	"bytes"
	"fmt"
	"image"
	"math/rand"
	"testing"
)

// secret plants noise text in a part: black and white pixels by that seed.
func secret(img *image.RGBA, r image.Rectangle, seed int64) *image.RGBA {
	out := &image.RGBA{Pix: bytes.Clone(img.Pix), Stride: img.Stride, Rect: img.Rect}
	random := rand.New(rand.NewSource(seed))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p := out.Pix[out.PixOffset(x, y):]
			for c := range 3 {
				p[c] = byte(255 * random.Intn(2))
			}
		}
	}
	return out
}

// The strongest test there is: originals that differ only inside the redaction give the same bytes.
func TestRedactedTellsNothing(t *testing.T) {
	shown := scene(700, 500)
	parts := []image.Rectangle{
		image.Rect(101, 83, 262, 187), // on no block's edge
		image.Rect(-20, 450, 31, 520), // over the picture's edge
		image.Rect(690, 3, 700, 4),    // a line
	}
	with := func(seed int64) *image.RGBA {
		img := shown
		for i, r := range parts {
			img = secret(img, r.Intersect(shown.Rect), seed+int64(i))
		}
		return img
	}
	one, two := with(1), with(100)
	for kind, encode := range map[string]func(*image.RGBA) []byte{
		"jpeg": func(img *image.RGBA) []byte { return jpegOf(t, img, 90) },
		"jpeg turbo": func(img *image.RGBA) []byte {
			var b bytes.Buffer
			if err := EncodeJPEG(&b, img, 97); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		},
		"png": func(img *image.RGBA) []byte { return pngOf(t, img) },
	} {
		for o := 1; o <= 8; o++ {
			if kind == "png" && o > 1 {
				continue // its orientation is that of its eXIf chunk: the same code
			}
			for _, side := range []int{700, 300, 150, 64} {
				t.Run(fmt.Sprintf("%s/orientation %d/%d", kind, o, side), func(t *testing.T) {
					files := [2][]byte{}
					for i, img := range []*image.RGBA{one, two} {
						files[i] = encode(stored(img, o))
						if kind != "png" {
							files[i] = withSegments(files[i], exifSegment(o))
						}
					}
					var got [2]*image.RGBA
					for i, f := range files {
						var err error
						if got[i], err = redacted(f, parts, nil, side, DefaultLimits()); err != nil {
							t.Fatal(err)
						}
					}
					if d := worst(t, got[0], got[1]); d != 0 {
						t.Errorf("the secret shows: differs by %d", d)
					}
					// What lies well outside is there, and what is hidden is plain.
					want, _, err := DecodeFit(files[0], side, side, Limits{})
					if err != nil {
						t.Fatal(err)
					}
					scale := float64(want.Rect.Dx()) / 700
					at := func(x, y float64) int { return got[0].PixOffset(int(x*scale), int(y*scale)) }
					for _, p := range [][2]float64{{500, 100}, {400, 300}, {300, 400}} {
						a, b := got[0].Pix[at(p[0], p[1]):][:3], want.Pix[at(p[0], p[1]):][:3]
						for c := range a {
							if d := int(a[c]) - int(b[c]); d > 40 || d < -40 {
								t.Errorf("at %v: %v, want %v", p, a, b)
								break
							}
						}
					}
					if p := got[0].Pix[at(180, 135):][:3]; p[0] != covered || p[1] != covered || p[2] != covered {
						t.Errorf("hidden part is %v", p)
					}
				})
			}
		}
	}
}

func TestRedactedWebPAndHEIC(t *testing.T) {
	for _, name := range []string{"blue-purple-pink.lossy.webp", "blue-purple-pink.lossless.webp", "quarters.heic"} {
		t.Run(name, func(t *testing.T) {
			data := file(t, name)
			img, err := redacted(data, []image.Rectangle{image.Rect(0, 0, 10, 10)}, nil, 150, DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if c := img.RGBAAt(9, 9); c.R != covered || c.G != covered || c.B != covered {
				t.Errorf("hidden part is %v", c)
			}
		})
	}
}

func TestRedactedLetsTheCallerPaint(t *testing.T) {
	data := jpegOf(t, scene(4000, 3000), 80)
	called := 0
	thumb, preview, err := Redacted(data, []image.Rectangle{image.Rect(1000, 1000, 1400, 1400)}, func(img *image.RGBA, scale float64) {
		called++
		if w := int(4000 * scale); img.Rect.Dx() != w || w < previewSide {
			t.Errorf("%v at scale %v", img.Rect, scale)
		}
		c := img.RGBAAt(int(1200*scale), int(1200*scale))
		if c.R != covered {
			t.Errorf("painter sees %v", c)
		}
		for y := range int(100 * scale) {
			for x := range int(100 * scale) {
				copy(img.Pix[img.PixOffset(x, y):], []byte{255, 0, 255, 255})
			}
		}
	}, Limits{})
	if err != nil || called != 1 {
		t.Fatal(called, err)
	}
	if thumb.Width != 256 || preview.Width != previewSide || preview.Height != 1440 {
		t.Errorf("%d, %d×%d", thumb.Width, preview.Width, preview.Height)
	}
	img, _, err := Decode(preview.Data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if c := img.RGBAAt(10, 10); c.R < 240 || c.G > 20 {
		t.Errorf("the caller's paint is %v", c)
	}
}
