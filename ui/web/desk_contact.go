package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"flawmark/app/qc"
	"flawmark/assets"
)

// contactForm corrects where and in which language a customer is written to. It
// is for those who may hand out links: the next mail brings one to that address.
type contactForm struct {
	speech
	Action  string
	Version int
	Email   string
	Speaks  []choice
	Now     string // what holds now
	Holds   string // until when, where the desk has corrected it
	Refused bool
	At      string // the field that the problem is about
	Problem string
}

func (s speech) contactForm(d Dossier) *contactForm {
	form := &contactForm{speech: s, Action: casePath(d.Case.ID) + "/contact", Version: d.Customer.Correction.Version, Email: d.Customer.Email}
	form.speak(d.Customer.Language)
	form.Now = s.T("web.contact.none", "language", s.T("language."+d.Customer.Language))
	if d.Customer.Email != "" {
		form.Now = s.T("web.contact.now", "email", d.Customer.Email, "language", s.T("language."+d.Customer.Language))
	}
	if was := d.Customer.Correction; was.By != "" {
		form.Holds = s.T("web.contact.corrected", "name", s.person(was.By), "at", s.at(was.At).Text)
	}
	return form
}

// speak lists the languages, one of them chosen.
func (f *contactForm) speak(chosen string) {
	f.Speaks = nil
	for _, language := range assets.Languages() {
		f.Speaks = append(f.Speaks, choice{language, f.T("language." + language), language == chosen})
	}
}

// deskContact corrects where and in which language a case's customer is written
// to.
func (p *Pages) deskContact(w http.ResponseWriter, r *http.Request, who session) {
	if !who.mayLink() {
		p.sorry(w, r, http.StatusForbidden, "error.not_allowed")
		return
	}
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	seen, err := strconv.Atoi(form.Get("version"))
	if err != nil {
		p.sorry(w, r, http.StatusBadRequest, "error.field_missing")
		return
	}
	to, err := qc.ReadContact(form.Get("email"), form.Get("language"))
	switch {
	case err != nil && qc.CheckEmail(to.Email) == nil:
		p.refuseContact(w, r, who, form, refusal{"error.field_missing", "language"})
		return
	case err != nil:
		p.refuseContact(w, r, who, form, refusal{"web.contact.wrong", "email"})
		return
	}
	err = p.Store.CorrectContact(r.Context(), d.Case.ID, seen, to, who.ID, p.Now())
	switch {
	case errors.Is(err, ErrContactMoved):
		p.refuseContact(w, r, who, form, refusal{"web.contact.moved", "email"})
		return
	case err != nil:
		p.failed(w, r, "correct contact", err)
		return
	}
	told, err := p.Store.Telling(r.Context(), d.Case.ID, p.Now())
	if err != nil {
		p.failed(w, r, "correct contact", err)
		return
	}
	notice := "web.contact.done"
	if told.Untold && !p.NoMail {
		notice = "web.contact.again"
	}
	back(w, r, casePath(d.Case.ID), notice)
}

// refuseContact answers a correction that was not made: beside what was typed
// stands what holds now.
func (p *Pages) refuseContact(w http.ResponseWriter, r *http.Request, who session, form url.Values, why refusal) {
	p.refuseOnCase(w, r, who, form, why, func(page *deskCaseView) bool {
		contact := page.Told.Contact
		if contact == nil {
			return false
		}
		contact.Refused, contact.At, contact.Problem, contact.Email = true, why.field, page.T(why.notice), form.Get("email")
		contact.speak(form.Get("language"))
		return true
	})
}
