package annotate_test

import (
	"image"
	"math"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// oddNumbers are what a fuzzed byte stands for as a coordinate.
var oddNumbers = [...]float64{
	0, math.Copysign(0, -1), 1, -1, 0.5, 99.999, 100, 1e-300, 1e6, -1e6, 1e18, -1e18, 1e308, -1e308,
	math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, 2147483648, -9223372036854775808,
}

// FuzzMarks gives marks with any numbers to everything that takes marks. None
// may panic, and none may take longer than a person waits.
func FuzzMarks(f *testing.F) {
	for tool := range qc.Forms() {
		f.Add([]byte{byte(tool), 2, 1, 10, 40, 60, 80}, "hé鞋\n\x00\U0001f45f", 0.7, 3.0)
		f.Add([]byte{byte(tool), 3, 0, 212, 215, 216, 214, 217, 218, byte(tool), 0, 1, byte(tool), 1, 1, 214, 214}, "", math.NaN(), math.Inf(1))
	}
	f.Add([]byte{10, 2, 1, 213, 213, 211, 211, 9, 3, 1, 1, 1, 99, 99, 212, 212}, "x", 1e-9, 1e300)
	f.Fuzz(func(_ *testing.T, data []byte, text string, scale, zoom float64) {
		var shapes []annotate.Shape
		for len(data) >= 3 && len(shapes) < 24 {
			forms := qc.Forms()
			n := min(int(data[1])%8, (len(data)-3)/2)
			m := qc.Mark{ID: qc.MarkID(rune('a' + len(shapes))), Tool: forms[int(data[0])%len(forms)].Tool, Text: text, Zoom: zoom}
			for i := range n {
				m.Points = append(m.Points, qc.Point{X: coordinate(data[3+2*i]), Y: coordinate(data[4+2*i])})
			}
			shapes = append(shapes, annotate.Shape{Mark: m, Number: int(data[2]) - 1, Severity: qc.Severities()[int(data[2])%4], Label: text})
			data = data[3+2*n:]
		}
		everything(shapes, scale)
	})
}

func coordinate(b byte) float64 {
	if b < 200 {
		return float64(b)
	}
	return oddNumbers[int(b-200)%len(oddNumbers)]
}

func everything(shapes []annotate.Shape, scale float64) {
	const w, h = 200, 150
	source := func(_ image.Rectangle, w, h int) *image.RGBA { return image.NewRGBA(image.Rect(0, 0, w, h)) }
	for turn := range 4 {
		for i, opts := range []annotate.Options{
			{Width: w, Height: h, Selected: "a", Handles: true, Photo: true},
			{Width: w, Height: h, Unit: scale, Selected: "b", Handles: true, Source: source},
			{},
		} {
			img := image.NewRGBA(image.Rect(0, 0, 80, 60))
			view := annotate.View{Scale: scale, Turn: turn, OffsetX: float64(10 * i)}
			if i == 2 {
				view = annotate.View{Scale: 1, OffsetX: scale, Turn: turn}
			}
			annotate.Render(img, shapes, view, opts)
			annotate.HitOn(shapes, "a", qc.Point{X: 30, Y: scale}, 5, view, opts)
		}
	}
	annotate.Insets(shapes, w, h)
	annotate.Insets(shapes, 1, 1<<30)
	annotate.Places(shapes, annotate.View{Scale: scale}, 12, w, h)
	annotate.Within(shapes, qc.Point{X: scale}, qc.Point{X: 9, Y: scale})
	marks := make([]qc.Mark, 0, len(shapes))
	for _, s := range shapes {
		m := s.Mark
		marks = append(marks, m)
		at := qc.Point{X: scale, Y: -scale}
		annotate.Hit(shapes, m.ID, at, scale)
		for _, handle := range []annotate.Handle{annotate.Body, annotate.TopLeft, annotate.Right, annotate.Head, annotate.InsetPlace, annotate.Vertex + 2} {
			annotate.Drag(m, handle, at, true, w, h)
		}
		annotate.InsertCorner(m, at)
		annotate.RemoveCorner(m, 1)
		annotate.Stretch(m, scale, -scale, w, h)
		annotate.Normalise(m)
		annotate.Drawn(m.Tool, at, qc.Point{X: 1, Y: 2}, true, w, h)
	}
	annotate.MoveAll(marks, scale, 1, w, h)
}

// TestRender_AsManyAsThereMayBe draws the most that a finding may hold.
func TestRender_AsManyAsThereMayBe(t *testing.T) {
	t.Parallel()
	for _, form := range qc.Forms() {
		var shapes []annotate.Shape
		for i := range qc.MaxMarks {
			m := qc.Mark{ID: "m", Tool: form.Tool, Text: "wide words that go on and on 很长的文字"}
			for j := range max(min(form.Max, qc.MaxAllPoints/qc.MaxMarks), form.Min) {
				m.Points = append(m.Points, qc.Point{X: float64(i*37%400) + float64(j*13%60), Y: float64(i*53%300) + float64(j*29%50)})
			}
			shapes = append(shapes, annotate.Shape{Mark: m, Number: i + 1, Severity: qc.Minor, Label: "12 mm"})
		}
		t.Run(string(form.Tool), func(t *testing.T) {
			annotate.Render(image.NewRGBA(image.Rect(0, 0, 460, 350)), shapes, annotate.View{Scale: 1}, annotate.Options{Width: 460, Height: 350, Photo: true})
		})
	}
}
