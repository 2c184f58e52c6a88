package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// What keeps a form from being an event, by the key of its sentence.
var (
	errWaybill = errors.New("error.waybill_invalid")
	errAmount  = errors.New("web.amount_syntax")
	errLong    = errors.New("web.text_long")
)

// wrongField is what keeps a form from being an event, and the field that it is
// about.
type wrongField struct {
	error
	field string
}

func (w *wrongField) Unwrap() error { return w.error }

// deskNotices are the sentences that the desk's own steps lead to.
var deskNotices = []string{
	"web.letters.kept", "error.template_long", "web.approver_wrong", "web.signin.locked", "web.claim.nothing", "web.told.again", "web.told.nothing", "web.contact.done", "web.contact.again", "web.assign.unknown", "error.offer_late", "error.offer_rounds",
	"error.photo_rounds", "error.same_person", "error.approval_needed", "web.refunds.again", "web.refunds.none_ticked",
}

// deskAct takes one step with a case, and goes back to the case as it then is.
func (p *Pages) deskAct(w http.ResponseWriter, r *http.Request, who session) {
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	number, err := strconv.Atoi(form.Get("version"))
	if err != nil || number < 1 {
		p.sorry(w, r, http.StatusBadRequest, "error.field_missing")
		return
	}
	event, err := readEvent(form)
	if err != nil {
		p.refuseStep(w, r, who, form, refusedBy(err))
		return
	}
	if slices.Contains(fromBenches, event.Kind) {
		back(w, r, casePath(d.Case.ID), "error.not_allowed")
		return
	}
	event.Actor, event.At = who.actorFor(event.Kind), p.Now()
	if err := p.approve(r, who, form.Get("approver"), form.Get("approver_password"), &event); err != nil {
		p.refuseStep(w, r, who, form, refusal{notice: err.Error()})
		return
	}
	_, err = p.Store.Act(r.Context(), d.Case.ID, number, event, p.actKey(d.Case.ID, number, event))
	notice, err := outcome(err)
	if err != nil {
		p.failed(w, r, "act", err)
		return
	}
	if notice != "web.notice.done" {
		p.refuseStep(w, r, who, form, refusal{notice: notice})
		return
	}
	back(w, r, casePath(d.Case.ID), notice)
}

// refuseStep answers a step that was not taken.
func (p *Pages) refuseStep(w http.ResponseWriter, r *http.Request, who session, form url.Values, why refusal) {
	p.refuseOnCase(w, r, who, form, why, func(page *deskCaseView) bool {
		kind := refund.Kind(form.Get("event"))
		action := page.action(kind)
		if action == nil || len(action.Fields) == 0 {
			return false
		}
		action.refuse(form, why)
		page.Behalf = slices.Contains(ofCustomers, kind)
		return true
	})
}

var (
	errApprover       = errors.New("web.approver_wrong")
	errApproverLocked = errors.New("web.signin.locked")
)

// approve puts the second person's name on an event, who says so with an own
// password: a name alone could be anybody's. Whoever tries passwords there is
// known: it is counted under the person who is signed in.
func (p *Pages) approve(r *http.Request, who session, id, password string, event *refund.Event) error {
	id = strings.TrimSpace(id)
	if id == "" {
		return nil
	}
	if len(id) > 100 || len(password) > 1000 {
		return errApprover
	}
	staff, err := p.Store.SignIn(r.Context(), qc.StaffID(id), password, Source{Name: "desk of " + string(who.ID), Known: true}, p.Now())
	switch {
	case errors.Is(err, ErrLocked):
		return errApproverLocked
	case err != nil || !staff.Holds(qc.Approver):
		return errApprover
	}
	event.Approver = staff.ID
	return nil
}

// readEvent reads the fields of a form; which of them an event needs is for the
// lifecycle to say.
func readEvent(form url.Values) (refund.Event, error) {
	text := func(name string) string { return unixLines(form.Get(name)) }
	event := refund.Event{
		Kind: refund.Kind(text("event")), Reason: text("reason"), Carrier: text("carrier"), SellerRef: qc.HalfWidth(text("seller_ref")),
	}
	for _, typed := range []struct{ field, value string }{
		{"reason", event.Reason},
		{"carrier", event.Carrier},
		{"seller_ref", event.SellerRef},
	} {
		if utf8.RuneCountInString(typed.value) > maxText {
			return event, &wrongField{errLong, typed.field}
		}
	}
	if waybill := text("waybill"); waybill != "" {
		parsed, err := qc.ParseWaybill(waybill)
		if err != nil {
			return event, &wrongField{errWaybill, "waybill"}
		}
		event.Waybill = parsed
	}
	if amount := text("amount"); amount != "" {
		parsed, err := money.ReadCNY(qc.HalfWidth(amount))
		if err != nil {
			return event, &wrongField{errAmount, "amount"}
		}
		event.Amount = parsed
	}
	return event, nil
}

// unixLines is what somebody typed, with one letter for the end of a line:
// browsers count it so and send two.
func unixLines(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) }

// linkView shows a customer's new link once.
type linkView struct {
	frame
	Address string
	Back    string
}

// deskLink makes a new link to the case's order. The secret is in this answer
// alone, in no address and no log.
func (p *Pages) deskLink(w http.ResponseWriter, r *http.Request, who session) {
	if _, ok := p.form(w, r); !ok {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	if !who.mayLink() {
		back(w, r, casePath(d.Case.ID), "error.not_allowed")
		return
	}
	token, err := p.Store.LinkOrder(r.Context(), d.Case.Order, who.ID, p.Now())
	if err != nil {
		p.failed(w, r, "link order", err)
		return
	}
	base := strings.TrimRight(p.Public, "/")
	if base == "" {
		base = "http://" + r.Host
		if p.Secure || r.TLS != nil {
			base = "https://" + r.Host
		}
	}
	s := p.deskSpeech(r)
	view := p.deskFrame(r, s, who, "link", s.T("web.link.title", "order", string(d.Case.Order)))
	view.Languages = nil // this answer has no address of its own
	page := linkView{
		frame:   view,
		Address: base + orderPath(d.Case.Order) + "?t=" + url.QueryEscape(token), Back: casePath(d.Case.ID),
	}
	p.render(w, r, http.StatusOK, "link", page)
}
