package tiles

import (
	"context"
	"image"
	"math"
	"runtime"
	"sync"
)

// window is the part of a picture that is resized, in its pixels; it may begin and end inside of one.
type window struct{ x0, y0, x1, y1 float64 }

// lobes is the reach of Lanczos's filter, in pixels of the smaller picture.
const lobes = 3

// reach is all of a picture that resizing to w×h takes in.
func (b window) reach(w, h int) image.Rectangle {
	rx, ry := lobes*max(1, (b.x1-b.x0)/float64(w)), lobes*max(1, (b.y1-b.y0)/float64(h))
	return image.Rect(int(math.Floor(b.x0-rx)), int(math.Floor(b.y0-ry)), int(math.Ceil(b.x1+rx)), int(math.Ceil(b.y1+ry)))
}

// taps is what a pixel of the result takes: weights of pixels from first on, their sum weightOne.
type taps struct {
	first   int
	weights []int32
}

const (
	weightBits = 14
	weightOne  = 1 << weightBits
)

// lanczos makes the taps for n pixels out of from..to of size ones.
func lanczos(from, to float64, n, size int) []taps {
	scale := (to - from) / float64(n)
	wide := max(1, scale)
	out := make([]taps, n)
	for i := range out {
		centre := from + (float64(i)+0.5)*scale
		first := max(0, int(math.Ceil(centre-0.5-lobes*wide)))
		last := min(size-1, int(math.Floor(centre-0.5+lobes*wide)))
		first, last = min(first, size-1), max(last, 0)
		weights := make([]float64, max(last-first+1, 1))
		var sum float64
		for j := range weights {
			weights[j] = sincs((float64(first+j) + 0.5 - centre) / wide)
			sum += weights[j]
		}
		t := taps{first, make([]int32, len(weights))}
		left, largest := int32(weightOne), 0
		for j, v := range weights {
			t.weights[j] = int32(math.Round(v / sum * weightOne))
			left -= t.weights[j]
			if weights[largest] < v {
				largest = j
			}
		}
		t.weights[largest] += left // so that plain areas stay as they are
		out[i] = t
	}
	return out
}

func sincs(x float64) float64 {
	if x == 0 {
		return 1
	}
	if x <= -lobes || x >= lobes {
		return 0
	}
	x *= math.Pi
	return lobes * math.Sin(x) * math.Sin(x/lobes) / (x * x)
}

// resample resizes the window of an opaque picture to w×h, first across, then down, on all cores.
func resample(ctx context.Context, src *image.RGBA, b window, w, h int) (*image.RGBA, error) {
	across := lanczos(b.x0, b.x1, w, src.Rect.Dx())
	down := lanczos(b.y0, b.y1, h, src.Rect.Dy())
	mid := image.NewRGBA(image.Rect(0, 0, w, src.Rect.Dy()))
	inParts(ctx, src.Rect.Dy(), func(y int) { resampleRow(mid.Pix[y*mid.Stride:][:mid.Stride], src.Pix[y*src.Stride:], across) })
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	if ctx.Err() == nil {
		inParts(ctx, h, func(y int) { resampleDown(dst.Pix[y*dst.Stride:][:dst.Stride], mid, down[y]) })
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return dst, nil
}

// inParts does rows 0..n-1 and returns when they are done or ctx has ended.
func inParts(ctx context.Context, n int, row func(y int)) {
	const rows = 32
	var wait sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), (n+rows-1)/rows)
	for worker := range workers {
		wait.Go(func() {
			for y := worker * rows; y < n && ctx.Err() == nil; y += workers * rows {
				for i := y; i < min(y+rows, n); i++ {
					row(i)
				}
			}
		})
	}
	wait.Wait()
}

func resampleRow(dst, src []byte, across []taps) {
	for x, t := range across {
		r, g, b := int32(weightOne/2), int32(weightOne/2), int32(weightOne/2)
		p := src[4*t.first:][:4*len(t.weights)]
		for j, k := range t.weights {
			q := p[4*j:][:4:4]
			r += k * int32(q[0])
			g += k * int32(q[1])
			b += k * int32(q[2])
		}
		d := dst[4*x:][:4:4]
		d[0], d[1], d[2], d[3] = bounded(r), bounded(g), bounded(b), 255
	}
}

func resampleDown(dst []byte, src *image.RGBA, t taps) {
	// A few pixels of all the rows at a time, so that their sums stay in registers or near.
	const run = 64
	var sums [run]int32
	for at := 0; at < len(dst); at += run {
		n := min(run, len(dst)-at)
		acc := sums[:n]
		for i := range acc {
			acc[i] = weightOne / 2
		}
		for j, k := range t.weights {
			row := src.Pix[(t.first+j)*src.Stride+at:][:n]
			for i, v := range row {
				acc[i] += k * int32(v)
			}
		}
		for i, v := range acc {
			dst[at+i] = bounded(v)
		}
	}
}

func bounded(v int32) byte { return byte(min(max(v>>weightBits, 0), 255)) }
