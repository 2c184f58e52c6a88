package qc

import (
	"fmt"
	"math"
)

// ScaleSource says how a photo got its scale.
type ScaleSource string

// The sources, the surest first.
const (
	ScaleStation ScaleSource = "station" // a fixed camera over the table, measured once
	ScaleMat     ScaleSource = "mat"     // QR codes of known size in the photo
	ScaleCard    ScaleSource = "card"    // a bank card's edge, 85.60 mm
	ScaleRuler   ScaleSource = "ruler"   // a length that a person read off a ruler
)

// Scale turns pixels of a photo into millimetres, for what lies flat in the
// plane of what it was taken from. The zero value is no scale.
type Scale struct {
	MMPerPixel float64     `json:"mm_per_pixel"`
	Error      float64     `json:"error"` // relative, at 95 %: 0.01 is 1 %
	Source     ScaleSource `json:"source"`
}

func (s Scale) valid() bool {
	switch {
	case s == Scale{}:
		return true
	case math.IsNaN(s.MMPerPixel) || math.IsInf(s.MMPerPixel, 0) || s.MMPerPixel <= 0:
		return false
	default:
		return s.Error >= 0 && s.Error < 1
	}
}

// Length is a measured length.
type Length struct {
	MM    float64
	Error float64 // millimetres, at 95 %
}

// placing is how exactly a person places the end of a tape, in pixels.
const placing = 1.5

// Measure returns the length of the line through places of a photo; ok is
// false without a scale.
func (s Scale) Measure(points []Point) (length Length, ok bool) {
	if s == (Scale{}) || !s.valid() || len(points) < 2 {
		return Length{}, false
	}
	mm := way(points) * s.MMPerPixel
	// Both ends are placed independently of each other and of the scale.
	return Length{MM: mm, Error: math.Hypot(mm*s.Error, placing*math.Sqrt2*s.MMPerPixel)}, true
}

// String is how people write it: "56.2 ± 0.8 mm".
func (l Length) String() string {
	decimals := 0
	if l.Error < 1 {
		decimals = 1
	}
	return fmt.Sprintf("%.*f ± %.*f mm", decimals, l.MM, decimals, math.Max(l.Error, math.Pow10(-decimals)))
}

// Label returns what is written at a [Measure] on a photo of that scale: the
// length, or pixels where there is no scale. It is empty for other tools.
func (m Mark) Label(s Scale) string {
	if m.Tool != Measure || len(m.Points) < 2 {
		return ""
	}
	if length, ok := s.Measure(m.Points); ok {
		return length.String()
	}
	return fmt.Sprintf("%.0f px", way(m.Points))
}

// way is the length of the line through places, in pixels.
func way(points []Point) float64 {
	pixels := 0.0
	for i, p := range points[1:] {
		pixels += math.Hypot(p.X-points[i].X, p.Y-points[i].Y)
	}
	return pixels
}

// ScaleOf returns the scale of a photo on which the line through places is so
// many millimetres long. What a person places and reads off has its error.
func ScaleOf(points []Point, mm float64, source ScaleSource) (s Scale, ok bool) {
	if len(points) < 2 || !(mm > 0) || math.IsInf(mm, 0) {
		return Scale{}, false
	}
	pixels := way(points)
	if pixels < 1 {
		return Scale{}, false
	}
	const reading = 0.5 // millimetres that a ruler is read to
	s = Scale{MMPerPixel: mm / pixels, Source: source}
	s.Error = math.Min(math.Hypot(reading/mm, placing*math.Sqrt2/pixels), 0.99)
	return s, s.valid()
}
