package evidence

import (
	"bytes"
	"image"
	"image/draw"
	"testing"

	"pgregory.net/rapid"
)

// TestLay_EqualsDrawOver also where the sheet reaches beyond the part.
func TestLay_EqualsDrawOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := image.Pt(rapid.IntRange(-9, 9).Draw(t, "x"), rapid.IntRange(-9, 9).Draw(t, "y"))
		sheet := image.NewRGBA(image.Rect(0, 0, 8, 8).Add(at))
		for i := 0; i < len(sheet.Pix); i += 4 {
			a := rapid.SampledFrom([]uint8{0, 0, 255, 1, 115, 254}).Draw(t, "alpha")
			for c := range 3 { // premultiplied
				sheet.Pix[i+c] = rapid.Uint8Range(0, a).Draw(t, "colour")
			}
			sheet.Pix[i+3] = a
		}
		want := image.NewRGBA(image.Rect(-4, -4, 7, 7))
		for i := range want.Pix {
			want.Pix[i] = uint8(i*i*31) | uint8(255*(i%4/3))
		}
		got := image.NewRGBA(want.Rect)
		copy(got.Pix, want.Pix)
		draw.Draw(want, sheet.Rect, sheet, sheet.Rect.Min, draw.Over)
		if lay(got, sheet); !bytes.Equal(got.Pix, want.Pix) {
			t.Fatal("the pixels differ from what draw.Over gives")
		}
	})
}
