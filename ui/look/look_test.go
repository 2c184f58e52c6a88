package look

import (
	"image/color"
	"math"
	"testing"

	"flawmark/app/qc"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// luminance is WCAG's relative luminance.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		x := float64(v) / 0xFFFF
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestTheme_TextsAreReadable(t *testing.T) {
	grounds := []fyne.ThemeColorName{
		ColourPanel, theme.ColorNameBackground, theme.ColorNameButton, theme.ColorNameInputBackground, theme.ColorNameSelection,
	}
	for _, dark := range []bool{false, true} {
		th := New(dark, 1)
		for _, ground := range grounds {
			got := contrast(th.Color(theme.ColorNameForeground, 0), th.Color(ground, 0))
			if got < 4.5 {
				t.Errorf("dark %v: texts on %s have a contrast of %.1f", dark, ground, got)
			}
		}
		for _, name := range []fyne.ThemeColorName{ColourQuiet, theme.ColorNameError, theme.ColorNameWarning, theme.ColorNameSuccess, theme.ColorNameDisabled} {
			if got := contrast(th.Color(name, 0), th.Color(ColourPanel, 0)); got < 4.4 {
				t.Errorf("dark %v: texts in %s have a contrast of %.1f", dark, name, got)
			}
		}
		if got := contrast(th.Color(theme.ColorNameError, 0), th.Color(theme.ColorNameSelection, 0)); got < 4.4 {
			t.Errorf("dark %v: urgent texts on a chosen row have a contrast of %.1f", dark, got)
		}
		for _, pair := range [][2]fyne.ThemeColorName{
			{theme.ColorNameForegroundOnPrimary, theme.ColorNamePrimary},
			{theme.ColorNameForegroundOnSuccess, theme.ColorNameSuccess},
			{theme.ColorNameForegroundOnWarning, theme.ColorNameWarning},
		} {
			if got := contrast(th.Color(pair[0], 0), th.Color(pair[1], 0)); got < 4.5 {
				t.Errorf("dark %v: %s on %s has a contrast of %.1f", dark, pair[0], pair[1], got)
			}
		}
	}
	for _, s := range qc.Severities() {
		ground, ink := Severity(s)
		if got := contrast(ground, ink); got < 4.5 {
			t.Errorf("the letters of %s have a contrast of %.1f", s, got)
		}
	}
}

func TestTheme_SurfacesHaveNoTint(t *testing.T) {
	for _, dark := range []bool{false, true} {
		for _, name := range []fyne.ThemeColorName{ColourSurround, ColourPanel, theme.ColorNameBackground, theme.ColorNameButton, theme.ColorNamePrimary} {
			r, g, b, _ := New(dark, 1).Color(name, 0).RGBA()
			if r != g || g != b {
				t.Errorf("dark %v: %s is not neutral", dark, name)
			}
		}
	}
}

func TestTheme_ScaleMultipliesSizes(t *testing.T) {
	one, large := New(false, 1), New(false, 1.5)
	for _, name := range []fyne.ThemeSizeName{theme.SizeNameText, theme.SizeNamePadding, theme.SizeNameHeadingText} {
		if got, want := large.Size(name), one.Size(name)*1.5; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}
