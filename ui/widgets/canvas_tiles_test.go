package widgets

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"pgregory.net/rapid"
)

// drawnTiles is a source whose colours tell their place as those of slope do;
// blue tells the level. It counts who is in it.
type drawnTiles struct {
	w, h, levels int
	asked        map[tileID]int
	fail         func(id tileID) error
	inside, most atomic.Int32
	wait         bool // until ctx ends
}

func (d *drawnTiles) Levels() int { return d.levels }

func (d *drawnTiles) LevelSize(n int) (w, h int) {
	return (d.w + 1<<n - 1) >> n, (d.h + 1<<n - 1) >> n
}

func (d *drawnTiles) Tile(ctx context.Context, level, col, row int) (*image.RGBA, error) {
	d.most.Store(max(d.most.Load(), d.inside.Add(1)))
	defer d.inside.Add(-1)
	id := tileID{level, col, row}
	if d.wait {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if d.asked != nil {
		d.asked[id]++
	}
	if d.fail != nil {
		if err := d.fail(id); err != nil {
			return nil, err
		}
	}
	size := tileSize(d, id)
	w, h := d.LevelSize(level)
	img := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		line := img.Pix[y*img.Stride:][:4*size.X]
		green := uint8(255 * (float64(row*TileSide+y) + 0.5) / float64(h))
		for x := range size.X {
			line[4*x] = uint8(255 * (2*(col*TileSide+x) + 1) / (2 * w))
			line[4*x+1], line[4*x+2], line[4*x+3] = green, uint8(40*level), 255
		}
	}
	return img, nil
}

// coarse is a level in memory whose blue is none of a tile's.
func coarse(w, h int) *image.RGBA {
	img := slope(w, h)
	for i := 2; i < len(img.Pix); i += 4 {
		img.Pix[i] = 250
	}
	return img
}

// newTiled is a canvas with a photo that has little in memory.
func newTiled(tb testing.TB, scale float32, src *drawnTiles) *bench {
	b := newBench(tb, scale, 100, 100)
	b.SetPhoto("tiled", src.w, src.h, coarse(300, 300*src.h/src.w))
	b.SetTiles("tiled", src)
	return b
}

// pixel is what is shown of the photo at a place of the widget.
func (b *bench) pixel(at fyne.Position) color.RGBA {
	p := image.Pt(int(float64(at.X)*b.device), int(float64(at.Y)*b.device))
	for _, t := range b.photo.tiles {
		r := t.rect.Add(b.photo.at(b.port.view).Min.Sub(b.photo.rect.Min))
		if p.In(r) {
			p = p.Sub(r.Min)
			return t.img.RGBAAt(p.X, p.Y)
		}
	}
	return color.RGBA{}
}

// shows fails where the photo's colours do not tell their own place; it
// returns the blue in the middle.
func (b *bench) shows(tb testing.TB) uint8 {
	tb.Helper()
	seen := b.port.seen(0)
	for i := range 7 {
		for j := range 5 {
			at := fyne.NewPos(
				float32((float64(seen.Min.X)+float64(seen.Dx())*(float64(i)+0.5)/7)/b.device),
				float32((float64(seen.Min.Y)+float64(seen.Dy())*(float64(j)+0.5)/5)/b.device))
			p := b.WidgetToImage(at)
			got := b.pixel(at)
			x, y := 255*p.X/float64(b.port.w), 255*p.Y/float64(b.port.h)
			if math.Abs(float64(got.R)-x) > 4 || math.Abs(float64(got.G)-y) > 4 || got.A != 255 {
				tb.Fatalf("at %v, image %v: %v, want red %.0f green %.0f", at, p, got, x, y)
			}
		}
	}
	return b.pixel(fyne.NewPos(b.Size().Width/2, b.Size().Height/2)).B
}

func TestTiles_TheLevelHasAPixelForEachDevicePixel(t *testing.T) {
	for _, tc := range []struct {
		zoom  float64
		level uint8
	}{{100, 0}, {50, 1}, {30, 1}, {14, 2}, {300, 0}} {
		for _, scale := range []float32{1, 1.5} {
			t.Run(fmt.Sprintf("zoom %g scale %g", tc.zoom, scale), func(t *testing.T) {
				b := newTiled(t, scale, &drawnTiles{w: 11000, h: 8000, levels: 6})
				b.ZoomTo(tc.zoom)
				if blue := b.shows(t); blue != 40*tc.level {
					t.Errorf("blue is %d, want level %d", blue, tc.level)
				}
				for _, tile := range b.photo.tiles {
					if tile.rect.Dx() > largestTexture || tile.rect.Dy() > largestTexture {
						t.Errorf("a texture of %v", tile.rect)
					}
				}
			})
		}
	}
}

func TestTiles_CoarsePixelsStandInAndSharpOnesReplaceThem(t *testing.T) {
	for seed := range uint64(3) {
		dice := rand.New(rand.NewPCG(seed, 1))
		src := &drawnTiles{w: 5000, h: 4000, levels: 5}
		b := newTiled(t, 1, src)
		work, ui := &deferred{}, &deferred{}
		b.Background, b.Dispatch = work.add, ui.add
		b.ZoomTo(100)
		step := func() {
			list := work
			if len(work.list) == 0 || len(ui.list) > 0 && dice.IntN(2) == 0 {
				list = ui
			}
			list.run(dice.IntN(len(list.list)))
		}
		for n := 0; len(work.list)+len(ui.list) > 0; n++ {
			step()
			if b.flying > flightsAtOnce {
				t.Fatalf("%d tiles are under way", b.flying)
			}
			if b.photo.covers("tiled", b.port.view, b.port.seen(0)) && !b.photo.rough {
				b.shows(t) // never anything but this photo's pixels
			}
			if n == 20 {
				b.port.panTo(-900, -700)
				b.update()
			}
		}
		if b.shows(t) != 0 || b.photo.from.missing {
			t.Errorf("seed %d: in the end all is sharp", seed)
		}
	}
}

func TestTiles_AFailureIsToldOnceAndLeavesCoarsePixels(t *testing.T) {
	src := &drawnTiles{w: 5000, h: 4000, levels: 5, asked: map[tileID]int{}}
	broken := errors.New("broken")
	src.fail = func(id tileID) error {
		if id.level == 0 {
			return broken
		}
		return nil
	}
	b := newTiled(t, 1, src)
	var told []error
	b.OnProblem = func(err error) { told = append(told, err) }
	b.ZoomTo(100)
	b.port.panTo(-100, -100)
	b.update()
	b.port.panTo(-1500, -1500)
	b.update()
	if len(told) != 1 || !errors.Is(told[0], broken) {
		t.Errorf("told %v", told)
	}
	if blue := b.shows(t); blue == 0 {
		t.Error("level 0 cannot be had")
	}
	for id, n := range src.asked {
		if n > 1 {
			t.Errorf("%v was asked for %d times", id, n)
		}
	}
	// A tile of the wrong size is refused, too.
	odd := &oddTiles{drawnTiles{w: 5000, h: 4000, levels: 5}}
	told = nil
	b.SetTiles("tiled", odd)
	if len(told) != 1 {
		t.Errorf("told %v", told)
	}
}

type oddTiles struct{ drawnTiles }

func (o *oddTiles) Tile(context.Context, int, int, int) (*image.RGBA, error) {
	return image.NewRGBA(image.Rect(0, 0, 7, 7)), nil
}

func TestTiles_WhatIsNotWantedAnyMoreEnds(t *testing.T) {
	src := &drawnTiles{w: 9000, h: 7000, levels: 6}
	b := newTiled(t, 1, src)
	src.wait = true
	src.most.Store(0)
	ended := make(chan struct{}, 1000)
	started := 0
	b.Background = func(f func()) {
		started++
		go func() { f(); ended <- struct{}{} }()
	}
	ui := make(chan func(), 1000)
	b.Dispatch = func(f func()) { ui <- f }
	b.ZoomTo(100)
	for range 5 { // each view calls off the last one's tiles
		b.port.panTo(b.port.view.OffsetX-1500, b.port.view.OffsetY-1200)
		b.update()
	}
	test.WidgetRenderer(b.PhotoCanvas).Destroy()
	for done := 0; done < started; {
		select {
		case <-ended:
			done++
		case f := <-ui:
			f()
		}
	}
	for len(ui) > 0 {
		(<-ui)()
	}
	if src.inside.Load() != 0 || b.flying != 0 {
		t.Errorf("%d goroutines are still in the source, %d tiles under way", src.inside.Load(), b.flying)
	}
	if n := src.most.Load(); n > flightsAtOnce || n == 0 {
		t.Errorf("%d tiles were under way at once", n)
	}
	if n := len(b.subject.tiles.flights); n != 0 {
		t.Errorf("%d flights are kept", n)
	}
}

func TestTiles_TheNewestViewComesFirst(t *testing.T) {
	src := &drawnTiles{w: 9000, h: 7000, levels: 6}
	b := newTiled(t, 1, src)
	work, ui := &deferred{}, &deferred{}
	b.Background, b.Dispatch = work.add, ui.add
	b.ZoomTo(100)
	b.port.panTo(-7000, -5000)
	b.update()
	src.asked = map[tileID]int{}
	for len(work.list)+len(ui.list) > 0 {
		work.drain()
		ui.drain()
	}
	if len(src.asked) == 0 {
		t.Fatal("nothing was asked for")
	}
	for id := range src.asked {
		if id.level == 0 && (id.col < 10 || id.row < 7) {
			t.Errorf("%v is of a view that has gone", id)
		}
	}
}

func TestTiles_MemoryIsBounded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cache := tileCache{limit: 1 << 20}
		img := func() *image.RGBA { return image.NewRGBA(image.Rect(0, 0, rapid.IntRange(1, 256).Draw(rt, "w"), 200)) }
		cache.put("p", tileID{9, 0, 0}, img(), true)
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				id := tileID{0, rapid.IntRange(0, 9).Draw(rt, "col"), 0}
				cache.put(rapid.SampledFrom([]string{"p", "q"}).Draw(rt, "photo"), id, img(), false)
				if cache.bytes <= cache.limit-256*200*4 && cache.get("p", id) == nil && cache.get("q", id) == nil {
					rt.Fatal("what was put last is gone")
				}
			},
			"get":    func(rt *rapid.T) { cache.get("p", tileID{0, rapid.IntRange(0, 9).Draw(rt, "col"), 0}) },
			"forget": func(rt *rapid.T) { cache.forget("q") },
			"": func(rt *rapid.T) {
				var sum int64
				for e := cache.order.Front(); e != nil; e = e.Next() {
					sum += int64(len(e.Value.(*tileEntry).img.Pix))
				}
				if sum != cache.bytes || len(cache.entries) != cache.order.Len() || sum > cache.limit {
					rt.Fatalf("%d bytes in %d tiles, counted %d", sum, len(cache.entries), cache.bytes)
				}
				if !cache.has("p", tileID{9, 0, 0}) {
					rt.Fatal("the floor is gone")
				}
			},
		})
	})
}

func TestTiles_ACanvasLargerThanTheCacheShowsACoarserLevel(t *testing.T) {
	src := &drawnTiles{w: 9000, h: 7000, levels: 6, asked: map[tileID]int{}}
	b := newBench(t, 1, 100, 100)
	b.cache.limit = 8 << 20
	b.SetPhoto("tiled", src.w, src.h, coarse(300, 233))
	b.SetTiles("tiled", src)
	b.ZoomTo(100)
	coarser := 0
	for i := range 20 {
		b.port.panTo(float64(-400*i), float64(-300*i))
		b.update()
		if blue := b.shows(t); blue == 250 {
			t.Fatal("no tile is shown")
		} else if blue > 0 {
			coarser++
		}
		if b.cache.bytes > b.cache.limit {
			t.Fatalf("%d bytes of tiles", b.cache.bytes)
		}
	}
	if coarser == 0 {
		t.Error("level 0 of the whole window does not fit the cache")
	}
	for id, n := range src.asked {
		if n > 5 {
			t.Errorf("%v was asked for %d times", id, n)
		}
	}
}

func TestTiles_AnotherPhotoBringsItsOwn(t *testing.T) {
	b := newTiled(t, 1, &drawnTiles{w: 5000, h: 4000, levels: 5})
	b.ZoomTo(100)
	b.SetTiles("elsewhere", &drawnTiles{w: 10, h: 10, levels: 1})
	if b.shows(t) != 0 {
		t.Error("a source of another photo is ignored")
	}
	b.SetPhoto("next", 4000, 3000, coarse(400, 300))
	b.ZoomTo(100)
	if b.shows(t) != 250 {
		t.Error("the next photo has no tiles yet")
	}
	b.SetTiles("next", &drawnTiles{w: 4000, h: 3000, levels: 5})
	if b.shows(t) != 0 {
		t.Error("now it has")
	}
	// Without anything in memory the floor is there.
	b.SetPhoto("bare", 5000, 4000)
	b.SetTiles("bare", &drawnTiles{w: 5000, h: 4000, levels: 5})
	b.Fit()
	if blue := b.shows(t); blue == 250 {
		t.Error("nothing of it is shown")
	}
}

func TestTiles_PanningOverTiles(t *testing.T) {
	b := newTiled(t, 1.5, &drawnTiles{w: 9000, h: 7000, levels: 6})
	b.ZoomTo(100)
	for i := range 12 {
		from := fyne.NewPos(600, 400)
		b.sweep(from, from.SubtractXY(float32(97+i), 61), desktop.MouseButtonTertiary, 0)
		if b.shows(t) != 0 {
			t.Fatal("not sharp")
		}
	}
}
