package central

import (
	"context"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ShopTickets lists what was written about an order of the shop, or
// [qc.ErrNotFound].
func (s *Store) ShopTickets(ctx context.Context, k ShopKey, order qc.OrderID) ([]refund.Ticket, error) {
	var all []refund.Ticket
	err := s.read(ctx, func(q querier) error {
		err := k.ownsOrder(ctx, q, order)
		if err == nil {
			all, err = tickets(ctx, q, TicketFilter{Order: order}, "")
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tickets of order %.80q for shop: %w", order, err)
	}
	return all, nil
}

// ShopTicket returns a ticket of the shop, or [qc.ErrNotFound].
func (s *Store) ShopTicket(ctx context.Context, k ShopKey, id refund.TicketID) (refund.Ticket, error) {
	var ticket refund.Ticket
	err := s.read(ctx, func(q querier) error {
		var err error
		ticket, err = ticketOfShop(ctx, q, k, id)
		return err
	})
	if err != nil {
		return refund.Ticket{}, fmt.Errorf("read ticket %.80q for shop: %w", id, err)
	}
	return ticket, nil
}

func ticketOfShop(ctx context.Context, q querier, k ShopKey, id refund.TicketID) (refund.Ticket, error) {
	ticket, err := readTicket(ctx, q, id)
	if err == nil {
		err = k.ownsOrder(ctx, q, ticket.Order)
	}
	return ticket, err
}

// WriteTicketForShop is [Store.WriteTicket] for the system of the order's shop,
// as if the customer had written. It fails with [ErrShopKey], too.
func (s *Store) WriteTicketForShop(ctx context.Context, k ShopKey, w refund.Writing) (refund.Ticket, error) {
	w.Key = k.said(w.Key)
	var ticket refund.Ticket
	err := s.write(ctx, w.At, func(t *tx) error {
		if err := t.mayKeep(ctx, k); err != nil {
			return err
		}
		if err := k.ownsOrder(ctx, t, w.Order); err != nil {
			return err
		}
		customer, err := customerOf(ctx, t, w.Order)
		if err != nil {
			return err
		}
		w.Actor = byCustomer(customer.ID)
		id, err := t.writeTicket(ctx, w)
		if err != nil {
			return err
		}
		if ticket, err = readTicket(ctx, t, id); err != nil || !t.told {
			return err
		}
		return t.audit(ctx, k.actor(), "shop.write", "ticket:"+string(id), struct{}{})
	})
	if err != nil {
		return refund.Ticket{}, fmt.Errorf("write about order %.80q for shop: %w", w.Order, err)
	}
	return ticket, nil
}

// SawTicketForShop notes that the customer of a shop has had a ticket's messages
// up to the given one before them. It fails with [qc.ErrNotFound].
func (s *Store) SawTicketForShop(ctx context.Context, k ShopKey, id refund.TicketID, through int, at time.Time) (refund.Ticket, error) {
	var ticket refund.Ticket
	err := s.write(ctx, at, func(t *tx) error {
		if err := t.mayKeep(ctx, k); err != nil {
			return err
		}
		var err error
		if ticket, err = ticketOfShop(ctx, t, k, id); err != nil {
			return err
		}
		if through = min(through, len(ticket.Messages)); through <= ticket.SeenByCustomer {
			return nil
		}
		ticket.SeenByCustomer = through
		return t.keepSeen(ctx, ticket)
	})
	if err != nil {
		return refund.Ticket{}, fmt.Errorf("note ticket %.80q as seen for shop: %w", id, err)
	}
	return ticket, nil
}
