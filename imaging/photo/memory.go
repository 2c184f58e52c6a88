package photo

import "fmt"

// What a decode reserves besides pixels: tables, buffers of rows, and for HEIC the decoder itself.
const (
	memoryBase = 2 << 20
	heicBase   = 64 << 20
	heicPixel  = 16 // bytes of a pixel inside the HEIC decoder: its planes, the assembled picture, the result
)

// reserve is an upper bound of the bytes that decoding to outW×outH reserves, orientation included.
// The pure decoder always decodes whole; denom is the scale that libjpeg reads at.
func (h header) reserve(outW, outH int, turned bool) int64 {
	out := 4 * int64(outW) * int64(outH)
	all := int64(h.width) * int64(h.height)
	need := memoryBase + out
	if turned {
		need += out
	}
	switch h.kind {
	case JPEG:
		if h.buffered {
			need += h.blocks * coefficientBytes * 64
		}
		if pureJPEG {
			need += h.blocks*64 + 4*all + 4*all/4
		}
	case PNG:
		need += int64(h.pixelBytes) * all
	case WebP:
		need += 16 * all // planes or ARGB, the transforms of the lossless form, alpha
	case HEIC:
		need += h.heicMemory() + 4*all
	}
	return need
}

// heicMemory is what the HEIC decoder may reserve for itself.
func (h header) heicMemory() int64 {
	return heicBase + heicPixel*int64(h.width)*int64(h.height) + 2*h.size
}

// affordable refuses a decode that would reserve more than the limit.
func (h header) affordable(outW, outH int, turned bool, lim Limits) error {
	if need := h.reserve(outW, outH, turned); need > lim.Memory {
		return fmt.Errorf("%w: decoding %d×%d pixels takes %d MiB of memory, at most %d",
			ErrTooLarge, h.width, h.height, need>>20, lim.Memory>>20)
	}
	return nil
}
