package main

import (
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math"
	"os"

	"flawmark/imaging/photo"
)

// fidelity compares our preview's pixels and the peer's with the definition: a
// full decode, shrunk by Lanczos in floating point.
func fidelity(b *bench, args []string) error {
	if err := need(args, 2); err != nil {
		return err
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("fidelity: %w", err)
	}
	ours, _, err := photo.DecodeFit(data, 1920, 1080, photo.Limits{})
	if err != nil {
		return fmt.Errorf("fidelity: %w", err)
	}
	full, _, err := photo.Decode(data, photo.Limits{})
	if err != nil {
		return fmt.Errorf("fidelity: %w", err)
	}
	peer, err := readPNG(args[1])
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		img  *image.RGBA
	}{{"ours", ours}, {"peer", peer}} {
		want := lanczos(full, c.img.Rect.Dx(), c.img.Rect.Dy())
		if err := b.report(reading{Name: c.name, Unit: "dB", Values: []float64{psnr(c.img, want)}}); err != nil {
			return err
		}
	}
	return nil
}

func readPNG(name string) (*image.RGBA, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the peer's picture: %w", err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("read the peer's picture: %w", err)
	}
	out := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out, nil
}

// weights are the share of source pixels from first on in one output pixel.
type weights struct {
	first int
	share []float64
}

// kernel is Lanczos with three lobes for shrinking from to to pixels.
func kernel(from, to int) []weights {
	scale := float64(from) / float64(to)
	reach := 3 * scale
	sinc := func(x float64) float64 {
		if x == 0 {
			return 1
		}
		return math.Sin(math.Pi*x) / (math.Pi * x)
	}
	all := make([]weights, to)
	for i := range all {
		middle := (float64(i)+0.5)*scale - 0.5
		low, high := max(0, int(math.Ceil(middle-reach))), min(from-1, int(math.Floor(middle+reach)))
		w, sum := weights{first: low}, 0.0
		for at := low; at <= high; at++ {
			x := (float64(at) - middle) / scale
			v := sinc(x) * sinc(x/3)
			w.share, sum = append(w.share, v), sum+v
		}
		for k := range w.share {
			w.share[k] /= sum
		}
		all[i] = w
	}
	return all
}

// lanczos returns the picture as RGB values of width×height pixels, unrounded.
func lanczos(src *image.RGBA, width, height int) []float64 {
	across, down := kernel(src.Rect.Dx(), width), kernel(src.Rect.Dy(), height)
	narrow := make([]float64, 3*width*src.Rect.Dy())
	for y := range src.Rect.Dy() {
		row := src.Pix[y*src.Stride:]
		for x, w := range across {
			var sum [3]float64
			for k, share := range w.share {
				p := row[4*(w.first+k):]
				for c := range sum {
					sum[c] += share * float64(p[c])
				}
			}
			copy(narrow[3*(y*width+x):], sum[:])
		}
	}
	out := make([]float64, 3*width*height)
	for y, w := range down {
		to := out[3*y*width : 3*(y+1)*width]
		for k, share := range w.share {
			for i, v := range narrow[3*(w.first+k)*width : 3*(w.first+k+1)*width] {
				to[i] += share * v
			}
		}
	}
	return out
}

// psnr compares a picture with RGB values, in dB.
func psnr(img *image.RGBA, want []float64) float64 {
	sum, i := 0.0, 0
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			for c := range 3 {
				// Rounded: no picture of 8 bits can be nearer than that.
				d := float64(img.Pix[y*img.Stride+4*x+c]) - math.Round(min(max(want[i], 0), 255))
				sum += d * d
				i++
			}
		}
	}
	if sum == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(255*255*float64(len(want))/sum)
}
