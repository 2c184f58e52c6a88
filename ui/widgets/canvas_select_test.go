package widgets

import (
	"fmt"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

func (b *bench) selectedAre(t *testing.T, when string, want ...qc.MarkID) {
	t.Helper()
	if got := b.SelectedAll(); !slices.Equal(got, want) {
		t.Errorf("%s: selected %q, want %q", when, got, want)
	}
}

func TestSelect_ByShiftAndByFrame(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.withMarks()
	box, inner := b.at(600, 550), b.at(700, 550)
	b.click(box, 0)
	b.click(inner, fyne.KeyModifierShift)
	b.selectedAre(t, "Shift adds", "box", "inner")
	b.click(box, fyne.KeyModifierShift)
	b.selectedAre(t, "Shift takes away", "inner")
	b.sweep(b.at(550, 350), b.at(1050, 750), primary, 0)
	b.selectedAre(t, "caught in a frame", "box", "inner")
	b.sweep(b.at(1450, 950), b.at(1850, 1250), primary, fyne.KeyModifierShift)
	b.selectedAre(t, "and more", "box", "inner", "arrow")
	if len(b.drawn)+len(b.edited) != 0 {
		t.Errorf("drawn %v, edited %v", b.drawn, b.edited)
	}
	if !b.draft.frames.dark[0].Visible() || b.draft.frames.used != 4 {
		t.Error("there is a frame around each and around all")
	}
	b.click(box, 0)
	b.selectedAre(t, "a click leaves one", "box")
	if b.draft.frames.used != 0 || b.draft.frames.dark[0].Visible() {
		t.Error("one has handles, not frames")
	}
	b.sweep(b.at(1450, 950), b.at(1700, 1250), primary, 0)
	b.selectedAre(t, "half a mark is not caught")
	b.TypedShortcut(&fyne.ShortcutSelectAll{})
	b.selectedAre(t, "Ctrl+A", "box", "inner", "arrow")
	b.MouseDown(mouse(b.at(200, 200), primary, 0))
	b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: b.at(1700, 1400)}})
	b.typed(fyne.KeyEscape)
	b.MouseUp(mouse(b.at(1700, 1400), primary, 0))
	b.selectedAre(t, "Esc ends catching", "box", "inner", "arrow")
	b.typed(fyne.KeyEscape)
	b.selectedAre(t, "then the selection")
}

func TestSelect_TabGoesOnFromTheLast(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.withMarks()
	b.Select("arrow", "box")
	b.typed(fyne.KeyTab)
	b.selectedAre(t, "Tab", "inner")
	b.down(desktop.KeyShiftLeft)
	b.typed(fyne.KeyTab, fyne.KeyTab)
	b.up(desktop.KeyShiftLeft)
	b.selectedAre(t, "Shift+Tab twice", "arrow")
}

func TestSelect_SeveralMoveTogether(t *testing.T) {
	for _, armed := range []qc.Tool{"", qc.Ellipse} {
		b := newBench(t, 1, 2400, 1600)
		b.withMarks()
		b.SetTool(armed)
		b.Select("box", "arrow")
		var heard []map[qc.MarkID][]qc.Point
		b.OnEditedAll = func(edits map[qc.MarkID][]qc.Point) { heard = append(heard, edits) }
		at := b.at(600, 550)
		b.MouseDown(mouse(at, primary, 0))
		for i := range 3 {
			b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: at.AddXY(float32(10+10*i), 5)}})
		}
		if len(b.draft.group) != 2 || !b.draft.stamp.img.Visible() {
			t.Fatal("both are seen on their way")
		}
		b.MouseUp(mouse(at.AddXY(30, 5), primary, 0))
		b.DragEnd()
		k := 1 / b.port.view.Scale
		if len(heard) != 1 || len(heard[0]) != 2 ||
			!near(heard[0]["box"][0], qc.Point{X: 600 + 30*k, Y: 400 + 5*k}, 0.01) || !near(heard[0]["arrow"][1], qc.Point{X: 1800 + 30*k, Y: 1000 + 5*k}, 0.01) {
			t.Fatalf("armed %q: heard %v", armed, heard)
		}
		if !b.draft.empty() || b.draft.stamp.img.Visible() {
			t.Error("the draft outlives the gesture")
		}
		// Together they go no farther than the first of them can.
		b.sweep(at, at.AddXY(700, 0), primary, 0)
		if p := heard[1]; p["arrow"][1].X != 2400 || p["box"][0].X != 1200 {
			t.Errorf("pushed to the edge: %v", p)
		}
		b.selectedAre(t, "afterwards", "box", "arrow")
	}
}

func TestSelect_CommandsNameAllSelected(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.withMarks()
	var heard []string
	b.OnDuplicate = func(ids []qc.MarkID) { heard = append(heard, fmt.Sprint("duplicate ", ids)) }
	b.OnCopyOn = func(ids []qc.MarkID) { heard = append(heard, fmt.Sprint("copy ", ids)) }
	b.OnReorder = func(to Order, ids []qc.MarkID) { heard = append(heard, fmt.Sprint(to, " ", ids)) }
	b.OnShortcut = func(s fyne.Shortcut) { heard = append(heard, s.ShortcutName()) }
	b.shortcut(fyne.KeyD, fyne.KeyModifierControl) // nothing is selected
	b.typed(fyne.KeyPageUp)
	if len(b.keys) != 1 || len(heard) != 1 {
		t.Fatalf("without a selection: %v, %v", b.keys, heard)
	}
	heard = nil
	b.Select("box", "inner")
	b.shortcut(fyne.KeyD, fyne.KeyModifierControl)
	b.shortcut(fyne.KeyD, fyne.KeyModifierControl|fyne.KeyModifierShift)
	b.typed(fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome, fyne.KeyEnd)
	b.shortcut(fyne.KeyK, fyne.KeyModifierControl)
	want := []string{"duplicate [box inner]", "copy [box inner]", "0 [box inner]", "1 [box inner]", "2 [box inner]", "3 [box inner]", "CustomDesktop:Control+K"}
	if !slices.Equal(heard, want) {
		t.Errorf("heard %q", heard)
	}
	b.typed(fyne.KeyDelete)
	if len(b.edited) != 2 || b.edited[0].Points != nil || b.edited[1].Points != nil {
		t.Errorf("deleted %v", b.edited)
	}
}

func TestSelect_WindowsShortcutsStillWork(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	heard := 0
	b.window.Canvas().AddShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierAlt}, func(fyne.Shortcut) { heard++ })
	b.shortcut(fyne.KeyK, fyne.KeyModifierAlt)
	if heard != 1 {
		t.Error("what the canvas does not use is the window's")
	}
}

func TestSelect_ClicksGoThroughTheStack(t *testing.T) {
	points := []qc.Point{{X: 600, Y: 400}, {X: 1000, Y: 700}}
	stack := func(b *bench) {
		var shapes []annotate.Shape
		for _, id := range []qc.MarkID{"low", "middle", "top"} {
			shapes = append(shapes, annotate.Shape{Mark: qc.Mark{ID: id, Tool: qc.Box, Points: points}, Severity: qc.Minor})
		}
		b.SetMarks(shapes)
	}
	for _, armed := range []qc.Tool{"", qc.Arrow} {
		b := newBench(t, 1, 2400, 1600)
		stack(b)
		b.SetTool(armed)
		mods := fyne.KeyModifier(0)
		if armed != "" {
			mods = fyne.KeyModifierControl
		}
		at := b.at(600, 500)
		for _, want := range []qc.MarkID{"top", "middle", "low", "top"} {
			b.click(at, mods)
			b.selectedAre(t, "a click more", want)
		}
		b.click(at, mods)
		b.selectedAre(t, "a click more", "middle")
		// What was reached like this is what a drag takes.
		b.sweep(at, at.AddXY(20, 0), primary, mods)
		if len(b.edited) != 1 || b.edited[0].ID != "middle" {
			t.Errorf("dragged %v", b.edited)
		}
		b.click(b.at(1000, 600), mods)
		b.selectedAre(t, "elsewhere the count begins anew", "middle")
	}
}

func TestSelect_GoneMarksAreUnselected(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.withMarks()
	b.Select("box", "arrow", "nobody", "box")
	b.selectedAre(t, "each once", "box", "arrow")
	b.SetMarks(b.shapes[:2])
	b.selectedAre(t, "what is left", "box")
	if len(b.selected) != 0 {
		t.Error("what a screen has done it is not told")
	}
}

func TestCursor_SaysWhatAPressWouldDo(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.withMarks()
	over := func(x, y float64) desktop.Cursor {
		b.MouseMoved(mouse(b.at(x, y), 0, 0))
		return b.Cursor()
	}
	drawn := func(drawing string, mirrored bool) desktop.Cursor { return b.cursors.draw(drawing, mirrored, b.device) }
	check := func(name string, got, want desktop.Cursor) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	check("nothing", over(200, 200), desktop.DefaultCursor)
	check("a mark", over(600, 550), desktop.PointerCursor)
	b.Select("box")
	check("the selected mark", over(600, 480), drawn(cursorMove, false))
	check("its inside", over(900, 650), drawn(cursorMove, false))
	check("its corner", over(1000, 700), drawn(cursorFalling, false))
	check("its other corner", over(1000, 400), drawn(cursorFalling, true))
	check("its side", over(1000, 550), desktop.HResizeCursor)
	b.SetTurn(1)
	check("its corner, turned", over(1000, 700), drawn(cursorFalling, true))
	check("its side, turned", over(1000, 550), desktop.VResizeCursor)
	b.SetTurn(0)
	b.SetTool(qc.Box)
	check("armed, its inside", over(900, 650), desktop.CrosshairCursor)
	check("armed, another mark", over(1650, 1100), desktop.CrosshairCursor)
	b.down(fyne.KeySpace)
	check("Space", b.Cursor(), drawn(cursorPan, false))
	b.up(fyne.KeySpace)
	b.SetTool("")
	b.shown(qc.Mark{Tool: qc.Polygon, Points: []qc.Point{{X: 600, Y: 400}, {X: 1200, Y: 400}, {X: 1200, Y: 1000}, {X: 600, Y: 1000}}})
	over(900, 400)
	b.down(desktop.KeyShiftLeft)
	check("Shift on an edge", b.Cursor(), drawn(cursorAdd, false))
	b.up(desktop.KeyShiftLeft)
	over(1200, 400)
	b.down(desktop.KeyAltLeft)
	check("Alt on a corner", b.Cursor(), drawn(cursorRemove, false))
	b.up(desktop.KeyAltLeft)
	img, x, y := drawn(cursorMove, false).Image()
	if img.Bounds().Empty() || x != img.Bounds().Dx()/2 || y != img.Bounds().Dy()/2 {
		t.Errorf("hot spot at %d, %d of %v", x, y, img.Bounds())
	}
}

func TestAlt_DoesNotOutliveThePointer(t *testing.T) {
	b := newBench(t, 1, 2400, 1600)
	b.SetTool(qc.Box)
	b.down(desktop.KeyAltLeft)
	b.sweep(fyne.NewPos(400, 300), fyne.NewPos(460, 330), primary, fyne.KeyModifierAlt)
	b.down(desktop.KeyAltLeft)
	b.MouseOut() // its release is heard by whatever the pointer is over
	percent, _ := b.Zoom()
	b.Scrolled(&fyne.ScrollEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(400, 300)}, Scrolled: fyne.NewDelta(0, float32(notch()))})
	if now, _ := b.Zoom(); now <= percent || len(b.runes) != 0 {
		t.Errorf("the wheel sizes still: zoom %g, runes %q", now, string(b.runes))
	}
}
