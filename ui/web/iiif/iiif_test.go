package iiif

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	_ "image/jpeg"
	"image/png"
	"strings"
	"testing"
)

var limits = Limits{Width: 4000, Height: 4000, Area: 8_000_000}

// The list of level 2, on an image of 3000×2000 pixels.
func TestRequests_OfLevelTwo(t *testing.T) {
	t.Parallel()
	full := image.Rect(0, 0, 3000, 2000)
	for address, want := range map[string]Cut{
		"full/max/0/default.jpg":                          {full, 3000, 2000},
		"square/max/0/default.jpg":                        {image.Rect(500, 0, 2500, 2000), 2000, 2000},
		"100,200,300,400/max/0/default.jpg":               {image.Rect(100, 200, 400, 600), 300, 400},
		"2900,1900,300,400/max/0/default.jpg":             {image.Rect(2900, 1900, 3000, 2000), 100, 100},
		"pct:10,20,50,25/max/0/default.jpg":               {image.Rect(300, 400, 1800, 900), 1500, 500},
		"pct:41.6,7.5,40,70/max/0/default.jpg":            {image.Rect(1248, 150, 2448, 1550), 1200, 1400},
		"pct:50,50,100,100/max/0/default.jpg":             {image.Rect(1500, 1000, 3000, 2000), 1500, 1000},
		"full/300,/0/default.jpg":                         {full, 300, 200},
		"full/,300/0/default.jpg":                         {full, 450, 300},
		"full/pct:50/0/default.jpg":                       {full, 1500, 1000},
		"full/pct:0.01/0/default.jpg":                     {}, // less than a pixel
		"full/pct:0.03/0/default.jpg":                     {full, 1, 1},
		"0,0,3000,1/100,/0/default.jpg":                   {}, // less than a pixel high
		"0,0,3000,1/!100,100/0/default.jpg":               {image.Rect(0, 0, 3000, 1), 100, 1},
		"full/^300,/0/default.jpg":                        {full, 300, 200}, // needs no upscaling
		"full/^,300/0/default.jpg":                        {full, 450, 300},
		"full/^pct:50/0/default.jpg":                      {full, 1500, 1000},
		"full/^!300,300/0/default.jpg":                    {full, 300, 200},
		"full/^300,300/0/default.jpg":                     {full, 300, 300},
		"full/^4001,/0/default.jpg":                       {}, // over the limit
		"full/^pct:999999999/0/default.jpg":               {},
		"full/^999999999,999999999/0/default.jpg":         {},
		"full/300,300/0/default.jpg":                      {full, 300, 300},
		"full/!300,300/0/default.jpg":                     {full, 300, 200},
		"full/!9000,9000/0/default.jpg":                   {full, 3000, 2000},
		"0,0,512,512/!100,900/0/default.jpg":              {image.Rect(0, 0, 512, 512), 100, 100},
		"full/max/90/default.jpg":                         {full, 3000, 2000},
		"full/max/!270/gray.png":                          {full, 3000, 2000},
		"full/max/360/color.png":                          {full, 3000, 2000},
		"full/max/90.0/default.jpg":                       {full, 3000, 2000},
		"999999999,0,1,1/max/0/default.jpg":               {},
		"3000,0,10,10/max/0/default.jpg":                  {},
		"0,0,999999999,999999999/max/0/default.jpg":       {full, 3000, 2000},
		"full/3001,/0/default.jpg":                        {},
		"full/,2001/0/default.jpg":                        {},
		"full/100,2001/0/default.jpg":                     {},
		"0,0,10,10/11,/0/default.jpg":                     {},
		"pct:0,0,0.001,0.001/max/0/default.jpg":           {},
		"pct:99.999,99.999,0.001,0.001/max/0/default.jpg": {},
	} {
		p := strings.Split(address, "/")
		q, err := Parse(p[0], p[1], p[2], p[3])
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		got, err := q.Of(3000, 2000, limits)
		if (err == nil) != (want != Cut{}) || got != want {
			t.Errorf("%s: %+v, %v; want %+v", address, got, err, want)
		}
	}
}

func TestRequests_ThatAreRefused(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]struct {
		part string
		err  error
	}{
		"whole/max/0/default.jpg":                  {"region", ErrSyntax},
		"/max/0/default.jpg":                       {"region", ErrSyntax},
		"1,2,3/max/0/default.jpg":                  {"region", ErrSyntax},
		"1,2,3,4,5/max/0/default.jpg":              {"region", ErrSyntax},
		"0,0,0,10/max/0/default.jpg":               {"region", ErrSyntax},
		"-1,0,10,10/max/0/default.jpg":             {"region", ErrSyntax},
		"1.5,0,10,10/max/0/default.jpg":            {"region", ErrSyntax},
		"0x1,0,10,10/max/0/default.jpg":            {"region", ErrSyntax},
		"pct:1e1,0,10,10/max/0/default.jpg":        {"region", ErrSyntax},
		"pct:NaN,0,10,10/max/0/default.jpg":        {"region", ErrSyntax},
		"pct:Inf,0,10,10/max/0/default.jpg":        {"region", ErrSyntax},
		"pct:100,0,10,10/max/0/default.jpg":        {"region", ErrSyntax},
		"0,0,1,99999999999999/max/0/default.jpg":   {"region", ErrSyntax},
		"full/0,/0/default.jpg":                    {"size", ErrSyntax},
		"full/,/0/default.jpg":                     {"size", ErrSyntax},
		"full/full/0/default.jpg":                  {"size", ErrSyntax},
		"full/!10,/0/default.jpg":                  {"size", ErrSyntax},
		"full/pct:0/0/default.jpg":                 {"size", ErrSyntax},
		"full/pct:/0/default.jpg":                  {"size", ErrSyntax},
		"full/pct:.5x/0/default.jpg":               {"size", ErrSyntax},
		"full/pct:101/0/default.jpg":               {"size", ErrTooLarge},
		"full/10,-10/0/default.jpg":                {"size", ErrSyntax},
		"full/99999999999999999999,/0/default.jpg": {"size", ErrSyntax},
		"full/^/0/default.jpg":                     {"size", ErrSyntax},
		"full/^^10,/0/default.jpg":                 {"size", ErrSyntax},
		"full/!^10,10/0/default.jpg":               {"size", ErrSyntax},
		"full/^nonsense/0/default.jpg":             {"size", ErrSyntax},
		"full/max/45/default.jpg":                  {"rotation", ErrUnsupported},
		"full/max/22.5/default.jpg":                {"rotation", ErrUnsupported},
		"full/max/361/default.jpg":                 {"rotation", ErrSyntax},
		"full/max/-90/default.jpg":                 {"rotation", ErrSyntax},
		"full/max/!/default.jpg":                   {"rotation", ErrSyntax},
		"full/max/x/default.jpg":                   {"rotation", ErrSyntax},
		"full/max/0/bitonal.jpg":                   {"quality", ErrUnsupported},
		"full/max/0/native.jpg":                    {"quality", ErrSyntax},
		"full/max/0/.jpg":                          {"quality", ErrSyntax},
		"full/max/0/default.webp":                  {"format", ErrUnsupported},
		"full/max/0/default.exe":                   {"format", ErrSyntax},
		"full/max/0/default":                       {"format", ErrSyntax},
		"full/max/0/default.":                      {"format", ErrSyntax},
	} {
		p := strings.Split(address, "/")
		_, err := Parse(p[0], p[1], p[2], p[3])
		var problem *Problem
		if !errors.As(err, &problem) || problem.Part != want.part || !errors.Is(err, want.err) {
			t.Errorf("%s: %v, want %s: %v", address, err, want.part, want.err)
		}
	}
}

// What would have to be made larger is told from what is wrong, and from what is
// over the limits.
func TestRequests_ThatNeedUpscaling(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"^max": ErrUpscaling, "^pct:120": ErrUpscaling, "^3100,": ErrUpscaling, "^,2100": ErrUpscaling, "^3100,10": ErrUpscaling,
		"^!3300,3300": ErrUpscaling, "^9000,": ErrUpscaling, "pct:120": ErrTooLarge, "3100,": ErrTooLarge, "max": nil, "^pct:0.01": ErrSyntax,
	} {
		q, err := Parse("full", text, "0", "default.jpg")
		if err == nil {
			_, err = q.Of(3000, 2000, limits)
		}
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

func TestMax_KeepsTheLimits(t *testing.T) {
	t.Parallel()
	q, err := Parse("full", "max", "0", "default.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range []image.Point{{12000, 9000}, {60000, 10}, {4001, 4001}, {1, 60000}} {
		c, err := q.Of(side.X, side.Y, limits)
		if err != nil || c.W > limits.Width || c.H > limits.Height || c.W*c.H > limits.Area || c.W < 1 || c.H < 1 {
			t.Errorf("%v: %+v, %v", side, c, err)
		}
	}
}

// A picture of four colours tells how it was turned.
func TestWrite_MirrorsThenTurnsClockwise(t *testing.T) {
	t.Parallel()
	a, b, c, d := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}, color.RGBA{255, 255, 255, 255}
	for rotation, want := range map[string][4]color.RGBA{ // top left, top right, bottom left, bottom right
		"0": {a, b, c, d}, "90": {c, a, d, b}, "180": {d, c, b, a}, "270": {b, d, a, c},
		"!0": {b, a, d, c}, "!90": {d, b, c, a}, "!180": {c, d, a, b}, "!270": {a, c, b, d},
	} {
		img := image.NewRGBA(image.Rect(0, 0, 2, 2))
		for i, at := range []color.RGBA{a, b, c, d} {
			img.SetRGBA(i%2, i/2, at)
		}
		q, err := Parse("full", "max", rotation, "default.png")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := q.Write(&out, img); err != nil {
			t.Fatal(err)
		}
		got, err := png.Decode(&out)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			if color.RGBAModel.Convert(got.At(i%2, i/2)) != w {
				t.Errorf("rotation %s: pixel %d is %v, want %v", rotation, i, got.At(i%2, i/2), w)
			}
		}
	}
}

func TestWrite_Gray(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"gray.jpg", "gray.png"} {
		q, err := Parse("full", "max", "0", file)
		if err != nil {
			t.Fatal(err)
		}
		img := image.NewRGBA(image.Rect(0, 0, 8, 8))
		for i := range img.Pix {
			img.Pix[i] = []byte{200, 40, 40, 255}[i%4]
		}
		var out bytes.Buffer
		if err := q.Write(&out, img); err != nil {
			t.Fatal(err)
		}
		got, _, err := image.Decode(&out)
		if err != nil {
			t.Fatal(err)
		}
		if r, g, b, _ := got.At(3, 3).RGBA(); r != g || g != b {
			t.Errorf("%s is coloured: %d %d %d", file, r, g, b)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("full", "max", "0", "default.jpg", 3000, 2000)
	f.Add("pct:0.1,99.9,100,100", "!1,999999999", "!270", "gray.png", 1, 65000)
	f.Add("square", "pct:0.0000001", "360.000", "color.jpg", 60000, 1)
	f.Add("0,0,1,1", "^9,", "90", "bitonal.tif", 7, 7)
	f.Fuzz(func(t *testing.T, region, size, rotation, file string, w, h int) {
		if w < 1 || h < 1 || w > 70_000 || h > 70_000 {
			t.Skip()
		}
		q, err := Parse(region, size, rotation, file)
		if err == nil {
			var c Cut
			if c, err = q.Of(w, h, limits); err == nil {
				if c.Region.Empty() || !c.Region.In(image.Rect(0, 0, w, h)) || c.W < 1 || c.H < 1 ||
					c.W > c.Region.Dx() || c.H > c.Region.Dy() || c.W > limits.Width || c.H > limits.Height || c.W*c.H > limits.Area {
					t.Fatalf("%+v of %d×%d", c, w, h)
				}
				again := strings.Split(q.Canonical(c, w, h, limits), "/")
				r, err := Parse(again[0], again[1], again[2], again[3])
				if err != nil {
					t.Fatalf("canonical %v: %v", again, err)
				}
				if d, err := r.Of(w, h, limits); err != nil || d != c {
					t.Fatalf("canonical %v: %+v, %v; want %+v", again, d, err, c)
				}
				return
			}
		}
		var problem *Problem
		if !errors.As(err, &problem) {
			t.Fatalf("an error that says nothing: %v", err)
		}
	})
}
