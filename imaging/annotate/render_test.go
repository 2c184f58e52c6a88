package annotate_test

import (
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

var update = flag.Bool("update", false, "rewrite the golden images")

func box(id qc.MarkID, x, y, w, h float64) qc.Mark {
	return qc.Mark{ID: id, Tool: qc.Box, Points: []qc.Point{{X: x, Y: y}, {X: x + w, Y: y + h}}}
}

func arrow(id qc.MarkID, x0, y0, x1, y1 float64) qc.Mark {
	return qc.Mark{ID: id, Tool: qc.Arrow, Points: []qc.Point{{X: x0, Y: y0}, {X: x1, Y: y1}}}
}

// sampler shows every severity with every tool, some crowded.
func sampler() []annotate.Shape {
	return []annotate.Shape{
		{Mark: box("a", 40, 50, 110, 70), Number: 1, Severity: qc.Critical},
		{Mark: box("b", 200, 40, 90, 60), Number: 2, Severity: qc.Major},
		{Mark: box("c", 340, 60, 110, 80), Number: 3, Severity: qc.Minor},
		{Mark: box("d", 470, 20, 60, 60), Number: 4, Severity: qc.Observation},
		{Mark: arrow("e", 60, 330, 150, 230), Number: 5, Severity: qc.Critical},
		{Mark: arrow("f", 200, 330, 260, 220), Number: 6, Severity: qc.Major},
		{Mark: arrow("g", 420, 330, 330, 240), Number: 12, Severity: qc.Minor},
		{Mark: arrow("h", 520, 330, 560, 210), Number: 8, Severity: qc.Observation},
		{Mark: box("i", 360, 80, 30, 30), Number: 0, Severity: qc.Major},
	}
}

// toolbox shows every other tool with every severity, side by side.
func toolbox() []annotate.Shape {
	var shapes []annotate.Shape
	add := func(column, row int, tool qc.Tool, places ...float64) {
		m := qc.Mark{ID: qc.MarkID(string(tool) + strconv.Itoa(row)), Tool: tool}
		for i := 0; i < len(places); i += 2 {
			m.Points = append(m.Points, qc.Point{X: float64(column*100) + places[i], Y: float64(row*100) + places[i+1]})
		}
		shapes = append(shapes, annotate.Shape{Mark: m, Number: len(shapes) + 1, Severity: qc.Severities()[row]})
	}
	for row := range qc.Severities() {
		add(0, row, qc.Ellipse, 15, 45, 80, 85)
		add(1, row, qc.Line, 15, 80, 70, 50)
		add(2, row, qc.Polygon, 15, 85, 20, 45, 50, 65, 80, 45, 75, 90)
		var wave, loop []float64
		for i := range 21 {
			sin, cos := math.Sincos(float64(i%20) / 20 * 2 * math.Pi)
			wave = append(wave, 15+2*float64(i), 50+10*sin)
			loop = append(loop, 78+12*cos, 78+12*sin)
		}
		add(3, row, qc.Freehand, wave...)
		add(3, row, qc.Freehand, loop...)
		add(4, row, qc.Badge, 22, 70)
		add(4, row, qc.Badge, 60, 40, 85, 85)
		add(5, row, qc.Highlighter, 15, 45, 85, 85)
	}
	return shapes
}

func grounds() map[string]*image.RGBA {
	area := image.Rect(0, 0, 600, 400)
	plain := func(c color.Color) *image.RGBA {
		img := image.NewRGBA(area)
		draw.Draw(img, area, image.NewUniform(c), image.Point{}, draw.Src)
		return img
	}
	busy := image.NewRGBA(area)
	for y := range area.Dy() {
		for x := range area.Dx() {
			v := uint8((x/9 ^ y/7) * 37)
			busy.SetRGBA(x, y, color.RGBA{v, uint8(255 - int(v)), uint8(x * y / 97), 255})
		}
	}
	return map[string]*image.RGBA{
		"white": plain(color.White),
		"black": plain(color.Black),
		"red":   plain(color.NRGBA{0xd3, 0x2f, 0x2f, 0xff}),
		"busy":  busy,
		"skin":  plain(color.NRGBA{0xc6, 0x8e, 0x6f, 0xff}),
	}
}

func TestRender_LooksTheSameOnEveryGround(t *testing.T) {
	t.Parallel()
	for name, img := range grounds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			annotate.Render(img, sampler(), annotate.View{Scale: 1}, annotate.Options{
				Selected: "b", Handles: true, Unit: 1, Width: 600, Height: 400,
			})
			compareGolden(t, img, filepath.Join("testdata", "render_"+name+".png"))
		})
	}
}

func TestRender_ToolsLookTheSameOnEveryGround(t *testing.T) {
	t.Parallel()
	selected := map[string]qc.MarkID{"white": "polygon1", "black": "ellipse1", "red": "badge2", "busy": "freehand2", "skin": "line3"}
	for name, img := range grounds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			annotate.Render(img, toolbox(), annotate.View{Scale: 1}, annotate.Options{
				Selected: selected[name], Handles: true, Unit: 0.7, Width: 600, Height: 400,
			})
			compareGolden(t, img, filepath.Join("testdata", "tools_"+name+".png"))
		})
	}
}

// compareGolden allows what another machine's floating point may differ in:
// 8 levels in 1 of 200 pixels.
func compareGolden(t *testing.T, got *image.RGBA, path string) {
	t.Helper()
	compareWithin(t, got, path, got.Rect.Dx()*got.Rect.Dy()/200)
}

func compareWithin(t *testing.T, got *image.RGBA, path string, limit int) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		writePNG(t, path, got)
		return
	}
	want := golden(t, path)
	if want.Bounds() != got.Bounds() {
		t.Fatalf("size %v, want %v", got.Bounds(), want.Bounds())
	}
	if off := differences(got, want); off > limit {
		failed := filepath.Join(t.ArtifactDir(), filepath.Base(path))
		writePNG(t, failed, got)
		t.Errorf("%d pixels differ, at most %d may: see %s", off, limit, failed)
	}
}

func golden(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// differences counts the pixels that differ by more than 8 levels.
func differences(got *image.RGBA, want image.Image) int {
	off := 0
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			g := got.RGBAAt(x, y)
			w := color.RGBAModel.Convert(want.At(x, y)).(color.RGBA)
			if far(g.R, w.R) || far(g.G, w.G) || far(g.B, w.B) || far(g.A, w.A) {
				off++
			}
		}
	}
	return off
}

func far(a, b uint8) bool { return a > b && a-b > 8 || b > a && b-a > 8 }

func writePNG(t *testing.T, path string, img image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	small := png.Encoder{CompressionLevel: png.BestCompression}
	if err := small.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
