package web

import (
	"context"
	"net/http"
	"slices"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// orderEvents tells an open order page, or an open page of its tickets, when
// what it shows has changed.
func (p *Pages) orderEvents(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	p.stream(w, r, func(context.Context) (string, error) {
		order, err := p.openOrder(r)
		if err != nil {
			return "", err
		}
		if query.Get("show") == "tickets" {
			return ticketsState(order.Tickets), nil
		}
		if id := query.Get("ticket"); id != "" {
			i := slices.IndexFunc(order.Tickets, func(t refund.Ticket) bool { return string(t.ID) == id })
			if i < 0 {
				return "", qc.ErrNotFound
			}
			return ticketState(order.Tickets[i]), nil
		}
		return orderState(order), nil
	})
}
