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
	notice, ok := p.split(w, r, form, d.Case.ID, who.actor())
	switch {
	case !ok:
	case notice == "web.split.done":
		back(w, r, casePath(d.Case.ID), notice)
	default:
		p.refuseOnCase(w, r, who, form, refusal{notice: notice}, func(page *deskCaseView) bool {
			if page.Split == nil || len(page.OnBehalf) == 0 { // it stands among what is the customer's to decide
				return false
			}
			page.Split.Typed, page.Split.Problem, page.Behalf = form.Get("pieces"), page.T(notice), true
			return true
		})
	}
}
