package assets

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// covered reads which characters a TrueType file maps, from the segments of the
// format 4 table in its cmap; every character of ours is below U+FFFF.
func covered(font []byte) (map[rune]bool, error) {
	u16 := func(at int) int { return int(binary.BigEndian.Uint16(font[at:])) }
	u32 := func(at int) int { return int(binary.BigEndian.Uint32(font[at:])) }
	for table := range u16(4) {
		record := 12 + 16*table
		if string(font[record:record+4]) != "cmap" {
			continue
		}
		cmap := u32(record + 8)
		for encoding := range u16(cmap + 2) {
			sub := cmap + u32(cmap+4+8*encoding+4)
			if u16(sub) != 4 {
				continue
			}
			runes, segments := map[rune]bool{}, u16(sub+6)/2
			ends := sub + 14
			starts := ends + 2*segments + 2
			for segment := range segments {
				for r := u16(starts + 2*segment); r <= u16(ends+2*segment) && r < 0xFFFF; r++ {
					runes[rune(r)] = true
				}
			}
			return runes, nil
		}
	}
	return nil, fmt.Errorf("no cmap of format 4")
}

func TestFonts_CoverEveryTextOfTheHouse(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"the signs":          "¥€↑↓←→✓✗×÷·…①②⑳▣○●■□▲△⏱",
		"names":              "Łukasz Wójcik, João, Žižek, Øyvind, Ğ",
		"the alphabet":       "ABCXYZabcxyz0123456789 !\"#$%&'()*+,-./:;<=>?@[]{}|~",
		"Chinese stops":      "，。、；：？！（）《》「」【】　",
		"the flaw catalogue": string(FlawCatalogue()),
	}
	for _, files := range []fs.FS{wordFiles, samples} {
		err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := fs.ReadFile(files, path)
			texts[path] = string(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for style, font := range map[string][]byte{"Regular": FontRegular(), "Bold": FontBold()} {
		runes, err := covered(font)
		if err != nil {
			t.Fatalf("%s: %v", style, err)
		}
		if size := len(font); size >= 1_500_000 {
			t.Errorf("%s has %d bytes", style, size)
		}
		for name, text := range texts {
			var missing []string
			for _, r := range text {
				if r >= ' ' && !runes[r] {
					missing = append(missing, fmt.Sprintf("%c U+%04X", r, r))
				}
			}
			slices.Sort(missing)
			if missing = slices.Compact(missing); len(missing) > 0 {
				t.Errorf("%s lacks for %s: %s (run fonts/build.py again)", style, name, strings.Join(missing, ", "))
			}
		}
	}
}

// Toolkits take a line's height from the typographic figures; too small ones
// cut the tails of letters.
func TestFonts_LinesHoldTheTailsOfLetters(t *testing.T) {
	t.Parallel()
	for style, font := range map[string][]byte{"Regular": FontRegular(), "Bold": FontBold()} {
		found := false
		for table := range int(binary.BigEndian.Uint16(font[4:])) {
			record := 12 + 16*table
			if string(font[record:record+4]) != "OS/2" {
				continue
			}
			found = true
			at := binary.BigEndian.Uint32(font[record+8:])
			ascender := int16(binary.BigEndian.Uint16(font[at+68:]))
			descender := int16(binary.BigEndian.Uint16(font[at+70:]))
			if ascender < 1000 || descender > -250 {
				t.Errorf("%s: a line reaches from %d to %d", style, descender, ascender)
			}
		}
		if !found {
			t.Errorf("%s has no OS/2 table", style)
		}
	}
}
