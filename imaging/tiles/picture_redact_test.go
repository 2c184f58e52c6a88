package tiles

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"math"
	"math/rand"
	"testing"

	"flawmark/imaging/photo"
)

// secret is a scene whose part r depends on the seed.
func secret(w, h int, seed int64, parts ...image.Rectangle) *image.RGBA {
	img := scene(w, h)
	r := rand.New(rand.NewSource(seed))
	for _, p := range parts {
		for y := p.Min.Y; y < p.Max.Y; y++ {
			for x := p.Min.X; x < p.Max.X; x++ {
				img.SetRGBA(x, y, color.RGBA{byte(r.Intn(256)), byte(r.Intn(256)), byte(r.Intn(256)), 255})
			}
		}
	}
	return img
}

// everything is all that can be seen of a picture.
func everything(t *testing.T, p *Picture) map[any][]byte {
	t.Helper()
	ctx := context.Background()
	out := map[any][]byte{}
	for _, at := range allTiles(p) {
		out[at] = tileAt(t, p, at).Pix
		file, err := p.JPEG(ctx, at.level, at.col, at.row)
		if err != nil {
			t.Fatal(err)
		}
		out[[2]any{"jpeg", at}] = file
	}
	w, h := p.Size()
	r := rand.New(rand.NewSource(9))
	for range 6 {
		part := somewhere(r, w, h)
		nw, nh := 1+r.Intn(300), 1+r.Intn(300)
		img, err := p.Region(ctx, part, nw, nh)
		if err != nil {
			t.Fatal(err)
		}
		out[[2]any{part, image.Pt(nw, nh)}] = img.Pix
	}
	return out
}

// TestRedacted_LeavesNoTrace: two originals that differ only inside the rectangles look the same.
func TestRedacted_LeavesNoTrace(t *testing.T) {
	t.Parallel()
	const w, h = 1290, 661
	hidden := []image.Rectangle{image.Rect(101, 203, 333, 290), image.Rect(480, 500, 550, 530), image.Rect(900, 600, w, h), image.Rect(700, 10, 701, 12)}
	files := func(o int, seed int64) map[string][]byte {
		img := secret(w, h, seed, hidden...)
		return map[string][]byte{"jpeg": turned(jpegOf(t, img, 90), o), "png": pngOf(t, img)}
	}
	for _, o := range []int{1, 6} {
		a, b := files(o, 1), files(o, 2)
		for kind := range a {
			if kind == "png" && o > 1 {
				continue
			}
			one, two := pictures(t, a[kind], kind == "jpeg", 75), pictures(t, b[kind], kind == "jpeg", 75)
			for how, p := range one {
				q := two[how]
				pw, ph := p.Size()
				var rects []image.Rectangle
				for _, r := range hidden {
					rects = append(rects, p.turn.oriented(r, pw, ph))
				}
				p, q = p.Redacted(rects, nil), q.Redacted(rects, nil)
				first, second := everything(t, p), everything(t, q)
				for what, v := range first {
					if !bytes.Equal(v, second[what]) {
						t.Errorf("%s %d %s: %v tells what is hidden", kind, o, how, what)
					}
				}
				// Without, they do differ: the test can fail.
				if bytes.Equal(tileAt(t, one[how], place{p.Levels() - 1, 0, 0}).Pix, tileAt(t, two[how], place{p.Levels() - 1, 0, 0}).Pix) {
					t.Errorf("%s %d %s: nothing was to be hidden", kind, o, how)
				}
			}
		}
	}
}

// TestRedacted_PaintsNoMore: all of the rectangle is painted, and what is farther away is not touched.
func TestRedacted_PaintsNoMore(t *testing.T) {
	t.Parallel()
	data := turned(jpegOf(t, scene(1290, 1061), 90), 8)
	red := color.RGBA{200, 10, 20, 255}
	rect := image.Rect(333, 420, 600, 500)
	for how, plain := range pictures(t, data, true, 85) {
		p := plain.Redacted([]image.Rectangle{rect}, red)
		for level := range p.Levels() {
			b := p.pyramid.bounds(level)
			got, err := p.pixels(context.Background(), level, b)
			if err != nil {
				t.Fatal(err)
			}
			was, err := plain.pixels(context.Background(), level, b)
			if err != nil {
				t.Fatal(err)
			}
			inner, outer := p.pyramid.within(rect, level), coarser(rect, level).Inset(-40)
			for y := range b.Max.Y {
				for x := range b.Max.X {
					at := image.Pt(x, y)
					if at.In(inner) && got.RGBAAt(x, y) != red {
						t.Fatalf("%s: level %d at %v is %v", how, level, at, got.RGBAAt(x, y))
					}
					if !at.In(outer) && got.RGBAAt(x, y) != was.RGBAAt(x, y) {
						t.Fatalf("%s: level %d at %v is changed", how, level, at)
					}
				}
			}
			for _, at := range allTiles(p) {
				if at.level == level && !bytes.Equal(tileAt(t, p, at).Pix, part(got, p.pyramid.tile(at))) {
					t.Errorf("%s: tile %v is not that part of its level", how, at)
				}
			}
		}
		if how == "index and pack" {
			far, err := p.JPEG(context.Background(), 1, 0, 0)
			if err != nil || decibels(decoded(t, far), tileAt(t, p, place{1, 0, 0})) < 30 {
				t.Errorf("JPEG of a redacted tile: %v", err)
			}
		}
		again := p.Redacted([]image.Rectangle{image.Rect(0, 0, 50, 50)}, nil)
		if c := tileAt(t, again, place{0, 0, 0}).RGBAAt(5, 5); c != red || again.Name() == p.Name() || p.Name() == plain.Name() {
			t.Errorf("%s: a second redaction is %v; names %s, %s", how, c, p.Name(), again.Name())
		}
	}
}

// TestRedacted_OptimisedTablesAreNotServed: they count what is hidden.
func TestRedacted_OptimisedTablesAreNotServed(t *testing.T) {
	t.Parallel()
	all := files(t)
	for name, lossless := range map[string]bool{"420.jpg": true, "420-optimised.jpg": false} {
		data := all[name]
		x := indexed(t, data)
		p, err := Open(bytes.NewReader(data), int64(len(data)), x, nil, photo.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		w, h := p.Size()
		if w <= TileSide && h <= TileSide {
			// One tile only: hide nothing of it, but be a redacted picture.
			q := *p
			q.covers = []image.Rectangle{image.Rect(w+100, h+100, w+101, h+101)}
			file, err := q.JPEG(context.Background(), 0, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			own, err := x.Tile(bytes.NewReader(data), 0, 0, w, h)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(file, own) != lossless {
				t.Errorf("%s: served as it is: %t", name, !lossless)
			}
		}
	}
}

// profileSegment wraps an ICC profile for a JPEG.
func profileSegment(icc []byte) []byte {
	body := append([]byte("ICC_PROFILE\x00\x01\x01"), icc...)
	out := binary.BigEndian.AppendUint16([]byte{0xFF, markAPP2}, uint16(len(body)+2))
	return append(out, body...)
}

// wideProfile is a matrix profile with the primaries of Display P3 and a gamma of 2.2.
func wideProfile() []byte {
	be := binary.BigEndian
	fixed := func(v float64) uint32 { return uint32(int32(math.Round(v * 65536))) }
	xyz := func(v [3]float64) []byte {
		b := append([]byte("XYZ "), 0, 0, 0, 0)
		for _, c := range v {
			b = be.AppendUint32(b, fixed(c))
		}
		return b
	}
	gamma := append(append([]byte("curv"), 0, 0, 0, 0, 0, 0, 0, 1), 0x02, 0x33, 0, 0)
	tags := []struct {
		name string
		data []byte
	}{
		{"rXYZ", xyz([3]float64{0.5151187, 0.2411892, -0.0010505})},
		{"gXYZ", xyz([3]float64{0.2919778, 0.6922441, 0.0418791})},
		{"bXYZ", xyz([3]float64{0.1571035, 0.0665668, 0.7840713})},
		{"wtpt", xyz([3]float64{0.9642, 1, 0.8249})},
		{"rTRC", gamma},
		{"gTRC", gamma},
		{"bTRC", gamma},
	}
	head := make([]byte, 128)
	copy(head[4:], "none")
	be.PutUint32(head[8:], 0x02400000)
	copy(head[12:], "mntrRGB XYZ ")
	copy(head[36:], "acsp")
	be.PutUint32(head[68:], fixed(0.9642))
	be.PutUint32(head[72:], fixed(1))
	be.PutUint32(head[76:], fixed(0.8249))
	table := be.AppendUint32(nil, uint32(len(tags)))
	at := 128 + 4 + 12*len(tags)
	var data []byte
	for _, t := range tags {
		table = append(table, t.name...)
		table = be.AppendUint32(be.AppendUint32(table, uint32(at+len(data))), uint32(len(t.data)))
		data = append(data, t.data...)
	}
	out := append(append(head, table...), data...)
	be.PutUint32(out, uint32(len(out)))
	return out
}
