package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Pushes is what the pages need so that browsers are told of orders.
type Pushes interface {
	// Subscribe lets a browser be told of an order; [refund.ErrSubscription] for
	// one that cannot be written to.
	Subscribe(ctx context.Context, s refund.Subscription, at time.Time) error
	// Unsubscribe tells it nothing more.
	Unsubscribe(ctx context.Context, order qc.OrderID, endpoint string, at time.Time) error
}

// pushView is the offer to be told in the browser, which a script shows.
type pushView struct {
	Key     string // that the browser subscribes with
	Address string // where it says so
	Worker  string // the script that shows what is sent
}

const pushWorker = "push-worker.js"

// offerPush returns the offer for an order; nil where there is none.
func (p *Pages) offerPush(order qc.OrderID) *pushView {
	if p.PushKey == "" {
		return nil
	}
	return &pushView{Key: p.PushKey, Address: orderPath(order) + "/push", Worker: "/" + pushWorker}
}

// orderPush is what the script of the offer sends.
func (p *Pages) orderPush(w http.ResponseWriter, r *http.Request) {
	order, err := p.openOrder(r)
	if err != nil {
		p.orderRefused(w, r, err)
		return
	}
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	if p.PushKey == "" {
		p.nothingHere(w, r)
		return
	}
	s := refund.Subscription{
		Order: order.Order.ID, Endpoint: form.Get("endpoint"), P256dh: form.Get("p256dh"), Auth: form.Get("auth"),
	}
	if form.Get("on") == "1" {
		err = p.Store.Subscribe(r.Context(), s, p.Now())
	} else {
		err = p.Store.Unsubscribe(r.Context(), s.Order, s.Endpoint, p.Now())
	}
	switch {
	case errors.Is(err, refund.ErrSubscription):
		p.sorry(w, r, http.StatusBadRequest, "error."+refund.ErrSubscription.Error())
	case err != nil:
		p.failed(w, r, "push", err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// pushScript serves the worker at an address that stays, so that browsers find
// its next version there.
func (p *Pages) pushScript(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", mediaTypes[".js"])
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(p.files.byAddress[p.files.byName[pushWorker]].data)
}
