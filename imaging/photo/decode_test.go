package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"testing"

	"github.com/disintegration/imaging"
)

func TestEveryOrientation(t *testing.T) {
	shown := scene(97, 61)
	for o := 1; o <= 8; o++ {
		t.Run(fmt.Sprint(o), func(t *testing.T) {
			data := withSegments(jpegOf(t, stored(shown, o), 98), exifSegment(o))
			for name, decode := range map[string]func() (*image.RGBA, Info, error){
				"Decode":    func() (*image.RGBA, Info, error) { return Decode(data, Limits{}) },
				"DecodeFit": func() (*image.RGBA, Info, error) { return DecodeFit(data, 97, 61, Limits{}) },
			} {
				img, info, err := decode()
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if info.Orientation != o || info.Width != 97 || info.Height != 61 {
					t.Errorf("%s: info %+v", name, info)
				}
				if img.Stride != 4*97 {
					t.Errorf("%s: stride %d", name, img.Stride)
				}
				if p := psnr(t, img, shown); p < 26 { // a wrong orientation is below 12 dB
					t.Errorf("%s: %.1f dB from what was shown", name, p)
				}
			}
			small, _, err := DecodeFit(data, 40, 40, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			want := resample(shown, 40, 25)
			if p := psnr(t, small, want); p < 26 {
				t.Errorf("fitted: %.1f dB", p)
			}
		})
	}
}

// Both decoders must show the same picture, but for rounding.
func TestSameAsStandardDecoder(t *testing.T) {
	photos := samples(t)
	for _, name := range []string{
		"video-001.q50.444.jpeg", "video-001.q50.422.jpeg", "video-001.q50.440.progressive.jpeg", "video-001.q50.411.jpeg",
		"video-001.jpeg", "video-001.progressive.jpeg", "video-001.restart2.jpeg", "video-001.221212.jpeg",
		"video-001.cmyk.jpeg", "video-001.rgb.jpeg", "video-005.gray.jpeg",
	} {
		photos[name] = file(t, name)
	}
	for _, side := range [][2]int{{1, 1}, {2, 3}, {5, 4}, {17, 33}} {
		photos[fmt.Sprint(side)] = jpegOf(t, scene(side[0], side[1]), 90)
	}
	for name, data := range photos {
		t.Run(name, func(t *testing.T) {
			got, _, err := Decode(data, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			src, err := jpeg.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			tol, dB := 4, 50.0
			if name == "video-001.rgb.jpeg" { // red, green and blue at different resolutions: only one of them smooths
				tol, dB = 100, 26
			}
			want := toRGBA(src)
			if d, p := worst(t, got, want), psnr(t, got, want); d > tol || p < dB {
				t.Errorf("differs by %d, %.1f dB", d, p)
			}
		})
	}
}

func TestFourComponentsWithoutMeaning(t *testing.T) {
	data := file(t, "video-001.cmyk.jpeg")
	i := bytes.Index(data, []byte("Adobe"))
	copy(data[i:], "Nobby")
	if _, _, err := Decode(data, Limits{}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

// A scaled decode is the full picture averaged down.
func TestDecodeScale(t *testing.T) {
	for name, data := range map[string][]byte{
		"odd sizes": jpegOf(t, scene(643, 481), 95),
		"png":       pngOf(t, scene(643, 481)),
	} {
		full, _, err := Decode(data, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		want := full
		for _, denom := range []int{1, 2, 4, 8} {
			t.Run(fmt.Sprintf("%s 1/%d", name, denom), func(t *testing.T) {
				got, info, err := DecodeScale(data, denom, Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if info.Width != 643 || got.Rect.Dx() != ceilDiv(643, denom) || got.Rect.Dy() != ceilDiv(481, denom) {
					t.Fatalf("%v of %d×%d", got.Rect, info.Width, info.Height)
				}
				if denom > 1 {
					want = halve(want)
				}
				if p := psnr(t, got, want); p < 24 {
					t.Errorf("%.1f dB", p)
				}
			})
		}
	}
	if _, _, err := DecodeScale(jpegOf(t, scene(8, 8), 80), 3, Limits{}); err == nil {
		t.Error("scale 1/3 was accepted")
	}
}

func TestDecodeFitSizes(t *testing.T) {
	for _, c := range []struct{ w, h, maxW, maxH, wantW, wantH int }{
		{400, 300, 200, 200, 200, 150},
		{300, 400, 200, 200, 150, 200},
		{400, 300, 1920, 1080, 400, 300}, // never enlarged
		{400, 300, 400, 300, 400, 300},
		{2000, 3, 100, 100, 100, 1},
		{1, 900, 30, 30, 1, 30},
		{401, 299, 1, 1, 1, 1},
	} {
		t.Run(fmt.Sprintf("%dx%d into %dx%d", c.w, c.h, c.maxW, c.maxH), func(t *testing.T) {
			for kind, data := range map[string][]byte{"jpeg": jpegOf(t, scene(c.w, c.h), 90), "png": pngOf(t, scene(c.w, c.h))} {
				img, _, err := DecodeFit(data, c.maxW, c.maxH, Limits{})
				if err != nil {
					t.Fatal(kind, err)
				}
				if img.Rect.Dx() != c.wantW || img.Rect.Dy() != c.wantH || img.Stride != 4*c.wantW {
					t.Errorf("%s: %v, want %d×%d", kind, img.Rect, c.wantW, c.wantH)
				}
			}
		})
	}
}

func TestDecodeFitKeepsQuality(t *testing.T) {
	photos := samples(t)
	photos["12 MP"] = cameraPhoto(t, 4240, 2832)
	for name, data := range photos {
		full, _, err := Decode(data, Limits{})
		if err != nil {
			t.Fatal(name, err)
		}
		for _, side := range []int{1400, 1000, 512, 256} {
			got, _, err := DecodeFit(data, side, side, Limits{})
			if err != nil {
				t.Fatal(name, err)
			}
			src := &image.NRGBA{Pix: full.Pix, Stride: full.Stride, Rect: full.Rect}
			lanczos := imaging.Resize(src, got.Rect.Dx(), got.Rect.Dy(), imaging.Lanczos)
			want := &image.RGBA{Pix: lanczos.Pix, Stride: lanczos.Stride, Rect: lanczos.Rect}
			p := psnr(t, got, want)
			t.Logf("%s at %d: %.1f dB", name, side, p)
			if p < 50 {
				t.Errorf("%s at %d: %.1f dB from the full picture", name, side, p)
			}
		}
	}
}

// Shrinking far by averages first must not show.
func TestResampleKeepsQuality(t *testing.T) {
	for name, data := range samples(t) {
		full, _, err := Decode(data, Limits{})
		if err != nil {
			t.Fatal(name, err)
		}
		w, h := fitSize(full.Rect.Dx(), full.Rect.Dy(), 200, 200)
		lanczos := imaging.Resize(full, w, h, imaging.Lanczos)
		want := &image.RGBA{Pix: lanczos.Pix, Stride: lanczos.Stride, Rect: lanczos.Rect}
		if p := psnr(t, resample(full, w, h), want); p < 40 {
			t.Errorf("%s: %.1f dB", name, p)
		} else {
			t.Logf("%s: %.1f dB", name, p)
		}
	}
}

func TestRenditions(t *testing.T) {
	data := withSegments(jpegOf(t, scene(2400, 1800), 90), exifSegment(8))
	thumb, preview, err := Renditions(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		got     Rendition
		profile string
		w, h    int
	}{{thumb, "thumb", 192, 256}, {preview, "preview", 1440, 1920}} {
		info, err := Inspect(bytes.NewReader(c.got.Data), int64(len(c.got.Data)), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if c.got.Profile != c.profile || c.got.Width != c.w || c.got.Height != c.h || info.Width != c.w || info.Height != c.h {
			t.Errorf("%s: %d×%d in the file %d×%d", c.got.Profile, c.got.Width, c.got.Height, info.Width, info.Height)
		}
		for _, trace := range []string{"Exif", "GPS", "Canon", "http:"} {
			if bytes.Contains(c.got.Data, []byte(trace)) {
				t.Errorf("%s carries %q", c.profile, trace)
			}
		}
	}
}

func TestEncodeJPEG(t *testing.T) {
	img := scene(101, 67)
	part := img.SubImage(image.Rect(10, 20, 90, 60)).(*image.RGBA)
	for name, c := range map[string]struct {
		img  image.Image
		want *image.RGBA
	}{
		"whole": {img, img},
		"part":  {part, toRGBA(part)},
		"nrgba": {&image.NRGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}, img},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := EncodeJPEG(&b, c.img, 95); err != nil {
				t.Fatal(err)
			}
			got, _, err := Decode(b.Bytes(), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if p := psnr(t, got, c.want); p < 25 {
				t.Errorf("%.1f dB", p)
			}
		})
	}
	if err := EncodeJPEG(&bytes.Buffer{}, image.NewRGBA(image.Rect(0, 0, 0, 5)), 80); err == nil {
		t.Error("an empty picture was encoded")
	}
}
