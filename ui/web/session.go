package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Names and lives of cookies. They hold secrets that the store knows, so that
// revoking a link and signing out end them.
const (
	orderCookie = "flawmark_order"
	deskCookie  = "flawmark_desk"
	orderFor    = 30 * 24 * time.Hour
	deskFor     = 12 * time.Hour
)

// session is who is signed in at the desk.
type session struct{ qc.Staff }

// Who may do what at the desk: most roles look, some act, some hand out links,
// whose holders decide for the customer. An administrator works as a clerk does.
var (
	lookers = []qc.Role{qc.Clerk, qc.Lead, qc.Approver, qc.Auditor, qc.Administrator}
	actors  = []qc.Role{qc.Clerk, qc.Lead, qc.Administrator}
	linkers = []qc.Role{qc.Clerk, qc.Administrator}
	partyOf = map[refund.Party][]qc.Role{refund.ByClerk: linkers, refund.ByLead: {qc.Lead}}
	atDesk  = []refund.Party{refund.ByClerk, refund.ByLead}
)

// parties returns as whom the session may act on cases.
func (s session) parties() []refund.Actor {
	var all []refund.Actor
	for _, party := range atDesk {
		if s.Holds(partyOf[party]...) {
			all = append(all, refund.Actor{Party: party, ID: string(s.ID)})
		}
	}
	return all
}

// actor returns as whom the session does what any of its parties may do.
func (s session) actor() refund.Actor {
	if parties := s.parties(); len(parties) > 0 {
		return parties[0]
	}
	return refund.Actor{ID: string(s.ID)}
}

// actorFor returns as whom the session does something of a kind: the first of
// its parties whose it is to do. Where it is none's, the lifecycle says so.
func (s session) actorFor(kind refund.Kind) refund.Actor {
	parties := s.parties()
	for _, row := range refund.Transitions() {
		if row.On != kind {
			continue
		}
		for _, actor := range parties {
			if slices.Contains(row.By, actor.Party) {
				return actor
			}
		}
	}
	return s.actor()
}

// mayLink reports whether the session may hand out links.
func (s session) mayLink() bool { return s.Holds(linkers...) }

// mayAct reports whether the session may change anything.
func (s session) mayAct() bool { return s.Holds(actors...) }

// errSession says that nobody is signed in who may be here.
var errSession = errors.New("session is not valid")

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

// actKey is the idempotency key of one act on one version of a case: a double
// click and a repeated request carry the same, another content another.
func (p *Pages) actKey(id qc.CaseID, version int, e refund.Event) string {
	code := p.sign("act", string(id), strconv.Itoa(version), string(e.Kind), string(e.Actor.Party), e.Actor.ID,
		e.Reason, e.Carrier, string(e.Waybill), e.Amount.String(), e.SellerRef)
	return hex.EncodeToString(code[:16])
}

// cookie returns a cookie that scripts and other sites cannot use; a negative
// life takes it away. Secure is left out only where the centre is reached
// without TLS: browsers would drop the cookie there.
func (p *Pages) cookie(r *http.Request, name, value, within string, life time.Duration) *http.Cookie {
	name, within = p.cookieName(r, name, within)
	return &http.Cookie{ //nolint:gosec // Secure wherever the centre is reached by https
		Name: name, Value: value, Path: within, MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: p.secure(r), SameSite: http.SameSiteLaxMode,
	}
}

// cookieName puts before a name what keeps other hosts of the domain, and
// whoever speaks without TLS, from setting the cookie. The stronger prefix
// allows no path, so an order's cookie has the weaker one.
func (p *Pages) cookieName(r *http.Request, name, within string) (prefixed, path string) {
	switch {
	case !p.secure(r):
		return name, within
	case name == deskCookie || name == flowCookie || name == deviceCookie:
		return "__Host-" + name, "/"
	}
	return "__Secure-" + name, within
}

// secretOf returns what a cookie of ours holds; empty: there is none.
func (p *Pages) secretOf(r *http.Request, name string) string { return p.valueOf(r, name, 200) }

// valueOf returns the value of a cookie of ours, unless it is longer than most.
func (p *Pages) valueOf(r *http.Request, name string, most int) string {
	name, _ = p.cookieName(r, name, "")
	cookie, err := r.Cookie(name)
	if err != nil || len(cookie.Value) > most {
		return ""
	}
	return cookie.Value
}

// secure reports whether the reader came by https.
func (p *Pages) secure(r *http.Request) bool { return p.Secure || r.TLS != nil }

// orderPath is the address of an order's page.
func orderPath(id qc.OrderID) string { return "/o/" + url.PathEscape(string(id)) }

// casePath is the address of a case at the desk.
func casePath(id qc.CaseID) string { return "/desk/cases/" + url.PathEscape(string(id)) }

// signedIn returns who sends r, with the roles they have now; it fails with
// errSession when it is nobody who may be here.
func (p *Pages) signedIn(r *http.Request) (session, error) {
	secret := p.secretOf(r, deskCookie)
	if secret == "" {
		return session{}, errSession
	}
	staff, err := p.Store.Session(r.Context(), secret, p.Now())
	switch {
	case errors.Is(err, ErrSignIn), err == nil && !staff.Holds(lookers...):
		return session{}, errSession
	case err != nil:
		return session{}, fmt.Errorf("read session: %w", err)
	}
	return session{staff}, nil
}

type staffHandler func(w http.ResponseWriter, r *http.Request, who session)

// staffOnly lets signed-in staff through: those who look may read, and only
// those who act may send anything. Everybody else is sent to sign in.
func (p *Pages) staffOnly(next staffHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := p.signedIn(r)
		switch {
		case err == nil && r.Method != http.MethodGet && r.Method != http.MethodHead && !who.mayAct():
			p.sorry(w, r, http.StatusForbidden, "error.not_allowed")
		case err == nil:
			next(w, r, who)
		case !errors.Is(err, errSession):
			p.failed(w, r, "session", err)
		case wantsPage(r):
			http.Redirect(w, r, toSignIn(r.URL), http.StatusSeeOther)
		default:
			p.sorry(w, r, http.StatusForbidden, "web.signed_out")
		}
	}
}

// wantsPage tells a reader's navigation from what a page or script loads.
func wantsPage(r *http.Request) bool {
	path := r.URL.Path
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && !r.URL.Query().Has("fragment") &&
		!strings.HasSuffix(path, "/events") && !strings.Contains(path, "/photos/") && !strings.Contains(path, "/pictures/") && !strings.Contains(path, "/iiif/")
}
