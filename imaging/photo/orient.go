package photo

import "image"

// orient applies an EXIF orientation (1..8). It returns img itself for 1 and works in place where
// no second picture is needed.
func orient(img *image.RGBA, orientation int) *image.RGBA {
	switch orientation {
	case 2:
		flipH(img)
	case 3:
		rotate180(img)
	case 4:
		flipV(img)
	case 5, 6, 7, 8:
		return transposed(img, orientation)
	}
	return img
}

func swapPixels(a, b []byte) {
	_, _ = a[3], b[3]
	a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3] = b[0], b[1], b[2], b[3], a[0], a[1], a[2], a[3]
}

func flipH(img *image.RGBA) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range h {
		row := img.Pix[y*img.Stride : y*img.Stride+4*w]
		for i, j := 0, 4*(w-1); i < j; i, j = i+4, j-4 {
			swapPixels(row[i:], row[j:])
		}
	}
}

func flipV(img *image.RGBA) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	tmp := make([]byte, 4*w)
	for y, z := 0, h-1; y < z; y, z = y+1, z-1 {
		a, b := img.Pix[y*img.Stride:][:4*w], img.Pix[z*img.Stride:][:4*w]
		copy(tmp, a)
		copy(a, b)
		copy(b, tmp)
	}
}

// rotate180 needs Stride == 4*width.
func rotate180(img *image.RGBA) {
	p := img.Pix[:4*img.Rect.Dx()*img.Rect.Dy()]
	for i, j := 0, len(p)-4; i < j; i, j = i+4, j-4 {
		swapPixels(p[i:], p[j:])
	}
}

// transposed gives the four orientations that swap the axes. It goes by square blocks, so that
// neither reading nor writing leaves the cache.
func transposed(src *image.RGBA, orientation int) *image.RGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dst := image.NewRGBA(image.Rect(0, 0, h, w))
	flipX := orientation == 6 || orientation == 7 // the source's first row becomes the last column
	flipY := orientation == 7 || orientation == 8 // the source's first column becomes the last row
	const block = 32
	for y0 := 0; y0 < h; y0 += block {
		for x0 := 0; x0 < w; x0 += block {
			for y := y0; y < min(y0+block, h); y++ {
				dx := y
				if flipX {
					dx = h - 1 - y
				}
				for x := x0; x < min(x0+block, w); x++ {
					dy := x
					if flipY {
						dy = w - 1 - x
					}
					s := src.Pix[y*src.Stride+4*x:][:4:4]
					d := dst.Pix[dy*dst.Stride+4*dx:][:4:4]
					d[0], d[1], d[2], d[3] = s[0], s[1], s[2], s[3]
				}
			}
		}
	}
	return dst
}
