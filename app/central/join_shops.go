package main

import (
	"context"
	"errors"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
	"flawmark/storage/blob"
	"flawmark/storage/central"
	"flawmark/sync/shops"
)

// shopDoor is the door for shops' systems.
func (c *centre) shopDoor() (*shops.Door, error) {
	en, err := assets.LoadWords("en")
	if err != nil {
		return nil, err
	}
	zh, err := assets.LoadWords("zh")
	if err != nil {
		return nil, err
	}
	return shops.New(shops.Config{
		Centre: forShops{c.store, c.orderLink},
		Open: func(d qc.Digest) (shops.File, error) {
			file, err := c.blobs.Open(d)
			return file, inShopsWords(err)
		},
		Flaws: c.flaws, EN: en, ZH: zh, Now: c.now, Log: c.log,
	})
}

// forShops is the store as [shops.Centre].
type forShops struct {
	*central.Store
	address func(qc.OrderID, string) string
}

func (f forShops) ShopKey(ctx context.Context, secret string, at time.Time) (shops.Key, error) {
	k, err := f.Store.ShopKey(ctx, secret, at)
	return shops.Key(k), inShopsWords(err)
}

func (f forShops) ImportShopOrders(ctx context.Context, k shops.Key, data []byte, at time.Time) (shops.Imported, error) {
	done, err := f.Store.ImportShopOrders(ctx, central.ShopKey(k), data, at)
	if broken, ok := errors.AsType[*central.ImportError](err); ok {
		return shops.Imported{}, &shops.Syntax{Problem: broken.Error()}
	}
	if wrong, ok := errors.AsType[*central.OrderFaults](err); ok {
		faults := new(shops.Faults)
		for _, fault := range wrong.Faults {
			faults.Faults = append(faults.Faults, shops.Fault(fault))
		}
		return shops.Imported{}, faults
	}
	return shops.Imported(done), inShopsWords(err)
}

func viewForShops(v central.OrderView) shops.View {
	return shops.View{Order: v.Order, Cases: v.Cases, Findings: v.Findings, Stored: v.Stored}
}

func (f forShops) ShopOrder(ctx context.Context, k shops.Key, id qc.OrderID) (shops.View, error) {
	view, err := f.Store.ShopOrder(ctx, central.ShopKey(k), id)
	return viewForShops(view), err
}

func (f forShops) ShopCase(ctx context.Context, k shops.Key, id qc.CaseID) (refund.Case, shops.View, error) {
	c, view, err := f.Store.ShopCase(ctx, central.ShopKey(k), id)
	return c, viewForShops(view), err
}

func (f forShops) ShopCases(ctx context.Context, k shops.Key, filter shops.Filter) (shops.CasePage, error) {
	page, err := f.Store.ShopCases(ctx, central.ShopKey(k), central.ShopCaseFilter(filter))
	return shops.CasePage(page), err
}

func (f forShops) ActForShop(ctx context.Context, k shops.Key, id qc.CaseID, version int, e refund.Event, key string) (refund.Case, error) {
	c, err := f.Store.ActForShop(ctx, central.ShopKey(k), id, version, e, key)
	if conflict, ok := errors.AsType[*central.Conflict](err); ok {
		return c, &shops.Conflict{Case: conflict.Case}
	}
	return c, inShopsWords(err)
}

func (f forShops) LinkOrder(ctx context.Context, k shops.Key, id qc.OrderID, at time.Time) (string, time.Time, error) {
	token, ends, err := f.Store.LinkOrderForShop(ctx, central.ShopKey(k), id, at)
	if err != nil {
		return "", ends, inShopsWords(err)
	}
	return f.address(id, token), ends, nil
}

func (f forShops) RevokeLinks(ctx context.Context, k shops.Key, id qc.OrderID, at time.Time) error {
	return inShopsWords(f.Store.RevokeLinksForShop(ctx, central.ShopKey(k), id, at))
}

func (f forShops) ShopEvents(ctx context.Context, k shops.Key, after qc.Cursor, limit int) (shops.Events, error) {
	page, err := f.Store.ShopEvents(ctx, central.ShopKey(k), after, limit)
	events := shops.Events{Next: page.Next, UpToDate: page.UpToDate}
	for _, e := range page.Events {
		events.Events = append(events.Events, shops.Event(e))
	}
	return events, inShopsWords(err)
}

func (f forShops) BeginShopRequest(ctx context.Context, k shops.Key, key, fingerprint string, at time.Time) (shops.Answer, error) {
	before, err := f.Store.BeginShopRequest(ctx, central.ShopKey(k), key, fingerprint, at)
	return shops.Answer(before), inShopsWords(err)
}

func (f forShops) EndShopRequest(ctx context.Context, k shops.Key, key string, answer shops.Answer, at time.Time) error {
	return inShopsWords(f.Store.EndShopRequest(ctx, central.ShopKey(k), key, central.ShopAnswer(answer), at))
}

func (f forShops) ShopFunds(ctx context.Context, k shops.Key, id qc.CustomerID) (shops.Funds, error) {
	funds, err := f.Store.ShopFunds(ctx, central.ShopKey(k), id)
	return shops.Funds(funds), err
}

func (f forShops) ShopStatement(ctx context.Context, k shops.Key, id qc.CustomerID) ([]shops.Line, error) {
	lines, err := f.Store.ShopStatement(ctx, central.ShopKey(k), id)
	all := make([]shops.Line, len(lines))
	for i, line := range lines {
		all[i] = shops.Line(line)
	}
	return all, err
}

func (f forShops) ShopReserve(ctx context.Context, k shops.Key, r shops.Reservation, at time.Time) (refund.Hold, error) {
	h, err := f.Store.ShopReserve(ctx, central.ShopKey(k), central.Reservation{
		ID: r.ID, Customer: r.Customer, Amount: r.Amount, Ref: r.Ref, Lasts: r.Lasts,
	}, at)
	return h, inShopsWords(err)
}

func (f forShops) ShopSpend(ctx context.Context, k shops.Key, id string, amount money.Amount, at time.Time) (refund.Hold, error) {
	h, err := f.Store.ShopSpend(ctx, central.ShopKey(k), id, amount, at)
	return h, inShopsWords(err)
}

func (f forShops) ShopRelease(ctx context.Context, k shops.Key, id string, at time.Time) (refund.Hold, error) {
	h, err := f.Store.ShopRelease(ctx, central.ShopKey(k), id, at)
	return h, inShopsWords(err)
}

func (f forShops) ShopHold(ctx context.Context, k shops.Key, id string) (refund.Hold, error) {
	return f.Store.ShopHold(ctx, central.ShopKey(k), id)
}

func (f forShops) ShopWithdraw(ctx context.Context, k shops.Key, w refund.Withdrawal, at time.Time) (refund.Withdrawal, error) {
	asked, err := f.Store.ShopWithdraw(ctx, central.ShopKey(k), w, at)
	return asked, inShopsWords(err)
}

func (f forShops) ShopWithdrawal(ctx context.Context, k shops.Key, id string) (refund.Withdrawal, error) {
	return f.Store.ShopWithdrawal(ctx, central.ShopKey(k), id)
}

// inShopsWords names an error of the store for the door.
func inShopsWords(err error) error {
	for _, known := range []struct{ ours, theirs error }{
		{central.ErrShopKey, shops.ErrKey},
		{central.ErrKeyReused, shops.ErrKeyReused},
		{central.ErrRunning, shops.ErrRunning},
		{central.ErrCursorGone, shops.ErrCursorGone},
		{central.ErrFull, shops.ErrFull},
		{blob.ErrAway, shops.ErrAway},
	} {
		if errors.Is(err, known.ours) {
			return errors.Join(known.theirs, err)
		}
	}
	return err
}
