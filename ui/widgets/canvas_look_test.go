package widgets

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
)

func TestLook_TurnedPhotosStayUnderTheirMarks(t *testing.T) {
	type look struct {
		scale float32
		turn  int
		zoom  float64
	}
	var looks []look
	for _, scale := range []float32{1, 1.5} {
		for turn := -1; turn < 3; turn++ {
			for _, zoom := range []float64{0, 60, 300} {
				looks = append(looks, look{scale, turn, zoom})
			}
		}
	}
	dice := rand.New(rand.NewPCG(1, 2))
	try := func(t *testing.T, scale float32, turn int, zoom float64) {
		b := newTiled(t, scale, &drawnTiles{w: 3000, h: 2000, levels: 4})
		if dice.IntN(2) == 0 {
			b.SetTurn(turn)
		}
		if zoom > 0 {
			b.ZoomTo(zoom)
		}
		b.SetTurn(turn)
		if b.Turn() != (turn+4)%4 {
			t.Fatalf("turn is %d", b.Turn())
		}
		b.shows(t)
		if _, fit := b.Zoom(); fit != (zoom == 0) {
			t.Fatal("turning keeps the fit")
		}
		r := b.port.photoRect()
		if zoom == 0 && !r.In(image.Rect(0, 0, b.port.width, b.port.height)) {
			t.Fatalf("a fitted photo is at %v", r)
		}
		// What is drawn on the screen is on those pixels of the photo.
		from := fyne.NewPos(310, 220)
		to := from.AddXY(float32(20+dice.IntN(100)), float32(20+dice.IntN(100)))
		one, two := b.WidgetToImage(from), b.WidgetToImage(to)
		b.SetTool(qc.Arrow)
		b.sweep(from, to, desktop.MouseButtonPrimary, 0)
		if p := b.drawn[0].Points; !near(p[0], one, 1e-6) || !near(p[1], two, 1e-6) {
			t.Fatalf("drawn %v, want %v to %v", p, one, two)
		}
		if at := b.ImageToWidget(one); math.Hypot(float64(at.X-from.X), float64(at.Y-from.Y)) > 0.01 {
			t.Fatalf("%v is shown at %v", one, at)
		}
		// The wheel keeps what is under the pointer.
		b.Scrolled(&fyne.ScrollEvent{PointEvent: fyne.PointEvent{Position: from}, Scrolled: fyne.NewDelta(0, float32(notch()))})
		if now := b.WidgetToImage(from); zoom >= 100 && !near(now, one, 1.5) {
			t.Fatalf("%v was under the pointer, %v is", one, now)
		}
		b.shows(t)
	}
	for _, l := range looks {
		t.Run(fmt.Sprintf("%+v", l), func(t *testing.T) { try(t, l.scale, l.turn, l.zoom) })
	}
}

func TestLook_ArrowKeysFollowTheScreen(t *testing.T) {
	for turn := range 4 {
		b := newBench(t, 1, 2400, 1600)
		b.withMarks()
		b.SetTurn(turn)
		b.Select("box")
		before := b.ImageToWidget(b.shapes[0].Mark.Points[0])
		b.typed(fyne.KeyRight)
		after := b.ImageToWidget(b.edited[0].Points[0])
		if after.X-before.X < 0.5 || math.Abs(float64(after.Y-before.Y)) > 0.01 {
			t.Errorf("turned by %d, right is %v", turn, after.Subtract(before))
		}
	}
}

func TestLook_MarksAreSeenWhereTheyAre(t *testing.T) {
	for _, scale := range []float32{1, 2} {
		for turn := range 4 {
			for _, zoom := range []float64{0, 100, 250} {
				b := newBench(t, scale, 1000, 800)
				b.SetPhoto("grey", 1000, 800, flat(1000, 800, color.RGBA{128, 128, 128, 255}))
				b.SetTurn(turn)
				if zoom > 0 {
					b.ZoomTo(zoom)
				}
				b.withMarks()
				b.shapes[0].Severity = qc.Critical
				b.shapes = b.shapes[:1]
				b.shapes[0].Mark.Points = []qc.Point{{X: 470, Y: 370}, {X: 560, Y: 430}}
				b.marksVersion++
				b.update()
				screen := b.window.Canvas().Capture()
				for _, p := range []qc.Point{{X: 470, Y: 400}, {X: 560, Y: 400}, {X: 515, Y: 370}, {X: 515, Y: 430}} {
					at := b.port.view.ToScreen(p)
					if r, g, _, _ := screen.At(int(at.X), int(at.Y)).RGBA(); r>>8 < 180 || g>>8 > 90 {
						t.Errorf("scale %g turn %d zoom %g: at %v the screen is %d %d", scale, turn, zoom, p, r>>8, g>>8)
					}
				}
				b.HideMarks(true)
				screen = b.window.Canvas().Capture()
				at := b.port.view.ToScreen(qc.Point{X: 470, Y: 400})
				if r, _, _, _ := screen.At(int(at.X), int(at.Y)).RGBA(); r>>8 != 128 {
					t.Errorf("hidden marks are seen: %d", r>>8)
				}
			}
		}
	}
}

func TestLook_LightIsForLooking(t *testing.T) {
	b := newBench(t, 1, 1000, 800)
	photo := flat(1000, 800, color.RGBA{100, 0, 255, 255})
	b.SetPhoto("p2", 1000, 800, photo)
	looks := 0
	b.OnLook = func() { looks++ }
	middle := fyne.NewPos(400, 300)
	b.SetLight(0.5, 0)
	if got := b.pixel(middle); got.R < 130 || got.G != 0 || got.B != 255 {
		t.Errorf("brighter is %v", got)
	}
	b.SetLight(0, -0.5)
	if got := b.pixel(middle); got.R < 101 || got.G < 40 || got.B > 220 {
		t.Errorf("flatter is %v", got)
	}
	if photo.RGBAAt(5, 5) != (color.RGBA{100, 0, 255, 255}) {
		t.Error("the photo itself was changed")
	}
	b.SetPhoto("p3", 1000, 800, photo)
	if br, co := b.Light(); br != 0 || co != 0 || b.pixel(middle).R != 100 || looks != 3 {
		t.Errorf("another photo is shown as it is: %g %g, %d", br, co, looks)
	}
}

func TestLook_KeepZoomIsRelative(t *testing.T) {
	b := newBench(t, 1.5, 6000, 4000)
	b.KeepZoom = true
	b.ZoomTo(100)
	b.port.panTo(-1200, -700)
	b.update()
	at := b.WidgetToImage(fyne.NewPos(100, 100))
	b.SetPhoto("half", 3000, 2000, slope(600, 400))
	if now := b.WidgetToImage(fyne.NewPos(100, 100)); !near(now, qc.Point{X: at.X / 2, Y: at.Y / 2}, 1) {
		t.Errorf("%v became %v", at, now)
	}
	b.SetPhoto("square", 3000, 3000, slope(600, 600))
	if _, fit := b.Zoom(); !fit {
		t.Error("other proportions are fitted")
	}
}

// compared is a green photo beside a blue one of other proportions.
func compared(t *testing.T, mode CompareMode) (b *bench, at func(x, y float64) color.RGBA) {
	b = newBench(t, 1, 1000, 800)
	b.SetPhoto("green", 1000, 800, flat(1000, 800, color.RGBA{0, 200, 0, 255}))
	b.SetCompare("blue", 800, 800, flat(400, 400, color.RGBA{0, 0, 200, 255}))
	b.SetCompareMode(mode)
	return b, func(x, y float64) color.RGBA {
		r, g, bl, _ := b.window.Canvas().Capture().At(int(x), int(y)).RGBA()
		return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8), 255}
	}
}

func TestCompare_Pixels(t *testing.T) {
	green, blue, ground := color.RGBA{0, 200, 0, 255}, color.RGBA{0, 0, 200, 255}, neutralRGBA()
	check := func(name string, got, want color.RGBA) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	b, at := compared(t, CompareOff)
	frame := b.port.photoRect()
	left, y := float64(frame.Min.X)+4, 100.0
	check("off", at(390, y), green)
	b.Blink(true)
	check("blinking", at(390, y), blue)
	check("letterbox", at(left, y), ground)
	b.Blink(false)
	check("after it", at(390, y), green)
	b.SetCompareMode(CompareBlink)
	check("toggled", at(390, y), blue)
	b.Blink(true)
	check("and held", at(390, y), green)
	b.Blink(false)

	b.SetCompareMode(CompareSwipe)
	check("left of the divider", at(380, y), green)
	check("right of it", at(420, y), blue)
	b.SetTool(qc.Box) // the divider works while a tool is armed
	grip := fyne.NewPos(400+handleUnits/2-4, 300)
	b.sweep(grip, grip.AddXY(-200, 50), desktop.MouseButtonPrimary, 0)
	if math.Abs(b.Divider()-0.25) > 0.01 || len(b.drawn) != 0 {
		t.Fatalf("divider at %g, drawn %v", b.Divider(), b.drawn)
	}
	check("dragged over", at(380, y), blue)
	check("still ours", at(150, y), green)
	b.sweep(fyne.NewPos(500, 300), fyne.NewPos(550, 350), desktop.MouseButtonPrimary, 0)
	if len(b.drawn) != 0 {
		t.Error("nothing can be drawn on the other picture")
	}

	b.SetCompareMode(CompareSide)
	check("ours", at(200, 300), green)
	check("theirs", at(600, 300), blue)
	b.ZoomTo(200)
	one := b.WidgetToImage(fyne.NewPos(100, 100))
	b.Scrolled(&fyne.ScrollEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(500, 100)}, Scrolled: fyne.NewDelta(0, float32(notch()))})
	if now := b.WidgetToImage(fyne.NewPos(100, 100)); !near(now, one, 1) {
		t.Errorf("the halves are linked: %v became %v", one, now)
	}
	b.SetCompare("", 0, 0)
	check("alone again", at(600, 100), green)
}

func neutralRGBA() color.RGBA { return color.RGBA{neutral.R, neutral.G, neutral.B, 255} }

func TestCompare_TheSameRelativePlace(t *testing.T) {
	for turn := range 4 {
		t.Run(fmt.Sprint(turn), func(t *testing.T) {
			b := newTiled(t, 1.5, &drawnTiles{w: 3000, h: 2000, levels: 4})
			b.SetCompare("other", 1500, 1000)
			b.SetCompareTiles("other", &drawnTiles{w: 1500, h: 1000, levels: 3})
			b.SetCompareMode(CompareBlink)
			b.ZoomTo(150)
			view, frame := b.otherView()
			if !frame.In(b.port.photoRect().Inset(-1)) {
				t.Fatalf("the other picture is at %v, ours at %v", frame, b.port.photoRect())
			}
			if math.Abs(view.Scale-3) > 1e-9 {
				t.Errorf("scale is %g", view.Scale)
			}
			if len(b.other.sheet.tiles) == 0 || b.other.sheet.from.missing {
				t.Fatal("the other picture is not sharp")
			}
			p := b.other.sheet.tiles[0]
			for _, q := range []image.Point{{10, 10}, {400, 300}} {
				got := p.img.RGBAAt(q.X, q.Y)
				at := view.ToImage(qc.Point{X: float64(p.rect.Min.X+q.X) + 0.5, Y: float64(p.rect.Min.Y+q.Y) + 0.5})
				if math.Abs(float64(got.R)-255*at.X/1500) > 3 || math.Abs(float64(got.G)-255*at.Y/1000) > 3 {
					t.Errorf("at %v: %v", at, got)
				}
			}
		})
	}
}

func TestMap_SteersByDragging(t *testing.T) {
	for turn := range 4 {
		b := newTiled(t, 1.5, &drawnTiles{w: 9000, h: 7000, levels: 6})
		if _, _, ok := b.mapPlace(); ok {
			t.Error("a fitted photo needs no overview")
		}
		b.SetTurn(turn)
		b.ZoomTo(100)
		b.SetTool(qc.Box)
		corner, size, ok := b.mapPlace()
		if !ok {
			t.Fatal("no overview")
		}
		from, to := b.mapFrame(corner, size)
		grip := fyne.NewPos((from.X+to.X)/2+1, (from.Y+to.Y)/2+1)
		before := b.WidgetToImage(fyne.NewPos(400, 300))
		b.sweep(grip, grip.AddXY(-20, 15), desktop.MouseButtonPrimary, 0)
		k := float64(size.Width) / func() float64 { w, _ := b.port.frame(); return w }()
		way := b.ImageToWidget(before).Subtract(fyne.NewPos(400, 300))
		if percent, _ := b.Zoom(); math.Abs(float64(way.X)-20/k*percent/100/b.device) > 20 || math.Abs(float64(way.Y)+15/k*percent/100/b.device) > 20 {
			t.Errorf("turn %d: moved by %v", turn, way)
		}
		if len(b.drawn) != 0 || b.grip != nil {
			t.Errorf("drawn %v", b.drawn)
		}
		b.shows(t)
		b.ShowMap(false)
		if _, _, ok := b.mapPlace(); ok {
			t.Error("it is switched off")
		}
	}
}

func TestHeld_KeysAreReleasedWithTheFocus(t *testing.T) {
	b := newBench(t, 1, 1000, 800)
	var heard []string
	b.OnHeld = func(ev *fyne.KeyEvent, down bool) { heard = append(heard, fmt.Sprint(ev.Name, down)) }
	b.KeyDown(&fyne.KeyEvent{Name: fyne.KeyY})
	b.FocusLost()
	b.KeyUp(&fyne.KeyEvent{Name: fyne.KeyBackslash})
	if fmt.Sprint(heard) != "[Ytrue Yfalse \\false]" {
		t.Error(heard)
	}
}
