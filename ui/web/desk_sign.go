package web

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"flawmark/app/qc"
)

// signInView is the desk's door.
type signInView struct {
	frame
	ID      string // what was typed, kept after a mistake
	Problem string
}

func (p *Pages) signInPage(w http.ResponseWriter, r *http.Request) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	s := p.deskSpeech(r)
	p.render(w, r, http.StatusOK, "signin", signInView{frame: p.frame(r, s, "sign-in", s.T("web.signin.title"))})
}

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) {
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	id := strings.TrimSpace(form.Get("id"))
	if len(id) > 100 || len(form.Get("password")) > 1000 {
		p.signInRefused(w, r, "", "web.signin.wrong", http.StatusForbidden)
		return
	}
	staff, err := p.Store.SignIn(r.Context(), qc.StaffID(id), form.Get("password"), p.Now())
	switch {
	case errors.Is(err, ErrSignIn), errors.Is(err, qc.ErrNotFound):
		p.signInRefused(w, r, id, "web.signin.wrong", http.StatusForbidden)
		return
	case errors.Is(err, ErrLocked):
		p.signInRefused(w, r, id, "web.signin.locked", http.StatusTooManyRequests)
		return
	case err != nil:
		p.failed(w, r, "sign in", err)
		return
	case !staff.Active || !mayUseDesk(staff.Role):
		p.signInRefused(w, r, id, "web.signin.not_desk", http.StatusForbidden)
		return
	}
	sealed, err := p.sealSession(session{ID: staff.ID, Name: staff.Name, Role: staff.Role, Expires: p.Now().Add(deskFor)})
	if err != nil {
		p.failed(w, r, "sign in", err)
		return
	}
	http.SetCookie(w, p.cookie(r, deskCookie, sealed, "/desk", deskFor))
	http.Redirect(w, r, "/desk", http.StatusSeeOther)
}

func (p *Pages) signInRefused(w http.ResponseWriter, r *http.Request, id, key string, status int) {
	s := p.deskSpeech(r)
	page := signInView{frame: p.frame(r, s, "sign-in", s.T("web.signin.title")), ID: id, Problem: s.T(key)}
	p.render(w, r, status, "signin", page)
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	if _, ok := p.form(w, r); !ok {
		return
	}
	http.SetCookie(w, p.cookie(r, deskCookie, "", "/desk", -time.Second))
	http.Redirect(w, r, "/desk/sign-in", http.StatusSeeOther)
}
