package annotate_test

import (
	"image"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

func inset(id qc.MarkID, places ...float64) annotate.Shape {
	m := qc.Mark{ID: id, Tool: qc.Inset}
	for i := 0; i < len(places); i += 2 {
		m.Points = append(m.Points, qc.Point{X: places[i], Y: places[i+1]})
	}
	return annotate.Shape{Mark: m, Severity: qc.Major}
}

func flawed(m qc.Mark) annotate.Shape {
	m.Flaw = "f"
	return annotate.Shape{Mark: m, Number: 1, Severity: qc.Major}
}

func TestInsets(t *testing.T) {
	t.Parallel()
	source := inset("i", 480, 380, 520, 420)
	corners := []annotate.Shape{
		flawed(box("a", 850, 650, 100, 100)), flawed(box("b", 850, 40, 100, 100)),
		flawed(box("c", 40, 650, 100, 100)), flawed(box("d", 40, 40, 100, 100)),
	}
	zoomed := source
	zoomed.Mark.Zoom = 8
	for _, tc := range []struct {
		name   string
		shapes []annotate.Shape
		want   image.Rectangle
	}{
		{"an empty photo", []annotate.Shape{source}, image.Rect(860, 660, 980, 780)},
		{"a flaw in the corner", []annotate.Shape{source, corners[0]}, image.Rect(860, 20, 980, 140)},
		{"a flaw in three", append([]annotate.Shape{source}, corners[:3]...), image.Rect(20, 20, 140, 140)},
		{"another inset", []annotate.Shape{source, inset("j", 300, 300, 320, 320, 900, 700)}, image.Rect(860, 20, 980, 140)},
		{"by hand", []annotate.Shape{inset("i", 480, 380, 520, 420, 600, 100)}, image.Rect(600, 100, 720, 220)},
		{"by hand over the edge", []annotate.Shape{inset("i", 480, 380, 520, 420, 990, 790)}, image.Rect(880, 680, 1000, 800)},
		{"larger", []annotate.Shape{zoomed}, image.Rect(660, 460, 980, 780)},
		{"too large", []annotate.Shape{inset("i", 0, 0, 400, 300)}, image.Rect(20, 330, 620, 780)},
	} {
		frames := annotate.Insets(tc.shapes, 1000, 800)
		if len(frames) == 0 || frames[0].Mark != "i" || frames[0].To != tc.want {
			t.Errorf("%s: %+v, want to %v", tc.name, frames, tc.want)
		}
	}
	taken := annotate.Insets(append([]annotate.Shape{source}, corners...), 1000, 800)[0].To
	for _, c := range corners {
		if p := c.Mark.Points; taken.Overlaps(image.Rect(int(p[0].X), int(p[0].Y), int(p[1].X), int(p[1].Y))) {
			t.Errorf("with flaws in all corners it is at %v and hides one", taken)
		}
	}
}

func TestInsets_StayOnThePhotoAndWhereTheyAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(50, 9000).Draw(t, "w"), rapid.IntRange(50, 9000).Draw(t, "h")
		var shapes []annotate.Shape
		for i := range rapid.IntRange(1, 8).Draw(t, "marks") {
			m := anyMark(t, w, h)
			m.ID = qc.MarkID(rune('a' + i))
			if m.Tool == qc.Inset {
				m.Zoom = rapid.SampledFrom([]float64{0, 1.5, 3, 8}).Draw(t, "zoom")
			}
			shapes = append(shapes, annotate.Shape{Mark: m, Number: i % 3, Severity: qc.Severities()[i%4]})
		}
		frames := annotate.Insets(shapes, w, h)
		if !slices.Equal(frames, annotate.Insets(shapes, w, h)) {
			t.Fatal("the same marks have other places")
		}
		photo := image.Rect(0, 0, w, h)
		for _, f := range frames {
			if f.From.Empty() || f.To.Empty() || !f.From.In(photo) || !f.To.In(photo) {
				t.Fatalf("%+v is not on a photo of %v", f, photo)
			}
			if f.To.Dx() > w*6/10+1 || f.To.Dy() > h*6/10+1 {
				t.Fatalf("%+v is too large for %v", f, photo)
			}
			if zoom := float64(f.To.Dx()) / float64(f.From.Dx()); f.From.Dx() > 20 && math.Abs(zoom-f.Zoom) > 0.1 {
				t.Fatalf("%+v says ×%g and is ×%g", f, f.Zoom, zoom)
			}
		}
	})
}

// TestRender_InsetsShowTheSource asks what an inset takes from where.
func TestRender_InsetsShowTheSource(t *testing.T) {
	t.Parallel()
	shapes := []annotate.Shape{inset("i", 100, 100, 140, 130, 300, 200)}
	for turn := range 4 {
		var asked []image.Rectangle
		source := func(r image.Rectangle, w, h int) *image.RGBA {
			asked = append(asked, r)
			img := image.NewRGBA(image.Rect(0, 0, w, h))
			for y := range h {
				for x := range w { // the left half green, and that of the image
					img.Pix[img.PixOffset(x, y)+3] = 0xff
					if x < w/2 {
						img.Pix[img.PixOffset(x, y)+1] = 0xff
					}
				}
			}
			return img
		}
		_, view := turnedPhoto(image.NewRGBA(image.Rect(0, 0, 600, 400)), turn)
		sheet := image.NewRGBA(image.Rect(0, 0, 600, 600))
		annotate.Render(sheet, shapes, view, annotate.Options{Width: 600, Height: 400, Unit: 0.5, Source: source})
		if len(asked) != 1 || asked[0] != image.Rect(100, 100, 140, 130) {
			t.Fatalf("turned %d: asked for %v", turn, asked)
		}
		for _, tc := range []struct {
			at    qc.Point
			green uint8
		}{{qc.Point{X: 320, Y: 240}, 0xff}, {qc.Point{X: 400, Y: 240}, 0}} {
			p := view.ToScreen(tc.at)
			if got := sheet.RGBAAt(int(p.X), int(p.Y)); got.G != tc.green || got.A != 0xff {
				t.Errorf("turned %d: %v at %v", turn, got, tc.at)
			}
		}
	}
	// Far into one, only what is seen is asked for.
	view := annotate.View{Scale: 40, OffsetX: -40 * 350, OffsetY: -40 * 240}
	annotate.Render(image.NewRGBA(image.Rect(0, 0, 300, 200)), shapes, view, annotate.Options{
		Width: 600, Height: 400, Unit: 1, Source: func(r image.Rectangle, w, h int) *image.RGBA {
			if r.Dx() > 12 || w > 1500 {
				t.Errorf("asked for %v at %d×%d", r, w, h)
			}
			return nil
		},
	})
}

func TestHitOn(t *testing.T) {
	t.Parallel()
	words := annotate.Shape{Mark: qc.Mark{ID: "words", Tool: qc.Text, Text: "Seam open", Points: []qc.Point{{X: 500, Y: 700}}}}
	tape := annotate.Shape{Mark: qc.Mark{ID: "tape", Tool: qc.Measure, Points: []qc.Point{{X: 100, Y: 600}, {X: 400, Y: 600}}}, Label: "56 mm"}
	shapes := []annotate.Shape{words, tape, inset("auto", 480, 380, 520, 420), inset("hand", 200, 100, 240, 140, 600, 100), {Mark: secret(100, 300, 200, 400)}}
	view := annotate.View{Scale: 0.5, OffsetX: 30}
	opts := annotate.Options{Width: 1000, Height: 800, Unit: 0.5}
	for _, tc := range []struct {
		name     string
		selected qc.MarkID
		at       qc.Point
		want     qc.MarkID
		handle   annotate.Handle
	}{
		{"words", "", qc.Point{X: 560, Y: 720}, "words", annotate.Body},
		{"a measure's label", "", qc.Point{X: 250, Y: 570}, "tape", annotate.Body},
		{"a tape", "", qc.Point{X: 150, Y: 602}, "tape", annotate.Body},
		{"what is enlarged", "", qc.Point{X: 480, Y: 400}, "auto", annotate.Body},
		{"where it is shown", "", qc.Point{X: 920, Y: 700}, "auto", annotate.InsetPlace},
		{"where a hand has put one", "", qc.Point{X: 650, Y: 150}, "hand", annotate.InsetPlace},
		{"its handle", "hand", qc.Point{X: 602, Y: 101}, "hand", annotate.InsetPlace},
		{"within a redaction", "", qc.Point{X: 150, Y: 350}, "secret", annotate.Body},
		{"nothing", "", qc.Point{X: 700, Y: 500}, "", annotate.Body},
	} {
		if id, handle, ok := annotate.HitOn(shapes, tc.selected, tc.at, 10, view, opts); id != tc.want || handle != tc.handle || ok != (tc.want != "") {
			t.Errorf("%s: %q, %d", tc.name, id, handle)
		}
	}
	placed := annotate.Drag(shapes[2].Mark, annotate.InsetPlace, qc.Point{X: 70, Y: 2000}, false, 1000, 800)
	if len(placed.Points) != 3 || placed.Points[2] != (qc.Point{X: 70, Y: 800}) {
		t.Errorf("dragged to %v", placed.Points)
	}
}
