package web

import (
	"errors"
	"net/http"

	"flawmark/app/qc"
)

// deskMemo shows a credit memo to the desk.
func (p *Pages) deskMemo(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	m, err := p.Store.Memo(r.Context(), memoNumber(r))
	switch {
	case errors.Is(err, qc.ErrNotFound):
		p.nothingHere(w, r)
	case err != nil:
		p.failed(w, r, "memo", err)
	default:
		p.showMemo(w, r, p.deskSpeech(r), m, "/desk", casePath(m.Case), &who)
	}
}
