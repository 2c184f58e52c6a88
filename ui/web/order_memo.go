package web

import (
	"errors"
	"net/http"

	"flawmark/app/qc"
)

// orderMemo shows a credit memo to the customer of its order. A memo of another
// order is as if there were none.
func (p *Pages) orderMemo(w http.ResponseWriter, r *http.Request) {
	order, s, ok := p.orderReader(w, r)
	if !ok {
		return
	}
	m, err := p.Store.Memo(r.Context(), memoNumber(r))
	switch {
	case errors.Is(err, qc.ErrNotFound), err == nil && m.Order != order.Order.ID:
		p.nothingHere(w, r)
	case err != nil:
		p.failed(w, r, "memo", err)
	default:
		path := orderPath(order.Order.ID)
		p.showMemo(w, r, s, m, path, path, nil)
	}
}
