package annotate_test

import (
	"image"
	"image/color"
	"math"
	"testing"

	xdraw "golang.org/x/image/draw"
	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
)

// spotted returns a shape of a tool and a place of the image where its colour is
// to be seen, in a file as on the screen at any zoom.
func spotted(t *rapid.T, w, h int) (s annotate.Shape, at qc.Point, colour color.RGBA) {
	x0, x1 := rapid.Float64Range(0.2, 0.4).Draw(t, "x0")*float64(w), rapid.Float64Range(0.6, 0.8).Draw(t, "x1")*float64(w)
	y0, y1 := rapid.Float64Range(0.2, 0.4).Draw(t, "y0")*float64(h), rapid.Float64Range(0.6, 0.8).Draw(t, "y1")*float64(h)
	a, b := qc.Point{X: x0, Y: y0}, qc.Point{X: x1, Y: y1}
	middle := qc.Point{X: (x0 + x1) / 2, Y: (y0 + y1) / 2}
	tool := rapid.SampledFrom([]qc.Tool{
		qc.Box, qc.Ellipse, qc.Arrow, qc.Line, qc.Freehand, qc.Polygon, qc.Badge, qc.Inset, qc.Measure, qc.Text, qc.Redaction,
	}).Draw(t, "tool")
	s = annotate.Shape{Mark: qc.Mark{ID: "m", Tool: tool, Points: []qc.Point{a, b}}, Severity: qc.Critical}
	colour = color.RGBA{0xd3, 0x2f, 0x2f, 0xff}
	switch tool {
	case qc.Box, qc.Inset:
		return s, qc.Point{X: x0, Y: middle.Y}, colour
	case qc.Ellipse:
		return s, qc.Point{X: x0, Y: middle.Y}, colour
	case qc.Polygon:
		s.Mark.Points = append(s.Mark.Points, qc.Point{X: x0, Y: y1})
		return s, qc.Point{X: x0, Y: middle.Y}, colour
	case qc.Badge:
		s.Mark.Points = s.Mark.Points[:1]
		return s, a, colour
	case qc.Text:
		return s, b, colour // the dot at the end of its leader
	case qc.Redaction:
		return s, middle, color.RGBA{0x60, 0x60, 0x60, 0xff}
	default:
		return s, middle, colour
	}
}

func shows(img *image.RGBA, at qc.Point, colour color.RGBA) bool {
	// The nearest pixels: a place may be between two.
	for _, dx := range []float64{-0.5, 0.5} {
		for _, dy := range []float64{-0.5, 0.5} {
			got := img.RGBAAt(int(math.Floor(at.X+dx)), int(math.Floor(at.Y+dy)))
			if math.Abs(float64(got.R)-float64(colour.R)) < 60 && math.Abs(float64(got.G)-float64(colour.G)) < 60 && got.A == 0xff {
				return true
			}
		}
	}
	return false
}

// TestRender_ScreenAndFileAgreeOnEveryTool looks for each tool's colour at the
// same place of the image: in the file that is burned in, and on a screen that
// is zoomed, panned and turned.
func TestRender_ScreenAndFileAgreeOnEveryTool(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(300, 900).Draw(t, "w"), rapid.IntRange(300, 900).Draw(t, "h")
		s, at, colour := spotted(t, w, h)
		file := image.NewRGBA(image.Rect(0, 0, w, h))
		annotate.Render(file, []annotate.Shape{s}, annotate.View{Scale: 1}, annotate.Options{Width: w, Height: h, Unit: 1})
		if !shows(file, at, colour) {
			t.Fatalf("the file shows %v at %v", file.RGBAAt(int(at.X), int(at.Y)), at)
		}
		view := annotate.View{
			Scale: math.Exp(rapid.Float64Range(math.Log(0.2), math.Log(16)).Draw(t, "zoom")), Turn: rapid.IntRange(0, 3).Draw(t, "turn"),
		}
		if s.Mark.Tool == qc.Text {
			view.Scale = max(view.Scale, 1) // smaller, the words lie over the place
		}
		// The place is somewhere on a screen of 500×400.
		p := view.ToScreen(at)
		view.OffsetX, view.OffsetY = rapid.Float64Range(60, 440).Draw(t, "x")-p.X, rapid.Float64Range(60, 340).Draw(t, "y")-p.Y
		screen := image.NewRGBA(image.Rect(0, 0, 500, 400))
		annotate.Render(screen, []annotate.Shape{s}, view, annotate.Options{Width: w, Height: h, Unit: 1})
		if p = view.ToScreen(at); !shows(screen, p, colour) {
			t.Fatalf("the screen shows %v at %v", screen.RGBAAt(int(p.X), int(p.Y)), p)
		}
	})
}

// TestRender_MarksAreOnTheOrientedImage puts a coloured place into a photo as a
// camera stores it and marks it where it is seen: after orientation, with each
// of the eight ways to store it.
func TestRender_MarksAreOnTheOrientedImage(t *testing.T) {
	t.Parallel()
	for orientation := 1; orientation <= 8; orientation++ {
		stored := image.NewRGBA(image.Rect(0, 0, 160, 100))
		for i := 3; i < len(stored.Pix); i += 4 {
			stored.Pix[i] = 0xff
		}
		for y := 20; y < 30; y++ {
			for x := 30; x < 45; x++ {
				stored.SetRGBA(x, y, color.RGBA{0, 0xff, 0, 0xff})
			}
		}
		seen := photo.Orient(stored, orientation)
		w, h := seen.Rect.Dx(), seen.Rect.Dy()
		spot := greens(seen)
		mark := qc.Mark{ID: "m", Tool: qc.Redaction, Points: []qc.Point{
			{X: float64(spot.Min.X), Y: float64(spot.Min.Y)}, {X: float64(spot.Max.X), Y: float64(spot.Max.Y)},
		}}
		for turn := range 4 {
			shown, view := turnedPhoto(seen, turn)
			annotate.Redact(shown, []qc.Mark{mark}, view)
			if left := greens(shown); !left.Empty() {
				t.Errorf("orientation %d turned by %d: %v is left", orientation, turn, left)
			}
		}
		thumb := scaled(seen, w/2, h/2, xdraw.CatmullRom)
		annotate.Redact(thumb, []qc.Mark{mark}, annotate.View{Scale: 0.5})
		if left := greens(thumb); !left.Empty() {
			t.Errorf("orientation %d: %v of the thumbnail is left", orientation, left)
		}
	}
}

// greens returns the box around what is rather green than black.
func greens(img *image.RGBA) image.Rectangle {
	var r image.Rectangle
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if img.RGBAAt(x, y).G > 0x08 {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

// TestRender_PartsMakeTheWhole draws every tool on a sheet at once and in
// tiles, as the window does, at every turn.
func TestRender_PartsMakeTheWhole(t *testing.T) {
	t.Parallel()
	const w, h = 800, 600
	ground := photos(w, h)["leather"]
	source := func(r image.Rectangle, pw, ph int) *image.RGBA {
		out := image.NewRGBA(image.Rect(0, 0, pw, ph))
		xdraw.CatmullRom.Scale(out, out.Rect, ground, r, xdraw.Src, nil)
		return out
	}
	opts := annotate.Options{Width: w, Height: h, Unit: 0.8, Source: source}
	for turn := range 4 {
		_, view := turnedPhoto(image.NewRGBA(image.Rect(0, 0, w, h)), turn)
		whole := image.NewRGBA(image.Rect(0, 0, 800, 800))
		annotate.Render(whole, scene(w, h), view, opts)
		off := 0
		for _, r := range []image.Rectangle{image.Rect(0, 0, 333, 410), image.Rect(333, 0, 800, 410), image.Rect(0, 410, 333, 800), image.Rect(333, 410, 800, 800)} {
			part := image.NewRGBA(image.Rectangle{Max: r.Size()})
			moved := view
			moved.OffsetX, moved.OffsetY = view.OffsetX-float64(r.Min.X), view.OffsetY-float64(r.Min.Y)
			annotate.Render(part, scene(w, h), moved, opts)
			for y := range r.Dy() {
				for x := range r.Dx() {
					a, b := whole.RGBAAt(x+r.Min.X, y+r.Min.Y), part.RGBAAt(x, y)
					if far(a.R, b.R) || far(a.G, b.G) || far(a.B, b.B) || far(a.A, b.A) {
						off++
					}
				}
			}
		}
		if off > 800*800/400 {
			t.Errorf("turned by %d: %d pixels differ", turn, off)
		}
	}
}
