package widgets

import (
	"image"
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// deferred keeps functions until a test lets them run, in any order.
type deferred struct{ list []func() }

func (d *deferred) add(f func()) { d.list = append(d.list, f) }

func (d *deferred) run(i int) {
	f := d.list[i]
	d.list = append(d.list[:i:i], d.list[i+1:]...)
	f()
}

func (d *deferred) drain() {
	for len(d.list) > 0 {
		d.run(0)
	}
}

// underSeen reports whether only the small picture of the whole photo is there.
func (b *bench) underSeen() bool {
	return len(b.under.images) > 0 && b.under.images[0].Visible() && len(b.under.tiles) > 0
}

func flat(w, h int, c color.RGBA) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	copy(img.Pix, []byte{c.R, c.G, c.B, c.A})
	for done := 4; done < len(img.Pix); done *= 2 {
		copy(img.Pix[done:], img.Pix[:done])
	}
	return img
}

func TestPhotoCanvas_ALateAnswerNeverReplacesANewerOne(t *testing.T) {
	b := newBench(t, 2, 4000, 3000)
	work, ui := &deferred{}, &deferred{}
	b.Background, b.Dispatch = work.add, ui.add
	red, blue := color.RGBA{200, 0, 0, 255}, color.RGBA{0, 0, 200, 255}
	b.SetPhoto("red", 4000, 3000, flat(4000, 3000, red))
	if len(work.list) != 1 || !b.underSeen() {
		t.Fatalf("%d pictures under way; something rough is seen at once", len(work.list))
	}
	work.drain() // red's picture is made and on its way
	b.SetPhoto("blue", 4000, 3000, flat(4000, 3000, blue))
	ui.drain()
	if b.under.key != "blue" || len(b.photo.tiles) != 0 {
		t.Fatalf("a picture of %q is shown over one of %q", b.photo.key, b.under.key)
	}
	for len(work.list)+len(ui.list) > 0 {
		work.drain()
		ui.drain()
	}
	if b.photo.key != "blue" || b.underSeen() {
		t.Fatalf("shown is %q, rough %t", b.photo.key, b.underSeen())
	}
	if got := b.photo.tiles[0].img.RGBAAt(5, 5); got != blue {
		t.Errorf("pixels are %v", got)
	}
	// While the canvas zooms on, the last picture stands in, moved and scaled.
	b.ZoomTo(60)
	b.ZoomTo(90)
	if b.photo.view.Scale == b.port.view.Scale || len(work.list) != 1 {
		t.Fatalf("%d pictures under way", len(work.list))
	}
	for len(work.list)+len(ui.list) > 0 {
		work.drain()
		ui.drain()
	}
	if !b.photo.covers("blue", b.port.view, b.port.seen(0)) {
		t.Error("in the end the picture is the view's")
	}
}

func TestPhotoCanvas_StopsItsWorkWhenItGoesAway(t *testing.T) {
	b := newBench(t, 2, 4000, 3000)
	work, ui := &deferred{}, &deferred{}
	b.Background, b.Dispatch = work.add, ui.add
	b.SetPhoto("q", 4000, 3000, flat(4000, 3000, color.RGBA{9, 9, 9, 255}))
	test.WidgetRenderer(b.PhotoCanvas).Destroy()
	if !b.photoLane.stop.Load() {
		t.Error("the work was not told to stop")
	}
	work.drain()
	ui.drain()
	if !b.underSeen() || len(b.photo.tiles) != 0 || len(work.list) != 0 {
		t.Error("an answer after the end is dropped, and nothing is asked for anew")
	}
}

// TestPhotoCanvas_AnyActionsKeepMarksOnThePhoto plays a clumsy hand.
func TestPhotoCanvas_AnyActionsKeepMarksOnThePhoto(t *testing.T) {
	const w, h = 600, 450
	b := newBench(t, 1.5, w, h)
	b.window.Resize(fyne.NewSize(200, 150))
	rapid.Check(t, func(rt *rapid.T) {
		var shapes []annotate.Shape
		take := func(points []qc.Point) {
			for _, p := range points {
				if !(p.X >= 0 && p.Y >= 0 && p.X <= w && p.Y <= h) {
					rt.Fatalf("%v is off the photo", p)
				}
			}
		}
		b.OnDrawn = func(tool qc.Tool, points []qc.Point) {
			take(points)
			id := qc.MarkID(rune('a' + len(shapes)%26))
			for _, s := range shapes {
				if s.Mark.ID == id {
					return
				}
			}
			shapes = append(shapes, annotate.Shape{Mark: qc.Mark{ID: id, Tool: tool, Points: points}, Number: 1, Severity: qc.Minor})
			b.SetMarks(shapes)
			b.Select(id)
		}
		b.OnEditedAll = func(edits map[qc.MarkID][]qc.Point) {
			var left []annotate.Shape
			for _, s := range shapes {
				points, named := edits[s.Mark.ID]
				take(points)
				if named && points == nil {
					continue
				}
				if named {
					s.Mark.Points = points
				}
				left = append(left, s)
			}
			shapes = left
			b.SetMarks(shapes)
		}
		b.OnNudged = b.OnEditedAll
		b.cancelGesture()
		b.SetMarks(nil)
		b.SetTool("")
		b.Fit()
		pos := func(name string) fyne.Position {
			return fyne.NewPos(
				float32(rapid.Float64Range(-25, 225).Draw(rt, name+".x")),
				float32(rapid.Float64Range(-25, 175).Draw(rt, name+".y")))
		}
		buttons := []desktop.MouseButton{desktop.MouseButtonPrimary, desktop.MouseButtonPrimary, desktop.MouseButtonTertiary, desktop.MouseButtonSecondary}
		mods := []fyne.KeyModifier{0, 0, fyne.KeyModifierShift, fyne.KeyModifierControl}
		keys := []fyne.KeyName{fyne.KeyLeft, fyne.KeyDown, fyne.KeyDelete, fyne.KeyBackspace, fyne.KeyReturn, fyne.KeyTab, fyne.KeyEscape}
		armed := []qc.Tool{"", qc.Polygon}
		for _, form := range qc.Forms() {
			armed = append(armed, form.Tool)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"press": func(rt *rapid.T) {
				b.MouseDown(mouse(pos("at"), rapid.SampledFrom(buttons).Draw(rt, "button"), rapid.SampledFrom(mods).Draw(rt, "mod")))
			},
			"release": func(rt *rapid.T) { b.MouseUp(mouse(pos("at"), rapid.SampledFrom(buttons).Draw(rt, "button"), 0)) },
			"drag": func(rt *rapid.T) {
				b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: pos("at")}, Dragged: fyne.NewDelta(5, 5)})
			},
			"drag ends": func(*rapid.T) { b.DragEnd() },
			"move":      func(*rapid.T) { b.MouseMoved(mouse(pos("at"), 0, 0)) },
			"sweep": func(rt *rapid.T) {
				b.sweep(pos("from"), pos("to"), rapid.SampledFrom(buttons).Draw(rt, "button"), rapid.SampledFrom(mods).Draw(rt, "mod"))
			},
			"wheel": func(rt *rapid.T) {
				b.Scrolled(&fyne.ScrollEvent{PointEvent: fyne.PointEvent{Position: pos("at")}, Scrolled: fyne.NewDelta(0, float32(rapid.Float64Range(-60, 60).Draw(rt, "by")))})
			},
			"key":  func(rt *rapid.T) { b.TypedKey(&fyne.KeyEvent{Name: rapid.SampledFrom(keys).Draw(rt, "key")}) },
			"rune": func(rt *rapid.T) { b.TypedRune(rapid.SampledFrom([]rune("+-`")).Draw(rt, "rune")) },
			"tool": func(rt *rapid.T) { b.SetTool(rapid.SampledFrom(armed).Draw(rt, "tool")) },
			"": func(rt *rapid.T) {
				view := b.port.view
				if b.gesture == nil && b.draft.shape != nil {
					rt.Fatal("a draft outlived its gesture")
				}
				if view.Scale < b.port.minScale()-1e-9 || view.Scale > maxZoom || view.OffsetX != math.Trunc(view.OffsetX) {
					rt.Fatalf("view %+v", view)
				}
				if !b.photo.covers("p", view, b.port.seen(0)) {
					rt.Fatal("a part of the photo is not shown")
				}
			},
		})
	})
}

// TestPhotoCanvas_ScreenAndFileAgree compares a screenshot with the file in
// which the same mark is burned.
func TestPhotoCanvas_ScreenAndFileAgree(t *testing.T) {
	for _, scale := range []float32{1, 1.5, 2} {
		for _, zoom := range []float64{100, 200} {
			b := newBench(t, scale, 1000, 800)
			b.SetPhoto("grey", 1000, 800, flat(1000, 800, color.RGBA{128, 128, 128, 255}))
			shapes := []annotate.Shape{{Mark: qc.Mark{ID: "m", Tool: qc.Box, Points: []qc.Point{{X: 440, Y: 350}, {X: 560, Y: 450}}}, Severity: qc.Critical}}
			b.SetMarks(shapes)
			b.ZoomTo(zoom)
			file := annotate.BurnIn(flat(1000, 800, color.RGBA{128, 128, 128, 255}), shapes)
			screen := b.window.Canvas().Capture()
			for _, p := range []qc.Point{{X: 440, Y: 400}, {X: 560, Y: 400}, {X: 500, Y: 350}, {X: 500, Y: 450}} {
				at := b.port.view.ToScreen(p)
				r, g, _, _ := screen.At(int(at.X), int(at.Y)).RGBA()
				onFile := file.RGBAAt(int(p.X), int(p.Y))
				if onFile.R < 180 || onFile.G > 90 || r>>8 < 180 || g>>8 > 90 {
					t.Errorf("scale %g zoom %g: at %v the file is %v, the screen %d %d", scale, zoom, p, onFile, r>>8, g>>8)
				}
			}
		}
	}
}
