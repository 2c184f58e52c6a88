package capture

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"flawmark/imaging/photo"

	"github.com/fsnotify/fsnotify"
)

func picture(tb testing.TB, side int) []byte {
	tb.Helper()
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i >> 3)
	}
	img.SetRGBA(0, 0, color.RGBA{255, 0, 0, 255})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// rig drives the watch by hand, one poll a step, on a clock of its own.
type rig struct {
	t       *testing.T
	dir     string
	watch   *watch
	at      time.Time
	arrived []Arrival
	broken  map[string]error
}

func newRig(t *testing.T, existing bool) *rig {
	t.Helper()
	r := &rig{t: t, dir: filepath.Join(t.TempDir(), "hot"), at: time.Now(), broken: map[string]error{}}
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.watch = newWatch(&Folder{
		Dir: r.dir, Existing: existing,
		Arrived: func(a Arrival) { r.arrived = append(r.arrived, a) },
		Broken:  func(path string, err error) { r.broken[filepath.Base(path)] = err },
	}, r.at)
	return r
}

func (r *rig) write(name string, data []byte) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), data, 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) rename(from, to string) {
	r.t.Helper()
	if err := os.Rename(filepath.Join(r.dir, from), filepath.Join(r.dir, to)); err != nil {
		r.t.Fatal(err)
	}
}

// polls lets n seconds go by.
func (r *rig) polls(n int) {
	for range n {
		r.watch.look(context.Background(), r.at)
		r.at = r.at.Add(time.Second)
	}
}

// names are what arrived since the last call.
func (r *rig) names() []string {
	var out []string
	for _, a := range r.arrived {
		out = append(out, a.Name)
	}
	r.arrived = nil
	return out
}

func (r *rig) wantArrived(want ...string) {
	r.t.Helper()
	if got := r.names(); !slices.Equal(got, want) {
		r.t.Fatalf("arrived: %v, want %v", got, want)
	}
}

func TestFolderReportsAPhotoOnce(t *testing.T) {
	r := newRig(t, false)
	r.write("old.jpg", picture(t, 30))
	r.polls(1)
	data := picture(t, 40)
	r.write("new.jpg", data)
	r.polls(2)
	r.wantArrived() // not before two polls saw the same
	r.polls(1)
	if len(r.arrived) != 1 || r.arrived[0].Size != int64(len(data)) || r.arrived[0].Path != filepath.Join(r.dir, "new.jpg") {
		t.Fatalf("arrived: %+v", r.arrived)
	}
	r.wantArrived("new.jpg")
	r.polls(20)
	r.wantArrived()
	r.write("new.jpg", picture(t, 50)) // another photo of the same name
	r.polls(4)
	r.wantArrived("new.jpg")
}

func TestFolderReportsExistingWhenAsked(t *testing.T) {
	r := newRig(t, true)
	for i, name := range []string{"b.jpg", "a.jpg"} { // in the order they were made, not of names
		r.write(name, picture(t, 30))
		if err := os.Chtimes(filepath.Join(r.dir, name), time.Time{}, r.at.Add(time.Duration(i-10)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	r.polls(3)
	r.wantArrived("b.jpg", "a.jpg")
}

func TestFolderWaitsForASlowCopy(t *testing.T) {
	r := newRig(t, false)
	r.polls(1)
	data := picture(t, 200)
	for n := len(data) / 5; n < len(data); n += len(data) / 5 {
		r.write("slow.jpg", data[:n])
		r.polls(2)
		r.wantArrived()
	}
	r.polls(3) // the copy stalls, but shorter than the patience
	r.wantArrived()
	r.write("slow.jpg", data)
	r.polls(3)
	r.wantArrived("slow.jpg")
	if len(r.broken) != 0 {
		t.Errorf("broken: %v", r.broken)
	}
}

func TestFolderReportsWhatStaysBroken(t *testing.T) {
	r := newRig(t, false)
	r.polls(1)
	data := picture(t, 200)
	r.write("half.jpg", data[:len(data)/2])
	r.write("letter.jpg", []byte("This is a text that somebody renamed."))
	r.write("empty.jpg", nil)
	r.polls(7)
	if len(r.broken) != 0 {
		t.Fatalf("reported too early: %v", r.broken)
	}
	r.polls(1)
	for name, want := range map[string]error{"half.jpg": photo.ErrTruncated, "letter.jpg": photo.ErrNotPhoto, "empty.jpg": photo.ErrEmpty} {
		if !errors.Is(r.broken[name], want) {
			t.Errorf("%s: %v, want %v", name, r.broken[name], want)
		}
	}
	clear(r.broken)
	r.polls(10)
	if len(r.broken) != 0 {
		t.Errorf("reported again: %v", r.broken)
	}
	r.write("half.jpg", data) // finished after all
	r.polls(3)
	r.wantArrived("half.jpg")
}

func TestFolderIgnoresNamesOfUnfinishedFiles(t *testing.T) {
	r := newRig(t, false)
	r.polls(1)
	for _, name := range []string{".hidden.jpg", "a.jpg.part", "b.TMP", "~c.jpg", "d.jpg~", "e.crdownload"} {
		r.write(name, picture(t, 30))
	}
	if err := os.Mkdir(filepath.Join(r.dir, "folder.jpg"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.polls(12)
	r.wantArrived()
	r.rename("a.jpg.part", "a.jpg")
	r.polls(3)
	r.wantArrived("a.jpg")
	if len(r.broken) != 0 {
		t.Errorf("broken: %v", r.broken)
	}
}

func TestFolderThatVanishesAndComesBack(t *testing.T) {
	r := newRig(t, false)
	r.polls(1)
	r.write("one.jpg", picture(t, 30))
	r.polls(3)
	r.wantArrived("one.jpg")
	away := r.dir + " away"
	if err := os.Rename(r.dir, away); err != nil {
		t.Fatal(err)
	}
	r.polls(3)
	if err := os.Mkdir(r.dir, 0o755); err != nil { // the mount point without its share
		t.Fatal(err)
	}
	r.polls(3)
	if err := os.Remove(r.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, r.dir); err != nil {
		t.Fatal(err)
	}
	r.write("two.jpg", picture(t, 31))
	r.polls(3)
	r.wantArrived("two.jpg")
}

func TestFolderThatComesLate(t *testing.T) {
	r := newRig(t, false)
	if err := os.Remove(r.dir); err != nil {
		t.Fatal(err)
	}
	r.polls(2)
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.write("old.jpg", picture(t, 30))
	r.write("fresh.jpg", picture(t, 30))
	for name, age := range map[string]time.Duration{"old.jpg": time.Hour, "fresh.jpg": -time.Second} {
		if err := os.Chtimes(filepath.Join(r.dir, name), time.Time{}, r.watch.started.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	r.polls(4)
	r.wantArrived("fresh.jpg")
}

// The whole thing on the real clock, with real events.
// TestFolderLooksSoonAfterAnOverflow loses the events themselves: the next look
// must not wait out its pause, an hour here.
func TestFolderLooksSoonAfterAnOverflow(t *testing.T) {
	r := newRig(t, false)
	failures := make(chan error, 1)
	failures <- fsnotify.ErrEventOverflow
	r.watch.notify = &fsnotify.Watcher{Events: make(chan fsnotify.Event), Errors: failures}
	r.watch.poll = time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r.watch.wait(ctx, time.Hour)
	if ctx.Err() != nil {
		t.Error("an overflow does not hurry the next look")
	}
}

func TestFolderRun(t *testing.T) {
	for name, withEvents := range map[string]bool{"a folder that is there": true, "a folder that is made later": false} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "hot")
			made := func() {
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Error(err)
				}
			}
			if withEvents {
				made()
			}
			arrived := make(chan Arrival, 10)
			f := &Folder{Dir: dir, Poll: 40 * time.Millisecond, Existing: true, Arrived: func(a Arrival) { arrived <- a }}
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- f.Run(ctx) }()
			if !withEvents {
				made()
			}
			if err := os.WriteFile(filepath.Join(dir, "a.part"), picture(t, 60), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(dir, "a.part"), filepath.Join(dir, "a.jpg")); err != nil {
				t.Fatal(err)
			}
			select {
			case a := <-arrived:
				if a.Name != "a.jpg" {
					t.Errorf("arrived: %+v", a)
				}
			case <-time.After(20 * time.Second):
				t.Error("nothing arrived")
			}
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}
