package annotate_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math"
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
	for name, shapes := range map[string][]annotate.Shape{"sampler": sampler(), "toolbox": toolbox()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			panned(t, shapes)
		})
	}
}

func panned(t *testing.T, shapes []annotate.Shape) {
	t.Helper()
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
		annotate.Render(img, append(sampler(), toolbox()...), annotate.View{Scale: 1}, annotate.Options{})
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
		{Mark: qc.Mark{Tool: "spiral", Points: []qc.Point{{}, {X: 9, Y: 9}}}, Number: 1},
		{Mark: qc.Mark{Tool: qc.Box, Points: []qc.Point{{}}}, Number: 2},
		{Mark: qc.Mark{Tool: qc.Arrow}, Number: 3},
	}, annotate.View{Scale: 1}, annotate.Options{Handles: true})
	if !bytes.Equal(img.Pix, empty) {
		t.Error("a malformed mark was drawn")
	}
}

func TestRender_HighlighterMultiplies(t *testing.T) {
	t.Parallel()
	yellow := annotate.Shape{Mark: qc.Mark{Tool: qc.Highlighter, Points: []qc.Point{{X: 4, Y: 4}, {X: 56, Y: 36}}}, Severity: qc.Minor}
	for _, tc := range []struct{ ground, want color.RGBA }{
		// 60 % of the ground and 40 % of its product with #FDD835.
		{color.RGBA{255, 255, 255, 255}, color.RGBA{254, 239, 174, 255}},
		{color.RGBA{0, 0, 0, 255}, color.RGBA{0, 0, 0, 255}},
		{color.RGBA{100, 200, 50, 255}, color.RGBA{100, 188, 34, 255}},
		{color.RGBA{}, color.RGBA{101, 86, 21, 102}}, // the colour itself, laid over what comes
	} {
		img := image.NewRGBA(image.Rect(0, 0, 60, 40))
		draw.Draw(img, img.Rect, image.NewUniform(tc.ground), image.Point{}, draw.Src)
		annotate.Render(img, []annotate.Shape{yellow}, annotate.View{Scale: 1}, annotate.Options{Unit: 0.5})
		if got := img.RGBAAt(30, 20); got != tc.want {
			t.Errorf("on %v: %v, want %v", tc.ground, got, tc.want)
		}
		if img.RGBAAt(1, 1) != tc.ground {
			t.Error("something outside is tinted")
		}
	}
}

// TestRender_DeepZoomShowsTheEdge draws marks of which hardly anything is in
// view.
func TestRender_DeepZoomShowsTheEdge(t *testing.T) {
	t.Parallel()
	shapes := []annotate.Shape{
		{Mark: qc.Mark{Tool: qc.Ellipse, Points: []qc.Point{{X: 1000, Y: 1000}, {X: 11000, Y: 8000}}}, Severity: qc.Critical},
		{Mark: qc.Mark{Tool: qc.Line, Points: []qc.Point{{X: 0, Y: 0}, {X: 12000, Y: 9000}}}, Severity: qc.Critical},
	}
	for _, at := range []qc.Point{{X: 1000, Y: 4500}, {X: 6000, Y: 4500}} {
		view := annotate.View{Scale: 16, OffsetX: 100 - 16*at.X, OffsetY: 100 - 16*at.Y}
		img := image.NewRGBA(image.Rect(0, 0, 200, 200))
		annotate.Render(img, shapes, view, annotate.Options{Unit: 1})
		if !red(img, qc.Point{X: 100, Y: 100}) {
			t.Errorf("no stroke at %v", at)
		}
	}
}

func TestPlaces_KeepNumbersApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const w, h, radius = 4000, 3000, 12
		var shapes []annotate.Shape
		for i := range rapid.IntRange(0, 8).Draw(t, "marks") {
			m := anyMark(t, w, h)
			if m.Tool == qc.Badge || m.Tool == qc.Redaction {
				continue // stays where a person has put it, or has none
			}
			shapes = append(shapes, annotate.Shape{Mark: m, Number: i + 1, Severity: qc.Major})
		}
		view := annotate.View{Scale: 0.1}
		places := annotate.Places(shapes, view, radius, w, h)
		for i, p := range places {
			if !p.Shown || p.At.X < radius || p.At.Y < radius || p.At.X > w*0.1-radius || p.At.Y > h*0.1-radius {
				t.Fatalf("number %d is at %+v", i, p)
			}
			if to := view.ToImage(p.To); shapes[i].Mark.Tool != qc.Text && !annotate.OnOutline(shapes[i].Mark, to, 5) {
				t.Fatalf("number %d belongs to %v, which is not on %v", i, to, shapes[i].Mark)
			}
		}
	})
}

// TestPlaces_MarksOfOnePlace crowds numbers where there is room around.
func TestPlaces_MarksOfOnePlace(t *testing.T) {
	t.Parallel()
	for _, form := range qc.Forms() {
		if form.Tool == qc.Badge || form.Tool == qc.Redaction {
			continue
		}
		var shapes []annotate.Shape
		for i := range 4 {
			shapes = append(shapes, annotate.Shape{
				Mark:   qc.Mark{Tool: form.Tool, Points: []qc.Point{{X: 1800, Y: 1400}, {X: 2100, Y: 1600}, {X: 1900, Y: 1700}}[:max(form.Min, 2)]},
				Number: i + 1, Severity: qc.Major,
			})
		}
		places := annotate.Places(shapes, annotate.View{Scale: 0.1}, 12, 4000, 3000)
		for i, a := range places {
			for _, b := range places[:i] {
				if math.Hypot(a.At.X-b.At.X, a.At.Y-b.At.Y) < 24 {
					t.Errorf("%s: numbers at %v and %v lie over each other", form.Tool, a.At, b.At)
				}
			}
		}
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

// TestPlaces_AvoidFlaws puts flaws where the first numbers would go.
func TestPlaces_AvoidFlaws(t *testing.T) {
	t.Parallel()
	middle := annotate.Shape{Mark: box("m", 400, 300, 100, 100), Number: 1, Severity: qc.Critical}
	above := flawed(box("above", 400, 220, 100, 60))
	right := flawed(box("right", 520, 220, 80, 200))
	view := annotate.View{Scale: 1}
	at := func(others ...annotate.Shape) annotate.Place {
		return annotate.Places(append([]annotate.Shape{middle}, others...), view, 20, 1000, 800)[0]
	}
	if p := at(); p.At.X != 450 || p.At.Y > 280 || p.Leader {
		t.Errorf("alone it is at %+v, want above", p)
	}
	if p := at(above); p.At.X < 500 || p.At.Y > 300 {
		t.Errorf("with a flaw above it is at %+v, want at the top right", p)
	}
	if p := at(above, right); p.At.Y < 400 {
		t.Errorf("with flaws above and to the right it is at %+v, want below", p)
	}
	ring := []annotate.Shape{flawed(box("t", 340, 240, 220, 55)), flawed(box("b", 340, 405, 220, 55)), flawed(box("l", 340, 240, 55, 220)), flawed(box("r", 505, 240, 55, 220))}
	if p := at(ring...); !p.Leader {
		t.Errorf("with flaws all around it is at %+v, want farther off with a line", p)
	}
}

// TestPlaces_StayWhenMarksHardlyMove moves marks by less than a pixel: next to
// no number may jump.
func TestPlaces_StayWhenMarksHardlyMove(t *testing.T) {
	t.Parallel()
	for name, shapes := range map[string][]annotate.Shape{"sampler": sampler(), "toolbox": toolbox(), "scene": scene(600, 400)} {
		before := annotate.Places(shapes, annotate.View{Scale: 1}, 12, 600, 400)
		jumps, tries := 0, 0
		for i := range shapes {
			for _, by := range []float64{-0.4, 0.4} {
				moved := slices.Clone(shapes)
				moved[i].Mark = annotate.Move(shapes[i].Mark, by, by/2, 600, 400)
				for j, p := range annotate.Places(moved, annotate.View{Scale: 1}, 12, 600, 400) {
					if tries++; math.Hypot(p.At.X-before[j].At.X, p.At.Y-before[j].At.Y) > 3 {
						jumps++
					}
				}
			}
		}
		if jumps*100 > tries {
			t.Errorf("%s: %d of %d numbers jumped", name, jumps, tries)
		}
	}
}

func TestRender_SpotlightIsTheSameOnASheet(t *testing.T) {
	t.Parallel()
	shapes := []annotate.Shape{{Mark: qc.Mark{Tool: qc.Spotlight, Points: []qc.Point{{X: 30.3, Y: 25.7}, {X: 70, Y: 60}}}}}
	opts := annotate.Options{Width: 101, Height: 90, Unit: 1}
	ground := photos(101, 90)["leather"]
	file := clonedImage(ground)
	annotate.Render(file, shapes, annotate.View{Scale: 1}, opts)
	sheet := image.NewRGBA(ground.Rect)
	annotate.Render(sheet, shapes, annotate.View{Scale: 1}, opts)
	laid := clonedImage(ground)
	draw.Draw(laid, laid.Rect, sheet, image.Point{}, draw.Over)
	for i := range laid.Pix {
		if a, b := laid.Pix[i], file.Pix[i]; a > b && a-b > 1 || b > a && b-a > 1 {
			t.Fatalf("pixel %d is %d over a sheet and %d in the file", i/4, a, b)
		}
	}
	for _, tc := range []struct {
		x, y   int
		factor float64
	}{{50, 40, 1}, {31, 26, 1}, {69, 59, 1}, {1, 1, 0.45}, {100, 89, 0.45}, {15, 40, 0.45}} {
		if got, want := float64(file.RGBAAt(tc.x, tc.y).R), tc.factor*float64(ground.RGBAAt(tc.x, tc.y).R); math.Abs(got-want) > 1.2 {
			t.Errorf("%d,%d has %g, want %g", tc.x, tc.y, got, want)
		}
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

// BenchmarkRender_Screen50OfAll draws what a window shows at most: each tool,
// on a sheet, with insets from a source.
func BenchmarkRender_Screen50OfAll(b *testing.B) {
	img := image.NewRGBA(image.Rect(0, 0, 1500, 900))
	var shapes []annotate.Shape
	for i := range 3 {
		for _, s := range scene(1500, 900) {
			s.Mark = annotate.Move(s.Mark, float64(i)*30, float64(i)*25, 1500, 900)
			shapes = append(shapes, s)
		}
	}
	source := func(_ image.Rectangle, w, h int) *image.RGBA { return image.NewRGBA(image.Rect(0, 0, w, h)) }
	for b.Loop() {
		clear(img.Pix)
		annotate.Render(img, shapes, annotate.View{Scale: 1}, annotate.Options{Width: 1500, Height: 900, Unit: 1.2, Source: source})
	}
}

// BenchmarkRender_50MPOfAll draws each tool into a large file.
func BenchmarkRender_50MPOfAll(b *testing.B) {
	img := image.NewRGBA(image.Rect(0, 0, 8688, 5792))
	shapes := scene(8688, 5792)
	for b.Loop() {
		annotate.Render(img, shapes, annotate.View{Scale: 1}, annotate.Options{Width: 8688, Height: 5792, Photo: true})
	}
}
