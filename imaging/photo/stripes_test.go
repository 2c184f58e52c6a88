package photo

import (
	"bytes"
	"errors"
	"image"
	"os"
	"path/filepath"
	"testing"
)

// TestStripes_EqualTheWhole: every kind, every scale, stripes that fit and that do not.
func TestStripes_EqualTheWhole(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.*p*g")
	if err != nil || len(names) < 8 {
		t.Fatalf("test pictures are missing: %v, %v", names, err)
	}
	webps, _ := filepath.Glob("testdata/*.webp")
	for _, name := range append(names, webps...) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, denom := range []int{1, 2, 4, 8} {
			want, _, err := DecodeScale(data, denom, Limits{})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, rows := range []int{1, 16, 7, 5000} {
				var got []byte
				next := 0
				err := Stripes(data, denom, Limits{}, rows, func(y int, img *image.RGBA) error {
					if y != next || img.Rect != image.Rect(0, 0, want.Rect.Dx(), min(rows, want.Rect.Dy()-y)) || img.Stride != want.Stride {
						t.Fatalf("%s 1/%d: stripe %v at %d instead of %d", name, denom, img.Rect, y, next)
					}
					got = append(got, img.Pix...)
					next += img.Rect.Dy()
					return nil
				})
				if err != nil {
					t.Fatalf("%s 1/%d: %v", name, denom, err)
				}
				if !bytes.Equal(got, want.Pix) {
					t.Fatalf("%s 1/%d by %d rows: other pixels than the whole decode's", name, denom, rows)
				}
			}
		}
	}
}

func TestStripes_StopOnErrors(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/video-001.jpeg")
	if err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	calls := 0
	if err := Stripes(data, 1, Limits{}, 8, func(int, *image.RGBA) error { calls++; return enough }); err != enough || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	never := func(int, *image.RGBA) error { return nil }
	half := append(bytes.Clone(data[:len(data)/2]), 0xFF, 0xD9)
	if err := Stripes(half, 1, Limits{}, 8, never); !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrUnreadable) {
		t.Errorf("half a picture: %v", err)
	}
	if err := Stripes(data, 1, Limits{Pixels: 10}, 8, never); !errors.Is(err, ErrTooLarge) {
		t.Errorf("over the limits: %v", err)
	}
	for _, bad := range [][2]int{{3, 8}, {1, 0}, {0, 1}} {
		if Stripes(data, bad[0], Limits{}, bad[1], never) == nil {
			t.Errorf("took 1/%d, %d rows", bad[0], bad[1])
		}
	}
}
