package web

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strconv"
	"strings"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// shapeView is a mark in pixels of the photo.
type shapeView struct {
	Class string // severity
	Path  string // SVG path data
	Flaw  int
	Thin  bool // a leader, or the edge of what is tinted
	Tint  bool // its inside is tinted
	Solid bool // never dashed: a tape is read exactly
}

// badgeView is a number. It belongs to a place given in per cent and is off it
// by pixels of the page, so that it keeps its size and its distance whatever
// the photo is scaled to.
type badgeView struct {
	X, Y   string
	DX, DY string
	Leader bool // it stands off and a line leads back
	Class  string
	Number int
}

// Numbers are placed for a photo as wide or high as on a phone: where it is
// larger there is more room between them.
const (
	phoneWidth, phoneHeight = 360.0, 620.0
	badgeReach              = 13.0
)

// overlayView is everything that lies over a photo, from the bottom up: what a
// spotlight dims, tints, insets, lines, words and numbers.
type overlayView struct {
	Dim    string // SVG path data of what lies outside a spotlight
	Insets []insetView
	Shapes []shapeView
	Plates []wordsView
	Badges []badgeView
}

// insetView is an enlarged part of the photo, in pixels of the photo.
type insetView struct {
	Src           string // of the original's pixels
	Class, Path   string // the frames and the line between them
	X, Y          int
	Width, Height int
	Zoom          string // "×3"
	ZoomX, ZoomY  string // where that is written, in per cent
}

// wordsView is a plate with words, placed as a [badgeView] is. Its box is as
// large as the words can become on a phone.
type wordsView struct {
	X, Y          string
	DX, DY        string
	Width, Height int
	Class         string
	Text          string
	Tape          bool // a measure's: in the middle of its place
}

// marked are the marks on a photo ready to be shown, gravest last so that they
// lie on top. A mark that this version cannot draw is left out, and so is a
// redaction: what it hides is gone from the photo.
func marked(f qc.Finding, photo qc.Photo, hidden func(qc.Flaw) bool) []annotate.Shape {
	var marks []annotate.Shape
	for _, mark := range f.Marks {
		form, known := mark.Tool.Form()
		if mark.Photo != photo.ID || !known || !form.Fits(len(mark.Points)) || mark.Tool == qc.Redaction {
			continue
		}
		m := annotate.Shape{Mark: mark, Number: f.Number(mark.Flaw), Severity: qc.Observation, Label: mark.Label(photo.Scale)}
		if m.Number > 0 {
			flaw := f.Flaws[m.Number-1]
			if hidden(flaw) {
				continue
			}
			m.Severity = flaw.Severity
		}
		marks = append(marks, m)
	}
	slices.SortStableFunc(marks, func(a, b annotate.Shape) int {
		return slices.Index(qc.Severities(), b.Severity) - slices.Index(qc.Severities(), a.Severity)
	})
	return marks
}

// overlay returns what lies over a photo whose regions are at the address
// regions.
func overlay(f qc.Finding, photo qc.Photo, regions string, hidden func(qc.Flaw) bool) overlayView {
	var over overlayView
	if photo.Width <= 0 || photo.Height <= 0 {
		return over
	}
	marks := marked(f, photo, hidden)
	w, h := float64(photo.Width), float64(photo.Height)
	view := annotate.View{Scale: min(phoneWidth/w, phoneHeight/h)}
	places := annotate.Places(marks, view, badgeReach, photo.Width, photo.Height)
	for i, m := range marks {
		shape := shapeView{Class: severityClasses[m.Severity], Flaw: m.Number, Path: pathOf(m.Mark, max(w, h))}
		shape.Tint = m.Mark.Tool == qc.Highlighter
		shape.Thin = shape.Tint || m.Mark.Tool == qc.Badge || m.Mark.Tool == qc.Text || m.Mark.Tool == qc.Measure
		shape.Solid = m.Mark.Tool == qc.Measure
		switch {
		case m.Mark.Tool == qc.Spotlight:
			over.Dim = fmt.Sprintf("M0 0H%dV%dH0Z", photo.Width, photo.Height) + shape.Path
		case m.Mark.Tool != qc.Inset && shape.Path != "":
			over.Shapes = append(over.Shapes, shape)
		}
		if words, ok := wordsOf(m, view, w, h); ok {
			over.Plates = append(over.Plates, words)
		}
		if !places[i].Shown {
			continue
		}
		at, to := places[i].At, places[i].To
		badge := badgeView{Class: shape.Class, Number: m.Number, Leader: places[i].Leader}
		if m.Mark.Tool == qc.Badge {
			to, badge.Leader = at, false // its leader is a shape: both its ends are on the photo
		}
		badge.DX, badge.DY = decimals(at.X-to.X, 1), decimals(at.Y-to.Y, 1)
		to = view.ToImage(to)
		badge.X, badge.Y = decimals(100*to.X/w, 2)+"%", decimals(100*to.Y/h, 2)+"%"
		over.Badges = append(over.Badges, badge)
	}
	for _, frame := range annotate.Insets(marks, photo.Width, photo.Height) {
		i := slices.IndexFunc(marks, func(m annotate.Shape) bool { return m.Mark.ID == frame.Mark })
		over.Insets = append(over.Insets, insetOf(frame, severityClasses[marks[i].Severity], regions, w, h))
	}
	return over
}

// mostInset is the longer side of an inset's picture, enough for every screen.
const mostInset = 1200

func insetOf(f annotate.Frame, class, regions string, w, h float64) insetView {
	size := "max"
	if max(f.From.Dx(), f.From.Dy()) > mostInset {
		size = fmt.Sprintf("!%d,%d", mostInset, mostInset)
	}
	box := func(r image.Rectangle) string {
		return fmt.Sprintf("M%d %dH%dV%dH%dZ", r.Min.X, r.Min.Y, r.Max.X, r.Max.Y, r.Min.X)
	}
	path := box(f.From) + box(f.To)
	if !f.From.Overlaps(f.To) {
		from, to := nearest(f.From, f.To), nearest(f.To, f.From)
		path += fmt.Sprintf("M%d %dL%d %d", from.X, from.Y, to.X, to.Y)
	}
	return insetView{
		Src:   fmt.Sprintf("%s/%d,%d,%d,%d/%s/0/default.jpg", regions, f.From.Min.X, f.From.Min.Y, f.From.Dx(), f.From.Dy(), size),
		Class: class, Path: path, X: f.To.Min.X, Y: f.To.Min.Y, Width: f.To.Dx(), Height: f.To.Dy(),
		Zoom:  "×" + decimals(f.Zoom, 1),
		ZoomX: decimals(100*float64(f.To.Min.X)/w, 2) + "%", ZoomY: decimals(100*float64(f.To.Max.Y)/h, 2) + "%",
	}
}

// nearest is the place in r that is nearest to the middle of another.
func nearest(r, other image.Rectangle) image.Point {
	middle := other.Min.Add(other.Max).Div(2)
	return image.Pt(min(max(middle.X, r.Min.X), r.Max.X), min(max(middle.Y, r.Min.Y), r.Max.Y))
}

// The words on a photo as the pages write them, in pixels of the page.
const (
	wordsWidth  = 0.42 * phoneWidth // before they are broken
	wordsEm     = 13.0
	wordsLine   = 17.0
	wordsAround = 12.0 // a plate's edges
)

// wordsOf returns the words of a text, or a measure's label. On a phone the
// plate is within the photo; where the photo is larger there is more room.
func wordsOf(m annotate.Shape, view annotate.View, w, h float64) (wordsView, bool) {
	words := wordsView{Class: severityClasses[m.Severity], Text: m.Mark.Text, Tape: m.Mark.Tool == qc.Measure}
	var at qc.Point
	switch m.Mark.Tool {
	case qc.Text:
		at = m.Mark.Points[0]
	case qc.Measure:
		words.Text = m.Label
		at = middle(m.Mark.Points)
	default:
		return words, false
	}
	if words.Text == "" {
		return words, false
	}
	wide, lines := 0.0, 1.0
	along := 0.0
	for _, r := range words.Text {
		step := 0.62 * wordsEm
		if r >= 0x2e80 {
			step = wordsEm
		}
		if along+step > wordsWidth || r == '\n' {
			lines, along = lines+1, 0
		}
		along += step
		wide = max(wide, along)
	}
	wide, high := wide+wordsAround, lines*wordsLine+wordsAround
	place := view.ToScreen(at)
	x, y := place.X, place.Y
	if words.Tape {
		x, y = besideTape(m.Mark.Points, place, wide, high)
	}
	x, y = max(0, min(x, w*view.Scale-wide)), max(0, min(y, h*view.Scale-high))
	words.X, words.Y = decimals(100*at.X/w, 2)+"%", decimals(100*at.Y/h, 2)+"%"
	words.DX, words.DY = decimals(x-place.X, 1), decimals(y-place.Y, 1)
	words.Width, words.Height = int(math.Ceil(wide))+8, int(math.Ceil(high))+8
	return words, true
}

// besideTape is the top left corner of a label beside the middle of a tape: above
// one that lies, to the right of one that stands, so that the tape is seen.
func besideTape(points []qc.Point, middle qc.Point, wide, high float64) (x, y float64) {
	const off = 8
	a, b := points[0], points[len(points)-1]
	if math.Abs(b.Y-a.Y) > math.Abs(b.X-a.X) {
		return middle.X + off, middle.Y - high/2
	}
	if y = middle.Y - high - off; y < 0 {
		y = middle.Y + off
	}
	return middle.X - wide/2, y
}

// middle is half-way along a line.
func middle(points []qc.Point) qc.Point {
	length := 0.0
	for i := 1; i < len(points); i++ {
		length += math.Hypot(points[i].X-points[i-1].X, points[i].Y-points[i-1].Y)
	}
	left := length / 2
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		step := math.Hypot(b.X-a.X, b.Y-a.Y)
		if step >= left && step > 0 {
			return qc.Point{X: a.X + (b.X-a.X)*left/step, Y: a.Y + (b.Y-a.Y)*left/step}
		}
		left -= step
	}
	return points[0]
}

// pathOf returns the line that a mark is drawn along as SVG path data, empty
// for a number without a leader.
func pathOf(m qc.Mark, longer float64) string {
	a, b := m.Points[0], m.Points[len(m.Points)-1]
	switch m.Tool {
	case qc.Arrow:
		return arrowPath(a, b, longer)
	case qc.Box, qc.Highlighter, qc.Spotlight, qc.Inset:
		x0, x1 := min(a.X, b.X), max(a.X, b.X)
		y0, y1 := min(a.Y, b.Y), max(a.Y, b.Y)
		return fmt.Sprintf("M%.1f %.1fH%.1fV%.1fH%.1fZ", x0, y0, x1, y1, x0)
	case qc.Ellipse:
		rx, ry := math.Abs(b.X-a.X)/2, math.Abs(b.Y-a.Y)/2
		return fmt.Sprintf("M%.1f %.1fa%.1f %.1f 0 1 0 %.1f 0a%.1f %.1f 0 1 0 %.1f 0Z",
			min(a.X, b.X), (a.Y+b.Y)/2, rx, ry, 2*rx, rx, ry, -2*rx)
	default:
		if len(m.Points) < 2 {
			return ""
		}
		var path strings.Builder
		for i, p := range m.Points {
			if m.Tool == qc.Text && i == 0 { // under the plate
				p = qc.Point{X: p.X + 0.02*longer, Y: p.Y + 0.015*longer}
			}
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], p.X, p.Y)
		}
		if annotate.Closed(m) {
			path.WriteByte('Z')
		}
		if m.Tool == qc.Measure {
			n := len(m.Points)
			path.WriteString(tick(m.Points[0], m.Points[1], longer))
			path.WriteString(tick(m.Points[n-1], m.Points[n-2], longer))
		}
		if m.Tool == qc.Badge || m.Tool == qc.Text { // a dot where the flaw is
			r := 0.0025 * longer
			fmt.Fprintf(&path, "M%.1f %.1fa%.1f %.1f 0 1 0 %.1f 0a%.1f %.1f 0 1 0 %.1f 0Z", b.X-r, b.Y, r, r, 2*r, r, r, -2*r)
		}
		return path.String()
	}
}

// tick is the line across the end of a tape.
func tick(end, before qc.Point, longer float64) string {
	dx, dy := end.X-before.X, end.Y-before.Y
	length := math.Hypot(dx, dy)
	if length == 0 {
		return ""
	}
	half := 0.012 * longer
	ux, uy := -dy/length*half, dx/length*half
	return fmt.Sprintf("M%.1f %.1fL%.1f %.1f", end.X-ux, end.Y-uy, end.X+ux, end.Y+uy)
}

// arrowPath draws from tail to head; the head is 3 % of the photo's longer side,
// at most 40 % of the arrow.
func arrowPath(tail, head qc.Point, longer float64) string {
	dx, dy := head.X-tail.X, head.Y-tail.Y
	length := math.Hypot(dx, dy)
	if length == 0 {
		length = 1
	}
	size := math.Min(0.03*longer, 0.4*length)
	ux, uy := dx/length*size, dy/length*size
	return fmt.Sprintf("M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1fL%.1f %.1f", tail.X, tail.Y, head.X, head.Y,
		head.X-ux-uy*0.6, head.Y-uy+ux*0.6, head.X, head.Y, head.X-ux+uy*0.6, head.Y-uy-ux*0.6)
}

// decimals writes a number with at most so many decimals.
func decimals(v float64, places int) string {
	power := math.Pow10(places)
	return strconv.FormatFloat(math.Round(v*power)/power+0, 'f', -1, 64)
}
