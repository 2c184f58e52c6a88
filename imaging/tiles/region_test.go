package tiles

import (
	"bytes"
	"encoding/binary"
	"image"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

func decoded(tb testing.TB, data []byte) *image.RGBA {
	tb.Helper()
	img, _, err := photo.Decode(data, photo.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	return img
}

// part copies r out of img.
func part(img *image.RGBA, r image.Rectangle) []byte {
	var out []byte
	for y := r.Min.Y; y < r.Max.Y; y++ {
		out = append(out, img.Pix[img.PixOffset(r.Min.X, y):][:4*r.Dx()]...)
	}
	return out
}

func TestRegion_EqualsTheFullDecode(t *testing.T) {
	t.Parallel()
	all := files(t)
	names, _ := filepath.Glob("../../assets/photos/*.jpg")
	for _, n := range names[:2] {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(n)] = b
	}
	for name, data := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, whole := indexed(t, data), decoded(t, data)
			w, h := x.Size()
			mw, mh := x.MCU()
			r := rand.New(rand.NewSource(3))
			places := []image.Rectangle{
				image.Rect(0, 0, w, h), image.Rect(0, 0, 1, 1), image.Rect(w-1, h-1, w, h), image.Rect(w-1, 0, w, h),
				image.Rect(w/mw*mw, 0, w, h), image.Rect(w/mw*mw-mw, h/mh*mh, w+9, h+9), image.Rect(-5, -5, mw, mh),
			}
			for range 60 {
				places = append(places, somewhere(r, w, h), x.Align(somewhere(r, w, h)))
			}
			for _, p := range places {
				if p.Intersect(x.bounds()).Empty() {
					continue
				}
				got, err := x.Region(bytes.NewReader(data), p)
				if err != nil {
					t.Fatalf("%v: %v", p, err)
				}
				p = p.Intersect(x.bounds())
				if got.Rect != image.Rect(0, 0, p.Dx(), p.Dy()) || got.Stride != 4*p.Dx() {
					t.Fatalf("%v: is %v, stride %d", p, got.Rect, got.Stride)
				}
				if !bytes.Equal(got.Pix, part(whole, p)) {
					t.Fatalf("%v: other pixels than the full decode's", p)
				}
			}
		})
	}
}

func TestRegion_OutsideIsAnError(t *testing.T) {
	t.Parallel()
	data := files(t)["420.jpg"]
	x := indexed(t, data)
	for _, r := range []image.Rectangle{{}, image.Rect(-10, -10, 0, 0), image.Rect(5000, 0, 5001, 1)} {
		if _, err := x.Region(bytes.NewReader(data), r); err == nil {
			t.Errorf("%v was found", r)
		}
		if _, err := x.OrientedRegion(bytes.NewReader(data), r); err == nil {
			t.Errorf("%v was found, oriented", r)
		}
	}
}

// turned gives a JPEG an EXIF orientation.
func turned(data []byte, orientation int) []byte {
	exif := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00")
	exif = append(exif, byte(orientation), 0, 0, 0, 0, 0, 0, 0)
	out := append(bytes.Clone(data[:2]), 0xFF, 0xE1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(exif)+2))
	return append(append(out, exif...), data[2:]...)
}

func TestOrientedRegion_EqualsTheFullDecode(t *testing.T) {
	t.Parallel()
	for orientation := 1; orientation <= 8; orientation++ {
		data := turned(files(t)["420.jpg"], orientation)
		x, whole := stored(t, indexed(t, data)), decoded(t, data)
		w, h := x.OrientedSize()
		if x.Orientation() != orientation || whole.Rect != image.Rect(0, 0, w, h) {
			t.Fatalf("orientation %d: %d, %d×%d for %v", orientation, x.Orientation(), w, h, whole.Rect)
		}
		r := rand.New(rand.NewSource(4))
		for range 20 {
			p := somewhere(r, w, h)
			got, err := x.OrientedRegion(bytes.NewReader(data), p)
			if err != nil {
				t.Fatal(err)
			}
			if got.Rect != image.Rect(0, 0, p.Dx(), p.Dy()) || !bytes.Equal(got.Pix, part(whole, p)) {
				t.Fatalf("orientation %d: other pixels at %v", orientation, p)
			}
		}
	}
}

func TestBuildEighth_IsThePictureAtAnEighth(t *testing.T) {
	t.Parallel()
	for name, data := range files(t) {
		x, small, err := BuildEighth(data, qc.DigestOf(data), photo.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := photo.DecodeScale(data, 8, photo.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got := photo.RGBA(small)
		if got.Rect != want.Rect {
			t.Fatalf("%s: %v instead of %v", name, got.Rect, want.Rect)
		}
		var sum float64
		for i := range got.Pix {
			d := float64(got.Pix[i]) - float64(want.Pix[i])
			sum += d * d
		}
		if rms := math.Sqrt(sum / float64(len(got.Pix))); rms > 5 {
			t.Errorf("%s: differs by %.1f", name, rms)
		}
		// Luma is exact: the mean of each block.
		whole := readCoefficients(t, data)
		q := int(x.head.quants[x.head.comps[0].quant][0])
		for y := range small.Rect.Dy() {
			for xx := range small.Rect.Dx() {
				mean := min(max((whole.planes[0].blocks[y*whole.planes[0].stride+xx][0]*q+4)>>3+128, 0), 255)
				if v := int(small.Y[y*small.YStride+xx]); v != mean {
					t.Fatalf("%s: %d instead of %d at %d,%d", name, v, mean, xx, y)
				}
			}
		}
	}
}
