package photo

import (
	"image/color"
	"testing"
)

// TestJPEGRow_EqualsTheStandardLibrary tries every colour.
func TestJPEGRow_EqualsTheStandardLibrary(t *testing.T) {
	t.Parallel()
	luma, cb, cr, row := make([]uint8, 256), make([]uint8, 256), make([]uint8, 256), make([]uint8, 4*256)
	for i := range luma {
		luma[i] = uint8(i)
	}
	for c := range 1 << 16 {
		for i := range luma {
			cb[i], cr[i] = uint8(c), uint8(c>>8)
		}
		jpegRow(row, luma, cb, cr)
		for i, y := range luma {
			r, g, b := color.YCbCrToRGB(y, uint8(c), uint8(c>>8))
			if got := [4]uint8(row[4*i:]); got != [4]uint8{r, g, b, 255} {
				t.Fatalf("%d, %d, %d: %v instead of %v", y, uint8(c), uint8(c>>8), got, [3]uint8{r, g, b})
			}
		}
	}
}

// TestFillRow_TakesThreePartsOfTheNearest compares with the rule, sample by sample, for odd widths too.
func TestFillRow_TakesThreePartsOfTheNearest(t *testing.T) {
	t.Parallel()
	for _, w := range []int{5, 6, 9, 64} {
		for _, halfY := range []bool{false, true} {
			cw, ch := (w+1)/2, 4
			plane := make([]uint8, cw*ch)
			for i := range plane {
				plane[i] = uint8(i * i * 37)
			}
			c := chroma{plane: plane, stride: cw, w: cw, h: ch, halfX: true, halfY: halfY, shiftX: 1, sums: make([]int, cw)}
			out := make([]uint8, w)
			for y := range ch {
				c.fillRow(out, y)
				at := func(x, y int) int { return int(plane[min(max(y, 0), ch-1)*cw+min(max(x, 0), cw-1)]) }
				for x, got := range out {
					near, far := x/2, x/2+2*(x%2)-1
					want := (3*at(near, y) + at(far, y) + 1 + x%2) / 4
					if halfY {
						ny, fy := y/2, y/2+2*(y%2)-1
						want = (3*(3*at(near, ny)+at(near, fy)) + 3*at(far, ny) + at(far, fy) + 8 - x%2) / 16
					}
					if int(got) != want {
						t.Fatalf("width %d, row %d, pixel %d (both axes: %v): %d instead of %d", w, y, x, halfY, got, want)
					}
				}
			}
		}
	}
}
