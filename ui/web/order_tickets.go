package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ticketsPage lists an order's tickets and takes a new one.
type ticketsPage struct {
	frame
	Order   qc.OrderID
	Back    string
	Notice  string
	Explain string
	Tickets []ticketView
	Write   *writeView
}

// ticketPage is one ticket.
type ticketPage struct {
	frame
	Back   string // to the order, or the desk's list
	Parent string // its words
	Notice string
	Ticket ticketView
	Facts  []factView  // at the desk: whose it is
	Cases  []ticketRef // at the desk: where its item is worked on
}

// ticketRef is a way to what a ticket is about.
type ticketRef struct{ Href, Words string }

func (p *Pages) orderTickets(w http.ResponseWriter, r *http.Request) {
	order, s, ok := p.orderReader(w, r)
	if !ok {
		return
	}
	page := p.ticketsPage(r, s, order)
	p.render(w, r, http.StatusOK, "tickets", page)
}

func (p *Pages) ticketsPage(r *http.Request, s speech, order OrderView) ticketsPage {
	path := orderPath(order.Order.ID)
	page := ticketsPage{
		frame: p.frame(r, s, "tickets", s.T("web.tickets")), Order: order.Order.ID, Back: path, Notice: s.notice(r),
		Write: s.writeView("new", path+"/tickets", len(order.Tickets)),
	}
	page.Events, page.State = path+"/events?show=tickets", ticketsState(order.Tickets)
	for _, t := range byChange(order.Tickets) {
		page.Tickets = append(page.Tickets, s.ticketView(t, order.Order.Items, ticketPath(path, t.ID), false))
	}
	picked := qc.ItemID(r.URL.Query().Get("item"))
	topic := refund.Topic(r.URL.Query().Get("topic"))
	page.Explain = s.T("web.tickets.explain")
	if topic == refund.TopicMissedFlaw {
		page.Explain = s.T("web.claim_flaw.explain")
	}
	for _, known := range refund.Topics() {
		if known == refund.TopicAskAnyway {
			continue // asked where it is too late, with one press
		}
		page.Write.Topics = append(page.Write.Topics,
			pickView{Value: string(known), Words: s.T("ticket.topic." + string(known)), Picked: known == topic})
	}
	page.Write.Items = []pickView{{Words: s.T("web.ticket.whole_order")}}
	for _, item := range order.Order.Items {
		page.Write.Items = append(page.Write.Items, pickView{
			Value: string(item.ID), Words: item.Title.In(s.Language()) + " · " + string(item.ID), Picked: item.ID == picked,
		})
	}
	return page
}

// byChange returns tickets with the one that changed last first.
func byChange(all []refund.Ticket) []refund.Ticket {
	return slices.SortedStableFunc(slices.Values(all), func(a, b refund.Ticket) int { return b.ChangedAt.Compare(a.ChangedAt) })
}

// orderOpenTicket takes a customer's first message about something.
func (p *Pages) orderOpenTicket(w http.ResponseWriter, r *http.Request) {
	order, err := p.openOrder(r)
	if err != nil {
		p.orderRefused(w, r, err)
		return
	}
	got, ok := p.letter(w, r, "order "+string(order.Order.ID))
	if !ok {
		return
	}
	written := p.writing(got, order.Order.ID, "", customerOf(order))
	if written.Item != "" && itemOf(order.Order.Items, written.Item).ID == "" {
		p.nothingHere(w, r)
		return
	}
	written.Case = caseWritten(order, written.Item, qc.CaseID(got.form.Get("case")))
	ticket, err := p.write(r, got, written)
	if err == nil {
		p.written(w, r, orderPath(order.Order.ID), ticket)
		return
	}
	key, status, err := refusedLetter(err)
	if err != nil {
		p.failed(w, r, "ticket", err)
		return
	}
	page := p.ticketsPage(r, p.orderSpeech(r, order), order)
	page.Write.refuse(got, key)
	page.Events = "" // it shows what was typed, at no address of its own
	p.render(w, r, status, "tickets", page)
}

// caseWritten is the case that a message about an item is of: the one that the
// form names, else the item's latest; empty while the customer knows of none.
func caseWritten(o OrderView, item qc.ItemID, named qc.CaseID) qc.CaseID {
	i := slices.IndexFunc(o.Cases, func(c refund.Case) bool { return c.ID == named && c.Item == item })
	if i >= 0 && o.Cases[i].Status.Visible() {
		return named
	}
	if c, found := caseOf(o, item); found && c.Status.Visible() {
		return c.ID
	}
	return ""
}

// orderWrite takes a customer's further message.
func (p *Pages) orderWrite(w http.ResponseWriter, r *http.Request) {
	order, ticket, ok := p.ticketOfOrder(w, r)
	if !ok {
		return
	}
	got, ok := p.letter(w, r, "order "+string(order.Order.ID))
	if !ok {
		return
	}
	after, err := p.write(r, got, p.writing(got, order.Order.ID, ticket.ID, customerOf(order)))
	if err == nil {
		p.written(w, r, orderPath(order.Order.ID), after)
		return
	}
	key, status, err := refusedLetter(err)
	if err != nil {
		p.failed(w, r, "ticket", err)
		return
	}
	page := p.ticketPage(r, p.orderSpeech(r, order), order, ticket)
	page.Ticket.Write.refuse(got, key)
	page.Events = ""
	p.render(w, r, status, "ticket", page)
}

// write keeps what a letter says, unless one of its pictures is no good.
func (p *Pages) write(r *http.Request, l letter, w refund.Writing) (refund.Ticket, error) {
	if l.problem != nil {
		return refund.Ticket{}, l.problem
	}
	return p.Store.WriteTicket(r.Context(), w)
}

// written goes to the ticket as it then is, to its last message.
func (p *Pages) written(w http.ResponseWriter, r *http.Request, base string, t refund.Ticket) {
	notice := url.Values{"notice": {"web.ticket.sent"}}
	if t.Topic == refund.TopicMissedFlaw && len(t.Messages) == 1 {
		notice.Set("notice", "web.claim_flaw.done")
	}
	address := ticketPath(base, t.ID) + "?" + notice.Encode() + "#" + url.PathEscape(string(t.ID)) + "-" + strconv.Itoa(len(t.Messages))
	http.Redirect(w, r, address, http.StatusSeeOther) //nolint:gosec // all paths begin with /o/ or /desk
}

func (p *Pages) orderTicket(w http.ResponseWriter, r *http.Request) {
	order, ticket, ok := p.ticketOfOrder(w, r)
	if !ok || p.languageChosen(w, r, orderPath(order.Order.ID)) {
		return
	}
	page := p.ticketPage(r, p.orderSpeech(r, order), order, ticket)
	if looksAt(r) && ticket.Unread() > 0 {
		if err := p.Store.SawTicket(r.Context(), ticket.ID, customerOf(order), len(ticket.Messages), p.Now()); err != nil {
			p.failed(w, r, "ticket", err)
			return
		}
	}
	p.render(w, r, http.StatusOK, "ticket", page)
}

func (p *Pages) ticketPage(r *http.Request, s speech, order OrderView, t refund.Ticket) ticketPage {
	path := orderPath(order.Order.ID)
	page := ticketPage{
		frame: p.frame(r, s, "ticket", s.T("ticket.topic."+string(t.Topic))), Back: path, Parent: s.T("web.ticket.back"),
		Notice: s.notice(r), Ticket: s.ticketView(t, order.Order.Items, ticketPath(path, t.ID), false),
	}
	page.Events = path + "/events?ticket=" + url.QueryEscape(string(t.ID))
	page.State = ticketState(t)
	page.Ticket.Write = s.writeView("more", ticketPath(path, t.ID), len(t.Messages))
	return page
}

// ticketState is the fingerprint of an open ticket. That it was read is not in
// it: then what is new would stop being marked as it is being read.
func ticketState(t refund.Ticket) string { return fingerprint(t.ID, len(t.Messages)) }

// looksAt reports whether somebody looks at the page that r asks for: it is no
// fetch ahead of a reader, and no update behind one.
func looksAt(r *http.Request) bool {
	ahead := r.Header.Get("Sec-Purpose") + r.Header.Get("Purpose")
	return r.Method == http.MethodGet && !strings.Contains(ahead, "prefetch") && !r.URL.Query().Has("fragment")
}

// ticketOfOrder returns the order and the ticket of the request's address to
// whoever holds the order's link. When it returns false, the request is
// answered already.
func (p *Pages) ticketOfOrder(w http.ResponseWriter, r *http.Request) (OrderView, refund.Ticket, bool) {
	order, err := p.openOrder(r)
	if err != nil {
		p.orderRefused(w, r, err)
		return OrderView{}, refund.Ticket{}, false
	}
	i := slices.IndexFunc(order.Tickets, func(t refund.Ticket) bool { return string(t.ID) == r.PathValue("ticket") })
	if i < 0 {
		p.nothingHere(w, r)
		return OrderView{}, refund.Ticket{}, false
	}
	return order, order.Tickets[i], true
}

func (p *Pages) orderTicketPicture(w http.ResponseWriter, r *http.Request) {
	if _, ticket, ok := p.ticketOfOrder(w, r); ok {
		p.serveTicketPicture(w, r, ticket)
	}
}

// customerOf is the party that the holder of an order's link acts as.
func customerOf(order OrderView) refund.Actor {
	return refund.Actor{Party: refund.ByCustomer, ID: string(order.Order.Customer.ID)}
}

// orderSpeech is how the reader of an order is spoken to.
func (p *Pages) orderSpeech(r *http.Request, order OrderView) speech {
	return p.speechFor(r, order.Order.Customer.Language, order.Order.Customer.TimeZone)
}
