package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"flawmark/app/qc"
)

// signInView is the desk's door.
type signInView struct {
	frame
	ID        string // what was typed, kept after a mistake
	Next      string // address of the page that somebody wanted; empty: none
	Problem   string
	Elsewhere string // address of the way through the house's identity provider; empty: there is none
}

func (p *Pages) signInPage(w http.ResponseWriter, r *http.Request) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	s := p.deskSpeech(r)
	page := p.signInView(r, s, r.URL.Query().Get("next"))
	if problem := r.URL.Query().Get("problem"); slices.Contains(signOnProblems, problem) {
		page.Problem = s.T(problem)
	}
	p.render(w, r, http.StatusOK, "signin", page)
}

func (p *Pages) signInView(r *http.Request, s speech, next string) signInView {
	view := signInView{frame: p.frame(r, s, "sign-in", s.T("web.signin.title")), Next: deskAddress(next)}
	if p.SignOn != nil {
		view.Elsewhere = "/desk/sign-in/elsewhere"
		if view.Next != "" {
			view.Elsewhere += "?" + url.Values{"next": {view.Next}}.Encode()
		}
	}
	return view
}

// deskAddress returns an address if it is one of the desk's pages, else nothing:
// whoever makes somebody sign in sends them nowhere else.
func deskAddress(address string) string {
	at, err := url.Parse(address)
	if err != nil || at.IsAbs() || at.Host != "" || len(address) > 500 ||
		at.Path != "/desk" && !strings.HasPrefix(at.Path, "/desk/") || strings.HasPrefix(at.Path, "/desk/sign-") {
		return ""
	}
	return at.RequestURI()
}

// toSignIn is the address of the door for somebody who wanted a page.
func toSignIn(wanted *url.URL) string {
	if next := deskAddress(wanted.RequestURI()); next != "" && next != "/desk" {
		return "/desk/sign-in?" + url.Values{"next": {next}}.Encode()
	}
	return "/desk/sign-in"
}

// refusalTakes is how long a refused sign-in takes at least: longer than looking
// for a person, counting the try and hashing the password, of which not all is
// done for people who are not known.
const refusalTakes = 400 * time.Millisecond

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) {
	began := time.Now() // of the socket's time, as it is measured outside
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	id := strings.TrimSpace(form.Get("id"))
	if len(id) > 100 || len(form.Get("password")) > 1000 {
		p.signInRefused(w, r, "", "web.signin.wrong", http.StatusForbidden)
		return
	}
	staff, err := p.Store.SignIn(r.Context(), qc.StaffID(id), form.Get("password"), p.source(r, qc.StaffID(id)), p.Now())
	switch {
	case errors.Is(err, ErrSignIn), errors.Is(err, ErrLocked), errors.Is(err, qc.ErrNotFound):
		// The same for all: only people who are known are ever locked out.
		if !pause(r.Context(), p.refusing-time.Since(began)) {
			return
		}
		p.signInRefused(w, r, id, "web.signin.wrong", http.StatusForbidden)
		return
	case err != nil:
		p.failed(w, r, "sign in", err)
		return
	case !staff.Holds(lookers...):
		p.signInRefused(w, r, id, "web.signin.not_desk", http.StatusForbidden)
		return
	}
	p.admit(w, r, staff.ID, form.Get("next"))
}

// admit begins a session of a person who has proved who they are, and goes to
// the page that they wanted. Another session that the browser has ends: nobody
// goes on in it.
func (p *Pages) admit(w http.ResponseWriter, r *http.Request, id qc.StaffID, next string) {
	if before := p.secretOf(r, deskCookie); before != "" {
		if err := p.Store.EndSession(r.Context(), before, p.Now()); err != nil {
			p.failed(w, r, "sign in", err)
			return
		}
	}
	secret, err := p.Store.BeginSession(r.Context(), id, p.Now())
	if err != nil {
		p.failed(w, r, "sign in", err)
		return
	}
	http.SetCookie(w, p.cookie(r, deskCookie, secret, "/desk", deskFor))
	http.SetCookie(w, p.cookie(r, deviceCookie, p.knowing(r, id), "/desk", deviceFor))
	http.Redirect(w, r, cmp.Or(deskAddress(next), "/desk"), http.StatusSeeOther)
}

func (p *Pages) signInRefused(w http.ResponseWriter, r *http.Request, id, key string, status int) {
	s := p.deskSpeech(r)
	page := p.signInView(r, s, r.PostForm.Get("next"))
	page.ID, page.Problem = id, s.T(key)
	p.render(w, r, status, "signin", page)
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	if _, ok := p.form(w, r); !ok {
		return
	}
	if secret := p.secretOf(r, deskCookie); secret != "" {
		if err := p.Store.EndSession(r.Context(), secret, p.Now()); err != nil {
			p.failed(w, r, "sign out", err)
			return
		}
	}
	http.SetCookie(w, p.cookie(r, deskCookie, "", "/desk", -time.Second))
	http.Redirect(w, r, "/desk/sign-in", http.StatusSeeOther)
}
