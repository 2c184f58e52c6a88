package tiles

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand"
	"os"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// scene is a picture with soft shapes and edges in colours, like a photo's, of any size.
func scene(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			fx, fy := float64(x), float64(y)
			l := 120 + 50*math.Sin(fx/37) + 40*math.Cos(fy/53+fx/91)
			cb, cr := 40*math.Sin(fy/71+1), 40*math.Cos(fx/83+fy/60)
			img.SetRGBA(x, y, color.RGBA{clamp(l + cr), clamp(l - cb/3 - cr/2), clamp(l + cb), 255})
		}
	}
	return img
}

func clamp(v float64) uint8 { return uint8(min(max(v+0.5, 0), 255)) }

func pngOf(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(tb testing.TB, img *image.RGBA, quality int) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := photo.EncodeJPEG(&b, img, quality); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func packOf(tb testing.TB, data []byte, opt PackOptions) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := WritePack(context.Background(), &b, data, qc.DigestOf(data), photo.Limits{}, opt); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func openPack(tb testing.TB, stored, data []byte) *Pack {
	tb.Helper()
	p, err := OpenPack(bytes.NewReader(stored), int64(len(stored)), qc.DigestOf(data), int64(len(data)))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// decibels is in dB, over colours.
func decibels(a, b *image.RGBA) float64 {
	if a.Rect.Size() != b.Rect.Size() {
		return 0
	}
	var sum float64
	w := a.Rect.Dx()
	for y := range a.Rect.Dy() {
		p, q := a.Pix[y*a.Stride:][:4*w], b.Pix[y*b.Stride:][:4*w]
		for i := range p {
			d := float64(p[i]) - float64(q[i])
			sum += d * d
		}
	}
	if sum == 0 {
		return 200
	}
	return 10 * math.Log10(255*255*float64(3*w*a.Rect.Dy())/sum)
}

// allLevels is the full decode and its box reductions.
func allLevels(tb testing.TB, data []byte) []*image.RGBA {
	tb.Helper()
	out := []*image.RGBA{decoded(tb, data)}
	for max(out[len(out)-1].Rect.Dx(), out[len(out)-1].Rect.Dy()) > TileSide {
		out = append(out, plainHalf(out[len(out)-1]))
	}
	return out
}

func TestPack_HoldsTheLevels(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{1, 1}, {511, 40}, {512, 512}, {513, 300}, {1200, 531}, {8191, 9}, {9, 2049}} {
		plain := jpegOf(t, scene(size[0], size[1]), 95)
		for _, o := range []int{1, 2, 3, 4, 5, 6, 7, 8} {
			if size[0]*size[1] > 1<<16 && o > 1 && o != 3 && o != 6 && size[0] != 1200 {
				continue
			}
			data := turned(plain, o)
			levels := allLevels(t, data)
			for _, complete := range []bool{false, true} {
				stored := packOf(t, data, PackOptions{Complete: complete, Quality: 97, Workers: 1 + o%3})
				p := openPack(t, stored, data)
				w, h := p.Size()
				if (p.First() == 0) != complete || image.Rect(0, 0, w, h) != levels[0].Rect || p.pyramid.levels() != len(levels) {
					t.Fatalf("%v %d: first %d, %d×%d, %d levels", size, o, p.First(), w, h, p.pyramid.levels())
				}
				for n := p.First(); n < len(levels); n++ {
					cols, rows := p.pyramid.grid(n)
					for i := range cols * rows {
						at := place{n, i % cols, i / cols}
						got, err := p.tile(at)
						if err != nil {
							t.Fatal(err)
						}
						if db := decibels(got, cropped(levels[n], p.pyramid.tile(at))); db < 40 {
							t.Errorf("%v orientation %d complete %t: %v has %.1f dB", size, o, complete, at, db)
						}
					}
					whole, err := (&reading{p: &Picture{pack: p, pyramid: p.pyramid}}).stored(n, levels[n].Rect)
					if err != nil {
						t.Fatal(err)
					}
					least := 45.0
					if min(levels[n].Rect.Dx(), levels[n].Rect.Dy()) < 4 {
						least = 40 // a colour sample has no neighbours there
					}
					if db := decibels(whole, levels[n]); db < least {
						t.Errorf("%v orientation %d complete %t: level %d has %.1f dB", size, o, complete, n, db)
					}
				}
				if again := packOf(t, data, PackOptions{Complete: complete, Quality: 97, Workers: 3}); !bytes.Equal(again, stored) {
					t.Errorf("%v orientation %d: not the same bytes again", size, o)
				}
			}
		}
	}
}

func TestPack_OfWhatCannotBeIndexed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"video-001.progressive.jpeg", "video-001.cmyk.jpeg", "video-001.rgb.jpeg", "video-005.gray.jpeg", "video-001.q50.411.jpeg",
		"video-001.q50.440.progressive.jpeg", "blue-purple-pink.lossy.webp", "blue-purple-pink.lossless.webp", "video-001.restart2.jpeg",
	} {
		data, err := os.ReadFile("../photo/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		checkComplete(t, name, data)
	}
	checkComplete(t, "png", pngOf(t, scene(1100, 700)))
}

func checkComplete(t *testing.T, name string, data []byte) {
	t.Helper()
	levels := allLevels(t, data)
	p := openPack(t, packOf(t, data, PackOptions{Complete: true, Quality: 100}), data)
	for n, want := range levels {
		got, err := (&reading{p: &Picture{pack: p, pyramid: p.pyramid}}).stored(n, want.Rect)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if db := decibels(got, want); db < 28 { // colours at half the size cost sharp ones much
			t.Errorf("%s: level %d has %.1f dB", name, n, db)
		}
	}
}

func TestMCUOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]int{
		"../../tiles/testdata/420.jpg": {16, 16}, "video-001.jpeg": {8, 8}, "video-001.q50.444.jpeg": {8, 8}, "video-001.q50.422.jpeg": {16, 8}, "video-001.progressive.jpeg": {8, 8},
		"video-001.q50.440.progressive.jpeg": {8, 16}, "video-001.q50.411.jpeg": {32, 8},
	} {
		data, err := os.ReadFile("../photo/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if w, h := mcuOf(data); w != want[0] || h != want[1] {
			t.Errorf("%s: %d×%d instead of %v", name, w, h, want)
		}
	}
}

// TestPack_Damaged: whatever is lost or changed, opening or reading fails, or the tiles are right.
func TestPack_Damaged(t *testing.T) {
	t.Parallel()
	data := jpegOf(t, scene(700, 530), 80)
	digest := qc.DigestOf(data)
	stored := packOf(t, data, PackOptions{Complete: true, Quality: 20})
	sound := openPack(t, stored, data)
	var want [][]byte
	for i := range sound.Tiles() {
		b, err := sound.jpeg(numbered(sound, i))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, b)
	}
	check := func(what string, at int, bad []byte) {
		t.Helper()
		p, err := OpenPack(bytes.NewReader(bad), int64(len(bad)), digest, int64(len(data)))
		wrong := err != nil
		if err == nil {
			for i := range want {
				b, err := p.jpeg(numbered(p, i))
				if err == nil && !bytes.Equal(b, want[i]) {
					t.Fatalf("%s %d: tile %d is another", what, at, i)
				}
				if err != nil && !errors.Is(err, ErrPack) {
					t.Fatalf("%s %d: %v", what, at, err)
				}
				wrong = wrong || err != nil
			}
		} else if !errors.Is(err, ErrPack) && !errors.Is(err, ErrMismatch) {
			t.Fatalf("%s %d: %v", what, at, err)
		}
		if !wrong {
			t.Fatalf("%s %d was not noticed", what, at)
		}
	}
	for n := range stored {
		check("cut to", n, stored[:n])
	}
	r := rand.New(rand.NewSource(1))
	for at := range stored {
		if at > 200 && at < len(stored)-300 && at%17 > 0 {
			continue
		}
		bad := bytes.Clone(stored)
		bad[at] ^= byte(1 + r.Intn(255))
		check("changed at", at, bad)
	}
	if _, err := OpenPack(bytes.NewReader(stored), int64(len(stored)), qc.DigestOf([]byte("another")), int64(len(data))); !errors.Is(err, ErrMismatch) {
		t.Errorf("for another photo: %v", err)
	}
}

func numbered(p *Pack, i int) place {
	for level := p.first; ; level++ {
		cols, rows := p.pyramid.grid(level)
		if i < cols*rows {
			return place{level, i % cols, i / cols}
		}
		i -= cols * rows
	}
}

func TestWritePack_Fails(t *testing.T) {
	t.Parallel()
	data := jpegOf(t, scene(1300, 1200), 90)
	digest := qc.DigestOf(data)
	full := errors.New("disk full")
	for n := range 20 {
		if err := WritePack(context.Background(), &small{n * 3000, full}, data, digest, photo.Limits{}, PackOptions{}); n < 10 && !errors.Is(err, full) {
			t.Errorf("disk full after %d bytes: %v", 3000*n, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := WritePack(ctx, io.Discard, data, digest, photo.Limits{}, PackOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := WritePack(context.Background(), io.Discard, data[:len(data)/2], digest, photo.Limits{}, PackOptions{}); !errors.Is(err, photo.ErrTruncated) {
		t.Errorf("half a photo: %v", err)
	}
	broken := bytes.Clone(data)
	copy(broken[len(data)/2:], bytes.Repeat([]byte{0xFF, 0xD9}, 40))
	if err := WritePack(context.Background(), io.Discard, broken, digest, photo.Limits{}, PackOptions{}); err == nil {
		t.Error("a damaged photo was packed")
	}
	if err := WritePack(context.Background(), io.Discard, data, "no digest", photo.Limits{}, PackOptions{}); err == nil {
		t.Error("took a digest that is none")
	}
}

// small is a disk with little room.
type small struct {
	left int
	err  error
}

func (s *small) Write(b []byte) (int, error) {
	if s.left -= len(b); s.left < 0 {
		return 0, s.err
	}
	return len(b), nil
}

// FuzzOpenPack: a forged pack, rightly sealed, does no harm.
func FuzzOpenPack(f *testing.F) {
	data := jpegOf(f, scene(40, 30), 40)
	digest := qc.DigestOf(data)
	f.Add(packOf(f, data, PackOptions{Complete: true, Quality: 30}), true)
	wide := jpegOf(f, scene(1030, 8), 40)
	forged := packOf(f, wide, PackOptions{})
	copy(forged[8:48], packOf(f, data, PackOptions{})[8:48])
	f.Add(forged, true)
	f.Add(packOf(f, data, PackOptions{}), false)
	f.Fuzz(func(t *testing.T, stored []byte, seal bool) {
		if seal && len(stored) >= packHeadBytes+packTailBytes {
			le := binary.LittleEndian
			le.PutUint32(stored[64:], crc32.Checksum(stored[:64], castagnoli))
			tail := len(stored) - packTailBytes
			if n := int(le.Uint32(stored[tail+4:])); n >= 0 && n <= (tail-packHeadBytes)/packEntryBytes {
				table := stored[tail-n*packEntryBytes : tail]
				for i := range n {
					e := table[i*packEntryBytes:]
					from, length := le.Uint64(e), uint64(le.Uint32(e[8:]))
					if length < uint64(tail) && from < uint64(tail)-length {
						le.PutUint32(e[12:], crc32.Checksum(stored[from:][:length], castagnoli))
					}
				}
				le.PutUint32(stored[tail:], crc32.Update(crc32.Checksum(table, castagnoli), castagnoli, stored[:packHeadBytes]))
			}
		}
		p, err := OpenPack(bytes.NewReader(stored), int64(len(stored)), digest, int64(len(data)))
		if err != nil {
			if !errors.Is(err, ErrPack) && !errors.Is(err, ErrMismatch) {
				t.Fatalf("an undocumented error: %v", err)
			}
			return
		}
		if p.Tiles()*packEntryBytes > len(stored) {
			t.Fatalf("%d tiles in %d bytes", p.Tiles(), len(stored))
		}
		for i := range min(p.Tiles(), 4) {
			at := numbered(p, i)
			img, err := p.tile(at)
			if err != nil && !errors.Is(err, ErrPack) {
				t.Fatalf("an undocumented error: %v", err)
			}
			if err == nil && img.Rect.Size() != p.pyramid.tile(at).Size() {
				t.Fatalf("%v is %v", at, img.Rect)
			}
		}
	})
}
