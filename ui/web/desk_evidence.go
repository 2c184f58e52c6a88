package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"

	"flawmark/app/qc"
	"flawmark/app/refund"
	handout "flawmark/imaging/evidence"
	"flawmark/imaging/photo"
)

// packingMemory is what making one pack may take: an original as it lies on the
// disk, and the parts of it that are shown.
const packingMemory = 256 << 20

// claimView is what the seller is sent, as far as it is words.
type claimView struct {
	Text    string // in Chinese, as it is sent
	English string // for those who do not read it
	Reason  string // to choose on the marketplace
	Pack    string // address of the pictures and texts in one file
}

// claim returns what the seller of a case's item is told; nil when there is
// nothing that is the seller's.
func (p *Pages) claim(s speech, d Dossier) *claimView {
	f, ok := currentFinding(d)
	if !ok {
		return nil
	}
	ask := askOf(d.Case)
	text, err := handout.Text(f, d.Item, p.Catalogue, ask, "zh")
	if err != nil {
		return nil
	}
	view := &claimView{Text: text, Pack: casePath(d.Case.ID) + "/evidence.zip"}
	reason := handout.ReasonFor(f, p.Catalogue)
	view.Reason = qc.Bilingual{EN: reason.EN, ZH: reason.ZH}.In(s.Language())
	if s.Language() == "zh" {
		return view
	}
	if english, err := handout.Text(f, d.Item, p.Catalogue, ask, "en"); err == nil {
		view.English = english
	}
	return view
}

func askOf(c refund.Case) handout.Ask {
	ask := handout.Ask{Decision: c.Intent}
	if c.Offer != nil && !c.Offer.Counter.IsZero() {
		ask.Discount = c.Offer.Counter
	}
	return ask
}

// currentFinding returns the finding that the case is about now.
func currentFinding(d Dossier) (qc.Finding, bool) {
	i := slices.IndexFunc(d.Findings, func(f qc.Finding) bool { return f.ID == d.Case.Finding })
	if i < 0 {
		return qc.Finding{}, false
	}
	return d.Findings[i], true
}

// deskEvidence answers with the seller's pack: pictures that the marketplace's
// form takes, and the text, in one file.
func (p *Pages) deskEvidence(w http.ResponseWriter, r *http.Request, _ session) {
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	f, ok := currentFinding(d)
	if !ok {
		p.nothingHere(w, r)
		return
	}
	release, err := p.Budget.Acquire(r.Context(), packingMemory)
	if err != nil {
		p.failed(w, r, "pack evidence", err)
		return
	}
	defer release()
	pack, err := handout.ForSeller(r.Context(), p.readFile, f, d.Item, p.Catalogue, handout.PackOptions{Ask: askOf(d.Case)})
	switch {
	case errors.Is(err, handout.ErrNothing), errors.Is(err, handout.ErrNoPhotos):
		back(w, r, casePath(d.Case.ID), "web.claim.nothing")
		return
	case err != nil:
		p.failed(w, r, "pack evidence", err)
		return
	}
	var file bytes.Buffer // whole before a byte goes: half a pack must not look whole
	if err := pack.WriteZip(&file); err != nil {
		p.failed(w, r, "pack evidence", err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="evidence-%s.zip"`, plain(string(d.Case.ID))))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, no-store")
	_, _ = w.Write(file.Bytes()) // whoever asked is gone
}

// plain keeps of a name what every file system takes.
func plain(name string) string {
	kept := []byte(name)
	for i, c := range kept {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			kept[i] = '_'
		}
	}
	return string(kept)
}

// readFile reads a photo file for [handout.ForSeller].
func (p *Pages) readFile(_ context.Context, d qc.Digest) ([]byte, error) {
	file, err := p.Blobs.Open(d)
	if errors.Is(err, qc.ErrNotFound) {
		return nil, fmt.Errorf("photo %s: %w", d, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if file.Size() > photo.DefaultLimits().Bytes {
		return nil, fmt.Errorf("photo %s: %w", d, photo.ErrTooLarge)
	}
	data, err := io.ReadAll(io.LimitReader(file, photo.DefaultLimits().Bytes))
	if err != nil {
		return nil, fmt.Errorf("read photo %s: %w", d, err)
	}
	return data, nil
}
