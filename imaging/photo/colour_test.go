package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"math"
	"testing"
)

// profileOf builds an ICC profile of a matrix and one curve.
func profileOf(name string, matrix [3][3]float64, trc []byte) []byte {
	be := binary.BigEndian
	fixed := func(v float64) []byte { return be.AppendUint32(nil, uint32(int32(math.Round(v*65536)))) }
	xyz := func(x, y, z float64) []byte {
		return bytes.Join([][]byte{[]byte("XYZ \x00\x00\x00\x00"), fixed(x), fixed(y), fixed(z)}, nil)
	}
	desc := be.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(name)+1))
	desc = append(append(desc, name...), make([]byte, 1+4+4+2+1+67)...)
	type tag struct {
		name string
		data []byte
	}
	tags := []tag{{"desc", desc}, {"wtpt", xyz(0.9642, 1, 0.8249)}}
	for i, c := range "rgb" {
		tags = append(tags, tag{string(c) + "XYZ", xyz(matrix[0][i], matrix[1][i], matrix[2][i])}, tag{string(c) + "TRC", trc})
	}
	head := make([]byte, 128)
	copy(head[8:], []byte{2, 0x40, 0, 0})
	copy(head[12:], "mntrRGB XYZ ")
	copy(head[36:], "acsp")
	copy(head[68:], append(append(fixed(0.9642), fixed(1)...), fixed(0.8249)...))
	table := be.AppendUint32(nil, uint32(len(tags)))
	at := 128 + 4 + 12*len(tags)
	var data []byte
	for _, t := range tags {
		table = append(table, t.name...)
		table = be.AppendUint32(be.AppendUint32(table, uint32(at+len(data))), uint32(len(t.data)))
		data = append(data, t.data...)
		data = append(data, make([]byte, -len(data)&3)...)
	}
	out := bytes.Join([][]byte{head, table, data}, nil)
	be.PutUint32(out, uint32(len(out)))
	return out
}

// curveOf is a curve with one exponent; parametersOf the sRGB curve as parameters.
func curveOf(gamma float64) []byte {
	return binary.BigEndian.AppendUint16([]byte("curv\x00\x00\x00\x00\x00\x00\x00\x01"), uint16(math.Round(gamma*256)))
}

func parametersOf() []byte {
	out := []byte("para\x00\x00\x00\x00\x00\x03\x00\x00")
	for _, v := range []float64{2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045} {
		out = binary.BigEndian.AppendUint32(out, uint32(int32(math.Round(v*65536))))
	}
	return out
}

var adobeToXYZ = [3][3]float64{ // Adobe RGB (1998), adapted to D50 by Bradford
	{0.6097559, 0.2052401, 0.1492240},
	{0.3111242, 0.6256560, 0.0632197},
	{0.0194811, 0.0608902, 0.7448387},
}

func displayP3() []byte { return profileOf("Display P3", p3ToXYZ, parametersOf()) }
func adobeRGB() []byte {
	return profileOf("Adobe RGB (1998)", adobeToXYZ, curveOf(2.19921875))
}

// pngWithICC is a PNG with a profile.
func pngWithICC(tb testing.TB, img image.Image, profile []byte) []byte {
	tb.Helper()
	b := pngOf(tb, img)
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	_, _ = zw.Write(profile)
	_ = zw.Close()
	body := append([]byte("iCCPname\x00\x00"), z.Bytes()...)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)-4))
	chunk = append(chunk, body...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(body))
	return bytes.Join([][]byte{b[:33], chunk, b[33:]}, nil)
}

// iccSegments is a profile in n APP2 segments.
func iccSegments(profile []byte, n int) (out [][]byte) {
	step := ceilDiv(len(profile), n)
	for i := range n {
		part := profile[min(i*step, len(profile)):min((i+1)*step, len(profile))]
		out = append(out, appendSegment(nil, markAPP2, append(append([]byte("ICC_PROFILE\x00"), byte(i+1), byte(n)), part...)))
	}
	return out
}

func plainPicture(c color.RGBA) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 32, 32))
	for i := 0; i < len(img.Pix); i += 4 {
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = c.R, c.G, c.B, 255
	}
	return img
}

// The expected values are those of LittleCMS 2.14 (transicc -n -t1 -s -iPROFILE -o*sRGB), rounded.
func TestProfilesAreApplied(t *testing.T) {
	for _, c := range []struct {
		name     string
		profile  []byte
		in, want color.RGBA
	}{
		{"Display P3", displayP3(), color.RGBA{200, 100, 50, 255}, color.RGBA{215, 93, 31, 255}},
		{"Display P3", displayP3(), color.RGBA{30, 180, 90, 255}, color.RGBA{0, 183, 78, 255}},
		{"Display P3", displayP3(), color.RGBA{64, 64, 64, 255}, color.RGBA{64, 64, 64, 255}},
		{"Display P3", displayP3(), color.RGBA{250, 10, 10, 255}, color.RGBA{255, 0, 0, 255}},
		{"Display P3", displayP3(), color.RGBA{128, 160, 220, 255}, color.RGBA{119, 161, 225, 255}},
		{"Display P3", displayP3(), color.RGBA{15, 5, 30, 255}, color.RGBA{17, 5, 31, 255}},
		{"Adobe RGB (1998)", adobeRGB(), color.RGBA{200, 100, 50, 255}, color.RGBA{227, 100, 42, 255}},
		{"Adobe RGB (1998)", adobeRGB(), color.RGBA{64, 64, 64, 255}, color.RGBA{62, 62, 62, 255}},
		{"Adobe RGB (1998)", adobeRGB(), color.RGBA{250, 10, 10, 255}, color.RGBA{255, 3, 3, 255}},
		{"Adobe RGB (1998)", adobeRGB(), color.RGBA{10, 240, 20, 255}, color.RGBA{0, 240, 0, 255}},
		{"Adobe RGB (1998)", adobeRGB(), color.RGBA{128, 160, 220, 255}, color.RGBA{113, 161, 223, 255}},
		{"Adobe RGB (1998)", adobeRGB(), color.RGBA{15, 5, 30, 255}, color.RGBA{9, 1, 24, 255}},
		{"Adobe RGB (1998)", adobeRGB(), color.RGBA{255, 255, 255, 255}, color.RGBA{255, 255, 255, 255}},
		{"Adobe RGB (1998)", adobeRGB(), color.RGBA{0, 0, 0, 255}, color.RGBA{0, 0, 0, 255}},
	} {
		in := plainPicture(c.in)
		jpeg := jpegOf(t, in, 100)
		bare, _, err := Decode(jpeg, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for kind, f := range map[string]struct {
			data []byte
			tol  int
		}{
			"png":                  {pngWithICC(t, in, c.profile), 1},
			"jpeg in one segment":  {withSegments(jpeg, iccSegments(c.profile, 1)...), 1 + 3*worst(t, bare, in)},
			"jpeg in four of them": {withSegments(jpeg, iccSegments(c.profile, 4)...), 1 + 3*worst(t, bare, in)},
		} {
			for path, decode := range map[string]func() (*image.RGBA, Info, error){
				"full": func() (*image.RGBA, Info, error) { return Decode(f.data, Limits{}) },
				"half": func() (*image.RGBA, Info, error) { return DecodeScale(f.data, 2, Limits{}) },
				"fit":  func() (*image.RGBA, Info, error) { return DecodeFit(f.data, 20, 20, Limits{}) },
			} {
				got, info, err := decode()
				if err != nil {
					t.Fatal(err)
				}
				if d := worst(t, got, uniform(got.Rect, c.want)); d > f.tol {
					t.Errorf("%s, %s, %s, %v: got %v, want %v", c.name, kind, path, c.in, got.RGBAAt(10, 10), c.want)
				}
				if info.Profile != c.name || info.ColourUnknown {
					t.Errorf("%s, %s: info %+v", c.name, kind, info)
				}
			}
		}
	}
}

func uniform(r image.Rectangle, c color.RGBA) *image.RGBA {
	img := image.NewRGBA(r)
	for i := 0; i < len(img.Pix); i += 4 {
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = c.R, c.G, c.B, 255
	}
	return img
}

// An sRGB profile changes nothing at all, and one that cannot be applied leaves the pixels alone and
// says so.
func TestProfilesThatChangeNothing(t *testing.T) {
	img := scene(60, 40)
	table := profileOf("LUT", srgbToXYZ, parametersOf())
	copy(table[bytes.Index(table, []byte("rTRC")):], "A2B0")
	printer := bytes.Clone(displayP3())
	copy(printer[16:], "CMYK")
	absurd := p3ToXYZ
	absurd[0][0] = 3
	for _, c := range []struct {
		name    string
		profile []byte
		info    string
		unknown bool
	}{
		{"sRGB by its curve", profileOf("sRGB IEC61966-2.1", srgbToXYZ, parametersOf()), "sRGB", false},
		{"tables", table, "LUT", true},
		{"printer", printer, "Display P3", true},
		{"white is not white", profileOf("Absurd", absurd, parametersOf()), "Absurd", true},
		{"cut", displayP3()[:400], "Display P3", true},
		{"no profile at all", []byte("hello"), "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, info, err := Decode(pngWithICC(t, img, c.profile), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if d := worst(t, got, img); d != 0 {
				t.Errorf("changed by %d", d)
			}
			if info.Profile != c.info || info.ColourUnknown != c.unknown {
				t.Errorf("info %q, unknown %v", info.Profile, info.ColourUnknown)
			}
		})
	}
}

// With a piece missing the profile cannot be known.
func TestProfileWithAPieceMissing(t *testing.T) {
	img := scene(60, 40)
	data := jpegOf(t, img, 90)
	bare, _, err := Decode(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	segments := iccSegments(displayP3(), 3)
	got, info, err := Decode(withSegments(data, segments[0], segments[2]), Limits{})
	if err != nil || worst(t, got, bare) != 0 {
		t.Errorf("changed, or %v", err)
	}
	if !info.ColourUnknown {
		t.Error("an incomplete profile passed for none")
	}
}

func TestHEICAndWebPColours(t *testing.T) {
	webp := file(t, "blue-purple-pink.lossless.webp")
	profile := displayP3()
	vp8x := append([]byte("VP8X\x0a\x00\x00\x00\x20\x00\x00\x00"), 149, 0, 0, 99, 0, 0)
	iccp := append(binary.LittleEndian.AppendUint32([]byte("ICCP"), uint32(len(profile))), profile...)
	withICC := bytes.Join([][]byte{webp[:12], vp8x, iccp, webp[12:]}, nil)
	binary.LittleEndian.PutUint32(withICC[4:], uint32(len(withICC)-8))
	heic := file(t, "quarters.heic")
	for name, c := range map[string]struct{ bare, tagged []byte }{
		"webp":                  {webp, withICC},
		"heic with a profile":   {heic, withProperties(t, heic, property("colr", append([]byte("prof"), profile...)...))},
		"heic with its numbers": {heic, withProperties(t, heic, property("colr", []byte("nclx\x00\x0c\x00\x0d\x00\x06\x80")...))},
	} {
		t.Run(name, func(t *testing.T) {
			want, _, err := Decode(c.bare, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			p, _ := readICC(profile)
			conv, _ := newConversion(p)
			before := bytes.Clone(want.Pix)
			conv.apply(want)
			if bytes.Equal(before, want.Pix) {
				t.Fatal("the picture has no colour that changes")
			}
			got, info, err := Decode(c.tagged, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if d := worst(t, got, want); d > 1 || info.Profile != "Display P3" {
				t.Errorf("differs by %d, info %+v", d, info)
			}
		})
	}
}
