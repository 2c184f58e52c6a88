package web

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/ui/web/signon"
)

// SignOn is the way through the house's identity provider.
type SignOn interface {
	Begin(ctx context.Context) (address string, flow signon.Flow, err error)
	Finish(ctx context.Context, flow signon.Flow, answer url.Values) (claim string, err error)
}

const (
	flowCookie = "flawmark_sign_on"
	flowFor    = 10 * time.Minute
	// backPath is where the provider sends people back to.
	backPath = "/desk/sign-in/back"
)

// BackAddress is what an identity provider must know as the redirect address
// of a centre with that base URL.
func BackAddress(public string) string { return strings.TrimRight(public, "/") + backPath }

// errand is what somebody has gone to the identity provider for.
type errand struct {
	signon.Flow
	Next string `json:"next,omitempty"` // the page that they wanted
}

// signOnBegin sends somebody to the identity provider.
func (p *Pages) signOnBegin(w http.ResponseWriter, r *http.Request) {
	if p.SignOn == nil {
		p.nothingHere(w, r)
		return
	}
	address, flow, err := p.SignOn.Begin(r.Context())
	if err != nil {
		p.signOnFailed(w, r, err)
		return
	}
	sealed, err := p.sealErrand(errand{flow, deskAddress(r.URL.Query().Get("next"))})
	if err != nil {
		p.failed(w, r, "sign on", err)
		return
	}
	http.SetCookie(w, p.cookie(r, flowCookie, sealed, "/desk/sign-in", flowFor))
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// signOnBack lets in whom the identity provider vouches for, if they work here.
func (p *Pages) signOnBack(w http.ResponseWriter, r *http.Request) {
	if p.SignOn == nil {
		p.nothingHere(w, r)
		return
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	e, _ := p.openErrand(p.valueOf(r, flowCookie, maxErrand)) // an empty one is refused below
	http.SetCookie(w, p.cookie(r, flowCookie, "", "/desk/sign-in", -time.Second))
	claim, err := p.SignOn.Finish(r.Context(), e.Flow, r.URL.Query())
	if err != nil {
		p.signOnFailed(w, r, err)
		return
	}
	id := qc.StaffID(claim)
	if p.People != nil {
		id = p.People[claim]
	}
	staff, err := p.Store.Staff(r.Context(), id)
	switch {
	case errors.Is(err, qc.ErrNotFound), err == nil && !staff.Holds(lookers...):
		p.Log.WarnContext(r.Context(), "somebody signed on who has no business at the desk", "known", err == nil)
		notSignedOn(w, r, "web.signon.unknown")
	case err != nil:
		p.failed(w, r, "sign on", err)
	default:
		p.admit(w, r, staff.ID, e.Next)
	}
}

// signOnFailed says that the password still opens the desk.
func (p *Pages) signOnFailed(w http.ResponseWriter, r *http.Request, err error) {
	p.Log.WarnContext(r.Context(), "nobody signed on", "error", err)
	if errors.Is(err, signon.ErrRefused) {
		notSignedOn(w, r, "web.signon.refused")
		return
	}
	notSignedOn(w, r, "web.signon.away")
}

// signOnProblems are the sentences that the sign-in page says for notSignedOn.
var signOnProblems = []string{"web.signon.unknown", "web.signon.refused", "web.signon.away"}

// notSignedOn goes back to the sign-in page, away from an address that holds
// what the provider sent.
func notSignedOn(w http.ResponseWriter, r *http.Request, problem string) {
	onward(w, r, "/desk/sign-in", url.Values{"problem": {problem}})
}

// maxErrand bounds an errand's cookie.
const maxErrand = 2000

// sealErrand writes an errand and its signature, with a dot between.
func (p *Pages) sealErrand(e errand) (string, error) {
	payload, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(payload)
	return text + "." + base64.RawURLEncoding.EncodeToString(p.sign("sign on", text)), nil
}

// openErrand reads what sealErrand wrote.
func (p *Pages) openErrand(sealed string) (errand, error) {
	text, signature, _ := strings.Cut(sealed, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(given, p.sign("sign on", text)) {
		return errand{}, errSession
	}
	payload, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return errand{}, errSession
	}
	var e errand
	err = json.Unmarshal(payload, &e)
	return e, err
}
