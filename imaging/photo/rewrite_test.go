package photo

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"
)

// TestRewrite_EqualsDecodeDrawEncode: every kind of file, and marks that cross from strip to strip.
func TestRewrite_EqualsDecodeDrawEncode(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.*p*g")
	if err != nil || len(names) < 8 {
		t.Fatalf("test pictures are missing: %v, %v", names, err)
	}
	large := cameraPhoto(t, 300, 3*rewriteRows+5)
	files := map[string][]byte{"large": large}
	for _, name := range names {
		if files[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	cross := func(img *image.RGBA) error {
		for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
			img.SetRGBA(y%100, y, color.RGBA{255, 0, 0, 255})
		}
		return nil
	}
	for name, data := range files {
		img, info, err := Decode(data, Limits{})
		if err != nil || info.Orientation != 1 {
			t.Fatalf("%s: %v, orientation %d", name, err, info.Orientation)
		}
		_ = cross(img)
		var want, got bytes.Buffer
		if err := EncodeJPEG(&want, img, 90); err != nil {
			t.Fatal(err)
		}
		if err := Rewrite(&got, data, 90, Limits{}, cross); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%s: the file differs from what decoding, drawing and encoding give", name)
		}
	}
	t.Run("an error of draw ends it", func(t *testing.T) {
		t.Parallel()
		mine := errors.New("mine")
		calls := 0
		var out bytes.Buffer
		err := Rewrite(&out, large, 90, Limits{}, func(*image.RGBA) error { calls++; return mine })
		if !errors.Is(err, mine) || calls != 1 || out.Len() != 0 {
			t.Errorf("got %v after %d calls, %d bytes", err, calls, out.Len())
		}
	})
	t.Run("a cut file is an error", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		err := Rewrite(&out, large[:len(large)*2/3], 90, Limits{}, cross)
		if !errors.Is(err, ErrTruncated) || out.Len() != 0 {
			t.Errorf("got %v and %d bytes", err, out.Len())
		}
	})
}
