package darkroom

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// house is originals and a cache in memory that count what is open.
type house struct {
	mu      sync.Mutex
	photos  map[qc.Digest][]byte
	derived map[string][]byte
	open    int
	puts    int
	away    string // "door", "line": where originals are kept does not answer
}

type openFile struct {
	*bytes.Reader
	house *house
}

func (f openFile) Close() error {
	f.house.mu.Lock()
	defer f.house.mu.Unlock()
	f.house.open--
	return nil
}

func (h *house) file(data []byte, ok bool) (File, error) {
	if !ok {
		return nil, qc.ErrNotFound
	}
	h.open++
	return openFile{bytes.NewReader(data), h}, nil
}

func (h *house) Open(d qc.Digest) (File, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	data, ok := h.photos[d]
	if h.away == "door" {
		return nil, errAway
	}
	file, err := h.file(data, ok)
	if h.away == "line" && err == nil {
		return awayFile{file}, nil
	}
	return file, err
}

var errAway = errors.New("no route to host")

// awayFile can be opened and not be read.
type awayFile struct{ File }

func (awayFile) Read([]byte) (int, error)          { return 0, errAway }
func (awayFile) ReadAt([]byte, int64) (int, error) { return 0, errAway }

type cache struct{ *house }

func (c cache) Get(_ context.Context, d qc.Digest, profile string) (File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, ok := c.derived[string(d)+"."+profile]
	return c.file(data, ok)
}

func (c cache) Put(_ context.Context, d qc.Digest, profile string, write func(io.Writer) error) error {
	if strings.Trim(profile, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || len(profile) > 32 {
		return errors.New("not a name for a profile")
	}
	var out bytes.Buffer
	if err := write(&out); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.puts++
	c.derived[string(d)+"."+profile] = out.Bytes()
	return nil
}

func newHouse(t *testing.T, photos int) (*house, []qc.Digest, *Darkroom) {
	t.Helper()
	h := &house{photos: map[qc.Digest][]byte{}, derived: map[string][]byte{}}
	var digests []qc.Digest
	for i := range photos {
		img := image.NewRGBA(image.Rect(0, 0, 64, 48))
		for j := 0; j < len(img.Pix); j += 4 {
			img.Pix[j], img.Pix[j+1], img.Pix[j+2], img.Pix[j+3] = uint8(5*i), uint8(j), uint8(j/256), 255
		}
		var out bytes.Buffer
		if err := photo.EncodeJPEG(&out, img, 90); err != nil {
			t.Fatal(err)
		}
		d := qc.DigestOf(out.Bytes())
		h.photos[d], digests = out.Bytes(), append(digests, d)
	}
	room, err := New(Config{Originals: h, Derived: cache{h}, Budget: photo.NewBudget(1 << 20), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return h, digests, room
}

func TestDarkroom_KeepsFewFilesOpenAndClosesAll(t *testing.T) {
	t.Parallel()
	h, digests, room := newHouse(t, mostOpen+10)
	for _, d := range digests {
		room.Want(Subject{Digest: d})
		room.Want(Subject{Digest: d}) // is wanted once
	}
	if err := room.Catch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.puts != 3*len(digests) { // index, pack, and the thumb that they came without
		t.Errorf("%d files were made of %d photos", h.puts, len(digests))
	}
	held, err := room.Open(t.Context(), Subject{Digest: digests[0]})
	if err != nil || !held.Final() {
		t.Fatalf("final view: %v", err)
	}
	for _, d := range digests[1:] {
		v, err := room.Open(t.Context(), Subject{Digest: d})
		if err != nil {
			t.Fatal(err)
		}
		v.Close()
	}
	if h.open > 2*mostOpen {
		t.Errorf("%d files are open", h.open)
	}
	if _, err := held.Region(t.Context(), image.Rect(0, 0, 8, 8), 8, 8); err != nil {
		t.Errorf("a view in use was closed: %v", err)
	}
	held.Close()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := room.Run(ctx); err != nil || h.open != 0 {
		t.Errorf("after the end %d files are open, %v", h.open, err)
	}
}

func TestDarkroom_TurnsTooManyAway(t *testing.T) {
	t.Parallel()
	_, _, room := newHouse(t, 1)
	for i := range 2 * mostWanted {
		room.Want(Subject{Digest: qc.DigestOf([]byte{byte(i), byte(i >> 8)})})
	}
	if len(room.wanted) != mostWanted || len(room.waits) != mostWanted {
		t.Errorf("%d wait", len(room.wanted))
	}
}

func TestDarkroom_MakesAgainWhatTheCacheLost(t *testing.T) {
	t.Parallel()
	h, digests, room := newHouse(t, 1)
	s := Subject{Digest: digests[0], Hidden: []image.Rectangle{image.Rect(1, 1, 9, 9)}, Seal: "0123456789abcdef"}
	for _, lost := range []string{"", indexProfile, packProfile, s.profile(Full), s.profile(Preview), s.profile(Thumb)} {
		delete(h.derived, string(s.Digest)+"."+lost)
		room.Close()
		room.Want(s)
		if err := room.Catch(t.Context()); err != nil {
			t.Fatal(err)
		}
		v, err := room.Open(t.Context(), s)
		if err != nil || !v.Final() {
			t.Fatalf("without %q: %v", lost, err)
		}
		v.Close()
		for _, r := range []Rendition{Full, Preview, Thumb} {
			f, err := room.Rendition(t.Context(), s, r)
			if err != nil {
				t.Fatalf("without %q: %s: %v", lost, r, err)
			}
			_ = f.Close()
		}
	}
}

// What cannot be developed is tried once.
func TestDarkroom_GivesUpOnDamage(t *testing.T) {
	t.Parallel()
	h, digests, room := newHouse(t, 1)
	h.photos[digests[0]] = h.photos[digests[0]][:100]
	for range 2 {
		if _, err := room.Open(t.Context(), Subject{Digest: digests[0]}); !errors.Is(err, ErrNotReady) {
			t.Errorf("a damaged photo: %v", err)
		}
		if err := room.Catch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(room.failed) != 1 || len(room.wanted) != 0 || h.puts != 0 {
		t.Errorf("%d failed, %d wanted, %d made", len(room.failed), len(room.wanted), h.puts)
	}
}

// A preview of other proportions, or a size that is a lie, is not mapped to.
// Where originals are kept may be away for a while. That is not the photo's fault.
func TestDarkroom_TriesAgainWhatItCouldNotRead(t *testing.T) {
	t.Parallel()
	for _, away := range []string{"door", "line"} {
		h, digests, room := newHouse(t, 1)
		for _, h.away = range []string{away, away, ""} {
			room.Want(Subject{Digest: digests[0]})
			if err := room.Catch(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if h.puts == 0 {
			t.Errorf("%s: not developed after it came back", away)
		}
		room.Close()
		if h.open != 0 {
			t.Errorf("%s: %d files are open", away, h.open)
		}
	}
}

func TestView_OfAPreviewHasASensibleSize(t *testing.T) {
	t.Parallel()
	h, digests, room := newHouse(t, 1)
	preview := digests[0] // 64×48
	for want, s := range map[image.Point]Subject{
		{640, 480}: {Width: 640, Height: 480},
		{64, 48}:   {Width: 1 << 30, Height: 1 << 30},
		{641, 480}: {Width: 641, Height: 480},
	} {
		s.Digest, s.Preview = qc.DigestOf([]byte("not here")), preview
		v, err := room.Open(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		w, hh := v.Size()
		img, err := v.Region(t.Context(), image.Rect(w/2, hh/2, w, hh), 20, 15)
		if (image.Point{w, hh}) != want || v.Final() || err != nil || img.Rect.Dx() != 20 || img.At(3, 3) == (color.RGBA{}) {
			t.Errorf("%+v: %d×%d, %v", s, w, hh, err)
		}
		v.Close()
	}
	_ = h
}
