package widgets

import (
	"image"
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

func (b *bench) typed(names ...fyne.KeyName) {
	for _, n := range names {
		b.TypedKey(&fyne.KeyEvent{Name: n})
	}
}

func TestPhotoCanvas_ToolsOfTwoPlaces(t *testing.T) {
	from, to := fyne.NewPos(460, 390), fyne.NewPos(310, 220)
	for _, tool := range []qc.Tool{qc.Box, qc.Ellipse, qc.Arrow, qc.Line, qc.Badge, qc.Highlighter} {
		b := newBench(t, 1.5, 2400, 1600)
		b.SetTool(tool)
		b.sweep(from, to, desktop.MouseButtonPrimary, 0)
		if len(b.drawn) != 1 || b.drawn[0].Tool != tool || len(b.drawn[0].Points) != 2 {
			t.Fatalf("%s: drawn %v", tool, b.drawn)
		}
		a, z := b.WidgetToImage(from), b.WidgetToImage(to)
		if annotate.Cornered(tool) {
			a, z = z, a
		}
		if p := b.drawn[0].Points; !near(p[0], a, 1e-6) || !near(p[1], z, 1e-6) {
			t.Errorf("%s: %v, want %v to %v", tool, p, a, z)
		}
		if b.Tool() != tool || b.draft.shape != nil {
			t.Errorf("%s: armed %q, draft %v", tool, b.Tool(), b.draft.shape)
		}
	}
}

func TestPhotoCanvas_AClickIsABadge(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.SetTool(qc.Badge)
	at := fyne.NewPos(300, 200)
	b.click(at, 0)
	b.sweep(at, at.AddXY(9, 0), desktop.MouseButtonPrimary, 0) // the end would lie under the number
	for _, m := range b.drawn {
		if len(m.Points) != 1 || !near(m.Points[0], b.WidgetToImage(at), 1e-6) {
			t.Errorf("drawn %v", m)
		}
	}
	if len(b.drawn) != 2 || b.gesture != nil {
		t.Fatalf("drawn %v", b.drawn)
	}
}

func TestPhotoCanvas_TracesTheHand(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.SetTool(qc.Freehand)
	at := func(i int) fyne.Position {
		sin, cos := math.Sincos(float64(i) / 60 * 2 * math.Pi)
		return fyne.NewPos(float32(400+90*cos), float32(300+90*sin))
	}
	b.MouseDown(mouse(at(0), desktop.MouseButtonPrimary, 0))
	for i := 1; i < 60; i++ {
		b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: at(i)}, Dragged: fyne.NewDelta(1, 1)})
		if b.draft.shape == nil {
			t.Fatal("nothing is seen of the trace")
		}
	}
	b.MouseUp(mouse(at(59), desktop.MouseButtonPrimary, 0))
	b.DragEnd()
	if len(b.drawn) != 1 || !annotate.Closed(b.drawn[0]) || len(b.drawn[0].Points) > 60 {
		t.Fatalf("drawn %v", b.drawn)
	}
	for i := range 60 {
		if !annotate.OnOutline(b.drawn[0], b.WidgetToImage(at(i)), 1/b.port.view.Scale) {
			t.Errorf("the trace is not where the hand was: %v", at(i))
		}
	}
	b.click(at(0), 0)
	b.click(at(0), 0)
	if len(b.drawn) != 1 {
		t.Errorf("two clicks on one place drew %v", b.drawn[1])
	}
}

func TestPhotoCanvas_PolygonByCorners(t *testing.T) {
	corners := []fyne.Position{fyne.NewPos(200, 150), fyne.NewPos(400, 160), fyne.NewPos(420, 350), fyne.NewPos(210, 340)}
	draw := func(t *testing.T, end func(*bench)) *bench {
		t.Helper()
		b := newBench(t, 1, 2400, 1600)
		b.SetTool(qc.Polygon)
		for _, at := range corners {
			b.MouseMoved(mouse(at, 0, 0))
			b.click(at, 0)
		}
		if len(b.drawn) != 0 || b.draft.shape == nil {
			t.Fatalf("drawn %v before its end", b.drawn)
		}
		end(b)
		return b
	}
	for name, tc := range map[string]struct {
		end  func(*bench)
		want int
	}{
		"enter":        {func(b *bench) { b.typed(fyne.KeyReturn) }, 4},
		"double click": {func(b *bench) { b.click(corners[3], 0) }, 4},
		"first corner": {func(b *bench) { b.click(corners[0].AddXY(3, -4), 0) }, 4},
		"one back":     {func(b *bench) { b.typed(fyne.KeyBackspace, fyne.KeyReturn) }, 3},
		"too few left": {func(b *bench) { b.typed(fyne.KeyBackspace, fyne.KeyBackspace, fyne.KeyReturn) }, 0},
		"all back":     {func(b *bench) { b.typed(fyne.KeyBackspace, fyne.KeyBackspace, fyne.KeyBackspace, fyne.KeyBackspace) }, 0},
		"escape":       {func(b *bench) { b.typed(fyne.KeyEscape, fyne.KeyReturn) }, 0},
		"another tool": {func(b *bench) { b.SetTool(qc.Box) }, 0},
		"zoom and pan meanwhile": {func(b *bench) {
			b.Scrolled(&fyne.ScrollEvent{PointEvent: fyne.PointEvent{Position: corners[0]}, Scrolled: fyne.NewDelta(0, float32(3*notch()))})
			b.sweep(corners[2], corners[0], desktop.MouseButtonTertiary, 0)
			b.KeyDown(&fyne.KeyEvent{Name: fyne.KeySpace})
			b.sweep(corners[2], corners[1], desktop.MouseButtonPrimary, 0)
			b.KeyUp(&fyne.KeyEvent{Name: fyne.KeySpace})
			if b.draft.shape == nil {
				t.Error("the polygon is gone while panning")
			}
			b.typed(fyne.KeyReturn)
		}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			first := newBench(t, 1, 2400, 1600)
			b := draw(t, tc.end)
			if tc.want == 0 {
				if len(b.drawn) != 0 {
					t.Fatalf("drawn %v", b.drawn)
				}
				return
			}
			if len(b.drawn) != 1 || len(b.drawn[0].Points) != tc.want {
				t.Fatalf("drawn %v", b.drawn)
			}
			for i, p := range b.drawn[0].Points {
				if !near(p, first.WidgetToImage(corners[i]), 1e-6) {
					t.Errorf("corner %d is %v, want %v", i, p, first.WidgetToImage(corners[i]))
				}
			}
			if b.gesture != nil || b.draft.shape != nil || b.Tool() != qc.Polygon {
				t.Errorf("gesture %v, draft %v, tool %q", b.gesture, b.draft.shape, b.Tool())
			}
		})
	}
}

func TestPhotoCanvas_PolygonSidesTurnInSteps(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.SetTool(qc.Polygon)
	b.click(fyne.NewPos(200, 150), 0)
	b.click(fyne.NewPos(400, 160), fyne.KeyModifierShift)
	if p := b.gesture.corners; math.Abs(p[0].Y-p[1].Y) > 1e-6 {
		t.Errorf("the side is not level: %v", p)
	}
}

func TestPhotoCanvas_CornersOfAPolygonMove(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	m := qc.Mark{ID: "m", Tool: qc.Polygon, Points: []qc.Point{{X: 600, Y: 400}, {X: 1000, Y: 400}, {X: 800, Y: 900}}}
	b.SetMarks([]annotate.Shape{{Mark: m, Severity: qc.Major}})
	b.Select("m")
	b.SetTool(qc.Polygon) // handles live while a tool is armed
	from := b.ImageToWidget(m.Points[2])
	b.sweep(from, from.AddXY(30, 20), desktop.MouseButtonPrimary, 0)
	want := b.WidgetToImage(from.AddXY(30, 20))
	if len(b.edited) != 1 || len(b.edited[0].Points) != 3 || !near(b.edited[0].Points[2], want, 1e-3) || b.edited[0].Points[0] != m.Points[0] {
		t.Fatalf("edited %v, want the third corner at %v", b.edited, want)
	}
}

// TestPhotoCanvas_TintsAsTheFileDoes compares the screen with the file where
// something dark and something light is highlighted.
func TestPhotoCanvas_TintsAsTheFileDoes(t *testing.T) {
	b := newBench(t, 1, 1000, 800)
	photo := flat(1000, 800, color.RGBA{20, 20, 20, 255})
	for y := 400; y < 800; y++ {
		for x := range 1000 {
			photo.SetRGBA(x, y, color.RGBA{230, 220, 210, 255})
		}
	}
	b.SetPhoto("dark and light", 1000, 800, photo)
	b.ZoomTo(100)
	shapes := []annotate.Shape{{Mark: qc.Mark{ID: "m", Tool: qc.Highlighter, Points: []qc.Point{{X: 440, Y: 350}, {X: 560, Y: 450}}}, Severity: qc.Minor}}
	b.SetMarks(shapes)
	file := annotate.BurnIn(photo, shapes)
	screen := b.window.Canvas().Capture()
	for _, p := range []qc.Point{{X: 500, Y: 380}, {X: 500, Y: 420}, {X: 400, Y: 380}} {
		at := b.port.view.ToScreen(p)
		got := color.RGBAModel.Convert(screen.At(int(at.X), int(at.Y))).(color.RGBA)
		want := file.RGBAAt(int(p.X), int(p.Y))
		if apart(got.R, want.R) || apart(got.G, want.G) || apart(got.B, want.B) {
			t.Errorf("at %v the file is %v, the screen %v", p, want, got)
		}
	}
	// A sharper level is seen through the tint, too.
	b.AddLevel("dark and light", flat(2000, 1600, color.RGBA{230, 220, 210, 255}))
	b.ZoomTo(200)
	at := image.Pt(int(b.ImageToWidget(qc.Point{X: 500, Y: 390}).X), int(b.ImageToWidget(qc.Point{X: 500, Y: 390}).Y))
	if got := color.RGBAModel.Convert(b.window.Canvas().Capture().At(at.X, at.Y)).(color.RGBA); got.R < 200 {
		t.Errorf("under the tint is still the old level: %v", got)
	}
}

func apart(a, b uint8) bool { return a > b && a-b > 3 || b > a && b-a > 3 }
