package tiles

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// files are small JPEGs by libjpeg: all samplings, odd sizes, standard and optimised tables, with
// and without restart marks.
func files(tb testing.TB) map[string][]byte {
	tb.Helper()
	names, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(names) < 8 {
		tb.Fatalf("test pictures are missing: %v", err)
	}
	out := map[string][]byte{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			tb.Fatal(err)
		}
		out[filepath.Base(n)] = b
	}
	return out
}

func indexed(tb testing.TB, data []byte) *Index {
	tb.Helper()
	x, err := Build(data, qc.DigestOf(data), photo.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

func tileOf(tb testing.TB, x *Index, data []byte, r image.Rectangle) []byte {
	tb.Helper()
	tile, err := x.Tile(bytes.NewReader(data), r.Min.X, r.Min.Y, r.Dx(), r.Dy())
	if err != nil {
		tb.Fatalf("%v: %v", r, err)
	}
	return tile
}

// somewhere is a part of a w×h picture.
func somewhere(r *rand.Rand, w, h int) image.Rectangle {
	x, y := r.Intn(w), r.Intn(h)
	return image.Rect(x, y, x+1+r.Intn(w-x), y+1+r.Intn(h-y))
}

func sameCoefficients(tb testing.TB, x *Index, whole coefficients, tile []byte, r image.Rectangle) {
	tb.Helper()
	mw, mh := x.MCU()
	got := readCoefficients(tb, tile)
	if want := whole.crop(r.Min.X/mw, r.Min.Y/mh, r.Dx(), r.Dy()); !reflect.DeepEqual(got, want) {
		tb.Fatalf("tile %v has other coefficients", r)
	}
}

func TestTile_HoldsTheCoefficientsOfFiles(t *testing.T) {
	t.Parallel()
	for name, data := range files(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, whole := indexed(t, data), readCoefficients(t, data)
			w, h := x.Size()
			sameCoefficients(t, x, whole, tileOf(t, x, data, image.Rect(0, 0, w, h)), image.Rect(0, 0, w, h))
			r := rand.New(rand.NewSource(1))
			for range 60 {
				part := x.Align(somewhere(r, w, h))
				sameCoefficients(t, x, whole, tileOf(t, x, data, part), part)
			}
		})
	}
}

// drawCoefficients makes pictures no encoder would: anything JPEG allows.
func drawCoefficients(t *rapid.T) (coefficients, writing) {
	samplings := [][][2]int{
		{{1, 1}},
		{{1, 1}, {1, 1}, {1, 1}},
		{{2, 1}, {1, 1}, {1, 1}},
		{{1, 2}, {1, 1}, {1, 1}},
		{{2, 2}, {1, 1}, {1, 1}},
	}
	c := newCoefficients(rapid.IntRange(1, 700).Draw(t, "w"), rapid.IntRange(1, 90).Draw(t, "h"), rapid.SampledFrom(samplings).Draw(t, "sampling")...)
	r := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
	dense := rapid.SampledFrom([]int{0, 1, 5, 63}).Draw(t, "dense")
	spread := rapid.SampledFrom([]int{1, 30, 1023}).Draw(t, "spread")
	c.each(func(_, _ int, b *[64]int) {
		b[0] = r.Intn(2*spread+1) - spread
		for range dense {
			b[1+r.Intn(63)] = r.Intn(2*spread+1) - spread
		}
	})
	return c, writing{
		restart:  rapid.SampledFrom([]int{0, 0, 1, 3, 16, 17, c.planes[0].stride / c.planes[0].h}).Draw(t, "restart"),
		fill:     rapid.IntRange(0, 2).Draw(t, "fill"),
		optimise: rapid.Bool().Draw(t, "optimise"),
	}
}

func TestTile_HoldsAnyCoefficients(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, how := drawCoefficients(t)
		data := c.write(how)
		x, err := Build(data, qc.DigestOf(data), photo.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		again := stored(t, x)
		r := rand.New(rand.NewSource(rapid.Int64().Draw(t, "where")))
		for range 8 {
			part := x.Align(somewhere(r, c.w, c.h))
			tile, err := again.Tile(bytes.NewReader(data), part.Min.X, part.Min.Y, part.Dx(), part.Dy())
			if err != nil {
				t.Fatal(err)
			}
			mw, mh := x.MCU()
			if !reflect.DeepEqual(readCoefficients(t, tile), c.crop(part.Min.X/mw, part.Min.Y/mh, part.Dx(), part.Dy())) {
				t.Fatalf("tile %v has other coefficients", part)
			}
		}
	})
}

func TestTile_CodesDifferencesTheFileNeverHad(t *testing.T) {
	t.Parallel()
	// A ramp: neighbours differ by a little, so that optimised tables know no larger difference; but
	// tiles begin at any height of it.
	c := newCoefficients(64*8, 16, [2]int{1, 1})
	at := 0
	c.each(func(_, _ int, b *[64]int) { b[0] = 7 * at; at++ })
	data := c.write(writing{optimise: true})
	x := indexed(t, data)
	h, err := readHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	var original int
	segment := bytes.Index(data, []byte{0xFF, markDHT})
	for _, n := range data[segment+5 : segment+21] {
		original += int(n)
	}
	if original > 3 || len(h.full[0].symbols) != maxCategory+1 {
		t.Fatalf("%d codes, completed to %d", original, len(h.full[0].symbols))
	}
	for col := range 64 {
		part := image.Rect(8*col, 0, 8*col+8, 16)
		sameCoefficients(t, x, c, tileOf(t, x, data, part), part)
	}
}

func TestTile_DecodesToTheSamePixels(t *testing.T) {
	t.Parallel()
	std := func(b []byte) *image.RGBA {
		src, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		switch src := src.(type) {
		case *image.YCbCr:
			return photo.RGBA(src)
		case *image.Gray:
			out := image.NewRGBA(src.Rect)
			for i := range out.Pix {
				out.Pix[i] = src.Pix[i/4/src.Rect.Dx()*src.Stride+i/4%src.Rect.Dx()]
			}
			return out
		}
		t.Fatalf("decoded to %T", src)
		return nil
	}
	product := func(b []byte) *image.RGBA {
		img, _, err := photo.Decode(b, photo.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	for name, data := range files(t) {
		x := indexed(t, data)
		w, h := x.Size()
		mw, mh := x.MCU()
		r := rand.New(rand.NewSource(2))
		for range 15 {
			part := x.Align(somewhere(r, w, h))
			tile := tileOf(t, x, data, part)
			for decoder, decode := range map[string]func([]byte) *image.RGBA{"standard": std, "product": product} {
				whole, got := decode(data), decode(tile)
				if got.Rect.Size() != part.Size() {
					t.Fatalf("%s, %s: %v for %v", name, decoder, got.Rect, part)
				}
				// Away from inner edges, where colours miss a neighbour.
				inner := part
				if mw > 8 {
					inner.Min.X += min(part.Min.X, 2)
					inner.Max.X -= min(w-part.Max.X, 2)
				}
				if mh > 8 {
					inner.Min.Y += min(part.Min.Y, 2)
					inner.Max.Y -= min(h-part.Max.Y, 2)
				}
				if mw > 8 && part.Dx() <= 4 {
					continue // too narrow for smooth colours
				}
				for y := inner.Min.Y; y < inner.Max.Y; y++ {
					for xx := inner.Min.X; xx < inner.Max.X; xx++ {
						if a, b := whole.RGBAAt(xx, y), got.RGBAAt(xx-part.Min.X, y-part.Min.Y); a != b {
							t.Fatalf("%s, %s, tile %v: %v instead of %v at %d,%d", name, decoder, part, b, a, xx, y)
						}
					}
				}
			}
		}
	}
}

func TestTile_RefusesPlacesOffTheGrid(t *testing.T) {
	t.Parallel()
	data := files(t)["420.jpg"]
	x := indexed(t, data)
	for name, r := range map[string][4]int{
		"left of the grid":  {8, 0, 16, 16},
		"above the grid":    {0, 3, 16, 16},
		"odd width":         {0, 0, 17, 16},
		"odd height":        {0, 0, 16, 8},
		"beyond the right":  {1 << 20, 0, 16, 16},
		"beyond the bottom": {0, 1 << 20, 16, 16},
		"negative":          {-16, 0, 32, 16},
		"nothing":           {0, 0, 0, 16},
		"less than nothing": {16, 16, -16, 16},
	} {
		if tile, err := x.Tile(bytes.NewReader(data), r[0], r[1], r[2], r[3]); err == nil {
			t.Errorf("%s: %d bytes", name, len(tile))
		}
	}
	w, h := x.Size()
	const most = int(^uint(0) >> 1)
	tile, err := x.Tile(bytes.NewReader(data), 16, 16, most, most)
	if err != nil {
		t.Fatal(err)
	}
	if c := readCoefficients(t, tile); c.w != w-16 || c.h != h-16 {
		t.Errorf("clipped to %d×%d", c.w, c.h)
	}
}

// reader counts what is read, and fails where it is told to.
type reader struct {
	*bytes.Reader
	bytes int
	err   error
}

func (r *reader) ReadAt(b []byte, off int64) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.Reader.ReadAt(b, off)
	r.bytes += n
	return n, err
}

func TestTile_ReadsOnlyItsOwnBytes(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../assets/photos/chuttersnap-584518-unsplash.jpg")
	if err != nil {
		t.Fatal(err)
	}
	x := indexed(t, data)
	src := &reader{Reader: bytes.NewReader(data)}
	if _, err := x.Tile(src, 512, 512, 256, 256); err != nil {
		t.Fatal(err)
	}
	if src.bytes > len(data)/8 {
		t.Errorf("read %d of %d bytes", src.bytes, len(data))
	}
	broken := errors.New("disk is gone")
	if _, err := x.Tile(&reader{err: broken}, 512, 512, 256, 256); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestTile_RefusesAnotherFile(t *testing.T) {
	t.Parallel()
	all := files(t)
	data := all["420.jpg"]
	x := indexed(t, data)
	w, h := x.Size()
	for name, other := range all {
		_, err := x.Tile(bytes.NewReader(other), 0, 0, w, h)
		if same := name == "420.jpg"; same != (err == nil) || !same && !errors.Is(err, ErrMismatch) && !errors.Is(err, photo.ErrTruncated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for at := x.head.scanAt; at < len(data)-2; at += 7 {
		damaged := bytes.Clone(data)
		damaged[at] ^= 0x10
		if _, err := x.Tile(bytes.NewReader(damaged), 0, 0, w, h); !errors.Is(err, ErrMismatch) {
			t.Fatalf("damage at %d: %v", at, err)
		}
	}
	if _, err := x.Tile(bytes.NewReader(data[:len(data)/2]), 0, 0, w, h); !errors.Is(err, photo.ErrTruncated) {
		t.Errorf("half of the file: %v", err)
	}
}

func TestIndex_ServesSeveralAtOnce(t *testing.T) {
	t.Parallel()
	data := files(t)["422-restart-5.jpg"]
	x := indexed(t, data)
	part := x.Align(image.Rect(100, 50, 300, 150))
	want := tileOf(t, x, data, part)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for range 20 {
				got, err := x.Tile(bytes.NewReader(data), part.Min.X, part.Min.Y, part.Dx(), part.Dy())
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("another tile at once: %v", err)
				}
			}
		})
	}
	readers.Wait()
}
