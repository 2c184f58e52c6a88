package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"runtime"
	"testing"
	"time"
)

func TestInspectTellsTheHeader(t *testing.T) {
	data := withSegments(jpegOf(t, scene(120, 80), 90), exifSegment(6))
	info, err := Inspect(bytes.NewReader(data), int64(len(data)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := Info{Kind: JPEG, Width: 80, Height: 120, Orientation: 6, Bytes: int64(len(data)), Camera: "Canon EOS R5"}
	taken := time.Date(2024, 11, 5, 10, 20, 30, 0, time.FixedZone("", 8*3600))
	if !info.CapturedAt.Equal(taken) {
		t.Errorf("captured at %v, want %v", info.CapturedAt, taken)
	}
	info.CapturedAt = time.Time{}
	if info.Memory < 4*80*120 || info.Memory > 8<<20 {
		t.Errorf("memory %d", info.Memory)
	}
	info.Memory = 0
	if info != want {
		t.Errorf("got %+v, want %+v", info, want)
	}
}

func TestInspectKinds(t *testing.T) {
	heic := append([]byte("\x00\x00\x00\x18ftypheic"), make([]byte, 100)...)
	for _, c := range []struct {
		name string
		data []byte
		kind Kind
		w, h int
		err  error
	}{
		{"png", pngOf(t, scene(30, 20)), PNG, 30, 20, nil},
		{"progressive", file(t, "video-001.progressive.jpeg"), JPEG, 150, 103, nil},
		{"webp lossy", file(t, "blue-purple-pink.lossy.webp"), WebP, 150, 100, nil},
		{"webp lossless", file(t, "blue-purple-pink.lossless.webp"), WebP, 150, 100, nil},
		{"heic of zeros", heic, HEIC, 0, 0, ErrTruncated},
		{"gif", []byte("GIF89a0123456789"), "", 0, 0, ErrUnsupported},
		{"raw or tiff", []byte("II*\x00\x10\x00\x00\x00CR\x02\x00"), "", 0, 0, ErrUnsupported},
		{"empty", nil, "", 0, 0, ErrEmpty},
		{"text", []byte("Dear customer, this is not a photo at all."), "", 0, 0, ErrNotPhoto},
		{"one byte of text", []byte("D"), "", 0, 0, ErrNotPhoto},
		{"mp4", append([]byte("\x00\x00\x00\x18ftypisom"), make([]byte, 100)...), "", 0, 0, ErrNotPhoto},
		{"jpeg of two bytes", []byte("\xff\xd8"), "", 0, 0, ErrTruncated},
		{"png of four bytes", []byte("\x89PNG"), "", 0, 0, ErrTruncated},
		{"jpeg of marks only", []byte("\xff\xd8\xff\xd9"), JPEG, 0, 0, ErrUnreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			info, err := Inspect(bytes.NewReader(c.data), int64(len(c.data)), DefaultLimits())
			if !errors.Is(err, c.err) || (c.err == nil) != (err == nil) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if info.Kind != c.kind || info.Width != c.w || info.Height != c.h {
				t.Errorf("got %s %d×%d, want %s %d×%d", info.Kind, info.Width, info.Height, c.kind, c.w, c.h)
			}
			if c.name == "progressive" != info.Progressive {
				t.Errorf("progressive is %v", info.Progressive)
			}
		})
	}
}

// A file cut anywhere must be seen as such by the cheap check, or at the latest by the decoder.
func TestTruncatedAnywhere(t *testing.T) {
	for name, data := range map[string][]byte{
		"jpeg":        withSegments(jpegOf(t, scene(200, 150), 85), exifSegment(3)),
		"progressive": file(t, "video-001.progressive.jpeg"),
		"png":         pngOf(t, scene(64, 64)),
		"webp":        file(t, "blue-purple-pink.lossy.webp"),
	} {
		t.Run(name, func(t *testing.T) {
			for n := 1; n < len(data); n += max(1, len(data)/400) {
				cut := data[:n]
				if _, err := Inspect(bytes.NewReader(cut), int64(n), DefaultLimits()); !errors.Is(err, ErrTruncated) {
					t.Fatalf("Inspect of the first %d of %d bytes: %v", n, len(data), err)
				}
				if _, _, err := Decode(cut, DefaultLimits()); !errors.Is(err, ErrTruncated) {
					t.Fatalf("Decode of the first %d of %d bytes: %v", n, len(data), err)
				}
			}
		})
	}
}

// A copy that reserves the full length first leaves zeros at the end.
func TestTruncatedWithZerosAtTheEnd(t *testing.T) {
	data := jpegOf(t, scene(300, 300), 85)
	clear(data[len(data)/2:])
	if _, err := Inspect(bytes.NewReader(data), int64(len(data)), Limits{}); !errors.Is(err, ErrTruncated) {
		t.Errorf("got %v", err)
	}
}

// Data missing in the middle, with the end mark in place, is found by the decoder.
func TestHoleInTheMiddle(t *testing.T) {
	data := jpegOf(t, scene(300, 300), 85)
	hole := append(bytes.Clone(data[:len(data)/2]), 0xFF, markEOI)
	_, _, err := Decode(hole, Limits{})
	if !errors.Is(err, ErrTruncated) {
		t.Errorf("got %v", err)
	}
}

func TestTrailingBytesAreNoTruncation(t *testing.T) {
	data := append(jpegOf(t, scene(64, 64), 85), make([]byte, 200_000)...)
	if _, _, err := Decode(data, Limits{}); err != nil {
		t.Error(err)
	}
}

func TestBombsCostNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		err  error
	}{
		{"jpeg 60000×60000", jpegBomb(t, 60000, 60000), ErrTooLarge},
		{"jpeg of too long a side", jpegBomb(t, 65535, 8), ErrTooLarge},
		{"jpeg within the limits but without data", jpegBomb(t, 14000, 14000), ErrTruncated},
		{"png 50000×50000", pngBomb(t, 50000, 50000), ErrTooLarge},
		{"png within the limits but without data", pngBomb(t, 14000, 14000), ErrTruncated},
		{"png of absurd size", pngBomb(t, 1<<31-1, 1<<31-1), ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := Decode(c.data, Limits{})
			runtime.ReadMemStats(&after)
			if !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
				t.Errorf("took %d bytes of memory", got)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	data := jpegOf(t, scene(100, 50), 85)
	for _, c := range []struct {
		lim Limits
		err error
	}{
		{Limits{Bytes: int64(len(data))}, nil},
		{Limits{Bytes: int64(len(data)) - 1}, ErrTooLarge},
		{Limits{Pixels: 5000}, nil},
		{Limits{Pixels: 4999}, ErrTooLarge},
		{Limits{Side: 100}, nil},
		{Limits{Side: 99}, ErrTooLarge},
	} {
		t.Run(fmt.Sprintf("%+v", c.lim), func(t *testing.T) {
			_, _, err := Decode(data, c.lim)
			if !errors.Is(err, c.err) || (c.err == nil) != (err == nil) {
				t.Errorf("got %v, want %v", err, c.err)
			}
		})
	}
}

func TestOtherForms(t *testing.T) {
	deep := image.NewNRGBA64(image.Rect(0, 0, 20, 10))
	for i := range deep.Pix {
		deep.Pix[i] = 0xC0
	}
	for y := range 10 {
		for x := range 20 {
			c := deep.NRGBA64At(x, y)
			c.A = 0xFFFF
			deep.SetNRGBA64(x, y, c)
		}
	}
	clearPNG := image.NewNRGBA(image.Rect(0, 0, 4, 4))
	gray := image.NewGray(image.Rect(0, 0, 20, 10))
	for i := range gray.Pix {
		gray.Pix[i] = 77
	}
	for _, c := range []struct {
		name string
		data []byte
		want color.RGBA
		tol  int
	}{
		{"16-bit png", pngOf(t, deep), color.RGBA{0xC0, 0xC0, 0xC0, 255}, 0},
		{"transparent png lies over white", pngOf(t, clearPNG), color.RGBA{255, 255, 255, 255}, 0},
		{"gray jpeg", jpegOf(t, gray, 95), color.RGBA{77, 77, 77, 255}, 1},
		{"gray png", pngOf(t, gray), color.RGBA{77, 77, 77, 255}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			img, _, err := Decode(c.data, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			want := image.NewRGBA(img.Rect)
			for y := range img.Rect.Dy() {
				for x := range img.Rect.Dx() {
					want.SetRGBA(x, y, c.want)
				}
			}
			if d := worst(t, img, want); d > c.tol {
				t.Errorf("differs by %d", d)
			}
		})
	}
}
