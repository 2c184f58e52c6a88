package photo

import (
	"image"
	"slices"
)

// Quality tells whether a photo can serve as evidence.
type Quality struct {
	Sharpness float64  // variance of the Laplacian of luma in the sharper parts; about 5 when blurred, above 30 when sharp
	Dark      bool     // hardly any light anywhere
	Clipped   bool     // large parts are pure white: detail is lost
	Warnings  []string // word keys: photo.blurred, photo.dark, photo.clipped
}

// The thresholds, for previews of a camera's photos.
const (
	blurredBelow = 16.0 // Sharpness
	darkMean     = 45   // mean luma, and …
	darkBright   = 110  // … the 95th percentile
	clippedLuma  = 254
	clippedPart  = 0.40 // a garment on white paper has less
	grid         = 8    // the sharpness is judged in grid×grid parts
	sharpParts   = 6    // and the mean of this many best parts counts, because a table is plain
)

// Check judges a picture of preview size (the longer side about 1000 to 2000 pixels): whether it
// is blurred, dark or clipped. It looks at the sharper parts only, since a product usually lies on
// a plain table, and at half resolution, where the sensor's noise does not pass for detail.
func Check(img *image.RGBA) Quality {
	luma, w, h := halfLuma(img)
	var q Quality
	var hist [256]int
	for _, v := range luma {
		hist[v]++
	}
	var sum, seen int
	bright := 255
	for v, n := range hist {
		sum += v * n
	}
	for v, n := range hist {
		if seen += n; seen*20 >= len(luma)*19 {
			bright = v
			break
		}
	}
	white := 0
	for _, n := range hist[clippedLuma:] {
		white += n
	}
	if len(luma) > 0 {
		q.Dark = sum/len(luma) < darkMean && bright < darkBright
		q.Clipped = float64(white) > clippedPart*float64(len(luma))
	}
	q.Sharpness = sharpness(luma, w, h)
	if q.Sharpness < blurredBelow && !q.Dark {
		q.Warnings = append(q.Warnings, "photo.blurred")
	}
	if q.Dark {
		q.Warnings = append(q.Warnings, "photo.dark")
	}
	if q.Clipped {
		q.Warnings = append(q.Warnings, "photo.clipped")
	}
	return q
}

// sharpness is the mean variance of the Laplacian over the sharpest parts of a grid.
func sharpness(luma []uint8, w, h int) float64 {
	var parts []float64
	for gy := range grid {
		for gx := range grid {
			x0, x1 := max(1, gx*w/grid), min(w-1, (gx+1)*w/grid)
			y0, y1 := max(1, gy*h/grid), min(h-1, (gy+1)*h/grid)
			var sum, squares, n int
			for y := y0; y < y1; y++ {
				for x := x0; x < x1; x++ {
					i := y*w + x
					l := int(luma[i-1]) + int(luma[i+1]) + int(luma[i-w]) + int(luma[i+w]) - 4*int(luma[i])
					sum += l
					squares += l * l
					n++
				}
			}
			if n > 0 {
				mean := float64(sum) / float64(n)
				parts = append(parts, float64(squares)/float64(n)-mean*mean)
			}
		}
	}
	if len(parts) == 0 {
		return 0
	}
	slices.Sort(parts)
	best := parts[max(0, len(parts)-sharpParts):]
	var sum float64
	for _, v := range best {
		sum += v
	}
	return sum / float64(len(best))
}

// halfLuma is the luma of the 2×2 averages.
func halfLuma(img *image.RGBA) (luma []uint8, w, h int) {
	w, h = img.Rect.Dx()/2, img.Rect.Dy()/2
	luma = make([]uint8, w*h)
	for y := range h {
		a := img.Pix[2*y*img.Stride:][:8*w]
		b := img.Pix[(2*y+1)*img.Stride:][:8*w]
		for x := range w {
			p, q := a[8*x:][:8:8], b[8*x:][:8:8]
			r := uint(p[0]) + uint(p[4]) + uint(q[0]) + uint(q[4])
			g := uint(p[1]) + uint(p[5]) + uint(q[1]) + uint(q[5])
			bl := uint(p[2]) + uint(p[6]) + uint(q[2]) + uint(q[6])
			luma[y*w+x] = uint8((299*r + 587*g + 114*bl) / 4000)
		}
	}
	return luma, w, h
}
