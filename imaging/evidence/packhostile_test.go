package evidence

import (
	"math"
	"testing"

	"flawmark/app/qc"
)

// Marks that no program of ours draws spoil no pack.
func TestForSeller_HostileMarks(t *testing.T) {
	t.Parallel()
	a := album{}
	p := a.add(t, "p", jpegOf(t, noise(5, 1500, 1000), 60))
	wild := []qc.Point{at(math.NaN(), 3), at(1e300, -1e300), at(math.Inf(1), math.Inf(-1)), at(-5, 9e15), at(700, 500)}
	for _, tool := range append(qc.Forms(), qc.Form{Tool: "of tomorrow", Min: 1, Max: 9}) {
		t.Run(string(tool.Tool), func(t *testing.T) {
			t.Parallel()
			f := one(p)
			for _, from := range wild {
				for _, to := range wild {
					m := qc.Mark{ID: "w", Photo: "p", Flaw: "f2", Tool: tool.Tool, Points: []qc.Point{from, to}, Text: "\x00\n字", Zoom: 1e9}
					f.Marks = append(f.Marks, m)
				}
			}
			f.Marks = append(f.Marks, qc.Mark{ID: "none", Photo: "p", Flaw: "f1", Tool: tool.Tool})
			packOf(t, a, f)
		})
	}
}
