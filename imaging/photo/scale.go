package photo

import (
	"image"
	"image/color"
	"image/draw"

	"github.com/disintegration/imaging"
)

// fitSize is the largest size of the shape w×h inside maxW×maxH, not larger than w×h.
func fitSize(w, h, maxW, maxH int) (int, int) {
	if w <= maxW && h <= maxH {
		return w, h
	}
	if int64(w)*int64(maxH) > int64(h)*int64(maxW) {
		return maxW, scaled(h, maxW, w)
	}
	return scaled(w, maxH, h), maxH
}

// scaled is v*num/den, rounded, at least 1.
func scaled(v, num, den int) int {
	return max(1, int((int64(v)*int64(num)*2+int64(den))/(2*int64(den))))
}

// fitDenom is the largest denominator (1, 2, 4, 8) at which w×h is still clearly larger than
// outW×outH: twice, or 1.5 times for a photo of a camera's size, which is never sharp to the last
// pixel. So the result stays within 50 dB of what the full picture gives.
func fitDenom(w, h, outW, outH int) int {
	headroom := 16 // eighths
	if w*h >= 10e6 {
		headroom = 12
	}
	for _, d := range []int{8, 4, 2} {
		if 8*w >= headroom*d*outW && 8*h >= headroom*d*outH {
			return d
		}
	}
	return 1
}

// resample resizes an opaque picture by Lanczos; it returns img itself when nothing is to be done.
func resample(img *image.RGBA, w, h int) *image.RGBA {
	if img.Rect.Dx() == w && img.Rect.Dy() == h {
		return img
	}
	// Far from the target plain averages do no harm, and cost a twentieth.
	for img.Rect.Dx()%2 == 0 && img.Rect.Dy()%2 == 0 && img.Rect.Dx() >= 6*w && img.Rect.Dy() >= 6*h {
		img = halve(img)
	}
	// Opaque RGBA and NRGBA are the same bytes, and imaging is faster with the latter.
	src := &image.NRGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}
	dst := imaging.Resize(src, w, h, imaging.Lanczos)
	return &image.RGBA{Pix: dst.Pix, Stride: dst.Stride, Rect: dst.Rect}
}

// halve averages 2×2 pixels; an odd last row or column is averaged with itself.
func halve(src *image.RGBA) *image.RGBA {
	sw, sh := src.Rect.Dx(), src.Rect.Dy()
	w, h := ceilDiv(sw, 2), ceilDiv(sh, 2)
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		a := src.Pix[2*y*src.Stride:][:4*sw]
		b := src.Pix[min(2*y+1, sh-1)*src.Stride:][:4*sw]
		d := dst.Pix[y*dst.Stride:][:4*w]
		for x := range sw / 2 {
			p, q, o := a[8*x:][:8:8], b[8*x:][:8:8], d[4*x:][:4:4]
			o[0] = byte((uint(p[0]) + uint(p[4]) + uint(q[0]) + uint(q[4]) + 2) / 4)
			o[1] = byte((uint(p[1]) + uint(p[5]) + uint(q[1]) + uint(q[5]) + 2) / 4)
			o[2] = byte((uint(p[2]) + uint(p[6]) + uint(q[2]) + uint(q[6]) + 2) / 4)
			o[3] = 255
		}
		if sw%2 == 1 {
			p, q, o := a[4*(sw-1):], b[4*(sw-1):], d[4*(w-1):]
			for i := range 3 {
				o[i] = byte((uint(p[i]) + uint(q[i]) + 1) / 2)
			}
			o[3] = 255
		}
	}
	return dst
}

// toRGBA packs any decoded picture, laid over white if it is transparent.
func toRGBA(src image.Image) *image.RGBA {
	b := src.Bounds()
	if rgba, ok := src.(*image.RGBA); ok && b.Min == (image.Point{}) && rgba.Stride == 4*b.Dx() && rgba.Opaque() {
		return rgba
	}
	if ycc, ok := src.(*image.YCbCr); ok && b.Min == (image.Point{}) {
		return fromYCbCr(ycc)
	}
	dst := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	op := draw.Src
	if o, ok := src.(interface{ Opaque() bool }); !ok || !o.Opaque() {
		draw.Draw(dst, dst.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
		op = draw.Over
	}
	draw.Draw(dst, dst.Rect, src, b.Min, op)
	return dst
}
