package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// ErrOrder reports an order that cannot be imported. Nothing of the import
// has happened.
var ErrOrder = errors.New("order cannot be imported")

// Import says what an import of orders did.
type Import struct {
	Orders    int // orders not known before
	Items     int // items new or changed
	Unchanged int // items that were here already, just so
}

// ImportOrders takes orders over from the shop, all or nothing, and tells the
// stations about the items. Importing the same orders again changes nothing.
// What the warehouse has found out since stays: when an item was stocked in,
// its round and the parcel of its replacement.
func (s *Store) ImportOrders(ctx context.Context, orders []qc.Order, at time.Time) (Import, error) {
	var done Import
	err := s.write(ctx, at, func(t *tx) error {
		done = Import{}
		for _, order := range orders {
			if err := t.importOrder(ctx, ShopKey{AllOrders: true}, order, &done); err != nil {
				return fmt.Errorf("order %.80q: %w", order.ID, err)
			}
		}
		if done.Orders+done.Items == 0 {
			return nil
		}
		return t.audit(ctx, "admin", "orders.import", "orders", done)
	})
	if err != nil {
		return Import{}, fmt.Errorf("import orders: %w", err)
	}
	return done, nil
}

// importOrder takes an order over for k: what is new is its shop's from now on,
// what is there must be the shop's already.
func (t *tx) importOrder(ctx context.Context, k ShopKey, order qc.Order, done *Import) error {
	if blank(string(order.ID)) || blank(string(order.Customer.ID)) || len(order.Items) == 0 {
		return fmt.Errorf("%w: it needs an id, a customer and items", ErrOrder)
	}
	if err := t.mayTake(ctx, k, order); err != nil {
		return err
	}
	known, err := t.known(ctx, order.Customer)
	if err != nil {
		return err
	}
	customer, err := jsonText(known)
	if err != nil {
		return err
	}
	result, err := t.ExecContext(ctx, `INSERT INTO customer (id, body, shop) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body WHERE customer.body <> excluded.body`,
		string(order.Customer.ID), customer, k.Shop)
	if err != nil {
		return err
	}
	if changed, err := result.RowsAffected(); err != nil {
		return err
	} else if changed > 0 {
		if err := t.refileCustomer(ctx, order.Customer.ID); err != nil {
			return err
		}
	}
	before, err := customerOf(ctx, t, order.ID)
	switch {
	case errors.Is(err, qc.ErrNotFound):
		if _, err := t.ExecContext(ctx, `INSERT INTO order_ (id, customer, placed_at, imported_at, shop) VALUES ($1, $2, $3, $4, $5)`,
			string(order.ID), string(order.Customer.ID), micros(order.PlacedAt), micros(t.at), k.Shop); err != nil {
			return err
		}
		done.Orders++
	case err != nil:
		return err
	case before.ID != order.Customer.ID:
		return fmt.Errorf("%w: it belongs to customer %s", ErrOrder, before.ID)
	}
	for place, item := range order.Items {
		changed, err := t.importItem(ctx, order.ID, item, place)
		if err != nil {
			return err
		}
		if changed {
			done.Items++
		} else {
			done.Unchanged++
		}
	}
	return nil
}

func (t *tx) importItem(ctx context.Context, order qc.OrderID, item qc.Item, place int) (changed bool, err error) {
	if item.Order == "" {
		item.Order = order
	}
	item.Round = max(item.Round, 1)
	item.StockedInAt = asStored(item.StockedInAt)
	if err := checkItem(item, order); err != nil {
		return false, err
	}
	before, err := readItem(ctx, t, item.ID)
	if errors.Is(err, qc.ErrNotFound) {
		text, err := jsonText(item)
		if err != nil {
			return false, err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO item (id, order_id, place, body) VALUES ($1, $2, $3, $4)`,
			string(item.ID), string(order), place, text); err != nil {
			return false, fmt.Errorf("item %s: %w", item.ID, err)
		}
		return true, t.tell(ctx, qc.ItemChanged, item)
	}
	if err != nil {
		return false, err
	}
	if before.Order != order {
		return false, fmt.Errorf("%w: item %s belongs to order %s", ErrOrder, item.ID, before.Order)
	}
	if !before.StockedInAt.IsZero() {
		item.StockedInAt = before.StockedInAt
	}
	if before.Round > item.Round {
		item.Round, item.Waybill = before.Round, before.Waybill
	}
	if item.ListingPhoto == "" {
		item.ListingPhoto = before.ListingPhoto
	}
	was, err := jsonText(before)
	if err != nil {
		return false, err
	}
	if is, err := jsonText(item); err != nil || is == was {
		return false, err
	}
	return true, t.updateItem(ctx, item)
}

func checkItem(item qc.Item, order qc.OrderID) error {
	switch {
	case blank(string(item.ID)) || item.Order != order:
		return fmt.Errorf("%w: item %.80q has no id or another order", ErrOrder, item.ID)
	case !item.NonReturnable.Known():
		return fmt.Errorf("%w: item %s is not returnable for an unknown reason", ErrOrder, item.ID)
	case item.Quantity < 1:
		return fmt.Errorf("%w: item %s has quantity %d", ErrOrder, item.ID, item.Quantity)
	case item.UnitPrice.Minor() < 0 || item.FreightIn.Minor() < 0:
		return fmt.Errorf("%w: item %s has a negative price", ErrOrder, item.ID)
	case item.UnitPrice.Currency() != money.CNY || item.FreightIn.Currency() != money.CNY:
		return fmt.Errorf("%w: item %s: %w", ErrOrder, item.ID, money.ErrCurrency)
	}
	paid, err := item.Paid()
	if err == nil {
		_, err = paid.Add(item.FreightIn)
	}
	if err != nil {
		return fmt.Errorf("%w: item %s: %w", ErrOrder, item.ID, err)
	}
	return nil
}

func blank(text string) bool { return strings.TrimSpace(text) == "" }

// updateItem replaces an item and tells the stations.
func (t *tx) updateItem(ctx context.Context, item qc.Item) error {
	text, err := jsonText(item)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `UPDATE item SET body = $1 WHERE id = $2`, text, string(item.ID)); err != nil {
		return fmt.Errorf("keep item %s: %w", item.ID, err)
	}
	if err := t.refileItem(ctx, item.ID); err != nil {
		return err
	}
	return t.tell(ctx, qc.ItemChanged, item)
}

// Item returns an item, or [qc.ErrNotFound].
func (s *Store) Item(ctx context.Context, id qc.ItemID) (qc.Item, error) {
	return readItem(ctx, s.reader, id)
}

// Order returns an order with its customer and items, or [qc.ErrNotFound].
func (s *Store) Order(ctx context.Context, id qc.OrderID) (qc.Order, error) {
	var order qc.Order
	err := s.read(ctx, func(q querier) error {
		var err error
		order, err = readOrder(ctx, q, id)
		return err
	})
	return order, err
}

// OrderIDs lists all orders, the latest placed first.
func (s *Store) OrderIDs(ctx context.Context) ([]qc.OrderID, error) {
	var ids []qc.OrderID
	rows, err := s.reader.QueryContext(ctx, `SELECT id FROM order_ ORDER BY placed_at DESC, id`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var id qc.OrderID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return ids, nil
}

func readItem(ctx context.Context, q querier, id qc.ItemID) (qc.Item, error) {
	item, err := body[qc.Item](q.QueryRowContext(ctx, `SELECT body FROM item WHERE id = $1`, string(id)))
	if err != nil {
		return item, fmt.Errorf("read item %.80q: %w", id, err)
	}
	return item, nil
}

func customerOf(ctx context.Context, q querier, id qc.OrderID) (qc.Customer, error) {
	customer, err := body[qc.Customer](q.QueryRowContext(ctx,
		`SELECT c.body FROM customer c JOIN order_ o ON o.customer = c.id WHERE o.id = $1`, string(id)))
	if err != nil {
		return customer, fmt.Errorf("read customer of order %.80q: %w", id, err)
	}
	return customer, nil
}

func readOrder(ctx context.Context, q querier, id qc.OrderID) (qc.Order, error) {
	order := qc.Order{ID: id}
	var placed int64
	err := q.QueryRowContext(ctx, `SELECT placed_at FROM order_ WHERE id = $1`, string(id)).Scan(&placed)
	if err != nil {
		return qc.Order{}, fmt.Errorf("read order %.80q: %w", id, found(err))
	}
	order.PlacedAt = timeOf(placed)
	if order.Customer, err = customerOf(ctx, q, id); err != nil {
		return qc.Order{}, err
	}
	order.Items, err = bodies[qc.Item](q.QueryContext(ctx, `SELECT body FROM item WHERE order_id = $1 ORDER BY place, id`, string(id)))
	if err != nil {
		return qc.Order{}, fmt.Errorf("read items of order %s: %w", id, err)
	}
	return order, nil
}
