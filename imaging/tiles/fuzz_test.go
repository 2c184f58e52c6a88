package tiles

import (
	"bytes"
	"errors"
	"hash/crc32"
	"image"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// fuzzLimits keeps one try cheap.
var fuzzLimits = photo.Limits{Bytes: 1 << 20, Pixels: 1 << 18, Side: 4096}

// known fails when an error is none of those documented.
func known(t *testing.T, err error) {
	t.Helper()
	for _, e := range []error{
		nil, ErrNotIndexable, ErrMismatch, ErrCorrupt, photo.ErrNotPhoto, photo.ErrEmpty, photo.ErrTooLarge,
		photo.ErrTruncated, photo.ErrUnreadable, photo.ErrUnsupported,
	} {
		if errors.Is(err, e) {
			return
		}
	}
	t.Fatalf("an undocumented error: %v", err)
}

func seeds(f *testing.F) {
	f.Helper()
	for _, data := range files(f) {
		f.Add(data)
	}
	names, err := filepath.Glob("../photo/testdata/*.jpeg")
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	// Small ones, for fast mutations.
	for _, sampling := range [][][2]int{{{1, 1}}, {{2, 2}, {1, 1}, {1, 1}}, {{2, 1}, {1, 1}, {1, 1}}, {{1, 1}, {1, 1}, {1, 1}}} {
		c := newCoefficients(300, 20, sampling...)
		r := rand.New(rand.NewSource(1))
		c.each(func(_, _ int, b *[64]int) { b[0], b[1+r.Intn(63)] = r.Intn(300)-150, r.Intn(9)-4 })
		f.Add(c.write(writing{optimise: true}))
		f.Add(c.write(writing{optimise: true, restart: 3, fill: 1}))
	}
}

// FuzzBuild: whatever is indexed can be cut everywhere, and the parts equal the whole.
func FuzzBuild(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		x, small, err := BuildEighth(data, qc.DigestOf(data), fuzzLimits)
		known(t, err)
		if err != nil {
			return
		}
		w, h := x.Size()
		if int64(w)*int64(h) > fuzzLimits.Pixels || small.Rect != image.Rect(0, 0, ceilDiv(w, 8), ceilDiv(h, 8)) {
			t.Fatalf("admitted %d×%d, at an eighth %v", w, h, small.Rect)
		}
		x = stored(t, x)
		whole, _, wholeErr := photo.Decode(data, fuzzLimits)
		r := rand.New(rand.NewSource(int64(crc32.ChecksumIEEE(data))))
		for _, p := range []image.Rectangle{image.Rect(0, 0, w, h), somewhere(r, w, h), somewhere(r, w, h)} {
			p = x.Align(p)
			tile, err := x.Tile(bytes.NewReader(data), p.Min.X, p.Min.Y, p.Dx(), p.Dy())
			if err != nil {
				t.Fatalf("indexed, but tile %v: %v", p, err)
			}
			if len(tile) > 4096+2*len(data)+64*(1+p.Dy()/8) {
				t.Fatalf("tile %v has %d bytes of %d", p, len(tile), len(data))
			}
			if _, err := Build(tile, qc.DigestOf(tile), photo.Limits{}); err != nil {
				t.Fatalf("tile %v is not indexable itself: %v", p, err)
			}
			if wholeErr != nil {
				continue
			}
			o := p
			if x.orientation != 1 {
				ow, oh := x.OrientedSize()
				o = somewhere(r, ow, oh)
			}
			got, err := x.OrientedRegion(bytes.NewReader(data), o)
			if err != nil {
				t.Fatalf("region %v: %v", o, err)
			}
			if !bytes.Equal(got.Pix, part(whole, o)) {
				t.Fatalf("region %v: other pixels than the full decode's", o)
			}
		}
	})
}

// FuzzUnmarshal: a forged index, rightly sealed, over a real file or other bytes does no harm.
func FuzzUnmarshal(f *testing.F) {
	var first []byte
	all := files(f)
	for _, name := range []string{"420-narrow.jpg", "422-restart-5.jpg", "grey-optimised.jpg"} {
		data := all[name]
		b, err := indexed(f, data).MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[len(magic)+33:len(b)-4], data, uint32(0))
		first = data
	}
	f.Add([]byte{}, first, uint32(1))
	f.Fuzz(func(t *testing.T, body, data []byte, where uint32) {
		digest := qc.DigestOf(data)
		x := &Index{digest: digest, head: header{comps: []component{{h: 1, v: 1}}}, entries: make([]entry, 1)}
		b, err := x.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		x, err = Unmarshal(sealed(append(b[:len(magic)+33:len(magic)+33], body...)), digest, int64(len(data)))
		known(t, err)
		if err != nil {
			return
		}
		w, h := x.Size()
		if cells := len(x.entries) - 1; cells > len(body)/3 {
			t.Fatalf("%d entries out of %d bytes", cells, len(body))
		}
		if !bytes.Equal(mustMarshal(t, x), mustMarshal(t, stored(t, x))) {
			t.Fatal("not stored the same again")
		}
		r := rand.New(rand.NewSource(int64(where)))
		for range 3 {
			p := somewhere(r, w, h)
			p.Max.X, p.Max.Y = min(p.Max.X, p.Min.X+600), min(p.Max.Y, p.Min.Y+100)
			p = x.Align(p)
			_, err := x.Tile(bytes.NewReader(data), p.Min.X, p.Min.Y, p.Dx(), p.Dy())
			known(t, err)
			// With right sums the cutter goes further.
			for i := range x.entries[:len(x.entries)-1] {
				if from, to := x.chunkBytes(i, i+1); to <= uint64(len(data)) {
					x.entries[i].sum = chunkSum(data[from:to])
				}
			}
			tile, err := x.Tile(bytes.NewReader(data), p.Min.X, p.Min.Y, p.Dx(), p.Dy())
			known(t, err)
			if err == nil && len(tile) > 8192+3*len(data)+64*p.Dx()/8*p.Dy()/8 {
				t.Fatalf("tile %v has %d bytes of %d", p, len(tile), len(data))
			}
		}
	})
}

func mustMarshal(t *testing.T, x *Index) []byte {
	t.Helper()
	b, err := x.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
