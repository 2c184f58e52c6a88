package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"flawmark/app/qc"
)

// OrderFault says what is wrong with an order that a shop's system sent, or
// with one of its items.
type OrderFault struct {
	Order   qc.OrderID
	Item    qc.ItemID // empty: the order itself
	Member  string    // of the order or item, in the JSON's words; empty: no single one
	Problem string
}

// OrderFaults says why nothing of what a shop's system sent was taken over.
type OrderFaults struct {
	Faults []OrderFault // the first mostFaults of them
}

func (f *OrderFaults) Error() string {
	if len(f.Faults) == 0 {
		return "orders cannot be imported"
	}
	first := f.Faults[0]
	return fmt.Sprintf("%d faults in orders, the first in order %.80q item %.80q %s: %s",
		len(f.Faults), first.Order, first.Item, first.Member, first.Problem)
}

// Limits of one import by a shop's system.
const (
	mostOrders = 500
	mostFaults = 100
)

// ImportShopOrders takes orders over for a shop: JSON by the rules of
// [ParseOrdersJSON], all or nothing as [Store.ImportOrders]. What is new belongs
// to the shop from then on. It fails with [ErrShopKey], with an *[ImportError]
// for what is no such JSON, and with an *[OrderFaults] that lists the faults.
func (s *Store) ImportShopOrders(ctx context.Context, k ShopKey, data []byte, at time.Time) (Import, error) {
	orders, faults, err := parseShopOrders(data, at)
	if err != nil {
		return Import{}, err
	}
	var done Import
	err = s.write(ctx, at, func(t *tx) error {
		if err := t.mayKeep(ctx, k); err != nil {
			return err
		}
		done = Import{}
		for _, order := range orders {
			err := t.attempt(ctx, func() error { return t.importOrder(ctx, k, order, &done) })
			if fault, ok := errors.AsType[*orderFault](err); ok {
				faults.note(OrderFault{Order: order.ID, Item: fault.item, Member: fault.member, Problem: fault.problem})
			} else if errors.Is(err, ErrOrder) {
				faults.note(OrderFault{Order: order.ID, Problem: strings.TrimPrefix(err.Error(), ErrOrder.Error()+": ")})
			} else if err != nil {
				return fmt.Errorf("order %.80q: %w", order.ID, err)
			}
		}
		if len(faults.Faults) > 0 {
			return faults
		}
		if done.Orders+done.Items == 0 {
			return nil
		}
		return t.audit(ctx, k.actor(), "orders.import", "orders", done)
	})
	if err != nil {
		return Import{}, fmt.Errorf("import orders for shop: %w", err)
	}
	return done, nil
}

func (f *OrderFaults) note(fault OrderFault) {
	if len(f.Faults) < mostFaults {
		f.Faults = append(f.Faults, fault)
	}
}

// parseShopOrders reads what can be read and lists what is wrong with the rest.
func parseShopOrders(data []byte, at time.Time) ([]qc.Order, *OrderFaults, error) {
	file, err := readOrdersJSON(data)
	if err != nil {
		return nil, nil, err
	}
	if len(file.Orders) == 0 || len(file.Orders) > mostOrders {
		return nil, nil, &ImportError{Column: "orders", Problem: fmt.Sprintf("%d orders; 1 to %d are taken at once", len(file.Orders), mostOrders)}
	}
	faults := new(OrderFaults)
	b := newBuilder(at)
	for i, order := range file.Orders {
		id := qc.OrderID(order.ID)
		if slices.ContainsFunc(file.Orders[:i], func(o orderJSON) bool { return o.ID == order.ID }) {
			faults.note(OrderFault{Order: id, Member: "id", Problem: "the order is given twice"})
			continue
		}
		if len(order.Items) == 0 {
			faults.note(OrderFault{Order: id, Member: "items", Problem: "the order has no items"})
		}
		for _, item := range order.Items {
			row, err := order.row(item)
			if err == nil && row.fields["listing_photo"] != "" {
				err = row.broken("listing_photo", "the file cannot come with the order; leave it out")
			}
			if err == nil {
				err = b.add(row)
			}
			if wrong, ok := errors.AsType[*ImportError](err); ok {
				name, _ := scalar(item["id"])
				faults.note(faultOf(id, qc.ItemID(name), wrong))
			}
		}
	}
	return b.file.Orders, faults, nil
}

// faultOf tells what is wrong with an order from what is wrong with an item.
func faultOf(order qc.OrderID, item qc.ItemID, wrong *ImportError) OrderFault {
	fault := OrderFault{
		Order: order, Item: item, Member: wrong.Column,
		Problem: strings.TrimPrefix(wrong.Problem, "order "+shorten(string(order))+": "),
	}
	if slices.Contains(orderColumns, wrong.Column) {
		fault.Item, fault.Member = "", strings.TrimPrefix(strings.Replace(wrong.Column, "customer_", "customer.", 1), "order_")
	}
	if wrong.Column == "item_id" {
		fault.Member = "id"
	}
	return fault
}

// orderFault is an [OrderFault] on its way.
type orderFault struct {
	item            qc.ItemID
	member, problem string
}

func (f *orderFault) Error() string { return f.member + ": " + f.problem }

func (f *orderFault) Unwrap() error { return ErrOrder }

// mayTake refuses an order, a customer or an item that is not the shop's. It
// does not say whose it is.
func (t *tx) mayTake(ctx context.Context, k ShopKey, order qc.Order) error {
	if k.AllOrders {
		return nil
	}
	for _, one := range []struct{ member, query, id string }{
		{"id", `SELECT shop FROM order_ WHERE id = $1`, string(order.ID)},
		{"customer.id", `SELECT shop FROM customer WHERE id = $1`, string(order.Customer.ID)},
	} {
		var shop string
		err := t.QueryRowContext(ctx, one.query, one.id).Scan(&shop)
		if err == nil && shop != k.Shop {
			return &orderFault{member: one.member, problem: "the number is in use and not yours; put something of your own before your numbers"}
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	for _, item := range order.Items {
		before, err := readItem(ctx, t, item.ID)
		if err == nil && before.Order != order.ID {
			return &orderFault{item: item.ID, member: "id", problem: "the number is in use for another order"}
		}
		if err != nil && !errors.Is(err, qc.ErrNotFound) {
			return err
		}
	}
	return nil
}
