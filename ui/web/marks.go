package web

import (
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
	On       []int    // photos with a mark of it, from 1
	View     string   // where a photo shows it closely; empty: none does
	Anchor   string   // its id, where a page shows it once
	Measured []string // what was measured of it on photos, with the error
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
		view.Measured = s.measured(f, flaw.ID)
		for n, photo := range f.Photos {
			if slices.ContainsFunc(f.Marks, func(m qc.Mark) bool { return m.Photo == photo.ID && m.Flaw == flaw.ID }) {
				view.On = append(view.On, n+1)
			}
		}
		views = append(views, view)
	}
	return views
}

// measured says what was measured along a flaw, or, without one, beside all of
// them: with its error at 95 %, and where the photo has its scale from.
func (s speech) measured(f qc.Finding, flaw qc.FlawID) []string {
	var lines []string
	for _, m := range f.Marks {
		i := slices.IndexFunc(f.Photos, func(p qc.Photo) bool { return p.ID == m.Photo })
		if i < 0 || m.Tool != qc.Measure || m.Flaw != flaw {
			continue
		}
		scale := f.Photos[i].Scale
		length := m.Label(scale)
		if length == "" {
			continue
		}
		if _, ok := scale.Measure(m.Points); !ok {
			lines = append(lines, s.T("web.measured.pixels", "length", length, "photo", strconv.Itoa(i+1)))
			continue
		}
		lines = append(lines, s.T("web.measured", "length", length, "photo", strconv.Itoa(i+1), "scale", s.T("web.scale."+string(scale.Source))))
	}
	return lines
}

// lead makes the flaws lead to the photos that show them closely.
func lead(flaws []flawView, f qc.Finding, base string, there func(qc.Digest) bool) {
	for i, flaw := range flaws {
		for _, n := range flaw.On {
			if photo := f.Photos[n-1]; there(photo.Preview.Digest) {
				flaws[i].View = base + "/photos/" + string(photo.Digest) + "#flaw-" + strconv.Itoa(flaw.Number)
				break
			}
		}
	}
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
	Redacted      bool   // a part of it is hidden
	First         bool   // on the page: what somebody came to see
	IIIF          string // address of the photo's regions
	overlayView
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
		view.IIIF = base + "/iiif/" + string(photo.Digest)
		if view.Redacted = len(redactions(f, photo)) > 0; view.Redacted {
			view.Alt += ". " + s.T("web.photo.redacted")
		}
		view.overlayView = overlay(f, photo, view.IIIF, hidden)
		marked = marked || view.Marked()
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

// Marked reports whether anything is marked on the photo.
func (v photoView) Marked() bool {
	return len(v.Shapes)+len(v.Badges)+len(v.Plates)+len(v.Insets) > 0 || v.Dim != ""
}

// Tinted reports whether anything is highlighted on the photo.
func (v photoView) Tinted() bool {
	return slices.ContainsFunc(v.Shapes, func(s shapeView) bool { return s.Tint })
}

// gravest ranks a photo by its gravest mark, 0 for critical.
func (v photoView) gravest() int {
	for rank, severity := range qc.Severities() {
		class := severityClasses[severity]
		if slices.ContainsFunc(v.Shapes, func(s shapeView) bool { return s.Class == class }) ||
			slices.ContainsFunc(v.Badges, func(b badgeView) bool { return b.Class == class }) {
			return rank
		}
	}
	return len(qc.Severities())
}

// hiddenFrom returns which flaws, and marks of them, are not shown.
func hiddenFrom(catalogue qc.Catalogue, inside bool) func(qc.Flaw) bool {
	return func(flaw qc.Flaw) bool {
		kind, _ := catalogue.Flaw(flaw.Code)
		return kind.Internal && !inside
	}
}
