package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// The world's tickets: what the store's suite promises, in memory.

func (w *world) WriteTicket(_ context.Context, wr refund.Writing) (refund.Ticket, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id, ok := w.once[string(wr.Order)+wr.Key]; ok {
		return *w.ticket(id), nil
	}
	lately := refund.Written{}
	for _, t := range w.tickets {
		if t.Order != wr.Order {
			continue
		}
		lately.Tickets++
		for _, m := range t.Messages {
			if m.Actor.Party == refund.ByCustomer && m.At.After(wr.At.Add(-time.Hour)) {
				lately.InTheHour++
			}
		}
	}
	if err := refund.DefaultTicketPolicy().Check(wr, lately); err != nil {
		return refund.Ticket{}, fmt.Errorf("write: %w", err)
	}
	if wr.Ticket == "" {
		if c, err := w.claim(wr.Item, refund.Event{Actor: wr.Actor, Reason: wr.Text}); wr.Topic == refund.TopicMissedFlaw && err == nil {
			w.cases[c.ID], wr.Case = c, c.ID
		}
		wr.Ticket = refund.TicketID(fmt.Sprintf("%s-T%d", wr.Order, lately.Tickets+1))
		w.tickets = append(w.tickets, refund.Ticket{
			ID: wr.Ticket, Order: wr.Order, Item: wr.Item, Case: wr.Case, Customer: w.orders[wr.Order].Customer.ID,
			Topic: wr.Topic, OpenedAt: wr.At,
		})
	}
	t := w.ticket(wr.Ticket)
	if t == nil || t.Order != wr.Order {
		return refund.Ticket{}, qc.ErrNotFound
	}
	t.ChangedAt = wr.At
	t.Messages = append(t.Messages, refund.Message{
		N: len(t.Messages) + 1, At: wr.At, Actor: wr.Actor, Text: wr.Text, Pictures: wr.Pictures,
	})
	if wr.Actor.Party != refund.ByCustomer {
		t.SeenByDesk = max(t.SeenByDesk, wr.Seen)
	}
	w.once[string(wr.Order)+wr.Key] = t.ID
	return *t, nil
}

func (w *world) ticket(id refund.TicketID) *refund.Ticket {
	i := slices.IndexFunc(w.tickets, func(t refund.Ticket) bool { return t.ID == id })
	if i < 0 {
		return nil
	}
	return &w.tickets[i]
}

func (w *world) SawTicket(_ context.Context, id refund.TicketID, by refund.Actor, through int, _ time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.ticket(id)
	switch {
	case t == nil:
		return qc.ErrNotFound
	case by.Party == refund.ByCustomer:
		t.SeenByCustomer = through
	default:
		t.SeenByDesk = through
	}
	return nil
}

func (w *world) Ticket(_ context.Context, id refund.TicketID) (refund.Ticket, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.ticket(id)
	if t == nil {
		return refund.Ticket{}, qc.ErrNotFound
	}
	return *t, nil
}

func (w *world) Tickets(_ context.Context, f TicketFilter) ([]refund.Ticket, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ticketsOf(f), nil
}

func (w *world) ticketsOf(f TicketFilter) []refund.Ticket {
	var all []refund.Ticket
	for _, t := range w.tickets {
		if (f.Order == "" || t.Order == f.Order) && (!f.Waiting || t.Waiting() > 0) {
			all = append(all, t)
		}
	}
	slices.SortStableFunc(all, func(a, b refund.Ticket) int { return cmp.Compare(b.Waiting(), a.Waiting()) })
	return all
}

func (w *world) Order(_ context.Context, id qc.OrderID) (qc.Order, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	order, ok := w.orders[id]
	if !ok {
		return order, qc.ErrNotFound
	}
	return order, nil
}

func (w *world) PutBytes(_ context.Context, data []byte) (qc.Digest, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blobs[qc.DigestOf(data)] = data
	return qc.DigestOf(data), nil
}

// SellerRecord returns what a test has set.
func (w *world) SellerRecord(_ context.Context, seller string, _ time.Time) (refund.Record, error) {
	return w.records[seller], nil
}
