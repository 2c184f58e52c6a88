package tiles

import (
	"bytes"
	"image"
	"math/rand"
	"slices"
	"testing"

	"flawmark/imaging/photo"
)

func noise(seed int64, w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewSource(seed))
	r.Read(img.Pix)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	return img
}

// plainHalf is the meaning of halve, pixel by pixel.
func plainHalf(src *image.RGBA) *image.RGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dst := image.NewRGBA(image.Rect(0, 0, (w+1)/2, (h+1)/2))
	for y := range dst.Rect.Dy() {
		for x := range dst.Rect.Dx() {
			for c := range 4 {
				sum := 2
				for _, at := range [][2]int{{2 * x, 2 * y}, {2*x + 1, 2 * y}, {2 * x, 2*y + 1}, {2*x + 1, 2*y + 1}} {
					sum += int(src.Pix[src.PixOffset(min(at[0], w-1), min(at[1], h-1))+c])
				}
				dst.Pix[dst.PixOffset(x, y)+c] = uint8(sum / 4)
			}
		}
	}
	return dst
}

func TestHalve_AveragesFour(t *testing.T) {
	t.Parallel()
	for _, w := range []int{1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65} {
		for _, h := range []int{1, 2, 3, 8, 9} {
			src := noise(int64(w*h), w, h)
			if got, want := halved(src), plainHalf(src); got.Rect != want.Rect || !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("%d×%d: not the averages", w, h)
			}
		}
	}
	white := image.NewRGBA(image.Rect(0, 0, 8, 8))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	if got := halved(white); !bytes.Equal(got.Pix, white.Pix[:len(got.Pix)]) {
		t.Error("white does not stay white")
	}
}

func TestTurn_IsThatOfThePhotoPackage(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{1, 1}, {5, 3}, {33, 70}} {
		for o := 1; o <= 8; o++ {
			img := noise(1, size[0], size[1])
			want := photo.Orient(&image.RGBA{Pix: slices.Clone(img.Pix), Stride: img.Stride, Rect: img.Rect}, o)
			stored := &image.RGBA{Pix: slices.Clone(img.Pix), Stride: img.Stride, Rect: img.Rect}
			got, _ := turn(o).turned(stored, make([]byte, len(img.Pix)))
			if got.Rect != want.Rect || !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("orientation %d of %v: other pixels", o, size)
			}
			w, h := turn(o).size(size[0], size[1])
			r := rand.New(rand.NewSource(2))
			for range 10 {
				p := somewhere(r, w, h)
				s := turn(o).stored(p, w, h)
				if turn(o).oriented(s, w, h) != p {
					t.Fatalf("orientation %d: %v is stored at %v and seen at %v", o, p, s, turn(o).oriented(s, w, h))
				}
				cut := photo.Orient(cropped(img, s), o)
				if !bytes.Equal(cut.Pix, part(want, p)) {
					t.Fatalf("orientation %d: %v is not at %v", o, p, s)
				}
			}
		}
	}
}

func TestPyramid_LevelsAndTiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ w, h, levels, tiles int }{
		{1, 1, 1, 1},
		{512, 512, 1, 1},
		{513, 1, 2, 3},
		{1024, 1024, 2, 5},
		{1025, 512, 3, 3 + 2 + 1},
		{8191, 3, 5, 16 + 8 + 4 + 2 + 1},
		{11648, 8736, 6, 23*18 + 12*9 + 6*5 + 3*3 + 2*2 + 1},
	} {
		p := pyramid{c.w, c.h}
		tiles := 0
		for n := range p.levels() {
			cols, rows := p.grid(n)
			tiles += cols * rows
			last := p.tile(place{n, cols - 1, rows - 1})
			if last.Empty() || last.Max != p.bounds(n).Max {
				t.Errorf("%d×%d: last tile %v of level %d", c.w, c.h, last, n)
			}
			for _, none := range []place{{n, cols, 0}, {n, 0, rows}, {n, -1, 0}, {-1, 0, 0}, {p.levels(), 0, 0}} {
				if !p.tile(none).Empty() {
					t.Errorf("%d×%d has a tile %v", c.w, c.h, none)
				}
			}
		}
		if p.levels() != c.levels || tiles != c.tiles {
			t.Errorf("%d×%d: %d levels, %d tiles instead of %d, %d", c.w, c.h, p.levels(), tiles, c.levels, c.tiles)
		}
	}
}
