package annotate

import (
	"image/color"

	"flawmark/app/qc"
)

// badgeForm is the outline of a number's badge.
type badgeForm int

const (
	disc badgeForm = iota
	octagon
	roundedSquare
	ring
)

// style is how a severity looks. Every severity differs from the others in
// form as well as in colour, because many people see the four colours as two.
// Sizes are multiples of the unit.
type style struct {
	colour color.NRGBA // of the stroke and the badge
	ink    color.NRGBA // of the number on the badge
	stroke float64
	dashes []float64 // nil: solid
	badge  badgeForm
}

var (
	white  = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	black  = color.NRGBA{0x1a, 0x1a, 0x1a, 0xff}
	shadow = color.NRGBA{0, 0, 0, 0x73}
)

// The colours are told apart with each of the common kinds of colour blindness.
func styleOf(s qc.Severity) style {
	switch s {
	case qc.Critical:
		return style{colour: color.NRGBA{0xd3, 0x2f, 0x2f, 0xff}, ink: white, stroke: 4.5, badge: octagon}
	case qc.Major:
		return style{colour: color.NRGBA{0xf5, 0x7c, 0x00, 0xff}, ink: black, stroke: 3, badge: disc}
	case qc.Minor:
		return style{colour: color.NRGBA{0xfd, 0xd8, 0x35, 0xff}, ink: black, stroke: 3, dashes: []float64{13, 8}, badge: roundedSquare}
	default: // an observation, or a mark that shows no flaw yet
		blue := color.NRGBA{0x19, 0x76, 0xd2, 0xff}
		return style{colour: blue, ink: blue, stroke: 2.2, badge: ring}
	}
}

// Colour returns the colour of a severity, as marks and badges have it.
func Colour(s qc.Severity) color.NRGBA { return styleOf(s).colour }

// Ink returns the colour of a sign that is read on [Colour] as ground.
func Ink(s qc.Severity) color.NRGBA {
	if st := styleOf(s); st.ink != st.colour {
		return st.ink
	}
	return white
}

// Stroke returns the width of a severity's strokes in units, and whether they
// are dashed.
func Stroke(s qc.Severity) (width float64, dashed bool) {
	st := styleOf(s)
	return st.stroke, st.dashes != nil
}

// ArrowHead returns the two back corners of an arrow's head and where its
// shaft ends, in the space of tail and head, for a stroke of that width: 5.5
// strokes long, 4 wide, never longer than 40 % of the arrow.
func ArrowHead(tail, head qc.Point, stroke float64) (left, right, base qc.Point) {
	length := distance(tail, head)
	if length == 0 {
		return head, head, head
	}
	dx, dy := (head.X-tail.X)/length, (head.Y-tail.Y)/length
	long := min(5.5*stroke, 0.4*length)
	wide := long * 4 / 5.5 / 2
	base = qc.Point{X: head.X - dx*long, Y: head.Y - dy*long}
	left = qc.Point{X: base.X + dy*wide, Y: base.Y - dx*wide}
	right = qc.Point{X: base.X - dy*wide, Y: base.Y + dx*wide}
	return left, right, base
}
