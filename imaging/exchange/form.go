package exchange

import (
	"math"

	"flawmark/app/qc"
)

// kind is a geometry that other forms know. Tools differ in meaning, kinds in
// what their points say.
type kind int

const (
	upright kind = iota + 1 // rectangle along the axes: two opposite corners
	oval                    // ellipse along the axes: two opposite corners of its box
	path                    // open polyline: its points in order
	outline                 // closed polygon: its corners in order, the first not repeated
	spot                    // one place
)

// form says how a tool's points are to be understood by other forms.
type form struct {
	tool        qc.Tool
	kind        kind
	least, most int  // points; most 0: any number
	encloses    bool // the flaw is within the mark, not merely pointed at
}

// forms is the one table of tools: a new tool is a new row. A foreign shape
// that does not name its tool gets the first row that fits, so what is more
// common or says less stands higher.
var forms = [...]form{
	{tool: qc.Box, kind: upright, least: 2, most: 2, encloses: true},
	{tool: qc.Ellipse, kind: oval, least: 2, most: 2, encloses: true},
	{tool: qc.Line, kind: path, least: 2, most: 2, encloses: true},
	{tool: qc.Freehand, kind: path, least: 2, encloses: true},
	{tool: qc.Polygon, kind: outline, least: 3, encloses: true},
	{tool: qc.Arrow, kind: path, least: 2, most: 2},
	{tool: qc.Highlighter, kind: upright, least: 2, most: 2, encloses: true},
	{tool: qc.Badge, kind: path, least: 1, most: 2},
	{tool: qc.Inset, kind: upright, least: 2, most: 3, encloses: true}, // the third point is where it is shown
	{tool: qc.Spotlight, kind: upright, least: 2, most: 2},
	{tool: qc.Measure, kind: path, least: 2},
	{tool: qc.Text, kind: path, least: 1, most: 2},
	{tool: qc.Redaction, kind: upright, least: 2, most: 2, encloses: true},
}

func (f form) fits(points int) bool {
	return points >= f.least && (f.most == 0 || points <= f.most)
}

// draws reports whether a mark of the tool can have that shape.
func (f form) draws(s shape) bool {
	return f.fits(len(s.points)) && (f.kind == s.kind && len(s.points) > 1 || s.kind == spot && len(s.points) == 1)
}

func formOf(tool qc.Tool) (form, bool) {
	for _, f := range forms {
		if f.tool == tool {
			return f, true
		}
	}
	return form{}, false
}

// shape is a geometry on its way from or to another form.
type shape struct {
	kind   kind
	points []qc.Point
}

// shapeOf returns a mark's geometry; ok is false for a tool without a row.
// Corners are put in order.
func shapeOf(m Mark) (s shape, ok bool) {
	f, ok := formOf(m.Tool)
	if !ok || !f.fits(len(m.Points)) {
		return shape{}, false
	}
	if len(m.Points) == 1 {
		return shape{spot, m.Points}, true
	}
	if f.kind == upright || f.kind == oval {
		return cornered(f.kind, m.Points[0], m.Points[1]), true
	}
	return shape{f.kind, m.Points}, true
}

// cornered returns an upright or oval with its corners as top left, bottom
// right.
func cornered(k kind, a, b qc.Point) shape {
	return shape{k, []qc.Point{
		{X: min(a.X, b.X), Y: min(a.Y, b.Y)},
		{X: max(a.X, b.X), Y: max(a.Y, b.Y)},
	}}
}

// toolFor returns the tool for a shape that claims to be drawn with one, or
// for any shape when claimed is empty or cannot be; ok is false when no tool
// draws it.
func toolFor(s shape, claimed qc.Tool) (tool qc.Tool, ok bool) {
	if len(s.points) == 0 {
		return "", false
	}
	if f, known := formOf(claimed); known && f.draws(s) {
		return claimed, true
	}
	for _, f := range forms {
		if f.tool != qc.Text && f.draws(s) { // nobody's words are made up
			return f.tool, true
		}
	}
	return "", false
}

// bounds returns the top left and bottom right corner of all points.
func bounds(points []qc.Point) (low, high qc.Point) {
	low, high = points[0], points[0]
	for _, p := range points[1:] {
		low = qc.Point{X: min(low.X, p.X), Y: min(low.Y, p.Y)}
		high = qc.Point{X: max(high.X, p.X), Y: max(high.Y, p.Y)}
	}
	return low, high
}

// facets is how many corners stand for an ellipse where a form has polygons
// only: a multiple of four, so that the ellipse's box is that of its corners.
const facets = 64

// faceted returns the polygon that stands for an ellipse, clockwise from its
// rightmost point. Its corners lie on the ellipse and inside the box.
func faceted(low, high qc.Point) []qc.Point {
	points := make([]qc.Point, facets)
	for i := range points {
		sin, cos := math.Sincos(float64(i) * 2 * math.Pi / facets)
		points[i] = qc.Point{X: between(low.X, high.X, cos, i, 0), Y: between(low.Y, high.Y, sin, i, facets/4)}
	}
	return points
}

// between returns the place at v, from -1 to 1, of a side; at the facets that
// touch the side's ends it is the end itself.
func between(low, high, v float64, i, top int) float64 {
	switch i {
	case top:
		return high
	case (top + facets/2) % facets:
		return low
	}
	return min(max(low+(high-low)*(1+v)/2, low), high)
}

// unfaceted returns the ellipse that a polygon stands for, within a millionth
// of a pixel; ok is false for a polygon that is no such ellipse.
func unfaceted(points []qc.Point) (s shape, ok bool) {
	if len(points) != facets {
		return shape{}, false
	}
	low, high := bounds(points)
	for i, p := range faceted(low, high) {
		if math.Abs(p.X-points[i].X) > 1e-6 || math.Abs(p.Y-points[i].Y) > 1e-6 {
			return shape{}, false
		}
	}
	return shape{oval, []qc.Point{low, high}}, true
}
