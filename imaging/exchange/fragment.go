package exchange

import (
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"flawmark/app/qc"
)

// mediaFragments is the standard that a box's selector keeps to. Its grammar
// has whole pixels only; like the viewers of the web we write and read
// decimals as well, where a side is not on a whole pixel.
const mediaFragments = "http://www.w3.org/TR/media-frags/"

// fragmentOf returns a box as xywh=pixel:x,y,w,h. x+w and y+h are the other
// corner exactly.
func fragmentOf(low, high qc.Point) string {
	return "xywh=pixel:" + decimal(low.X) + "," + decimal(low.Y) + "," + extent(low.X, high.X) + "," + extent(low.Y, high.Y)
}

// parseFragment reads the box of a media fragment. Percentages and decimals
// are understood; of several boxes the last holds, as the standard says.
func parseFragment(text string, image Image) (shape, error) {
	box := ""
	for part := range strings.SplitSeq(strings.TrimPrefix(text, "#"), "&") {
		name, value, _ := strings.Cut(part, "=")
		if name == "xywh" {
			box = value
		}
	}
	if plain, err := url.PathUnescape(box); err == nil {
		box = plain
	}
	unit, numbers, ok := strings.Cut(box, ":")
	if !ok {
		unit, numbers = "pixel", box
	}
	sides := strings.Split(numbers, ",")
	if len(sides) != 4 || unit != "pixel" && unit != "percent" {
		return shape{}, fmt.Errorf("%w: fragment %.80q has no box", ErrMalformed, text)
	}
	x0, x1, err := span(sides[0], sides[2])
	if err != nil {
		return shape{}, err
	}
	y0, y1, err := span(sides[1], sides[3])
	if err != nil {
		return shape{}, err
	}
	if unit == "percent" {
		w, h := float64(image.Width), float64(image.Height)
		x0, x1, y0, y1 = x0*w/100, x1*w/100, y0*h/100, y1*h/100
	}
	return cornered(upright, qc.Point{X: x0, Y: y0}, qc.Point{X: x1, Y: y1}), nil
}

// span returns both ends of a side that is written as its begin and length.
func span(begin, length string) (from, to float64, err error) {
	begin, length = strings.TrimSpace(begin), strings.TrimSpace(length)
	if !plainNumber(begin) || !plainNumber(length) || strings.HasPrefix(length, "-") {
		return 0, 0, fmt.Errorf("%w: box side %.40q,%.40q", ErrMalformed, begin, length)
	}
	if from, err = strconv.ParseFloat(begin, 64); err != nil {
		return 0, 0, fmt.Errorf("%w: box side: %w", ErrMalformed, err)
	}
	return from, reach(from, length), nil
}

var decimals = regexp.MustCompile(`^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)$`)

// plainNumber reports whether text is a decimal without an exponent, short
// enough to be one that somebody meant.
func plainNumber(text string) bool { return len(text) <= 1200 && decimals.MatchString(text) }

// decimal returns v in the fewest digits that mean exactly v.
func decimal(v float64) string {
	if v == 0 {
		return "0" // never -0
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// extent returns the length of a side as the fewest decimals that lead from
// one end to the other exactly. The plain difference does in nearly all cases;
// where it is rounded, more digits are needed.
func extent(from, to float64) string {
	length := decimal(to - from)
	if reach(from, length) == to {
		return length
	}
	exact := new(big.Rat).Sub(new(big.Rat).SetFloat64(to), new(big.Rat).SetFloat64(from))
	for digits := 20; ; digits *= 2 {
		length = strings.TrimRight(exact.FloatString(digits), "0")
		if reach(from, length) == to || digits > 1100 {
			return length
		}
	}
}

// reach returns the end of a side, rounded once. length is a plain number.
func reach(from float64, length string) float64 {
	sum, ok := new(big.Rat).SetString(strings.TrimSuffix(length, "."))
	if !ok {
		return from
	}
	to, _ := sum.Add(sum, new(big.Rat).SetFloat64(from)).Float64()
	return to
}
