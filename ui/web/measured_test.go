package web

import (
	"net/http"
	"strings"
	"testing"

	"flawmark/app/qc"
)

// What was measured is said in words, too, with its error and its scale: the
// tape on the photo is for those who see it.
func TestMeasured_SaysHowExactlyAndByWhat(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		scale qc.Scale
		flaw  qc.FlawID
		says  string
	}{
		"of a flaw":       {qc.Scale{MMPerPixel: .1, Error: .01, Source: qc.ScaleCard}, "a", "Measured on photo 1: 30.0 ± 0.4 mm, at 95 %; the scale is that of a bank card beside it."},
		"beside them":     {qc.Scale{MMPerPixel: .1, Error: .1, Source: qc.ScaleRuler}, "", "Measured on photo 1: 30 ± 3 mm, at 95 %; the scale is that of a ruler beside it."},
		"without a scale": {qc.Scale{}, "a", "Measured on photo 1: 300 px; the photo has no scale, so this is no length."},
		"of the house":    {qc.Scale{MMPerPixel: .1, Error: .01, Source: qc.ScaleMat}, "c", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.flagged(t, "20481-2", false)
			f := w.findings["F-20481-2"]
			f.Photos[0].Scale = tt.scale
			f.Marks = append(f.Marks, qc.Mark{ID: "m9", Photo: f.Photos[0].ID, Flaw: tt.flaw, Tool: qc.Measure, Points: []qc.Point{{X: 100, Y: 100}, {X: 400, Y: 100}}})
			w.findings[f.ID] = f
			b := w.reader(t)
			b.openLink("20481")
			for _, address := range []string{"/o/20481", "/o/20481/photos/" + string(f.Photos[0].Digest)} {
				page := asRead(b.get(address, http.StatusOK))
				if tt.says != "" && !strings.Contains(page, tt.says) {
					t.Errorf("%s does not say %q:\n%s", address, tt.says, page)
				}
				if tt.says == "" && strings.Contains(page, "Measured") {
					t.Errorf("%s tells what concerns only the house", address)
				}
			}
		})
	}
}
