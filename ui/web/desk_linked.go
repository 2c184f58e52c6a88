package web

import (
	"net/http"
	"slices"

	"flawmark/app/refund"
)

// linkedForm opens a case that is linked to one that has ended.
type linkedForm struct {
	actionView
	Action  string // address
	Explain string
}

// linkedForms returns what may follow from an ended case.
func (s speech) linkedForms(c refund.Case, who session) []linkedForm {
	if !who.mayAct() || who.actor().Party != refund.ByClerk {
		return nil
	}
	var forms []linkedForm
	if c.Correctable() {
		forms = append(forms, linkedForm{
			actionView: actionView{speech: s, ID: "correct", Words: s.T("action.reverse"), Fields: []fieldView{
				{Name: "amount", Label: s.T("field.amount"), Value: c.Received.Decimal(), Money: true}, // the most that can be taken back
				{Name: "seller_ref", Label: s.T("web.correct.ref")},
				{Name: "reason", Label: s.T("field.reason"), Long: true},
			}},
			Action: casePath(c.ID) + "/correction", Explain: s.T("web.correct.explain"),
		})
	}
	if c.Claimable() {
		forms = append(forms, linkedForm{
			actionView: actionView{speech: s, ID: "claim-flaw", Words: s.T("action.claim_flaw"), Fields: []fieldView{
				{Name: "reason", Label: s.T("web.your_words"), Long: true},
			}},
			Action: casePath(c.ID) + "/claim", Explain: s.T("web.claim_flaw.desk"),
		})
	}
	return forms
}

// deskCorrect opens the correction of a case whose money a marketplace took back.
func (p *Pages) deskCorrect(w http.ResponseWriter, r *http.Request, who session) {
	p.openLinked(w, r, who, func(d Dossier, e refund.Event) (refund.Case, error) {
		return p.Store.Correct(r.Context(), d.Case.ID, refund.Event{
			Actor: who.actor(), Amount: e.Amount, SellerRef: e.SellerRef, Reason: e.Reason,
		})
	})
}

// deskClaim passes on that a customer found a flaw that we did not.
func (p *Pages) deskClaim(w http.ResponseWriter, r *http.Request, who session) {
	p.openLinked(w, r, who, func(d Dossier, e refund.Event) (refund.Case, error) {
		return p.Store.ClaimFlaw(r.Context(), d.Case.Item, refund.Event{Actor: who.actor(), Reason: e.Reason})
	})
}

// openLinked reads a form, opens a case by it and goes there.
func (p *Pages) openLinked(w http.ResponseWriter, r *http.Request, who session, open func(Dossier, refund.Event) (refund.Case, error)) {
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	refuse := func(why refusal) {
		p.refuseOnCase(w, r, who, form, why, func(page *deskCaseView) bool {
			i := slices.IndexFunc(page.Linked, func(f linkedForm) bool { return f.Action == r.URL.EscapedPath() })
			if i >= 0 {
				page.Linked[i].refuse(form, why)
			}
			return i >= 0
		})
	}
	event, err := readEvent(form)
	if err != nil {
		refuse(refusedBy(err))
		return
	}
	c, err := open(d, event)
	notice, err := linkedOutcome(err)
	switch {
	case err != nil:
		p.failed(w, r, "open linked case", err)
	case c.ID != "":
		back(w, r, casePath(c.ID), "web.notice.done")
	case notice == "error."+refund.ErrAmount.Error(): // which speaks of what a seller still owes
		refuse(refusal{"web.correct.amount", "amount"})
	default:
		refuse(refusal{notice: notice})
	}
}
