package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// linkedView is a correction of an item's ended case, as its customer sees it.
type linkedView struct {
	*caseView
	Heading string
}

// missedCard lets somebody report a flaw that we did not see.
type missedCard struct {
	speech
	Action  string
	ID      string
	Explain string
}

// corrections returns the corrections of an item's ended cases, the newest
// first.
func (p *Pages) corrections(s speech, o OrderView, item qc.Item) []linkedView {
	var views []linkedView
	for _, c := range slices.Backward(o.Cases) {
		if c.Item == item.ID && c.Sort == refund.Correction {
			views = append(views, linkedView{caseView: p.caseView(s, c, item, o.Order.ID), Heading: s.T("sort.correction")})
		}
	}
	return views
}

// missedCard returns the card for an item in view, or nil where there is
// nothing to report, or it was reported before.
func (s speech) missedCard(o OrderView, item qc.Item, view itemView, base string) *missedCard {
	if slices.ContainsFunc(o.Cases, func(c refund.Case) bool { return c.Item == item.ID && c.Sort == refund.MissedFlaw }) {
		return nil
	}
	if c, ok := caseOf(o, item.ID); view.State != "passed" && (!ok || view.State != "case" || !c.Claimable()) {
		return nil
	}
	return &missedCard{
		speech: s, Action: base + "/items/" + url.PathEscape(string(item.ID)) + "/claim", ID: "claim-" + string(view.ID),
		Explain: s.T("web.claim_flaw.explain"),
	}
}

// correctionMoney says what a correction means in money.
func (s speech) correctionMoney(c refund.Case) []moneyRow {
	rows := []moneyRow{{Label: s.T("web.money.reversed"), Amount: c.Paid.String(), Total: true}}
	if c.Status.Terminal() {
		rows = append(rows, moneyRow{Label: s.T("web.money.taken_back"), Amount: c.TakenBack.String()},
			moneyRow{Label: s.T("web.money.absorbed"), Amount: c.Absorbed.String()})
	}
	return rows
}

// orderClaim takes the customer's report of a flaw that we did not see.
func (p *Pages) orderClaim(w http.ResponseWriter, r *http.Request) {
	order, err := p.openOrder(r)
	if err != nil {
		p.orderRefused(w, r, err)
		return
	}
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	id := qc.ItemID(r.PathValue("item"))
	if !slices.ContainsFunc(order.Order.Items, func(item qc.Item) bool { return item.ID == id }) {
		p.nothingHere(w, r)
		return
	}
	event, err := readEvent(form)
	if err != nil {
		back(w, r, orderPath(order.Order.ID), err.Error())
		return
	}
	actor := refund.Actor{Party: refund.ByCustomer, ID: string(order.Order.Customer.ID)}
	c, err := p.Store.ClaimFlaw(r.Context(), id, refund.Event{Actor: actor, Reason: event.Reason})
	notice, err := linkedOutcome(err)
	if err != nil {
		p.failed(w, r, "claim", err)
		return
	}
	query := url.Values{"notice": {notice}}
	if c.ID != "" {
		query.Set("case", string(c.ID))
	}
	http.Redirect(w, r, orderPath(order.Order.ID)+"?"+query.Encode()+"#item-"+url.PathEscape(string(id)), http.StatusSeeOther)
}

// linkedOutcome is [outcome] for what opens a linked case.
func linkedOutcome(err error) (notice string, other error) {
	switch {
	case err == nil:
		return "web.claim_flaw.done", nil
	case errors.Is(err, ErrClaimed):
		return "error." + ErrClaimed.Error(), nil
	}
	return outcome(err)
}
