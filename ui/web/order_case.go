package web

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// caseView is a case as its customer sees it.
type caseView struct {
	speech
	ID       qc.CaseID
	Status   refund.Status
	Words    string
	Meaning  string
	Until    string // what happens if those who are waited for do nothing, and when
	Tone     string // "now": your turn; "going": ours; "good" or "over": ended
	Version  int
	Clocks   []*clock
	Decision *decisionCard
	Later    []optionView // what may still be done besides a decision
	Money    []moneyRow
	Timeline []entryView
	Policy   *policyView
	Anyway   *anywayView
}

// decisionCard is the choice a customer has.
type decisionCard struct {
	speech
	Action  string // address the forms go to
	Version int
	Suffix  string // of the ids on the page
	Options []optionView
	Closed  []closedView // what is not possible any more
	Notes   []string     // who pays for what, and by which rule
	Silence string       // what happens if nothing is chosen
	Split   *splitCard
}

// optionView is one thing the customer may do.
type optionView struct {
	speech
	Kind    refund.Kind
	ID      string // "choose-refund"
	Heading string
	Explain string
	Brings  string // in money or goods
	Sum     string // how the money adds up
	Takes   string
	Answers []answerView // to the same questions for every choice
	Confirm string
	Consent string // what is agreed to with it; empty: nothing
	Fields  []fieldView
}

// closedView is what cannot be chosen any more, for one reason.
type closedView struct{ Headings, Why string }

// moneyRow is one line of a sum.
type moneyRow struct {
	Label, Amount string
	Total         bool
}

// entryView is one line of a timeline.
type entryView struct {
	At     moment
	Who    string
	What   string
	Status string
	Note   string
	NoteBy string // whose words the note is, where they are not translated
}

func (p *Pages) caseView(s speech, c refund.Case, item qc.Item, order qc.OrderID) *caseView {
	view := &caseView{
		speech: s, ID: c.ID, Status: c.Status, Version: c.Version, Tone: tone(c.Status),
		Words: s.T("status." + string(c.Status)), Meaning: s.T("status.meaning." + string(c.Status)),
	}
	view.Clocks, view.Until = s.clocks(c), s.until(c)
	if c.Status == refund.Kept && c.Reason == refund.Unanswered {
		view.Meaning = s.unanswered(c)
	}
	view.Policy = s.policy(c, item)
	s.decide(view, c, item, order)
	view.Money = s.caseMoney(c)
	for _, entry := range slices.Backward(c.Timeline) {
		if line, ok := s.customerEntry(entry); ok {
			view.Timeline = append(view.Timeline, line)
		}
	}
	return view
}

// clocks are the times that run out while the customer is asked: theirs, and the
// seller's.
func (s speech) clocks(c refund.Case) []*clock {
	by, _, _ := c.Timer()
	var own, window *clock
	switch c.Status {
	case refund.AwaitingDecision:
		own = s.clock("web.clock.decide", "web.clock.decide_over", by, decideWhole)
	case refund.SellerRefused:
		own = s.clock("web.clock.decide", "web.clock.decide_over", by, by.Sub(c.ChangedAt))
	case refund.OfferPending:
		own = s.clock("web.clock.offer", "web.clock.offer_over", by, by.Sub(c.ChangedAt))
	default:
		return nil
	}
	if c.Status != refund.OfferPending {
		window = s.clock("web.clock.window", "time.window_passed", c.WindowEndsAt, windowWhole)
	}
	return slices.DeleteFunc([]*clock{own, window}, func(one *clock) bool { return one == nil })
}

// unanswered says why an item was kept that nobody chose to keep.
func (s speech) unanswered(c refund.Case) string {
	why := s.T("web.unanswered", "time", s.at(c.DecideBy).Text)
	if !c.WindowEndsAt.IsZero() {
		key := "web.unanswered.window"
		if !s.now.Before(c.WindowEndsAt) {
			key = "web.unanswered.window_over"
		}
		why += s.T(key, "time", s.at(c.WindowEndsAt).Text)
	}
	return why
}

func tone(status refund.Status) string {
	switch status {
	case refund.AwaitingDecision, refund.SellerRefused, refund.OfferPending:
		return "now"
	case refund.Credited, refund.CreditedKept, refund.Exchanged:
		return "good"
	case refund.Kept, refund.Withdrawn, refund.Forfeited:
		return "over"
	}
	return "going"
}

// customerKinds are the events a customer can cause, decisions first, with the
// word that says what each is called on the page.
var customerKinds = []struct {
	kind refund.Kind
	word string
}{
	{refund.ChoseRefund, "decision.refund"},
	{refund.ChoseExchange, "decision.exchange"},
	{refund.ChoseKeep, "decision.keep"},
	{refund.AcceptedOffer, "action.accept_offer"},
	{refund.CounteredOffer, "action.counter_offer"},
	{refund.DeclinedOffer, "action.decline_offer"},
	{refund.ChoseDiscount, "decision.discount"},
	{refund.AskedPhotos, "action.ask_photos"},
	{refund.Resubmitted, "action.resubmit"},
	{refund.GaveUp, "decision.keep"},
	{refund.Abandoned, "action.forfeit"},
	{refund.Reconsidered, "action.reconsider"},
}

// decide fills in what the customer may do now.
func (s speech) decide(view *caseView, c refund.Case, item qc.Item, order qc.OrderID) {
	actions := c.Next(refund.Actor{Party: refund.ByCustomer, ID: string(c.Customer)}, s.now)
	card := &decisionCard{
		speech: s, Action: orderPath(order) + "/cases/" + url.PathEscape(string(c.ID)) + "/decision", Version: c.Version,
	}
	for _, known := range customerKinds {
		i := slices.IndexFunc(actions, func(a refund.Action) bool { return a.Kind == known.kind })
		if i < 0 {
			continue
		}
		action := actions[i]
		late := !action.Allowed && action.Why != "" && action.Why != "error."+refund.ErrNotNow.Error()
		if !action.Allowed && !late {
			continue
		}
		if late {
			card.close(s.T(known.word), s.T(action.Why), s.T("web.list"))
			continue
		}
		card.Options = append(card.Options, s.option(c, item, action, known.word))
	}
	if len(card.Options)+len(card.Closed) == 0 {
		return
	}
	card.Silence = s.silence(c)
	card.Split = s.splitCard(c, refund.Actor{Party: refund.ByCustomer, ID: string(c.Customer)},
		orderPath(order)+"/cases/"+url.PathEscape(string(c.ID))+"/split")
	view.Decision = card
}

// close tells of a choice that it is not possible any more, together with others
// that are not for the same reason.
func (d *decisionCard) close(heading, why, between string) {
	for i := range d.Closed {
		if d.Closed[i].Why == why {
			d.Closed[i].Headings += between + heading
			return
		}
	}
	d.Closed = append(d.Closed, closedView{heading, why})
}

func (s speech) option(c refund.Case, item qc.Item, action refund.Action, word string) optionView {
	option := optionView{
		speech: s, Kind: action.Kind, ID: strings.ReplaceAll(string(action.Kind), "_", "-"),
		Heading: s.T(word), Confirm: s.T("web.confirm." + string(action.Kind)),
	}
	option.Consent = s.consent(c, action.Kind)
	switch action.Kind {
	case refund.ChoseRefund:
		option.Explain, option.Takes = s.T("decision.refund.explain"), s.T("web.takes.refund")
		s.price(&option, c, refund.Refund)
		option.Sum = s.sum(c) + s.costs(c, refund.Refund)
	case refund.ChoseExchange:
		option.Explain, option.Takes = s.T("decision.exchange.explain"), s.T("web.takes.exchange")
		option.Brings = s.T("web.brings.exchange")
		option.Sum = s.T("web.brings.exchange.sum", "amount", money.Fen(0).String()) + s.costs(c, refund.Exchange)
	case refund.ChoseKeep, refund.GaveUp:
		option.Explain, option.Takes = s.T("decision.keep.explain"), s.T("web.takes.keep")
		option.Brings = money.Fen(0).String()
		option.Sum = s.T("web.brings.keep.sum")
	case refund.AcceptedOffer:
		if c.Offer != nil {
			option.Brings = signed(c.Offer.Amount)
			option.Explain = s.T("web.offer.explain", "amount", c.Offer.Amount.String(), "time", s.at(c.Offer.ExpiresAt).Text)
		}
	case refund.CounteredOffer:
		option.Explain = s.T("web.counter_offer.explain")
	case refund.DeclinedOffer:
		option.Explain = s.T("web.decline_offer.explain")
	case refund.ChoseDiscount:
		option.Explain = s.T("web.choose_discount.explain")
	case refund.AskedPhotos:
		option.Explain = s.T("web.ask_photos.explain")
	case refund.Resubmitted:
		option.Explain = s.T("web.resubmit.explain")
	case refund.Abandoned:
		option.Explain = s.T("web.forfeit.explain")
	case refund.Reconsidered:
		option.Explain = s.T("web.reconsider.explain")
	}
	for _, field := range action.Needs {
		option.Fields = append(option.Fields, s.customerField(field))
	}
	return option
}

// price says what a choice brings after fees.
func (s speech) price(option *optionView, c refund.Case, d refund.Decision) {
	sheet, err := c.Sheet()
	if err != nil {
		return
	}
	for _, choice := range sheet {
		if choice.Decision == d {
			option.Brings = signed(choice.Net)
		}
	}
}

// costs says which fees a choice has, and nothing where there are none.
func (s speech) costs(c refund.Case, d refund.Decision) string {
	sheet, err := c.Sheet()
	if err != nil {
		return ""
	}
	var texts []string
	for _, choice := range sheet {
		if choice.Decision != d {
			continue
		}
		for _, fee := range choice.Fees {
			texts = append(texts, s.fee(fee))
		}
		if len(texts) > 0 {
			return " " + s.T("web.fees", "fees", s.all(texts), "net", choice.Net.String())
		}
	}
	return ""
}

func (s speech) customerField(field refund.Field) fieldView {
	view := fieldView{Name: string(field), Label: s.T("field." + string(field))}
	switch field {
	case refund.NeedsReason:
		view.Long, view.Label = true, s.T("web.your_words")
	case refund.NeedsAmount:
		view.Money = true
	}
	return view
}

// fee names a fee within a sentence.
func (s speech) fee(f refund.Fee) string {
	first, rest := splitFirst(s.T("fee." + string(f.Kind)))
	return strings.ToLower(first) + rest + " " + f.Amount.String()
}

// all names several things in a sentence.
func (s speech) all(things []string) string {
	if len(things) < 3 {
		return strings.Join(things, s.T("web.and"))
	}
	last := len(things) - 1
	return strings.Join(things[:last], s.T("web.list")) + s.T("web.and") + things[last]
}

func splitFirst(text string) (first, rest string) {
	_, size := utf8.DecodeRuneInString(text)
	return text[:size], text[size:]
}

// sum says how a refund adds up.
func (s speech) sum(c refund.Case) string {
	if c.FreightIn.IsZero() {
		return s.T("web.brings.refund.item", "item", c.Paid.String())
	}
	return s.T("web.brings.refund.sum", "item", c.Paid.String(), "freight", c.FreightIn.String())
}

// caseMoney shows what is owed and what has come, once money is the question.
func (s speech) caseMoney(c refund.Case) []moneyRow {
	if c.Sort == refund.Correction {
		return s.correctionMoney(c)
	}
	if c.Intent != refund.Refund || c.Status == refund.Kept {
		return nil
	}
	owed, err := c.Owed()
	if err != nil {
		return nil
	}
	rows := []moneyRow{
		{Label: s.T("word.item"), Amount: c.Paid.String()},
		{Label: s.T("word.freight"), Amount: c.FreightIn.String()},
		{Label: s.T(owedAs(c.Status)), Amount: owed.String(), Total: true},
	}
	if !c.Credited.IsZero() {
		rows = append(rows, moneyRow{Label: s.T("web.money.credited"), Amount: c.Credited.String(), Total: true})
	}
	if c.Status == refund.RefundShort {
		if rest, err := owed.Sub(c.Credited); err == nil && !rest.IsZero() {
			rows = append(rows, moneyRow{Label: s.T("web.money.rest"), Amount: rest.String(), Total: true})
		}
	}
	return rows
}

// owedAs is the key of what a whole sum is called: nobody has agreed to what is
// still asked for.
func owedAs(status refund.Status) string {
	switch status {
	case refund.Negotiating, refund.OfferPending, refund.SellerRefused, refund.Escalated:
		return "web.money.asked"
	}
	return "web.money.owed"
}

// customerEntry tells what happened in the customer's words; what concerns only
// the warehouse is left out, and so are staff names and inner reasons.
func (s speech) customerEntry(e refund.Entry) (entryView, bool) {
	view := entryView{At: s.at(e.At), What: s.event(e.Event), Who: s.T("web.who." + string(e.Actor.Party))}
	switch e.Event {
	case refund.PhotosArrived, refund.LeadSentBack, refund.Amended, refund.Retracted:
		return view, false
	case refund.Dispatched, refund.ReplacementIn:
		view.Note = s.T("web.waybill", "waybill", e.Note)
	case refund.SellerPaid, refund.Offered, refund.CounteredOffer:
		view.Note = e.Note // the amount
	case refund.Refused, refund.RuledAgainst:
		view.Note, view.NoteBy = e.Note, s.T("web.note.seller")
	}
	if e.Rule != "" {
		view.Note = s.T("rule." + string(e.Rule))
	}
	if e.To != e.From && e.To.Visible() {
		view.Status = s.T("status." + string(e.To))
	}
	return view, true
}

// event names what happened; "flag" opens a case and is in no transition.
func (s speech) event(kind refund.Kind) string {
	if kind == "flag" {
		return s.T("web.event.flag")
	}
	return s.T("event." + string(kind))
}

// since is how long ago t was, in words.
func (s speech) since(t time.Time) string {
	d := s.now.Sub(t)
	switch {
	case d < time.Minute:
		return s.T("time.now")
	case d < time.Hour:
		return s.Count("time.minutes_ago", int(d/time.Minute))
	case d < 48*time.Hour:
		return s.Count("time.hours_ago", int(d/time.Hour))
	}
	return s.at(t).Text
}
