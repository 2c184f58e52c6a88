package annotate_test

import (
	"bytes"
	"image"
	"image/color"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// TestRender_ScreenAndFileAgree looks for the stroke's colour where the mark
// says it is, on a zoomed and panned screen and in the file.
func TestRender_ScreenAndFileAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const w, h = 800, 600
		m := box("m", rapid.Float64Range(50, 300).Draw(t, "x"), rapid.Float64Range(50, 200).Draw(t, "y"),
			rapid.Float64Range(100, 400).Draw(t, "w"), rapid.Float64Range(100, 300).Draw(t, "h"))
		shapes := []annotate.Shape{{Mark: m, Severity: qc.Critical}}
		file := annotate.BurnIn(image.NewRGBA(image.Rect(0, 0, w, h)), shapes)
		view := annotate.View{
			Scale:   rapid.Float64Range(0.5, 3).Draw(t, "scale"),
			OffsetX: rapid.Float64Range(-200, 200).Draw(t, "ox"), OffsetY: rapid.Float64Range(-200, 200).Draw(t, "oy"),
		}
		screen := image.NewRGBA(image.Rect(0, 0, 1000, 700))
		annotate.Render(screen, shapes, view, annotate.Options{})
		middle := qc.Point{X: m.Points[0].X, Y: (m.Points[0].Y + m.Points[1].Y) / 2}
		if !red(file, middle) {
			t.Fatalf("the file has no stroke at %v", middle)
		}
		if at := view.ToScreen(middle); image.Pt(int(at.X), int(at.Y)).In(screen.Rect.Inset(4)) && !red(screen, at) {
			t.Fatalf("the screen has no stroke at %v", at)
		}
	})
}

func red(img *image.RGBA, at qc.Point) bool {
	c := img.RGBAAt(int(at.X), int(at.Y))
	return c.R > 180 && c.G < 90 && c.B < 90 && c.A == 255
}

func TestRender_PanningMovesMarksWithoutChangingThem(t *testing.T) {
	t.Parallel()
	shapes := sampler()
	opts := annotate.Options{Unit: 1, Width: 600, Height: 400}
	whole := image.NewRGBA(image.Rect(0, 0, 600, 400))
	annotate.Render(whole, shapes, annotate.View{Scale: 1}, opts)
	panned := image.NewRGBA(image.Rect(0, 0, 300, 200))
	annotate.Render(panned, shapes, annotate.View{Scale: 1, OffsetX: -150, OffsetY: -90}, opts)
	off := 0
	for y := range 200 {
		for x := range 300 {
			a, b := whole.RGBAAt(x+150, y+90), panned.RGBAAt(x, y)
			if far(a.R, b.R) || far(a.G, b.G) || far(a.B, b.B) || far(a.A, b.A) {
				off++
			}
		}
	}
	// Where the output's edge cuts a stroke, its last pixel may be rounded
	// another way.
	if off > 20 {
		t.Errorf("%d pixels differ from the same place of the whole photo", off)
	}
}

func TestRender_BadgesStayOnThePhotoAndApart(t *testing.T) {
	t.Parallel()
	shapes := []annotate.Shape{
		{Mark: box("whole", 0, 0, 600, 400), Number: 1, Severity: qc.Observation},
		{Mark: box("corner", 0, 0, 60, 60), Number: 2, Severity: qc.Observation},
		{Mark: box("same", 0, 0, 60, 60), Number: 3, Severity: qc.Observation},
		{Mark: arrow("edge", 599, 399, 500, 300), Number: 4, Severity: qc.Observation},
	}
	img := image.NewRGBA(image.Rect(-40, -40, 640, 440))
	annotate.Render(img, shapes, annotate.View{Scale: 1}, annotate.Options{Unit: 1, Width: 600, Height: 400})
	for y := -40; y < 440; y++ {
		for x := -40; x < 640; x++ {
			outside := x < -8 || y < -8 || x >= 608 || y >= 408
			if outside && img.RGBAAt(x, y) != (color.RGBA{}) {
				t.Fatalf("something is drawn outside the photo at %d,%d", x, y)
			}
		}
	}
}

func TestRender_IsStable(t *testing.T) {
	t.Parallel()
	draw := func() []byte {
		img := image.NewRGBA(image.Rect(0, 0, 600, 400))
		annotate.Render(img, sampler(), annotate.View{Scale: 1}, annotate.Options{})
		return img.Pix
	}
	if !bytes.Equal(draw(), draw()) {
		t.Error("the same marks look different")
	}
}

func TestRender_LeavesOutWhatIsNoMark(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA(image.Rect(0, 0, 60, 40))
	empty := slices.Clone(img.Pix)
	annotate.Render(img, []annotate.Shape{
		{Mark: qc.Mark{Tool: "ellipse", Points: []qc.Point{{}, {X: 9, Y: 9}}}, Number: 1},
		{Mark: qc.Mark{Tool: qc.Box, Points: []qc.Point{{}}}, Number: 2},
		{Mark: qc.Mark{Tool: qc.Arrow}, Number: 3},
	}, annotate.View{Scale: 1}, annotate.Options{Handles: true})
	if !bytes.Equal(img.Pix, empty) {
		t.Error("a malformed mark was drawn")
	}
}

func TestBurnIn_LeavesItsInputAlone(t *testing.T) {
	t.Parallel()
	img := grounds()["busy"]
	before := slices.Clone(img.Pix)
	out := annotate.BurnIn(img.SubImage(image.Rect(100, 100, 500, 300)).(*image.RGBA), sampler())
	if !bytes.Equal(img.Pix, before) {
		t.Error("the original was drawn on")
	}
	if out.Rect != image.Rect(0, 0, 400, 200) {
		t.Errorf("size %v", out.Rect)
	}
}

func BenchmarkBurnIn_50MP(b *testing.B) {
	img := image.NewRGBA(image.Rect(0, 0, 8688, 5792))
	var shapes []annotate.Shape
	for i := range 40 {
		x, y := float64(i%8)*1000+200, float64(i/8)*1000+300
		shapes = append(shapes, annotate.Shape{Mark: box("", x, y, 500, 400), Number: i + 1, Severity: qc.Severities()[i%4]})
	}
	for b.Loop() {
		annotate.Render(img, shapes, annotate.View{Scale: 1}, annotate.Options{})
	}
}

func BenchmarkRender_Screen50Marks(b *testing.B) {
	img := image.NewRGBA(image.Rect(0, 0, 1500, 900))
	var shapes []annotate.Shape
	for i := range 50 {
		x, y := float64(i%8)*180+20, float64(i/8)*120+40
		shapes = append(shapes, annotate.Shape{Mark: box("", x, y, 100, 70), Number: i + 1, Severity: qc.Severities()[i%4]})
	}
	for b.Loop() {
		clear(img.Pix)
		annotate.Render(img, shapes, annotate.View{Scale: 1}, annotate.Options{})
	}
}
