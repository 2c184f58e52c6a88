package evidence

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// sample is a real picture of about 900×600 pixels.
func sample(tb testing.TB) *image.RGBA {
	tb.Helper()
	data, err := os.ReadFile("../../assets/photos/juan-gomez-674574-unsplash.jpg")
	if err != nil {
		tb.Fatal(err)
	}
	img, _, err := photo.DecodeFit(data, 901, 901, photo.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	return img
}

const secret = "GPSLatitude 31.2304"

// camera is a JPEG as a camera writes it: with an orientation, a place, a
// thumbnail and a colour profile.
func camera(tb testing.TB, img image.Image, orientation int) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := photo.EncodeJPEG(&b, img, 94); err != nil {
		tb.Fatal(err)
	}
	exif := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00")
	exif = append(exif, byte(orientation), 0, 0, 0, 0, 0, 0, 0)
	exif = append(exif, secret...)
	out := []byte{0xFF, 0xD8}
	for _, s := range []struct {
		mark byte
		body []byte
	}{
		{0xE1, exif},
		{0xE2, []byte("MPF\x00" + secret)},
		{0xE2, []byte("ICC_PROFILE\x00\x01\x01 these are colours")},
		{0xFE, []byte(secret)},
	} {
		out = append(out, 0xFF, s.mark)
		out = binary.BigEndian.AppendUint16(out, uint16(len(s.body)+2))
		out = append(out, s.body...)
	}
	return append(append(out, b.Bytes()[2:]...), secret...)
}

func described(data []byte) qc.Photo {
	return qc.Photo{ID: "p1", Digest: qc.DigestOf(data), Bytes: int64(len(data))}
}

func burned(tb testing.TB, data []byte, shapes []annotate.Shape) ([]byte, Report) {
	tb.Helper()
	var out bytes.Buffer
	r, err := BurnIn(tb.Context(), &out, bytes.NewReader(data), described(data), shapes, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return out.Bytes(), r
}

func decoded(tb testing.TB, data []byte) *image.RGBA {
	tb.Helper()
	img, _, err := photo.Decode(data, photo.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	return img
}

func shape(tool qc.Tool, number int, severity qc.Severity, coords ...float64) annotate.Shape {
	s := annotate.Shape{Number: number, Severity: severity, Mark: qc.Mark{ID: qc.MarkID(fmt.Sprint(tool, number)), Tool: tool}}
	for i := 0; i < len(coords); i += 2 {
		s.Mark.Points = append(s.Mark.Points, qc.Point{X: coords[i], Y: coords[i+1]})
	}
	return s
}

// marks are one of each tool that changes a part of a picture, for 900×600
// pixels or 600×900.
func marks() []annotate.Shape {
	text := shape(qc.Text, 0, qc.Minor, 330, 30)
	text.Mark.Text = "mat 线头"
	measure := shape(qc.Measure, 5, qc.Observation, 60, 480, 180, 560)
	measure.Label = "56 mm ± 1"
	return []annotate.Shape{
		shape(qc.Box, 1, qc.Critical, 100.5, 80, 180, 160),
		shape(qc.Ellipse, 2, qc.Major, 220, 220, 330, 300),
		shape(qc.Arrow, 3, qc.Minor, 400, 500, 350, 420),
		shape(qc.Highlighter, 4, qc.Minor, 40, 250, 140, 290),
		shape(qc.Redaction, 0, "", 430, 130, 520, 171),
		shape(qc.Inset, 6, qc.Major, 240, 350, 290, 380),
		text, measure,
	}
}

// psnr compares two pictures where the condition holds.
func psnr(a, b *image.RGBA, where func(x, y int) bool) float64 {
	sum, n := 0.0, 0
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			if !where(x, y) {
				continue
			}
			p, q := a.Pix[a.PixOffset(x, y):], b.Pix[b.PixOffset(x, y):]
			for c := range 3 {
				d := float64(p[c]) - float64(q[c])
				sum += d * d
			}
			n += 3
		}
	}
	return 10 * math.Log10(255*255*float64(max(n, 1))/max(sum, 1e-9))
}

func TestBurnIn_LooksLikeDrawingOnTheWhole(t *testing.T) {
	t.Parallel()
	// Whole units, so that the samples of colours lie in the same places from every side.
	img := cloned(sample(t).SubImage(image.Rect(0, 0, 896, 592)))
	for orientation := 1; orientation <= 8; orientation++ {
		t.Run(fmt.Sprint("orientation ", orientation), func(t *testing.T) {
			t.Parallel()
			data := camera(t, img, orientation)
			got, report := burned(t, data, marks())
			if !report.Lossless || report.BlocksReplaced == 0 || report.BlocksKept < report.BlocksReplaced {
				t.Fatalf("%+v", report)
			}
			var other bytes.Buffer
			if err := whole(t.Context(), &other, data, marks(), Options{Quality: 94}); err != nil {
				t.Fatal(err)
			}
			was, a, b := decoded(t, data), decoded(t, got), decoded(t, other.Bytes())
			if a.Rect != was.Rect || b.Rect != was.Rect {
				t.Fatalf("%v, %v instead of %v", a.Rect, b.Rect, was.Rect)
			}
			x, err := tiles.Build(data, qc.DigestOf(data), photo.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			in := touchedBy(t, x, data, marks())
			if db := psnr(a, b, in); db < 40 {
				t.Errorf("where marks are: %.1f dB", db)
			}
			// Beside a replaced unit a pixel's colour is mixed with its.
			if db := psnr(a, was, func(x, y int) bool {
				for i := range 9 {
					if in(x+2*(i%3-1), y+2*(i/3-1)) {
						return false
					}
				}
				return true
			}); db < 99 {
				t.Errorf("elsewhere: %.1f dB, not the same", db)
			}
		})
	}
}

// touchedBy tells where the marks may change the oriented picture.
func touchedBy(tb testing.TB, x *tiles.Index, data []byte, shapes []annotate.Shape) func(x, y int) bool {
	tb.Helper()
	s, err := newSparing(x, bytes.NewReader(data), shapes)
	if err != nil {
		tb.Fatal(err)
	}
	size := s.seen().Max
	in := make([]bool, size.X*size.Y)
	for _, r := range s.touched() {
		r = s.oriented(x.Align(r))
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				in[y*size.X+x] = true
			}
		}
	}
	return func(x, y int) bool {
		return x >= 0 && y >= 0 && x < size.X && y < size.Y && in[y*size.X+x]
	}
}

func TestBurnIn_TellsNothingButThePicture(t *testing.T) {
	t.Parallel()
	data := camera(t, sample(t), 6)
	spot := append(marks(), shape(qc.Spotlight, 0, "", 10, 10, 300, 300))
	for name, shapes := range map[string][]annotate.Shape{"lossless": marks(), "whole": spot, "no marks": nil} {
		got, report := burned(t, data, shapes)
		if report.Lossless != (name != "whole") {
			t.Errorf("%s: %+v", name, report)
		}
		if bytes.Contains(got, []byte("GPS")) || bytes.Contains(got, []byte("MPF")) {
			t.Errorf("%s: metadata are left", name)
		}
		if !bytes.Contains(got, []byte("these are colours")) {
			t.Errorf("%s: the colour profile is gone", name)
		}
		if img, was := decoded(t, got), decoded(t, data); img.Rect != was.Rect {
			t.Errorf("%s: %v instead of %v", name, img.Rect, was.Rect)
		}
	}
}

func TestBurnIn_HidesWhatIsRedacted(t *testing.T) {
	t.Parallel()
	redacted := []annotate.Shape{
		shape(qc.Redaction, 0, "", 437.2, 133, 521, 171.5), shape(qc.Redaction, 0, "", 0, 555, 33, 900),
		shape(qc.Inset, 1, qc.Major, 420, 120, 470, 150), // of what is hidden, in part
		shape(qc.Box, 2, qc.Critical, 380, 100, 500, 160),
	}
	plain := sample(t)
	for name, tt := range map[string]struct {
		shapes []annotate.Shape
		encode func(image.Image) []byte
	}{
		"lossless":      {redacted, func(img image.Image) []byte { return camera(t, img, 1) }},
		"whole":         {append(redacted[:len(redacted):len(redacted)], shape(qc.Spotlight, 0, "", 10, 10, 300, 300)), func(img image.Image) []byte { return camera(t, img, 1) }},
		"another kind":  {redacted, func(img image.Image) []byte { return asPNG(t, img) }},
		"turned":        {redacted, func(img image.Image) []byte { return camera(t, photo.Orient(cloned(img), 8), 6) }},
		"turned, whole": {append(redacted[:len(redacted):len(redacted)], shape(qc.Spotlight, 0, "", 10, 10, 300, 300)), func(img image.Image) []byte { return camera(t, photo.Orient(cloned(img), 8), 6) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var first []byte
			for i, ink := range []color.RGBA{{255, 0, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}} {
				img := cloned(plain)
				for _, r := range []image.Rectangle{image.Rect(438, 134, 521, 171), image.Rect(0, 555, 33, 900)} {
					draw.Draw(img, r, image.NewUniform(ink), image.Point{}, draw.Src)
					for k := range 40 {
						img.Set(r.Min.X+(k*7*(i+1))%r.Dx(), r.Min.Y+(k*3)%r.Dy(), color.Black)
					}
				}
				got, _ := burned(t, tt.encode(img), tt.shapes)
				if first == nil {
					first = got
				}
				if !bytes.Equal(first, got) {
					t.Fatal("the file depends on what is redacted")
				}
			}
		})
	}
}

func cloned(img image.Image) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out
}

func asPNG(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestBurnIn_ChoosesTheWay(t *testing.T) {
	t.Parallel()
	img := sample(t)
	grey := image.NewGray(img.Rect)
	draw.Draw(grey, grey.Rect, img, image.Point{}, draw.Src)
	large := make([]annotate.Shape, 0)
	for i := range 40 {
		large = append(large, shape(qc.Redaction, 0, "", 0, float64(10*i), 700, float64(10*i+20)))
	}
	broken := shape(qc.Redaction, 0, "", 10, 10)
	progressive, err := os.ReadFile("../photo/testdata/video-001.progressive.jpeg")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		data     []byte
		shapes   []annotate.Shape
		lossless bool
	}{
		"a camera's":          {camera(t, img, 1), marks(), true},
		"a PNG":               {asPNG(t, img), marks(), false},
		"progressive":         {progressive, marks()[:1], false},
		"most of it":          {camera(t, img, 1), large, false},
		"a broken redaction":  {camera(t, img, 1), []annotate.Shape{broken}, false},
		"nothing to be drawn": {camera(t, img, 3), nil, true},
	} {
		got, report := burned(t, tt.data, tt.shapes)
		if report.Lossless != tt.lossless {
			t.Errorf("%s: %+v", name, report)
		}
		if a, b := decoded(t, got), decoded(t, tt.data); a.Rect != b.Rect {
			t.Errorf("%s: %v", name, a.Rect)
		}
		if name == "a broken redaction" {
			if db := psnr(decoded(t, got), decoded(t, tt.data), func(int, int) bool { return true }); db > 20 {
				t.Errorf("a redaction of unknown extent shows the picture: %.1f dB", db)
			}
		}
	}
}

func TestBurnIn_WritesTheLegendBelow(t *testing.T) {
	t.Parallel()
	data := camera(t, sample(t), 6)
	var out bytes.Buffer
	report, err := BurnIn(t.Context(), &out, bytes.NewReader(data), described(data), marks(), Options{
		Legend: []annotate.LegendEntry{{Number: 1, Severity: qc.Critical, Words: "hole", Size: "6 mm"}},
	})
	if err != nil || report.Lossless {
		t.Fatalf("%+v, %v", report, err)
	}
	if img, was := decoded(t, out.Bytes()), decoded(t, data); img.Rect.Dx() != was.Rect.Dx() || img.Rect.Dy() <= was.Rect.Dy() {
		t.Errorf("%v from %v", img.Rect, was.Rect)
	}
}

func TestBurnIn_FailsWithAReason(t *testing.T) {
	t.Parallel()
	data := camera(t, sample(t), 1)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	for name, tt := range map[string]struct {
		ctx  context.Context
		data []byte
		size int64
		want error
	}{
		"cancelled": {cancelled, data, int64(len(data)), context.Canceled},
		"half":      {t.Context(), data[:len(data)/2], int64(len(data) / 2), photo.ErrTruncated},
		"too short": {t.Context(), data[:len(data)/2], int64(len(data)), photo.ErrTruncated},
		"empty":     {t.Context(), nil, 0, photo.ErrEmpty},
		"text":      {t.Context(), []byte("a text of some length, not a photo"), 34, photo.ErrNotPhoto},
		"large":     {t.Context(), data, 1 << 40, photo.ErrTooLarge},
	} {
		p := described(tt.data)
		p.Bytes = tt.size
		if _, err := BurnIn(tt.ctx, &out, bytes.NewReader(tt.data), p, marks(), Options{}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFrame_TurnsThereAndBack(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA(image.Rect(0, 0, 7, 5))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 37)
	}
	r := image.Rect(1, 2, 4, 3)
	for orientation := 1; orientation <= 8; orientation++ {
		f := frame{7, 5, orientation}
		upright := photo.Orient(cloned(img), orientation)
		if upright.Rect != f.seen() {
			t.Fatalf("%d: %v", orientation, f.seen())
		}
		o := f.oriented(r)
		if f.stored(o) != r {
			t.Errorf("%d: %v comes back as %v", orientation, r, f.stored(o))
		}
		a, b := photo.Orient(cloned(img.SubImage(r)), orientation), cloned(upright.SubImage(o))
		if !bytes.Equal(a.Pix, b.Pix) {
			t.Errorf("%d: %v is not at %v", orientation, r, o)
		}
		if again := photo.Orient(cloned(upright), back(orientation)); !bytes.Equal(again.Pix, img.Pix) {
			t.Errorf("%d is not undone", orientation)
		}
	}
}
