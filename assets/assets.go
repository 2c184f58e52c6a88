// Package assets holds what is baked into the two programs, so that a station
// works from the first minute without a network: the icon, the fonts, the words
// in English and Simplified Chinese, the flaw catalogue, and the sample photos
// and orders of the demonstration.
//
// It promises bytes and texts, not meaning: the catalogue and the samples are
// handed out as the JSON they are, and the packages that own those words parse
// them. Everything returned is a copy or read-only; nothing here changes while
// a program runs.
package assets

import (
	"embed"
	"io/fs"
)

// The groups are separate, so that a program carries only those it uses.
var (
	//go:embed icon.svg icon.png
	icons embed.FS

	//go:embed fonts/*.ttf
	fonts embed.FS

	//go:embed catalogue/flaws.json
	catalogue embed.FS

	//go:embed policies/*.json
	policies embed.FS

	//go:embed photos/*.jpg photos/CREDITS.md
	photos embed.FS

	//go:embed samples
	samples embed.FS

	//go:embed web
	web embed.FS
)

// IconPNG is the icon of both programs, 512×512 pixels.
func IconPNG() []byte { return mustRead(icons, "icon.png") }

// IconSVG is the icon as a drawing, for pages and packages.
func IconSVG() []byte { return mustRead(icons, "icon.svg") }

// FontRegular is Flawmark Sans Regular as a TrueType file.
func FontRegular() []byte { return mustRead(fonts, "fonts/FlawmarkSans-Regular.ttf") }

// FontBold is Flawmark Sans Bold as a TrueType file.
func FontBold() []byte { return mustRead(fonts, "fonts/FlawmarkSans-Bold.ttf") }

// FlawCatalogue is the catalogue of flaw codes as JSON: groups, the reasons a
// marketplace accepts, and the flaws, which refer to both by code and id.
func FlawCatalogue() []byte { return mustRead(catalogue, "catalogue/flaws.json") }

// Policies are the versions of the rules of cases as N.json, each for cases that
// are opened from its time on: times, rounds, fees, and who answers for which
// flaw. A version that cases were opened under is never changed.
func Policies() fs.FS { return within(policies, "policies") }

// Photos holds the sample photos as name.jpg, and CREDITS.md.
func Photos() fs.FS { return within(photos, "photos") }

// Samples holds the demonstration's orders.json, the same orders.csv, and
// staff.json. They are for demonstrations and tests only.
func Samples() fs.FS { return within(samples, "samples") }

// Web holds the styles and scripts of the centre's pages.
func Web() fs.FS { return within(web, "web") }

// mustRead panics only if a name above is wrong, which every test would show.
func mustRead(from embed.FS, name string) []byte {
	data, err := from.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return data
}

func within(from embed.FS, folder string) fs.FS {
	inner, err := fs.Sub(from, folder)
	if err != nil {
		panic(err)
	}
	return inner
}
