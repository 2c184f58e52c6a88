package annotate_test

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"path/filepath"
	"testing"

	xdraw "golang.org/x/image/draw"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// scene holds every tool on a photo, at places that are shares of its size.
func scene(w, h int) []annotate.Shape {
	at := func(places ...float64) []qc.Point {
		points := make([]qc.Point, 0, len(places)/2)
		for i := 0; i < len(places); i += 2 {
			points = append(points, qc.Point{X: places[i] * float64(w), Y: places[i+1] * float64(h)})
		}
		return points
	}
	shape := func(tool qc.Tool, number int, severity qc.Severity, places ...float64) annotate.Shape {
		m := qc.Mark{ID: qc.MarkID(fmt.Sprintf("%s%g", tool, places[0])), Tool: tool, Points: at(places...)}
		return annotate.Shape{Mark: m, Number: number, Severity: severity}
	}
	words := func(s annotate.Shape, text string) annotate.Shape { s.Mark.Text = text; return s }
	labelled := func(s annotate.Shape, text string) annotate.Shape { s.Label = text; return s }
	zoomed := func(s annotate.Shape, zoom float64) annotate.Shape { s.Mark.Zoom = zoom; return s }
	return []annotate.Shape{
		shape(qc.Redaction, 0, qc.Observation, 0.03, 0.03, 0.16, 0.1),
		shape(qc.Spotlight, 0, qc.Observation, 0.02, 0.12, 0.985, 0.87),
		shape(qc.Highlighter, 3, qc.Minor, 0.3, 0.06, 0.44, 0.2),
		shape(qc.Box, 1, qc.Critical, 0.06, 0.3, 0.2, 0.46),
		shape(qc.Ellipse, 2, qc.Major, 0.27, 0.3, 0.4, 0.45),
		shape(qc.Arrow, 4, qc.Major, 0.56, 0.47, 0.47, 0.34),
		shape(qc.Line, 5, qc.Observation, 0.6, 0.06, 0.74, 0.18),
		shape(qc.Freehand, 6, qc.Minor, 0.06, 0.66, 0.09, 0.6, 0.12, 0.64, 0.15, 0.58, 0.18, 0.62, 0.2, 0.57),
		shape(qc.Polygon, 7, qc.Critical, 0.3, 0.62, 0.4, 0.57, 0.42, 0.68, 0.33, 0.72),
		shape(qc.Badge, 12, qc.Major, 0.5, 0.6, 0.55, 0.68),
		zoomed(shape(qc.Inset, 0, qc.Critical, 0.08, 0.34, 0.15, 0.41, 0.66, 0.24), 3.5),
		shape(qc.Inset, 0, qc.Observation, 0.46, 0.74, 0.51, 0.8),
		labelled(shape(qc.Measure, 0, qc.Observation, 0.07, 0.83, 0.4, 0.81), "56.2 mm ± 1"),
		labelled(shape(qc.Measure, 8, qc.Minor, 0.6, 0.57, 0.62, 0.86), "12 mm"),
		words(shape(qc.Text, 0, qc.Major, 0.04, 0.9), "鞋头划痕 Ägypten 6 mm"),
		words(shape(qc.Text, 9, qc.Critical, 0.68, 0.56, 0.62, 0.52), "Seam 线缝开裂\n(左脚)"),
	}
}

// photos are five grounds on which marks are hard to see, of any size and
// always the same.
func photos(w, h int) map[string]*image.RGBA {
	plain := func(c color.Color) *image.RGBA {
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
		return img
	}
	scale := 800 / float64(w)
	pattern := plain(color.Black)
	leather := plain(color.Black)
	const grain = 256
	random := rand.New(rand.NewPCG(7, 11))
	var noise [grain * grain]int
	for i := range noise {
		noise[i] = (random.IntN(3) - 1) * 8
	}
	for y := range h {
		for x := range w {
			u, v := int(float64(x)*scale), int(float64(y)*scale)
			c := color.RGBA{0xf2, 0xe9, 0xd8, 0xff}
			switch {
			case (u/16+v/16)%2 == 0 && u/64%2 == 0:
				c = color.RGBA{0x1d, 0x35, 0x57, 0xff}
			case v/16%3 == 0:
				c = color.RGBA{0xb0, 0x3a, 0x2e, 0xff}
			case (u+v)/20%2 == 0:
				c = color.RGBA{0x2a, 0x9d, 0x8f, 0xff}
			}
			pattern.SetRGBA(x, y, c)
			n := noise[v/12%grain*grain+u/12%grain]
			if (u+noise[v/18%grain]/2)%29 == 0 || (v+noise[grain+u/14%grain]/2)%23 == 0 {
				n -= 22 // the folds
			}
			leather.SetRGBA(x, y, color.RGBA{uint8(0xc6 + n), uint8(0x8e + n), uint8(0x6f + n), 0xff})
		}
	}
	return map[string]*image.RGBA{
		"white": plain(color.White), "black": plain(color.Black), "red": plain(color.NRGBA{0xd3, 0x2f, 0x2f, 0xff}),
		"pattern": pattern, "leather": leather,
	}
}

func TestRender_EveryToolOnEveryGround(t *testing.T) {
	t.Parallel()
	for name, img := range photos(800, 600) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shapes := scene(800, 600)
			annotate.Render(img, shapes, annotate.View{Scale: 1}, annotate.Options{Width: 800, Height: 600, Photo: true})
			compareGolden(t, img, filepath.Join("testdata", "scene_"+name+".png"))
		})
	}
}

// TestRender_EveryToolTurned looks at the scene from each side.
func TestRender_EveryToolTurned(t *testing.T) {
	t.Parallel()
	for turn := 1; turn < 4; turn++ {
		img, view := turnedPhoto(photos(800, 600)["white"], turn)
		annotate.Render(img, scene(800, 600), view, annotate.Options{Width: 800, Height: 600, Photo: true})
		compareWithin(t, reduced(img), filepath.Join("testdata", fmt.Sprintf("turned_%d.png", turn)), fewPixels)
	}
}

// fewPixels may differ in a golden image that was made of a larger one: what
// makes a difference there is seen.
const fewPixels = 24

// reduced makes a golden image of a larger output: 320 pixels wide.
func reduced(img *image.RGBA) *image.RGBA {
	small := image.NewRGBA(image.Rect(0, 0, 320, 320*img.Rect.Dy()/img.Rect.Dx()))
	xdraw.BiLinear.Scale(small, small.Rect, img, img.Rect, draw.Src, nil)
	return small
}

// TestRender_EveryToolInEverySize draws the scene as large as the order page's
// pictures and as a photo's full size. Marks are as large a share of each.
func TestRender_EveryToolInEverySize(t *testing.T) {
	t.Parallel()
	for name, img := range photos(2048, 1536) {
		annotate.Render(img, scene(2048, 1536), annotate.View{Scale: 1}, annotate.Options{Width: 2048, Height: 1536, Photo: true})
		compareWithin(t, reduced(img), filepath.Join("testdata", "page_"+name+".png"), fewPixels)
	}
	full := image.NewRGBA(image.Rect(0, 0, 6000, 4000))
	draw.Draw(full, full.Rect, image.NewUniform(color.RGBA{0xc6, 0x8e, 0x6f, 0xff}), image.Point{}, draw.Src)
	annotate.Render(full, scene(6000, 4000), annotate.View{Scale: 1}, annotate.Options{Width: 6000, Height: 4000, Photo: true})
	compareWithin(t, reduced(full), filepath.Join("testdata", "full.png"), fewPixels)
}

// TestRender_GoldenImagesSeeFaults plants faults, each of which must be seen in
// a golden image as small as the smallest.
func TestRender_GoldenImagesSeeFaults(t *testing.T) {
	t.Parallel()
	const w, h = 800, 600
	stored := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(stored, stored.Rect, golden(t, filepath.Join("testdata", "scene_red.png")), image.Point{}, draw.Src)
	want := reduced(stored)
	ground := photos(w, h)["red"]
	drawn := func(shapes []annotate.Shape, opts annotate.Options) int {
		img := image.NewRGBA(ground.Rect)
		copy(img.Pix, ground.Pix)
		opts.Width, opts.Height, opts.Photo = w, h, true
		annotate.Render(img, shapes, annotate.View{Scale: 1}, opts)
		return differences(reduced(img), want)
	}
	if off := drawn(scene(w, h), annotate.Options{}); off > fewPixels {
		t.Fatalf("without a fault %d pixels differ", off)
	}
	for i, s := range scene(w, h) {
		if s.Mark.Tool == qc.Redaction || s.Mark.Tool == qc.Inset && len(s.Mark.Points) == 3 {
			continue // red on red
		}
		if off := drawn(append(scene(w, h)[:i], scene(w, h)[i+1:]...), annotate.Options{}); off <= fewPixels {
			t.Errorf("%s is missing and only %d pixels differ", s.Mark.ID, off)
		}
		moved := scene(w, h)
		for j := range moved[i].Mark.Points {
			moved[i].Mark.Points[j].X += 0.01 * w
		}
		if off := drawn(moved, annotate.Options{}); off <= fewPixels {
			t.Errorf("%s is 1 %% off and only %d pixels differ", s.Mark.ID, off)
		}
	}
	if off := drawn(scene(w, h), annotate.Options{Unit: 1.1 * 0.8}); off <= fewPixels {
		t.Errorf("strokes are 10 %% too wide and only %d pixels differ", off)
	}
}
