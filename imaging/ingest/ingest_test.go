package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

func sample(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("../../assets/photos", name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

const shoes = "thomas-serer-420833-unsplash.jpg"

// One pass gives exactly what the single steps give.
func TestTakeEqualsTheSingleSteps(t *testing.T) {
	heic, err := os.ReadFile("../photo/testdata/quarters.heic")
	if err != nil {
		t.Fatal(err)
	}
	progressive, err := os.ReadFile("../photo/testdata/video-001.progressive.jpeg")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"jpeg": sample(t, shoes), "heic": heic, "progressive": progressive} {
		t.Run(name, func(t *testing.T) {
			for reader, src := range map[string]io.Reader{
				"of known length": bytes.NewReader(data),
				"byte by byte":    iotest.OneByteReader(bytes.NewReader(data[:min(len(data), 4<<10)])),
				"of pieces":       iotest.HalfReader(bytes.NewBuffer(data)),
				"without length":  io.MultiReader(bytes.NewReader(data)),
			} {
				if reader == "byte by byte" && len(data) > 4<<10 {
					continue
				}
				var dst bytes.Buffer
				var early []*image.RGBA
				got, err := Intake{
					Budget: photo.NewBudget(1 << 20), // less than it needs: it runs alone
					Early:  func(img *image.RGBA) { early = append(early, img) },
				}.Take(t.Context(), src, &dst)
				if err != nil {
					t.Fatal(reader, err)
				}
				if !bytes.Equal(dst.Bytes(), data) {
					t.Errorf("%s: the copy differs", reader)
				}
				if want := qc.Digest(fmt.Sprintf("%x", sha256.Sum256(data))); got.Digest != want || got.Bytes != int64(len(data)) {
					t.Errorf("%s: digest %s of %d bytes", reader, got.Digest, got.Bytes)
				}
				thumb, preview, err := photo.Renditions(data, photo.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(thumb.Data, got.Thumb.Data) || !bytes.Equal(preview.Data, got.Preview.Data) {
					t.Errorf("%s: the renditions differ", reader)
				}
				if name == "jpeg" {
					if _, err := tiles.Unmarshal(got.Index, got.Digest, got.Bytes); err != nil {
						t.Errorf("%s: index: %v", reader, err)
					}
				} else if got.Index != nil {
					t.Errorf("%s: an index", reader)
				}
				img, info, err := photo.DecodeFit(data, photo.PreviewSide, photo.PreviewSide, photo.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if info != got.Info || fmt.Sprint(photo.Check(img)) != fmt.Sprint(got.Quality) {
					t.Errorf("%s: %+v, %+v", reader, got.Info, got.Quality)
				}
				if len(early) == 0 || !bytes.Equal(early[len(early)-1].Pix, img.Pix) {
					t.Errorf("%s: %d early pictures, or a wrong last one", reader, len(early))
				}
			}
		})
	}
}

func TestTakeRefuses(t *testing.T) {
	data := sample(t, shoes)
	broken := errors.New("broken")
	hole := bytes.Clone(data)
	clear(hole[len(hole)/2:])
	for _, c := range []struct {
		name string
		src  io.Reader
		dst  io.Writer
		lim  photo.Limits
		want error
	}{
		{"nothing", strings.NewReader(""), io.Discard, photo.Limits{}, photo.ErrEmpty},
		{"text", strings.NewReader("Dear customer, this is no photo."), io.Discard, photo.Limits{}, photo.ErrNotPhoto},
		{"half a photo", bytes.NewReader(data[:len(data)/2]), io.Discard, photo.Limits{}, photo.ErrTruncated},
		{"zeros at the end", bytes.NewReader(hole), io.Discard, photo.Limits{}, photo.ErrTruncated},
		{"too many bytes", bytes.NewReader(data), io.Discard, photo.Limits{Bytes: 1000}, photo.ErrTooLarge},
		{"too many pixels", bytes.NewReader(data), io.Discard, photo.Limits{Pixels: 1000}, photo.ErrTooLarge},
		{"reader breaks", io.MultiReader(bytes.NewReader(data[:9000]), iotest.ErrReader(broken)), io.Discard, photo.Limits{}, broken},
		{"endless", endless{}, io.Discard, photo.Limits{Bytes: 5 << 20}, photo.ErrTooLarge},
		{"disk full", bytes.NewReader(data), full{broken}, photo.Limits{}, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Intake{Limits: c.lim}.Take(t.Context(), c.src, c.dst)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if got.Digest != "" || got.Thumb.Data != nil {
				t.Error("an arrival beside an error")
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }

// cancelling ends ctx after some bytes.
type cancelling struct {
	src    io.Reader
	cancel context.CancelFunc
	left   int
}

func (c *cancelling) Read(p []byte) (int, error) {
	n, err := c.src.Read(p[:min(len(p), 1000)])
	if c.left -= n; c.left < 0 {
		c.cancel()
	}
	return n, err
}

func TestTakeEndsWithItsContext(t *testing.T) {
	data := sample(t, shoes)
	for _, at := range []int{0, len(data) / 2, len(data) - 1} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Intake{}.Take(ctx, &cancelling{bytes.NewReader(data), cancel, at}, io.Discard)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	// Also while it waits for memory.
	budget := photo.NewBudget(1000)
	release, err := budget.Acquire(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Intake{Budget: budget}.Take(ctx, &cancelling{bytes.NewReader(data), cancel, len(data) - 1}, io.Discard)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for memory: %v", err)
	}
}
