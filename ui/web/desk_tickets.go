package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// deskTicketsPage lists the tickets in which somebody waits, or all.
type deskTicketsPage struct {
	frame
	All  bool
	Rows []deskTicketRow
	More bool // than are listed
}

// deskTicketRow is one ticket of the list.
type deskTicketRow struct {
	ticketView
	Order    qc.OrderID
	Customer string
	Waits    string // how long
	Excerpt  string // of the last message
}

func deskTicketFilter(r *http.Request) TicketFilter {
	return TicketFilter{Waiting: r.URL.Query().Get("show") != "all", Limit: listed + 1}
}

func (p *Pages) deskTickets(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	filter := deskTicketFilter(r)
	all, err := p.Store.Tickets(r.Context(), filter)
	if err != nil {
		p.failed(w, r, "tickets", err)
		return
	}
	s := p.deskSpeech(r)
	page := deskTicketsPage{
		frame: p.deskFrame(r, s, who, "desk-tickets", s.T("web.tickets")), All: !filter.Waiting, More: len(all) > listed,
	}
	page.Events, page.State = "/desk/tickets/events", ticketsState(all)
	if page.All {
		page.Events += "?show=all"
	}
	orders := map[qc.OrderID]qc.Order{}
	for _, t := range all[:min(listed, len(all))] {
		order, known := orders[t.Order]
		if !known {
			if order, err = p.Store.Order(r.Context(), t.Order); err != nil {
				p.failed(w, r, "tickets", err)
				return
			}
			orders[t.Order] = order
		}
		page.Rows = append(page.Rows, s.deskTicketRow(t, order))
	}
	p.render(w, r, http.StatusOK, "desk_tickets", page)
}

func (s speech) deskTicketRow(t refund.Ticket, order qc.Order) deskTicketRow {
	row := deskTicketRow{
		ticketView: s.ticketView(t, order.Items, ticketPath("/desk", t.ID), true),
		Order:      t.Order, Customer: order.Customer.Name,
	}
	if since := t.WaitingSince(); !since.IsZero() {
		row.Waits = s.span(s.now.Sub(since))
	}
	if n := len(row.Messages); n > 0 {
		last := row.Messages[n-1]
		row.Excerpt = shortened(last.Text, 120)
		if row.Excerpt == "" {
			row.Excerpt = s.Count("web.ticket.photos_only", len(last.Pictures))
		}
	}
	return row
}

// shortened returns the beginning of a text.
func shortened(text string, letters int) string {
	runes := []rune(text)
	if len(runes) <= letters {
		return text
	}
	return string(runes[:letters-1]) + "…"
}

// deskTicketEvents tells an open list, or the open ticket that is named, of
// changes.
func (p *Pages) deskTicketEvents(w http.ResponseWriter, r *http.Request, _ session) {
	id, filter := refund.TicketID(r.URL.Query().Get("ticket")), deskTicketFilter(r)
	p.stream(w, r, func(ctx context.Context) (string, error) {
		if _, err := p.signedIn(r); err != nil {
			return "", err
		}
		if id != "" {
			t, err := p.Store.Ticket(ctx, id)
			return ticketsState([]refund.Ticket{t}), err
		}
		all, err := p.Store.Tickets(ctx, filter)
		return ticketsState(all), err
	})
}

// ticketAtDesk returns the ticket of the request's address and its order. When
// it returns false, the request is answered already.
func (p *Pages) ticketAtDesk(w http.ResponseWriter, r *http.Request) (refund.Ticket, qc.Order, bool) {
	t, err := p.Store.Ticket(r.Context(), refund.TicketID(r.PathValue("ticket")))
	var order qc.Order
	if err == nil {
		order, err = p.Store.Order(r.Context(), t.Order)
	}
	switch {
	case errors.Is(err, qc.ErrNotFound):
		p.nothingHere(w, r)
	case err != nil:
		p.failed(w, r, "ticket", err)
	}
	return t, order, err == nil
}

func (p *Pages) deskTicket(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	if t, order, ok := p.ticketAtDesk(w, r); ok {
		p.render(w, r, http.StatusOK, "ticket", p.deskTicketPage(r, who, t, order))
	}
}

func (p *Pages) deskTicketPage(r *http.Request, who session, t refund.Ticket, order qc.Order) ticketPage {
	s := p.deskSpeech(r)
	page := ticketPage{
		frame: p.deskFrame(r, s, who, "ticket", s.T("ticket.topic."+string(t.Topic))), Back: "/desk/tickets",
		Parent: s.T("web.tickets"), Notice: s.notice(r), Ticket: s.answerable(t, order.Items, "", who.mayAct()),
		Facts: []factView{
			{Label: s.T("word.order"), Value: string(t.Order)},
			{Label: s.T("role.customer"), Value: order.Customer.Name + " · " + s.T("language."+order.Customer.Language)},
		},
	}
	page.Events, page.State = "/desk/tickets/events?ticket="+string(t.ID), ticketsState([]refund.Ticket{t})
	if t.Case != "" {
		page.Cases = []ticketRef{{Href: casePath(t.Case), Words: s.T("web.case.title", "item", string(t.Item))}}
	}
	return page
}

// answerable is a ticket as the desk reads and answers it; in is the case on
// whose page that is, if any. Whoever may not answer reads only.
func (s speech) answerable(t refund.Ticket, items []qc.Item, in qc.CaseID, mayAnswer bool) ticketView {
	path := ticketPath("/desk", t.ID)
	view := s.ticketView(t, items, path, true)
	if !mayAnswer {
		return view
	}
	view.Write = s.writeView(string(t.ID), path, len(t.Messages))
	view.Write.Case, view.Write.Heading, view.Write.Send = in, s.T("web.ticket.answer"), s.T("web.ticket.answer.send")
	if t.Waiting() > 0 {
		view.Settle = path + "/settle"
	}
	return view
}

// ticketsOfCase are the tickets that the desk sees on a case's page: those
// about its item or the whole order.
func (s speech) ticketsOfCase(d Dossier, mayAnswer bool) []ticketView {
	var views []ticketView
	for _, t := range byChange(d.Tickets) {
		if t.Item == d.Case.Item || t.Item == "" {
			views = append(views, s.answerable(t, []qc.Item{d.Item}, d.Case.ID, mayAnswer))
		}
	}
	return views
}

// deskAnswer takes the desk's answer.
func (p *Pages) deskAnswer(w http.ResponseWriter, r *http.Request, who session) {
	t, order, ok := p.ticketAtDesk(w, r)
	if !ok {
		return
	}
	got, ok := p.letter(w, r, "staff "+string(who.ID))
	if !ok {
		return
	}
	_, err := p.write(r, got, p.writing(got, t.Order, t.ID, who.actor()))
	if err == nil {
		p.backToTicket(w, r, t.ID, got.form.Get("case"), "web.ticket.answered")
		return
	}
	key, status, err := refusedLetter(err)
	if err != nil {
		p.failed(w, r, "ticket", err)
		return
	}
	page := p.deskTicketPage(r, who, t, order)
	page.Ticket.Write.refuse(got, key)
	page.Ticket.Write.Case = qc.CaseID(got.form.Get("case")) // from whose page it was sent
	page.Events = ""
	p.render(w, r, status, "ticket", page)
}

// deskSettle notes that what the customer wrote needs no answer.
func (p *Pages) deskSettle(w http.ResponseWriter, r *http.Request, who session) {
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	t, _, ok := p.ticketAtDesk(w, r)
	if !ok {
		return
	}
	through, err := strconv.Atoi(form.Get("seen"))
	if err != nil || through < 1 {
		p.sorry(w, r, http.StatusBadRequest, "error.field_missing")
		return
	}
	if err := p.Store.SawTicket(r.Context(), t.ID, who.actor(), through, p.Now()); err != nil {
		p.failed(w, r, "ticket", err)
		return
	}
	p.backToTicket(w, r, t.ID, form.Get("case"), "web.notice.done")
}

// backToTicket goes to the case on whose page somebody was, else to the ticket.
func (p *Pages) backToTicket(w http.ResponseWriter, r *http.Request, id refund.TicketID, in, notice string) {
	if in != "" {
		back(w, r, casePath(qc.CaseID(in)), notice)
		return
	}
	back(w, r, ticketPath("/desk", id), notice)
}

func (p *Pages) deskTicketPicture(w http.ResponseWriter, r *http.Request, _ session) {
	if t, _, ok := p.ticketAtDesk(w, r); ok {
		p.serveTicketPicture(w, r, t)
	}
}

// unanswered counts an order's messages about an item, or about the whole
// order, that nobody has dealt with.
func unanswered(all []refund.Ticket, item qc.ItemID) int {
	n := 0
	for t := range slices.Values(all) {
		if t.Item == item || t.Item == "" {
			n += t.Waiting()
		}
	}
	return n
}
