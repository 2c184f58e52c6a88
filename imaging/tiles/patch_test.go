package tiles

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"maps"
	"math"
	"math/rand"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

func patched(tb testing.TB, data []byte, what Patch) ([]byte, Patched) {
	tb.Helper()
	var out bytes.Buffer
	n, err := indexed(tb, data).Patch(&out, bytes.NewReader(data), what)
	if err != nil {
		tb.Fatal(err)
	}
	return out.Bytes(), n
}

// over paints rectangles in one colour.
func over(c color.Color, places ...image.Rectangle) func(*image.RGBA) error {
	return func(part *image.RGBA) error {
		for _, r := range places {
			draw.Draw(part, r, image.NewUniform(c), image.Point{}, draw.Src)
		}
		return nil
	}
}

// mcusOf tells which MCUs touch one of the places.
func mcusOf(x *Index, places []image.Rectangle) func(mcu int) bool {
	mw, mh := x.MCU()
	return func(mcu int) bool {
		at := image.Rect(0, 0, mw, mh).Add(image.Pt(mcu%x.head.cols*mw, mcu/x.head.cols*mh)).Intersect(x.bounds())
		return slices.ContainsFunc(places, at.Overlaps)
	}
}

// sameOutside fails unless all coefficients of the MCUs away from the places are the same, and the
// pixels, for another decoder.
func sameOutside(t failer, before, after []byte, x *Index, places []image.Rectangle) {
	t.Helper()
	in := mcusOf(x, places)
	var want [][64]int
	readCoefficients(t, before).each(func(_, _ int, b *[64]int) { want = append(want, *b) })
	i := 0
	readCoefficients(t, after).each(func(mcu, comp int, b *[64]int) {
		if !in(mcu) && *b != want[i] {
			t.Fatalf("MCU %d, component %d: other coefficients", mcu, comp)
		}
		i++
	})
	if i != len(want) {
		t.Fatalf("%d blocks instead of %d", i, len(want))
	}
}

// samplesOf are the planes of the standard decoder, without smoothing between MCUs.
func samplesOf(tb testing.TB, data []byte) (planes [3][]uint8, stride [3]int) {
	tb.Helper()
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	switch img := img.(type) {
	case *image.YCbCr:
		return [3][]uint8{img.Y, img.Cb, img.Cr}, [3]int{img.YStride, img.CStride, img.CStride}
	case *image.Gray:
		return [3][]uint8{img.Pix}, [3]int{img.Stride}
	}
	tb.Fatalf("decoded to %T", img)
	return planes, stride
}

func samplesOutside(t *testing.T, before, after []byte, x *Index, places []image.Rectangle) {
	t.Helper()
	in := mcusOf(x, places)
	a, stride := samplesOf(t, before)
	b, _ := samplesOf(t, after)
	for c, comp := range x.head.comps {
		for i := range a[c] {
			col, row := i%stride[c]/(8*comp.h), i/stride[c]/(8*comp.v)
			if col < x.head.cols && row < x.head.rows && !in(row*x.head.cols+col) && a[c][i] != b[c][i] {
				t.Fatalf("component %d, sample %d: another value", c, i)
			}
		}
	}
}

func TestPatch_KeepsEverythingOutside(t *testing.T) {
	t.Parallel()
	for name, data := range files(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := indexed(t, data)
			w, h := x.Size()
			mw, mh := x.MCU()
			for label, places := range map[string][]image.Rectangle{
				"nothing":        nil,
				"outside":        {image.Rect(w, h, w+9, h+9), image.Rect(-9, -9, 0, 0)},
				"first MCU":      {image.Rect(0, 0, 1, 1)},
				"last MCU":       {image.Rect(w-1, h-1, w, h)},
				"one pixel":      {image.Rect(w/2, h/2, w/2+1, h/2+1)},
				"left edge":      {image.Rect(0, 0, 1, h)},
				"right edge":     {image.Rect(w-1, 0, w, h)},
				"a row":          {image.Rect(0, h/2, w, h/2+1)},
				"adjacent":       {image.Rect(0, 0, mw, mh), image.Rect(mw, 0, 2*mw, mh), image.Rect(0, mh, mw, 2*mh)},
				"far apart":      {image.Rect(3, 2, 9, 7), image.Rect(w-9, 3, w-3, 5), image.Rect(w/2, h-4, w/2+3, h-1)},
				"across":         {image.Rect(w/3, h/3, 2*w/3, 2*h/3)},
				"one in another": {image.Rect(w/4, h/4, w/2, h/2), image.Rect(w/4+2, h/4+2, w/4+3, h/4+3)},
				"whole":          {image.Rect(0, 0, w, h)},
			} {
				red := color.RGBA{211, 47, 47, 255}
				after, n := patched(t, data, Patch{Touched: places, Paint: over(red, places...)})
				sameOutside(t, data, after, x, places)
				samplesOutside(t, data, after, x, places)
				covered := 0
				for m := range x.head.cols * x.head.rows {
					if mcusOf(x, places)(m) {
						covered++
					}
				}
				if n.Replaced != covered || n.Kept != x.head.cols*x.head.rows-covered {
					t.Errorf("%s: %+v, %d MCUs are painted on", label, n, covered)
				}
				again := indexed(t, after)
				if again.head.restart != x.head.restart || again.head.quants != x.head.quants {
					t.Errorf("%s: another restart interval or other quantisers", label)
				}
			}
		})
	}
}

func TestPatch_PaintsWhatIsDrawn(t *testing.T) {
	t.Parallel()
	for name, data := range files(t) {
		x := indexed(t, data)
		w, h := x.Size()
		place := image.Rect(w/3, h/3, w/3+24, h/3+24).Intersect(x.bounds())
		r := rand.New(rand.NewSource(5))
		want := color.RGBA{uint8(60 + r.Intn(140)), uint8(60 + r.Intn(140)), uint8(60 + r.Intn(140)), 255}
		if x.Grey() {
			want = color.RGBA{90, 90, 90, 255}
		}
		after, _ := patched(t, data, Patch{Touched: []image.Rectangle{place}, Paint: func(part *image.RGBA) error {
			if !part.Rect.In(x.bounds()) || !place.Overlaps(part.Rect) {
				t.Errorf("%s: given %v", name, part.Rect)
			}
			return over(want, place)(part)
		}})
		img, was := decoded(t, after), decoded(t, data)
		var sum, sumOutside float64
		n, outside := 0, 0
		for y := range h {
			for xx := range w {
				reference, total, count := want, &sum, &n
				if !image.Pt(xx, y).In(place) {
					reference, total, count = was.RGBAAt(xx, y), &sumOutside, &outside
				}
				got := img.RGBAAt(xx, y)
				for _, d := range []int{int(got.R) - int(reference.R), int(got.G) - int(reference.G), int(got.B) - int(reference.B)} {
					*total += float64(d * d)
				}
				*count += 3
			}
		}
		if db := psnr(sum, n); db < 24 {
			t.Errorf("%s: painted with %.1f dB", name, db)
		}
		if db := psnr(sumOutside, outside); db < 30 {
			t.Errorf("%s: the rest has %.1f dB", name, db)
		}
	}
}

func psnr(sum float64, n int) float64 { return 10 * math.Log10(255*255*float64(n)/max(sum, 1e-9)) }

func TestPatch_PaintSeesThePicture(t *testing.T) {
	t.Parallel()
	for name, data := range files(t) {
		x, whole := indexed(t, data), decoded(t, data)
		_, n := patched(t, data, Patch{Touched: []image.Rectangle{x.bounds()}, Paint: func(part *image.RGBA) error {
			var sum float64
			for y := part.Rect.Min.Y; y < part.Rect.Max.Y; y++ {
				for xx := part.Rect.Min.X; xx < part.Rect.Max.X; xx++ {
					a, b := part.RGBAAt(xx, y), whole.RGBAAt(xx, y)
					for _, d := range []int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B), int(a.A) - int(b.A)} {
						sum += float64(d * d)
					}
				}
			}
			if db := psnr(sum, 3*part.Rect.Dx()*part.Rect.Dy()); db < 45 {
				t.Errorf("%s: %v with %.1f dB", name, part.Rect, db)
			}
			return nil
		}})
		if n.Replaced != 0 {
			t.Errorf("%s: replaced %d though nothing was painted", name, n.Replaced)
		}
	}
}

// withSecret replaces the coefficients of some MCUs by others.
func withSecret(c coefficients, in func(mcu int) bool, seed int64) coefficients {
	out := coefficients{w: c.w, h: c.h, planes: slices.Clone(c.planes)}
	for i := range out.planes {
		out.planes[i].blocks = slices.Clone(c.planes[i].blocks)
	}
	r := rand.New(rand.NewSource(seed))
	out.each(func(mcu, _ int, b *[64]int) {
		if in(mcu) {
			*b = [64]int{r.Intn(1000) - 500}
			for range r.Intn(63) {
				b[1+r.Intn(63)] = r.Intn(60) - 30
			}
		}
	})
	return out
}

func TestPatch_NothingDependsOnWhatIsHidden(t *testing.T) {
	t.Parallel()
	for name, data := range files(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := indexed(t, data)
			w, h := x.Size()
			for _, hidden := range [][]image.Rectangle{
				{image.Rect(w/3, h/3, w/3+5, h/3+40)},
				{image.Rect(0, 0, 3, 3), image.Rect(w-1, h-1, w, h)},
				{image.Rect(w-30, 0, w, h)},
				{image.Rect(0, 0, w, h)},
			} {
				in := mcusOf(x, hidden)
				what := Patch{
					Hidden:  hidden,
					Touched: []image.Rectangle{image.Rect(w/4, h/4, w/2, h/2), image.Rect(0, 0, 30, 30)},
					Paint:   over(color.White, image.Rect(w/4, h/4, w/2, h/4+3), image.Rect(0, 11, 30, 13), image.Rect(w-7, h-7, w, h)),
				}
				for _, tables := range []string{"any", "optimised", "standard"} {
					var first []byte
					for seed := range int64(2) {
						c := withSecret(readCoefficients(t, data), in, seed)
						file := c.write(writing{restart: x.head.restart, optimise: tables == "optimised"})
						if tables == "standard" { // which hiding something leaves
							file, _ = patched(t, file, Patch{Hidden: []image.Rectangle{image.Rect(w/2, 0, w/2+1, 1)}})
						}
						got, _ := patched(t, file, what)
						if first == nil {
							first = got
						}
						if !bytes.Equal(first, got) {
							t.Fatalf("%v, %s tables: the file depends on what is hidden", hidden, tables)
						}
						sameOutside(t, file, got, x, append(slices.Clone(hidden), what.Touched...))
					}
				}
			}
		})
	}
}

func TestPatch_PaintNeverSeesWhatIsHidden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"420.jpg", "422.jpg", "440.jpg", "444.jpg", "grey.jpg"} {
		data := files(t)[name]
		x := indexed(t, data)
		hidden := image.Rect(100, 50, 150, 90)
		in := mcusOf(x, []image.Rectangle{hidden})
		var seen [2][]byte
		for i := range seen {
			c := withSecret(readCoefficients(t, data), in, int64(i))
			patched(t, c.write(writing{}), Patch{
				Touched: []image.Rectangle{x.bounds()}, Hidden: []image.Rectangle{hidden},
				Paint: func(part *image.RGBA) error {
					seen[i] = append(seen[i], part.Pix...)
					return nil
				},
			})
		}
		if !bytes.Equal(seen[0], seen[1]) {
			t.Errorf("%s: the painter sees what is hidden, or colours mixed with it", name)
		}
	}
}

// TestPatch_HoldsAnyCoefficients has pictures that no encoder writes, with stored indexes.
func TestPatch_HoldsAnyCoefficients(t *testing.T) {
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
		var places []image.Rectangle
		for range rapid.IntRange(0, 5).Draw(t, "places") {
			p := somewhere(r, c.w, c.h)
			p.Max.X, p.Max.Y = min(p.Max.X, p.Min.X+60), min(p.Max.Y, p.Min.Y+40)
			places = append(places, p)
		}
		what := Patch{Touched: places, Paint: func(part *image.RGBA) error {
			for _, p := range places {
				p = p.Intersect(part.Rect)
				for y := p.Min.Y; y < p.Max.Y; y++ {
					r.Read(part.Pix[part.PixOffset(p.Min.X, y):][:4*p.Dx()])
				}
			}
			return nil
		}}
		if rapid.Bool().Draw(t, "hide") {
			what.Touched, what.Hidden = places, places
		}
		var out bytes.Buffer
		if _, err := again.Patch(&out, bytes.NewReader(data), what); err != nil {
			t.Fatal(err)
		}
		sameOutside(t, data, out.Bytes(), x, places)
	})
}

func TestPatch_TellsNothingButThePicture(t *testing.T) {
	t.Parallel()
	secret := []byte("GPS 31.2304 N 121.4737 E")
	segment := func(mark byte, body []byte) []byte {
		out := binary.BigEndian.AppendUint16([]byte{0xFF, mark}, uint16(len(body)+2))
		return append(out, body...)
	}
	profile := append([]byte("ICC_PROFILE\x00\x01\x01"), bytes.Repeat([]byte("colours "), 40)...)
	data := turned(files(t)["420.jpg"], 6)
	rest := bytes.Clone(data[2:])
	data = data[:2:2]
	data = append(data, segment(0xE1, append([]byte("http://ns.adobe.com/xap/1.0/\x00"), secret...))...)
	data = append(data, segment(0xE2, append([]byte("MPF\x00"), secret...))...)
	data = append(data, segment(0xE2, profile)...)
	data = append(data, segment(0xED, secret)...)
	data = append(data, segment(0xFE, secret)...)
	data = append(append(data, rest...), secret...)
	for _, keep := range []bool{false, true} {
		out, _ := patched(t, data, Patch{Profile: keep, Touched: []image.Rectangle{image.Rect(0, 0, 20, 20)}, Paint: over(color.Black, image.Rect(0, 0, 20, 20))})
		if bytes.Contains(out, []byte("GPS")) || bytes.Contains(out, []byte("MPF")) || bytes.Contains(out, []byte("adobe")) {
			t.Error("metadata are left")
		}
		if bytes.Contains(out, profile) != keep {
			t.Errorf("profile kept: %t, wanted %t", !keep, keep)
		}
		if x := indexed(t, out); x.Orientation() != 6 {
			t.Errorf("orientation %d", x.Orientation())
		}
		// Whoever strips it finds nothing to strip.
		var stripped bytes.Buffer
		if err := photo.StripMetadata(&stripped, bytes.NewReader(out)); err != nil || stripped.Len() != len(out) {
			t.Errorf("%d of %d bytes after stripping: %v", stripped.Len(), len(out), err)
		}
	}
}

func TestPatch_FailsWithoutHarm(t *testing.T) {
	t.Parallel()
	all := files(t)
	broken := errors.New("broken")
	for name, data := range maps.All(all) {
		x := indexed(t, data)
		what := Patch{Touched: []image.Rectangle{image.Rect(3, 3, 20, 20)}, Paint: over(color.Black, image.Rect(3, 3, 20, 20))}
		var out bytes.Buffer
		failing := what
		failing.Paint = func(*image.RGBA) error { return broken }
		if _, err := x.Patch(&out, bytes.NewReader(data), failing); !errors.Is(err, broken) || out.Len() > 0 {
			t.Errorf("%s, painter: %v after %d bytes", name, err, out.Len())
		}
		if _, err := x.Patch(&out, &reader{err: broken}, what); !errors.Is(err, broken) || out.Len() > 0 {
			t.Errorf("%s, reader: %v after %d bytes", name, err, out.Len())
		}
		if _, err := x.Patch(failingWriter{broken}, bytes.NewReader(data), what); !errors.Is(err, broken) {
			t.Errorf("%s, writer: %v", name, err)
		}
		for at := x.head.scanAt; at < len(data)-2; at += 13 {
			damaged := bytes.Clone(data)
			damaged[at] ^= 0x10
			if _, err := x.Patch(&out, bytes.NewReader(damaged), what); !errors.Is(err, ErrMismatch) {
				t.Fatalf("%s, damage at %d: %v", name, at, err)
			}
		}
		if _, err := x.Patch(&out, bytes.NewReader(data[:len(data)/2]), what); !errors.Is(err, photo.ErrTruncated) && !errors.Is(err, ErrMismatch) {
			t.Errorf("%s, half of the file: %v", name, err)
		}
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
