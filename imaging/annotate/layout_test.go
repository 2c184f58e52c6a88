package annotate_test

import (
	"bytes"
	"image"
	"image/draw"
	"math/rand/v2"
	"testing"

	"flawmark/imaging/annotate"
)

// TestLayout_DrawsAsRender on parts of every size, also many at once, and never
// beside its covers.
func TestLayout_DrawsAsRender(t *testing.T) {
	t.Parallel()
	const w, h = 800, 600
	shapes := scene(w, h)
	opts := annotate.Options{Width: w, Height: h, Unit: 0.8}
	for turn := range 4 {
		_, view := turnedPhoto(image.NewRGBA(image.Rect(0, 0, w, h)), turn)
		layout := annotate.Lay(shapes, view, opts)
		t.Run("parts", func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(3, uint64(turn)))
			for range 60 {
				x, y := r.IntN(800), r.IntN(800)
				part := image.Rect(x, y, x+1+r.IntN(300), y+1+r.IntN(200))
				want, got := image.NewRGBA(part), image.NewRGBA(part)
				annotate.Render(want, shapes, view, opts)
				if layout.Draw(got); !bytes.Equal(got.Pix, want.Pix) {
					t.Errorf("turned by %d: %v differs", turn, part)
				}
			}
		})
	}
}

// TestLayout_CoversAllThatIsDrawn: nothing beside the covers changes, and they
// are little more than what is drawn.
func TestLayout_CoversAllThatIsDrawn(t *testing.T) {
	t.Parallel()
	const w, h = 800, 600
	for _, shape := range scene(w, h) {
		shapes := []annotate.Shape{shape}
		for _, unit := range []float64{0.25, 0.8, 3} {
			opts := annotate.Options{Width: w, Height: h, Unit: unit}
			sheet := image.NewRGBA(image.Rect(-50, -50, w+50, h+50))
			layout := annotate.Lay(shapes, annotate.View{Scale: 1}, opts)
			layout.Draw(sheet)
			drawn := 0
			for i := 3; i < len(sheet.Pix); i += 4 {
				if sheet.Pix[i] != 0 {
					drawn++
				}
			}
			covered := image.NewAlpha(sheet.Rect)
			for _, c := range layout.Covers() {
				draw.Draw(sheet, c, image.Transparent, image.Point{}, draw.Src)
				draw.Draw(covered, c, image.Opaque, image.Point{}, draw.Src)
			}
			left := 0
			for i := 3; i < len(sheet.Pix); i += 4 {
				if sheet.Pix[i] != 0 {
					left++
				}
			}
			if left > 0 {
				t.Errorf("%s, unit %v: %d pixels of %d are drawn beside the covers", shape.Mark.Tool, unit, left, drawn)
			}
			if area := bytes.Count(covered.Pix, []byte{0xff}); unit == 3 && area > 5*drawn+2000 {
				t.Errorf("%s: %d pixels are covered for %d", shape.Mark.Tool, area, drawn)
			}
		}
	}
}
