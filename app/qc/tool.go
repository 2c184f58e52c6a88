package qc

import "slices"

// Tool names the kind of a mark.
type Tool string

// The tools. What their points say is in [Forms].
const (
	Box         Tool = "rect"      // two opposite corners
	Ellipse     Tool = "ellipse"   // two opposite corners of the box around it
	Arrow       Tool = "arrow"     // tail, then head; the head is at the flaw
	Line        Tool = "line"      // its two ends
	Freehand    Tool = "freehand"  // a trace in the order it was drawn; closed when it ends where it began
	Polygon     Tool = "polygon"   // its corners in order, the first not repeated
	Badge       Tool = "badge"     // where the flaw's number is, then, if it stands off, what it names
	Highlighter Tool = "highlight" // two opposite corners of what is tinted
	Text        Tool = "text"      // the top left corner of the words, then, if they belong to a place, that place
	Inset       Tool = "inset"     // two opposite corners of what is enlarged, then, if a person placed it, the inset's top left corner
	Spotlight   Tool = "spotlight" // two opposite corners of what stays bright; one a photo
	Measure     Tool = "measure"   // the places along which the tape is laid
	Redaction   Tool = "redact"    // two opposite corners of what nobody outside may see
)

// What a finding may hold at most: far more than people draw, and little
// enough that every program can show it and that it travels in one piece.
const (
	MaxPoints    = 4000   // of one mark
	MaxMarks     = 500    // of one finding
	MaxAllPoints = 16_000 // of all marks of one finding
	MaxText      = 280    // characters of the words of one mark
)

// How much larger than on the photo an [Inset] shows its part.
const (
	MinZoom     = 1.5
	DefaultZoom = 3.0
	MaxZoom     = 8.0
)

// Form says how many points the marks of a tool have.
type Form struct {
	Tool     Tool
	Min, Max int
	Closed   bool // always encloses an area
}

// Fits reports whether a mark of that many points is well formed.
func (f Form) Fits(points int) bool { return points >= f.Min && points <= f.Max }

// Shows reports whether marks of the tool show a flaw. The others say, hide or
// measure something about the photo itself and may belong to none.
func (t Tool) Shows() bool {
	switch t {
	case Text, Spotlight, Measure, Redaction:
		return false
	default:
		return true
	}
}

// Forms returns the one table of tools, in the order in which they are offered.
func Forms() []Form {
	return []Form{
		{Tool: Box, Min: 2, Max: 2, Closed: true},
		{Tool: Ellipse, Min: 2, Max: 2, Closed: true},
		{Tool: Arrow, Min: 2, Max: 2},
		{Tool: Line, Min: 2, Max: 2},
		{Tool: Freehand, Min: 2, Max: MaxPoints},
		{Tool: Polygon, Min: 3, Max: MaxPoints, Closed: true},
		{Tool: Badge, Min: 1, Max: 2},
		{Tool: Highlighter, Min: 2, Max: 2, Closed: true},
		{Tool: Text, Min: 1, Max: 2},
		{Tool: Inset, Min: 2, Max: 3, Closed: true},
		{Tool: Spotlight, Min: 2, Max: 2, Closed: true},
		{Tool: Measure, Min: 2, Max: MaxPoints},
		{Tool: Redaction, Min: 2, Max: 2, Closed: true},
	}
}

// Form returns the tool's row of [Forms]; ok is false for a tool that this
// version does not know, such as one of a newer station.
func (t Tool) Form() (f Form, ok bool) {
	forms := Forms()
	i := slices.IndexFunc(forms, func(f Form) bool { return f.Tool == t })
	if i < 0 {
		return Form{}, false
	}
	return forms[i], true
}
