package tiles

import (
	"bytes"
	"hash/crc32"
	"image"
	"math/rand"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// FuzzPatch: whatever is indexed can be painted on anywhere, and what is not painted on stays.
func FuzzPatch(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Build(data, qc.DigestOf(data), fuzzLimits)
		known(t, err)
		if err != nil {
			return
		}
		x = stored(t, x)
		w, h := x.Size()
		r := rand.New(rand.NewSource(int64(crc32.ChecksumIEEE(data))))
		places := []image.Rectangle{somewhere(r, w, h), somewhere(r, w, h)}
		what := Patch{Touched: places, Profile: r.Intn(2) == 0, Paint: func(part *image.RGBA) error {
			for _, p := range places {
				p = p.Intersect(part.Rect)
				for y := p.Min.Y; y < p.Max.Y; y++ {
					r.Read(part.Pix[part.PixOffset(p.Min.X, y):][:4*p.Dx()])
				}
			}
			return nil
		}}
		if r.Intn(3) == 0 {
			what.Hidden = places[:1]
		}
		var out bytes.Buffer
		n, err := x.Patch(&out, bytes.NewReader(data), what)
		if err != nil {
			t.Fatalf("indexed, but not patched: %v", err)
		}
		if total := x.head.cols * x.head.rows; n.Kept+n.Replaced != total {
			t.Fatalf("%+v of %d MCUs", n, total)
		}
		lim := fuzzLimits
		lim.Bytes = int64(out.Len())
		y, err := Build(out.Bytes(), qc.DigestOf(out.Bytes()), lim)
		if err != nil {
			t.Fatalf("the patched file is not indexable: %v", err)
		}
		in := mcusOf(x, places)
		before, after := blocksOf(t, x, data), blocksOf(t, y, out.Bytes())
		for m := range before {
			if !in(m) && !bytes.Equal(before[m], after[m]) {
				t.Fatalf("MCU %d: other coefficients", m)
			}
		}
		if _, _, err := photo.Decode(data, fuzzLimits); err == nil {
			if _, _, err := photo.Decode(out.Bytes(), lim); err != nil {
				t.Fatalf("not decodable any more: %v", err)
			}
		}
	})
}

// blocksOf are the tokens of each MCU.
func blocksOf(t *testing.T, x *Index, data []byte) [][]byte {
	t.Helper()
	p := newPatcher(x, bytes.NewReader(data), Patch{})
	var out [][]byte
	for row := range x.head.rows {
		q := piece{patcher: p, mcus: image.Rect(0, row, x.head.cols, row+1)}
		if err := q.readRow(row); err != nil {
			t.Fatal(err)
		}
		for i, at := range q.at {
			end := len(q.old)
			if i+1 < len(q.at) {
				end = q.at[i+1]
			}
			var mcu []byte
			for _, token := range q.old[at:end] {
				mcu = append(mcu, byte(token), byte(token>>8), byte(token>>16), byte(token>>24))
			}
			out = append(out, mcu)
		}
	}
	return out
}

// FuzzPatch_ForgedIndex: a forged index, rightly sealed, over a real file or other bytes does no harm.
func FuzzPatch_ForgedIndex(f *testing.F) {
	all := files(f)
	for _, name := range []string{"420-narrow.jpg", "422-restart-5.jpg", "grey-optimised.jpg"} {
		data := all[name]
		b, err := indexed(f, data).MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[len(magic)+33:len(b)-4], data, uint32(0))
	}
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
		// With right sums the patch goes further.
		for i := range x.entries[:len(x.entries)-1] {
			if from, to := x.chunkBytes(i, i+1); to <= uint64(len(data)) {
				x.entries[i].sum = chunkSum(data[from:to])
			}
		}
		w, h := x.Size()
		r := rand.New(rand.NewSource(int64(where)))
		place := somewhere(r, w, h)
		place.Max.X, place.Max.Y = min(place.Max.X, place.Min.X+100), min(place.Max.Y, place.Min.Y+100)
		what := Patch{Touched: []image.Rectangle{place}, Profile: true, Paint: over(image.White, place)}
		if where%2 == 0 {
			what.Hidden = what.Touched
		}
		var out bytes.Buffer
		_, err = x.Patch(&out, bytes.NewReader(data), what)
		known(t, err)
	})
}
