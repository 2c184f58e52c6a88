package annotate_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"testing"

	xdraw "golang.org/x/image/draw"
	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// lanczos is the widest filter that pictures are scaled with.
var lanczos = &xdraw.Kernel{Support: 3, At: func(t float64) float64 {
	if t == 0 {
		return 1
	}
	x := math.Pi * t
	return 3 * math.Sin(x) * math.Sin(x/3) / (x * x)
}}

func scaled(img *image.RGBA, w, h int, by xdraw.Scaler) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	by.Scale(out, out.Rect, img, img.Rect, draw.Src, nil)
	return out
}

func secret(places ...float64) qc.Mark {
	m := qc.Mark{ID: "secret", Tool: qc.Redaction}
	for i := 0; i < len(places); i += 2 {
		m.Points = append(m.Points, qc.Point{X: places[i], Y: places[i+1]})
	}
	return m
}

// twins are two photos that differ in what is within a rectangle only, to the
// pixels that it touches.
func twins(w, h int, mark qc.Mark) (a, b *image.RGBA) {
	a = photos(w, h)["pattern"]
	b = image.NewRGBA(a.Rect)
	copy(b.Pix, a.Pix)
	p, q := mark.Points[0], mark.Points[1]
	r := image.Rect(int(math.Floor(min(p.X, q.X))), int(math.Floor(min(p.Y, q.Y))), int(math.Ceil(max(p.X, q.X))), int(math.Ceil(max(p.Y, q.Y))))
	draw.Draw(b, r, image.NewUniform(color.RGBA{0xff, 0, 0xff, 0xff}), image.Point{}, draw.Src)
	return a, b
}

// TestRedact_NothingOfItSurvives makes pictures of two photos that differ only
// where they are redacted, in every way that pictures are made of photos: they
// must be the same to the bit.
func TestRedact_NothingOfItSurvives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(120, 200).Draw(t, "w"), rapid.IntRange(90, 160).Draw(t, "h")
		mark := secret(
			rapid.Float64Range(0, float64(w)).Draw(t, "x0"), rapid.Float64Range(0, float64(h)).Draw(t, "y0"),
			rapid.Float64Range(0, float64(w)).Draw(t, "x1"), rapid.Float64Range(0, float64(h)).Draw(t, "y1"))
		a, b := twins(w, h, mark)
		wide := rapid.IntRange(20, w).Draw(t, "wide")
		high := max(int(math.Round(float64(wide*h)/float64(w))), 1)
		turn := rapid.IntRange(0, 3).Draw(t, "turn")
		shapes := []annotate.Shape{
			{Mark: mark},
			{Mark: qc.Mark{ID: "inset", Tool: qc.Inset, Points: []qc.Point{
				{X: max(mark.Points[0].X-15, 0), Y: max(mark.Points[0].Y-10, 0)}, {X: min(mark.Points[0].X+15, float64(w)), Y: min(mark.Points[0].Y+10, float64(h))},
			}}},
			{Mark: qc.Mark{ID: "light", Tool: qc.Spotlight, Points: []qc.Point{{X: 30, Y: 20}, {X: 90, Y: 70}}}},
			{Mark: qc.Mark{ID: "tint", Tool: qc.Highlighter, Points: []qc.Point{{X: 10, Y: 20}, {X: 60, Y: 50}}}},
		}
		for name, made := range map[string]func(img *image.RGBA) *image.RGBA{
			"full size": func(img *image.RGBA) *image.RGBA {
				annotate.Redact(img, []qc.Mark{mark}, annotate.View{Scale: 1})
				return img
			},
			"scaled and then redacted": func(img *image.RGBA) *image.RGBA {
				small := scaled(img, wide, high, lanczos)
				annotate.Redact(small, []qc.Mark{mark}, annotate.View{Scale: float64(wide) / float64(w)})
				return small
			},
			"redacted and then scaled": func(img *image.RGBA) *image.RGBA {
				annotate.Redact(img, []qc.Mark{mark}, annotate.View{Scale: 1})
				return scaled(img, wide, high, lanczos)
			},
			"enlarged and then redacted": func(img *image.RGBA) *image.RGBA {
				large := scaled(img, 3*w, 3*h, xdraw.CatmullRom)
				annotate.Redact(large, []qc.Mark{mark}, annotate.View{Scale: 3})
				return large
			},
			"burned in": func(img *image.RGBA) *image.RGBA { return annotate.BurnIn(img, shapes) },
			"turned and rendered": func(img *image.RGBA) *image.RGBA {
				img, view := turnedPhoto(img, turn)
				annotate.Render(img, shapes, view, annotate.Options{Width: w, Height: h, Photo: true})
				return img
			},
		} {
			x := made(clonedImage(a))
			y := made(clonedImage(b))
			if !bytes.Equal(x.Pix, y.Pix) {
				t.Fatalf("%s: the picture tells what was redacted by %v", name, mark.Points)
			}
		}
	})
}

// TestRedact_TheRigSees proves the test above: without a redaction, with one
// that does not grow, and after a blur instead, the twins are told apart.
func TestRedact_TheRigSees(t *testing.T) {
	t.Parallel()
	mark := secret(40.5, 30.5, 80, 60)
	a, b := twins(120, 90, mark)
	for name, made := range map[string]func(img *image.RGBA) *image.RGBA{
		"nothing": clonedImage,
		"a blur": func(img *image.RGBA) *image.RGBA {
			return scaled(scaled(img, 12, 9, xdraw.BiLinear), 120, 90, xdraw.BiLinear)
		},
		"no growth": func(img *image.RGBA) *image.RGBA {
			small := scaled(img, 40, 30, lanczos)
			draw.Draw(small, image.Rect(13, 10, 27, 20), image.Black, image.Point{}, draw.Src)
			return small
		},
	} {
		if bytes.Equal(made(a).Pix, made(b).Pix) {
			t.Errorf("%s: the twins look the same", name)
		}
	}
}

func clonedImage(img *image.RGBA) *image.RGBA {
	out := image.NewRGBA(img.Rect)
	copy(out.Pix, img.Pix)
	return out
}

// turnedPhoto turns a photo by quarters clockwise as a viewer does, and returns
// the view of the result.
func turnedPhoto(img *image.RGBA, quarters int) (*image.RGBA, annotate.View) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	view := annotate.View{Scale: 1, Turn: quarters}
	size := image.Pt(w, h)
	switch quarters {
	case 1:
		view.OffsetX, size = float64(h), image.Pt(h, w)
	case 2:
		view.OffsetX, view.OffsetY = float64(w), float64(h)
	case 3:
		view.OffsetY, size = float64(w), image.Pt(h, w)
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			p := view.ToImage(qc.Point{X: float64(x) + 0.5, Y: float64(y) + 0.5})
			out.SetRGBA(x, y, img.RGBAAt(int(p.X), int(p.Y)))
		}
	}
	return out, view
}

func TestRedact_TakesTheColourAround(t *testing.T) {
	t.Parallel()
	img := photos(120, 90)["red"]
	draw.Draw(img, image.Rect(20, 20, 60, 50), image.White, image.Point{}, draw.Src)
	annotate.Redact(img, []qc.Mark{secret(60, 50, 20, 20)}, annotate.View{Scale: 1})
	if want := photos(120, 90)["red"]; !bytes.Equal(img.Pix, want.Pix) {
		t.Error("something is left of a white rectangle on red")
	}
	before := slices.Clone(img.Pix)
	annotate.Redact(img, []qc.Mark{secret(60, 50, 20, 20)}, annotate.View{Scale: 1})
	if !bytes.Equal(img.Pix, before) {
		t.Error("painting twice is not painting once")
	}
	sheet := image.NewRGBA(image.Rect(0, 0, 120, 90))
	annotate.Render(sheet, []annotate.Shape{{Mark: secret(20, 20, 60, 50)}}, annotate.View{Scale: 1}, annotate.Options{Width: 120, Height: 90})
	if got := sheet.RGBAAt(40, 30); got != (color.RGBA{0x60, 0x60, 0x60, 0xff}) {
		t.Errorf("on a sheet it is %v", got)
	}
}

func TestRedact_HidesAllRatherThanNothing(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for name, mark := range map[string]qc.Mark{
		"no points":  {Tool: qc.Redaction},
		"one point":  secret(5, 5),
		"no numbers": secret(nan, nan, nan, nan),
		"half":       secret(10, nan, 20, 30),
		"infinite":   secret(math.Inf(-1), math.Inf(-1), math.Inf(1), math.Inf(1)),
		"huge":       secret(-1e308, -1e308, 1e308, 1e308),
	} {
		img := photos(60, 40)["pattern"]
		annotate.Redact(img, []qc.Mark{mark}, annotate.View{Scale: 1})
		first := img.RGBAAt(0, 0)
		for i := 0; i < len(img.Pix); i += 4 {
			if !bytes.Equal(img.Pix[i:i+4], []byte{first.R, first.G, first.B, first.A}) {
				t.Errorf("%s: something is left at %d", name, i/4)
				break
			}
		}
	}
	sheet := image.NewRGBA(image.Rect(0, 0, 60, 40))
	annotate.Redact(sheet, []qc.Mark{secret(1, 1, 2, 2)}, annotate.View{})
	if sheet.RGBAAt(59, 39).A != 0xff {
		t.Error("with a view that is none something is left")
	}
}

// TestRender_InsetsAreRedactedAgain gives insets a source that forgot it.
func TestRender_InsetsAreRedactedAgain(t *testing.T) {
	t.Parallel()
	mark := secret(40, 30, 70, 50)
	a, b := twins(160, 120, mark)
	leaky := func(img *image.RGBA) annotate.Source {
		return func(r image.Rectangle, w, h int) *image.RGBA {
			out := image.NewRGBA(image.Rect(0, 0, w, h))
			xdraw.CatmullRom.Scale(out, out.Rect, img, r, draw.Src, nil)
			return out
		}
	}
	shapes := []annotate.Shape{
		{Mark: mark},
		{Mark: qc.Mark{ID: "i", Tool: qc.Inset, Points: []qc.Point{{X: 30, Y: 20}, {X: 62, Y: 45}}}},
	}
	for turn := range 4 {
		for _, scale := range []float64{0.5, 1, 2.3} {
			_, view := turnedPhoto(a, turn)
			view = annotate.View{Scale: scale, Turn: turn, OffsetX: view.OffsetX * scale, OffsetY: view.OffsetY * scale}
			sheet := func(forgetful bool, source annotate.Source) *image.RGBA {
				img := image.NewRGBA(image.Rect(0, 0, int(160*scale), int(160*scale)))
				marks := shapes
				if forgetful {
					marks = shapes[1:]
				}
				annotate.Render(img, marks, view, annotate.Options{Width: 160, Height: 120, Unit: 0.3, Source: source})
				return img
			}
			if !bytes.Equal(sheet(false, leaky(a)).Pix, sheet(false, leaky(b)).Pix) {
				t.Errorf("turned %d at %g: the inset tells what was redacted", turn, scale)
			}
			if bytes.Equal(sheet(true, leaky(a)).Pix, sheet(true, leaky(b)).Pix) {
				t.Errorf("turned %d at %g: no inset is seen", turn, scale)
			}
		}
	}
}
