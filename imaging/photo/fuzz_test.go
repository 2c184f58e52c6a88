package photo

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// fuzzLimits keeps one try cheap.
var fuzzLimits = Limits{Bytes: 1 << 20, Pixels: 1 << 18, Side: 2048}

func seeds(f *testing.F) {
	f.Helper()
	f.Add([]byte(nil))
	f.Add([]byte("\xff\xd8\xff\xd9"))
	f.Add(jpegOf(f, scene(40, 30), 80))
	f.Add(soiled(f, jpegOf(f, scene(33, 17), 60), 6))
	f.Add(pngOf(f, scene(20, 10)))
	f.Add(jpegBomb(f, 60000, 60000))
	f.Add(pngBomb(f, 50000, 50000))
	names, err := filepath.Glob("testdata/video-*")
	if err != nil {
		f.Fatal(err)
	}
	webp, _ := filepath.Glob("testdata/*.webp")
	for _, n := range append(names, webp...) {
		b, err := os.ReadFile(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// known fails when an error is none of the package's own.
func known(t *testing.T, err error) {
	t.Helper()
	for _, e := range []error{nil, ErrNotPhoto, ErrEmpty, ErrTooLarge, ErrTruncated, ErrUnreadable, ErrUnsupported} {
		if errors.Is(err, e) {
			return
		}
	}
	t.Fatalf("an error without advice: %v", err)
}

func FuzzInspect(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := Inspect(bytes.NewReader(data), int64(len(data)), fuzzLimits)
		known(t, err)
		if err != nil {
			return
		}
		if info.Width < 1 || info.Height < 1 || int64(info.Width)*int64(info.Height) > fuzzLimits.Pixels ||
			info.Orientation < 1 || info.Orientation > 8 || info.Kind == "" {
			t.Fatalf("admitted %+v", info)
		}
	})
}

func FuzzDecode(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		img, info, err := Decode(data, fuzzLimits)
		known(t, err)
		if err == nil && (img.Rect.Dx() != info.Width || img.Rect.Dy() != info.Height || img.Stride != 4*info.Width || !img.Opaque()) {
			t.Fatalf("%v, stride %d, for %+v", img.Rect, img.Stride, info)
		}
		small, _, fitErr := DecodeFit(data, 20, 16, fuzzLimits)
		known(t, fitErr)
		if fitErr == nil && (small.Rect.Dx() > 20 || small.Rect.Dy() > 16) {
			t.Fatalf("fitted to %v", small.Rect)
		}
		_, _, scaleErr := DecodeScale(data, 8, fuzzLimits)
		known(t, scaleErr)
	})
}

func FuzzStripMetadata(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var out bytes.Buffer
		err := StripMetadata(&out, bytes.NewReader(data))
		known(t, err)
		if err != nil {
			return
		}
		if out.Len() > len(data)+64 {
			t.Fatalf("grew from %d to %d bytes", len(data), out.Len())
		}
		var again bytes.Buffer
		if err := StripMetadata(&again, bytes.NewReader(out.Bytes())); err != nil || !bytes.Equal(again.Bytes(), out.Bytes()) {
			t.Fatalf("not the same when stripped again: %v", err)
		}
		before, _, err := Decode(data, fuzzLimits)
		if err != nil {
			return
		}
		after, _, err := Decode(out.Bytes(), fuzzLimits)
		if err != nil || !bytes.Equal(before.Pix, after.Pix) {
			t.Fatalf("the picture changed: %v", err)
		}
	})
}
