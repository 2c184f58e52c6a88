package qc

import "math"

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
	pixels := 0.0
	for i, p := range points[1:] {
		pixels += math.Hypot(p.X-points[i].X, p.Y-points[i].Y)
	}
	mm := pixels * s.MMPerPixel
	// Both ends are placed independently of each other and of the scale.
	return Length{MM: mm, Error: math.Hypot(mm*s.Error, placing*math.Sqrt2*s.MMPerPixel)}, true
}
