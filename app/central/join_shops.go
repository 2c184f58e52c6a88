package main

import (
	"context"
	"errors"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
	"flawmark/imaging/photo"
	"flawmark/storage/blob"
	"flawmark/storage/central"
	"flawmark/sync/notify"
	"flawmark/sync/shops"
	"flawmark/ui/web"
)

// shopDoor is the door for shops' systems.
func (c *centre) shopDoor(pages *web.Pages) (*shops.Door, error) {
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
		Picture: func(ctx context.Context, data []byte) (refund.Picture, error) {
			picture, err := pages.TakePicture(ctx, data)
			return picture, pictureProblem(err)
		},
		Flaws: c.flaws, EN: en, ZH: zh, Now: c.now, Log: c.log,
	})
}

// pictureProblem names what is wrong with a picture for the door.
func pictureProblem(err error) error {
	switch {
	case errors.Is(err, photo.ErrTooLarge):
		return errors.Join(shops.ErrPictureLarge, err)
	case errors.Is(err, photo.ErrNotPhoto), errors.Is(err, photo.ErrUnsupported):
		return errors.Join(shops.ErrNotPicture, err)
	case errors.Is(err, photo.ErrTruncated), errors.Is(err, photo.ErrUnreadable), errors.Is(err, photo.ErrEmpty):
		return errors.Join(shops.ErrPictureDamaged, err)
	}
	return inShopsWords(err)
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

func (f forShops) SplitForShop(ctx context.Context, k shops.Key, id qc.CaseID, version, pieces int, key string) (qc.CaseID, error) {
	halves, err := f.Store.SplitForShop(ctx, central.ShopKey(k), id, version, pieces, key)
	if conflict, ok := errors.AsType[*central.Conflict](err); ok {
		return "", &shops.Conflict{Case: conflict.Case}
	}
	return halves.Part.ID, inShopsWords(err)
}

func (f forShops) ClaimForShop(ctx context.Context, k shops.Key, item qc.ItemID, reason string) (refund.Case, error) {
	c, err := f.Store.ClaimForShop(ctx, central.ShopKey(k), item, reason)
	return c, inShopsWords(err)
}

func (f forShops) ShopInstructions(ctx context.Context, k shops.Key, id qc.CustomerID) (qc.Instructions, error) {
	return f.Store.ShopInstructions(ctx, central.ShopKey(k), id)
}

func (f forShops) InstructForShop(ctx context.Context, k shops.Key, id qc.CustomerID, i qc.Instructions, seen time.Time) (qc.Instructions, error) {
	now, err := f.Store.InstructForShop(ctx, central.ShopKey(k), id, i, seen)
	if moved, ok := errors.AsType[*central.InstructionsMoved](err); ok {
		return now, &shops.InstructionsMoved{Now: moved.Now}
	}
	return now, inShopsWords(err)
}

func (f forShops) ShopTickets(ctx context.Context, k shops.Key, order qc.OrderID) ([]refund.Ticket, error) {
	return f.Store.ShopTickets(ctx, central.ShopKey(k), order)
}

func (f forShops) ShopTicket(ctx context.Context, k shops.Key, id refund.TicketID) (refund.Ticket, error) {
	return f.Store.ShopTicket(ctx, central.ShopKey(k), id)
}

func (f forShops) WriteTicketForShop(ctx context.Context, k shops.Key, w refund.Writing) (refund.Ticket, error) {
	ticket, err := f.Store.WriteTicketForShop(ctx, central.ShopKey(k), w)
	return ticket, inShopsWords(err)
}

func (f forShops) SawTicketForShop(ctx context.Context, k shops.Key, id refund.TicketID, through int, at time.Time) (refund.Ticket, error) {
	ticket, err := f.Store.SawTicketForShop(ctx, central.ShopKey(k), id, through, at)
	return ticket, inShopsWords(err)
}

// AddShopHook refuses addresses in the centre's own network before they are kept;
// what a name leads to is looked at with every call.
func (f forShops) AddShopHook(ctx context.Context, k shops.Key, id, url string, at time.Time) (refund.Webhook, error) {
	if err := notify.CheckHookURL(url, false); err != nil {
		if trouble, ok := errors.AsType[notify.Trouble](err); ok {
			return refund.Webhook{}, &shops.HookRefused{Key: trouble.Key, Address: true}
		}
		return refund.Webhook{}, err
	}
	hook, err := f.Store.AddShopHook(ctx, central.ShopKey(k), id, url, at)
	return hook, hookRefused(err)
}

func (f forShops) ShopHooks(ctx context.Context, k shops.Key) ([]shops.Hook, error) {
	hooks, err := f.Store.ShopHooks(ctx, central.ShopKey(k))
	all := make([]shops.Hook, len(hooks))
	for i, hook := range hooks {
		all[i] = shops.Hook(hook)
	}
	return all, err
}

func (f forShops) ShopHook(ctx context.Context, k shops.Key, id string) (shops.Hook, error) {
	hook, err := f.Store.ShopHook(ctx, central.ShopKey(k), id)
	return shops.Hook(hook), err
}

func (f forShops) RemoveShopHook(ctx context.Context, k shops.Key, id string, at time.Time) error {
	return inShopsWords(f.Store.RemoveShopHook(ctx, central.ShopKey(k), id, at))
}

func (f forShops) ReplayShopHook(ctx context.Context, k shops.Key, id string, since, at time.Time) (int, error) {
	n, err := f.Store.ReplayShopHook(ctx, central.ShopKey(k), id, since, at)
	return n, hookRefused(err)
}

// hookRefused says of the store's refusals which sentence they are.
func hookRefused(err error) error {
	for _, refused := range []error{central.ErrHookChanged, central.ErrHooksMany, central.ErrHookGone} {
		if errors.Is(err, refused) {
			return &shops.HookRefused{Key: "error." + refused.Error()}
		}
	}
	return inShopsWords(err)
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

func (f forShops) ShopStatement(ctx context.Context, k shops.Key, id qc.CustomerID, after int64, limit int) ([]shops.Line, bool, error) {
	lines, more, err := f.Store.ShopStatement(ctx, central.ShopKey(k), id, after, limit)
	all := make([]shops.Line, len(lines))
	for i, line := range lines {
		all[i] = shops.Line(line)
	}
	return all, more, err
}

func (f forShops) ShopMemo(ctx context.Context, k shops.Key, number refund.MemoNumber) (refund.Memo, error) {
	return f.Store.ShopMemo(ctx, central.ShopKey(k), number)
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
		{central.ErrClaimed, shops.ErrClaimed},
		{blob.ErrAway, shops.ErrAway},
	} {
		if errors.Is(err, known.ours) {
			return errors.Join(known.theirs, err)
		}
	}
	return err
}
