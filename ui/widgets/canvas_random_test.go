package widgets

import (
	"errors"
	"flag"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// desk is a screen around a canvas: it keeps marks by what the canvas reports,
// and nothing else.
type desk struct {
	*bench
	dice     *rand.Rand
	marks    []annotate.Shape
	chosen   []qc.MarkID
	names    int
	heard    map[string]int
	deafTo   string // a callback that is not heard: a planted fault
	problems []error
}

var randomRuns = flag.Int("widgets.runs", 2, "how often random hands play, each with 300 actions")

const deskWidth, deskHeight = 1200, 900

func newDesk(t *testing.T, seed uint64, deafTo string) *desk {
	d := &desk{bench: newBench(t, 1, deskWidth, deskHeight), dice: rand.New(rand.NewPCG(seed, 7)), heard: map[string]int{}, deafTo: deafTo}
	d.window.Resize(fyne.NewSize(400, 300))
	d.OnDrawn = func(tool qc.Tool, points []qc.Point) {
		if d.hears("drawn") {
			if tool == qc.Spotlight {
				d.drop(func(s annotate.Shape) bool { return s.Mark.Tool == tool })
			}
			d.add(qc.Mark{Tool: tool, Points: points})
		}
	}
	d.OnEditedAll = func(edits map[qc.MarkID][]qc.Point) { d.edit("edited", edits) }
	d.OnNudged = func(edits map[qc.MarkID][]qc.Point) { d.edit("nudged", edits) }
	d.OnSelected = func(ids ...qc.MarkID) {
		if d.hears("selected") {
			d.chosen = ids
		}
	}
	d.OnDuplicate = func(ids []qc.MarkID) {
		if d.hears("duplicate") {
			var copies []qc.MarkID
			for _, id := range ids {
				d.add(annotate.Move(d.marks[d.place(id)].Mark, 12, 12, deskWidth, deskHeight))
				copies = append(copies, d.chosen...)
			}
			d.chosen = copies
			d.show()
		}
	}
	d.OnReorder = func(to Order, ids []qc.MarkID) {
		if d.hears("reorder") {
			moved := func(s annotate.Shape) bool { return slices.Contains(ids, s.Mark.ID) }
			slices.SortStableFunc(d.marks, func(a, b annotate.Shape) int {
				if moved(a) == moved(b) {
					return 0
				}
				if moved(a) == (to == Raise || to == ToFront) {
					return 1
				}
				return -1
			})
			d.show()
		}
	}
	d.OnInsetZoom = func(id qc.MarkID, zoom float64) {
		if d.hears("zoom") {
			d.marks[d.place(id)].Mark.Zoom = zoom
			d.show()
		}
	}
	d.OnWords = func(id qc.MarkID) {
		d.marks[d.place(id)].Mark.Text += " 字"
		d.show()
	}
	return d
}

func (d *desk) hears(what string) bool {
	d.heard[what]++
	return what != d.deafTo
}

func (d *desk) fail(format string, args ...any) {
	d.problems = append(d.problems, fmt.Errorf(format, args...))
}

func (d *desk) place(id qc.MarkID) int {
	return slices.IndexFunc(d.marks, func(s annotate.Shape) bool { return s.Mark.ID == id })
}

func (d *desk) add(m qc.Mark) {
	d.names++
	m.ID, m.Points = qc.MarkID(fmt.Sprint(d.names)), slices.Clone(m.Points)
	if m.Tool == qc.Text && m.Text == "" {
		m.Text = "here"
	}
	d.marks = append(d.marks, annotate.Shape{Mark: m, Number: d.names % 4, Severity: qc.Severities()[d.names%3], Label: m.Label(qc.Scale{})})
	if len(d.marks) > 12 {
		d.marks = d.marks[1:]
	}
	d.chosen = []qc.MarkID{m.ID}
	d.show()
}

func (d *desk) drop(gone func(annotate.Shape) bool) {
	d.marks = slices.DeleteFunc(d.marks, gone)
	d.chosen = slices.DeleteFunc(slices.Clone(d.chosen), func(id qc.MarkID) bool { return d.place(id) < 0 })
}

func (d *desk) edit(what string, edits map[qc.MarkID][]qc.Point) {
	if !d.hears(what) {
		return
	}
	for id, points := range edits {
		i := d.place(id)
		if i < 0 {
			d.fail("%s: %s is not on the photo", what, id)
			continue
		}
		d.marks[i].Mark.Points = slices.Clone(points)
		d.marks[i].Label = d.marks[i].Mark.Label(qc.Scale{})
	}
	d.drop(func(s annotate.Shape) bool { return len(s.Mark.Points) == 0 })
	d.show()
}

func (d *desk) show() {
	d.SetMarks(d.marks)
	d.Select(d.chosen...)
}

// agree compares what the canvas has with what the screen knows.
func (d *desk) agree() {
	if !slices.EqualFunc(d.shapes, d.marks, sameShape) {
		d.fail("the canvas has %v, the screen %v", d.shapes, d.marks)
	}
	if !slices.Equal(d.SelectedAll(), d.chosen) {
		d.fail("the canvas has selected %v, the screen %v", d.SelectedAll(), d.chosen)
	}
	for _, s := range d.marks {
		if form, _ := s.Mark.Tool.Form(); !form.Fits(len(s.Mark.Points)) {
			d.fail("%v is no mark", s.Mark)
		}
		for _, p := range s.Mark.Points {
			if !(p.X >= 0 && p.Y >= 0 && p.X <= deskWidth && p.Y <= deskHeight) {
				d.fail("%v is off the photo", s.Mark)
			}
		}
	}
}

// sees compares the picture of the marks with what the renderer makes of those
// that the screen knows.
func (d *desk) sees() {
	if d.gesture != nil {
		return
	}
	if !d.draft.empty() {
		d.fail("a draft outlives its gesture")
	}
	for _, tile := range d.photo.tiles {
		want := image.NewRGBA(tile.img.Rect)
		lay(want, tile.rect, d.photo.bare)
		view := d.photo.view
		view.OffsetX -= float64(tile.rect.Min.X)
		view.OffsetY -= float64(tile.rect.Min.Y)
		annotate.Render(want, d.marks, view, d.options(d.marks))
		// A picture that was panned is made in parts, and a part may round
		// otherwise than the whole.
		if !slices.EqualFunc(want.Pix, tile.img.Pix, func(a, b uint8) bool { return max(a, b)-min(a, b) <= 2 }) {
			d.fail("the picture of the marks is not theirs")
		}
	}
}

func (d *desk) anywhere() fyne.Position {
	if len(d.marks) > 0 && d.dice.IntN(2) == 0 {
		points := d.marks[d.dice.IntN(len(d.marks))].Mark.Points
		return d.ImageToWidget(points[d.dice.IntN(len(points))]).AddXY(float32(d.dice.IntN(9)-4), float32(d.dice.IntN(9)-4))
	}
	return fyne.NewPos(float32(d.dice.IntN(440)-20), float32(d.dice.IntN(340)-20))
}

func pick[T any](d *desk, of ...T) T { return of[d.dice.IntN(len(of))] }

// drag drags as a hand does, and expects that what was in hand at the end is
// what the screen has then.
func (d *desk) drag(from, to fyne.Position, mods fyne.KeyModifier) {
	d.MouseDown(mouse(from, primary, mods))
	began := d.gesture
	between := fyne.NewPos((from.X+to.X)/2, (from.Y+to.Y)/2)
	for _, at := range []fyne.Position{between, to} {
		d.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: at}, Dragged: fyne.NewDelta(1, 1)})
	}
	var shown []annotate.Shape
	if began != nil && d.gesture == began && (began.kind == drawing || began.kind == editing) {
		if d.draft.shape != nil {
			shown = append(shown, *d.draft.shape)
		}
		shown = append(shown, d.draft.group...)
	}
	d.MouseUp(mouse(to, primary, mods))
	d.DragEnd()
	for _, s := range shown {
		points := s.Mark.Points
		if form, _ := s.Mark.Tool.Form(); !form.Fits(len(points)) || apartBy(from, to) < annotate.MinDrag ||
			annotate.Cornered(s.Mark.Tool) && (points[0].X == points[1].X || points[0].Y == points[1].Y) || len(points) == 2 && points[0] == points[1] {
			continue
		}
		i := d.place(s.Mark.ID)
		if s.Mark.ID == "" {
			i = len(d.marks) - 1
		}
		if i < 0 || d.marks[i].Mark.Tool != s.Mark.Tool || !slices.Equal(d.marks[i].Mark.Points, points) {
			d.fail("in hand was %v, the screen has %v", s.Mark, d.marks)
		}
	}
	d.mods = 0
}

// expect does something that somebody must hear of.
func (d *desk) expect(what string, do func()) {
	before := d.heard[what]
	do()
	if d.heard[what] != before+1 {
		d.fail("%s was heard %d times", what, d.heard[what]-before)
	}
}

// nudged presses an arrow key and expects that the selected marks have gone a
// unit of the screen, as far as the photo reaches.
func (d *desk) nudged(key fyne.KeyName) {
	d.cancelGesture()
	dx, dy, _ := arrow(key)
	from, to := d.WidgetToImage(fyne.NewPos(0, 0)), d.WidgetToImage(fyne.NewPos(float32(dx), float32(dy)))
	var before []qc.Mark
	for _, s := range d.PhotoCanvas.chosen() {
		before = append(before, s.Mark)
	}
	d.typed(key)
	for _, want := range annotate.MoveAll(before, to.X-from.X, to.Y-from.Y, deskWidth, deskHeight) {
		got := d.marks[d.place(want.ID)].Mark
		for i, p := range want.Points {
			if !near(got.Points[i], p, 1e-6) {
				d.fail("nudged to %v, want %v", got, want)
			}
		}
	}
}

func (d *desk) act() {
	mods := []fyne.KeyModifier{0, 0, 0, fyne.KeyModifierShift, fyne.KeyModifierAlt, fyne.KeyModifierControl, fyne.KeyModifierShift | fyne.KeyModifierAlt}
	tools := []qc.Tool{""}
	for _, form := range qc.Forms() {
		tools = append(tools, form.Tool)
	}
	switch d.dice.IntN(16) {
	case 0, 1, 2, 3:
		d.drag(d.anywhere(), d.anywhere(), pick(d, mods...))
	case 4, 5, 6:
		d.SetTool(pick(d, tools...))
		if d.dice.IntN(2) == 0 {
			d.chosen = nil
			d.show()
		}
		d.drag(d.anywhere(), d.anywhere(), pick(d, mods...))
	case 7:
		d.click(d.anywhere(), pick(d, mods...))
		d.MouseMoved(mouse(d.anywhere(), 0, 0))
		d.mods = 0
	case 8:
		at := d.anywhere()
		d.click(at, 0)
		d.click(at, 0)
		d.DoubleTapped(&fyne.PointEvent{Position: at})
	case 9:
		d.typed(fyne.KeyEscape) // whatever was begun
		if len(d.chosen) > 0 {
			step := pick(d, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome, fyne.KeyEnd)
			d.expect("reorder", func() { d.typed(step) })
		}
	case 10:
		d.cancelGesture()
		if len(d.chosen) == 0 {
			break
		}
		if d.dice.IntN(3) > 0 {
			d.expect("duplicate", func() { d.shortcut(fyne.KeyD, fyne.KeyModifierControl) })
		} else {
			d.expect("edited", func() { d.typed(fyne.KeyDelete) })
		}
	case 11:
		key := pick(d, fyne.KeyLeft, fyne.KeyRight, fyne.KeyUp, fyne.KeyDown)
		if d.dice.IntN(2) == 0 {
			d.nudged(key)
		} else {
			d.shortcut(key, pick(d, fyne.KeyModifierAlt, fyne.KeyModifierControl, fyne.KeyModifierControl|fyne.KeyModifierShift))
		}
	case 12:
		d.typed(pick(d, fyne.KeyTab, fyne.KeyEscape, fyne.KeyReturn, fyne.KeyBackspace))
	case 13:
		if d.dice.IntN(3) == 0 {
			d.TypedShortcut(&fyne.ShortcutSelectAll{})
		}
		d.TypedRune(pick(d, '[', ']', '+', '-', '`'))
	case 14:
		d.Scrolled(&fyne.ScrollEvent{PointEvent: fyne.PointEvent{Position: d.anywhere()}, Scrolled: fyne.NewDelta(0, float32(d.dice.IntN(120)-60))})
		d.SetGloves(d.dice.IntN(2) == 0)
		if d.dice.IntN(4) == 0 {
			d.HideMarks(true)
			d.drag(d.anywhere(), d.anywhere(), 0)
			d.HideMarks(false)
		}
	default:
		d.SetTurn(d.dice.IntN(4))
		if d.dice.IntN(3) == 0 {
			d.Fit()
		}
		d.sweep(d.anywhere(), d.anywhere(), desktop.MouseButtonTertiary, 0)
	}
}

// play does n random things; it returns what went wrong first.
func play(t *testing.T, seed uint64, n int, deafTo string) error {
	d := newDesk(t, seed, deafTo)
	for i := range n {
		d.act()
		d.agree()
		if i%10 == 0 {
			d.sees()
		}
		if len(d.problems) > 0 {
			return fmt.Errorf("seed %d, action %d: %w", seed, i, errors.Join(d.problems...))
		}
	}
	return nil
}

func TestRandom_TheScreenKnowsWhatTheCanvasShows(t *testing.T) {
	for seed := range *randomRuns {
		if err := play(t, uint64(seed), 300, ""); err != nil {
			t.Error(err)
		}
	}
}

func TestRandom_NoticesWhatIsNotHeard(t *testing.T) {
	for _, deafTo := range []string{"drawn", "edited", "nudged", "selected"} {
		if err := play(t, 1, 300, deafTo); err == nil {
			t.Errorf("nobody noticed that %s was not heard", deafTo)
		}
	}
	// What is only reported and never in hand is missed by its count.
	for _, what := range []string{"reorder", "duplicate"} {
		d := newDesk(t, 1, "")
		d.add(qc.Mark{Tool: qc.Box, Points: []qc.Point{{X: 100, Y: 100}, {X: 300, Y: 300}}})
		d.OnReorder, d.OnDuplicate = nil, nil
		d.expect(what, func() { d.typed(fyne.KeyHome); d.shortcut(fyne.KeyD, fyne.KeyModifierControl) })
		if len(d.problems) == 0 {
			t.Errorf("nobody noticed that %s was not heard", what)
		}
	}
}
