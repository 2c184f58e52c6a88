package web

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"flawmark/app/money"
	"flawmark/app/refund"
)

// sheetView puts what may be chosen side by side, before it is chosen.
type sheetView struct {
	speech
	Choices []string
	Rows    []sheetRow
	Notes   []string // who pays for what, and by which rule
}

// sheetRow is one question about all choices.
type sheetRow struct {
	Label string
	Cells []sheetCell
}

// sheetCell is one answer.
type sheetCell struct {
	Text string
	Note string // what it was counted from
}

// A seller's history is said from these many ended claims on; below it, that
// there are too few to tell.
const (
	enoughClaims = 20
	enoughDays   = 5
	historyLasts = 365 * 24 * time.Hour
)

// addSheets compares the choices of every case that has several. The seller's
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
		card := item.Case.Decision
		if card.Sheet = s.sheet(c, card.Options, record); card.Sheet == nil {
			continue
		}
		for n := range card.Options { // it is in the sheet, and counted there
			card.Options[n].Takes = ""
		}
	}
	return nil
}

// sheet compares the choices among options; nil where there is nothing to
// compare.
func (s speech) sheet(c refund.Case, options []optionView, record refund.Record) *sheetView {
	choices, err := c.Sheet()
	if err != nil {
		return nil
	}
	byDecision := map[refund.Decision]refund.Choice{}
	for _, choice := range choices {
		byDecision[choice.Decision] = choice
	}
	if c.Status == refund.OfferPending {
		return s.offerSheet(c, byDecision[refund.Refund], record)
	}
	view := &sheetView{speech: s, Rows: []sheetRow{
		{Label: s.T("web.sheet.balance")}, {Label: s.T("web.sheet.costs")}, {Label: s.T("web.sheet.days")}, {Label: s.T("web.sheet.odds")},
	}}
	for _, column := range []struct {
		kind     refund.Kind
		decision refund.Decision
	}{{refund.ChoseRefund, refund.Refund}, {refund.ChoseExchange, refund.Exchange}, {refund.ChoseKeep, refund.Keep}} {
		allowed := func(o optionView) bool { return o.Kind == column.kind && o.Allowed }
		if !slices.ContainsFunc(options, allowed) {
			continue
		}
		choice := byDecision[column.decision]
		view.Choices = append(view.Choices, s.T("decision."+string(column.decision)))
		view.add(s.net(choice), s.fees(choice), s.days(choice, record), s.odds(choice, record))
	}
	if len(view.Choices) < 2 {
		return nil
	}
	view.Notes = s.whoPays(c, byDecision[refund.Refund])
	return view
}

// add puts the answers of one more choice into the rows.
func (v *sheetView) add(cells ...sheetCell) {
	for i := range v.Rows {
		v.Rows[i].Cells = append(v.Rows[i].Cells, cells[i])
	}
}

// net is what comes onto the balance.
func (s speech) net(choice refund.Choice) sheetCell {
	cell := sheetCell{Text: signed(choice.Net)}
	switch {
	case choice.Decision == refund.Exchange && choice.Net.IsZero():
		cell.Note = s.T("web.brings.exchange")
	case len(choice.Fees) > 0 && !choice.Brings.IsZero():
		cell.Note = s.T("web.sheet.of", "amount", choice.Brings.String())
	}
	return cell
}

// fees are what the choice costs the customer.
func (s speech) fees(choice refund.Choice) sheetCell {
	if len(choice.Fees) == 0 {
		return sheetCell{Text: s.T("web.sheet.free")}
	}
	sum := money.Fen(0)
	var parts []string
	for _, fee := range choice.Fees {
		next, err := sum.Add(fee.Amount)
		if err != nil {
			return sheetCell{}
		}
		sum = next
		parts = append(parts, s.T("fee."+string(fee.Kind))+" "+fee.Amount.String())
	}
	return sheetCell{Text: sum.String(), Note: strings.Join(parts, s.T("web.and"))}
}

// days is how long it takes: as the seller's refunds took where there are
// enough of them, else as it is announced.
func (s speech) days(choice refund.Choice, record refund.Record) sheetCell {
	switch {
	case choice.Decision == refund.Keep:
		return sheetCell{Text: s.T("web.sheet.at_once")}
	case choice.Decision == refund.Refund && record.Days.N >= enoughDays:
		median, most := wholeDays(record.Days.Median), wholeDays(record.Days.P80)
		return sheetCell{
			Text: s.Count("web.sheet.median", median),
			Note: s.T("web.sheet.p80", "days", s.Count("web.days", most), "n", strconv.Itoa(record.Days.N)),
		}
	}
	cell := sheetCell{Text: s.T("web.sheet.range", "from", strconv.Itoa(choice.DaysFrom), "to", strconv.Itoa(choice.DaysTo))}
	cell.Note = s.T("web.sheet.announced")
	return cell
}

// wholeDays rounds up, so that nobody counts on a day that is not there.
func wholeDays(days float64) int { return max(1, int(math.Ceil(days))) }

// odds say how often it came about so far. Few claims are told as few.
func (s speech) odds(choice refund.Choice, record refund.Record) sheetCell {
	switch {
	case choice.Decision == refund.Keep:
		return sheetCell{Text: s.T("web.sheet.certain")}
	case choice.Decision == refund.Exchange:
		return sheetCell{Text: s.T("web.sheet.seller_says"), Note: s.T("web.sheet.not_counted")}
	case record.Refunded.N == 0:
		return sheetCell{Text: s.T("web.sheet.seller_says"), Note: s.T("web.sheet.no_history")}
	}
	hits, n := strconv.Itoa(record.Refunded.Hits), strconv.Itoa(record.Refunded.N)
	cell := sheetCell{Text: s.T("web.sheet.odds.of", "hits", hits, "n", n)}
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

// offerSheet compares the seller's offer with going on for the whole refund.
func (s speech) offerSheet(c refund.Case, back refund.Choice, record refund.Record) *sheetView {
	if c.Offer == nil {
		return nil
	}
	view := &sheetView{
		speech: s, Choices: []string{s.T("action.accept_offer"), s.T("web.sheet.go_on")},
		Rows: []sheetRow{
			{Label: s.T("web.sheet.balance")},
			{Label: s.T("web.sheet.costs")},
			{Label: s.T("web.sheet.item")},
			{Label: s.T("web.sheet.days")},
			{Label: s.T("web.sheet.odds")},
		},
	}
	share := func(a money.Amount) string {
		if back.Brings.Minor() <= 0 {
			return ""
		}
		return s.T("web.sheet.share", "percent", strconv.FormatInt(a.Minor()*100/back.Brings.Minor(), 10))
	}
	view.add(
		sheetCell{Text: signed(c.Offer.Amount), Note: share(c.Offer.Amount)}, sheetCell{Text: s.T("web.sheet.free")},
		sheetCell{Text: s.T("web.sheet.keep")}, sheetCell{Text: s.T("web.sheet.when_paid")}, sheetCell{Text: s.T("web.sheet.agreed")})
	view.add(
		sheetCell{Text: signed(back.Net), Note: share(back.Net)}, s.fees(back),
		sheetCell{Text: s.T("web.sheet.goes_back")}, s.days(back, record), s.odds(back, record))
	view.Notes = append([]string{s.T("web.sheet.offer.note")}, s.whoPays(c, back)...)
	return view
}

// consent is what somebody must agree to before a choice that brings nothing
// or less; empty: nothing is asked.
func (s speech) consent(c refund.Case, kind refund.Kind) string {
	switch kind {
	case refund.Abandoned:
		return s.T("web.consent.forfeit", "amount", money.Fen(0).String())
	case refund.ChoseRefund, refund.ChoseExchange:
	default:
		return ""
	}
	choices, err := c.Sheet()
	if err != nil {
		return ""
	}
	for _, choice := range choices {
		switch {
		case kind == refund.ChoseRefund && choice.Decision == refund.Refund && choice.Net.IsZero():
			return s.T("web.consent.zero")
		case kind == refund.ChoseRefund && choice.Decision == refund.Refund && choice.Net.Minor() < 0:
			return s.T("web.consent.negative", "amount", money.Fen(-choice.Net.Minor()).String())
		case kind == refund.ChoseExchange && choice.Decision == refund.Exchange && choice.Net.Minor() < 0:
			return s.T("web.consent.exchange", "amount", money.Fen(-choice.Net.Minor()).String())
		}
	}
	return ""
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
