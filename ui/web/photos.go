package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// maxStripped bounds a picture whose metadata is taken out in memory, as
// listing photos are. Originals are streamed.
const maxStripped = 16 << 20

// picture is one photo in the sizes it is served in.
type picture struct {
	Original, Preview, Thumb qc.Digest
}

// pictureOf finds the picture with an original's digest among findings and
// listing photos. What is not among them is not served.
func pictureOf(digest qc.Digest, findings []qc.Finding, items []qc.Item) (picture, bool) {
	if digest == "" {
		return picture{}, false
	}
	for _, finding := range findings {
		for _, photo := range finding.Photos {
			if photo.Digest == digest {
				return picture{Original: digest, Preview: photo.Preview.Digest, Thumb: photo.Thumb.Digest}, true
			}
		}
	}
	for _, item := range items {
		if item.ListingPhoto == digest {
			return picture{Original: digest}, true
		}
	}
	return picture{}, false
}

// there reports whether the centre has a file.
func (p *Pages) there(digest qc.Digest) bool {
	if digest == "" {
		return false
	}
	_, there, err := p.Blobs.Has(digest)
	return err == nil && there
}

// servePicture answers with a picture in size "thumb", "preview" or "full". Full
// is the original without metadata once it has arrived, the preview until then.
func (p *Pages) servePicture(w http.ResponseWriter, r *http.Request, pic picture, size string) {
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Disposition", `inline; filename="photo.jpg"`)
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	var err error
	switch {
	case size == "thumb" && pic.Thumb != "":
		err = p.serveDerivative(w, r, pic.Thumb)
	case size == "preview" && pic.Preview != "":
		err = p.serveDerivative(w, r, pic.Preview)
	case size == "full", size == "preview", size == "thumb":
		err = p.serveOriginal(w, r, pic)
	default:
		err = qc.ErrNotFound
	}
	if err == nil {
		return
	}
	for _, name := range []string{"Content-Disposition", "Content-Length"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store") // it may arrive later
	if !errors.Is(err, qc.ErrNotFound) && !notAPicture(err) {
		p.failed(w, r, "photo", err)
		return
	}
	p.nothingHere(w, r)
}

// serveDerivative answers with a file that was made without metadata.
func (p *Pages) serveDerivative(w http.ResponseWriter, r *http.Request, digest qc.Digest) error {
	blob, err := p.Blobs.Open(digest)
	if err != nil {
		return err
	}
	defer func() { _ = blob.Close() }()
	w.Header().Set("ETag", `"`+string(digest)+`"`)
	http.ServeContent(w, r, "", time.Time{}, blob)
	return nil
}

// serveOriginal strips an original on its way out. One that is not here, or not
// a JPEG, gives way to its preview.
func (p *Pages) serveOriginal(w http.ResponseWriter, r *http.Request, pic picture) error {
	blob, err := p.Blobs.Open(pic.Original)
	if err == nil {
		defer func() { _ = blob.Close() }()
		if pic.Preview == "" { // a listing photo: foreign, small
			var buffer bytes.Buffer
			if blob.Size() > maxStripped {
				return qc.ErrNotFound
			}
			if err := photo.StripMetadata(&buffer, blob); err != nil {
				return err
			}
			w.Header().Set("Content-Length", strconv.Itoa(buffer.Len()))
			_, _ = w.Write(buffer.Bytes())
			return nil
		}
		out := &counting{to: w}
		err = photo.StripMetadata(out, blob)
		switch {
		case err == nil:
			return nil
		case out.n > 0:
			panic(http.ErrAbortHandler) // half a picture must not look whole
		}
	}
	if pic.Preview == "" || !errors.Is(err, qc.ErrNotFound) && !notAPicture(err) {
		return err
	}
	w.Header().Set("Cache-Control", "private, no-cache") // the original comes later
	return p.serveDerivative(w, r, pic.Preview)
}

func notAPicture(err error) bool {
	return errors.Is(err, photo.ErrNotPhoto) || errors.Is(err, photo.ErrEmpty) ||
		errors.Is(err, photo.ErrTruncated) || errors.Is(err, photo.ErrUnreadable) ||
		errors.Is(err, photo.ErrUnsupported)
}

// counting knows whether anything has gone out.
type counting struct {
	to io.Writer
	n  int64
}

// Write implements io.Writer.
func (c *counting) Write(data []byte) (int, error) {
	n, err := c.to.Write(data)
	c.n += int64(n)
	return n, err
}

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
