// Package look is the station's appearance: the theme, the sizes, the colours
// of the trade and the icons.
//
// The promise: surfaces are neutral, without a tint, because colours are
// judged beside them; one accent, vermilion, marks what needs the person now;
// a severity's colour always comes with its letters. Sizes are multiples of
// four units, distances of eight; there are three text sizes. Screens ask for
// colours and sizes by name and hold none of their own.
package look

import (
	"image/color"

	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/imaging/annotate"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Our own colour names, beside Fyne's.
const (
	ColourSurround fyne.ThemeColorName = "flawmark.surround" // around a photo
	ColourPanel    fyne.ThemeColorName = "flawmark.panel"    // side panels and bars
	ColourAccent   fyne.ThemeColorName = "flawmark.accent"   // needs the person now
	ColourGood     fyne.ThemeColorName = "flawmark.good"
	ColourQuiet    fyne.ThemeColorName = "flawmark.quiet" // secondary texts
)

// Space is the rhythm of the layout, before scaling.
const Space float32 = 8

// The least height and width of what is hit by hand: with bare hands, and with
// gloves.
const (
	Touch       float32 = 44
	TouchGloves float32 = 64
)

// Theme is the station's theme. Make it with [New].
type Theme struct {
	dark          bool
	scale         float32
	regular, bold fyne.Resource
}

var _ fyne.Theme = (*Theme)(nil)

// New returns the theme. scale multiplies every size; 1 is normal.
func New(dark bool, scale float64) *Theme {
	if scale <= 0 {
		scale = 1
	}
	return &Theme{
		dark: dark, scale: float32(scale),
		regular: fyne.NewStaticResource("FlawmarkSans-Regular.ttf", assets.FontRegular()),
		bold:    fyne.NewStaticResource("FlawmarkSans-Bold.ttf", assets.FontBold()),
	}
}

// vermilion is the colour of the mark on the icon.
var vermilion = color.NRGBA{0xE3, 0x42, 0x34, 0xFF}

// Severity returns the colour of a severity and of letters on it.
func Severity(s qc.Severity) (ground, ink color.NRGBA) { return annotate.Colour(s), annotate.Ink(s) }

func grey(v uint8) color.NRGBA { return color.NRGBA{v, v, v, 0xFF} }

// Color is called by Fyne. The variant of the desktop is not asked: the person
// chooses.
func (t *Theme) Color(name fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	light, dark := t.pair(name)
	if t.dark {
		return dark
	}
	return light
}

// pair returns the light and the dark colour of a name.
func (t *Theme) pair(name fyne.ThemeColorName) (light, dark color.Color) {
	switch name {
	case ColourSurround:
		return grey(0x77), grey(0x5E)
	case ColourAccent:
		return vermilion, vermilion
	case theme.ColorNameError: // texts in the accent: readable at the smallest size
		return color.NRGBA{0xA8, 0x20, 0x15, 0xFF}, color.NRGBA{0xFF, 0x9A, 0x8C, 0xFF}
	case theme.ColorNameWarning:
		return color.NRGBA{0xB2, 0x5A, 0x00, 0xFF}, color.NRGBA{0xF5, 0x9C, 0x2C, 0xFF}
	case ColourGood, theme.ColorNameSuccess:
		return color.NRGBA{0x2E, 0x7D, 0x32, 0xFF}, color.NRGBA{0x66, 0xBB, 0x6A, 0xFF}
	case ColourQuiet, theme.ColorNamePlaceHolder:
		return grey(0x5C), grey(0xA8)
	case ColourPanel, theme.ColorNameHeaderBackground, theme.ColorNameMenuBackground, theme.ColorNameOverlayBackground:
		return grey(0xFA), grey(0x2C)
	case theme.ColorNameBackground:
		return grey(0xEC), grey(0x22)
	case theme.ColorNameForeground:
		return grey(0x1A), grey(0xEE)
	case theme.ColorNameForegroundOnError, theme.ColorNameForegroundOnSuccess, theme.ColorNameForegroundOnWarning:
		return grey(0xFF), grey(0x12)
	case theme.ColorNameForegroundOnPrimary:
		return grey(0xFF), grey(0x12)
	case theme.ColorNamePrimary, theme.ColorNameHyperlink:
		return grey(0x33), grey(0xDD)
	case theme.ColorNameFocus:
		return color.NRGBA{0x33, 0x33, 0x33, 0x70}, color.NRGBA{0xFF, 0xFF, 0xFF, 0x70}
	case theme.ColorNameSelection:
		return grey(0xD2), grey(0x48)
	case theme.ColorNameHover:
		return color.NRGBA{0, 0, 0, 0x12}, color.NRGBA{0xFF, 0xFF, 0xFF, 0x14}
	case theme.ColorNamePressed:
		return color.NRGBA{0, 0, 0, 0x22}, color.NRGBA{0xFF, 0xFF, 0xFF, 0x22}
	case theme.ColorNameButton:
		return grey(0xDE), grey(0x40)
	case theme.ColorNameDisabledButton:
		return grey(0xE6), grey(0x30)
	case theme.ColorNameDisabled:
		return grey(0x70), grey(0x98)
	case theme.ColorNameInputBackground:
		return grey(0xFF), grey(0x1A)
	case theme.ColorNameInputBorder:
		return grey(0xA0), grey(0x60)
	case theme.ColorNameSeparator:
		return grey(0xCC), grey(0x40)
	case theme.ColorNameScrollBar:
		return color.NRGBA{0, 0, 0, 0x80}, color.NRGBA{0xFF, 0xFF, 0xFF, 0x80}
	case theme.ColorNameShadow:
		return color.NRGBA{0, 0, 0, 0x30}, color.NRGBA{0, 0, 0, 0x66}
	}
	base := theme.DefaultTheme()
	return base.Color(name, theme.VariantLight), base.Color(name, theme.VariantDark)
}

// Font is called by Fyne.
func (t *Theme) Font(style fyne.TextStyle) fyne.Resource {
	switch {
	case style.Symbol, style.Monospace:
		return theme.DefaultTheme().Font(style)
	case style.Bold:
		return t.bold
	}
	return t.regular
}

// Icon is called by Fyne.
func (t *Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(name) }

// Size is called by Fyne.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 { return t.size(name) * t.scale }

func (t *Theme) size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNameCaptionText:
		return 12
	case theme.SizeNameText, theme.SizeNameSubHeadingText:
		return 14
	case theme.SizeNameHeadingText:
		return 20
	case theme.SizeNamePadding:
		return 4
	case theme.SizeNameInnerPadding:
		return 8
	case theme.SizeNameLineSpacing:
		return 4
	case theme.SizeNameInlineIcon:
		return 20
	case theme.SizeNameInputRadius, theme.SizeNameSelectionRadius:
		return 4
	}
	return theme.DefaultTheme().Size(name)
}
