package web

import (
	"net/http"

	"flawmark/app/refund"
)

// linkedForms open a case that is linked to one that has ended.
type linkedForms struct {
	speech
	Correct string      // address of the correction's form; empty: nothing to correct
	Most    string      // that can be taken back
	Missed  *missedCard // nil: nothing to report
}

// missedCard lets somebody report a flaw that we did not see.
type missedCard struct {
	speech
	Action  string
	ID      string
	Explain string
}

// linkedForms returns what may follow from an ended case, or nil.
func (s speech) linkedForms(c refund.Case, who session) *linkedForms {
	if !who.mayAct() || who.actor().Party != refund.ByClerk || !c.Correctable() && !c.Claimable() {
		return nil
	}
	forms := &linkedForms{speech: s}
	if c.Correctable() {
		forms.Correct, forms.Most = casePath(c.ID)+"/correction", c.Received.Decimal()
	}
	if c.Claimable() {
		forms.Missed = &missedCard{speech: s, Action: casePath(c.ID) + "/claim", ID: "claim-flaw", Explain: s.T("web.claim_flaw.desk")}
	}
	return forms
}

// deskCorrect opens the correction of a case whose money a marketplace took back.
func (p *Pages) deskCorrect(w http.ResponseWriter, r *http.Request, who session) {
	p.openLinked(w, r, func(d Dossier, e refund.Event) (refund.Case, error) {
		return p.Store.Correct(r.Context(), d.Case.ID, refund.Event{
			Actor: who.actor(), Amount: e.Amount, SellerRef: e.SellerRef, Reason: e.Reason,
		})
	})
}

// deskClaim passes on that a customer found a flaw that we did not.
func (p *Pages) deskClaim(w http.ResponseWriter, r *http.Request, who session) {
	p.openLinked(w, r, func(d Dossier, e refund.Event) (refund.Case, error) {
		return p.Store.ClaimFlaw(r.Context(), d.Case.Item, refund.Event{Actor: who.actor(), Reason: e.Reason})
	})
}

// openLinked reads a form, opens a case by it and goes there.
func (p *Pages) openLinked(w http.ResponseWriter, r *http.Request, open func(Dossier, refund.Event) (refund.Case, error)) {
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	event, err := readEvent(form)
	if err != nil {
		back(w, r, casePath(d.Case.ID), err.Error())
		return
	}
	c, err := open(d, event)
	notice, err := linkedOutcome(err)
	switch {
	case err != nil:
		p.failed(w, r, "open linked case", err)
	case c.ID != "":
		back(w, r, casePath(c.ID), "web.notice.done")
	default:
		back(w, r, casePath(d.Case.ID), notice)
	}
}
