package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"flawmark/app/qc"
	"flawmark/imaging/tiles"
	"flawmark/ui/web/darkroom"
	"flawmark/ui/web/iiif"
)

// iiifLimits bound what one request may cost: 16 megapixels are 64 MiB.
var iiifLimits = iiif.Limits{Width: 8192, Height: 8192, Area: 16 << 20}

// atOnce is how many regions may be drawn or waited for at a time.
const atOnce = 64

// serveIIIF answers a request of the Image API for a picture whose address is
// base. rest are the parts behind it.
func (p *Pages) serveIIIF(w http.ResponseWriter, r *http.Request, pic picture, base string) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	// Whoever has no right to the photo has got no further than here; a page
	// elsewhere cannot use its reader's right, since "*" admits no cookies.
	h.Set("Access-Control-Allow-Origin", "*")
	parts := []string{r.PathValue("region"), r.PathValue("size"), r.PathValue("rotation"), r.PathValue("file")}
	if parts[0] == "" && !strings.HasSuffix(r.URL.Path, "/info.json") {
		http.Redirect(w, r, base+"/info.json", http.StatusSeeOther) //nolint:gosec // base begins with /o/ or /desk
		return
	}
	var q iiif.Request
	if parts[0] != "" {
		var err error
		if q, err = iiif.Parse(parts[0], parts[1], parts[2], parts[3]); err != nil {
			p.iiifRefused(w, r, err)
			return
		}
	}
	select {
	case p.drawing <- struct{}{}:
		defer func() { <-p.drawing }()
	default:
		h.Set("Retry-After", "1")
		p.problem(w, r, http.StatusServiceUnavailable, "web.iiif.busy")
		return
	}
	view, err := p.darkroom.Open(r.Context(), pic.Subject)
	switch {
	case errors.Is(err, darkroom.ErrNotReady):
		h.Set("Retry-After", "1")
		p.problem(w, r, http.StatusServiceUnavailable, "web.iiif.not_ready")
		return
	case err != nil:
		p.iiifFailed(w, r, err)
		return
	}
	defer view.Close()
	h.Set("Cache-Control", revalidated)
	if parts[0] == "" {
		p.iiifInfo(w, r, view, base)
		return
	}
	p.iiifImage(w, r, view, q, base)
}

func (p *Pages) iiifInfo(w http.ResponseWriter, r *http.Request, view *darkroom.View, base string) {
	width, height := view.Size()
	info := iiif.Describe(p.publicBase(r)+base, width, height, tiles.TileSide, view.Levels(), iiifLimits)
	data, err := json.MarshalIndent(info, "", " ")
	if err != nil {
		p.iiifFailed(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Vary", "Accept")
	h.Set("Content-Type", "application/json")
	if strings.Contains(r.Header.Get("Accept"), "application/ld+json") {
		h.Set("Content-Type", `application/ld+json;profile="`+iiif.Context+`"`)
	}
	if !view.Final() {
		h.Set("Retry-After", "1") // the original's details come then
	}
	_, _ = w.Write(data)
}

func (p *Pages) iiifImage(w http.ResponseWriter, r *http.Request, view *darkroom.View, q iiif.Request, base string) {
	width, height := view.Size()
	cut, err := q.Of(width, height, iiifLimits)
	if err != nil {
		p.iiifRefused(w, r, err)
		return
	}
	h := w.Header()
	canonical := q.Canonical(cut, width, height, iiifLimits)
	tag := `"` + string(qc.DigestOf([]byte(view.Name() + "/" + canonical)))[:32] + `"` // a comma would end it for some
	h.Set("ETag", tag)
	h.Set("Link", "<"+iiif.Profile+`>;rel="profile",<`+p.publicBase(r)+base+"/"+canonical+`>;rel="canonical"`)
	if matches(r, tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	data, err := drawn(r, view, q, cut)
	if err != nil {
		p.iiifFailed(w, r, err)
		return
	}
	h.Set("Content-Type", q.MediaType())
	h.Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}

func drawn(r *http.Request, view *darkroom.View, q iiif.Request, cut iiif.Cut) ([]byte, error) {
	if q.Plain() {
		if file, ok, err := view.Tile(r.Context(), cut.Region, cut.W, cut.H); ok || err != nil {
			return file, err
		}
	}
	img, err := view.Region(r.Context(), cut.Region, cut.W, cut.H)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = q.Write(&out, img)
	return out.Bytes(), err
}

// iiifRefused answers what the parser or an image's bounds refuse.
func (p *Pages) iiifRefused(w http.ResponseWriter, r *http.Request, err error) {
	var problem *iiif.Problem
	if !errors.As(err, &problem) {
		p.iiifFailed(w, r, err)
		return
	}
	switch {
	case errors.Is(err, iiif.ErrUpscaling):
		p.problem(w, r, http.StatusNotImplemented, "web.iiif.unsupported.size")
	case errors.Is(err, iiif.ErrUnsupported): // the specification's own choice of status
		p.problem(w, r, http.StatusBadRequest, map[string]string{
			"rotation": "web.iiif.unsupported.rotation",
			"quality":  "web.iiif.unsupported.quality", "format": "web.iiif.unsupported.format",
		}[problem.Part])
	case errors.Is(err, iiif.ErrTooLarge):
		p.problem(w, r, http.StatusBadRequest, "web.iiif.too_large")
	default:
		p.problem(w, r, http.StatusBadRequest, map[string]string{
			"region": "web.iiif.bad.region", "size": "web.iiif.bad.size", "rotation": "web.iiif.bad.rotation",
			"quality": "web.iiif.bad.quality", "format": "web.iiif.bad.format",
		}[problem.Part])
	}
}

func (p *Pages) iiifFailed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the reader has left
	}
	p.Log.ErrorContext(r.Context(), "region failed", "path", r.URL.Path, "error", err)
	status, key := p.fault(w, err)
	p.problem(w, r, status, key)
}

// problem answers a program with a sentence, as RFC 9457 has it.
func (p *Pages) problem(w http.ResponseWriter, r *http.Request, status int, key string) {
	h := w.Header()
	for _, name := range []string{"ETag", "Link", "Content-Length"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{http.StatusText(status), status, p.speechFor(r, "", "").T(key)})
}

// publicBase is where the request went.
func (p *Pages) publicBase(r *http.Request) string {
	if p.Secure || r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (p *Pages) orderIIIF(w http.ResponseWriter, r *http.Request) {
	order, err := p.openOrder(r)
	if err != nil {
		p.orderRefused(w, r, err)
		return
	}
	digest := qc.Digest(r.PathValue("digest"))
	pic, ok := order.evidence().picture(digest)
	if !ok {
		p.nothingHere(w, r)
		return
	}
	p.serveIIIF(w, r, pic, orderPath(order.Order.ID)+"/iiif/"+string(digest))
}

func (p *Pages) deskIIIF(w http.ResponseWriter, r *http.Request, _ session) {
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	digest := qc.Digest(r.PathValue("digest"))
	pic, ok := d.evidence().picture(digest)
	if !ok {
		p.nothingHere(w, r)
		return
	}
	p.serveIIIF(w, r, pic, casePath(d.Case.ID)+"/iiif/"+string(digest))
}
