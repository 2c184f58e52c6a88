package widgets

import (
	"image"
	"image/color"
	"math"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

const primary = desktop.MouseButtonPrimary

func (b *bench) down(keys ...fyne.KeyName) {
	for _, k := range keys {
		b.KeyDown(&fyne.KeyEvent{Name: k})
	}
}

func (b *bench) up(keys ...fyne.KeyName) {
	for _, k := range keys {
		b.KeyUp(&fyne.KeyEvent{Name: k})
	}
}

func (b *bench) shortcut(key fyne.KeyName, mods fyne.KeyModifier) {
	b.TypedShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: mods})
}

// seen is what is on the screen at a place.
func (b *bench) seen(at fyne.Position) color.RGBA {
	x, y := int(float64(at.X)*b.device), int(float64(at.Y)*b.device)
	return color.RGBAModel.Convert(b.window.Canvas().Capture().At(x, y)).(color.RGBA)
}

// shown shows one mark, selected.
func (b *bench) shown(m qc.Mark) {
	m.ID = "m"
	b.SetMarks([]annotate.Shape{{Mark: m, Number: 1, Severity: qc.Major, Label: m.Label(qc.Scale{})}})
	b.Select("m")
}

// at is where a place of the photo is on the widget.
func (b *bench) at(x, y float64) fyne.Position { return b.ImageToWidget(qc.Point{X: x, Y: y}) }

func TestTools_BoxesAreDraggedOrClicked(t *testing.T) {
	from, to := fyne.NewPos(460, 390), fyne.NewPos(310, 220)
	for _, tool := range []qc.Tool{qc.Inset, qc.Spotlight, qc.Redaction, qc.Measure} {
		for name, draw := range map[string]func(b *bench){
			"drag": func(b *bench) { b.sweep(from, to, primary, 0) },
			"clicks": func(b *bench) {
				b.click(from, 0)
				b.MouseMoved(mouse(fyne.NewPos(400, 300), 0, 0))
				if b.draft.shape == nil || len(b.drawn) != 0 {
					t.Errorf("%s: the mark follows the pointer after the first click", tool)
				}
				b.click(to, 0)
			},
		} {
			b := newBench(t, 1, 2400, 1600)
			b.SetTool(tool)
			draw(b)
			a, z := b.WidgetToImage(from), b.WidgetToImage(to)
			if annotate.Cornered(tool) {
				a, z = z, a
			}
			if len(b.drawn) != 1 || b.drawn[0].Tool != tool || len(b.drawn[0].Points) != 2 || !near(b.drawn[0].Points[0], a, 1e-6) || !near(b.drawn[0].Points[1], z, 1e-6) {
				t.Errorf("%s by %s: drawn %v, want %v to %v", tool, name, b.drawn, a, z)
			}
			if b.gesture != nil || !b.draft.empty() || b.Tool() != tool {
				t.Errorf("%s by %s: gesture %v, draft %v, armed %q", tool, name, b.gesture, b.draft.shape, b.Tool())
			}
		}
		b := newBench(t, 1, 2400, 1600)
		b.SetTool(tool)
		b.sweep(from, from.AddXY(2, 2), primary, 0)
		b.click(from, 0)
		b.click(from.AddXY(1, 1), 0)
		if len(b.drawn) != 0 || b.gesture != nil {
			t.Errorf("%s: a slip drew %v", tool, b.drawn)
		}
	}
}

func TestTools_ZoomingBetweenTwoClicksKeepsTheFirst(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.SetTool(qc.Box)
	from := fyne.NewPos(300, 200)
	first := b.WidgetToImage(from)
	b.click(from, 0)
	to := fyne.NewPos(450, 340)
	b.MouseMoved(mouse(to, 0, 0))
	b.Scrolled(&fyne.ScrollEvent{PointEvent: fyne.PointEvent{Position: to}, Scrolled: fyne.NewDelta(0, float32(3*notch()))})
	b.click(to, 0)
	if len(b.drawn) != 1 || !near(b.drawn[0].Points[0], first, 1e-6) || !near(b.drawn[0].Points[1], b.WidgetToImage(to), 1e-6) {
		t.Errorf("drawn %v, want from %v", b.drawn, first)
	}
}

func TestTools_AltDrawsFromTheMiddle(t *testing.T) {
	middle, to := fyne.NewPos(400, 300), fyne.NewPos(460, 330)
	for _, tool := range []qc.Tool{qc.Box, qc.Ellipse, qc.Highlighter, qc.Inset, qc.Spotlight, qc.Redaction} {
		b := newBench(t, 1, 2400, 1600)
		b.SetTool(tool)
		b.sweep(middle, to, primary, fyne.KeyModifierAlt)
		b.sweep(middle, to, primary, fyne.KeyModifierAlt|fyne.KeyModifierShift)
		b.sweep(b.at(2300, 800), b.at(1000, 900), primary, fyne.KeyModifierAlt) // ends at the photo's edge
		if len(b.drawn) != 3 {
			t.Fatalf("%s: drawn %v", tool, b.drawn)
		}
		m, e := b.WidgetToImage(middle), b.WidgetToImage(to)
		for i, want := range [][2]qc.Point{
			{{X: 2*m.X - e.X, Y: 2*m.Y - e.Y}, e},
			{{X: 2*m.X - e.X, Y: m.Y - (e.X - m.X)}, {X: e.X, Y: m.Y + (e.X - m.X)}},
			{{X: 2200, Y: 700}, {X: 2400, Y: 900}},
		} {
			if p := b.drawn[i].Points; !near(p[0], want[0], 0.1) || !near(p[1], want[1], 0.1) {
				t.Errorf("%s %d: %v, want %v", tool, i, p, want)
			}
		}
	}
	// Alt counts when it is pressed later, too, and when it is released.
	b := newBench(t, 1, 2400, 1600)
	b.SetTool(qc.Box)
	b.MouseDown(mouse(middle, primary, 0))
	b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: to}})
	b.down(desktop.KeyAltLeft)
	if p := b.draft.shape.Mark.Points; near(p[0], b.WidgetToImage(middle), 1) {
		t.Error("the draft follows the key at once")
	}
	b.up(desktop.KeyAltLeft)
	if p := b.draft.shape.Mark.Points; !near(p[0], b.WidgetToImage(middle), 1) {
		t.Error("the draft follows the key's release at once")
	}
}

func TestText_ClickPlacesAndDragLeads(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.SetTool(qc.Text)
	flaw, words := fyne.NewPos(500, 400), fyne.NewPos(300, 200)
	b.click(flaw, 0)
	b.sweep(flaw, words, primary, 0)
	if len(b.drawn) != 2 || len(b.drawn[0].Points) != 1 || !near(b.drawn[0].Points[0], b.WidgetToImage(flaw), 1e-6) {
		t.Fatalf("drawn %v", b.drawn)
	}
	if p := b.drawn[1].Points; len(p) != 2 || !near(p[0], b.WidgetToImage(words), 1e-6) || !near(p[1], b.WidgetToImage(flaw), 1e-6) {
		t.Errorf("the words are at %v, want where the drag ended, and lead to where it began", p)
	}
}

func TestText_WordsAreAskedFor(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	var asked []qc.MarkID
	b.OnWords = func(id qc.MarkID) { asked = append(asked, id) }
	b.shown(qc.Mark{Tool: qc.Text, Text: "hole near the seam", Points: []qc.Point{{X: 900, Y: 700}}})
	b.typed(fyne.KeyReturn)
	if len(asked) != 1 {
		t.Fatal("Enter asks for the selected text's words")
	}
	b.Select()
	on := b.at(900, 700).AddXY(60, 20) // on the plate, off its corner
	b.click(on, 0)
	if b.Selected() != "m" {
		t.Fatal("words are taken where they are shown")
	}
	b.click(on, 0)
	b.DoubleTapped(&fyne.PointEvent{Position: on})
	if len(asked) != 2 || asked[1] != "m" {
		t.Errorf("a double click asks for the words: %v", asked)
	}
	b.click(fyne.NewPos(100, 500), 0)
	b.click(on, 0)
	b.DoubleTapped(&fyne.PointEvent{Position: on}) // quick, but on two places
	if len(asked) != 2 {
		t.Error("two clicks on two places are no double click")
	}
	// The words are moved by where they are shown, also with a tool armed.
	b.SetTool(qc.Box)
	b.sweep(on, on.AddXY(40, 30), primary, 0)
	k := 1 / b.port.view.Scale
	if len(b.drawn) != 0 || len(b.edited) != 1 || !near(b.edited[0].Points[0], qc.Point{X: 900 + 40*k, Y: 700 + 30*k}, 1e-3) {
		t.Errorf("drawn %v, edited %v", b.drawn, b.edited)
	}
}

func TestText_IsSeenWhereItGoes(t *testing.T) {
	b := newBench(t, 1, 1000, 800)
	b.SetPhoto("black", 1000, 800, flat(1000, 800, color.RGBA{0, 0, 0, 255}))
	b.shown(qc.Mark{Tool: qc.Text, Text: "here", Points: []qc.Point{{X: 300, Y: 300}}})
	on := b.at(300, 300).AddXY(8, 8) // the plate's ground beside the letters
	if b.seen(on).R < 200 {
		t.Fatal("there are no words")
	}
	b.MouseDown(mouse(on, primary, 0))
	for i := range 3 {
		b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: on.AddXY(0, float32(100+50*i))}})
	}
	if b.seen(on).R > 50 || b.seen(on.AddXY(0, 200)).R < 200 {
		t.Errorf("where it was: %v, where it is: %v", b.seen(on), b.seen(on.AddXY(0, 200)))
	}
}

func TestInset_IsPlacedByHand(t *testing.T) {
	for _, armed := range []qc.Tool{"", qc.Box} {
		b := newBench(t, 1, 2400, 1600)
		b.shown(qc.Mark{Tool: qc.Inset, Points: []qc.Point{{X: 300, Y: 300}, {X: 500, Y: 440}}})
		b.SetTool(armed)
		f := annotate.Insets(b.shapes, 2400, 1600)[0]
		from := b.at(float64(f.To.Min.X+f.To.Max.X)/2, float64(f.To.Min.Y+f.To.Max.Y)/2)
		if armed != "" {
			from = b.at(float64(f.To.Min.X), float64(f.To.Min.Y)+40) // its edge
		}
		b.sweep(from, from.AddXY(100, -50), primary, 0)
		k := 1 / b.port.view.Scale
		if len(b.edited) != 1 || len(b.edited[0].Points) != 3 ||
			!near(b.edited[0].Points[2], qc.Point{X: float64(f.To.Min.X) + 100*k, Y: float64(f.To.Min.Y) - 50*k}, 0.01) {
			t.Fatalf("armed %q: edited %v from %v", armed, b.edited, f.To)
		}
		// It never leaves the photo.
		b.edited = nil
		b.sweep(from, from.AddXY(900, 900), primary, 0)
		if len(b.edited) == 1 {
			if p := b.edited[0].Points[2]; p.X > 2400-float64(f.To.Dx())+1e-6 || p.Y > 1600-float64(f.To.Dy())+1e-6 {
				t.Errorf("put at %v", p)
			}
		}
	}
}

func TestInset_ZoomsByKeysAndWheel(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	var zooms []float64
	b.OnInsetZoom = func(id qc.MarkID, zoom float64) {
		zooms = append(zooms, zoom)
		m := b.shapes[0].Mark
		m.Zoom = zoom
		b.shown(m)
	}
	b.shown(qc.Mark{Tool: qc.Inset, Points: []qc.Point{{X: 300, Y: 300}, {X: 500, Y: 440}}})
	for range 6 {
		b.TypedRune('[')
	}
	b.TypedRune(']')
	b.down(desktop.KeyAltLeft)
	b.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 25)})
	b.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -25)})
	b.up(desktop.KeyAltLeft)
	if !slices.Equal(zooms, []float64{2.5, 2, 1.5, 2, 2.5, 2}) {
		t.Errorf("zooms %v", zooms)
	}
	b.Select()
	b.TypedRune('[')
	if string(b.runes) != "[" || len(zooms) != 6 {
		t.Errorf("without an inset it is passed on: %q", string(b.runes))
	}
}

func TestInset_PixelsComeOffTheUIGoroutine(t *testing.T) {
	b := newBench(t, 1, 1000, 800)
	work, ui := &deferred{}, &deferred{}
	b.Background, b.Dispatch = work.add, ui.add
	asked := 0
	b.InsetSource = func(_ image.Rectangle, w, h int) *image.RGBA {
		asked++
		return flat(max(w, 1), max(h, 1), color.RGBA{0, 0, 250, 255})
	}
	b.shown(qc.Mark{Tool: qc.Inset, Points: []qc.Point{{X: 100, Y: 100}, {X: 200, Y: 180}}})
	if asked != 0 || len(work.list) == 0 {
		t.Fatalf("asked %d times on the UI goroutine, %d under way", asked, len(work.list))
	}
	for len(work.list)+len(ui.list) > 0 {
		work.drain()
		ui.drain()
	}
	f := annotate.Insets(b.shapes, 1000, 800)[0]
	at := b.port.view.ToScreen(qc.Point{X: float64(f.To.Min.X+f.To.Max.X) / 2, Y: float64(f.To.Min.Y+f.To.Max.Y) / 2})
	if got := b.seen(fyne.NewPos(float32(at.X), float32(at.Y))); asked == 0 || got.B < 200 {
		t.Errorf("the inset shows %v", got)
	}
	before := asked
	b.InsetsChanged()
	for len(work.list)+len(ui.list) > 0 {
		work.drain()
		ui.drain()
	}
	if asked == before {
		t.Error("other pixels are asked for again")
	}
}

func TestRedaction_IsOpaqueOnTheScreen(t *testing.T) {
	b := newBench(t, 1, 1000, 800)
	b.SetPhoto("green", 1000, 800, flat(1000, 800, color.RGBA{0, 250, 0, 255}))
	b.SetTool(qc.Redaction)
	from, to := fyne.NewPos(300, 200), fyne.NewPos(500, 400)
	b.MouseDown(mouse(from, primary, 0))
	b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: to}})
	if got := b.seen(fyne.NewPos(400, 300)); got.G > 150 {
		t.Errorf("while it is drawn what is redacted is seen: %v", got)
	}
	b.MouseUp(mouse(to, primary, 0))
	b.DragEnd()
	b.shown(b.drawn[0])
	if got := b.seen(fyne.NewPos(400, 300)); got.G > 150 {
		t.Errorf("what is redacted is seen: %v", got)
	}
	b.HideMarks(true)
	if got := b.seen(fyne.NewPos(400, 300)); got.G < 200 {
		t.Errorf("hidden marks are seen: %v", got)
	}
}

func TestSpotlight_DimsTheRestWhileItIsDrawn(t *testing.T) {
	b := newBench(t, 1, 1000, 800)
	b.SetPhoto("white", 1000, 800, flat(1000, 800, color.RGBA{250, 250, 250, 255}))
	b.SetTool(qc.Spotlight)
	b.MouseDown(mouse(fyne.NewPos(300, 200), primary, 0))
	b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(500, 400)}})
	if in, out := b.seen(fyne.NewPos(400, 300)), b.seen(fyne.NewPos(250, 300)); in.R < 240 || out.R > 150 {
		t.Errorf("within %v, without %v", in, out)
	}
	b.typed(fyne.KeyEscape)
	if out := b.seen(fyne.NewPos(250, 300)); out.R < 240 {
		t.Errorf("after Esc %v", out)
	}
}

func TestMeasure_ShowsItsLengthAndGoesOn(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.SetScale(qc.Scale{MMPerPixel: 0.1, Error: 0.01, Source: qc.ScaleMat})
	b.SetTool(qc.Measure)
	from, to := b.at(600, 600), b.at(1000, 600)
	b.MouseDown(mouse(from, primary, 0))
	b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: to}})
	if got := b.draft.label.Text; got != "40.0 ± 0.5 mm" || !b.draft.label.Visible() {
		t.Errorf("the draft says %q", got)
	}
	b.MouseUp(mouse(to, primary, 0))
	b.DragEnd()
	if b.draft.label.Visible() {
		t.Error("the draft's label outlives it")
	}
	b.shown(b.drawn[0])
	b.click(b.at(1000, 900), fyne.KeyModifierShift)
	if len(b.drawn) != 1 || len(b.edited) != 1 || len(b.edited[0].Points) != 3 || !near(b.edited[0].Points[2], qc.Point{X: 1000, Y: 900}, 2) {
		t.Fatalf("drawn %v, edited %v", b.drawn, b.edited)
	}
	b.shown(qc.Mark{Tool: qc.Measure, Points: b.edited[0].Points})
	// By a drag the new place follows the hand.
	b.sweep(b.at(700, 900), b.at(640, 1000), primary, fyne.KeyModifierShift)
	if p := b.edited[1].Points; len(p) != 4 || !near(p[3], qc.Point{X: 640, Y: 1000}, 2) {
		t.Errorf("edited %v", p)
	}
}

func TestCorners_AreAddedAndTakenAway(t *testing.T) {
	square := []qc.Point{{X: 600, Y: 400}, {X: 1200, Y: 400}, {X: 1200, Y: 1000}, {X: 600, Y: 1000}}
	for _, armed := range []qc.Tool{"", qc.Polygon} {
		for _, tool := range []qc.Tool{qc.Polygon, qc.Measure} {
			b := newBench(t, 1, 2400, 1600)
			b.SetTool(armed)
			b.shown(qc.Mark{Tool: tool, Points: square})
			b.click(b.at(900, 402), fyne.KeyModifierShift)
			if len(b.edited) != 1 || len(b.edited[0].Points) != 5 || !near(b.edited[0].Points[1], qc.Point{X: 900, Y: 402}, 2) {
				t.Fatalf("%s armed %q: edited %v", tool, armed, b.edited)
			}
			if len(b.drawn) != 0 || b.Selected() != "m" {
				t.Errorf("%s: drawn %v, selected %q", tool, b.drawn, b.Selected())
			}
			b.shown(qc.Mark{Tool: tool, Points: square})
			b.sweep(b.at(1200, 700), b.at(1500, 750), primary, fyne.KeyModifierShift)
			if p := b.edited[1].Points; len(p) != 5 || !near(p[2], qc.Point{X: 1500, Y: 750}, 3) {
				t.Errorf("%s: the new corner follows the hand: %v", tool, p)
			}
			b.shown(qc.Mark{Tool: tool, Points: square})
			b.click(b.at(1200, 1000), fyne.KeyModifierAlt)
			if p := b.edited[2].Points; len(p) != 3 || slices.Contains(p, square[2]) {
				t.Errorf("%s: Alt takes a corner away: %v", tool, p)
			}
			// Delete means the corner that was taken last, then the mark.
			b.shown(qc.Mark{Tool: tool, Points: square})
			b.click(b.at(600, 1000), 0)
			b.typed(fyne.KeyDelete, fyne.KeyDelete)
			if n := len(b.edited); n != 5 || len(b.edited[3].Points) != 3 || slices.Contains(b.edited[3].Points, square[3]) || b.edited[4].Points != nil {
				t.Errorf("%s: deleted %v", tool, b.edited[3:])
			}
		}
	}
	b := newBench(t, 1, 2400, 1600)
	b.shown(qc.Mark{Tool: qc.Polygon, Points: square})
	b.click(b.at(600, 1000), 0)
	b.typed(fyne.KeyEscape)
	if b.corner != annotate.Body || b.Selected() != "m" {
		t.Error("Esc lets go of the corner first")
	}
}

func TestGloves_TakeHandlesFromFartherOff(t *testing.T) {
	for _, gloves := range []bool{false, true} {
		b := newBench(t, 1, 2400, 1600)
		b.shown(qc.Mark{Tool: qc.Box, Points: []qc.Point{{X: 800, Y: 600}, {X: 1400, Y: 1100}}})
		b.SetGloves(gloves)
		off := b.at(1400, 1100).AddXY(15, 15)
		b.sweep(off, off.AddXY(30, 30), primary, 0)
		if taken := len(b.edited) == 1; taken != gloves || b.Gloves() != gloves {
			t.Errorf("gloves %t: taken %t", gloves, taken)
		}
	}
}

func TestNudge_StepsOfScreenAndPhoto(t *testing.T) {
	for _, zoom := range []float64{50, 400} {
		for turn := range 4 {
			b := newBench(t, 1, 2400, 1600)
			b.withMarks()
			b.SetTurn(turn)
			b.ZoomTo(zoom)
			b.Select("box", "arrow")
			var nudged []map[qc.MarkID][]qc.Point
			b.OnNudged = func(edits map[qc.MarkID][]qc.Point) { nudged = append(nudged, edits) }
			b.typed(fyne.KeyRight)
			b.down(desktop.KeyShiftLeft)
			b.typed(fyne.KeyUp)
			b.up(desktop.KeyShiftLeft)
			b.shortcut(fyne.KeyLeft, fyne.KeyModifierAlt)
			if len(nudged) != 3 || len(nudged[0]) != 2 {
				t.Fatalf("nudged %v", nudged)
			}
			k := float32(b.port.view.Scale)
			for i, want := range []fyne.Position{fyne.NewPos(1, 0), fyne.NewPos(0, -10), fyne.NewPos(-k, 0)} {
				for _, id := range []qc.MarkID{"box", "arrow"} {
					before := b.ImageToWidget(b.shapes[b.find(id)].Mark.Points[0])
					after := b.ImageToWidget(nudged[i][id][0])
					if math.Abs(float64(after.X-before.X-want.X)) > 0.01 || math.Abs(float64(after.Y-before.Y-want.Y)) > 0.01 {
						t.Errorf("zoom %g turn %d step %d: %s moved by %v, want %v", zoom, turn, i, id, after.Subtract(before), want)
					}
				}
			}
			// Ctrl stretches, on the screen to the right and down.
			b.Select("box")
			b.shortcut(fyne.KeyRight, fyne.KeyModifierControl)
			b.shortcut(fyne.KeyUp, fyne.KeyModifierControl|fyne.KeyModifierShift)
			size := func(p []qc.Point) (w, h float32) {
				one, two := b.ImageToWidget(p[0]), b.ImageToWidget(p[1])
				return float32(math.Abs(float64(one.X - two.X))), float32(math.Abs(float64(one.Y - two.Y)))
			}
			w, h := size(b.shapes[0].Mark.Points)
			w1, h1 := size(nudged[3]["box"])
			w2, h2 := size(nudged[4]["box"])
			if math.Abs(float64(w1-w-1)) > 0.01 || h1 != h || w2 != w || math.Abs(float64(h2-h+10)) > 0.01 {
				t.Errorf("zoom %g turn %d: %g×%g became %g×%g and %g×%g", zoom, turn, w, h, w1, h1, w2, h2)
			}
		}
	}
}
