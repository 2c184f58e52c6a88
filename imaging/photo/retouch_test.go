package photo

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestRetouch_IsAsRewrite where something is drawn, and no farther from the original elsewhere; on all kinds
// of files and sizes that are no multiple of anything.
func TestRetouch_IsAsRewrite(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.*p*g")
	if err != nil || len(names) < 8 {
		t.Fatalf("test pictures are missing: %v, %v", names, err)
	}
	files := map[string][]byte{}
	for _, size := range [][2]int{{533, 3*planeUnit*planeUnits + 5}, {16, 16}, {1, 1}, {17, 130}, {256, 257}, {300, 31}} {
		files[image.Pt(size[0], size[1]).String()] = cameraPhoto(t, size[0], size[1])
	}
	for _, name := range names {
		if files[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range files {
		before, _, err := Decode(data, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, uint64(len(data))))
		var touched []image.Rectangle
		for range 3 {
			x, y := r.IntN(before.Rect.Dx()), r.IntN(before.Rect.Dy())
			touched = append(touched, image.Rect(x, y, x+1+r.IntN(80), y+1+r.IntN(80)).Intersect(before.Rect))
		}
		draw := func(part *image.RGBA) error {
			for _, place := range touched {
				place = place.Intersect(part.Rect)
				for y := place.Min.Y; y < place.Max.Y; y++ {
					for x := place.Min.X; x < place.Max.X; x++ {
						part.SetRGBA(x, y, color.RGBA{uint8(200 + x%7), uint8(40 + y%5), 60, 255})
					}
				}
			}
			return nil
		}
		ideal := image.NewRGBA(before.Rect)
		copy(ideal.Pix, before.Pix)
		_ = draw(ideal)
		var far [2]float64
		for i, way := range []func(*bytes.Buffer) error{
			func(out *bytes.Buffer) error { return Rewrite(out, data, 95, Limits{}, draw) },
			func(out *bytes.Buffer) error { return Retouch(out, data, 95, Limits{}, touched, draw) },
		} {
			var out bytes.Buffer
			if err := way(&out); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, _, err := Decode(out.Bytes(), Limits{})
			if err != nil || got.Rect != before.Rect {
				t.Fatalf("%s: %v, %v", name, got, err)
			}
			for k := range got.Pix {
				d := float64(got.Pix[k]) - float64(ideal.Pix[k])
				far[i] += d * d
			}
		}
		if far[1] > 1.05*far[0]+float64(len(before.Pix))/50 {
			t.Errorf("%s: the square error is %.0f, that of rewriting %.0f", name, far[1], far[0])
		}
	}
}

// TestRetouch_PartsHoldAllThatIsTouched and what was there before.
func TestRetouch_PartsHoldAllThatIsTouched(t *testing.T) {
	t.Parallel()
	data := cameraPhoto(t, 700, 500)
	before, _, err := Decode(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	touched := []image.Rectangle{image.Rect(-20, -3, 30, 40), image.Rect(255, 127, 257, 129), image.Rect(690, 490, 800, 800)}
	seen := image.NewAlpha(before.Rect)
	var out bytes.Buffer
	err = Retouch(&out, data, 90, Limits{}, touched, func(part *image.RGBA) error {
		for y := part.Rect.Min.Y; y < part.Rect.Max.Y; y++ {
			for x := part.Rect.Min.X; x < part.Rect.Max.X; x++ {
				if image.Pt(x, y).In(touched[0]) || image.Pt(x, y).In(touched[1]) || image.Pt(x, y).In(touched[2]) {
					seen.SetAlpha(x, y, color.Alpha{255})
				} else {
					continue
				}
				if a, b := part.RGBAAt(x, y), before.RGBAAt(x, y); a.A != 255 || max(a.G, b.G)-min(a.G, b.G) > 60 {
					t.Fatalf("at %d,%d is %v, not %v", x, y, a, b)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range touched {
		r = r.Intersect(before.Rect)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if seen.AlphaAt(x, y).A == 0 {
					t.Fatalf("%d,%d was in no part", x, y)
				}
			}
		}
	}
}

func TestRetouch_Fails(t *testing.T) {
	t.Parallel()
	data := cameraPhoto(t, 300, 900)
	all := []image.Rectangle{image.Rect(0, 0, 300, 900)}
	mine := errors.New("mine")
	var out bytes.Buffer
	if err := Retouch(&out, data, 90, Limits{}, all, func(*image.RGBA) error { return mine }); !errors.Is(err, mine) || out.Len() != 0 {
		t.Errorf("an error of draw: got %v and %d bytes", err, out.Len())
	}
	nothing := func(*image.RGBA) error { return nil }
	if err := Retouch(&out, data[:len(data)*2/3], 90, Limits{}, all, nothing); !errors.Is(err, ErrTruncated) || out.Len() != 0 {
		t.Errorf("a cut file: got %v and %d bytes", err, out.Len())
	}
	if err := Retouch(&out, []byte("no photo"), 90, Limits{}, all, nothing); err == nil {
		t.Error("no photo was taken for one")
	}
}
