package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"testing"
	"time"
)

// quarters is what testdata/quarters.heic shows: red, green, blue and grey quarters, 64×48.
func quarters() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			c := color.RGBA{200, 200, 200, 255}
			switch {
			case x < 32 && y < 24:
				c = color.RGBA{220, 40, 30, 255}
			case y < 24:
				c = color.RGBA{30, 170, 60, 255}
			case x < 32:
				c = color.RGBA{40, 60, 200, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// withProperties adds properties to the primary picture of quarters.heic.
func withProperties(tb testing.TB, heic []byte, properties ...[]byte) []byte {
	tb.Helper()
	be := binary.BigEndian
	meta := bytes.Index(heic, []byte("meta")) - 4
	ipco, ipma := bytes.Index(heic, []byte("ipco"))-4, bytes.Index(heic, []byte("ipma"))-4
	iprp := bytes.Index(heic, []byte("iprp")) - 4
	var added, owned []byte
	for i, p := range properties {
		added = append(added, p...)
		owned = append(owned, byte(5+i))
	}
	ipcoEnd := ipco + int(be.Uint32(heic[ipco:]))
	ipmaEnd := ipma + int(be.Uint32(heic[ipma:]))
	if ipcoEnd != ipma {
		tb.Fatal("the sample is built differently")
	}
	out := bytes.Clone(heic[:ipcoEnd])
	out = append(out, added...)
	out = append(out, heic[ipma:ipmaEnd]...)
	out = append(out, owned...)
	out = append(out, heic[ipmaEnd:]...)
	grow := func(at, by int) { be.PutUint32(out[at:], be.Uint32(out[at:])+uint32(by)) }
	grow(meta, len(added)+len(owned))
	grow(iprp, len(added)+len(owned))
	grow(ipco, len(added))
	moved := ipma + len(added)
	grow(moved, len(owned))
	// The last item's associations are the primary's: their number is before the two old ones.
	out[moved+int(be.Uint32(out[moved:]))-len(owned)-3] += byte(len(owned))
	// The place of the coded data moves, too: item 1, four bytes behind 14 of the box's beginning.
	iloc := bytes.Index(out, []byte("iloc")) - 4
	for at := iloc; at < iloc+int(be.Uint32(out[iloc:]))-4; at++ {
		if v := be.Uint32(out[at:]); v == uint32(bytes.Index(heic, []byte("mdat"))+4) {
			grow(at, len(added)+len(owned))
			return out
		}
	}
	tb.Fatal("no place of the coded data")
	return nil
}

func property(name string, body ...byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(append(out, name...), body...)
}

// A phone's HEIC says with irot (quarter turns to the left) and imir (0: top and bottom change
// places, 1: left and right do) how it is to be shown. Both must be applied, once.
func TestHEICIsTurnedOnce(t *testing.T) {
	plain := file(t, "quarters.heic")
	for turns := range 4 {
		for mirror := -1; mirror <= 1; mirror++ {
			t.Run(fmt.Sprintf("%d turns, mirror %d", turns, mirror), func(t *testing.T) {
				want := quarters()
				// 1 turn to the left is EXIF 8.
				want = orient(want, [4]int{1, 8, 3, 6}[turns])
				properties := [][]byte{property("irot", byte(turns))}
				if mirror >= 0 {
					properties = append(properties, property("imir", byte(mirror)))
					want = orient(want, [2]int{4, 2}[mirror])
				}
				data := withProperties(t, plain, properties...)
				info, err := Inspect(bytes.NewReader(data), int64(len(data)), Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if info.Width != want.Rect.Dx() || info.Height != want.Rect.Dy() || info.Orientation != 1 {
					t.Errorf("info %+v", info)
				}
				got, _, err := Decode(data, Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if p := psnr(t, got, want); p < 30 {
					t.Errorf("%.1f dB", p)
				}
				small, _, err := DecodeFit(data, 16, 16, Limits{})
				if err != nil || max(small.Rect.Dx(), small.Rect.Dy()) != 16 || min(small.Rect.Dx(), small.Rect.Dy()) != 12 {
					t.Errorf("fitted to %v, %v", small.Rect, err)
				}
			})
		}
	}
}

func TestHEICBombsAndDamage(t *testing.T) {
	plain := file(t, "quarters.heic")
	sized := func(w, h uint32) []byte {
		b := bytes.Clone(plain)
		at := bytes.LastIndex(b, []byte("ispe"))
		binary.BigEndian.PutUint32(b[at+8:], w)
		binary.BigEndian.PutUint32(b[at+12:], h)
		return b
	}
	single := func(w, h uint32) []byte {
		b := file(t, "single.heic")
		at := bytes.Index(b, []byte("ispe"))
		binary.BigEndian.PutUint32(b[at+8:], w)
		binary.BigEndian.PutUint32(b[at+12:], h)
		return b
	}
	if _, _, err := Decode(single(64, 64), Limits{}); err != nil {
		t.Fatal(err)
	}
	coded := bytes.ReplaceAll(plain, []byte("hvc1"), []byte("av01"))
	coded = bytes.ReplaceAll(coded, []byte("grid"), []byte("av01"))
	for name, c := range map[string]struct {
		data []byte
		lim  Limits
		want error
	}{
		"50000 a side":         {sized(50000, 50000), Limits{}, ErrTooLarge},
		"4 thousand million":   {sized(1<<32-1, 1<<32-1), Limits{}, ErrUnreadable},
		"larger than its data": {sized(640, 480), Limits{}, ErrUnreadable},
		"single, larger":       {single(640, 640), Limits{}, ErrUnreadable},
		"single, smaller":      {single(64, 62), Limits{}, ErrUnreadable},
		"tile larger": {func() []byte {
			b := bytes.Clone(plain)
			b[bytes.Index(b, []byte("ispe"))+11] = 72
			return b
		}(), Limits{}, ErrUnreadable},
		"no pixels":   {sized(0, 48), Limits{}, ErrUnreadable},
		"other codec": {coded, Limits{}, ErrUnsupported},
		"memory":      {plain, Limits{Memory: 1 << 20}, ErrTooLarge},
		"time":        {plain, Limits{Time: time.Nanosecond}, ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := Decode(c.data, c.lim); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	for n := 1; n < len(plain); n += max(1, len(plain)/100) {
		if _, _, err := Decode(plain[:n], Limits{}); !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrNotPhoto) {
			t.Errorf("first %d of %d bytes: %v", n, len(plain), err)
		}
	}
}

// With EXIF and a profile. The orientation in the EXIF block does not count in a HEIC (ISO/IEC 23008-12:
// irot and imir do); were it applied, too, phones' photos would be turned twice.
func TestHEICWithEXIFAndProfile(t *testing.T) {
	data := file(t, "exif.heic")
	got, info, err := Decode(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	taken := time.Date(2024, 11, 5, 10, 20, 30, 0, time.FixedZone("", 8*3600))
	if info.Camera != "Canon EOS R5" || !info.CapturedAt.Equal(taken) || info.Profile != "Display P3" || info.Orientation != 1 {
		t.Errorf("info %+v", info)
	}
	want := stored(quarters(), 6)
	p, _ := readICC(displayP3())
	conv, _ := newConversion(p)
	conv.apply(want)
	if p := psnr(t, got, want); p < 25 {
		t.Errorf("%.1f dB", p)
	}
}
