package evidence

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
)

// displayP3 is a JPEG in the colours that telephones use.
func displayP3(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	be := binary.BigEndian
	fixed := func(values ...float64) (out []byte) {
		for _, v := range values {
			out = be.AppendUint32(out, uint32(int32(math.Round(v*65536))))
		}
		return out
	}
	xyz := func(v ...float64) []byte { return append([]byte("XYZ \x00\x00\x00\x00"), fixed(v...)...) }
	curve := append([]byte("para\x00\x00\x00\x00\x00\x03\x00\x00"), fixed(2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)...)
	name := "Display P3"
	desc := append(be.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(name)+1)), name...)
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", append(desc, make([]byte, 79)...)},
		{"wtpt", xyz(0.9642, 1, 0.8249)},
		{"rXYZ", xyz(0.5151187, 0.2411892, -0.0010505)},
		{"gXYZ", xyz(0.2919778, 0.6922441, 0.0418791)},
		{"bXYZ", xyz(0.1571035, 0.0665668, 0.7840713)},
		{"rTRC", curve},
		{"gTRC", curve},
		{"bTRC", curve},
	}
	profile := make([]byte, 128)
	copy(profile[8:], []byte{2, 0x40, 0, 0})
	copy(profile[12:], "mntrRGB XYZ ")
	copy(profile[36:], "acsp")
	copy(profile[68:], fixed(0.9642, 1, 0.8249))
	profile = be.AppendUint32(profile, uint32(len(tags)))
	at := 128 + 4 + 12*len(tags)
	var data []byte
	for _, t := range tags {
		profile = append(profile, t.name...)
		profile = be.AppendUint32(be.AppendUint32(profile, uint32(at+len(data))), uint32(len(t.data)))
		data = append(append(data, t.data...), make([]byte, -len(t.data)&3)...)
	}
	profile = append(profile, data...)
	be.PutUint32(profile, uint32(len(profile)))
	var b bytes.Buffer
	if err := photo.EncodeJPEG(&b, img, 95); err != nil {
		tb.Fatal(err)
	}
	body := append([]byte("ICC_PROFILE\x00\x01\x01"), profile...)
	out := be.AppendUint16([]byte{0xFF, 0xD8, 0xFF, 0xE2}, uint16(len(body)+2))
	return append(append(out, body...), b.Bytes()[2:]...)
}

// TestBurnIn_KeepsColours of a photo that is not in sRGB, in every way that a file is made.
func TestBurnIn_KeepsColours(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{200, 100, 50, 255}), image.Point{}, draw.Src)
	data := displayP3(t, img)
	want := color.RGBA{215, 93, 31, 255} // by LittleCMS
	if got := decoded(t, data).RGBAAt(300, 200); off(got, want) > 3 {
		t.Fatalf("the photo itself is %v, not %v", got, want)
	}
	near := shape(qc.Box, 1, qc.Major, 40, 40, 90, 80)
	for name, c := range map[string]struct {
		shapes []annotate.Shape
		opts   Options
	}{
		"lossless":     {[]annotate.Shape{near}, Options{}},
		"whole":        {[]annotate.Shape{near}, Options{Whole: true}},
		"at once":      {[]annotate.Shape{near, shape(qc.Redaction, 0, "", 100, 100, 130, 130)}, Options{Whole: true}},
		"with legends": {[]annotate.Shape{near}, Options{Legend: []annotate.LegendEntry{{Number: 1}}}},
	} {
		var out bytes.Buffer
		if _, err := BurnIn(context.Background(), &out, bytes.NewReader(data), described(data), c.shapes, c.opts); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := decoded(t, out.Bytes()).RGBAAt(300, 200); off(got, want) > 4 {
			t.Errorf("%s: the colour is %v, not %v", name, got, want)
		}
	}
}

func off(a, b color.RGBA) int {
	d := func(v, w uint8) int { return max(int(v)-int(w), int(w)-int(v)) }
	return max(d(a.R, b.R), d(a.G, b.G), d(a.B, b.B))
}
