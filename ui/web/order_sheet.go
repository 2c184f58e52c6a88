package web

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"flawmark/app/money"
	"flawmark/app/refund"
)

// answerView is what one choice means in one respect.
type answerView struct {
	Question string
	Text     string
	Note     string // what it was counted from
}

// A seller's history is said from these many ended claims on; below it, that
// there are too few to tell.
const (
	enoughClaims = 20
	enoughDays   = 5
	historyLasts = 365 * 24 * time.Hour
)

// addSheets answers for the choices of every case that has several. The seller's
// history is looked up here and not with the case: it is asked for only where a
// choice is to be made.
func (p *Pages) addSheets(ctx context.Context, s speech, page *orderPageView, order OrderView) error {
	records := map[string]refund.Record{}
	for _, item := range page.Items {
		if item.Case == nil || item.Case.Decision == nil {
			continue
		}
		i := slices.IndexFunc(order.Cases, func(c refund.Case) bool { return c.ID == item.Case.ID })
		if i < 0 || order.Cases[i].Status != refund.AwaitingDecision && order.Cases[i].Status != refund.OfferPending {
			continue
		}
		c := order.Cases[i]
		record, known := records[c.Seller]
		if !known && c.Seller != "" {
			var err error
			if record, err = p.Store.SellerRecord(ctx, c.Seller, s.now.Add(-historyLasts)); err != nil {
				return fmt.Errorf("record of a seller: %w", err)
			}
			records[c.Seller] = record
		}
		s.answer(item.Case.Decision, c, record)
	}
	return nil
}

// answer says the same of every choice that has consequences: what it brings
// and costs, how long it takes, how it went so far. Whoever reads one reads all
// of it there, and finds the next one's answers in the same places.
func (s speech) answer(card *decisionCard, c refund.Case, record refund.Record) {
	choices, err := c.Sheet()
	if err != nil {
		return
	}
	byDecision := map[refund.Decision]refund.Choice{}
	for _, choice := range choices {
		byDecision[choice.Decision] = choice
	}
	answers := map[refund.Kind][]answerView{}
	if c.Status == refund.OfferPending {
		card.Notes = append(card.Notes, s.T("web.sheet.offer.note"))
		answers = s.offerAnswers(c, byDecision, record)
	} else {
		for kind, decision := range map[refund.Kind]refund.Decision{
			refund.ChoseRefund: refund.Refund, refund.ChoseExchange: refund.Exchange, refund.ChoseKeep: refund.Keep,
		} {
			answers[kind] = s.answers(byDecision[decision], record)
		}
	}
	card.Notes = append(card.Notes, s.whoPays(c, byDecision[refund.Refund])...)
	for i := range card.Options {
		option := &card.Options[i]
		if found := answers[option.Kind]; len(found) > 0 {
			option.Answers, option.Brings, option.Takes = found, "", "" // they are among the answers
		}
	}
}

// answers of a decision.
func (s speech) answers(choice refund.Choice, record refund.Record) []answerView {
	return []answerView{
		s.net(choice).to(s.T("web.sheet.balance")), s.fees(choice).to(s.T("web.sheet.costs")),
		s.days(choice, record).to(s.T("web.sheet.days")), s.odds(choice, record).to(s.T("web.sheet.odds")),
	}
}

// to is the answer with its question.
func (a answerView) to(question string) answerView {
	a.Question = question
	return a
}

// net is what comes onto the balance.
func (s speech) net(choice refund.Choice) answerView {
	cell := answerView{Text: signed(choice.Net)}
	switch {
	case choice.Decision == refund.Exchange && choice.Net.IsZero():
		cell.Note = s.T("web.brings.exchange")
	case len(choice.Fees) > 0 && !choice.Brings.IsZero():
		cell.Note = s.T("web.sheet.of", "amount", choice.Brings.String())
	}
	return cell
}

// fees are what the choice costs the customer.
func (s speech) fees(choice refund.Choice) answerView {
	if len(choice.Fees) == 0 {
		return answerView{Text: s.T("web.sheet.free")}
	}
	sum := money.Fen(0)
	var parts []string
	for _, fee := range choice.Fees {
		next, err := sum.Add(fee.Amount)
		if err != nil {
			return answerView{}
		}
		sum = next
		parts = append(parts, s.fee(fee))
	}
	return answerView{Text: sum.String(), Note: s.all(parts)}
}

// days is how long it takes: as the seller's refunds took where there are
// enough of them, else as it is announced.
func (s speech) days(choice refund.Choice, record refund.Record) answerView {
	switch {
	case choice.Decision == refund.Keep:
		return answerView{Text: s.T("web.sheet.at_once")}
	case choice.Decision == refund.Refund && record.Days.N >= enoughDays:
		median, most := wholeDays(record.Days.Median), wholeDays(record.Days.P80)
		return answerView{
			Text: s.Count("web.sheet.median", median),
			Note: s.T("web.sheet.p80", "days", s.Count("web.days", most), "n", strconv.Itoa(record.Days.N)),
		}
	}
	cell := answerView{Text: s.T("web.sheet.range", "from", strconv.Itoa(choice.DaysFrom), "to", strconv.Itoa(choice.DaysTo))}
	cell.Note = s.T("web.sheet.announced")
	return cell
}

// wholeDays rounds up, so that nobody counts on a day that is not there.
func wholeDays(days float64) int { return max(1, int(math.Ceil(days))) }

// odds say how often it came about so far. Few claims are told as few.
func (s speech) odds(choice refund.Choice, record refund.Record) answerView {
	switch {
	case choice.Decision == refund.Keep:
		return answerView{Text: s.T("web.sheet.certain")}
	case choice.Decision == refund.Exchange:
		return answerView{Text: s.T("web.sheet.seller_says"), Note: s.T("web.sheet.not_counted")}
	case record.Refunded.N == 0:
		return answerView{Text: s.T("web.sheet.seller_says"), Note: s.T("web.sheet.no_history")}
	}
	hits, n := strconv.Itoa(record.Refunded.Hits), strconv.Itoa(record.Refunded.N)
	cell := answerView{Text: s.T("web.sheet.odds.of", "hits", hits, "n", n)}
	if record.Refunded.N < enoughClaims {
		cell.Note = s.T("web.sheet.too_few")
		return cell
	}
	low, high := record.Refunded.Interval()
	cell.Note = s.T("web.sheet.likely", "low", strconv.Itoa(int(100*low)), "high", strconv.Itoa(int(math.Ceil(100*high))))
	return cell
}

// whoPays says who bears what of a return, and by which rule.
func (s speech) whoPays(c refund.Case, back refund.Choice) []string {
	liability := c.Liability
	if liability == "" {
		liability = refund.BySellerFault
	}
	notes := []string{s.T("web.sheet.why."+string(liability), "version", strconv.Itoa(max(c.Policy, 1)))}
	if slices.ContainsFunc(back.Fees, func(f refund.Fee) bool { return f.Kind == refund.FreightBackFee }) {
		notes = append(notes, s.T("web.sheet.estimate"))
	}
	return notes
}

// offerAnswers are those of the seller's offer, and of going on for what was
// chosen before.
func (s speech) offerAnswers(c refund.Case, byDecision map[refund.Decision]refund.Choice, record refund.Record) map[refund.Kind][]answerView {
	if c.Offer == nil {
		return nil
	}
	whole := byDecision[refund.Refund].Brings
	share := func(a money.Amount) string {
		if whole.Minor() <= 0 {
			return ""
		}
		return s.T("web.sheet.share", "percent", strconv.FormatInt(a.Minor()*100/whole.Minor(), 10))
	}
	answers := map[refund.Kind][]answerView{refund.AcceptedOffer: {
		{Question: s.T("web.sheet.balance"), Text: signed(c.Offer.Amount), Note: share(c.Offer.Amount)},
		{Question: s.T("web.sheet.costs"), Text: s.T("web.sheet.free")},
		{Question: s.T("web.sheet.item"), Text: s.T("web.sheet.keep")},
		{Question: s.T("web.sheet.days"), Text: s.T("web.sheet.when_paid")},
		{Question: s.T("web.sheet.odds"), Text: s.T("web.sheet.agreed")},
	}}
	if before, known := byDecision[c.Intent]; known && c.Intent != refund.Keep {
		going := slices.Insert(s.answers(before, record), 2, answerView{Question: s.T("web.sheet.item"), Text: s.T("web.sheet.goes_back")})
		if c.Intent == refund.Refund {
			going[0].Note = share(before.Net)
		}
		answers[refund.DeclinedOffer] = going
	}
	return answers
}

// consent is what somebody must agree to before a choice that brings nothing
// or less; empty: nothing is asked.
func (s speech) consent(c refund.Case, kind refund.Kind) string {
	name, cost := c.Consent(kind)
	if name == "" {
		return ""
	}
	return s.T("web.consent."+name, "amount", cost.String())
}

// silence says what happens by itself if the customer does nothing, and when.
func (s speech) silence(c refund.Case) string {
	at, kind, running := c.Timer()
	if !running || !s.now.Before(at) {
		return ""
	}
	switch kind {
	case refund.NoAnswer:
		return s.T("decision.silence", "time", s.at(at).Text, "default", s.T("decision.default.keep"))
	case refund.OfferLapsed, refund.GaveUp:
		return s.T("web.silence."+string(kind), "time", s.at(at).Text)
	}
	return ""
}

// until says what happens by itself, and when, while a case waits for others than
// its customer.
func (s speech) until(c refund.Case) string {
	at, kind, running := c.Timer()
	key := "web.until." + string(kind)
	if !running || !s.now.Before(at) || !s.Has(key) {
		return ""
	}
	return s.T(key, "time", s.at(at).Text)
}
