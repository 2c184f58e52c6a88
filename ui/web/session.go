package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Names and lives of cookies. An order's cookie holds the link's own secret, so
// that revoking the link ends it; the desk's is signed here.
const (
	orderCookie = "flawmark_order"
	deskCookie  = "flawmark_desk"
	orderFor    = 30 * 24 * time.Hour
	deskFor     = 12 * time.Hour
)

// session is who is signed in at the desk.
type session struct {
	ID      qc.StaffID `json:"id"`
	Name    string     `json:"name"`
	Role    qc.Role    `json:"role"`
	Expires time.Time  `json:"expires"`
}

// actor returns the session as a party to cases; an administrator works as a
// clerk does.
func (s session) actor() refund.Actor {
	party := refund.ByClerk
	if s.Role == qc.Lead {
		party = refund.ByLead
	}
	return refund.Actor{Party: party, ID: string(s.ID)}
}

// mayUseDesk reports whether the role works at the desk.
func mayUseDesk(role qc.Role) bool {
	return role == qc.Clerk || role == qc.Lead || role == qc.Administrator
}

var errSession = errors.New("session is not valid")

// sealSession writes a session and its signature, with a dot between.
func (p *Pages) sealSession(s session) (string, error) {
	payload, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(payload)
	return text + "." + base64.RawURLEncoding.EncodeToString(p.sign("desk session", text)), nil
}

// openSession reads what sealSession wrote, unless it has expired.
func (p *Pages) openSession(sealed string, at time.Time) (session, error) {
	text, signature, _ := strings.Cut(sealed, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(given, p.sign("desk session", text)) {
		return session{}, errSession
	}
	payload, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return session{}, errSession
	}
	var s session
	if err := json.Unmarshal(payload, &s); err != nil || !at.Before(s.Expires) || !mayUseDesk(s.Role) {
		return session{}, errSession
	}
	return s, nil
}

// sign returns the code of parts for one purpose.
func (p *Pages) sign(purpose string, parts ...string) []byte {
	mac := hmac.New(sha256.New, p.Secret)
	mac.Write([]byte(purpose))
	for _, part := range parts {
		mac.Write([]byte{0})
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

// actKey is the idempotency key of one act on one version of a case by one
// actor: a double click and a repeated request carry the same.
func (p *Pages) actKey(c refund.Case, version string, kind refund.Kind, by refund.Actor) string {
	code := p.sign("act", string(c.ID), version, string(kind), string(by.Party), by.ID)
	return hex.EncodeToString(code[:16])
}

// cookie returns a cookie that scripts and other sites cannot use.
func (p *Pages) cookie(r *http.Request, name, value, within string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: within, MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: p.Secure || r.TLS != nil, SameSite: http.SameSiteLaxMode,
	}
}

// orderPath is the address of an order's page.
func orderPath(id qc.OrderID) string { return "/o/" + url.PathEscape(string(id)) }

// casePath is the address of a case at the desk.
func casePath(id qc.CaseID) string { return "/desk/cases/" + url.PathEscape(string(id)) }

type staffHandler func(w http.ResponseWriter, r *http.Request, who session)

// staffOnly lets signed-in staff through and sends everybody else to sign in.
func (p *Pages) staffOnly(next staffHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie(deskCookie)
		if err == nil {
			if who, err := p.openSession(cookie.Value, p.Now()); err == nil {
				next(w, r, who)
				return
			}
		}
		if wantsPage(r) {
			http.Redirect(w, r, "/desk/sign-in", http.StatusSeeOther)
			return
		}
		p.sorry(w, r, http.StatusForbidden, "web.signed_out")
	}
}

// wantsPage tells a reader's navigation from what a page or script loads.
func wantsPage(r *http.Request) bool {
	path := r.URL.Path
	return r.Method == http.MethodGet && !r.URL.Query().Has("fragment") &&
		!strings.HasSuffix(path, "/events") && !strings.Contains(path, "/photos/")
}
