package central

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// WriteTicket adds a message to a ticket, or opens one with it, and returns the
// ticket as it then is. What was written under the same key before is not
// written again. When the desk writes, the notice to the customer is part of
// the same transaction.
//
// The pictures' files are there before, and become known with the message.
//
// It fails with [qc.ErrNotFound] for a ticket that the order does not have, and
// with an error of [refund.TicketPolicy.Check]; then nothing has happened.
func (s *Store) WriteTicket(ctx context.Context, w refund.Writing) (refund.Ticket, error) {
	var ticket refund.Ticket
	err := s.write(ctx, w.At, func(t *tx) error {
		id, err := t.writeTicket(ctx, w)
		if err != nil {
			return err
		}
		ticket, err = readTicket(ctx, t, id)
		return err
	})
	if err != nil {
		return refund.Ticket{}, fmt.Errorf("write about order %.80q: %w", w.Order, err)
	}
	return ticket, nil
}

func (t *tx) writeTicket(ctx context.Context, w refund.Writing) (refund.TicketID, error) {
	var before refund.TicketID
	err := t.QueryRowContext(ctx, `SELECT ticket FROM ticket_message WHERE order_id = $1 AND once = $2`,
		string(w.Order), w.Key).Scan(&before)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return before, err
	}
	customer, err := customerOf(ctx, t, w.Order)
	if err != nil {
		return "", err
	}
	lately, err := t.writtenLately(ctx, w.Order)
	if err != nil {
		return "", err
	}
	if err := refund.DefaultTicketPolicy().Check(w, lately); err != nil {
		return "", err
	}
	var ticket refund.Ticket
	if w.Ticket == "" {
		ticket, err = t.openTicket(ctx, w, customer.ID, lately.Tickets+1)
	} else {
		ticket, err = readTicket(ctx, t, w.Ticket)
		if err == nil && ticket.Order != w.Order {
			err = qc.ErrNotFound
		}
	}
	if err != nil {
		return "", err
	}
	return ticket.ID, t.addMessage(ctx, ticket, w)
}

// writtenLately counts what an order's customer has written.
func (t *tx) writtenLately(ctx context.Context, order qc.OrderID) (refund.Written, error) {
	var lately refund.Written
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM ticket WHERE order_id = $1`, string(order)).Scan(&lately.Tickets)
	if err != nil {
		return lately, err
	}
	err = t.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN at > $3 THEN 1 ELSE 0 END), 0), COUNT(*),
		COALESCE(SUM(picture_count), 0), COALESCE(SUM(picture_bytes), 0)
		FROM ticket_message WHERE order_id = $1 AND party = 'customer' AND at > $2`,
		string(order), micros(t.at.Add(-24*time.Hour)), micros(t.at.Add(-time.Hour))).
		Scan(&lately.InTheHour, &lately.InTheDay, &lately.Pictures, &lately.PictureBytes)
	return lately, err
}

func (t *tx) openTicket(ctx context.Context, w refund.Writing, customer qc.CustomerID, n int) (refund.Ticket, error) {
	if w.Topic == refund.TopicMissedFlaw && w.Actor.Party == refund.ByCustomer {
		var err error
		if w.Case, err = t.claimByTicket(ctx, w); err != nil {
			return refund.Ticket{}, err
		}
	}
	ticket := refund.Ticket{
		ID: refund.TicketID(fmt.Sprintf("%s-T%d", w.Order, n)), Order: w.Order, Item: w.Item, Case: w.Case,
		Customer: customer, Topic: w.Topic, OpenedAt: t.at, ChangedAt: t.at,
	}
	_, err := t.ExecContext(ctx, `INSERT INTO ticket (id, order_id, item, case_id, customer, topic, opened_at, changed_at,
		waiting_since, seen_by_customer, seen_by_desk) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0)`,
		string(ticket.ID), string(ticket.Order), string(ticket.Item), string(ticket.Case), string(customer),
		string(ticket.Topic), micros(t.at), micros(t.at))
	return ticket, err
}

func (t *tx) addMessage(ctx context.Context, ticket refund.Ticket, w refund.Writing) error {
	if err := t.entitled(ctx, w.Actor, ""); err != nil {
		return err
	}
	m := refund.Message{N: len(ticket.Messages) + 1, At: t.at, Actor: w.Actor, Text: w.Text, Pictures: w.Pictures}
	pictures, err := jsonText(m.Pictures)
	if err != nil {
		return err
	}
	var bytes int64
	for _, picture := range m.Pictures {
		bytes += picture.Kept()
		for digest, size := range map[qc.Digest]int64{picture.Digest: picture.Bytes, picture.Thumb: picture.ThumbBytes} {
			if _, err := t.ExecContext(ctx, `INSERT INTO blob (digest, size, media_type, stored_at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (digest) DO NOTHING`, string(digest), size, "image/jpeg", micros(t.at)); err != nil {
				return err
			}
		}
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO ticket_message (ticket, n, order_id, at, party, actor, text, pictures,
		picture_count, picture_bytes, once) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		string(ticket.ID), m.N, string(ticket.Order), micros(m.At), string(m.Actor.Party), m.Actor.ID, m.Text, pictures,
		len(m.Pictures), bytes, w.Key); err != nil {
		return err
	}
	ticket.Messages, ticket.ChangedAt = append(ticket.Messages, m), t.at
	if m.Actor.Party != refund.ByCustomer {
		ticket.SeenByDesk = max(ticket.SeenByDesk, min(w.Seen, len(ticket.Messages)))
		if err := t.announceAnswer(ctx, ticket); err != nil {
			return err
		}
	}
	if err := t.keepSeen(ctx, ticket); err != nil {
		return err
	}
	return t.audit(ctx, actorName(m.Actor), "ticket.write", "ticket:"+string(ticket.ID),
		map[string]any{"message": m.N, "pictures": len(m.Pictures)})
}

// keepSeen writes down how far both sides have come, and wakes open pages.
func (t *tx) keepSeen(ctx context.Context, ticket refund.Ticket) error {
	_, err := t.ExecContext(ctx, `UPDATE ticket SET changed_at = $1, waiting_since = $2, seen_by_customer = $3,
		seen_by_desk = $4 WHERE id = $5`, micros(ticket.ChangedAt), micros(ticket.WaitingSince()), ticket.SeenByCustomer,
		ticket.SeenByDesk, string(ticket.ID))
	t.told = true
	return err
}

// announceAnswer writes down that the customer, and their shop, are to be told of
// the desk's last word.
func (t *tx) announceAnswer(ctx context.Context, ticket refund.Ticket) error {
	customer, err := customerOf(ctx, t, ticket.Order)
	if err != nil {
		return err
	}
	if err := t.announceToShop(ctx, refund.Notice{
		Kind: refund.TellAnswer, Snapshot: ticket.Snapshot(), State: refund.NoticeWaiting, CreatedAt: t.at, DueAt: t.at,
	}); err != nil {
		return err
	}
	receivers, err := t.receivers(ctx, ticket.Order, customer)
	for _, to := range receivers {
		if err := t.insertNotice(ctx, refund.Notice{
			Kind: refund.TellAnswer, Medium: to.Medium, Hook: to.Hook, Snapshot: ticket.Snapshot(), State: refund.NoticeWaiting,
			CreatedAt: t.at, DueAt: t.store.notices.Due(refund.TellAnswer, t.at, zoneOf(customer)),
		}, false); err != nil {
			return err
		}
	}
	return err
}

// SawTicket notes that somebody has had the messages up to the given one before
// them; of the desk, that it has dealt with them. It fails with
// [qc.ErrNotFound]. Seeing less than before changes nothing.
func (s *Store) SawTicket(ctx context.Context, id refund.TicketID, by refund.Actor, through int, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		ticket, err := readTicket(ctx, t, id)
		if err != nil {
			return err
		}
		through = min(through, len(ticket.Messages))
		if by.Party == refund.ByCustomer {
			if through <= ticket.SeenByCustomer {
				return nil
			}
			ticket.SeenByCustomer = through
			return t.keepSeen(ctx, ticket)
		}
		if through <= ticket.SeenByDesk {
			return nil
		}
		ticket.SeenByDesk = through
		if err := t.keepSeen(ctx, ticket); err != nil {
			return err
		}
		return t.audit(ctx, actorName(by), "ticket.settle", "ticket:"+string(id), map[string]any{"through": through})
	})
	if err != nil {
		return fmt.Errorf("note ticket %.80q as seen: %w", id, err)
	}
	return nil
}

// TicketFilter narrows a list of tickets; its zero value matches all.
type TicketFilter struct {
	Order   qc.OrderID
	Waiting bool // only those in which the customer waits for an answer
	Limit   int  // 0: 500
}

// Tickets lists tickets: those in which a customer waits come first, who waits
// longest at the top, then those that changed last.
func (s *Store) Tickets(ctx context.Context, f TicketFilter) ([]refund.Ticket, error) {
	all, err := tickets(ctx, s.reader, f, "")
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	return all, nil
}

// Ticket returns one ticket, or [qc.ErrNotFound].
func (s *Store) Ticket(ctx context.Context, id refund.TicketID) (refund.Ticket, error) {
	ticket, err := readTicket(ctx, s.reader, id)
	if err != nil {
		return ticket, fmt.Errorf("read ticket %.80q: %w", id, err)
	}
	return ticket, nil
}

func readTicket(ctx context.Context, q querier, id refund.TicketID) (refund.Ticket, error) {
	if id == "" {
		return refund.Ticket{}, qc.ErrNotFound
	}
	all, err := tickets(ctx, q, TicketFilter{}, id)
	if err == nil && len(all) == 0 {
		err = qc.ErrNotFound
	}
	if err != nil {
		return refund.Ticket{}, err
	}
	return all[0], nil
}

func tickets(ctx context.Context, q querier, f TicketFilter, id refund.TicketID) ([]refund.Ticket, error) {
	if f.Limit < 1 {
		f.Limit = 500
	}
	waiting := 0
	if f.Waiting {
		waiting = 1
	}
	const order = `CASE WHEN waiting_since = 0 THEN 1 ELSE 0 END, waiting_since, changed_at DESC, id`
	rows, err := q.QueryContext(ctx, `SELECT t.id, t.order_id, t.item, t.case_id, t.customer, t.topic, t.opened_at, t.changed_at,
		t.seen_by_customer, t.seen_by_desk, COALESCE(m.n, 0), COALESCE(m.at, 0), COALESCE(m.party, ''), COALESCE(m.actor, ''),
		COALESCE(m.text, ''), COALESCE(m.pictures, 'null')
		FROM (SELECT * FROM ticket WHERE ($1 = '' OR id = $1) AND ($2 = '' OR order_id = $2) AND waiting_since >= $3
			ORDER BY `+order+` LIMIT $4) t
		LEFT JOIN ticket_message m ON m.ticket = t.id ORDER BY `+order+`, m.n`,
		string(id), string(f.Order), waiting, f.Limit)
	var all []refund.Ticket
	err = each(rows, err, func(rows *sql.Rows) error {
		ticket, message, err := scanTicket(rows)
		if err != nil {
			return err
		}
		if len(all) == 0 || all[len(all)-1].ID != ticket.ID {
			all = append(all, ticket)
		}
		if message.N > 0 {
			last := &all[len(all)-1]
			last.Messages = append(last.Messages, message)
		}
		return nil
	})
	return all, err
}

func scanTicket(rows *sql.Rows) (refund.Ticket, refund.Message, error) {
	var t refund.Ticket
	var m refund.Message
	var opened, changed, at int64
	var pictures string
	if err := rows.Scan(&t.ID, &t.Order, &t.Item, &t.Case, &t.Customer, &t.Topic, &opened, &changed, &t.SeenByCustomer,
		&t.SeenByDesk, &m.N, &at, &m.Actor.Party, &m.Actor.ID, &m.Text, &pictures); err != nil {
		return t, m, err
	}
	t.OpenedAt, t.ChangedAt, m.At = timeOf(opened), timeOf(changed), timeOf(at)
	if err := json.Unmarshal([]byte(pictures), &m.Pictures); err != nil {
		return t, m, fmt.Errorf("read pictures of ticket %s: %w", t.ID, err)
	}
	return t, m, nil
}
