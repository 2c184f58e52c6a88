package widgets

import (
	"image"
	"image/color"
	"math"
	"sync/atomic"
	"testing"

	"flawmark/imaging/annotate"
)

// slope is a picture whose colours tell their place: red grows to the right,
// green downwards.
func slope(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	row := make([]byte, 0, 4*w)
	for x := range w {
		row = append(row, byte(x*255/max(w-1, 1)), 0, 90, 255)
	}
	for y := range h {
		line := img.Pix[y*img.Stride:][:4*w]
		copy(line, row)
		for x := 1; x < len(line); x += 4 {
			line[x] = byte(y * 255 / max(h-1, 1))
		}
	}
	return img
}

func TestCompose_PutsColoursInTheirPlaceAtEveryZoom(t *testing.T) {
	const w, h = 640, 480
	for _, tc := range []struct {
		name  string
		level *image.RGBA
		scale float64
	}{
		{"reduced from the original", slope(w, h), 0.37},
		{"reduced from a level", slope(w/2, h/2), 0.4},
		{"one to one", slope(w, h), 1},
		{"enlarged smoothly", slope(w, h), 1.7},
		{"enlarged from a small level", slope(w/4, h/4), 3},
		{"enlarged in squares", slope(w, h), 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := composition{
				level: tc.level, w: w, h: h,
				view: annotate.View{Scale: tc.scale, OffsetX: -40, OffsetY: -25},
				rect: image.Rect(-10, 5, 140, 125),
			}
			out := o.compose(new(atomic.Bool))
			if out.Rect.Size() != o.rect.Size() || out.Stride != 4*out.Rect.Dx() {
				t.Fatalf("%v, stride %d", out.Rect, out.Stride)
			}
			for _, at := range []image.Point{{0, 0}, {75, 60}, {149, 119}, {149, 0}} {
				got := out.RGBAAt(at.X, at.Y)
				x := (float64(at.X+o.rect.Min.X) + 0.5 + 40) / tc.scale / w * 255
				y := (float64(at.Y+o.rect.Min.Y) + 0.5 + 25) / tc.scale / h * 255
				if math.Abs(float64(got.R)-x) > 3 || math.Abs(float64(got.G)-y) > 3 || got.B < 88 || got.B > 92 || got.A != 255 {
					t.Errorf("at %v %v, want red %.0f green %.0f", at, got, x, y)
				}
			}
		})
	}
}

func TestCompose_OneToOneIsExact(t *testing.T) {
	img := slope(300, 200)
	o := composition{level: img, w: 300, h: 200, view: annotate.View{Scale: 1, OffsetX: -7, OffsetY: 3}, rect: image.Rect(0, 10, 100, 60)}
	out := o.compose(new(atomic.Bool))
	for y := range 50 {
		for x := range 100 {
			if got, want := out.RGBAAt(x, y), img.RGBAAt(x+7, y+10-3); got != want {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, got, want)
			}
		}
	}
}

func TestCompose_ReducingAveragesRatherThanPicks(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 400, 400))
	for y := range 400 {
		for x := range 400 {
			v := uint8((x + y) % 2 * 255)
			img.SetRGBA(x, y, color.RGBA{v, v, v, 255})
		}
	}
	o := composition{level: img, w: 400, h: 400, view: annotate.View{Scale: 0.3}, rect: image.Rect(10, 10, 110, 110)}
	out := o.compose(new(atomic.Bool))
	for y := range 100 {
		for x := range 100 {
			if v := out.RGBAAt(x, y).R; v < 110 || v > 145 {
				t.Fatalf("a checkerboard is grey from afar, not %d", v)
			}
		}
	}
}

func TestCompose_StopsWhenTold(t *testing.T) {
	var stop atomic.Bool
	stop.Store(true)
	o := composition{level: slope(400, 300), w: 400, h: 300, view: annotate.View{Scale: 0.5}, rect: image.Rect(0, 0, 200, 150)}
	if o.compose(&stop) != nil {
		t.Error("a stopped composition has no result")
	}
}

func BenchmarkCompose_1500x900(b *testing.B) {
	level := slope(2600, 1700)
	o := composition{level: level, w: 8688, h: 5792, view: annotate.View{Scale: 0.2}, rect: image.Rect(0, 0, 1500, 900)}
	for b.Loop() {
		o.compose(new(atomic.Bool))
	}
}
