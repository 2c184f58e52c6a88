package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/ui/web/darkroom"
)

// maxStripped bounds a picture whose metadata is taken out in memory, as
// listing photos are. Originals are streamed.
const maxStripped = 16 << 20

// revalidated is how what may change is kept: a photo's redactions do, and so
// does the right to see it.
const revalidated = "private, no-cache"

// there reports whether the centre has a file.
func (p *Pages) there(digest qc.Digest) bool {
	if digest == "" {
		return false
	}
	_, there, err := p.Blobs.Has(digest)
	return err == nil && there
}

// servePicture answers with a picture in size "thumb", "preview" or "full". Full
// is the original without metadata once it has arrived, and the preview until
// then. Of a picture with redactions nothing comes from the original: full is
// the file that was made without what they hide.
func (p *Pages) servePicture(w http.ResponseWriter, r *http.Request, pic picture, size string) {
	h := w.Header()
	photoHeaders(h)
	var err error
	switch {
	case size != "full" && size != "preview" && size != "thumb":
		err = qc.ErrNotFound
	case pic.redacted():
		err = p.serveRedacted(w, r, pic, darkroom.Rendition(size))
	case size == "thumb" && pic.Thumb != "":
		err = p.serveDerivative(w, r, pic.Thumb)
	case size == "thumb" && pic.Preview == "":
		err = p.serveListing(w, r, pic)
	case size == "preview" && pic.Preview != "":
		err = p.serveDerivative(w, r, pic.Preview)
	default:
		err = p.serveOriginal(w, r, pic)
	}
	if err == nil {
		return
	}
	for _, name := range []string{"Content-Disposition", "Content-Length", "ETag"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store") // it may arrive later
	if !errors.Is(err, qc.ErrNotFound) && !errors.Is(err, darkroom.ErrNotReady) && !notAPicture(err) {
		p.failed(w, r, "photo", err)
		return
	}
	p.nothingHere(w, r)
}

// photoHeaders says what holds for every picture: it is shown, and can do nothing.
func photoHeaders(h http.Header) {
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Disposition", `inline; filename="photo.jpg"`)
	h.Set("Cache-Control", revalidated)
}

// serveDerivative answers with a file that was made without metadata.
func (p *Pages) serveDerivative(w http.ResponseWriter, r *http.Request, digest qc.Digest) error {
	file, err := p.Blobs.Open(digest)
	if err != nil {
		return err
	}
	serveFile(w, r, file, string(digest))
	return nil
}

func serveFile(w http.ResponseWriter, r *http.Request, file Blob, tag string) {
	defer func() { _ = file.Close() }()
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, file)
}

// serveRedacted answers with what hides all of a picture's redactions: the
// station's preview or thumb where they do, else what the centre made, and the
// preview for a full picture that is not made yet.
func (p *Pages) serveRedacted(w http.ResponseWriter, r *http.Request, pic picture, size darkroom.Rendition) error {
	if pic.Preview != "" && size == darkroom.Preview {
		return p.serveDerivative(w, r, pic.Preview)
	}
	if pic.Thumb != "" && size == darkroom.Thumb {
		return p.serveDerivative(w, r, pic.Thumb)
	}
	file, err := p.darkroom.Rendition(r.Context(), pic.Subject, size)
	if err == nil {
		serveFile(w, r, file, string(pic.Digest[:16])+"-"+string(size)+"-"+pic.Seal)
		return nil
	}
	if size != darkroom.Full {
		return err
	}
	if !errors.Is(err, darkroom.ErrNotReady) {
		p.Log.ErrorContext(r.Context(), "redacted photo not read", "photo", pic.Digest, "error", err)
	}
	return p.serveRedacted(w, r, pic, darkroom.Preview)
}

// serveListing answers with the thumb of a photo that came without one, and with
// all of it until that is made.
func (p *Pages) serveListing(w http.ResponseWriter, r *http.Request, pic picture) error {
	file, err := p.darkroom.Rendition(r.Context(), pic.Subject, darkroom.Thumb)
	if err == nil {
		serveFile(w, r, file, string(pic.Digest[:16])+"-thumb")
		return nil
	}
	if !errors.Is(err, darkroom.ErrNotReady) {
		p.Log.ErrorContext(r.Context(), "thumb of a listing photo not read", "photo", pic.Digest, "error", err)
	}
	return p.serveOriginal(w, r, pic)
}

// serveOriginal strips an original without redactions on its way out. One that
// is not here, or not a JPEG, gives way to its preview.
func (p *Pages) serveOriginal(w http.ResponseWriter, r *http.Request, pic picture) error {
	blob, err := p.Blobs.Open(pic.Digest)
	if err == nil {
		defer func() { _ = blob.Close() }()
		tag := `"full-` + string(pic.Digest) + `"`
		if pic.Preview == "" { // a listing photo: foreign, small
			var buffer bytes.Buffer
			if blob.Size() > maxStripped {
				return qc.ErrNotFound
			}
			if err := photo.StripMetadata(&buffer, blob); err != nil {
				return err
			}
			w.Header().Set("ETag", tag)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(buffer.Bytes()))
			return nil
		}
		if matches(r, tag) {
			w.Header().Set("ETag", tag)
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		out := &counting{to: w, first: func() { w.Header().Set("ETag", tag) }}
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
	return p.serveDerivative(w, r, pic.Preview)
}

// matches reports whether the reader has what carries a tag.
func matches(r *http.Request, tag string) bool {
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(known), "W/") == tag {
			return true
		}
	}
	return false
}

func notAPicture(err error) bool {
	return errors.Is(err, photo.ErrNotPhoto) || errors.Is(err, photo.ErrEmpty) ||
		errors.Is(err, photo.ErrTruncated) || errors.Is(err, photo.ErrUnreadable) ||
		errors.Is(err, photo.ErrUnsupported)
}

// counting knows whether anything has gone out.
type counting struct {
	to    io.Writer
	first func() // before anything does
	n     int64
}

// Write implements io.Writer.
func (c *counting) Write(data []byte) (int, error) {
	if c.n == 0 && len(data) > 0 {
		c.first()
	}
	n, err := c.to.Write(data)
	c.n += int64(n)
	return n, err
}
