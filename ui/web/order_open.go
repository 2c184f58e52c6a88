package web

import (
	"errors"
	"net/http"

	"flawmark/app/qc"
)

// openOrder returns the order of the request's address to whoever carries the
// secret of its link. Nobody learns whether an order exists otherwise.
func (p *Pages) openOrder(r *http.Request) (OrderView, error) {
	secret := p.secretOf(r, orderCookie)
	if secret == "" {
		return OrderView{}, ErrLink
	}
	return p.Store.OrderByToken(r.Context(), qc.OrderID(r.PathValue("order")), secret, p.Now())
}

// orderRefused answers when openOrder failed.
func (p *Pages) orderRefused(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, ErrLink) || errors.Is(err, qc.ErrNotFound) {
		p.sorry(w, r, http.StatusNotFound, "error.link_invalid")
		return
	}
	p.failed(w, r, "order", err)
}

// orderReader returns the order of r and how its reader is spoken to. When it
// returns false, the request is answered already.
func (p *Pages) orderReader(w http.ResponseWriter, r *http.Request) (OrderView, speech, bool) {
	order, err := p.openOrder(r)
	if err != nil {
		p.orderRefused(w, r, err)
		return OrderView{}, speech{}, false
	}
	if p.languageChosen(w, r, orderPath(order.Order.ID)) {
		return OrderView{}, speech{}, false
	}
	return order, p.speechFor(r, order.Order.Customer.Language, order.Order.Customer.TimeZone), true
}

// orderLink exchanges a link's secret for a cookie of that order's pages and
// sends the reader to the address without it.
func (p *Pages) orderLink(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	query := r.URL.Query()
	order, token := qc.OrderID(r.PathValue("order")), query.Get("t")
	if len(token) > 200 {
		p.orderRefused(w, r, ErrLink)
		return
	}
	if _, err := p.Store.OrderByToken(r.Context(), order, token, p.Now()); err != nil {
		p.orderRefused(w, r, err)
		return
	}
	http.SetCookie(w, p.cookie(r, orderCookie, token, orderPath(order), orderFor))
	query.Del("t")
	onward(w, r, orderPath(order), query)
}
