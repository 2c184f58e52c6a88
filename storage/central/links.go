package central

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ErrLink says that the link is wrong, revoked or expired; a caller outside is
// never told which.
var ErrLink = errors.New("link is not valid")

// linkLife is how long a customer's link opens the order.
const linkLife = 180 * 24 * time.Hour

// LinkOrder returns a new secret that opens an order for its customer. Only
// its hash is stored. Earlier links stay valid. by is who asked for it, at the
// desk; empty is whoever has the centre's machine.
func (s *Store) LinkOrder(ctx context.Context, id qc.OrderID, by qc.StaffID, at time.Time) (string, error) {
	actor := "admin"
	if by != "" {
		actor = "staff:" + string(by)
	}
	return s.linkOrder(ctx, id, actor, at, anybody)
}

// LinkOrderInNotice does as [Store.LinkOrder] for a mail that the centre itself
// sends to the customer.
func (s *Store) LinkOrderInNotice(ctx context.Context, id qc.OrderID, at time.Time) (string, error) {
	return s.linkOrder(ctx, id, "system", at, anybody)
}

func (s *Store) linkOrder(ctx context.Context, id qc.OrderID, actor string, at time.Time, may func(context.Context, *tx) error) (string, error) {
	token := base64.RawURLEncoding.EncodeToString(randomBytes(32))
	err := s.write(ctx, at, func(t *tx) error {
		if err := may(ctx, t); err != nil {
			return err
		}
		if _, err := customerOf(ctx, t, id); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO capability (token_hash, order_id, created_at, expires_at)
			VALUES ($1, $2, $3, $4)`, secretHash(token), string(id), micros(at), micros(at.Add(linkLife))); err != nil {
			return err
		}
		return t.audit(ctx, actor, "order.link", "order:"+string(id), struct{}{})
	})
	if err != nil {
		return "", fmt.Errorf("link order %.80q: %w", id, err)
	}
	return token, nil
}

// RevokeLinks makes every link to an order useless. It fails with
// [qc.ErrNotFound] for an order that is not known.
func (s *Store) RevokeLinks(ctx context.Context, id qc.OrderID, at time.Time) error {
	return s.revokeLinks(ctx, id, "admin", at, anybody)
}

func (s *Store) revokeLinks(ctx context.Context, id qc.OrderID, actor string, at time.Time, may func(context.Context, *tx) error) error {
	err := s.write(ctx, at, func(t *tx) error {
		if err := may(ctx, t); err != nil {
			return err
		}
		if _, err := customerOf(ctx, t, id); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `UPDATE capability SET revoked_at = $1 WHERE order_id = $2 AND revoked_at = 0`,
			micros(at), string(id)); err != nil {
			return err
		}
		subscriptions, err := subscriptionsOf(ctx, t, id)
		if err != nil {
			return err
		}
		for _, sub := range subscriptions { // whoever had a link may have had it astray
			if err := t.unsubscribe(ctx, sub.ID); err != nil {
				return err
			}
		}
		return t.audit(ctx, actor, "order.unlink", "order:"+string(id), struct{}{})
	})
	if err != nil {
		return fmt.Errorf("revoke links to order %.80q: %w", id, err)
	}
	return nil
}

// OrderView is what a customer sees of an order.
type OrderView struct {
	Order     qc.Order
	Cases     []refund.Case // oldest first; see [Store.OrderByToken]
	Findings  map[qc.FindingID]qc.Finding
	Balance   money.Amount // free to use
	Held      money.Amount // set aside besides
	Statement []Line       // oldest first: the last [lastLines]
	Older     bool         // there are lines before those
	Tickets   []refund.Ticket
	Stored    map[qc.Digest]bool // of the photos in Order and Findings: those the centre has
}

// OrderByToken returns the order that token opens, or [ErrLink]. Cases that
// wait for a lead or for photos are not in it, nor are their findings; those
// of a replacement are in it as being rechecked. Its findings are those the
// customer has been shown, of every round, and what passed; of flaws that
// concern only the house they hold the place and nothing else. The token is
// looked up by its hash, so that the time it takes tells nothing.
func (s *Store) OrderByToken(ctx context.Context, id qc.OrderID, token string, at time.Time) (OrderView, error) {
	var opens qc.OrderID
	var expires, revoked int64
	err := s.reader.QueryRowContext(ctx, `SELECT order_id, expires_at, revoked_at FROM capability WHERE token_hash = $1`,
		secretHash(token)).Scan(&opens, &expires, &revoked)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return OrderView{}, fmt.Errorf("open link: %w", err)
	}
	if err != nil || opens != id || revoked != 0 || micros(at) >= expires {
		return OrderView{}, ErrLink
	}
	var view OrderView
	err = s.read(ctx, func(q querier) error {
		var err error
		if view, err = s.orderView(ctx, q, id); err != nil {
			return err
		}
		return view.addMoney(ctx, q)
	})
	if err != nil {
		return OrderView{}, fmt.Errorf("read order %s: %w", id, err)
	}
	return view, nil
}

// lastLines is how much of a statement comes with an order.
const lastLines = 100

// addMoney adds the customer's balance, and the messages about the order.
func (v *OrderView) addMoney(ctx context.Context, q querier) error {
	customer := v.Order.Customer.ID
	funds, err := funds(ctx, q, customer)
	if err != nil {
		return err
	}
	v.Balance, v.Held = funds.Available, funds.Held
	if v.Statement, v.Older, err = statementBefore(ctx, q, customer, newest, lastLines); err != nil {
		return err
	}
	v.Tickets, err = tickets(ctx, q, TicketFilter{Order: v.Order.ID}, "")
	return err
}

// orderView is an order with its cases and findings as its customer sees them.
func (s *Store) orderView(ctx context.Context, q querier, id qc.OrderID) (OrderView, error) {
	order, err := readOrder(ctx, q, id)
	if err != nil {
		return OrderView{}, err
	}
	view := OrderView{Order: order, Findings: make(map[qc.FindingID]qc.Finding), Stored: make(map[qc.Digest]bool)}
	all, err := bodies[refund.Case](q.QueryContext(ctx,
		`SELECT body FROM refund_case WHERE order_id = $1 ORDER BY opened_at, id`, string(id)))
	if err != nil {
		return OrderView{}, err
	}
	for _, item := range order.Items {
		mine := slices.DeleteFunc(slices.Clone(all), func(c refund.Case) bool { return c.Item != item.ID })
		findings, err := findingsOf(ctx, q, item.ID)
		if err != nil {
			return OrderView{}, err
		}
		cases, shown := asSeen(mine, findings)
		view.Cases = append(view.Cases, cases...)
		for _, f := range shown {
			view.Findings[f.ID] = s.outward(f)
		}
	}
	slices.SortStableFunc(view.Cases, func(a, b refund.Case) int { return a.OpenedAt.Compare(b.OpenedAt) })
	digests := view.digests()
	lacked, err := lackedBlobs(ctx, q, digests)
	if err != nil {
		return OrderView{}, err
	}
	for _, d := range digests {
		view.Stored[d] = !slices.Contains(lacked, d)
	}
	return view, nil
}

// digests lists every photo that the view may show.
func (v OrderView) digests() []qc.Digest {
	var all []qc.Digest
	for _, item := range v.Order.Items {
		if item.ListingPhoto != "" {
			all = append(all, item.ListingPhoto)
		}
	}
	for _, f := range v.Findings {
		for _, photo := range f.Photos {
			all = append(all, photo.Digest, photo.Preview.Digest, photo.Thumb.Digest)
		}
	}
	return all
}
