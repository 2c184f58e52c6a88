package tiles

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// failer is what testing.TB and rapid.T have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// stored is the index after a way through its stored form.
func stored(t failer, x *Index) *Index {
	t.Helper()
	b, err := x.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Unmarshal(b, x.Digest(), x.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestIndex_SurvivesItsStoredForm(t *testing.T) {
	t.Parallel()
	for name, data := range files(t) {
		x := indexed(t, data)
		again := stored(t, x)
		if !reflect.DeepEqual(x.entries, again.entries) || again.orientation != x.orientation || !reflect.DeepEqual(x.head.full, again.head.full) {
			t.Errorf("%s: not the same", name)
		}
		a, _ := x.MarshalBinary()
		if b, _ := again.MarshalBinary(); !bytes.Equal(a, b) {
			t.Errorf("%s: not stored the same again", name)
		}
	}
}

func TestUnmarshal_RefusesOtherPhotosAndDamage(t *testing.T) {
	t.Parallel()
	data := files(t)["420.jpg"]
	x := indexed(t, data)
	good, err := x.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(data))
	if _, err := Unmarshal(good, qc.DigestOf([]byte("another")), size); !errors.Is(err, ErrMismatch) {
		t.Errorf("another photo: %v", err)
	}
	if _, err := Unmarshal(good, x.Digest(), size+1); !errors.Is(err, ErrMismatch) {
		t.Errorf("another size: %v", err)
	}
	for n := range good {
		if _, err := Unmarshal(good[:n], x.Digest(), size); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("the first %d of %d bytes: %v", n, len(good), err)
		}
		bad := bytes.Clone(good)
		bad[n] ^= 0x40
		if _, err := Unmarshal(bad, x.Digest(), size); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("damage at %d: %v", n, err)
		}
	}
	newer := bytes.Clone(good)
	newer[len(magic)]++
	if _, err := Unmarshal(sealed(newer[:len(newer)-4]), x.Digest(), size); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a newer version: %v", err)
	}
	if _, err := Unmarshal(sealed(append(good[:len(good)-4:len(good)-4], 0)), x.Digest(), size); !errors.Is(err, ErrCorrupt) {
		t.Errorf("more than an index: %v", err)
	}
}

// sealed appends a right checksum.
func sealed(body []byte) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, castagnoli))
}

func TestBuild_RefusesFilesThatEndEarly(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"420.jpg", "grey-optimised.jpg", "422-restart-5.jpg"} {
		data := files(t)[name]
		for n := 0; n < len(data); n += 1 + n/50 {
			for what, cut := range map[string][]byte{
				"cut":            data[:n],
				"cut and closed": append(bytes.Clone(data[:n]), 0xFF, 0xD9),
				"zeros after":    append(bytes.Clone(data[:n]), make([]byte, len(data)-n)...),
			} {
				if bytes.Equal(cut, data) {
					continue
				}
				_, err := Build(cut, qc.DigestOf(cut), photo.Limits{})
				if err == nil && what == "cut and closed" && len(data)-n <= 2 {
					continue // whole again
				}
				if err == nil {
					t.Fatalf("%s: %s at %d of %d was indexed", name, what, n, len(data))
				}
			}
		}
	}
}

func TestBuild_SaysWhatCannotBeIndexed(t *testing.T) {
	t.Parallel()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("../photo/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var p bytes.Buffer
	if err := png.Encode(&p, image.NewRGBA(image.Rect(0, 0, 20, 20))); err != nil {
		t.Fatal(err)
	}
	sound := files(t)["420.jpg"]
	bright := newCoefficients(40, 40, [2]int{1, 1})
	bright.planes[0].blocks[3][0] = 1024
	edited := func(edit func(b []byte) []byte) []byte { return edit(bytes.Clone(sound)) }
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"brighter than 255": {bright.write(writing{}), ErrNotIndexable},
		"progressive":       {read("video-001.progressive.jpeg"), ErrNotIndexable},
		"cmyk":              {read("video-001.cmyk.jpeg"), ErrNotIndexable},
		"rgb":               {read("video-001.rgb.jpeg"), ErrNotIndexable},
		"4:1:1":             {read("video-001.q50.411.jpeg"), ErrNotIndexable},
		"odd sampling":      {read("video-001.221212.jpeg"), ErrNotIndexable},
		"png":               {p.Bytes(), ErrNotIndexable},
		"text":              {[]byte("not a picture at all"), photo.ErrNotPhoto},
		"empty":             {nil, photo.ErrEmpty},
		"a second scan":     {edited(func(b []byte) []byte { return append(b[:len(b)-2], 0xFF, markSOS, 0, 2, 0xFF, markEOI) }), ErrNotIndexable},
		"arithmetic":        {edited(func(b []byte) []byte { b[bytes.Index(b, []byte{0xFF, 0xC0})+1] = 0xC9; return b }), photo.ErrUnsupported},
		"data beyond":       {edited(func(b []byte) []byte { return append(b[:len(b)-2], 0x55, 0x55, 0xFF, markEOI) }), photo.ErrUnreadable},
		"lost restart mark": {edited(func([]byte) []byte {
			b := bytes.Clone(files(t)["422-restart-5.jpg"])
			return bytes.Replace(b, []byte{0xFF, 0xD3}, nil, 1)
		}), nil},
	} {
		_, err := Build(c.data, qc.DigestOf(c.data), photo.Limits{})
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := Build(sound, qc.DigestOf(sound), photo.Limits{Pixels: 1000}); !errors.Is(err, photo.ErrTooLarge) {
		t.Errorf("over the limits: %v", err)
	}
	if _, err := Build(sound, "none", photo.Limits{}); !errors.Is(err, qc.ErrDigest) {
		t.Errorf("without a digest: %v", err)
	}
	for _, name := range []string{"video-001.jpeg", "video-001.q50.422.jpeg", "video-001.q50.444.jpeg", "video-001.restart2.jpeg", "video-005.gray.jpeg"} {
		data := read(name)
		x := indexed(t, data)
		w, h := x.Size()
		tileOf(t, x, data, image.Rect(0, 0, w, h))
	}
}
