package web

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"flawmark/app/qc"
)

// severityView is how a severity is shown: colour is always doubled by the
// form of the line and of the badge.
type severityView struct {
	Code    qc.Severity
	Letters string
	Name    string
	Meaning string
	Class   string // "cr", "maj", "min", "obs"
}

var severityClasses = map[qc.Severity]string{qc.Critical: "cr", qc.Major: "maj", qc.Minor: "min", qc.Observation: "obs"}

func (s speech) severity(code qc.Severity) severityView {
	key := "severity." + string(code)
	return severityView{
		Code: code, Letters: s.T(key + ".letter"), Name: s.T(key), Meaning: s.T(key + ".meaning"),
		Class: severityClasses[code],
	}
}

// flawView is one line of the list of flaws.
type flawView struct {
	speech
	Number   int
	Name     string
	Other    string // the name in the other language, at the desk
	Code     qc.FlawCode
	Severity severityView
	Zone     string
	Where    string
	Size     string
	Pieces   string // "2 of 3 pieces", when there are several
	Note     string
	On       []int // photos with a mark of it, from 1
	Internal bool
}

// flaws describes a finding's flaws; those that concern only ourselves are left
// out for customers, and the numbers of the others stay as they are.
func (s speech) flaws(f qc.Finding, item qc.Item, catalogue qc.Catalogue, inside bool) []flawView {
	var views []flawView
	for i, flaw := range f.Flaws {
		kind, known := catalogue.Flaw(flaw.Code)
		if kind.Internal && !inside {
			continue
		}
		view := flawView{
			speech: s, Number: i + 1, Name: kind.Name().In(s.Language()), Code: flaw.Code, Internal: kind.Internal,
			Severity: s.severity(flaw.Severity), Note: flaw.Note,
		}
		if !known {
			view.Name = string(flaw.Code)
		}
		if inside {
			view.Other = kind.Name().In(otherLanguage(s.Language()))
		}
		if flaw.Zone != "" {
			view.Zone, view.Where = s.T("zone."+string(flaw.Zone)), s.T("zone."+string(flaw.Zone)+".where")
		}
		if flaw.SizeMM > 0 {
			view.Size = s.T("word.size_mm", "size", strconv.FormatFloat(flaw.SizeMM, 'f', -1, 64))
		}
		if item.Quantity > 1 {
			view.Pieces = s.T("web.pieces", "n", strconv.Itoa(flaw.Quantity), "m", strconv.Itoa(item.Quantity))
		}
		for n, photo := range f.Photos {
			if slices.ContainsFunc(f.Marks, func(m qc.Mark) bool { return m.Photo == photo.ID && m.Flaw == flaw.ID }) {
				view.On = append(view.On, n+1)
			}
		}
		views = append(views, view)
	}
	return views
}

func otherLanguage(language string) string {
	if language == "zh" {
		return "en"
	}
	return "zh"
}

// photoView is a photo with its marks.
type photoView struct {
	speech
	ID            string // unique on the page
	Number, Of    int
	Alt           string
	Thumb, Src    string // addresses of the small picture and the preview
	Full, View    string // of the photo in full resolution, and of the page that shows it
	Width, Height int    // of the photo, the space that marks live in
	AnyMarks      bool   // on this photo or its neighbours
	Shapes        []shapeView
	Badges        []badgeView
}

// shapeView is a mark in pixels of the photo.
type shapeView struct {
	Class  string // severity
	Path   string // SVG path data
	Flaw   int
	Closed bool // a box: the inside is not filled, but can be pointed at
}

// badgeView is a number at a place given in per cent, so that it keeps its size
// whatever the photo is scaled to.
type badgeView struct {
	X, Y   string
	Class  string
	Number int
}

// overlay returns the marks on a photo, gravest last so that they lie on top.
func overlay(f qc.Finding, photo qc.Photo, hidden func(qc.Flaw) bool) ([]shapeView, []badgeView) {
	type marked struct {
		mark     qc.Mark
		number   int
		severity qc.Severity
	}
	var marks []marked
	for _, mark := range f.Marks {
		if mark.Photo != photo.ID || len(mark.Points) != 2 || photo.Width <= 0 || photo.Height <= 0 {
			continue
		}
		m := marked{mark: mark, number: f.Number(mark.Flaw), severity: qc.Observation}
		if m.number > 0 {
			flaw := f.Flaws[m.number-1]
			if hidden(flaw) {
				continue
			}
			m.severity = flaw.Severity
		}
		marks = append(marks, m)
	}
	slices.SortStableFunc(marks, func(a, b marked) int {
		return slices.Index(qc.Severities(), b.severity) - slices.Index(qc.Severities(), a.severity)
	})
	var shapes []shapeView
	var badges []badgeView
	for _, m := range marks {
		class := severityClasses[m.severity]
		a, b := m.mark.Points[0], m.mark.Points[1]
		anchor := a
		shape := shapeView{Class: class, Flaw: m.number}
		if m.mark.Tool == qc.Arrow {
			shape.Path = arrowPath(a, b, math.Max(float64(photo.Width), float64(photo.Height)))
		} else {
			x0, x1 := math.Min(a.X, b.X), math.Max(a.X, b.X)
			y0, y1 := math.Min(a.Y, b.Y), math.Max(a.Y, b.Y)
			shape.Path = fmt.Sprintf("M%.1f %.1fH%.1fV%.1fH%.1fZ", x0, y0, x1, y1, x0)
			shape.Closed = true
			anchor = qc.Point{X: x0, Y: y0}
		}
		shapes = append(shapes, shape)
		if m.number > 0 {
			badges = append(badges, badgeView{
				X: within(anchor.X, photo.Width), Y: within(anchor.Y, photo.Height), Class: class, Number: m.number,
			})
		}
	}
	return shapes, badges
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

// within returns a place in per cent, kept far enough from the edges for a
// badge to be seen whole on a phone.
func within(at float64, size int) string {
	percent := min(max(100*at/float64(size), 4.5), 95.5)
	return strconv.FormatFloat(percent, 'f', 2, 64) + "%"
}

// photos describes those of a finding's photos that are there, under the
// address base.
func (s speech) photos(f qc.Finding, alt, base string, there func(qc.Digest) bool, hidden func(qc.Flaw) bool) []photoView {
	views := make([]photoView, 0, len(f.Photos))
	marked := false
	for i, photo := range f.Photos {
		if !there(photo.Preview.Digest) {
			continue // it is on its way
		}
		at := base + "/photos/" + string(photo.Digest)
		view := photoView{
			speech: s, ID: string(photo.Digest)[:min(12, len(photo.Digest))], Number: i + 1, Of: len(f.Photos),
			Alt:   s.T("web.photo.alt", "n", strconv.Itoa(i+1), "item", alt),
			Thumb: at + "/thumb", Src: at + "/preview", Full: at + "/full", View: at,
			Width: photo.Width, Height: photo.Height,
		}
		view.Shapes, view.Badges = overlay(f, photo, hidden)
		marked = marked || len(view.Shapes) > 0
		views = append(views, view)
	}
	for i := range views {
		views[i].AnyMarks = marked
	}
	// The photo with the gravest flaw comes first: that is what somebody came to see.
	slices.SortStableFunc(views, func(a, b photoView) int { return a.gravest() - b.gravest() })
	return views
}

// Tall reports whether the photo is higher than wide.
func (v photoView) Tall() bool { return v.Height > v.Width }

// gravest ranks a photo by its gravest mark, 0 for critical.
func (v photoView) gravest() int {
	rank := len(qc.Severities())
	for _, shape := range v.Shapes {
		for i, severity := range qc.Severities() {
			if severityClasses[severity] == shape.Class {
				rank = min(rank, i)
			}
		}
	}
	return rank
}

// hiddenFrom returns which flaws, and marks of them, are not shown.
func hiddenFrom(catalogue qc.Catalogue, inside bool) func(qc.Flaw) bool {
	return func(flaw qc.Flaw) bool {
		kind, _ := catalogue.Flaw(flaw.Code)
		return kind.Internal && !inside
	}
}
