package widgets

import (
	"fmt"
	"image"
	"maps"
	"math"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// bench is a canvas in a window with a record of what it reported. Everything
// runs at once, unless queue is used.
type bench struct {
	*PhotoCanvas
	window   fyne.Window
	drawn    []qc.Mark
	edited   []qc.Mark
	selected []qc.MarkID
	keys     []fyne.KeyName
	runes    []rune
}

func newBench(tb testing.TB, scale float32, w, h int) *bench {
	tb.Helper()
	test.NewTempApp(tb)
	b := &bench{PhotoCanvas: NewPhotoCanvas()}
	b.Background = func(f func()) { f() }
	b.Dispatch = func(f func()) { f() }
	b.OnDrawn = func(tool qc.Tool, p []qc.Point) { b.drawn = append(b.drawn, qc.Mark{Tool: tool, Points: p}) }
	edited := func(edits map[qc.MarkID][]qc.Point) {
		for _, id := range slices.Sorted(maps.Keys(edits)) {
			b.edited = append(b.edited, qc.Mark{ID: id, Points: edits[id]})
		}
	}
	b.OnEditedAll, b.OnNudged = edited, edited
	b.OnSelected = func(...qc.MarkID) { b.selected = append(b.selected, b.Selected()) }
	b.OnTypedKey = func(ev *fyne.KeyEvent) { b.keys = append(b.keys, ev.Name) }
	b.OnTypedRune = func(r rune) { b.runes = append(b.runes, r) }
	b.window = test.NewTempWindow(tb, b.PhotoCanvas)
	b.window.SetPadded(false)
	b.window.Canvas().(test.WindowlessCanvas).SetScale(scale)
	b.window.Resize(fyne.NewSize(800, 600))
	b.SetPhoto("p", w, h, slope(w/4, h/4), slope(w/2, h/2))
	return b
}

func mouse(at fyne.Position, button desktop.MouseButton, mod fyne.KeyModifier) *desktop.MouseEvent {
	return &desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: at, AbsolutePosition: at}, Button: button, Modifier: mod}
}

// sweep presses, drags in steps and releases, in the order of the desktop
// driver.
func (b *bench) sweep(from, to fyne.Position, button desktop.MouseButton, mod fyne.KeyModifier) {
	b.MouseDown(mouse(from, button, mod))
	last := from
	const steps = 4
	for i := 1; i <= steps; i++ {
		k := float32(i) / steps
		at := fyne.NewPos(from.X+(to.X-from.X)*k, from.Y+(to.Y-from.Y)*k)
		if math.Hypot(float64(at.X-from.X), float64(at.Y-from.Y)) >= 2 {
			b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: at}, Dragged: fyne.NewDelta(at.X-last.X, at.Y-last.Y)})
		}
		last = at
	}
	b.MouseUp(mouse(to, button, 0))
	b.DragEnd()
}

func (b *bench) click(at fyne.Position, mod fyne.KeyModifier) {
	b.MouseDown(mouse(at, desktop.MouseButtonPrimary, mod))
	b.MouseUp(mouse(at, desktop.MouseButtonPrimary, 0))
}

func near(a, b qc.Point, within float64) bool {
	return math.Abs(a.X-b.X) <= within && math.Abs(a.Y-b.Y) <= within
}

func TestPhotoCanvas_DrawsWhereTheHandIs(t *testing.T) {
	for _, scale := range []float32{1, 1.5, 2} {
		for _, zoom := range []float64{0, 75, 100, 300, 800} { // 0: fitted
			t.Run(fmt.Sprintf("scale %g zoom %g", scale, zoom), func(t *testing.T) {
				b := newBench(t, scale, 2400, 1600)
				if zoom > 0 {
					b.ZoomTo(zoom)
				}
				percent, _ := b.Zoom()
				if zoom > 0 && math.Abs(percent-zoom) > 1e-9 {
					t.Fatalf("zoom is %g", percent)
				}
				from, to := fyne.NewPos(310, 220), fyne.NewPos(460, 390)
				want := []qc.Point{b.WidgetToImage(from), b.WidgetToImage(to)}
				// The size on the photo follows from the zoom alone.
				if got, want := want[1].X-want[0].X, 150*float64(scale)*100/percent; math.Abs(got-want) > 1e-3 {
					t.Fatalf("150 units are %g image pixels, want %g", got, want)
				}
				b.SetTool(qc.Box)
				b.sweep(from, to, desktop.MouseButtonPrimary, 0)
				b.SetTool(qc.Arrow)
				b.sweep(to, from, desktop.MouseButtonPrimary, 0)
				if len(b.drawn) != 2 {
					t.Fatalf("drawn %v", b.drawn)
				}
				if p := b.drawn[0].Points; b.drawn[0].Tool != qc.Box || !near(p[0], want[0], 1e-6) || !near(p[1], want[1], 1e-6) {
					t.Errorf("box %v, want %v", p, want)
				}
				if p := b.drawn[1].Points; b.drawn[1].Tool != qc.Arrow || !near(p[0], want[1], 1e-6) || !near(p[1], want[0], 1e-6) {
					t.Errorf("arrow %v, want the head at %v", p, want[0])
				}
			})
		}
	}
}

func TestPhotoCanvas_TwoClicksDrawToo(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.SetTool(qc.Box)
	b.click(fyne.NewPos(300, 200), 0)
	b.MouseMoved(mouse(fyne.NewPos(350, 260), 0, 0))
	if len(b.drawn) != 0 || b.draft.shape == nil {
		t.Fatal("after the first click the mark follows the pointer")
	}
	b.click(fyne.NewPos(400, 300), 0)
	want := []qc.Point{b.WidgetToImage(fyne.NewPos(300, 200)), b.WidgetToImage(fyne.NewPos(400, 300))}
	if len(b.drawn) != 1 || !near(b.drawn[0].Points[0], want[0], 1e-6) || !near(b.drawn[0].Points[1], want[1], 1e-6) {
		t.Fatalf("drawn %v, want %v", b.drawn, want)
	}
	if b.draft.shape != nil {
		t.Error("the draft outlives the gesture")
	}
}

func TestPhotoCanvas_ASlipDrawsNothing(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.SetTool(qc.Box)
	b.sweep(fyne.NewPos(300, 200), fyne.NewPos(302, 202), desktop.MouseButtonPrimary, 0)
	b.click(fyne.NewPos(300, 200), 0)
	b.click(fyne.NewPos(301, 200), 0)
	b.MouseMoved(mouse(fyne.NewPos(500, 400), 0, 0))
	if len(b.drawn) != 0 || b.gesture != nil {
		t.Errorf("drawn %v", b.drawn)
	}
}

// withMarks shows two boxes and an arrow, and takes edits over as a screen
// would.
func (b *bench) withMarks() {
	shapes := []annotate.Shape{
		{Mark: qc.Mark{ID: "box", Tool: qc.Box, Points: []qc.Point{{X: 600, Y: 400}, {X: 1000, Y: 700}}}, Number: 1, Severity: qc.Major},
		{Mark: qc.Mark{ID: "inner", Tool: qc.Box, Points: []qc.Point{{X: 700, Y: 500}, {X: 800, Y: 600}}}, Number: 2, Severity: qc.Minor},
		{Mark: qc.Mark{ID: "arrow", Tool: qc.Arrow, Points: []qc.Point{{X: 1500, Y: 1200}, {X: 1800, Y: 1000}}}, Number: 3, Severity: qc.Critical},
	}
	b.SetMarks(shapes)
}

func TestPhotoCanvas_SelectsMovesAndResizes(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.withMarks()
	edge := b.ImageToWidget(qc.Point{X: 600, Y: 550})
	b.click(edge, 0)
	if b.Selected() != "box" || len(b.selected) != 1 {
		t.Fatalf("selected %q", b.Selected())
	}
	// 30 units at this zoom, taken by the inside of the selected box.
	in := b.ImageToWidget(qc.Point{X: 900, Y: 650})
	b.sweep(in, in.AddXY(30, -20), desktop.MouseButtonPrimary, 0)
	k := 1 / b.port.view.Scale
	if len(b.edited) != 1 || b.edited[0].ID != "box" ||
		!near(b.edited[0].Points[0], qc.Point{X: 600 + 30*k, Y: 400 - 20*k}, 1e-3) ||
		!near(b.edited[0].Points[1], qc.Point{X: 1000 + 30*k, Y: 700 - 20*k}, 1e-3) {
		t.Fatalf("moved to %v", b.edited)
	}
	// A handle that is taken beside its middle does not jump.
	corner := b.ImageToWidget(qc.Point{X: 1000, Y: 700})
	b.sweep(corner.AddXY(3, 3), corner.AddXY(43, 53), desktop.MouseButtonPrimary, 0)
	if p := b.edited[1].Points; !near(p[0], qc.Point{X: 600, Y: 400}, 1e-3) || !near(p[1], qc.Point{X: 1000 + 40*k, Y: 700 + 50*k}, 1e-3) {
		t.Errorf("resized to %v", p)
	}
	b.click(fyne.NewPos(60, 500), 0)
	if b.Selected() != "" {
		t.Error("a click on nothing unselects")
	}
}

func TestPhotoCanvas_ArmedToolDrawsOverOtherMarks(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.withMarks()
	b.SetTool(qc.Box)
	b.Select("box")
	at := b.ImageToWidget(qc.Point{X: 700, Y: 550}) // on inner's outline, inside box
	b.sweep(at, at.AddXY(60, 40), desktop.MouseButtonPrimary, 0)
	if len(b.drawn) != 1 || len(b.edited) != 0 {
		t.Fatalf("drawn %v, edited %v", b.drawn, b.edited)
	}
	corner := b.ImageToWidget(qc.Point{X: 1000, Y: 400})
	b.sweep(corner, corner.AddXY(20, 10), desktop.MouseButtonPrimary, 0)
	if len(b.drawn) != 1 || len(b.edited) != 1 || b.edited[0].ID != "box" {
		t.Fatalf("the selected mark keeps its handles while a tool is armed: %v, %v", b.drawn, b.edited)
	}
	b.click(at, fyne.KeyModifierControl)
	if b.Selected() != "inner" {
		t.Errorf("Ctrl picks another mark, not %q", b.Selected())
	}
	if b.Tool() != qc.Box {
		t.Error("the tool stays armed")
	}
}

func TestPhotoCanvas_WheelZoomsAtThePointer(t *testing.T) {
	for _, scale := range []float32{1, 1.5, 2} {
		b := newBench(t, scale, 6000, 4000)
		b.ZoomTo(60)
		at := fyne.NewPos(200, 150)
		before := b.WidgetToImage(at)
		percent, _ := b.Zoom()
		b.Scrolled(&fyne.ScrollEvent{PointEvent: fyne.PointEvent{Position: at}, Scrolled: fyne.NewDelta(0, float32(notch()))})
		after, _ := b.Zoom()
		if math.Abs(after/percent-1.2) > 1e-9 {
			t.Errorf("one notch is %g", after/percent)
		}
		if !near(before, b.WidgetToImage(at), 1) {
			t.Errorf("the pointer was at %v, is at %v", before, b.WidgetToImage(at))
		}
		for range 25 {
			b.Scrolled(&fyne.ScrollEvent{PointEvent: fyne.PointEvent{Position: at}, Scrolled: fyne.NewDelta(0, -float32(notch()))})
		}
		if _, fit := b.Zoom(); !fit {
			t.Error("zooming out ends with the whole photo")
		}
	}
}

func TestPhotoCanvas_Pans(t *testing.T) {
	for name, pan := range map[string]func(b *bench, from, to fyne.Position){
		"middle button": func(b *bench, from, to fyne.Position) {
			b.SetTool(qc.Box)
			b.sweep(from, to, desktop.MouseButtonTertiary, 0)
		},
		"space": func(b *bench, from, to fyne.Position) {
			b.SetTool(qc.Arrow)
			b.KeyDown(&fyne.KeyEvent{Name: fyne.KeySpace})
			b.sweep(from, to, desktop.MouseButtonPrimary, 0)
			b.KeyUp(&fyne.KeyEvent{Name: fyne.KeySpace})
		},
		"a finger on nothing": func(b *bench, from, to fyne.Position) {
			b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: to}, Dragged: fyne.NewDelta(to.X-from.X, to.Y-from.Y)})
			b.DragEnd()
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1.5, 6000, 4000)
			b.ZoomTo(100)
			from, to := fyne.NewPos(400, 300), fyne.NewPos(340, 260)
			grabbed := b.WidgetToImage(from)
			pan(b, from, to)
			if !near(grabbed, b.WidgetToImage(to), 1) {
				t.Errorf("%v was grabbed, %v is under the pointer", grabbed, b.WidgetToImage(to))
			}
			if len(b.drawn)+len(b.edited) != 0 {
				t.Error("panning changes no mark")
			}
		})
	}
}

func TestPhotoCanvas_Keys(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.withMarks()
	key := func(names ...fyne.KeyName) {
		for _, n := range names {
			b.TypedKey(&fyne.KeyEvent{Name: n})
		}
	}
	key(fyne.KeyLeft, fyne.KeyDelete, fyne.KeyF5)
	if len(b.edited) != 0 || len(b.keys) != 3 {
		t.Fatalf("without a selection keys are passed on: %v", b.keys)
	}
	key(fyne.KeyTab, fyne.KeyTab)
	b.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	key(fyne.KeyTab)
	if b.Selected() != "box" {
		t.Fatalf("selected %q", b.Selected())
	}
	key(fyne.KeyRight)
	b.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	key(fyne.KeyUp)
	step := 1 / b.port.view.Scale
	if len(b.edited) != 2 || math.Abs(b.edited[0].Points[0].X-600-10*step) > 1e-9 || math.Abs(b.edited[1].Points[0].Y-400+step) > 1e-9 {
		t.Fatalf("nudged %v by %g", b.edited, step)
	}
	key(fyne.KeyDelete)
	if got := b.edited[2]; got.ID != "box" || got.Points != nil {
		t.Fatalf("deleted %v", got)
	}
	b.SetTool(qc.Box)
	b.MouseDown(mouse(fyne.NewPos(100, 400), desktop.MouseButtonPrimary, 0))
	b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(200, 500)}})
	b.Select("inner")
	key(fyne.KeyEscape)
	if b.gesture != nil || b.Selected() != "inner" || b.Tool() != qc.Box {
		t.Fatal("Esc ends the gesture first")
	}
	key(fyne.KeyEscape)
	if b.Selected() != "" || b.Tool() != qc.Box {
		t.Fatal("then the selection")
	}
	key(fyne.KeyEscape)
	if b.Tool() != "" {
		t.Fatal("then the tool")
	}
	n := len(b.keys)
	key(fyne.KeyEscape)
	if len(b.keys) != n+1 {
		t.Error("then it is passed on")
	}
	for _, r := range "`+-`1x" {
		b.TypedRune(r)
	}
	if _, fit := b.Zoom(); !fit || string(b.runes) != "`+-`1x" {
		t.Errorf("runes passed on: %q", string(b.runes))
	}
	b.OnTypedKey = nil // nobody else would zoom
	for _, r := range "+1x" {
		b.TypedRune(r)
	}
	if _, fit := b.Zoom(); fit || string(b.runes) != "`+-`1x1x" {
		t.Errorf("runes passed on without an owner of keys: %q", string(b.runes))
	}
}

func TestPhotoCanvas_ShiftDrawsSquares(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.SetTool(qc.Box)
	b.sweep(fyne.NewPos(300, 200), fyne.NewPos(400, 240), desktop.MouseButtonPrimary, fyne.KeyModifierShift)
	p := b.drawn[0].Points
	if math.Abs((p[1].X-p[0].X)-(p[1].Y-p[0].Y)) > 1e-6 {
		t.Errorf("%v is no square", p)
	}
}

func TestPhotoCanvas_SamePhotoKeepsTheView(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.ZoomTo(150)
	b.SetPhoto("p", 2400, 1600)
	if percent, fit := b.Zoom(); percent != 150 || fit {
		t.Errorf("zoom is %g", percent)
	}
	b.SetPhoto("q", 2400, 1600, slope(600, 400))
	if _, fit := b.Zoom(); !fit {
		t.Error("another photo is fitted")
	}
	b.AddLevel("p", slope(2400, 1600))
	if len(b.levels) != 1 {
		t.Error("a late level of another photo is ignored")
	}
	b.window.Resize(fyne.NewSize(500, 600))
	if _, fit := b.Zoom(); !fit || b.ImageToWidget(qc.Point{X: 2400}).X > 500 {
		t.Error("a fitted photo stays fitted")
	}
	b.SetPhoto("", 0, 0)
	b.SetPlaceholder("nothing here")
	if len(b.photo.tiles) != 0 {
		t.Error("the old photo is still there")
	}
}

func TestSplit_StaysWithinWhatCardsTake(t *testing.T) {
	r := image.Rect(-300, 10, 4700, 2200)
	area := 0
	for _, part := range split(r) {
		if part.Dx() > largestTexture || part.Dy() > largestTexture || !part.In(r) {
			t.Errorf("tile %v", part)
		}
		area += part.Dx() * part.Dy()
	}
	if area != r.Dx()*r.Dy() {
		t.Error("the tiles do not fill the picture")
	}
}

func TestPhotoCanvas_WhatEscEndedStaysEnded(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.SetTool(qc.Box)
	drag := func(x, y float32) {
		b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, y)}, Dragged: fyne.NewDelta(5, 5)})
	}
	b.MouseDown(mouse(fyne.NewPos(200, 200), desktop.MouseButtonPrimary, 0))
	drag(300, 300)
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	drag(400, 400)
	b.MouseUp(mouse(fyne.NewPos(400, 400), desktop.MouseButtonPrimary, 0))
	b.DragEnd()
	if len(b.drawn) != 0 || b.draft.shape != nil {
		t.Fatalf("drawn %v", b.drawn)
	}
	// A finger has no button and draws none the less.
	drag(300, 300)
	drag(420, 380)
	b.DragEnd()
	if len(b.drawn) != 1 {
		t.Errorf("drawn %v", b.drawn)
	}
}

func TestPhotoCanvas_FollowsTheScreenItIsOn(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.ZoomTo(100)
	before := b.WidgetToImage(fyne.NewPos(400, 300))
	b.window.Canvas().(test.WindowlessCanvas).SetScale(2)
	b.window.Canvas().Capture()
	if b.device != 2 {
		t.Fatalf("device pixels per unit: %g", b.device)
	}
	if !near(before, b.WidgetToImage(fyne.NewPos(400, 300)), 1) {
		t.Errorf("the middle was %v, is %v", before, b.WidgetToImage(fyne.NewPos(400, 300)))
	}
}
