package tiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"math/rand"
	"os"
	"sync"
	"testing"

	"flawmark/imaging/photo"
)

// pictures opens a photo in every way that it can be.
func pictures(tb testing.TB, data []byte, indexable bool, quality int) map[string]*Picture {
	tb.Helper()
	src, size := bytes.NewReader(data), int64(len(data))
	out := map[string]*Picture{}
	open := func(name string, x *Index, p *Pack) {
		pic, err := Open(src, size, x, p, photo.Limits{})
		if err != nil {
			tb.Fatal(err)
		}
		out[name] = pic
	}
	open("pack", nil, openPack(tb, packOf(tb, data, PackOptions{Complete: true, Quality: quality}), data))
	if indexable {
		x := stored(tb, indexed(tb, data))
		open("index", x, nil)
		open("index and pack", x, openPack(tb, packOf(tb, data, PackOptions{Quality: quality}), data))
	}
	return out
}

func tileAt(tb testing.TB, p *Picture, at place) *image.RGBA {
	tb.Helper()
	img, err := p.Tile(context.Background(), at.level, at.col, at.row)
	if err != nil {
		tb.Fatal(err)
	}
	return img
}

// allTiles are the places of a picture's tiles.
func allTiles(p *Picture) (out []place) {
	for n := range p.Levels() {
		cols, rows := p.pyramid.grid(n)
		for i := range cols * rows {
			out = append(out, place{n, i % cols, i / cols})
		}
	}
	return out
}

// TestPicture_IsTheOrientedPhoto: all samplings and restart intervals, all orientations.
func TestPicture_IsTheOrientedPhoto(t *testing.T) {
	t.Parallel()
	all := files(t)
	all["large"] = jpegOf(t, scene(733, 1090), 93)
	for name, plain := range all {
		for o := 1; o <= 8; o++ {
			if o > 1 && name != "large" && (o+len(name))%4 > 0 {
				continue
			}
			data := turned(plain, o)
			levels := allLevels(t, data)
			for how, p := range pictures(t, data, true, 97) {
				w, h := p.Size()
				if image.Rect(0, 0, w, h) != levels[0].Rect || p.Levels() != len(levels) {
					t.Fatalf("%s %d: %d×%d, %d levels", name, o, w, h, p.Levels())
				}
				for _, at := range allTiles(p) {
					got, want := tileAt(t, p, at), cropped(levels[at.level], p.pyramid.tile(at))
					if at.level == 0 && how != "pack" && (got.Rect != want.Rect || !bytes.Equal(got.Pix, want.Pix)) {
						t.Errorf("%s %d %s: %v has other pixels than the full decode", name, o, how, at)
					}
					least := 20.0 // the small files are noise, which JPEG keeps badly
					if name == "large" {
						least = 45
					}
					if db := decibels(got, want); db < least {
						t.Errorf("%s %d %s: %v has %.1f dB", name, o, how, at, db)
					}
					file, err := p.JPEG(context.Background(), at.level, at.col, at.row)
					if err != nil {
						t.Fatal(err)
					}
					if db := decibels(decoded(t, file), got); db < 20 || db < 40 && name == "large" {
						t.Errorf("%s %d %s: JPEG of %v has %.1f dB", name, o, how, at, db)
					}
				}
			}
		}
	}
}

func TestPicture_JPEGIsTheOriginalsOwn(t *testing.T) {
	t.Parallel()
	data := jpegOf(t, scene(700, 600), 90)
	p := pictures(t, data, true, 80)["index and pack"]
	whole := readCoefficients(t, data)
	for _, at := range allTiles(p) {
		file, err := p.JPEG(context.Background(), at.level, at.col, at.row)
		if err != nil {
			t.Fatal(err)
		}
		if at.level > 0 {
			if want, _ := p.pack.jpeg(at); !bytes.Equal(file, want) {
				t.Errorf("%v is not as stored", at)
			}
			continue
		}
		sameCoefficients(t, p.index, whole, file, p.pyramid.tile(at))
	}
}

// TestPicture_AppliesTheProfile: level 0 has the colours of the full decode.
func TestPicture_AppliesTheProfile(t *testing.T) {
	t.Parallel()
	plain := jpegOf(t, scene(600, 520), 95)
	data := withProfile(plain, profileSegment(wideProfile()))
	want := decoded(t, data)
	if decibels(want, decoded(t, plain)) > 35 {
		t.Fatal("the profile changes nothing")
	}
	for o := range 2 {
		for how, p := range pictures(t, turned(data, 1+5*o), true, 97) {
			full := decoded(t, turned(data, 1+5*o))
			for _, at := range allTiles(p) {
				if at.level > 0 {
					continue
				}
				got, part := tileAt(t, p, at), cropped(full, p.pyramid.tile(at))
				if how != "pack" && !bytes.Equal(got.Pix, part.Pix) {
					t.Errorf("%s: %v has other colours than the full decode", how, at)
				}
				file, err := p.JPEG(context.Background(), at.level, at.col, at.row)
				if err != nil {
					t.Fatal(err)
				}
				if db := decibels(decoded(t, file), part); db < 40 {
					t.Errorf("%s: JPEG of %v has %.1f dB", how, at, db)
				}
			}
		}
	}
	got, err := indexed(t, data).Region(bytes.NewReader(data), image.Rect(3, 5, 300, 200))
	if err != nil || !bytes.Equal(got.Pix, part(want, image.Rect(3, 5, 300, 200))) {
		t.Errorf("a region has other colours than the full decode: %v", err)
	}
}

func TestPicture_Regions(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for o := 1; o <= 8; o += 5 {
		data := turned(jpegOf(t, scene(1300, 1101), 93), o)
		levels := allLevels(t, data)
		for how, p := range pictures(t, data, true, 97) {
			w, h := p.Size()
			r := rand.New(rand.NewSource(5))
			for range 6 {
				part := somewhere(r, w, h)
				got, err := p.Region(ctx, part, part.Dx(), part.Dy())
				if err != nil {
					t.Fatal(err)
				}
				want := cropped(levels[0], part)
				if how != "pack" && !bytes.Equal(got.Pix, want.Pix) || decibels(got, want) < 40 {
					t.Errorf("%s: %v at full size has %.1f dB", how, part, decibels(got, want))
				}
				if part.Dx() < 40 || part.Dy() < 40 {
					continue
				}
				// Enlarged or reduced, it shows the same scene: compared with the scene's formula through Lanczos of level 0.
				nw, nh := 1+r.Intn(400), 1+r.Intn(400)
				got, err = p.Region(ctx, part, nw, nh)
				if err != nil || got.Rect != image.Rect(0, 0, nw, nh) || got.Stride != 4*nw {
					t.Fatalf("%s: %v at %d×%d: %v", how, part, nw, nh, err)
				}
				same, err := resample(ctx, levels[0], window{float64(part.Min.X), float64(part.Min.Y), float64(part.Max.X), float64(part.Max.Y)}, nw, nh)
				if err != nil {
					t.Fatal(err)
				}
				if db := decibels(got, same); db < 38 {
					t.Errorf("%s %d: %v at %d×%d has %.1f dB", how, o, part, nw, nh, db)
				}
			}
			for n := range p.Levels() {
				lw, lh := p.LevelSize(n)
				got, err := p.Region(ctx, image.Rect(-5, -5, w+5, h+5), lw, lh)
				if err != nil {
					t.Fatal(err)
				}
				at := place{n, (lw - 1) / TileSide, (lh - 1) / TileSide}
				if tile := tileAt(t, p, at); !bytes.Equal(part(got, p.pyramid.tile(at)), tile.Pix) {
					t.Errorf("%s: level %d as a region is not its tiles", how, n)
				}
			}
			for _, none := range []image.Rectangle{{}, image.Rect(w, 0, w+5, 5), image.Rect(-5, -5, 0, 0)} {
				if _, err := p.Region(ctx, none, 5, 5); !errors.Is(err, ErrOutside) {
					t.Errorf("%v: %v", none, err)
				}
			}
			if _, err := p.Region(ctx, levels[0].Rect, 1<<20, 1); !errors.Is(err, photo.ErrTooLarge) {
				t.Errorf("a huge one: %v", err)
			}
			for _, none := range []place{{-1, 0, 0}, {p.Levels(), 0, 0}, {0, 99, 0}, {0, 0, -1}} {
				if _, err := p.Tile(ctx, none.level, none.col, none.row); !errors.Is(err, ErrOutside) {
					t.Errorf("tile %v: %v", none, err)
				}
				if _, err := p.JPEG(ctx, none.level, none.col, none.row); !errors.Is(err, ErrOutside) {
					t.Errorf("JPEG %v: %v", none, err)
				}
			}
		}
	}
}

func TestResample_KeepsPlainAreas(t *testing.T) {
	t.Parallel()
	src := image.NewRGBA(image.Rect(0, 0, 90, 70))
	for i := range src.Pix {
		src.Pix[i] = []byte{13, 255, 0, 255}[i%4]
	}
	for _, b := range []window{{0, 0, 90, 70}, {3.25, 8.5, 77.9, 9}, {0, 0, 1, 1}, {89.5, 69.5, 90, 70}} {
		for _, size := range [][2]int{{1, 1}, {5, 200}, {90, 70}, {301, 3}} {
			got, err := resample(context.Background(), src, b, size[0], size[1])
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got.Pix {
				if v != src.Pix[i%4] {
					t.Fatalf("%v at %v: %d instead of %d", b, size, v, src.Pix[i%4])
				}
			}
		}
	}
}

func TestOpen_RefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	a, b := jpegOf(t, scene(600, 500), 80), jpegOf(t, scene(600, 500), 81)
	x, size := indexed(t, a), int64(len(a))
	coarse, other := openPack(t, packOf(t, a, PackOptions{}), a), openPack(t, packOf(t, b, PackOptions{Complete: true}), b)
	src := bytes.NewReader(a)
	for name, c := range map[string]struct {
		x    *Index
		p    *Pack
		size int64
		want error
	}{
		"nothing": {nil, nil, size, ErrNoLevel}, "a pack without level 0": {nil, coarse, size, ErrNoLevel},
		"another photo's pack": {x, other, size, ErrMismatch}, "another size": {x, coarse, size + 1, ErrMismatch},
		"another file's pack alone": {nil, other, size, ErrMismatch}, "all": {x, coarse, size, nil},
	} {
		if c.want == ErrMismatch && c.x == nil && len(a) == len(b) {
			continue
		}
		if _, err := Open(src, c.size, c.x, c.p, photo.Limits{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, err := Open(nil, int64(len(b)), nil, other, photo.Limits{}); err != nil {
		t.Error(err)
	} else if _, err := p.Tile(context.Background(), 0, 1, 0); err != nil {
		t.Error(err)
	}
	changed := bytes.Clone(a)
	changed[len(a)/2] ^= 1
	p, err := Open(bytes.NewReader(changed), size, x, coarse, photo.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for col := range 2 {
		if _, err := p.Tile(context.Background(), 0, col, 0); errors.Is(err, ErrMismatch) {
			wrong++
		}
	}
	if wrong == 0 {
		t.Error("a changed original was not noticed")
	}
}

// TestPicture_ManyAtOnce: pictures, packs and a cache from several goroutines; for the race detector.
func TestPicture_ManyAtOnce(t *testing.T) {
	t.Parallel()
	data := turned(jpegOf(t, scene(1100, 601), 85), 6)
	ctx := context.Background()
	for how, p := range pictures(t, data, true, 85) {
		cache := NewCache(4 << 20)
		want := map[place]*image.RGBA{}
		for _, at := range allTiles(p) {
			want[at] = tileAt(t, p, at)
		}
		hidden := p.Redacted([]image.Rectangle{image.Rect(300, 300, 500, 600)}, nil)
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				r := rand.New(rand.NewSource(int64(i)))
				places := allTiles(p)
				for range 25 {
					at := places[r.Intn(len(places))]
					asked, stop := context.WithCancel(ctx)
					if r.Intn(6) == 0 {
						stop()
					}
					img, err := cache.Tile(asked, p, at.level, at.col, at.row)
					stop()
					if err != nil && !errors.Is(err, context.Canceled) {
						t.Errorf("%s: %v", how, err)
					}
					if err == nil && !bytes.Equal(img.Pix, want[at].Pix) {
						t.Errorf("%s: %v differs", how, at)
					}
					if r.Intn(8) == 0 {
						if _, err := cache.Tile(ctx, hidden, at.level, at.col, at.row); err != nil {
							t.Error(err)
						}
					}
					if r.Intn(30) == 0 {
						cache.Drop(p)
					}
					cache.Has(p, at.level, at.col, at.row)
				}
			})
		}
		all.Wait()
		if cache.Bytes() > 4<<20 {
			t.Errorf("%s: the cache has %d bytes", how, cache.Bytes())
		}
		cache.Drop(p)
		cache.Drop(hidden)
		if cache.Bytes() != 0 || len(cache.tiles) != 0 {
			t.Errorf("%s: %d bytes, %d tiles left", how, cache.Bytes(), len(cache.tiles))
		}
	}
}

func TestCache_KeepsTheCoarsestLongest(t *testing.T) {
	t.Parallel()
	data := jpegOf(t, scene(1500, 1500), 60)
	p := pictures(t, data, true, 60)["index and pack"]
	ctx := context.Background()
	cache := NewCache(3<<20 + 1<<19)
	last := p.Levels() - 1
	get := func(level, col, row int) *image.RGBA {
		t.Helper()
		img, err := cache.Tile(ctx, p, level, col, row)
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	first := get(last, 0, 0)
	for i := range 9 {
		get(0, i%3, i/3)
		get(0, 0, 0) // used all the time
	}
	for _, c := range []struct {
		at   place
		kept bool
	}{{place{last, 0, 0}, true}, {place{0, 0, 0}, true}, {place{0, 1, 0}, false}} {
		if _, ok := cache.Has(p, c.at.level, c.at.col, c.at.row); ok != c.kept {
			t.Errorf("%v is kept: %t", c.at, ok)
		}
	}
	if get(last, 0, 0) != first {
		t.Error("the coarsest was made twice")
	}
	if _, err := cache.Tile(ctx, p, 0, 99, 0); !errors.Is(err, ErrOutside) {
		t.Errorf("a tile that is not: %v", err)
	}
	none := NewCache(0)
	if _, err := none.Tile(ctx, p, last, 0, 0); err != nil || none.Bytes() != 0 {
		t.Errorf("without room: %v, %d bytes", err, none.Bytes())
	}
}

func TestPicture_StopsWithItsContext(t *testing.T) {
	t.Parallel()
	data := jpegOf(t, scene(900, 700), 60)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for how, p := range pictures(t, data, true, 60) {
		_, a := p.Tile(ctx, 0, 0, 0)
		_, b := p.JPEG(ctx, 0, 0, 0)
		_, c := p.Region(ctx, image.Rect(0, 0, 900, 700), 333, 222)
		for i, err := range []error{a, b, c} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s, call %d: %v", how, i, err)
			}
		}
	}
}

// TestPicture_Kinds: progressive JPEG, PNG and WebP through the pack.
func TestPicture_Kinds(t *testing.T) {
	t.Parallel()
	all := map[string][]byte{"png": pngOf(t, scene(700, 900))}
	for _, n := range []string{"video-001.progressive.jpeg", "blue-purple-pink.lossy.webp"} {
		b, err := os.ReadFile("../photo/testdata/" + n)
		if err != nil {
			t.Fatal(err)
		}
		all[n] = b
	}
	for name, data := range all {
		p := pictures(t, data, false, 97)["pack"]
		whole := decoded(t, data)
		w, h := p.Size()
		got, err := p.Region(context.Background(), whole.Rect, w, h)
		if err != nil {
			t.Fatal(err)
		}
		if db := decibels(got, whole); db < 30 {
			t.Errorf("%s: %.1f dB", name, db)
		}
		if _, err := p.Region(context.Background(), whole.Rect, 50, 50); err != nil {
			t.Error(fmt.Errorf("%s: %w", name, err))
		}
	}
}
