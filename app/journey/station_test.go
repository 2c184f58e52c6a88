package journey

import (
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/ui/bench"
)

// bench7 is a station with its window open on a screen.
type bench7 struct {
	*process
	*screen
	data  string
	watch string
}

// startStation opens the station's window.
func startStation(t *testing.T, s *screen, data, central, lang string) *bench7 {
	t.Helper()
	program, err := stationProgram()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench7{screen: s, data: data, watch: filepath.Join(data, "camera")}
	if err := os.MkdirAll(b.watch, 0o755); err != nil {
		t.Fatal(err)
	}
	b.process = start(t, s.env(), program, "--data", data, "--central", central, "--watch", b.watch,
		"--name", "Bench 7", "--lang", lang, "--demo")
	until(t, "the station's window", func() bool {
		return run(t, stationProgram, "screen", "--data", data).exit == 0
	})
	return b
}

// shows returns what the window shows.
func (b *bench7) shows(t *testing.T) bench.Description {
	t.Helper()
	got := run(t, stationProgram, "screen", "--data", b.data)
	if got.exit != 0 {
		t.Fatalf("screen: exit %d: %s", got.exit, got.err)
	}
	var d bench.Description
	if err := json.Unmarshal([]byte(got.out), &d); err != nil {
		t.Fatalf("screen: %v in %s", err, got.out)
	}
	return d
}

// sees waits until what the window shows is right.
func (b *bench7) sees(t *testing.T, what string, right func(bench.Description) bool) bench.Description {
	t.Helper()
	var d bench.Description
	until(t, what, func() bool {
		d = b.shows(t)
		return right(d)
	})
	return d
}

// hasSaved waits until what is shown is on the disk: it is shown first.
func (b *bench7) hasSaved(t *testing.T) {
	t.Helper()
	b.sees(t, "the draft on the disk", func(d bench.Description) bool { return !d.Saving })
}

func (b *bench7) queue(t *testing.T) []qc.Recorded {
	t.Helper()
	return rows[qc.Recorded](t, stationProgram, "queue", "--data", b.data)
}

// caseOf returns the station's view of an item's case.
func (b *bench7) caseOf(t *testing.T, item qc.ItemID) (refund.Case, bool) {
	t.Helper()
	cases := rows[refund.Case](t, stationProgram, "cases", "--data", b.data)
	i := slices.IndexFunc(cases, func(c refund.Case) bool { return c.Item == item })
	if i < 0 {
		return refund.Case{}, false
	}
	return cases[i], true
}

// follows waits until the station knows that an item's case has a status.
func (b *bench7) follows(t *testing.T, item qc.ItemID, status refund.Status) refund.Case {
	t.Helper()
	var c refund.Case
	until(t, "case of "+string(item)+" as "+string(status)+" at the station", func() bool {
		var ok bool
		c, ok = b.caseOf(t, item)
		return ok && c.Status == status
	})
	return c
}

// hasListings waits until the listing photos are here, which are fetched for the
// time when the centre cannot be reached.
func (b *bench7) hasListings(t *testing.T) {
	t.Helper()
	until(t, "the listing photos", func() bool {
		files, err := filepath.Glob(filepath.Join(b.data, "blobs", "??", "*"))
		return err == nil && len(files) >= 10
	})
}

// signIn scans a badge.
func (b *bench7) signIn(t *testing.T, badge string, as qc.StaffID) {
	t.Helper()
	b.sees(t, "the sign-in", func(d bench.Description) bool { return d.Screen == "signin" })
	b.scan(t, badge)
	b.sees(t, string(as)+" signed in", func(d bench.Description) bool { return d.Person == as })
}

// scan types a line into an entry and presses Enter.
func (b *bench7) scan(t *testing.T, line string) {
	t.Helper()
	b.text(t, line)
	b.key(t, "Return")
}

// opens scans an item and waits until it is on the bench.
func (b *bench7) opens(t *testing.T, item qc.ItemID) {
	t.Helper()
	b.key(t, "ctrl+l")
	b.scan(t, string(item))
	b.sees(t, string(item)+" on the bench", func(d bench.Description) bool { return d.Item == item })
}

// photographs has the camera's folder receive a photo.
func (b *bench7) photographs(t *testing.T, asset string) {
	t.Helper()
	before := b.shows(t).Photos
	data, err := os.ReadFile(filepath.Join("..", "..", "assets", "photos", asset))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.watch, asset), data, 0o644); err != nil {
		t.Fatal(err)
	}
	b.sees(t, asset+" in the inspection", func(d bench.Description) bool { return d.Photos > before && d.Zoom > 0 })
}

// marks draws with the tool of a key over a place of the photo, given as
// fractions of the part of the canvas that the photo covers.
func (b *bench7) marks(t *testing.T, tool string, x1, y1, x2, y2 float64) {
	t.Helper()
	before := b.shows(t)
	area := photoOn(before)
	at := func(x, y float64) (int, int) {
		return area.Min.X + int(x*float64(area.Dx())), area.Min.Y + int(y*float64(area.Dy()))
	}
	// A click on the photo first, so that keys go to it.
	fx, fy := at(0.02, 0.02)
	b.key(t, "ctrl+m")
	b.click(t, fx, fy)
	b.key(t, tool)
	ax, ay := at(x1, y1)
	bx, by := at(x2, y2)
	b.drag(t, ax, ay, bx, by)
	b.sees(t, "the mark", func(d bench.Description) bool { return len(d.Marks) == len(before.Marks)+1 })
}

// photoOn returns where the photo lies in the window.
func photoOn(d bench.Description) image.Rectangle {
	canvas := image.Rect(int(d.Canvas.X), int(d.Canvas.Y), int(d.Canvas.X+d.Canvas.W), int(d.Canvas.Y+d.Canvas.H))
	photo := image.Rect(int(d.Corner.X), int(d.Corner.Y), 1<<20, 1<<20)
	if d.Zoom > 0 {
		// The photo is centred when it is smaller than the canvas.
		photo.Max.X = 2*canvas.Min.X + canvas.Dx() - photo.Min.X
		photo.Max.Y = 2*canvas.Min.Y + canvas.Dy() - photo.Min.Y
	}
	return canvas.Intersect(photo)
}

// status is the line at the bottom.
func status(d bench.Description) string { return strings.Join(d.Status, " · ") }
