package web

import (
	"errors"
	"slices"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// linkedView is a correction of an item's ended case, as its customer sees it.
type linkedView struct {
	*caseView
	Heading string
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

// reportMissed is the address where a flaw that we missed in an item in view is
// reported; empty where there is nothing to report, or it was reported before.
func reportMissed(o OrderView, item qc.Item, view itemView, base string) string {
	if slices.ContainsFunc(o.Cases, func(c refund.Case) bool { return c.Item == item.ID && c.Sort == refund.MissedFlaw }) {
		return ""
	}
	if c, ok := caseOf(o, item.ID); view.State != "passed" && (!ok || view.State != "case" || !c.Claimable()) {
		return ""
	}
	return writeAbout(base, item.ID, refund.TopicMissedFlaw)
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
