package widgets

import (
	"encoding/binary"
	"image"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"flawmark/imaging/annotate"
)

// composition is the order for one screen-sized picture of a photo: which part
// of which level in which place. It holds no widget and may be carried out on
// any goroutine; the level's pixels are never written to.
type composition struct {
	level *image.RGBA     // a whole level, or nil and
	tiles *mosaic         // one in tiles
	light *light          // nil: as it is
	w, h  int             // of the whole photo, image pixels
	view  annotate.View   // image to device pixels
	rect  image.Rectangle // device pixels to fill, all within the photo
	rough bool            // nearest pixels only, to show something at once
	pool  *pool           // of pixels to fill; nil: none
}

// crispFrom is the zoom from which single image pixels are shown as squares:
// above 200 % a smooth picture would invent what the camera did not see.
const crispFrom = 2.0

func (o composition) crisp() bool {
	w, _ := o.size()
	return o.rough || o.view.Scale > crispFrom && w >= o.w
}

// size returns the level's.
func (o composition) size() (w, h int) {
	if o.tiles != nil {
		return o.tiles.w, o.tiles.h
	}
	return o.level.Rect.Dx(), o.level.Rect.Dy()
}

// line returns the pixels [from, to) of a line of the level, in spare or in
// place. They are only read.
func (o composition) line(y, from, to int, spare []byte) []byte {
	if o.tiles != nil {
		return o.tiles.line(y, from, to, spare[:4*(to-from)])
	}
	start := o.level.PixOffset(o.level.Rect.Min.X+from, o.level.Rect.Min.Y+y)
	return o.level.Pix[start : start+4*(to-from)]
}

// ratio returns level pixels per device pixel.
func (o composition) ratio() (x, y float64) {
	w, h := o.size()
	return float64(w) / (float64(o.w) * o.view.Scale), float64(h) / (float64(o.h) * o.view.Scale)
}

// cost estimates the time in milliseconds on one core.
func (o composition) cost() float64 { return o.costOf(o.rect) }

func (o composition) costOf(rect image.Rectangle) float64 {
	out := float64(rect.Dx() * rect.Dy())
	more := 0.0
	if o.light != nil {
		more += out * 2.5e-6
	}
	if o.view.Turn != 0 {
		more += out * 3e-6
	}
	if o.crisp() {
		return out*2.5e-6 + more
	}
	rx, ry := o.ratio()
	rx, ry = max(rx, 1), max(ry, 1)
	return out*ry*(2*rx+1)*2.2e-6 + out*(2*ry+1)*2.2e-6 + more
}

// compose fills the order's rectangle and returns it with its origin at 0,0,
// or nil when stop was set meanwhile. No pixel of it is left as it was.
func (o composition) compose(stop *atomic.Bool) *image.RGBA {
	if o.view.Turn != 0 {
		// Whole device pixels stay whole, so that nothing is lost by turning
		// what was made upright.
		out := o.upright().compose(stop)
		if out == nil {
			return nil
		}
		again := turned(out, o.view.Turn)
		o.pool.put(out)
		return again
	}
	out := o.pool.get(o.rect.Size())
	lines := func(from, to int) { o.smoothLines(out, from, to, stop) }
	if o.crisp() {
		lines = func(from, to int) { o.crispLines(out, from, to) }
	}
	paint := lines
	if o.light != nil {
		paint = func(from, to int) {
			lines(from, to)
			o.light.apply(out, from, to)
		}
	}
	parts := 1
	if o.cost() > 4 {
		parts = min(runtime.GOMAXPROCS(0), 4)
	}
	var group sync.WaitGroup
	height := out.Rect.Dy()
	for i := 1; i < parts; i++ {
		group.Go(func() { paint(height*i/parts, height*(i+1)/parts) })
	}
	paint(0, height/parts)
	group.Wait()
	if stop.Load() {
		return nil
	}
	return out
}

func (o composition) crispLines(out *image.RGBA, from, to int) {
	rx, ry := o.ratio()
	w, h := o.size()
	width := out.Rect.Dx()
	place := func(x int) int {
		return clampInt(int(math.Floor((float64(o.rect.Min.X+x)+0.5-o.view.OffsetX)*rx)), w)
	}
	first, end := place(0), place(width-1)+1
	columns := make([]int, width)
	for x := range columns {
		columns[x] = 4 * (place(x) - first)
	}
	spare := make([]byte, 4*(end-first))
	var source []byte
	last := -1
	for y := from; y < to; y++ {
		s := clampInt(int(math.Floor((float64(o.rect.Min.Y+y)+0.5-o.view.OffsetY)*ry)), h)
		target := out.Pix[y*out.Stride:][: 4*width : 4*width]
		if s == last {
			copy(target, out.Pix[(y-1)*out.Stride:][:4*width])
			continue
		}
		source, last = o.line(s, first, end, spare), s
		for x, c := range columns {
			copy(target[4*x:4*x+4], source[c:c+4])
		}
	}
}

func clampInt(v, size int) int { return min(max(v, 0), size-1) }

// window holds how much each of some neighbouring level pixels counts for one
// device pixel; the weights add up to 256.
type window struct {
	first   int
	weights []uint16
}

// windows computes a triangle filter, which is as wide as a device pixel's
// neighbourhood in the level and never narrower than the level's own.
func windows(from, count int, offset, ratio float64, size int) []window {
	reach := max(ratio, 1)
	list := make([]window, count)
	taps := int(2*reach) + 3
	weights := make([]uint16, count*taps)
	exact := make([]float64, taps)
	for i := range list {
		centre := (float64(from+i)+0.5-offset)*ratio - 0.5
		first := int(math.Ceil(centre - reach))
		last := int(math.Floor(centre + reach))
		low, high := clampInt(first, size), clampInt(last, size)
		n := high - low + 1
		clear(exact[:n])
		sum := 0.0
		for s := first; s <= last; s++ {
			share := max(0, 1-math.Abs(float64(s)-centre)/reach)
			exact[clampInt(s, size)-low] += share
			sum += share
		}
		mine := weights[i*taps : i*taps+n : i*taps+n]
		rest, largest := 256, 0
		for k := range n {
			mine[k] = uint16(math.Round(exact[k] / sum * 256))
			rest -= int(mine[k])
			if mine[k] > mine[largest] {
				largest = k
			}
		}
		mine[largest] = uint16(int(mine[largest]) + rest)
		for n > 1 && mine[n-1] == 0 {
			n--
		}
		list[i] = window{low, mine[:n]}
	}
	return list
}

// A pixel's four bytes are spread over four 16-bit lanes of a word, so that
// one multiplication weights all of them: 255 × 256 fits a lane.
const (
	lanes = 0x00FF00FF00FF00FF
	half  = 0x0080008000800080
)

func spread(p uint32) uint64 { return uint64(p&0x00FF00FF) | uint64(p&0xFF00FF00)<<24 }

func gather(v uint64) uint32 { return uint32(v)&0x00FF00FF | uint32(v>>24)&0xFF00FF00 }

// smoothLines filters across, keeping the lines that neighbours share, then
// down.
func (o composition) smoothLines(out *image.RGBA, from, to int, stop *atomic.Bool) {
	rx, ry := o.ratio()
	width := out.Rect.Dx()
	levelW, levelH := o.size()
	across := windows(o.rect.Min.X, width, o.view.OffsetX, rx, levelW)
	down := windows(o.rect.Min.Y+from, to-from, o.view.OffsetY, ry, levelH)
	first, end := across[0].first, 0
	for i := range across {
		end = max(end, across[i].first+len(across[i].weights))
		across[i].first -= first
	}
	spare := make([]byte, 4*(end-first))
	depth := 1
	for _, w := range down {
		depth = max(depth, len(w.weights))
	}
	kept := make([]uint64, depth*width) // line s is in place s mod depth
	sum := make([]uint64, width)
	done := -1
	for i, w := range down {
		if i%16 == 0 && stop.Load() {
			return
		}
		for s := max(w.first, done+1); s < w.first+len(w.weights); s++ {
			filterLine(kept[s%depth*width:][:width], o.line(s, first, end, spare), across)
			done = s
		}
		for x := range sum {
			sum[x] = half
		}
		for k, weight := range w.weights {
			if weight == 0 {
				continue
			}
			line := kept[(w.first+k)%depth*width:][:len(sum)]
			for x, v := range line {
				sum[x] += v * uint64(weight)
			}
		}
		target := out.Pix[(from+i)*out.Stride:][:4*width]
		for x, v := range sum {
			binary.LittleEndian.PutUint32(target[4*x:], gather(v>>8&lanes))
		}
	}
}

func filterLine(out []uint64, source []byte, across []window) {
	for x, w := range across {
		pixels := source[4*w.first:]
		acc := uint64(half)
		for k, weight := range w.weights {
			acc += spread(binary.LittleEndian.Uint32(pixels[4*k:])) * uint64(weight)
		}
		out[x] = acc >> 8 & lanes
	}
}
