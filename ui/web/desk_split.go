package web

import "net/http"

// deskSplit passes on that a customer decides for some of the pieces by
// themselves.
func (p *Pages) deskSplit(w http.ResponseWriter, r *http.Request, who session) {
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	if notice, ok := p.split(w, r, form, d.Case.ID, who.actor()); ok {
		back(w, r, casePath(d.Case.ID), notice)
	}
}
