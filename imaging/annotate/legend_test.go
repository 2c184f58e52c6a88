package annotate_test

import (
	"path/filepath"
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

func legend() []annotate.LegendEntry {
	return []annotate.LegendEntry{
		{Number: 1, Severity: qc.Critical, Words: "Sole comes off", Size: "42 mm"},
		{Number: 2, Severity: qc.Major, Words: "鞋头划痕，皮面破损，需要退换处理，请尽快与卖家联系确认", Size: "6 mm"},
		{Number: 3, Severity: qc.Minor, Words: "Glue marks along the whole seam of the left shoe, seen from the side"},
		{Number: 12, Severity: qc.Observation, Words: "Colour a little darker than on the listing", Size: "ΔE 2.3"},
		{Number: 5, Severity: qc.Major, Size: "3 mm × 4"},
	}
}

func TestLegend_LooksTheSame(t *testing.T) {
	t.Parallel()
	out := annotate.Legend(photos(800, 120)["leather"], legend())
	compareGolden(t, out, filepath.Join("testdata", "legend.png"))
}

func TestLegend_KeepsThePictureAndFits(t *testing.T) {
	t.Parallel()
	img := photos(64, 40)["pattern"]
	for name, entries := range map[string][]annotate.LegendEntry{
		"none":          nil,
		"few":           legend()[:2],
		"a long word":   {{Number: 1, Words: strings.Repeat("m", 300)}},
		"no such glyph": {{Number: 1, Words: "\U0001f45f\u0e01"}},
		"empty":         {{}},
	} {
		out := annotate.Legend(img, entries)
		if got := out.Rect.Dy() > 40; got != (len(entries) > 0) || out.Rect.Dx() != 64 {
			t.Errorf("%s: size %v", name, out.Rect)
		}
		for y := range 40 {
			for x := range 64 {
				if out.RGBAAt(x, y) != img.RGBAAt(x, y) {
					t.Fatalf("%s: the picture has changed at %d,%d", name, x, y)
				}
			}
		}
	}
	tall := annotate.Legend(img, legend()).Rect.Dy()
	if low := annotate.Legend(img, legend()[:1]).Rect.Dy(); low >= tall {
		t.Errorf("one line makes %d, five make %d", low, tall)
	}
}
