package web

import (
	"fmt"
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

// overlay returns the marks on a photo, gravest last so that they lie on top.
// A mark that this version cannot draw is left out.
func overlay(f qc.Finding, photo qc.Photo, hidden func(qc.Flaw) bool) ([]shapeView, []badgeView) {
	if photo.Width <= 0 || photo.Height <= 0 {
		return nil, nil
	}
	var marks []annotate.Shape
	for _, mark := range f.Marks {
		if form, known := mark.Tool.Form(); mark.Photo != photo.ID || !known || !form.Fits(len(mark.Points)) {
			continue
		}
		m := annotate.Shape{Mark: mark, Number: f.Number(mark.Flaw), Severity: qc.Observation}
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
	w, h := float64(photo.Width), float64(photo.Height)
	view := annotate.View{Scale: min(phoneWidth/w, phoneHeight/h)}
	places := annotate.Places(marks, view, badgeReach, photo.Width, photo.Height)
	var shapes []shapeView
	var badges []badgeView
	for i, m := range marks {
		shape := shapeView{Class: severityClasses[m.Severity], Flaw: m.Number, Path: pathOf(m.Mark, max(w, h))}
		shape.Tint = m.Mark.Tool == qc.Highlighter
		shape.Thin = shape.Tint || m.Mark.Tool == qc.Badge
		if shape.Path != "" {
			shapes = append(shapes, shape)
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
		badges = append(badges, badge)
	}
	return shapes, badges
}

// pathOf returns the line that a mark is drawn along as SVG path data, empty
// for a number without a leader.
func pathOf(m qc.Mark, longer float64) string {
	a, b := m.Points[0], m.Points[len(m.Points)-1]
	switch m.Tool {
	case qc.Arrow:
		return arrowPath(a, b, longer)
	case qc.Box, qc.Highlighter:
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
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], p.X, p.Y)
		}
		if annotate.Closed(m) {
			path.WriteByte('Z')
		}
		if m.Tool == qc.Badge { // a dot where the flaw is
			r := 0.0025 * longer
			fmt.Fprintf(&path, "M%.1f %.1fa%.1f %.1f 0 1 0 %.1f 0a%.1f %.1f 0 1 0 %.1f 0Z", b.X-r, b.Y, r, r, 2*r, r, r, -2*r)
		}
		return path.String()
	}
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
