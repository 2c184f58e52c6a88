package annotate

import (
	"cmp"
	"image"
	"math"
	"slices"

	"flawmark/app/qc"
)

// Frame is where an inset is shown.
type Frame struct {
	Mark     qc.MarkID
	From, To image.Rectangle // what is enlarged and where it is shown, both in image pixels
	Zoom     float64         // of To against From; less than asked for where that would not fit
	shape    int
}

// mostOfImage is how much of an image's width and height an inset may cover.
const mostOfImage = 0.6

// Insets returns where the insets among shapes are shown on a w×h image, in the
// order of shapes. One that a person has placed is there, as far as the image
// reaches; the others go to the emptiest corner, the gravest first: hiding what
// shows a flaw costs most, then other insets, then other marks, then the way to
// what is enlarged. Where every corner hides a flaw, other places and smaller
// sizes are tried. The same shapes always give the same places, at every zoom
// and size of output.
func Insets(shapes []Shape, w, h int) []Frame {
	if w <= 0 || h <= 0 {
		return nil
	}
	var frames []Frame
	var order []int // of frames that have no place yet
	for i, s := range shapes {
		if s.Mark.Tool != qc.Inset || !wellFormed(s.Mark) {
			continue
		}
		f := framed(s.Mark, w, h)
		f.shape = i
		if len(s.Mark.Points) == 3 {
			at := s.Mark.Points[2]
			f = f.placed(int(math.Round(clamp(at.X, float64(w)))), int(math.Round(clamp(at.Y, float64(h)))), w, h)
		} else {
			order = append(order, len(frames))
		}
		frames = append(frames, f)
	}
	if len(order) == 0 {
		return frames
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return graver(shapes[frames[a].shape], shapes[frames[b].shape])
	})
	room := clearing{w: w, h: h}
	for i, s := range shapes {
		room.add(s, i, w, h)
	}
	for _, f := range frames {
		if f.To.Min != f.To.Max && len(shapes[f.shape].Mark.Points) == 3 {
			room.frames = append(room.frames, pixelBounds(f.To))
		}
	}
	for n, i := range order {
		frames[i] = room.best(frames[i], n < searched)
		room.frames = append(room.frames, pixelBounds(frames[i].To))
	}
	return frames
}

// graver sorts the gravest first, then by number.
func graver(a, b Shape) int {
	severities := qc.Severities()
	return cmp.Or(
		cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)),
		cmp.Compare(a.Number, b.Number))
}

// framed returns what an inset enlarges, as large as it may be, at no place.
func framed(m qc.Mark, w, h int) Frame {
	b := boundsOf(m)
	from := image.Rect(
		int(math.Floor(clamp(b.x0, float64(w-1)))), int(math.Floor(clamp(b.y0, float64(h-1)))),
		int(math.Ceil(clamp(b.x1, float64(w)))), int(math.Ceil(clamp(b.y1, float64(h)))),
	)
	from.Max.X, from.Max.Y = max(from.Max.X, from.Min.X+1), max(from.Max.Y, from.Min.Y+1)
	zoom := m.Zoom
	if !(zoom > 0) {
		zoom = qc.DefaultZoom
	}
	zoom = min(zoom, qc.MaxZoom, mostOfImage*float64(w)/float64(from.Dx()), mostOfImage*float64(h)/float64(from.Dy()))
	return Frame{Mark: m.ID, From: from, Zoom: zoom}
}

// size returns the size of the inset in image pixels.
func (f Frame) size() image.Point {
	return image.Pt(max(int(math.Round(float64(f.From.Dx())*f.Zoom)), 1), max(int(math.Round(float64(f.From.Dy())*f.Zoom)), 1))
}

// placed returns f with its top left corner at x, y or as near as the image
// allows.
func (f Frame) placed(x, y, w, h int) Frame {
	size := f.size()
	at := image.Pt(max(min(x, w-size.X), 0), max(min(y, h-size.Y), 0))
	f.To = image.Rectangle{Min: at, Max: at.Add(size)}.Intersect(image.Rect(0, 0, w, h))
	return f
}

func pixelBounds(r image.Rectangle) bounds {
	return bounds{float64(r.Min.X), float64(r.Min.Y), float64(r.Max.X), float64(r.Max.Y)}
}

// clearing is what an inset must not hide, in image pixels.
type clearing struct {
	w, h   int
	flaws  []bounds
	others []bounds
	frames []bounds
}

func (c *clearing) add(s Shape, index, w, h int) {
	if !wellFormed(s.Mark) || s.Mark.Tool == qc.Spotlight || s.Mark.Tool == qc.Redaction {
		return
	}
	b, near := boundsOf(s.Mark), 0.015*float64(max(w, h))
	switch s.Mark.Tool {
	case qc.Badge: // as large as its number
		b = bounds{b.x0 - near, b.y0 - near, b.x1 + near, b.y1 + near}
	case qc.Text: // at least about as large as a few words
		at := s.Mark.Points[0]
		b = boundsAround(qc.Point{X: b.x0, Y: b.y0}, qc.Point{X: b.x1, Y: b.y1}, qc.Point{X: at.X + 12*near, Y: at.Y + 4*near})
	default:
		b = bounds{b.x0 - near/3, b.y0 - near/3, b.x1 + near/3, b.y1 + near/3}
	}
	if showsFlaw(s) {
		c.flaws = append(c.flaws, b)
	} else {
		c.others = append(c.others, b)
	}
}

func showsFlaw(s Shape) bool { return s.Number != 0 || s.Mark.Flaw != "" }

// searched is how many insets of a photo are given more than its corners to
// choose from; people draw one or two.
const searched = 8

// best returns f at the place that costs least.
func (c *clearing) best(f Frame, search bool) Frame {
	corners := []qc.Point{{X: 1, Y: 1}, {X: 1, Y: 0}, {X: 0, Y: 1}, {X: 0, Y: 0}}
	best, cost, hidden := c.among(f, corners)
	if hidden == 0 || !search {
		return best
	}
	const grid = 8
	var places []qc.Point
	for y := range grid + 1 {
		for x := range grid + 1 {
			places = append(places, qc.Point{X: float64(x) / grid, Y: float64(y) / grid})
		}
	}
	for smaller := f; ; smaller.Zoom *= 0.8 {
		other, otherCost, otherHidden := c.among(smaller, places)
		if otherHidden == 0 {
			return other
		}
		if otherCost < cost-1e-6 && smaller.Zoom == f.Zoom {
			best, cost = other, otherCost
		}
		if smaller.Zoom*0.8 < qc.MinZoom {
			return best
		}
	}
}

// among returns the cheapest of places, which are shares of the room there is,
// what it costs and how much of flaws it hides. The first of equals wins.
func (c *clearing) among(f Frame, places []qc.Point) (best Frame, cost, hidden float64) {
	cost = math.Inf(1)
	margin := 0.02 * float64(max(c.w, c.h))
	size := f.size()
	from := pixelBounds(f.From)
	for _, at := range places {
		x := spaced(at.X, margin, float64(c.w-size.X))
		y := spaced(at.Y, margin, float64(c.h-size.Y))
		tried := f.placed(int(math.Round(x)), int(math.Round(y)), c.w, c.h)
		to := pixelBounds(tried.To)
		over := hiding(to, from) // what is enlarged is a flaw, too
		for _, b := range c.flaws {
			over += hiding(to, b)
		}
		sum := 8 * over
		for _, b := range c.others {
			sum += 4 * hiding(to, b)
		}
		for _, b := range c.frames {
			sum += 8 * hiding(to, b)
		}
		dx, dy := (to.x0+to.x1-from.x0-from.x1)/2, (to.y0+to.y1-from.y0-from.y1)/2
		sum += math.Hypot(dx, dy) / math.Hypot(float64(c.w), float64(c.h))
		if sum < cost-1e-9 {
			best, cost, hidden = tried, sum, over
		}
	}
	return best, cost, hidden
}

// spaced returns the place at a share of the room, a margin off its ends where
// there is space for one.
func spaced(share, margin, room float64) float64 {
	margin = min(margin, max(room, 0)/2)
	return margin + share*(room-2*margin)
}

// hiding returns how much of what is at b, or of to where that is less, is
// hidden by to.
func hiding(to, b bounds) float64 {
	w := min(to.x1, b.x1) - max(to.x0, b.x0)
	h := min(to.y1, b.y1) - max(to.y0, b.y0)
	if w <= 0 || h <= 0 {
		return 0
	}
	area := min((to.x1-to.x0)*(to.y1-to.y0), (b.x1-b.x0)*(b.y1-b.y0))
	return 0.25 + w*h/max(area, 1)
}
