package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
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

// mayLink reports whether the session may hand out links, whose holders decide
// for the customer.
func (s session) mayLink() bool { return s.Role == qc.Clerk || s.Role == qc.Administrator }

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
	return &http.Cookie{ //nolint:gosec // Secure wherever the centre is reached by https
		Name: name, Value: value, Path: within, MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: p.Secure || r.TLS != nil, SameSite: http.SameSiteLaxMode,
	}
}

// orderPath is the address of an order's page.
func orderPath(id qc.OrderID) string { return "/o/" + url.PathEscape(string(id)) }

// casePath is the address of a case at the desk.
func casePath(id qc.CaseID) string { return "/desk/cases/" + url.PathEscape(string(id)) }

// signedIn returns who sends r, with the role they have now; it fails with
// errSession when it is nobody who may be here.
func (p *Pages) signedIn(r *http.Request) (session, error) {
	cookie, err := r.Cookie(deskCookie)
	if err != nil {
		return session{}, errSession
	}
	who, err := p.openSession(cookie.Value, p.Now())
	if err != nil {
		return session{}, err
	}
	staff, err := p.Store.Staff(r.Context(), who.ID)
	switch {
	case errors.Is(err, qc.ErrNotFound), err == nil && (!staff.Active || !mayUseDesk(staff.Role)):
		return session{}, errSession
	case err != nil:
		return session{}, fmt.Errorf("read staff %s: %w", who.ID, err)
	}
	who.Name, who.Role = staff.Name, staff.Role
	return who, nil
}

type staffHandler func(w http.ResponseWriter, r *http.Request, who session)

// staffOnly lets signed-in staff through and sends everybody else to sign in.
func (p *Pages) staffOnly(next staffHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := p.signedIn(r)
		if err == nil {
			next(w, r, who)
			return
		}
		if !errors.Is(err, errSession) {
			p.failed(w, r, "session", err)
			return
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
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && !r.URL.Query().Has("fragment") &&
		!strings.HasSuffix(path, "/events") && !strings.Contains(path, "/photos/") && !strings.Contains(path, "/pictures/") && !strings.Contains(path, "/iiif/")
}
