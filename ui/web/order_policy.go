package web

import (
	"slices"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// policyView is what the seller grants, in plain words.
type policyView struct {
	speech
	ID     string
	Window string
	Rules  []ruleView
	Except string // goods that no seller takes back, or that this is one of them
	Is     bool   // this is one of them
}

// ruleView says who pays what where somebody answers for the flaw.
type ruleView struct {
	When, Pays string
	Here       bool // it is this case's
}

// policy says what the seller grants for an item: until when, who pays, and
// what is never taken back.
func (s speech) policy(c refund.Case, item qc.Item) *policyView {
	view := &policyView{speech: s, ID: string(c.ID), Window: s.T("web.policy.no_window")}
	if !c.WindowEndsAt.IsZero() {
		key := "web.policy.window"
		if !s.now.Before(c.WindowEndsAt) {
			key = "web.policy.window_over"
		}
		view.Window = s.T(key, "time", s.at(c.WindowEndsAt).Text)
	}
	for _, liability := range []refund.Liability{refund.BySellerFault, refund.ByMinorFlaw, refund.ByCustomerWish} {
		as := c
		as.Liability = liability
		choices, err := as.Sheet()
		if err != nil {
			continue
		}
		i := slices.IndexFunc(choices, func(choice refund.Choice) bool { return choice.Decision == refund.Refund })
		rule := ruleView{
			When: s.T("web.policy.when." + string(liability)), Pays: s.T("web.policy.free"),
			Here: c.Liability == liability || c.Liability == "" && liability == refund.BySellerFault,
		}
		if cell := s.fees(choices[i]); cell.Note != "" {
			rule.Pays = cell.Note
		}
		view.Rules = append(view.Rules, rule)
	}
	if item.NonReturnable != "" {
		view.Is = true
		view.Except = s.T("web.policy.is_excepted", "why", s.T("non_returnable."+string(item.NonReturnable)))
		return view
	}
	var names []string
	for _, reason := range qc.NonReturnables() {
		names = append(names, s.T("non_returnable."+string(reason)))
	}
	view.Except = s.T("web.policy.excepted", "what", strings.Join(names, s.T("web.or")))
	return view
}

// anywayFor is for how long the seller may still be asked once a case has ended
// unanswered: then the item has been sent on.
const anywayFor = 10 * 24 * time.Hour

// anywayView lets a customer who was too late ask the seller all the same.
type anywayView struct {
	speech
	Explain string
	Action  string
	Case    qc.CaseID
	Item    qc.ItemID
	Text    string // the message, in the customer's language
	Seen    int
	Asked   string // the ticket, once it was asked
}

// anyway is nil where the time has not run out, or asking makes no sense any
// more. Every case asks once.
func (s speech) anyway(c refund.Case, o OrderView) *anywayView {
	late := c.Status == refund.AwaitingDecision && !c.WindowEndsAt.IsZero() && !s.now.Before(c.WindowEndsAt)
	unanswered := c.Status == refund.Kept && c.Reason == refund.Unanswered && s.now.Before(c.ChangedAt.Add(anywayFor))
	path := orderPath(o.Order.ID)
	for _, t := range o.Tickets {
		if t.Topic == refund.TopicAskAnyway && t.Case == c.ID {
			return &anywayView{speech: s, Asked: ticketPath(path, t.ID)}
		}
	}
	if !late && !unanswered {
		return nil
	}
	explain := "web.anyway.explain"
	if s.now.Before(c.WindowEndsAt) {
		explain = "web.anyway.soon"
	}
	return &anywayView{
		speech: s, Explain: s.T(explain), Action: path + "/tickets", Case: c.ID, Item: c.Item, Text: s.T("web.anyway.text"), Seen: len(o.Tickets),
	}
}
