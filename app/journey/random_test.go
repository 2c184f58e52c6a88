package journey

import (
	"fmt"
	"image"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/ui/bench"
)

// randomActions is how many things the hand at the window does.
const randomActions = 200

// TestRandomActions has a person with mouse and keyboard try everything in a
// real window, in an order that a seed decides: tools, gestures, zoom, turning,
// undo. What the canvas shows must be what the model holds, what the model
// holds must survive a kill of the program, and what is recorded at last must
// be what was there.
func TestRandomActions(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = 20261123
	}
	t.Logf("to do the same again: -args -seed %d", seed)
	s := startScreen(t, 1366, 768)
	c := startCentre(t, t.TempDir(), "", "--demo")
	data := t.TempDir()
	b := startStation(t, s, data, c.url, "en")
	until(t, "items at the station", func() bool {
		return len(rows[qc.Item](t, stationProgram, "items", "--data", b.data)) >= 10
	})
	b.hasListings(t)
	b.signIn(t, "B0012", "u12")
	b.opens(t, jiahuiItem)
	b.photographs(t, "mitch-lensink-256007-unsplash.jpg")
	b.photographs(t, "juan-gomez-674574-unsplash.jpg")
	b.key(t, "ctrl+m")
	b.key(t, "2")
	b.sees(t, "the flaw F04", func(d bench.Description) bool { return len(d.Flaws) == 1 })

	hand := &hand{bench7: b, random: rand.New(rand.NewPCG(seed, 0))}
	most := 0
	for i := range randomActions {
		hand.act(t)
		if i%20 == 19 {
			d := b.shows(t)
			if !reflect.DeepEqual(named(d.Shown), named(onPhoto(d))) {
				t.Fatalf("after %v the canvas shows\n%v\nand the model holds\n%v", hand.done, d.Shown, onPhoto(d))
			}
			most = max(most, len(d.Marks))
		}
	}
	if most < 5 {
		t.Errorf("never more than %d marks: the hand misses the photo", most)
	}
	before := hand.rests(t)

	b.hasSaved(t)
	b.kill()
	b = startStation(t, s, data, c.url, "en")
	b.signIn(t, "B0012", "u12")
	after := b.sees(t, "the draft", func(d bench.Description) bool { return d.Item == jiahuiItem && d.Photos == before.Photos })
	if !reflect.DeepEqual(after.Marks, before.Marks) || !reflect.DeepEqual(after.Flaws, before.Flaws) {
		t.Fatalf("after a kill there is\n%v\nof\n%v", after.Marks, before.Marks)
	}

	if len(after.Flaws) == 0 {
		b.key(t, "ctrl+m", "2")
		after = b.sees(t, "a flaw", func(d bench.Description) bool { return len(d.Flaws) > 0 })
	}
	b.key(t, "ctrl+Return")
	until(t, "the finding in the queue", func() bool { return len(b.queue(t)) > 0 })
	recorded := b.queue(t)[0].Finding
	if want := withWords(after.Marks); recorded == nil || !reflect.DeepEqual(named(recorded.Marks), named(want)) {
		t.Fatalf("recorded is\n%v\nof\n%v", recorded, want)
	}
}

// hand does things at random.
type hand struct {
	*bench7
	random *rand.Rand
	done   []string // the last few
}

// act does one thing.
func (h *hand) act(t *testing.T) {
	t.Helper()
	type deed struct {
		name  string
		often int
		do    func()
	}
	d := h.shows(t)
	if d.Screen != "inspect" || d.Notice != "" {
		h.key(t, "Escape")
	}
	area := photoOn(d).Inset(12)
	point := func() (int, int) {
		return area.Min.X + h.random.IntN(max(area.Dx(), 1)), area.Min.Y + h.random.IntN(max(area.Dy(), 1))
	}
	one := func(keys ...string) func() {
		key := keys[h.random.IntN(len(keys))]
		return func() { h.key(t, key) }
	}
	drag := func() {
		x1, y1 := point()
		x2, y2 := point()
		h.drag(t, x1, y1, x2, y2)
	}
	deeds := []deed{
		{"tool", 6, one("r", "e", "a", "l", "f", "s", "t", "z", "d", "h", "q", "b", "v")},
		{"drag", 8, drag},
		{"click", 3, func() { x, y := point(); h.click(t, x, y) }},
		{"polygon", 1, func() {
			h.key(t, "g")
			for range 3 + h.random.IntN(3) {
				x, y := point()
				h.click(t, x, y)
				time.Sleep(350 * time.Millisecond) // two clicks, not a double one
			}
			h.key(t, "Return")
		}},
		{"wheel", 2, func() {
			x, y := point()
			h.do(t, "mousemove", strconv.Itoa(x), strconv.Itoa(y), "click", strconv.Itoa(4+h.random.IntN(2)))
		}},
		{"zoom", 1, one("grave", "0", "shift+1", "shift+2")},
		{"undo", 4, one("ctrl+z")},
		{"redo", 2, one("ctrl+y")},
		{"delete", 1, one("Delete")},
		{"nudge", 2, one("Left", "Right", "Up", "Down", "shift+Left", "shift+Down")},
		{"order", 1, one("Prior", "Next", "Home", "End")},
		{"copy", 1, one("ctrl+d", "ctrl+shift+d")},
		{"select", 2, one("Tab", "shift+Tab", "ctrl+a")},
		{"photo", 1, one("period", "comma")},
		{"escape", 1, one("Escape")},
	}
	sum := 0
	for _, d := range deeds {
		sum += d.often
	}
	n := h.random.IntN(sum)
	for _, d := range deeds {
		if n -= d.often; n < 0 {
			h.done = append(h.done[max(0, len(h.done)-40):], d.name)
			d.do()
			return
		}
	}
}

// rests puts every tool away, so that nothing is half drawn, and returns what
// then stays the same.
func (h *hand) rests(t *testing.T) bench.Description {
	t.Helper()
	h.key(t, "Escape", "Escape", "Escape")
	var d bench.Description
	until(t, "the window at rest", func() bool {
		before := h.shows(t)
		time.Sleep(300 * time.Millisecond)
		d = h.shows(t)
		return reflect.DeepEqual(before.Marks, d.Marks)
	})
	return d
}

// onPhoto returns the model's marks on the photo in view.
func onPhoto(d bench.Description) []qc.Mark {
	var marks []qc.Mark
	for _, m := range d.Marks {
		if m.Photo == d.Photo {
			marks = append(marks, m)
		}
	}
	return marks
}

// withWords leaves texts without words out, which are not recorded.
func withWords(all []qc.Mark) []qc.Mark {
	var marks []qc.Mark
	for _, m := range all {
		if m.Tool != qc.Text || m.Text != "" {
			marks = append(marks, m)
		}
	}
	return marks
}

// named returns what marks are, in words that can be compared and read.
func named(marks []qc.Mark) []string {
	list := make([]string, 0, len(marks))
	for _, m := range marks {
		list = append(list, fmt.Sprintf("%s %s of %q at %.2f %q %v", m.ID, m.Tool, m.Flaw, m.Points, m.Text, m.Zoom))
	}
	return list
}

// gallery names each tool's key and the gesture that shows it best, as
// fractions of the photo.
var gallery = []struct {
	tool, key      string
	x1, y1, x2, y2 float64
}{
	{"rect", "r", 0.30, 0.30, 0.55, 0.60},
	{"ellipse", "e", 0.30, 0.30, 0.55, 0.60},
	{"arrow", "a", 0.75, 0.25, 0.52, 0.48},
	{"line", "l", 0.30, 0.70, 0.62, 0.52},
	{"freehand", "f", 0.30, 0.30, 0.60, 0.62},
	{"badge", "s", 0.45, 0.45, 0.62, 0.30},
	{"highlight", "h", 0.30, 0.40, 0.60, 0.55},
	{"text", "t", 0.45, 0.50, 0.62, 0.25},
	{"inset", "z", 0.42, 0.42, 0.54, 0.54},
	{"spotlight", "d", 0.30, 0.30, 0.65, 0.65},
	{"measure", "q", 0.25, 0.60, 0.65, 0.60},
	{"redact", "b", 0.10, 0.10, 0.40, 0.25},
}

// TestGallery draws with each tool on a real photo, in a window and, where a
// folder is named, leaves a picture of each.
func TestGallery(t *testing.T) {
	s := startScreen(t, 1366, 768)
	c := startCentre(t, t.TempDir(), "", "--demo")
	b := startStation(t, s, t.TempDir(), c.url, "en")
	until(t, "items at the station", func() bool {
		return len(rows[qc.Item](t, stationProgram, "items", "--data", b.data)) >= 10
	})
	b.hasListings(t)
	b.signIn(t, "B0012", "u12")
	b.opens(t, jiahuiItem)
	b.photographs(t, "mitch-lensink-256007-unsplash.jpg")
	b.key(t, "ctrl+m", "2")
	b.sees(t, "the flaw F04", func(d bench.Description) bool { return len(d.Flaws) == 1 })
	for _, g := range gallery {
		b.marks(t, g.key, g.x1, g.y1, g.x2, g.y2)
		d := b.sees(t, "the "+g.tool, func(d bench.Description) bool {
			return len(d.Marks) == 1 && d.Marks[0].Tool == qc.Tool(g.tool)
		})
		if !inside(d, d.Marks[0]) {
			t.Errorf("the %s at %v lies outside of the photo", g.tool, d.Marks[0].Points)
		}
		b.shot(t, "tool-"+g.tool)
		b.key(t, "Escape", "ctrl+z")
		b.sees(t, "nothing after undo", func(d bench.Description) bool { return len(d.Marks) == 0 })
	}
}

// inside reports whether a mark lies where the photo is in the window.
func inside(d bench.Description, m qc.Mark) bool {
	for _, p := range m.Points {
		at := image.Pt(int(d.Corner.X+p.X*d.Zoom), int(d.Corner.Y+p.Y*d.Zoom))
		if !at.In(photoOn(d).Inset(-2)) {
			return false
		}
	}
	return true
}
