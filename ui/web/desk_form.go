package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"flawmark/app/refund"
)

// A refused form has the focus at the field that the reason is about. Where what it
// was for is not possible any more, what was typed is shown to be copied.

// atField names the field that a refusal is about; empty: none of them.
func atField(notice string) string {
	switch notice {
	case errApprover.Error(), errApproverLocked.Error(), "error." + refund.ErrSamePerson.Error(),
		"error." + refund.ErrApproval.Error(), "error." + refund.ErrApprover.Error():
		return string(refund.NeedsApprover)
	case errAmount.Error(), "error." + refund.ErrAmount.Error():
		return string(refund.NeedsAmount)
	case errWaybill.Error():
		return string(refund.NeedsWaybill)
	case "web.seller_ref_used":
		return string(refund.NeedsSellerRef)
	}
	return ""
}

// refuseFields puts into the fields of a form what was typed, and beside one of
// them why the form was not taken: beside the field at, beside what lacks, or
// beside the one that the refusal is about. Where it is about none of them, it
// reports false, and the first has the focus.
func (s speech) refuseFields(fields []fieldView, form url.Values, notice, at string) bool {
	if len(fields) == 0 {
		return false
	}
	for i := range fields {
		if !fields[i].Secret {
			fields[i].Value = form.Get(fields[i].Name)
		}
	}
	about := slices.IndexFunc(fields, func(f fieldView) bool {
		switch {
		case at != "":
			return f.Name == at
		case notice == "error."+refund.ErrMissing.Error():
			return !f.Optional && strings.TrimSpace(form.Get(f.Name)) == ""
		}
		return f.Name == atField(notice)
	})
	fields[max(about, 0)].Focus = true
	if about >= 0 {
		fields[about].Problem = s.T(notice)
	}
	return about >= 0
}

// typedFields are what somebody types on the page of a case, in the order in
// which it is shown again. Passwords are not.
var typedFields = []struct{ name, label string }{
	{"reason", "field.reason"},
	{"amount", "field.amount"},
	{"seller_ref", "field.seller_ref"},
	{"waybill", "field.waybill"},
	{"carrier", "web.carrier"},
	{"approver", "field.approver"},
	{"pieces", "web.split.pieces"},
	{"to", "web.desk.assignee"},
}

// typed is what a form says that somebody has typed.
func (s speech) typed(form url.Values) []factView {
	var all []factView
	for _, field := range typedFields {
		if value := strings.TrimSpace(form.Get(field.name)); value != "" {
			all = append(all, factView{Label: s.T(field.label), Value: value})
		}
	}
	return all
}

// refusal is why a form on the page of a case was not taken: the key of its
// sentence, and the field that it is about where that is known.
type refusal struct{ notice, field string }

// refusedBy is the refusal that an error of [readEvent] is.
func refusedBy(err error) refusal {
	if wrong, ok := errors.AsType[*wrongField](err); ok {
		return refusal{wrong.Error(), wrong.field}
	}
	return refusal{notice: err.Error()}
}

// refuseOnCase answers a form on the page of a case that was not taken with the
// case as it is now. put finds the form on the page and puts what was typed back
// into it; it reports false where it is not there any more.
func (p *Pages) refuseOnCase(w http.ResponseWriter, r *http.Request, who session, form url.Values, why refusal, put func(*deskCaseView) bool) {
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	s := p.deskSpeech(r)
	page, err := p.caseAtDesk(r, s, d, who)
	if err != nil {
		p.failed(w, r, "case", err)
		return
	}
	if !put(&page) {
		if page.Typed = s.typed(form); len(page.Typed) == 0 {
			back(w, r, casePath(d.Case.ID), why.notice)
			return
		}
		page.Notice = s.T(why.notice)
	}
	page.Events, page.Languages = "", nil // the address is no page of its own
	p.render(w, r, http.StatusUnprocessableEntity, "case", page)
}
