package web

import (
	"context"
	"net/http"
)

// orderEvents tells an open order page when what it shows has changed.
func (p *Pages) orderEvents(w http.ResponseWriter, r *http.Request) {
	p.stream(w, r, func(context.Context) (string, error) {
		order, err := p.openOrder(r)
		if err != nil {
			return "", err
		}
		return orderState(order), nil
	})
}
