package qc

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Redactions returns what stands for the redactions on a photo: "" without
// any, and otherwise a digest that is the same for the same rectangles in any
// order, to the hundredth of a pixel. Derivatives are made with the redactions
// on the photo and name them by it, so that nobody can show one that lacks
// them.
func (f Finding) Redactions(photo PhotoID) Digest {
	var list []string
	for _, m := range f.Marks {
		if m.Photo == photo && m.Tool == Redaction && len(m.Points) == 2 {
			a, b := m.Points[0], m.Points[1]
			list = append(list, fmt.Sprintf("%.2f,%.2f,%.2f,%.2f",
				math.Min(a.X, b.X), math.Min(a.Y, b.Y), math.Max(a.X, b.X), math.Max(a.Y, b.Y)))
		}
	}
	if len(list) == 0 {
		return ""
	}
	slices.Sort(list)
	return DigestOf([]byte(strings.Join(list, ";")))
}
