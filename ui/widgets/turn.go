package widgets

import (
	"encoding/binary"
	"image"
	"math"
)

// upright returns the order for the same picture before it is turned.
func (o composition) upright() composition {
	r, x, y := o.rect, o.view.OffsetX, o.view.OffsetY
	switch o.view.Turn {
	case 1:
		o.rect = image.Rect(r.Min.Y, -r.Max.X, r.Max.Y, -r.Min.X)
		o.view.OffsetX, o.view.OffsetY = y, -x
	case 2:
		o.rect = image.Rect(-r.Max.X, -r.Max.Y, -r.Min.X, -r.Min.Y)
		o.view.OffsetX, o.view.OffsetY = -x, -y
	case 3:
		o.rect = image.Rect(-r.Max.Y, r.Min.X, -r.Min.Y, r.Max.X)
		o.view.OffsetX, o.view.OffsetY = -y, x
	}
	o.view.Turn = 0
	return o
}

// turned returns a picture turned clockwise by 1 to 3 quarters. img starts at
// 0,0 and has no gaps between its lines.
func turned(img *image.RGBA, quarters int) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if quarters != 2 {
		w, h = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	// In blocks, so that both pictures stay in the processor's cache.
	const block = 32
	for top := 0; top < h; top += block {
		for left := 0; left < w; left += block {
			for y := top; y < min(top+block, h); y++ {
				var start, step int // of the source, in bytes
				switch quarters {
				case 1:
					start, step = (w-1)*img.Stride+4*y, -img.Stride
				case 2:
					start, step = (h-1-y)*img.Stride+4*(w-1), -4
				default:
					start, step = 4*(h-1-y), img.Stride
				}
				line := out.Pix[y*out.Stride:]
				for x := left; x < min(left+block, w); x++ {
					from := start + x*step
					binary.LittleEndian.PutUint32(line[4*x:], binary.LittleEndian.Uint32(img.Pix[from:]))
				}
			}
		}
	}
	return out
}

// light changes brightness and contrast, for looking only.
type light struct{ table [256]byte }

// newLight returns nil where nothing changes. Brightness bends the middle
// tones and leaves black black and white white, so that nothing is lost in the
// shadows that are looked into; contrast spreads them around middle grey.
func newLight(brightness, contrast float64) *light {
	if brightness == 0 && contrast == 0 {
		return nil
	}
	bend, spread := math.Pow(4, -brightness), math.Pow(4, contrast)
	l := new(light)
	for i := range l.table {
		v := math.Pow(float64(i)/255, bend)
		v = (v-0.5)*spread + 0.5
		l.table[i] = byte(math.Round(255 * min(max(v, 0), 1)))
	}
	return l
}

func (l *light) apply(img *image.RGBA, from, to int) {
	width := 4 * img.Rect.Dx()
	for y := from; y < to; y++ {
		line := img.Pix[y*img.Stride:][:width:width]
		for x := 0; x+3 < len(line); x += 4 {
			line[x], line[x+1], line[x+2] = l.table[line[x]], l.table[line[x+1]], l.table[line[x+2]]
		}
	}
}
