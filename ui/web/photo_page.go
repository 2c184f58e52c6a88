package web

import (
	"net/http"

	"flawmark/app/qc"
)

// photoPage shows one photo in full resolution with its marks.
type photoPage struct {
	frame
	Photo photoView
	Back  string
	Flaws []flawView
}

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
			for _, view := range s.photos(finding, title, base, p.there, hidden) {
				if view.Number == i+1 {
					page.Photo = view
				}
			}
			page.Flaws = s.flaws(finding, item, p.Catalogue, inside)
			p.render(w, r, http.StatusOK, "photo", page)
			return
		}
	}
	for _, item := range items {
		if item.ListingPhoto == digest && digest != "" {
			page := photoPage{frame: p.frame(r, s, "photo", item.Title.In(s.Language())), Back: back}
			page.Photo = photoView{speech: s, Alt: s.T("word.listing"), Full: base + "/photos/" + string(digest) + "/full", Number: 1, Of: 1}
			p.render(w, r, http.StatusOK, "photo", page)
			return
		}
	}
	p.nothingHere(w, r)
}

func itemOf(items []qc.Item, id qc.ItemID) qc.Item {
	for _, item := range items {
		if item.ID == id {
			return item
		}
	}
	return qc.Item{}
}
