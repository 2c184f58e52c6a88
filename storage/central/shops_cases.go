package central

import (
	"context"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ShopCaseFilter narrows a shop's list of cases; its zero value matches all.
type ShopCaseFilter struct {
	Open         bool          // only cases that have not ended
	Status       refund.Status // only this one
	Order        qc.OrderID
	Item         qc.ItemID
	Customer     qc.CustomerID
	ChangedSince time.Time
	Limit        int    // 1 to 200
	After        string // the case behind which the page begins; empty: the first
}

// ShopCasePage is a piece of a shop's list of cases.
type ShopCasePage struct {
	Cases []refund.Case
	More  bool // there may be more behind Last
	Last  qc.CaseID
	// Events is where the shop's events stood: what happens after this page was
	// read follows behind it.
	Events qc.Cursor
}

// mostSearched bounds the cases that are looked at for one page.
const mostSearched = 1000

// ShopCases lists cases of the shop as their customers see them, those opened
// first at the top, so that pages stay the same while cases come and move. It
// fails with [qc.ErrNotFound] when After is no case of the shop's.
func (s *Store) ShopCases(ctx context.Context, k ShopKey, f ShopCaseFilter) (ShopCasePage, error) {
	var page ShopCasePage
	err := s.read(ctx, func(q querier) error {
		var err error
		if page.Events, err = s.eventsHead(ctx, q, k); err != nil {
			return err
		}
		return fillCases(ctx, q, k, f, &page)
	})
	if err != nil {
		return ShopCasePage{}, fmt.Errorf("list cases for shop: %w", err)
	}
	return page, nil
}

func fillCases(ctx context.Context, q querier, k ShopKey, f ShopCaseFilter, page *ShopCasePage) error {
	var opened int64
	if f.After != "" {
		after, err := readCase(ctx, q, qc.CaseID(f.After))
		if err != nil {
			return err
		}
		if err := k.ownsOrder(ctx, q, after.Order); err != nil {
			return err
		}
		opened, page.Last = micros(after.OpenedAt), after.ID
	}
	for searched := 0; searched < mostSearched; searched += f.Limit {
		// A replacement that was flagged again is being rechecked to its customer.
		found, err := bodies[refund.Case](q.QueryContext(ctx, `SELECT c.body FROM refund_case c JOIN order_ o ON o.id = c.order_id
			WHERE ($1 = 1 OR o.shop = $2) AND (c.opened_at > $3 OR c.opened_at = $3 AND c.id > $4) AND c.is_open >= $5
			AND ($6 = '' OR c.status = $6 OR c.status = 'flagged' AND $6 = 'rechecking')
			AND ($7 = '' OR c.order_id = $7) AND ($8 = '' OR c.item = $8) AND ($9 = '' OR c.customer = $9) AND c.changed_at >= $10
			ORDER BY c.opened_at, c.id LIMIT $11`, flag(k.AllOrders), k.Shop, opened, string(page.Last), flag(f.Open),
			string(f.Status), string(f.Order), string(f.Item), string(f.Customer), micros(f.ChangedSince), f.Limit))
		if err != nil {
			return err
		}
		for _, c := range found {
			if len(page.Cases) == f.Limit {
				page.More = true
				return nil
			}
			opened, page.Last = micros(c.OpenedAt), c.ID
			seen, err := seenCase(ctx, q, c)
			if err != nil && !errors.Is(err, qc.ErrNotFound) {
				return err
			}
			if err == nil && (f.Status == "" || seen.Status == f.Status) {
				page.Cases = append(page.Cases, seen)
			}
		}
		if len(found) < f.Limit {
			return nil
		}
	}
	page.More = true
	return nil
}
