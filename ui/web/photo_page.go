package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"flawmark/app/qc"
)

// photoPage shows one photo in full resolution with its marks.
type photoPage struct {
	frame
	Photo photoView
	Back  string
	Flaws []flawView
	// Measured is what was measured beside the flaws.
	Measured []string
	// Listing is the address of the photo to compare with; empty: there is none.
	Listing, ListingAlt string
	Places              string // "1 x y w h;2 …": where on the photo each flaw is
}

// photoScripts are loaded where a photo is looked at closely, and only there.
var photoScripts = [...]string{"openseadragon.js", "zoom.js"}

func (p *Pages) showPhoto(w http.ResponseWriter, r *http.Request, s speech, findings []qc.Finding, items []qc.Item, base, back string, inside bool) {
	digest := qc.Digest(r.PathValue("digest"))
	hidden := hiddenFrom(p.Catalogue, inside)
	for _, finding := range findings {
		item := itemOf(items, finding.Item)
		title := item.Title.In(s.Language())
		for i, photo := range finding.Photos {
			if photo.Digest != digest {
				continue
			}
			page := photoPage{frame: p.frame(r, s, "photo", title), Back: back}
			if !inside {
				page.Back += "#item-" + url.PathEscape(string(item.ID)) // where the reader was
			}
			for _, view := range s.photos(finding, title, base, p.there, hidden) {
				if view.Number == i+1 {
					page.Photo = view
				}
			}
			page.Scripts = photoScripts[:]
			page.Flaws = s.flaws(finding, item, p.Catalogue, inside)
			for n := range page.Flaws {
				page.Flaws[n].Anchor = "flaw-" + strconv.Itoa(page.Flaws[n].Number)
			}
			page.Measured = s.measured(finding, "")
			page.Places = placesOf(finding, photo, hidden)
			if p.there(item.ListingPhoto) {
				page.Listing = base + "/photos/" + string(item.ListingPhoto) + "/full"
				page.ListingAlt = s.T("web.listing.alt", "item", title)
			}
			p.render(w, r, http.StatusOK, "photo", page)
			return
		}
	}
	for _, item := range items {
		if item.ListingPhoto == digest && digest != "" {
			page := photoPage{frame: p.frame(r, s, "photo", item.Title.In(s.Language())), Back: back}
			page.Scripts = photoScripts[:]
			page.Photo = photoView{speech: s, Alt: s.T("word.listing"), Full: base + "/photos/" + string(digest) + "/full", Number: 1, Of: 1}
			p.render(w, r, http.StatusOK, "photo", page)
			return
		}
	}
	p.nothingHere(w, r)
}

// placesOf tells where on a photo each flaw's marks are, in the order of the
// flaws' numbers.
func placesOf(f qc.Finding, photo qc.Photo, hidden func(qc.Flaw) bool) string {
	boxes := map[int][4]float64{}
	for _, m := range marked(f, photo, hidden) {
		if m.Number == 0 {
			continue
		}
		for i, at := range m.Mark.Points {
			if m.Mark.Tool == qc.Inset && i > 1 {
				continue // where it is shown is not where the flaw is
			}
			b, ok := boxes[m.Number]
			if !ok {
				b = [4]float64{at.X, at.Y, at.X, at.Y}
			}
			boxes[m.Number] = [4]float64{min(b[0], at.X), min(b[1], at.Y), max(b[2], at.X), max(b[3], at.Y)}
		}
	}
	var places []string
	for _, n := range slices.Sorted(maps.Keys(boxes)) {
		b := boxes[n]
		places = append(places, fmt.Sprintf("%d %.0f %.0f %.0f %.0f", n, b[0], b[1], b[2]-b[0], b[3]-b[1]))
	}
	return strings.Join(places, ";")
}

func itemOf(items []qc.Item, id qc.ItemID) qc.Item {
	for _, item := range items {
		if item.ID == id {
			return item
		}
	}
	return qc.Item{}
}
