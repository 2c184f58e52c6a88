package web

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strings"

	"flawmark/app/qc"
	"flawmark/ui/web/darkroom"
)

// picture is one photo in the sizes it may be served in: Preview and Thumb are
// empty where there is none that hides what is redacted.
type picture struct {
	darkroom.Subject
	Thumb qc.Digest
}

// redacted reports whether anything of the picture is hidden.
func (p picture) redacted() bool { return p.Seal != "" }

// evidence is what decides over one reader's photos: those of shown and the
// listing photos of items may be seen, without what any of all redacts.
type evidence struct {
	shown, all []qc.Finding
	items      []qc.Item
}

// picture finds the picture with an original's digest. What is not among the
// shown is not served.
//
// It hides what any finding of the same photo hides. A station's preview and
// thumb count only if they were made with just that, and if no finding without
// it has the same: then they were not.
func (e evidence) picture(digest qc.Digest) (picture, bool) {
	if digest == "" {
		return picture{}, false
	}
	pic := picture{Subject: darkroom.Subject{Digest: digest}}
	found := slices.ContainsFunc(e.items, func(i qc.Item) bool { return i.ListingPhoto == digest })
	hidden := map[string]bool{}
	bare := map[qc.Digest]bool{} // derivatives of the photo that hide nothing
	for _, f := range e.all {
		for _, photo := range f.Photos {
			if photo.Digest != digest {
				continue
			}
			own := redactions(f, photo)
			for _, name := range own {
				hidden[name] = true
			}
			if len(own) == 0 {
				bare[photo.Preview.Digest], bare[photo.Thumb.Digest] = true, true
			}
		}
	}
	names := make([]string, 0, len(hidden))
	for name := range hidden {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) > 0 {
		pic.Hidden = rectangles(names)
		pic.Seal = string(qc.DigestOf([]byte(strings.Join(names, ";"))))[:16]
	}
	for _, f := range e.shown {
		for _, photo := range f.Photos {
			if photo.Digest != digest {
				continue
			}
			found = true
			pic.Width, pic.Height = photo.Width, photo.Height
			made := slices.Equal(redactions(f, photo), names) && photo.Redactions == f.Redactions(photo.ID)
			if made && pic.Preview == "" && !(pic.redacted() && (bare[photo.Preview.Digest] || bare[photo.Thumb.Digest])) {
				pic.Preview, pic.Thumb = photo.Preview.Digest, photo.Thumb.Digest
			}
		}
	}
	return pic, found
}

// everything names the redaction of a whole photo.
const everything = "all"

// redactions names the rectangles that a finding hides of its photo, each once,
// in order. A redaction that is none hides everything: rather too much than too
// little.
func redactions(f qc.Finding, photo qc.Photo) []string {
	var names []string
	for _, m := range f.Marks {
		if m.Photo != photo.ID || m.Tool != qc.Redaction {
			continue
		}
		name := everything
		if len(m.Points) == 2 {
			a, b := m.Points[0], m.Points[1]
			name = fmt.Sprintf("%.2f,%.2f,%.2f,%.2f", min(a.X, b.X), min(a.Y, b.Y), max(a.X, b.X), max(a.Y, b.Y))
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// farthest is beyond every photo, and far from where integers end.
const farthest = 1 << 20

func rectangles(names []string) []image.Rectangle {
	rects := make([]image.Rectangle, 0, len(names))
	whole := image.Rect(0, 0, farthest, farthest)
	for _, name := range names {
		var x0, y0, x1, y1 float64
		if _, err := fmt.Sscanf(name, "%f,%f,%f,%f", &x0, &y0, &x1, &y1); err != nil {
			return []image.Rectangle{whole}
		}
		out := func(v float64) int { return int(max(0, min(v, farthest))) }
		r := image.Rect(out(math.Floor(x0)), out(math.Floor(y0)), out(math.Ceil(x1)), out(math.Ceil(y1)))
		if r.Empty() {
			r.Max = r.Max.Add(image.Pt(1, 1))
		}
		rects = append(rects, r)
	}
	return rects
}

// evidence is what an order's reader may see.
func (o OrderView) evidence() evidence {
	e := evidence{shown: visibleFindings(o), items: o.Order.Items}
	for _, f := range o.Findings {
		e.all = append(e.all, f)
	}
	return e
}

// evidence is what the desk may see of a case.
func (d Dossier) evidence() evidence {
	return evidence{shown: d.Findings, all: d.Findings, items: []qc.Item{d.Item}}
}
