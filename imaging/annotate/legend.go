package annotate

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"

	"flawmark/app/qc"
)

// LegendEntry is a line of a [Legend].
type LegendEntry struct {
	Number   int
	Severity qc.Severity
	Words    string // what the flaw is called, in the reader's language
	Size     string // what was measured, such as "6 mm"; may be empty
}

// Sizes of a legend in units; letters are smaller than on the photo, where they
// compete with it.
const (
	legendCap     = 18.0
	legendMargin  = 20.0
	legendColumns = 4 // from so many entries on there are two columns
)

// Legend returns a copy of a picture with a strip below that explains the
// numbers on it: each in the form and colour of its severity, with words,
// broken where they are too long, and what was measured. Without entries it is
// a copy only.
func Legend(img *image.RGBA, entries []LegendEntry) *image.RGBA {
	size := img.Rect.Size()
	unit := UnitOf(img.Rect)
	strip := legendStrip(entries, size.X, unit)
	out := image.NewRGBA(image.Rect(0, 0, size.X, size.Y+strip.height))
	draw.Draw(out, image.Rectangle{Max: size}, img, img.Rect.Min, draw.Src)
	if strip.height == 0 {
		return out
	}
	below := image.Rect(0, size.Y, size.X, size.Y+strip.height)
	draw.Draw(out, below, image.NewUniform(white), image.Point{}, draw.Src)
	grey := color.NRGBA{0x5f, 0x63, 0x68, 0xff}
	for _, e := range strip.entries {
		top := float64(size.Y) + e.y
		first := top + strip.lead/2 // the middle of the first line
		st := styleOf(e.Severity)
		at := qc.Point{X: e.x + strip.radius, Y: first}
		ground := st.colour
		if st.badge == ring {
			ground = white
		}
		form(out, st.badge, at, strip.radius, st.colour)
		if ground != st.colour {
			form(out, st.badge, at, strip.radius-max(2.5*unit, 1), ground)
		}
		if e.Number != 0 {
			number(out, strconv.Itoa(e.Number), at.X, at.Y, strip.radius, st.ink)
		}
		x := e.x + strip.indent
		for i, line := range e.lines {
			strip.bold.write(out, line, x, first+capHeight*strip.bold.size/2+float64(i)*strip.lead, black)
		}
		for i, line := range e.sizes {
			y := first + capHeight*strip.bold.size/2 + float64(e.sizeLine+i)*strip.lead
			strip.thin.write(out, line, x+e.sizeX, y, grey)
			e.sizeX = 0
		}
	}
	return out
}

// strip is the layout of a legend in output pixels.
type strip struct {
	bold, thin           *pen
	radius, indent, lead float64
	entries              []stripEntry
	height               int
}

type stripEntry struct {
	LegendEntry
	x, y         float64
	lines, sizes []string
	sizeLine     int // the line that the size begins on
	sizeX        float64
}

func legendStrip(entries []LegendEntry, width int, unit float64) strip {
	em := max(legendCap*unit, leastCap) / capHeight
	s := strip{bold: newPen(boldFont, em), thin: newPen(regularFont, em), radius: max(0.68*em, 6.5), lead: 1.55 * em}
	if len(entries) == 0 {
		return s
	}
	s.indent = 2*s.radius + 0.6*em
	margin := legendMargin * unit
	columns := 1
	if len(entries) >= legendColumns && float64(width) > 30*em {
		columns = 2
	}
	column := (float64(width) - margin*float64(columns+1)) / float64(columns)
	limit := max(column-s.indent, em)
	rows := (len(entries) + columns - 1) / columns
	lowest := 0.0
	for c := range columns {
		y := margin
		for _, e := range entries[min(c*rows, len(entries)):min((c+1)*rows, len(entries))] {
			line := stripEntry{LegendEntry: e, x: margin + float64(c)*(column+margin), y: y}
			line.lines, _ = s.bold.set(e.Words, limit)
			count := len(line.lines)
			if e.Size != "" {
				// Beside the last word where there is room, else below.
				line.sizeX = s.bold.width(line.lines[count-1]) + 0.7*em
				line.sizeLine = count - 1
				line.sizes, _ = s.thin.set(e.Size, limit)
				if e.Words == "" {
					line.sizeX = 0
				} else if len(line.sizes) > 1 || line.sizeX+s.thin.width(e.Size) > limit {
					line.sizeX, line.sizeLine = 0, count
				}
				count = line.sizeLine + len(line.sizes)
			}
			s.entries = append(s.entries, line)
			y += math.Max(float64(count)*s.lead, 2*s.radius) + 0.35*em
		}
		lowest = max(lowest, y)
	}
	s.height = int(math.Ceil(lowest - 0.35*em + margin))
	return s
}
